"""The files of a proposal's evidence against those that were built again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

from esc_skills.documents.jsonl import decompress, digest, parse_json
from esc_skills.documents.schema import check_schema
from esc_skills.documents.text import decode
from esc_skills.documents.yaml import escape_pointer
from esc_skills.errors import EscError
from esc_skills.evidence.files import CALLS, EPISODES, PLAN, REVIEW, STATEMENT
from esc_skills.evidence.verification import invalid

_MAX_EPISODES = 500_000_000
#: Honest files unpack to what is rebuilt; what departs is read up to this many times that, so that its line can be named.
_MOST_UNPACKED = 2
#: Deflate, no name, no comment, no time: nothing can ride along in the header.
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00"
#: How much of a text is told, and how much of it stands before the first difference.
_TOLD, _BEFORE = 100, 20
#: Stands for a value that one side does not have; null is a value.
_ABSENT = object()


def compare_evidence(name: str, files: dict[str, bytes], rebuilt: dict[str, bytes]) -> None:
    """Raise at the first place where a file of the evidence differs from what was built again.

    The plan comes before what was played on it, that before the page that tells of it, and the statement last, which holds
    digests and sums of all: so the place is named where evidence departs, and not one that follows from it.
    """
    folder = f"evidence/{name}"
    stated = parse_json(decode(files[STATEMENT], STATEMENT), STATEMENT)
    expected = parse_json(rebuilt[STATEMENT].decode(), STATEMENT)
    packed = {file: key for file, key in ((EPISODES, "episodes"), (CALLS, "calls")) if file in rebuilt}
    for file, key in packed.items():
        own = digest(files[file])
        if stated["predicate"][key] is None or stated["predicate"][key]["file_digest"] != own:
            place = f"/predicate/{key}/file_digest of {folder}/{STATEMENT}"
            raise invalid(key, f"{folder}/{file}: is not the file that {place} names; one of the two was edited")
        # Another zlib may pack the same lines into other bytes, so what is compared is what they unpack to.
        expected["predicate"][key]["file_digest"] = own
    _compare_own_draws(f"{folder}/{PLAN}", files[PLAN], rebuilt[PLAN], stated["predicate"]["inputs"]["gate"])
    _compare_text(f"{folder}/{PLAN}", files[PLAN], rebuilt[PLAN])
    for file in packed:
        _compare_packed(f"{folder}/{file}", files[file], rebuilt[file])
    _compare_text(f"{folder}/{REVIEW}", files[REVIEW], rebuilt[REVIEW])
    for found in _differences(stated, expected, ""):
        raise invalid("statement", f"{folder}/{STATEMENT}: {found}")


def _compare_own_draws(shown: str, found: bytes, rebuilt: bytes, gate: Mapping[str, Any]) -> None:
    """Raise where a plan departs in the draws that single strata got of their own, and in nothing before them."""
    if found == rebuilt:
        return
    try:
        plan = parse_json(decode(found, shown), shown)
    except EscError:
        return
    right = json.loads(rebuilt)
    if check_schema(plan, "plan", shown) or plan["draws"] != right["draws"]:
        return
    if told := _own_draws_differ(plan["own_draws"], right["own_draws"], gate["stratum_draws"]):
        raise invalid("evidence", f"{shown}: {told}")


def _own_draws_differ(found: list[dict[str, Any]], right: list[dict[str, Any]], most: int) -> str | None:
    """Return in words how draws of single strata depart from those that follow from the registration."""
    runs, asked = [draw["position"] for draw in found], [draw["position"] for draw in right]
    counts = Counter(name for draw in found for name in draw["strata"])
    over = sorted(name for name, count in counts.items() if count > most)
    if runs and not asked:
        return f"{len(runs)} draws were run for single strata, and none of these is to be looked into"
    if over:
        return f"{_listed(over[:1])} got {counts[over[0]]} draws of its own, and the gate allows {most}"
    if runs == asked:
        odd = next((at for at, (one, two) in enumerate(zip(found, right, strict=True)) if one != two), None)
        return None if odd is None else _own_draw_differs(found[odd], right[odd])
    if runs == asked[: len(runs)]:
        return (
            f"the draws of single strata stop after {len(runs)} of {len(asked)}, before it is known whether they lose"
        )
    if runs[: len(asked)] == asked:
        return f"the draws of single strata go on after the {len(asked)} that settle whether they lose"
    if left_out := sorted({*asked} - {*runs}):
        return f"draw {left_out[0]} is left out, and its seeker belongs to a stratum that is looked into"
    if added := sorted({*runs} - {*asked}):
        return f"draw {added[0]} was run for single strata, and its seeker belongs to none that is looked into"
    return "the draws of single strata do not stand in the order of the plan, each of them once"


def _own_draw_differs(found: dict[str, Any], right: dict[str, Any]) -> str:
    place = f"draw {right['position']}"
    if found["strata"] != right["strata"]:
        return f"{place} counts in {_listed(found['strata'])}, and was run for {_listed(right['strata'])}"
    return f"{place}, of single strata, has another seeker or seed than follows from the registration"


def _listed(names: list[str]) -> str:
    return ascii(" and ".join(names))[1:-1][:_TOLD]


def _compare_text(shown: str, found: bytes, right: bytes) -> None:
    if found != right:
        line = first_difference(found.decode("utf-8", "replace"), right.decode()) or 1
        raise invalid("evidence", f"{shown}:{line}: differs from what was built again")


def _compare_packed(shown: str, found: bytes, rebuilt: bytes) -> None:
    right = decompress(rebuilt, shown, _MAX_EPISODES)
    if found[: len(_GZIP_HEADER)] != _GZIP_HEADER or len(found) > 2 * len(rebuilt):
        raise invalid("evidence", f"{shown}: is not packed as the tools pack it")
    try:
        content = decompress(found, shown, _MOST_UNPACKED * len(right))
        if content != right:
            _compare_lines(shown, decode(content, shown), right.decode())
    except EscError as error:
        raise invalid("evidence", error.message) from error


def _compare_lines(shown: str, found: str, right: str) -> None:
    """Raise at the first value of JSON Lines that differs."""
    lines, rebuilt = found.split("\n"), right.split("\n")
    if lines[-1]:
        raise invalid("evidence", f"{shown}:{len(lines)}: the last line has no end")
    if len(lines) != len(rebuilt):
        raise invalid("evidence", f"{shown}: has {len(lines) - 1} lines and should have {len(rebuilt) - 1}")
    for number, (line, other) in enumerate(zip(lines, rebuilt, strict=True), start=1):
        if line != other:
            odd = "is not written as the tools write it"
            told = next(_differences(parse_json(line, shown, number), json.loads(other), ""), odd)
            raise invalid("evidence", f"{shown}:{number}: {told}")


def first_difference(found: str, right: str) -> int | None:
    """Return the first line that differs, from 1, or None."""
    if found == right:
        return None
    pairs = zip(found.split("\n"), right.split("\n"), strict=False)
    return next((line for line, (one, other) in enumerate(pairs, start=1) if one != other), found.count("\n") + 1)


def _differences(found: Any, right: Any, pointer: str) -> Iterator[str]:
    """Yield each place at which a value differs, with what stands there and what should."""
    if isinstance(found, dict) and isinstance(right, dict):
        for key in sorted({*found, *right}):
            place = f"{pointer}/{escape_pointer(key)}"
            yield from _differences(found.get(key, _ABSENT), right.get(key, _ABSENT), place)
    elif isinstance(found, list) and isinstance(right, list):
        for index, (one, other) in enumerate(zip_longest(found, right, fillvalue=_ABSENT)):
            yield from _differences(one, other, f"{pointer}/{index}")
    # Our own pointers are ASCII. 1, 1.0 and true are equal in Python and are not the same JSON; nor are 0.0 and -0.0.
    elif type(found) is not type(right) or repr(found) != repr(right):
        yield f"{ascii(pointer)[1:-1][:_TOLD]} is {_told(found, right)} and should be {_told(right, found)}"


def _told(value: Any, other: Any) -> str:
    """Return a value in words of bounded length; of two texts the part where they begin to differ."""
    if value is _ABSENT:
        return "absent"
    if isinstance(value, dict | list):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)}"
    if not isinstance(value, str):
        return repr(value)
    text = other if isinstance(other, str) else ""
    alike = next((at for at, (one, two) in enumerate(zip(value, text, strict=False)) if one != two), 0)
    start = max(0, alike - _BEFORE) if len(value) > _TOLD else 0
    part = value[start : start + _TOLD]
    # A letter that looks like one of ASCII is told by its number, and Chinese beside Chinese stays readable.
    quoted = ascii(part) if text.isascii() else repr(part)
    return f"{'…' if start else ''}{quoted}{'…' if start + _TOLD < len(value) else ''}"
