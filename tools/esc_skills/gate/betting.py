"""Betting: e-values and intervals for the mean of bounded draws, valid however often one looks.

A gambler starts with 1 and before each draw stakes a share of their money on the difference being positive. Where the
mean is zero or less no stake makes money on average, so the money is an e-process, and by Ville's inequality it ever
reaches 20 in at most 5 % of runs.

Sources: Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", JRSS B 86 (2024), for the
tests and the interval; Voráček and Orabona, "STaR-Bets: sequential target-recalculating bets for tighter confidence
intervals", NeurIPS 2025, for stakes that know what is still needed and how many draws remain. `bench/gate_power.py`
prints the power that this has and that the other ways to bet have.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from esc_skills.errors import InputError

#: A stake stays under 1, so that one draw of −100 points takes nine tenths and never all.
STAKE_CAP = 0.9
#: What the mean square of the changes is taken for before any was seen, and for how many draws that counts. It is a
#: standard deviation of 28 points; a wrong value costs power, not validity.
PRIOR_SQUARE = 0.08
PRIOR_DRAWS = 10
#: The stakes that the interval averages over: wide, middling and small spreads, none of them told the budget.
INTERVAL_STAKES = (0.3, 0.6, 0.9)
#: Halvings after which the ends of an interval are known to 1e-10 points.
HALVINGS = 40


def e_values(differences: Sequence[float], *, threshold: float = 20.0, draws: int = 200) -> list[float]:
    """Return the e-value against a mean of zero or less after each difference.

    The stake before each draw is the one that would reach the threshold with the last draw of the budget, given what
    the earlier draws won and their mean square, and more where they show an effect that is large enough to stop before.
    A run that goes on past its budget is planned in further budgets.

    Args:
        differences: Independent draws in [−1, 1], in the order in which they were made.
        threshold: The e-value that is aimed at; once it is reached nothing is staked any more.
        draws: The budget that the stakes are planned for, fixed before the first draw.

    Returns:
        As many values as differences, each 0 or more and 1 until a difference is not zero. They are valid whatever the
        threshold and the budget, as long as nobody chose these after seeing a draw.

    Raises:
        InputError: The threshold is not above 1, or the budget holds no draw.
    """
    if threshold <= 1 or draws < 1:
        raise InputError(f"a gate with threshold {threshold:g} and {draws} draws cannot decide", "20 and 200 would do")
    wealth, total, squares, running = 1.0, 0.0, PRIOR_DRAWS * PRIOR_SQUARE, []
    for index, difference in enumerate(differences):
        # A wealth of 0 is one that floats can no longer tell from 0; who has nothing can stake nothing.
        if 0 < wealth < threshold:
            needed, seen = math.log(threshold) - math.log(wealth), PRIOR_DRAWS + index
            wealth *= 1 + _stake(needed, draws - index % draws, total / seen, squares / seen, seen) * difference
        total += difference
        squares += difference * difference
        running.append(wealth)
    return running


def confidence_interval(differences: Sequence[float], level: float = 0.95) -> tuple[float, float]:
    """Return an anytime-valid interval for the mean of draws in [−1, 1].

    It holds every mean against which neither of two gamblers, one for more and one for less, who stake constant shares
    and average over `INTERVAL_STAKES`, made 2/(1 − level). It may be read after any draw, holds the sample's mean (by
    Jensen's inequality no constant stake gains against it) and is (−1, 1) where there is no draw.
    """
    if not differences:
        return -1.0, 1.0
    capital = math.log(2 / (1 - level))
    mirrored = [-difference for difference in differences]
    return _lower_end(differences, capital), -_lower_end(mirrored, capital)


def _stake(needed: float, remaining: int, mean: float, square: float, seen: int) -> float:
    """Return the share to stake, 0 to `STAKE_CAP`, for a log wealth still `needed` and so many draws `remaining`."""
    target = math.sqrt(2 * needed / (square * remaining))
    # Kelly's stake, mean over mean square, grows fastest but trusts the mean. That of a mean two standard errors lower
    # costs 0.4 percentage points of power at an effect of 5 points, and saves a tenth to a quarter of the draws at 15.
    kelly = (mean - 2 * math.sqrt(square / seen)) / square
    return min(max(target, kelly), STAKE_CAP)


def _lower_end(differences: Sequence[float], capital: float) -> float:
    """Return the greatest mean, to within the halvings, that a gambler for more refutes by reaching the log capital."""
    counts = Counter(differences)
    low, high = -1.0, math.fsum(differences) / len(differences)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        # Against a higher mean every gain is smaller, so that the refuted means lie below those that are not.
        if middle > -1.0 and _log_capital(counts, middle) >= capital:
            low = middle
        else:
            high = middle
    return low


def _log_capital(counts: Counter[float], mean: float) -> float:
    logs = [
        math.fsum(
            count * math.log1p(stake * ((1 + difference) / (1 + mean) - 1)) for difference, count in counts.items()
        )
        for stake in INTERVAL_STAKES
    ]
    top = max(logs)
    return top + math.log(math.fsum(math.exp(value - top) for value in logs) / len(logs))
