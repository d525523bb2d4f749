"""The trial of a change: everything that its verdict follows from, and the verdict, recomputed from nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, partial
from typing import Any

from esc_skills.bank.reader import Bank
from esc_skills.documents.jsonl import digest_json
from esc_skills.evidence.exercise import Exercise
from esc_skills.gate.decision import Decision, confirm
from esc_skills.gate.looks import Looks
from esc_skills.gate.scrutiny import OwnPair, choose, conclude, more_draws
from esc_skills.gate.strata import Pair, strata_of
from esc_skills.ledger.entries import Registered, Terms
from esc_skills.seekers.population import Population
from esc_skills.settings import GateSettings
from esc_skills.simulation.both_arms import play_both_arms
from esc_skills.simulation.draws import Draw, plan_draws
from esc_skills.simulation.players import Players
from esc_skills.simulation.runner import Progress
from esc_skills.transcript import Transcript
from esc_skills.vocabulary import Split, Verdict

#: The settings of the gate from which it follows how many draws are looked at, and when.
_LOOKS = ("draws", "batch", "stratum_draws", "span_draws", "harm_error", "max_faults")


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a verdict follows from, as digests and settings.

    Attributes:
        base: The digest of the bank before the change; candidate: after it.
        readings: The digests of what the players read of the two, whatever else their files hold.
        profiles: The digest of the profile parts.
        gate: How the change is judged, with the threshold of its registration.
        models: The models by role.
        parameters: What the players' behaviour follows from, such as the digests of prompts.
        second_parameters: The same of those with the second seeker; empty without one.
    """

    base: str
    candidate: str
    readings: tuple[str, str]
    profiles: str
    gate: GateSettings
    models: Mapping[str, str | None]
    parameters: Mapping[str, Any]
    second_parameters: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return them as a statement holds them."""
        return {**asdict(self), "readings": list(self.readings), "gate": self.gate.as_json()}

    @property
    def digest(self) -> str:
        """Their digest without the threshold, which follows from the ledger's history; see `change_digest`."""
        return change_digest(self.as_json())


def inputs_of(value: Mapping[str, Any]) -> Inputs:
    """Return the inputs that a statement holds."""
    gate = GateSettings(**{**value["gate"], "trusted": tuple(value["gate"]["trusted"])})
    return Inputs(**{**value, "readings": tuple(value["readings"]), "gate": gate})


@dataclass(frozen=True)
class Trial:
    """A change of the bank and what judges it.

    Attributes:
        base: The bank before the change; candidate: after it.
        population: The parts that gate profiles are composed of.
        gate: How it is judged.
        players: Who plays.
        second: Who plays the same draws once more with another seeker; None for one seeker alone.
        registered: Its entry in the ledger; None for an unregistered one.
    """

    base: Bank
    candidate: Bank
    population: Population
    gate: GateSettings
    players: Players
    second: Players | None = None
    registered: Registered | None = None

    @property
    def banks(self) -> tuple[Bank, Bank]:
        """The banks of both arms, base before candidate."""
        return self.base, self.candidate

    @cached_property
    def inputs(self) -> Inputs:
        """What the verdict follows from."""
        return Inputs(
            base=self.base.digest,
            candidate=self.candidate.digest,
            readings=(self._reading(self.base), self._reading(self.candidate)),
            profiles=self.population.digest,
            gate=self.gate,
            models=self.models,
            parameters=self.players.settings,
            second_parameters=self.second.settings if self.second else {},
        )

    @property
    def models(self) -> dict[str, str | None]:
        """The models by role."""
        return {**self.players.models, "second_seeker": self.second.models["seeker"] if self.second else None}

    def at_threshold(self, threshold: float) -> Trial:
        """Return the trial with the e-value that the change has to reach."""
        return replace(self, gate=replace(self.gate, threshold=threshold))

    @property
    def digest(self) -> str:
        """The digest of the change and all that judges it but the threshold; see `change_digest`."""
        return self.inputs.digest

    def _reading(self, bank: Bank) -> str:
        languages = sorted({each.language for each in self.population.parts(Split.GATE)[0]})
        players = [each for each in (self.players, self.second) if each]
        return digest_json([each.reading(bank.skills, languages) for each in players])

    @property
    def meaning(self) -> str:
        """The digest of what the players read of both banks, of whom they speak to and of how the gate looks.

        So nobody gets other seekers by rewording what no player reads, by a version, or by another name of a model.
        """
        gate = {key: getattr(self.gate, key) for key in _LOOKS}
        return digest_json({"readings": list(self.inputs.readings), "profiles": self.inputs.profiles, "gate": gate})

    @property
    def terms(self) -> Terms:
        """What a registration fixes of it."""
        return Terms(self.digest, self.meaning, self.gate.draws, self.models)

    @property
    def plan_digest(self) -> str:
        """What seekers, seeds and their order follow from.

        The history of a registration holds the meaning of the change and of all that was registered before, and nothing that
        somebody could turn until the seekers suit: no date, name or release. To it comes the number that a witness drew after the
        registration, where one did. Without a registration it is the meaning alone; who does without a witness can try changes of
        what players read until the seekers suit.
        """
        if self.registered is None:
            return self.meaning
        return digest_json({"registration": self.registered.history, "drawn": self.registered.drawn})


def change_digest(inputs: Mapping[str, Any]) -> str:
    """Return the digest of a trial's inputs without the threshold.

    That one follows from the ledger's history: were it part of the digest, a change that was refused would be another one
    at each next try.
    """
    gate = {key: each for key, each in inputs["gate"].items() if key != "threshold"}
    return digest_json({**inputs, "gate": gate})


@dataclass(frozen=True, slots=True)
class OwnDraw:
    """A draw behind the main test that was run for single strata.

    Attributes:
        strata: The names of those that it counts in.
        episodes: Its two episodes, base before candidate.
    """

    draw: Draw
    strata: tuple[str, ...]
    episodes: tuple[Transcript, Transcript]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a trial came to.

    Attributes:
        draws: The executed draws of the main test, a prefix of the plan.
        episodes: Both episodes of each draw, base before candidate.
        second: The same with the second seeker; empty where there is none.
        decision: What the gate says.
        exercise: Says in which of the draws of the main test each changed span was read.
        own: The draws behind them that were run for single strata, in the order of the plan.
    """

    draws: tuple[Draw, ...]
    episodes: tuple[tuple[Transcript, Transcript], ...]
    second: tuple[tuple[Transcript, Transcript], ...]
    decision: Decision
    exercise: Exercise = field(compare=False)
    own: tuple[OwnDraw, ...] = ()

    @property
    def played(self) -> tuple[tuple[Transcript, Transcript], ...]:
        """All pairs of episodes, in the order in which the evidence holds them."""
        return (*self.episodes, *self.second, *(each.episodes for each in self.own))


async def run_trial(trial: Trial, progress: Progress, *, concurrency: int = 64) -> Outcome:
    """Draw fresh gate seekers in batches, simulate each with both banks, and stop as soon as the gate decides.

    An accepted change is drawn for further, up to the budget, while some of its spans were read and not yet often enough.
    A second seeker plays the draws that were executed, whatever the first one decided. Where the change would be accepted
    after that, strata that seem to lose get draws of their own, which the first seeker alone plays; see `scrutiny`.

    Args:
        trial: The change and what judges it.
        progress: Told how many pairs are done, and how many there are at most.
        concurrency: How many episodes run at a time.

    Raises:
        InputError: The gate split has no scenario or no persona.
    """
    draws: list[Draw] = []
    episodes: list[tuple[Transcript, Transcript]] = []
    looks = Looks(trial.gate)
    decision: Decision | None = None
    exercise = Exercise(trial.players, trial.banks, trial.gate.span_draws)
    while decision is None or _goes_on(decision, exercise, trial.gate):
        batch = plan_draws(trial.plan_digest, trial.population, Split.GATE, len(draws), looks.wanted)
        told = partial(_tell, progress, len(draws), trial.gate.draws)
        played = await play_both_arms(trial.players, batch, trial.banks, concurrency=concurrency, progress=told)
        draws.extend(batch)
        episodes.extend(played)
        exercise.add(batch, played)
        decision = looks.take(_pairs(played))
    second: list[tuple[Transcript, Transcript]] = []
    if trial.second:
        told = partial(_tell, progress, 0, len(draws))
        second = await play_both_arms(trial.second, draws, trial.banks, concurrency=concurrency, progress=told)
        decision = confirm(decision, str(trial.second.models["seeker"]), _pairs(second), trial.gate)
    own = await _scrutinise(trial, decision, len(draws), progress, concurrency)
    decision = conclude(decision, _pairs(episodes), _own_pairs(own), trial.gate)
    return Outcome(tuple(draws), tuple(episodes), tuple(second), decision, exercise, tuple(own))


def _goes_on(decision: Decision, exercise: Exercise, gate: GateSettings) -> bool:
    """Whether more draws are played for an accepted change, since some of its spans were read and not often enough.

    The e-value stays where it reached the threshold, and harm is looked for in the further draws as in all others.
    """
    return decision.verdict is Verdict.ACCEPT and decision.draws < gate.draws and exercise.wants_more


async def _scrutinise(
    trial: Trial, decision: Decision, first: int, progress: Progress, concurrency: int
) -> list[OwnDraw]:
    """Return the draws, from a place in the plan on, that strata which seem to lose get of their own."""
    own: list[OwnDraw] = []
    while room := more_draws(decision, _own_pairs(own), trial.gate):
        chosen = choose(room, _plan_from(trial, first), _strata_of_draw, trial.gate.batch)
        told = partial(_tell, progress, len(own), len(own) + sum(room.values()))
        planned = [draw for draw, _ in chosen]
        played = await play_both_arms(trial.players, planned, trial.banks, concurrency=concurrency, progress=told)
        own += [OwnDraw(*picked, episodes) for picked, episodes in zip(chosen, played, strict=True)]
        first = own[-1].draw.position + 1
    return own


def _plan_from(trial: Trial, first: int) -> Iterator[Draw]:
    while True:
        yield from plan_draws(trial.plan_digest, trial.population, Split.GATE, first, trial.gate.batch)
        first += trial.gate.batch


def _strata_of_draw(draw: Draw) -> tuple[str, str]:
    return strata_of(draw.profile.disposition, draw.profile.intention.name)


def _own_pairs(own: Sequence[OwnDraw]) -> list[OwnPair]:
    return [OwnPair(pair_of(*each.episodes), each.strata) for each in own]


def _tell(progress: Progress, before: int, total: int, episodes: int, _: int) -> None:
    progress(before + episodes // 2, total)


def _pairs(episodes: Sequence[tuple[Transcript, Transcript]]) -> list[Pair]:
    return [pair_of(base, candidate) for base, candidate in episodes]


def pair_of(base: Transcript, candidate: Transcript) -> Pair:
    """Return what the gate reads of the two episodes of a draw."""
    return Pair(
        position=base.draw,
        disposition=base.disposition,
        intention=base.intention,
        base=base.scored,
        candidate=candidate.scored,
        new_red_flags=tuple(sorted(candidate.red_flags - base.red_flags)),
    )
