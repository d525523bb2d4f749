"""Claude Code: the first message lists the skills within a budget, 4% of the context's tokens in characters."""

from __future__ import annotations

from typing import Any

from harness.client import SAID, Bank, Loaded, Skill

PLACE = ".claude/skills"
TOOL = "Skill"
LINES = """\
# the bank is in .claude/skills of the project
claude -p "$SAID" --model claude-sonnet-4-5 --allowedTools Skill
"""


def arguments(name: str) -> dict[str, Any]:
    return {"skill": name}


def run(bank: Bank) -> Loaded:
    raise NotImplementedError
