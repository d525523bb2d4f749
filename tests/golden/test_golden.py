"""What the commands print and leave behind, whole, against files that were written once and read by a person.

A change that moves code leaves all of it as it is. One that means to change it writes the files anew, and its diff shows
what became different: `ESC_SKILLS_GOLDEN=write pytest tests/golden`.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from esc_skills.documents.jsonl import digest
from esc_skills.documents.shipped import shipped
from tests.commands import call
from tests.model_server import KEY, SKILL, ModelServer
from tests.proposals import git
from tests.samples import skill_text, write_skill

HERE = Path(__file__).parent
SURROGATE = "[tool.esc-skills.gate]\ndraws = 20\nbatch = 10\nthreshold = 1.2\nspan_draws = 1\n"
MODELS = "[tool.esc-skills.gate]\ndraws = 8\nbatch = 4\nthreshold = 1.2\nspan_draws = 1\nstratum_draws = 0\n"
WHEN = "2030-01-01T00:00:00Z"
Agrees = Callable[[str, Any], None]


@pytest.fixture(autouse=True)
def fixed_dates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commits of equal content have equal ids."""
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_DATE", WHEN)


@pytest.fixture
def agrees() -> Agrees:
    """Compare a value with its file, or write that where it is asked."""

    def compare(name: str, value: Any) -> None:
        path = HERE / f"{name}.json"
        text = json.dumps(value, ensure_ascii=False, indent=1) + "\n"
        if os.environ.get("ESC_SKILLS_GOLDEN") == "write":
            path.write_text(text, encoding="utf-8")
        assert json.loads(text) == json.loads(path.read_text(encoding="utf-8"))

    return compare


def repository_in(folder: Path, settings: str) -> Path:
    shutil.copytree(shipped("profiles"), folder / "profiles")
    (folder / "pyproject.toml").write_text(settings)
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "A bank"]):
        git(folder, *command)
    return folder


def left_behind(folder: Path, branch: str) -> dict[str, Any]:
    """The digests of all that a proposal's branch adds, and what its statement says, but for how zlib packs."""
    paths = git(folder, "diff", "--name-only", f"main...{branch}").split("\n")
    found: dict[str, Any] = {}
    for path in paths:
        data = subprocess.run(["git", "show", f"{branch}:{path}"], cwd=folder, check=True, capture_output=True).stdout
        if path.endswith("/statement.json"):
            found[path] = json.loads(re.sub(r'"file_digest": "[^"]*"', '"file_digest": ""', data.decode()))
        else:
            found[path] = digest(gzip.decompress(data) if path.endswith(".gz") else data)
    return found


def told(folder: Path, branch: str) -> dict[str, Any]:
    """What the commands say of a proposal."""
    where = ("--repo", str(folder))
    names = ("--base", "main", "--head", branch)
    verified = call("verify", *where, *names, "--format", "json").result
    del verified["bound"]["tool"]  # the digest of the package, which every commit changes
    return {
        "verify": verified,
        "verify text": call("verify", *where, *names).out.split("\n"),
        "ledger": call("ledger", "show", *where, "--format", "json").result,
        "ledger verify": call("ledger", "verify", *where).out,
        "diff": call("diff", f"main..{branch}", *where).out.split("\n"),
    }


def test_a_proposal_of_the_surrogate(tmp_path: Path, agrees: Agrees) -> None:
    folder = tmp_path / "repository"
    shutil.copytree(shipped("examples", "weakened-bank"), folder / "skills")
    repository_in(folder, SURROGATE)

    evolved = call("evolve", "--repo", str(folder), "--draws", "60", "--format", "json").result

    branch = evolved["branch"]
    agrees("surrogate", {"evolve": evolved, **told(folder, branch), "files": left_behind(folder, branch)})


def test_a_proposal_of_recorded_models(tmp_path: Path, agrees: Agrees, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "repository"
    for name in (SKILL, "name-one-step"):
        write_skill(folder / "skills", name)
    repository_in(folder, MODELS)
    git(folder, "checkout", "--quiet", "-b", "better")
    (folder / "skills" / SKILL / "SKILL.md").write_text(skill_text(SKILL, version="1.1.0"))
    git(folder, "commit", "--quiet", "--all", "--message", "A higher version")
    git(folder, "checkout", "--quiet", "main")
    monkeypatch.setenv("TEST_KEY", KEY)
    server = ModelServer()
    players = ("--supporter", "local/tiny", "--seeker", "local/tiny", "--judge", "local/judge")
    options = ("--repo", str(folder), "--head", "better", *players, "--second-seeker", "local/other")

    collected = call(
        "evidence", "collect", *options, "--endpoint", f"local={server.url},TEST_KEY", "--format", "json"
    ).result

    server.close()
    branch = collected["branch"]
    agrees("recorded", {"collect": collected, **told(folder, branch), "files": left_behind(folder, branch)})
