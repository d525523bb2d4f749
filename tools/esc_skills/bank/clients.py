"""What a model sees of a bank's catalogue in a client: some show all of it, others cut descriptions or leave them out.

The figures are data (`data/clients.yaml`), each with the version that it was measured on and how.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from esc_skills.documents.schema import check_schema, suggest
from esc_skills.documents.text import read_text
from esc_skills.documents.yaml import parse_yaml
from esc_skills.errors import DocumentError, InputError

_DATA = Path(__file__).parent / "data" / "clients.yaml"
_CONTEXT = re.compile(r"(\d{1,8})([km]?)", flags=re.IGNORECASE)
_UNITS = {"": 1, "k": 1_000, "m": 1_000_000}
#: How many characters are a token to a client that counts in tokens.
_TOKEN = 4
_DOTS = "..."


class Overflow(StrEnum):
    """What a client does with a catalogue over its budget; see `data/clients.yaml`."""

    NAMES = "names"
    SHORTEN = "shorten"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Client:
    """How a client shows skills to a model.

    Attributes:
        name: What it is called.
        version: The version that was measured; source: how.
        context: The context that is assumed where none is given, in tokens.
        line: How it writes a skill; bare: one without its description.
        in_tokens: Whether its budget counts tokens rather than characters.
        share: Its budget for each token of the context; fixed: its budget whatever the context; neither for none.
        own: What its own skills take of the budget, in the budget's unit; own_lines: for each of them the characters without
            the description, and of the description.
        overflow: What it does over its budget.
        cut: The most characters that it shows of a description.
    """

    name: str
    version: str
    source: str
    context: int
    line: str
    bare: str = ""
    in_tokens: bool = False
    share: float | None = None
    fixed: int | None = None
    own: int = 0
    own_lines: tuple[tuple[int, int], ...] = ()
    overflow: Overflow | None = None
    cut: int | None = None

    def budget(self, context: int) -> int | None:
        """Return how much of a catalogue it shows to a model with a context of some tokens; None where all is shown."""
        return self.fixed if self.share is None else int(self.share * context)


@dataclass(frozen=True, slots=True)
class View:
    """What a model sees of a catalogue in a client.

    Attributes:
        client: The client; context: the model's, in tokens.
        budget: What it shows at most, its own skills included; None where there is no bound.
        lines: The catalogue as it is shown, a skill each.
        whole: The names of the skills with their whole description; cut: with a part of it; bare: with their name alone;
            missing: with nothing.
        size: What the whole catalogue would take of the budget, the client's own skills aside.
    """

    client: Client
    context: int
    budget: int | None
    lines: tuple[str, ...]
    whole: tuple[str, ...]
    cut: tuple[str, ...]
    bare: tuple[str, ...]
    missing: tuple[str, ...]
    size: int

    @property
    def is_over(self) -> bool:
        """Whether the catalogue alone, without the client's own skills, passes the budget."""
        return self.budget is not None and self.size > self.budget


@cache
def load_clients() -> Mapping[str, Client]:
    """Return the clients whose way of showing skills is known, by name.

    Raises:
        DocumentError: The data departs from its schema.
    """
    document = parse_yaml(read_text(_DATA), str(_DATA))
    for finding in check_schema(document.value, "clients", str(_DATA), document.lines):
        raise DocumentError(str(_DATA), finding.line, finding.code, finding.message, "see schemas/clients.schema.json")
    return {name: _client(name, value) for name, value in document.value.items()}


def _client(name: str, value: Mapping[str, Any]) -> Client:
    fields = {key: each for key, each in value.items() if key not in ("unit", "own_lines", "overflow")}
    lines = tuple((fixed, said) for fixed, said in value.get("own_lines", ()))
    overflow = Overflow(str(value["overflow"])) if "overflow" in value else None
    return Client(name, own_lines=lines, overflow=overflow, in_tokens=value.get("unit") == "tokens", **fields)


def parse_client(text: str) -> tuple[Client, int]:
    """Return the client and the context that a text like `claude-code:200k` names.

    Raises:
        InputError: There is no such client, or the context is no number of tokens.
    """
    name, _, asked = text.partition(":")
    clients = load_clients()
    if name not in clients:
        raise InputError(f"no client {name!r} is known{suggest(name, list(clients))}", f"one of {', '.join(clients)}")
    number = _CONTEXT.fullmatch(asked) if asked else None
    if asked and (number is None or not int(number[1])):
        raise InputError(f"{asked!r} is no context", "give tokens, such as 200000 or 200k")
    client = clients[name]
    return client, int(number[1]) * _UNITS[number[2].lower()] if number else client.context


def view_catalogue(client: Client, context: int, catalogue: Mapping[str, str]) -> View:
    """Return what a model sees of a catalogue.

    Args:
        client: The client.
        context: The model's context, in tokens.
        catalogue: The descriptions by name.
    """
    names, budget = sorted(catalogue), client.budget(context)
    size = sum(_cost(client, _line(client, name, catalogue[name])) for name in names)
    shown = {name: _shortened(client, catalogue[name]) for name in names}
    own = client.own + sum(_cost(client, "x" * (fixed + bool(said) + said)) for fixed, said in client.own_lines)
    if budget is not None and own + size > budget and client.overflow in (Overflow.NAMES, Overflow.SHORTEN):
        fit = _names_last if client.overflow is Overflow.NAMES else _shorten_alike
        shown = fit(client, budget, {name: catalogue[name] for name in names})
    lines = tuple(_line(client, name, text) for name, text in shown.items())
    whole = tuple(name for name, text in shown.items() if text == catalogue[name])
    bare = tuple(name for name, text in shown.items() if not text)
    cut = tuple(name for name in shown if name not in (*whole, *bare))
    missing = tuple(name for name in names if name not in shown)
    return View(client, context, budget, lines, whole, cut, bare, missing, size)


def _line(client: Client, name: str, description: str) -> str:
    form = client.line if description or not client.bare else client.bare
    return form.format(name=name, description=description)


def _cost(client: Client, line: str) -> int:
    """Return what a line takes of a budget, with its line end."""
    return -(-(len(line) + 1) // _TOKEN) if client.in_tokens else len(line) + 1


def _shortened(client: Client, description: str) -> str:
    if client.cut is None or len(description) <= client.cut:
        return description
    return description[: client.cut - len(_DOTS)] + _DOTS


def _names_last(client: Client, budget: int, catalogue: Mapping[str, str]) -> dict[str, str]:
    """Show all names, and in their order each description that still fits."""
    taken = client.own + sum(_cost(client, _line(client, name, "")) for name in catalogue)
    shown = dict.fromkeys(catalogue, "")
    for name, description in catalogue.items():
        more = _cost(client, _line(client, name, description)) - _cost(client, _line(client, name, ""))
        if taken + more <= budget:
            taken += more
            shown[name] = description
    return shown


def _shorten_alike(client: Client, budget: int, catalogue: Mapping[str, str]) -> dict[str, str]:
    """Show as many names as fit, and of all descriptions a character more in turn for as long as that fits."""
    fixed = [*(each for each, _ in client.own_lines), *(len(_line(client, name, "")) for name in catalogue)]
    longest = [*(said for _, said in client.own_lines), *map(len, catalogue.values())]
    costs = [_cost(client, "x" * each) for each in fixed]
    while sum(costs) > budget:
        costs.pop()
    kept = _grown(client, budget, fixed[: len(costs)], longest[: len(costs)])[len(client.own_lines) :]
    return {name: catalogue[name][:length] for name, length in zip(catalogue, kept, strict=False)}


def _grown(client: Client, budget: int, fixed: Sequence[int], longest: Sequence[int]) -> list[int]:
    lengths, growing = [0] * len(fixed), set(range(len(fixed)))

    def cost(at: int, length: int) -> int:
        return _cost(client, "x" * (fixed[at] + (length + 1 if length else 0)))

    taken = sum(cost(at, 0) for at in growing)
    while growing:
        for at in sorted(growing):
            more = cost(at, lengths[at] + 1) - cost(at, lengths[at])
            if lengths[at] == longest[at] or taken + more > budget:
                growing.discard(at)
            else:
                lengths[at] += 1
                taken += more
    return lengths
