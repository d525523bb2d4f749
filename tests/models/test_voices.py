"""What a model is told of a skill: its sections, and the two examples that are nearest to the seeker's message."""

from __future__ import annotations

import pytest

from esc_skills.bank.edit import with_examples
from esc_skills.bank.reader import read_bank, read_files
from esc_skills.bank.skill import Example
from esc_skills.documents.shipped import shipped
from esc_skills.models.voices import with_nearest_examples
from esc_skills.vocabulary import Language
from tests.samples import skill_of, skill_text

SHIPPED = read_bank(read_files(shipped("skills")), "skills").skills


def test_the_two_nearest_examples_are_told_wherever_they_stand() -> None:
    skill = skill_of(skill_text())
    more = [
        Example("Keys", "I lost the keys to my flat.", "The keys, of all things."),
        Example("A boiler", "The boiler broke again.", "Again."),
        Example("Landlord", "My landlord took the keys.", "He took them?"),
    ]
    files = with_examples(skill, [*skill.examples, *more])
    skill = read_bank({f"wait-a-little/{path}": text.encode() for path, text in files.items()}, "b").skills[skill.name]
    told = with_nearest_examples(skill, "My landlord has the keys of the flat.", Language.ENGLISH)
    assert [line for line in told.split("\n") if line.startswith("### ")] == [
        "### Keys",
        "### Landlord",
        "### Avoid: a push",
    ]
    first = with_nearest_examples(skill, "Hm.", Language.ENGLISH)
    assert "### A sentence that breaks off" in first and "### A dot, dot, dot" in first


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_every_section_is_told_and_no_front_matter(name: str) -> None:
    skill = SHIPPED[name]
    told = with_nearest_examples(skill, "I don't know what to do about my sister.", Language.ENGLISH)
    assert told.startswith("# ") and "esc-provenance" not in told and "More examples" not in told
    assert all(each in told for each in (*skill.guidance, *skill.when_not_to_use, skill.expected_outcome))
    assert told.count("### ") == 3
