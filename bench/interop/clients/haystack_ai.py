"""Haystack: the description of the tool that reads a skill lists them all."""

from __future__ import annotations

from typing import Any

from harness.client import SAID, Bank, Loaded, Skill

TOOL = "load_skill"


def arguments(name: str) -> dict[str, Any]:
    return {"name": name}


def run(bank: Bank) -> Loaded:
    from haystack.components.generators.chat import OpenAIChatGenerator
    from haystack.dataclasses import ChatMessage

    folder, model = str(bank.folder), OpenAIChatGenerator(model="fake", api_base_url=bank.url)
    # copy
    from haystack.components.agents import Agent
    from haystack.skill_stores.file_system import FileSystemSkillStore
    from haystack.tools import SkillToolset

    store = FileSystemSkillStore(folder)
    skills = SkillToolset(store)
    agent = Agent(chat_generator=model, tools=skills)
    # end
    agent.run(messages=[ChatMessage.from_user(SAID)])
    return Loaded(
        [Skill(each.name, each.description, store.load_skill(name)[0]) for name, each in skills.skills.items()]
    )
