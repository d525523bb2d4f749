"""Intervention Units: ⟨seeker state before, supporter action, seeker state after⟩, with where the outcome was read from.

A file of units is JSON Lines, one a line, dialogue after dialogue, as `schemas/unit.schema.json` describes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from esc_skills.corpora.dialogue_files import Progress, read_records
from esc_skills.documents.schema import suggest
from esc_skills.errors import DocumentError
from esc_skills.language.moves import MOVES, PLAIN
from esc_skills.vocabulary import (
    Disposition,
    EmotionType,
    HiddenIntention,
    Language,
    ProblemType,
    Risk,
    Stage,
    Strategy,
)

#: From this effect on a transition is positive or negative, and from this one on clearly so.
CHANGED, CLEAR = 0.25, 0.5
#: A transition is clear only where somebody said so, or an annotating model is sure, rather than where words were read.
SURE = 0.5
#: A turn of more characters makes no unit; `schemas/unit.schema.json` states the same bound.
MAX_TURN = 200_000
#: What to do about a dialogue that comes twice.
ONCE = "give each dialogue once; `esc-skills corpus import` names those that come twice"
_HINT = "make it with `esc-skills discover extract`"


class Transition(StrEnum):
    """Where the seeker went from one turn to the next."""

    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"


class Source(StrEnum):
    """Where an outcome was read from."""

    FEEDBACK = "feedback"
    CHANGE = "emotion-change"
    TALK_TYPE = "talk-type"
    READING = "reading"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class State:
    """A seeker's state: what annotations say, and what was read from the seeker's words where they say nothing.

    Attributes:
        problem_type: As the corpus says; None where it does not.
        emotion_type: The likeliest emotion; None where nothing tells.
        emotion_intensity: 1 to 5.
        stage: Where the conversation stands.
        disposition: The likeliest disposition; None where nothing tells.
        need: The likeliest hidden intention; None where nothing tells.
        risk: The gravest risk that was stated so far.
    """

    problem_type: ProblemType | None
    emotion_type: EmotionType | None
    emotion_intensity: int
    stage: Stage
    disposition: Disposition | None
    need: HiddenIntention | None
    risk: Risk

    def as_json(self) -> dict[str, Any]:
        """Return the state with what is not known left out."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: value if isinstance(value, int) else str(value) for name, value in values.items() if value}


@dataclass(frozen=True, slots=True)
class Action:
    """What the supporter did.

    Attributes:
        strategies: The strategies of the turn, the first ones first.
        move: What was done within the strategy, by `models.surrogate.moves`.
        annotated: Whether people said which strategies these are.
    """

    strategies: tuple[Strategy, ...]
    move: str
    annotated: bool


@dataclass(frozen=True, slots=True)
class Span:
    """Utterances of a dialogue, counted from 0: the first, and the one after the last."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Unit:
    """One Intervention Unit.

    Attributes:
        dialogue: The dialogue's id.
        corpus: The corpus that it is from.
        language: The language of its texts.
        spans: Where the three turns stand: the seeker's, the supporter's, the seeker's.
        before: The seeker's state before.
        action: What the supporter did.
        after: The seeker's state after.
        effect: How it went against what is usual by this source, −1 to 1.
        source: Where that was read from.
        confidence: How sure it is, above 0 and at most 1.
        succeeded: Whether the whole dialogue went well; None where nobody said.
        texts: The three turns.
    """

    dialogue: str
    corpus: str
    language: Language
    spans: tuple[Span, Span, Span]
    before: State
    action: Action
    after: State
    effect: float
    source: Source
    confidence: float
    succeeded: bool | None
    texts: tuple[str, str, str]

    @property
    def id(self) -> str:
        """The dialogue's id and where the supporter's turn starts in it."""
        return f"{self.dialogue}#{self.spans[1].start}"

    @property
    def transition(self) -> Transition:
        """The transition that the effect amounts to."""
        if abs(self.effect) < CHANGED:
            return Transition.NEUTRAL
        return Transition.POSITIVE if self.effect > 0 else Transition.NEGATIVE

    @property
    def is_key(self) -> bool:
        """Whether it is a clear transition, either way, that somebody stated."""
        return abs(self.effect) >= CLEAR and self.confidence >= SURE

    def as_json(self) -> dict[str, Any]:
        """Return the unit as a line of JSON Lines."""
        return {
            "id": self.id,
            "dialogue": self.dialogue,
            "corpus": self.corpus,
            "language": str(self.language),
            "spans": [[each.start, each.end] for each in self.spans],
            "before": self.before.as_json(),
            "action": {
                "strategies": [str(each) for each in self.action.strategies],
                "move": self.action.move,
                "annotated": self.action.annotated,
            },
            "after": self.after.as_json(),
            "transition": str(self.transition),
            "effect": self.effect,
            "source": str(self.source),
            "confidence": self.confidence,
            "succeeded": self.succeeded,
            "key": self.is_key,
            "texts": list(self.texts),
        }


def read_units(paths: Iterable[Path], progress: Progress = lambda _: None) -> Iterator[Unit]:
    """Yield the units of files that `discover extract` wrote, dialogue after dialogue.

    Raises:
        DocumentError: A file cannot be read, a line departs from `schemas/unit.schema.json` or contradicts itself, or units
            of one dialogue come in two places; the message names the line.
    """
    seen: set[tuple[str, str]] = set()
    last, reached = ("", ""), 0
    for path in paths:
        for line, value in read_records(path, "unit", _HINT, progress):
            unit = _unit_of(value)
            if problem := _contradiction(unit, value):
                raise DocumentError(str(path), line, "contradiction", problem, _HINT)
            dialogue, start = (unit.corpus, unit.dialogue), unit.spans[1].start
            if (dialogue == last and start <= reached) or (dialogue != last and dialogue in seen):
                raise DocumentError(str(path), line, "two-places", told_twice(*dialogue), ONCE)
            seen.add(dialogue)
            last, reached = dialogue, start
            yield unit


def told_twice(corpus: str, dialogue: str) -> str:
    """Return the words for a dialogue whose units do not stand together."""
    return f"units of the dialogue {dialogue} of {corpus} come in two places"


def _contradiction(unit: Unit, value: Mapping[str, Any]) -> str:
    """Return in what a line contradicts itself, in words; empty where it does not."""
    (start, heard), (opened, answered), (replied, end) = value["spans"]
    if not start < heard == opened < answered == replied < end:
        return f"the spans {value['spans']} should be three turns, one after the other"
    if unit.action.move not in (*MOVES, PLAIN):
        return f"the move {unit.action.move} is none that is known{suggest(unit.action.move, [*MOVES, PLAIN])}"
    made = unit.as_json()
    wrong = next((name for name in ("id", "transition", "key") if made[name] != value[name]), None)
    return f"{wrong} is {value[wrong]} and should be {made[wrong]}" if wrong else ""


def _unit_of(value: dict[str, Any]) -> Unit:
    action = value["action"]
    first, second, third = (Span(*each) for each in value["spans"])
    said, answered, replied = value["texts"]
    return Unit(
        dialogue=value["dialogue"],
        corpus=value["corpus"],
        language=Language(value["language"]),
        spans=(first, second, third),
        before=_state_of(value["before"]),
        action=Action(tuple(map(Strategy, action["strategies"])), action["move"], action["annotated"]),
        after=_state_of(value["after"]),
        effect=value["effect"],
        source=Source(value["source"]),
        confidence=value["confidence"],
        succeeded=value["succeeded"],
        texts=(said, answered, replied),
    )


def _state_of(value: dict[str, Any]) -> State:
    return State(
        problem_type=ProblemType(value["problem_type"]) if "problem_type" in value else None,
        emotion_type=EmotionType(value["emotion_type"]) if "emotion_type" in value else None,
        emotion_intensity=value["emotion_intensity"],
        stage=Stage(value["stage"]),
        disposition=Disposition(value["disposition"]) if "disposition" in value else None,
        need=HiddenIntention(value["need"]) if "need" in value else None,
        risk=Risk(value["risk"]),
    )
