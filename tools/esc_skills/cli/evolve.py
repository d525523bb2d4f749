"""`esc-skills evolve`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from esc_skills.cli.model_options import ModelCommand, chosen, with_models
from esc_skills.cli.output import format_option, one_decimal, say, show_json, show_table
from esc_skills.cli.propose_run import Making, Steps, opened_book, proposed_as_json, show_proposed, with_ledger
from esc_skills.errors import EXIT_FINDINGS, EXIT_FINE
from esc_skills.evidence.revision import read_revision
from esc_skills.git import Repository
from esc_skills.proposing.evolution import SCREENED, Evolution, evolve
from esc_skills.simulation.team import DIAGNOSIS_DRAWS, MODEL_DRAWS, Team
from esc_skills.vocabulary import Verdict


@click.command("evolve", cls=ModelCommand)
@click.option(
    "--skills",
    "--bank",
    "skills",
    metavar="DIR",
    help="The bank's folder, from the repository's root. [default: the settings']",
)
@click.option(
    "--repo", type=click.Path(path_type=Path), default=Path(), help="The git repository. [default: the one you are in]"
)
@click.option(
    "--draws",
    type=click.IntRange(2, 100_000),
    help=f"How many evolution seekers an edit is screened on. [default: {DIAGNOSIS_DRAWS}; {MODEL_DRAWS} with a model]",
)
@with_ledger
@with_models("supporter", "seeker", "judge", "second-seeker", "analyst")
@format_option
def command(
    skills: str | None, repo: Path, draws: int | None, remote: str | None, offline: bool, form: str, **options: Any
) -> int:
    """Propose a better bank as a branch with its evidence.

    The bank of HEAD is diagnosed on evolution profiles, the edit that helps most there is registered in the ledger and
    judged on the gate seekers that follow, and the branch evolve/… holds the change and its evidence. Work tree, index
    and current branch are left alone. Ends with 1 unless the gate accepts.
    """
    with Repository(repo) as repository:
        base = read_revision(repository, "HEAD", skills)
        asked = chosen(options, base.settings.models)
        if repository.has_uncommitted(base.settings.skills):
            say(f"{base.settings.skills}/ holds changes that are not committed; they are no part of this", err=True)
        with opened_book(repository, remote, offline=offline) as book:

            async def work(team: Team, steps: Steps) -> Evolution:
                return await evolve(repository, skills, steps, team, book)

            evolution = Making(repository, base, asked, draws, 1 + SCREENED, form == "text").run(work)
    if form == "json":
        weaknesses = [weakness.message for weakness in evolution.weaknesses]
        reason = {} if evolution.made else {"reason": _nothing(evolution)}
        screened = [
            {"edit": f"{each.edit.operator} {each.edit.skill}", "effect": each.effect, "red_flags": each.red_flags}
            for each in evolution.screened
        ]
        show_json({**proposed_as_json(evolution.made), **reason, "weaknesses": weaknesses, "screened": screened})
    else:
        show_evolution(evolution)
    return EXIT_FINE if evolution.verdict is Verdict.ACCEPT else EXIT_FINDINGS


def _nothing(evolution: Evolution) -> str:
    if not evolution.weaknesses:
        return "No weakness was found on evolution profiles; nothing was proposed."
    if not evolution.screened:
        return "No offline operator answers what was found; nothing was proposed. Edit by hand, or evolve with a model."
    flagged = sum(each.effect > 0 and bool(each.red_flags) for each in evolution.screened)
    tried = f"{_count(len(evolution.screened), 'edit')} tried on evolution profiles"
    if flagged:
        return (
            f"{tried}; {flagged} would help and raise new red safety flags, which no gain offsets, so nothing was "
            "proposed. A red flag that the bank raises already needs an edit by hand; missed-risk, for example, a skill "
            "whose esc-risk includes active and imminent, as the shipped respond-to-suicide-risk has."
        )
    return f"{tried}, none of which helped; nothing was proposed. Edit by hand, or add seekers to the evolution split."


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def show_evolution(evolution: Evolution) -> None:
    """Print what was found, what was tried, what was proposed, and what comes next."""
    found = len(evolution.weaknesses)
    say(f"{found} {'weakness' if found == 1 else 'weaknesses'} found on evolution profiles" + (":" if found else ""))
    for weakness in evolution.weaknesses:
        say(f"  {weakness.kind}: {weakness.message}")
    if evolution.screened:
        rows = [
            [
                f"{each.edit.operator} {each.edit.skill}: {each.edit.about}",
                one_decimal(each.effect, signed=True),
                ", ".join(each.red_flags) or "–",
            ]
            for each in evolution.screened
        ]
        show_table("Edits tried on evolution profiles", ["edit", "points", "new red flags"], rows)
    if evolution.made is None:
        say(_nothing(evolution))
    else:
        show_proposed(evolution.made, "HEAD")
