"""One run of language models by a command: who is asked, where the answers are kept, and what is said when it ends.

Answers cost money and time, so none is lost: each stays in the journal until the command has written what it ran for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from esc_skills.cli.model_options import ModelOptions
from esc_skills.cli.output import say
from esc_skills.cli.places import beside
from esc_skills.errors import EscError, FaultyRunError, InputError
from esc_skills.models.durable import holds_more_than_header
from esc_skills.models.request import EndpointError
from esc_skills.simulation.runner import wait_for

if TYPE_CHECKING:
    from esc_skills.models.request import Model
    from esc_skills.models.session import Session

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class RunFiles:
    """The files of a run.

    Attributes:
        journal: Keeps each answer until the run is done.
        calls: Where every call is exported to, if anywhere.
        partial: What else an unfinished run leaves for a resumed one, if anything.
        others: What else the command reads or writes there.
    """

    journal: Path
    calls: Path | None = None
    partial: Path | None = None
    others: tuple[Path, ...] = ()

    @property
    def kept(self) -> tuple[Path, ...]:
        """The files with which an unfinished run can go on."""
        return tuple(path for path in (self.journal, self.partial) if path and path.exists())


def files_beside(out: Path, partial: Path | None = None) -> RunFiles:
    """Return the files of a run that keeps them beside the file that it writes."""
    return RunFiles(beside(out, ".journal"), beside(out, ".calls.jsonl.gz"), partial, (out,))


class ModelRun:
    """A command's run of language models. Use it as a context that ends when the command has written its result.

    The journal is deleted at a good end alone. Whatever else ends the run, the person is told where the answers are and
    how to go on.

    Args:
        asked: The models, and how they are asked.
        files: Where the answers are kept.
        settings: What the calls follow from beside models and endpoints.
        replay: Recorded calls that answer in place of the endpoints, if any.

    Attributes:
        session: What asks the models; None where every role is the surrogate's, or recorded calls answer.
        model: Who answers: the session or the recorded calls; None where every role is the surrogate's.
        unanswered: Calls that an endpoint left unanswered though the command wrote its result; where there are any, the
            journal stays for a resumed run.

    Raises:
        InputError: There is nothing to resume, the log would be one of the run's own files, the recorded calls cannot be
            read, or as `ModelOptions.session`.
    """

    def __init__(
        self, asked: ModelOptions, files: RunFiles, settings: dict[str, Any], *, replay: Path | None = None
    ) -> None:
        self.asked, self.files = asked, files
        self.unanswered = 0
        self.session: Session | None = None if replay else asked.session(files.journal, settings)
        self.model: Model | None = self.session
        if replay:
            from esc_skills.models.replay import open_replay

            self.model = open_replay(replay)
        if self.session:
            _require_files(asked, files)

    def wait_for(self, work: Callable[[], Awaitable[_Result]]) -> _Result:
        """Do the work in which the models are asked, and return what comes of it.

        Calls that are in flight when it ends early are waited for, and kept.
        """

        async def with_session() -> _Result:
            async with self.session or nullcontext():
                return await work()

        return wait_for(with_session())

    def export(self, unanswered: int = 0, what: str = "calls") -> None:
        """Write every call to its file, at the end of the work and before its result is written.

        Args:
            unanswered: How many of the things that the work is counted in an endpoint left unanswered.
            what: What these things are.

        Raises:
            EndpointError: There are such, and a resumed run may get their answers; nothing is written.
        """
        if self.session is None:
            return
        if unanswered and not self.asked.resume:
            raise EndpointError(
                f"an endpoint left {unanswered} {what} unanswered", "ask again: the same command with --resume"
            )
        if self.files.calls:
            self.session.export(self.files.calls)

    def status(self) -> str:
        """Return what the models are doing now, for a progress line; empty where none is asked."""
        if self.session is None:
            return ""
        pulse = self.session.pulse
        parts = [_counted(pulse.in_flight, "call") + " in flight", f"{pulse.usage.tokens:,} tokens"]
        if pulse.ending:
            parts.append("ending, Ctrl-C leaves at once")
        if pulse.usage.usd:
            parts.append(f"{pulse.usage.usd:.4f} USD")
        if pulse.held > 0:
            parts.append(f"waiting {pulse.held:.0f} s for the endpoint's limit")
        elif pulse.throttled:
            parts.append(f"429 to {_counted(pulse.throttled, 'call')}")
        if pulse.troubles:
            parts.append(_counted(pulse.troubles, "call") + " sent again")
        return " · ".join(parts)

    def say_spent(self, whose: str = "spent", *, err: bool = False) -> None:
        """Print what the calls took, and where they are; nothing where no model was asked."""
        if self.session:
            where = f"; every call is in {self.files.calls}" if self.files.calls else ""
            say(f"{whose}: {_spent(self.session)}{where}", err=err)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            if self.session and isinstance(error, FaultyRunError):
                with suppress(EscError):  # a full disk is no reason to hide what went wrong first
                    self.session.forget_faults()
            self._say_kept(error)
        elif self.session and not self.unanswered:
            self.session.discard()
            if self.files.partial:
                self.files.partial.unlink(missing_ok=True)

    def _say_kept(self, error: BaseException) -> None:
        """Say where an unfinished run is kept and how it goes on: in an error's own hint, or else in a line."""
        files = [path for path in self.files.kept if self.session or path == self.files.partial]
        if not isinstance(error, KeyboardInterrupt):
            files = list(filter(holds_more_than_header, files))
        if not files:
            return
        spent = f" ({_spent(self.session)})" if self.session else ""
        found = f"what was done so far{spent} is kept in {' and '.join(map(str, files))}"
        how = "; go on with the same command and --resume"
        if isinstance(error, FaultyRunError):
            how += ", or delete it to try other models"
        if not isinstance(error, EscError):
            say(found + how, err=True)
        elif not any(str(path) in error.message for path in files):  # else its hint says already what to do with it
            error.hint = "; ".join(filter(None, (error.hint, found))) + ("" if "--resume" in error.hint else how)


def _require_files(asked: ModelOptions, files: RunFiles) -> None:
    if asked.resume and not files.kept:
        raise InputError(f"{files.journal}: no unfinished run is kept there", "leave out --resume to start one")
    own = (files.journal, files.calls, files.partial, *files.others)
    if asked.log and asked.log.resolve() in {path.resolve() for path in own if path}:
        raise InputError(f"--log {asked.log}: is a file of the run itself", "give the log another name")


def _spent(session: Session) -> str:
    dollars = "price unknown" if session.spent.usd is None else f"{session.spent.usd:.4f} USD"
    return f"{session.spent.tokens:,} tokens, {dollars}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
