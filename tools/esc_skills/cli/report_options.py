"""What the commands of `evaluate` share: their run of models, and the report that comes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click

from esc_skills.cli.model_options import ModelOptions
from esc_skills.cli.model_run import ModelRun, files_beside
from esc_skills.cli.output import ProgressLine, one_decimal, say
from esc_skills.documents.jsonl import canonical_json
from esc_skills.documents.text import write_atomically
from esc_skills.errors import InputError
from esc_skills.simulation.intervals import Interval
from esc_skills.simulation.runner import Progress
from esc_skills.vocabulary import Termination


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


class Evaluation(ModelRun):
    """One run of an evaluation, whose answers are kept beside its report.

    Args:
        asked: The models.
        out: The file of the report, if any.
        calls: Recorded calls to answer from, if any.
        settings: Everything that the calls follow from beside models and endpoints.

    Raises:
        InputError: A report is there already, there is no place for the calls, or as `ModelRun`.
    """

    def __init__(self, asked: ModelOptions, out: Path | None, calls: Path | None, settings: dict[str, Any]) -> None:
        if out is not None and out.exists():
            raise InputError(f"{out}: exists already", "give another name with --out, or delete it")
        if out is None and calls is None and asked.models:
            raise InputError("models are asked, and there is no file to keep their answers beside", "add --out")
        # Without a report nothing is asked, and so nothing is kept under this name.
        super().__init__(asked, files_beside(out or Path("report")), settings, replay=calls)
        self._out, self._settings = out, settings

    def measure(self, what: str, work: Callable[[Progress], Awaitable[_Found]]) -> _Found:
        """Return what the work finds; its calls are in a file beside the report then.

        Args:
            what: What is counted, for the progress line.
            work: Does it, given whom to tell of progress.

        Raises:
            EndpointError: An endpoint left calls unanswered, unless that is so after they were asked again.
        """
        with ProgressLine(what, self.status) as progress:

            async def measured() -> _Found:
                found = await work(progress)
                self.export(found.faults.get(Termination.FAULT_ENDPOINT, 0), what)
                return found

            return self.wait_for(measured)

    def write(self, report: dict[str, Any]) -> None:
        """Write the report with its settings, where a file was named for it, and say so."""
        if self._out is not None:
            whole = {"settings": {**self._settings, **self.asked.roles}, **report}
            write_atomically(self._out, canonical_json(whole) + "\n")
            say(f"the report is in {self._out}", err=True)
        self.say_spent(err=True)


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
