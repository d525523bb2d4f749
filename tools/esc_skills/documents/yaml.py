"""YAML, read strictly: one document, no aliases, no tags, no repeated keys, with the line of every value.

The values are built from the parser's events, so an alias is refused before it is ever expanded and each JSON pointer
knows the line that it came from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from esc_skills.errors import DocumentError

MAX_DEPTH = 20
#: A longer number is a mistake or an attack: base 60 takes quadratic time, and a huge integer cannot be shown.
_MAX_NUMBER = 40
_NUMBERS = frozenset({"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"})


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """A parsed document.

    Attributes:
        value: Mappings, lists and scalars.
        lines: The line (from 1) on which the value at each JSON pointer starts; the root's pointer is the empty string.
        quoted: The pointers of scalars that are written in quotes or as a block.
        flow: The pointers of collections written in flow style, `[a, b]` or `{a: b}`.
    """

    value: Any
    lines: dict[str, int] = field(default_factory=dict)
    quoted: frozenset[str] = frozenset()
    flow: frozenset[str] = frozenset()


def escape_pointer(key: str) -> str:
    """Return one step of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


class _Builder:
    """Builds values from events; one per document."""

    def __init__(self, text: str, shown: str, first_line: int, as_text: bool) -> None:
        self.loader = yaml.CSafeLoader(text)
        self.shown = shown
        self.first_line = first_line
        self.as_text = as_text
        self.lines: dict[str, int] = {}
        self.quoted: set[str] = set()
        self.flow: set[str] = set()

    def next_event(self) -> Any:
        # The parser's events are C objects whose stubs differ from one release of the types to the next.
        return self.loader.get_event()

    def line_of(self, event: Any) -> int:
        return int(event.start_mark.line) + self.first_line

    def refuse(self, event: Any, code: str, message: str, hint: str) -> DocumentError:
        return DocumentError(self.shown, self.line_of(event), code, message, hint)

    def document(self) -> Any:
        self.next_event()
        start = self.next_event()
        if isinstance(start, yaml.StreamEndEvent):
            return None
        value = self.node(self.next_event(), "", 0)
        self.next_event()
        rest = self.next_event()
        if not isinstance(rest, yaml.StreamEndEvent):
            raise self.refuse(rest, "yaml-documents", "a second YAML document starts", "keep one document in the file")
        return value

    def require_plain(self, event: Any) -> None:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise self.refuse(event, "yaml-alias", "anchors and aliases are not allowed", "write the value out")
        tag = getattr(event, "tag", None)
        if tag is not None and tag != "!":
            raise self.refuse(event, "yaml-tag", f"the tag {tag} is not allowed", "remove the tag")

    def node(self, event: Any, pointer: str, depth: int) -> Any:
        self.require_plain(event)
        if depth > MAX_DEPTH:
            raise self.refuse(event, "yaml-depth", f"is nested deeper than {MAX_DEPTH} levels", "flatten it")
        self.lines[pointer] = self.line_of(event)
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event, pointer)
        if event.flow_style:
            self.flow.add(pointer)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(pointer, depth)
        return self.mapping(pointer, depth)

    def scalar(self, event: Any, pointer: str) -> Any:
        if event.style:
            self.quoted.add(pointer)
        if self.as_text or event.style:
            return event.value
        tag = self.loader.resolve(yaml.ScalarNode, event.value, (True, False))  # type: ignore[no-untyped-call]
        if tag in _NUMBERS and len(event.value) > _MAX_NUMBER:
            raise self.refuse(
                event, "yaml-value", f"a number of {len(event.value):,} characters", "put the value in quotes"
            )
        try:
            return self.loader.construct_object(yaml.ScalarNode(tag, event.value, event.start_mark, event.end_mark))
        except (ValueError, OverflowError) as error:
            raise self.refuse(
                event, "yaml-value", f"{event.value[:40]!r}: {error}", "put the value in quotes"
            ) from error

    def sequence(self, pointer: str, depth: int) -> list[Any]:
        values: list[Any] = []
        while not isinstance(event := self.next_event(), yaml.SequenceEndEvent):
            values.append(self.node(event, f"{pointer}/{len(values)}", depth + 1))
        return values

    def mapping(self, pointer: str, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(event := self.next_event(), yaml.MappingEndEvent):
            self.require_plain(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise self.refuse(event, "yaml-key", "a key is not plain text", "use a plain word as the key")
            key = event.value
            if key == "<<" and not event.style:
                raise self.refuse(event, "yaml-key", "merge keys are not allowed", "write the keys out")
            if key in values:
                raise self.refuse(event, "yaml-repeated-key", f"the key {key!r} occurs twice", "remove one of them")
            values[key] = self.node(self.next_event(), f"{pointer}/{escape_pointer(key)}", depth + 1)
        return values


def parse_yaml(text: str, shown: str, *, first_line: int = 1, as_text: bool = False) -> YamlDocument:
    """Parse one YAML document.

    Args:
        text: The YAML.
        shown: The file's name for messages.
        first_line: The line of the file on which `text` starts.
        as_text: Keep every scalar as it is written instead of reading numbers, dates and booleans.

    Raises:
        DocumentError: It is no YAML, or uses what is not allowed here; the line is that of the place.
    """
    builder = _Builder(text, shown, first_line, as_text)
    try:
        value = builder.document()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        line = int(mark.line) + first_line if mark is not None else first_line
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error).partition("\n")[0]
        hint = "put values that hold a colon or start with a special character in quotes"
        raise DocumentError(shown, line, "yaml-syntax", str(problem), hint) from error
    finally:
        builder.loader.dispose()
    return YamlDocument(value, builder.lines, frozenset(builder.quoted), frozenset(builder.flow))
