"""Edits of a skill's files that touch named parts and leave every other byte as it was, and the making of new ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from esc_skills.bank.skill import OWN_AVOID, OWN_EXAMPLES, SKILL_FILE, Example, Reference, Skill, SkillRisk
from esc_skills.documents.frontmatter import split_front_matter, split_sections
from esc_skills.documents.text import one_line
from esc_skills.errors import InputError

_SHOWN = "the skill"
_FURTHER = "More examples: "


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


def with_examples(skill: Skill, examples: Sequence[Example], avoid: Sequence[Example] = ()) -> dict[str, str]:
    """Return the files of a skill with other examples in its own language, by path relative to the skill's folder.

    The first two and the first to avoid stand in `SKILL.md`, all others in `references/`; examples of other languages stay.

    Args:
        skill: The skill.
        examples: All examples to follow, two or more.
        avoid: All examples to avoid; empty for those that it has.
    """
    avoid = avoid or skill.avoid_in(skill.language)
    further = Reference(tuple(examples[OWN_EXAMPLES:]), tuple(avoid[OWN_AVOID:]))
    references = {**skill.references, skill.language: further}
    references = {language: each for language, each in references.items() if each.examples or each.avoid}
    content = render_examples(examples[:OWN_EXAMPLES], avoid[:OWN_AVOID], references)
    files = {SKILL_FILE: replace_section(skill.text, "Examples", content)}
    if skill.language in references:
        title = title_of(skill.text)
        files[reference_path(skill.language)] = render_reference(title, skill.language, further)
    return files


def replace_examples(text: str, examples: Iterable[Example], avoid: Iterable[Example]) -> str:
    """Return a `SKILL.md` with other examples; the link to the further ones stays."""
    first = section_text(text, "Examples").split("\n", 1)[0]
    parts = [first] if first.startswith(_FURTHER) else []
    return replace_section(text, "Examples", "\n\n".join([*parts, *_rendered(examples, avoid, "###")]))


def references_of(skill: Skill) -> dict[str, str]:
    """Return the files of further examples of a skill, by path relative to its folder."""
    title = title_of(skill.text)
    return {reference_path(each): render_reference(title, each, skill.references[each]) for each in skill.references}


def title_of(text: str) -> str:
    """Return the first heading of a skill's file; empty where there is none."""
    front = split_front_matter(text, _SHOWN)
    return next((each.title for each in split_sections(front.body, front.body_line) if each.level == 1), "")


def reference_path(language: str) -> str:
    """Return the file of the further examples of a language, relative to the skill's folder."""
    return f"references/examples.{language}.md"


def render_further(languages: Iterable[str]) -> str:
    """Return the line that leads from `SKILL.md` to the further examples."""
    links = ", ".join(f"[{language}]({reference_path(language)})" for language in sorted(languages))
    return f"{_FURTHER}{links}" if links else ""


def render_examples(examples: Iterable[Example], avoid: Iterable[Example], further: Iterable[str] = ()) -> str:
    """Return the content of the section Examples, with a link to the further ones of some languages."""
    return "\n\n".join(filter(None, [render_further(further), *_rendered(examples, avoid, "###")]))


def render_reference(title: str, language: str, reference: Reference) -> str:
    """Return the file of the further examples of a skill in one language.

    Args:
        title: The skill's title.
        language: The language.
        reference: The examples.
    """
    parts = [reference_heading(title, language), *_rendered(reference.examples, reference.avoid, "##")]
    return "\n\n".join(parts) + "\n"


def reference_heading(title: str, language: str) -> str:
    """Return the first line of a file of further examples."""
    return f"# {title}: examples ({language})"


def _rendered(examples: Iterable[Example], avoid: Iterable[Example], mark: str) -> list[str]:
    parts = [_render_example(f"{mark} {one_line(example.title)}", example) for example in examples]
    return parts + [_render_example(f"{mark} Avoid: {one_line(example.title)}", example) for example in avoid]


def _render_example(heading: str, example: Example) -> str:
    lines = [heading]
    for seeker, supporter in (*example.earlier, (example.seeker, example.supporter)):
        lines += [f"**Seeker:** {one_line(seeker)}", f"**Supporter:** {one_line(supporter)}"]
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
) -> dict[str, str]:
    """Return the files of a new skill, by path relative to its folder.

    The first two examples and the first to avoid stand in `SKILL.md`, all others in `references/`.

    Args:
        name: The skill's name, which its folder has too.
        description: When to use it, and what it does.
        metadata: All keys of the contract, in order.
        title: The first heading; `summary` stands below it.
        summary: One or two sentences.
        sections: By key of the parsed document: lists of text, `risks` as `SkillRisk`, `examples` and `avoid` as
            `Example`, `expected_outcome` as text.
    """
    front = [f"name: {name}", f"description: {_quoted(description)}", "license: Apache-2.0", "metadata:"]
    front += [f"  {key}: {_quoted(value)}" for key, value in metadata.items()]
    risks: Sequence[SkillRisk] = sections["risks"]
    examples, avoid, language = sections["examples"], sections["avoid"], metadata["esc-language"]
    further = Reference(tuple(examples[OWN_EXAMPLES:]), tuple(avoid[OWN_AVOID:]))
    languages = [language] if further.examples or further.avoid else []
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
        render_examples(examples[:OWN_EXAMPLES], avoid[:OWN_AVOID], languages),
    ]
    text = "---\n" + "\n".join(front) + "\n---\n\n" + "\n\n".join(body) + "\n"
    return {
        SKILL_FILE: text,
        **{reference_path(each): render_reference(title, each, further) for each in languages},
    }


def _bullets(items: Iterable[str]) -> str:
    return "\n".join(f"- {one_line(item)}" for item in items)
