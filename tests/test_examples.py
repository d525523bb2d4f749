"""The weakened bank is a part of the shipped one with two documented faults, and nothing else."""

from __future__ import annotations

import runpy

from esc_skills.bank.reader import read_bank, read_files
from esc_skills.documents.shipped import shipped
from esc_skills.vocabulary import HiddenIntention


def test_the_weakened_bank_is_what_its_script_makes_of_the_shipped_one() -> None:
    made = runpy.run_path(str(shipped("examples", "weaken.py")))["weaken"]()

    files = read_files(shipped("examples", "weakened-bank"))
    assert {path: text.encode() for path, text in made.items()} == {
        path: data for path, data in files.items() if path != "README.md"
    }


def test_one_need_has_no_skill_and_one_skill_is_harmed() -> None:
    whole, weakened = (
        read_bank(read_files(shipped(*at)), "bank") for at in (("skills",), ("examples", "weakened-bank"))
    )

    assert {need for skill in weakened.skills.values() for need in skill.needs} == set(HiddenIntention) - {
        HiddenIntention.UNDERSTAND_OTHERS
    }
    harmed = [name for name, skill in weakened.skills.items() if skill.examples != whole.skills[name].examples]
    assert harmed == ["reflect-the-feeling"]
