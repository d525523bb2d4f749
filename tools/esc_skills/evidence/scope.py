"""What a proposal touches: where it went apart from the base, which evidence it brings, and that it changes nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from esc_skills.bank.reader import SKILL_FILE
from esc_skills.documents.text import MAX_DOCUMENT_BYTES
from esc_skills.errors import GitError, InputError
from esc_skills.evidence.build import CALLS, EPISODES, FILES, SIGNATURE, STATEMENT, calls_ref
from esc_skills.evidence.proposal import OPERATORS, proposal_id
from esc_skills.evidence.revision import SETTINGS_FILE, clean_folder, skill_path
from esc_skills.evidence.verification import EvidenceStatus, RefusedError, invalid
from esc_skills.git import REGULAR, ChangedFile, Repository
from esc_skills.settings import read_settings

_EVIDENCE_PATH = re.compile(r"evidence/([a-z0-9][a-z0-9-]{0,120})/([^/]+)")


def fork_of(repository: Repository, base: str, head: str) -> str:
    """Return the commit from which the proposal went apart from the base.

    Raises:
        GitError: They have none in common here.
        RefusedError: There are several, so that what a merge makes of a file depends on which of them it starts from.
    """
    found = repository.merge_bases(base, head)
    if len(found) > 1:
        apart = " and ".join(each[:12] for each in found[:2])
        detail = (
            f"{base[:12]} and {head[:12]} were merged crosswise and went apart at {len(found)} commits, such as {apart}, so a "
            "merge may take back what the base changed; `git rebase` the proposal on the base and verify that"
        )
        raise invalid("merges", detail)
    return found[0]


def is_only_edited(changed: tuple[ChangedFile, ...], folder: str) -> bool:
    """Whether nothing but regular files of a folder changes, and each of them is changed in place."""
    return bool(changed) and all(
        each.path.startswith(f"{folder}/") and (each.kind, each.mode) == ("M", REGULAR) for each in changed
    )


def find_proposal(changed: tuple[ChangedFile, ...]) -> str:
    """Return the name of the one proposal whose evidence is among the changed files."""
    found = {mark[1] for each in changed if (mark := _EVIDENCE_PATH.fullmatch(each.path))}
    if not found:
        if not changed:
            detail = "the head adds nothing to the base; after a merge give the commit before it as --base"
        else:
            detail = (
                f"the head changes {changed[0].path} and adds no evidence; `esc-skills evolve` makes proposals with it"
            )
        raise RefusedError(EvidenceStatus.MISSING, "evidence", detail)
    if len(found) > 1:
        raise invalid(
            "evidence", f"evidence/: holds {len(found)} proposals ({', '.join(sorted(found))}); one at a time is judged"
        )
    return found.pop()


def read_evidence(repository: Repository, head: str, changed: tuple[ChangedFile, ...], name: str) -> dict[str, bytes]:
    """Return the files of the evidence by name; each of them has to be a new regular one."""
    folder = f"evidence/{name}"
    ours = {each.path: each for each in changed if each.path.startswith(f"{folder}/")}
    for path, each in ours.items():
        if path.removeprefix(f"{folder}/") not in (*FILES, CALLS, SIGNATURE):
            raise invalid("scope", f"{path}: is no file of the evidence")
        if each.kind != "A":
            raise invalid("evidence", f"{path}: {_MERGED}")
        if each.mode != REGULAR:
            raise invalid("scope", f"{path}: has mode {each.mode:o} where a new regular file (100644) is asked")
    for path in (f"{folder}/{file}" for file in sorted(FILES)):
        if path not in ours:
            raise invalid("evidence", f"{path}: {_MERGED if repository.tree_id(head, path) else 'is missing'}")
    files = repository.read_tree(head, folder)
    for file, data in files.items():
        if file not in (EPISODES, CALLS) and len(data) > 10 * MAX_DOCUMENT_BYTES:
            raise invalid("evidence", f"{folder}/{file}: has {len(data):,} bytes")
    return files


_MERGED = "was in the base before; a proposal brings evidence of its own, which `esc-skills evidence collect` makes"


def read_calls_apart(repository: Repository, name: str) -> bytes:
    """Return the recorded calls that are kept beside all branches."""
    ref = calls_ref(name)
    try:
        calls = repository.read_kept(ref)
    except GitError as error:
        raise invalid("calls", error.message) from error
    if calls is None:
        detail = f"the recorded calls are not in this clone; run `git fetch origin {ref}:{ref}`"
        raise RefusedError(EvidenceStatus.MISSING, "calls", detail)
    return calls


def check_scope(
    repository: Repository, fork: str, changed: tuple[ChangedFile, ...], name: str, statement: Mapping[str, Any]
) -> str:
    """Return the bank's folder; refuse a proposal that changes anything but its skills."""
    folder = _bank_of(repository, fork, name, statement)
    for each in changed:
        if not each.path.startswith((f"{folder}/", f"evidence/{name}/")):
            raise invalid(
                "scope", f"{each.path}: lies outside {folder}/ and evidence/{name}/, which is all a proposal may touch"
            )
        if each.path.startswith(f"{folder}/") and not re.fullmatch(skill_path(folder), each.path):
            raise invalid("scope", f"{each.path}: is no {SKILL_FILE}; a proposal changes nothing else in a bank")
        if each.kind != "D" and each.mode != REGULAR:
            raise invalid("scope", f"{each.path}: has mode {each.mode:o} where a regular file (100644) is asked")
    return folder


def _bank_of(repository: Repository, fork: str, name: str, statement: Mapping[str, Any]) -> str:
    folder: str = statement["subject"][0]["name"]
    shown = f"evidence/{name}/{STATEMENT}"
    try:
        clean = clean_folder(folder)
    except InputError as error:
        raise invalid("scope", f"{shown}: {error.message}") from error
    if clean != folder or clean.split("/")[0] == "evidence":
        raise invalid("scope", f"{shown}: {folder!r} is no folder of a bank (/subject/0/name)")
    if repository.tree_id(fork, f"{folder}/{SKILL_FILE}"):
        raise invalid("scope", f"{shown}: {folder!r} is a skill and no bank (/subject/0/name)")
    if repository.tree_id(fork, folder) is None:
        raise invalid("scope", f"{shown}: {folder!r} is not in the base (/subject/0/name)")
    return folder


def check_base_stands(repository: Repository, fork: str, base: str, folder: str) -> None:
    """Refuse evidence where the base moved: what was judged would not be what a merge makes."""
    settings = read_settings(repository.read_file(base, SETTINGS_FILE), SETTINGS_FILE)
    for path in (folder, settings.profiles, SETTINGS_FILE):
        if repository.tree_id(fork, path) != repository.tree_id(base, path):
            detail = (
                f"{path} of the base changed after the proposal branched off; rebase and run `esc-skills evolve` again"
            )
            raise RefusedError(EvidenceStatus.STALE, "base", detail)


def check_name(name: str, change: str, changed: tuple[ChangedFile, ...], folder: str) -> None:
    """Refuse a name that does not follow from the change, by which a reader would take it for another one.

    Args:
        name: The proposal's.
        change: The digest of its change.
        changed: The files that it changes, in git's order.
        folder: The bank's.
    """
    skills = [PurePosixPath(each.path).parent.name for each in changed if each.path.startswith(f"{folder}/")]
    if not skills:
        raise invalid("scope", f"evidence/{name}/: comes without a change of a skill in {folder}/")
    if name not in {proposal_id(operator, skills[0], change) for operator in OPERATORS}:
        right = proposal_id("edit", skills[0], change)
        detail = f"/predicate/proposal is {name!r}, and a change of {skills[0]} is called {right!r}"
        others = ", ".join(sorted(OPERATORS - {"edit"}))
        raise invalid("statement", f"evidence/{name}/{STATEMENT}: {detail}, or after its operator ({others})")
