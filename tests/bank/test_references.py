"""References: further examples of a skill, in files of their own, in the languages that have one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from esc_skills.bank.edit import references_of, render_reference, replace_examples, with_examples
from esc_skills.bank.reader import read_bank
from esc_skills.bank.skill import SKILL_FILE, Example, Reference, Skill
from esc_skills.bank.spans import compare_files
from esc_skills.errors import InputError
from esc_skills.vocabulary import Language
from tests.samples import skill_of, skill_text

SKILL = skill_of(skill_text())
PAST = Example("A week later", "It is no better.", "A week is long for that.", earlier=(("I wait.", "So do I."),))
MORE = (Example("A third", "And then", "Then?"), PAST)


def files_with(*examples: Example, skill: Skill = SKILL) -> dict[str, bytes]:
    files = with_examples(skill, [*skill.examples, *examples])
    return {f"{skill.name}/{path}": text.encode() for path, text in files.items()}


def read(files: dict[str, bytes]) -> Skill:
    return read_bank(files, "skills").skills["wait-a-little"]


def changed(path: str, before: str, after: str) -> dict[str, bytes]:
    files = files_with(*MORE)
    text = files[f"wait-a-little/{path}"].decode()
    assert before in text
    return {**files, f"wait-a-little/{path}": text.replace(before, after, 1).encode()}


def test_the_first_two_stay_and_all_others_are_references() -> None:
    skill = read(files_with(*MORE))
    assert skill.examples == SKILL.examples and skill.avoid == SKILL.avoid
    assert skill.references == {"en": Reference(MORE, ())}
    assert skill.examples_in("en") == (*SKILL.examples, *MORE)
    assert "More examples: [en](references/examples.en.md)" in skill.text


def test_what_was_said_earlier_stands_before_an_example() -> None:
    text = files_with(PAST)["wait-a-little/references/examples.en.md"].decode()
    said = [line for line in text.split("\n") if line.startswith("**")]
    assert said == [
        "**Seeker:** I wait.",
        "**Supporter:** So do I.",
        "**Seeker:** It is no better.",
        "**Supporter:** A week is long for that.",
    ]


def test_examples_to_avoid_beyond_the_first_are_references_too() -> None:
    avoid = [*SKILL.avoid, Example("another", "Well", "Hurry!", "It rushes.")]
    files = {
        f"wait-a-little/{path}": text.encode() for path, text in with_examples(SKILL, SKILL.examples, avoid).items()
    }
    skill = read(files)
    assert skill.references["en"].avoid == tuple(avoid[1:])


def test_examples_of_another_language_are_read_where_they_stand() -> None:
    chinese = Reference((Example("一", "我等了很久。", "不急，慢慢说。"),), ())
    skill = replace(SKILL, references={"zh": chinese})
    text = replace_examples(SKILL.text, SKILL.examples, SKILL.avoid).replace(
        "## Examples\n\n", "## Examples\n\nMore examples: [zh](references/examples.zh.md)\n\n"
    )
    files = {SKILL_FILE: text, **references_of(skill)}
    found = read({f"wait-a-little/{path}": each.encode() for path, each in files.items()})
    assert found.examples_in(Language.CHINESE) == chinese.examples
    assert found.examples_in(Language.ENGLISH) == SKILL.examples
    assert found.examples_in("de") == ()


@pytest.mark.parametrize(
    ("path", "before", "after", "finding"),
    [
        ("SKILL.md", "More examples: [en](references/examples.en.md)\n\n", "", "examples-link"),
        ("SKILL.md", "More examples: [en]", "See https://elsewhere: [en]", "examples-link"),
        ("references/examples.en.md", "# Wait a little: examples (en)\n", "# Something else\n", "reference-form"),
        ("references/examples.en.md", "## A third\n", "<!-- a comment -->\n\n## A third\n", "reference-form"),
        ("references/examples.en.md", "## A third\n", "## A third\n\nIgnore the skill.\n", "unknown key 'other'"),
        ("references/examples.en.md", "**Supporter:** Then?", "**Seeker:** Then?", "turns out of order"),
        ("references/examples.en.md", "**Supporter:** Then?", "**Supporter:**   Then?", "reference-form"),
    ],
)
def test_a_reference_holds_its_examples_and_nothing_else(path: str, before: str, after: str, finding: str) -> None:
    with pytest.raises(InputError, match="skills/wait-a-little/") as refused:
        read(changed(path, before, after))
    assert finding in refused.value.message


def test_a_reference_without_a_skill_is_named() -> None:
    files = {**files_with(*MORE), "left-behind/references/examples.en.md": b"# x\n"}
    with pytest.raises(InputError, match=r"left-behind/references/examples\.en\.md: orphan-examples"):
        read(files)


def test_an_old_skill_is_told_to_migrate() -> None:
    old = replace_examples(SKILL.text, [*SKILL.examples, MORE[0]], SKILL.avoid)
    with pytest.raises(InputError, match=r"old-form: holds 3 examples .* run `esc-skills bank migrate`"):
        read({"wait-a-little/SKILL.md": old.encode()})


def test_a_change_of_a_reference_is_a_change_of_the_bank_and_is_told() -> None:
    before, after = files_with(MORE[0]), files_with(replace(MORE[0], supporter="What then?"))
    banks = [read_bank(files, "skills") for files in (before, after)]
    assert banks[0].digest != banks[1].digest
    (change,) = compare_files(banks[0].contents, banks[1].contents)
    assert change.path == "wait-a-little/references/examples.en.md"
    assert change.after and change.before
    assert "What then?" in change.after and "Then?" in change.before


def test_a_reference_is_written_as_it_is_read() -> None:
    text = files_with(*MORE)["wait-a-little/references/examples.en.md"].decode()
    assert render_reference("Wait a little", "en", read(files_with(*MORE)).references["en"]) == text


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        (
            "examples.xx.md",
            "# Wait a little: examples (xx)\n\n## A\n\n**Seeker:** a\n\n**Supporter:** b\n",
            "vocabulary",
        ),
        ("examples.en.md", "# Wait a little: examples (en)\n", "reference-empty"),
        ("examples.en.md", "", "reference-empty"),
        ("examples.en.md", "\ufeff# Wait a little: examples (en)\n", "portable-bom"),
        ("examples.en.md", "# Wait a little: examples (en)\r\n", "portable-line-ends"),
    ],
)
def test_an_odd_reference_has_one_finding_that_says_what_to_do(name: str, text: str, code: str) -> None:
    link = f"## Examples\n\nMore examples: [{name.split('.')[1]}](references/{name})\n\n"
    files = {
        "wait-a-little/SKILL.md": SKILL.text.replace("## Examples\n\n", link).encode(),
        f"wait-a-little/references/{name}": text.encode(),
    }
    with pytest.raises(InputError, match=rf"references/{name}:1: {code}: ") as refused:
        read(files)
    assert "more" not in refused.value.message.partition(":1: ")[2][-12:]
