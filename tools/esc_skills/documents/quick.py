"""A quick yes to what a JSON Schema allows; what it does not say yes to goes to the validator, which says what is wrong.

A run checks each answer of a model and each line of a transcript, a million in a large one, and nearly all of them are as
they should be. The validator walks through its own machinery for each value, which takes 20 times as long as the checks.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any], bool]

_ANNOTATIONS = frozenset(("$schema", "$id", "title", "description"))
_TYPES: Mapping[str, Check] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    # JSON Schema takes 20.0 for an integer; a record would then hold a float where code counts.
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    # TOML and YAML know NaN and infinity, which every bound lets pass.
    "number": lambda value: (
        (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and math.isfinite(value))
    ),
}


class UnknownKeywordError(Exception):
    """A schema holds a keyword that is not known here, so that nothing can be said of its values."""


def compile_check(schema: Mapping[str, Any]) -> Check:
    """Return a function that says True only of values that a schema without references allows.

    Raises:
        UnknownKeywordError: The schema holds a keyword that is not known here.
    """
    checks = _checks(schema)
    if len(checks) == 1:
        return checks[0]

    def check_all(value: Any) -> bool:
        for check in checks:  # noqa: SIM110 - `all` over a generator takes twice as long
            if not check(value):
                return False
        return True

    return check_all


def is_integer(value: Any) -> bool:
    """Whether a value is an integer, and written as one."""
    return _TYPES["integer"](value)


def is_number(value: Any) -> bool:
    """Whether a value is a finite number."""
    return _TYPES["number"](value)


def python_pattern(pattern: str) -> str:
    """Return a pattern for Python, where `$` stands before a last line end too; in JSON Schema it is the end alone."""
    return re.sub(r"(?<!\\)\$$", r"\\Z", pattern)


def _checks(schema: Mapping[str, Any]) -> list[Check]:
    rest = {key: each for key, each in schema.items() if key not in _ANNOTATIONS}
    checks = []
    for keys, make in _MAKERS:
        if found := {key: rest.pop(key) for key in keys if key in rest}:
            checks.append(make(found))
    if rest:
        raise UnknownKeywordError(f"the keyword {next(iter(rest))!r}")
    return checks


def _of_type(found: Mapping[str, Any]) -> Check:
    names = [found["type"]] if isinstance(found["type"], str) else found["type"]
    allowed = [_TYPES[name] for name in names]
    return allowed[0] if len(allowed) == 1 else lambda value: any(check(value) for check in allowed)


def _words(found: Mapping[str, Any]) -> Check:
    values = found.get("enum", [found.get("const")])
    if not all(each is None or isinstance(each, str) for each in values):
        raise UnknownKeywordError("an enum of more than texts")
    words = frozenset(values)
    return lambda value: (value is None or isinstance(value, str)) and value in words


def _text(found: Mapping[str, Any]) -> Check:
    least, most = found.get("minLength", 0), found.get("maxLength", math.inf)
    pattern = re.compile(python_pattern(found["pattern"])) if "pattern" in found else None

    def check(value: Any) -> bool:
        if not isinstance(value, str):
            return True
        return least <= len(value) <= most and (pattern is None or pattern.search(value) is not None)

    return check


def _number(found: Mapping[str, Any]) -> Check:
    least, most = found.get("minimum", -math.inf), found.get("maximum", math.inf)
    above, below = found.get("exclusiveMinimum", -math.inf), found.get("exclusiveMaximum", math.inf)
    return lambda value: not is_number(value) or (least <= value <= most and above < value < below)


def _array(found: Mapping[str, Any]) -> Check:
    least, most = found.get("minItems", 0), found.get("maxItems", math.inf)
    item = compile_check(found["items"]) if "items" in found else lambda _: True
    differ = _all_differ if found.get("uniqueItems") else lambda _: True

    def check(value: Any) -> bool:
        if not isinstance(value, list):
            return True
        return least <= len(value) <= most and all(item(each) for each in value) and differ(value)

    return check


def _all_differ(values: list[Any]) -> bool:
    return all(isinstance(each, str) for each in values) and len(set(values)) == len(values)


def _object(found: Mapping[str, Any]) -> Check:
    known = {key: compile_check(each) for key, each in found.get("properties", {}).items()}
    required = frozenset(found.get("required", ()))
    least, most = found.get("minProperties", 0), found.get("maxProperties", math.inf)
    other: Check = lambda _: True  # noqa: E731
    if isinstance(more := found.get("additionalProperties", True), dict):
        other = compile_check(more)
    elif more is False:
        other = lambda _: False  # noqa: E731

    def check(value: Any) -> bool:
        if not isinstance(value, dict):
            return True
        if not (least <= len(value) <= most and required <= value.keys()):
            return False
        for key, each in value.items():  # noqa: SIM110 - the same
            if not known.get(key, other)(each):
                return False
        return True

    return check


def _any_of(found: Mapping[str, Any]) -> Check:
    checks = [compile_check(each) for each in found["anyOf"]]
    return lambda value: any(check(value) for check in checks)


_MAKERS: tuple[tuple[tuple[str, ...], Callable[[Mapping[str, Any]], Check]], ...] = (
    (("type",), _of_type),
    (("enum", "const"), _words),
    (("minLength", "maxLength", "pattern"), _text),
    (("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _number),
    (("minItems", "maxItems", "items", "uniqueItems"), _array),
    (("properties", "required", "additionalProperties", "minProperties", "maxProperties"), _object),
    (("anyOf",), _any_of),
)
