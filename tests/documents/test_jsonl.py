"""JSON and JSON Lines: strict when read, canonical when written."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esc_skills.documents.jsonl import (
    MAX_LINE_CHARACTERS,
    canonical_json,
    compress,
    decompress,
    digest,
    digest_json,
    json_lines,
    parse_json,
    parse_json_lines,
)
from esc_skills.errors import DocumentError

unicode = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
#: Characters at which some readers cut a line, and others that editors like to change.
odd = st.text(st.sampled_from("a\u2028\u2029\x85\x0b\x0c\x1c\r\n\t \ufeff😀é中"))
values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | unicode
    | odd,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(unicode | odd, inner, max_size=4),
    max_leaves=12,
)


def refusal(text: str) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        parse_json(text, "file.json")
    return caught.value


@given(st.lists(values, max_size=6))
def test_values_come_back_from_json_lines_as_they_went_in(lines: list[Any]) -> None:
    text = json_lines(lines)
    assert text.count("\n") == len(lines)
    assert [value for _, value in parse_json_lines(text, "run.jsonl")] == lines


@given(values)
def test_canonical_json_of_what_was_read_is_the_same_text(value: Any) -> None:
    text = canonical_json(value)
    assert canonical_json(parse_json(text, "file.json")) == text


@given(st.dictionaries(unicode, values, min_size=2, max_size=5), st.randoms())
def test_canonical_json_does_not_depend_on_the_order_of_keys(value: dict[str, Any], chance: Any) -> None:
    keys = list(value)
    chance.shuffle(keys)
    assert canonical_json({key: value[key] for key in keys}) == canonical_json(value)
    assert digest_json({key: value[key] for key in keys}) == digest_json(value)


def test_canonical_json_escapes_nothing_beyond_need() -> None:
    assert canonical_json({"b": "é\u2028", "a": [1, 1.5, None]}) == '{"a":[1,1.5,null],"b":"é\u2028"}'


def test_canonical_json_holds_no_nan() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(float("nan"))


def test_a_line_separator_inside_a_text_does_not_end_the_line() -> None:
    lines = list(parse_json_lines('{"a": "one\u2028two"}\n\n{"a": "three"}\n', "run.jsonl"))
    assert lines == [(1, {"a": "one\u2028two"}), (3, {"a": "three"})]


def test_a_file_without_a_last_line_end_and_with_windows_ones_can_be_read() -> None:
    assert list(parse_json_lines("1\r\n2", "run.jsonl")) == [(1, 1), (2, 2)]


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        pytest.param('{"a": 1, "a": 2}', "json-value", "'a' occurs twice", id="a repeated key"),
        pytest.param('[{"b": {"a": 1, "a": 2}}]', "json-value", "'a' occurs twice", id="a repeated key inside"),
        pytest.param("NaN", "json-value", "NaN is no JSON number", id="NaN"),
        pytest.param('{"a": -Infinity}', "json-value", "-Infinity is no JSON number", id="infinity"),
        pytest.param("1e999", "json-value", "too large", id="a float beyond reason"),
        pytest.param("9" * 31, "json-value", "a number of 31 digits", id="an integer beyond reason"),
        pytest.param("9" * 100_000, "json-value", "a number of 100000 digits", id="an integer of 100,000 digits"),
        pytest.param("[" * 200_000, "json-value", "nested too deeply", id="deep nesting"),
        pytest.param(r'"\ud800"', "json-value", "surrogate", id="half a character"),
        pytest.param(r'{"\uDFFF": 1}', "json-value", "surrogate", id="half a character in a key"),
        pytest.param("", "json-syntax", "Expecting value at column 1", id="nothing"),
        pytest.param('{"a": 1,}', "json-syntax", "at column", id="a comma too many"),
        pytest.param("{'a': 1}", "json-syntax", "at column 2", id="single quotes"),
        pytest.param('"a\nb"', "json-syntax", "Invalid control character", id="a raw line end in a text"),
        pytest.param("1 2", "json-syntax", "Extra data", id="two values"),
        pytest.param("\ufeff1", "json-syntax", "Expecting value", id="a byte order mark"),
    ],
)
def test_what_is_no_strict_json_is_refused(text: str, code: str, words: str) -> None:
    error = refusal(text)
    assert error.code == code
    assert words in error.detail


def test_a_whole_character_written_as_two_halves_is_read() -> None:
    assert parse_json(r'"\ud83d\ude00"', "file.json") == "😀"


def test_a_mistake_is_placed_on_its_line() -> None:
    assert refusal('{\n"a": 1,\n"b": x\n}').line == 3
    with pytest.raises(DocumentError, match=r"run\.jsonl:2: json-syntax"):
        list(parse_json_lines("1\n{\n", "run.jsonl"))


def test_a_line_beyond_reason_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(DocumentError, match=r"run\.jsonl:2: too-large: a line of 4,000,001 characters"):
        list(parse_json_lines("1\n" + " " * (MAX_LINE_CHARACTERS + 1), "run.jsonl"))


def test_a_digest_is_that_of_the_utf_8_bytes() -> None:
    assert (
        digest("é")
        == digest("é".encode())
        == "sha256:" + "4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c"
    )


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_compressed_text_comes_back_and_equal_texts_give_equal_bytes(text: str) -> None:
    packed = compress(text)
    assert packed == compress(text)
    assert decompress(packed, "calls.gz", 10_000_000) == text.encode()


def test_a_gzip_bomb_is_stopped_at_the_limit() -> None:
    with pytest.raises(DocumentError, match="unpacks to more than 1,000 bytes"):
        decompress(compress("0" * 5_000_000), "calls.gz", 1000)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"no gzip at all", "is damaged", id="another format"),
        pytest.param(compress("words " * 100)[:-9], "is cut short", id="a cut-off end"),
        pytest.param(compress("words") + b"more", "is followed by other bytes", id="bytes behind"),
        pytest.param(compress("words") + compress("more"), "is followed by other bytes", id="a second member"),
        pytest.param(b"", "is cut short", id="nothing"),
        pytest.param(compress("words")[:-8] + b"\0" * 8, "is damaged", id="a wrong check sum"),
    ],
)
def test_a_damaged_gzip_file_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(DocumentError, match=words):
        decompress(data, "calls.gz", 1_000_000)


def test_other_programs_read_what_we_write() -> None:
    assert json.loads(gzip.decompress(compress(json_lines([{"a": "中"}])))) == {"a": "中"}
