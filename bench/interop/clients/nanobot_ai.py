"""nanobot: its workspace's skills are listed in the prompt with their files, which a general tool reads."""

from __future__ import annotations

import json
from typing import Any

from harness.client import SAID, Bank, Loaded, Skill, body_of

TOOL = "read_file"
#: More in one answer than its budget for tool results are cut.
AT_ONCE = 5
LINES = """\
# the bank is in skills of the workspace
nanobot agent --workspace "$PWD" --message "$SAID"
"""


def arguments(name: str) -> dict[str, Any]:
    return {"path": f"skills/{name}/SKILL.md"}


def run(bank: Bank) -> Loaded:
    from nanobot.agent.skills import SkillsLoader

    # In a smaller context it would sum up in the middle of 42 skills.
    config = {
        "agents": {"defaults": {"model": "fake", "provider": "custom", "contextWindowTokens": 1_000_000}},
        "providers": {"custom": {"apiKey": "none", "apiBase": bank.url}},
    }
    home = bank.project.parent / ".nanobot"
    home.mkdir()
    (home / "config.json").write_text(json.dumps(config), encoding="utf-8")
    bank.shell(LINES, SAID=SAID)
    loader = SkillsLoader(bank.project, builtin_skills_dir=bank.project / "none")
    names = [entry["name"] for entry in loader.list_skills()]
    return Loaded([Skill(name, loader.get_skill_description(name), body_of(loader.load_skill(name))) for name in names])
