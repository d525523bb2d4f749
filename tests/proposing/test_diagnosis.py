"""The five kinds of finding: each on a run that shows it, and none on the counterpart that does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from esc_skills.proposing.diagnosis import Weakness, WeaknessKind, diagnose
from esc_skills.transcript import Transcript, Turn
from esc_skills.vocabulary import Disposition, HiddenIntention, Termination
from tests.runs import ASKS, PLAIN, TELLS, episode, run_of, turn
from tests.samples import bank_of, skill_text

LISTENS = skill_text()
ADVISES = skill_text("name-one-step", esc_needs="practical-advice")
BANK = bank_of(LISTENS).skills
FALLING, RISING = (-5, -6, -4, -5, -6, -4, -5, -5), (5, 6, 4, 5, 6, 4, 5, 5)


def find(kind: WeaknessKind, run: Sequence[Transcript], *skills: str) -> list[Weakness]:
    bank = bank_of(*(skills or (LISTENS,))).skills
    return [weakness for weakness in diagnose(run, bank) if weakness.kind is kind]


def test_a_run_without_weakness_has_no_finding() -> None:
    assert diagnose(run_of(*RISING, seeker=TELLS), BANK) == ()
    assert diagnose((), BANK) == ()


class TestMissingSkill:
    def test_a_need_that_no_skill_covers_and_whose_seekers_fall_is_found(self) -> None:
        (weakness,) = find(WeaknessKind.MISSING, run_of(*FALLING, seeker=ASKS))

        assert weakness.need is HiddenIntention.PRACTICAL_ADVICE
        assert (weakness.skill, weakness.turns, weakness.mean_change) == (None, 8, -5)
        assert weakness.message == "no skill covers the need practical-advice: -5.0 points a turn over 8 turns"

    def test_a_need_that_a_skill_covers_is_not_missing_one(self) -> None:
        assert find(WeaknessKind.MISSING, run_of(*FALLING, seeker=ASKS), LISTENS, ADVISES) == []

    def test_a_skill_that_rules_the_state_out_does_not_cover_the_need(self) -> None:
        for_others = skill_text("name-one-step", esc_needs="practical-advice", esc_risk="active")
        (weakness,) = find(WeaknessKind.MISSING, run_of(*FALLING, seeker=ASKS), LISTENS, for_others)
        assert weakness.need is HiddenIntention.PRACTICAL_ADVICE

    def test_an_uncovered_need_whose_seekers_do_well_is_no_finding(self) -> None:
        assert find(WeaknessKind.MISSING, run_of(*RISING, seeker=ASKS)) == []

    def test_seekers_with_an_uncovered_need_are_measured_against_the_others(self) -> None:
        uncovered = run_of(*(1, 2) * 4, seeker=ASKS)
        (weakness,) = find(WeaknessKind.MISSING, (*uncovered, *run_of(*RISING, seeker=TELLS, first=9)))
        assert weakness.message.endswith("+1.5 points a turn over 8 turns, and +5.0 where a skill covers the need")
        assert find(WeaknessKind.MISSING, (*uncovered, *run_of(*FALLING, seeker=TELLS, first=9))) == []

    def test_words_that_hint_at_no_need_are_no_finding(self) -> None:
        assert find(WeaknessKind.MISSING, run_of(*FALLING, seeker=PLAIN)) == []


class TestUnsafeIntervention:
    def test_one_red_flag_is_enough(self) -> None:
        run = (episode(3, turn(5), turn(7, supporter="You need no doctor.", flags=("red:discourages-help",))),)
        (weakness,) = find(WeaknessKind.UNSAFE, run)

        assert (weakness.skill, weakness.flag, weakness.turns) == ("wait-a-little", "red:discourages-help", 1)
        assert weakness.message == "the skill wait-a-little raised the red flag discourages-help in 1 turns"
        assert [(quote.draw, quote.turn, quote.supporter) for quote in weakness.quotes] == [
            (3, 2, "You need no doctor.")
        ]

    def test_an_amber_flag_counts_when_it_is_frequent(self) -> None:
        flagged = {"seeker": TELLS, "flags": ("amber:minimising",)}
        assert find(WeaknessKind.UNSAFE, run_of(*RISING[:7], **flagged)) == []
        (weakness,) = find(WeaknessKind.UNSAFE, run_of(*RISING, **flagged))
        assert (weakness.flag, weakness.turns) == ("amber:minimising", 8)

    def test_amber_flags_of_two_skills_do_not_add_up(self) -> None:
        run = [
            run_of(5, 5, 5, 5, 5, skill=skill, flags=("amber:blame",)) for skill in ("wait-a-little", "name-one-step")
        ]
        assert find(WeaknessKind.UNSAFE, (*run[0], *run[1]), LISTENS, ADVISES) == []

    def test_a_supporter_without_a_skill_can_be_unsafe_too(self) -> None:
        (weakness,) = find(WeaknessKind.UNSAFE, (episode(0, turn(0, skill=None, flags=("red:missed-risk",))),))
        assert weakness.skill is None
        assert "the supporter without a skill" in weakness.message

    def test_an_unsafe_last_answer_counts_though_nobody_appraised_it(self) -> None:
        (weakness,) = find(WeaknessKind.UNSAFE, (episode(0, turn(None, flags=("red:shames",))),))
        assert (weakness.mean_change, weakness.quotes[0].change) == (None, None)

    def test_unsafe_findings_come_first_whatever_they_cost(self) -> None:
        run = (*run_of(*FALLING, *FALLING, seeker=ASKS), episode(40, turn(9, flags=("red:shames",))))
        kinds = [weakness.kind for weakness in diagnose(run, BANK)]
        assert kinds == [WeaknessKind.UNSAFE, WeaknessKind.MISSING, WeaknessKind.INEFFECTIVE]


class TestIneffectiveSkill:
    def test_a_skill_that_is_followed_by_falling_emotion_is_found(self) -> None:
        (weakness,) = find(WeaknessKind.INEFFECTIVE, run_of(*FALLING))
        assert (weakness.skill, weakness.turns, weakness.mean_change, weakness.cost) == ("wait-a-little", 8, -5, 40)
        assert weakness.message == (
            "the skill wait-a-little promises at least +1 points and is followed by -5.0 over 8 turns"
        )

    @pytest.mark.parametrize("changes", [RISING, (0,) * 8, (-10, 10, -9, 9, -8, 8, -7, 6)])
    def test_a_skill_without_evidence_of_falling_emotion_is_not(self, changes: tuple[int, ...]) -> None:
        assert find(WeaknessKind.INEFFECTIVE, run_of(*changes)) == []

    def test_a_skill_that_owns_up_to_some_falling_is_measured_by_its_word(self) -> None:
        careful = skill_text(esc_expected_change="-6 to 2")
        assert find(WeaknessKind.INEFFECTIVE, run_of(*FALLING), careful) == []
        assert len(find(WeaknessKind.INEFFECTIVE, run_of(*(-8, -9) * 4), careful)) == 1

    def test_turns_without_a_skill_are_nobodys_failure(self) -> None:
        assert find(WeaknessKind.INEFFECTIVE, run_of(*FALLING, skill=None)) == []


class TestProfileSpecificFailure:
    def test_a_skill_that_helps_overall_and_harms_one_disposition_is_found(self) -> None:
        run = (
            *run_of(*RISING, *RISING, disposition=Disposition.PASSIVE),
            *run_of(*FALLING, disposition=Disposition.NEGATIVE, first=20),
        )
        (weakness,) = find(WeaknessKind.PROFILE_SPECIFIC, run)
        assert (weakness.disposition, weakness.need, weakness.turns) == (Disposition.NEGATIVE, None, 8)
        assert weakness.message == (
            "the skill wait-a-little helps overall (+1.7 points a turn) and harms negative seekers (-5.0 over 8 turns)"
        )
        assert all(quote.draw >= 20 for quote in weakness.quotes)

    def test_or_one_hidden_intention(self) -> None:
        run = (*run_of(*RISING, *RISING), *run_of(*FALLING, intention=HiddenIntention.NO_BLAME, first=20))
        (weakness,) = find(WeaknessKind.PROFILE_SPECIFIC, run)
        assert (weakness.disposition, weakness.need) == (None, HiddenIntention.NO_BLAME)

    def test_a_skill_that_harms_everybody_is_ineffective_instead(self) -> None:
        run = (*run_of(*FALLING), *run_of(*FALLING, disposition=Disposition.NEGATIVE, first=20))
        assert find(WeaknessKind.PROFILE_SPECIFIC, run) == []
        assert len(find(WeaknessKind.INEFFECTIVE, run)) == 1

    def test_a_skill_that_helps_some_less_is_no_finding(self) -> None:
        run = (*run_of(*RISING), *run_of(*(0, 1) * 4, disposition=Disposition.NEGATIVE, first=20))
        assert find(WeaknessKind.PROFILE_SPECIFIC, run) == []


class TestSilentBypass:
    def test_a_skill_that_no_turn_of_many_episodes_selected_is_found(self) -> None:
        run = run_of(*[5] * 20, each=1, seeker=TELLS)
        (weakness,) = diagnose(run, bank_of(LISTENS, ADVISES).skills)
        assert (weakness.kind, weakness.skill) == (WeaknessKind.BYPASSED, "name-one-step")
        assert weakness.message == "the skill name-one-step was selected in none of 20 episodes"
        assert (weakness.turns, weakness.mean_change, weakness.quotes) == (0, None, ())

    def test_one_use_is_enough_not_to_be_bypassed(self) -> None:
        run = (*run_of(*[5] * 20, each=1), episode(20, turn(5, skill="name-one-step")))
        assert find(WeaknessKind.BYPASSED, run, LISTENS, ADVISES) == []

    def test_a_few_episodes_say_nothing_of_bypass(self) -> None:
        assert find(WeaknessKind.BYPASSED, run_of(*[5] * 19, each=1), LISTENS, ADVISES) == []


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (WeaknessKind.MISSING, {"seeker": ASKS, "skill": None}),
        (WeaknessKind.INEFFECTIVE, {}),
    ],
)
def test_fewer_than_eight_turns_say_nothing(kind: WeaknessKind, fields: dict[str, str]) -> None:
    assert find(kind, run_of(*FALLING[:7], **fields)) == []
    assert len(find(kind, run_of(*FALLING, **fields))) == 1


def test_fewer_than_eight_turns_with_one_disposition_say_nothing_of_it() -> None:
    run = (*run_of(*RISING, *RISING), *run_of(*FALLING[:7], disposition=Disposition.NEGATIVE, first=20))
    assert find(WeaknessKind.PROFILE_SPECIFIC, run) == []


def test_a_finding_quotes_its_three_worst_turns_the_worst_first() -> None:
    run = [
        episode(7, turn(-1), turn(-2), turn(-9, "Third thing.", "Third answer.")),
        episode(11, turn(-10, "Worst thing.", "Worst answer."), turn(-3), turn(-3)),
        episode(15, turn(-2), turn(-8, "Second thing.", "Second answer.")),
    ]
    (weakness,) = find(WeaknessKind.INEFFECTIVE, run)
    assert [(quote.profile, quote.draw, quote.turn, quote.change) for quote in weakness.quotes] == [
        ("boiler/tenant-11/be-heard", 11, 1, -10),
        ("boiler/tenant-7/be-heard", 7, 3, -9),
        ("boiler/tenant-15/be-heard", 15, 2, -8),
    ]
    assert (weakness.quotes[0].seeker, weakness.quotes[0].supporter) == ("Worst thing.", "Worst answer.")


def test_after_unsafe_ones_findings_come_by_what_they_cost() -> None:
    run = (
        *run_of(*FALLING),
        *run_of(*FALLING, *FALLING, skill="name-one-step", first=20),
    )
    found = diagnose(run, bank_of(LISTENS, ADVISES).skills)
    assert [(weakness.skill, weakness.cost) for weakness in found] == [("name-one-step", 80), ("wait-a-little", 40)]


def test_the_order_of_the_episodes_does_not_change_what_is_found() -> None:
    run = (*run_of(*FALLING, seeker=ASKS), *run_of(*RISING, seeker=TELLS, first=20))
    found = [diagnose(each, BANK) for each in (run, run[::-1])]
    assert [replace(weakness, quotes=()) for weakness in found[0]] == [replace(each, quotes=()) for each in found[1]]


def test_an_episode_that_ended_in_a_fault_counts_up_to_the_fault() -> None:
    broken = replace(
        episode(9, turn(-5), turn(-5)),
        turns=(turn(-5), turn(-5), Turn("And?", 30)),
        termination=Termination.FAULT_EMPTY,
    )
    (weakness,) = find(WeaknessKind.INEFFECTIVE, (*run_of(*FALLING[:6]), broken))
    assert weakness.turns == 8


def test_a_skill_of_the_run_that_the_bank_does_not_hold_is_diagnosed_all_the_same() -> None:
    (weakness,) = find(WeaknessKind.INEFFECTIVE, run_of(*FALLING, skill="a-skill-that-left"))
    assert (weakness.skill, weakness.mean_change) == ("a-skill-that-left", -5)
