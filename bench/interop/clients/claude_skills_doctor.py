"""claude-skills-doctor: it tells what Claude Code would show of a folder, by a budget of its own, and has no model."""

from __future__ import annotations

import json

from harness.client import Bank, Loaded, Skill

LINES = """\
claude-skills-doctor --skills "$FOLDER" --context-window 200000 --strict --json
"""


def run(bank: Bank) -> Loaded:
    report = json.loads(bank.shell(LINES))
    if report["findings"] or report["counts"]["skills"] != len(bank.names):
        raise ValueError(f"{report['counts']['skills']} skills, {report['findings'][:1]}")
    from skilldoctor.parse import load_skill

    held = [load_skill(path, "project") for path in sorted(bank.folder.glob("*/SKILL.md"))]
    catalogue = "\n".join(f"{skill.name}: {skill.description}" for skill in held)
    return Loaded([Skill(skill.name, skill.description, skill.body) for skill in held], catalogue)
