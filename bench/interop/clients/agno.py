"""agno: the agent's prompt lists the skills, and a tool reads one."""

from __future__ import annotations

from typing import Any

from harness.client import SAID, Bank, Loaded, Skill

TOOL = "get_skill_instructions"


def arguments(name: str) -> dict[str, Any]:
    return {"skill_name": name}


def run(bank: Bank) -> Loaded:
    from agno.models.openai import OpenAIChat

    folder, model = str(bank.folder), OpenAIChat(id="fake", base_url=bank.url)
    # copy
    from agno.agent import Agent
    from agno.skills import LocalSkills, Skills

    skills = Skills(loaders=[LocalSkills(folder)])
    agent = Agent(model=model, skills=skills)
    # end
    agent.run(SAID)
    return Loaded([Skill(skill.name, skill.description, skill.instructions) for skill in skills.get_all_skills()])
