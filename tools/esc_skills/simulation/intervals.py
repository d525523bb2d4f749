"""Intervals and tests for reports: what a share, a mean of paired differences, or many of them at once allow to say.

NumPy is imported where it is needed, since `verify` tests only where a spot check is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean

#: The coverage of every interval, two-sided.
COVERAGE = 0.95
_RESAMPLES = 4000
_CHANCE = 20_260_101
#: Up to how many differences all ways to sign them are gone through, and how many ways are drawn above that.
_ALL_SIGNS, _DRAWN_SIGNS = 14, 19_999


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


def t_interval(values: Sequence[float]) -> Interval:
    """Return a mean with Student's interval over independent values; of fewer than two it spans the whole scale of 100 points.

    The quantile is Fisher and Cornish's expansion, good to 1 % from 4 degrees of freedom on.
    Source: Abramowitz and Stegun, Handbook of Mathematical Functions (1964), 26.7.5.
    """
    mean, degrees = math.fsum(values) / max(len(values), 1), len(values) - 1
    if degrees < 1:
        return Interval(mean, -100.0, 100.0)
    z = NormalDist().inv_cdf((1 + COVERAGE) / 2)
    terms = (z, (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96, (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384)
    quantile = math.fsum(term / degrees**power for power, term in enumerate(terms))
    half = quantile * math.sqrt(math.fsum((each - mean) ** 2 for each in values) / degrees / len(values))
    return Interval(mean, mean - half, mean + half)


def mean_interval(values: Sequence[float]) -> Interval | None:
    """Return a mean with its percentile bootstrap interval over independent values; None without a value.

    The resamples are 4,000 and their chance is fixed. Source: Efron & Tibshirani, An Introduction to the Bootstrap
    (1993), chapter 13.
    """
    import numpy as np

    if not values:
        return None
    chance = np.random.default_rng(_CHANCE)
    levels, counts = np.unique(np.asarray(values, dtype=float), return_counts=True)
    # How often each level is drawn is all that a resample's mean depends on.
    drawn = chance.multinomial(len(values), counts / len(values), size=_RESAMPLES)
    low, high = np.quantile(drawn @ levels / len(values), [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return Interval(fmean(values), float(low), float(high))


def sign_flip_p(differences: Sequence[float]) -> float:
    """Return the two-sided p-value of a mean of paired differences against zero, by flipping their signs.

    The unit is a pair, such as the two episodes of a draw; pairs are independent. The assumption under test is that each
    difference is as likely to be of either sign, as when the two arms do not differ. Where it holds, p is at most α with a
    probability of at most α. With up to 14 differences that are not zero, all ways to sign them are gone through and p is
    exact. Above that 19,999 ways of fixed chance are drawn, which leaves p a standard error of at most 0.0036. Equal input
    gives equal p-values.

    Source: Fisher, The Design of Experiments (1935), section 21; Phipson & Smyth (2010) for the 1 that is added to counts of
    drawn ways.
    """
    import numpy as np

    moved = np.asarray([each for each in differences if each], dtype=float)
    # Sums of the same numbers in another order differ in their last digits.
    seen = abs(moved.sum()) - 1e-9
    if len(moved) <= _ALL_SIGNS:
        signs = 1 - 2 * (np.arange(2 ** len(moved))[:, None] >> np.arange(len(moved)) & 1)
        return float((abs(signs @ moved) >= seen).mean())
    chance, reached = np.random.default_rng(_CHANCE), 0
    for size in (4000, 4000, 4000, 4000, _DRAWN_SIGNS - 16_000):
        signs = 2 * chance.integers(0, 2, size=(size, len(moved)), dtype=np.int8) - 1
        reached += int((abs(signs @ moved) >= seen).sum())
    return (1 + reached) / (1 + _DRAWN_SIGNS)


def adjust_by_holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for their number, so that the chance of any false one among those below α is at most α.

    Source: Holm, Scandinavian Journal of Statistics 6 (1979) 65–70.
    """
    adjusted, least = [0.0] * len(p_values), 0.0
    for rank, at in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[at]))
        adjusted[at] = least
    return adjusted
