"""The levels at which proposals are tested one after the other, so that the false-discovery rate stays controlled.

e-LOND (Xu and Ramdas, "Online multiple testing with e-values", AISTATS 2024): of the accepted proposals of an epoch, the
expected share without a gain is at most the nominal rate, whatever the dependence of the e-values, as a proposer who reads
all past evidence makes it. The t-th proposal after r acceptances has the level `rate · γ(t) · (r + 1)` and is accepted where
its e-value reaches one over that. γ(t) = 1 / (t (t + 1)) sums to 1, and half of it is the first proposal's.
"""

from __future__ import annotations

from esc_skills.errors import InputError


def share(index: int) -> float:
    """Return γ: the share of the nominal rate that the proposal with an index, from 1, has for itself."""
    if index < 1:
        raise InputError(f"a proposal has no index {index}", "count from 1")
    return 1 / (index * (index + 1))


def threshold_at(first: float, index: int, accepted: int) -> float:
    """Return the e-value that a proposal has to reach.

    Args:
        first: The threshold of an epoch's first proposal; the nominal false-discovery rate is `nominal_rate(first)`.
        index: The proposal's place among the epoch's registrations, from 1.
        accepted: How many of the earlier ones were accepted, those without a decision counted as refused.
    """
    return first * share(1) / (share(index) * (accepted + 1))


def nominal_rate(first: float) -> float:
    """Return the false-discovery rate that a first threshold keeps: 20 keeps 10 %, and one of 2 or less keeps none."""
    return min(1.0, 1 / (first * share(1)))
