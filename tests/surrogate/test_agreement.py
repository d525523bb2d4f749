from __future__ import annotations

import pytest

from esc_skills.surrogate.agreement import area_under_curve, lower_bound_of_rho, pearson, ranks, spearman


def test_pearson_is_that_of_a_worked_example() -> None:
    assert pearson([1, 2, 3, 4], [2, 1, 4, 3]) == pytest.approx(0.6)


def test_what_does_not_vary_has_no_correlation() -> None:
    assert pearson([1, 1, 1], [1, 2, 3]) is None
    assert spearman([1, 2, 3], [5, 5, 5]) is None


def test_ties_share_their_rank() -> None:
    assert ranks([3, 1, 3, 2]) == [3.5, 1, 3.5, 2]


def test_spearman_follows_order_alone() -> None:
    assert spearman([1, 2, 3, 4], [1, 8, 27, 640]) == pytest.approx(1)


def test_the_area_counts_ties_half() -> None:
    assert area_under_curve([2, 3], [1, 2]) == pytest.approx(3.5 / 4)
    assert area_under_curve([1], [2]) == 0


def test_the_lower_bound_lies_below_the_estimate_and_does_not_change() -> None:
    groups = [[(float(at % 7), float(at % 5)), (float(at), float(at + at % 3))] for at in range(40)]
    pairs = [pair for group in groups for pair in group]
    rho = spearman([one for one, _ in pairs], [other for _, other in pairs])
    low = lower_bound_of_rho(groups, draws=200)
    assert rho is not None
    assert low is not None
    assert 0 < low < rho
    assert low == lower_bound_of_rho(groups, draws=200)
