"""What people do to evidence by hand: make it for a change of their own, renew it where the base moved, sign it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from esc_skills.bank.reader import SKILL_FILE, Bank, read_bank, visible
from esc_skills.errors import InputError
from esc_skills.evolution.evidence import SIGNATURE, STATEMENT
from esc_skills.evolution.gate import Decision
from esc_skills.evolution.ledger import LedgerBook
from esc_skills.evolution.proposal import Draft, Proposed, Team, Watch, propose
from esc_skills.evolution.repository import SETTINGS_FILE, Revision, skill_path
from esc_skills.git import Repository
from esc_skills.signing import sign
from esc_skills.validation import check_version_bump

_REGULAR = 0o100644


async def collect(
    repository: Repository, base: Revision, head: str, watch: Watch, team: Team, book: LedgerBook | None
) -> Proposed:
    """Make evidence for the bank of a branch, in a commit on top of it.

    Args:
        repository: The repository.
        base: What the branch would be merged into.
        head: The branch; the commits that it adds to the base change skills alone.
        watch: Told what is being done.
        team: Who plays.
        book: The ledger; None leaves the proposal unregistered.

    Raises:
        InputError: The branch changes something else, its bank cannot be used, or the base moved on.
    """
    commit = repository.resolve(head)
    fork, folder = repository.merge_base(base.commit, commit), base.settings.skills
    for path in (folder, base.settings.profiles, SETTINGS_FILE):
        if repository.tree_id(fork, path) != repository.tree_id(base.commit, path):
            raise InputError(f"{path} of the base changed after {head} branched off", f"rebase {head} first")
    files_changed = repository.changed_files(fork, commit)
    changed = [each.path for each in files_changed]
    if others := [path for path in changed if not _is_skill(path, folder)]:
        raise InputError(
            f"{head} changes {others[0]}, and a proposal may touch skills alone", "part it in two branches"
        )
    if odd := [each for each in files_changed if each.kind != "D" and each.mode != _REGULAR]:
        found = f"{odd[0].path}: has mode {odd[0].mode:o} where a regular file (100644) is asked"
        raise InputError(found, "commit it as one")
    if not changed:
        raise InputError(f"{head} changes no skill", "commit the change on a branch of its own")
    files = visible(repository.read_tree(commit, folder))
    candidate = read_bank(files, folder)
    _require_raised_versions(base, files)
    draft = Draft(
        "edit", _first_skill(changed), candidate, commit, {}, lambda decision: _message("Evidence", head, decision)
    )
    return await propose(repository, base, draft, watch, team, book)


async def renew(
    repository: Repository, base: Revision, head: str, watch: Watch, team: Team, book: LedgerBook | None
) -> Proposed:
    """Judge the change of a proposal anew on a base that moved, as a branch that starts there.

    What was recorded cannot be used again: a changed base is another trial, and its seekers follow from a registration of
    its own.

    Raises:
        InputError: The base changed the same skills, or the proposal changes none.
    """
    commit, folder = repository.resolve(head), base.settings.skills
    fork = repository.merge_base(base.commit, commit)
    changed = [each.path for each in repository.changed_files(fork, commit) if _is_skill(each.path, folder)]
    if not changed:
        raise InputError(f"{head} changes no skill", "name the branch of a proposal")
    files: dict[str, bytes | None] = {path: repository.read_file(commit, path) for path in changed}
    for path in changed:
        if repository.tree_id(fork, path) != repository.tree_id(base.commit, path):
            raise InputError(
                f"{path}: the base changed it too", f"rebase {head}, then run `esc-skills evidence collect`"
            )
    candidate = _applied(base, files, folder)
    skill = _first_skill(changed)
    draft = Draft("renew", skill, candidate, base.commit, files, lambda decision: _message("Renew", head, decision))
    return await propose(repository, base, draft, watch, team, book)


def sign_proposal(repository: Repository, base: str, branch: str, key: Path) -> str:
    """Add the signature of a proposal's statement to its branch, and return the signature's path.

    Raises:
        InputError: The branch holds no proposal, is signed, or is checked out.
        SignatureError: The key cannot sign.
    """
    commit = repository.resolve(branch)
    fork = repository.merge_base(repository.resolve(base), commit)
    statements = [each.path for each in repository.changed_files(fork, commit) if each.path.endswith(f"/{STATEMENT}")]
    if len(statements) != 1:
        raise InputError(f"{branch} adds {len(statements)} statements to {base}", "name the branch of one proposal")
    path = str(PurePosixPath(statements[0]).with_name(SIGNATURE))
    if repository.read_file(commit, path) is not None:
        raise InputError(f"{path}: is there already", "delete it in a commit, then sign again")
    signature = sign(repository.read_file(commit, statements[0]) or b"", key)
    repository.add_to_branch(branch, commit, {path: signature}, f"Sign {PurePosixPath(path).parent.name}")
    return path


def _is_skill(path: str, folder: str) -> bool:
    return re.fullmatch(skill_path(folder), path) is not None


def _first_skill(changed: list[str]) -> str:
    return PurePosixPath(changed[0]).parent.name


def _applied(base: Revision, files: Mapping[str, bytes | None], folder: str) -> Bank:
    after = dict(base.files)
    for path, data in files.items():
        relative = path.removeprefix(f"{folder}/")
        if data is None:
            after.pop(relative, None)
        else:
            after[relative] = data
    return read_bank(after, folder)


def _require_raised_versions(base: Revision, files: Mapping[str, bytes]) -> None:
    for path, data in files.items():
        before = base.files.get(path)
        if before is not None and before != data and PurePosixPath(path).name == SKILL_FILE:
            for finding in check_version_bump(before, data, f"{base.settings.skills}/{path}"):
                raise InputError(finding.as_text(), "raise the version of each changed skill")


def _message(verb: str, head: str, decision: Decision) -> str:
    return (
        f"{verb}: {head}\n\nGate: {decision.verdict}, {decision.effect:+.1f} points over {decision.draws} pairs. "
        f"{decision.reason}\n{decision.would_decide}".rstrip()
        + "\n"
    )
