"""Markdown with YAML front matter: the split into front matter, body and sections, each with its line."""

from __future__ import annotations

import re
from dataclasses import dataclass

from esc_skills.errors import DocumentError

_HEADING = re.compile(r"(#{1,6})[ \t]+(\S.*)$")
_CLOSING = re.compile(r"(?:^|(?<=[ \t]))#+$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the text up to the next heading of any level.

    Attributes:
        level: 1 to 6; 0 for the text before the first heading.
        title: The heading's words.
        text: What stands below it, stripped of blank lines around.
        line: The line of the heading in the file, from 1.
        first_line: The line on which `text` starts.
    """

    level: int
    title: str
    text: str
    line: int
    first_line: int


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """A file split at its front matter.

    Attributes:
        yaml: The lines between the two `---` lines.
        yaml_line: The line of the file on which `yaml` starts.
        body: What follows.
        body_line: The line of the file on which `body` starts.
    """

    yaml: str
    yaml_line: int
    body: str
    body_line: int


def split_front_matter(text: str, shown: str) -> FrontMatter:
    """Split a Markdown file at its front matter, whose two `---` stand alone on their lines.

    Raises:
        DocumentError: There is no front matter, or it is not closed.
    """
    lines = text.removeprefix("\ufeff").split("\n")
    if lines[0].rstrip() != "---":
        raise DocumentError(
            shown, 1, "front-matter", "does not start with a line `---`", "start with YAML front matter"
        )
    for number, line in enumerate(lines[1:], start=2):
        if line.rstrip() == "---":
            return FrontMatter("\n".join(lines[1 : number - 1]) + "\n", 2, "\n".join(lines[number:]), number + 1)
    raise DocumentError(shown, 1, "front-matter", "is not closed by a second line `---`", "close the front matter")


def split_sections(body: str, first_line: int) -> tuple[Section, ...]:
    """Split a Markdown body at its headings; a `#` inside a fenced block is no heading.

    Args:
        body: Markdown.
        first_line: The line of the file on which `body` starts.
    """
    sections: list[Section] = []
    level, title, start, collected = 0, "", first_line, list[str]()
    fence = ""
    for number, line in enumerate(body.split("\n"), start=first_line):
        fence = _fence_after(line, fence)
        # Without white space at its end a line is matched in one pass, however long it is.
        heading = _HEADING.match(line.rstrip()) if not fence else None
        if heading is None:
            collected.append(line)
            continue
        sections.append(_section(level, title, start, collected))
        level, title, start, collected = len(heading[1]), _CLOSING.sub("", heading[2]).rstrip(), number, []
    sections.append(_section(level, title, start, collected))
    return tuple(section for section in sections if section.level or section.text)


def _fence_after(line: str, fence: str) -> str:
    mark = _FENCE.match(line)
    if mark is None:
        return fence
    if not fence:
        return mark[1]
    return "" if mark[1].startswith(fence) and not line.strip().strip(fence[0]) else fence


def _section(level: int, title: str, line: int, collected: list[str]) -> Section:
    blank = next((index for index, each in enumerate(collected) if each.strip()), 0)
    return Section(level, title, "\n".join(collected).strip(), line, line + (1 if level else 0) + blank)
