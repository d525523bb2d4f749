"""The trial of a change: everything that its verdict follows from, and the verdict, recomputed from nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from esc_skills.bank.reader import Bank
from esc_skills.documents.jsonl import digest_json
from esc_skills.evolution.gate import Decision, Pair, decide
from esc_skills.seekers.reader import Population
from esc_skills.settings import GateSettings
from esc_skills.simulation.draws import Draw, plan_draws
from esc_skills.simulation.players import Players, play
from esc_skills.simulation.runner import run_in_memory
from esc_skills.transcript import Transcript
from esc_skills.vocabulary import Arm, Split

_CONCURRENCY = 64


@dataclass(frozen=True, slots=True)
class Trial:
    """A change of the bank and what judges it.

    Attributes:
        base: The bank before the change; candidate: after it.
        population: The parts that gate profiles are composed of.
        gate: How it is judged.
        players: Who plays.
    """

    base: Bank
    candidate: Bank
    population: Population
    gate: GateSettings
    players: Players

    def inputs(self) -> dict[str, Any]:
        """Return the digests and settings that the verdict follows from."""
        return {
            "base": self.base.digest,
            "candidate": self.candidate.digest,
            "meanings": [self.base.meaning, self.candidate.meaning],
            "profiles": self.population.digest,
            "gate": asdict(self.gate),
            "models": {"supporter": self.players.supporter_name, "seeker": self.players.seeker_name},
            "parameters": self.players.settings,
        }

    @property
    def digest(self) -> str:
        """The digest of the change and all that judges it."""
        return digest_json(self.inputs())

    @property
    def plan_digest(self) -> str:
        """What the plan follows from until there is a ledger: all but the bytes of the two banks' files."""
        return digest_json({key: each for key, each in self.inputs().items() if key not in ("base", "candidate")})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a trial came to.

    Attributes:
        draws: The executed draws, a prefix of the plan.
        episodes: Both episodes of each draw, base before candidate.
        decision: What the gate says.
    """

    draws: tuple[Draw, ...]
    episodes: tuple[tuple[Transcript, Transcript], ...]
    decision: Decision


def run_trial(trial: Trial, progress: Callable[[int, int], None]) -> Outcome:
    """Draw fresh gate seekers in batches, simulate each with both banks, and stop as soon as the gate decides.

    Raises:
        InputError: The gate split has no scenario or no persona.
    """
    draws: list[Draw] = []
    episodes: list[tuple[Transcript, Transcript]] = []
    decision: Decision | None = None
    while decision is None:
        count = min(trial.gate.batch, trial.gate.draws - len(draws))
        batch = plan_draws(trial.plan_digest, trial.population, Split.GATE, len(draws), count)
        draws.extend(batch)
        episodes.extend(_run_pairs(trial, batch, len(episodes), progress))
        pairs = [pair_of(base, candidate) for base, candidate in episodes]
        decision = decide(pairs, trial.gate, exhausted=len(draws) >= trial.gate.draws)
    return Outcome(tuple(draws), tuple(episodes), decision)


def _run_pairs(
    trial: Trial, draws: tuple[Draw, ...], before: int, progress: Callable[[int, int], None]
) -> list[tuple[Transcript, Transcript]]:
    banks: Mapping[Arm, Bank] = {Arm.BASE: trial.base, Arm.CANDIDATE: trial.candidate}
    items = [(draw, arm) for draw in draws for arm in banks]

    async def work(item: tuple[Draw, Arm]) -> Transcript:
        draw, arm = item
        return await play(trial.players, draw, banks[arm], arm)

    def count(done: int) -> None:
        progress(before + done // len(banks), trial.gate.draws)

    run = run_in_memory(items, work, concurrency=_CONCURRENCY, progress=count)
    return list(zip(run[0::2], run[1::2], strict=True))


def pair_of(base: Transcript, candidate: Transcript) -> Pair:
    """Return what the gate reads of the two episodes of a draw."""
    return Pair(
        position=base.draw,
        disposition=base.disposition,
        intention=base.intention,
        base=_final(base),
        candidate=_final(candidate),
        new_red_flags=tuple(sorted(_red_flags(candidate) - _red_flags(base))),
    )


def _final(transcript: Transcript) -> int | None:
    return None if transcript.termination.is_fault else transcript.final_emotion


def _red_flags(transcript: Transcript) -> set[str]:
    return {flag.removeprefix("red:") for turn in transcript.turns for flag in turn.flags if flag.startswith("red:")}
