"""`esc-skills diagnose`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

import click

from esc_skills.bank.skill import Skill
from esc_skills.cli.output import format_option, say, show_json
from esc_skills.cli.places import find_bank
from esc_skills.errors import InputError
from esc_skills.evolution.diagnose import Weakness, diagnose
from esc_skills.transcript import Transcript, read_transcripts


@click.command("diagnose")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--skills",
    type=click.Path(path_type=Path),
    help="The bank that the run was made with. [default: the repository's, else the shipped one]",
)
@format_option
def command(run: Path, skills: Path | None, form: str) -> int:
    """Find what a run shows to be weak in its bank, each finding with its turns.

    Five kinds: unsafe interventions, missing skills, ineffective skills, profile-specific failures and silent bypass.
    """
    transcripts = read_transcripts(run)
    bank = _bank_of(run, transcripts, skills)
    found = diagnose(transcripts, bank)
    if form == "json":
        show_json({"episodes": len(transcripts), "findings": [asdict(weakness) for weakness in found]})
        return 0
    show_weaknesses(found)
    say(f"{len(transcripts):,} episodes, {len(found)} {'finding' if len(found) == 1 else 'findings'}")
    say("next: esc-skills evolve" if found else "next: more --draws see more, and --split report sees other seekers")
    return 0


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
