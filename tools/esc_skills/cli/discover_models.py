"""What `discover` asks of language models: an annotator of units and an analyst who distils skills."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from esc_skills.cli.model_options import Asking, ModelOptions
from esc_skills.cli.output import ProgressLine, say
from esc_skills.cli.places import beside
from esc_skills.discovery.annotate import Annotated, Annotator, annotate_units
from esc_skills.discovery.distil import Distiller
from esc_skills.discovery.drafting import Drafted
from esc_skills.discovery.material import Material
from esc_skills.errors import InputError
from esc_skills.settings import RoleSettings
from esc_skills.simulation.runner import wait_for
from esc_skills.vocabulary import Termination

if TYPE_CHECKING:
    from esc_skills.bank.skill import Skill
    from esc_skills.corpora.dialogue import Dialogue
    from esc_skills.discovery.units import Unit
    from esc_skills.models.session import Session

_Item = TypeVar("_Item")
#: Units that are held for each call in flight: with as many as calls, one slow answer would keep the others waiting.
_UNITS_A_CALL = 4


class Annotation:
    """One run of the annotator over units; without a session, units pass as they were read offline.

    Args:
        asked: Who annotates, and how they are asked.
        parameters: The role's settings.
        files: The files of dialogues.
        out: The file of units, beside which the answers are kept.

    Attributes:
        asked_about: The units that the annotator was asked about so far.
        faults: Why answers could not be used, with how often.
    """

    def __init__(self, asked: ModelOptions, parameters: RoleSettings, files: Sequence[Path], out: Path) -> None:
        self._asked, self._parameters = asked, parameters
        self._journal = beside(out, ".journal")
        self._calls = beside(out, ".calls.jsonl.gz")
        followed = {"files": [str(path) for path in files], "parameters": asdict(parameters)}
        self.session = open_session(asked, self._journal, followed, out)
        self.asked_about = 0
        self.faults: Counter[str] = Counter()

    @property
    def status(self) -> Callable[[], str]:
        """What a progress line says beside what was read."""
        return Asking(self.session)

    def annotate(self, units: Iterable[tuple[Dialogue, Unit]]) -> Generator[Unit, None, None]:
        """Yield units in their order, annotated where somebody annotates."""
        if self.session is None or self._asked.annotator is None:
            yield from (unit for _, unit in units)
            return
        for each in _wait_for_each(self._annotated(units, self.session, self._asked.annotator)):
            self.asked_about += 1
            if each.fault:
                self.faults[each.fault] += 1
            yield each.unit

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Say where the answers are kept if the run is interrupted, whatever it was doing then."""
        try:
            yield
        except KeyboardInterrupt:
            tell_kept(self._journal)
            raise

    async def _annotated(
        self, units: Iterable[tuple[Dialogue, Unit]], session: Session, name: str
    ) -> AsyncGenerator[Annotated, None]:
        annotator = Annotator(name, session, self._parameters)
        at_a_time = _UNITS_A_CALL * self._asked.concurrency
        async with session, aclosing(annotate_units(units, annotator, at_a_time)) as annotated:
            async for each in annotated:
                yield each
            session.export(self._calls)

    @property
    def unanswered(self) -> int:
        """The units about which an endpoint gave no answer; asked again, it may."""
        return self.faults[Termination.FAULT_ENDPOINT]

    def finish(self) -> None:
        """Delete the journal, once the units are on the disk, unless there is something to go on with."""
        if self.session and not self.unanswered:
            self.session.discard()

    def as_json(self) -> dict[str, Any]:
        """Return what came of it for other programs; nothing where nobody annotated."""
        if self.session is None:
            return {}
        faults = dict(sorted(self.faults.items()))
        told = {"model": self._asked.annotator, "units": self.asked_about, "faults": faults, "calls": str(self._calls)}
        return {"annotator": told}

    def show(self) -> None:
        """Print what came of it."""
        if self.session is None:
            return
        if self.faults:
            kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.faults.items()))
            found = f"{self.faults.total():,} of {self.asked_about:,} units keep their offline reading"
            say(f"{found}: the annotator's answer could not be used ({kinds})")
        if self.unanswered:
            hint = f"ask again with the same command and --resume, or delete {self._journal}"
            say(f"{self.unanswered:,} of them were not answered by their endpoint: {hint}")
        say(f"annotator {self._asked.annotator}: {Asking(self.session).spent()}; every call is in {self._calls}")


class Distillation:
    """One run of the analyst over what there is to draft from.

    Args:
        asked: Who writes, and how they are asked.
        parameters: The role's settings.
        prototypes: The file of prototypes, beside which the answers are kept until the drafts are written.
        wanted: The names that were asked for; empty for all.

    Attributes:
        session: What asks; None where nobody is to be asked.
    """

    def __init__(
        self, asked: ModelOptions, parameters: RoleSettings, prototypes: Path, wanted: Collection[str]
    ) -> None:
        self._asked, self._parameters, self._wanted = asked, parameters, wanted
        self._journal = beside(prototypes, ".drafts.journal")
        followed = {"prototypes": str(prototypes), "parameters": asdict(parameters)}
        self.session = open_session(asked, self._journal, followed, prototypes)

    def distil(self, materials: Iterable[Material], bank: Mapping[str, Skill]) -> Drafted:
        """Return the drafts that the analyst writes.

        Raises:
            InputError: A name that was asked for belongs to no draft.
        """
        session, name = self.session, self._asked.analyst
        if session is None or name is None:
            raise ValueError("nobody is to be asked")
        chosen = self._chosen(list(materials))

        async def write() -> Drafted:
            async with session:
                return await Distiller(name, session, bank, self._parameters).distil_skills(chosen)

        try:
            with ProgressLine(f"the analyst writes {len(chosen)} skills", Asking(session)):
                return wait_for(write())
        except KeyboardInterrupt:
            tell_kept(self._journal)
            raise

    def _chosen(self, materials: Sequence[Material]) -> list[Material]:
        """Return the materials whose offline draft has a name that was asked for: what an analyst will say is not known."""
        names = list(dict.fromkeys(each.name for each in materials))
        if unknown := [name for name in self._wanted if name not in names]:
            raise InputError(f"{unknown[0]}: no draft has that name", f"there are {', '.join(names) or 'none'}")
        return [each for each in materials if not self._wanted or each.name in self._wanted]

    def finish(self) -> None:
        """Delete the journal, once the drafts are written."""
        if self.session:
            self.session.discard()

    def show(self, left_out: int) -> None:
        """Print what it took, and what to do about skills that could not be used."""
        if left_out:
            say("no offline draft stands in for those: ask again, or another model, with --only NAME; or draft offline")
        say(f"analyst {self._asked.analyst}: {Asking(self.session).spent()}")


def open_session(asked: ModelOptions, journal: Path, followed: dict[str, Any], beside_what: Path) -> Session | None:
    """Return the session of a run that keeps its answers in a journal; None where nobody is to be asked.

    Raises:
        InputError: There is nothing to resume, the log would be one of the run's own files, or as `ModelOptions.session`.
    """
    session = asked.session(journal, followed)
    if asked.resume and not journal.exists():
        raise InputError(f"{journal}: no unfinished run is kept there", "leave out --resume to start one")
    if asked.log and asked.log.resolve() in {path.resolve() for path in (journal, beside_what)}:
        raise InputError(f"--log {asked.log}: is a file of the run itself", "give the log another name")
    return session


def tell_kept(journal: Path) -> None:
    """Say where the answers of an interrupted run are kept."""
    if journal.exists():
        say(f"every answer is kept in {journal}; go on with the same command and --resume", err=True)


def _wait_for_each(running: AsyncGenerator[_Item, None]) -> Iterator[_Item]:
    """Yield what an asynchronous generator does, in an event loop that stands still between two of them."""

    async def following() -> _Item | None:
        return await anext(running, None)

    with asyncio.Runner() as runner:
        try:
            while (item := runner.run(following())) is not None:
                yield item
        finally:
            _close(running, runner.get_loop())


def _close(running: AsyncGenerator[Any, None], loop: asyncio.AbstractEventLoop) -> None:
    """Close a generator; an interrupt that came as an item was done has left the loop a stop that is still to be passed."""
    closing = loop.create_task(_closed(running))
    while not closing.done():
        try:
            loop.run_until_complete(closing)
        except RuntimeError:
            if closing.done():
                raise


async def _closed(running: AsyncGenerator[Any, None]) -> None:
    await running.aclose()
