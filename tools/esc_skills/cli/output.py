"""What all commands share in showing: the format option, JSON, tables, and progress on standard error."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import click

#: Seconds between two drawings of a progress line.
_REDRAW = 0.2
#: Of a table, in characters: what is left to the first column at least, what stands between two, and at both edges.
_LEAST, _GAP, _EDGES = 30, 3, 2

format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to show the result.",
)


def say(text: str, *, err: bool = False, bold: bool = False, fg: str | None = None) -> None:
    """Print one line, of which a part may come from strangers; plain where NO_COLOR is set."""
    plain = bool(os.environ.get("NO_COLOR"))
    click.secho(printable(text), err=err, bold=(bold and not plain) or None, fg=None if plain else fg)


def printable(text: str) -> str:
    """Return text without line ends, and with a � for each escape sequence and whatever else cannot be printed."""
    return "".join(each if each.isprintable() else "\ufffd" for each in " ".join(text.splitlines()))


def show_json(value: Any) -> None:
    """Print a value as JSON for other programs."""
    text = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)
    # A file name that is no UTF-8 becomes a JSON escape instead of ending the program.
    click.echo(text.encode("utf-8", "backslashreplace").decode())


def show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table whose first column is text and whose others are numbers.

    Where the screen is too narrow for all, the columns are shown in parts, one below the other, each with the first.
    """
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=120)
    cells = [tuple(columns), *(tuple(printable(str(cell)) for cell in row) for row in rows)]
    if title:
        console.print(Text(printable(title), style="bold"))
    for part in _parts(cells, console.width):
        console.print(_table([[row[0], *(row[at] for at in part)] for row in cells]))


def _table(cells: Sequence[Sequence[str]]) -> Any:
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table(box=SIMPLE, pad_edge=False)
    for index, column in enumerate(cells[0]):
        table.add_column(column, justify="right" if index else "left", no_wrap=index > 0, overflow="fold")
    for row in cells[1:]:
        table.add_row(*row)
    return table


def _parts(cells: Sequence[Sequence[str]], width: int) -> list[list[int]]:
    """Return which columns of numbers stand together, so that each part leaves the first column enough to be read."""
    from rich.cells import cell_len

    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    longest = max((cell_len(word) for row in cells for word in row[0].split()), default=0)
    room = width - _EDGES - min(widths[0], max(_LEAST, min(longest, width // 2)))
    parts: list[list[int]] = [[]]
    left = room
    for at, needed in enumerate(widths[1:], 1):
        if left < needed + _GAP and parts[-1]:
            parts.append([])
            left = room
        parts[-1].append(at)
        left -= needed + _GAP
    return parts


def one_decimal(value: float | None, *, signed: bool = False) -> str:
    """Return a number with one decimal, a half rounded up as published tables are, or a dash for None."""
    if value is None:
        return "–"
    rounded = Decimal(repr(value)).quantize(Decimal("0.1"), ROUND_HALF_UP) + 0  # adding 0 takes the sign off a zero
    return f"{rounded:+}" if signed else str(rounded)


class ProgressLine:
    """A line on standard error that counts up and never looks hung, where that is a terminal; silent elsewhere.

    Args:
        what: What is counted.
        status: What else is going on, asked for each time that the line is drawn.
    """

    def __init__(self, what: str, status: Callable[[], str] = lambda: "") -> None:
        self._what, self._status = what, status
        self._counted = ""
        self._started = time.monotonic()
        self._over = threading.Event()
        self._drawing = threading.Thread(target=self._draw_until_over, daemon=True)

    def __enter__(self) -> Callable[[int, int], None]:
        if sys.stderr.isatty():
            self._drawing.start()
        return self.update

    def update(self, done: int, total: int) -> None:
        """Show that `done` of `total` are done."""
        self._counted = f"{done:,} of {total:,}"

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._drawing.is_alive():
            self._drawing.join()
            click.echo("\r\033[K", nl=False, err=True)

    def _draw_until_over(self) -> None:
        while not self._over.wait(_REDRAW):
            seconds = int(time.monotonic() - self._started)
            parts = [f"{self._what}: {self._counted}".strip(": "), f"{seconds // 60}:{seconds % 60:02}", self._status()]
            line = " · ".join(part for part in parts if part)
            width = os.get_terminal_size(sys.stderr.fileno()).columns - 1
            click.echo(f"\r{line[:width]}\033[K", nl=False, err=True)
