"""Owners' decisions: what no simulation decides, signed by somebody whom the base's settings name, with a reason.

A decision is an entry of the ledger. It holds for one change, digest by digest, and only as long as the files that it is about
stayed on the base as they were when it was signed: a change that was taken back is not let in again by an old signature.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from esc_skills.bank.spans import DERIVED, changed_spans
from esc_skills.errors import GitError, InputError
from esc_skills.evidence.change import SIGNERS, MergedChange, Touched, change_of, merged_change, shown_path
from esc_skills.evidence.signature import Purpose, SignatureError, check_signature, sign
from esc_skills.git import ChangedFile, Entry, Repository
from esc_skills.ledger.book import LedgerBook
from esc_skills.ledger.entries import Ledger, OwnersDecision, owners_payload

#: A pattern's part: `**` crosses folders, `*` and `?` do not.
_WILD = re.compile(r"\*\*/?|\*|\?|[^*?]+")
#: How far back on the base a decision may lie.
_MOST_COMMITS = 10_000


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that holds for a change.

    Attributes:
        entry: Its entry in the ledger.
        owner: Who signed it.
    """

    entry: OwnersDecision
    owner: str


@dataclass(frozen=True, slots=True)
class OwnersWord:
    """What owners said of a change.

    Attributes:
        decisions: The decisions that hold for it.
        open: The files that nobody who may has decided, each with who may.
    """

    decisions: tuple[Decided, ...]
    open: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def is_given(self) -> bool:
        """Whether every file is decided."""
        return not self.open


def owners_word(repository: Repository, change: MergedChange, ledger: Ledger | None) -> OwnersWord:
    """Return what owners decided of a change, by the ledger and by the base's settings and signers."""
    decisions = tuple(_decisions(repository, change, ledger))
    signed = {each.owner for each in decisions}
    missing = []
    for touched in change.touched:
        owners = owners_of(repository, change, touched)
        if not signed & set(owners):
            missing.append((shown_path(touched.file.path), owners))
    return OwnersWord(decisions, tuple(missing))


def owners_of(repository: Repository, change: MergedChange, touched: Touched) -> tuple[str, ...]:
    """Return who may decide a changed file: whoever a pattern of the base's settings names for it or for all that changed in it."""
    names: dict[str, None] = {}
    for pattern, owners in change.settings.owners.items():
        path, _, part = pattern.partition("#")
        if not _matches(path, touched.file.path):
            continue
        if not part or _spans(repository, touched.file) <= {part}:
            names.update(dict.fromkeys(owners))
    return tuple(names)


def decide_as_owner(
    repository: Repository, base: str, head: str, reason: str, key: Path, book: LedgerBook
) -> tuple[int, str, MergedChange]:
    """Sign a change as an owner, and append the decision to the ledger.

    Returns:
        The entry's number, who signed, and the change.

    Raises:
        InputError: Nothing in the change needs a decision, the base names no owners, or the key is not one of theirs.
        SignatureError: The key cannot sign.
    """
    change = merged_change(repository, repository.resolve(base), repository.resolve(head))
    if not change.touched:
        raise InputError(f"{head} changes nothing of {base} that needs a decision", "it may be merged as it is")
    if not change.settings.owners:
        raise InputError(f"the settings of {base} name no owners", "docs/ci.md says how a repository names them")
    signers = repository.read_file(change.base, SIGNERS)
    if signers is None:
        raise InputError(f"{base} holds no file {SIGNERS}", "it says whose signatures count; docs/ci.md shows one")
    digest = change_of(repository, change)
    payload = owners_payload(change.base, digest, reason)
    signature = sign(payload, key, Purpose.OWNERS)
    owner = check_signature(payload, signature, signers, Purpose.OWNERS)
    if not any(owner in owners_of(repository, change, each) for each in change.touched):
        raise InputError(f"{owner} owns nothing of {change.describe()}", f"see owners in the settings of {base}")
    return book.record_owners_decision(change.base, digest, reason, signature.decode()), owner, change


def _decisions(repository: Repository, change: MergedChange, ledger: Ledger | None) -> Iterator[Decided]:
    entries = ledger.owners_decisions if ledger else ()
    signers = repository.read_file(change.base, SIGNERS) if entries else None
    if signers is None:
        return
    digest = change_of(repository, change)
    for entry in entries:
        if entry.change != digest or not _still_stands(repository, change, entry.base):
            continue
        try:
            owner = check_signature(entry.payload, entry.signature.encode(), signers, Purpose.OWNERS)
        except SignatureError:
            continue  # of a key that does not count any more, or of somebody who appended a signature of nobody's
        yield Decided(entry, owner)


def _still_stands(repository: Repository, change: MergedChange, decided_on: str) -> bool:
    """Whether the files of a change stayed on the base as they were since the commit on which it was decided."""
    paths = [each.file.path for each in change.touched]
    now = _entries(repository, change.base, paths)
    try:
        for number, commit in enumerate(repository.first_parents(change.base)):
            if number > _MOST_COMMITS or _entries(repository, commit, paths) != now:
                return False
            if commit == decided_on:
                return True
    except GitError:
        return False
    return False


def _entries(repository: Repository, commit: str, paths: Iterable[str]) -> list[Entry | None]:
    tree = repository.read_commit(commit).tree
    return [repository.entry_at(tree, path) for path in paths]


def _matches(pattern: str, path: str) -> bool:
    def translated(part: str) -> str:
        return {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(part) or re.escape(part)

    return re.fullmatch("".join(map(translated, _WILD.findall(pattern))), path, flags=re.DOTALL) is not None


def _spans(repository: Repository, file: ChangedFile) -> set[str]:
    """Return which parts of a file changed, without those that follow from the others."""
    texts = [_text(repository, entry) for entry in (file.before, file.after)]
    return set(changed_spans(*texts)) - DERIVED


def _text(repository: Repository, entry: Entry | None) -> str:
    return repository.read_object(entry.id, "blob").decode("utf-8", "surrogateescape") if entry else ""
