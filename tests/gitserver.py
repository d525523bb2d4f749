"""A git server with the gate in front of it: a bare repository with the hook, and a clone that holds a proposal."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from esc_skills.bank.reader import read_bank, read_files
from esc_skills.cli.main import run
from esc_skills.documents.shipped import shipped
from tests.proposals import git
from tests.samples import with_better_example

#: A gate of few draws, which a bank that is mended passes.
QUICK = "[tool.esc-skills.gate]\ndraws = 100\nbatch = 10\nthreshold = 1.1\nspan_draws = 1\n"
SKILL = "skills/reflect-the-feeling/SKILL.md"
OTHER = "skills/affirm-what-they-did/SKILL.md"


@dataclass(frozen=True)
class Pushed:
    """What came of a push: the exit code, and what the pusher read."""

    code: int
    told: str

    @property
    def passed(self) -> bool:
        return self.code == 0


@dataclass(frozen=True)
class Server:
    """A bare repository with the hook, and a clone with a proposal that it accepts.

    Attributes:
        bare: The repository that is pushed to.
        work: The clone; `main` is checked out.
        proposal: The proposal's branch, of two commits: a change by hand, and its evidence.
    """

    bare: Path
    work: Path
    proposal: str

    def git(self, *arguments: str) -> str:
        return git(self.work, *arguments)

    def push(self, *arguments: str, to: str | None = None) -> Pushed:
        command = ["git", "push", to or self.bare.as_uri(), *arguments]
        done = subprocess.run(command, cwd=self.work, capture_output=True, text=True, check=False)
        return Pushed(done.returncode, done.stderr)

    def commit(self, path: str, text: str, message: str = "A change") -> str:
        """Commit a file where the clone stands, and return the commit."""
        (self.work / path).parent.mkdir(parents=True, exist_ok=True)
        (self.work / path).write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")

    def head(self, branch: str = "main") -> str:
        return git(self.bare, "rev-parse", f"refs/heads/{branch}")

    def holds(self, commit: str) -> bool:
        """Whether the bare repository has a commit, in whatever branch."""
        done = subprocess.run(["git", "cat-file", "-e", commit], cwd=self.bare, capture_output=True, check=False)
        return done.returncode == 0


def make_server(root: Path) -> Server:
    """Make one below an empty folder."""
    bare, work = root / "bare.git", root / "work"
    shutil.copytree(shipped("examples", "weakened-bank"), work / "skills")
    shutil.copytree(shipped("profiles"), work / "profiles")
    (work / "pyproject.toml").write_text(QUICK)
    (work / "README.md").write_text("A bank.\n")
    git(work, "init", "--quiet")
    git(work, "add", "--all")
    git(work, "commit", "--quiet", "--message", "A weakened bank")
    git(root, "init", "--quiet", "--bare", str(bare))
    git(work, "remote", "add", "origin", bare.as_uri())
    assert run(["hook", "install", "--server", "--repo", str(bare)]) == 0
    git(work, "push", "--quiet", "origin", "main")
    git(work, "checkout", "--quiet", "-b", "better")
    harmed = read_bank(read_files(work / "skills"), "skills").skills["reflect-the-feeling"]
    for name, text in with_better_example(harmed).items():
        (work / SKILL).parent.joinpath(name).write_text(text)
    git(work, "commit", "--quiet", "--all", "--message", "Better examples")
    command = [
        "evidence",
        "collect",
        "--repo",
        str(work),
        "--base",
        "main",
        "--head",
        "better",
        "--remote",
        "origin",
        "--format",
        "json",
    ]
    done = subprocess.run([sys.executable, "-m", "esc_skills", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    git(work, "checkout", "--quiet", "main")
    return Server(bare, work, json.loads(done.stdout)["branch"])


def copy_server(made: Server, root: Path) -> Server:
    """Return one that a test may change."""
    shutil.copytree(made.bare.parent, root)
    server = Server(root / "bare.git", root / "work", made.proposal)
    server.git("remote", "set-url", "origin", server.bare.as_uri())
    return server
