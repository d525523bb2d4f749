"""New parts of a bank: commented templates of a skill, a scenario or a persona, which validate once they are filled in."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from string import Template

from esc_skills.documents.text import read_text, write_atomically
from esc_skills.errors import InputError
from esc_skills.settings import Settings
from esc_skills.vocabulary import EmotionType, HiddenIntention, ProblemType, RiskCode, Strategy

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_MAX_NAME = 64
_DATA = Path(__file__).parent / "data"
_LINES = {"disclosures": (9, 2), "rising": (5, 4), "steady": (5, 4), "falling": (5, 4), "withholding": (4, 2)}


class Part(StrEnum):
    """What can be started from a template."""

    SKILL = "skill"
    SCENARIO = "scenario"
    PERSONA = "persona"


def start_part(part: Part, name: str, root: Path, settings: Settings) -> Path:
    """Write a template, and return its file.

    Args:
        part: What is started.
        name: Its name: lower-case ASCII letters, digits and single hyphens.
        root: The repository's top folder.
        settings: Its settings, which name the folders of bank and profiles.

    Raises:
        InputError: The name is none, the folder of bank or profiles is missing, or the part is there already.
    """
    if not _NAME.fullmatch(name) or len(name) > _MAX_NAME:
        raise InputError(
            f"{name!r} is no name of a {part}", "use lower-case letters, digits and hyphens, such as name-the-wish"
        )
    home = root / (settings.skills if part is Part.SKILL else settings.profiles)
    if not home.is_dir():
        raise InputError(
            f"{home}: there is no such folder", "start a bank with `esc-skills init DIR`, or name it in pyproject.toml"
        )
    path = home / name / "SKILL.md" if part is Part.SKILL else home / f"{part}s" / f"{name}.yaml"
    taken = path.parent if part is Part.SKILL else path
    if taken.exists():
        raise InputError(f"{taken}: is there already", "choose another name, or edit that one")
    write_atomically(path, _render(part, name))
    return path


def _render(part: Part, name: str) -> str:
    words = {
        "strategies": Strategy,
        "emotions": EmotionType,
        "needs": HiddenIntention,
        "risks": RiskCode,
        "problems": ProblemType,
    }
    lines = {key: "\n".join([f'{" " * indent}- "FILL: a sentence"'] * count) for key, (count, indent) in _LINES.items()}
    listed = {key: ", ".join(each) for key, each in words.items()}
    return Template(read_text(_DATA / f"template-{part}.txt")).substitute(listed, name=name, **lines)
