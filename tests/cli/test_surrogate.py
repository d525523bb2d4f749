"""`esc-skills surrogate`: a fit into a file of one's own, and its agreement with what was recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from esc_skills.cli.main import run
from esc_skills.surrogate.appraisal import SHIPPED, load_seeker_model
from tests.surrogate.generated import generate, write

Capture = pytest.CaptureFixture[str]
CONTRACT = {"episodes", "turn_r", "dialogue_r", "leaderboard_rho", "feedback_rho", "auc"}
TASTES = {"generous": 0.8, "even": 0.5, "harsh": 0.2}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recorded files of three supporters, one of a fourth, and `model.json`, fitted on the first three."""
    folder = tmp_path_factory.mktemp("surrogate")
    for name, taste in TASTES.items():
        write(folder / f"{name}.jsonl", generate(name, 40, taste=taste))
    write(folder / "fresh.jsonl", generate("fresh", 24))
    files = [str(folder / f"{name}.jsonl") for name in TASTES]
    options = ["--out", str(folder / "model.json"), "--source", "made up", "--licence", "none"]
    assert run(["surrogate", "fit", *files, *options]) == 0
    return folder


@pytest.mark.parametrize("command", ["fit", "fit-annotator"])
def test_a_fit_does_not_write_over_what_it_reads(tmp_path: Path, capsys: Capture, command: str) -> None:
    file = write(tmp_path / "x.jsonl", generate("x", 8))
    before = file.read_bytes()
    assert run(["surrogate", command, str(file), "--out", str(file)]) == 2
    assert "is one of the files that are read" in capsys.readouterr().err
    assert file.read_bytes() == before


def esconv(path: Path, *, failed: bool) -> Path:
    """A file in the form of ESConv, or of FailedESConv, of four dialogues."""
    seeker, supporter = ("speaker", "listener") if failed else ("seeker", "supporter")
    kind = "You kept the team going though the rota took your weekend. What was the worst of it?"
    cold = "You should have said so. It could be worse."

    def dialogue(number: int) -> dict[str, Any]:
        said = [(cold, "1"), (cold, "2")] if failed else [(kind, "5"), (cold, "2")]
        lines: list[dict[str, Any]] = [{"speaker": seeker, "annotation": {}, "content": f"Rota {number} changed."}]
        for text, feedback in said:
            lines.append({"speaker": supporter, "annotation": {"strategy": "Question"}, "content": text})
            annotation = {} if failed else {"feedback": feedback}
            lines.append({"speaker": seeker, "annotation": annotation, "content": "My weekend is gone."})
        return {
            "emotion_type": "anger",
            "problem_type": "job crisis",
            "situation": "The rota changed.",
            "survey_score": {"supporter": {"relevance": "4"}}
            if failed
            else {"seeker": {"initial_emotion_intensity": "4", "final_emotion_intensity": "2"}, "supporter": {}},
            "dialog": lines,
        }

    path.write_text(json.dumps([dialogue(number) for number in range(4)]), encoding="utf-8")
    return path


def evaluated(capsys: Capture, *arguments: object) -> dict[str, Any]:
    capsys.readouterr()
    assert run(["surrogate", "evaluate", *map(str, arguments), "--format", "json"]) == 0
    shown: dict[str, Any] = json.loads(capsys.readouterr().out)
    return shown


def test_a_fit_says_what_it_rests_on(folder: Path) -> None:
    model = load_seeker_model(folder / "model.json")
    assert [(source.name, source.episodes) for source in model.fitted_on] == [
        ("even.jsonl", 40),
        ("generous.jsonl", 40),
        ("harsh.jsonl", 40),
    ]
    assert (model.source, model.licence) == ("made up", "none")


def test_equal_files_give_an_equal_fit_in_whatever_order(folder: Path, tmp_path: Path, capsys: Capture) -> None:
    files = [str(folder / f"{name}.jsonl") for name in ("harsh", "generous", "even")]
    out = tmp_path / "model.json"
    assert run(["surrogate", "fit", *files, "--out", str(out), "--source", "made up", "--licence", "none"]) == 0
    assert out.read_bytes() == (folder / "model.json").read_bytes()
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].endswith(f"features from 120 episodes in {out}")
    assert shown[1] == f"next: esc-skills surrogate evaluate {' '.join(files)}"


def test_evaluation_has_the_keys_of_the_contract_and_null_where_it_does_not_apply(
    folder: Path, capsys: Capture
) -> None:
    shown = evaluated(capsys, folder / "fresh.jsonl", "--model", folder / "model.json")
    assert set(shown) >= CONTRACT
    assert shown["episodes"] == 24
    assert not shown["in_sample"]
    assert shown["turn_r"] > 0.3
    assert shown["dialogue_r"] is not None
    assert (shown["leaderboard_rho"], shown["feedback_rho"], shown["auc"]) == (None, None, None)


def test_supporters_are_ranked_from_three_on(folder: Path, capsys: Capture) -> None:
    files = [folder / f"{name}.jsonl" for name in TASTES]
    shown = evaluated(capsys, *files, "--model", folder / "model.json")
    assert (shown["episodes"], shown["in_sample"]) == (120, False)
    assert shown["leaderboard_rho"] == pytest.approx(1)


def test_a_file_of_the_fit_alone_is_measured_in_sample_and_it_is_said(folder: Path, capsys: Capture) -> None:
    arguments = [str(folder / "even.jsonl"), "--model", str(folder / "model.json")]
    only = folder / "only.json"
    assert run(["surrogate", "fit", arguments[0], "--out", str(only)]) == 0
    assert evaluated(capsys, arguments[0], "--model", only)["in_sample"]
    assert run(["surrogate", "evaluate", arguments[0], "--model", str(only)]) == 0
    assert "on 40 episodes, in sample: fit without them to know more" in capsys.readouterr().out


def test_esconv_gives_the_agreement_with_human_feedback(tmp_path: Path, capsys: Capture) -> None:
    good = esconv(tmp_path / "ESConv.json", failed=False)
    shown = evaluated(capsys, good)
    assert shown["episodes"] == 4
    assert shown["feedback_rho"] > 0.5
    assert (shown["turn_r"], shown["dialogue_r"], shown["leaderboard_rho"], shown["auc"]) == (None, None, None, None)


def test_with_failed_dialogues_beside_them_it_tells_them_apart(tmp_path: Path, capsys: Capture) -> None:
    files = [esconv(tmp_path / "ESConv.json", failed=False), esconv(tmp_path / "FailedESConv.json", failed=True)]
    shown = evaluated(capsys, *files)
    assert shown["episodes"] == 8
    assert shown["auc"] == 1.0


def test_both_kinds_of_file_can_be_given_at_once(folder: Path, tmp_path: Path, capsys: Capture) -> None:
    shown = evaluated(capsys, folder / "fresh.jsonl", esconv(tmp_path / "ESConv.json", failed=False))
    assert shown["episodes"] == 28
    assert shown["dialogue_r"] is not None
    assert shown["feedback_rho"] is not None


def test_people_are_shown_what_applies(folder: Path, capsys: Capture) -> None:
    capsys.readouterr()
    assert run(["surrogate", "evaluate", str(folder / "fresh.jsonl")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Pearson r of the change a turn: 0.")
    assert lines[-1] == "on 24 episodes"
    assert not any("ESConv" in line or "AUC" in line for line in lines)


@pytest.mark.parametrize("command", ["fit", "evaluate"])
@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "nothing.jsonl"), ("", "holds no episode"), ("{}\n", "schema-"), ("{", "json-syntax")],
)
def test_what_holds_no_transcripts_ends_with_2(
    command: str, content: str | None, words: str, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / ("nothing.jsonl" if content is None else "run.jsonl")
    if content is not None:
        path.write_text(content)
    out = ["--out", str(tmp_path / "model.json")] if command == "fit" else []
    before = SHIPPED.read_bytes()
    assert run(["surrogate", command, str(path), *out]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "model.json").exists()
    assert SHIPPED.read_bytes() == before


def test_a_model_that_is_none_ends_with_2(folder: Path, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "model.json").write_text("{}")
    arguments = ["surrogate", "evaluate", str(folder / "fresh.jsonl"), "--model", str(tmp_path / "model.json")]
    assert run(arguments) == 2
    assert "is no fitted seeker" in capsys.readouterr().err
