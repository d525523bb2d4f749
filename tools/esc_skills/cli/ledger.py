"""`esc-skills ledger`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from esc_skills.cli.output import format_option, say, show_json, show_table
from esc_skills.cli.propose_run import opened_book
from esc_skills.errors import EXIT_FINDINGS, EXIT_FINE, InputError
from esc_skills.evidence.audit import unregistered_evidence
from esc_skills.evidence.revision import settings_at
from esc_skills.evidence.witness import draw_numbers
from esc_skills.git import Repository
from esc_skills.ledger.book import find_ledger
from esc_skills.ledger.entries import (
    Drawn,
    Epoch,
    Ledger,
    LedgerDecision,
    LedgerError,
    OwnersDecision,
    Registration,
)
from esc_skills.ledger.levels import nominal_rate

_repo = click.option("--repo", type=click.Path(path_type=Path), default=Path(), help="The git repository.")
_ref = click.option("--ledger", "ref", metavar="REF", help="The ledger's ref. [default: origin/ledger, else ledger]")


_KINDS = {
    Epoch: "epoch",
    Registration: "registration",
    LedgerDecision: "decision",
    OwnersDecision: "owners",
    Drawn: "drawn",
}


@click.group("ledger")
def command() -> None:
    """Show and check the history of registrations and decisions on which thresholds depend."""


@command.command("show")
@_repo
@_ref
@format_option
def show(repo: Path, ref: str | None, form: str) -> int:
    """Show the registrations with their thresholds and what came of them."""
    with Repository(repo) as repository:
        ledger = _found(repository, ref)
        settings = settings_at(repository, "HEAD")
    if form == "json":
        entries = [{"kind": _KINDS[type(each)], **asdict(each)} for each in ledger.entries]
        show_json({"ref": ledger.ref, "head": ledger.head, "entries": entries})
        return EXIT_FINE
    show_table(
        f"Ledger {ledger.ref}",
        ["proposal", "entry", "epoch", "index", "threshold", "draws", "e-value", "verdict"],
        _rows(ledger),
    )
    for each in ledger.owners_decisions:
        say(f"entry {each.number}, an owner's decision, untested (`verify` checks who signed it): {each.reason}")
    for drawn in ledger.drawn:
        say(f"entry {drawn.number}: a number drawn for the registration {drawn.registration} (`verify` checks by whom)")
    first = settings.gate.threshold
    say(f"the next proposal has to reach {ledger.next_threshold(first):.1f}; {_promise(first)}")
    return EXIT_FINE


def _promise(first: float) -> str:
    rate = nominal_rate(first)
    if rate < 1:
        return f"at most {rate:.0%} of an epoch's accepted ones are expected to be false"
    return f"with gate.threshold {first:g}, which is not above 2, all accepted ones of an epoch may be false"


def _rows(ledger: Ledger) -> Iterator[list[object]]:
    for each in ledger.entries:
        if isinstance(each, Epoch):
            yield [f"— epoch {each.epoch}: {each.release} —", each.number, each.epoch, "", "", "", "", ""]
    for each in ledger.registrations:
        made = ledger.decisions.get(each.number)
        came = [made.draws, f"{made.e_value:.2f}", made.verdict] if made else ["", "", "none: counts as refused"]
        yield [each.proposal, each.number, each.epoch, each.index, f"{each.threshold:.1f}", *came]


@command.command("verify")
@_repo
@_ref
def verify(repo: Path, ref: str | None) -> int:
    """Check that nothing was changed, left out or decided twice, and that merged evidence is registered."""
    with Repository(repo) as repository:
        try:
            ledger = _found(repository, ref)
        except LedgerError as error:
            say(f"BAD {error.message}")
            say(f"  → {error.hint}")
            return EXIT_FINDINGS
        strangers = list(unregistered_evidence(repository, ledger, "HEAD"))
    for stranger in strangers:
        say(f"BAD {stranger}")
    undecided = len(ledger.undecided())
    say(
        f"{len(ledger.registrations)} registrations, {len(ledger.decisions)} decisions, {undecided} undecided, {len(strangers)} problems"
    )
    return EXIT_FINDINGS if strangers else EXIT_FINE


@command.command("open")
@_repo
@click.option("--release", required=True, metavar="NAME", help="The release that opens the epoch, such as v1.1.")
@click.option("--remote", metavar="NAME", help="The remote that holds the ledger. [default: origin, or the only one]")
def open_epoch(repo: Path, release: str, remote: str | None) -> int:
    """Open an epoch: proposals are counted anew, and errors are controlled from here on by themselves."""
    with Repository(repo) as repository:
        threshold = settings_at(repository, "HEAD").gate.threshold
        with opened_book(repository, remote, offline=False) as book:
            if book is None:
                raise InputError("no ledger to open an epoch in")
            book.open_epoch(threshold, release)
            epoch = book.ledger.epoch
    say(f"epoch {epoch.epoch if epoch else '?'} is open; the next proposal has to reach {threshold:g}")
    return EXIT_FINE


@command.command("draw")
@_repo
@click.option(
    "--key",
    required=True,
    type=click.Path(path_type=Path),
    help="A private SSH key, or the public one of a key that an agent holds, of somebody whom gate.trusted names.",
)
@click.option("--remote", metavar="NAME", help="The remote that holds the ledger. [default: origin, or the only one]")
def draw(repo: Path, key: Path, remote: str | None) -> int:
    """Draw a number for each registration that waits for one; its seekers follow from it.

    Where the settings name somebody in gate.trusted, nothing is played before. So no author can know the seekers when registering.
    """
    with Repository(repo) as repository, opened_book(repository, remote, offline=False) as book:
        if book is None:
            raise InputError("there is no ledger to write to")
        for number in draw_numbers(book, key):
            say(f"a number is drawn for the registration {number}; whoever made it may give the same command again")
    return EXIT_FINE


def _found(repository: Repository, ref: str | None) -> Ledger:
    ledger = find_ledger(repository, ref)
    if ledger is None:
        raise InputError(
            "this clone holds no ledger",
            "run `git fetch origin ledger:refs/remotes/origin/ledger`, or register with `esc-skills evolve`",
        )
    return ledger
