"""`esc-skills evaluate` with the surrogate: what is measured, what is written, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from esc_skills.cli.main import run
from esc_skills.documents.jsonl import json_lines
from esc_skills.transcript import read_transcripts
from esc_skills.vocabulary import Language
from tests.samples import skill_text, write_skill
from tests.simulation.responses.talks import dialogue, dialogues

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "talks.jsonl").write_text(json_lines(each.as_json() for each in dialogues(9)), encoding="utf-8")


def evaluate(*arguments: str) -> int:
    return run(["evaluate", *arguments])


def found(capsys: Capture, *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    assert evaluate(*arguments, "--format", "json") == 0
    shown: dict[str, Any] = json.loads(capsys.readouterr().out)
    return shown


# --- responses ---------------------------------------------------------------------------------------------------------


def test_responses_are_compared_arm_by_arm_and_the_report_holds_every_one(tmp_path: Path, capsys: Capture) -> None:
    shown = found(capsys, "responses", "talks.jsonl", "--contexts", "6", "--out", "report.json")
    assert (shown["dialogues"], shown["drawn"], shown["control"]) == (9, 6, None)
    stratum = shown["strata"]["no-risk"]
    assert list(stratum["arms"]) == ["corpus", "no-bank", "strategy", "bank"]
    # The annotator knows the strategies of its corpus's own answers better than chance does.
    assert stratum["arms"]["corpus"]["match"]["estimate"] > stratum["arms"]["corpus"]["match_by_chance"]
    report = json.loads((tmp_path / "report.json").read_text())
    assert {key: report[key] for key in shown} == shown
    assert len(report["contexts"]) == 6
    assert all(each["said"]["bank"]["skill"] and each["judged"] for each in report["contexts"])
    assert all(report["settings"][key].startswith("sha256:") for key in ("contexts", "skills", "seeker_model"))


def test_equal_settings_give_equal_reports(tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert evaluate("responses", "talks.jsonl", "--out", f"{name}.json") == 0
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()


def test_only_and_exclude_show_what_they_change(capsys: Capture) -> None:
    only = found(capsys, "responses", "talks.jsonl", "--only", "offer-a-small-step")["control"]
    assert only["changed"]["estimate"] > 0
    kept = {each["skill"]: each for each in only["skills"] if each["kept"]}
    assert kept.keys() == {"offer-a-small-step"}
    step = kept["offer-a-small-step"]
    assert step["selected_restricted"] == 9 > step["selected"]
    assert step["shows_restricted"] <= step["selected_restricted"]
    assert only["moved"] == 9 - step["selected"]
    assert evaluate("responses", "talks.jsonl", "--exclude", "offer-a-small-step") == 0
    text = capsys.readouterr().out
    assert "offer-a-small-step (left out)" in text
    assert "of 9 answers changed" in text


def test_the_text_names_the_unit_and_claims_nothing_of_few_contexts(capsys: Capture) -> None:
    assert evaluate("responses", "talks.jsonl", "--contexts", "2") == 0
    shown = capsys.readouterr().out
    assert "2 contexts, one of a dialogue, from 9 dialogues" in shown
    assert "not shown" in shown
    assert "preferred" not in shown


def test_dialogues_that_cannot_be_answered_are_told(tmp_path: Path, capsys: Capture) -> None:
    talks = [dialogue("one"), dialogue("other", language=Language.CHINESE)]
    (tmp_path / "mixed.jsonl").write_text(json_lines(each.as_json() for each in talks), encoding="utf-8")
    assert evaluate("responses", "mixed.jsonl") == 0
    assert "from 2 dialogues, 1 in a language without skills" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--only", "offer-a-small-stepp"], "did you mean 'offer-a-small-step'?"),
        (["--exclude", "zzz"], "no skill named 'zzz'"),
        (["--skills", "none"], "without a bank there is nothing to measure"),
        (["--judge", "someone"], "--judge 'someone' is no model"),
        (["--judge", "local/strict", "--out", "r.json"], "no endpoint is named 'local'"),
        (["--contexts", "0"], "0 is not in the range"),
    ],
)
def test_what_cannot_be_used_ends_with_2_and_writes_nothing(
    options: list[str], words: str, tmp_path: Path, capsys: Capture
) -> None:
    assert evaluate("responses", "talks.jsonl", *options) == 2
    assert words in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["talks.jsonl"]


def test_a_line_that_is_no_dialogue_is_named(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(json_lines([dialogue("one").as_json(), {**dialogue("two").as_json(), "language": "fr"}]))
    assert evaluate("responses", "bad.jsonl") == 2
    assert "bad.jsonl:2" in capsys.readouterr().err


def test_a_report_is_not_written_over(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "report.json").write_text("mine")
    assert evaluate("responses", "talks.jsonl", "--out", "report.json") == 2
    assert "report.json: exists already" in capsys.readouterr().err
    assert (tmp_path / "report.json").read_text() == "mine"


# --- bank --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path: Path) -> str:
    for name, needs in {"wait-a-little": "be-heard", "wait-a-while": "deep-empathy"}.items():
        write_skill(tmp_path / "bank", name, skill_text(name, esc_needs=needs))
    write_skill(tmp_path / "bank", "wait-forever", skill_text("wait-forever", esc_risk="imminent"))
    return str(tmp_path / "bank")


def test_a_bank_is_weighed_on_the_draws_that_simulate_makes(small: str, tmp_path: Path, capsys: Capture) -> None:
    shown = found(capsys, "bank", "--skills", small, "--draws", "5", "--out", "worth.json")
    simulate = ["simulate", "--skills", small, "--split", "report", "--draws", "5", "--out", "run.jsonl"]
    assert run(simulate) == 0
    finals = [each.final_emotion for each in read_transcripts(tmp_path / "run.jsonl")]
    assert shown["bank"]["score"] == pytest.approx(sum(finals) / 5)
    assert [each["skill"] for each in shown["skills"]] == ["wait-a-little", "wait-a-while", "wait-forever"]
    assert {each["skill"]: each["mark"] for each in shown["skills"]}["wait-forever"] == "never selected"
    report = json.loads((tmp_path / "worth.json").read_text())
    assert {key: report[key] for key in shown} == shown
    assert report["settings"]["split"] == "report"


def test_the_table_of_a_bank_says_what_is_exploratory(small: str, capsys: Capture) -> None:
    assert evaluate("bank", "--skills", small, "--draws", "4") == 0
    shown = capsys.readouterr().out
    assert "4 draws of the report split" in shown
    assert "exploratory" in shown
    assert "By disposition" in shown
    assert "By hidden intention" in shown


def test_the_gates_parts_are_refused(small: str, capsys: Capture) -> None:
    assert evaluate("bank", "--skills", small, "--split", "gate") == 2
    shown = capsys.readouterr().err
    assert "the gate's profile parts judge proposals" in shown
    assert "--split report" in shown


def test_no_bank_cannot_be_weighed(capsys: Capture) -> None:
    assert evaluate("bank", "--skills", "none") == 2
    assert "without a bank there is nothing to measure" in capsys.readouterr().err
