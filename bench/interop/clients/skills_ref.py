"""The reference library: it has no agent, and `to_prompt` is what it writes for a model."""

from __future__ import annotations

from harness.client import Bank, Loaded, Skill, body_of


def run(bank: Bank) -> Loaded:
    folder = bank.folder
    # copy
    from skills_ref import read_properties, to_prompt, validate

    folders = sorted(path.parent for path in folder.glob("*/SKILL.md"))
    problems = {path.name: validate(path) for path in folders}
    prompt = to_prompt(folders)
    # end
    if said := [name for name, found in problems.items() if found]:
        raise ValueError(f"not valid: {', '.join(said)}")
    skills = []
    for path in folders:
        properties = read_properties(path)
        skills.append(Skill(properties.name, properties.description, body_of((path / "SKILL.md").read_text("utf-8"))))
    return Loaded(skills, prompt)
