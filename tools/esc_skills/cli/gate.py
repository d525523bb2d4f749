"""`esc-skills gate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from esc_skills.calibration.measuring import Size, calibrate, exceeds, rehearse
from esc_skills.calibration.pool import read_pool, simulate_pool
from esc_skills.cli.output import format_option, say, show_json, show_table
from esc_skills.cli.places import find_bank, find_population, find_settings
from esc_skills.cli.propose_run import Steps
from esc_skills.documents.text import write_atomically
from esc_skills.errors import EXIT_FINDINGS, EXIT_FINE, InputError
from esc_skills.evidence.files import render_json
from esc_skills.gate.calibration import FOLDER, PLOT, RESULT
from esc_skills.reports.powerplot import draw_power
from esc_skills.settings import GateSettings
from esc_skills.simulation.players import cast_players
from esc_skills.simulation.runner import wait_for
from esc_skills.vocabulary import Split

#: The effects that the summary shows, in points.
_SHOWN = (0, 3, 5, 8, 15)


@click.group("gate")
def command() -> None:
    """Measure the gate itself.

    docs/gate.md says what the gate promises, docs/calibration.md what was measured of it.
    """


@command.command("calibrate")
@click.option(
    "--skills",
    "--bank",
    "skills",
    type=click.Path(path_type=Path),
    help="The bank's folder. [default: the repository's, else the shipped one]",
)
@click.option(
    "--profiles",
    type=click.Path(path_type=Path),
    help="The folder of profile parts. [default: the repository's, else the shipped ones]",
)
@click.option(
    "--pool",
    "runs",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="RUN.jsonl",
    help="A recorded run of the base, then, each with --pool again, runs of other banks on equal draws. "
    "[default: a pool of our own, with the surrogate]",
)
@click.option(
    "--split",
    type=click.Choice([str(Split.REPORT), str(Split.EVOLUTION)]),
    default=str(Split.REPORT),
    show_default=True,
    help="Which profile parts our own pool draws from; the gate's stay unseen.",
)
@click.option(
    "--draws",
    type=click.IntRange(20, 100_000),
    default=400,
    show_default=True,
    help="How many seekers our own pool draws.",
)
@click.option(
    "--proposals",
    type=click.IntRange(10, 1_000_000),
    default=Size().proposals,
    show_default=True,
    help="How many proposals of each kind of null are resampled, and an eighth as many at each planted effect.",
)
@click.option(
    "--trials",
    type=click.IntRange(1, 100_000),
    default=Size().trials,
    show_default=True,
    help="How many proposals of wording alone go through whole trials.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="What all chance follows from.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(FOLDER),
    show_default=True,
    help=f"The folder of {RESULT} and {PLOT}.",
)
@format_option
def calibrate_command(
    skills: Path | None,
    profiles: Path | None,
    runs: tuple[Path, ...],
    split: str,
    draws: int,
    proposals: int,
    trials: int,
    seed: int,
    out: Path,
    form: str,
) -> int:
    """Measure false accepts and power for this bank, these seekers and these models.

    Episodes of the bank and of edits of it make a pool, from which proposals are resampled that change nothing on
    average, and others with an effect that was planted. Without --pool the surrogate plays, and some proposals go through
    whole trials to see whether resampling tells the same. Some minutes; equal options give equal bytes. Ends with 1
    where more nulls are accepted than promised.
    """
    gate, size = find_settings().gate, Size(proposals, trials, seed)
    with Steps(shown=form == "text") as steps:
        if runs:
            if skills:
                raise InputError("--skills is for a pool of our own; with --pool the first run's bank is the base")
            result = calibrate(read_pool(runs, find_population(profiles)), gate, size, steps)
        else:
            result = wait_for(_with_surrogate(skills, profiles, Split(split), draws, gate, size, steps))
    write_atomically(out / RESULT, render_json(result))
    write_atomically(out / PLOT, draw_power(result["power"]["curves"]))
    if form == "json":
        show_json(result)
    else:
        _show(result, out)
    return EXIT_FINDINGS if exceeds(result) else EXIT_FINE


async def _with_surrogate(
    skills: Path | None, profiles: Path | None, split: Split, draws: int, gate: GateSettings, size: Size, steps: Steps
) -> dict[str, Any]:
    bank, _ = find_bank(skills)
    if bank is None:
        raise InputError("no bank has no edits to calibrate on", "give the folder of a bank")
    population, players = find_population(profiles), cast_players()
    steps.step(f"simulating a pool of {draws} {split} seekers")
    pool = await simulate_pool(bank, population, players, split, draws, size.seed, steps.progress)
    result = calibrate(pool, gate, size, steps)
    return {**result, "end_to_end": await rehearse(pool, bank, population, players, gate, size, steps)}


def _show(result: dict[str, Any], out: Path) -> None:
    _show_nulls(result["nulls"])
    _show_power(result["power"])
    if result["end_to_end"]:
        _show_trials(result["end_to_end"])
    for kind in exceeds(result):
        say(f"accepted more often than promised: {kind}", bold=True)
    say(f"result in {out / RESULT}, plot in {out / PLOT}")


def _show_nulls(nulls: dict[str, Any]) -> None:
    rows = [
        [f"{each['kind']} ({each['noise']})", each["proposals"], f"{each['sd']:.0f}", *_shares(each)]
        for each in nulls["kinds"]
    ]
    rows.append(["all", nulls["all"]["proposals"], "", *_shares(nulls["all"])])
    title = f"False accepts within {nulls['draws']} draws; at most {nulls['nominal']:.2%} are promised"
    show_table(title, ["nulls", "proposals", "sd", "accepted", "95 % interval"], rows)


def _shares(each: dict[str, Any]) -> list[str]:
    return [f"{each['rate']:.1%}", interval_in_words(each["interval"])]


def interval_in_words(interval: list[float]) -> str:
    """Return an interval of a share in percent."""
    low, high = interval
    return f"{100 * low:.1f} to {100 * high:.1f} %"


def _show_power(power: dict[str, Any]) -> None:
    rows = [
        [
            f"{curve['noise']}, proposal {curve['index']} after {curve['accepted_before']} accepted",
            f"{curve['threshold']:g}",
            curve["draws"],
            *(f"{each['power']:.0%}" for each in curve["points"] if each["planted"] in _SHOWN),
        ]
        for curve in power["curves"]
    ]
    title = f"Share accepted by planted effect in points, of {power['proposals']} proposals each"
    show_table(title, ["changes as of", "threshold", "draws", *map(str, _SHOWN)], rows)


def _show_trials(trials: dict[str, Any]) -> None:
    wording = trials["wording_only"]
    share, interval = _shares(wording)
    say(
        f"Whole trials of wording alone: {wording['accepted']} of {wording['proposals']} accepted "
        f"({share}, {interval}), {wording['rejected']} called harmful; resampled {wording['resampled']['accept']:.1%} "
        f"and {wording['resampled']['reject']:.1%}"
    )
    rows = [
        [each["proposal"], each["verdict"], f"{each['effect']:+.1f}", f"{each['pool_effect']:+.1f}"]
        + [f"{each['resampled'][verdict]:.0%}" for verdict in ("accept", "reject", "indecisive")]
        for each in trials["edits"]
    ]
    columns = ["whole trial", "verdict", "effect", "in the pool", "resampled: accept", "reject", "indecisive"]
    show_table("The pool's edits", columns, rows)
