"""Spreading: how a run's emotions scatter around what its turns tell, set so that they look like published transcripts.

A published seeker's mood persists: a dialogue that goes well goes on to go well, by more than its turns tell. So a run
draws a mood once an episode beside the chance of each turn. The expectations themselves stay as they were fitted, since
stretching them until success and failure are as frequent as published would overstate what a change of a turn is worth.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice, product

from esc_skills.surrogate.appraisal import SeekerModel, Spread
from esc_skills.surrogate.rolling import roll_emotion
from esc_skills.transcript import MAX_CHANGE, MAX_TURNS

#: What is tried, around the moments of the residuals: about 6 points a turn, which correlate by 0.3 to 0.4 within a
#: dialogue.
_MOODS, _NOISES, _STRONGS = (2.0, 3.0, 4.0, 5.0), (4.0, 5.0), (6.0, 7.0, 8.0)
#: What a share of strong changes that is off by 1 would weigh, in points of final emotion.
_STRONG_WEIGHT = 10.0
_SEED = "esc-skills/spread/1"


@dataclass(frozen=True, slots=True)
class Tendency:
    """An episode's expected changes, as its turns tell them and not held within bounds, and how it really went."""

    expected: tuple[float, ...]
    changes: tuple[int, ...]
    final: int


def calibrate(tendencies: Sequence[Tendency]) -> Spread:
    """Return the spread whose simulated episodes look most like the real ones."""
    choices = [Spread(*choice) for choice in product(_MOODS, _NOISES, _STRONGS)]
    return min(choices, key=lambda spread: (_distance(tendencies, spread), spread.mood, spread.noise, spread.strong))


def _distance(tendencies: Sequence[Tendency], spread: Spread) -> float:
    """Return how far simulated finals are from real ones, in points, with a surcharge for too few or many strong changes."""
    sampler = SeekerModel((), (), (), (), spread)
    rng = random.Random(_SEED)
    simulated = [tuple(_simulate(each, sampler, rng)) for each in tendencies]
    finals = sorted(roll_emotion(changes) for changes in simulated)
    real = sorted(each.final for each in tendencies)
    apart = sum(abs(one - other) for one, other in zip(finals, real, strict=True)) / len(real)
    strong = _strong_share([each.changes for each in tendencies])
    return apart + _STRONG_WEIGHT * abs(_strong_share(simulated) - strong)


def _simulate(tendency: Tendency, sampler: SeekerModel, rng: random.Random) -> Iterator[int]:
    """Yield the changes of a whole episode; one that really ended early goes round its turns again."""
    mood = sampler.sample_mood(rng)
    for expected in islice(cycle(tendency.expected), MAX_TURNS - 1):
        held = max(-float(MAX_CHANGE), min(float(MAX_CHANGE), expected))
        yield sampler.sample_change(held, mood, rng)


def _strong_share(episodes: Sequence[tuple[int, ...]]) -> float:
    changes = [change for episode in episodes for change in episode]
    return sum(abs(change) == MAX_CHANGE for change in changes) / len(changes)
