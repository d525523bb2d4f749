"""Make examples/weakened-bank from skills/: eleven skills, of which one is harmed. Run it after a change to either."""

from __future__ import annotations

import shutil
from pathlib import Path

from esc_skills.bank.edit import references_of, with_examples
from esc_skills.bank.entrance import ENTRANCE_FILE, render_entrance
from esc_skills.bank.reader import read_bank, read_files
from esc_skills.bank.skill import SKILL_FILE, Example
from esc_skills.documents.text import read_text, write_atomically
from esc_skills.documents.yaml import parse_yaml

HERE = Path(__file__).resolve().parent
BANK, WEAKENED = HERE.parent / "skills", HERE / "weakened-bank"
#: A small bank that serves every need but `understand-others`: in the whole one, others stand in for a weak skill.
KEPT = (
    "affirm-what-they-did", "ease-self-blame", "guide-reflection", "let-anger-speak", "meet-withdrawal",
    "offer-a-small-step", "open-with-room", "reflect-the-feeling", "respond-to-suicide-risk",
    "restate-the-story", "weigh-both-sides",
)  # fmt: skip
HARMED = "reflect-the-feeling"


def weaken() -> dict[str, str]:
    """Return the files of the weakened bank by path relative to its folder."""
    files: dict[str, str] = {}
    bank = read_bank(read_files(BANK), str(BANK)).skills
    harmful = parse_yaml(read_text(HERE / "harmful-examples.yaml"), "harmful-examples.yaml").value["examples"]
    for name in KEPT:
        skill = bank[name]
        made = {SKILL_FILE: skill.text, **references_of(skill)}
        if name == HARMED:
            made |= with_examples(skill, [Example(**each) for each in harmful])
        left_out = [f"`{other}`" for other in bank if other not in KEPT]
        kept = (line for line in made[SKILL_FILE].split("\n") if not any(other in line for other in left_out))
        made[SKILL_FILE] = "\n".join(kept)
        files |= {f"{name}/{path}": text for path, text in made.items()}
    weakened = read_bank({path: text.encode() for path, text in files.items()}, str(WEAKENED)).skills
    return {**files, ENTRANCE_FILE: render_entrance(weakened)}


if __name__ == "__main__":
    for folder in WEAKENED.glob("*/"):
        shutil.rmtree(folder)
    for relative, text in weaken().items():
        write_atomically(WEAKENED / relative, text)
    print(f"{WEAKENED} made; next: esc-skills validate {WEAKENED}")
