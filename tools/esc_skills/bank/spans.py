"""Spans: the named parts of a skill's file that can change alone. Put one after the other they are the file, byte for byte."""

from __future__ import annotations

import re
from itertools import chain, count

#: What follows from the rest of the file: every change raises the version.
DERIVED = frozenset({"version"})
#: What stands between the front matter and the first section: the title and a line of words.
TITLE = "title"
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_KEY = re.compile(r"(?:  )?([A-Za-z][A-Za-z0-9_-]*):")
_SECTION = re.compile(r"## +(\S.*?) *$")


def split_spans(text: str) -> dict[str, str]:
    """Return the spans of a file by name, in their order.

    Names are those of front matter keys, such as `license` or, of the metadata, `esc-needs`; `title`; and sections in small
    letters, such as `when to use`. What stands under a name for a second time has a number: a file that repeats one is no
    skill, and nothing of it is lost.
    """
    spans: dict[str, str] = {}
    name, inside = "start", text.startswith("---\n")
    for number, line in enumerate(_LINE.findall(text)):
        bare = line.rstrip("\n")
        if inside and number and bare == "---":
            name, inside = TITLE, False
        elif inside and (mark := _KEY.match(line)):
            name = _free(spans, mark[1])
        elif not inside and (mark := _SECTION.fullmatch(bare)):
            name = _free(spans, mark[1].lower())
        spans[name] = spans.get(name, "") + line
    return spans


def changed_spans(before: str, after: str) -> list[str]:
    """Return the names of the spans that differ between two files."""
    one, other = split_spans(before), split_spans(after)
    return [name for name in {**one, **other} if one.get(name) != other.get(name)]


def _free(spans: dict[str, str], name: str) -> str:
    return next(each for each in chain([name], (f"{name} {at}" for at in count(2))) if each not in spans)
