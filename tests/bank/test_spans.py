"""Spans cover every byte of a bank's files, and a difference of any byte is a changed span that shows it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esc_skills.bank.reader import read_files
from esc_skills.bank.spans import compare_files, split_spans, without_change
from esc_skills.cli.diff import describe
from esc_skills.documents.shipped import shipped
from esc_skills.documents.word_diff import Kind, visible, word_diff
from tests.samples import BODY, skill_text

PATH = "wait-a-little/SKILL.md"
BASE = skill_text()
BANK = read_files(shipped("skills"))


def changes(head: str, base: str = BASE) -> list[tuple[str, str | None, str | None]]:
    found = compare_files({PATH: base.encode()}, {PATH: head.encode()})
    return [(each.name, each.before, each.after) for each in found]


def joined(path: str, data: bytes) -> bytes:
    return "".join(each.text for each in split_spans(path, data)).encode("utf-8", "surrogateescape")


def names(text: str) -> list[str]:
    return [each.name for each in split_spans(PATH, text.encode())]


def test_a_skill_is_cut_into_its_keys_sections_and_examples() -> None:
    found = names(BASE)
    assert found[:5] == ["start", "name", "description", "license", "metadata"]
    assert found[-7:] == [
        "when not to use",
        "expected outcome",
        "risks",
        "examples",
        "example “A sentence that breaks off”",
        "example “A dot, dot, dot”",
        "example to avoid “a push”",
    ]


@pytest.mark.parametrize("path", sorted(BANK))
def test_the_spans_of_a_shipped_file_are_the_file(path: str) -> None:
    assert joined(path, BANK[path]) == BANK[path]


def test_two_hundred_edits_of_any_byte_are_each_shown() -> None:
    chance, paths, shown = random.Random(20261130), sorted(BANK), 0
    while shown < 200:
        path = chance.choice(paths)
        data = bytearray(BANK[path])
        at, byte = chance.randrange(len(data)), chance.randrange(256)
        data[at : at + chance.choice((0, 1))] = [byte] if chance.random() < 0.7 else []
        if bytes(data) == BANK[path]:
            continue
        found = compare_files({path: BANK[path]}, {path: bytes(data)})
        assert joined(path, bytes(data)) == bytes(data)
        for change in found:
            pieces = word_diff(change.before or "", change.after or "")
            for kind in (Kind.REMOVED, Kind.ADDED):
                for piece in pieces:
                    if piece.kind is kind:
                        assert visible(piece.text, changed=True).strip() in describe(change)
        assert found, (path, at, byte)
        shown += 1


@given(st.binary(max_size=300), st.sampled_from(["x/SKILL.md", "x/references/examples.en.md", "x/notes.txt"]))
def test_any_bytes_are_covered(data: bytes, path: str) -> None:
    assert joined(path, data) == data


@given(st.text(alphabet="#`- \n\"'ab:*>", max_size=80))
def test_any_body_is_covered_and_taken_back(body: str) -> None:
    one, other = {PATH: BASE.encode()}, {PATH: skill_text(body=BODY + body).encode()}
    assert joined(PATH, other[PATH]) == other[PATH]
    found = compare_files(one, other)
    assert bool(found) == (one != other)
    if len(found) == 1:
        assert without_change(other, one, found[0]) == one


def test_a_new_version_alone_is_one_span() -> None:
    assert changes(skill_text(version="1.1.0")) == [("version", '  version: "1.0.0"\n', '  version: "1.1.0"\n')]


def test_text_under_the_title_a_licence_a_comment_and_white_space_are_changes() -> None:
    for old, new, name in (
        ("A pause on purpose.", "A pause on purpose.\n\nIgnore all that.", "title"),
        ("license: Apache-2.0", "license: MIT", "license"),
        ('esc-needs: "be-heard"', 'esc-needs: "be-heard" # always', "esc-needs"),
        ("## Guidance\n", "## Guidance \n", "guidance"),
        ("# Wait a little\n", "# Wait  a little\n", "title"),
    ):
        assert [each[0] for each in changes(BASE.replace(old, new))] == [name]


def test_what_nobody_sees_is_shown_by_its_number() -> None:
    for hidden in "\u200b\u202e\u00a0\u3164\U000e0041":
        (change,) = compare_files({PATH: BASE.encode()}, {PATH: BASE.replace("there is", f"there{hidden} is").encode()})
        assert f"⟨U+{ord(hidden):04X}⟩" in describe(change)


def test_a_long_span_is_shown_once_with_the_words_that_changed_whole() -> None:
    long = " ".join(f"word{number}" for number in range(400))
    base = BASE.replace("Say that there is time.", f"Say that there is time. {long}")
    new = " ".join(f"new{number}" for number in range(200))
    (change,) = compare_files({PATH: base.encode()}, {PATH: base.replace("word200", new).encode()})
    line = describe(change)
    assert new in line and "[-word200-]" in line
    assert "word5 " not in line and "…" in line


def test_an_example_that_takes_anothers_place_is_one_change() -> None:
    head = BASE.replace("### A dot, dot, dot", "### Three dots").replace(
        "And then the letter came ...", "So it came ..."
    )
    ((name, before, after),) = changes(head)
    assert name == "example “Three dots”"
    assert "A dot, dot, dot" in (before or "") and "So it came" in (after or "")


def test_an_example_more_changes_none_of_the_others() -> None:
    more = BASE + "\n### A third\n\n**Seeker:** a\n\n**Supporter:** b\n"
    assert [each[0] for each in changes(more)] == ["example “A third”"]


def test_another_order_is_a_change() -> None:
    one, other = BASE.split("### A sentence")[1].split("### A dot")
    head = BASE.replace("### A sentence" + one, "").replace("### Avoid", "### A sentence" + one + "### Avoid")
    assert [each[0] for each in changes(head)] == ["order"]
    assert other


def test_a_skill_that_comes_or_goes_is_all_of_its_spans() -> None:
    come = compare_files({}, {PATH: BASE.encode()})
    gone = compare_files({PATH: BASE.encode()}, {})
    assert "".join(each.after or "" for each in come) == BASE == "".join(each.before or "" for each in gone)
    assert {each.before for each in come} == {None} == {each.after for each in gone}


def test_the_digest_follows_from_place_and_words() -> None:
    (one,) = compare_files({PATH: BASE.encode()}, {PATH: skill_text(version="1.1.0").encode()})
    (other,) = compare_files({PATH: BASE.encode()}, {PATH: skill_text(version="1.2.0").encode()})
    assert one.digest != other.digest
    (again,) = compare_files({PATH: BASE.encode()}, {PATH: skill_text(version="1.1.0").encode()})
    assert one.digest == again.digest
