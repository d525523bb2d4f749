"""What the commands of `evaluate` share: where a report goes, who answers its calls, and how a trouble ends it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from esc_skills.cli.model_options import Asking, ModelOptions
from esc_skills.cli.output import ProgressLine, one_decimal, say
from esc_skills.cli.places import beside
from esc_skills.documents.jsonl import canonical_json
from esc_skills.documents.text import write_atomically
from esc_skills.errors import InputError
from esc_skills.models.request import EndpointError, Model
from esc_skills.simulation.intervals import Interval
from esc_skills.simulation.runner import Progress, wait_for
from esc_skills.vocabulary import Termination

if TYPE_CHECKING:
    from esc_skills.models.session import Session


class _Report(Protocol):
    @property
    def faults(self) -> Mapping[Termination, int]: ...


_Found = TypeVar("_Found", bound=_Report)
_Command = TypeVar("_Command", bound=Callable[..., Any])

_REPORT_OPTIONS = (
    click.option(
        "--out",
        type=click.Path(path_type=Path, dir_okay=False),
        help="The file of the report, as JSON. Needed where models are asked, whose calls are kept beside it.",
    ),
    click.option(
        "--calls",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Recorded calls that an earlier evaluation left: they answer in place of the endpoints.",
    ),
)


def with_report(command: _Command) -> _Command:
    """Add the options of where the report goes and of recorded calls."""
    for option in reversed(_REPORT_OPTIONS):
        command = option(command)
    return command


class Evaluation:
    """One run of an evaluation: its report, its journal and its calls.

    Args:
        asked: The models.
        out: The file of the report, if any.
        calls: Recorded calls to answer from, if any.
        settings: Everything that the calls follow from beside models and endpoints.

    Raises:
        InputError: A report is there already, or there is no place for the calls.
    """

    def __init__(self, asked: ModelOptions, out: Path | None, calls: Path | None, settings: dict[str, Any]) -> None:
        self._asked, self.out, self._settings = asked, out, settings
        if out is not None and out.exists():
            raise InputError(f"{out}: exists already", "give another name with --out, or delete it")
        self._session: Session | None = None
        self._replayed: Model | None = None
        if calls is not None:
            from esc_skills.models.replay import open_replay

            self._replayed = open_replay(calls)
        elif asked.models:
            self._session = asked.session(self._beside(".journal"), settings)

    @property
    def model(self) -> Model | None:
        """Who is asked; None where every role is the surrogate's."""
        return self._replayed or self._session

    def _beside(self, suffix: str) -> Path:
        if self.out is None:
            raise InputError("models are asked, and there is no file to keep their answers beside", "add --out")
        return beside(self.out, suffix)

    def run(self, what: str, work: Callable[[Progress], Coroutine[Any, Any, _Found]]) -> _Found:
        """Return what the work finds; its calls are in a file beside the report then.

        Args:
            what: What is counted, for the progress line.
            work: Does it, given whom to tell of progress.

        Raises:
            EndpointError: An endpoint left calls unanswered, unless that is so after they were asked again.
        """
        try:
            found = wait_for(self._run(what, work))
        except KeyboardInterrupt:
            if self._session:
                say(f"what was answered is kept in {self._beside('.journal')}; go on with --resume", err=True)
            raise
        if self._session:
            self._session.discard()
        return found

    async def _run(self, what: str, work: Callable[[Progress], Coroutine[Any, Any, _Found]]) -> _Found:
        with ProgressLine(what, Asking(self._session)) as progress:
            async with self._session or nullcontext():
                found = await work(progress)
                lost = found.faults.get(Termination.FAULT_ENDPOINT, 0)
                if lost and self._session and not self._asked.resume:
                    raise EndpointError(
                        f"an endpoint left {lost} {what} unanswered", "ask again: the same command with --resume"
                    )
                if self._session:
                    self._session.export(self._beside(".calls.jsonl.gz"))
                return found

    def write(self, report: dict[str, Any]) -> None:
        """Write the report with its settings, where a file was named for it, and say so."""
        if self.out is not None:
            whole = {"settings": {**self._settings, **self._asked.roles}, **report}
            write_atomically(self.out, canonical_json(whole) + "\n")
            say(f"the report is in {self.out}", err=True)
        if self._session:
            say(f"spent: {Asking(self._session).spent()}; every call is in {self._beside('.calls.jsonl.gz')}", err=True)


def percent(interval: Interval | None) -> str:
    """Return a share with its interval in per cent, or a dash."""
    if interval is None:
        return "–"
    share, low, high = (one_decimal(100 * each) for each in (interval.estimate, interval.low, interval.high))
    return f"{share} % [{low}, {high}]"


def points(interval: Interval | None) -> str:
    """Return a difference in points with its interval, or a dash."""
    if interval is None:
        return "–"
    mean, low, high = (one_decimal(each, signed=True) for each in (interval.estimate, interval.low, interval.high))
    return f"{mean} [{low}, {high}]"
