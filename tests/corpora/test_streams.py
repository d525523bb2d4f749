"""However a file is parted on its way in, the same values come out, and each that cannot be read is told with its line."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esc_skills.corpora.streams import Piece, read_parts, split_lines, split_list
from esc_skills.corpora.table import Table
from esc_skills.corpora.values import Value, read_values
from esc_skills.documents.findings import Finding
from esc_skills.errors import DocumentError

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ['"', "\\", '\\"', "[{", "\u2028"]
)
objects = st.recursive(
    st.dictionaries(texts, texts | st.integers(-5, 5), max_size=3),
    lambda inner: st.dictionaries(texts, inner, max_size=2),
)


def parted(data: bytes, cuts: list[int]) -> Iterator[bytes]:
    ends = sorted({min(cut, len(data)) for cut in cuts} | {len(data)})
    begin = 0
    for end in ends:
        yield data[begin:end]
        begin = end


def shown(found: Iterator[Any]) -> list[tuple[Any, ...]]:
    return [
        (each.line, each.content) if isinstance(each, Value) else (each.line, each.code, each.message) for each in found
    ]


@given(
    st.lists(objects, max_size=4), st.sampled_from([None, 1]), st.booleans(), st.lists(st.integers(0, 300), max_size=8)
)
def test_a_list_gives_its_values_wherever_it_is_cut(
    values: list[Any], indent: int | None, ascii_only: bool, cuts: list[int]
) -> None:
    data = json.dumps(values, indent=indent, ensure_ascii=ascii_only).encode()
    found = list(read_values(parted(data, cuts), "x.json"))
    assert [each.content for each in found if isinstance(each, Value)] == values
    assert shown(iter(found)) == shown(read_values([data], "x.json"))
    if indent:
        assert all(data.splitlines()[each.line - 1].lstrip().startswith(b"{") for each in found)


@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=6), st.booleans())
def test_any_bytes_give_the_same_wherever_they_are_cut(data: bytes, cuts: list[int], as_list: bool) -> None:
    data = b"[" + data if as_list else data
    assert shown(read_values(parted(data, cuts), "x", 20)) == shown(read_values([data], "x", 20))


@given(
    st.lists(st.binary(max_size=12).filter(lambda line: b"\n" not in line)), st.lists(st.integers(0, 99), max_size=5)
)
def test_lines_are_counted_and_none_is_lost(lines: list[bytes], cuts: list[int]) -> None:
    found = list(split_lines(parted(b"\n".join(lines), cuts), "x", 8))
    kept = [(each.line, each.data) if isinstance(each, Piece) else (each.line, None) for each in found]
    expected = [(at, line if len(line) <= 8 else None) for at, line in enumerate(lines, start=1)]
    assert [each for each in kept if each[1] != b""] == [each for each in expected if each[1] != b""]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'[{"a": 1}, {"b": ', [(1, {"a": 1}), (1, "cut-short")]),
        (b'[{"a": 1},\n{"b": "[}', [(1, {"a": 1}), (2, "cut-short")]),
        (b'[{"a": 1}', [(1, {"a": 1}), (1, "cut-short")]),
        (b'[{"a": 1}\n{"b": 2}]', [(1, {"a": 1}), (1, "json-syntax"), (2, {"b": 2})]),
        (b'[{"a": 1}, 7,\n{"b": 2}]', [(1, {"a": 1}), (1, "json-syntax"), (2, {"b": 2})]),
        (b'[{"a": 1},]', [(1, {"a": 1}), (1, "json-syntax")]),
        (b'[{"a": 1}]\n[{"b": 2}]', [(1, {"a": 1}), (2, "json-syntax")]),
        (b'[{"a": 1}]\n[' + b'{"b": 2},' * 20 + b'{"c": 3}]', [(1, {"a": 1}), (2, "json-syntax")]),
        (b'[{"a": 1}]' + b"\n" * 100, [(1, {"a": 1})]),
        (b'[{"a": NaN},\n{"a": 1, "a": 2},\n{"a": 3}]', [(1, "json-value"), (2, "json-value"), (3, {"a": 3})]),
        (b'[{"a": "\xe9"},\n{"b": 2}]', [(1, "encoding"), (2, {"b": 2})]),
        (b'[{"a": "' + b"x" * 99 + b'"},\n{"b": 2}]', [(1, "too-large"), (2, {"b": 2})]),
        (
            b'{"a": 1}\n{"b": \n{"c": 3}\r\n\n{"d": "\xff"}\n',
            [(1, {"a": 1}), (2, "json-syntax"), (3, {"c": 3}), (5, "encoding")],
        ),
        (b"[" * 40_000 + b"]" * 40_000, [(1, "too-large")]),
    ],
)
def test_what_is_no_value_is_told_with_its_line_and_the_rest_is_read(data: bytes, expected: list[Any]) -> None:
    found = read_values([data], "x", 90)
    assert [(each.line, each.content if isinstance(each, Value) else each.code) for each in found] == expected


def test_an_element_beyond_the_limit_is_never_held() -> None:
    def endless() -> Iterator[bytes]:
        yield b'[{"a": "'
        for _ in range(200):
            yield b"\\u0041" * 1000
        yield b'"}, {"b": 2}]'

    big, fine = split_list(endless(), "x", 10_000)
    assert isinstance(big, Finding)
    assert "has 1,200,009 bytes" in big.message
    assert fine == Piece(1, b'{"b": 2}')


def test_what_follows_the_list_is_told_with_its_size() -> None:
    (lost,) = split_list([b"[]\n\n", b'  {"a": 1}', b'\n{"b": 2}'], "x", 9)
    assert isinstance(lost, Finding)
    assert lost.line == 3
    assert "17 bytes" in lost.message


def test_a_file_of_blanks_is_never_held() -> None:
    blanks = (b" " * 1_000_000 for _ in range(30))
    tracemalloc.start()
    try:
        (too_large,) = read_values(blanks, "x", 2000)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(too_large, Finding)
    assert "30,000,000 bytes" in too_large.message
    assert most < 10_000_000


@pytest.mark.parametrize("data", ["[{}]".encode("utf-16"), "[{}]".encode("utf-16-le"), b"\0\0\0\0"])
def test_utf_16_is_refused_with_what_turns_it_into_utf_8(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(data)
    with pytest.raises(DocumentError, match="UTF-16") as refused:
        list(read_parts(path))
    assert "iconv" in refused.value.hint


def test_damaged_gzip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.json.gz"
    path.write_bytes(b"\x1f\x8b\x08\0\0\0\0\0\0\0broken")
    with pytest.raises(DocumentError, match="gzip"):
        list(read_parts(path))


def rows(data: bytes) -> list[Any]:
    found = Table([data], "x.csv", 400).dialogues("id")
    return [
        (each.line, [row["text"] for row in each.content]) if isinstance(each, Value) else (each.line, each.code)
        for each in found
    ]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"id,text\n1,a\n1,b\n2,c\n", [(2, ["a", "b"]), (4, ["c"])]),
        (b'id,text\r\n1,"a\nb"\r\n2,c', [(2, ["a\nb"]), (4, ["c"])]),
        (b"id,text\n1,a\n1,b,x\n1,c\n2,d\n", [(3, "csv"), (2, "torn"), (5, ["d"])]),
        (b"id,text\n1,a\n2\n3,c\n4,d\n", [(3, "csv"), (2, "torn"), (4, "torn"), (5, ["d"])]),
        (b"id,text\n1,\xe9\n2,c\n3,d\n", [(2, "encoding"), (3, "torn"), (4, ["d"])]),
        (b"id,text\n1,a\n2," + b"x" * 500 + b"\n3,c\n4,d", [(3, "too-large"), (2, "torn"), (4, "torn"), (5, ["d"])]),
        (b'id,text\n1,a\n2,"c\n3,d\n', [(3, "csv"), (2, "torn")]),
        (b"id,text\n" + b"1,aaaaaaaaa\n" * 50 + b"2,b\n", [(2, "too-large"), (52, ["b"])]),
        (b"id,text\n" + b",\n" * 50 + b"2,b\n", [(2, "too-large"), (52, ["b"])]),
    ],
)
def test_a_row_that_cannot_be_read_takes_along_the_dialogues_that_it_may_belong_to(
    data: bytes, expected: list[Any]
) -> None:
    assert rows(data) == expected


def test_a_quote_that_is_never_closed_does_not_swallow_the_file() -> None:
    data = b'id,text\n1,a\n2,"b\n' + b"3,cccccccccccccccc\n" * 20_000 + b"4,d\n5,e\n"
    found = rows(data)
    assert found[-1] == (20_005, ["e"])
    assert (3, "csv") in found
