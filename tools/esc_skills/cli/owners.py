"""`esc-skills owners`."""

from __future__ import annotations

from pathlib import Path

import click

from esc_skills.cli.output import format_option, say, show_json, show_table
from esc_skills.cli.propose_run import base_option, default_base, opened_book, with_remote
from esc_skills.errors import EXIT_FINDINGS, EXIT_FINE, InputError
from esc_skills.evidence.change import merged_change
from esc_skills.evidence.ownership import decide_as_owner, owners_of, owners_word
from esc_skills.git import Repository
from esc_skills.ledger.book import find_ledger

_head = click.option("--head", required=True, metavar="REV", help="The change.")
_repo = click.option("--repo", type=click.Path(path_type=Path), default=Path(), help="The git repository.")


@click.group("owners")
def command() -> None:
    """Decide what no simulation can: settings, profiles, prompts, a licence, a line that has to go."""


@command.command("sign")
@_head
@base_option
@click.option("--reason", required=True, help="Why, in a sentence; the ledger and every verification show it.")
@click.option(
    "--key",
    required=True,
    type=click.Path(path_type=Path),
    help="A private SSH key, or the public one of a key that an agent holds.",
)
@_repo
@with_remote
def sign(head: str, base: str | None, reason: str, key: Path, repo: Path, remote: str | None) -> int:
    """Sign a change as an owner, in an entry of the ledger that spends nothing.

    The base's settings say who owns what, and its file `allowed_signers` whose key is whose. `verify` says then:
    untested, on your word. The decision holds for these files as they are on both sides, and for no other change.
    """
    with Repository(repo) as repository, opened_book(repository, remote, offline=False) as book:
        base = default_base(repository, base)
        if book is None:
            raise InputError("there is no ledger to write to")
        number, owner, change = decide_as_owner(repository, base, head, reason, key, book)
        word = owners_word(repository, change, book.ledger)
    say(f"entry {number} of the ledger: {owner} decides that {change.describe()} may change: {reason}")
    for path, owners in word.open:
        say(f"  still open: {path}; may decide: {', '.join(owners) or 'nobody'}")
    say(f"next: esc-skills verify --base {base} --head {head}")
    return EXIT_FINE


@command.command("show")
@_head
@base_option
@_repo
@format_option
def show(head: str, base: str | None, repo: Path, form: str) -> int:
    """Show what a change touches, who may decide it, and what was decided. Ends with 1 where something is open."""
    with Repository(repo) as repository:
        base = default_base(repository, base)
        change = merged_change(repository, repository.resolve(base), repository.resolve(head))
        word = owners_word(repository, change, find_ledger(repository))
        rows = [(each.file.path, str(each.kind), owners_of(repository, change, each)) for each in change.touched]
    if form == "json":
        decided = [
            {"entry": each.entry.number, "owner": each.owner, "reason": each.entry.reason} for each in word.decisions
        ]
        files = [{"path": path, "kind": kind, "owners": list(owners)} for path, kind, owners in rows]
        show_json({"files": files, "decisions": decided, "open": [path for path, _ in word.open]})
    else:
        show_table(
            "",
            ["file", "part of", "may decide"],
            [(path, kind, ", ".join(who) or "nobody") for path, kind, who in rows],
        )
        for each in word.decisions:
            say(f"entry {each.entry.number}: untested, on {each.owner}'s word: {each.entry.reason}")
    return EXIT_FINDINGS if word.open else EXIT_FINE
