"""The corpus: kinds of forged or careless evidence, each made by code from a real proposal.

Class A is what `verify` has to refuse, each kind for a reason of its own; class B is what nobody can tell from the evidence
alone, with what answers it (`docs/threat-model.md`).
"""

from __future__ import annotations

from . import branches, calls, episodes, ledgers, registrations, signatures, statements, strata, unseen  # noqa: F401 - fill it
from .kind import CLASS_A, CLASS_B, Asked, Kind

__all__ = ["CLASS_A", "CLASS_B", "Asked", "Kind"]
