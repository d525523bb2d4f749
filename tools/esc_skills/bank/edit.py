"""Edits of a skill's file that touch named parts and leave every other byte as it was, and the making of new files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from esc_skills.bank.skill import Example, SkillRisk
from esc_skills.documents.frontmatter import split_front_matter, split_sections
from esc_skills.documents.text import one_line
from esc_skills.errors import InputError

_SHOWN = "the skill"


def set_metadata(text: str, key: str, value: str) -> str:
    """Return a skill's file with one `metadata` value replaced.

    Raises:
        InputError: The key is not there, or the value would break the front matter.
    """
    if any(mark in value for mark in ('"', "\\", "\n", "---", "<", ">")):
        raise InputError(f"{value[:60]!r} cannot be a metadata value", "use plain words")
    body = _offset(text, split_front_matter(text, _SHOWN).body_line)
    line = re.compile(rf'^(  {re.escape(key)}: )"[^"\n]*"$', flags=re.MULTILINE)
    edited, times = line.subn(rf'\g<1>"{value}"', text[:body], count=1)
    if not times:
        raise InputError(f"the skill has no metadata {key!r} on a line of its own", "run `esc-skills validate`")
    return edited + text[body:]


def raise_version(text: str, version: str) -> str:
    """Return a skill's file with the minor version raised by one."""
    major, minor, _ = version.split(".")
    return set_metadata(text, "version", f"{major}.{int(minor) + 1}.0")


def append_item(text: str, section: str, item: str) -> str:
    """Return a skill's file with a bullet added at the end of a section."""
    return replace_section(text, section, f"{section_text(text, section)}\n- {one_line(item)}")


def replace_section(text: str, section: str, content: str) -> str:
    """Return a skill's file with what stands below a second-level heading replaced."""
    start, end = _section_span(text, section)
    after = text[end:]
    return f"{text[:start]}\n{content.strip()}\n" + (f"\n{after}" if after else "")


def section_text(text: str, section: str) -> str:
    """Return what stands below a second-level heading."""
    start, end = _section_span(text, section)
    return text[start:end].strip()


def _section_span(text: str, section: str) -> tuple[int, int]:
    front = split_front_matter(text, _SHOWN)
    headings = [each for each in split_sections(front.body, front.body_line) if each.level in (1, 2)]
    for at, heading in enumerate(headings):
        if heading.level == 2 and heading.title == section:
            after = headings[at + 1 : at + 2]
            return _offset(text, heading.line + 1), _offset(text, after[0].line) if after else len(text)
    raise InputError(f"the skill has no section {section!r}", "run `esc-skills validate`")


def _offset(text: str, line: int) -> int:
    return min(sum(len(each) + 1 for each in text.split("\n")[: line - 1]), len(text))


def render_examples(examples: Iterable[Example], avoid: Iterable[Example]) -> str:
    """Return the content of the section Examples."""
    parts = [_render_example(example.title, example) for example in examples]
    parts += [_render_example(f"Avoid: {example.title}", example) for example in avoid]
    return "\n\n".join(parts)


def _render_example(title: str, example: Example) -> str:
    lines = [
        f"### {one_line(title)}",
        f"**Seeker:** {one_line(example.seeker)}",
        f"**Supporter:** {one_line(example.supporter)}",
    ]
    if example.why:
        lines.append(f"**Why:** {one_line(example.why)}")
    return "\n\n".join(lines)


def _quoted(text: str) -> str:
    escaped = one_line(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def render_skill(
    name: str,
    description: str,
    metadata: Mapping[str, str],
    title: str,
    summary: str,
    sections: Mapping[str, Any],
) -> str:
    """Return the file of a new skill.

    Args:
        name: The skill's name, which its folder has too.
        description: What it does and when to use it.
        metadata: All keys of the contract, in order.
        title: The first heading; `summary` stands below it.
        summary: One or two sentences.
        sections: By key of the parsed document: lists of text, `risks` as `SkillRisk`, `examples` and `avoid` as
            `Example`, `expected_outcome` as text.
    """
    front = [f"name: {name}", f"description: {_quoted(description)}", "license: Apache-2.0", "metadata:"]
    front += [f"  {key}: {_quoted(value)}" for key, value in metadata.items()]
    risks: Sequence[SkillRisk] = sections["risks"]
    body = [
        f"# {title}",
        summary,
        "## Guidance",
        "\n".join(f"{number}. {one_line(item)}" for number, item in enumerate(sections["guidance"], start=1)),
        "## When to use",
        _bullets(sections["when_to_use"]),
        "## When not to use",
        _bullets(sections["when_not_to_use"]),
        "## Expected outcome",
        one_line(sections["expected_outcome"]),
        "## Risks",
        _bullets(f"`{risk.code}`: {risk.text}" for risk in risks),
        "## Examples",
        render_examples(sections["examples"], sections["avoid"]),
    ]
    return "---\n" + "\n".join(front) + "\n---\n\n" + "\n\n".join(body) + "\n"


def _bullets(items: Iterable[str]) -> str:
    return "\n".join(f"- {one_line(item)}" for item in items)
