"""The power curves of a calibration as an SVG, readable on light and dark ground, and equal for equal figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

_WIDTH, _HEIGHT = 880, 440
_LEFT, _TOP, _PANEL_WIDTH, _PANEL_HEIGHT, _GAP = 56, 58, 360, 270, 70
_TICKS = (0, 2, 4, 6, 8, 10, 12, 14)
_SHARES = (0, 20, 40, 60, 80, 100)
#: What has to be found how often: at an effect in points, within a budget of draws.
_BARS = {200: (8, 80), 400: (5, 80)}
_COLOURS = ("#3b82d6", "#e07b00", "#2a9d4a")
_STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-weight: 600; font-size: 15px }
  .axis { stroke: #57606a; fill: none } .grid { stroke: #8c959f; stroke-opacity: .25 }
  .ground { fill: #ffffff } .line { fill: none; stroke-width: 2 } .rerun { stroke-dasharray: 6 4 }
  .bar { stroke: #cf222e; stroke-width: 2; fill: none }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .ground { fill: #0d1117 } .axis { stroke: #8d96a0 } .bar { stroke: #ff7b72 }
  }
"""


def draw_power(curves: Sequence[Mapping[str, Any]]) -> str:
    """Return the plot: a panel for each budget of draws, a colour for each threshold, dashes where the chance is not shared.

    Args:
        curves: As `result.json` holds them.
    """
    budgets = sorted({curve["draws"] for curve in curves})
    thresholds = list(dict.fromkeys((curve["index"], curve["accepted_before"]) for curve in curves))
    colours = dict(zip(thresholds, _COLOURS, strict=True))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" role="img">',
        "<title>Share of proposals that are accepted, by their effect</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="ground" width="{_WIDTH}" height="{_HEIGHT}"/>',
        _text(_LEFT, 24, "Share of proposals that are accepted, by planted effect in points", "title"),
    ]
    for at, budget in enumerate(budgets):
        own = [curve for curve in curves if curve["draws"] == budget]
        parts += _panel(_LEFT + at * (_PANEL_WIDTH + _GAP), budget, own, colours)
    parts += _legend(curves, colours)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(
    left: int, budget: int, curves: Sequence[Mapping[str, Any]], colours: Mapping[tuple[int, int], str]
) -> Iterator[str]:
    bottom = _TOP + _PANEL_HEIGHT
    yield _text(left, _TOP - 12, f"within {budget} draws")
    for share in _SHARES:
        y = _y(share)
        yield f'<path class="grid" d="M{left} {y}H{left + _PANEL_WIDTH}"/>'
        yield _text(left - 8, y + 4, f"{share} %", anchor="end")
    for tick in _TICKS:
        yield _text(_x(left, tick), bottom + 18, str(tick), anchor="middle")
    yield f'<path class="axis" d="M{left} {_TOP}V{bottom}H{left + _PANEL_WIDTH}"/>'
    for curve in curves:
        points = " ".join(f"{_x(left, each['planted'])},{_y(100 * each['power'])}" for each in curve["points"])
        kind = "line rerun" if curve["noise"] == "rerun" else "line"
        colour = colours[curve["index"], curve["accepted_before"]]
        yield f'<polyline class="{kind}" stroke="{colour}" points="{points}"/>'
    if budget in _BARS:
        effect, share = _BARS[budget]
        x, y = _x(left, effect), _y(share)
        yield f'<path class="bar" d="M{x - 6} {y}H{x + 6}M{x} {y - 6}V{y + 6}"/>'


def _legend(curves: Sequence[Mapping[str, Any]], colours: Mapping[tuple[int, int], str]) -> Iterator[str]:
    y = _TOP + _PANEL_HEIGHT + 48
    thresholds = {(each["index"], each["accepted_before"]): each["threshold"] for each in curves}
    for at, ((index, accepted), colour) in enumerate(colours.items()):
        before = f" after {accepted} accepted" if index > 1 else ""
        words = f"proposal {index}{before}: threshold {thresholds[index, accepted]:g}"
        yield from _entry(_LEFT, y + 22 * at, f'class="line" stroke="{colour}"', words)
    right = _LEFT + _PANEL_WIDTH + _GAP
    yield from _entry(right, y, 'class="axis" stroke-width="2"', "changes as of edits: the arms share chance")
    yield from _entry(right, y + 22, 'class="axis rerun" stroke-width="2"', "as of two runs of the base: none shared")
    yield f'<path class="bar" d="M{right + 8} {y + 40}h12m-6 -6v12"/>'
    yield _text(right + 36, y + 44, "asked of the first threshold")


def _entry(x: int, y: int, look: str, words: str) -> Iterator[str]:
    yield f'<path {look} d="M{x} {y - 4}h28"/>'
    yield _text(x + 36, y, words)


def _text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x}" y="{y}" text-anchor="{anchor}">{escape(words)}</text>'


def _x(left: int, points: float) -> float:
    return round(left + _PANEL_WIDTH * points / 15, 1)


def _y(percent: float) -> float:
    return round(_TOP + _PANEL_HEIGHT * (1 - percent / 100), 1)
