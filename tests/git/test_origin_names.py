"""A branch that a clone has from `origin` alone is found by its short name, and never in place of one of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from esc_skills.errors import GitError
from esc_skills.git import Repository
from tests.proposals import git


def test_a_branch_of_origin_is_found_and_yields_to_one_of_its_own(tmp_path: Path) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    git(there, "init", "--quiet", "--initial-branch", "main")
    git(there, "commit", "--quiet", "--allow-empty", "--message", "One")
    git(there, "branch", "evolve/better")
    git(tmp_path, "clone", "--quiet", str(there), str(here))
    with Repository(here) as repository:
        assert repository.resolve("evolve/better") == git(there, "rev-parse", "evolve/better")
        git(here, "commit", "--quiet", "--allow-empty", "--message", "Two")
        git(here, "branch", "evolve/better")
        assert repository.resolve("evolve/better") == git(here, "rev-parse", "main")
        for name in ("evolve/*", "evolve/worse", "origin/evolve/worse"):
            with pytest.raises(GitError, match="no commit is named"):
                repository.resolve(name)
