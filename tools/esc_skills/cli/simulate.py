"""`esc-skills simulate`."""

from __future__ import annotations

from pathlib import Path

import click

from esc_skills.cli.output import ProgressLine, format_option, one_decimal, say, show_json
from esc_skills.cli.places import find_bank, find_population
from esc_skills.documents.jsonl import digest_json
from esc_skills.simulation.draws import Draw, plan_draws
from esc_skills.simulation.players import SURROGATE, cast_players, play
from esc_skills.simulation.runner import RunFile, run_to_file
from esc_skills.simulation.score import score_run
from esc_skills.transcript import Transcript, run_name
from esc_skills.vocabulary import Arm, Split


@click.command("simulate")
@click.option(
    "--skills",
    type=click.Path(path_type=Path),
    help="The bank's folder, or `none` for a supporter without one. [default: the repository's, else the shipped one]",
)
@click.option(
    "--profiles",
    type=click.Path(path_type=Path),
    help="The folder of profile parts. [default: the repository's, else the shipped ones]",
)
@click.option(
    "--supporter",
    default=SURROGATE,
    show_default=True,
    help="The model that plays the supporter; `surrogate` is offline.",
)
@click.option(
    "--seeker", default=SURROGATE, show_default=True, help="The model that plays the seeker; `surrogate` is offline."
)
@click.option(
    "--draws", type=click.IntRange(1, 1_000_000), default=100, show_default=True, help="How many seekers are drawn."
)
@click.option(
    "--split",
    type=click.Choice([str(each) for each in Split]),
    default=str(Split.EVOLUTION),
    show_default=True,
    help="Which profile parts are drawn from.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="What the draws follow from.")
@click.option(
    "--concurrency",
    type=click.IntRange(1, 10_000),
    default=64,
    show_default=True,
    help="How many episodes run at a time.",
)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The JSON Lines file of transcripts."
)
@click.option("--resume", is_flag=True, help="Go on with an unfinished run of the same settings.")
@format_option
def command(
    skills: Path | None,
    profiles: Path | None,
    supporter: str,
    seeker: str,
    draws: int,
    split: str,
    seed: int,
    concurrency: int,
    out: Path,
    resume: bool,
    form: str,
) -> int:
    """Run a bank against seeker profiles and keep one transcript a line.

    Equal settings give equal bytes. A run that was interrupted goes on with --resume, where only what had not ended is
    done again.
    """
    bank, where = find_bank(skills)
    population = find_population(profiles)
    players = cast_players(supporter, seeker)
    settings = {
        "skills": bank.digest if bank else None,
        "profiles": population.digest,
        "supporter": supporter,
        "seeker": seeker,
        "draws": draws,
        "split": split,
        "seed": seed,
        **players.settings,
    }
    chance = digest_json({"seed": seed, "split": split, "profiles": population.digest})
    plan = plan_draws(chance, population, Split(split), 0, draws)

    async def work(draw: Draw) -> Transcript:
        return await play(players, draw, bank, Arm.RUN)

    file = RunFile(out)
    try:
        with ProgressLine("episodes") as progress:
            run = run_to_file(file, settings, plan, work, concurrency=concurrency, resume=resume, progress=progress)
    except KeyboardInterrupt:
        if file.partial.exists():
            say(f"what was finished is kept in {file.partial}; go on with the same command and --resume", err=True)
        raise
    _show(run, out, where, form)
    return 0


def _show(run: tuple[Transcript, ...], out: Path, where: str, form: str) -> None:
    score = score_run(run_name(out), run)
    if form == "json":
        show_json(
            {"out": str(out), "skills": where, "episodes": len(run), "faults": score.faults, "score": score.whole.score}
        )
        return
    say(
        f"{len(run):,} episodes with {where} in {out}: score {one_decimal(score.whole.score)} ± {one_decimal(score.whole.stderr)} (standard error)"
    )
    say(f"next: esc-skills score {out}, or esc-skills diagnose {out}")
