"""The quick check says yes to exactly what the validator allows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from esc_skills.documents.quick import UnknownKeywordError, compile_check, is_integer, is_number

words = st.sampled_from(["a", "b", "ab", "", "a\n", "5"])
values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 12) | st.floats(allow_nan=True, width=16) | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=8,
)
types = st.sampled_from(["object", "array", "string", "integer", "number", "boolean", "null"])


def options(**known: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=known)


def grown(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return options(
        type=types | st.lists(types, min_size=1, max_size=3, unique=True),
        enum=st.lists(words | st.none(), min_size=1, max_size=3),
        minLength=st.integers(0, 2),
        maxLength=st.integers(0, 2),
        pattern=st.sampled_from(["^a", "b$", r"\S"]),
        minimum=st.integers(-2, 5),
        exclusiveMaximum=st.integers(0, 9),
        minItems=st.integers(0, 2),
        maxItems=st.integers(0, 3),
        items=inner,
        properties=st.dictionaries(words, inner, max_size=3),
        required=st.lists(words, max_size=2, unique=True),
        additionalProperties=st.booleans() | inner,
        minProperties=st.integers(0, 2),
        maxProperties=st.integers(0, 3),
        anyOf=st.lists(inner, min_size=1, max_size=2),
        title=words,
    )


schemas = st.recursive(options(type=types), grown, max_leaves=4)


def allowed(schema: dict[str, Any], value: Any) -> bool:
    from jsonschema import validators

    checker = Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": lambda _, each: is_integer(each), "number": lambda _, each: is_number(each)}
    )
    end = {"b$": r"b\Z"}
    text = json.dumps(schema)
    for pattern, python in end.items():
        text = text.replace(json.dumps(pattern), json.dumps(python))
    return bool(validators.extend(Draft202012Validator, {}, type_checker=checker)(json.loads(text)).is_valid(value))


@given(schemas, values)
def test_it_agrees_with_the_validator(schema: dict[str, Any], value: Any) -> None:
    assert compile_check(schema)(value) == allowed(schema, value)


@pytest.mark.parametrize(
    ("schema", "value", "sound"),
    [
        ({"type": "integer"}, True, False),
        ({"type": "integer"}, 20.0, False),
        ({"type": "number"}, float("nan"), False),
        ({"pattern": "a$"}, "a\n", False),
        ({"type": "array", "uniqueItems": True}, ["a", "a"], False),
        ({"type": "array", "uniqueItems": True}, ["a", "b"], True),
        ({"const": "a"}, "a", True),
        ({"const": "a"}, "b", False),
    ],
)
def test_edges(schema: dict[str, Any], value: Any, sound: bool) -> None:
    assert compile_check(schema)(value) is sound


@pytest.mark.parametrize("schema", [{"not": {}}, {"items": {"if": {}}}, {"enum": [1]}, {"$ref": "#/x"}])
def test_what_it_does_not_know_it_does_not_judge(schema: dict[str, Any]) -> None:
    with pytest.raises(UnknownKeywordError):
        compile_check(schema)
