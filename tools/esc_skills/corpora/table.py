"""Tables: CSV, one row a message, gathered into the rows of a dialogue.

A quote that is never closed would make one cell of the rest of the file; `csv` gives up at 128 kB, and goes on after it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence

from esc_skills.corpora.streams import MAX_PIECE, split_lines
from esc_skills.corpora.values import Value, decode_piece
from esc_skills.documents.findings import Finding, Severity, finding_of
from esc_skills.errors import DocumentError

Row = dict[str, str]
#: What a row counts beside its characters, since it is held though it says nothing.
_ROW = 100


class _UnreadableLineError(Exception):
    """A line that `csv` must not see; it begins a new row after it."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


class _Lines:
    """The lines of a file for `csv`, which ends the row that it reads when one cannot be read."""

    def __init__(self, parts: Iterable[bytes], shown: str, limit: int) -> None:
        self._pieces, self._shown = split_lines(parts, shown, limit), shown
        self.number = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        piece = next(self._pieces)
        self.number = piece.line
        if isinstance(piece, Finding):
            raise _UnreadableLineError(piece)
        try:
            return decode_piece(piece, self._shown) + "\n"
        except DocumentError as error:
            raise _UnreadableLineError(finding_of(error)) from error


class Table:
    """A file of CSV with a header.

    Args:
        parts: The file's bytes.
        shown: Its name for messages.
        limit: The longest line that is read, in bytes, and the largest dialogue, in characters with 100 for each row.

    Attributes:
        columns: The names in the header.

    Raises:
        DocumentError: The header cannot be read, or names a column twice.
    """

    def __init__(self, parts: Iterable[bytes], shown: str, limit: int = MAX_PIECE) -> None:
        self._shown, self._limit = shown, limit
        self._lines = _Lines(parts, shown, limit)
        self._reader = csv.reader(self._lines, strict=True)
        header = next(self._rows(), None)
        if header is None or isinstance(header, Finding):
            found = header.message if header else "is empty"
            raise DocumentError(shown, 1, "csv", found, "the first line should name the columns")
        self.columns = tuple(header[1])
        if len(set(self.columns)) != len(self.columns):
            raise DocumentError(shown, 1, "csv", "the header names a column twice", "rename one of them")

    def dialogues(self, column: str) -> Iterator[Value | Finding]:
        """Yield the rows of each dialogue, those in a row that agree in a column, as one value.

        A dialogue that an unreadable row may belong to is yielded as a finding too, as a message of it may be missing.
        """
        rows: list[Row] = []
        begun = size = 0
        torn = lost = False  # whether a row of this dialogue may be lost; whether one is, since the last that is not
        for record in self._records():
            if isinstance(record, Finding):
                yield record
                torn = lost = True
                continue
            line, row = record
            if rows and row[column] != rows[0][column]:
                yield self._end_dialogue(rows, column, begun, size, torn)
                rows, size, torn = [], 0, lost
            begun = begun if rows else line
            size += _ROW + sum(map(len, row.values()))
            if size <= self._limit:
                rows.append(row)
            lost = False
        if rows:
            yield self._end_dialogue(rows, column, begun, size, torn)

    def _end_dialogue(self, rows: list[Row], column: str, begun: int, size: int, torn: bool) -> Value | Finding:
        name = f"the dialogue {rows[0][column][:60]!r}"
        if torn:
            return self._finding(begun, "torn", f"{name} may lack a row that cannot be read")
        if size > self._limit:
            return self._finding(
                begun, "too-large", f"{name} comes to {size:,} characters; at most {self._limit:,} are read"
            )
        return Value(begun, rows)

    def _records(self) -> Iterator[tuple[int, Row] | Finding]:
        for row in self._rows():
            if isinstance(row, Finding):
                yield row
            elif len(row[1]) != len(self.columns):
                found = f"has {len(row[1])} columns where the header has {len(self.columns)}"
                yield self._finding(row[0], "csv", found)
            else:
                yield row[0], dict(zip(self.columns, row[1], strict=True))

    def _rows(self) -> Iterator[tuple[int, Sequence[str]] | Finding]:
        while True:
            line = self._lines.number + 1
            try:
                row = next(self._reader)
            except StopIteration:
                return
            except _UnreadableLineError as error:
                yield error.finding
            except csv.Error as error:
                last = self._lines.number
                lines = f"; lines {line} to {last} are lost" if last > line else ""
                yield self._finding(line, "csv", f"{error}{lines}")
            else:
                if row:
                    yield line, row

    def _finding(self, line: int, code: str, message: str) -> Finding:
        return Finding(self._shown, line, "", code, Severity.ERROR, message)
