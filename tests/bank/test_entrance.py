"""The entrance: made of the skills and the supporter's prompt, and of nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from esc_skills.bank.entrance import ENTRANCE_FILE, check_entrance, render_entrance
from esc_skills.bank.reader import read_bank, read_files
from esc_skills.bank.rules import MAX_LINES
from esc_skills.cli.main import run
from esc_skills.documents.prompts import load_prompt
from esc_skills.documents.shipped import shipped
from tests.samples import raised, skill_text, write_skill

SHIPPED = read_files(shipped("skills"))
SKILLS = read_bank(SHIPPED, "skills").skills
ENTRANCE = SHIPPED[ENTRANCE_FILE].decode()


def test_the_shipped_entrance_is_what_its_skills_make_it() -> None:
    assert render_entrance(SKILLS) == ENTRANCE
    assert list(check_entrance(SHIPPED, SKILLS, "skills")) == []


def test_it_says_what_our_supporter_is_told_in_the_same_words() -> None:
    always = load_prompt("supporter-answer", "en").text.split("## How you speak\n")[1].split("\n## ")[0].strip()
    assert always in ENTRANCE
    assert "Danger comes first." in always and "you are a program" in always


def test_it_leads_to_every_skill_and_to_danger_first() -> None:
    listed = [line.split("`")[1] for line in ENTRANCE.split("\n") if line.startswith("- `")]
    assert sorted(listed) == sorted(SKILLS)
    assert listed[0] == "respond-to-suicide-risk"
    assert "take `respond-to-suicide-risk`" in ENTRANCE


def test_clients_that_read_a_hundred_lines_read_all_of_it() -> None:
    assert len(ENTRANCE.split("\n")) - 1 <= MAX_LINES


def test_it_is_no_skill_that_a_supporter_could_choose() -> None:
    assert "emotional-support" not in SKILLS


@pytest.mark.parametrize(
    "edited",
    [
        ENTRANCE.replace("Danger comes first.", "Keep it light.", 1),
        ENTRANCE + "\n",
        ENTRANCE.replace("- `stay-beside`", "- `other`"),
    ],
)
def test_an_edit_of_it_by_hand_is_a_finding_at_its_line(edited: str) -> None:
    (finding,) = check_entrance({ENTRANCE_FILE: edited.encode()}, SKILLS, "skills")
    assert finding.code == "entrance" and "run `esc-skills bank entrance`" in finding.message


def test_validate_asks_for_it_anew_after_a_change_and_the_command_makes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_skill(tmp_path)
    assert run(["bank", "entrance", str(tmp_path)]) == 0
    assert run(["validate", str(tmp_path)]) == 0
    other = skill_text(description="When the seeker falls silent: wait, and say so once. Emotional support.")
    write_skill(tmp_path, text=raised(other))
    assert run(["validate", str(tmp_path)]) == 1
    assert "entrance: differs from what the skills and the prompts make it" in capsys.readouterr().out
    assert run(["bank", "entrance", str(tmp_path)]) == 0
    assert run(["validate", str(tmp_path)]) == 0
    assert "`wait-a-little`: When the seeker falls silent" in (tmp_path / ENTRANCE_FILE).read_text()


def test_a_bank_without_a_skill_for_danger_is_told_how_to_meet_it() -> None:
    plain = {name: skill for name, skill in SKILLS.items() if name != "respond-to-suicide-risk"}
    assert "take the way that the section above says" in render_entrance(plain)
