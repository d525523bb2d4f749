"""How two banks differ, as a reviewer would say it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from esc_skills.bank.changes import Change, Part, compare_banks
from esc_skills.bank.reader import read_bank, read_files
from esc_skills.documents.shipped import shipped
from tests.samples import BODY, bank_of, skill_text

BASE = skill_text()


def changes(head: str, base: str = BASE) -> list[tuple[str, str, str, str]]:
    found = compare_banks(bank_of(base).skills, bank_of(head).skills)
    return [(each.part, each.what, each.before, each.after) for each in found]


def test_the_shipped_bank_does_not_differ_from_itself() -> None:
    skills = read_bank(read_files(shipped("skills")), "skills").skills
    assert compare_banks(skills, skills) == ()


def test_a_new_version_alone_is_a_version() -> None:
    assert changes(skill_text(version="1.1.0")) == [("version", "version", "1.0.0", "1.1.0")]


def test_a_reworded_item_is_shown_with_both_wordings() -> None:
    head = BASE.replace("Say that there is time.", "Say once that there is time.")
    assert changes(head) == [("guidance", "guidance", "Say that there is time.", "Say once that there is time.")]


def test_an_item_that_says_something_else_is_one_gone_and_one_come() -> None:
    head = BASE.replace("1. Say that there is time.", "1. Breathe before you write.")
    assert changes(head) == [
        ("guidance", "guidance", "", "Breathe before you write."),
        ("guidance", "guidance", "Say that there is time.", ""),
    ]


def test_another_order_is_a_change() -> None:
    head = BASE.replace(
        "1. Say that there is time.\n2. Leave the next word to the seeker.",
        "1. Leave the next word to the seeker.\n2. Say that there is time.",
    )
    assert changes(head) == [("guidance", "guidance", "", "the order changed")]


def test_applicability_and_outcome_are_named() -> None:
    head = skill_text(esc_intensity="2 to 5", esc_not_for="passive", esc_expected_change="0 to 4")
    assert changes(head) == [
        ("applicability", "intensity", "1 to 4", "2 to 5"),
        ("applicability", "not for", "none", "passive"),
        ("outcome", "expected change", "1 to 3", "0 to 4"),
    ]


def test_another_code_for_the_same_risk_is_a_change() -> None:
    head = BASE.replace("`rushing`", "`blame`").replace('esc-risks: "rushing"', 'esc-risks: "blame"')
    ((part, what, before, after),) = changes(head)
    assert (part, what) == ("risk", "risk")
    assert before.startswith("rushing: a pause")
    assert after.startswith("blame: a pause")


def test_an_example_is_shown_whole() -> None:
    head = BASE.replace("Just say it, quickly!", "Come on, say it!")
    ((part, what, _, after),) = changes(head)
    assert (part, what) == ("example", "example to avoid")
    assert after == (
        "a push. Seeker: I don't know how to say it Supporter: Come on, say it! Why: Haste makes the seeker fall silent."
    )


def test_a_title_or_licence_is_a_change_too_with_or_without_a_new_version() -> None:
    outside = ("other", "wording outside the sections", "", "title, summary or layout changed")
    assert changes(BASE.replace("A pause on purpose.", "A pause.")) == [outside]
    assert changes(skill_text(version="1.1.0").replace("A pause on purpose.", "A pause.")) == [
        ("version", "version", "1.0.0", "1.1.0"),
        outside,
    ]


def test_a_skill_that_comes_or_goes_is_one_change() -> None:
    one, two = bank_of(BASE), bank_of(BASE, skill_text("wait-long"))
    (come,) = compare_banks(one.skills, two.skills)
    (gone,) = compare_banks(two.skills, one.skills)
    assert come == Change("wait-long", Part.SKILL, "skill", "", two.skills["wait-long"].description)
    assert (gone.before, gone.after) == (come.after, come.before)


items = st.lists(
    st.sampled_from(["ask once", "wait", "say it back", "name the feeling", "stay"]), min_size=2, max_size=5
)


def with_guidance(texts: list[str]) -> str:
    lines = "\n".join(f"{number}. {text}" for number, text in enumerate(texts, start=1))
    return skill_text(body=BODY.replace("1. Say that there is time.\n2. Leave the next word to the seeker.", lines))


@given(items, items)
def test_banks_differ_exactly_where_their_skills_do(one: list[str], other: list[str]) -> None:
    assert bool(changes(with_guidance(one), with_guidance(other))) == (one != other)
    assert changes(with_guidance(one), with_guidance(one)) == []
