"""Proposals resampled from a pool: what their draws differ by when nothing or a known effect is there, and the verdict.

A null's mean is zero exactly and not only about zero, whatever the pool holds, so each acceptance is a false one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from statistics import fmean

from esc_skills.evolution.betting import e_values
from esc_skills.evolution.gate import STRATA
from esc_skills.evolution.pool import Difference
from esc_skills.settings import GateSettings
from esc_skills.vocabulary import Disposition, HiddenIntention, Verdict

#: Makes the draws of one proposal, so many of them.
Sampler = Callable[[Random, int], list[Difference]]

#: How far a hidden intention and a disposition lie from the mean in a heterogeneous null, in points, at most.
_APART_BY_INTENTION, _APART_BY_DISPOSITION = 15.0, 8.0
#: In a skewed null the frequent changes are this much smaller than those of the pool, and the rare ones as much larger.
_SKEW = 4


@dataclass(frozen=True, slots=True)
class Judged:
    """What the gate says of resampled draws.

    Attributes:
        draws: After how many draws it says so.
        reached: Whether the e-value reached the threshold after any of the planned draws, harm left aside.
    """

    verdict: Verdict
    draws: int
    reached: bool


def judge(differences: Sequence[Difference], gate: GateSettings) -> Judged:
    """Return what `gate.decide_sequence` says of draws without faults and red flags, in one pass.

    An e-value that has reached its threshold stays there, so the first draw at which each does tells the first look that
    sees it. At a look harm comes before a gain.

    Args:
        differences: As many as the gate plans.
        gate: How the proposal is judged.
    """
    changes = [each.points / 100 for each in differences[: gate.draws]]
    gain = _look(_reached(changes, gate.threshold, gate.draws), len(changes), gate)
    # Where a gain is seen nothing is drawn any more, so only harm up to there counts.
    end = gain or len(changes)
    harm = _first_harm(differences[:end], changes[:end], gate)
    if harm is not None:
        return Judged(Verdict.REJECT, harm, gain is not None)
    return Judged(Verdict.ACCEPT if gain else Verdict.INDECISIVE, end, gain is not None)


def _first_harm(differences: Sequence[Difference], changes: Sequence[float], gate: GateSettings) -> int | None:
    """Return the look that first sees harm, on the whole or in a stratum."""
    places = [_reached([-change for change in changes], gate.threshold, gate.draws)]
    limit = STRATA / gate.harm_error
    members: dict[Disposition | HiddenIntention, list[int]] = {}
    for at, difference in enumerate(differences):
        members.setdefault(difference.disposition, []).append(at)
        members.setdefault(difference.intention, []).append(at)
    for stratum, own in members.items():
        kind: type[Disposition] | type[HiddenIntention] = type(stratum)
        place = _reached([-changes[at] for at in own], limit, max(gate.draws // len(kind), 1))
        places.append(None if place is None else own[place - 1] + 1)
    return min((look for place in places if (look := _look(place, len(changes), gate))), default=None)


def _reached(changes: Sequence[float], threshold: float, draws: int) -> int | None:
    """Return after how many draws the e-value first is at the threshold."""
    values = e_values(changes, threshold=threshold, draws=draws)
    return next((at for at, value in enumerate(values, start=1) if value >= threshold), None)


def _look(place: int | None, last: int, gate: GateSettings) -> int | None:
    """Return the first look at or after a draw."""
    return None if place is None else min(math.ceil(place / gate.batch) * gate.batch, last)


def as_drawn(differences: Sequence[Difference]) -> Sampler:
    """Return a sampler of differences as they are, with replacement."""
    return lambda rng, count: [_pick(differences, rng) for _ in range(count)]


def flipped(differences: Sequence[Difference]) -> Sampler:
    """Return a sampler of differences each of whose sign is a coin's: symmetric about zero, in every stratum too."""
    return lambda rng, count: [_flip(_pick(differences, rng), rng) for _ in range(count)]


def planted(differences: Sequence[Difference], effect: int) -> Sampler:
    """Return a sampler of sign-flipped differences, shifted by an effect in points and clipped to ±100."""

    def sample(rng: Random, count: int) -> list[Difference]:
        return [_moved(each, _clipped(each.points + effect)) for each in flipped(differences)(rng, count)]

    return sample


def mean_of_planted(differences: Sequence[Difference], effect: int) -> float:
    """Return the mean, in points, that is left of a planted effect after clipping."""
    return fmean(_clipped(sign * each.points + effect) for each in differences for sign in (1, -1))


def apart(differences: Sequence[Difference]) -> Sampler:
    """Return a sampler of a null in which strata have means of their own, up to some 20 points, that cancel out.

    Each proposal draws the means anew. Sign-flipped differences are drawn in so far that nothing leaves ±100.
    """

    def sample(rng: Random, count: int) -> list[Difference]:
        by_intention = _centred([each.intention for each in differences], _APART_BY_INTENTION, rng)
        by_disposition = _centred([each.disposition for each in differences], _APART_BY_DISPOSITION, rng)
        widest = max(map(abs, by_intention.values())) + max(map(abs, by_disposition.values()))
        room = 1 - widest / 100

        def shift(each: Difference) -> Difference:
            points = room * each.points + by_intention[each.intention] + by_disposition[each.disposition]
            return _moved(each, _rounded(points, rng))

        return [shift(each) for each in flipped(differences)(rng, count)]

    return sample


def skewed(differences: Sequence[Difference], *, often: int) -> Sampler:
    """Return a sampler of a null of many small changes one way and few large ones the other way.

    Args:
        differences: Where the sizes come from.
        often: 1 for small gains and large losses, −1 for the reverse.
    """
    small = [_moved(each, often * math.ceil(abs(each.points) / _SKEW)) for each in differences]
    large = [_moved(each, -often * min(abs(each.points) * _SKEW, 100)) for each in differences]
    of_small, of_large = (fmean(abs(each.points) for each in kind) for kind in (small, large))
    share = of_large / (of_small + of_large)
    return lambda rng, count: [_pick(small if rng.random() < share else large, rng) for _ in range(count)]


def _centred(strata: Sequence[str], most: float, rng: Random) -> dict[str, float]:
    """Return a mean for each stratum, the furthest `most` from zero, which cancel out over the draws."""
    counts = Counter(strata)
    raw = {stratum: 2 * rng.random() - 1 for stratum in counts}
    middle = math.fsum(counts[stratum] * value for stratum, value in raw.items()) / len(strata)
    furthest = max(abs(value - middle) for value in raw.values())
    return {stratum: most * (value - middle) / furthest if furthest else 0.0 for stratum, value in raw.items()}


def _pick(differences: Sequence[Difference], rng: Random) -> Difference:
    return differences[int(rng.random() * len(differences))]


def _flip(difference: Difference, rng: Random) -> Difference:
    return difference if rng.random() < 0.5 else _moved(difference, -difference.points)


def _moved(difference: Difference, points: int) -> Difference:
    return Difference(points, difference.disposition, difference.intention)


def _clipped(points: int) -> int:
    return max(-100, min(100, points))


def _rounded(points: float, rng: Random) -> int:
    """Return one of the two whole numbers about a number, whose mean it is."""
    return math.floor(points + rng.random())
