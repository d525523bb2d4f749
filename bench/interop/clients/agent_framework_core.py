"""Microsoft's Agent Framework: a provider lists the skills, and a tool reads one."""

from __future__ import annotations

import asyncio
from typing import Any

from harness.client import SAID, Bank, Loaded, Skill

TOOL = "load_skill"


def arguments(name: str) -> dict[str, Any]:
    return {"skill_name": name}


def run(bank: Bank) -> Loaded:
    return asyncio.run(_run(bank))


async def _run(bank: Bank) -> Loaded:
    from agent_framework import FileSkillsSource, SkillsSourceContext
    from agent_framework.openai import OpenAIChatCompletionClient

    folder, client = str(bank.folder), OpenAIChatCompletionClient(model="fake", api_key="none", base_url=bank.url)
    # copy
    from agent_framework import Agent, SkillsProvider

    # Without the flag, a person is asked before each skill.
    skills = SkillsProvider.from_paths(folder, disable_load_skill_approval=True)
    agent = Agent(client=client, context_providers=[skills])
    # end
    await agent.run(SAID)
    held = await FileSkillsSource(folder).get_skills(SkillsSourceContext(agent=None))
    return Loaded([Skill(skill.frontmatter.name, skill.frontmatter.description) for skill in held])
