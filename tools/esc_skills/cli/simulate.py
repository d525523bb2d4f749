"""`esc-skills simulate` and `esc-skills replay`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from esc_skills.cli.output import ProgressLine, format_option, one_decimal, say, show_json
from esc_skills.cli.places import find_bank, find_population
from esc_skills.documents.jsonl import digest_json
from esc_skills.errors import InputError
from esc_skills.models.endpoint import Endpoint, parse_endpoint
from esc_skills.models.request import Model
from esc_skills.simulation.draws import Draw, plan_draws
from esc_skills.simulation.players import SURROGATE, Players, cast_players, endpoint_of, play
from esc_skills.simulation.runner import RunFile, run_to_file
from esc_skills.simulation.score import score_run
from esc_skills.transcript import Transcript, run_name
from esc_skills.vocabulary import Arm, Split

_Command = TypeVar("_Command", bound=Callable[..., Any])
#: Episodes that run at a time for each call in flight: with as many as calls, the last ones would run alone.
_EPISODES_A_CALL = 2


@dataclass(frozen=True, slots=True)
class _Options:
    skills: Path | None
    profiles: Path | None
    supporter: str
    seeker: str
    endpoint: tuple[str, ...]
    draws: int
    split: str
    seed: int
    concurrency: int
    budget_tokens: int | None
    budget_usd: float | None
    out: Path
    resume: bool
    form: str

    @property
    def models(self) -> tuple[str, ...]:
        """The models that are asked, without the surrogate."""
        return tuple(name for name in (self.supporter, self.seeker) if name != SURROGATE)


_OPTIONS = (
    click.option(
        "--skills",
        type=click.Path(path_type=Path),
        help="The bank's folder, or `none` for a supporter without one. [default: the repository's, else the shipped one]",
    ),
    click.option(
        "--profiles",
        type=click.Path(path_type=Path),
        help="The folder of profile parts. [default: the repository's, else the shipped ones]",
    ),
    click.option(
        "--supporter", default=SURROGATE, show_default=True, help="Who plays the supporter: `surrogate` or NAME/MODEL."
    ),
    click.option(
        "--seeker", default=SURROGATE, show_default=True, help="Who plays the seeker: `surrogate` or NAME/MODEL."
    ),
    click.option(
        "--endpoint",
        multiple=True,
        metavar="NAME=BASE_URL,KEY_VARIABLE",
        help="An OpenAI-compatible endpoint and the environment variable that holds its key, if it needs one.",
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
        "--concurrency", type=click.IntRange(1, 10_000), default=64, show_default=True, help="The most calls in flight."
    ),
    click.option("--budget-tokens", type=click.IntRange(1), help="The most tokens that may be spent."),
    click.option(
        "--budget-usd", type=click.FloatRange(0, min_open=True), help="The most US dollars that may be spent."
    ),
    click.option(
        "--out",
        type=click.Path(path_type=Path, dir_okay=False),
        required=True,
        help="The JSON Lines file of transcripts.",
    ),
    click.option("--resume", is_flag=True, help="Go on with an unfinished run of the same settings."),
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
    chosen = _Options(**options)
    if not chosen.models:
        return _simulate(chosen, None, None)
    from esc_skills.models.session import Session, Spending  # the client's library takes its time to load

    out = chosen.out
    session = Session(
        _endpoints(chosen),
        chosen.models,
        out.with_name(out.name + ".journal"),
        out.with_name(out.name + ".calls.jsonl.gz"),
        {"models": list(chosen.models), "endpoints": list(chosen.endpoint), "draws": chosen.draws, "seed": chosen.seed},
        concurrency=chosen.concurrency,
        spending=Spending(chosen.budget_tokens, chosen.budget_usd),
        resume=chosen.resume,
    )
    code = _simulate(chosen, session, session)
    session.discard()
    if chosen.form == "text":
        dollars = "" if session.spent.usd is None else f", {session.spent.usd:.4f} USD"
        say(f"spent: {session.spent.tokens:,} tokens{dollars}; every call is in {out.name}.calls.jsonl.gz")
    return code


@click.command("replay")
@click.argument("calls", type=click.Path(path_type=Path))
@_with_options
def replay(calls: Path, **options: Any) -> int:
    """Run a simulation again from its recorded calls, without a network and without a key.

    CALLS is the file that `simulate` left beside the transcripts; the other options are those of that run. A call that
    is not recorded ends it.
    """
    from esc_skills.models.replay import open_replay

    return _simulate(_Options(**options), open_replay(calls), None)


def _endpoints(options: _Options) -> dict[str, Endpoint]:
    endpoints = {each.name: each for each in map(parse_endpoint, options.endpoint)}
    for role, model in (("supporter", options.supporter), ("seeker", options.seeker)):
        name = endpoint_of(role, model)
        if name is not None and name not in endpoints:
            hint = f"add --endpoint {name}=BASE_URL,KEY_VARIABLE"
            raise InputError(f"{model!r}: no endpoint is named {name!r}", hint)
    return endpoints


def _simulate(options: _Options, model: Model | None, session: AbstractAsyncContextManager[Any] | None) -> int:
    bank, where = find_bank(options.skills)
    population = find_population(options.profiles)
    players = cast_players(options.supporter, options.seeker, model)
    settings = _settings(options, bank.digest if bank else None, population.digest, players)
    chance = digest_json({"seed": options.seed, "split": options.split, "profiles": population.digest})
    plan = plan_draws(chance, population, Split(options.split), 0, options.draws)

    async def work(draw: Draw) -> Transcript:
        return await play(players, draw, bank, Arm.RUN)

    file = RunFile(options.out)
    at_a_time = options.concurrency * (_EPISODES_A_CALL if model else 1)
    try:
        with ProgressLine("episodes") as progress:
            run = run_to_file(
                file,
                settings,
                plan,
                work,
                concurrency=at_a_time,
                resume=options.resume,
                progress=progress,
                session=session,
            )
    except KeyboardInterrupt:
        if file.partial.exists():
            say(f"what was finished is kept in {file.partial}; go on with the same command and --resume", err=True)
        raise
    _show(run, options.out, where, options.form)
    return 0


def _settings(options: _Options, bank: str | None, profiles: str, players: Players) -> dict[str, Any]:
    """Return everything that the episodes follow from; how fast they are run is no part of it."""
    return {
        "skills": bank,
        "profiles": profiles,
        "supporter": options.supporter,
        "seeker": options.seeker,
        "draws": options.draws,
        "split": options.split,
        "seed": options.seed,
        **players.settings,
    }


def _show(run: tuple[Transcript, ...], out: Path, where: str, form: str) -> None:
    score = score_run(run_name(out), run)
    if form == "json":
        shown = {"episodes": len(run), "faults": score.faults, "score": score.whole.score}
        show_json({"out": str(out), "skills": where, **shown})
        return
    faults = f", {score.faults} ended in a fault of a model and are not scored" if score.faults else ""
    mean, error = one_decimal(score.whole.score), one_decimal(score.whole.stderr)
    say(f"{len(run):,} episodes with {where} in {out}: score {mean} ± {error} (standard error){faults}")
    say(f"next: esc-skills score {out}, or esc-skills diagnose {out}")
