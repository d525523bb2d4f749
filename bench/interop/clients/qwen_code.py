"""Qwen Code: the description of the tool that reads a skill lists them all."""

from __future__ import annotations

import json
from typing import Any

from harness.client import SAID, Bank, Loaded

PLACE = ".qwen/skills"
TOOL = "skill"
LINES = """\
# the bank is in .qwen/skills of the project
qwen --yolo --auth-type openai --model fake "$SAID"
"""
#: It says behind each description where it found the skill.
PATTERN = r"<name>\s*(.+?)\s*</name>\s*<description>\s*(.+?) \(project\)\s*</description>"


def arguments(name: str) -> dict[str, Any]:
    return {"skill": name}


def run(bank: Bank) -> Loaded:
    settings = bank.folder.parent / "settings.json"
    settings.write_text(json.dumps({"privacy": {"usageStatisticsEnabled": False}}), encoding="utf-8")
    bank.shell(LINES, fails=True, SAID=SAID)
    return Loaded(pattern=PATTERN)
