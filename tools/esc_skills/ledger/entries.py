"""The ledger: registrations and decisions, and the rules that each entry follows; `book` keeps them on a branch.

Each commit of it adds one file, `entries/NNNNNN.json`, and changes no other. A registration fixes the change, its models,
its budget and its threshold; the seekers, their seeds and their order follow from the history up to it, in which there is no
date and no name that somebody could turn until the seekers suit. A registration without a decision counts as refused.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from esc_skills.documents.jsonl import canonical_json, digest_json, parse_json
from esc_skills.documents.schema import require_schema
from esc_skills.documents.text import decode
from esc_skills.errors import EscError, InputError
from esc_skills.git import LedgerCommit
from esc_skills.ledger.levels import threshold_at
from esc_skills.vocabulary import Verdict

FORMAT = "esc-skills/ledger/1"
REWRITTEN = "somebody changed it by hand: take it back to the last commit that `esc-skills ledger verify` accepts"
_MAX_ENTRY = 20_000


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


@dataclass(frozen=True, slots=True)
class OwnersDecision:
    """What an owner of a repository decided because no simulation can; it spends nothing and says *untested*.

    Attributes:
        base: The id of the commit that the change was to be merged into.
        change: The digest of what changes.
        reason: Why, in the owner's words.
        signature: The owner's, over `payload`.
    """

    number: int
    base: str
    change: str
    reason: str
    signature: str

    @property
    def payload(self) -> bytes:
        """What is signed."""
        return owners_payload(self.base, self.change, self.reason)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A number that a witness drew after a registration was there, and from which its seekers follow.

    Attributes:
        registration: The number of the registration's entry.
        random: 64 hexadecimal digits.
        signature: The witness's, over `payload`.
    """

    number: int
    registration: int
    random: str
    signature: str

    @property
    def payload(self) -> bytes:
        """What is signed."""
        return drawn_payload(self.registration, self.random)


Entry = Epoch | Registration | LedgerDecision | OwnersDecision | Drawn


def drawn_payload(registration: int, random: str) -> bytes:
    """Return what a witness signs; see `Drawn`."""
    return canonical_json({"format": "esc-skills/drawn/1", "registration": registration, "random": random}).encode()


def owners_payload(base: str, change: str, reason: str) -> bytes:
    """Return what an owner signs; see `OwnersDecision`."""
    return canonical_json({"format": "esc-skills/owners/1", "base": base, "change": change, "reason": reason}).encode()


@dataclass(frozen=True, slots=True)
class Terms:
    """What a registration fixes of a trial.

    Attributes:
        change: The digest of the change and of all that judges it.
        meaning: The same without the bytes of the files; see `Trial.meaning`.
        draws: The most pairs that are drawn.
        models: Who plays which role.
    """

    change: str
    meaning: str
    draws: int
    models: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Registered:
    """Where a proposal stands in the ledger.

    Attributes:
        number: The number of its entry.
        history: The digest of what the ledger says up to the first registration of the same meaning; see `history_digests`.
        drawn: The number that a witness drew for that meaning; None where nobody did.
    """

    number: int
    history: str
    drawn: str | None = None


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

    @cached_property
    def owners_decisions(self) -> tuple[OwnersDecision, ...]:
        """What owners decided."""
        return tuple(each for each in self.entries if isinstance(each, OwnersDecision))

    def registration(self, number: int) -> Registration | None:
        """Return the registration with a number; None where that entry is none."""
        entry = self.entries[number - 1] if 1 <= number <= len(self.entries) else None
        return entry if isinstance(entry, Registration) else None

    @cached_property
    def drawn(self) -> tuple[Drawn, ...]:
        """The numbers that witnesses drew."""
        return tuple(each for each in self.entries if isinstance(each, Drawn))

    def drawn_for(self, number: int) -> Drawn | None:
        """Return the number that was drawn first for the meaning of a registration; None where nobody drew one."""
        same = {each.number for each in self._of_same_meaning(number)}
        return next((each for each in self.drawn if each.registration in same), None)

    def registered(self, number: int) -> Registered:
        """Return where a registration stands; another one of the same meaning gets the same seekers as the first."""
        first, drawn = self._of_same_meaning(number)[0], self.drawn_for(number)
        return Registered(number, self.histories[first.number - 1], drawn.random if drawn else None)

    def _of_same_meaning(self, number: int) -> list[Registration]:
        own = self.registration(number)
        return [each for each in self.registrations if own and each.meaning == own.meaning]

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
        return threshold_at(first, *next_place(self.entries))


def history_digests(entries: Sequence[Entry]) -> tuple[str, ...]:
    """Return the digest of the history up to each entry.

    Of an entry it holds what the rules or an honest run determine: which change was registered, what came of it, where an
    epoch opened. Names, releases and models are left out, since whoever registers could write them as they like, and so are
    owners' decisions, whose reasons are free words, and drawn numbers: not even how many there are between others tells in it.
    """
    digests: list[str] = []
    places: dict[int, int] = {}
    for entry in entries:
        before = digests[-1] if digests else ""
        if not isinstance(entry, OwnersDecision | Drawn):
            places[entry.number] = len(places) + 1
        told = _determined(entry, places)
        digests.append(digest_json([before, *told]) if told else before)
    return tuple(digests)


def _determined(entry: Entry, places: Mapping[int, int]) -> list[Any]:
    if isinstance(entry, Epoch):
        return ["epoch", entry.epoch]
    if isinstance(entry, Registration):
        return ["registration", entry.meaning]
    if isinstance(entry, OwnersDecision | Drawn):
        return []
    return ["decision", places[entry.registration], str(entry.verdict), entry.episodes]


def next_place(entries: Sequence[Entry]) -> tuple[int, int]:
    """Return the index of the next registration of the open epoch, and how many of its were accepted."""
    opened = max(at for at, each in enumerate(entries) if isinstance(each, Epoch))
    ours = {each.number for each in entries[opened:] if isinstance(each, Registration)}
    accepted = sum(
        isinstance(each, LedgerDecision) and each.registration in ours and each.verdict is Verdict.ACCEPT
        for each in entries[opened:]
    )
    return len(ours) + 1, accepted


def read_entry(data: bytes, name: str, before: Sequence[Entry]) -> Entry:
    """Read the file of an entry.

    Args:
        data: The file.
        name: What it is called.
        before: The entries before it.

    Raises:
        LedgerError: It is not written as the tools write it, or says what does not follow from those before it.
    """
    try:
        if len(data) > _MAX_ENTRY:
            raise InputError(f"{name}: has {len(data):,} bytes")
        text = decode(data, name)
        value = parse_json(text, name)
        require_schema(value, "ledger-entry", name)
    except EscError as error:
        raise LedgerError(f"the ledger's {error.message}", REWRITTEN) from error
    if text != entry_line(value):
        raise LedgerError(f"the ledger's {name} is not written as the tools write it", REWRITTEN)
    for problem in _problems(value, before):
        raise LedgerError(f"the ledger's {name}: {problem}", REWRITTEN)
    return as_entry(value)


def as_entry(value: Mapping[str, Any]) -> Entry:
    """Return the entry that a file's content stands for."""
    fields = {key: each for key, each in value.items() if key not in ("format", "kind")}
    if value["kind"] == "epoch":
        return Epoch(**fields)
    if value["kind"] == "registration":
        return Registration(**fields)
    if value["kind"] == "owners":
        return OwnersDecision(**fields)
    if value["kind"] == "drawn":
        return Drawn(**fields)
    return LedgerDecision(**{**fields, "verdict": Verdict(fields["verdict"])})


def _problems(value: Mapping[str, Any], before: Sequence[Entry]) -> Iterator[str]:
    """Yield what an entry says that does not follow from those before it."""
    if value["number"] != len(before) + 1:
        yield f"/number is {value['number']} and should be {len(before) + 1}"
    epochs = [each for each in before if isinstance(each, Epoch)]
    if value["kind"] == "owners":
        return
    if value["kind"] == "epoch":
        if value["epoch"] != len(epochs) + 1:
            yield f"/epoch is {value['epoch']} and should be {len(epochs) + 1}"
    elif not epochs:
        yield "stands before any epoch"
    elif value["kind"] == "registration":
        yield from _registration_problems(value, before, epochs[-1])
    elif value["kind"] == "drawn":
        yield from _drawn_problems(value, before)
    else:
        yield from _decision_problems(value, before)


def _registration_problems(value: Mapping[str, Any], before: Sequence[Entry], epoch: Epoch) -> Iterator[str]:
    index, accepted = next_place(before)
    for key, right in (("epoch", epoch.epoch), ("index", index), ("accepted", accepted)):
        if value[key] != right:
            yield f"/{key} is {value[key]} and should be {right}"
    threshold = threshold_at(epoch.threshold, index, accepted)
    if not math.isclose(value["threshold"], threshold, rel_tol=1e-9):
        yield f"/threshold is {value['threshold']} and should be {threshold:.9g}"


def _drawn_problems(value: Mapping[str, Any], before: Sequence[Entry]) -> Iterator[str]:
    number = value["registration"]
    if not 1 <= number <= len(before) or not isinstance(before[number - 1], Registration):
        yield f"/registration is {number}, which is no registration"
    elif any(isinstance(each, Drawn) and each.registration == number for each in before):
        yield f"draws for the registration {number} a second time"
    elif any(isinstance(each, LedgerDecision) and each.registration == number for each in before):
        yield f"draws for the registration {number}, which is decided"


def _decision_problems(value: Mapping[str, Any], before: Sequence[Entry]) -> Iterator[str]:
    number = value["registration"]
    if not 1 <= number <= len(before) or not isinstance(before[number - 1], Registration):
        yield f"/registration is {number}, which is no registration"
    elif any(isinstance(each, LedgerDecision) and each.registration == number for each in before):
        yield f"decides the registration {number} a second time"


def entry_line(value: Mapping[str, Any]) -> str:
    """Return the one text of an entry's file."""
    return canonical_json(value) + "\n"
