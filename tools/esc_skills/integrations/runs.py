"""Runs in a program or a notebook: simulate a bank, read a file of transcripts, look at both as records or as a data frame."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from esc_skills.bank.reader import read_files
from esc_skills.bank.skill import Skill
from esc_skills.documents.shipped import shipped
from esc_skills.errors import InputError
from esc_skills.integrations.agent_bank import Bank
from esc_skills.roles import Answer
from esc_skills.seekers.population import read_population
from esc_skills.simulation.draws import Draw, chance_of, plan_draws
from esc_skills.simulation.players import SURROGATE, CastPlayers, Players, Roles, cast_players, play
from esc_skills.simulation.runner import run_in_memory, wait_for
from esc_skills.simulation.sentient_score import Score, score_episodes
from esc_skills.transcript import Transcript, Turn, read_transcripts
from esc_skills.vocabulary import Arm, Split

if TYPE_CHECKING:
    import pandas

#: An agent of one's own: given a chat, `[{"role": "user", "content": …}, …]`, it returns what it answers.
Agent = Callable[[list[dict[str, str]]], "str | Awaitable[str]"]
_MAX_DRAWS = 1_000_000


class _OwnAgent:
    """Plays the supporter with a function of somebody's own."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    async def answer(self, turns: tuple[Turn, ...]) -> Answer:
        """Return what the function answers.

        Raises:
            InputError: It returned no text.
        """
        said = [("user", turns[0].seeker)]
        for before, turn in pairwise(turns):
            said += [("assistant", before.supporter or ""), ("user", turn.seeker)]
        answer = self._agent([{"role": role, "content": text} for role, text in said])
        text = await answer if isinstance(answer, Awaitable) else answer
        if not isinstance(text, str) or not text.strip():
            raise InputError(f"the agent answered {text!r}", "return what the supporter says, as text")
        return Answer(text.strip(), None, "an agent of its own")


@dataclass(frozen=True, slots=True)
class _AgentPlayers(CastPlayers):
    """Plays the seeker with the surrogate, and the supporter with a function of somebody's own."""

    agent: Agent | None = None

    @property
    def models(self) -> dict[str, str | None]:
        """The models by role."""
        return {"supporter": "agent", "seeker": SURROGATE, "judge": None}

    def roles(self, draw: Draw, skills: Mapping[str, Skill]) -> Roles:
        """Return who plays the episode of a draw."""
        assert self.agent is not None
        own = super(_AgentPlayers, self).roles(draw, {})
        return replace(own, supporter=_OwnAgent(self.agent))


@dataclass(frozen=True, slots=True)
class Run:
    """Some episodes, in the order of their plan.

    Attributes:
        episodes: The episodes.
    """

    episodes: tuple[Transcript, ...]

    def __len__(self) -> int:
        return len(self.episodes)

    def __iter__(self) -> Iterator[Transcript]:
        return iter(self.episodes)

    @property
    def score(self) -> Score:
        """SAGE's score, the mean final emotion from 0 to 100, with its standard error, and how many episodes succeeded and failed."""
        return score_episodes(self.episodes)

    def records(self) -> list[dict[str, Any]]:
        """Return one flat record for each turn of a supporter.

        Its keys: `episode` (position), `profile`, `problem_type`, `disposition`, `intention`, `risk`, `turn` (from 1), `seeker`,
        `supporter`, `skill`, `reason`, `emotion` (0 to 100, before the answer), `change` (−10 to 10, or None where it was
        not appraised), `flags` (a list), `termination` and `final_emotion` (of the episode).
        """
        return [
            {
                "episode": at,
                "profile": episode.profile,
                "problem_type": str(episode.problem_type) if episode.problem_type else None,
                "disposition": str(episode.disposition),
                "intention": str(episode.intention),
                "risk": str(episode.risk),
                "turn": number,
                "seeker": turn.seeker,
                "supporter": turn.supporter,
                "skill": turn.skill,
                "reason": turn.reason,
                "emotion": turn.emotion,
                "change": turn.change,
                "flags": list(turn.flags),
                "termination": str(episode.termination),
                "final_emotion": episode.final_emotion,
            }
            for at, episode in enumerate(self.episodes)
            for number, turn in enumerate(episode.turns, start=1)
            if turn.supporter is not None
        ]

    def to_frame(self) -> pandas.DataFrame:
        """Return `records` as a pandas data frame.

        Raises:
            InputError: pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise InputError("a data frame needs pandas", "pip install pandas, or use `records()`") from error
        return pandas.DataFrame(self.records())


def read_run(path: str | Path) -> Run:
    """Read a file of transcripts, as `esc-skills simulate` or SAGE writes them.

    Raises:
        DocumentError: A line is no episode; the message says which line and what is wrong.
    """
    return Run(read_transcripts(Path(path)))


def simulate(
    bank: Bank | None,
    *,
    draws: int = 100,
    seed: int = 0,
    split: str = Split.EVOLUTION,
    profiles: str | Path | None = None,
    agent: Agent | None = None,
) -> Run:
    """Play a bank, or an agent of one's own, against simulated seekers of the surrogate: offline, and equal for equal arguments.

    Example:
        >>> from esc_skills import Bank, simulate
        >>> len(simulate(Bank.load(), draws=3))
        3

    Args:
        bank: The bank; None for a supporter without one.
        draws: How many seekers are drawn, 1 to 1,000,000.
        seed: What the draws follow from.
        split: Which profile parts are drawn from: `evolution`, `gate` or `report`.
        profiles: A folder of profile parts; None for the shipped ones.
        agent: Answers in the supporter's place, without our prompts; it may be a coroutine function. Which skill it used is its own affair.

    Raises:
        InputError: An argument is out of its range, or the folder holds no profile parts.
    """
    if not 1 <= draws <= _MAX_DRAWS:
        raise InputError(f"{draws} draws", f"give 1 to {_MAX_DRAWS:,}")
    if split not in set(Split):
        raise InputError(f"there is no split {split!r}", f"one of {', '.join(Split)}")
    folder = shipped("profiles") if profiles is None else Path(profiles)
    population = read_population(read_files(folder), str(folder))
    planned = plan_draws(chance_of(seed, split, population), population, Split(split), 0, draws)
    players: Players = cast_players() if agent is None else _AgentPlayers(cast_players().settings, agent=agent)
    record = bank.record if bank else None

    async def run() -> tuple[Transcript, ...]:
        return await run_in_memory(
            planned,
            lambda draw: play(players, draw, record, Arm.RUN),
            concurrency=64,
            progress=lambda done, total: None,
        )

    return Run(wait_for(run()))
