"""pydantic-ai-skills: each skill is a capability that the model loads."""

from __future__ import annotations

from typing import Any

from harness.client import SAID, Bank, Loaded

TOOL = "load_capability"


def arguments(name: str) -> dict[str, Any]:
    return {"id": name}


def run(bank: Bank) -> Loaded:
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    folder, model = bank.folder, OpenAIChatModel("fake", provider=OpenAIProvider(base_url=bank.url, api_key="none"))
    # copy
    from pydantic_ai import Agent
    from pydantic_ai_skills import SkillsCapability

    agent = Agent(model, capabilities=[SkillsCapability(folder)])
    # end
    agent.run_sync(SAID)
    return Loaded()
