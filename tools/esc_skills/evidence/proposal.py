"""What a proposal is called and changes, as git sees it and as its evidence states it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from esc_skills.bank.reader import ENTRANCE, Bank
from esc_skills.errors import InputError
from esc_skills.evidence.revision import Revision
from esc_skills.git import Repository

#: What makes proposals: the operators of refinement, the analyst's, and the two ways of making evidence by hand.
OPERATORS = frozenset(("new", "narrow", "examples", "revise", "edit", "renew"))


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change of a bank as git sees it.

    Attributes:
        id: The name of its branch and its evidence folder.
        folder: The bank's folder in the repository.
        base_tree: The id of that folder's tree before the change; head_tree: after it.
        files: Each changed file, from the root, with its digest before and after; None where there is none.
    """

    id: str
    folder: str
    base_tree: str
    head_tree: str
    files: Mapping[str, tuple[str | None, str | None]]


def first_skill(changed: Iterable[str]) -> str:
    """Return the name of the first changed skill, after which a proposal is named; the entrance follows from the others.

    Args:
        changed: The paths of the bank's changed files, in git's order; one or more.
    """
    folders = [[each for each in PurePosixPath(path).parent.parts if each != "references"] for path in changed]
    return next((each[-1] for each in folders if each[-1] != ENTRANCE), ENTRANCE)


def proposal_id(operator: str, skill: str, trial_digest: str) -> str:
    """Return the id of a proposal: what it does to which skill, and the start of its trial's digest.

    Args:
        operator: One of `OPERATORS`.
        skill: The skill that it changes, the first in git's order where there are several.
        trial_digest: The trial's.
    """
    if operator not in OPERATORS:
        raise ValueError(f"{operator!r} is no operator that `verify` knows")
    return f"{operator}-{skill}-{trial_digest.removeprefix('sha256:')[:10]}"


def describe_proposal(name: str, base: Revision, candidate: Bank, head_tree: str, repository: Repository) -> Proposal:
    """Return a change as its evidence states it."""
    folder = base.settings.skills
    base_tree = repository.tree_id(base.commit, folder)
    if base_tree is None:
        raise InputError(f"{folder}: is not in the base revision")
    paths = sorted({*base.bank.files, *candidate.files})
    files = {f"{folder}/{path}": (base.bank.files.get(path), candidate.files.get(path)) for path in paths}
    changed = {path: digests for path, digests in files.items() if digests[0] != digests[1]}
    return Proposal(name, folder, base_tree, head_tree, changed)
