"""The command line, as the tests of this folder call it: in this process, with what it printed and its exit code."""

from __future__ import annotations

import io
import json
import subprocess
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from esc_skills.cli.main import run


@dataclass(frozen=True)
class Ran:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def result(self) -> dict[str, Any]:
        """What it printed as JSON."""
        assert self.out, self.err
        value: dict[str, Any] = json.loads(self.out)
        return value


def call(*arguments: str) -> Ran:
    """Run a command."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run(arguments)
    return Ran(code, out.getvalue(), err.getvalue())


def evidence(command: str, folder: Path, head: str, *more: str) -> Ran:
    """Collect or renew the evidence of a branch, at the remote `origin` where there is one."""
    return call(
        "evidence", command, "--repo", str(folder), "--head", head, *agreed(folder, more), *more, "--format", "json"
    )


def agreed(folder: Path, options: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The option by which a person agrees that the ledger is made at `origin`."""
    remotes = subprocess.run(["git", "remote"], cwd=folder, check=True, capture_output=True, text=True).stdout.split()
    return ("--remote", "origin") if "origin" in remotes and not {"--remote", "--offline"} & {*options} else ()


def verify(folder: Path, head: str, *more: str, base: str = "main") -> dict[str, Any]:
    """Verify a branch, and return what that printed, with its exit code as `exit`."""
    ran = call("verify", "--repo", str(folder), "--base", base, "--head", head, *more, "--format", "json")
    return {**ran.result, "exit": ran.code}


def ledger(folder: Path, *arguments: str) -> Ran:
    """Show, check or open something in a repository's ledger."""
    return call("ledger", *arguments, "--repo", str(folder))


def detail(verified: dict[str, Any]) -> str:
    """What the last check of a verification says."""
    return str(verified["checks"][-1]["detail"])
