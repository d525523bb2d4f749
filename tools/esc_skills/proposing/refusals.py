"""What earlier proposals would have changed and the gate did not accept, so that nobody tries the same again."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator

from esc_skills.git import Repository
from esc_skills.vocabulary import Verdict

#: Of each refused proposal, so that an analyst's prompt stays short.
_REFUSED_LINES = 12


def read_refusals(repository: Repository, path: str, undecided: Collection[int] = ()) -> tuple[str, ...]:
    """Return what earlier proposals would have changed in a file and the gate did not accept, a line each.

    Args:
        repository: Its branches `evolve/…` are looked at.
        path: A skill's file, from the root.
        undecided: Registrations that are still open: the branch of a run that was killed at its very end is no refusal.
    """
    branches = repository.branches("evolve/")
    return tuple(line for branch in branches for line in _refused_lines(repository, branch, path, undecided))


def _refused_lines(repository: Repository, branch: str, path: str, undecided: Collection[int]) -> Iterator[str]:
    folder = f"evidence/{branch.removeprefix('evolve/')}"
    data = repository.read_file(f"refs/heads/{branch}", f"{folder}/statement.json")
    review = repository.read_file(f"refs/heads/{branch}", f"{folder}/review.md")
    try:
        predicate = json.loads(data or b"")["predicate"]
        refused, files = predicate["result"]["verdict"] != str(Verdict.ACCEPT), predicate["files"]
        refused = refused and (predicate["registration"] or {"number": 0})["number"] not in undecided
    except (ValueError, KeyError, TypeError, RecursionError):
        return  # a branch of somebody's own that only looks like a proposal
    if refused and path in files:
        changes = (review or b"").decode("utf-8", "replace").partition("## What changes")[2].partition("\n## ")[0]
        told = [
            line.removeprefix("- ")
            for line in changes.split("\n")
            if line.startswith("- ") and ": version: " not in line
        ]
        yield from told[:_REFUSED_LINES]
