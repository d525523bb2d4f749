"""`esc-skills verify`."""

from __future__ import annotations

from pathlib import Path

import click

from esc_skills.cli.output import ProgressLine, format_option, say, show_json
from esc_skills.errors import EXIT_FINDINGS, EXIT_FINE
from esc_skills.evolution.verify import EvidenceStatus, Verification, verify
from esc_skills.git import Repository
from esc_skills.vocabulary import Verdict


@click.command("verify")
@click.option(
    "--base",
    default="HEAD",
    show_default=True,
    metavar="REV",
    help="The revision that the proposal would be merged into.",
)
@click.option("--head", required=True, metavar="REV", help="The proposal's branch.")
@click.option(
    "--repo", type=click.Path(path_type=Path), default=Path(), help="The git repository. [default: the one you are in]"
)
@format_option
def command(base: str, head: str, repo: Path, form: str) -> int:
    """Re-derive the verdict of a proposal from git alone.

    Both arms are simulated again and every file of the evidence is built again and compared, so nothing that the
    proposal says is taken on trust. Ends with 0 exactly where the evidence is valid and the verdict is accept.
    """
    with Repository(repo) as repository, ProgressLine("pairs simulated again") as progress:
        verification = verify(repository, base, head, progress)
    if form == "json":
        show_json(
            {
                "evidence": str(verification.status),
                "verdict": str(verification.verdict) if verification.verdict else None,
                "checks": [{"name": each.name, "ok": each.ok, "detail": each.detail} for each in verification.checks],
            }
        )
    else:
        show_verification(verification)
    accepted = verification.status is EvidenceStatus.VALID and verification.verdict is Verdict.ACCEPT
    return EXIT_FINE if accepted else EXIT_FINDINGS


def show_verification(verification: Verification) -> None:
    """Print each check and what they come to."""
    for check in verification.checks:
        say(f"{'ok ' if check.ok else 'BAD'} {check.name}: {check.detail}")
    verdict = f", verdict {verification.verdict}" if verification.verdict else ""
    say(f"evidence {verification.status}{verdict}", bold=True)
