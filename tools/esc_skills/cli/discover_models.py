"""What `discover` asks of language models: an annotator of units and an analyst who distils skills."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Collection, Generator, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from esc_skills.cli.model_options import ModelOptions
from esc_skills.cli.model_run import ModelRun, RunFiles, files_beside
from esc_skills.cli.output import ProgressLine, say
from esc_skills.cli.places import beside
from esc_skills.discovery.annotate import Annotated, Annotator, annotate_units
from esc_skills.discovery.distil import Distiller
from esc_skills.discovery.drafting import Drafted
from esc_skills.discovery.material import Material
from esc_skills.errors import InputError
from esc_skills.settings import RoleSettings
from esc_skills.simulation.runner import wait_for_each
from esc_skills.vocabulary import Termination

if TYPE_CHECKING:
    from esc_skills.bank.skill import Skill
    from esc_skills.corpora.dialogue import Dialogue
    from esc_skills.discovery.units import Unit
    from esc_skills.models.session import Session

#: Units that are held for each call in flight: with as many as calls, one slow answer would keep the others waiting.
_UNITS_A_CALL = 4


class Annotation:
    """The annotator's run over units; without a session, units pass as they were read offline.

    Args:
        asked: Who annotates, and how they are asked.
        parameters: The role's settings.
        files: The files of dialogues.
        out: The file of units, beside which the answers are kept.

    Attributes:
        run: The run of the model, a context around writing the units.
        asked_about: The units that the annotator was asked about so far.
        faults: Why answers could not be used, with how often.
    """

    def __init__(self, asked: ModelOptions, parameters: RoleSettings, files: Sequence[Path], out: Path) -> None:
        self._asked, self._parameters = asked, parameters
        followed = {"files": [str(path) for path in files], "parameters": asdict(parameters)}
        self.run = ModelRun(asked, files_beside(out), followed)
        self.asked_about = 0
        self.faults: Counter[str] = Counter()

    def annotate(self, units: Iterable[tuple[Dialogue, Unit]]) -> Generator[Unit, None, None]:
        """Yield units in their order, annotated where somebody annotates."""
        if self.run.session is None or self._asked.annotator is None:
            yield from (unit for _, unit in units)
            return
        for each in wait_for_each(self._annotated(units, self.run.session, self._asked.annotator)):
            self.asked_about += 1
            if each.fault:
                self.faults[each.fault] += 1
            self.run.unanswered += each.fault == Termination.FAULT_ENDPOINT
            yield each.unit

    async def _annotated(
        self, units: Iterable[tuple[Dialogue, Unit]], session: Session, name: str
    ) -> AsyncGenerator[Annotated, None]:
        annotator = Annotator(name, session, self._parameters)
        at_a_time = _UNITS_A_CALL * self._asked.concurrency
        async with session, aclosing(annotate_units(units, annotator, at_a_time)) as annotated:
            async for each in annotated:
                yield each
            self.run.export()

    def as_json(self) -> dict[str, Any]:
        """Return what came of it for other programs; nothing where nobody annotated."""
        if self.run.session is None:
            return {}
        faults = dict(sorted(self.faults.items()))
        told = {"model": self._asked.annotator, "units": self.asked_about, "faults": faults}
        return {"annotator": {**told, "calls": str(self.run.files.calls)}}

    def show(self) -> None:
        """Print what came of it."""
        if self.faults:
            kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.faults.items()))
            found = f"{self.faults.total():,} of {self.asked_about:,} units keep their offline reading"
            say(f"{found}: the annotator's answer could not be used ({kinds})")
        if unanswered := self.run.unanswered:
            hint = f"ask again with the same command and --resume, or delete {self.run.files.journal}"
            say(f"{unanswered:,} of them were not answered by their endpoint: {hint}")
        self.run.say_spent(f"annotator {self._asked.annotator}")


class Distillation:
    """The analyst's run over what there is to draft from.

    Args:
        asked: Who writes, and how they are asked.
        parameters: The role's settings.
        prototypes: The file of prototypes, beside which the answers are kept until the drafts are written.
        wanted: The names that were asked for; empty for all.

    Attributes:
        run: The run of the model, a context around writing the drafts.
    """

    def __init__(
        self, asked: ModelOptions, parameters: RoleSettings, prototypes: Path, wanted: Collection[str]
    ) -> None:
        self._asked, self._parameters, self._wanted = asked, parameters, wanted
        files = RunFiles(beside(prototypes, ".drafts.journal"), others=(prototypes,))
        self.run = ModelRun(asked, files, {"prototypes": str(prototypes), "parameters": asdict(parameters)})

    def distil(self, materials: Iterable[Material], bank: Mapping[str, Skill]) -> Drafted:
        """Return the drafts that the analyst writes.

        Raises:
            InputError: A name that was asked for belongs to no draft.
        """
        session, name = self.run.session, self._asked.analyst
        if session is None or name is None:
            raise ValueError("nobody is to be asked")
        chosen = self._chosen(list(materials))
        distiller = Distiller(name, session, bank, self._parameters)
        with ProgressLine(f"the analyst writes {len(chosen)} skills", self.run.status):
            return self.run.wait_for(lambda: distiller.distil_skills(chosen))

    def _chosen(self, materials: Sequence[Material]) -> list[Material]:
        """Return the materials whose offline draft has a name that was asked for: what an analyst will say is not known."""
        names = list(dict.fromkeys(each.name for each in materials))
        if unknown := [name for name in self._wanted if name not in names]:
            raise InputError(f"{unknown[0]}: no draft has that name", f"there are {', '.join(names) or 'none'}")
        return [each for each in materials if not self._wanted or each.name in self._wanted]

    def show(self, left_out: int) -> None:
        """Print what it took, and what to do about skills that could not be used."""
        if left_out:
            say("no offline draft stands in for those: ask again, or another model, with --only NAME; or draft offline")
        self.run.say_spent(f"analyst {self._asked.analyst}")
