"""The book: the branch `ledger`, on which proposals are registered before anything is run, and decided once it was.

Here it is found, read and appended to; `ledger` holds what its entries say and the rules that they follow.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from esc_skills.documents.text import read_bytes, write_atomically
from esc_skills.errors import GitError, InputError
from esc_skills.git import REGULAR, LedgerCommit, Repository
from esc_skills.ledger.entries import (
    FORMAT,
    REWRITTEN,
    Entry,
    Epoch,
    Ledger,
    LedgerError,
    Registered,
    Terms,
    as_entry,
    entry_line,
    next_place,
    read_entry,
)
from esc_skills.ledger.levels import threshold_at
from esc_skills.vocabulary import Verdict

BRANCH = "ledger"
_FOLDER = "entries"
_SEEN = re.compile(r"[0-9a-f]{40,64}\n")
#: How often a decision is appended again where others appended in between; what it says does not depend on theirs.
_TRIES = 5


def read_ledger(repository: Repository, ref: str | None) -> Ledger:
    """Read a ledger and check that it holds together.

    Args:
        repository: The repository.
        ref: The ref of the branch; None for a ledger that does not exist yet.

    Raises:
        LedgerError: It was rewritten, or an entry is not what the rules make of it; the message names the entry.
    """
    if ref is None:
        return Ledger("", (), ())
    if repository.is_shallow():
        raise LedgerError("this clone is shallow, and its ledger is cut off", "run `git fetch --unshallow`")
    try:
        commits, files = repository.ledger_commits(ref), repository.read_tree(ref, _FOLDER)
    except GitError as error:
        raise LedgerError(f"the ledger cannot be read: {error.message}", REWRITTEN) from error
    entries: list[Entry] = []
    for position, commit in enumerate(commits, start=1):
        name = f"{_FOLDER}/{position:06}.json"
        if commit.added != ((name, "A", REGULAR),):
            raise LedgerError(f"the ledger's commit {commit.id[:10]} does more than add {name}", REWRITTEN)
        data = files.get(f"{position:06}.json")
        if data is None:
            raise LedgerError(f"the ledger's {name} is missing: a later commit deleted it", REWRITTEN)
        entries.append(read_entry(data, name, entries))
    _require_linear(commits)
    return Ledger(ref, tuple(entries), commits)


def _require_linear(commits: Sequence[LedgerCommit]) -> None:
    before: tuple[str, ...] = ()
    for commit in commits:
        if commit.parents != before:
            raise LedgerError(
                f"the ledger's commit {commit.id[:10]} does not follow the one before it alone", REWRITTEN
            )
        before = (commit.id,)


class LedgerBook:
    """The ledger of a repository, to be appended to.

    Args:
        repository: The repository.
        remote: The remote that holds the branch; None where the repository has none, and the branch is its own.

    Raises:
        GitError: The remote cannot be reached.
        LedgerError: The ledger does not hold together.
    """

    def __init__(self, repository: Repository, remote: str | None) -> None:
        self._repository, self._remote = repository, remote
        self._at_remote: str | None = None
        self.ledger = self._read()

    @property
    def is_at_remote(self) -> bool:
        """Whether the remote holds the ledger already."""
        return self._at_remote is not None

    def registered(self, number: int) -> Registered:
        """Return where a registration stands."""
        return self.ledger.registered(number)

    def register(self, first: float, proposal: str, terms: Terms) -> int:
        """Append a registration, pushed before this returns, and return its number.

        Raises:
            GitError: Somebody else appended in between; nothing has been run, so the same command may be given again.
        """
        entries: list[dict[str, Any]] = []
        if self.ledger.epoch is None:
            entries.append(self._epoch_entry(first, "start", 1))
        known = [*self.ledger.entries, *(as_entry(each) for each in entries)]
        index, accepted = next_place(known)
        threshold = threshold_at(first, index, accepted)
        epoch = max(each.epoch for each in known if isinstance(each, Epoch))
        entries.append(
            {
                "format": FORMAT,
                "kind": "registration",
                "number": len(known) + 1,
                "epoch": epoch,
                "index": index,
                "accepted": accepted,
                "threshold": threshold,
                "proposal": proposal,
                "change": terms.change,
                "meaning": terms.meaning,
                "draws": terms.draws,
                "models": terms.models,
            }
        )
        self._append(entries, f"Register {proposal}")
        return len(known) + 1

    def decide(self, registration: int, verdict: Verdict, draws: int, e_value: float, episodes: str) -> None:
        """Append the decision on a registration, and push it.

        Raises:
            GitError: The remote refused again and again.
            LedgerError: The registration was decided in between.
        """
        for last in [False] * (_TRIES - 1) + [True]:
            if registration in self.ledger.decisions:
                raise LedgerError(f"the registration {registration} was decided by somebody else in the meantime")
            entry = {
                "format": FORMAT,
                "kind": "decision",
                "number": len(self.ledger.entries) + 1,
                "registration": registration,
                "verdict": str(verdict),
                "draws": draws,
                "e_value": float(f"{e_value:.9g}"),
                "episodes": episodes,
            }
            try:
                self._append([entry], f"Decide {registration}: {verdict}")
                return
            except GitError:
                if last:
                    raise
                self.ledger = self._read()

    def record_owners_decision(self, base: str, change: str, reason: str, signature: str) -> int:
        """Append what an owner decided, push it, and return its number."""
        number = len(self.ledger.entries) + 1
        entry = {"format": FORMAT, "kind": "owners", "number": number, "base": base, "change": change}
        self._append([{**entry, "reason": reason, "signature": signature}], f"Decide as owner: {change[7:17]}")
        return number

    def record_drawn(self, registration: int, random: str, signature: str) -> int:
        """Append the number that a witness drew for a registration, push it, and return the entry's number."""
        number = len(self.ledger.entries) + 1
        entry = {"format": FORMAT, "kind": "drawn", "number": number, "registration": registration}
        self._append([{**entry, "random": random, "signature": signature}], f"Draw for {registration}")
        return number

    def open_epoch(self, first: float, release: str) -> None:
        """Append an epoch, with which the count of proposals begins anew."""
        number = self.ledger.epoch.epoch + 1 if self.ledger.epoch else 1
        self._append([self._epoch_entry(first, release, number)], f"Open epoch {number}: {release}")

    def _epoch_entry(self, first: float, release: str, epoch: int) -> dict[str, Any]:
        number = len(self.ledger.entries) + 1
        return {
            "format": FORMAT,
            "kind": "epoch",
            "number": number,
            "epoch": epoch,
            "release": release,
            "threshold": first,
        }

    def _append(self, entries: Sequence[dict[str, Any]], message: str) -> None:
        files = []
        known = list(self.ledger.entries)
        for entry in entries:  # what no ledger may hold is not pushed: nobody could read it from then on
            name, data = f"{_FOLDER}/{entry['number']:06}.json", entry_line(entry).encode()
            try:
                known.append(read_entry(data, name, known))
            except LedgerError as error:
                raise InputError(f"nothing was appended to the ledger: {error.message}", "give other values") from error
            files.append({name: data})
        self._repository.append_commits(BRANCH, self._remote, self.ledger.head, files, message, self._at_remote)
        self.ledger = self._read()

    def _read(self) -> Ledger:
        ref = self._repository.fetch_branch(self._remote, BRANCH) if self._remote else None
        self._at_remote = self._repository.resolve(ref) if ref else None
        if self._remote and ref is None:
            _require_never_seen(self._repository, f"refs/remotes/{self._remote}/{BRANCH}")
        if ref is None and self._repository.branch_exists(BRANCH):
            ref = f"refs/heads/{BRANCH}"  # the history from before there was a remote goes along with the next entry
        ledger = read_ledger(self._repository, ref)
        require_not_rewritten(self._repository, ledger)
        return ledger


def require_not_rewritten(repository: Repository, ledger: Ledger) -> None:
    """Raise where a ledger lacks a commit that was seen in it before, and remember its head.

    Raises:
        LedgerError: History was taken out of it or changed.
    """
    if ledger.head is None:
        return
    mark = _mark(repository, ledger.ref)
    seen = _seen(mark)
    if seen and seen not in {commit.id for commit in ledger.commits}:
        raise LedgerError(
            f"the ledger was rewritten: its commit {seen[:10]}, which was seen before, is not in it any more",
            f"ask who did; if it was meant, delete {mark}",
        )
    if seen != ledger.head:
        # A clone that cannot be written to is as good to verify in; it only remembers nothing.
        with suppress(OSError):
            mark.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(mark, ledger.head + "\n")


def _seen(mark: Path) -> str | None:
    """Return the commit that was seen last; None where none was."""
    if not mark.exists():
        return None
    found = read_bytes(mark, limit=1_000).decode("utf-8", "replace")
    if not _SEEN.fullmatch(found):
        hint = f"delete {mark} if you trust the ledger as it is; `esc-skills ledger show` shows it"
        raise LedgerError(f"{mark}: does not hold the id of a commit, so nobody can say what was seen before", hint)
    return found.strip()


def _mark(repository: Repository, ref: str) -> Path:
    return repository.private_folder / f"{ref.replace('/', '-')}.seen"


def _require_never_seen(repository: Repository, ref: str) -> None:
    if (mark := _mark(repository, ref)).is_file():
        found = "the ledger was seen at the remote before, and is not there any more"
        raise LedgerError(found, f"ask who deleted it; if it was meant, delete {mark}")


def find_ledger(repository: Repository, named: str | None = None) -> Ledger | None:
    """Return the ledger that a clone holds, without asking any remote; None where it holds none.

    Args:
        repository: The repository.
        named: Its ref; else that of `origin` or of the only remote; without a remote, or in a bare or mirror clone that keeps
            a remote's branches as its own, the branch `ledger`.

    Raises:
        LedgerError: It does not hold together.
    """
    ref = repository.full_ref(named or _own_ref(repository))
    if ref is None:
        return None
    ledger = read_ledger(repository, ref)
    require_not_rewritten(repository, ledger)
    return ledger


def _own_ref(repository: Repository) -> str:
    """Return where a clone has its ledger; a second remote may be anybody's fork, and its ledger is never taken."""
    remote = remote_of_ledger(repository, None)
    return repository.tracking_ref(remote, BRANCH) if remote else f"refs/heads/{BRANCH}"


def remote_of_ledger(repository: Repository, named: str | None) -> str | None:
    """Return the remote that holds the ledger: the one that was named, else `origin` or the only one; None without any.

    Raises:
        InputError: No remote has that name, or there are several and none is `origin`.
    """
    remotes = repository.remotes()
    if named is not None and named not in remotes:
        hint = f"one of {', '.join(remotes)}" if remotes else "there is none"
        raise InputError(f"no remote is named {named!r}", hint)
    if named is not None or not remotes:
        return named
    if len(remotes) > 1 and "origin" not in remotes:
        hint = "name it with --remote, or its ref with --ledger"
        raise InputError(f"which of {', '.join(sorted(remotes))} holds the ledger?", hint)
    return "origin" if "origin" in remotes else remotes[0]
