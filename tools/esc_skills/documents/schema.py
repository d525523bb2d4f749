"""Checks of parsed documents against the JSON Schemas (2020-12) of `schemas/`."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from esc_skills.documents.findings import Finding, Severity
from esc_skills.documents.quick import (
    Check,
    UnknownKeywordError,
    compile_check,
    is_integer,
    is_number,
    python_pattern,
)
from esc_skills.documents.shipped import shipped
from esc_skills.documents.yaml import escape_pointer
from esc_skills.errors import InputError


@cache
def load_schema(name: str) -> dict[str, Any]:
    """Return the schema of `schemas/<name>.schema.json`."""
    loaded: dict[str, Any] = json.loads(shipped("schemas", f"{name}.schema.json").read_text(encoding="utf-8"))
    return loaded


@cache
def _validator(name: str) -> Any:
    from jsonschema import Draft202012Validator, validators  # 60 ms, which a plain `--help` should not pay

    types = Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": lambda _, value: is_integer(value), "number": lambda _, value: is_number(value)}
    )
    strict = validators.extend(Draft202012Validator, {"pattern": _check_pattern}, type_checker=types)  # type: ignore[no-untyped-call]
    return strict(_whole(name))


@cache
def _quick_check(name: str) -> Check:
    try:
        return compile_check(_whole(name))
    except UnknownKeywordError:
        return lambda _: False


@cache
def _whole(name: str) -> dict[str, Any]:
    schema = load_schema(name)
    whole: dict[str, Any] = _inlined(schema, schema)
    return whole


def _inlined(schema: Any, root: dict[str, Any]) -> Any:
    """Return a schema with its local references written out; following them takes as long as all other checks."""
    if isinstance(schema, list):
        return [_inlined(each, root) for each in schema]
    if not isinstance(schema, dict):
        return schema
    named = root["$defs"][schema["$ref"].removeprefix("#/$defs/")] if "$ref" in schema else {}
    own = {key: each for key, each in schema.items() if key not in ("$ref", "$defs")}
    return {key: _inlined(each, root) for key, each in {**named, **own}.items()}


def _check_pattern(validator: Any, pattern: str, value: Any, _: Any) -> Iterator[Any]:
    from jsonschema import ValidationError

    if validator.is_type(value, "string") and not re.search(python_pattern(pattern), value):
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
    departures = list(_departures(value, schema))
    if departures:
        pointer, keyword, message = departures[0]
        more = f" (and {len(departures) - 1} more)" if len(departures) > 1 else ""
        raise InputError(f"{shown}: schema-{keyword}: {message} ({pointer or 'the whole document'}){more}")


def line_at(lines: Mapping[str, int], pointer: str) -> int:
    """Return the line of a JSON pointer, or of its nearest ancestor that has one, or 0."""
    while pointer not in lines and pointer:
        pointer = pointer.rpartition("/")[0]
    return lines.get(pointer, 0)


def _departures(value: Any, schema: str) -> Iterator[tuple[str, str, str]]:
    if _quick_check(schema)(value):
        return
    for error in _validator(schema).iter_errors(value):
        pointer = "".join(f"/{escape_pointer(str(step))}" for step in error.absolute_path)
        yield pointer, str(error.validator), _in_words(error)


def _in_words(error: Any) -> str:
    shown = _shorten(error.instance)
    match error.validator:
        case "additionalProperties" if isinstance(error.instance, dict):
            known = list(error.schema.get("properties", {}))
            extra = [key for key in error.instance if key not in known]
            return "; ".join(f"unknown key {key!r}{suggest(key, known)}" for key in extra)
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
