"""`esc-skills discover`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from esc_skills.cli.discovering import Annotation, Distillation
from esc_skills.cli.models import chosen, with_models
from esc_skills.cli.output import format_option, say, show_json, show_table
from esc_skills.cli.places import NO_BANK, find_bank, find_settings
from esc_skills.cli.reading import reading, require_other
from esc_skills.corpora.reader import read_dialogues
from esc_skills.discovery.cluster import MIN_DIALOGUES, MIN_UNITS, Clustering, cluster_units
from esc_skills.discovery.coverage import Cell, check_provenance, map_coverage
from esc_skills.discovery.drafting import Draft, Drafted, draft_skills, gather_material, points
from esc_skills.discovery.extract import extract_units
from esc_skills.discovery.foresight import measure_foresight
from esc_skills.discovery.prototypes import (
    Call,
    Prototype,
    read_prototypes,
)
from esc_skills.discovery.units import MAX_TURN, Transition, Unit, read_units
from esc_skills.documents.jsonl import canonical_json
from esc_skills.documents.text import write_atomically
from esc_skills.errors import EXIT_FINDINGS, EXIT_FINE, GitError, InputError
from esc_skills.evolution.repository import read_revision
from esc_skills.git import Repository
from esc_skills.vocabulary import HiddenIntention, Language, Stage, Strategy

if TYPE_CHECKING:
    from esc_skills.bank.skill import Skill
    from esc_skills.corpora.dialogue import Dialogue

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


@command.command("extract", short_help="Dialogues to Intervention Units.")
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
    account = _Account()
    with reading(files, annotation.status) as progress:
        dialogues = chain.from_iterable(read_dialogues(path, progress) for path in files)
        pairs = ((dialogue, unit) for dialogue in dialogues for unit in account.units_of(dialogue))
        with closing(annotation.annotate(pairs)) as units:
            write_atomically(out, (account.line_of(unit) for unit in units))
    annotation.finish()
    if form == "json":
        show_json({"out": str(out), **account.as_json(), **annotation.as_json()})
        return EXIT_FINDINGS if annotation.unanswered else EXIT_FINE
    account.show()
    annotation.show()
    say(f"{account.units:,} units of {account.dialogues:,} dialogues in {out}")
    if account.units and not account.key_units:
        say("no key unit: nobody said how it went, so nothing can be drafted; see the limits in docs/discovery.md")
    say(f"next: esc-skills discover cluster {out} --out prototypes.jsonl")
    return EXIT_FINDINGS if annotation.unanswered else EXIT_FINE


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
        show_json({"out": str(out), **_clustering_json(clustering)})
        return EXIT_FINE
    _show_clustering(clustering)
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
    found, bank = read_prototypes(prototypes), _skills_of(skills)
    cells, wrong = map_coverage(found, bank), tuple(check_provenance(found, bank))
    gaps = [cell for cell in cells if cell.is_gap]
    if form == "json":
        show_json({"cells": [cell.as_json() for cell in cells], "provenance": list(wrong)})
        return EXIT_FINDINGS if wrong else EXIT_FINE
    _show_coverage(cells)
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


@command.command("draft", short_help="Prototypes to drafts of skills, on branches.")
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
    with ExitStack() as opened:
        writer = _Folder(out, skills) if out else _Branches(opened.enter_context(Repository(repo)), base, skills)
        bank = writer.bank
        wanted = tuple(dict.fromkeys(map(Language, languages))) or tuple(
            dict.fromkeys(each.language for each in bank.values())
        )
        wanted = wanted or tuple(Language)
        if distillation.session:
            drafted = distillation.distil(gather_material(found, bank, wanted), bank)
            drafts = list(drafted.drafts)
        else:
            drafted = draft_skills(found, bank, wanted)
            drafts = _chosen(drafted, names)
        writer.require_room(drafts)
        places = [(each, writer.write(each)) for each in drafts]
    distillation.finish()
    if form == "json":
        show_json(
            {
                "drafts": [{**_draft_json(each), "place": place} for each, place in places],
                "left_out": [{**_subject_json(subject), "why": why} for subject, why in drafted.left_out],
            }
        )
        return EXIT_FINE if places else EXIT_FINDINGS
    for each, place in places:
        kind = f"revises {each.name} {each.revises}" if each.revises else "new"
        say(f"{place}: {kind}; of its prototypes {len(each.helpful)} helpful, {len(each.harmful)} harmful")
    for subject, why in drafted.left_out:
        say(f"no draft for {subject.need} with {subject.strategy} in {subject.language}: {why}")
    if distillation.session:
        distillation.show(len(drafted.left_out))
    if not places and not drafted.left_out:
        say(_why_nothing(found, wanted))
    say(f"{len(places)} drafts{': read and rewrite each before it is judged' if places else ''}")
    if places:
        say(writer.following(places[0][1]))
    return EXIT_FINE if places else EXIT_FINDINGS


class _Account:
    """Counts units as they pass."""

    def __init__(self) -> None:
        self.dialogues = self.without = self.units = self.key_units = self.too_long = 0
        self._counts: dict[str, Counter[str]] = {
            name: Counter() for name in ("corpus", "transition", "outcome from", "strategies from")
        }
        self._key_units: Counter[str] = Counter()

    def units_of(self, dialogue: Dialogue) -> Iterator[Unit]:
        found = 0
        for unit in extract_units(dialogue):
            found += 1
            if (size := max(map(len, unit.texts))) > MAX_TURN:
                self.too_long += 1
                say(f"{unit.id}: left out: a turn of {size:,} characters; at most {MAX_TURN:,} are kept", err=True)
            else:
                yield unit
        self.dialogues += 1
        self.without += not found

    def line_of(self, unit: Unit) -> bytes:
        self.units += 1
        self.key_units += unit.is_key
        self._counts["corpus"][unit.corpus] += 1
        self._counts["transition"][unit.transition] += 1
        self._counts["outcome from"][unit.source] += 1
        self._counts["strategies from"]["annotation" if unit.action.annotated else "words"] += 1
        if unit.is_key:
            way = "positive" if unit.transition is Transition.POSITIVE else "negative"
            whole = {True: "that went well", False: "that went badly", None: "whose end nobody judged"}[unit.succeeded]
            self._key_units[f"{way}, in dialogues {whole}"] += 1
        return canonical_json(unit.as_json()).encode() + b"\n"

    def as_json(self) -> dict[str, Any]:
        counts = {name.replace(" ", "_"): _plain(count) for name, count in self._counts.items()}
        return {
            "dialogues": self.dialogues,
            "dialogues_without_units": self.without,
            "units_left_out": self.too_long,
            "units": self.units,
            "key_units": self.key_units,
            **counts,
            "key": _plain(self._key_units),
        }

    def show(self) -> None:
        rows: list[tuple[object, ...]] = [("units", self.units), ("key units", self.key_units)]
        rows += [(f"{name}: {each}", count) for name, counts in self._counts.items() for each, count in _most(counts)]
        rows += [(f"key: {each}", count) for each, count in _most(self._key_units)]
        if self.without:
            rows.append(("dialogues in which no supporter turn stands between two of the seeker's", self.without))
        if self.too_long:
            rows.append(("units left out, since a turn is too long", self.too_long))
        show_table("", ("what", "count"), rows)


def _plain(counts: Counter[str]) -> dict[str, int]:
    return {str(name): count for name, count in _most(counts)}


def _most(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _clustering_json(clustering: Clustering) -> dict[str, Any]:
    calls = Counter(str(each.call) for each in clustering.prototypes)
    return {
        "prototypes": len(clustering.prototypes),
        "units": clustering.units,
        "dialogues": clustering.dialogues,
        "left_over": clustering.left_over,
        "calls": {str(call): calls[call] for call in Call},
    }


def _show_clustering(clustering: Clustering) -> None:
    for call in (Call.HELPFUL, Call.HARMFUL):
        called = [each for each in clustering.prototypes if each.call is call]
        called.sort(key=lambda each: (-abs(each.effect), each.id))
        if not called:
            say(f"called {call}: 0")
            continue
        rows = [
            (
                f"{each.id}  {' / '.join(each.key)}",
                each.units,
                each.dialogues,
                points(each.effect),
                f"{points(each.low)} to {points(each.high)}",
            )
            for each in called[:10]
        ]
        title = f"called {call}: {len(called)}" + (", of which" if len(called) > 10 else "")
        show_table(title, ("strategy / need / move / stage", "units", "dialogues", "points", "80 % interval"), rows)
    told = _clustering_json(clustering)
    say(f"{told['units']:,} units of {told['dialogues']:,} dialogues; {told['left_over']:,} are like too few others")


def _show_coverage(cells: Sequence[Cell]) -> None:
    short = {
        Strategy.RESTATEMENT_OR_PARAPHRASING: "restate",
        Strategy.REFLECTION_OF_FEELINGS: "reflect",
        Strategy.AFFIRMATION_AND_REASSURANCE: "affirm",
        Strategy.PROVIDING_SUGGESTIONS: "suggest",
        Strategy.INFORMATION: "inform",
    }
    named = {strategy: short.get(strategy, str(strategy).partition("-")[0]) for strategy in Strategy}
    by_place = {(cell.need, cell.stage, cell.strategy): cell for cell in cells}
    rows = [
        (f"{need}, {stage}", *(_mark(by_place[need, stage, strategy]) for strategy in Strategy))
        for need in HiddenIntention
        for stage in Stage
    ]
    show_table(
        "skills; ! where something helps and no skill does it, · where nothing is known", ("", *named.values()), rows
    )


def _mark(cell: Cell) -> str:
    if cell.is_gap:
        return "!"
    return str(len(cell.skills)) if cell.skills else "–" if cell.units else "·"


def _draft_json(draft: Draft) -> dict[str, Any]:
    return {
        "name": draft.name,
        "revises": draft.revises,
        **_subject_json(draft.subject),
        "helpful": [each.id for each in draft.helpful],
        "harmful": [each.id for each in draft.harmful],
    }


def _subject_json(subject: Any) -> dict[str, str]:
    return {"need": str(subject.need), "strategy": str(subject.strategy), "language": str(subject.language)}


def _why_nothing(found: Iterable[Prototype], wanted: Iterable[Language]) -> str:
    helpful = [each for each in found if each.call is Call.HELPFUL and each.need is not None]
    if not helpful:
        return "nothing to draft: no prototype with a need is called helpful"
    if not any(each.positive for each in helpful):
        return "nothing to draft: helpful prototypes hold no key unit, since nobody said how it went"
    languages = " or ".join(wanted)
    return f"nothing to draft: helpful prototypes show no exemplar in {languages}; --language asks for another"


def _chosen(drafted: Drafted, names: Iterable[str]) -> list[Draft]:
    by_name = {each.name: each for each in drafted.drafts}
    if unknown := [name for name in names if name not in by_name]:
        raise InputError(f"{unknown[0]}: no draft has that name", f"there are {', '.join(by_name) or 'none'}")
    return [by_name[name] for name in (dict.fromkeys(names) or by_name)]


def _skills_of(named: Path | None) -> Mapping[str, Skill]:
    bank, _ = find_bank(named)
    return bank.skills if bank else {}


class _Folder:
    """Takes drafts as files of a folder."""

    def __init__(self, out: Path, skills: Path | None) -> None:
        self._out = out
        self._revises = False
        self.bank = _skills_of(skills)

    def require_room(self, drafts: Iterable[Draft]) -> None:
        """Require nothing: files of an earlier run are written anew."""

    def write(self, draft: Draft) -> str:
        path = self._out / draft.path
        write_atomically(path, draft.text)
        self._revises |= draft.revises is not None
        return str(path)

    def following(self, _: str) -> str:
        if self._revises:  # a revised skill refers to others, which stand in the bank alone
            return f"next: put what you keep of {self._out} into the bank's folder, and validate that"
        return f"next: esc-skills validate {self._out}"


class _Branches:
    """Takes drafts as branches, a commit each, beside whatever is checked out."""

    def __init__(self, repository: Repository, base: str, skills: Path | None) -> None:
        if str(skills) == NO_BANK:
            raise InputError("--skills none: a branch changes a bank, and there is none", "name a folder with --out")
        self._repository, self._base = repository, base
        self._revision = read_revision(repository, base, str(skills) if skills else None)
        self.bank = self._revision.bank.skills

    def require_room(self, drafts: Iterable[Draft]) -> None:
        """Require that no draft's branch is there, before the first is made."""
        names = [_branch_of(each) for each in drafts]
        if taken := [name for name in names if self._repository.branch_exists(name)]:
            hint = f"merge or delete what is no longer wanted: git branch -D {' '.join(taken)}"
            raise GitError(f"branches of these names exist already: {', '.join(taken)}", hint)

    def write(self, draft: Draft) -> str:
        branch = _branch_of(draft)
        # A skill may lie in a folder of its kind, and stays there.
        inside = next((path for path in self._revision.files if f"/{path}".endswith(f"/{draft.path}")), draft.path)
        path = f"{self._revision.settings.skills}/{inside}"
        message = f"Draft {draft.name}\n\n{_rests_on(draft)}\n"
        self._repository.commit_branch(branch, self._revision.commit, {path: draft.text.encode()}, message)
        return branch

    def following(self, branch: str) -> str:
        return f"next: edit it, then esc-skills evidence collect --base {self._base} --head {branch}"


def _branch_of(draft: Draft) -> str:
    return f"draft/{draft.name}"


def _rests_on(draft: Draft) -> str:
    units = sum(each.units for each in draft.helpful)
    return f"From prototypes with {units} units: {', '.join(each.id for each in draft.helpful)}"
