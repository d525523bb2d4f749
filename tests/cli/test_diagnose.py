"""`esc-skills diagnose`: the findings of a run with their turns, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from esc_skills.cli.main import run
from esc_skills.documents.jsonl import json_lines
from esc_skills.documents.schema import check_schema
from esc_skills.transcript import Transcript
from tests.runs import ASKS, TELLS, episode, run_of, turn
from tests.samples import write_skill

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    write_skill(tmp_path / "mine")
    return tmp_path / "mine"


def write(path: Path, episodes: tuple[Transcript, ...]) -> Path:
    path.write_text(json_lines(each.as_json() for each in episodes), encoding="utf-8")
    return path


@pytest.fixture
def weak(tmp_path: Path) -> Path:
    """A run whose seekers ask for advice and fall, with one red flag."""
    unsafe = episode(30, turn(9, TELLS, "You need no doctor.", flags=("red:discourages-help",)))
    return write(tmp_path / "weak.jsonl", (*run_of(*[-5, -6] * 4, seeker=ASKS, skill=None), unsafe))


def test_findings_are_shown_with_the_turns_that_they_rest_on(weak: Path, bank: Path, capsys: Capture) -> None:
    assert run(["diagnose", str(weak), "--skills", str(bank)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "unsafe-intervention: the skill wait-a-little raised the red flag discourages-help in 1 turns",
        "  boiler/tenant-30/be-heard, draw 30, turn 1 → +9",
        f"    seeker: {TELLS}",
        "    supporter: You need no doctor.",
        "missing-skill: no skill covers the need practical-advice: -5.5 points a turn over 8 turns, "
        "and +9.0 where a skill covers the need",
        "  boiler/tenant-0/be-heard, draw 0, turn 2 → -6",
        f"    seeker: {ASKS}",
        "    supporter: There is time. Take it.",
        "  boiler/tenant-1/be-heard, draw 1, turn 2 → -6",
        f"    seeker: {ASKS}",
        "    supporter: There is time. Take it.",
        "  boiler/tenant-2/be-heard, draw 2, turn 2 → -6",
        f"    seeker: {ASKS}",
        "    supporter: There is time. Take it.",
        "5 episodes, 2 findings",
        "next: esc-skills evolve",
    ]


def test_json_holds_the_same_for_other_programs(weak: Path, bank: Path, capsys: Capture) -> None:
    assert run(["diagnose", str(weak), "--skills", str(bank), "--format", "json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["episodes"] == 5
    unsafe, missing = shown["findings"]
    assert (unsafe["kind"], unsafe["skill"], unsafe["flag"]) == (
        "unsafe-intervention",
        "wait-a-little",
        "red:discourages-help",
    )
    assert unsafe["quotes"] == [
        {
            "profile": "boiler/tenant-30/be-heard",
            "draw": 30,
            "turn": 1,
            "seeker": TELLS,
            "supporter": "You need no doctor.",
            "change": 9,
        }
    ]
    assert (missing["kind"], missing["need"], missing["turns"], missing["mean_change"]) == (
        "missing-skill",
        "practical-advice",
        8,
        -5.5,
    )


def test_a_run_without_weakness_has_no_finding_and_ends_with_0(tmp_path: Path, bank: Path, capsys: Capture) -> None:
    sound = write(tmp_path / "sound.jsonl", run_of(*[5] * 8, seeker=TELLS))
    assert run(["diagnose", str(sound), "--skills", str(bank)]) == 0
    assert (
        capsys.readouterr().out
        == "4 episodes, 0 findings\nnext: more --draws see more, and --split report sees other seekers\n"
    )


def test_what_simulate_writes_can_be_diagnosed(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "run.jsonl"
    assert run(["simulate", "--draws", "20", "--out", str(out)]) == 0
    assert run(["diagnose", str(out), "--format", "json"]) == 0
    shown = json.loads(capsys.readouterr().out.partition("next:")[2].partition("\n")[2])
    assert shown["episodes"] == 20
    for line in out.read_text().split("\n")[:-1]:
        assert check_schema(json.loads(line), "transcript", "run") == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing.jsonl"], "nothing.jsonl: not-a-file"),
        ([], "Missing argument 'RUN'"),
        (["{run}", "--skills", "nothing"], "nothing"),
    ],
)
def test_what_cannot_be_read_ends_with_2(arguments: list[str], words: str, weak: Path, capsys: Capture) -> None:
    assert run(["diagnose", *(each.format(run=weak) for each in arguments)]) == 2
    assert words in capsys.readouterr().err
