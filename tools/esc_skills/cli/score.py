"""`esc-skills score`."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from esc_skills.cli.output import format_option, one_decimal, show_json, show_table
from esc_skills.simulation.sentient_score import RunScore, Score, score_run
from esc_skills.transcript import Transcript, read_transcripts, run_name
from esc_skills.vocabulary import Arm


@click.command("score")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@format_option
def command(files: tuple[Path, ...], form: str) -> int:
    """Show the scores of runs: our transcripts or SAGE's published result files.

    The score is SAGE's: the mean final emotion. Success is 100, failure below 10. Faults of a model are counted and never
    scored.
    """
    runs = [score_run(name, transcripts) for file in files for name, transcripts in _runs_of(file)]
    if form == "json":
        show_json({"runs": [_json(run) for run in runs]})
    else:
        _show(runs)
    return 0


def _runs_of(file: Path) -> list[tuple[str, list[Transcript]]]:
    arms: dict[Arm, list[Transcript]] = defaultdict(list)
    for transcript in read_transcripts(file):
        arms[transcript.arm].append(transcript)
    name = run_name(file)
    return [(name if arm is Arm.RUN else f"{name} {arm}", group) for arm, group in arms.items()]


def _json(run: RunScore) -> dict[str, Any]:
    return {
        "name": run.name,
        **asdict(run.whole),
        "faults": run.faults,
        "turns": run.turns,
        "by_disposition": {str(key): asdict(each) for key, each in run.by_disposition.items()},
        "by_intention": {str(key): asdict(each) for key, each in run.by_intention.items()},
        "terminations": {str(key): count for key, count in run.terminations.items()},
        "skills": run.skills,
        "flags": run.flags,
    }


def _show(runs: list[RunScore]) -> None:
    rows = [[run.name, run.whole.episodes, *_cells(run.whole), run.faults, one_decimal(run.turns)] for run in runs]
    show_table("Scores", ["run", "episodes", "score", "±", "success", "failure", "faults", "turns"], rows)
    for title, groups in (("By disposition", "by_disposition"), ("By hidden intention", "by_intention")):
        keys = dict.fromkeys(key for run in runs for key in getattr(run, groups))
        rows = [[str(key), *(_short(getattr(run, groups).get(key)) for run in runs)] for key in keys]
        show_table(title, ["", *(run.name for run in runs)], rows)
    _show_counts("Why episodes ended", runs, "terminations")
    _show_counts("Supporter turns by skill", runs, "skills")
    _show_counts("Safety flags", runs, "flags")


def _cells(score: Score) -> list[str]:
    return [one_decimal(score.score), one_decimal(score.stderr), str(score.success), str(score.failure)]


def _short(score: Score | None) -> str:
    return "–" if score is None or score.score is None else f"{one_decimal(score.score)} ({score.episodes})"


def _show_counts(title: str, runs: list[RunScore], field: str) -> None:
    keys = dict.fromkeys(str(key) for run in runs for key in getattr(run, field))
    if keys:
        rows = [[key, *(getattr(run, field).get(key, 0) for run in runs)] for key in keys]
        show_table(title, ["", *(run.name for run in runs)], rows)
