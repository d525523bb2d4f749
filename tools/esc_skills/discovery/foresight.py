"""Foresight: whether what prototypes are called holds on dialogues that they were not made of."""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from esc_skills.discovery.cluster import Clusterer
from esc_skills.discovery.prototypes import Call, Key, Prototype, key_of, widen
from esc_skills.discovery.units import Source, Unit
from esc_skills.surrogate.agreement import area_under_curve

_FOLDS = 5
_RESAMPLES = 1000
_SEED = "esc-skills/foresight/1"
_READ = (Source.READING, Source.MODEL)


@dataclass(frozen=True, slots=True)
class Foresight:
    """How outcomes of one source differ after what was called helpful and after what was called harmful.

    Attributes:
        corpus: The corpus of the units.
        source: Where their outcomes were read from.
        helpful: The left-out units under a prototype that is called helpful.
        harmful: Those under one that is called harmful.
        area: The probability that an outcome of the first kind is better than one of the second, ties counting half.
        low: The lower end of its 95 % interval, by a bootstrap that draws whole dialogues.
        high: The upper end.
    """

    corpus: str
    source: Source
    helpful: int
    harmful: int
    area: float
    low: float
    high: float


def measure_foresight(units: Iterable[Unit]) -> tuple[Foresight, ...]:
    """Return the foresight for each corpus and source, in five folds of which each is left out once.

    Dialogues of one seeker are left out together: those whose ids are the same from the last slash on, as where several
    supporters met one profile. Outcomes that were read from words, offline or by a model, are not taken for outcomes.
    """
    kept = tuple(units)
    found: dict[tuple[str, Source], dict[Call, dict[str, list[float]]]] = defaultdict(
        lambda: {call: defaultdict(list) for call in Call}
    )
    for fold in range(_FOLDS):
        clusterer = Clusterer()
        for unit in kept:
            if _fold_of(unit) != fold:
                clusterer.add(unit)
        prototypes = {each.key: each for each in clusterer.cluster().prototypes}
        for unit in kept:
            if _fold_of(unit) == fold and unit.source not in _READ:
                prototype = prototype_of(key_of(unit), prototypes)
                if prototype is not None:
                    found[unit.corpus, unit.source][prototype.call][_seeker_of(unit)].append(unit.effect)
    results = (_foresight(corpus, source, calls) for (corpus, source), calls in sorted(found.items()))
    return tuple(result for result in results if result is not None)


def prototype_of(key: Key, prototypes: Mapping[Key, Prototype]) -> Prototype | None:
    """Return the prototype that a key falls under, the narrowest first, or None."""
    wider = (widen(key, parts) for parts in range(len(key), 0, -1))
    return next((prototypes[each] for each in wider if each in prototypes), None)


def _seeker_of(unit: Unit) -> str:
    return unit.dialogue.rpartition("/")[2]


def _fold_of(unit: Unit) -> int:
    return int(hashlib.sha256(_seeker_of(unit).encode()).hexdigest(), 16) % _FOLDS


def _foresight(corpus: str, source: Source, calls: Mapping[Call, Mapping[str, Sequence[float]]]) -> Foresight | None:
    helpful, harmful = calls[Call.HELPFUL], calls[Call.HARMFUL]
    if not helpful or not harmful:
        return None
    good, bad = _all(helpful), _all(harmful)
    seekers = sorted({*helpful, *harmful})
    rng = random.Random(_SEED)
    areas = []
    for _ in range(_RESAMPLES):
        drawn = rng.choices(seekers, k=len(seekers))
        ups = [effect for each in drawn for effect in helpful.get(each, ())]
        downs = [effect for each in drawn for effect in harmful.get(each, ())]
        if ups and downs:
            areas.append(area_under_curve(ups, downs))
    areas.sort()
    low, high = areas[int(0.025 * len(areas))], areas[int(0.975 * len(areas))]
    return Foresight(corpus, source, len(good), len(bad), area_under_curve(good, bad), low, high)


def _all(effects: Mapping[str, Sequence[float]]) -> list[float]:
    return [effect for seeker in sorted(effects) for effect in effects[seeker]]
