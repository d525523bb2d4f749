"""`esc-skills verify`."""

from __future__ import annotations

import random
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from esc_skills.cli.model_options import ModelCommand, ModelOptions, chosen, with_models
from esc_skills.cli.model_run import ModelRun, RunFiles
from esc_skills.cli.output import ProgressLine, say
from esc_skills.cli.propose_run import base_option, default_base
from esc_skills.documents.text import write_atomically
from esc_skills.errors import EXIT_FINDINGS, EXIT_FINE, InputError
from esc_skills.evidence.attestation import attest
from esc_skills.evidence.checks import verify
from esc_skills.evidence.revision import read_revision
from esc_skills.evidence.spotcheck import SpotCheck, spot_check
from esc_skills.evidence.verification import Check, EvidenceStatus, Verification
from esc_skills.git import Repository
from esc_skills.reports.result import Result, annotation_lines, json_text, page, result_of, sarif
from esc_skills.settings import ModelSettings
from esc_skills.simulation.team import Team

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("verify", cls=ModelCommand)
@base_option
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
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github", "sarif"]),
    default="text",
    show_default=True,
    help="How to show the result.",
)
@click.option("--summary", type=_FILE, metavar="FILE", help="Also append a Markdown page, as GitHub's job summary is.")
@click.option("--json", "as_json", type=_FILE, metavar="FILE", help="Also write the JSON form to a file.")
@click.option("--sarif", "as_sarif", type=_FILE, metavar="FILE", help="Also write the SARIF form to a file.")
@click.option(
    "--sign",
    "key",
    type=click.Path(path_type=Path),
    metavar="KEY",
    help="Sign the result with a private key, as an in-toto statement in a DSSE envelope; --envelope says where to.",
)
@click.option("--envelope", type=_FILE, metavar="FILE", help="The file of the signed envelope.")
@with_models()
def command(
    base: str | None,
    head: str,
    repo: Path,
    ledger: str | None,
    require_signature: bool,
    rerun: int | None,
    form: str,
    summary: Path | None,
    as_json: Path | None,
    as_sarif: Path | None,
    key: Path | None,
    envelope: Path | None,
    **options: Any,
) -> int:
    """Derive the verdict of a change again, from git alone.

    What counts is what merging the head into the base makes. Both arms are simulated again and every file of the evidence
    is built again and compared, so nothing that the proposal says is taken on trust. Ends with 0 where the evidence is
    valid and the verdict is accept, where an owner decided the change, or where nothing of it needs a verdict.
    """
    if (key is None) != (envelope is None):
        raise InputError("--sign and --envelope go together", "give a private key and the file to write")
    with Repository(repo) as repository:
        base = default_base(repository, base)
        with ProgressLine("pairs simulated again") as progress:
            verification = verify(repository, base, head, progress, ledger=ledger, require_signature=require_signature)
        with _spot_check_run(verification, repository, chosen(options, ModelSettings()), rerun) as run:
            if rerun:
                verification = spot_checked(verification, repository, base, run, rerun)
            result = result_of(verification)
            _write(result, summary, as_json, as_sarif)
            if key and envelope:
                write_atomically(envelope, attest(result.as_json(), verification.bound, key))
    _show(result, form)
    run.say_spent(err=True)
    return EXIT_FINE if result.accepted else EXIT_FINDINGS


def _write(result: Result, summary: Path | None, as_json: Path | None, as_sarif: Path | None) -> None:
    if summary:
        with summary.open("a", encoding="utf-8") as file:
            file.write(page(result))
    if as_json:
        write_atomically(as_json, json_text(result.as_json()))
    if as_sarif:
        write_atomically(as_sarif, json_text(sarif(result)))


def _show(result: Result, form: str) -> None:
    if form in ("json", "sarif"):
        click.echo(json_text(result.as_json() if form == "json" else sarif(result)), nl=False)
        return
    if form == "github":
        for line in annotation_lines(result):
            click.echo(line)
    show_result(result)


def _spot_check_run(
    verification: Verification, repository: Repository, asked: ModelOptions, count: int | None
) -> ModelRun:
    """Return the run of the models that play pairs again: those of the trial; nobody where none is to be played."""
    folder, trial = repository.private_folder, verification.trial
    files = RunFiles(folder / "spotcheck.journal", partial=folder / "spotcheck.pairs")
    if count is None or trial is None or verification.outcome is None:
        return ModelRun(asked, files, {})
    names = trial.models
    asked = replace(asked, supporter=names["supporter"], seeker=names["seeker"], judge=names["judge"])
    return ModelRun(asked, files, {"change": trial.digest, "pairs": count})


def spot_checked(
    verification: Verification, repository: Repository, base: str, run: ModelRun, count: int
) -> Verification:
    """Return a verification with a check of some pairs that are played again; one that is not valid stays as it is."""
    trial, outcome, pairs = verification.trial, verification.outcome, run.files.partial
    if trial is None or outcome is None or pairs is None:
        return verification
    if run.session is None:
        check = Check("spot check", True, "no model played: every pair was simulated again already")
        return replace(verification, checks=(*verification.checks, check))
    names, models = trial.models, read_revision(repository, base).settings.models
    team = Team(str(names["supporter"]), str(names["seeker"]), names["judge"], asked=models)
    players = team.players(run.session)
    with ProgressLine("episodes played again", run.status) as progress:

        async def play() -> SpotCheck:
            chance = _chance(pairs, resume=run.asked.resume)
            return await spot_check(trial, outcome, players, count, chance, progress)

        found = run.wait_for(play)
    detail = (
        f"{len(found.positions)} pairs: {found.recorded:+.1f} points as recorded, {found.played:+.1f} as played now "
        f"(p = {found.p_value:.3f}); draws {', '.join(map(str, found.positions))}"
    )
    checks = (*verification.checks, Check("spot check", found.agrees, detail))
    if found.agrees:
        return replace(verification, checks=checks)
    return replace(verification, status=EvidenceStatus.INVALID, verdict=None, checks=checks)


def _chance(file: Path, *, resume: bool) -> random.Random:
    """Return what chooses the pairs, which nobody can foresee; a resumed check plays those that were chosen."""
    if not (resume and file.exists()):
        write_atomically(file, f"{secrets.token_hex()}\n")
    return random.Random(file.read_text())


def show_verification(verification: Verification) -> None:
    """Print each check and what they come to."""
    show_result(result_of(verification))


def show_result(result: Result) -> None:
    """Print each check and what they come to."""
    for check in result.checks:
        say(f"{'ok ' if check.ok else 'BAD'} {check.name}: {check.detail}")
    say(result.headline, bold=True)
    if result.small_print:
        say(result.small_print)
