"""The statement of a proposal, read from its evidence as typed values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from esc_skills.documents.jsonl import parse_json
from esc_skills.documents.schema import require_schema
from esc_skills.documents.text import decode
from esc_skills.errors import EscError
from esc_skills.evidence.comparison import first_difference
from esc_skills.evidence.files import STATEMENT, render_json
from esc_skills.evidence.trial import Inputs, inputs_of
from esc_skills.evidence.verification import invalid
from esc_skills.ledger.entries import Registered


@dataclass(frozen=True, slots=True)
class Statement:
    """What a proposal states of itself; nothing in it is believed that can be recomputed.

    Attributes:
        place: The file, for messages.
        folder: The bank's folder.
        proposal: The proposal's name.
        tool: The version of the tool that made it.
        registration: Its entry in the ledger; None for a proposal that was made offline.
        change: The digest of the change and of all that judges it.
        files: The digest of each changed file after the change, by path from the root; None where it is deleted.
        inputs: What the verdict follows from.
        holds_calls: Whether it names recorded calls.
        episodes: The digest of the episodes.
    """

    place: str
    folder: str
    proposal: str
    tool: str
    registration: Registered | None
    change: str
    files: Mapping[str, str | None]
    inputs: Inputs
    holds_calls: bool
    episodes: str


def read_statement(data: bytes, name: str) -> Statement:
    """Read the statement of a proposal.

    Args:
        data: The file.
        name: The proposal's evidence folder.

    Raises:
        RefusedError: It is no statement, or is not written as the tools write it.
    """
    place = f"evidence/{name}/{STATEMENT}"
    try:
        text = decode(data, place)
        value: dict[str, Any] = parse_json(text, place)
        require_schema(value, "statement", place)
    except EscError as error:
        raise invalid("statement", error.message) from error
    if (line := first_difference(text, render_json(value))) is not None:
        raise invalid("statement", f"{place}:{line}: is not written as the tools write it")
    stated = value["predicate"]
    return Statement(
        place=place,
        folder=value["subject"][0]["name"],
        proposal=stated["proposal"],
        tool=stated["tool"],
        registration=Registered(**stated["registration"]) if stated["registration"] else None,
        change=stated["change"],
        files={path: digests["head"] for path, digests in stated["files"].items()},
        inputs=inputs_of(stated["inputs"]),
        holds_calls=stated["calls"] is not None,
        episodes=stated["episodes"]["digest"],
    )
