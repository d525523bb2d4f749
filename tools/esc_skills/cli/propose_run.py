"""What the commands that make proposals share: the models that play, the ledger, the steps on the screen, the decision."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from esc_skills.cli.diff import describe
from esc_skills.cli.model_options import ModelOptions
from esc_skills.cli.model_run import ModelRun, RunFiles
from esc_skills.cli.output import ProgressLine, one_decimal, say, show_table
from esc_skills.errors import InputError
from esc_skills.evidence.revision import Revision
from esc_skills.evidence.span_coverage import SpanClass
from esc_skills.gate.decision import Decision
from esc_skills.gate.scrutiny import e_value_note, note_of
from esc_skills.git import Repository
from esc_skills.ledger.book import BRANCH, LedgerBook, remote_of_ledger
from esc_skills.proposing.propose import Proposed
from esc_skills.simulation.draws import plan_draws
from esc_skills.simulation.estimate import estimate_episode
from esc_skills.simulation.players import SURROGATE
from esc_skills.simulation.team import DIAGNOSIS_DRAWS, MODEL_DRAWS, Team
from esc_skills.vocabulary import Split

if TYPE_CHECKING:
    from esc_skills.models.session import Session

_Result = TypeVar("_Result")
_Command = TypeVar("_Command", bound=Callable[..., Any])
#: A change is shown on one line; `diff` shows all of it.
_WIDTH = 100


def with_ledger(command: _Command) -> _Command:
    """Add the options that say where a proposal is registered."""
    help_offline = "Register nothing; `verify` will say that the registration is missing."
    return with_remote(click.option("--offline", is_flag=True, help=help_offline)(command))


def with_remote(command: _Command) -> _Command:
    """Add the option that names the remote with the ledger."""
    help_remote = "The remote that holds the ledger. [default: origin, or the only one; asks before the first push]"
    return click.option("--remote", metavar="NAME", help=help_remote)(command)


@contextmanager
def opened_book(
    repository: Repository, remote: str | None, *, offline: bool, wait: bool = True
) -> Iterator[LedgerBook | None]:
    """Give the ledger of a repository to append to, while nobody else in this repository does; None where that is not wanted.

    All that could refuse at the end is asked first: who commits, whether the remote lets this person push, and, where no ledger
    is there yet, whether one is wanted there.

    Args:
        repository: The repository.
        remote: The name of the remote that holds the ledger; None for `origin` or the only one.
        offline: Whether nothing is registered.
        wait: Whether to wait for another command of this repository to end.

    Raises:
        InputError: No remote has that name, it is not clear which one holds the ledger, or nobody agreed to make one there.
        GitError: Git does not know who commits, or the remote cannot be reached or pushed to.
    """
    repository.require_author()
    with _alone(repository) if wait else nullcontext():
        if offline:
            yield None
            return
        name = remote_of_ledger(repository, remote)
        book = LedgerBook(repository, name)
        if name:
            if not book.is_at_remote and remote is None:
                _agree_to_first_push(repository, name)
            repository.require_push(name, BRANCH)
        yield book


def _agree_to_first_push(repository: Repository, remote: str) -> None:
    """Ask before the ledger is pushed to a remote for the first time."""
    where = f"{remote} ({repository.remote_url(remote)})"
    if not sys.stdin.isatty():
        found = f"{where} holds no ledger yet, and to register a proposal makes its branch `{BRANCH}` there"
        raise InputError(found, f"agree with --remote {remote}, or register nothing with --offline")
    say(
        f"To register a proposal, the branch `{BRANCH}` is made at {where}, where whoever can read it sees it.",
        err=True,
    )
    if not click.confirm("Make it there? (--offline registers nothing)", err=True):
        raise InputError(
            "nothing was registered", "register nothing with --offline, or name another remote with --remote"
        )


@contextmanager
def _alone(repository: Repository) -> Iterator[None]:
    """Wait until no other command of this repository makes a proposal or writes to the ledger."""
    from filelock import FileLock, Timeout

    repository.private_folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(repository.private_folder / "running.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say("another command of this repository is making a proposal; waiting for it to end …", err=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def default_base(repository: Repository, named: str | None) -> str:
    """Return the revision that changes would be merged into: what was named, else `main` or `master`, else HEAD."""
    if named is not None:
        return named
    return next((f"refs/heads/{name}" for name in ("main", "master") if repository.branch_exists(name)), "HEAD")


def base_option(command: _Command) -> _Command:
    """Add the option of what a change would be merged into, the same for all commands."""
    text = "What it would be merged into. [default: the branch main, else master, else HEAD]"
    return click.option("--base", metavar="REV", help=text)(command)


@dataclass(frozen=True, slots=True)
class Making:
    """One command that makes a proposal.

    Attributes:
        repository: The repository.
        base: What the change starts from.
        asked: Who plays, and how they are asked.
        draws: How many evolution seekers are simulated; None for the default.
        screens: How many edits are screened on them at most, the bank itself included; 0 where none is.
        shown: Whether steps and estimates are told.
    """

    repository: Repository
    base: Revision
    asked: ModelOptions
    draws: int | None
    screens: int
    shown: bool

    def run(self, work: Callable[[Team, Steps], Awaitable[_Result]]) -> _Result:
        """Do the work with a journal in the git directory, so that neither a kill nor a full disk costs a call twice."""
        files = RunFiles(self.repository.private_folder / "evolve.journal")
        plays = any(name != SURROGATE for role, name in self.asked.roles.items() if role != "analyst")
        draws = self.draws or (MODEL_DRAWS if plays else DIAGNOSIS_DRAWS)
        base = self.base
        settings: dict[str, Any] = {"bank": base.bank.digest, "profiles": base.population.digest, "draws": draws}
        settings |= {"gate": base.settings.gate.as_json(), "parameters": asdict(base.settings.models)}
        with ModelRun(self.asked, files, settings) as run, Steps(shown=self.shown, status=run.status) as steps:
            team = Team(
                **self.asked.roles,
                recorder=run.session,
                asked=self.base.settings.models,
                draws=draws,
                concurrency=self.asked.episodes_at_a_time,
            )

            async def make() -> _Result:
                if run.session and self.shown:
                    await self._tell_estimate(team, run.session)
                return await work(team, steps)

            result = run.wait_for(make)
        if self.shown:
            run.say_spent()
        return result

    async def _tell_estimate(self, team: Team, session: Session) -> None:
        base = self.base
        draws = plan_draws(base.bank.digest, base.population, Split.EVOLUTION, 0, team.draws)
        each = await estimate_episode(team.players, draws, base.bank, session.prices, session.endpoints)
        if self.screens:
            say(f"estimate: {each.describe(self.screens * team.draws)} to find an edit", err=True)
        seekers = " with each seeker" if team.second_seeker else ""
        gate = base.settings.gate
        say(f"estimate: {each.describe(2 * gate.draws)} to judge it{seekers}", err=True)
        if gate.stratum_draws:
            say(
                f"estimate: {each.describe(2 * gate.stratum_draws)} more for a group that seems to lose by it", err=True
            )


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


def proposed_as_json(made: Proposed | None) -> dict[str, Any]:
    """Return what the commands print of a proposal with --format json."""
    decision = made.decision if made else None
    return {
        "proposal": made.id if made else None,
        "branch": made.branch if made else None,
        "registration": made.registered.number if made and made.registered else None,
        "verdict": str(made.verdict) if made else "indecisive",
        "gate": str(decision.verdict) if decision else None,
        "open": [each.as_json() for each in made.coverage.open] if made else [],
        "effect": decision.effect if decision else None,
        "draws": decision.draws if decision else 0,
        "own_draws": decision.own_draws if decision else 0,
        "e_value": decision.e_value if decision else None,
        "threshold": decision.threshold if decision else None,
        "reason": decision.reason if decision else "",
        "would_decide": (made.why_not or made.decision.would_decide) if made else "",
        "second": asdict(decision.second) if decision and decision.second else None,
    }


def show_proposed(made: Proposed, base: str) -> None:
    """Print what was proposed, what the gate says, and what comes next."""
    say("Proposed:")
    for span in made.coverage.spans:
        if span.kind is not SpanClass.DERIVED:
            line = f"{span.change.label}: {describe(span.change)}"
            say(f"  {line if len(line) <= _WIDTH else line[: _WIDTH - 1] + '…'}")
    show_decision(made.decision)
    if made.verdict is not made.decision.verdict:
        say(f"{str(made.verdict).upper()}: {made.why_not}", bold=True)
    where = f"registered as entry {made.registered.number} of the ledger" if made.registered else "not registered"
    say(f"branch {made.branch}, {where}")
    if made.apart:
        say(f"its recorded calls are too large for the tree; push them beside the branch: git push REMOTE {made.apart}")
    say(f"next: esc-skills diff {base}..{made.branch}")
    say(f"      esc-skills verify --base {base} --head {made.branch}")


def show_decision(decision: Decision) -> None:
    """Print a gate's decision with its strata."""
    rows = [
        [
            each.name.replace(":", ": "),
            each.draws,
            one_decimal(each.effect, signed=True),
            _interval(each.interval),
            note_of(each),
        ]
        for each in decision.strata
    ]
    whole = [
        "all seekers",
        decision.draws,
        one_decimal(decision.effect, signed=True),
        _interval(decision.interval),
        e_value_note(decision),
    ]
    title = "What changed and for whom: final emotion, in points of 100"
    show_table(title, ["seekers", "pairs", "effect", "95 % interval", ""], [whole, *rows])
    if decision.second:
        second, agrees = decision.second, "agrees" if decision.second.agrees else "does not agree"
        effect = f"{one_decimal(second.effect, signed=True)} points, {_interval(second.interval)}"
        say(f"With the second seeker {second.seeker}, on the same draws: {effect}; the sign {agrees}.")
    say("The e-value decides, which asks one question: is the mean above zero? Intervals are two-sided, and so wider.")
    say(f"{str(decision.verdict).upper()}: {decision.reason} {decision.would_decide}".strip(), bold=True)


def _interval(ends: tuple[float, float]) -> str:
    return f"{ends[0]:+.1f} to {ends[1]:+.1f}"
