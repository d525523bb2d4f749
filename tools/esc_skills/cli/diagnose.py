"""`esc-skills diagnose`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import click

from esc_skills.bank.reader import read_bank, read_files
from esc_skills.cli.output import format_option, say, show_json
from esc_skills.documents.shipped import shipped
from esc_skills.evolution.diagnose import Weakness, diagnose
from esc_skills.transcript import read_transcripts


@click.command("diagnose")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--skills", type=click.Path(path_type=Path), help="The bank that the run was made with. [default: the shipped bank]"
)
@format_option
def command(run: Path, skills: Path | None, form: str) -> int:
    """Find what a run shows to be weak in its bank, each finding with its turns.

    Five kinds: unsafe interventions, missing skills, ineffective skills, profile-specific failures and silent bypass.
    """
    folder = skills or shipped("skills")
    bank = read_bank(read_files(folder), str(folder))
    transcripts = read_transcripts(run)
    found = diagnose(transcripts, bank.skills)
    if form == "json":
        show_json({"episodes": len(transcripts), "findings": [asdict(weakness) for weakness in found]})
        return 0
    show_weaknesses(found)
    say(f"{len(transcripts):,} episodes, {len(found)} findings. next: esc-skills evolve")
    return 0


def show_weaknesses(weaknesses: Iterable[Weakness]) -> None:
    """Print findings with the turns that they rest on."""
    for weakness in weaknesses:
        say(f"{weakness.kind}: {weakness.message}", bold=True)
        for quote in weakness.quotes:
            change = "" if quote.change is None else f" → {quote.change:+d}"
            say(f"  {quote.profile}, draw {quote.draw}, turn {quote.turn}{change}")
            say(f"    seeker: {quote.seeker}")
            say(f"    supporter: {quote.supporter}")
