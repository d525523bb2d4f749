"""Spans: the named parts of a bank's files that can change alone. Put one after the other they are the file, byte for byte.

They are cut where the reader of skills cuts: a line in a fenced block or a quoted key is to both what it is to one. A file that
cannot be read as a skill is one span, so no byte of any file is outside of all spans.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from pathlib import PurePosixPath

import yaml

from esc_skills.bank.skill import AVOID_TITLE, REFERENCE, SKILL_FILE
from esc_skills.documents.frontmatter import FrontMatter, split_front_matter, split_sections
from esc_skills.documents.jsonl import digest_json
from esc_skills.documents.yaml import parse_yaml
from esc_skills.errors import EscError

#: The part whose spans are the single examples.
EXAMPLES = "examples"
#: What stands between the front matter and the first section: the title and a line of words.
TITLE = "title"
#: The fence before the front matter, the one behind it, and the line above the keys of the metadata.
START, END, METADATA = "start", "front matter end", "metadata"
#: The span of a file that is no skill's, or cannot be read as one; and the order of the spans that two files share.
FILE, ORDER = "file", "order"


@dataclass(frozen=True, slots=True)
class Span:
    """A named part of a file.

    Attributes:
        part: What it belongs to: a key, `title`, a section in small letters, or `examples`; its name but for single examples.
        name: Unique in its file, such as `guidance` or `example “Read at four”`.
        text: Its text; bytes that are no UTF-8 stand in it as lone surrogates.
    """

    part: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class SpanChange:
    """A span that differs between two states of a bank.

    Attributes:
        path: The file, relative to the bank's folder.
        part: What it belongs to; see `Span`.
        name: Its name in the file after the change; before it where it was removed.
        before: Its text before; None where it was added.
        after: Its text after; None where it was removed.
    """

    path: str
    part: str
    name: str
    before: str | None
    after: str | None

    @property
    def skill(self) -> str:
        """The name of the skill's folder; the path itself where the file lies in no folder."""
        parts = [each for each in PurePosixPath(self.path).parent.parts if each != "references"]
        return parts[-1] if parts else self.path

    @property
    def label(self) -> str:
        """What it is called where several skills are spoken of; an example that takes another's place names both."""
        titles = [each.lstrip("\n").partition("\n")[0].strip("# ") for each in self._texts if each]
        if self.part == EXAMPLES and self.name != EXAMPLES and len(set(titles)) > 1:
            return f"{self.skill}: {self.name}, in place of {_example_name(_safe(titles[0]))}"
        return f"{self.skill}: {self.name}"

    @property
    def digest(self) -> str:
        """The digest of what changed, at which place: what an owner signs for."""
        texts = [None if each is None else each.encode("utf-8", "surrogateescape").hex() for each in self._texts]
        return digest_json([self.path, self.part, self.name, *texts])

    @property
    def _texts(self) -> tuple[str | None, str | None]:
        return self.before, self.after


def split_spans(path: str, data: bytes) -> tuple[Span, ...]:
    """Return the spans of a file, in their order; never fails, and their texts together are the file.

    Args:
        path: The file, relative to the bank's folder: it says whether a skill or a file of examples is expected.
        data: The file.
    """
    return _split(PurePosixPath(path).name, _is_reference(path), data)


@lru_cache(maxsize=512)
def _split(name: str, is_reference: bool, data: bytes) -> tuple[Span, ...]:
    text = data.decode("utf-8", "surrogateescape")
    if name != SKILL_FILE and not is_reference:
        return (Span(FILE, FILE, text),) if text else ()
    try:
        marks = _reference_marks(text) if is_reference else _skill_marks(text, name)
    except (EscError, yaml.YAMLError, UnicodeEncodeError):  # the last where bytes are no UTF-8
        return (Span(FILE, FILE, text),) if text else ()
    return tuple(_cut(text, marks))


def _is_reference(path: str) -> bool:
    return REFERENCE.fullmatch("/".join(PurePosixPath(path).parts[-2:])) is not None


def _cut(text: str, marks: Mapping[int, tuple[str, str]]) -> Iterator[Span]:
    """Yield the spans that start at marked lines; blank lines before a mark belong to what follows them."""
    lines = text.split("\n")
    starts = sorted(marks)
    firsts = [1]
    for before, start in zip([0, *starts], starts, strict=False):
        blank = takewhile(lambda at: not lines[at - 1].strip(), range(start - 1, before, -1))
        firsts.append(start - len(list(blank)))
    names = [marks[at] for at in starts]
    if starts and firsts[1] == 1:
        firsts = firsts[1:]
    else:
        names = [(START, START), *names]
    seen: dict[str, int] = {}
    for index, (part, name) in enumerate(names):
        begin, end = firsts[index] - 1, firsts[index + 1] - 1 if index + 1 < len(firsts) else len(lines)
        own = "\n".join(lines[begin:end]) + ("\n" if end < len(lines) else "")
        if not own:
            continue
        seen[name] = seen.get(name, 0) + 1
        yield Span(part, name if seen[name] == 1 else f"{name} ({seen[name]})", own)


def _skill_marks(text: str, shown: str) -> dict[int, tuple[str, str]]:
    """Return the part and the name of the span that starts at each line of a `SKILL.md`."""
    front = split_front_matter(text, shown)
    keys = dict(_keys(front, shown))
    names = {*keys.values(), TITLE}
    marks = {line: (name, name) for line, name in keys.items()}
    marks[front.body_line - 1] = (END, END)
    if front.body.strip():
        marks[front.body_line] = (TITLE, TITLE)
    inside = ""
    for section in split_sections(front.body, front.body_line):
        title = _safe(section.title)
        if section.level == 2:
            inside = f"section {title.lower()}" if title.lower() in names else title.lower()
            marks[section.line] = (inside, inside)
        elif section.level > 2 and inside == EXAMPLES:
            marks[section.line] = (EXAMPLES, _example_name(title))
    return marks


def _reference_marks(text: str) -> dict[int, tuple[str, str]]:
    marks = {1: (TITLE, TITLE)}
    for section in split_sections(text, 1):
        if section.level > 1:
            marks[section.line] = (EXAMPLES, _example_name(_safe(section.title)))
    return marks


def _safe(title: str) -> str:
    """Return a heading in characters that a name can be printed with."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in title)


def _example_name(title: str) -> str:
    avoid = title.startswith(AVOID_TITLE)
    return f"example {'to avoid ' if avoid else ''}“{title.removeprefix(AVOID_TITLE).strip()}”"


def _keys(front: FrontMatter, shown: str) -> Iterator[tuple[int, str]]:
    """Yield the keys of the front matter and of its metadata, each with its line; several keys in one line have one name."""
    parse_yaml(front.yaml, shown, first_line=front.yaml_line)
    if len(front.yaml.splitlines()) != front.yaml.count("\n"):
        raise yaml.YAMLError("a line ends in a mark that only YAML knows")
    root = yaml.compose(front.yaml, Loader=yaml.CSafeLoader)
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    own = {str(key.value) for key, _ in pairs}
    names: dict[int, str] = {}

    def put(line: int, name: str) -> None:
        names[line] = f"{names[line]}, {name}" if line in names else name

    for key, value in pairs:
        put(front.yaml_line + key.start_mark.line, str(key.value))
        if key.value == METADATA and isinstance(value, yaml.MappingNode):
            for each, _ in value.value:
                name = str(each.value)
                put(front.yaml_line + each.start_mark.line, f"{METADATA} {name}" if name in own else name)
    yield from ((line, _safe(name)) for line, name in names.items())


def compare_files(base: Mapping[str, bytes], head: Mapping[str, bytes]) -> tuple[SpanChange, ...]:
    """Return every span that differs between two states of a bank, by file and in the file's order.

    Every byte that differs stands in one of them.

    Args:
        base: Content by path relative to the bank's folder, before.
        head: The same after.
    """
    paths = sorted({*base, *head})
    return tuple(change for path in paths for change in _compare(path, base.get(path), head.get(path)))


def _compare(path: str, base: bytes | None, head: bytes | None) -> Iterator[SpanChange]:
    if base == head:
        return
    one, other = (split_spans(path, each or b"") for each in (base, head))
    before, after = ({each.name: each for each in spans} for spans in (one, other))
    gone = [each for each in one if each.name not in after]
    replaced = dict(_replaced(gone, [each for each in other if each.name not in before]))
    for span in other:
        old = before.get(span.name) or replaced.get(span.name)
        if old is None or old.text != span.text:
            yield SpanChange(path, span.part, span.name, old.text if old else None, span.text)
    taken = {each.name for each in replaced.values()}
    for span in gone:
        if span.name not in taken:
            yield SpanChange(path, span.part, span.name, span.text, None)
    kept, now = ([each.name for each in spans if each.name in before and each.name in after] for spans in (one, other))
    if kept != now:
        yield SpanChange(path, ORDER, ORDER, "\n".join(kept) + "\n", "\n".join(now) + "\n")


def _replaced(gone: Sequence[Span], come: Iterable[Span]) -> Iterator[tuple[str, Span]]:
    """Yield which example took whose place: a file that keeps the number of its examples had some replaced."""
    left = [each for each in gone if each.part == EXAMPLES]
    for span in come:
        kind = _is_avoid(span)
        if span.part == EXAMPLES and (old := next((each for each in left if _is_avoid(each) == kind), None)):
            left.remove(old)
            yield span.name, old


def _is_avoid(span: Span) -> bool:
    return span.name.startswith("example to avoid")


def without_change(files: Mapping[str, bytes], base: Mapping[str, bytes], change: SpanChange) -> dict[str, bytes]:
    """Return a state of a bank with one of its changed spans as it was before.

    Args:
        files: Content by path, after.
        base: The same before.
        change: One of `compare_files(base, files)`.
    """
    path = change.path
    if path not in files or path not in base:
        changed = {**files}
        changed.pop(path, None)
        return changed if path not in base else {**changed, path: base[path]}
    spans = [(each.name, each.text) for each in split_spans(path, files[path])]
    names = [name for name, _ in spans]
    if change.after is not None and change.name in names:
        at = names.index(change.name)
        spans[at : at + 1] = [] if change.before is None else [(change.name, change.before)]
    elif change.before is not None:
        order = [each.name for each in split_spans(path, base[path])]
        earlier = order[: order.index(change.name)]
        at = max((names.index(name) + 1 for name in earlier if name in names), default=0)
        spans.insert(at, (change.name, change.before))
    return {**files, path: "".join(text for _, text in spans).encode("utf-8", "surrogateescape")}


_WHITE = re.compile(r"\s+")


def substance(text: str | None) -> str:
    """Return a span's text with white space made one: what is left of a difference that is in white space alone is none."""
    return _WHITE.sub(" ", text or "").strip()
