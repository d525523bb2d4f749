"""The options with which a command names language models, and the session that comes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from esc_skills.documents.schema import check_schema
from esc_skills.documents.text import read_text
from esc_skills.documents.yaml import parse_yaml
from esc_skills.errors import DocumentError, InputError
from esc_skills.models.endpoint import Endpoint, parse_endpoint
from esc_skills.settings import ModelSettings
from esc_skills.simulation.players import SURROGATE, endpoint_of

if TYPE_CHECKING:
    from esc_skills.models.session import Session

_Command = TypeVar("_Command", bound=Callable[..., Any])
#: Episodes that run at a time for each call in flight: with as many as calls, the last ones would run alone.
EPISODES_A_CALL = 2
#: Where endpoints may be named once for all commands. Settings of a repository cannot name any: see `ModelSettings`.
ENDPOINTS_VARIABLE = "ESC_SKILLS_ENDPOINTS"

_ROLES = {
    "supporter": "Who plays the supporter: `surrogate` or NAME/MODEL. [default: the settings', else surrogate]",
    "seeker": "Who plays the seeker: `surrogate` or NAME/MODEL. [default: the settings', else surrogate]",
    "judge": "A model NAME/MODEL that judges each supporter turn for safety beside the lexicon.",
    "second-seeker": "Another seeker, who plays the gate's draws once more; both have to agree.",
    "analyst": "A model NAME/MODEL that reads runs and writes skills beside what is done offline.",
    "annotator": "A model NAME/MODEL that reads each unit where the corpus says nothing.",
}
_FIELDS = tuple(role.replace("-", "_") for role in _ROLES)


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """What was chosen for the models of a run; roles that a command does not offer are None."""

    endpoint: tuple[str, ...]
    concurrency: int
    requests_per_minute: int | None
    tokens_per_minute: int | None
    budget_tokens: int | None
    budget_usd: float | None
    timeout: float
    resume: bool
    log: Path | None
    supporter: str | None = None
    seeker: str | None = None
    judge: str | None = None
    second_seeker: str | None = None
    analyst: str | None = None
    annotator: str | None = None

    @property
    def models(self) -> tuple[str, ...]:
        """The models that are asked, without the surrogate, each once."""
        return tuple(dict.fromkeys(name for name in self.roles.values() if name not in (SURROGATE, None)))

    @property
    def roles(self) -> dict[str, str]:
        """The models by role, of those roles that somebody plays."""
        named = {role: getattr(self, role) for role in _FIELDS}
        return {role: name for role, name in named.items() if name is not None}

    @property
    def episodes_at_a_time(self) -> int:
        """How many episodes run at a time."""
        return self.concurrency * (EPISODES_A_CALL if self.models else 1)

    def session(self, journal: Path, settings: dict[str, Any]) -> Session | None:
        """Return the session that asks the models; None where every role is the surrogate's.

        Args:
            journal: The file that keeps each answer.
            settings: What the calls follow from beside models and endpoints.

        Raises:
            InputError: A model has no endpoint, a key is missing, or a price is not known.
        """
        if not self.models:
            return None
        from esc_skills.models.session import Bounds, Session  # the client's library takes its time to load

        return Session(
            self._endpoints(),
            self.models,
            journal,
            {**settings, **self.roles},
            bounds=Bounds(
                self.concurrency,
                self.requests_per_minute,
                self.tokens_per_minute,
                self.budget_tokens,
                self.budget_usd,
                self.timeout,
            ),
            resume=self.resume,
            log=self.log,
        )

    def _endpoints(self) -> Mapping[str, Endpoint]:
        named = {each.name: each for each in map(parse_endpoint, self.endpoint)}
        return dict(self._used(named))

    def _used(self, named: Mapping[str, Endpoint]) -> Iterator[tuple[str, Endpoint]]:
        for role, model in self.roles.items():
            name = endpoint_of(role.replace("_", "-"), model)
            if name is not None and name not in named:
                hint = f"add --endpoint {name}=BASE_URL,KEY_VARIABLE, or name it in {ENDPOINTS_VARIABLE}"
                raise InputError(f"{model!r}: no endpoint is named {name!r}", hint)
            if name is not None:
                yield name, named[name]


def chosen(options: dict[str, Any], settings: ModelSettings) -> ModelOptions:
    """Take the options of `with_models` out of a command's, with the settings' models where none was named.

    Args:
        options: The command's options; those of the models are removed.
        settings: The repository's.
    """
    values = {key: options.pop(key) for key in ModelOptions.__dataclass_fields__ if key in options}
    for role in _FIELDS:
        if role in values and values[role] is None:
            values[role] = getattr(settings, role).model
    for role in ("judge", "analyst", "annotator"):
        if values.get(role) == SURROGATE:
            raise InputError(f"the surrogate is no {role}", f"leave out --{role}, or give a model NAME/MODEL")
    if values.get("second_seeker") and values["second_seeker"] == (values["seeker"] or SURROGATE):
        raise InputError("the second seeker is the first one", "name another model with --second-seeker")
    for role in ("supporter", "seeker"):
        if role in values and values[role] is None:
            values[role] = SURROGATE
    return ModelOptions(**values)


class ModelOption(click.Option):
    """An option about the models, which `--help` shows in a group of its own."""


class ModelCommand(click.Command):
    """A command whose `--help` shows the options about models apart from its own."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options in two groups."""
        shown = [(each, each.get_help_record(ctx)) for each in self.get_params(ctx)]
        own = [record for each, record in shown if record and not isinstance(each, ModelOption)]
        models = [record for each, record in shown if record and isinstance(each, ModelOption)]
        for title, records in (
            ("Options", own),
            ("Models, for whoever does not play offline (docs/models.md)", models),
        ):
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def _read_team(ctx: click.Context, param: click.Parameter, path: Path | None) -> Path | None:
    """Let a file give the options that the command line leaves out."""
    if path is None:
        return None
    document = parse_yaml(read_text(path), str(path))
    for finding in check_schema(document.value, "team", str(path), document.lines):
        raise DocumentError(str(path), finding.line, finding.code, finding.message, "see docs/models.md")
    known = {each.name for each in ctx.command.params if isinstance(each, ModelOption)}
    values = {key.replace("-", "_"): value for key, value in document.value.items()}
    # Who has no role in this command is not asked for one: a team's file serves all commands.
    ctx.default_map = {**(ctx.default_map or {}), **{key: each for key, each in values.items() if key in known}}
    return path


def with_models(*roles: str) -> Callable[[_Command], _Command]:
    """Return a decorator that adds the options for some roles, and for asking their models."""

    def decorate(command: _Command) -> _Command:
        named = (click.option(f"--{role}", cls=ModelOption, help=_ROLES[role]) for role in roles)
        for option in reversed([_TEAM, *named, *_asking()]):
            command = option(command)
        return command

    return decorate


_TEAM = click.option(
    "--team",
    cls=ModelOption,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    is_eager=True,
    expose_value=False,
    callback=_read_team,
    help="A YAML file that names these options once, without their dashes; what stands on the command line comes first.",
)


def _asking() -> Iterator[Callable[[_Command], _Command]]:
    yield click.option(
        "--endpoint",
        cls=ModelOption,
        multiple=True,
        envvar=ENDPOINTS_VARIABLE,
        metavar="NAME=BASE_URL,KEY_VARIABLE",
        help="An OpenAI-compatible endpoint and the environment variable that holds its key, if it needs one. "
        f"[default: {ENDPOINTS_VARIABLE}, several separated by spaces]",
    )
    yield click.option(
        "--concurrency",
        cls=ModelOption,
        type=click.IntRange(1, 10_000),
        default=64,
        show_default=True,
        help="The most calls in flight.",
    )
    yield click.option(
        "--requests-per-minute", cls=ModelOption, type=click.IntRange(1), help="The most calls a minute at an endpoint."
    )
    yield click.option(
        "--tokens-per-minute", cls=ModelOption, type=click.IntRange(1), help="The most tokens a minute at an endpoint."
    )
    yield click.option(
        "--budget-tokens", cls=ModelOption, type=click.IntRange(1), help="The most tokens that may be spent."
    )
    yield click.option(
        "--budget-usd",
        cls=ModelOption,
        type=click.FloatRange(0, min_open=True),
        help="The most US dollars that may be spent.",
    )
    yield click.option(
        "--timeout",
        cls=ModelOption,
        type=click.FloatRange(0, min_open=True),
        default=300.0,
        show_default=True,
        help="How many seconds an answer may take.",
    )
    yield click.option(
        "--resume", cls=ModelOption, is_flag=True, help="Go on with an unfinished run of the same settings."
    )
    yield click.option(
        "--log",
        cls=ModelOption,
        type=click.Path(path_type=Path, dir_okay=False),
        help="A file for every HTTP call, with what was sent and said and without keys.",
    )
