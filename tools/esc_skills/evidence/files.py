"""The files of a proposal's evidence: what they are called, where they lie, and how JSON is written in them."""

from __future__ import annotations

import json
from typing import Any

STATEMENT, PLAN, EPISODES, REVIEW = "statement.json", "plan.json", "episodes.jsonl.gz", "review.md"
#: The calls of language models, where any were asked.
CALLS = "calls.jsonl.gz"
#: Who made it, if they signed.
SIGNATURE = "statement.json.sig"
#: What a proposal may add to the tree, in bytes. Recorded calls that do not fit are kept under a ref of their own.
MAX_IN_TREE = 2_000_000
#: Where recorded calls are kept beside all branches.
EVIDENCE_REFS = "refs/esc/evidence/"
FILES = (STATEMENT, PLAN, EPISODES, REVIEW)
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"


def calls_ref(proposal: str) -> str:
    """Return the ref of a proposal's recorded calls, where they are too large for the tree."""
    return f"{EVIDENCE_REFS}{proposal}"


def render_json(value: Any) -> str:
    """Return the one readable JSON text of a value: sorted keys, two spaces, a final line end."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, indent=2, allow_nan=False) + "\n"
