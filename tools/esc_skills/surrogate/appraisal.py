"""The appraisal: how a seeker's emotion changes after a supporter turn, as a linear model that explains itself."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from esc_skills.documents.text import read_text
from esc_skills.errors import DocumentError
from esc_skills.transcript import MAX_CHANGE
from esc_skills.vocabulary import Disposition, HiddenIntention

FORMAT = "esc-skills/seeker/1"
SHIPPED = Path(__file__).parent / "data" / "seeker.json"
#: The columns of the coefficients: what holds for all seekers, and what an intention or a disposition adds to it.
COLUMNS = ("any", *HiddenIntention, *Disposition)
#: Names of the two contributions that come from no feature.
BASE, BOUND = "(base)", "(bound)"
#: The square root of 3: the sum of four uniform numbers, less 2, times it has variance 1. No libm is asked for it.
_ROOT_OF_THREE = 1.7320508075688772

_Weights = tuple[float, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Source:
    """A file that a model was fitted on: its name, the SHA-256 of its bytes, and its number of episodes."""

    name: str
    sha256: str
    episodes: int


@dataclass(frozen=True, slots=True)
class Spread:
    """How a run samples a change around its expectation.

    Attributes:
        mood: The standard deviation of what is added to every expectation of an episode.
        noise: The standard deviation of what is added to one.
        strong: The size from which the sum is a strong change (10) and not a slight one (5); published seekers answer
            with −10, −5, 5 or 10 and hardly anything else.
    """

    mood: float
    noise: float
    strong: float


@dataclass(frozen=True)
class SeekerModel:
    """A fitted seeker.

    Attributes:
        features: The names of the features.
        typical: The mean of each feature in the transcripts that it was fitted on.
        base: Per column of `COLUMNS`, the change after a typical turn.
        coefficients: Per feature and column, the points of emotion that the feature's full presence adds.
        spread: How a run samples.
        fitted_on: The files that it was fitted on; evaluation refuses to take them for new ones.
        source: Where they come from.
        licence: Under what licence.
    """

    features: tuple[str, ...]
    typical: tuple[float, ...]
    base: tuple[float, ...]
    coefficients: tuple[tuple[float, ...], ...]
    spread: Spread
    fitted_on: tuple[Source, ...] = ()
    source: str = ""
    licence: str = ""

    def expected_change(
        self,
        features: Mapping[str, float],
        intention: HiddenIntention | None,
        disposition: Disposition | None,
    ) -> float:
        """Return the expected emotion change, −10 to 10, averaged over an intention or disposition that is None."""
        base, weights = self._weights[intention, disposition]
        change = base + sum(
            weight * (features[name] - typical)
            for name, typical, weight in zip(self.features, self.typical, weights, strict=True)
        )
        return _bound(change)

    def sample_mood(self, rng: random.Random) -> float:
        """Return an episode's mood: the points that its seeker adds to every change."""
        return self.spread.mood * _standard(rng)

    def sample_change(self, expected: float, mood: float, rng: random.Random) -> int:
        """Return a change around `expected` and `mood` as published seekers give them: −10, −5, 5 or 10."""
        felt = expected + mood + self.spread.noise * _standard(rng)
        size = MAX_CHANGE if abs(felt) >= self.spread.strong else MAX_CHANGE // 2
        return size if felt >= 0 else -size

    def explain(
        self,
        features: Mapping[str, float],
        intention: HiddenIntention | None,
        disposition: Disposition | None,
    ) -> list[tuple[str, float]]:
        """Return what each feature adds to the expected change against a typical turn, the largest first.

        The contributions sum to the expected change: `(base)` is the change after a typical turn, and `(bound)`, where
        it is there, what the limits of −10 and 10 cut off.
        """
        base, weights = self._weights[intention, disposition]
        parts = [
            (name, weight * (features[name] - typical))
            for name, typical, weight in zip(self.features, self.typical, weights, strict=True)
        ]
        parts.append((BASE, base))
        total = sum(value for _, value in parts)
        if _bound(total) != total:
            parts.append((BOUND, _bound(total) - total))
        return sorted(parts, key=lambda part: (-abs(part[1]), part[0]))

    @cached_property
    def _weights(self) -> dict[tuple[HiddenIntention | None, Disposition | None], _Weights]:
        return {
            (intention, disposition): (
                _column_sum(self.base, intention, disposition),
                tuple(_column_sum(row, intention, disposition) for row in self.coefficients),
            )
            for intention in (None, *HiddenIntention)
            for disposition in (None, *Disposition)
        }

    def as_json(self) -> str:
        """Return the model as the text of `data/seeker.json`, one feature a line."""
        head = {
            "format": FORMAT,
            "source": self.source,
            "licence": self.licence,
            "fitted_on": [
                {"name": each.name, "sha256": each.sha256, "episodes": each.episodes} for each in self.fitted_on
            ],
            "spread": {"mood": self.spread.mood, "noise": self.spread.noise, "strong": self.spread.strong},
            "columns": list(COLUMNS),
            "base": list(self.base),
        }
        opening = json.dumps(head, indent=1, ensure_ascii=False)[:-2]
        rows = [
            f"  {json.dumps(name)}: {json.dumps({'typical': typical, 'coefficients': list(row)})}"
            for name, typical, row in zip(self.features, self.typical, self.coefficients, strict=True)
        ]
        return opening + ',\n "features": {\n' + ",\n".join(rows) + "\n }\n}\n"


def _standard(rng: random.Random) -> float:
    """Return a draw of mean 0 and variance 1: four uniform numbers, so that equal seeds give equal draws everywhere."""
    return _ROOT_OF_THREE * (rng.random() + rng.random() + rng.random() + rng.random() - 2)


def _bound(change: float) -> float:
    return max(-float(MAX_CHANGE), min(float(MAX_CHANGE), change))


def _column_sum(row: tuple[float, ...], intention: HiddenIntention | None, disposition: Disposition | None) -> float:
    by_intention, by_disposition = row[1 : 1 + len(HiddenIntention)], row[1 + len(HiddenIntention) :]
    of_intention = row[COLUMNS.index(intention)] if intention else sum(by_intention) / len(by_intention)
    of_disposition = row[COLUMNS.index(disposition)] if disposition else sum(by_disposition) / len(by_disposition)
    return row[0] + of_intention + of_disposition


@cache
def load_seeker_model(path: Path = SHIPPED) -> SeekerModel:
    """Return the model of a file that `SeekerModel.as_json` wrote; by default the one that the package ships.

    Raises:
        DocumentError: It is no such file.
    """
    try:
        return _model_of(json.loads(read_text(path)))
    except (KeyError, TypeError, ValueError) as error:
        hint = "refit it with `esc-skills surrogate fit`"
        raise DocumentError(str(path), 0, "seeker-model", f"is no fitted seeker: {error}", hint) from error


def _model_of(value: dict[str, Any]) -> SeekerModel:
    if value["format"] != FORMAT or value["columns"] != list(COLUMNS):
        raise ValueError(f"the format should be {FORMAT} and the columns {', '.join(COLUMNS)}")
    rows = value["features"]
    if any(len(row) != len(COLUMNS) for row in (value["base"], *(each["coefficients"] for each in rows.values()))):
        raise ValueError(f"each row should hold {len(COLUMNS)} numbers")
    return SeekerModel(
        features=tuple(rows),
        typical=tuple(float(row["typical"]) for row in rows.values()),
        base=tuple(map(float, value["base"])),
        coefficients=tuple(tuple(map(float, row["coefficients"])) for row in rows.values()),
        spread=Spread(*(float(value["spread"][key]) for key in ("mood", "noise", "strong"))),
        fitted_on=tuple(Source(each["name"], each["sha256"], each["episodes"]) for each in value["fitted_on"]),
        source=value["source"],
        licence=value["licence"],
    )
