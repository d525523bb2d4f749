"""Compare what a client loaded, and what its model saw, with the files."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from esc_skills.bank.clients import parse_client, view_catalogue

ENTRANCE = "emotional-support"
FIELDS = ("name", "description", "body")
#: A shorter start of a description is none.
LEAST = 12
#: How far behind a name its description may begin: a client may write its place or a tag between them.
NEAR = 300


@dataclass(frozen=True)
class Said:
    """What a SKILL.md file says, as PyYAML and not as this project's own reader reads it."""

    name: str
    description: str
    body: str


@dataclass(frozen=True)
class Seen:
    """What a model saw of a catalogue.

    Attributes:
        shown: Of each skill how many characters of its description; None where its name is missing.
        characters: From the first name to the end of the last description.
        text: What it stands in.
    """

    shown: Mapping[str, int | None]
    characters: int
    text: str


def read_bank(folder: Path) -> dict[str, Said]:
    """Return what the files of a bank say, by name."""
    bank = {}
    for path in sorted(folder.glob("*/SKILL.md")):
        _, front, body = re.split(r"^---\n", path.read_text(encoding="utf-8"), maxsplit=2, flags=re.MULTILINE)
        fields = yaml.safe_load(front)
        bank[fields["name"]] = Said(fields["name"], fields["description"], body)
    return bank


def compare(bank: Mapping[str, Said], record: Mapping[str, Any], view: str | None) -> tuple[dict[str, Any], list[str]]:
    """Return a client's entry for the report, and all that is wrong with it."""
    seen = look(bank, record["seen"])
    read = "\n".join(record["read"])
    returned = [name for name, said in bank.items() if record["tool"] and said.body.strip() in read]
    fields = {field: _difference(bank, record["skills"], field) for field in FIELDS}
    wrong = [f"{field}: {found}" for field, found in fields.items() if found]
    # Where a client's interface hands out no bodies, the tool's answers are all that there is to compare.
    if any(skill.get("body") is None for skill in record["skills"]):
        wrong += [f"body: the tool returned {len(returned)} of {len(bank)} whole"] * (len(returned) != len(bank))
    elif record["tool"] and len(returned) != len(bank):
        wrong.append(f"tool: {record['tool']} returned {len(returned)} of {len(bank)} bodies whole")
    if missing := [name for name, length in seen.shown.items() if length is None]:
        wrong.append(f"catalogue: the model did not see the names {', '.join(missing)}")
    if view and (other := _other_than(view, bank, seen)):
        wrong.append(f"`validate --client {view}` says otherwise: {other}")
    entry = {
        "loaded": sum(skill["name"] in bank for skill in record["skills"]),
        "equal": [field for field in FIELDS if not any(said.startswith(f"{field}:") for said in wrong)],
        "stands_in": _place(record["parts"], seen.text) if record["asked"] else "print",
        **_counts(bank, seen),
        **({"listed_by": record["lists"]} if record["lists"] else {}),
        "tool": record["tool"],
        "returned": len(returned),
        **({"as_validate_says": not any("validate" in said for said in wrong)} if view else {}),
    }
    return entry, wrong


def _difference(bank: Mapping[str, Said], skills: Sequence[Mapping[str, Any]], field: str) -> str:
    """Return the first difference in a field, in a few words; nothing where all are equal."""
    held = {skill["name"]: skill for skill in skills}
    if field == "name":
        missing, extra = sorted(set(bank) - set(held)), sorted(set(held) - set(bank))
        twice = len(skills) - len(held)
        return f"missing {missing}, extra {extra}, twice {twice}" if missing or extra or twice else ""
    for name in sorted(set(bank) & set(held)):
        said, has = getattr(bank[name], field), held[name].get(field)
        if has is not None and has.strip() != said.strip():
            return f"{name} has {has[:80]!r}, the file {said[:80]!r}"
    return ""


def look(bank: Mapping[str, Said], texts: Sequence[str]) -> Seen:
    """Return what some texts show of the catalogue.

    Of the texts that hold over half of the names it is the one that tells most: a tool's list of names or a listing of folders may
    stand beside the catalogue. Where no text holds half of them, it is all together.
    """
    plain = [html.unescape(text) for text in texts]
    many = [text for text in plain if 2 * sum(_spot(name, text) is not None for name in bank) > len(bank)]
    looked = [_look_at(bank, text) for text in many or ["\n".join(plain)]]
    return max(looked, key=lambda seen: sum(1 + length for length in seen.shown.values() if length is not None))


def _look_at(bank: Mapping[str, Said], text: str) -> Seen:
    named = [name for name in bank if _spot(name, text) is not None]
    shown = {name: _longest(bank[name].description, name, text, bank) if name in named else None for name in bank}
    return Seen(shown, _reach(bank, shown, text), text)


def _spot(name: str, text: str) -> int | None:
    return next(_spots(name, text), None)


def _spots(name: str, text: str) -> Iterator[int]:
    """Yield where a name ends, each time that it stands alone: `ask-back` is not in `ask-back-later`."""
    for found in re.finditer(rf"(?<![a-z-]){re.escape(name)}(?![a-z-])", text):
        yield found.end()


def _longest(description: str, name: str, text: str, bank: Mapping[str, Said]) -> int:
    """Return how many characters of a description, from its start, stand behind its name and before another one."""
    others = re.compile(rf"(?<![a-z-])(?:{'|'.join(re.escape(each) for each in bank if each != name)})(?![a-z-])")
    best = 0
    for spot in _spots(name, text):
        other = others.search(text, spot)
        behind = text[spot : min(other.start() if other else len(text), spot + NEAR + len(description))]
        best = max(best, next(end for end in range(len(description), -1, -1) if description[:end] in behind))
    return best if best >= LEAST else 0


def _reach(bank: Mapping[str, Said], shown: Mapping[str, int | None], text: str) -> int:
    """Return the characters from the first name to the end of the last description."""
    starts, ends = [], []
    for name, length in shown.items():
        if length is None:
            continue
        spot = _spot(name, text)
        assert spot is not None
        start = text.find(bank[name].description[:length], spot)
        starts.append(spot - len(name))
        ends.append(start + length)
    return max(ends, default=0) - min(starts, default=0)


def _place(parts: Mapping[str, Sequence[str]], text: str) -> str:
    """Return the part of a request that a catalogue stands in; with parts of several, no one place."""
    return next((part for part, texts in parts.items() if text in map(html.unescape, texts)), "several")


def _counts(bank: Mapping[str, Said], seen: Seen) -> dict[str, Any]:
    state = {name: _state(bank[name], length) for name, length in seen.shown.items()}
    cut = [length for name, length in seen.shown.items() if state[name] == "shortened" and length]
    counts = {each: list(state.values()).count(each) for each in ("whole", "shortened", "name only", "missing")}
    return {
        "descriptions": counts,
        **({"shortened_to": [min(cut), max(cut)]} if cut else {}),
        "characters": seen.characters,
        "entrance": state[ENTRANCE],
    }


def _state(said: Said, length: int | None) -> str:
    if length is None:
        return "missing"
    return "whole" if length == len(said.description) else "shortened" if length else "name only"


def _other_than(view: str, bank: Mapping[str, Said], seen: Seen) -> str:
    """Return the first skill of which `validate --client` predicts something else than the model saw."""
    told = view_catalogue(*parse_client(view), {name: said.description for name, said in bank.items()})
    predicted = {"whole": told.whole, "shortened": told.cut, "name only": told.bare, "missing": told.missing}
    for state, names in predicted.items():
        for name in names:
            if (found := _state(bank[name], seen.shown[name])) != state:
                return f"{name} is {found}, not {state}"
    return ""
