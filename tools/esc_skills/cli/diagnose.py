"""`esc-skills diagnose`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from esc_skills.bank.skill import Skill
from esc_skills.cli.model_options import ModelCommand, ModelOptions, chosen, with_models
from esc_skills.cli.model_run import ModelRun, RunFiles
from esc_skills.cli.output import ProgressLine, format_option, say, show_json
from esc_skills.cli.places import beside, find_bank, find_settings
from esc_skills.errors import FaultyRunError, InputError
from esc_skills.models.request import ModelFault
from esc_skills.proposing.analyst import analyst_of
from esc_skills.proposing.diagnosis import Weakness, diagnose
from esc_skills.settings import RoleSettings
from esc_skills.transcript import Transcript, read_transcripts


@click.command("diagnose", cls=ModelCommand)
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--skills",
    type=click.Path(path_type=Path),
    help="The bank that the run was made with. [default: the repository's, else the shipped one]",
)
@with_models("analyst")
@format_option
def command(run: Path, skills: Path | None, form: str, **options: Any) -> int:
    """Find what a run shows to be weak in its bank, each finding with its turns.

    Five kinds: unsafe interventions, missing skills, ineffective skills, profile-specific failures and silent bypass. An
    analyst reads excerpts of the run beside what is counted; a finding of theirs whose quotes are not in it is left out.
    """
    models = find_settings().models
    asked = chosen(options, models)
    transcripts = read_transcripts(run)
    bank = _bank_of(run, transcripts, skills)
    found = diagnose(transcripts, bank)
    found = (*found, *_read_by_analyst(asked, models.analyst, run, transcripts, bank, found))
    if form == "json":
        show_json({"episodes": len(transcripts), "findings": [asdict(weakness) for weakness in found]})
        return 0
    show_weaknesses(found)
    say(f"{len(transcripts):,} episodes, {len(found)} {'finding' if len(found) == 1 else 'findings'}")
    say("next: esc-skills evolve" if found else "next: more --draws see more, and --split report sees other seekers")
    return 0


def _read_by_analyst(
    asked: ModelOptions,
    parameters: RoleSettings,
    run: Path,
    transcripts: tuple[Transcript, ...],
    bank: Mapping[str, Skill],
    counted: tuple[Weakness, ...],
) -> tuple[Weakness, ...]:
    name, files = asked.analyst, RunFiles(beside(run, ".analysis.journal"), others=(run,))
    with ModelRun(asked, files, {"run": str(run), "parameters": asdict(parameters)}) as models:
        if models.session is None or name is None:
            return ()
        analyst = analyst_of(bank, name, models.session, "diagnose", parameters)
        try:
            with ProgressLine("the analyst reads", models.status):
                reading = models.wait_for(lambda: analyst.diagnose(transcripts, bank, counted))
        except ModelFault as fault:
            found = f"the analyst {name} gave no diagnosis: {fault}"
            raise FaultyRunError(found, "try again, or with another model") from fault
    models.say_spent(err=True)
    for dropped in reading.dropped:
        say(f"a finding of the analyst is left out: {dropped}", err=True)
    return reading.weaknesses


def _bank_of(run: Path, transcripts: tuple[Transcript, ...], named: Path | None) -> Mapping[str, Skill]:
    """Return the skills that a run was made with: none where its supporter had no bank, as in SAGE's files."""
    digests = {each.bank for each in transcripts}
    if digests == {None} and named is None:
        return {}
    bank, where = find_bank(named)
    if bank is not None and digests == {None}:
        return bank.skills  # who names a bank for a run that tells of none knows which
    if bank is None or digests != {bank.digest}:
        raise InputError(
            f"{run}: was made with another bank than {where}", "name the bank that it was made with: --skills"
        )
    return bank.skills


def show_weaknesses(weaknesses: Iterable[Weakness]) -> None:
    """Print findings with the turns that they rest on."""
    for weakness in weaknesses:
        say(f"{weakness.kind}: {weakness.message}", bold=True)
        for quote in weakness.quotes:
            change = "" if quote.change is None else f" → {quote.change:+d}"
            say(f"  {quote.profile}, draw {quote.draw}, turn {quote.turn}{change}")
            say(f"    seeker: {quote.seeker}")
            say(f"    supporter: {quote.supporter}")
