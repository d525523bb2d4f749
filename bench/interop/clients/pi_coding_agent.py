"""pi: the prompt lists the skills with their files, which a general tool reads."""

from __future__ import annotations

from typing import Any

from harness.client import SAID, Bank, Loaded

PLACE = ".agents/skills"
TOOL = "read"


def arguments(name: str) -> dict[str, Any]:
    return {"path": f".agents/skills/{name}/SKILL.md"}


def run(bank: Bank) -> Loaded:
    raise NotImplementedError
