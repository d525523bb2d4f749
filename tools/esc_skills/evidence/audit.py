"""Merged evidence against the ledger: each proposal that was merged has to be registered and decided there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from esc_skills.git import Repository
from esc_skills.ledger.entries import Ledger

_STATEMENTS = re.compile(r"[^/]+/statement\.json")


def unregistered_evidence(repository: Repository, ledger: Ledger, revision: str) -> Iterator[str]:
    """Yield what is wrong with the evidence of merged proposals: each has to be registered and decided here.

    A ledger that was rewritten in all clones at once still lacks what merged evidence refers to.
    """
    for path, data in sorted(repository.read_tree(revision, "evidence", only=_STATEMENTS).items()):
        try:
            stated = json.loads(data)["predicate"]["registration"]
            number, history = (stated["number"], stated["history"]) if stated else (0, "")
            found = ledger.registration(number) if type(number) is int else None
        except (ValueError, KeyError, TypeError, RecursionError):
            yield f"evidence/{path}: is no statement"
            continue
        if found is None or ledger.histories[number - 1] != history:
            yield f"evidence/{path}: is not registered in this ledger"
        elif number not in ledger.decisions:
            yield f"evidence/{path}: the entry {number} that registers it has no decision"
