"""Make examples/weakened-bank from skills/: eleven skills, of which one is harmed. Run it after a change to either."""

from __future__ import annotations

import shutil
from pathlib import Path

from esc_skills.bank.edit import render_examples, replace_section, section_text
from esc_skills.bank.skill import Example
from esc_skills.documents.text import read_text, write_atomically
from esc_skills.documents.yaml import parse_yaml

HERE = Path(__file__).resolve().parent
BANK, WEAKENED = HERE.parent / "skills", HERE / "weakened-bank"
#: A small bank that serves every need but `understand-others`: in the whole one, others stand in for a weak skill.
KEPT = (
    "affirm-what-they-did", "ease-self-blame", "guide-reflection", "let-anger-speak", "meet-withdrawal",
    "offer-a-small-step", "open-with-room", "reflect-the-feeling", "restate-the-story", "stay-with-risk",
    "weigh-both-sides",
)  # fmt: skip
HARMED = "reflect-the-feeling"


def weaken() -> dict[str, str]:
    """Return the files of the weakened bank by path relative to its folder."""
    files = {}
    left_out = {path.name for path in BANK.glob("*/")} - set(KEPT)
    for name in KEPT:
        text = read_text(BANK / name / "SKILL.md")
        if name == HARMED:
            harmful = parse_yaml(read_text(HERE / "harmful-examples.yaml"), "harmful-examples.yaml").value["examples"]
            avoided = section_text(text, "Examples").partition("### Avoid:")
            text = replace_section(text, "Examples", render_examples([Example(**each) for each in harmful], []))
            text = text.rstrip("\n") + f"\n\n{avoided[1]}{avoided[2]}\n"
        kept = (line for line in text.split("\n") if not any(f"`{other}`" in line for other in left_out))
        files[f"{name}/SKILL.md"] = "\n".join(kept)
    return files


if __name__ == "__main__":
    for folder in WEAKENED.glob("*/"):
        shutil.rmtree(folder)
    for relative, text in weaken().items():
        write_atomically(WEAKENED / relative, text)
    print(f"{WEAKENED} made; next: esc-skills validate {WEAKENED}")
