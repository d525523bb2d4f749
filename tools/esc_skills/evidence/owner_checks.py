"""What verification says of a change that no simulation decides: on whose word it stands, or who may decide it."""

from __future__ import annotations

from esc_skills.evidence.case import Demand
from esc_skills.evidence.change import MergedChange
from esc_skills.evidence.kinds import Kind
from esc_skills.evidence.ownership import OwnersWord, owners_word, text_findings
from esc_skills.evidence.verification import Check, RefusedError, invalid, missing
from esc_skills.git import Repository
from esc_skills.ledger.book import find_ledger
from esc_skills.ledger.entries import LedgerError

#: How many hits of the scanner a verification tells of at most.
_MOST_TOLD = 20


def how_to_sign(change: MergedChange) -> str:
    """Return the command with which an owner decides a change, for a message."""
    return f"`esc-skills owners sign --base {change.base[:12]} --head {change.head[:12]} --reason …`"


def word_on(repository: Repository, change: MergedChange, demand: Demand) -> OwnersWord:
    """Return what owners said of a change, from the ledger.

    Raises:
        RefusedError: The ledger does not hold together.
    """
    try:
        return owners_word(repository, change, find_ledger(repository, demand.ledger))
    except LedgerError as error:
        raise invalid("ledger", error.message) from error


def checks_of_word(repository: Repository, change: MergedChange, word: OwnersWord) -> tuple[Check, ...]:
    """Return what to show of a change that owners decided: what it is, what the scanner found, and who decided."""
    said = [
        Check("owners", True, f"untested, on {each.owner}'s word (entry {each.entry.number}): {each.entry.reason}")
        for each in word.decisions
    ]
    texts = [Check("text", True, f"on an owner's word: {each.as_text()}") for each in text_findings(repository, change)]
    return (Check("change", True, f"changes {change.describe()}"), *texts[:_MOST_TOLD], *said)


def undecided(change: MergedChange, word: OwnersWord) -> RefusedError:
    """Return why a change may not be merged that nobody decided, with what would help."""
    path, owners = word.open[0]
    may = f"{' or '.join(owners)} may decide it without: {how_to_sign(change)}" if owners else ""
    if change.kinds == {Kind.BANK}:
        detail = f"the head changes {path} and adds no evidence; `esc-skills evidence collect --head BRANCH` plays it and leaves a branch with both"
        return missing("evidence", f"{detail}; {may}" if may else detail)
    if change.kinds == {Kind.EVIDENCE}:
        return missing("evidence", f"the head changes {path} and brings no proposal")
    what = f"the head changes {change.describe()}, which no simulation decides"
    who = (
        may.replace(" without", "")
        if owners
        else f"the settings of the base name no owner of {path}; name one there (docs/ci.md), or leave it out"
    )
    return missing("owners", f"{what}; {who}")
