"""Spreading: how far a run's final emotions scatter, set so that they look like those of published transcripts.

A published seeker's mood persists: a dialogue that goes well goes on to go well, by more than its turns tell. A run draws
each turn's chance for itself, so what the turns tell is stretched until success and failure are as frequent as published.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice, product

from esc_skills.models.surrogate.appraisal import SeekerModel, Spread
from esc_skills.models.surrogate.rolling import roll_emotion
from esc_skills.transcript import MAX_CHANGE, MAX_TURNS

#: What is tried. Of the residual of a turn, about 6 points, about 0.6 of the variance is the turn's own chance and not the
#: dialogue's (the correlation of neighbouring residuals is 0.4), so less noise than 4 would make seekers too steady.
#: More stretch than 2 would press ordinary good turns against the bound of a change.
_STRETCHES, _NOISES, _STRONGS = (1.0, 1.5, 2.0), (4.0, 5.0), (6.0, 7.0, 8.0)
#: What a share of strong changes that is off by 1 would weigh, in points of final emotion.
_STRONG_WEIGHT = 10.0
_SEED = "esc-skills/spread/1"


@dataclass(frozen=True, slots=True)
class Tendency:
    """An episode's expected changes, as its turns tell them and not held within bounds, and how it really went."""

    expected: tuple[float, ...]
    changes: tuple[int, ...]
    final: int


def calibrate(tendencies: Sequence[Tendency]) -> tuple[float, Spread]:
    """Return the stretch of the expectations and the spread whose simulated episodes look most like the real ones."""
    choices = product(_STRETCHES, _NOISES, _STRONGS)
    best = min(choices, key=lambda choice: (_distance(tendencies, choice[0], Spread(*choice[1:])), choice))
    return best[0], Spread(*best[1:])


def _distance(tendencies: Sequence[Tendency], stretch: float, spread: Spread) -> float:
    """Return how far simulated finals are from real ones, in points, with a surcharge for too few or many strong changes."""
    sampler = SeekerModel((), (), (), (), spread)
    rng = random.Random(_SEED)
    simulated = [tuple(_simulate(each, stretch, sampler, rng)) for each in tendencies]
    finals = sorted(roll_emotion(changes) for changes in simulated)
    real = sorted(each.final for each in tendencies)
    apart = sum(abs(one - other) for one, other in zip(finals, real, strict=True)) / len(real)
    strong = _strong_share([each.changes for each in tendencies])
    return apart + _STRONG_WEIGHT * abs(_strong_share(simulated) - strong)


def _simulate(tendency: Tendency, stretch: float, sampler: SeekerModel, rng: random.Random) -> Iterator[int]:
    """Yield the changes of a whole episode; one that really ended early goes round its turns again."""
    for expected in islice(cycle(tendency.expected), MAX_TURNS - 1):
        held = max(-float(MAX_CHANGE), min(float(MAX_CHANGE), stretch * expected))
        yield sampler.sample_change(held, rng)


def _strong_share(episodes: Sequence[tuple[int, ...]]) -> float:
    changes = [change for episode in episodes for change in episode]
    return sum(abs(change) == MAX_CHANGE for change in changes) / len(changes)
