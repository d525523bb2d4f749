"""`esc-skills score` over our transcripts and SAGE's result files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from esc_skills.cli.main import run
from esc_skills.documents.jsonl import json_lines
from esc_skills.vocabulary import Arm, Termination
from tests.samples import sage_line, transcript

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    path = tmp_path / "ours.jsonl"
    episodes = [
        transcript(40, 45, 100, termination=Termination.SUCCESS),
        transcript(40, 5, termination=Termination.FAILURE),
        transcript(40, 41, termination=Termination.FAULT_EMPTY),
    ]
    lines = [each.as_json() for each in episodes]
    for line in lines:
        for turn in line["turns"]:
            turn["change"] = None
    path.write_text(json_lines(lines))
    return path


@pytest.fixture
def sage(tmp_path: Path) -> Path:
    path = tmp_path / "deep_simulator__some-model_result.jsonl"
    path.write_text(f"{sage_line(40, 45)}\n{sage_line(40, 46)}\n", encoding="utf-8")
    return path


def test_scores_of_both_kinds_of_file_stand_side_by_side(ours: Path, sage: Path, capsys: Capture) -> None:
    assert run(["score", str(ours), str(sage)]) == 0
    shown = capsys.readouterr().out
    rows = [line.split() for line in shown.splitlines()]
    assert ["ours", "2", "52.5", "47.5", "1", "1", "1", "1.5"] in rows
    assert ["some-model", "2", "45.5", "0.5", "0", "0", "0", "1.0"] in rows
    assert ["be-heard", "52.5", "(2)", "45.5", "(2)"] in rows
    assert ["fault-empty", "1", "0"] in rows


def test_json_holds_the_numbers_unrounded(ours: Path, capsys: Capture) -> None:
    assert run(["score", str(ours), "--format", "json"]) == 0
    (shown,) = json.loads(capsys.readouterr().out)["runs"]
    assert {key: shown[key] for key in ("name", "episodes", "score", "stderr", "success", "failure", "faults")} == {
        "name": "ours",
        "episodes": 2,
        "score": 52.5,
        "stderr": 47.5,
        "success": 1,
        "failure": 1,
        "faults": 1,
    }
    assert shown["terminations"] == {"success": 1, "failure": 1, "fault-empty": 1}


def test_the_two_arms_of_a_pair_are_scored_apart(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text(
        json_lines(transcript(40, 40 + at, arm=arm).as_json() for at, arm in ((1, Arm.BASE), (9, Arm.CANDIDATE)))
    )
    assert run(["score", str(path), "--format", "json"]) == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert [(each["name"], each["score"]) for each in runs] == [("pairs base", 41.0), ("pairs candidate", 49.0)]


def test_nothing_but_faults_shows_dashes(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "faults.jsonl"
    path.write_text(json_lines([transcript(40, termination=Termination.FAULT_EMPTY).as_json()]))
    assert run(["score", str(path)]) == 0
    assert ["faults", "0", "–", "–", "0", "0", "1", "–"] in [
        line.split() for line in capsys.readouterr().out.splitlines()
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "empty: holds no episode"),
        ("{}\n", "run.jsonl:1: schema-"),
        (sage_line(40, 45) + "\n{\n", "run.jsonl:2: json-syntax"),
        ("\udcff", "run.jsonl:1: encoding"),
    ],
)
def test_a_file_that_holds_no_transcripts_ends_with_2(
    content: str, words: str, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    assert run(["score", str(path)]) == 2
    assert words in capsys.readouterr().err


def test_a_missing_file_or_none_ends_with_2(capsys: Capture) -> None:
    assert run(["score", "nothing.jsonl"]) == 2
    assert "nothing.jsonl: not-a-file" in capsys.readouterr().err
    assert run(["score"]) == 2
    assert "Missing argument 'FILES...'" in capsys.readouterr().err
