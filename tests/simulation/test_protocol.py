"""SAGE's protocol: how an emotion moves and when an episode ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esc_skills.simulation.protocol import apply_change, clamp_change, ending
from esc_skills.transcript import CEILING, FAILURE_BELOW, MAX_TURNS, START, SUCCESS_AT
from esc_skills.vocabulary import Termination

changes = st.integers(-(10**6), 10**6)
emotions = st.integers(0, 100)


def test_the_numbers_are_sages() -> None:
    assert (START, CEILING, SUCCESS_AT, FAILURE_BELOW, MAX_TURNS) == (40, 100, 100, 10, 10)


@given(changes)
def test_a_change_is_clamped_to_ten_points_either_way(change: int) -> None:
    assert -10 <= clamp_change(change) <= 10
    assert clamp_change(clamp_change(change)) == clamp_change(change)
    assert clamp_change(-change) == -clamp_change(change)
    assert abs(change) > 10 or clamp_change(change) == change


@given(emotions, changes)
def test_an_emotion_stays_within_0_and_100_and_moves_by_ten_at_most(emotion: int, change: int) -> None:
    after = apply_change(emotion, change)
    assert 0 <= after <= 100
    assert abs(after - emotion) <= 10
    assert after == apply_change(emotion, clamp_change(change))


@given(emotions, changes, changes)
def test_a_better_turn_never_leaves_a_worse_emotion(emotion: int, one: int, other: int) -> None:
    worse, better = sorted((one, other))
    assert apply_change(emotion, worse) <= apply_change(emotion, better)


@pytest.mark.parametrize(
    ("emotion", "messages", "farewell", "expected"),
    [
        (100, 3, False, Termination.SUCCESS),
        (100, 3, True, Termination.SUCCESS),
        (99, 3, False, None),
        (10, 3, False, None),
        (9, 3, False, Termination.FAILURE),
        (9, 10, True, Termination.FAILURE),
        (50, 3, True, Termination.FAREWELL),
        (50, 10, True, Termination.FAREWELL),
        (50, 9, False, None),
        (50, 10, False, Termination.TURN_LIMIT),
    ],
)
def test_an_episode_ends_by_emotion_first_then_farewell_then_turns(
    emotion: int, messages: int, farewell: bool, expected: Termination | None
) -> None:
    assert ending(emotion, messages, farewell=farewell) is expected


@given(st.lists(changes, min_size=10))
def test_every_walk_ends_within_ten_messages(walk: list[int]) -> None:
    emotion, messages = START, 1
    while ending(emotion, messages) is None:
        emotion, messages = apply_change(emotion, walk[messages - 1]), messages + 1
    assert messages <= MAX_TURNS


def test_only_faults_of_a_model_are_faults() -> None:
    assert [each for each in Termination if not each.is_fault] == [
        Termination.SUCCESS,
        Termination.FAILURE,
        Termination.FAREWELL,
        Termination.TURN_LIMIT,
    ]
