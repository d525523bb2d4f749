"""hermes-agent: the prompt lists the skills, each description cut at 60 characters, and a tool reads one."""

from __future__ import annotations

import json
from typing import Any

from harness.client import SAID, Bank, Loaded, Skill, body_of

PLACE = "../.hermes/skills"
TOOL = "skill_view"


def arguments(name: str) -> dict[str, Any]:
    return {"name": name}


def run(bank: Bank) -> Loaded:
    raise NotImplementedError
