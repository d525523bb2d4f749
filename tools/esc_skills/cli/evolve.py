"""`esc-skills evolve`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from esc_skills.cli.output import ProgressLine, format_option, one_decimal, say, show_json, show_table
from esc_skills.errors import EXIT_FINDINGS, EXIT_FINE
from esc_skills.evolution.gate import Decision
from esc_skills.evolution.propose import Evolution, evolve
from esc_skills.evolution.review import describe_change
from esc_skills.git import Repository
from esc_skills.vocabulary import Verdict

#: A change is shown on one line; `diff` shows all of it.
_WIDTH = 100


@click.command("evolve")
@click.option("--skills", metavar="DIR", help="The bank's folder, from the repository's root. [default: the settings']")
@click.option(
    "--repo", type=click.Path(path_type=Path), default=Path(), help="The git repository. [default: the one you are in]"
)
@format_option
def command(skills: str | None, repo: Path, form: str) -> int:
    """Propose a better bank as a branch with its evidence.

    The bank of HEAD is diagnosed on evolution profiles, the edit that helps most there is judged on fresh gate seekers,
    and the branch evolve/… holds the change and its evidence. Work tree, index and current branch are left alone. Ends
    with 1 unless the gate accepts.
    """
    with Repository(repo) as repository, Steps(shown=form == "text") as steps:
        evolution = evolve(repository, skills, steps)
    if form == "json":
        show_json(as_json(evolution))
    else:
        show_evolution(evolution)
    return EXIT_FINE if evolution.verdict is Verdict.ACCEPT else EXIT_FINDINGS


class Steps:
    """Says what is being done on standard error, with a progress line where that is a terminal."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._line = ProgressLine("")

    def __enter__(self) -> Steps:
        return self

    def __exit__(self, *_: object) -> None:
        self._line.__exit__()

    def step(self, what: str) -> None:
        """Begin a step."""
        self._line.__exit__()
        self._line = ProgressLine(what)
        if self._shown:
            say(f"{what} …", err=True)

    def progress(self, done: int, total: int) -> None:
        """Count up within the step."""
        self._line.update(done, total)


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
    say("Intervals are two-sided and hold whenever one looks; the e-value asks one question: is the mean above zero?")
    say(f"{str(decision.verdict).upper()}: {decision.reason} {decision.would_decide}".strip(), bold=True)


def _interval(ends: tuple[float, float]) -> str:
    return f"{ends[0]:+.1f} to {ends[1]:+.1f}"
