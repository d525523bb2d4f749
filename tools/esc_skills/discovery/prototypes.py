"""Prototypes: Intervention Units that share state and action, and what usually comes of them.

Units are grouped by strategy, need, move and stage. A group with too few of them joins what is like it in all but the
least telling part: first the stage is let go, then the move, then the need. So every prototype follows from the units
that share its key, and a dialogue more changes only those whose key is one of its own units' keys, or a wider form of one.

The effect of a prototype is the mean effect of its units, shrunk towards nothing where there are few (Efron and Morris
1975, with a prior that is fixed rather than estimated, for the same reason). The unit of observation is the dialogue:
units of one dialogue go together, so the standard error is that of a ratio of sums over dialogues (Cochran 1977, 6.3).
"""

from __future__ import annotations

import hashlib
import math
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from heapq import nsmallest
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from esc_skills.corpora.reader import read_records
from esc_skills.discovery.units import ONCE, Unit, told_twice
from esc_skills.documents.schema import suggest
from esc_skills.errors import DocumentError, InputError
from esc_skills.models.surrogate.moves import MOVES, PLAIN
from esc_skills.vocabulary import HiddenIntention, Language, Risk, Stage, Strategy

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: What a group needs to be a prototype of its own.
MIN_UNITS, MIN_DIALOGUES = 10, 3
#: The standard deviation, in effects, by which prototypes are taken to differ, and that of single dialogues at least.
_PRIOR, _LEAST_SPREAD = 0.15, 0.35
#: The ends of the interval in standard errors: 80 %, so at most one in ten prototypes of no effect is called helpful.
_ENDS = 1.2816
_EXEMPLARS = 5
#: An exemplar has at most so many characters a turn, so that a prototype is a line that can be read.
_LONGEST = 5000
_DECIMALS = 4
#: A need that nothing told of, and any value of a part that was let go.
UNKNOWN, ANY = "unknown", "any"
_PARTS = ("strategy", "need", "move", "stage")

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
        counts = ("corpora", "transitions", "languages", "emotions", "dispositions", "problems")
        return {
            "id": self.id,
            "state": state,
            "action": {"strategy": self.key[0], "move": self.key[2]},
            "support": {
                "units": self.units,
                "key_units": self.key_units,
                "dialogues": self.dialogues,
                "risk": self.risk,
                **{name: dict(getattr(self, name)) for name in counts},
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
    return key[:parts] + (ANY,) * (len(_PARTS) - parts)


def groups_of(sizes: Mapping[Key, tuple[int, Iterable[int]]]) -> dict[Key, Key]:
    """Return the key of the prototype that each key falls under; a key that falls under none is missing.

    Args:
        sizes: How many units each key has, and the numbers of the dialogues that they are from.
    """
    under: dict[Key, Key] = {}
    waiting: dict[Key, list[Key]] = {key: [key] for key in sizes}
    for parts in range(len(_PARTS), 0, -1):
        merged: dict[Key, list[Key]] = defaultdict(list)
        for members in waiting.values():
            merged[widen(members[0], parts)].extend(members)
        waiting = {}
        for key, members in merged.items():
            units = sum(sizes[member][0] for member in members)
            dialogues = set().union(*(sizes[member][1] for member in members)) if units >= MIN_UNITS else ()
            if len(dialogues) >= MIN_DIALOGUES:
                under.update(dict.fromkeys(members, key))
            else:
                waiting[key] = members
    return under


@dataclass(frozen=True, slots=True)
class Clustering:
    """What became of units.

    Attributes:
        prototypes: In the order of their keys.
        units: All units.
        dialogues: The dialogues that they are from.
        left_over: The units that are under no prototype, since too few are like them.
    """

    prototypes: tuple[Prototype, ...]
    units: int
    dialogues: int
    left_over: int


@dataclass(slots=True)
class _Group:
    """What is counted of the units of one key."""

    number: int
    units: int = 0
    key_units: int = 0
    risk: int = 0
    dialogues: array[int] = field(default_factory=lambda: array("q"))
    counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    best: dict[Language, list[_Ranked]] = field(default_factory=lambda: defaultdict(list))
    worst: dict[Language, list[_Ranked]] = field(default_factory=lambda: defaultdict(list))


_Ranked = tuple[float, str, Exemplar]


class Clusterer:
    """Takes units one at a time, dialogue after dialogue, and holds of each only what prototypes are made of."""

    def __init__(self) -> None:
        self._groups: dict[Key, _Group] = {}
        self._dialogues: dict[tuple[str, str], int] = {}
        self._now: tuple[str, str] | None = None
        self._of_group, self._of_dialogue = array("q"), array("q")
        self._effects, self._weights = array("d"), array("d")

    def add(self, unit: Unit) -> None:
        """Take a unit.

        Raises:
            InputError: Units of its dialogue came before, and then another dialogue's.
        """
        dialogue = self._number_of((unit.corpus, unit.dialogue))
        key = key_of(unit)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group(len(self._groups))
        self._of_group.append(group.number)
        self._of_dialogue.append(dialogue)
        self._effects.append(unit.effect)
        self._weights.append(unit.confidence)
        _count(group, unit, dialogue)

    def _number_of(self, dialogue: tuple[str, str]) -> int:
        if dialogue != self._now:
            if dialogue in self._dialogues:
                raise InputError(told_twice(*dialogue), ONCE)
            self._dialogues[dialogue] = len(self._dialogues)
            self._now = dialogue
        return self._dialogues[dialogue]

    def cluster(self) -> Clustering:
        """Return the prototypes of all units so far."""
        under = groups_of({key: (group.units, group.dialogues) for key, group in self._groups.items()})
        merged: dict[Key, list[_Group]] = defaultdict(list)
        for key, into in under.items():
            merged[into].append(self._groups[key])
        keys = sorted(merged)
        effects = self._effects_of([[group.number for group in merged[key]] for key in keys])
        prototypes = tuple(_prototype(key, merged[key], *effect) for key, effect in zip(keys, effects, strict=True))
        units = len(self._effects)
        return Clustering(prototypes, units, len(self._dialogues), units - sum(each.units for each in prototypes))

    def _effects_of(self, members: Sequence[Sequence[int]]) -> Iterator[tuple[int, float, float]]:
        """Yield of each prototype its dialogues, its shrunk effect and the standard error of that."""
        if not members:
            return
        of_group = np.full(len(self._groups), -1)
        for at, numbers in enumerate(members):
            of_group[list(numbers)] = at
        prototype = of_group[np.frombuffer(self._of_group, dtype=np.int64)]
        kept = prototype >= 0
        place = prototype[kept] * len(self._dialogues) + np.frombuffer(self._of_dialogue, dtype=np.int64)[kept]
        pairs, inverse = np.unique(place, return_inverse=True)
        weights = np.frombuffer(self._weights)[kept]
        sizes: NDArray[np.float64] = np.bincount(inverse, weights).astype(np.float64)
        effects = np.frombuffer(self._effects)[kept]
        sums: NDArray[np.float64] = np.bincount(inverse, weights * effects).astype(np.float64)
        owners = pairs // len(self._dialogues)
        ends = np.searchsorted(owners, np.arange(len(members) + 1))
        for start, end in pairwise(map(int, ends)):
            yield end - start, *_shrunk(sums[start:end], sizes[start:end])


def cluster_units(units: Iterable[Unit]) -> Clustering:
    """Return the prototypes of units that come dialogue after dialogue.

    Raises:
        InputError: Units of one dialogue come in two places.
    """
    clusterer = Clusterer()
    for unit in units:
        clusterer.add(unit)
    return clusterer.cluster()


def _count(group: _Group, unit: Unit, dialogue: int) -> None:
    group.units += 1
    group.key_units += unit.is_key
    group.risk += _states_risk(unit)
    if not group.dialogues or group.dialogues[-1] != dialogue:
        group.dialogues.append(dialogue)
    counts, before = group.counts, unit.before
    counts["corpora"][unit.corpus] += 1
    counts["transitions"][unit.transition] += 1
    counts["languages"][unit.language] += 1
    for name, value in (
        ("emotions", before.emotion_type),
        ("dispositions", before.disposition),
        ("problems", before.problem_type),
    ):
        if value is not None:
            counts[name][value] += 1
    if unit.is_key and _can_show(unit):
        _keep((group.best if unit.effect > 0 else group.worst)[unit.language], unit)


def _can_show(unit: Unit) -> bool:
    """Whether a unit may be shown: what to say to somebody at risk is not learnt from examples, nor are endless turns."""
    return not _states_risk(unit) and max(map(len, unit.texts)) <= _LONGEST


def _states_risk(unit: Unit) -> bool:
    """Whether some risk was stated up to the supporter's turn, or in reply to it."""
    return (unit.before.risk, unit.after.risk) != (Risk.NONE, Risk.NONE)


def _keep(exemplars: list[_Ranked], unit: Unit) -> None:
    """Keep the units with the largest effects; among equals a digest decides, which no other unit changes."""
    size = -abs(unit.effect)
    if len(exemplars) == _EXEMPLARS and size > exemplars[-1][0]:
        return
    rank = hashlib.sha256(f"{unit.corpus}/{unit.id}".encode()).hexdigest()
    exemplars.append((size, rank, Exemplar(unit.id, unit.corpus, unit.language, unit.effect, unit.texts)))
    exemplars.sort(key=lambda each: each[:2])
    del exemplars[_EXEMPLARS:]


def _shrunk(sums: NDArray[np.float64], sizes: NDArray[np.float64]) -> tuple[float, float]:
    """Return the shrunk mean of dialogues' effects and its standard error.

    Args:
        sums: Each dialogue's sum of effects, weighted by confidence.
        sizes: Each dialogue's sum of weights.
    """
    count, size = len(sums), math.fsum(sizes)  # exact sums, which the order of dialogues does not change
    mean = math.fsum(sums) / size
    squares = math.fsum((sums - mean * sizes) ** 2)
    spread = squares / size**2 * count / max(1, count - 1)
    least = _LEAST_SPREAD**2 * math.fsum(sizes**2) / size**2
    variance = max(spread, least)
    kept = _PRIOR**2 / (_PRIOR**2 + variance)
    return mean * kept, math.sqrt(kept * variance)


def _prototype(key: Key, groups: Sequence[_Group], dialogues: int, effect: float, error: float) -> Prototype:
    strategy, need, move, stage = key
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for group in groups:
        for name, count in group.counts.items():
            counts[name].update(count)
    return Prototype(
        strategy=Strategy(strategy),
        need=HiddenIntention(need) if need not in (ANY, UNKNOWN) else None,
        need_known=need != ANY,
        move=move if move != ANY else None,
        stage=Stage(stage) if stage != ANY else None,
        units=sum(group.units for group in groups),
        key_units=sum(group.key_units for group in groups),
        dialogues=dialogues,
        risk=sum(group.risk for group in groups),
        effect=_rounded(effect),
        low=_rounded(effect - _ENDS * error),
        high=_rounded(effect + _ENDS * error),
        positive=_first(group.best for group in groups),
        negative=_first(group.worst for group in groups),
        **{name: _most_first(counts[name]) for name in _COUNTS},
    )


def _rounded(effect: float) -> float:
    return round(effect, _DECIMALS) + 0.0  # adding 0 takes the sign off a zero


_COUNTS = ("corpora", "transitions", "languages", "emotions", "dispositions", "problems")


def _first(ranked: Iterable[Mapping[Language, list[_Ranked]]]) -> tuple[Exemplar, ...]:
    """Return the first few of each language."""
    kept = list(ranked)
    chosen = (
        nsmallest(_EXEMPLARS, (each for group in kept for each in group.get(language, ())), key=lambda each: each[:2])
        for language in Language
    )
    return tuple(exemplar for few in chosen for _, _, exemplar in few)


def _most_first(counts: Counter[str]) -> dict[str, int]:
    return {str(name): count for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))}


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
        **{name: support[name] for name in ("units", "key_units", "dialogues", "risk", *_COUNTS)},
        positive=_exemplars_of(value["positive"]),
        negative=_exemplars_of(value["negative"]),
    )


def _exemplars_of(values: Iterable[dict[str, Any]]) -> tuple[Exemplar, ...]:
    return tuple(
        Exemplar(each["unit"], each["corpus"], Language(each["language"]), each["effect"], tuple(each["texts"]))
        for each in values
    )
