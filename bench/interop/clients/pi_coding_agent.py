"""pi: the prompt lists the skills with their files, which a general tool reads."""

from __future__ import annotations

import json
from typing import Any

from harness.client import SAID, Bank, Loaded

PLACE = ".agents/skills"
TOOL = "read"
LINES = """\
# the bank is in .agents/skills of the project
pi --print --model "$MODEL" "$SAID"
"""
#: From its prompt, which shows each name and description in tags.
PATTERN = r"<name>(.+)</name>\n +<description>(.+)</description>"


def arguments(name: str) -> dict[str, Any]:
    return {"path": f".agents/skills/{name}/SKILL.md"}


def run(bank: Bank) -> Loaded:
    provider = {"baseUrl": bank.url, "api": "openai-completions", "apiKey": "none", "models": [{"id": "fake"}]}
    home = bank.project.parent / ".pi/agent"
    home.mkdir(parents=True)
    (home / "models.json").write_text(json.dumps({"providers": {"loopback": provider}}), encoding="utf-8")
    bank.shell(LINES, fails=True, SAID=SAID, MODEL="loopback/fake", PI_OFFLINE="1")
    return Loaded(pattern=PATTERN)
