"""One `SKILL.md` read: values, sections, and the line of each."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esc_skills.bank.edit import render_skill
from esc_skills.bank.reader import ENTRANCE, read_bank
from esc_skills.bank.rules import check_contract
from esc_skills.bank.skill import (
    Example,
    Reference,
    Skill,
    SkillDocument,
    SkillRisk,
    build_skill,
    parse_skill,
    read_range,
)
from esc_skills.documents.shipped import shipped
from esc_skills.errors import DocumentError
from esc_skills.vocabulary import (
    Disposition,
    EmotionType,
    HiddenIntention,
    Language,
    Risk,
    RiskCode,
    Stage,
    Strategy,
)
from tests.samples import BODY, DESCRIPTION, METADATA, skill_of, skill_text

SHIPPED = [path for path in sorted(shipped("skills").glob("*/SKILL.md")) if path.parent.name != ENTRANCE]


def document(text: str) -> SkillDocument:
    return parse_skill(text, "skills/wait-a-little/SKILL.md", "wait-a-little")


def line_of(text: str, words: str) -> int:
    return next(number for number, line in enumerate(text.split("\n"), start=1) if words in line)


def test_a_skill_is_a_record_of_its_file() -> None:
    text = skill_text(esc_emotions="fear, shame", esc_not_for="no-blame, negative", esc_expected_change="-2 to 3")
    skill = skill_of(text)
    assert (skill.name, skill.version, skill.description) == ("wait-a-little", "1.0.0", DESCRIPTION)
    assert skill.stages == (Stage.EXPLORATION,)
    assert skill.strategies == (Strategy.QUESTION, Strategy.OTHERS)
    assert skill.emotions == (EmotionType.FEAR, EmotionType.SHAME)
    assert (skill.intensity, skill.expected_change) == ((1, 4), (-2, 3))
    assert skill.needs == (HiddenIntention.BE_HEARD,)
    assert skill.not_for == (HiddenIntention.NO_BLAME, Disposition.NEGATIVE)
    assert (skill.risk_levels, skill.language, skill.provenance) == ((Risk.NONE,), Language.ENGLISH, "hand-written")
    assert skill.guidance == ("Say that there is time.", "Leave the next word to the seeker.")
    assert skill.when_not_to_use == ("The seeker asks something outright.",)
    assert skill.expected_outcome == "The seeker goes on alone."
    assert skill.risks[0].code is RiskCode.RUSHING
    assert skill.risks[0].text.startswith("a pause that is named too often")
    assert skill.examples[0] == Example(
        "A sentence that breaks off", "I wanted to tell her, but", "There is time. Take it."
    )
    assert skill.avoid[0].why == "Haste makes the seeker fall silent."
    assert skill.text == text


def test_any_stands_for_every_emotion_and_none_for_nothing_ruled_out() -> None:
    skill = skill_of(skill_text(esc_emotions="any", esc_not_for="none"))
    assert skill.emotions == tuple(EmotionType)
    assert skill.not_for == ()


def test_each_value_points_at_its_line_in_the_file() -> None:
    text = skill_text()
    lines = document(text).lines
    for pointer, words in {
        "/name": "name: wait",
        "/metadata/esc-needs": "esc-needs",
        "/guidance": "## Guidance",
        "/guidance/1": "Leave the next word",
        "/when_not_to_use/0": "asks something outright",
        "/risks/0": "`rushing`",
        "/examples/1": "A dot, dot, dot",
        "/avoid/0": "Avoid: a push",
    }.items():
        assert lines[pointer] == line_of(text, words), pointer


def test_an_item_may_go_on_in_the_next_line_and_be_marked_in_several_ways() -> None:
    body = BODY.replace("1. Say that there is time.\n2. Leave", "1) Say that\n   there is time.\n* Leave")
    assert document(skill_text(body=body)).value["guidance"] == [
        "Say that there is time.",
        "Leave the next word to the seeker.",
    ]


def test_what_is_said_over_several_lines_is_folded() -> None:
    body = BODY.replace("There is time. Take it.", "There is time.\n\nTake\nit.")
    assert document(skill_text(body=body)).value["examples"][0]["supporter"] == "There is time. Take it."


def test_only_a_title_that_starts_with_avoid_and_a_colon_is_an_example_to_avoid() -> None:
    body = BODY.replace("### A dot, dot, dot", "### Avoidance at work")
    value = document(skill_text(body=body)).value
    assert [each["title"] for each in value["examples"]] == ["A sentence that breaks off", "Avoidance at work"]
    assert [each["title"] for each in value["avoid"]] == ["a push"]


def test_front_matter_cannot_stand_in_for_a_section() -> None:
    text = skill_text(body=BODY.replace("## When not to use", "## Otherwise")).replace(
        "license:", "when_not_to_use: 5\nlicense:"
    )
    assert "when_not_to_use" not in document(text).value


@pytest.mark.parametrize("yaml", ["- a\n- b", "just words", ""])
def test_front_matter_that_is_no_mapping_is_refused(yaml: str) -> None:
    with pytest.raises(DocumentError, match=r"SKILL\.md:2: front-matter: is no mapping"):
        document(f"---\n{yaml}\n---\nbody\n")


@pytest.mark.parametrize(("text", "ends"), [("1 to 4", (1, 4)), ("-10 to -2", (-10, -2))])
def test_a_range_has_two_ends(text: str, ends: tuple[int, int]) -> None:
    assert read_range(text) == ends


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.parent.name)
def test_every_shipped_skill_keeps_the_contract(path: Path) -> None:
    further = {each.name.split(".")[1]: each for each in path.parent.glob("references/examples.*.md")}
    references = {language: (str(each), each.read_text(encoding="utf-8")) for language, each in further.items()}
    read = parse_skill(path.read_text(encoding="utf-8"), str(path), path.parent.name, references)
    assert check_contract(read) == []
    assert references and all(len(each.value["examples"]) >= 4 for each in read.references)


sentence = st.lists(
    st.text(st.characters(categories=["L", "N"], max_codepoint=0x9FFF), min_size=1, max_size=9), min_size=4, max_size=8
).map(" ".join)
texts = st.lists(sentence, min_size=1, max_size=4)
spoken = st.builds(Example, sentence, sentence, sentence)
avoided = st.builds(Example, sentence, sentence, sentence, sentence)
punctuated = sentence.map(lambda words: f'When she said: "{words[:60]}" \\ and went: wait. Emotional support.')


def skill_in(files: dict[str, str]) -> Skill:
    read = read_bank({f"wait-a-little/{path}": text.encode() for path, text in files.items()}, "skills")
    return read.skills["wait-a-little"]


def render(**sections: object) -> dict[str, str]:
    given_sections = {
        "guidance": ["one", "two"],
        "when_to_use": ["now"],
        "when_not_to_use": ["later"],
        "expected_outcome": "calm",
        "risks": [SkillRisk(RiskCode.RUSHING, "goes too fast; go slower instead")],
        "examples": [Example("a", "b", "c"), Example("d", "e", "f")],
        "avoid": [Example("g", "h", "i", "j")],
        **sections,
    }
    return render_skill(
        "wait-a-little",
        str(given_sections.pop("description", DESCRIPTION)),
        METADATA,
        "Wait",
        "A pause.",
        given_sections,
    )


@given(
    description=punctuated,
    guidance=st.lists(sentence, min_size=2, max_size=4),
    when_to_use=texts,
    when_not_to_use=texts,
    expected_outcome=sentence,
    examples=st.lists(spoken, min_size=2, max_size=3),
    avoid=st.lists(avoided, min_size=1, max_size=2),
)
def test_a_rendered_skill_validates_and_says_what_it_was_given(**sections: object) -> None:
    skill = skill_in(render(**sections))
    further = skill.references.get("en", Reference((), ()))
    for key, given_value in sections.items():
        value = getattr(skill, key)
        if key in ("examples", "avoid"):
            value += getattr(further, key)
        assert (list(value) if isinstance(value, tuple) else value) == given_value


def test_a_rendered_text_cannot_open_a_section_of_its_own() -> None:
    skill = skill_in(render(guidance=["one\n\n## Risks\n\n- two", "three"]))
    assert skill.guidance == ("one ## Risks - two", "three")


def test_a_skill_is_built_from_its_document_alone() -> None:
    built = build_skill(document(skill_text()))
    assert isinstance(built, Skill)
    assert built == skill_of(skill_text())
