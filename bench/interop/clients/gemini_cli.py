"""Gemini CLI: the prompt lists the skills, and a tool reads one."""

from __future__ import annotations

from typing import Any

from harness.client import SAID, Bank, Loaded

PLACE = ".agents/skills"
TOOL = "activate_skill"


def arguments(name: str) -> dict[str, Any]:
    return {"name": name}


def run(bank: Bank) -> Loaded:
    raise NotImplementedError
