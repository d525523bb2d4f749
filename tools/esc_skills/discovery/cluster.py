"""Clustering: Intervention Units become prototypes.

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
from heapq import nsmallest
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from esc_skills.discovery.prototypes import ANY, COUNTS, PARTS, UNKNOWN, Exemplar, Key, Prototype, key_of, widen
from esc_skills.discovery.units import ONCE, Unit, told_twice
from esc_skills.errors import InputError
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


def groups_of(sizes: Mapping[Key, tuple[int, Iterable[int]]]) -> dict[Key, Key]:
    """Return the key of the prototype that each key falls under; a key that falls under none is missing.

    Args:
        sizes: How many units each key has, and the numbers of the dialogues that they are from.
    """
    under: dict[Key, Key] = {}
    waiting: dict[Key, list[Key]] = {key: [key] for key in sizes}
    for parts in range(len(PARTS), 0, -1):
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
        **{name: _most_first(counts[name]) for name in COUNTS},
    )


def _rounded(effect: float) -> float:
    return round(effect, _DECIMALS) + 0.0  # adding 0 takes the sign off a zero


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
