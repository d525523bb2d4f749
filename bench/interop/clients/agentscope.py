"""AgentScope: the tool kit writes the list, and a tool reads a skill."""

from __future__ import annotations

import asyncio
from typing import Any

from harness.client import SAID, Bank, Loaded, Skill

TOOL = "Skill"


def arguments(name: str) -> dict[str, Any]:
    return {"skill": name}


def run(bank: Bank) -> Loaded:
    return asyncio.run(_run(bank))


async def _run(bank: Bank) -> Loaded:
    folder = str(bank.folder)
    raise NotImplementedError
