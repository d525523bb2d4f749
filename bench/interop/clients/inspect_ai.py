"""Inspect: the description of the tool lists the skills, and the tool reads one."""

from __future__ import annotations

import os
from typing import Any

from harness.client import SAID, Bank, Loaded, Skill, count_tokens_offline

TOOL = "skill"


def arguments(name: str) -> dict[str, Any]:
    return {"command": name}


def run(bank: Bank) -> Loaded:
    count_tokens_offline()
    from inspect_ai import Task, eval
    from inspect_ai.dataset import Sample
    from inspect_ai.model import get_model
    from inspect_ai.tool import read_skills

    folder = bank.folder
    # copy
    from inspect_ai.solver import generate, use_tools
    from inspect_ai.tool import skill

    # It wants the folder of each skill, not the folder of all.
    solver = [use_tools(skill(sorted(folder.iterdir()))), generate()]
    # end
    os.environ["INSPECT_LOG_DIR"] = str(bank.project / "logs")
    model = get_model("openai/fake", base_url=bank.url, api_key="none", responses_api=False)
    task = Task(dataset=[Sample(input=SAID)], solver=solver, sandbox="local")
    eval(task, model=model, display="none")
    return Loaded(
        [Skill(each.name, each.description, each.instructions) for each in read_skills(sorted(folder.iterdir()))]
    )
