"""The ledger: the branch on which proposals are registered before anything is run, and decided once it was.

Each commit of it adds one file, `entries/NNNNNN.json`, and changes no other. A registration fixes the change, its models,
its budget and its threshold; the seekers, their seeds and their order follow from the history up to it, in which there is no
date and no name that somebody could turn until the seekers suit. A registration without a decision counts as refused.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from esc_skills.documents.jsonl import canonical_json, digest_json, parse_json
from esc_skills.documents.schema import require_schema
from esc_skills.documents.text import decode
from esc_skills.errors import EscError, GitError, InputError
from esc_skills.evolution.levels import threshold_at
from esc_skills.evolution.trial import Registered, Trial
from esc_skills.git import LedgerCommit, Repository
from esc_skills.vocabulary import Verdict

FORMAT = "esc-skills/ledger/1"
BRANCH = "ledger"
_FOLDER = "entries"
_MAX_ENTRY = 20_000
#: How often a decision is appended again where others appended in between; what it says does not depend on theirs.
_TRIES = 5
_REGULAR = 0o100644
_STATEMENT = re.compile(r"[^/]+/statement\.json")


class LedgerError(EscError):
    """The ledger does not hold together: an entry was changed, left out, or is not what the rules make of it."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """A stretch of the history in which the false-discovery rate is controlled; a release opens it.

    Attributes:
        threshold: The e-value that its first proposal has to reach.
    """

    number: int
    epoch: int
    release: str
    threshold: float


@dataclass(frozen=True, slots=True)
class Registration:
    """What was fixed of a proposal before anything was run.

    Attributes:
        number: The entry's place in the ledger, from 1.
        index: Its place among the epoch's registrations, from 1.
        accepted: How many of those were accepted before it.
        threshold: The e-value that it has to reach.
        proposal: Its id.
        change: The digest of the change and of all that judges it.
        meaning: The same without the bytes of the files; see `Trial.meaning`.
        draws: The most pairs that are drawn.
        models: Who plays which role.
    """

    number: int
    epoch: int
    index: int
    accepted: int
    threshold: float
    proposal: str
    change: str
    meaning: str
    draws: int
    models: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class LedgerDecision:
    """What came of a registration.

    Attributes:
        registration: The number of the registration's entry.
        episodes: The digest of the episodes that it rests on.
    """

    number: int
    registration: int
    verdict: Verdict
    draws: int
    e_value: float
    episodes: str


Entry = Epoch | Registration | LedgerDecision


@dataclass(frozen=True)
class Ledger:
    """The entries of a ledger that holds together.

    Attributes:
        ref: Where it was read; empty for one that does not exist yet.
        entries: In their order.
        commits: The commit of each entry.
    """

    ref: str
    entries: tuple[Entry, ...]
    commits: tuple[LedgerCommit, ...]

    @cached_property
    def histories(self) -> tuple[str, ...]:
        """The digest of the history up to each entry."""
        return history_digests(self.entries)

    @property
    def head(self) -> str | None:
        """The id of its last commit; None where it has none."""
        return self.commits[-1].id if self.commits else None

    @cached_property
    def epoch(self) -> Epoch | None:
        """The epoch that is open."""
        epochs = [each for each in self.entries if isinstance(each, Epoch)]
        return epochs[-1] if epochs else None

    @cached_property
    def registrations(self) -> tuple[Registration, ...]:
        """All registrations."""
        return tuple(each for each in self.entries if isinstance(each, Registration))

    @cached_property
    def decisions(self) -> dict[int, LedgerDecision]:
        """The decisions by the number of the registration."""
        return {each.registration: each for each in self.entries if isinstance(each, LedgerDecision)}

    def registration(self, number: int) -> Registration | None:
        """Return the registration with a number; None where that entry is none."""
        entry = self.entries[number - 1] if 1 <= number <= len(self.entries) else None
        return entry if isinstance(entry, Registration) else None

    def undecided(self) -> tuple[Registration, ...]:
        """Return the registrations without a decision."""
        return tuple(each for each in self.registrations if each.number not in self.decisions)

    def next_threshold(self, first: float) -> float:
        """Return the e-value that the next registration has to reach.

        Args:
            first: The settings' threshold of an epoch's first proposal.

        Raises:
            InputError: The open epoch was opened with another.
        """
        if self.epoch is None:
            return threshold_at(first, 1, 0)
        if self.epoch.threshold != first:
            found = f"the ledger's epoch {self.epoch.epoch} was opened with gate.threshold {self.epoch.threshold:g}, the settings say {first:g}"
            raise InputError(found, "open another epoch: esc-skills ledger open --release NAME")
        return threshold_at(first, *_standing(self.entries))


def history_digests(entries: Sequence[Entry]) -> tuple[str, ...]:
    """Return the digest of the history up to each entry.

    Of an entry it holds what the rules or an honest run determine: which change was registered, what came of it, where an
    epoch opened. Names, releases and models are left out, since whoever registers could write them as they like.
    """
    digests: list[str] = []
    for entry in entries:
        digests.append(digest_json([digests[-1] if digests else "", *_determined(entry)]))
    return tuple(digests)


def _determined(entry: Entry) -> list[Any]:
    if isinstance(entry, Epoch):
        return ["epoch", entry.epoch]
    if isinstance(entry, Registration):
        return ["registration", entry.meaning]
    return ["decision", entry.registration, str(entry.verdict), entry.episodes]


def _standing(entries: Sequence[Entry]) -> tuple[int, int]:
    """Return the index of the next registration of the open epoch, and how many of its were accepted."""
    opened = max(at for at, each in enumerate(entries) if isinstance(each, Epoch))
    ours = {each.number for each in entries[opened:] if isinstance(each, Registration)}
    accepted = sum(
        isinstance(each, LedgerDecision) and each.registration in ours and each.verdict is Verdict.ACCEPT
        for each in entries[opened:]
    )
    return len(ours) + 1, accepted


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
        raise LedgerError(f"the ledger cannot be read: {error.message}", _REWRITTEN) from error
    entries: list[Entry] = []
    for position, commit in enumerate(commits, start=1):
        name = f"{_FOLDER}/{position:06}.json"
        if commit.added != ((name, "A", _REGULAR),):
            raise LedgerError(f"the ledger's commit {commit.id[:10]} does more than add {name}", _REWRITTEN)
        entries.append(_read_entry(files.get(f"{position:06}.json", b""), name, entries))
    _require_linear(commits)
    return Ledger(ref, tuple(entries), commits)


_REWRITTEN = "somebody changed it by hand: take it back to the last commit that `esc-skills ledger verify` accepts"


def _require_linear(commits: Sequence[LedgerCommit]) -> None:
    before: tuple[str, ...] = ()
    for commit in commits:
        if commit.parents != before:
            raise LedgerError(
                f"the ledger's commit {commit.id[:10]} does not follow the one before it alone", _REWRITTEN
            )
        before = (commit.id,)


def _read_entry(data: bytes, name: str, before: Sequence[Entry]) -> Entry:
    try:
        if len(data) > _MAX_ENTRY:
            raise InputError(f"{name}: has {len(data):,} bytes")
        text = decode(data, name)
        value = parse_json(text, name)
        require_schema(value, "ledger-entry", name)
    except EscError as error:
        raise LedgerError(f"the ledger's {error.message}", _REWRITTEN) from error
    if text != _line(value):
        raise LedgerError(f"the ledger's {name} is not written as the tools write it", _REWRITTEN)
    for problem in _problems(value, before):
        raise LedgerError(f"the ledger's {name}: {problem}", _REWRITTEN)
    return _entry(value)


def _entry(value: Mapping[str, Any]) -> Entry:
    fields = {key: each for key, each in value.items() if key not in ("format", "kind")}
    if value["kind"] == "epoch":
        return Epoch(**fields)
    if value["kind"] == "registration":
        return Registration(**fields)
    return LedgerDecision(**{**fields, "verdict": Verdict(fields["verdict"])})


def _problems(value: Mapping[str, Any], before: Sequence[Entry]) -> Iterator[str]:
    """Yield what an entry says that does not follow from those before it."""
    if value["number"] != len(before) + 1:
        yield f"/number is {value['number']} and should be {len(before) + 1}"
    epochs = [each for each in before if isinstance(each, Epoch)]
    if value["kind"] == "epoch":
        if value["epoch"] != len(epochs) + 1:
            yield f"/epoch is {value['epoch']} and should be {len(epochs) + 1}"
    elif not epochs:
        yield "stands before any epoch"
    elif value["kind"] == "registration":
        yield from _registration_problems(value, before, epochs[-1])
    else:
        yield from _decision_problems(value, before)


def _registration_problems(value: Mapping[str, Any], before: Sequence[Entry], epoch: Epoch) -> Iterator[str]:
    index, accepted = _standing(before)
    for key, right in (("epoch", epoch.epoch), ("index", index), ("accepted", accepted)):
        if value[key] != right:
            yield f"/{key} is {value[key]} and should be {right}"
    threshold = threshold_at(epoch.threshold, index, accepted)
    if not math.isclose(value["threshold"], threshold, rel_tol=1e-9):
        yield f"/threshold is {value['threshold']} and should be {threshold:.9g}"


def _decision_problems(value: Mapping[str, Any], before: Sequence[Entry]) -> Iterator[str]:
    number = value["registration"]
    if not 1 <= number <= len(before) or not isinstance(before[number - 1], Registration):
        yield f"/registration is {number}, which is no registration"
    elif any(isinstance(each, LedgerDecision) and each.registration == number for each in before):
        yield f"decides the registration {number} a second time"


def _line(value: Mapping[str, Any]) -> str:
    return canonical_json(value) + "\n"


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

    def registered(self, number: int) -> Registered:
        """Return where a registration stands."""
        return Registered(number, self.ledger.histories[number - 1])

    def register(self, first: float, proposal: str, trial: Trial) -> int:
        """Append a registration, pushed before this returns, and return its number.

        Raises:
            GitError: Somebody else appended in between; nothing has been run, so the same command may be given again.
        """
        entries: list[dict[str, Any]] = []
        if self.ledger.epoch is None:
            entries.append(self._epoch_entry(first, "start", 1))
        known = [*self.ledger.entries, *(_entry(each) for each in entries)]
        index, accepted = _standing(known)
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
                "change": trial.digest,
                "meaning": trial.meaning,
                "draws": trial.gate.draws,
                "models": trial.models,
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
            name, data = f"{_FOLDER}/{entry['number']:06}.json", _line(entry).encode()
            try:
                known.append(_read_entry(data, name, known))
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
    seen = mark.read_text(encoding="utf-8").strip() if mark.is_file() else ""
    if seen and seen not in {commit.id for commit in ledger.commits}:
        raise LedgerError(
            f"the ledger was rewritten: its commit {seen[:10]}, which was seen before, is not in it any more",
            f"ask who did; if it was meant, delete {mark}",
        )
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text(ledger.head + "\n", encoding="utf-8")


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
    ref = named or _own_ref(repository)
    if not repository.ref_exists(ref):
        return None
    ledger = read_ledger(repository, ref)
    require_not_rewritten(repository, ledger)
    return ledger


def _own_ref(repository: Repository) -> str:
    """Return where a clone has its ledger; a second remote may be anybody's fork, and its ledger is never taken."""
    remotes, own = repository.remotes(), f"refs/heads/{BRANCH}"
    if not remotes:
        return own
    if len(remotes) > 1 and "origin" not in remotes:
        raise InputError(f"which of {', '.join(sorted(remotes))} holds the ledger?", "name its ref with --ledger")
    tracked = f"refs/remotes/{'origin' if 'origin' in remotes else remotes[0]}/{BRANCH}"
    return own if repository.is_bare and not repository.ref_exists(tracked) else tracked


def unregistered_evidence(repository: Repository, ledger: Ledger, revision: str) -> Iterator[str]:
    """Yield what is wrong with the evidence of merged proposals: each has to be registered and decided here.

    A ledger that was rewritten in all clones at once still lacks what merged evidence refers to.
    """
    for path, data in sorted(repository.read_tree(revision, "evidence", only=_STATEMENT).items()):
        try:
            stated = json.loads(data)["predicate"]["registration"]
            number, history = (stated["number"], stated["history"]) if stated else (0, "")
            found = ledger.registration(number) if type(number) is int else None
        except (ValueError, KeyError, TypeError, RecursionError):
            yield f"evidence/{path}: is no statement"
            continue
        if found is None or ledger.histories[number - 1] != history:
            yield f"evidence/{path}: is not registered in this ledger"
        elif number not in ledger.decisions:
            yield f"evidence/{path}: the entry {number} that registers it has no decision"
