"""Renewing: the change of a proposal is judged anew on a base that moved, as a branch that starts there."""

from __future__ import annotations

from pathlib import Path

from esc_skills.bank.entrance import ENTRANCE_FILE
from esc_skills.errors import InputError
from esc_skills.evidence.proposal import first_skill
from esc_skills.evidence.revision import Revision
from esc_skills.git import Repository
from esc_skills.ledger.book import LedgerBook
from esc_skills.proposing.changed_skills import applied, is_skill, message, with_entrance
from esc_skills.proposing.propose import Draft, Proposed, Watch, propose
from esc_skills.simulation.team import Team


async def renew(
    repository: Repository,
    base: Revision,
    head: str,
    watch: Watch,
    team: Team,
    book: LedgerBook | None,
    key: Path | None = None,
) -> Proposed:
    """Judge the change of a proposal anew on a base that moved, as a branch that starts there.

    What was recorded cannot be used again: a changed base is another trial, and its seekers follow from a registration of
    its own.

    Raises:
        InputError: The base changed the same skills, or the proposal changes none.
    """
    commit, folder = repository.resolve(head), base.settings.skills
    fork = repository.merge_base(base.commit, commit)
    touched = [each.path for each in repository.changed_files(fork, commit) if is_skill(each.path, folder)]
    changed = [path for path in touched if path != f"{folder}/{ENTRANCE_FILE}"]  # which follows from the others
    if not changed:
        raise InputError(f"{head} changes no skill", "name the branch of a proposal")
    files: dict[str, bytes | None] = {path: repository.read_file(commit, path) for path in changed}
    for path in changed:
        if repository.tree_id(fork, path) != repository.tree_id(base.commit, path):
            raise InputError(
                f"{path}: the base changed it too", f"rebase {head}, then run `esc-skills evidence collect`"
            )
    files = with_entrance(base, files, folder)
    candidate = applied(base, files, folder)
    skill = first_skill(changed)
    draft = Draft("renew", skill, candidate, base.commit, files, lambda decision: message("Renew", head, decision))
    return await propose(repository, base, draft, watch, team, book, key)
