"""Evidence: the files of `evidence/<proposal>/`, a pure function of a trial and its outcome.

What is built here when a change is proposed is built again when it is verified, and then compared.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from esc_skills import __version__
from esc_skills.bank.changes import Change
from esc_skills.documents.jsonl import compress, digest, json_lines
from esc_skills.evolution.gate import Decision
from esc_skills.evolution.review import render_review
from esc_skills.evolution.trial import Outcome, Trial

STATEMENT, PLAN, EPISODES, REVIEW = "statement.json", "plan.json", "episodes.jsonl.gz", "review.md"
FILES = (STATEMENT, PLAN, EPISODES, REVIEW)
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:esc-skills:simulation-evidence:1"
PLAN_FORMAT = "esc-skills/plan/1"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change of a bank as git sees it.

    Attributes:
        id: The name of its branch and its evidence folder.
        folder: The bank's folder in the repository.
        base_tree: The id of that folder's tree before the change; head_tree: after it.
        files: Each changed file, from the root, with its digest before and after; None where there is none.
        changes: What changes, in words.
    """

    id: str
    folder: str
    base_tree: str
    head_tree: str
    files: Mapping[str, tuple[str | None, str | None]]
    changes: tuple[Change, ...]


def build_evidence(proposal: Proposal, trial: Trial, outcome: Outcome) -> dict[str, bytes]:
    """Return the evidence files by name."""
    plan = render_json(_plan(trial, outcome)).encode()
    lines = json_lines(episode.as_json() for pair in outcome.episodes for episode in pair)
    packed = compress(lines)
    review = render_review(proposal.id, proposal.folder, proposal.changes, outcome).encode()
    episodes = {"count": 2 * len(outcome.episodes), "digest": digest(lines), "file_digest": digest(packed)}
    statement = _statement(proposal, trial, outcome, digest(plan), episodes, digest(review))
    return {STATEMENT: render_json(statement).encode(), PLAN: plan, EPISODES: packed, REVIEW: review}


def render_json(value: Any) -> str:
    """Return the one readable JSON text of a value: sorted keys, two spaces, a final line end."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, indent=2, allow_nan=False) + "\n"


def _plan(trial: Trial, outcome: Outcome) -> dict[str, Any]:
    return {
        "format": PLAN_FORMAT,
        "change": trial.digest,
        "follows_from": trial.plan_digest,
        "split": "gate",
        "draws": [
            {
                "position": draw.position,
                "profile": draw.profile.id,
                "profile_digest": draw.profile.digest,
                "seed": draw.seed,
            }
            for draw in outcome.draws
        ],
    }


def _statement(
    proposal: Proposal, trial: Trial, outcome: Outcome, plan: str, episodes: Mapping[str, Any], review: str
) -> dict[str, Any]:
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": proposal.folder, "digest": {"gitTree": proposal.head_tree}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "proposal": proposal.id,
            "tool": __version__,
            "registration": None,
            "change": trial.digest,
            "base_tree": proposal.base_tree,
            "files": {path: {"base": base, "head": head} for path, (base, head) in proposal.files.items()},
            "inputs": trial.inputs(),
            "plan": {"draws": len(outcome.draws), "digest": plan},
            "episodes": dict(episodes),
            "review": {"digest": review},
            "result": _result(outcome.decision),
        },
    }


def _result(decision: Decision) -> dict[str, Any]:
    rounded: dict[str, Any] = _rounded(_plain_result(decision))
    return rounded


def _rounded(value: Any) -> Any:
    """Return a value with its statistics to nine digits, to which all platforms agree, and without a negative zero."""
    if isinstance(value, float):
        return float(f"{value:.9g}") + 0.0
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list) else value


def _plain_result(decision: Decision) -> dict[str, Any]:
    return {
        **asdict(decision),
        "verdict": str(decision.verdict),
        "interval": list(decision.interval),
        "strata": [{**asdict(stratum), "interval": list(stratum.interval)} for stratum in decision.strata],
    }
