"""Checks of parsed documents against the JSON Schemas (2020-12) of `schemas/`.

A run checks each answer of a model and each line of a transcript, a million in a large one, and nearly all of them are as
they should be. So jsonschema-rs says whether a value is allowed, and jsonschema, which takes a hundred times as long, only
says what is wrong with one that is not.
"""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from esc_skills.documents.findings import Finding, Severity
from esc_skills.documents.shipped import shipped
from esc_skills.documents.yaml import escape_pointer
from esc_skills.errors import InputError

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator

#: Since draft 6 of JSON Schema 20.0 is an integer too; a record would then hold a float where code counts. So both
#: libraries are given the integer of draft 4, which has no fraction.
_INTEGER = "urn:esc-skills:integer"
_DRAFT_4_INTEGER = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "anyOf": [{"type": "integer"}, {"not": {"type": "number"}}],
}


@cache
def load_schema(name: str) -> dict[str, Any]:
    """Return the schema of `schemas/<name>.schema.json`; `<name>#<part>` is that of one of its definitions."""
    file, _, part = name.partition("#")
    loaded: dict[str, Any] = json.loads(shipped("schemas", f"{file}.schema.json").read_text(encoding="utf-8"))
    return {"$schema": loaded["$schema"], "$defs": loaded["$defs"], "$ref": f"#/$defs/{part}"} if part else loaded


@cache
def _checker(name: str) -> Draft202012Validator:
    from jsonschema_rs import Draft202012Validator, RegexOptions, Registry  # 20 ms, which `--help` should not pay

    schema = json.loads(json.dumps(load_schema(name)), object_hook=_exact)
    linear = RegexOptions()  # strangers write records, and shall not choose how long a pattern takes
    return Draft202012Validator(schema, registry=Registry([(_INTEGER, _DRAFT_4_INTEGER)]), pattern_options=linear)


def _exact(part: dict[str, Any]) -> dict[str, Any]:
    if "integer" in part.get("type", ()):
        part["allOf"] = [*part.get("allOf", ()), {"$ref": _INTEGER}]
    if isinstance(pattern := part.get("pattern"), str):
        # What is a blank differs between Python, Rust and ECMA-262; it shall be what `str.strip` removes.
        blanks = "".join(filter(str.isspace, map(chr, range(0x3001))))
        part["pattern"] = pattern.replace(r"\S", f"[^{blanks}]").replace(r"\s", blanks)
    return part


@cache
def _explainer(name: str) -> Any:
    from jsonschema import Draft4Validator, Draft202012Validator, validators  # 60 ms

    types = Draft4Validator.TYPE_CHECKER.redefine("number", _is_number)
    exact = validators.extend(Draft202012Validator, {"pattern": _check_pattern}, type_checker=types)  # type: ignore[no-untyped-call]
    return exact(load_schema(name))


def _is_number(_: Any, value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)  # TOML and YAML know NaN and infinity, which every bound lets pass
    return isinstance(value, int) and not isinstance(value, bool)


def _check_pattern(validator: Any, pattern: str, value: Any, _: Any) -> Iterator[Any]:
    from jsonschema import ValidationError

    # In Python `$` stands before a last line end too; in JSON Schema it is the end alone.
    if validator.is_type(value, "string") and not re.search(re.sub(r"(?<!\\)\$$", r"\\Z", pattern), value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def check_schema(
    value: Any, schema: str, path: str, lines: Mapping[str, int] | None = None, severity: Severity = Severity.ERROR
) -> list[Finding]:
    """Return every way in which a value departs from a schema, in document order.

    Args:
        value: A parsed document.
        schema: The schema's name, such as `skill`.
        path: The file, for the findings.
        lines: The line of each JSON pointer; a pointer that is missing takes its parent's line.
        severity: The severity of the findings.
    """
    found = [
        Finding(path, line_at(lines or {}, pointer), pointer, f"schema-{keyword}", severity, message)
        for pointer, keyword, message in _departures(value, schema)
    ]
    return sorted(found)


def require_schema(value: Any, schema: str, shown: str) -> None:
    """Raise where a value departs from a schema.

    Raises:
        InputError: Names the first departure and counts the others.
    """
    if departures := _departures(value, schema):
        pointer, keyword, message = departures[0]
        more = f" (and {len(departures) - 1} more)" if len(departures) > 1 else ""
        raise InputError(f"{shown}: schema-{keyword}: {message} ({pointer or 'the whole document'}){more}")


def line_at(lines: Mapping[str, int], pointer: str) -> int:
    """Return the line of a JSON pointer, or of its nearest ancestor that has one, or 0."""
    while pointer not in lines and pointer:
        pointer = pointer.rpartition("/")[0]
    return lines.get(pointer, 0)


def _departures(value: Any, schema: str) -> list[tuple[str, str, str]]:
    try:
        if _checker(schema).is_valid(value):
            return []
        refusal = "departs from the schema"
    except ValueError as error:  # a text with half a surrogate pair, a key that is no text, a date
        refusal = f"is no JSON: {error}"
    departures = [
        ("".join(f"/{escape_pointer(str(step))}" for step in error.absolute_path), error.validator, _in_words(error))
        for error in _explainer(schema).iter_errors(value)
    ]
    return departures or [("", "value", refusal)]


def _in_words(error: Any) -> str:
    shown = _shorten(error.instance)
    match error.validator:
        case "additionalProperties" if isinstance(error.instance, dict):
            known = list(error.schema.get("properties", {}))
            extra = [key for key in error.instance if key not in known]
            return "; ".join(f"unknown key {key!r}{suggest(str(key), known)}" for key in extra)
        case "enum":
            return f"{shown} is none of {', '.join(map(str, error.validator_value))}{suggest(str(error.instance), error.validator_value)}"
        case "pattern":
            return f"{shown} should be {error.schema.get('description') or 'like ' + error.validator_value}"
        case "type":
            return f"{shown} should be of type {error.validator_value}"
        case "required":
            return str(error.message).replace(" is a required property", " is missing")
        case "minItems" | "minLength" | "maxItems" | "maxLength":
            bound = "at least" if error.validator.startswith("min") else "at most"
            return f"has {len(error.instance)} where {bound} {error.validator_value} are asked: {shown}"
    return str(error.message)[:300]


def _shorten(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:77] + "..."


def suggest(word: str, known: list[str]) -> str:
    """Return `; did you mean …?` where a known word is near, or nothing."""
    near = difflib.get_close_matches(word, [str(each) for each in known], n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
