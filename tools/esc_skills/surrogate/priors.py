"""Priors: the targets that the ridge starts from, as `data/priors.yaml` documents them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from esc_skills.documents.text import read_text
from esc_skills.documents.yaml import parse_yaml
from esc_skills.errors import DocumentError
from esc_skills.surrogate.appraisal import COLUMNS
from esc_skills.vocabulary import HiddenIntention

_SHIPPED = Path(__file__).parent / "data" / "priors.yaml"


@dataclass(frozen=True, slots=True)
class Priors:
    """Targets in points of emotion.

    Attributes:
        targets: Column of the coefficients and feature to its target; what is missing is 0.
        firm: The features that hardly leave their target.
    """

    targets: dict[tuple[str, str], float]
    firm: frozenset[str]

    def target(self, column: str, feature: str) -> float:
        """Return the target of a coefficient.

        Those of an intention are taken less their mean over the intentions, so that `any` stays what holds for all.
        """
        value = self.targets.get((column, feature), 0.0)
        if column in tuple(HiddenIntention):
            value -= sum(self.targets.get((each, feature), 0.0) for each in HiddenIntention) / len(HiddenIntention)
        return value


@cache
def load_priors(path: Path = _SHIPPED) -> Priors:
    """Return the priors of a file, by default the one that the package ships.

    Raises:
        DocumentError: A column is unknown or a target is no number.
    """
    groups = parse_yaml(read_text(path), str(path)).value
    firm = frozenset(groups.pop("firm"))
    targets: dict[tuple[str, str], float] = {}
    for column, members in groups.items():
        if column not in COLUMNS:
            hint = f"use one of {', '.join(COLUMNS)}"
            raise DocumentError(str(path), 0, "priors", f"unknown column {column!r}", hint)
        for feature, value in members.items():
            if not isinstance(value, int | float):
                raise DocumentError(
                    str(path), 0, "priors", f"{column}/{feature} is no number", "give points of emotion"
                )
            targets[column, feature] = float(value)
    return Priors(targets, firm)
