"""Agreement: the statistics by which predictions are compared with what was recorded. Pure Python, no state."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

_SEED = "esc-skills/bootstrap/1"


def pearson(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Return Pearson's correlation, −1 to 1; None where either side does not vary."""
    mean_first, mean_second = math.fsum(first) / len(first), math.fsum(second) / len(second)
    from_first, from_second = [each - mean_first for each in first], [each - mean_second for each in second]
    scale = math.sqrt(math.fsum(each * each for each in from_first) * math.fsum(each * each for each in from_second))
    if scale == 0:
        return None
    return math.fsum(one * other for one, other in zip(from_first, from_second, strict=True)) / scale


def ranks(values: Sequence[float]) -> list[float]:
    """Return the rank of each value from 1, with the mean rank for ties."""
    order = sorted(range(len(values)), key=values.__getitem__)
    result = [0.0] * len(values)
    at = 0
    while at < len(order):
        end = at
        while end < len(order) and values[order[end]] == values[order[at]]:
            end += 1
        for position in order[at:end]:
            result[position] = (at + end + 1) / 2
        at = end
    return result


def spearman(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Return Spearman's rank correlation, −1 to 1; None where either side does not vary."""
    return pearson(ranks(first), ranks(second))


def area_under_curve(good: Sequence[float], bad: Sequence[float]) -> float:
    """Return the probability that a good one scores above a bad one, ties counting half."""
    sum_of_ranks = math.fsum(ranks([*good, *bad])[: len(good)])
    return (sum_of_ranks - len(good) * (len(good) + 1) / 2) / (len(good) * len(bad))


def lower_bound_of_rho(groups: Sequence[Sequence[tuple[float, float]]], draws: int = 1000) -> float | None:
    """Return the lower end of the 95 % interval of Spearman's rho, by a bootstrap that draws whole groups.

    Args:
        groups: Pairs that belong together, such as those of one dialogue.
        draws: The number of resamples; their chance is fixed.
    """
    rng = random.Random(_SEED)
    rhos: list[float] = []
    for _ in range(draws):
        pairs = [pair for group in rng.choices(groups, k=len(groups)) for pair in group]
        rho = spearman([first for first, _ in pairs], [second for _, second in pairs]) if pairs else None
        if rho is not None:
            rhos.append(rho)
    return sorted(rhos)[int(0.025 * len(rhos))] if rhos else None
