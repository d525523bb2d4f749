"""Intervals cover as often as they say, tests err as rarely as they say, and many tests err no more than one."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esc_skills.simulation.intervals import adjust_by_holm, mean_interval, share_interval, sign_flip_p

emotions = st.integers(-100, 100)


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [
        # Published: 81 of 263 is 0.308 with 0.2553 to 0.3662 (Newcombe, Statistics in Medicine 17, 1998, table I).
        (81, 263, 0.2553, 0.3662),
        (0, 20, 0, 0.1611),
        (0, 10, 0, 0.2775),
        (5, 10, 0.2366, 0.7634),
        (50, 1000, 0.0381, 0.0653),
    ],
)
def test_a_share_has_wilsons_interval(hits: int, trials: int, low: float, high: float) -> None:
    found = share_interval(hits, trials)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)


@given(st.integers(0, 60), st.integers(1, 60))
def test_a_share_lies_within_its_interval_and_that_within_0_and_1(hits: int, more: int) -> None:
    found = share_interval(hits, hits + more - 1)
    if hits + more - 1 == 0:
        assert found is None
    else:
        assert found is not None
        assert 0 <= found.low <= found.estimate <= found.high <= 1


@given(st.lists(emotions, min_size=1, max_size=40))
def test_a_mean_lies_within_its_interval_and_that_within_its_values(values: list[int]) -> None:
    found = mean_interval(values)
    assert found is not None
    assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9
    assert found == mean_interval(sorted(values))


def test_without_a_value_there_is_no_mean() -> None:
    assert mean_interval([]) is None


def test_the_interval_of_a_mean_covers_it_nearly_as_often_as_it_says() -> None:
    chance = random.Random(1)
    covered = 0
    for _ in range(200):
        found = mean_interval([chance.choice((-20, 0, 0, 5, 15)) for _ in range(80)])
        covered += found is not None and not found.excludes(0)
    assert 180 <= covered <= 198


def test_flipping_signs_gives_the_exact_p_of_few_differences() -> None:
    # Of the 32 ways to sign five equal differences, two are as far from zero as all of one sign.
    assert sign_flip_p([5, 5, 5, 5, 5]) == 2 / 32
    # Of the eight ways, only ±(3 + 2 − 1) and ±(3 + 2 + 1) are as far from zero as 4.
    assert sign_flip_p([3, 2, -1]) == 4 / 8
    assert sign_flip_p([0.3, 0.2, -0.1]) == 4 / 8
    assert sign_flip_p([5, -5]) == 1.0
    assert sign_flip_p([0, 0, 0]) == 1.0
    assert sign_flip_p([]) == 1.0


def test_drawing_signs_comes_close_to_going_through_all_of_them() -> None:
    # The sum of 20 signs is 10 or more, or −10 or less, in 43,400 of 1,048,576 ways.
    assert sign_flip_p([1] * 15 + [-1] * 5) == pytest.approx(43_400 / 2**20, abs=0.004)


@given(st.lists(emotions, max_size=20), st.integers(0, 50))
def test_draws_that_do_not_differ_and_the_direction_leave_p_as_it_is(differences: list[int], zeros: int) -> None:
    assert sign_flip_p(differences) == sign_flip_p([*differences, *([0] * zeros)])
    assert sign_flip_p(differences) == sign_flip_p([-each for each in differences])


def test_holms_adjustment_is_that_of_a_worked_example() -> None:
    assert adjust_by_holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert adjust_by_holm([0.6, 0.9]) == [1.0, 1.0]
    assert adjust_by_holm([]) == []
