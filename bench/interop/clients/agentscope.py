"""AgentScope: the tool kit writes the list, and a tool reads a skill."""

from __future__ import annotations

import asyncio
from typing import Any

from harness.client import SAID, Bank, Loaded, Skill

TOOL = "Skill"


def arguments(name: str) -> dict[str, Any]:
    return {"skill": name}


def run(bank: Bank) -> Loaded:
    return asyncio.run(_run(bank))


async def _run(bank: Bank) -> Loaded:
    from agentscope.credential import OpenAICredential
    from agentscope.message import UserMsg
    from agentscope.model import OpenAIChatModel

    credential = OpenAICredential(api_key="none", base_url=bank.url)
    folder, model = str(bank.folder), OpenAIChatModel(credential, "fake")
    # copy
    from agentscope.agent import Agent
    from agentscope.skill import LocalSkillLoader
    from agentscope.tool import Toolkit

    skills = LocalSkillLoader(folder, scan_subdir=True)
    agent = Agent("supporter", "", model, toolkit=Toolkit(skills_or_loaders=[skills]))
    # end
    await agent.reply(UserMsg("seeker", SAID))
    held = await skills.list_skills()
    return Loaded([Skill(skill.name, skill.description, skill.markdown) for skill in held])
