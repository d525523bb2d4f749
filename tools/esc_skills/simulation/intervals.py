"""Intervals and tests for reports: what a share, a mean of paired differences, or many of them at once allow to say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean

import numpy as np

#: The coverage of every interval, two-sided.
COVERAGE = 0.95
_RESAMPLES = 4000
_CHANCE = 20_260_101


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with the 95 % interval around it."""

    estimate: float
    low: float
    high: float

    def excludes(self, value: float) -> bool:
        """Whether a value lies outside."""
        return not self.low <= value <= self.high


def share_interval(hits: int, trials: int) -> Interval | None:
    """Return a share of independent trials with Wilson's score interval; None without a trial.

    Source: Wilson, JASA 22 (1927) 209–212.
    """
    if trials == 0:
        return None
    z = NormalDist().inv_cdf((1 + COVERAGE) / 2)
    share, weight = hits / trials, z * z / trials
    middle = (share + weight / 2) / (1 + weight)
    half = z / (1 + weight) * math.sqrt(share * (1 - share) / trials + weight / (4 * trials))
    # At no hits and at nothing but hits an end is the share itself, which rounding may miss.
    return Interval(share, max(0.0, min(middle - half, share)), min(1.0, max(middle + half, share)))


def mean_interval(values: Sequence[float]) -> Interval | None:
    """Return a mean with its percentile bootstrap interval over independent values; None without a value.

    The resamples are 4,000 and their chance is fixed. Source: Efron & Tibshirani, An Introduction to the Bootstrap
    (1993), chapter 13.
    """
    if not values:
        return None
    chance = np.random.default_rng(_CHANCE)
    levels, counts = np.unique(np.asarray(values, dtype=float), return_counts=True)
    # How often each level is drawn is all that a resample's mean depends on.
    drawn = chance.multinomial(len(values), counts / len(values), size=_RESAMPLES)
    low, high = np.quantile(drawn @ levels / len(values), [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return Interval(fmean(values), float(low), float(high))


def sign_flip_p(differences: Sequence[float]) -> float:
    """Return the two-sided p-value of a mean of paired differences, by flipping signs at random.

    It is exact where each difference is as likely to be of either sign, as when two arms do not differ; 19,999 flips of
    fixed chance. Source: Fisher, The Design of Experiments (1935), section 21; Phipson & Smyth (2010) for the 1 added.
    """
    moved = np.asarray([each for each in differences if each], dtype=float)
    if not len(moved):
        return 1.0
    chance, seen, flips = np.random.default_rng(_CHANCE), abs(moved.sum()) - 1e-9, 19_999
    reached = 0
    for size in (4000, 4000, 4000, 4000, flips - 16_000):
        signs = 2 * chance.integers(0, 2, size=(size, len(moved)), dtype=np.int8) - 1
        reached += int((abs(signs @ moved) >= seen).sum())
    return (1 + reached) / (1 + flips)


def adjust_by_holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for their number, so that the chance of any false one among those below α is at most α.

    Source: Holm, Scandinavian Journal of Statistics 6 (1979) 65–70.
    """
    adjusted, least = [0.0] * len(p_values), 0.0
    for rank, at in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[at]))
        adjusted[at] = least
    return adjusted
