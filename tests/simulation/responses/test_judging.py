"""A judge sees no arm's name and both orders; what it prefers only in one place is a tie and shows as a position bias."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from esc_skills.models.request import ModelFault
from esc_skills.roles import Preference
from esc_skills.simulation.responses.arms import ResponseArm
from esc_skills.simulation.responses.judging import Comparison, Judged, Judges, Outcome, compare, judge_pair
from esc_skills.transcript import Turn
from esc_skills.vocabulary import Termination
from tests.simulation.responses.talks import context_of

CONTEXT = context_of()
KIND = "You lost that shift and heard it last. No wonder that it will not leave you alone. What weighs most?"
COLD = "You should have said so. It could be worse."


@dataclass
class Scripted:
    """Prefers what it is told to, wherever that stands, or a place, whatever stands there."""

    prefers: str | Preference
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def prefer(self, turns: tuple[Turn, ...], first: str, second: str) -> Preference:
        self.asked.append((first, second))
        if isinstance(self.prefers, Preference):
            return self.prefers
        return Preference.FIRST if first == self.prefers else Preference.SECOND


class Failing:
    async def prefer(self, turns: tuple[Turn, ...], first: str, second: str) -> Preference:
        raise ModelFault(Termination.FAULT_MALFORMED, "said nothing of use")


def judged(prefers: str | Preference, answer: str = KIND, rival: str = COLD) -> Judged:
    return asyncio.run(judge_pair(Scripted(prefers), CONTEXT, answer, rival))


def compared(*found: Judged) -> Comparison:
    return compare(ResponseArm.BANK, ResponseArm.NO_BANK, found)


def test_both_orders_are_asked_and_a_win_is_one_in_both() -> None:
    judge = Scripted(KIND)
    assert asyncio.run(judge_pair(judge, CONTEXT, KIND, COLD)).outcome is Outcome.WIN
    assert sorted(judge.asked) == sorted([(KIND, COLD), (COLD, KIND)])
    assert judged(COLD).outcome is Outcome.LOSS


@pytest.mark.parametrize("place", Preference)
def test_a_judge_that_goes_by_the_place_or_by_nothing_gives_ties(place: Preference) -> None:
    assert judged(place).outcome is Outcome.TIE


def test_which_order_comes_first_follows_from_the_answers_and_not_from_the_arms() -> None:
    one, other = Scripted(Preference.NEITHER), Scripted(Preference.NEITHER)
    asyncio.run(judge_pair(one, CONTEXT, KIND, COLD))
    asyncio.run(judge_pair(other, CONTEXT, COLD, KIND))
    assert one.asked == other.asked


def test_nobody_is_asked_about_equal_answers() -> None:
    judge = Scripted(KIND)
    assert asyncio.run(judge_pair(judge, CONTEXT, KIND, KIND)).outcome is Outcome.IDENTICAL
    assert judge.asked == []


def test_a_fault_of_the_judge_is_counted_and_decides_nothing() -> None:
    found = asyncio.run(judge_pair(Failing(), CONTEXT, KIND, COLD))
    assert (found.outcome, found.fault) == (Outcome.FAULT, Termination.FAULT_MALFORMED)
    counted = compared(found, judged(KIND))
    assert (counted.faults, counted.wins, counted.losses) == (1, 1, 0)


def test_a_position_bias_is_told() -> None:
    found = compared(judged(Preference.FIRST), judged(Preference.FIRST), judged(KIND), judged(Preference.SECOND))
    assert (found.wins, found.losses, found.ties) == (1, 0, 3)
    assert (found.both_first, found.both_second, found.first_preferred) == (2, 1, pytest.approx(5 / 8))


def test_a_difference_is_claimed_only_where_the_interval_leaves_out_one_half() -> None:
    few, many = compared(*[judged(KIND)] * 3), compared(*[judged(KIND)] * 5)
    assert (few.shown, many.shown) == (False, True)
    assert not compared(*[judged(KIND)] * 5, *[judged(COLD)] * 4).shown
    assert compared(judged(Preference.NEITHER)).win_rate is None


def test_a_judge_that_goes_by_length_is_seen() -> None:
    found = compared(judged(KIND), judged(KIND), judged(COLD), judged(KIND, KIND, KIND))
    assert found.longer_preferred == pytest.approx(2 / 3)
    assert compared(judged(Preference.NEITHER)).longer_preferred is None


def test_the_surrogate_judge_goes_by_the_expected_change_whatever_the_order() -> None:
    judge = Judges().of(CONTEXT)
    assert asyncio.run(judge_pair(judge, CONTEXT, KIND, COLD)).outcome is Outcome.WIN
    assert asyncio.run(judge_pair(judge, CONTEXT, COLD, KIND)).outcome is Outcome.LOSS
    # One mark more changes no feature.
    assert asyncio.run(judge_pair(judge, CONTEXT, COLD, COLD.replace(".", ","))).outcome is Outcome.TIE
