"""Prototypes: Intervention Units that share state and action, and what usually comes of them.

How units are grouped, and how effects are reckoned, is told in `cluster.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from esc_skills.corpora.dialogue_files import read_records
from esc_skills.discovery.units import Unit
from esc_skills.documents.schema import suggest
from esc_skills.errors import DocumentError
from esc_skills.language.moves import MOVES, PLAIN
from esc_skills.vocabulary import HiddenIntention, Language, Stage, Strategy

#: A need that nothing told of, and any value of a part that was let go.
UNKNOWN, ANY = "unknown", "any"
#: The parts of a key, the most telling first.
PARTS = ("strategy", "need", "move", "stage")
#: What the units of a prototype are counted by.
COUNTS = ("corpora", "transitions", "languages", "emotions", "dispositions", "problems")
Key = tuple[str, ...]


class Call(StrEnum):
    """What a prototype is called by its interval."""

    HELPFUL = "helpful"
    HARMFUL = "harmful"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A unit that shows a prototype.

    Attributes:
        unit: Its id.
        corpus: The corpus that it is from.
        language: The language of its texts.
        effect: Its effect.
        texts: The seeker's turn, the supporter's, and the seeker's after it.
    """

    unit: str
    corpus: str
    language: Language
    effect: float
    texts: tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Prototype:
    """A state and an action, with what they rest on and what came of them.

    Attributes:
        strategy: The first strategy of the supporter's turn.
        need: The seeker's need; None where nothing told of one, or where it is any.
        need_known: Whether `need` says something: False where it is any.
        move: What was done within the strategy; None where it is any.
        stage: The stage; None where it is any.
        units: The units.
        key_units: Those that are clear transitions which somebody stated.
        dialogues: The dialogues that they are from.
        corpora: The units by corpus.
        transitions: The units by transition.
        languages: The units by language.
        emotions: The units by the seeker's emotion, where one is known.
        dispositions: The units by the seeker's disposition, where one is known.
        problems: The units by problem type, where one is known.
        risk: The units in which some risk was stated.
        effect: The mean effect, shrunk, from −1 to 1; a tenth is one point of SAGE's emotion.
        low: The lower end of its 80 % interval.
        high: The upper end.
        positive: Clear transitions that went best, a few in each language.
        negative: Clear transitions that went worst, likewise.
    """

    strategy: Strategy
    need: HiddenIntention | None
    need_known: bool
    move: str | None
    stage: Stage | None
    units: int
    key_units: int
    dialogues: int
    corpora: Mapping[str, int]
    transitions: Mapping[str, int]
    languages: Mapping[str, int]
    emotions: Mapping[str, int]
    dispositions: Mapping[str, int]
    problems: Mapping[str, int]
    risk: int
    effect: float
    low: float
    high: float
    positive: tuple[Exemplar, ...]
    negative: tuple[Exemplar, ...]

    @property
    def key(self) -> Key:
        """The parts that its units share."""
        need = (self.need or UNKNOWN) if self.need_known else ANY
        return tuple(map(str, (self.strategy, need, self.move or ANY, self.stage or ANY)))

    @property
    def id(self) -> str:
        """A name that follows from what the units share, so it stays when units come and go."""
        return "p-" + hashlib.sha256("/".join(self.key).encode()).hexdigest()[:8]

    @property
    def call(self) -> Call:
        """What it is called."""
        if self.low > 0:
            return Call.HELPFUL
        return Call.HARMFUL if self.high < 0 else Call.UNCLEAR

    def as_json(self) -> dict[str, Any]:
        """Return the prototype as a line of JSON Lines, as `schemas/prototype.schema.json` describes it."""
        state = {"need": self.key[1], "stage": self.key[3]}
        return {
            "id": self.id,
            "state": state,
            "action": {"strategy": self.key[0], "move": self.key[2]},
            "support": {
                "units": self.units,
                "key_units": self.key_units,
                "dialogues": self.dialogues,
                "risk": self.risk,
                **{name: dict(getattr(self, name)) for name in COUNTS},
            },
            "effect": {"mean": self.effect, "low": self.low, "high": self.high},
            "call": str(self.call),
            "positive": [_exemplar_json(each) for each in self.positive],
            "negative": [_exemplar_json(each) for each in self.negative],
        }


def _exemplar_json(exemplar: Exemplar) -> dict[str, Any]:
    return {
        "unit": exemplar.unit,
        "corpus": exemplar.corpus,
        "language": str(exemplar.language),
        "effect": exemplar.effect,
        "texts": list(exemplar.texts),
    }


def key_of(unit: Unit) -> Key:
    """Return the parts by which a unit is grouped: strategy, need, move, stage."""
    need = unit.before.need or UNKNOWN
    return tuple(map(str, (unit.action.strategies[0], need, unit.action.move, unit.before.stage)))


def widen(key: Key, parts: int) -> Key:
    """Return a key of which the first parts are kept and the others are any."""
    return key[:parts] + (ANY,) * (len(PARTS) - parts)


def read_prototypes(path: Path) -> tuple[Prototype, ...]:
    """Return the prototypes of a file.

    Raises:
        DocumentError: The file cannot be read, or a line departs from `schemas/prototype.schema.json`, contradicts itself,
            or states a prototype anew; the message names the line.
    """
    found: dict[str, Prototype] = {}
    hint = "make it with `esc-skills discover cluster`"
    for line, value in read_records(path, "prototype", hint):
        prototype = _prototype_of(value)
        if problem := _contradiction(prototype, value):
            raise DocumentError(str(path), line, "contradiction", problem, hint)
        if prototype.id in found:
            raise DocumentError(str(path), line, "two-places", f"{prototype.id} came before", hint)
        found[prototype.id] = prototype
    return tuple(found.values())


def _contradiction(prototype: Prototype, value: Mapping[str, Any]) -> str:
    """Return in what a line contradicts itself, in words; empty where it does not."""
    if prototype.move not in (*MOVES, PLAIN, None):
        return f"the move {prototype.move} is none that is known{suggest(prototype.move or '', [*MOVES, PLAIN])}"
    if not prototype.low <= prototype.effect <= prototype.high:
        return f"the mean {prototype.effect} lies outside {prototype.low} to {prototype.high}"
    made = {"id": prototype.id, "call": str(prototype.call)}
    wrong = next((name for name in made if made[name] != value[name]), None)
    return f"{wrong} is {value[wrong]} and should be {made[wrong]}" if wrong else ""


def _prototype_of(value: dict[str, Any]) -> Prototype:
    state, action, support, effect = (value[name] for name in ("state", "action", "support", "effect"))
    return Prototype(
        strategy=Strategy(action["strategy"]),
        need=HiddenIntention(state["need"]) if state["need"] not in (ANY, UNKNOWN) else None,
        need_known=state["need"] != ANY,
        move=action["move"] if action["move"] != ANY else None,
        stage=Stage(state["stage"]) if state["stage"] != ANY else None,
        effect=effect["mean"],
        low=effect["low"],
        high=effect["high"],
        **{name: support[name] for name in ("units", "key_units", "dialogues", "risk", *COUNTS)},
        positive=_exemplars_of(value["positive"]),
        negative=_exemplars_of(value["negative"]),
    )


def _exemplars_of(values: Iterable[dict[str, Any]]) -> tuple[Exemplar, ...]:
    return tuple(
        Exemplar(each["unit"], each["corpus"], Language(each["language"]), each["effect"], tuple(each["texts"]))
        for each in values
    )
