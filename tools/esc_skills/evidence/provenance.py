"""Where a proposal comes from: its registration and decision in the ledger, and who signed its statement."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from esc_skills.evidence.build import SIGNATURE, STATEMENT
from esc_skills.evidence.signature import SignatureError, check_signature
from esc_skills.evidence.trial import Outcome
from esc_skills.evidence.verification import Check, EvidenceStatus, RefusedError, invalid
from esc_skills.git import Repository
from esc_skills.ledger.book import find_ledger
from esc_skills.ledger.entries import Ledger, LedgerError, Registration
from esc_skills.ledger.levels import threshold_at

#: The file of the base that says whose signatures count, in the form of `ssh-keygen(1)`.
SIGNERS = "allowed_signers"
_STATEMENTS = re.compile(r"[^/]+/statement\.json")


def ledger_of(repository: Repository, statement: dict[str, Any], named: str | None) -> Ledger | None:
    """Return the ledger in which a statement says that it is registered; None where it says that it is in none."""
    return _find_ledger(repository, named) if statement["predicate"]["registration"] else None


def check_registration(
    ledger: Ledger | None, statement: dict[str, Any], name: str, first: float, meaning: str
) -> Registration | None:
    """Return the ledger's entry of a proposal; None for one that was made offline.

    Args:
        ledger: The ledger; None where the statement says that it is in none.
        statement: The statement.
        name: The proposal.
        first: The base's threshold for an epoch's first proposal.
        meaning: The trial's.
    """
    predicate = statement["predicate"]
    stated, shown = predicate["registration"], f"evidence/{name}/{STATEMENT}: /predicate/registration"
    if ledger is None:
        return None
    if stated["number"] > len(ledger.entries):
        detail = (
            f"{shown}: the ledger of this clone ends at entry {len(ledger.entries)}; run `git fetch origin "
            "ledger:refs/remotes/origin/ledger`, and if that does not help the entry is not there"
        )
        raise RefusedError(EvidenceStatus.MISSING, "registration", detail)
    entry = ledger.registration(stated["number"])
    if entry is None:
        raise invalid("registration", f"{shown}: the ledger's entry {stated['number']} is no registration")
    if ledger.histories[entry.number - 1] != stated["history"]:
        raise invalid("registration", f"{shown}: the ledger's history up to the entry {entry.number} is another one")
    if (entry.proposal, entry.change) != (name, predicate["change"]):
        raise invalid("registration", f"{shown}: the entry {entry.number} registers {entry.proposal}, another change")
    if entry.meaning != meaning:
        raise invalid("registration", f"{shown}: the entry {entry.number} tells of another meaning of the change")
    _check_terms(entry, predicate["inputs"], first, shown)
    return entry


def _check_terms(entry: Registration, inputs: dict[str, Any], first: float, shown: str) -> None:
    """Refuse an entry that is not what this change, these settings and the rules make of it."""
    right = threshold_at(first, entry.index, entry.accepted)
    if entry.threshold != right:
        raise invalid(
            "registration",
            f"{shown}: the entry {entry.number} asks for {entry.threshold!r} where the settings ask for {right!r}",
        )
    if entry.threshold != inputs["gate"]["threshold"]:
        raise invalid("registration", f"{shown}: the entry {entry.number} asks for the e-value {entry.threshold:.9g}")
    if dict(entry.models) != inputs["models"]:
        raise invalid("registration", f"{shown}: the entry {entry.number} names other models")
    if entry.draws != inputs["gate"]["draws"]:
        raise invalid("registration", f"{shown}: the entry {entry.number} plans for {entry.draws} draws")


def _find_ledger(repository: Repository, named: str | None) -> Ledger:
    try:
        ledger = find_ledger(repository, named)
    except LedgerError as error:
        raise invalid("ledger", error.message) from error
    if ledger is None:
        detail = "this clone holds no ledger; run `git fetch origin ledger:refs/remotes/origin/ledger`"
        raise RefusedError(EvidenceStatus.MISSING, "ledger", detail)
    return ledger


def check_decision(
    ledger: Ledger | None, entry: Registration | None, statement: dict[str, Any], outcome: Outcome
) -> None:
    """Refuse evidence that was not registered, and one that is not what the ledger says came of the registration."""
    if ledger is None or entry is None:
        detail = "made offline and not registered, so that somebody may have tried before; `esc-skills evidence renew` registers it"
        raise RefusedError(EvidenceStatus.MISSING, "registration", detail)
    made = ledger.decisions.get(entry.number)
    if made is None:
        detail = f"the ledger holds no decision on the entry {entry.number}, which counts as refused"
        raise RefusedError(EvidenceStatus.MISSING, "decision", detail)
    if made.episodes != statement["predicate"]["episodes"]["digest"]:
        raise invalid("decision", f"the ledger's entry {made.number} rests on other episodes: {made.verdict}")
    if made.verdict is not outcome.decision.verdict:
        found = f"says {made.verdict}, and the episodes that it rests on come to {outcome.decision.verdict}"
        raise invalid("decision", f"the ledger's entry {made.number} {found}")
    told = outcome.decision.draws, float(f"{outcome.decision.e_value:.9g}")
    if (made.draws, made.e_value) != told:
        found = f"tells of {made.draws} draws and the e-value {made.e_value}, and it was {told[0]} and {told[1]}"
        raise invalid("decision", f"the ledger's entry {made.number} {found}")


def check_signer(files: dict[str, bytes], name: str, signers: bytes | None, *, required: bool) -> Check | None:
    """Return who signed the statement; None where nobody did and nobody has to.

    Args:
        files: The evidence.
        name: The proposal.
        signers: The base's allowed signers, where it has any.
        required: Whether a signature is asked for.
    """
    signature, shown = files.get(SIGNATURE), f"evidence/{name}/{SIGNATURE}"
    if signers is None and required:
        raise RefusedError(
            EvidenceStatus.MISSING, "signature", f"the base holds no file {SIGNERS} that says whose signature counts"
        )
    if signature is None and required:
        raise RefusedError(
            EvidenceStatus.MISSING, "signature", f"{shown}: is missing; `esc-skills evidence sign` makes it"
        )
    if signature is None:
        return None
    if signers is None:
        return Check("signature", True, f"{shown} is there, and the base names no allowed signers: it says nothing")
    try:
        return Check("signature", True, f"signed by {check_signature(files[STATEMENT], signature, signers)}")
    except SignatureError as error:
        raise invalid("signature", f"{shown}: {error.message}") from error


def unregistered_evidence(repository: Repository, ledger: Ledger, revision: str) -> Iterator[str]:
    """Yield what is wrong with the evidence of merged proposals: each has to be registered and decided here.

    A ledger that was rewritten in all clones at once still lacks what merged evidence refers to.
    """
    for path, data in sorted(repository.read_tree(revision, "evidence", only=_STATEMENTS).items()):
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
