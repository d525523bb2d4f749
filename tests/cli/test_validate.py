"""`esc-skills validate` as a person, a script and GitHub see it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from esc_skills.cli.main import run
from tests.samples import skill_text, write_skill

Capture = pytest.CaptureFixture[str]


def test_a_sound_repository_ends_with_0(repository: Path, capsys: Capture) -> None:
    assert run(["validate", str(repository)]) == 0
    assert capsys.readouterr().out.endswith("files checked: no problem\n")


def test_a_single_file_is_one_file(tmp_path: Path, capsys: Capture) -> None:
    assert run(["validate", str(write_skill(tmp_path))]) == 0
    assert capsys.readouterr().out == "1 file checked: no problem\n"


def test_without_a_path_the_folder_that_one_is_in_is_checked(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(write_skill(tmp_path).parent)
    assert run(["validate"]) == 0
    assert capsys.readouterr().out == "1 file checked: no problem\n"


def test_problems_go_to_the_output_one_a_line_and_their_number_to_the_side(tmp_path: Path, capsys: Capture) -> None:
    path = write_skill(tmp_path, text=skill_text(version="1", esc_stage="exploring"))
    assert run(["validate", str(tmp_path)]) == 1
    shown = capsys.readouterr()
    assert shown.out.splitlines() == [
        f'{path}:6: schema-pattern: "1" should be a version such as "1.2.0" (/metadata/version)',
        f"{path}:7: vocabulary: 'exploring' is none of exploration, comforting, action; did you mean 'exploration'?;"
        " docs/settings.md says how a repository adds its own (/metadata/esc-stage)",
    ]
    assert shown.err == "1 file checked: 2 problems\n"


def test_json_holds_every_finding(tmp_path: Path, capsys: Capture) -> None:
    path = write_skill(tmp_path, text=skill_text(version="1"))
    assert run(["validate", str(tmp_path), "--format", "json"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "checked": 1,
        "findings": [
            {
                "path": str(path),
                "line": 6,
                "pointer": "/metadata/version",
                "code": "schema-pattern",
                "severity": "error",
                "message": '"1" should be a version such as "1.2.0"',
            }
        ],
    }


def test_github_gets_annotations(tmp_path: Path, capsys: Capture) -> None:
    path = write_skill(tmp_path, text=skill_text(version="1"))
    assert run(["validate", str(tmp_path), "--format", "github"]) == 1
    assert capsys.readouterr().out.startswith(f"::error file={path},line=6,title=schema-pattern::")


def test_the_specification_alone_can_be_asked_for(tmp_path: Path) -> None:
    write_skill(tmp_path, "plain", text="---\nname: plain\ndescription: Any words.\n---\n")
    assert run(["validate", str(tmp_path)]) == 1
    assert run(["validate", str(tmp_path), "--rules", "agent-skills"]) == 0


def test_a_version_that_did_not_rise_since_the_base_ends_with_1(
    repository: Path, capsys: Capture, git: Callable[..., str]
) -> None:
    path = sorted((repository / "skills").rglob("SKILL.md"))[0]
    path.write_text(path.read_text() + "\n")
    assert run(["validate", str(repository), "--base", "main"]) == 1
    assert "version-bump: changed since the base" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing"], "esc-skills: error: nothing: no such file or folder\n  → check the path\n"),
        ([".", "--base", "v9"], "no commit is named 'v9'"),
        ([".", "--base", "--output=x"], "is no revision"),
        ([".", "--rules", "mine"], "is not one of 'agent-skills', 'esc'"),
        ([".", "--fromat", "json"], "--format"),
    ],
)
def test_a_wrong_input_ends_with_2_and_says_what_would_do(
    arguments: list[str], words: str, repository: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository)
    assert run(["validate", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_an_empty_folder_ends_with_2(tmp_path: Path, capsys: Capture) -> None:
    assert run(["validate", str(tmp_path)]) == 2
    assert "holds no SKILL.md and no profile part" in capsys.readouterr().err
