"""The skill record and the reading of one `SKILL.md`: front matter and sections, parsed once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from esc_skills.documents.frontmatter import FrontMatter, Section, split_front_matter, split_sections
from esc_skills.documents.yaml import YamlDocument, parse_yaml
from esc_skills.errors import DocumentError
from esc_skills.vocabulary import EmotionType, HiddenIntention, Language, Risk, RiskCode, Stage, Strategy

#: Keys of `metadata` that hold lists, separated by comma and space.
LIST_KEYS = ("esc-stage", "esc-strategies", "esc-emotions", "esc-needs", "esc-not-for", "esc-risk", "esc-risks")

#: Body sections in their order, with the key of each in the parsed document.
SECTIONS = {
    "Guidance": "guidance",
    "When to use": "when_to_use",
    "When not to use": "when_not_to_use",
    "Expected outcome": "expected_outcome",
    "Risks": "risks",
    "Examples": "examples",
}

_ITEM = re.compile(r"(?:[-*]|\d+[.)])\s+")
_RISK = re.compile(r"`([^`]+)`:\s*")
_SAYS = re.compile(r"\*\*(Seeker|Supporter|Why):\*\*\s*")


@dataclass(frozen=True, slots=True)
class SkillRisk:
    """What can go wrong with a skill, and what to do instead."""

    code: RiskCode
    text: str


@dataclass(frozen=True, slots=True)
class Example:
    """A seeker message and the supporter turn that answers it; `why` is given for the examples to avoid."""

    title: str
    seeker: str
    supporter: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Skill:
    """One executable support skill, as its file states it.

    Attributes:
        emotions: The emotion types that it serves; all of them where the file says `any`.
        intensity: Lowest and highest emotion intensity, 1 to 5.
        needs: Hidden intentions, as inferred from what is said, that it serves.
        not_for: Needs and dispositions that rule it out.
        risk_levels: The levels of risk at which it may be used.
        expected_change: Lowest and highest expected emotion change of one turn, in points of SAGE's 0 to 100.
        provenance: What it rests on: prototypes with their IU counts, or `hand-written`.
        text: The whole file.
    """

    name: str
    description: str
    version: str
    stages: tuple[Stage, ...]
    strategies: tuple[Strategy, ...]
    emotions: tuple[EmotionType, ...]
    intensity: tuple[int, int]
    needs: tuple[HiddenIntention, ...]
    not_for: tuple[str, ...]
    risk_levels: tuple[Risk, ...]
    expected_change: tuple[int, int]
    language: Language
    provenance: str
    guidance: tuple[str, ...]
    when_to_use: tuple[str, ...]
    when_not_to_use: tuple[str, ...]
    expected_outcome: str
    risks: tuple[SkillRisk, ...]
    examples: tuple[Example, ...]
    avoid: tuple[Example, ...]
    text: str


@dataclass(frozen=True, slots=True)
class SkillDocument:
    """A `SKILL.md` read but not yet checked.

    Attributes:
        path: The file, as the person named it.
        folder: The name of its folder.
        text: The file.
        front: Its front matter, split off.
        yaml: The front matter's values as written, with their lines.
        sections: The body's sections.
        value: The parsed document that `schemas/skill.schema.json` describes.
        lines: The line of each JSON pointer of `value`.
    """

    path: str
    folder: str
    text: str
    front: FrontMatter
    yaml: YamlDocument
    sections: tuple[Section, ...]
    value: dict[str, Any]
    lines: dict[str, int]


def parse_skill(text: str, path: str, folder: str) -> SkillDocument:
    """Read a `SKILL.md` as far as it can be read; what is wrong with its values is for the rules to say.

    Raises:
        DocumentError: It has no front matter, or its YAML cannot be read.
    """
    front = split_front_matter(text, path)
    yaml = parse_yaml(front.yaml, path, first_line=front.yaml_line)
    if not isinstance(yaml.value, dict):
        raise DocumentError(path, front.yaml_line, "front-matter", "is no mapping of keys to values")
    sections = split_sections(front.body, front.body_line)
    # A key of the front matter must not stand in for the section of that name.
    value = {key: each for key, each in yaml.value.items() if key not in (*SECTIONS.values(), "avoid")}
    lines = dict(yaml.lines)
    if isinstance(value.get("metadata"), dict):
        value["metadata"] = {key: _split_list(key, each) for key, each in value["metadata"].items()}
    for title, key in SECTIONS.items():
        _read_section(title, key, sections, value, lines)
    return SkillDocument(path, folder, text, front, yaml, sections, value, lines)


def _split_list(key: str, value: Any) -> Any:
    return value.split(", ") if key in LIST_KEYS and isinstance(value, str) else value


def _read_section(
    title: str, key: str, sections: tuple[Section, ...], value: dict[str, Any], lines: dict[str, int]
) -> None:
    at = next((index for index, each in enumerate(sections) if each.level == 2 and each.title == title), None)
    if at is None:
        return
    section = sections[at]
    lines[f"/{key}"] = section.line
    if key == "expected_outcome":
        value[key] = section.text
    elif key == "examples":
        _read_examples(sections[at + 1 :], value, lines)
    else:
        items = _items(section)
        value[key] = [_risk(text) if key == "risks" else text for _, text in items]
        lines.update({f"/{key}/{index}": line for index, (line, _) in enumerate(items)})


def _items(section: Section) -> list[tuple[int, str]]:
    """Return the items of a list with their lines; a line that starts no item continues the one above."""
    items: list[tuple[int, list[str]]] = []
    for number, line in enumerate(section.text.split("\n"), start=section.first_line):
        mark = _ITEM.match(line)
        if mark is not None:
            items.append((number, [line[mark.end() :].strip()]))
        elif line.strip() and items:
            items[-1][1].append(line.strip())
        elif line.strip():
            items.append((number, [line.strip()]))
    return [(number, " ".join(parts)) for number, parts in items]


def _risk(text: str) -> dict[str, str]:
    mark = _RISK.match(text)
    return {"code": mark[1], "text": text[mark.end() :]} if mark else {"code": "", "text": text}


def _read_examples(after: tuple[Section, ...], value: dict[str, Any], lines: dict[str, int]) -> None:
    value["examples"], value["avoid"] = [], []
    for section in after:
        if section.level <= 2:
            return
        key = "avoid" if section.title.startswith("Avoid:") else "examples"
        lines[f"/{key}/{len(value[key])}"] = section.line
        value[key].append({"title": section.title.removeprefix("Avoid:").strip(), **_spoken(section.text)})


def _spoken(text: str) -> dict[str, str]:
    """Return what follows **Seeker:**, **Supporter:** and **Why:**, with line breaks folded."""
    parts = _SAYS.split(text)
    spoken: dict[str, list[str]] = {"other": [parts[0]]} if parts[0].strip() else {}
    for speaker, words in zip(parts[1::2], parts[2::2], strict=True):
        spoken.setdefault(speaker.lower(), []).append(words)
    return {speaker: " ".join(" ".join(words).split()) for speaker, words in spoken.items()}


def build_skill(document: SkillDocument) -> Skill:
    """Return the record of a document that the ESC rules found no error in."""
    value, metadata = document.value, document.value["metadata"]
    emotions = metadata["esc-emotions"]
    return Skill(
        name=value["name"],
        description=value["description"],
        version=metadata["version"],
        stages=tuple(map(Stage, metadata["esc-stage"])),
        strategies=tuple(map(Strategy, metadata["esc-strategies"])),
        emotions=tuple(EmotionType) if emotions == ["any"] else tuple(map(EmotionType, emotions)),
        intensity=read_range(metadata["esc-intensity"]),
        needs=tuple(map(HiddenIntention, metadata["esc-needs"])),
        not_for=() if metadata["esc-not-for"] == ["none"] else tuple(metadata["esc-not-for"]),
        risk_levels=tuple(map(Risk, metadata["esc-risk"])),
        expected_change=read_range(metadata["esc-expected-change"]),
        language=Language(metadata["esc-language"]),
        provenance=metadata["esc-provenance"],
        guidance=tuple(value["guidance"]),
        when_to_use=tuple(value["when_to_use"]),
        when_not_to_use=tuple(value["when_not_to_use"]),
        expected_outcome=value["expected_outcome"],
        risks=tuple(SkillRisk(RiskCode(risk["code"]), risk["text"]) for risk in value["risks"]),
        examples=tuple(Example(**example) for example in value["examples"]),
        avoid=tuple(Example(**example) for example in value["avoid"]),
        text=document.text,
    )


def read_range(text: str) -> tuple[int, int]:
    """Return the two ends of a range written like `2 to 5`."""
    low, _, high = text.partition(" to ")
    return int(low), int(high)
