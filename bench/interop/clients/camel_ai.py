"""CAMEL: the tool kit looks in .agents/skills and .camel/skills of its folder, not in skills."""

from __future__ import annotations

from typing import Any

from harness.client import SAID, Bank, Loaded, Skill, count_tokens_offline

PLACE = ".agents/skills"
TOOL = "load_skill"


def arguments(name: str) -> dict[str, Any]:
    return {"name": name}


def run(bank: Bank) -> Loaded:
    count_tokens_offline()
    from camel.models import ModelFactory
    from camel.types import ModelPlatformType

    model = ModelFactory.create(
        model_platform=ModelPlatformType.OPENAI_COMPATIBLE_MODEL, model_type="fake", url=bank.url, api_key="none"
    )
    project = str(bank.project)
    # copy
    from camel.agents import ChatAgent
    from camel.toolkits import SkillToolkit

    # The bank is in .agents/skills of the project.
    skills = SkillToolkit(working_directory=project)
    agent = ChatAgent(model=model, tools=skills.get_tools())
    # end
    agent.step(SAID)
    return Loaded([Skill(skill["name"], skill["description"]) for skill in skills.list_skills()])
