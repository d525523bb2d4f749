"""Evidence: the files of `evidence/<proposal>/`, a pure function of a trial and its outcome.

What is built here when a change is proposed is built again when it is verified, and then compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from esc_skills import __version__
from esc_skills.documents.jsonl import compress, decompress, digest, json_lines
from esc_skills.evidence.files import CALLS, EPISODES, PLAN, REVIEW, STATEMENT, STATEMENT_TYPE, render_json
from esc_skills.evidence.proposal import Proposal
from esc_skills.evidence.review import render_review
from esc_skills.evidence.span_coverage import Coverage
from esc_skills.evidence.trial import Outcome, Trial
from esc_skills.gate.decision import Decision
from esc_skills.models.replay import MAX_CALLS
from esc_skills.simulation.draws import Draw

PREDICATE_TYPE = "urn:esc-skills:simulation-evidence:1"
PLAN_FORMAT = "esc-skills/plan/1"


def build_evidence(
    proposal: Proposal, trial: Trial, outcome: Outcome, coverage: Coverage, calls: bytes | None
) -> dict[str, bytes]:
    """Return the evidence files by name.

    Args:
        proposal: The change.
        trial: What judged it.
        outcome: What that came to.
        coverage: What its words were played in.
        calls: The recorded calls as the content of a `calls.jsonl.gz`; None where no model was asked.
    """
    plan = render_json(_plan(trial, outcome)).encode()
    lines = json_lines(episode.as_json() for pair in outcome.played for episode in pair)
    packed = compress(lines)
    paths = [path for path, (_, head) in proposal.files.items() if head]
    review = render_review(proposal.id, paths, trial, outcome, coverage).encode()
    parts: dict[str, Any] = {
        "plan": {"draws": len(outcome.draws), "own_draws": len(outcome.own), "digest": digest(plan)},
        "episodes": _packed(lines.encode(), packed),
        "calls": None if calls is None else _packed(decompress(calls, CALLS, MAX_CALLS), calls),
        "review": {"digest": digest(review)},
    }
    statement = render_json(_statement(proposal, trial, outcome, coverage, parts)).encode()
    files = {STATEMENT: statement, PLAN: plan, EPISODES: packed, REVIEW: review}
    return files if calls is None else {**files, CALLS: calls}


def _packed(lines: bytes, packed: bytes) -> dict[str, Any]:
    return {"count": lines.count(b"\n"), "digest": digest(lines), "file_digest": digest(packed)}


def _plan(trial: Trial, outcome: Outcome) -> dict[str, Any]:
    return {
        "format": PLAN_FORMAT,
        "change": trial.digest,
        "follows_from": trial.plan_digest,
        "split": "gate",
        "draws": [_draw(draw) for draw in outcome.draws],
        "own_draws": [{**_draw(own.draw), "strata": list(own.strata)} for own in outcome.own],
    }


def _draw(draw: Draw) -> dict[str, Any]:
    return {
        "position": draw.position,
        "profile": draw.profile.id,
        "profile_digest": draw.profile.digest,
        "seed": draw.seed,
    }


def _statement(
    proposal: Proposal, trial: Trial, outcome: Outcome, coverage: Coverage, parts: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": proposal.folder, "digest": {"gitTree": proposal.head_tree}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "proposal": proposal.id,
            "tool": __version__,
            "registration": asdict(trial.registered) if trial.registered else None,
            "change": trial.digest,
            "base_tree": proposal.base_tree,
            "files": {path: {"base": base, "head": head} for path, (base, head) in proposal.files.items()},
            "inputs": trial.inputs.as_json(),
            **parts,
            "result": _result(outcome.decision),
            "coverage": [_rounded(each.as_json()) for each in coverage.spans],
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
        "second": {**asdict(decision.second), "interval": list(decision.second.interval)} if decision.second else None,
    }
