"""Google's Agent Development Kit: the prompt lists nothing; the model calls one tool for the list and another for a skill."""

from __future__ import annotations

import asyncio
from typing import Any

from harness.client import SAID, Bank, Loaded, Skill

LISTS = "list_skills"
TOOL = "load_skill"


def arguments(name: str) -> dict[str, Any]:
    return {"skill_name": name}


def run(bank: Bank) -> Loaded:
    from google.adk.models import Gemini
    from google.adk.runners import InMemoryRunner
    from google.genai import Client, types

    class Loopback(Gemini):
        @property
        def api_client(self) -> Client:
            return Client(api_key="none", http_options=types.HttpOptions(base_url=bank.model.url))

    folder, model = bank.folder, Loopback(model="gemini-2.5-flash")
    # copy
    from google.adk.agents import LlmAgent
    from google.adk.skills import load_skills_from_dir
    from google.adk.tools.skill_toolset import SkillToolset

    skills = load_skills_from_dir(folder)
    agent = LlmAgent(name="supporter", model=model, tools=[SkillToolset(skills=skills)])
    # end
    asyncio.run(InMemoryRunner(agent=agent).run_debug(SAID, quiet=True))
    return Loaded([Skill(skill.name, skill.description, skill.instructions) for skill in skills])
