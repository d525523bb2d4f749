"""Edits touch the part that they name and leave every other byte as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esc_skills.bank.edit import (
    append_item,
    raise_version,
    render_examples,
    replace_section,
    section_text,
    set_metadata,
)
from esc_skills.bank.reader import ENTRANCE
from esc_skills.bank.skill import SECTIONS, Example
from esc_skills.documents.shipped import shipped
from esc_skills.errors import InputError
from tests.samples import METADATA, skill_of, skill_text

TEXT = skill_text()
FILES = [
    TEXT,
    *(
        path.read_text(encoding="utf-8")
        for path in sorted(shipped("skills").glob("*/SKILL.md"))
        if path.parent.name != ENTRANCE
    ),
]
files = st.sampled_from(FILES)
values = st.text(st.characters(categories=["L", "N", "P", "Zs"], exclude_characters='"\\<>'), max_size=30).filter(
    lambda value: "---" not in value
)
words = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)
items = st.lists(words, min_size=1, max_size=5).map(" ".join)


@given(files, st.sampled_from(sorted(METADATA)), values)
def test_a_metadata_value_changes_one_line(text: str, key: str, value: str) -> None:
    before, after = text.split("\n"), set_metadata(text, key, value).split("\n")
    assert len(before) == len(after)
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert all(new == f'  {key}: "{value}"' and old.startswith(f"  {key}: ") for old, new in changed)
    assert len(changed) <= 1


@given(files, st.sampled_from(list(SECTIONS)), items)
def test_a_replaced_section_leaves_every_other_byte(text: str, section: str, content: str) -> None:
    edited = replace_section(text, section, content)
    start, end = text.index(f"\n## {section}\n"), len(text) - len(text.partition(f"\n## {section}\n")[2])
    rest = text[end:].partition("\n## ")
    assert edited[:start] == text[:start]
    assert edited.endswith(rest[1] + rest[2]) if rest[1] else edited.endswith(f"{content}\n")
    assert section_text(edited, section) == content
    for other in SECTIONS:
        assert other == section or section_text(edited, other) == section_text(text, other)


@given(files, st.sampled_from(["When to use", "When not to use"]), items)
def test_an_appended_item_stands_last_and_moves_nothing(text: str, section: str, item: str) -> None:
    edited = append_item(text, section, item)
    added = f"- {item}\n"
    at = edited.index(f"\n{added}", edited.index(f"\n## {section}\n")) + 1
    assert edited[:at] + edited[at + len(added) :] == text


@given(files, st.sampled_from(list(SECTIONS)))
def test_a_section_replaced_by_itself_leaves_the_file(text: str, section: str) -> None:
    assert replace_section(text, section, section_text(text, section)) == text


def test_a_version_is_raised_by_a_minor_step() -> None:
    assert 'version: "1.1.0"' in raise_version(TEXT, "1.0.0")
    assert skill_of(raise_version(skill_text(version="2.9.3"), "2.9.3")).version == "2.10.0"


def test_an_appended_item_is_one_line() -> None:
    edited = append_item(TEXT, "When not to use", "The seeker\n\n## Risks\n- wants an answer.")
    assert skill_of(edited).when_not_to_use[-1] == "The seeker ## Risks - wants an answer."


def test_a_metadata_key_is_looked_for_in_the_front_matter_alone() -> None:
    text = TEXT.replace("A pause on purpose.", '  esc-more: "body"')
    with pytest.raises(InputError, match="has no metadata 'esc-more'"):
        set_metadata(text, "esc-more", "x")


def test_a_heading_in_a_fenced_block_does_not_end_a_section() -> None:
    text = TEXT.replace("The seeker goes on alone.", "The seeker goes on.\n\n```\n## Risks\n```\n\nAlone.")
    assert section_text(text, "Expected outcome").endswith("Alone.")
    assert section_text(text, "Risks").startswith("- `rushing`")


def test_a_heading_is_found_as_the_reader_finds_it() -> None:
    text = TEXT.replace("## When to use\n", "##  When to use ##\n")
    assert skill_of(text).when_to_use == (section_text(text, "When to use").removeprefix("- "),)


@pytest.mark.parametrize("value", ['a "quote"', "back\\slash", "two\nlines", "a --- b", "<b>", "a > b"])
def test_a_value_that_would_break_the_front_matter_is_refused(value: str) -> None:
    with pytest.raises(InputError, match="cannot be a metadata value"):
        set_metadata(TEXT, "esc-provenance", value)


def test_a_key_or_section_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match="has no metadata 'esc-none'"):
        set_metadata(TEXT, "esc-none", "x")
    with pytest.raises(InputError, match="has no section 'Epilogue'"):
        replace_section(TEXT, "Epilogue", "x")


def test_rendered_examples_are_read_back() -> None:
    examples = (Example("One", "a", "b"), Example("Two", "c\nd", "e"))
    avoid = (Example("three", "f", "g", "h"),)
    skill = skill_of(replace_section(TEXT, "Examples", render_examples(examples, avoid)))
    assert skill.examples == (examples[0], Example("Two", "c d", "e"))
    assert skill.avoid == avoid
