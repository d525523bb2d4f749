"""Witnesses: who drew the seekers of a proposal, who played them, and what that is worth in words."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from esc_skills.errors import InputError
from esc_skills.evidence.signature import Purpose, SignatureError, check_signature, sign
from esc_skills.ledger.book import LedgerBook
from esc_skills.ledger.entries import Drawn, Ledger, drawn_payload
from esc_skills.simulation.players import SURROGATE

NO_WITNESS = "no outside witness: the author could know the seekers before registering"
_ROLES = {"supporter": "supporter", "seeker": "seeker", "judge": "judge", "second_seeker": "second seeker"}


def who_played(models: Mapping[str, str | None], runner: str | None = None) -> str:
    """Return in words who played: `simulated offline`, or the models by role and who ran them.

    Args:
        models: The models by role.
        runner: Who signed the evidence; None where nobody did, or where it is not known yet.
    """
    named = {role: name for role, name in models.items() if name is not None}
    if set(named.values()) == {SURROGATE}:
        return "simulated offline"
    if len(set(named.values())) == 1:
        told = f"played by {next(iter(named.values()))} in every role"
    else:
        told = "played by " + ", ".join(f"{name} ({_ROLES[role]})" for role, name in named.items())
    return f"{told}, run by {runner}" if runner else f"{told}, run by whoever made the branch"


def is_reproducible(models: Mapping[str, str | None]) -> bool:
    """Whether everybody gets the same episodes, as where the surrogate plays every role."""
    return set(models.values()) <= {SURROGATE, None}


def drawn_by(drawn: Drawn, signers: bytes | None, trusted: Sequence[str]) -> str:
    """Return who drew a number.

    Args:
        drawn: The ledger's entry.
        signers: The base's allowed signers; None where it has none.
        trusted: The names that `gate.trusted` of the base's settings holds.

    Raises:
        SignatureError: It was none of them.
    """
    if signers is None:
        raise SignatureError("the base holds no file that says whose signature counts")
    name = check_signature(drawn.payload, drawn.signature.encode(), signers, Purpose.DRAWN)
    if name not in trusted:
        raise SignatureError(f"{name} drew it, whom gate.trusted does not name")
    return name


def draw_numbers(book: LedgerBook, key: Path) -> Iterator[int]:
    """Draw a number for each registration that is not decided and has none, and yield the number of each registration.

    Raises:
        InputError: No registration waits for one.
        SignatureError: The key cannot sign.
    """
    waiting = [each.number for each in book.ledger.undecided() if book.ledger.drawn_for(each.number) is None]
    if not waiting:
        raise InputError("no registration waits for a number", "`esc-skills ledger show` lists them")
    for number in waiting:
        random = secrets.token_hex(32)
        signature = sign(drawn_payload(number, random), key, Purpose.DRAWN).decode()
        book.record_drawn(number, random, signature)
        yield number


def is_waiting(ledger: Ledger, number: int, trusted: Sequence[str]) -> bool:
    """Whether a registration waits for a number before anything may be played."""
    return bool(trusted) and ledger.drawn_for(number) is None
