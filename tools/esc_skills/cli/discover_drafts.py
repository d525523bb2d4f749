"""Where `discover draft` writes drafts to: files of a folder, or branches of the repository."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from esc_skills.cli.places import NO_BANK, find_skills
from esc_skills.discovery.drafting import Draft
from esc_skills.documents.text import write_atomically
from esc_skills.errors import GitError, InputError
from esc_skills.evidence.revision import read_revision
from esc_skills.git import Repository


class Folder:
    """Takes drafts as files of a folder."""

    def __init__(self, out: Path, skills: Path | None) -> None:
        self._out = out
        self._revises = False
        self.bank = find_skills(skills)

    def require_room(self, drafts: Iterable[Draft]) -> None:
        """Require nothing: files of an earlier run are written anew."""

    def write(self, draft: Draft) -> str:
        """Write a draft and return its file."""
        for path, text in draft.files.items():
            write_atomically(self._out / path, text)
        self._revises |= draft.revises is not None
        return str(self._out / draft.path)

    def following(self, _: str) -> str:
        """Return what to do next, in words."""
        if self._revises:  # a revised skill refers to others, which stand in the bank alone
            return f"next: put what you keep of {self._out} into the bank's folder, and validate that"
        return f"next: esc-skills validate {self._out}"


class Branches:
    """Takes drafts as branches, a commit each, beside whatever is checked out."""

    def __init__(self, repository: Repository, base: str, skills: Path | None) -> None:
        if str(skills) == NO_BANK:
            raise InputError("--skills none: a branch changes a bank, and there is none", "name a folder with --out")
        self._repository, self._base = repository, base
        self._revision = read_revision(repository, base, str(skills) if skills else None)
        self.bank = self._revision.bank.skills

    def require_room(self, drafts: Iterable[Draft]) -> None:
        """Require that no draft's branch is there, before the first is made.

        Raises:
            GitError: Some are there.
        """
        names = [_branch_of(each) for each in drafts]
        if taken := [name for name in names if self._repository.branch_exists(name)]:
            hint = f"merge or delete what is no longer wanted: git branch -D {' '.join(taken)}"
            raise GitError(f"branches of these names exist already: {', '.join(taken)}", hint)

    def write(self, draft: Draft) -> str:
        """Write a draft and return its branch."""
        branch = _branch_of(draft)
        # A skill may lie in a folder of its kind, and stays there.
        standing = next((path for path in self._revision.files if f"/{path}".endswith(f"/{draft.path}")), draft.path)
        folder = f"{self._revision.settings.skills}/{standing.removesuffix(draft.path)}"
        files: dict[str, bytes | None] = {f"{folder}{path}": text.encode() for path, text in draft.files.items()}
        message = f"Draft {draft.name}\n\n{_rests_on(draft)}\n"
        self._repository.commit_branch(branch, self._revision.commit, files, message)
        return branch

    def following(self, branch: str) -> str:
        """Return what to do next with a branch, in words."""
        return f"next: edit it, run esc-skills bank entrance, then esc-skills evidence collect --base {self._base} --head {branch}"


def _branch_of(draft: Draft) -> str:
    return f"draft/{draft.name}"


def _rests_on(draft: Draft) -> str:
    units = sum(each.units for each in draft.helpful)
    return f"From prototypes with {units} units: {', '.join(each.id for each in draft.helpful)}"
