"""Values: what a file holds, one after the other: the elements of a JSON list, or the lines of JSON Lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple

from esc_skills.corpora.streams import MAX_PIECE, Piece, split_lines, split_list, starts_a_list
from esc_skills.documents.findings import Finding, finding_of
from esc_skills.documents.jsonl import parse_json
from esc_skills.documents.text import decode
from esc_skills.errors import DocumentError

#: What begins with more blanks than this is taken for lines; to look further would hold a file of nothing else.
_MOST_BLANK = 1 << 16


class Value(NamedTuple):
    """One value of a file, with the line that it begins in."""

    line: int
    content: Any


def read_values(parts: Iterable[bytes], shown: str, limit: int = MAX_PIECE) -> Iterator[Value | Finding]:
    """Yield the values of a file of JSON, and a finding for each that cannot be read.

    Args:
        parts: The file's bytes, parted anyhow.
        shown: Its name for messages.
        limit: The largest value that is read, in bytes.
    """
    stream = iter(parts)
    head = b""
    for part in stream:
        head += part
        if head.strip() or len(head) > _MOST_BLANK:
            break
    split = split_list if starts_a_list(head) else split_lines
    for piece in split(chain([head], stream), shown, limit):
        if isinstance(piece, Finding):
            yield piece
        elif piece.data.strip():
            yield _parse(piece, shown)


def _parse(piece: Piece, shown: str) -> Value | Finding:
    try:
        return Value(piece.line, parse_json(decode_piece(piece, shown), shown, piece.line))
    except DocumentError as error:
        return finding_of(error)


def decode_piece(piece: Piece, shown: str) -> str:
    """Return a piece as text.

    Raises:
        DocumentError: It is no UTF-8, or holds a NUL; the line is that of the file.
    """
    try:
        return decode(piece.data, shown)
    except DocumentError as error:
        raise DocumentError(shown, piece.line + error.line - 1, error.code, error.detail, error.hint) from error
