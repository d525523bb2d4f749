"""The files of a proposal's evidence against those that were built again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from esc_skills.documents.jsonl import decompress, digest, parse_json
from esc_skills.documents.text import decode
from esc_skills.documents.yaml import escape_pointer
from esc_skills.errors import EscError
from esc_skills.evolution.evidence import CALLS, EPISODES, FILES, STATEMENT
from esc_skills.evolution.verification import invalid

_MAX_EPISODES = 500_000_000
#: Deflate, no name, no comment, no time: nothing can ride along in the header.
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00"


def compare_evidence(name: str, files: dict[str, bytes], rebuilt: dict[str, bytes]) -> None:
    """Raise at the first place where a file of the evidence differs from what was built again."""
    stated = parse_json(decode(files[STATEMENT], STATEMENT), STATEMENT)
    expected = parse_json(rebuilt[STATEMENT].decode(), STATEMENT)
    for file, key in ((EPISODES, "episodes"), (CALLS, "calls")):
        if file in rebuilt:
            own = digest(files[file])
            if stated["predicate"][key] is None or stated["predicate"][key]["file_digest"] != own:
                place = f"/predicate/{key}/file_digest of evidence/{name}/{STATEMENT}"
                detail = f"is not the file that {place} names; one of the two was edited"
                raise invalid(key, f"evidence/{name}/{file}: {detail}")
            # Another zlib may pack the same lines into other bytes, so what is compared is what they unpack to.
            expected["predicate"][key]["file_digest"] = own
    # The files before the statement, which holds no more than their digests: so the place is told at which they differ.
    for file in FILES:
        if file not in (STATEMENT, EPISODES):
            _compare_text(f"evidence/{name}/{file}", files[file], rebuilt[file])
    for file in (EPISODES, CALLS):
        if file in rebuilt:
            _compare_packed(f"evidence/{name}/{file}", files[file], rebuilt[file])
    for pointer, found, right in _value_differences(stated, expected, ""):
        raise invalid("statement", f"evidence/{name}/{STATEMENT}: {pointer} is {found!r} and should be {right!r}")


def _compare_packed(shown: str, found: bytes, rebuilt: bytes) -> None:
    right = decompress(rebuilt, shown, _MAX_EPISODES)
    if found[: len(_GZIP_HEADER)] != _GZIP_HEADER or len(found) > 2 * len(rebuilt):
        raise invalid("evidence", f"{shown}: is not packed as the tools pack it")
    try:
        content = decompress(found, shown, len(right))
    except EscError as error:
        raise invalid("evidence", error.message) from error
    _compare_text(shown, content, right)


def _compare_text(shown: str, found: bytes, right: bytes) -> None:
    if found != right:
        line = first_difference(found.decode("utf-8", "replace"), right.decode()) or 1
        raise invalid("evidence", f"{shown}:{line}: differs from what was built again")


def first_difference(found: str, right: str) -> int | None:
    """Return the first line that differs, from 1, or None."""
    if found == right:
        return None
    pairs = zip(found.split("\n"), right.split("\n"), strict=False)
    return next((line for line, (one, other) in enumerate(pairs, start=1) if one != other), found.count("\n") + 1)


def _value_differences(found: Any, right: Any, pointer: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(found, dict) and isinstance(right, dict):
        for key in sorted({*found, *right}):
            yield from _value_differences(found.get(key), right.get(key), f"{pointer}/{escape_pointer(key)}")
    elif isinstance(found, list) and isinstance(right, list) and len(found) == len(right):
        for index, (one, other) in enumerate(zip(found, right, strict=True)):
            yield from _value_differences(one, other, f"{pointer}/{index}")
    elif json.dumps(found) != json.dumps(right):
        yield pointer, found, right
