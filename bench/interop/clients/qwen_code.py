"""Qwen Code: the first message lists the skills, and a tool reads one; with nobody there to allow that, it needs a mode that does."""

from __future__ import annotations

import json
from typing import Any

from harness.client import SAID, Bank, Loaded

PLACE = ".qwen/skills"
TOOL = "skill"
LINES = """\
# the bank is in .qwen/skills of the project
qwen --approval-mode auto-edit --auth-type openai --model "$MODEL" "$SAID"
"""
#: It says behind each description where it found the skill.
PATTERN = r"<name>\s*(.+?)\s*</name>\s*<description>\s*(.+?) \(project\)\s*</description>"


def arguments(name: str) -> dict[str, Any]:
    return {"skill": name}


def run(bank: Bank) -> Loaded:
    settings = bank.folder.parent / "settings.json"
    settings.write_text(json.dumps({"privacy": {"usageStatisticsEnabled": False}}), encoding="utf-8")
    bank.shell(LINES, fails=True, SAID=SAID, MODEL="fake")
    return Loaded(pattern=PATTERN)
