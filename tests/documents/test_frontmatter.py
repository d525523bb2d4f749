"""Front matter and sections of a Markdown file, each with its line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esc_skills.documents.frontmatter import split_front_matter, split_sections
from esc_skills.errors import DocumentError


def test_a_file_is_split_at_its_front_matter() -> None:
    front = split_front_matter("---\na: 1\nb: 2\n---\n\n# Title\n", "x.md")
    assert (front.yaml, front.yaml_line) == ("a: 1\nb: 2\n", 2)
    assert (front.body, front.body_line) == ("\n# Title\n", 5)


def test_dashes_inside_a_value_do_not_close_it() -> None:
    front = split_front_matter("---\na: one --- two\nb: |\n  ---\n---\nbody", "x.md")
    assert front.yaml == "a: one --- two\nb: |\n  ---\n"
    assert front.body == "body"


def test_a_byte_order_mark_and_spaces_after_the_dashes_can_be_read() -> None:
    assert split_front_matter("\ufeff--- \na: 1\n---\t\nbody", "x.md").yaml == "a: 1\n"


def test_windows_line_ends_can_be_read() -> None:
    front = split_front_matter("---\r\na: 1\r\n---\r\nbody\r\n", "x.md")
    assert (front.yaml, front.body) == ("a: 1\r\n", "body\r\n")


@pytest.mark.parametrize("text", ["", "\n---\na: 1\n---\n", "# Title\n", " ---\na: 1\n---\n", "---a: 1\n---\n"])
def test_a_file_without_front_matter_is_refused_on_line_one(text: str) -> None:
    with pytest.raises(DocumentError, match=r"x\.md:1: front-matter: does not start"):
        split_front_matter(text, "x.md")


@pytest.mark.parametrize("text", ["---\na: 1\n", "---", "---\na: 1\n ---\n", "---\na: 1\n----\n"])
def test_a_front_matter_that_is_not_closed_is_refused(text: str) -> None:
    with pytest.raises(DocumentError, match=r"x\.md:1: front-matter: is not closed"):
        split_front_matter(text, "x.md")


def test_a_body_is_split_at_its_headings_with_their_lines() -> None:
    sections = split_sections("intro\n\n# One\n\ntext\n\n### Two ###\nmore\n", 5)
    assert [(each.level, each.title, each.text, each.line, each.first_line) for each in sections] == [
        (0, "", "intro", 5, 5),
        (1, "One", "text", 7, 9),
        (3, "Two", "more", 11, 12),
    ]


def test_a_heading_in_a_fenced_block_is_text() -> None:
    sections = split_sections("## Code\n```sh\n## no heading\n~~~\n```\n## After\n", 1)
    assert [each.title for each in sections] == ["Code", "After"]
    assert "## no heading" in sections[0].text


def test_a_longer_fence_holds_a_shorter_one() -> None:
    titles = [each.title for each in split_sections("````\n```\n# no\n```\n````\n# yes\n", 1)]
    assert titles == ["", "yes"]


def test_what_only_looks_like_a_heading_is_text() -> None:
    assert [each.level for each in split_sections("#hash\n####### seven\n    # code\n", 1)] == [0]


def test_a_title_keeps_the_hash_that_belongs_to_it() -> None:
    assert [each.title for each in split_sections("# C#\n## F# ##\n", 1)] == ["C#", "F#"]


words = st.text(st.sampled_from("abc xyz"), min_size=1, max_size=10).filter(str.strip)


@given(st.lists(st.tuples(st.integers(1, 6), words, st.lists(words, max_size=3)), max_size=6))
def test_sections_point_at_their_own_lines(parts: list[tuple[int, str, list[str]]]) -> None:
    body = "".join(f"{'#' * level} {title}\n\n" + "".join(f"{line}\n" for line in text) for level, title, text in parts)
    lines = body.split("\n")
    for section in split_sections(body, 1):
        assert lines[section.line - 1].lstrip("#").strip() == section.title
        if section.text:
            assert lines[section.first_line - 1].strip() == section.text.split("\n")[0].strip()


@given(st.text(max_size=60), st.text(st.sampled_from("ab:-\n "), max_size=60))
def test_a_file_that_splits_is_made_of_its_two_parts(body: str, yaml: str) -> None:
    text = f"---\n{yaml}\n---\n{body}"
    front = split_front_matter(text, "x.md")
    lines = text.split("\n")
    assert "\n".join(lines[front.body_line - 1 :]) == front.body
    assert "\n".join(lines[1 : front.body_line - 2]) + "\n" == front.yaml
