"""Pairs and the strata that they fall into: three dispositions and eight hidden intentions, and what the draws of each show."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from esc_skills.gate.betting import confidence_interval, e_values
from esc_skills.settings import GateSettings
from esc_skills.vocabulary import Disposition, HiddenIntention

_DISPOSITION, _INTENTION = "disposition:", "intention:"
_NAMES = (*(f"{_DISPOSITION}{each}" for each in Disposition), *(f"{_INTENTION}{each}" for each in HiddenIntention))
STRATA = len(_NAMES)


@dataclass(frozen=True, slots=True)
class Pair:
    """One draw, simulated with both banks.

    Attributes:
        position: Its place in the plan.
        disposition: The seeker's, which names one of its two strata.
        intention: The seeker's hidden intention, which names the other.
        base: Final emotion with the base, 0 to 100; None where the episode ended in a fault.
        candidate: The same with the candidate.
        new_red_flags: Codes of the red safety flags that the candidate's episode raised and the base's did not.
    """

    position: int
    disposition: Disposition
    intention: HiddenIntention
    base: int | None
    candidate: int | None
    new_red_flags: tuple[str, ...] = ()

    @property
    def difference(self) -> float:
        """The change of final emotion as a share of its range, in [−1, 1]; −1, the worst there is, after a fault."""
        if self.base is None or self.candidate is None:
            return -1.0
        return (self.candidate - self.base) / 100

    @property
    def harm(self) -> float:
        """The loss of final emotion, in [−1, 1]; 0 after a fault, since a model that failed says nothing of a seeker.

        So a fault speaks against accepting and cannot pass for harm: broken endpoints make a run indecisive.
        """
        return 0.0 if self.faults else -self.difference

    @property
    def faults(self) -> int:
        """How many of the two episodes ended in a fault."""
        return (self.base is None) + (self.candidate is None)

    @property
    def strata(self) -> tuple[str, str]:
        """The names of the two strata that it counts in."""
        return strata_of(self.disposition, self.intention)


@dataclass(frozen=True, slots=True)
class Stratum:
    """What the draws of one disposition or one hidden intention show.

    Attributes:
        name: `disposition:` or `intention:` and the word of the vocabulary.
        draws: How many pairs count in it, its own among them.
        own_draws: How many of those were run for single strata, behind the main test; see `scrutiny`.
        effect: Mean change in points, −100 to 100, over all of its draws.
        interval: Its anytime-valid 95 % interval in points.
        harm_e_value: Evidence that the mean change is below zero here.
        harmed: Whether that evidence reached the strata's own threshold.
        bearable_e_value: Evidence of its own draws alone that the mean change is above −5 points; 1 without any.
        ruled_out: Whether that evidence reached 20: harm of 5 points or more is ruled out.
    """

    name: str
    draws: int
    own_draws: int
    faults: int
    effect: float
    interval: tuple[float, float]
    harm_e_value: float
    harmed: bool
    bearable_e_value: float = 1.0
    ruled_out: bool = False


def strata_of(disposition: Disposition, intention: HiddenIntention) -> tuple[str, str]:
    """Return the names of a seeker's two strata, such as `disposition:negative` and `intention:be-heard`."""
    return f"{_DISPOSITION}{disposition}", f"{_INTENTION}{intention}"


def describe_strata(
    pairs: Sequence[Pair], harm_e_values: Mapping[str, float], settings: GateSettings
) -> tuple[Stratum, ...]:
    """Return what the draws of each stratum show, whose e-value for harm `harm_by_stratum` gave."""
    return tuple(_describe(name, pairs, harm, settings) for name, harm in harm_e_values.items())


def harm_by_stratum(pairs: Sequence[Pair], settings: GateSettings) -> Iterator[tuple[str, float]]:
    """Yield the strata that were drawn, each with its e-value for harm, planned for its expected share of the draws."""
    for name in _NAMES:
        losses = [pair.harm for pair in pairs if name in pair.strata]
        if losses:
            yield name, e_value(losses, harm_limit(settings), share_of(name, settings))


def share_of(name: str, settings: GateSettings) -> int:
    """Return how many of the planned draws a stratum can expect, for which its bets are planned."""
    members = len(Disposition) if name.startswith(_DISPOSITION) else len(HiddenIntention)
    return max(settings.draws // members, 1)


def harm_limit(settings: GateSettings) -> float:
    """Return the e-value at which a stratum counts as harmed: the error budget split evenly over all (Bonferroni)."""
    return STRATA / settings.harm_error


def _describe(name: str, pairs: Sequence[Pair], harm: float, settings: GateSettings) -> Stratum:
    members = [pair for pair in pairs if name in pair.strata]
    return Stratum(
        name=name,
        draws=len(members),
        own_draws=0,
        faults=faults_of(members),
        effect=effect_of(members),
        interval=interval_of(members),
        harm_e_value=harm,
        harmed=harm >= harm_limit(settings),
    )


def e_value(differences: Sequence[float], threshold: float, draws: int) -> float:
    """Return the e-value against a mean of zero or less after all differences; 1 without any. See `betting.e_values`."""
    return e_values(differences, threshold=threshold, draws=draws)[-1] if differences else 1.0


def faults_of(pairs: Sequence[Pair]) -> int:
    """Return how many episodes ended in a fault."""
    return sum(pair.faults for pair in pairs)


def effect_of(pairs: Sequence[Pair]) -> float:
    """Return the mean change in points, where a pair with a fault counts −100; 0 without pairs."""
    return 100 * math.fsum(pair.difference for pair in pairs) / len(pairs) if pairs else 0.0


def interval_of(pairs: Sequence[Pair]) -> tuple[float, float]:
    """Return the anytime-valid 95 % interval of the mean change, in points."""
    low, high = confidence_interval([pair.difference for pair in pairs])
    return 100 * low, 100 * high
