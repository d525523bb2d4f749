"""Files of dialogues: read strictly and one line at a time, whatever their size, and written so that they can be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from esc_skills.corpora.dialogue import Dialogue, dialogue_of
from esc_skills.corpora.streams import MAX_PIECE, read_parts, split_lines
from esc_skills.corpora.values import decode_piece
from esc_skills.documents.findings import Finding
from esc_skills.documents.jsonl import canonical_json, parse_json
from esc_skills.documents.schema import check_schema
from esc_skills.errors import DocumentError

_HINT = "make it with `esc-skills corpus import`"


Progress = Callable[[int], None]


def read_records(path: Path, schema: str, hint: str, progress: Progress = lambda _: None) -> Iterator[tuple[int, Any]]:
    """Yield the line and the value of each record of a JSON Lines file that keeps to a schema.

    Args:
        path: The file.
        schema: The schema's name, such as `dialogue`.
        hint: How such a file is made.
        progress: Told after each part how many bytes of the file were read since the last call.

    Raises:
        DocumentError: The file cannot be read, holds no record, or has a line that departs from the schema; the message
            names the line.
    """
    shown, found = str(path), False
    for piece in split_lines(read_parts(path, progress), shown):
        if isinstance(piece, Finding):
            raise DocumentError(shown, piece.line, piece.code, piece.message)
        if not piece.data.strip():
            continue
        value = parse_json(decode_piece(piece, shown), shown, piece.line)
        for finding in check_schema(value, schema, shown):
            message = f"{finding.message} ({finding.pointer or 'the whole line'})"
            raise DocumentError(shown, piece.line, finding.code, message, hint)
        found = True
        yield piece.line, value
    if not found:
        raise DocumentError(shown, 0, "empty", f"holds no {schema}", hint)


def read_dialogues(path: Path, progress: Progress = lambda _: None) -> Iterator[Dialogue]:
    """Yield the dialogues of a file that `corpus import` wrote.

    Raises:
        DocumentError: As `read_records`.
    """
    for _, value in read_records(path, "dialogue", _HINT, progress):
        yield dialogue_of(value)


def line_of(dialogue: Dialogue) -> bytes:
    """Return a dialogue as the line that `read_dialogues` reads.

    Raises:
        DocumentError: It departs from the schema, or is longer than a line may be.
    """
    content = dialogue.as_json()
    for finding in check_schema(content, "dialogue", dialogue.id):
        raise DocumentError(dialogue.id, 0, finding.code, f"{finding.message} ({finding.pointer})")
    line = canonical_json(content).encode() + b"\n"
    if len(line) > MAX_PIECE:
        raise DocumentError(dialogue.id, 0, "too-large", f"would be a line of {len(line):,} bytes")
    return line
