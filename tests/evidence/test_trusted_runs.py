"""Where a repository names whose runs of models count, a run by its author is a preview, and a trusted one on the same seekers decides."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import Ran, call, evidence, ledger, verify
from tests.model_server import KEY, ModelServer
from tests.proposals import git
from tests.samples import BODY, skill_text, write_skill

SKILL = "wait-a-little"
GATE = '[tool.esc-skills.gate]\ndraws = 8\nbatch = 4\nthreshold = 1.2\nspan_draws = 1\nstratum_draws = 0\ntrusted = ["ci"]\n'


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    made = ModelServer()
    monkeypatch.setenv("TEST_KEY", KEY)
    yield made
    made.close()


@pytest.fixture
def keys(tmp_path: Path, own_home: Path) -> dict[str, Path]:
    for name in ("ci", "eve"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(tmp_path / name)]
        subprocess.run(command, check=True)
    return {name: tmp_path / name for name in ("ci", "eve")}


@pytest.fixture
def team(tmp_path: Path, keys: dict[str, Path]) -> Path:
    """A repository whose base trusts ci, with a branch `softly` that changes a line of guidance."""
    folder = tmp_path / "team"
    for name in (SKILL, "name-one-step"):
        write_skill(folder / "skills", name)
    (folder / "pyproject.toml").write_text(GATE)
    signers = [f"{name} {keys[name].with_suffix('.pub').read_text()}" for name in keys]
    (folder / "allowed_signers").write_text("".join(signers))
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "A small bank")
    git(folder, "checkout", "--quiet", "-b", "softly")
    text = skill_text(SKILL, version="1.1.0", body=BODY.replace("1. Say that", "1. Say softly that"))
    write_skill(folder / "skills", SKILL, text)
    git(folder, "commit", "--quiet", "--all", "--message", "Softly")
    git(folder, "checkout", "--quiet", "main")
    return folder


def collect(server: ModelServer, folder: Path, head: str, *more: str) -> Ran:
    players = ("--supporter", "local/tiny", "--seeker", "local/tiny", "--endpoint", f"local={server.url},TEST_KEY")
    return evidence("collect", folder, head, *players, *more)


def kinds(folder: Path) -> list[str]:
    return [each["kind"] for each in json.loads(ledger(folder, "show", "--format", "json").out)["entries"]]


def test_a_run_by_its_author_is_a_preview_and_a_trusted_one_decides(
    server: ModelServer, team: Path, keys: dict[str, Path]
) -> None:
    waiting = collect(server, team, "softly")
    assert (waiting.code, server.calls) == (2, 0)
    assert call("ledger", "draw", "--repo", str(team), "--key", str(keys["ci"])).code == 0

    preview = collect(server, team, "softly")

    assert (preview.code, preview.result["gate"], preview.result["verdict"]) == (1, "accept", "indecisive")
    assert (
        "a preview, which the ledger does not hold: ci plays the same seekers afresh" in preview.result["would_decide"]
    )
    head = preview.result["branch"]
    assert kinds(team) == ["epoch", "registration", "drawn"]
    assert verify(team, head)["exit"] == 1

    # Nor does a signature of somebody else's make it more.
    other = collect(server, team, head, "--sign", str(keys["eve"]))
    assert other.result["verdict"] == "indecisive"
    assert kinds(team) == ["epoch", "registration", "drawn"]

    before = server.calls
    played = collect(server, team, head, "--sign", str(keys["ci"]))

    assert (played.code, played.result["branch"]) == (0, head), played.err
    assert kinds(team) == ["epoch", "registration", "drawn", "decision"]
    shown = call("verify", "--repo", str(team), "--base", "main", "--head", head)
    assert shown.code == 0
    assert "evidence valid, verdict accept, played by local/tiny in every role, run by ci" in shown.out.replace(
        "local/tiny (supporter), local/tiny (seeker)", "local/tiny in every role"
    )
    assert server.calls > before


def test_evidence_without_a_decision_says_that_it_is_a_preview(
    server: ModelServer, team: Path, keys: dict[str, Path]
) -> None:
    collect(server, team, "softly")
    call("ledger", "draw", "--repo", str(team), "--key", str(keys["ci"]))
    head = collect(server, team, "softly").result["branch"]
    found = verify(team, head)
    assert (found["evidence"], found["verdict"], found["exit"]) == ("valid", "indecisive", 1)
    assert "so a preview: it counts once ci plays the same seekers afresh" in found["checks"][-1]["detail"]
