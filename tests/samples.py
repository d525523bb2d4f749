"""What the tests start from: a small skill, profile parts, transcripts and SAGE's forms, all in words of our own."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from esc_skills.bank.edit import raise_version, with_examples
from esc_skills.bank.reader import Bank, read_bank
from esc_skills.bank.skill import Example, Skill
from esc_skills.documents.shipped import shipped
from esc_skills.proposing.operators import load_starters
from esc_skills.seekers.population import Population, read_population
from esc_skills.transcript import Transcript, Turn
from esc_skills.vocabulary import Disposition, HiddenIntention, Language, Termination

METADATA = {
    "version": "1.0.0",
    "esc-stage": "exploration",
    "esc-strategies": "question, others",
    "esc-emotions": "any",
    "esc-intensity": "1 to 4",
    "esc-needs": "be-heard",
    "esc-not-for": "none",
    "esc-risk": "none",
    "esc-expected-change": "1 to 3",
    "esc-risks": "rushing",
    "esc-language": "en",
    "esc-provenance": "hand-written",
}
DESCRIPTION = "When the seeker stops in the middle of a sentence: wait a little longer before the next question. Emotional support."
BODY = """
# Wait a little

A pause on purpose.

## Guidance

1. Say that there is time.
2. Leave the next word to the seeker.

## When to use

- The seeker stops in the middle of a sentence.

## When not to use

- The seeker asks something outright.

## Expected outcome

The seeker goes on alone.

## Risks

- `rushing`: a pause that is named too often turns into pressure. Say it once and then wait.

## Examples

### A sentence that breaks off

**Seeker:** I wanted to tell her, but

**Supporter:** There is time. Take it.

### A dot, dot, dot

**Seeker:** And then the letter came ...

**Supporter:** And then the letter came. I am still here.

### Avoid: a push

**Seeker:** I don't know how to say it

**Supporter:** Just say it, quickly!

**Why:** Haste makes the seeker fall silent.
"""


def skill_text(
    name: str = "wait-a-little", *, description: str = DESCRIPTION, body: str = BODY, **metadata: str
) -> str:
    """The smallest file that the contract accepts; `metadata` is given with underscores for hyphens."""
    values = {**METADATA, **{key.replace("_", "-"): value for key, value in metadata.items()}}
    if values["esc-language"] == "zh" and description == DESCRIPTION:
        description = "当求助者的话说到一半停下来时：多等一会儿再问下一句，把接下来的话留给对方。情感支持。"
    lines = [f"name: {name}", f'description: "{description}"', "license: Apache-2.0", "metadata:"]
    lines += [f'  {key}: "{value}"' for key, value in values.items()]
    return "---\n" + "\n".join(lines) + "\n---\n" + body


def raised(text: str) -> str:
    """A skill's file with its minor version raised."""
    return raise_version(text, version_of(text))


def with_better_example(skill: Skill) -> dict[str, str]:
    """The files of reflect-the-feeling as the weakened bank has it, with one example that helps much more.

    It is one changed span of one turn, which the surrogate performs whole: it has no other to be carried by.
    """
    drafts = load_starters(Language.ENGLISH)[HiddenIntention.DEEP_EMPATHY]["examples"]
    (draft,) = (Example(**each) for each in drafts if each["title"] == "Dropped by the team")
    first, _, *others = skill.examples_in(Language.ENGLISH)
    return with_examples(replace(skill, text=raised(skill.text)), [first, draft, *others])


def version_of(text: str) -> str:
    found = re.search(r'^  version: "(.*)"$', text, flags=re.MULTILINE)
    assert found
    return found[1]


def write_skill(bank: Path, name: str = "wait-a-little", text: str | bytes | None = None) -> Path:
    """Write `<bank>/<name>/SKILL.md` and return its path."""
    path = bank / name / "SKILL.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = skill_text(name) if text is None else text
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def bank_of(*texts: str, shown: str = "skills") -> Bank:
    """The bank of some skill files, each in the folder of its name."""
    return read_bank({f"{_name(text)}/SKILL.md": text.encode() for text in texts}, shown)


def skill_of(text: str) -> Skill:
    return next(iter(bank_of(text).skills.values()))


def _name(text: str) -> str:
    return next(line for line in text.split("\n") if line.startswith("name: ")).removeprefix("name: ")


def part_files(folder: Path | None = None) -> dict[str, bytes]:
    """The shipped profile parts by path."""
    root = folder or shipped("profiles")
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*.yaml"))}


def shipped_population() -> Population:
    return read_population(part_files(), "profiles")


def transcript(*emotions: int, **fields: Any) -> Transcript:
    """An episode whose seeker messages have these emotions; the last one is left unanswered."""
    turns = [
        Turn(f"message {at}", emotion, f"answer {at}", emotions[at + 1] - emotion, skill="wait-a-little")
        for at, emotion in enumerate(emotions[:-1])
    ]
    defaults: dict[str, Any] = {
        "profile": "scenario/persona/be-heard",
        "disposition": Disposition.PASSIVE,
        "intention": HiddenIntention.BE_HEARD,
        "turns": (*turns, Turn(f"message {len(turns)}", emotions[-1])),
        "termination": Termination.FAREWELL,
        "final_emotion": emotions[-1],
        "supporter": "scripted",
        "seeker": "scripted",
    }
    return Transcript(**{**defaults, **fields})


def sage_line(*emotions: int, **fields: Any) -> str:
    """A line of a SAGE result file whose seeker messages have these emotions."""
    history: list[dict[str, Any]] = []
    for at, emotion in enumerate(emotions):
        said: dict[str, Any] = {"role": "user", "content": f"message {at}", "emotion-point": emotion}
        if at:
            said["planning"] = {"analyse": f"reading {at}", "change": emotion - emotions[at - 1]}
            history.append({"role": "assistant", "content": f"answer {at - 1}"})
        history.append(said)
    value = {
        "id": "one",
        "emo_point": emotions[-1],
        "emo_state": "Emotion-B",
        "character": "被动型",
        "scene": "A flat that has grown too quiet.",
        "task": "你希望对方倾听",
        "history": history,
    }
    return json.dumps({**value, **fields}, ensure_ascii=False)


def sage_profile(**fields: Any) -> dict[str, Any]:
    """A line of SAGE's profile file."""
    return {
        "id": "seeker-1",
        "player": "* 32 岁，在图书馆工作",
        "scene": "## 背景\n邻居搬走以后，楼里很安静。",
        "main_cha": "回避型",
        "cha_group": ["回避型", "谨慎"],
        "task": "你希望对方倾听",
        "first_talk": "没什么，就是最近楼里太安静了。",
        **fields,
    }
