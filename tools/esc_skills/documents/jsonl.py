"""JSON and JSON Lines, read strictly: no repeated keys, no NaN, no numbers beyond reason; canonical when written."""

from __future__ import annotations

import hashlib
import json
import re
import struct
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from esc_skills.errors import DocumentError

#: A line holds one episode or one call; the largest published episode has 60 kB.
MAX_LINE_CHARACTERS = 4_000_000
_MAX_DIGITS = 30
#: How much is unpacked at a time.
_PART = 1 << 20
#: A run writes a hundred thousand texts; `json.dumps` would make an encoder for each.
_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
#: Deflate at its best, from an unknown system, without name, comment or time.
_GZIP_HEADER = b"\x1f\x8b\x08\0\0\0\0\0\x02\xff"
_HALF_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        repeated = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the key {repeated!r} occurs twice")
    return result


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


def _float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"the number {digits[:20]} is too large")
    return number


_HOOKS: dict[str, Any] = {
    "object_pairs_hook": _without_repeats,
    "parse_constant": _refuse_constant,
    "parse_int": _integer,
    "parse_float": _float,
}
_DECODER, _LENIENT = json.JSONDecoder(**_HOOKS), json.JSONDecoder(**_HOOKS, strict=False)


def parse_json(text: str, shown: str, line: int = 1, *, strict: bool = True) -> Any:
    """Return the value of a JSON text.

    Args:
        text: The text.
        shown: Its name for messages.
        line: The line that it begins in.
        strict: Whether a line end or another control character within a text is refused.

    Raises:
        DocumentError: It is no strict JSON: the message says what and the line where.
    """
    try:
        value = (_DECODER if strict else _LENIENT).decode(text)
        if _HALF_CHARACTER.search(text):
            canonical_json(value).encode()  # half of a surrogate pair could be read, and never be written again
        return value
    except json.JSONDecodeError as error:
        raise DocumentError(
            shown,
            line + error.lineno - 1,
            "json-syntax",
            f"{error.msg.removesuffix(' at')} at column {error.colno}",
            "JSON is asked for here",
        ) from error
    except RecursionError as error:  # its words differ from one Python to the next
        raise DocumentError(shown, line, "json-value", "is nested too deeply") from error
    except ValueError as error:
        raise DocumentError(shown, line, "json-value", str(error)) from error


def parse_json_lines(text: str, shown: str) -> Iterator[tuple[int, Any]]:
    """Yield the line number and value of each non-empty line.

    Lines end at LF alone: published files hold U+2028, at which `str.splitlines` would cut an episode in two.

    Raises:
        DocumentError: A line is too long or no strict JSON.
    """
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) > MAX_LINE_CHARACTERS:
            raise DocumentError(shown, number, "too-large", f"a line of {len(line):,} characters")
        if line.strip():
            yield number, parse_json(line, shown, number)


def canonical_json(value: Any) -> str:
    """Return the one JSON text of a value: sorted keys, no spaces, no escapes beyond need, no NaN."""
    return _CANONICAL.encode(value)


def json_lines(values: Iterable[Any]) -> str:
    """Return values as canonical JSON Lines, each line ended by LF."""
    return "".join(canonical_json(value) + "\n" for value in values)


def digest(data: bytes | str) -> str:
    """Return `sha256:<hex>` of bytes, or of a text's UTF-8."""
    content = data.encode("utf-8") if isinstance(data, str) else data
    return "sha256:" + hashlib.sha256(content).hexdigest()


def digest_json(value: Any) -> str:
    """Return the digest of a value's canonical JSON."""
    return digest(canonical_json(value))


def compress(text: str) -> bytes:
    """Return text as gzip without time or name, so that equal texts give equal bytes with the same zlib."""
    return b"".join(compress_parts([text.encode("utf-8")]))


def compress_parts(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the gzip of bytes that come in parts; how they are parted does not change a byte."""
    stream = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    checksum = size = 0
    yield _GZIP_HEADER
    for part in parts:
        checksum, size = zlib.crc32(part, checksum), size + len(part)
        yield stream.compress(part)
    yield stream.flush()
    yield struct.pack("<LL", checksum, size & 0xFFFFFFFF)


def decompress_lines(data: bytes, shown: str, limit: int) -> Iterator[bytes]:
    """Yield the lines of one gzip member of at most `limit` bytes, without their ends, as they are unpacked.

    Raises:
        DocumentError: As `decompress`; or a line is empty or too long, or the last one has no end.
    """
    stream, rest, size, number = zlib.decompressobj(wbits=31), b"", 0, 0
    while not stream.eof:
        try:
            part = stream.decompress(data, _PART)
        except zlib.error as error:
            raise DocumentError(shown, 0, "gzip", f"is damaged: {error}") from error
        data, size = stream.unconsumed_tail, size + len(part)
        if size > limit:
            raise DocumentError(shown, 0, "too-large", f"unpacks to more than {limit:,} bytes")
        if not part and not data and not stream.eof:
            raise DocumentError(shown, 0, "gzip", "is cut short")
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            number += 1
            if not line.strip():
                raise DocumentError(shown, number, "json-syntax", "is an empty line")
            yield line
        if len(rest) > 4 * MAX_LINE_CHARACTERS:
            raise DocumentError(shown, number + 1, "too-large", f"a line of more than {len(rest):,} bytes")
    if rest:
        raise DocumentError(shown, number + 1, "json-syntax", "the last line has no end")
    if stream.unused_data:
        raise DocumentError(shown, 0, "gzip", "is followed by other bytes")


def decompress(data: bytes, shown: str, limit: int) -> bytes:
    """Return the content of one gzip member of at most `limit` bytes.

    Raises:
        DocumentError: It is damaged, larger, truncated, or followed by other bytes.
    """
    stream = zlib.decompressobj(wbits=31)
    try:
        content = stream.decompress(data, limit + 1)
    except zlib.error as error:
        raise DocumentError(shown, 0, "gzip", f"is damaged: {error}") from error
    if len(content) > limit:
        raise DocumentError(shown, 0, "too-large", f"unpacks to more than {limit:,} bytes")
    if not stream.eof or stream.unused_data:
        raise DocumentError(shown, 0, "gzip", "is cut short" if not stream.eof else "is followed by other bytes")
    return content
