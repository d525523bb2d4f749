"""Streams: a file in parts of bounded size, parted into lines or into the elements of one JSON list.

Corpora are as large as people make them and come from strangers: a file is never held whole, and neither is a line or an
element beyond the limit, which is passed over and reported with its line.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

from esc_skills.documents.findings import Finding, Severity
from esc_skills.documents.jsonl import MAX_LINE_CHARACTERS
from esc_skills.errors import DocumentError

#: The largest line or element, in bytes.
MAX_PIECE = MAX_LINE_CHARACTERS
_PART = 1 << 20
_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
# Whatever holds no bracket outside texts. Possessive quantifiers would say so more plainly, and match wrongly before Python
# 3.11.5; here no repetition can give back what another would take, so the time follows from the length all the same.
_PLAIN, _SAID = rb'[^"\[\]{}]*', rb'[^"\\]*(?:\\.[^"\\]*)*'
_OUTSIDE = re.compile(_PLAIN + rb'(?:"' + _SAID + rb'"' + _PLAIN + rb")*", re.DOTALL)
_IN_STRING = re.compile(_SAID, re.DOTALL)
_QUOTE, _OPENING, _BACKSLASH = ord('"'), b"[{", ord("\\")


class Piece(NamedTuple):
    """A line or an element, with the line of the file that it begins in."""

    line: int
    data: bytes


def read_parts(path: Path, progress: Callable[[int], None] = lambda _: None) -> Iterator[bytes]:
    """Yield the bytes of a file, unpacked where it is gzip's, without the mark that some editors put before UTF-8.

    Args:
        path: A regular file.
        progress: Told after each part how many bytes of the file were read since the last call.

    Raises:
        DocumentError: It is no regular file, cannot be read, is damaged gzip, or is UTF-16.
    """
    shown = str(path)
    if not path.is_file():
        raise DocumentError(shown, 0, "not-a-file", "is no regular file", "check the path")
    try:
        with path.open("rb") as file:
            head = file.read(4)
            file.seek(0)
            yield from _parts_of(file, head, shown, progress)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DocumentError(shown, 0, "gzip", f"is damaged: {error}", "fetch it again") from error
    except OSError as error:
        raise DocumentError(shown, 0, "unreadable", error.strerror or str(error), "check the path") from error


def _parts_of(file: IO[bytes], head: bytes, shown: str, progress: Callable[[int], None]) -> Iterator[bytes]:
    unpacked: IO[bytes] | gzip.GzipFile = gzip.GzipFile(fileobj=file) if head.startswith(b"\x1f\x8b") else file
    first, read = True, 0
    while part := unpacked.read(_PART):
        if first:
            _require_utf8(part[:4], shown)
            part = part.removeprefix(_BOM)
            first = False
        yield part
        progress(file.tell() - read)
        read = file.tell()


def _require_utf8(head: bytes, shown: str) -> None:
    if head.startswith(_UTF16) or b"\0" in head:
        hint = f"turn it into UTF-8: iconv -f UTF-16 -t UTF-8 {shown}"
        raise DocumentError(shown, 1, "encoding", "is UTF-16, or no text at all", hint)


def starts_a_list(part: bytes) -> bool:
    """Whether the first part of a file begins a JSON list, rather than JSON Lines."""
    return part.lstrip()[:1] == b"["


def split_lines(parts: Iterable[bytes], shown: str, limit: int = MAX_PIECE) -> Iterator[Piece | Finding]:
    """Yield the lines of a file, without their ends; they end at LF alone, as published files hold U+2028.

    A line of more than `limit` bytes is yielded as a finding, and never held.
    """
    number, rest, lost = 1, b"", 0
    for part in parts:
        if lost:
            end = part.find(b"\n")
            lost += len(part) if end < 0 else end
            if end < 0:
                continue
            yield _too_large(shown, number, lost, limit)
            number, lost = number + 1, 0
            *lines, rest = part[end + 1 :].split(b"\n")
        else:
            *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            yield Piece(number, line) if len(line) <= limit else _too_large(shown, number, len(line), limit)
            number += 1
        if len(rest) > limit:
            lost, rest = len(rest), b""
    if lost:
        yield _too_large(shown, number, lost, limit)
    elif rest:
        yield Piece(number, rest)


def split_list(parts: Iterable[bytes], shown: str, limit: int = MAX_PIECE) -> Iterator[Piece | Finding]:
    """Yield the lists and objects that one JSON list holds, and a finding for whatever else it holds.

    An element of more than `limit` bytes is yielded as a finding, and never held; so is one that the file's end cuts.
    """
    splitter = _ListSplitter(shown, limit)
    for part in parts:
        yield from splitter.feed(part)
    yield from splitter.finish()


class _ListSplitter:
    """Keeps brackets apart from what texts hold; whether an element is JSON at all, its parser says."""

    def __init__(self, shown: str, limit: int) -> None:
        self._shown, self._limit = shown, limit
        self._buffer = b""
        self._begin = 0  # where the element or gap begins that is not yielded yet
        self._at = 0  # how far brackets are counted
        self._line = 1  # of `_begin`
        self._from = 1  # the line that the element began in
        self._lost = 0  # how many bytes of it were not held
        self._depth, self._in_text, self._before, self._closed = 0, False, b"", False

    def feed(self, part: bytes) -> Iterator[Piece | Finding]:
        """Yield what ends in this part."""
        self._buffer = self._buffer[self._begin :] + part
        self._at -= self._begin
        self._begin = 0
        while self._next_mark():
            if self._buffer[self._at] in _OPENING:
                if self._depth <= 1:
                    yield from self._end_gap()
                self._depth += 1
                self._at += 1
                if self._depth == 1:
                    self._advance()
            else:
                self._depth -= 1
                if self._depth == 0:
                    yield from self._end_gap()
                    self._closed = True
                self._at += 1
                if self._depth <= 1:
                    yield from self._end_element()
        if self._closed:
            self._pass_over_rest()
        elif self._at - self._begin > self._limit:
            self._lost += self._at - self._begin
            self._advance()

    def finish(self) -> Iterator[Finding]:
        """Yield what the file's end leaves open."""
        size = self._lost + len(self._buffer) - self._begin
        if self._depth > 1:
            found = f"the dialogue that begins here has no end: the rest of the file, {size:,} bytes, is lost"
            yield _finding(self._shown, self._from, "cut-short", found)
        elif self._depth == 1:
            yield _finding(self._shown, self._line, "cut-short", "the list has no end: more may have followed")
        elif self._closed and self._lost:
            found = f"more stands after the list's end: the rest of the file, {self._lost:,} bytes, is lost"
            yield _finding(self._shown, self._line, "json-syntax", found)
        elif self._buffer[self._begin :].strip():
            yield self._odd(self._buffer[self._begin :])

    def _next_mark(self) -> bool:
        """Go to the next bracket outside texts, and say whether one is there yet."""
        while not self._closed and self._at < len(self._buffer):
            if self._in_text:
                self._at = _end(_IN_STRING, self._buffer, self._at)
                if self._at == len(self._buffer) or self._buffer[self._at] == _BACKSLASH:
                    return False
                self._in_text = False
                self._at += 1
                continue
            self._at = _end(_OUTSIDE, self._buffer, self._at)
            if self._at == len(self._buffer):
                return False
            if self._buffer[self._at] != _QUOTE:
                return True
            self._in_text = True
            self._at += 1
        return False

    def _pass_over_rest(self) -> None:
        """Count what stands after the list's end, from the first byte that is no blank."""
        if not self._lost:
            self._at = len(self._buffer) - len(self._buffer[self._begin :].lstrip())
            self._advance()
        self._lost += len(self._buffer) - self._begin
        self._begin = self._at = len(self._buffer)

    def _advance(self) -> None:
        self._line += self._buffer.count(b"\n", self._begin, self._at)
        self._begin = self._at

    def _end_gap(self) -> Iterator[Finding]:
        """Yield a finding where what stands before an element, or before the list's end, is no comma."""
        gap = self._buffer[self._begin : self._at].strip()
        closing = self._depth == 0 and self._buffer[self._at] not in _OPENING
        if self._lost or gap != (b"" if closing else self._before):
            yield self._odd(gap)
        self._lost = 0
        self._advance()
        self._from = self._line
        self._before = b"," if self._depth else b""

    def _end_element(self) -> Iterator[Piece | Finding]:
        data, size = self._buffer[self._begin : self._at], self._lost + self._at - self._begin
        if self._depth == 1:
            big = size > self._limit
            yield _too_large(self._shown, self._from, size, self._limit) if big else Piece(self._from, data)
        self._lost = 0
        self._advance()

    def _odd(self, gap: bytes) -> Finding:
        found = gap[:40].decode("utf-8", "backslashreplace") or "nothing"
        return _finding(self._shown, self._line, "json-syntax", f"between dialogues stands {found!r}")


def _end(pattern: re.Pattern[bytes], data: bytes, at: int) -> int:
    match = pattern.match(data, at)
    return match.end() if match else at


def _too_large(shown: str, line: int, size: int, limit: int) -> Finding:
    return _finding(shown, line, "too-large", f"has {size:,} bytes; at most {limit:,} are read")


def _finding(shown: str, line: int, code: str, message: str) -> Finding:
    return Finding(shown, line, "", code, Severity.ERROR, message)
