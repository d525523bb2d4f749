"""The entrance of a bank: what a supporter always does, and the map of the skills, so that an agent that sees one skill gets there.

It is made of the skills and of the prompt that our own supporter answers by, and never written by hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from esc_skills.bank.reader import ENTRANCE
from esc_skills.bank.skill import SKILL_FILE, Skill
from esc_skills.documents.findings import Finding, Severity
from esc_skills.documents.frontmatter import split_sections
from esc_skills.documents.prompts import PromptRole, load_prompt
from esc_skills.errors import InputError
from esc_skills.vocabulary import Language, Risk

#: The entrance's file, relative to the bank's folder.
ENTRANCE_FILE = f"{ENTRANCE}/{SKILL_FILE}"
#: The section of the supporter's prompt that holds for every turn, with a skill or without one.
ALWAYS = "How you speak"
_DESCRIPTION = (
    "When someone is in distress or wants to be heard, with any worry, grief or danger: start here, then choose one skill. "
    "Emotional support."
)
_DOMAIN = " Emotional support."
_FRONT = f"""---
name: {ENTRANCE}
description: "{_DESCRIPTION}"
license: Apache-2.0
metadata:
  esc-made-by: "esc-skills bank entrance, from the other skills and the prompts; edit those"
---
"""
_START = """# Emotional support: start here

You are the supporter in a conversation with a seeker: somebody in distress, or somebody who wants to be heard. Read this once, then before each of your turns choose the skill that the seeker's last message calls for, read its file, and answer by its guidance."""
_CHOOSE = """## Choose a skill

1. Danger comes first: where the seeker speaks of dying, of harming themselves or of not wanting to be here, even in passing, take {danger}.
2. Otherwise take the skill whose moment below fits the seeker's last message most closely. Read `../NAME/SKILL.md`, or load NAME with the tool that your client has for skills.
3. Learn the manner from its examples, and find words of your own for this seeker. `references/` beside it holds more of them.
4. If the skill did not help, or the seeker turned it down, take another. If none fits, answer without one, as said above."""


def render_entrance(skills: Mapping[str, Skill]) -> str:
    """Return the file of a bank's entrance.

    Args:
        skills: The skills by name.

    Raises:
        InputError: The prompt has no section `ALWAYS`.
    """
    prompt = load_prompt(PromptRole.SUPPORTER_ANSWER, Language.ENGLISH)
    always = next((each.text for each in split_sections(prompt.text, 1) if each.title == ALWAYS), None)
    if always is None:
        raise InputError(
            f"the prompt supporter-answer.en has no section {ALWAYS!r}", "it holds what the entrance says too"
        )
    danger = [name for name, skill in sorted(skills.items()) if Risk.ACTIVE in skill.risk_levels]
    named = " or ".join(f"`{name}`" for name in danger) or "the way that the section above says"
    others = [name for name in sorted(skills) if name not in danger]
    entries = (f"- `{name}`: {skills[name].description.removesuffix(_DOMAIN)}" for name in (*danger, *others))
    parts = [
        _FRONT,
        _START,
        f"## Always\n\n{always}",
        _CHOOSE.format(danger=named),
        "## The skills\n\n" + "\n".join(entries),
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def check_entrance(files: Mapping[str, bytes], skills: Mapping[str, Skill], shown: str) -> Iterator[Finding]:
    """Yield a finding where the entrance of a bank is not what its skills make it; a bank may have none.

    Args:
        files: Content by path relative to the bank's folder.
        skills: The skills by name.
        shown: The bank's folder, for messages.
    """
    if ENTRANCE_FILE in files and files[ENTRANCE_FILE] != (right := render_entrance(skills).encode()):
        pairs = zip(files[ENTRANCE_FILE].split(b"\n"), right.split(b"\n"), strict=False)
        line = next((at for at, (one, other) in enumerate(pairs, start=1) if one != other), 1)
        message = "differs from what the skills and the prompts make it; run `esc-skills bank entrance`"
        yield Finding(f"{shown}/{ENTRANCE_FILE}", line, "", "entrance", Severity.ERROR, message)
