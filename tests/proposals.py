"""Proposals, made once by the command line, that tests copy and then tamper with."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from esc_skills.cli.main import run
from esc_skills.documents.shipped import shipped

#: A gate of few draws, so that re-execution is quick; what it decides does not matter to these tests.
QUICK = "[tool.esc-skills.gate]\ndraws = 20\nbatch = 10\nthreshold = 1.2\nspan_draws = 1\n"


@dataclass(frozen=True)
class Proposed:
    """A repository with a proposal.

    Attributes:
        folder: The repository, with `main` checked out.
        branch: The proposal's branch.
        result: What `evolve --format json` printed.
    """

    folder: Path
    branch: str
    result: dict[str, Any]

    @property
    def evidence(self) -> str:
        """The evidence folder, from the root."""
        return f"evidence/{self.result['proposal']}"

    def git(self, *arguments: str) -> str:
        """Run git in the repository."""
        return git(self.folder, *arguments)


def git(folder: Path, *arguments: str) -> str:
    """Run git and return what it printed."""
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture(scope="session")
def weakened(tmp_path_factory: pytest.TempPathFactory, own_home: Path) -> Path:
    """A repository whose bank is the weakened one, with a quick gate."""
    folder = tmp_path_factory.mktemp("weakened") / "repository"
    shutil.copytree(shipped("examples", "weakened-bank"), folder / "skills")
    shutil.copytree(shipped("profiles"), folder / "profiles")
    (folder / "pyproject.toml").write_text(QUICK)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "A weakened bank")
    return folder


@pytest.fixture(scope="session")
def _proposed(weakened: Path, tmp_path_factory: pytest.TempPathFactory) -> Proposed:
    folder = tmp_path_factory.mktemp("proposed") / "repository"
    shutil.copytree(weakened, folder)
    command = [sys.executable, "-m", "esc_skills", "evolve", "--repo", str(folder), "--draws", "60", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    result = json.loads(done.stdout)
    return Proposed(folder, result["branch"], result)


@pytest.fixture
def proposed(_proposed: Proposed, tmp_path: Path) -> Proposed:
    """A copy of the proposal that a test may change."""
    folder = tmp_path / "proposed"
    shutil.copytree(_proposed.folder, folder)
    return Proposed(folder, _proposed.branch, _proposed.result)


@pytest.fixture
def verify(capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """Run `verify` on a proposal and return its JSON, with the exit code as `exit`."""

    def call(proposal: Proposed, head: str | None = None, base: str = "main") -> dict[str, Any]:
        arguments = ["verify", "--repo", str(proposal.folder), "--base", base, "--head", head or proposal.branch]
        code = run([*arguments, "--format", "json"])
        captured = capsys.readouterr()
        assert captured.out, captured.err
        return {**json.loads(captured.out), "exit": code}

    return call
