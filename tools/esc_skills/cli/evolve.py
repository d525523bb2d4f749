"""`esc-skills evolve`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from esc_skills.cli.models import Asking, ModelOptions, chosen, with_models
from esc_skills.cli.output import ProgressLine, format_option, one_decimal, say, show_json, show_table
from esc_skills.errors import EXIT_FINDINGS, EXIT_FINE
from esc_skills.evolution.gate import Decision
from esc_skills.evolution.propose import DIAGNOSIS_DRAWS, MODEL_DRAWS, SCREENED, Evolution, Team, evolve
from esc_skills.evolution.repository import Revision, read_revision
from esc_skills.evolution.review import describe_change
from esc_skills.git import Repository
from esc_skills.settings import ModelSettings
from esc_skills.simulation.draws import plan_draws
from esc_skills.simulation.estimate import estimate_episode
from esc_skills.simulation.players import SURROGATE
from esc_skills.simulation.runner import wait_for
from esc_skills.vocabulary import Split, Verdict

if TYPE_CHECKING:
    from esc_skills.models.session import Session

#: A change is shown on one line; `diff` shows all of it.
_WIDTH = 100


@click.command("evolve")
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
@with_models("supporter", "seeker", "judge", "second-seeker", "analyst")
@format_option
def command(skills: str | None, repo: Path, draws: int | None, form: str, **options: Any) -> int:
    """Propose a better bank as a branch with its evidence.

    The bank of HEAD is diagnosed on evolution profiles, the edit that helps most there is judged on fresh gate seekers,
    and the branch evolve/… holds the change and its evidence. Work tree, index and current branch are left alone. Ends
    with 1 unless the gate accepts.
    """
    with Repository(repo) as repository:
        models = read_revision(repository, "HEAD", skills).settings.models
        evolution = _evolve(repository, skills, chosen(options, models), models, draws, shown=form == "text")
    if form == "json":
        show_json(as_json(evolution))
    else:
        show_evolution(evolution)
    return EXIT_FINE if evolution.verdict is Verdict.ACCEPT else EXIT_FINDINGS


def _evolve(
    repository: Repository,
    skills: str | None,
    asked: ModelOptions,
    models: ModelSettings,
    draws: int | None,
    *,
    shown: bool,
) -> Evolution:
    """Evolve with a journal in the git directory, so that neither a kill nor a full disk costs a call twice."""
    plays = any(name != SURROGATE for role, name in asked.roles.items() if role != "analyst")
    draws = draws or (MODEL_DRAWS if plays else DIAGNOSIS_DRAWS)
    commit = repository.resolve("HEAD")
    journal = repository.private_folder / "evolve.journal"
    session = asked.session(journal, {"commit": commit, "skills": skills, "draws": draws})
    team = Team(**asked.roles, recorder=session, asked=models, draws=draws, concurrency=asked.episodes_at_a_time)

    async def run(steps: Steps) -> Evolution:
        async with session or nullcontext():
            if session and shown:
                await _tell_estimate(read_revision(repository, "HEAD", skills), team, session)
            return await evolve(repository, skills, steps, team)

    try:
        with Steps(shown=shown, status=Asking(session)) as steps:
            evolution = wait_for(run(steps))
    except KeyboardInterrupt:
        if session:
            say(f"every answer is kept in {journal}; go on with the same command and --resume", err=True)
        raise
    if session:
        session.discard()
        if shown:
            say(f"spent: {Asking(session).spent()}")
    return evolution


async def _tell_estimate(revision: Revision, team: Team, session: Session) -> None:
    draws = plan_draws(revision.bank.digest, revision.population, Split.EVOLUTION, 0, team.draws)
    each = await estimate_episode(team.players, draws, revision.bank, session.prices, session.endpoints)
    diagnosis, gate = (1 + SCREENED) * team.draws, 2 * revision.settings.gate.draws
    say(f"estimate, at most: {each.describe(diagnosis)} to find an edit", err=True)
    seekers = " with each seeker" if team.second_seeker else ""
    say(f"                   {each.describe(gate)} to judge it{seekers}", err=True)


class Steps:
    """Says what is being done on standard error, with a progress line where that is a terminal."""

    def __init__(self, *, shown: bool, status: Callable[[], str] = lambda: "") -> None:
        self._shown, self._status = shown, status
        self._lines = ExitStack()
        self._update: Callable[[int, int], None] = lambda done, total: None

    def __enter__(self) -> Steps:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()

    def step(self, what: str) -> None:
        """Begin a step."""
        self._lines.close()
        if self._shown:
            say(f"{what} …", err=True)
        self._update = self._lines.enter_context(ProgressLine("", self._status))

    def progress(self, done: int, total: int) -> None:
        """Count up within the step."""
        self._update(done, total)

    def note(self, what: str) -> None:
        """Say something that a person should know."""
        self._lines.close()
        say(what, err=True)


def as_json(evolution: Evolution) -> dict[str, Any]:
    """Return what `evolve --format json` prints."""
    decision = evolution.decision
    return {
        "proposal": evolution.proposal,
        "branch": evolution.branch,
        "verdict": str(evolution.verdict),
        "effect": decision.effect if decision else None,
        "draws": decision.draws if decision else 0,
        "e_value": decision.e_value if decision else None,
        "threshold": decision.threshold if decision else None,
        "reason": decision.reason if decision else _nothing(evolution),
        "would_decide": decision.would_decide if decision else "",
        "second": asdict(decision.second) if decision and decision.second else None,
        "weaknesses": [weakness.message for weakness in evolution.weaknesses],
    }


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
            "whose esc-risk includes active and imminent, as the shipped stay-with-risk has."
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
    if evolution.decision is None:
        say(_nothing(evolution))
        return
    say("Proposed:")
    for change in evolution.changes:
        line = describe_change(change)
        say(f"  {line if len(line) <= _WIDTH else line[: _WIDTH - 1] + '…'}")
    show_decision(evolution.decision)
    say(f"branch {evolution.branch}")
    say(f"next: esc-skills diff HEAD..{evolution.branch}")
    say(f"      esc-skills verify --base HEAD --head {evolution.branch}")


def show_decision(decision: Decision) -> None:
    """Print a gate's decision with its strata."""
    rows = [
        [
            each.name.replace(":", ": "),
            each.draws,
            one_decimal(each.effect, signed=True),
            _interval(each.interval),
            "harmed" if each.harmed else "",
        ]
        for each in decision.strata
    ]
    whole = ["all seekers", decision.draws, one_decimal(decision.effect, signed=True), _interval(decision.interval), ""]
    title = "What changed and for whom: final emotion, in points of 100"
    show_table(title, ["seekers", "pairs", "effect", "95 % interval", ""], [whole, *rows])
    if decision.second:
        second, agrees = decision.second, "agrees" if decision.second.agrees else "does not agree"
        effect = f"{one_decimal(second.effect, signed=True)} points, {_interval(second.interval)}"
        say(f"With the second seeker {second.seeker}, on the same draws: {effect}; the sign {agrees}.")
    say("Intervals are two-sided and hold whenever one looks; the e-value asks one question: is the mean above zero?")
    say(f"{str(decision.verdict).upper()}: {decision.reason} {decision.would_decide}".strip(), bold=True)


def _interval(ends: tuple[float, float]) -> str:
    return f"{ends[0]:+.1f} to {ends[1]:+.1f}"
