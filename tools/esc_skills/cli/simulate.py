"""`esc-skills simulate` and `esc-skills replay`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from esc_skills.cli.bank_options import find_part, with_part, with_skills
from esc_skills.cli.model_options import Asking, ModelOptions, chosen, with_models
from esc_skills.cli.output import ProgressLine, format_option, one_decimal, say, show_json
from esc_skills.cli.places import find_population, find_settings
from esc_skills.documents.jsonl import digest_json
from esc_skills.errors import InputError
from esc_skills.models.request import EndpointError, Model
from esc_skills.seekers.population import Population
from esc_skills.settings import ModelSettings
from esc_skills.simulation.draws import Draw, plan_draws
from esc_skills.simulation.estimate import estimate_episode
from esc_skills.simulation.players import Players, cast_players, play
from esc_skills.simulation.runfile import Ending, RunFile, UnfinishedRun
from esc_skills.simulation.runner import run_to_file, wait_for
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


@click.command("simulate")
@_with_options
def command(**options: Any) -> int:
    """Run a bank against seeker profiles and keep one transcript a line.

    Equal settings give equal bytes. A run that was interrupted goes on with --resume, where only what had not ended is
    done again. Language models are asked through a journal, so no call is paid for twice; what was said is left beside
    the transcripts, for `replay`.
    """
    models = find_settings().models
    asked = chosen(options, models)
    return _Simulation(_Plan(**options), asked, models, None).run()


@click.command("replay")
@click.argument("calls", type=click.Path(path_type=Path))
@_with_options
def replay(calls: Path, **options: Any) -> int:
    """Run a simulation again from its recorded calls, without a network and without a key.

    CALLS is the file that `simulate` left beside the transcripts; the other options are those of that run. A call that
    is not recorded ends it.
    """
    from esc_skills.models.replay import open_replay

    models = find_settings().models
    asked = chosen(options, models)
    return _Simulation(_Plan(**options), asked, models, open_replay(calls)).run()


def chance_of(seed: int, split: str, population: Population) -> str:
    """Return the digest that the draws of a run follow from; the bank has no part in it."""
    return digest_json({"seed": seed, "split": split, "profiles": population.digest})


class _Simulation:
    """One run of `simulate`, or of `replay` where it has a model to answer from."""

    def __init__(self, plan: _Plan, asked: ModelOptions, models: ModelSettings, model: Model | None) -> None:
        self.plan, self.asked, self.models, self.replayed = plan, asked, models, model
        self.bank, self.where = find_part(plan.skills, plan.only, plan.exclude)
        self.population = find_population(plan.profiles)
        self.file = RunFile(plan.out)
        self.journal = plan.out.with_name(plan.out.name + ".journal")
        followed = {"draws": plan.draws, "seed": plan.seed}
        self.session = None if model else asked.session(self.journal, followed)
        chance = chance_of(plan.seed, plan.split, self.population)
        self.draws = plan_draws(chance, self.population, Split(plan.split), 0, plan.draws)

    def run(self) -> int:
        self.file.require(resume=self.asked.resume, journal=self.journal)
        self._require_own_log()
        try:
            endings = wait_for(self._run())
        except KeyboardInterrupt:
            if self.file.partial.exists():
                say(
                    f"what was finished is kept in {self.file.partial}; go on with the same command and --resume",
                    err=True,
                )
            raise
        if self.session:
            self.session.discard()
        self._show(endings)
        return 0

    def _require_own_log(self) -> None:
        own = (self.plan.out, self.file.partial, self.journal, self._calls)
        if self.asked.log and self.asked.log.resolve() in {path.resolve() for path in own}:
            raise InputError(f"--log {self.asked.log}: the run writes that file itself", "give the log another name")

    async def _run(self) -> tuple[Ending, ...]:
        model = self.replayed or self.session
        players = self._cast(model)
        settings = self._settings(players)

        async def work(draw: Draw) -> Transcript:
            return await play(players, draw, self.bank, Arm.RUN)

        await self._tell_estimate()
        with ProgressLine("episodes", Asking(self.session)) as progress:  # it goes on while calls in flight are awaited
            async with self.session or nullcontext():
                with UnfinishedRun(self.file, settings, len(self.draws), resume=self.asked.resume) as unfinished:
                    at_a_time = self.asked.episodes_at_a_time
                    await run_to_file(unfinished, self.draws, work, concurrency=at_a_time, progress=progress)
                    self._require_answered(unfinished)
                    if self.session:
                        self.session.export(self._calls)
                    return unfinished.finish()

    def _require_answered(self, unfinished: UnfinishedRun) -> None:
        """Raise where an endpoint left episodes unanswered, unless that is so after they were run again."""
        lost = sum(each.termination is Termination.FAULT_ENDPOINT for each in unfinished.endings.values())
        if lost and not self.asked.resume:
            found = f"{lost} of {len(self.draws)} episodes ended because an endpoint did not answer"
            raise EndpointError(found, "run them again: the same command with --resume")

    def _cast(self, model: Model | None) -> Players:
        roles = self.asked.roles
        judge = roles.get("judge")
        return cast_players(roles["supporter"], roles["seeker"], judge=judge, model=model, asked=self.models)

    @property
    def _calls(self) -> Path:
        return self.plan.out.with_name(self.plan.out.name + ".calls.jsonl.gz")

    async def _tell_estimate(self) -> None:
        session = self.session
        if session is None or self.plan.form != "text":
            return
        estimate = await estimate_episode(self._cast, self.draws, self.bank, session.prices, session.endpoints)
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
        if self.session:
            say(f"spent: {Asking(self.session).spent()}; every call is in {self._calls}")
        say(f"next: esc-skills score {out}, or esc-skills diagnose {out}")
