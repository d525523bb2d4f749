"""`esc-skills discover`."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack, closing
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

import click

from esc_skills.cli.discover_drafts import Branches, Folder
from esc_skills.cli.discover_models import Annotation, Distillation
from esc_skills.cli.discover_output import (
    Account,
    clustering_json,
    draft_json,
    show_clustering,
    show_coverage,
    subject_json,
    why_nothing,
)
from esc_skills.cli.input_files import reading, require_other
from esc_skills.cli.model_options import ModelCommand, chosen, with_models
from esc_skills.cli.output import format_option, say, show_json, show_table
from esc_skills.cli.places import find_settings, find_skills
from esc_skills.corpora.dialogue_files import read_dialogues
from esc_skills.discovery.cluster import MIN_DIALOGUES, MIN_UNITS, cluster_units
from esc_skills.discovery.coverage import check_provenance, map_coverage
from esc_skills.discovery.drafting import Draft, Drafted, draft_skills
from esc_skills.discovery.foresight import measure_foresight
from esc_skills.discovery.material import gather_material
from esc_skills.discovery.prototypes import read_prototypes
from esc_skills.discovery.units import read_units
from esc_skills.documents.jsonl import canonical_json
from esc_skills.documents.text import write_atomically
from esc_skills.errors import EXIT_FINDINGS, EXIT_FINE, InputError
from esc_skills.git import Repository
from esc_skills.vocabulary import Language

#: How many departures of a bank from the prototypes are shown one by one; all are counted.
_MAX_DEPARTURES = 10
_files = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
_skills = click.option(
    "--skills",
    "--bank",
    "skills",
    type=click.Path(path_type=Path),
    help="The bank, or `none`. [default: the repository's, else the shipped one]",
)


class _Steps(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)  # in the order in which one takes them


@click.group("discover", cls=_Steps)
def command() -> None:
    """From dialogues to drafts of skills: Intervention Units, prototypes, drafts, and what the bank covers.

    docs/discovery.md says how each is made and how far to trust it.
    """


@command.command("extract", cls=ModelCommand, short_help="Dialogues to Intervention Units.")
@_files
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The JSON Lines file of units."
)
@with_models("annotator")
@format_option
def extract(files: tuple[Path, ...], out: Path, form: str, **options: Any) -> int:
    """Read the Intervention Units out of dialogues that `corpus import` wrote.

    What a corpus annotates is taken over; the rest is read from words, which the units say. With an annotator, a model
    reads the rest instead, in one call a unit; a unit whose answer cannot be used keeps the reading of its words and is
    counted. An interrupted run goes on with --resume and asks nothing twice.
    """
    require_other(out, files)
    models = find_settings().models
    annotation = Annotation(chosen(options, models), models.annotator, files, out)
    account = Account()
    with annotation.run as run, reading(files, run.status) as progress:
        dialogues = chain.from_iterable(read_dialogues(path, progress) for path in files)
        pairs = ((dialogue, unit) for dialogue in dialogues for unit in account.units_of(dialogue))
        with closing(annotation.annotate(pairs)) as units:
            write_atomically(out, (account.line_of(unit) for unit in units))
    code = EXIT_FINDINGS if run.unanswered else EXIT_FINE
    if form == "json":
        show_json({"out": str(out), **account.as_json(), **annotation.as_json()})
        return code
    account.show()
    annotation.show()
    say(f"{account.units:,} units of {account.dialogues:,} dialogues in {out}")
    if account.units and not account.key_units:
        say("no key unit: nobody said how it went, so nothing can be drafted; see the limits in docs/discovery.md")
    say(f"next: esc-skills discover cluster {out} --out prototypes.jsonl")
    return code


@command.command("cluster", short_help="Units to prototypes, with what comes of each.")
@_files
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The JSON Lines file of prototypes."
)
@format_option
def cluster(files: tuple[Path, ...], out: Path, form: str) -> int:
    """Group units by state and action into prototypes, each with what usually comes of it."""
    require_other(out, files)
    with reading(files) as progress:
        clustering = cluster_units(read_units(files, progress))
    write_atomically(out, (canonical_json(each.as_json()).encode() + b"\n" for each in clustering.prototypes))
    if form == "json":
        show_json({"out": str(out), **clustering_json(clustering)})
        return EXIT_FINE
    show_clustering(clustering)
    say(f"{len(clustering.prototypes):,} prototypes in {out}")
    if clustering.prototypes:
        say(f"next: esc-skills discover coverage {out}, then discover draft {out}")
    else:
        say(
            f"next: more dialogues, since a prototype needs {MIN_UNITS} units of {MIN_DIALOGUES} dialogues that are alike"
        )
    return EXIT_FINE


@command.command("evaluate", short_help="Do the prototypes foresee anything?")
@_files
@format_option
def evaluate(files: tuple[Path, ...], form: str) -> int:
    """Measure whether what prototypes are called holds on dialogues that they were not made of, in five folds."""
    with reading(files) as progress:
        units = tuple(read_units(files, progress))
    found = measure_foresight(units)
    if form == "json":
        show_json([asdict(each) for each in found])
        return EXIT_FINE
    if not found:
        say("no unit was left out under prototypes of both calls: more dialogues with outcomes are needed")
        return EXIT_FINE
    rows = [
        (
            f"{each.corpus}, {each.source}",
            each.helpful,
            each.harmful,
            f"{each.area:.3f}",
            f"{each.low:.3f} to {each.high:.3f}",
        )
        for each in found
    ]
    show_table(
        "outcomes after what was called helpful against harmful, on dialogues left out",
        ("corpus and outcome", "helpful", "harmful", "AUC", "95 % interval"),
        rows,
    )
    return EXIT_FINE


@command.command("coverage", short_help="What the bank covers, and what it does not.")
@click.argument("prototypes", type=click.Path(path_type=Path))
@_skills
@format_option
def coverage(prototypes: Path, skills: Path | None, form: str) -> int:
    """Show which needs, stages and strategies the bank covers, and where something helps that no skill does.

    Ends with 1 where the provenance of a skill says otherwise than the prototypes do.
    """
    found, bank = read_prototypes(prototypes), find_skills(skills)
    cells, wrong = map_coverage(found, bank), tuple(check_provenance(found, bank))
    gaps = [cell for cell in cells if cell.is_gap]
    if form == "json":
        show_json({"cells": [cell.as_json() for cell in cells], "provenance": list(wrong)})
        return EXIT_FINDINGS if wrong else EXIT_FINE
    show_coverage(cells)
    for each in wrong[:_MAX_DEPARTURES]:
        say(each)
    if len(wrong) > _MAX_DEPARTURES:
        say(f"… {len(wrong) - _MAX_DEPARTURES} others, all in --format json")
    if wrong:
        say("the bank rests on other dialogues than these prototypes, or its esc-provenance is out of date")
    for cell in gaps:
        say(f"no skill for {cell.need} in {cell.stage} with {cell.strategy}: {', '.join(cell.helpful)} called helpful")
    covered = sum(bool(cell.skills) for cell in cells)
    say(f"{covered} of {len(cells)} cells have a skill; {len(gaps)} have evidence that something helps, and none")
    return EXIT_FINDINGS if wrong else EXIT_FINE


@command.command("draft", cls=ModelCommand, short_help="Prototypes to drafts of skills, on branches.")
@click.argument("prototypes", type=click.Path(path_type=Path))
@_skills
@click.option(
    "--language",
    "languages",
    multiple=True,
    type=click.Choice([each.value for each in Language]),
    help="[default: the bank's]",
)
@click.option("--only", "names", multiple=True, metavar="NAME", help="Draft this skill alone; can be given often.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Write the drafts to this folder, not to branches."
)
@click.option("--repo", type=click.Path(path_type=Path), default=Path(), help="The git repository.")
@click.option("--base", default="main", show_default=True, metavar="REV", help="What the drafts would be merged into.")
@with_models("analyst")
@format_option
def draft(
    prototypes: Path,
    skills: Path | None,
    languages: tuple[str, ...],
    names: tuple[str, ...],
    out: Path | None,
    repo: Path,
    base: str,
    form: str,
    **options: Any,
) -> int:
    """Turn prototypes into drafts of skills, each on a branch draft/… of its own.

    A draft is for one need and one strategy; where the bank has a skill for both, it revises that one. Offline it is put
    together from what was said where it helped, and says that it is a draft; an analyst writes it anew, in one call each,
    where --only takes the names of the offline drafts. The gate judges it like any other change.
    """
    found = read_prototypes(prototypes)
    models = find_settings().models
    distillation = Distillation(chosen(options, models), models.analyst, prototypes, names)
    with distillation.run as run, ExitStack() as opened:
        writer = Folder(out, skills) if out else Branches(opened.enter_context(Repository(repo)), base, skills)
        bank = writer.bank
        wanted = tuple(dict.fromkeys(map(Language, languages))) or tuple(
            dict.fromkeys(each for each in Language if any(skill.language == each for skill in bank.values()))
        )
        wanted = wanted or tuple(Language)
        if run.session:
            drafted = distillation.distil(gather_material(found, bank, wanted), bank)
            drafts = list(drafted.drafts)
        else:
            drafted = draft_skills(found, bank, wanted)
            drafts = _chosen(drafted, names)
        writer.require_room(drafts)
        places = [(each, writer.write(each)) for each in drafts]
    if form == "json":
        show_json(
            {
                "drafts": [{**draft_json(each), "place": place} for each, place in places],
                "left_out": [{**subject_json(subject), "why": why} for subject, why in drafted.left_out],
            }
        )
        return EXIT_FINE if places else EXIT_FINDINGS
    for each, place in places:
        kind = f"revises {each.name} {each.revises}" if each.revises else "new"
        say(f"{place}: {kind}; of its prototypes {len(each.helpful)} helpful, {len(each.harmful)} harmful")
    for subject, why in drafted.left_out:
        say(f"no draft for {subject.need} with {subject.strategy} in {subject.language}: {why}")
    if run.session:
        distillation.show(len(drafted.left_out))
    if not places and not drafted.left_out:
        say(why_nothing(found, wanted))
    say(f"{len(places)} drafts{': read and rewrite each before it is judged' if places else ''}")
    if places:
        say(writer.following(places[0][1]))
    return EXIT_FINE if places else EXIT_FINDINGS


def _chosen(drafted: Drafted, names: Iterable[str]) -> list[Draft]:
    by_name = {each.name: each for each in drafted.drafts}
    if unknown := [name for name in names if name not in by_name]:
        raise InputError(f"{unknown[0]}: no draft has that name", f"there are {', '.join(by_name) or 'none'}")
    return [by_name[name] for name in (dict.fromkeys(names) or by_name)]
