"""The weakened bank is the shipped one with two documented faults, and nothing else."""

from __future__ import annotations

import runpy

from esc_skills.bank.reader import read_bank, read_files
from esc_skills.documents.shipped import shipped


def test_the_weakened_bank_is_what_its_script_makes_of_the_shipped_one() -> None:
    made = runpy.run_path(str(shipped("examples", "weaken.py")))["weaken"]()

    files = read_files(shipped("examples", "weakened-bank"))
    assert {path: text.encode() for path, text in made.items()} == {
        path: data for path, data in files.items() if path != "README.md"
    }


def test_one_skill_is_taken_out_and_one_harmed() -> None:
    whole, weakened = (
        read_bank(read_files(shipped(*at)), "bank") for at in (("skills",), ("examples", "weakened-bank"))
    )

    assert set(whole.skills) - set(weakened.skills) == {"see-the-other-side"}
    harmed = [name for name, skill in weakened.skills.items() if skill.examples != whole.skills[name].examples]
    assert harmed == ["reflect-the-feeling"]
