"""`esc-skills simulate` and `esc-skills replay`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from esc_skills.cli.bank_options import find_part, with_part, with_skills
from esc_skills.cli.model_options import ModelCommand, chosen, with_models
from esc_skills.cli.model_run import ModelRun, files_beside
from esc_skills.cli.output import ProgressLine, format_option, one_decimal, say, show_json
from esc_skills.cli.places import find_population, find_settings
from esc_skills.models.request import Model
from esc_skills.simulation.draws import Draw, chance_of, plan_draws
from esc_skills.simulation.estimate import estimate_episode
from esc_skills.simulation.players import Players, cast_players, play, require_languages
from esc_skills.simulation.runfile import Ending, RunFile, UnfinishedRun
from esc_skills.simulation.runner import Progress, run_to_file, wait_for
from esc_skills.simulation.sentient_score import score_episodes
from esc_skills.transcript import Transcript
from esc_skills.vocabulary import Arm, Split, Termination

_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is simulated."""

    skills: Path | None
    only: tuple[str, ...]
    exclude: tuple[str, ...]
    profiles: Path | None
    draws: int
    split: str
    seed: int
    out: Path
    form: str


_OPTIONS = (
    with_skills(or_none=True),
    with_part,
    click.option(
        "--profiles",
        type=click.Path(path_type=Path),
        help="The folder of profile parts. [default: the repository's, else the shipped ones]",
    ),
    click.option(
        "--draws", type=click.IntRange(1, 1_000_000), default=100, show_default=True, help="How many seekers are drawn."
    ),
    click.option(
        "--split",
        type=click.Choice([str(each) for each in Split]),
        default=str(Split.EVOLUTION),
        show_default=True,
        help="Which profile parts are drawn from.",
    ),
    click.option("--seed", type=int, default=0, show_default=True, help="What the draws follow from."),
    click.option(
        "--out",
        type=click.Path(path_type=Path, dir_okay=False),
        required=True,
        help="The JSON Lines file of transcripts.",
    ),
    with_models("supporter", "seeker", "judge"),
    format_option,
)


def _with_options(command: _Command) -> _Command:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command("simulate", cls=ModelCommand)
@_with_options
def command(**options: Any) -> int:
    """Run a bank against seeker profiles and keep one transcript a line.

    Equal settings give equal bytes. A run that was interrupted goes on with --resume, where only what had not ended is
    done again. Language models are asked through a journal, so no call is paid for twice; what was said is left beside
    the transcripts, for `replay`.
    """
    return _Simulation(options, None).simulate()


@click.command("replay", cls=ModelCommand)
@click.argument("calls", type=click.Path(path_type=Path))
@_with_options
def replay(calls: Path, **options: Any) -> int:
    """Run a simulation again from its recorded calls, without a network and without a key.

    CALLS is the file that `simulate` left beside the transcripts; the other options are those of that run. A call that
    is not recorded ends it.
    """
    return _Simulation(options, calls).simulate()


class _Simulation:
    """One run of `simulate`, or of `replay` where recorded calls answer."""

    def __init__(self, options: dict[str, Any], calls: Path | None) -> None:
        self.models = find_settings().models
        self.asked = asked = chosen(options, self.models)
        self.plan = plan = _Plan(**options)
        self.file = RunFile(plan.out)
        files = files_beside(plan.out, self.file.partial)
        self.file.require(resume=asked.resume, journal=files.journal)
        self.bank, self.where = find_part(plan.skills, plan.only, plan.exclude)
        self.population = find_population(plan.profiles)
        self.run = ModelRun(asked, files, {"draws": plan.draws, "seed": plan.seed}, replay=calls)
        chance = chance_of(plan.seed, plan.split, self.population)
        self.draws = plan_draws(chance, self.population, Split(plan.split), 0, plan.draws)

    def simulate(self) -> int:
        with self.run as run:
            require_languages(self._cast(run.model), self.draws, self.bank)
            self._tell_estimate()
            with ProgressLine("episodes", run.status) as progress:  # it goes on while calls in flight are awaited
                endings = run.wait_for(lambda: self._play(progress))
        self._show(endings)
        return 0

    async def _play(self, progress: Progress) -> tuple[Ending, ...]:
        players = self._cast(self.run.model)

        async def work(draw: Draw) -> Transcript:
            return await play(players, draw, self.bank, Arm.RUN)

        settings, draws, at_a_time = self._settings(players), self.draws, self.asked.episodes_at_a_time
        with UnfinishedRun(self.file, settings, len(draws), resume=self.asked.resume) as unfinished:
            await run_to_file(unfinished, draws, work, concurrency=at_a_time, progress=progress)
            lost = sum(each.termination is Termination.FAULT_ENDPOINT for each in unfinished.endings.values())
            self.run.export(lost, f"of {len(draws)} episodes")
            return unfinished.finish()

    def _cast(self, model: Model | None) -> Players:
        roles = self.asked.roles
        judge = roles.get("judge")
        return cast_players(roles["supporter"], roles["seeker"], judge=judge, model=model, asked=self.models)

    def _tell_estimate(self) -> None:
        session = self.run.session
        if session is None or self.plan.form != "text":
            return
        estimate = wait_for(estimate_episode(self._cast, self.draws, self.bank, session.prices, session.endpoints))
        say(f"estimate: {estimate.describe(len(self.draws))}", err=True)

    def _settings(self, players: Players) -> dict[str, Any]:
        """Return everything that the episodes follow from; how fast they are run is no part of it."""
        return {
            "skills": self.bank.digest if self.bank else None,
            "profiles": self.population.digest,
            **players.models,
            "draws": self.plan.draws,
            "split": self.plan.split,
            "seed": self.plan.seed,
            **players.settings,
        }

    def _show(self, endings: tuple[Ending, ...]) -> None:
        scored = [each for each in endings if not each.termination.is_fault]
        faults = Counter(str(each.termination) for each in endings if each.termination.is_fault)
        score = score_episodes(scored)
        out = self.plan.out
        if self.plan.form == "json":
            shown = {"episodes": len(endings), "faults": faults.total(), "score": score.score}
            show_json({"out": str(out), "skills": self.where, **shown})
            return
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(faults.items()))
        told = f", {faults.total()} ended in a fault of a model and are not scored ({kinds})" if faults else ""
        mean, error = one_decimal(score.score), one_decimal(score.stderr)
        say(f"{len(endings):,} episodes with {self.where} in {out}: score {mean} ± {error} (standard error){told}")
        self.run.say_spent()
        say(f"next: esc-skills score {out}, or esc-skills diagnose {out}")
