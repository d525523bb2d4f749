"""What a verification comes to: the status of the evidence, the checks that were made, and what the result is bound to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from esc_skills.evidence.span_coverage import Coverage
from esc_skills.evidence.trial import Outcome, Trial
from esc_skills.vocabulary import Verdict


class EvidenceStatus(StrEnum):
    """What the evidence of a change is worth.

    `none` where the change touches nothing that a verification is about; `untested` where an owner decided it, since no
    simulation could.
    """

    VALID = "valid"
    INVALID = "invalid"
    STALE = "stale"
    MISSING = "missing"
    UNVERIFIABLE = "unverifiable"
    UNTESTED = "untested"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked, whether it holds, and the place and reason where it does not."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Bound:
    """What a result is about, so that nobody takes it for the result of something else.

    Attributes:
        base: The id of the commit that is merged into; head: that of the commit that is merged.
        tree: The id of the merged tree; None where it is not known, as when files that do not matter are merged by content.
        ledger: The id of the ledger's last commit; None without one.
        players: The digest of who played and how; None where nothing was played.
        tool: The digest of the verifying tool's files; version: its version.
    """

    base: str
    head: str
    tree: str | None
    ledger: str | None
    players: str | None
    tool: str
    version: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What is left of a change once everything was recomputed.

    Attributes:
        status: What the evidence is worth.
        verdict: The verdict, re-derived or an owner's; None unless the evidence is valid or untested.
        checks: What was checked, in order; the last one failed where the change may not be merged for it.
        bound: What it is about.
        trial: What judged the change; None unless the evidence is valid.
        outcome: What that came to, rebuilt; None unless the evidence is valid.
        signer: Who signed the evidence; None where nobody did, or unless it is valid.
        coverage: What each changed span was played in; None unless the evidence is valid.
    """

    status: EvidenceStatus
    verdict: Verdict | None
    checks: tuple[Check, ...]
    bound: Bound
    trial: Trial | None = None
    outcome: Outcome | None = None
    coverage: Coverage | None = None
    signer: str | None = None

    @property
    def accepted(self) -> bool:
        """Whether the change may be merged as far as a verification goes."""
        return self.verdict is Verdict.ACCEPT or self.status is EvidenceStatus.NONE


class RefusedError(Exception):
    """Ends a verification with its status, the check that failed and why."""

    def __init__(self, status: EvidenceStatus, name: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.check = Check(name, False, detail)


def invalid(name: str, detail: str) -> RefusedError:
    """Return the refusal of evidence that does not hold."""
    return RefusedError(EvidenceStatus.INVALID, name, detail)


def missing(name: str, detail: str) -> RefusedError:
    """Return the refusal of a change that lacks something."""
    return RefusedError(EvidenceStatus.MISSING, name, detail)


def stale(name: str, detail: str) -> RefusedError:
    """Return the refusal of evidence that was made for another base."""
    return RefusedError(EvidenceStatus.STALE, name, detail)


def unverifiable(name: str, detail: str) -> RefusedError:
    """Return the refusal of evidence that this installation cannot judge."""
    return RefusedError(EvidenceStatus.UNVERIFIABLE, name, detail)
