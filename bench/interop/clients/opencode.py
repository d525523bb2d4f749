"""opencode: the description of the tool that reads a skill lists them all."""

from __future__ import annotations

from typing import Any

from harness.client import SAID, Bank, Loaded

PLACE = ".agents/skills"
TOOL = "skill"


def arguments(name: str) -> dict[str, Any]:
    return {"name": name}


def run(bank: Bank) -> Loaded:
    raise NotImplementedError
