"""fast-agent: its prompt lists the skills with their files, and a tool reads one."""

from __future__ import annotations

from typing import Any

from harness.client import SAID, Bank, Loaded, Skill

TOOL = "read_skill"


def arguments(name: str) -> dict[str, Any]:
    return {"path": name}


def run(bank: Bank) -> Loaded:
    raise NotImplementedError
