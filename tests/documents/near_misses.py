"""Values that a schema allows, and values that miss it by little."""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

#: What stands in the place of a value that a schema allows.
ODD = [
    None, True, False, 0, 1, -1, 20.0, 0.5, 1e300, 2**53 + 1, 2**64, 2**64 + 1, -(2**70), 10**29, math.nan, math.inf,
    -math.inf, "", " ", "x\n", "\x1c", "\x85", "\ufeff", "\u2028", "\u3000", "٣", "😀", [], [[]], ["a", "a"], {}, {"": 1},
]  # fmt: skip
#: What stands before, within or after a text that a schema allows.
AFFIXES = ["\n", "\r\n", "\r", " ", "\u2028", "\x85", "\x1c", "\ufeff", "\0", "a", "A", "0", "٣", "ı", "-", "/", "😀"]

texts = st.text(st.characters(exclude_categories=["Cs"]))


def patterns(schema: Any) -> Iterator[str]:
    """Yield the patterns that a schema holds."""
    for key, each in schema.items() if isinstance(schema, dict) else enumerate(schema):
        if key == "pattern" and isinstance(each, str):
            yield each
        elif isinstance(each, dict | list):
            yield from patterns(each)


def matches(pattern: str) -> st.SearchStrategy[str]:
    """Texts that a pattern allows."""
    return st.from_regex(re.sub(r"\$$", r"\\Z", pattern), alphabet=st.characters(exclude_categories=["Cs"]))


@st.composite
def near_matches(draw: st.DrawFn, pattern: str) -> str:
    """Texts that a pattern allows, with something put in or left out."""
    text = draw(matches(pattern))
    at = draw(st.integers(0, len(text)))
    return text[:at] + draw(st.sampled_from(["", *AFFIXES])) + text[at + draw(st.integers(0, 1)) :]


def allowed(schema: dict[str, Any], root: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that a schema allows, for the keywords that the shipped schemas hold."""
    if "$ref" in schema:
        named = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
        return allowed({**named, **{key: each for key, each in schema.items() if key != "$ref"}}, root)
    if "enum" in schema or "const" in schema:
        return st.sampled_from(schema.get("enum", [schema.get("const")]))
    if schema.get("anyOf"):
        return st.one_of([allowed({**schema, "anyOf": None, **each}, root) for each in schema["anyOf"]])
    kinds = schema.get("type", "string")
    return st.one_of([_of_type(kind, schema, root) for kind in ([kinds] if isinstance(kinds, str) else kinds)])


def _of_type(kind: str, schema: dict[str, Any], root: dict[str, Any]) -> st.SearchStrategy[Any]:
    match kind:
        case "object":
            return _objects(schema, root)
        case "array":
            least = schema.get("minItems", 0)
            most = min(least + 2, schema.get("maxItems", least + 2))
            unique = repr if schema.get("uniqueItems") else None
            return st.lists(allowed(schema.get("items", {}), root), min_size=least, max_size=most, unique_by=unique)
        case "string":
            least, most = schema.get("minLength", 0), schema.get("maxLength", math.inf)
            found = matches(schema["pattern"]) if "pattern" in schema else texts
            return found.map(lambda text: text.ljust(least, "x")).filter(lambda text: len(text) <= most)
        case "integer":
            return st.integers(schema.get("minimum", -(2**70)), schema.get("maximum", 2**70))
        case "number":
            least = schema.get("minimum", schema.get("exclusiveMinimum"))
            most = schema.get("maximum")
            numbers = st.floats(least, most, exclude_min="exclusiveMinimum" in schema, allow_nan=False)
            return numbers.filter(math.isfinite)
        case "boolean":
            return st.booleans()
    return st.none()


def _objects(schema: dict[str, Any], root: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    known = {key: allowed(each, root) for key, each in schema.get("properties", {}).items()}
    if isinstance(others := schema.get("additionalProperties"), dict):
        names = allowed({"type": "string", **schema.get("propertyNames", {})}, root)
        return st.dictionaries(names, allowed(others, root), min_size=schema.get("minProperties", 0), max_size=2)
    if "minProperties" in schema:  # an answer of a model, which has one of its keys
        return st.sampled_from(sorted(known)).flatmap(lambda key: st.fixed_dictionaries({key: known[key]}))
    required = {key: known.get(key, texts) for key in schema.get("required", ())}
    return st.fixed_dictionaries(required, optional={key: known[key] for key in known.keys() - required.keys()})


@st.composite
def near_misses(draw: st.DrawFn, value: Any) -> Any:
    """The same value with one place of it changed, left out, or with a key more."""
    place = draw(st.sampled_from([*_places(value)]))
    if not place:
        return draw(st.sampled_from(ODD))
    changed = around = copy.deepcopy(value)
    for step in place[:-1]:
        around = around[step]
    old = around[place[-1]]
    match draw(st.integers(0, 4)):
        case 0:
            del around[place[-1]]
        case 1 if isinstance(around, dict):
            around[f"{place[-1]}\n"] = old
        case 2 if isinstance(old, str):
            around[place[-1]] = old + draw(st.sampled_from(AFFIXES))
        case 3 if isinstance(old, int) and abs(old) < 2**53:
            around[place[-1]] = float(old)
        case _:
            around[place[-1]] = draw(st.sampled_from(ODD))
    return changed


def _places(value: Any) -> Iterator[tuple[Any, ...]]:
    yield ()
    steps = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for step in steps:
        yield from ((step, *rest) for rest in _places(value[step]))
