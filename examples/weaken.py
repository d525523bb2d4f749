"""Make examples/weakened-bank from skills/: one skill taken out, one harmed. Run it after a change to either."""

from __future__ import annotations

import shutil
from pathlib import Path

from esc_skills.bank.edit import render_examples, replace_section, section_text
from esc_skills.bank.skill import Example
from esc_skills.documents.text import read_text, write_atomically
from esc_skills.documents.yaml import parse_yaml

HERE = Path(__file__).resolve().parent
BANK, WEAKENED = HERE.parent / "skills", HERE / "weakened-bank"
TAKEN_OUT, HARMED = "see-the-other-side", "reflect-the-feeling"


def weaken() -> dict[str, str]:
    """Return the files of the weakened bank by path relative to its folder."""
    files = {}
    for path in sorted(BANK.glob("*/SKILL.md")):
        name, text = path.parent.name, read_text(path)
        if name == TAKEN_OUT:
            continue
        if name == HARMED:
            harmful = parse_yaml(read_text(HERE / "harmful-examples.yaml"), "harmful-examples.yaml").value["examples"]
            avoided = section_text(text, "Examples").partition("### Avoid:")
            text = replace_section(text, "Examples", render_examples([Example(**each) for each in harmful], []))
            text = text.rstrip("\n") + f"\n\n{avoided[1]}{avoided[2]}\n"
        lines = text.split("\n")
        files[f"{name}/SKILL.md"] = "\n".join(line for line in lines if f"`{TAKEN_OUT}`" not in line)
    return files


if __name__ == "__main__":
    for folder in WEAKENED.glob("*/"):
        shutil.rmtree(folder)
    for relative, text in weaken().items():
        write_atomically(WEAKENED / relative, text)
    print(f"{WEAKENED} made; next: esc-skills validate {WEAKENED}")
