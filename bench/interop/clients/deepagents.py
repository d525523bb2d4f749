"""deepagents: a middleware lists the skills with their files, which a general tool reads."""

from __future__ import annotations

from typing import Any

from harness.client import SAID, Bank, Loaded, Skill

TOOL = "read_file"


def arguments(name: str) -> dict[str, Any]:
    # Without a limit it reads 100 lines.
    return {"file_path": f"/skills/{name}/SKILL.md", "limit": 1000}


def run(bank: Bank) -> Loaded:
    from langchain_openai import ChatOpenAI

    parent, model = str(bank.folder.parent), ChatOpenAI(model="fake", base_url=bank.url)
    # copy
    from deepagents import create_deep_agent
    from deepagents.backends import FilesystemBackend

    backend = FilesystemBackend(root_dir=parent, virtual_mode=True)
    agent = create_deep_agent(model=model, backend=backend, skills=["/skills/"])
    # end
    from deepagents.middleware.skills import SkillsMiddleware

    agent.invoke({"messages": [{"role": "user", "content": SAID}]})
    state = SkillsMiddleware(backend=backend, sources=["/skills/"]).before_agent({}, None, None)
    return Loaded([Skill(skill["name"], skill["description"]) for skill in state["skills_metadata"]])
