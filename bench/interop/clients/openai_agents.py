"""OpenAI's Agents SDK: a capability of its sandbox lists the skills and copies one in, which the shell then shows."""

from __future__ import annotations

import asyncio
from typing import Any

from harness.client import SAID, Bank, Loaded, Skill

TOOL = "load_skill"
THEN = "exec_command"


def arguments(name: str) -> dict[str, Any]:
    return {"skill_name": name}


def then(name: str) -> dict[str, Any]:
    return {"cmd": f"cat .agents/{name}/SKILL.md"}


def run(bank: Bank) -> Loaded:
    return asyncio.run(_run(bank))


async def _run(bank: Bank) -> Loaded:
    from agents import OpenAIResponsesModel
    from openai import AsyncOpenAI

    folder, model = str(bank.folder), OpenAIResponsesModel("fake", AsyncOpenAI(base_url=bank.url, api_key="none"))
    # copy
    from agents import Runner
    from agents.run import RunConfig
    from agents.sandbox import Manifest, SandboxAgent, SandboxPathGrant, SandboxRunConfig
    from agents.sandbox.capabilities import LocalDirLazySkillSource, Shell, Skills
    from agents.sandbox.entries import LocalDir
    from agents.sandbox.sandboxes.unix_local import UnixLocalSandboxClient

    skills = Skills(lazy_from=LocalDirLazySkillSource(source=LocalDir(src=folder)))
    manifest = Manifest(extra_path_grants=(SandboxPathGrant(path=folder),))
    agent = SandboxAgent(name="supporter", model=model, capabilities=[skills, Shell()], default_manifest=manifest)
    sandbox = RunConfig(sandbox=SandboxRunConfig(client=UnixLocalSandboxClient()))
    # end
    await Runner.run(agent, SAID, run_config=sandbox)
    held = skills.lazy_from.list_skill_metadata(
        skills_path=skills.skills_path, source_grants=manifest.extra_path_grants
    )
    return Loaded([Skill(skill.name, skill.description) for skill in held])
