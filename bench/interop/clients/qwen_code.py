"""Qwen Code: the description of the tool that reads a skill lists them all."""

from __future__ import annotations

from typing import Any

from harness.client import SAID, Bank, Loaded

PLACE = ".qwen/skills"
TOOL = "skill"


def arguments(name: str) -> dict[str, Any]:
    return {"skill": name}


def run(bank: Bank) -> Loaded:
    raise NotImplementedError
