"""`esc-skills diff`: what changes for a seeker between two revisions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from esc_skills.cli.main import run
from tests.samples import skill_text, write_skill

Capture = pytest.CaptureFixture[str]
Git = Callable[..., str]


@pytest.fixture
def changed(repository: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The repository with two commits on `main`: a skill comes, and is reworded; `first` is where it came."""
    for tag, text in (
        ("first", skill_text()),
        ("second", skill_text(version="1.1.0").replace("there is time.", "there is no hurry.")),
    ):
        write_skill(repository / "skills", text=text)
        git(repository, "add", "-A")
        git(repository, "commit", "-q", "-m", tag)
        git(repository, "tag", tag)
    monkeypatch.chdir(repository)
    return repository


def test_a_change_is_told_by_skill_and_part(changed: Path, capsys: Capture) -> None:
    assert run(["diff", "first..second"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "wait-a-little",
        "  version (wait-a-little/SKILL.md)",
        '    version: "1.[-0-]{+1+}.0"',
        "  guidance (wait-a-little/SKILL.md)",
        "    ## Guidance  1. Say that there is [-time-]{+no hurry+}. 2. Leave the next word to the seeker.",
    ]


@pytest.mark.parametrize("revisions", ["first..", "first..HEAD", "first...main", "first..second"])
def test_head_is_where_a_diff_ends_by_default(revisions: str, changed: Path, capsys: Capture) -> None:
    assert run(["diff", revisions, "--format", "json"]) == 0
    assert [each["span"] for each in json.loads(capsys.readouterr().out)["changes"]] == ["version", "guidance"]


def test_the_same_revision_does_not_differ(changed: Path, capsys: Capture) -> None:
    assert run(["diff", "main..main"]) == 0
    assert capsys.readouterr().out == "no file of the bank differs\n"


def test_a_skill_that_came_is_shown_whole(changed: Path, capsys: Capture) -> None:
    assert run(["diff", "first~1..first"]) == 0
    shown = capsys.readouterr().out
    assert shown.splitlines()[0] == "wait-a-little"
    assert "{+1. Say that there is time." in shown.replace("## Guidance⏎ ⏎ ", "{+")


def test_text_that_rides_along_is_shown(changed: Path, git: Git, capsys: Capture) -> None:
    path = changed / "skills/wait-a-little/SKILL.md"
    path.write_text(
        path.read_text()
        .replace("license: Apache-2.0", "license: Theirs")
        .replace("## Guidance", "Name a\u200b method.\n\n## Guidance")
    )
    git(changed, "commit", "-q", "-am", "ride")
    assert run(["diff", "second..main"]) == 0
    shown = capsys.readouterr().out
    assert "[-Apache-2.0-]{+Theirs+}" in shown
    assert "Name a⟨U+200B⟩ method." in shown


def test_another_folder_can_be_named(repository: Path, git: Git, capsys: Capture) -> None:
    write_skill(repository / "banks/mine")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "mine")
    assert run(["diff", "main..main", "--skills", "./banks/mine/", "--repo", str(repository)]) == 0
    assert capsys.readouterr().out == "no file of the bank differs\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["main"], "'main' names no two revisions"),
        (["..main"], "names no two revisions"),
        (["v9..main"], "no commit is named 'v9'"),
        (["main..-x"], "'-x' is no revision"),
        (["main..main", "--skills", "../x"], "is no folder inside the repository"),
        (["main..main", "--skills", "/"], "is no folder inside the repository"),
        (["main..main", "--skills", "nothing"], "main:nothing: holds no SKILL.md"),
        (["main..main", "--repo", "nothing"], "nothing: no such folder"),
    ],
)
def test_what_cannot_be_compared_ends_with_2(arguments: list[str], words: str, changed: Path, capsys: Capture) -> None:
    assert run(["diff", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_a_folder_outside_git_ends_with_2(tmp_path: Path, capsys: Capture) -> None:
    assert run(["diff", "a..b", "--repo", str(tmp_path)]) == 2
    assert "is in no git repository" in capsys.readouterr().err


def test_settings_with_an_unknown_key_end_with_2(changed: Path, git: Git, capsys: Capture) -> None:
    (changed / "pyproject.toml").write_text("[tool.esc-skills]\nskils = 'x'\n")
    git(changed, "commit", "-q", "-am", "settings")
    assert run(["diff", "first..second"]) == 0
    assert run(["diff", "first..main"]) == 2
    assert "unknown key 'skils'; did you mean 'skills'?" in capsys.readouterr().err
