"""YAML as the tools read it: strictly, within bounds, and with the line of every value."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esc_skills.documents.yaml import escape_pointer, parse_yaml
from esc_skills.errors import DocumentError

BOMB = "a: &a [x, x]\n" + "".join(
    f"{new}: &{new} [*{old}, *{old}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


def refusal(text: str, **options: Any) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        parse_yaml(text, "file.yaml", **options)
    return caught.value


def test_plain_values_become_numbers_booleans_and_text() -> None:
    document = parse_yaml("count: 3\nratio: 0.5\nyes: true\nword: three\nnothing:\nlist:\n- a\n- 2\n", "file.yaml")
    assert document.value == {
        "count": 3,
        "ratio": 0.5,
        "yes": True,
        "word": "three",
        "nothing": None,
        "list": ["a", 2],
    }


def test_quoted_and_block_values_stay_text_and_are_told_from_plain_ones() -> None:
    document = parse_yaml("a: '3'\nb: \"true\"\nc: |\n  4\nd: 5\n", "file.yaml")
    assert document.value == {"a": "3", "b": "true", "c": "4\n", "d": 5}
    assert document.quoted == {"/a", "/b", "/c"}


def test_everything_stays_text_where_it_is_asked_for() -> None:
    assert parse_yaml("no: 1.10\nwhen: 2026-01-02\n", "file.yaml", as_text=True).value == {
        "no": "1.10",
        "when": "2026-01-02",
    }


def test_a_quoted_merge_key_is_a_plain_word() -> None:
    assert parse_yaml("'<<': 1\n", "file.yaml").value == {"<<": 1}


def test_an_empty_document_is_none() -> None:
    assert parse_yaml("", "file.yaml").value is None
    assert parse_yaml("# only a comment\n", "file.yaml").value is None


def test_each_value_knows_its_line_in_the_file_that_holds_it() -> None:
    document = parse_yaml("a:\n  b/c:\n  - x\n  - y~z: 1\n", "file.md", first_line=10)
    assert document.lines == {"": 10, "/a": 11, "/a/b~1c": 12, "/a/b~1c/0": 12, "/a/b~1c/1": 13, "/a/b~1c/1/y~0z": 13}


def test_flow_style_is_noticed() -> None:
    assert parse_yaml("a: [1, 2]\nb:\n  c: {d: 1}\n", "file.yaml").flow == {"/a", "/b/c"}


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        pytest.param("a: 1\nb: 2\na: 3\n", "yaml-repeated-key", 3, id="a repeated key"),
        pytest.param("a: &x 1\nb: *x\n", "yaml-alias", 1, id="an anchor"),
        pytest.param("&x a: 1\n", "yaml-alias", 1, id="an anchor on a key"),
        pytest.param("a: 1\nb: *x\n", "yaml-alias", 2, id="an alias"),
        pytest.param("a: !!python/object:os.system x\n", "yaml-tag", 1, id="a tag"),
        pytest.param("!!int a: x\n", "yaml-tag", 1, id="a tag on a key"),
        pytest.param("a: 1\n---\nb: 2\n", "yaml-documents", 2, id="a second document"),
        pytest.param("a: 1\n? [b, c]\n: 2\n", "yaml-key", 2, id="a list as a key"),
        pytest.param("a: 1\n<<: {b: 2}\n", "yaml-key", 2, id="a merge key"),
        pytest.param("a: 1\nb: x: y\n", "yaml-syntax", 2, id="an unquoted colon"),
        pytest.param("a: 1\n\tb: 2\n", "yaml-syntax", 2, id="a tab as indentation"),
        pytest.param("a: \x07\n", "yaml-syntax", 1, id="a control character"),
        pytest.param("a: 1\nb: 2026-13-45\n", "yaml-value", 2, id="a day that does not exist"),
        pytest.param("a: " + "9" * 5000 + "\n", "yaml-value", 1, id="a number of 5,000 digits"),
        pytest.param("a: 0x" + "f" * 5000 + "\n", "yaml-value", 1, id="a hexadecimal number of 5,000 digits"),
        pytest.param("a: " + "[" * 21 + "]" * 21 + "\n", "yaml-depth", 1, id="a level too deep"),
        pytest.param(BOMB, "yaml-alias", 1, id="an alias bomb"),
    ],
)
def test_what_is_not_allowed_is_refused_by_name_and_line(text: str, code: str, line: int) -> None:
    error = refusal(text)
    assert (error.code, error.line) == (code, line)
    assert str(error).startswith(f"file.yaml:{line}: {code}: ")


@pytest.mark.parametrize("levels", [100, 3_000, 100_000])
def test_nesting_far_beyond_the_bound_is_refused_whoever_stops_first(levels: int) -> None:
    # From some depth on, a release of PyYAML may give up before ours does; which depth is its own affair.
    error = refusal("a: " + "[" * levels + "]" * levels + "\n")
    assert error.code in ("yaml-depth", "yaml-syntax")
    assert error.line == 1


def test_a_line_counts_from_where_the_front_matter_stands() -> None:
    assert refusal("a: 1\nb: x: y\n", first_line=2).line == 3


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a: 1" + ":1" * 200_000 + "\n", id="a number to the base of 60 with 200,000 places"),
        pytest.param("[" * 400_000, id="400,000 open brackets"),
        pytest.param("- " * 200_000, id="200,000 open lists"),
        pytest.param("? " * 200_000, id="200,000 open keys"),
        pytest.param("a: '" + "x" * 900_000, id="a quote that never ends"),
    ],
)
def test_an_attack_is_refused_at_once(text: str) -> None:
    started = time.process_time()
    refusal(text)
    assert time.process_time() - started < 3


keys = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=8)
trees: st.SearchStrategy[Any] = st.recursive(
    st.integers(-9, 9),
    lambda inner: st.one_of(
        st.dictionaries(keys, inner, min_size=1, max_size=3), st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


def write_block(value: Any, pointer: str, indent: int, lines: list[str], expected: dict[str, int]) -> None:
    """Write a tree one value a line, noting for each scalar the line it went to."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in items:
        below = f"{pointer}/{escape_pointer(str(key))}"
        mark = f"{json.dumps(key, ensure_ascii=False)}:" if isinstance(value, dict) else "-"
        if isinstance(each, int):
            lines.append(f"{' ' * indent}{mark} {each}")
            expected[below] = len(lines)
        else:
            lines.append(f"{' ' * indent}{mark}")
            write_block(each, below, indent + 2, lines, expected)


@given(st.dictionaries(keys, trees, min_size=1, max_size=4))
def test_every_pointer_of_any_tree_has_the_line_that_it_was_written_on(tree: dict[str, Any]) -> None:
    lines: list[str] = []
    expected: dict[str, int] = {}
    write_block(tree, "", 0, lines, expected)
    document = parse_yaml("\n".join(lines) + "\n", "file.yaml")
    assert document.value == tree
    assert {pointer: document.lines[pointer] for pointer in expected} == expected
