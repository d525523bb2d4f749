"""openskills: it writes a list of skills into AGENTS.md, and its command, which the list names, prints one."""

from __future__ import annotations

import json
import re
import shlex

from harness.client import Bank, Loaded, Skill, body_of

PLACE = "source"
LINES = """\
openskills install "$FOLDER" -y
openskills sync -y
openskills read emotional-support
"""


def run(bank: Bank) -> Loaded:
    bank.shell(LINES)
    catalogue = (bank.project / "AGENTS.md").read_text(encoding="utf-8")
    # It keeps the quotes of the YAML around a description.
    listed = re.findall(r"<name>(.*)</name>\n<description>(.*)</description>", catalogue)
    skills = []
    for name, said in listed:
        # Before the file it names the folder, after it the skill.
        text = bank.shell(f"openskills read {shlex.quote(name)}").rpartition("\nSkill read: ")[0]
        skills.append(Skill(name, json.loads(said), body_of(text)))
    return Loaded(skills, catalogue)
