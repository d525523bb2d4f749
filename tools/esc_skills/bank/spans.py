"""Spans: the named parts of a skill's file that can change alone. Put one after the other they are the file, line for line.

They are cut where the reader of skills cuts: a line in a fenced block or a quoted key is to both what it is to one.
"""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from esc_skills.documents.frontmatter import FrontMatter, split_front_matter, split_sections
from esc_skills.documents.yaml import parse_yaml
from esc_skills.errors import DocumentError

#: What follows from the rest of the file: every change raises the version.
DERIVED = frozenset({"version"})
#: What stands between the front matter and the first section: the title and a line of words.
TITLE = "title"
_START = "start"


def split_spans(text: str, shown: str) -> dict[str, str]:
    """Return the spans of a file by name, in their order.

    Names are those of front matter keys, such as `license` or, of the metadata, `esc-needs`; `title`; and sections of the second
    level in small letters, such as `when to use`, after the word `section` where a key has the same name. What stands under a name for a second time belongs to its first.

    Args:
        text: The file.
        shown: What it is called.

    Raises:
        DocumentError: It has no front matter that can be read.
    """
    front = split_front_matter(text, shown)
    names: dict[int, str] = {1: _START, front.body_line: TITLE}
    keys = {TITLE}
    for number, key in _keys(front, shown):
        keys.add(key)
        # Several keys in one line cannot change alone, and no part has their common name.
        names[number] = f"{names[number]}, {key}" if number in names else key
    for section in split_sections(front.body, front.body_line):
        if section.level == 2:
            title = section.title.lower()
            names[section.line] = f"section {title}" if title in keys else title
    spans: dict[str, list[str]] = {}
    name = _START
    for at, line in enumerate(text.split("\n"), start=1):
        name = names.get(at, name)
        spans.setdefault(name, []).append(f"{line}\n")
    return {name: "".join(lines) for name, lines in spans.items()}


def changed_spans(before: str, after: str, shown: str) -> frozenset[str]:
    """Return the names of the spans that differ between two files, and of those that stand in another order.

    Raises:
        DocumentError: One of them has no front matter that can be read.
    """
    one, other = split_spans(before, shown), split_spans(after, shown)
    differing = {name for name in {**one, **other} if one.get(name) != other.get(name)}
    kept, now = ([name for name in each if name in one and name in other] for each in (one, other))
    return frozenset(differing | {name for name, moved in zip(kept, now, strict=True) if name != moved})


def _keys(front: FrontMatter, shown: str) -> Iterator[tuple[int, str]]:
    """Yield the keys of the front matter and of its metadata, each with its line in the file."""
    parse_yaml(front.yaml, shown, first_line=front.yaml_line)
    if len(front.yaml.splitlines()) != front.yaml.count("\n"):
        raise DocumentError(
            shown, front.yaml_line, "line-break", "a line ends in a mark that only YAML knows", "use \\n"
        )
    root = yaml.compose(front.yaml, Loader=yaml.CSafeLoader)
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    own = {key.value for key, _ in pairs}
    for key, value in pairs:
        yield front.yaml_line + key.start_mark.line, key.value
        if key.value == "metadata" and isinstance(value, yaml.MappingNode):
            for each, _ in value.value:
                name = f"metadata {each.value}" if each.value in own else each.value
                yield front.yaml_line + each.start_mark.line, name
