"""Labels: what corpora call things, in the words of the closed vocabularies, and a count of those that have none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from esc_skills.vocabulary import STRATEGY_LABELS, EmotionType, ProblemType, Strategy

_Word = TypeVar("_Word")

#: ESConv's own labels and the words of the vocabularies differ in case and in spaces alone.
PROBLEM_LABELS = {str(each).replace("-", " "): each for each in ProblemType}
EMOTION_LABELS = {str(each): each for each in EmotionType}


@dataclass(slots=True)
class LabelTally:
    """The labels that were met, each with its kind, such as `strategy`, and how often.

    Attributes:
        mapped: Those that the vocabularies have a word for.
        unmapped: Those that they have none for, as the corpus writes them.
    """

    mapped: Counter[tuple[str, str]] = field(default_factory=Counter)
    unmapped: Counter[tuple[str, str]] = field(default_factory=Counter)

    def find(self, kind: str, label: str, known: Mapping[str, _Word]) -> _Word | None:
        """Return what a label means, or None, and count it either way."""
        found = known.get(" ".join(label.lower().split()))
        (self.unmapped if found is None else self.mapped)[kind, label] += 1
        return found

    def problem_type(self, label: str) -> ProblemType | None:
        """Return the problem type that a label means."""
        return self.find("problem_type", label, PROBLEM_LABELS)

    def emotion_type(self, label: str) -> EmotionType | None:
        """Return the emotion type that a label means."""
        return self.find("emotion_type", label, EMOTION_LABELS)

    def strategies(self, label: str) -> tuple[Strategy, ...]:
        """Return the strategies, any of which a label means; none where it is unknown."""
        return self.find("strategy", label, STRATEGY_LABELS) or ()
