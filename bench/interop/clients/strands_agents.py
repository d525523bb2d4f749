"""Strands: a plugin lists the skills in the prompt, and a tool reads one."""

from __future__ import annotations

from typing import Any

from harness.client import SAID, Bank, Loaded, Skill

TOOL = "skills"


def arguments(name: str) -> dict[str, Any]:
    return {"skill_name": name}


def run(bank: Bank) -> Loaded:
    from strands.models.openai import OpenAIModel

    folder, model = (
        str(bank.folder),
        OpenAIModel(client_args={"base_url": bank.url, "api_key": "none"}, model_id="fake"),
    )
    # copy
    from strands import Agent
    from strands.vended_plugins.skills import AgentSkills

    plugin = AgentSkills(skills=folder, strict=True)
    agent = Agent(model=model, plugins=[plugin])
    # end
    agent(SAID)
    held = plugin.get_available_skills(agent)
    return Loaded([Skill(skill.name, skill.description, skill.instructions) for skill in held])
