"""skills (npm): it copies the folder to where each of many coding agents looks, and its list is for people."""

from __future__ import annotations

import json
import re

from harness.client import Bank, Loaded, Skill, body_of

PLACE = "source"
LINES = """\
skills add "$FOLDER" --list
skills add "$FOLDER" -y --copy -a claude-code codex --skill '*'
skills list --json
"""


def run(bank: Bank) -> Loaded:
    printed = bank.shell(LINES)
    catalogue, installed = printed, json.loads(printed[printed.index("\n[") :])
    listed = dict(re.findall(r"^│ {4}(\S+)\n│\n│ {6}(\S.*)$", catalogue, re.MULTILINE))
    files = {each["name"]: (bank.project / ".claude/skills" / each["name"] / "SKILL.md") for each in installed}
    skills = [Skill(name, listed.get(name, ""), body_of(file.read_text("utf-8"))) for name, file in files.items()]
    return Loaded(skills, catalogue[: catalogue.index("\n[")])
