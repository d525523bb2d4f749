"""What a verification comes to: the status of the evidence, the checks that were made, and the refusal that ends it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from esc_skills.evidence.trial import Outcome, Trial
from esc_skills.vocabulary import Verdict


class EvidenceStatus(StrEnum):
    """What the evidence of a proposal is worth; `exempt` where a change needs none."""

    VALID = "valid"
    INVALID = "invalid"
    STALE = "stale"
    MISSING = "missing"
    UNVERIFIABLE = "unverifiable"
    EXEMPT = "exempt"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked, whether it holds, and the place and reason where it does not."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What is left of a proposal once everything was recomputed.

    Attributes:
        status: What the evidence is worth.
        verdict: The verdict, re-derived; None unless the evidence is valid.
        checks: What was checked, in order; the last one failed where the evidence is not valid.
        trial: What judged the change; None unless the evidence is valid.
        outcome: What that came to, rebuilt; None unless the evidence is valid.
    """

    status: EvidenceStatus
    verdict: Verdict | None
    checks: tuple[Check, ...]
    trial: Trial | None = None
    outcome: Outcome | None = None

    @property
    def accepted(self) -> bool:
        """Whether the change may be merged as far as evidence goes."""
        accepted = self.status is EvidenceStatus.VALID and self.verdict is Verdict.ACCEPT
        return accepted or self.status is EvidenceStatus.EXEMPT


class RefusedError(Exception):
    """Ends a verification with its status, the check that failed and why."""

    def __init__(self, status: EvidenceStatus, name: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.check = Check(name, False, detail)


def invalid(name: str, detail: str) -> RefusedError:
    """Return the refusal of evidence that does not hold."""
    return RefusedError(EvidenceStatus.INVALID, name, detail)
