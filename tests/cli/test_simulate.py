"""`esc-skills simulate`: equal settings give equal bytes, and what is in the way is said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from esc_skills.bank.reader import Bank, read_bank, read_files
from esc_skills.cli.main import run
from esc_skills.documents.shipped import shipped
from esc_skills.simulation.draws import Draw
from esc_skills.simulation.players import Players, play
from esc_skills.transcript import Transcript, read_transcripts
from esc_skills.vocabulary import Arm
from tests.samples import write_skill

Capture = pytest.CaptureFixture[str]


def simulate(out: Path, *options: str, draws: int = 6) -> int:
    return run(["simulate", "--draws", str(draws), "--out", str(out), *options])


def seekers(out: Path) -> list[tuple[str, str]]:
    return [(each.profile, each.seed) for each in read_transcripts(out)]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without a bank of its own, where the shipped one serves."""
    monkeypatch.chdir(tmp_path)


def test_the_bank_of_the_repository_comes_before_the_shipped_one(tmp_path: Path, capsys: Capture) -> None:
    shutil.copytree(shipped("examples", "weakened-bank"), tmp_path / "skills")
    assert simulate(tmp_path / "run.jsonl") == 0
    assert "with skills in" in capsys.readouterr().out


def test_a_run_keeps_one_transcript_a_line_in_the_order_of_its_draws(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "run.jsonl"
    assert simulate(out) == 0
    transcripts = read_transcripts(out)
    bank = read_bank(read_files(shipped("skills")), "skills")
    assert [each.draw for each in transcripts] == list(range(6))
    assert {(each.arm, each.bank, each.supporter, each.seeker) for each in transcripts} == {
        (Arm.RUN, bank.digest, "surrogate", "surrogate")
    }
    assert {turn.skill for each in transcripts for turn in each.turns if turn.supporter} <= set(bank.skills)
    shown = capsys.readouterr()
    assert shown.out.startswith(f"6 episodes with {shipped('skills')} in {out}: score ")
    assert f"next: esc-skills score {out}" in shown.out
    assert shown.err == ""


def test_equal_settings_give_equal_bytes_however_many_run_at_a_time(tmp_path: Path) -> None:
    one, other = tmp_path / "one.jsonl", tmp_path / "other.jsonl"
    assert simulate(one, "--concurrency", "1") == simulate(other) == 0
    assert one.read_bytes() == other.read_bytes()


def test_fewer_draws_are_the_start_of_more(tmp_path: Path) -> None:
    assert simulate(tmp_path / "few.jsonl", draws=3) == simulate(tmp_path / "more.jsonl", draws=6) == 0
    assert seekers(tmp_path / "few.jsonl") == seekers(tmp_path / "more.jsonl")[:3]


def test_another_seed_or_split_draws_other_seekers(tmp_path: Path) -> None:
    for name, options in {"plain": [], "seeded": ["--seed", "1"], "gate": ["--split", "gate"]}.items():
        assert simulate(tmp_path / f"{name}.jsonl", *options) == 0
    runs = {name: seekers(tmp_path / f"{name}.jsonl") for name in ("plain", "seeded", "gate")}
    assert runs["plain"] != runs["seeded"]
    scenarios = {name: {profile.split("/")[0] for profile, _ in each} for name, each in runs.items()}
    assert not scenarios["plain"] & scenarios["gate"]


def test_the_bank_does_not_change_who_is_drawn(tmp_path: Path) -> None:
    write_skill(tmp_path / "mine")
    assert simulate(tmp_path / "shipped.jsonl") == 0
    assert simulate(tmp_path / "small.jsonl", "--skills", str(tmp_path / "mine")) == 0
    assert simulate(tmp_path / "none.jsonl", "--skills", "none") == 0
    assert seekers(tmp_path / "shipped.jsonl") == seekers(tmp_path / "small.jsonl") == seekers(tmp_path / "none.jsonl")
    small, none = (read_transcripts(tmp_path / f"{name}.jsonl") for name in ("small", "none"))
    assert {turn.skill for each in small for turn in each.turns} <= {"wait-a-little", None}
    assert {turn.skill for each in none for turn in each.turns} == {None}
    assert {each.bank for each in none} == {None}


def test_a_part_of_the_bank_is_simulated_with_the_same_seekers(tmp_path: Path, capsys: Capture) -> None:
    assert simulate(tmp_path / "whole.jsonl") == 0
    assert simulate(tmp_path / "part.jsonl", "--only", "see-the-other-side", "--only", "offer-a-small-step") == 0
    assert f"see-the-other-side, offer-a-small-step of {shipped('skills')}" in capsys.readouterr().out
    assert simulate(tmp_path / "less.jsonl", "--exclude", "see-the-other-side") == 0
    assert seekers(tmp_path / "whole.jsonl") == seekers(tmp_path / "part.jsonl") == seekers(tmp_path / "less.jsonl")
    used = {
        name: {turn.skill for each in read_transcripts(tmp_path / f"{name}.jsonl") for turn in each.turns}
        for name in ("whole", "part", "less")
    }
    assert used["part"] <= {"see-the-other-side", "offer-a-small-step", None}
    assert "see-the-other-side" in used["whole"] - used["less"]


def test_json_names_the_file_and_the_score(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "run.jsonl"
    assert simulate(out, "--format", "json") == 0
    shown = json.loads(capsys.readouterr().out)
    finals = [each.final_emotion for each in read_transcripts(out)]
    assert shown == {
        "out": str(out),
        "skills": str(shipped("skills")),
        "episodes": 6,
        "faults": 0,
        "score": pytest.approx(sum(finals) / 6),
    }


def test_an_interrupted_run_goes_on_where_it_was(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, out = tmp_path / "whole.jsonl", tmp_path / "run.jsonl"
    assert simulate(whole) == 0
    played: list[int] = []

    async def play_until_interrupted(players: Players, draw: Draw, bank: Bank | None, arm: Arm) -> Transcript:
        if draw.position == 4 and 4 not in played:
            played.append(4)
            raise KeyboardInterrupt
        played.append(draw.position)
        return await play(players, draw, bank, arm)

    monkeypatch.setattr("esc_skills.cli.simulate.play", play_until_interrupted)
    assert simulate(out, "--concurrency", "1") == 130
    assert not out.exists()
    assert simulate(out) == 2
    assert "add --resume to go on" in capsys.readouterr().err
    assert simulate(out, "--resume", "--seed", "1") == 2
    assert "was started with other settings" in capsys.readouterr().err
    assert simulate(out, "--resume") == 0
    assert played == [0, 1, 2, 3, 4, 4, 5]
    assert out.read_bytes() == whole.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.jsonl", "whole.jsonl"]


def test_a_finished_run_is_not_written_over(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "run.jsonl"
    assert simulate(out) == 0
    before = out.read_bytes()
    assert simulate(out) == 2
    assert f"{out}: exists already" in capsys.readouterr().err
    assert out.read_bytes() == before


def test_profiles_of_ones_own_can_be_drawn_from(tmp_path: Path, capsys: Capture) -> None:
    shutil.copytree(shipped("profiles"), tmp_path / "profiles")
    for path in (tmp_path / "profiles" / "personas").iterdir():
        if path.stem != "joking-barista":
            path.unlink()
    assert simulate(tmp_path / "run.jsonl", "--profiles", str(tmp_path / "profiles")) == 0
    assert {profile.split("/")[1] for profile, _ in seekers(tmp_path / "run.jsonl")} == {"joking-barista"}
    capsys.readouterr()
    assert simulate(tmp_path / "gate.jsonl", "--profiles", str(tmp_path / "profiles"), "--split", "gate") == 2
    assert "0 personas; both are needed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--supporter", "gpt-9"], "--supporter 'gpt-9' is no model"),
        (["--seeker", ""], "--seeker '' is no model"),
        (["--skills", "nothing"], "nothing"),
        (["--profiles", "nothing"], "nothing"),
        (["--split", "training"], "'training' is not one of"),
        (["--draws", "0"], "0 is not in the range"),
        (["--only", "reflect-the-felings"], "did you mean 'reflect-the-feeling'?"),
        (["--skills", "none", "--exclude", "reflect-the-feeling"], "without a bank there is nothing to measure"),
    ],
)
def test_what_cannot_be_used_ends_with_2_and_writes_nothing(
    options: list[str], words: str, tmp_path: Path, capsys: Capture
) -> None:
    assert simulate(tmp_path / "run.jsonl", *options) == 2
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_where_to_write_has_to_be_said(capsys: Capture) -> None:
    assert run(["simulate"]) == 2
    assert "Missing option '--out'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "no skill of the bank has examples in the language 'zh' of some seekers"),
        (("--skills", "none"), "the surrogate supporter does not speak 'zh', as some seekers do"),
    ],
)
def test_a_language_that_nobody_speaks_is_told_before_the_first_episode(
    options: tuple[str, ...], said: str, tmp_path: Path, capsys: Capture
) -> None:
    shutil.copytree(shipped("profiles"), tmp_path / "chinese")
    for path in (tmp_path / "chinese" / "scenarios").glob("*.yaml"):
        path.write_text(path.read_text().replace("language: en", "language: zh"))
    out = tmp_path / "run.jsonl"
    assert simulate(out, "--profiles", str(tmp_path / "chinese"), *options) == 2
    told = capsys.readouterr().err
    assert said in told and len(told.strip().split("\n")) == 2
    assert not out.exists()
