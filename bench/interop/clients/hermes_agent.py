"""hermes-agent: the prompt lists the skills, each description cut at 60 characters, and a tool reads one."""

from __future__ import annotations

import json
from typing import Any

from harness.client import SAID, Bank, Loaded, Skill, body_of

PLACE = "../.hermes/skills"
TOOL = "skill_view"
#: More in one answer than its budget for tool results are put into files.
AT_ONCE = 5
CONFIG = """\
model:
  default: fake
  provider: custom
  base_url: {url}
  api_key: none
"""
LINES = """\
# the bank is in ~/.hermes/skills
hermes chat --quiet --query "$SAID" --toolsets skills
"""


def arguments(name: str) -> dict[str, Any]:
    return {"name": name}


def run(bank: Bank) -> Loaded:
    (bank.folder.parent / "config.yaml").write_text(CONFIG.format(url=bank.url), encoding="utf-8")
    # With the tools that run programs a person would be asked.
    bank.shell(LINES, SAID=SAID)
    from tools.skills_tool import skill_view, skills_list

    held = json.loads(skills_list())["skills"]
    bodies = {skill["name"]: json.loads(skill_view(skill["name"]))["content"] for skill in held}
    return Loaded([Skill(skill["name"], skill["description"], body_of(bodies[skill["name"]])) for skill in held])
