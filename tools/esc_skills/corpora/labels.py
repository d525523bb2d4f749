"""Labels: what corpora call things, in the words of the closed vocabularies, and a count of those that have none.

A label that no vocabulary has a word for is left out of the dialogue and counted, never bent to the nearest word.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from esc_skills.corpora.dialogue import Quality, TalkType
from esc_skills.vocabulary import (
    DISPOSITION_LABELS,
    STRATEGY_LABELS,
    Disposition,
    EmotionType,
    HiddenIntention,
    ProblemType,
    Strategy,
)

_Word = TypeVar("_Word")
_Known = TypeVar("_Known", bound=StrEnum)


def _spelt(words: type[_Known]) -> dict[str, _Known]:
    """Return the words of a vocabulary by how corpora may spell them: with hyphens or with spaces."""
    return {spelling: each for each in words for spelling in (str(each), str(each).replace("-", " "))}


PROBLEM_LABELS = _spelt(ProblemType)
EMOTION_LABELS = _spelt(EmotionType)
DISPOSITIONS = {**_spelt(Disposition), **DISPOSITION_LABELS}
INTENTIONS = _spelt(HiddenIntention)
STRATEGIES: dict[str, tuple[Strategy, ...]] = {
    **{spelling: (each,) for spelling, each in _spelt(Strategy).items()},
    **STRATEGY_LABELS,
}
QUALITIES = {**_spelt(Quality), "high": Quality.GOOD, "low": Quality.FAILED}
TALK_TYPES = _spelt(TalkType)


@dataclass(slots=True)
class Tally:
    """What became of the labels and messages of dialogues, as (kind, label) pairs.

    Attributes:
        mapped: Labels that the vocabularies have a word for, such as `("strategy", "Question")`.
        unmapped: Those that they have none for, as the corpus writes them, and ratings out of range.
        left_out: What a dialogue holds that is no message of the two speakers, such as `("message", "system")`.
    """

    mapped: list[tuple[str, str]] = field(default_factory=list)
    unmapped: list[tuple[str, str]] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)

    def find(self, kind: str, label: Any, known: Mapping[str, _Word]) -> _Word | None:
        """Return what a label means, or None, and count it either way; no label counts as nothing."""
        if label is None or label == "":
            return None
        if not isinstance(label, str):
            self.unmapped.append((kind, _short(label)))
            return None
        found = known.get(label) or known.get(" ".join(label.lower().split()))
        (self.unmapped if found is None else self.mapped).append((kind, _short(label)))
        return found

    def number(self, kind: str, value: Any, least: int, most: int) -> int | None:
        """Return an integer, or one in digits, within a range; None for what is missing, or counted as unmapped."""
        if value is None or value == "":
            return None
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        if isinstance(value, str) and len(value) <= 4 and value.removeprefix("-").isdecimal():
            return self.number(kind, int(value), least, most)
        self.unmapped.append((kind, _short(value)))
        return None

    def leave_out(self, kind: str, what: str) -> None:
        """Count something that is not kept."""
        self.left_out.append((kind, _short(what)))


def _short(label: Any) -> str:
    return " ".join(str(label)[:80].split())
