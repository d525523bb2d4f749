"""The skill record and the reading of one skill: front matter and sections of `SKILL.md`, and its files of examples."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from types import MappingProxyType
from typing import Any

from esc_skills.documents.frontmatter import FrontMatter, Section, split_front_matter, split_sections
from esc_skills.documents.yaml import YamlDocument, parse_yaml
from esc_skills.errors import DocumentError
from esc_skills.vocabulary import (
    EmotionType,
    HiddenIntention,
    Language,
    Risk,
    RiskCode,
    Stage,
    Strategy,
    known_words,
)

SKILL_FILE = "SKILL.md"
#: How many examples to follow and to avoid a `SKILL.md` holds; clients read its first 100 lines. All others are references.
OWN_EXAMPLES, OWN_AVOID = 2, 1

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
#: How the title of an example to avoid begins.
AVOID_TITLE = "Avoid:"
#: The files of further examples, by the language that they are in.
REFERENCE = re.compile(r"references/examples\.([a-z]{2,3})\.md")


@dataclass(frozen=True, slots=True)
class SkillRisk:
    """What can go wrong with a skill, and what to do instead."""

    code: RiskCode
    text: str


@dataclass(frozen=True, slots=True)
class Example:
    """A seeker message and the supporter turn that answers it.

    Attributes:
        why: What is wrong with the answer; given for the examples to avoid.
        earlier: What was said before, as pairs of a seeker's message and its answer, oldest first.
    """

    title: str
    seeker: str
    supporter: str
    why: str = ""
    earlier: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Reference:
    """The further examples of a skill in one language: those to follow, and those to avoid."""

    examples: tuple[Example, ...]
    avoid: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Skill:
    """One executable support skill, as its file states it.

    Attributes:
        emotions: The emotion types that it serves; all of them where the file says `any`.
        intensity: Lowest and highest emotion intensity, 1 to 5.
        needs: Hidden intentions, as inferred from what is said, that it serves; empty for a skill that an occasion calls for,
            such as a farewell, whatever is needed.
        not_for: Needs and dispositions that rule it out.
        risk_levels: The levels of risk at which it may be used.
        expected_change: Lowest and highest expected emotion change of one turn, in points of SAGE's 0 to 100.
        provenance: What it rests on: prototypes with their IU counts, or `hand-written`.
        examples: The two good examples of `SKILL.md`; avoid: the one to avoid.
        references: Further examples by language.
        text: The whole `SKILL.md`.
    """

    name: str
    description: str
    version: str
    stages: tuple[str, ...]
    strategies: tuple[str, ...]
    emotions: tuple[EmotionType, ...]
    intensity: tuple[int, int]
    needs: tuple[str, ...]
    not_for: tuple[str, ...]
    risk_levels: tuple[Risk, ...]
    expected_change: tuple[int, int]
    language: str
    provenance: str
    guidance: tuple[str, ...]
    when_to_use: tuple[str, ...]
    when_not_to_use: tuple[str, ...]
    expected_outcome: str
    risks: tuple[SkillRisk, ...]
    examples: tuple[Example, ...]
    avoid: tuple[Example, ...]
    references: Mapping[str, Reference]
    text: str

    def examples_in(self, language: str) -> tuple[Example, ...]:
        """Return the examples to follow in a language: those of `SKILL.md`, then the further ones; empty where there are none."""
        own = self.examples if language == self.language else ()
        return own + (self.references[language].examples if language in self.references else ())

    def avoid_in(self, language: str) -> tuple[Example, ...]:
        """Return the examples to avoid in a language, in the same order; empty where there are none."""
        own = self.avoid if language == self.language else ()
        return own + (self.references[language].avoid if language in self.references else ())

    @property
    def main_strategy(self) -> Strategy:
        """The first of its strategies that is one of ESConv's; `others` where a team's own are all that it has."""
        return next((each for each in self.strategies if isinstance(each, Strategy)), Strategy.OTHERS)


@dataclass(frozen=True, slots=True)
class ReferenceDocument:
    """A file of further examples, read but not yet checked.

    Attributes:
        path: The file, as the person named it.
        language: The language that its name says.
        text: The file.
        value: The parsed document: `title`, `examples` and `avoid`, as in the parsed skill.
        lines: The line of each JSON pointer of `value`.
    """

    path: str
    language: str
    text: str
    value: dict[str, Any]
    lines: dict[str, int]


@dataclass(frozen=True, slots=True)
class SkillDocument:
    """A skill read but not yet checked.

    Attributes:
        path: The file, as the person named it.
        folder: The name of its folder.
        text: The file.
        front: Its front matter, split off.
        yaml: The front matter's values as written, with their lines.
        sections: The body's sections.
        value: The parsed document that `schemas/skill.schema.json` describes.
        lines: The line of each JSON pointer of `value`.
        references: Its files of further examples, by language.
    """

    path: str
    folder: str
    text: str
    front: FrontMatter
    yaml: YamlDocument
    sections: tuple[Section, ...]
    value: dict[str, Any]
    lines: dict[str, int]
    references: tuple[ReferenceDocument, ...] = ()


def parse_skill(
    text: str, path: str, folder: str, references: Mapping[str, tuple[str, str]] = MappingProxyType({})
) -> SkillDocument:
    """Read a skill as far as it can be read; what is wrong with its values is for the rules to say.

    Args:
        text: The `SKILL.md`.
        path: The file, as the person named it.
        folder: The name of its folder.
        references: By language, the path and the text of each file of further examples.

    Raises:
        DocumentError: It has no front matter, or its YAML cannot be read.
    """
    front = split_front_matter(text, path)
    yaml = parse_yaml(front.yaml, path, first_line=front.yaml_line)
    if not isinstance(yaml.value, dict):
        raise DocumentError(path, front.yaml_line, "front-matter", "is no mapping of keys to values")
    sections = split_sections(front.body, front.body_line)
    # A key of the front matter must not stand in for the section of that name.
    value = {key: each for key, each in yaml.value.items() if key not in (*SECTIONS.values(), "avoid", "further")}
    lines = dict(yaml.lines)
    if isinstance(value.get("metadata"), dict):
        value["metadata"] = {key: _split_list(key, each) for key, each in value["metadata"].items()}
    for title, key in SECTIONS.items():
        _read_section(title, key, sections, value, lines)
    further = tuple(_parse_reference(language, *references[language]) for language in sorted(references))
    return SkillDocument(path, folder, text, front, yaml, sections, value, lines, further)


def _parse_reference(language: str, path: str, text: str) -> ReferenceDocument:
    sections = split_sections(text, 1)
    first = next((each for each in sections if each.level == 1), None)
    value: dict[str, Any] = {"title": first.title if first else ""}
    lines: dict[str, int] = {}
    _read_examples(tuple(each for each in sections if each.level > 1), value, lines)
    return ReferenceDocument(path, language, text, value, lines)


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
        own = takewhile(lambda each: each.level > 2, sections[at + 1 :])
        _read_examples(own, value, lines)
        value["further"] = section.text.strip()
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


def _read_examples(sections: Iterable[Section], value: dict[str, Any], lines: dict[str, int]) -> None:
    value["examples"], value["avoid"] = [], []
    for section in sections:
        key = "avoid" if section.title.startswith(AVOID_TITLE) else "examples"
        lines[f"/{key}/{len(value[key])}"] = section.line
        value[key].append({"title": section.title.removeprefix(AVOID_TITLE).strip(), **_spoken(section.text)})


def _spoken(text: str) -> dict[str, Any]:
    """Return what follows **Seeker:**, **Supporter:** and **Why:**, with line breaks folded.

    Of several pairs the last is the example's own, and those before it are `earlier`.
    """
    parts = _SAYS.split(text)
    said = [(who.lower(), " ".join(words.split())) for who, words in zip(parts[1::2], parts[2::2], strict=True)]
    turns = [each for each in said if each[0] != "why"]
    spoken: dict[str, Any] = {"other": parts[0].strip()} if parts[0].strip() else {}
    if [who for who, _ in turns] != ["seeker", "supporter"] * (len(turns) // 2):
        known = {who: words for who, words in said if words}
        told = {"seeker": "-", "supporter": "-", **known}  # so that one finding says it
        return {**told, **spoken, "turns out of order": ", ".join(who for who, _ in said)}
    pairs = [(turns[at][1], turns[at + 1][1]) for at in range(0, len(turns), 2)]
    for seeker, supporter in pairs[-1:]:
        spoken |= {"seeker": seeker, "supporter": supporter}
    if pairs[:-1]:
        spoken["earlier"] = [{"seeker": seeker, "supporter": supporter} for seeker, supporter in pairs[:-1]]
    for who, words in said:
        if who == "why":
            spoken["why"] = words
    return spoken


def example_of(value: Mapping[str, Any]) -> Example:
    """Return the record of an example in its parsed form."""
    earlier = tuple((each["seeker"], each["supporter"]) for each in value.get("earlier", ()))
    return Example(value["title"], value["seeker"], value["supporter"], value.get("why") or "", earlier)


def _examples(value: Mapping[str, Any], key: str) -> tuple[Example, ...]:
    return tuple(map(example_of, value[key]))


def build_skill(document: SkillDocument) -> Skill:
    """Return the record of a document that the ESC rules found no error in."""
    value, metadata = document.value, document.value["metadata"]
    emotions = metadata["esc-emotions"]
    return Skill(
        name=value["name"],
        description=value["description"],
        version=metadata["version"],
        stages=known_words(Stage, metadata["esc-stage"]),
        strategies=known_words(Strategy, metadata["esc-strategies"]),
        emotions=tuple(EmotionType) if emotions == ["any"] else tuple(map(EmotionType, emotions)),
        intensity=read_range(metadata["esc-intensity"]),
        needs=() if metadata["esc-needs"] == ["none"] else known_words(HiddenIntention, metadata["esc-needs"]),
        not_for=() if metadata["esc-not-for"] == ["none"] else tuple(metadata["esc-not-for"]),
        risk_levels=tuple(map(Risk, metadata["esc-risk"])),
        expected_change=read_range(metadata["esc-expected-change"]),
        language=known_words(Language, [metadata["esc-language"]])[0],
        provenance=metadata["esc-provenance"],
        guidance=tuple(value["guidance"]),
        when_to_use=tuple(value["when_to_use"]),
        when_not_to_use=tuple(value["when_not_to_use"]),
        expected_outcome=value["expected_outcome"],
        risks=tuple(SkillRisk(RiskCode(risk["code"]), risk["text"]) for risk in value["risks"]),
        examples=_examples(value, "examples"),
        avoid=_examples(value, "avoid"),
        references={
            each.language: Reference(_examples(each.value, "examples"), _examples(each.value, "avoid"))
            for each in document.references
        },
        text=document.text,
    )


def read_range(text: str) -> tuple[int, int]:
    """Return the two ends of a range written like `2 to 5`."""
    low, _, high = text.partition(" to ")
    return int(low), int(high)
