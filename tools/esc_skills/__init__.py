"""ESC-Skills: a Git-native bank of emotional support skills and the tools that verify its changes.

The public names are below; each is loaded when it is first asked for, so that `import esc_skills` costs nothing.

Example:
    >>> from esc_skills import Bank
    >>> len(Bank.load().skills) > 30
    True
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from esc_skills.bank.skill import Example, Skill, SkillRisk
    from esc_skills.documents.findings import Finding, Severity
    from esc_skills.errors import DocumentError, EscError, GitError, InputError
    from esc_skills.evidence.verification import Check, EvidenceStatus, Verification
    from esc_skills.integrations.agent_bank import Bank, Selection
    from esc_skills.integrations.runs import Run, read_run, simulate
    from esc_skills.integrations.verifier import Verifier
    from esc_skills.settings import Settings, read_settings
    from esc_skills.simulation.sentient_score import Score
    from esc_skills.transcript import Transcript, Turn
    from esc_skills.vocabulary import (
        Disposition,
        HiddenIntention,
        Risk,
        RiskCode,
        Split,
        Strategy,
        Termination,
        Verdict,
    )

_HOMES = {
    "bank.skill": ("Example", "Skill", "SkillRisk"),
    "documents.findings": ("Finding", "Severity"),
    "errors": ("DocumentError", "EscError", "GitError", "InputError"),
    "evidence.verification": ("Check", "EvidenceStatus", "Verification"),
    "integrations.agent_bank": ("Bank", "Selection"),
    "integrations.runs": ("Run", "read_run", "simulate"),
    "integrations.verifier": ("Verifier",),
    "settings": ("Settings", "read_settings"),
    "simulation.sentient_score": ("Score",),
    "transcript": ("Transcript", "Turn"),
    "vocabulary": (
        "Disposition", "HiddenIntention", "Risk", "RiskCode", "Split", "Strategy", "Termination", "Verdict",
    ),
}  # fmt: skip
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Bank", "Check", "Disposition", "DocumentError", "EscError", "EvidenceStatus", "Example", "Finding", "GitError",
    "HiddenIntention", "InputError", "Risk", "RiskCode", "Run", "Score", "Selection", "Settings", "Severity", "Skill",
    "SkillRisk", "Split", "Strategy", "Termination", "Transcript", "Turn", "Verdict", "Verification", "Verifier",
    "__version__", "read_run", "read_settings", "simulate",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
