"""Formats: the forms of corpora by name, each with how its file is parted into dialogues and how one is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from esc_skills.corpora import chatlogs, esconv, extes, sage
from esc_skills.corpora.columns import ANNOMI, FIELDS, REQUIRED, Mapped
from esc_skills.corpora.dialogue import Dialogue, Quality
from esc_skills.corpora.forms import Place
from esc_skills.corpora.streams import starts_a_list
from esc_skills.corpora.table import Table
from esc_skills.corpora.values import Value, read_values
from esc_skills.documents.findings import Finding
from esc_skills.documents.schema import suggest
from esc_skills.errors import DocumentError, InputError
from esc_skills.vocabulary import Speaker

#: How many values at the head of a file may be unreadable before it is taken for one of another kind.
_UNREADABLE = 20


@dataclass(frozen=True, slots=True)
class Format:
    """One form.

    Attributes:
        name: As `--from` has it.
        corpus: The corpus that is published in it; empty where many are.
        values: Parts the bytes of a file into the values of dialogues, and raises DocumentError where it is no such file.
        read: Returns the dialogue of a value, or raises BadDialogueError.
    """

    name: str
    corpus: str
    values: Callable[[Iterable[bytes], str], Iterator[Value | Finding]]
    read: Callable[[Any, Place], Dialogue]


def _has(value: Any, *keys: str) -> bool:
    return isinstance(value, dict) and all(key in value for key in keys)


#: By which keys each form of JSON is known, the narrower forms first.
_MARKS: dict[str, Callable[[Any], bool]] = {
    "esconv": lambda value: _has(value, "dialog") and esconv.quality_of(value) is not Quality.FAILED,
    "failed-esconv": lambda value: esconv.quality_of(value) is Quality.FAILED,
    "sage": lambda value: _has(value, "history", "emo_point"),
    "extes": lambda value: _has(value, "content", "scene") or _has(value, "content", "description"),
    "openai": lambda value: _has(value, "messages"),
    "sharegpt": lambda value: _has(value, "conversations"),
    "esc-eval": lambda value: _has(value, "base", "res"),
}
_READERS = {
    "esconv": ("ESConv", esconv.read_dialogue),
    "failed-esconv": ("FailedESConv", esconv.read_dialogue),
    "sage": ("SAGE", sage.read_dialogue),
    "extes": ("ExTES", extes.read_dialogue),
    "openai": ("", chatlogs.read_openai),
    "sharegpt": ("", chatlogs.read_sharegpt),
}
#: As the help shows them. Role cards are seekers and no dialogues, which is said where they are asked for.
NAMES = ("esconv", "failed-esconv", "annomi", "sage", "extes", "esc-eval", "openai", "sharegpt", "csv")


def find_format(name: str) -> Format:
    """Return a form of JSON, or AnnoMI's, by its name.

    Raises:
        InputError: It holds no dialogues, or needs more than its name.
    """
    if name == "esc-eval":
        hint = "import them with `esc-skills profiles import esc-eval FILE`"
        raise InputError("--from esc-eval: role cards are seeker profiles and no dialogues", hint)
    if name == "annomi":
        return Format("annomi", "AnnoMI", _rows_of(ANNOMI, "annomi"), ANNOMI.read)
    corpus, read = _READERS[name]
    return Format(name, corpus, lambda parts, shown: _json_values(name, parts, shown), read)


def csv_format(columns: dict[str, str], seeker: str, supporter: str) -> Format:
    """Return the form of a table whose columns a person names.

    Args:
        columns: The column of each field; dialogue, speaker and text are needed.
        seeker: What the speaker's column says of the seeker.
        supporter: The same of the supporter.

    Raises:
        InputError: A field is unknown or missing, or both speakers have one name.
    """
    for field in columns:
        if field not in FIELDS:
            raise InputError(
                f"--column {field}: no field has that name{suggest(field, list(FIELDS))}",
                f"fields: {', '.join(FIELDS)}",
            )
    missing = [field for field in REQUIRED if field not in columns]
    if missing:
        raise InputError(f"no column is named for {', '.join(missing)}", f"add --column {missing[0]}=COLUMN")
    if not seeker or not supporter or seeker == supporter:
        raise InputError(
            "a table needs to know who is who", "add --seeker and --supporter with the values of the speaker's column"
        )
    mapped = Mapped(columns, {seeker: Speaker.SEEKER, supporter: Speaker.SUPPORTER}, labels={})
    return Format("csv", "", _rows_of(mapped, "csv"), mapped.read)


def _rows_of(mapped: Mapped, name: str) -> Callable[[Iterable[bytes], str], Iterator[Value | Finding]]:
    def values(parts: Iterable[bytes], shown: str) -> Iterator[Value | Finding]:
        table = Table(parts, shown)
        wanted = [*mapped.columns.values(), *([mapped.unique] if mapped.unique else [])]
        if missing := [column for column in wanted if column not in table.columns]:
            found = ", ".join(table.columns)[:300]
            message = f"has no column {', '.join(map(repr, missing))}; its columns are {found}"
            raise DocumentError(shown, 1, "format", message, _table_hint(name, found))
        yield from table.dialogues(mapped.columns["dialogue"])

    return values


def _table_hint(name: str, header: str) -> str:
    if starts_a_list(header.encode()) or header.lstrip().startswith("{"):
        return "it looks like JSON: name another format with --from"
    if name == "annomi":
        return "give AnnoMI-simple.csv as published, or name the columns with --from csv"
    return "name the columns as the header has them; commas part them"


def _json_values(name: str, parts: Iterable[bytes], shown: str) -> Iterator[Value | Finding]:
    """Yield the values of a file whose first readable one has the form.

    What comes before it is held, since a file of another kind has an unreadable value in each line.
    """
    held: list[Finding] | None = []
    for each in read_values(parts, shown):
        if held is None:
            yield each
        elif isinstance(each, Value):
            _require_form(name, each, shown)
            yield from held
            yield each
            held = None
        else:
            held.append(each)
            if len(held) > _UNREADABLE:
                break
    if held is not None:
        found = f"holds nothing that can be read as {name}"
        first = f": line {held[0].line}: {held[0].code}: {held[0].message}" if held else ": it is empty"
        raise DocumentError(shown, 0, "format", found + first, "name the format that it has with --from")


def _require_form(name: str, value: Value, shown: str) -> None:
    if _MARKS[name](value.content):
        return
    keys = ", ".join(list(map(str, value.content))[:12]) if isinstance(value.content, dict) else ""
    found = f"is no {name} file: its first value {f'has the keys {keys[:200]}' if keys else 'is no object'}"
    raise DocumentError(shown, value.line, "format", found, _looks_like(value.content))


def _looks_like(value: Any) -> str:
    if _has(value, "utterances", "corpus"):
        return "it looks like dialogues that were imported before; they need no import"
    if _has(value, "first_talk"):
        return "it looks like SAGE's profiles: esc-skills profiles import sage FILE"
    found = next((name for name, is_of in _MARKS.items() if is_of(value)), None)
    return f"it looks like {found}: --from {found}" if found else f"the formats are {', '.join(NAMES)}"
