"""fast-agent: its prompt lists the skills with their files, which a general tool reads, where it holds `{{agentSkills}}`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from harness.client import SAID, Bank, Loaded, Skill

PLACE = ".fast-agent/skills"
TOOL = "read_text_file"
CONFIG = """\
generic:
  api_key: none
  base_url: {url}
"""


def arguments(name: str) -> dict[str, Any]:
    return {"path": str(Path.cwd() / PLACE / name / "SKILL.md")}


def run(bank: Bank) -> Loaded:
    from fast_agent.skills.registry import SkillRegistry

    (bank.project / "fast-agent.yaml").write_text(CONFIG.format(url=bank.url), encoding="utf-8")
    folder = str(bank.folder)
    asyncio.run(_ask(folder))
    held = SkillRegistry(base_dir=bank.project, directories=[bank.folder]).load_manifests()
    return Loaded([Skill(skill.name, skill.description, skill.body) for skill in held])


async def _ask(folder: str) -> None:
    model = "generic.fake"
    # copy
    from pathlib import Path

    from fast_agent import FastAgent

    app = FastAgent("supporter", skills_directory=Path(folder), parse_cli_args=False, quiet=True)

    @app.agent(instruction="{{agentSkills}}", model=model)
    async def main() -> None:
        async with app.run() as agent:
            await agent.send(SAID)

    # end
    await main()
