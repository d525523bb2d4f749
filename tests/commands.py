"""The command line, as the tests of this folder call it: in this process, with what it printed and its exit code."""

from __future__ import annotations

import io
import json
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
    """Collect or renew the evidence of a branch."""
    return call("evidence", command, "--repo", str(folder), "--head", head, *more, "--format", "json")


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
