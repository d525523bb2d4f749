"""Coverage: which needs, stages and strategies the bank covers, and where evidence exists and no skill does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from esc_skills.bank.skill import Skill
from esc_skills.discovery.material import supported
from esc_skills.discovery.prototypes import Call, Prototype
from esc_skills.vocabulary import HiddenIntention, Stage, Strategy

_SUPPORT = re.compile(r"(p-[0-9a-f]{8}) \(\d+ units, [+-]\d+\.\d\)")


@dataclass(frozen=True, slots=True)
class Cell:
    """One need, stage and strategy.

    Attributes:
        skills: The skills whose contracts name all three.
        helpful: The prototypes that are called helpful there; those of any stage count for each.
        harmful: Those that are called harmful.
        units: The units of all prototypes there; those of any stage count for each.
    """

    need: HiddenIntention
    stage: Stage
    strategy: Strategy
    skills: tuple[str, ...]
    helpful: tuple[str, ...]
    harmful: tuple[str, ...]
    units: int

    @property
    def is_gap(self) -> bool:
        """Whether something helps there that no skill does."""
        return bool(self.helpful) and not self.skills

    def as_json(self) -> dict[str, Any]:
        """Return the cell for other programs."""
        return {
            "need": str(self.need),
            "stage": str(self.stage),
            "strategy": str(self.strategy),
            "skills": list(self.skills),
            "helpful": list(self.helpful),
            "harmful": list(self.harmful),
            "units": self.units,
        }


def map_coverage(prototypes: Sequence[Prototype], bank: Mapping[str, Skill]) -> tuple[Cell, ...]:
    """Return every cell, needs first, then stages, then strategies."""
    return tuple(
        _cell(need, stage, strategy, prototypes, bank.values())
        for need in HiddenIntention
        for stage in Stage
        for strategy in Strategy
    )


def _cell(
    need: HiddenIntention, stage: Stage, strategy: Strategy, prototypes: Iterable[Prototype], skills: Iterable[Skill]
) -> Cell:
    here = [
        each for each in prototypes if each.need is need and each.strategy is strategy and each.stage in (stage, None)
    ]
    return Cell(
        need,
        stage,
        strategy,
        tuple(
            sorted(
                each.name
                for each in skills
                if need in each.needs and stage in each.stages and strategy in each.strategies
            )
        ),
        tuple(each.id for each in here if each.call is Call.HELPFUL),
        tuple(each.id for each in here if each.call is Call.HARMFUL),
        sum(each.units for each in here),
    )


def check_provenance(prototypes: Iterable[Prototype], bank: Mapping[str, Skill]) -> Iterator[str]:
    """Yield, for each skill that rests on prototypes, what its `esc-provenance` says otherwise than these do."""
    known = {each.id: each for each in prototypes}
    for name, skill in sorted(bank.items()):
        for named in _SUPPORT.finditer(skill.provenance):
            prototype = known.get(named[1])
            if prototype is None:
                yield f"{name} rests on {named[1]}, which is no prototype here"
            elif supported(prototype) != named[0]:
                yield f"{name} says {named[0]} and should say {supported(prototype)}"
