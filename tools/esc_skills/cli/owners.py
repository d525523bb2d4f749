"""`esc-skills owners`."""

from __future__ import annotations

from pathlib import Path

import click

from esc_skills.cli.output import ProgressLine, format_option, say, show_json, show_table
from esc_skills.cli.propose_run import base_option, default_base, opened_book, with_remote
from esc_skills.errors import EXIT_FINDINGS, EXIT_FINE, InputError
from esc_skills.evidence.change import merged_change
from esc_skills.evidence.checks import verify
from esc_skills.evidence.kinds import SIMULATED, Kind
from esc_skills.evidence.ownership import (
    decide_as_owner,
    owners_of,
    owners_of_span,
    owners_word,
    text_findings,
    vouch_for_spans,
    word_on_spans,
)
from esc_skills.evidence.span_coverage import Coverage
from esc_skills.git import Repository
from esc_skills.ledger.book import find_ledger
from esc_skills.vocabulary import Verdict

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

    The base's settings say who owns what, and its file `allowed_signers` whose key is whose. Of a proposal with evidence you sign
    for the spans that no simulation vouches for, and `verify` says: accept, so many spans on your word. Of any other change you
    sign for all of it, and `verify` says: untested, on your word. Either holds for these words as they are, and for no others.
    """
    with Repository(repo) as repository, opened_book(repository, remote, offline=False) as book:
        base = default_base(repository, base)
        if book is None:
            raise InputError("there is no ledger to write to")
        if (coverage := _coverage(repository, base, head)) is not None:
            change = merged_change(repository, repository.resolve(base), repository.resolve(head))
            number, owner = vouch_for_spans(repository, change, coverage, reason, key, book)
            word = word_on_spans(repository, change, book.ledger, coverage)
            say(f"entry {number} of the ledger: {owner} vouches for {len(coverage.open)} spans: {reason}")
            for each in coverage.open:
                say(f"  {each.change.label}: {each.reason}")
        else:
            number, owner, change = decide_as_owner(repository, base, head, reason, key, book)
            word = owners_word(repository, change, book.ledger)
            say(f"entry {number} of the ledger: {owner} decides that {change.describe()} may change: {reason}")
            for finding in text_findings(repository, change):
                say(f"  {finding.as_text()}")
    for path, owners in word.open:
        say(f"  still open: {path}; may decide: {', '.join(owners) or 'nobody'}")
    say(f"next: esc-skills verify --base {base} --head {head}")
    return EXIT_FINE


def _coverage(repository: Repository, base: str, head: str) -> Coverage | None:
    """Return the coverage of a proposal with evidence that the gate accepts; None of a change without evidence.

    Raises:
        InputError: It brings evidence and is not accepted by the gate, so that nobody's word helps.
    """
    change = merged_change(repository, repository.resolve(base), repository.resolve(head))
    if not (change.kinds <= SIMULATED and Kind.EVIDENCE in change.kinds):
        return None
    with ProgressLine("pairs simulated again") as progress:
        found = verify(repository, base, head, progress)
    if found.coverage is None or found.outcome is None:
        check = found.checks[-1]
        raise InputError(
            f"the evidence of {head} is {found.status}: {check.detail}", "a word on it would not make it valid"
        )
    if found.outcome.decision.verdict is not Verdict.ACCEPT:
        verdict = found.outcome.decision.verdict
        hint = "without its evidence, in a branch of its own, a change may be decided untested"
        raise InputError(f"the gate's verdict on {head} is {verdict}, which no word on single spans changes", hint)
    return found.coverage


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
        coverage = _coverage(repository, base, head)
        if coverage is not None:
            word = word_on_spans(repository, change, find_ledger(repository), coverage)
            rows = [
                (each.change.label, each.reason, owners_of_span(change.settings, coverage, each))
                for each in coverage.open
            ]
        else:
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
            ["span", "why", "may decide"] if coverage else ["file", "part of", "may decide"],
            [(path, kind, ", ".join(who) or "nobody") for path, kind, who in rows],
        )
        for each in word.decisions:
            say(
                f"entry {each.entry.number}: {'' if coverage else 'untested, '}on {each.owner}'s word: {each.entry.reason}"
            )
    return EXIT_FINDINGS if word.open else EXIT_FINE
