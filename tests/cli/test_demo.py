"""`esc-skills demo`: the whole loop, without a key and without a network, from a weakened bank to a verified branch."""

from __future__ import annotations

import contextlib
import io
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from esc_skills.cli.main import run
from tests.proposals import git

Capture = pytest.CaptureFixture[str]
STALE = "left by an earlier demo.txt"


@dataclass(frozen=True)
class Shown:
    """A demo that ran to its end: its folder, exit code and words."""

    folder: Path
    code: int
    out: str
    err: str

    @property
    def branch(self) -> str:
        (branch,) = git(self.folder, "branch", "--list", "evolve/examples-*", "--format=%(refname:short)").split("\n")
        return branch


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, own_home: Path) -> Shown:
    """One demo, run over what an earlier one left; that of `make demo` takes five times the seekers."""
    folder = tmp_path_factory.mktemp("demo") / "scratch"
    folder.mkdir()
    (folder / ".esc-skills-demo").write_text("an earlier demo")
    (folder / STALE).write_text("old")
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(["demo", "--into", str(folder), "--draws", "60"])
    return Shown(folder, code, out.getvalue(), err.getvalue())


def test_it_ends_with_an_accepted_and_verified_proposal(demo: Shown) -> None:
    assert demo.code == 0
    lines = demo.out.splitlines()
    assert "evidence valid, verdict accept, simulated offline" in lines
    assert any(line.startswith("ACCEPT: The e-value reached 20 within") for line in lines)
    assert "error" not in demo.err


def test_a_harmful_line_beside_the_same_examples_is_not_accepted(demo: Shown) -> None:
    attack = demo.out.split("4. Attack", 1)[1].splitlines()
    assert any(
        line.startswith("REFUSED: skills/reflect-the-feeling/SKILL.md:") and "text-red-act" in line for line in attack
    )
    assert any(line.startswith("INDECISIVE: reflect-the-feeling: guidance: read in 0 draws") for line in attack)


def test_it_says_each_step_of_the_loop_in_its_order(demo: Shown) -> None:
    steps = [
        line for line in demo.out.splitlines() if line[:2] in ("1.", "2.", "3.", "4.") or line.startswith("Done in")
    ]
    assert [step[:2] for step in steps] == ["1.", "2.", "3.", "4.", "Do"]
    assert demo.err.splitlines()[0] == "simulating the bank on evolution profiles …"
    assert demo.err.splitlines()[-1] == "running both arms on gate seekers …"


def test_the_branch_exists_and_can_be_verified_again_by_hand(demo: Shown, capsys: Capture) -> None:
    assert demo.branch.startswith("evolve/")
    assert run(["verify", "--repo", str(demo.folder), "--base", "main", "--head", demo.branch]) == 0
    assert "evidence valid, verdict accept" in capsys.readouterr().out


def test_the_commands_that_it_names_next_work(demo: Shown, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    after = demo.out.split("Where to look next:\n")[1].splitlines()
    assert [line.split()[0] for line in after] == ["cd", "esc-skills", "git", "esc-skills"]
    monkeypatch.chdir(demo.folder)
    assert after[0] == f"  cd {demo.folder}"
    assert run(after[1].split()[1:]) == 0
    assert git(demo.folder, *after[2].split()[1:]).startswith(f"# {demo.branch.removeprefix('evolve/')}")
    assert after[3] == f"  esc-skills verify --base main --head {demo.branch}"


def test_an_earlier_demo_is_replaced(demo: Shown) -> None:
    assert not (demo.folder / STALE).exists()
    assert git(demo.folder, "status", "--porcelain") == ""
    assert git(demo.folder, "rev-parse", "--abbrev-ref", "HEAD") == "main"
    assert git(demo.folder, "rev-list", "--count", "main") == "1"


def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "thesis.md").write_text("years of work")
    assert run(["demo", "--into", str(tmp_path)]) == 2
    shown = capsys.readouterr()
    assert f"{tmp_path}: holds other files" in shown.err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.md"]


def test_a_file_is_no_folder_for_it(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "thesis.md").write_text("years of work")
    assert run(["demo", "--into", str(tmp_path / "thesis.md")]) == 2
    assert (tmp_path / "thesis.md").read_text() == "years of work"
    assert "is a file" in capsys.readouterr().err
