"""Gemini CLI: the prompt lists the skills, and a tool reads one."""

from __future__ import annotations

import json
from typing import Any

from harness.client import SAID, Bank, Loaded

PLACE = ".agents/skills"
TOOL = "activate_skill"
LINES = """\
# the bank is in .agents/skills of the project
gemini --allowed-tools activate_skill --model "$MODEL" --prompt "$SAID"
"""
PATTERN = r"<name>(.+)</name>\n +<description>(.+)</description>"


def arguments(name: str) -> dict[str, Any]:
    return {"name": name}


def run(bank: Bank) -> Loaded:
    # Where only the address is given, it takes the kind of key for invalid.
    settings = {
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "privacy": {"usageStatisticsEnabled": False},
    }
    home = bank.project.parent / ".gemini"
    home.mkdir()
    (home / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    bank.shell(
        LINES,
        fails=True,
        SAID=SAID,
        GEMINI_API_KEY="none",
        GOOGLE_GEMINI_BASE_URL=bank.model.url,
        GEMINI_CLI_TRUST_WORKSPACE="true",
        MODEL="gemini-2.5-pro",
    )
    return Loaded(pattern=PATTERN)
