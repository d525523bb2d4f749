"""Tables on a narrow screen."""

from __future__ import annotations

import pytest

from esc_skills.cli.output import show_table

COLUMNS = ("skill", *(f"column-{at}" for at in range(8)))
ROWS = [("stay-with-a-long-name-that-no-line-may-break", *range(10, 18)), ("short", *range(20, 28))]


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")


@pytest.mark.usefixtures("narrow")
def test_a_table_wider_than_the_screen_is_shown_in_parts_that_all_name_their_rows(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_table("a title that is longer than the table", COLUMNS, ROWS)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    shown = "\n".join(lines)
    parts = shown.count("skill ")
    assert parts > 1
    assert shown.count(ROWS[0][0]) == parts and shown.count("short") == parts
    for column, *cells in zip(COLUMNS[1:], *(row[1:] for row in ROWS), strict=True):
        assert column in shown
        assert all(shown.count(str(cell)) == 1 for cell in cells)


@pytest.mark.usefixtures("narrow")
def test_a_table_that_fits_stands_in_one_piece(capsys: pytest.CaptureFixture[str]) -> None:
    show_table("two", COLUMNS[:3], [row[:3] for row in ROWS])
    assert capsys.readouterr().out.count("skill ") == 1


def test_a_title_is_not_broken_at_the_width_of_its_table(capsys: pytest.CaptureFixture[str]) -> None:
    show_table("labels without a word of ours", ("what", "count"), [("a", 1)])
    assert "labels without a word of ours\n" in capsys.readouterr().out
