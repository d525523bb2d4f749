"""Claude Code: the first message lists the skills within a budget; those that do not fit are there by their name."""

from __future__ import annotations

from typing import Any

from harness.client import SAID, Bank, Loaded
from harness.model import Model

PLACE = ".claude/skills"
TOOL = "Skill"
LINES = """\
# the bank is in .claude/skills of the project
claude -p "$SAID" --model "$MODEL" --allowedTools Skill
"""
#: With it, as `export SLASH_COMMAND_TOOL_CHAR_BUDGET=40000`, all descriptions are shown.
BUDGET = "40000"


def arguments(name: str) -> dict[str, Any]:
    return {"skill": name}


def run(bank: Bank) -> Loaded:
    quiet = {
        "ANTHROPIC_API_KEY": "none",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "SAID": SAID,
        "MODEL": "claude-sonnet-4-5",
    }
    bank.shell(LINES, fails=True, ANTHROPIC_BASE_URL=bank.model.url, **quiet)
    # A second model tells what it loaded: the first saw only what fits.
    wide = Model(tool=TOOL)
    bank.shell(LINES, fails=True, ANTHROPIC_BASE_URL=wide.url, SLASH_COMMAND_TOOL_CHAR_BUDGET=BUDGET, **quiet)
    return Loaded(listed=wide.telling())
