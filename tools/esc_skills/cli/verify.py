"""`esc-skills verify`."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from esc_skills.cli.models import Asking, ModelOptions, chosen, with_models
from esc_skills.cli.output import ProgressLine, format_option, say, show_json
from esc_skills.errors import EXIT_FINDINGS, EXIT_FINE
from esc_skills.evolution.proposal import Team
from esc_skills.evolution.repository import read_revision
from esc_skills.evolution.spotcheck import SpotCheck, spot_check
from esc_skills.evolution.verification import Check, EvidenceStatus, Verification
from esc_skills.evolution.verify import verify
from esc_skills.git import Repository
from esc_skills.settings import ModelSettings
from esc_skills.simulation.runner import wait_for
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
@click.option("--ledger", metavar="REF", help="The ledger's ref. [default: origin/ledger, else ledger]")
@click.option(
    "--require-signature", is_flag=True, help="Refuse evidence without a signature of the base's allowed signers."
)
@click.option(
    "--rerun",
    type=click.IntRange(1, 10_000),
    metavar="K",
    help="Play K of the pairs once more with the models themselves, and test that the recorded ones agree.",
)
@with_models()
@format_option
def command(
    base: str,
    head: str,
    repo: Path,
    ledger: str | None,
    require_signature: bool,
    rerun: int | None,
    form: str,
    **options: Any,
) -> int:
    """Re-derive the verdict of a proposal from git alone.

    Both arms are simulated again and every file of the evidence is built again and compared, so nothing that the
    proposal says is taken on trust. Ends with 0 exactly where the evidence is valid and the verdict is accept.
    """
    with Repository(repo) as repository:
        with ProgressLine("pairs simulated again") as progress:
            verification = verify(repository, base, head, progress, ledger=ledger, require_signature=require_signature)
        if rerun:
            asked = chosen(options, ModelSettings())
            verification = spot_checked(verification, repository, base, asked, rerun)
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


def spot_checked(
    verification: Verification, repository: Repository, base: str, asked: ModelOptions, count: int
) -> Verification:
    """Return a verification with a check of some pairs that are played again; one that is not valid stays as it is."""
    trial, outcome = verification.trial, verification.outcome
    if trial is None or outcome is None:
        return verification
    names = trial.models
    asked = replace(asked, supporter=names["supporter"], seeker=names["seeker"], judge=names["judge"])
    journal = repository.private_folder / "spotcheck.journal"
    session = asked.session(journal, {"change": trial.digest, "pairs": count})
    if session is None:
        check = Check("spot check", True, "no model played: every pair was simulated again already")
        return replace(verification, checks=(*verification.checks, check))
    models = read_revision(repository, base).settings.models
    team = Team(str(names["supporter"]), str(names["seeker"]), names["judge"], asked=models)
    with ProgressLine("episodes played again", Asking(session)) as progress:

        async def run() -> SpotCheck:
            async with session:
                players = team.players(session)
                chance = random.SystemRandom()
                return await spot_check(trial, outcome, players, count, chance, lambda done: progress(done, 2 * count))

        found = wait_for(run())
    session.discard()
    low, high = found.interval
    detail = (
        f"{len(found.positions)} pairs: {found.recorded:+.1f} points as recorded, {found.played:+.1f} as played now "
        f"(difference {low:+.1f} to {high:+.1f} at 99 %); draws {', '.join(map(str, found.positions))}"
    )
    checks = (*verification.checks, Check("spot check", found.agrees, detail))
    if found.agrees:
        return replace(verification, checks=checks)
    return replace(verification, status=EvidenceStatus.INVALID, verdict=None, checks=checks)


def show_verification(verification: Verification) -> None:
    """Print each check and what they come to."""
    for check in verification.checks:
        say(f"{'ok ' if check.ok else 'BAD'} {check.name}: {check.detail}")
    verdict = f", verdict {verification.verdict}" if verification.verdict else ""
    say(f"evidence {verification.status}{verdict}", bold=True)
