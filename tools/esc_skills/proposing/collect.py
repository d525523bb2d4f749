"""What people do to evidence by hand: make it for a change of their own, renew it where the base moved, sign it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from esc_skills.bank.entrance import check_entrance
from esc_skills.bank.reader import read_bank, visible
from esc_skills.errors import InputError
from esc_skills.evidence.checks import verify
from esc_skills.evidence.files import CALLS, FILES, SIGNATURE
from esc_skills.evidence.proposal import first_skill
from esc_skills.evidence.revision import SETTINGS_FILE, Revision
from esc_skills.evidence.witness import is_reproducible
from esc_skills.git import REGULAR, ChangedFile, Repository
from esc_skills.ledger.book import LedgerBook
from esc_skills.proposing.changed_skills import is_skill, message
from esc_skills.proposing.propose import Draft, Proposed, Watch, propose, why_not_accepted
from esc_skills.simulation.team import Team
from esc_skills.validation import check_raised_versions
from esc_skills.vocabulary import Verdict

_EVIDENCE = re.compile(rf"evidence/([^/]+)/(?:{'|'.join(map(re.escape, (*FILES, CALLS, SIGNATURE)))})")


def standing(
    repository: Repository,
    base: Revision,
    head: str,
    watch: Watch,
    models: Mapping[str, str],
    book: LedgerBook | None,
    key: Path | None = None,
) -> Proposed | None:
    """Return the proposal that a branch holds already, where its evidence is valid: nothing has to be run for it then.

    So it is where the base moved in nothing that evidence is bound to. Who asked for a new verdict on new seekers all the
    same would have one more try at an equal trial.

    Args:
        repository: The repository.
        base: What the branch would be merged into.
        head: The branch.
        watch: Told what is being done, and why evidence that is there does not stand.
        models: The models by role that were asked for; evidence of others does not serve.
        book: The ledger; None looks for the clone's own.
        key: Whose evidence is wanted, where the settings say whose runs of models count; None takes anybody's.
    """
    commit = repository.resolve(head)
    changed = repository.changed_files(repository.merge_base(base.commit, commit), commit)
    name = next((mark[1] for each in changed if (mark := _EVIDENCE.fullmatch(each.path))), None)
    if name is None:
        return None
    watch.step("verifying the evidence that is there")
    ledger = book.ledger.ref if book else ""
    found = verify(repository, base.commit, commit, watch.progress, ledger=ledger or None)
    if found.trial is None or found.outcome is None or found.coverage is None:
        watch.note(f"evidence/{name} is {found.status}: {found.checks[-1].detail.partition(';')[0]}")
        return None
    trusted = base.settings.gate.trusted
    if key and trusted and not is_reproducible(found.trial.models) and found.signer not in trusted:
        watch.note(
            f"evidence/{name} was played by somebody whose runs are previews; the same seekers are played afresh"
        )
        return None
    if any(found.trial.models[role] != model for role, model in models.items()):
        watch.note(f"evidence/{name} was made with other models")
        return None
    watch.note(f"evidence/{name} is valid on {base.commit[:10]} as it is; nothing was registered or run again")
    why_not = (
        ""
        if found.verdict is Verdict.ACCEPT
        else why_not_accepted(found.outcome.decision, found.coverage, base.settings)
    )
    return Proposed(name, head, found.outcome.decision, found.coverage, found.trial.registered, why_not=why_not)


async def collect(
    repository: Repository,
    base: Revision,
    head: str,
    watch: Watch,
    team: Team,
    book: LedgerBook | None,
    key: Path | None = None,
) -> Proposed:
    """Make evidence for the bank of a branch, in a commit on top of it.

    Evidence of its own, as a proposal that was rebased still holds it, is deleted in that commit.

    Args:
        repository: The repository.
        base: What the branch would be merged into.
        head: The branch; the commits that it adds to the base change skills, and hold evidence for that, alone.
        watch: Told what is being done.
        team: Who plays.
        book: The ledger; None leaves the proposal unregistered.
        key: Signs the statement.

    Raises:
        InputError: The branch changes something else, its bank cannot be used, or the base moved on.
    """
    commit = repository.resolve(head)
    fork, folder = repository.merge_base(base.commit, commit), base.settings.skills
    for path in (folder, base.settings.profiles, SETTINGS_FILE):
        if repository.tree_id(fork, path) != repository.tree_id(base.commit, path):
            raise InputError(f"{path} of the base changed after {head} branched off", f"rebase {head} first")
    files_changed = repository.changed_files(fork, commit)
    outdated = _own_evidence(repository, fork, files_changed)
    changed = [each.path for each in files_changed if each.path not in outdated]
    if others := [path for path in changed if not is_skill(path, folder)]:
        raise InputError(
            f"{head} changes {others[0]}, and a proposal may touch skills alone", "part it in two branches"
        )
    if odd := [each for each in files_changed if each.path in changed and each.kind != "D" and each.mode != REGULAR]:
        found = f"{odd[0].path}: has mode {odd[0].mode:o} where a regular file (100644) is asked"
        raise InputError(found, "commit it as one")
    if not changed:
        raise InputError(f"{head} changes no skill", "commit the change on a branch of its own")
    files = visible(repository.read_tree(commit, folder))
    candidate = read_bank(files, folder, base.settings.vocabulary)
    for finding in check_entrance(files, candidate.skills, folder):
        raise InputError(finding.as_text(), "run `esc-skills bank entrance` and commit what it writes")
    _require_raised_versions(base, files)
    draft = Draft(
        "edit",
        first_skill(changed),
        candidate,
        commit,
        outdated,
        lambda decision: message("Evidence", head, decision),
    )
    return await propose(repository, base, draft, watch, team, book, key)


def _own_evidence(repository: Repository, fork: str, changed: tuple[ChangedFile, ...]) -> dict[str, bytes | None]:
    """Return the files of the one evidence folder that a branch adds, each to be deleted; none of a folder of the base.

    Raises:
        InputError: It adds several.
    """
    marks = {each.path: mark[1] for each in changed if (mark := _EVIDENCE.fullmatch(each.path))}
    added = {name for name in marks.values() if repository.tree_id(fork, f"evidence/{name}") is None}
    if len(added) > 1:
        found = f"the branch adds the evidence of {len(added)} proposals ({', '.join(sorted(added))})"
        raise InputError(found, "part it in branches of one proposal each")
    return {path: None for path, name in marks.items() if name in added}


def _require_raised_versions(base: Revision, files: Mapping[str, bytes]) -> None:
    for finding in check_raised_versions(base.files, files, base.settings.skills):
        raise InputError(finding.as_text(), "raise the version of each changed skill")
