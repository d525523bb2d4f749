"""How two banks differ, said as changes of guidance, applicability, outcome, risk and examples rather than of lines."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from esc_skills.bank.skill import Example, Skill, SkillRisk

#: Two texts at least this alike (difflib's ratio) are one text reworded.
_REWORDED_FROM = 0.6
#: Every change raises the version, so it says nothing of whether anything else changed.
_VERSION = re.compile(r"^  version: .*$", flags=re.MULTILINE)


class Part(StrEnum):
    """The part of a skill that a change touches; `skill` where the whole skill comes or goes."""

    SKILL = "skill"
    DESCRIPTION = "description"
    GUIDANCE = "guidance"
    APPLICABILITY = "applicability"
    OUTCOME = "outcome"
    RISK = "risk"
    EXAMPLE = "example"
    VERSION = "version"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one skill.

    Attributes:
        what: The field or section, in words.
        before: What was there; empty where something was added.
        after: What is there now; empty where something was removed.
    """

    skill: str
    part: Part
    what: str
    before: str
    after: str


def compare_banks(base: Mapping[str, Skill], head: Mapping[str, Skill]) -> tuple[Change, ...]:
    """Return every change between two banks, by skill and part."""
    return tuple(change for name in sorted({*base, *head}) for change in _compare(name, base.get(name), head.get(name)))


def _compare(name: str, base: Skill | None, head: Skill | None) -> Iterator[Change]:
    if base is None or head is None:
        said = [skill.description if skill else "" for skill in (base, head)]
        yield Change(name, Part.SKILL, "skill", *said)
        return
    yield from _compare_fields(name, base, head)
    for part, what, field in _LISTS:
        yield from _compare_texts(name, part, what, _texts(base, field), _texts(head, field))
    for language in sorted({*base.references, *head.references}):
        for field, what in (("examples", "example"), ("avoid", "example to avoid")):
            before, after = (
                [_example(each) for each in getattr(skill.references[language], field)]
                if language in skill.references
                else []
                for skill in (base, head)
            )
            yield from _compare_texts(name, Part.EXAMPLE, f"{what} in references ({language})", before, after)
    told = base != replace(head, text=base.text, version=base.version)
    if not told and _text_but_version(base) != _text_but_version(head):
        yield Change(name, Part.OTHER, "wording outside the sections", "", "title, summary or layout changed")


_FIELDS = (
    (Part.VERSION, "version", "version"),
    (Part.DESCRIPTION, "description", "description"),
    (Part.APPLICABILITY, "stages", "stages"),
    (Part.APPLICABILITY, "strategies", "strategies"),
    (Part.APPLICABILITY, "emotions", "emotions"),
    (Part.APPLICABILITY, "intensity", "intensity"),
    (Part.APPLICABILITY, "needs", "needs"),
    (Part.APPLICABILITY, "not for", "not_for"),
    (Part.APPLICABILITY, "levels of risk", "risk_levels"),
    (Part.APPLICABILITY, "language", "language"),
    (Part.OUTCOME, "expected change", "expected_change"),
    (Part.OUTCOME, "expected outcome", "expected_outcome"),
    (Part.OTHER, "provenance", "provenance"),
)
_LISTS = (
    (Part.GUIDANCE, "guidance", "guidance"),
    (Part.APPLICABILITY, "when to use", "when_to_use"),
    (Part.APPLICABILITY, "when not to use", "when_not_to_use"),
    (Part.RISK, "risk", "risks"),
    (Part.EXAMPLE, "example", "examples"),
    (Part.EXAMPLE, "example to avoid", "avoid"),
)


def _text_but_version(skill: Skill) -> str:
    return _VERSION.sub("", skill.text, count=1)


def _compare_fields(name: str, base: Skill, head: Skill) -> Iterator[Change]:
    for part, what, field in _FIELDS:
        before, after = _shown(getattr(base, field)), _shown(getattr(head, field))
        if before != after:
            yield Change(name, part, what, before, after)


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        if value and isinstance(value[0], int):
            return " to ".join(map(str, value))
        return ", ".join(map(str, value)) or "none"
    return str(value)


def _texts(skill: Skill, field: str) -> list[str]:
    return [_text(each) for each in getattr(skill, field)]


def _text(value: str | SkillRisk | Example) -> str:
    if isinstance(value, SkillRisk):
        return f"{value.code}: {value.text}"
    return _example(value) if isinstance(value, Example) else value


def _example(example: Example) -> str:
    why = f" Why: {example.why}" if example.why else ""
    turns = (*example.earlier, (example.seeker, example.supporter))
    said = " ".join(f"Seeker: {seeker} Supporter: {supporter}" for seeker, supporter in turns)
    return f"{example.title}. {said}{why}"


def _compare_texts(name: str, part: Part, what: str, base: Sequence[str], head: Sequence[str]) -> Iterator[Change]:
    gone = [text for text in base if text not in head]
    come = [text for text in head if text not in base]
    for text in come:
        before = max(gone, key=lambda old: difflib.SequenceMatcher(None, old, text).ratio(), default="")
        if before and difflib.SequenceMatcher(None, before, text).ratio() >= _REWORDED_FROM:
            gone.remove(before)
        else:
            before = ""
        yield Change(name, part, what, before, text)
    for text in gone:
        yield Change(name, part, what, text, "")
    if not gone and not come and list(base) != list(head):
        yield Change(name, part, what, "", "the order changed")
