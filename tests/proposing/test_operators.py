"""What is weak becomes an edit that the reader of banks accepts; what no offline operator answers becomes none."""

from __future__ import annotations

from typing import Any

import pytest

from esc_skills.bank.reader import Bank, read_bank, read_files
from esc_skills.bank.skill import Skill
from esc_skills.bank.spans import compare_files
from esc_skills.documents.shipped import shipped
from esc_skills.proposing.diagnosis import Weakness, WeaknessKind
from esc_skills.proposing.evolution import skill_paths
from esc_skills.proposing.operators import Edit, load_starters, refine
from esc_skills.transcript import Transcript
from esc_skills.vocabulary import Disposition, HiddenIntention, Language, Risk
from tests.runs import episode, run_of, turn
from tests.samples import BODY, skill_text

SHIPPED = read_files(shipped("skills"))
SMALL = {"wait-a-little/SKILL.md": skill_text().encode()}
#: The two examples of the small skill, by what its supporter says.
FIRST, SECOND = "There is time. Take it.", "And then the letter came. I am still here."


def found(kind: WeaknessKind, **fields: Any) -> Weakness:
    """A finding as `diagnose` makes it."""
    plain = dict.fromkeys(("skill", "need", "disposition", "flag"))
    return Weakness(
        kind, **{**plain, "turns": 8, "mean_change": -5.0, "message": "found in a test", "quotes": (), **fields}
    )


def edits_for(weakness: Weakness, files: dict[str, bytes], run: tuple[Transcript, ...] = ()) -> tuple[Edit, ...]:
    bank = read_bank(files, "skills")
    return refine([weakness], bank.skills, skill_paths(bank), run)


def applied(edit: Edit, files: dict[str, bytes]) -> Bank:
    return read_bank({**files, **{path: text.encode() for path, text in edit.files.items()}}, "skills")


def better_examples(files: dict[str, bytes], run: tuple[Transcript, ...], **fields: Any) -> Skill:
    """The one skill of a bank after its ineffective or unsafe examples were answered."""
    kind = WeaknessKind.UNSAFE if "flag" in fields else WeaknessKind.INEFFECTIVE
    (edit,) = edits_for(found(kind, skill="wait-a-little", **fields), files, run)
    return applied(edit, files).skills["wait-a-little"]


@pytest.mark.parametrize("need", HiddenIntention)
def test_every_starter_makes_a_valid_skill_in_the_shipped_bank(need: HiddenIntention) -> None:
    (edit,) = edits_for(found(WeaknessKind.MISSING, need=need), SHIPPED)

    bank = applied(edit, SHIPPED)
    skill = bank.skills[edit.skill]
    assert (edit.operator, edit.path) == ("new", f"{edit.skill}/SKILL.md")
    assert len(bank.skills) == len(read_bank(SHIPPED, "skills").skills) + 1
    assert need in skill.needs
    assert (skill.version, skill.risk_levels, skill.language) == ("1.0.0", (Risk.NONE,), Language.ENGLISH)
    assert skill.text == edit.text


def test_each_need_has_a_starter_of_its_own() -> None:
    starters = load_starters(Language.ENGLISH)
    assert set(starters) == set(HiddenIntention)
    assert len({starter["name"] for starter in starters.values()}) == len(HiddenIntention)


def test_a_starter_whose_name_the_bank_holds_is_not_proposed_again() -> None:
    weakness = found(WeaknessKind.MISSING, need=HiddenIntention.NO_BLAME)
    (edit,) = edits_for(weakness, SHIPPED)
    assert edits_for(weakness, {**SHIPPED, **{path: text.encode() for path, text in edit.files.items()}}) == ()


def test_narrowing_by_disposition_rules_the_seekers_out_and_says_so() -> None:
    weakness = found(WeaknessKind.PROFILE_SPECIFIC, skill="wait-a-little", disposition=Disposition.NEGATIVE)
    (edit,) = edits_for(weakness, SMALL)

    skill = applied(edit, SMALL).skills["wait-a-little"]
    assert (edit.operator, edit.skill, edit.path) == ("narrow", "wait-a-little", "wait-a-little/SKILL.md")
    assert (skill.not_for, skill.version) == (("negative",), "1.1.0")
    assert skill.when_not_to_use[-1].startswith("The seeker is negative")


def test_narrowing_by_need_takes_it_out_of_the_needs_that_the_skill_serves() -> None:
    files = {"wait-a-little/SKILL.md": skill_text(esc_needs="be-heard, no-blame").encode()}
    weakness = found(WeaknessKind.PROFILE_SPECIFIC, skill="wait-a-little", need=HiddenIntention.NO_BLAME)
    (edit,) = edits_for(weakness, files)

    skill = applied(edit, files).skills["wait-a-little"]
    assert (skill.needs, skill.not_for, skill.version) == ((HiddenIntention.BE_HEARD,), ("no-blame",), "1.1.0")


@pytest.mark.parametrize("disposition", Disposition)
@pytest.mark.parametrize("name", sorted(read_bank(SHIPPED, "skills").skills))
def test_narrowing_any_shipped_skill_leaves_a_valid_bank(name: str, disposition: Disposition) -> None:
    weakness = found(WeaknessKind.PROFILE_SPECIFIC, skill=name, disposition=disposition)
    for edit in edits_for(weakness, SHIPPED):
        changes = compare_files(SHIPPED, applied(edit, SHIPPED).contents)
        assert {change.part for change in changes} <= {"version", "esc-needs", "esc-not-for", "when not to use"}
        assert {change.skill for change in changes} == {name}


@pytest.mark.parametrize(
    ("metadata", "fields"),
    [
        pytest.param({}, {"need": HiddenIntention.BE_HEARD}, id="its only need"),
        pytest.param({"esc_not_for": "negative"}, {"disposition": Disposition.NEGATIVE}, id="ruled out already"),
    ],
)
def test_what_cannot_be_narrowed_gives_no_edit(metadata: dict[str, str], fields: dict[str, Any]) -> None:
    files = {"wait-a-little/SKILL.md": skill_text(**metadata).encode()}
    assert edits_for(found(WeaknessKind.PROFILE_SPECIFIC, skill="wait-a-little", **fields), files) == ()


def test_examples_that_were_followed_by_falling_emotion_make_room_for_drafts() -> None:
    run = (*run_of(-5, -5, supporter=FIRST), *run_of(5, 5, supporter=SECOND))
    skill = better_examples(SMALL, run)

    said = [example.supporter for example in skill.examples_in("en")]
    drafts = [each["supporter"] for each in load_starters(Language.ENGLISH)[HiddenIntention.BE_HEARD]["examples"]]
    assert said[0] == SECOND
    assert set(said[1:]) <= set(drafts)
    assert len(said) == 6
    assert skill.version == "1.1.0"


def test_the_example_to_avoid_and_all_other_sections_stay() -> None:
    before = read_bank(SMALL, "skills").skills
    after = {"wait-a-little": better_examples(SMALL, run_of(-5, -5, supporter=FIRST))}
    assert after["wait-a-little"].avoid == before["wait-a-little"].avoid
    changed = compare_files(SMALL, {**SMALL, "wait-a-little/SKILL.md": after["wait-a-little"].text.encode()})
    assert {change.part for change in changed} == {"version", "examples"}


def test_an_example_that_was_never_performed_is_kept() -> None:
    said = [example.supporter for example in better_examples(SMALL, run_of(-5, -5, supporter=FIRST)).examples_in("en")]
    assert SECOND in said
    assert FIRST not in said


def test_what_was_performed_is_told_through_the_echo() -> None:
    echoed = "So you wanted to tell her about the boiler. There is time. Take it."
    said = [example.supporter for example in better_examples(SMALL, run_of(-5, -5, supporter=echoed)).examples_in("en")]
    assert FIRST not in said


@pytest.mark.parametrize("flag", ["red:discourages-help", "amber:minimising"])
def test_unsafe_examples_go_though_emotion_rose(flag: str) -> None:
    run = (*run_of(10, 10, supporter=FIRST, flags=(flag,)), *run_of(1, 1, supporter=SECOND))
    said = [example.supporter for example in better_examples(SMALL, run, flag=flag).examples_in("en")]
    assert FIRST not in said
    assert said[0] == SECOND


def test_an_unsafe_example_goes_though_nobody_appraised_it() -> None:
    run = (episode(0, turn(None, supporter=FIRST, flags=("red:shames",))),)
    said = [example.supporter for example in better_examples(SMALL, run, flag="red:shames").examples]
    assert FIRST not in said


def test_red_flags_count_whatever_the_finding_is_about_and_other_amber_ones_do_not() -> None:
    red = run_of(10, 10, supporter=FIRST, flags=("red:shames",))
    amber = run_of(1, 1, supporter=SECOND, flags=("amber:blame",))
    said = [example.supporter for example in better_examples(SMALL, (*red, *amber)).examples]
    assert FIRST not in said
    assert SECOND in said


def test_a_skill_that_serves_two_needs_gets_a_proposal_for_each() -> None:
    files = {"wait-a-little/SKILL.md": skill_text(esc_needs="be-heard, no-blame").encode()}
    edits = edits_for(found(WeaknessKind.INEFFECTIVE, skill="wait-a-little"), files, run_of(-5, -5, supporter=FIRST))
    assert [edit.operator for edit in edits] == ["examples", "examples"]
    texts = {example.supporter for edit in edits for example in applied(edit, files).skills["wait-a-little"].examples}
    for need in (HiddenIntention.BE_HEARD, HiddenIntention.NO_BLAME):
        assert texts & {each["supporter"] for each in load_starters(Language.ENGLISH)[need]["examples"]}


def test_drafts_that_the_skill_has_already_are_not_given_twice() -> None:
    draft = load_starters(Language.ENGLISH)[HiddenIntention.BE_HEARD]["examples"][0]["supporter"]
    files = {"wait-a-little/SKILL.md": skill_text(body=BODY.replace(SECOND, draft)).encode()}
    said = [example.supporter for example in better_examples(files, run_of(-5, -5, supporter=FIRST)).examples_in("en")]
    assert said.count(draft) == 1


def test_bypass_and_skills_that_the_bank_does_not_hold_give_no_edit() -> None:
    assert edits_for(found(WeaknessKind.BYPASSED, skill="wait-a-little"), SMALL) == ()
    assert edits_for(found(WeaknessKind.INEFFECTIVE, skill="gone"), SMALL) == ()
    assert edits_for(found(WeaknessKind.UNSAFE, flag="red:missed-risk"), SMALL) == ()


def test_edits_come_in_the_order_of_the_weaknesses_and_equal_ones_once() -> None:
    bank = read_bank(SMALL, "skills")
    unsafe = found(WeaknessKind.UNSAFE, skill="wait-a-little", flag="red:shames")
    missing = found(WeaknessKind.MISSING, need=HiddenIntention.NO_BLAME)
    ineffective = found(WeaknessKind.INEFFECTIVE, skill="wait-a-little")
    run = run_of(10, 10, supporter=FIRST, flags=("red:shames",))
    edits = refine([unsafe, missing, ineffective], bank.skills, skill_paths(bank), run)
    assert [(edit.operator, edit.weakness) for edit in edits] == [("examples", unsafe), ("new", missing)]
