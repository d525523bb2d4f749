"""`evolve` leaves a branch with its evidence, and everything else as it was."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest

from esc_skills.cli.main import run
from esc_skills.documents.schema import check_schema
from tests.proposals import Proposed, git


def state_of(folder: Path) -> tuple[str, ...]:
    return tuple(
        git(folder, *command)
        for command in (["status", "--porcelain=v2", "--branch"], ["stash", "list"], ["ls-files", "--stage"])
    )


def test_the_branch_holds_the_change_and_its_evidence_and_nothing_else(proposed: Proposed) -> None:
    changed = proposed.git("diff", "--name-only", f"main...{proposed.branch}").split("\n")

    names = {path.removeprefix(f"{proposed.evidence}/") for path in changed if path.startswith(proposed.evidence)}
    assert names == {"statement.json", "plan.json", "episodes.jsonl.gz", "review.md"}
    assert all(path.startswith(("skills/", f"{proposed.evidence}/")) for path in changed)
    assert proposed.git("rev-parse", f"{proposed.branch}~1") == proposed.git("rev-parse", "main")


def test_the_result_has_the_words_of_the_contract(proposed: Proposed) -> None:
    assert {"proposal", "branch", "verdict", "effect", "draws", "e_value", "threshold"} <= set(proposed.result)
    assert proposed.result["branch"] == f"evolve/{proposed.result['proposal']}"
    assert proposed.result["threshold"] == 1.2


def test_statement_and_plan_follow_their_schemas(proposed: Proposed) -> None:
    for name in ("statement", "plan"):
        value = json.loads(proposed.git("show", f"{proposed.branch}:{proposed.evidence}/{name}.json"))
        assert check_schema(value, name, name) == []


def test_the_statement_binds_the_tree_of_the_bank(proposed: Proposed) -> None:
    statement = json.loads(proposed.git("show", f"{proposed.branch}:{proposed.evidence}/statement.json"))

    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    tree = proposed.git("rev-parse", f"{proposed.branch}:skills")
    assert statement["subject"] == [{"name": "skills", "digest": {"gitTree": tree}}]


def test_both_arms_of_every_draw_are_in_the_evidence(proposed: Proposed, tmp_path: Path) -> None:
    proposed.git("worktree", "add", "--quiet", str(tmp_path / "tree"), proposed.branch)
    packed = (tmp_path / "tree" / proposed.evidence / "episodes.jsonl.gz").read_bytes()

    episodes = [json.loads(line) for line in gzip.decompress(packed).decode().split("\n") if line]
    assert [each["arm"] for each in episodes] == ["base", "candidate"] * proposed.result["draws"]
    assert [each["seed"] for each in episodes[0::2]] == [each["seed"] for each in episodes[1::2]]
    gate = {
        path.stem
        for path in (proposed.folder / "profiles" / "scenarios").glob("*")
        if "split: gate" in path.read_text()
    }
    assert {each["profile"].split("/")[0] for each in episodes} <= gate


def test_a_dirty_tree_and_index_stay_as_they_are(weakened: Path, tmp_path: Path) -> None:
    folder = tmp_path / "dirty"
    shutil.copytree(weakened, folder)
    skill = folder / "skills" / "open-with-room" / "SKILL.md"
    skill.write_text(skill.read_text() + "\nhalf a thought")
    (folder / "new.txt").write_text("staged")
    git(folder, "add", "new.txt")
    (folder / "new.txt").write_text("staged and changed again")
    before = state_of(folder), skill.read_text()

    assert run(["evolve", "--repo", str(folder), "--draws", "60"]) in (0, 1)

    assert (state_of(folder), skill.read_text()) == before
    branch = git(folder, "branch", "--list", "evolve/*", "--format=%(refname:short)")
    assert "half a thought" not in git(folder, "show", f"{branch}:skills/open-with-room/SKILL.md")


@pytest.mark.thorough
def test_a_detached_head_stays_detached(weakened: Path, tmp_path: Path) -> None:
    folder = tmp_path / "detached"
    shutil.copytree(weakened, folder)
    git(folder, "checkout", "--quiet", "--detach")
    before = state_of(folder)

    assert run(["evolve", "--repo", str(folder), "--draws", "60"]) in (0, 1)

    assert state_of(folder) == before
    assert git(folder, "rev-parse", "--abbrev-ref", "HEAD") == "HEAD"


@pytest.mark.thorough
def test_the_same_proposal_is_not_made_twice(proposed: Proposed, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evolve", "--repo", str(proposed.folder), "--draws", "60"]) == 2
    assert "was proposed already" in capsys.readouterr().err


@pytest.mark.thorough
def test_equal_repositories_get_equal_proposals(proposed: Proposed, weakened: Path, tmp_path: Path) -> None:
    folder = tmp_path / "again"
    shutil.copytree(weakened, folder)
    assert run(["evolve", "--repo", str(folder), "--draws", "60"]) in (0, 1)

    trees = [git(each, "rev-parse", f"{proposed.branch}^{{tree}}") for each in (folder, proposed.folder)]
    assert trees[0] == trees[1]


@pytest.mark.thorough
def test_a_bank_in_another_folder_can_be_evolved(
    weakened: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "other"
    shutil.copytree(weakened, folder)
    (folder / "banks").mkdir()
    git(folder, "mv", "skills", "banks/small")
    git(folder, "commit", "--quiet", "--message", "Move the bank")

    run(["evolve", "--repo", str(folder), "--skills", "./banks/small/", "--draws", "60", "--format", "json"])
    branch = json.loads(capsys.readouterr().out)["branch"]
    code = run(["verify", "--repo", str(folder), "--base", "main", "--head", branch, "--format", "json"])

    verified = json.loads(capsys.readouterr().out)
    assert verified["evidence"] == "valid"
    assert code == (0 if verified["verdict"] == "accept" else 1)


@pytest.mark.parametrize("folder", ["..", "/etc", "a/../../b", "."])
def test_a_folder_outside_the_repository_is_refused(
    weakened: Path, folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["evolve", "--repo", str(weakened), "--skills", folder]) == 2
    assert "no folder inside the repository" in capsys.readouterr().err


def test_without_a_repository_a_commit_or_a_bank_it_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    (tmp_path / "plain").mkdir()
    assert run(["evolve", "--repo", str(tmp_path / "plain")]) == 2
    assert "git init" in capsys.readouterr().err

    git(tmp_path / "plain", "init", "--quiet")
    assert run(["evolve", "--repo", str(tmp_path / "plain")]) == 2
    assert "no commit yet" in capsys.readouterr().err

    git(tmp_path / "plain", "commit", "--quiet", "--allow-empty", "--message", "Nothing")
    assert run(["evolve", "--repo", str(tmp_path / "plain")]) == 2
    assert "holds no SKILL.md" in capsys.readouterr().err
