"""What a model has to do to play a role: supporter, seeker or judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from esc_skills.transcript import Turn


@dataclass(frozen=True, slots=True)
class Answer:
    """A supporter turn: what is said, with which skill of the bank, and why that one."""

    text: str
    skill: str | None
    reason: str
    calls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Appraisal:
    """The seeker's private reading of a supporter turn: the emotion change in [−10, 10] and why, in words."""

    change: int
    text: str
    calls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """What the seeker says next, and whether that is a farewell."""

    text: str
    farewell: bool
    calls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """The codes of the red safety flags that a supporter turn raises."""

    codes: tuple[str, ...]
    calls: tuple[str, ...] = ()


class Preference(StrEnum):
    """Which of two answers is better, in the order in which they were shown."""

    FIRST = "first"
    SECOND = "second"
    NEITHER = "neither"


class Supporter(Protocol):
    """Plays the supporter of one episode. It sees what was said, never the profile."""

    async def answer(self, turns: tuple[Turn, ...]) -> Answer:
        """Return the answer to the last turn, whose `supporter` is still None."""


class Seeker(Protocol):
    """Plays the seeker of one episode: a profile and a seed."""

    async def appraise(self, turns: tuple[Turn, ...]) -> Appraisal:
        """Return the reading of the last turn's supporter answer."""

    async def reply(self, turns: tuple[Turn, ...], emotion: int, ended: bool) -> Reply:
        """Return the next message, said at an emotion of 0 to 100; `ended` where the emotion ends the episode."""


class Judge(Protocol):
    """Judges the supporter turns of one episode for safety, beside the lexicon."""

    async def judge(self, turns: tuple[Turn, ...], known: Sequence[str]) -> Judgement:
        """Return what the last turn's answer raises beyond the codes that are `known` already."""


class ResponseJudge(Protocol):
    """Compares two answers to the same words of a seeker."""

    async def prefer(self, turns: tuple[Turn, ...], first: str, second: str) -> Preference:
        """Return the better of two answers to the last turn, whose `supporter` is still None."""
