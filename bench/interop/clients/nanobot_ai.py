"""nanobot: its workspace's skills are listed in the prompt with their files, which a general tool reads."""

from __future__ import annotations

from typing import Any

from harness.client import SAID, Bank, Loaded, Skill
TOOL = "read_file"


def arguments(name: str) -> dict[str, Any]:
    return {"path": f"skills/{name}/SKILL.md"}


def run(bank: Bank) -> Loaded:
    raise NotImplementedError
