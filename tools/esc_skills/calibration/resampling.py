"""Proposals resampled from a pool: what their draws differ by when nothing or a known effect is there, and the verdict.

A null's mean is zero exactly and not only about zero, whatever the pool holds, so each acceptance is a false one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count, islice
from random import Random
from statistics import fmean

from esc_skills.calibration.pool import Difference
from esc_skills.gate.betting import e_values
from esc_skills.gate.looks import next_look
from esc_skills.gate.scrutiny import Scrutiny, choose, is_suspect, rooms
from esc_skills.gate.strata import e_value, harm_limit, share_of, strata_of
from esc_skills.settings import GateSettings
from esc_skills.vocabulary import Verdict

#: Makes the draws of one proposal, without an end.
Sampler = Callable[[Random], Iterator[Difference]]

#: How far a hidden intention and a disposition lie from the mean in a heterogeneous null, in points, at most.
_APART_BY_INTENTION, _APART_BY_DISPOSITION = 15.0, 8.0
#: In a skewed null the frequent changes are this much smaller than those of the pool, and the rare ones as much larger.
_SKEW = 4


@dataclass(frozen=True, slots=True)
class Judged:
    """What the gate says of resampled draws.

    Attributes:
        draws: After how many draws of the main test it says so.
        own_draws: How many draws single strata got of their own behind those.
        reached: Whether the e-value reached the threshold after any of the planned draws, harm left aside.
    """

    verdict: Verdict
    draws: int
    own_draws: int
    reached: bool


def judge(differences: Iterable[Difference], gate: GateSettings) -> Judged:
    """Return what `run_trial` comes to on draws without faults and red flags, with its main test in one pass.

    An e-value that has reached its threshold stays there, so the first draw at which each does tells the first look that
    sees it. At a look harm comes before a gain.

    Args:
        differences: As many as the gate plans, and behind them the draws that single strata may get of their own: without an
            end, unless the gate gives them none.
        gate: How the proposal is judged.
    """
    stream = iter(differences)
    planned = list(islice(stream, gate.draws))
    changes = [each.points / 100 for each in planned]
    gain = _look(_reached(changes, gate.threshold, gate.draws), gate)
    # Where a gain is seen nothing is drawn any more, so only harm up to there counts.
    end = gain or len(changes)
    harm = _look(_first_harm(planned[:end], changes[:end], gate), gate)
    if harm is not None:
        return Judged(Verdict.REJECT, harm, 0, gain is not None)
    if gain is None:
        return Judged(Verdict.INDECISIVE, end, 0, reached=False)
    harmed, own = _scrutinise(planned[:end], chain(planned[end:], stream), gate)
    return Judged(Verdict.REJECT if harmed else Verdict.ACCEPT, end, own, reached=True)


def _scrutinise(seen: Sequence[Difference], plan: Iterator[Difference], gate: GateSettings) -> tuple[bool, int]:
    """Return whether draws of their own show harm to strata that seem to lose, and how many draws those are."""
    members: dict[str, list[float]] = {}
    for each in seen:
        for name in _strata_of_difference(each):
            members.setdefault(name, []).append(each.points / 100)
    own: dict[str, list[float]] = {name: [] for name, of in members.items() if is_suspect(100 * fmean(of), gate)}
    before = {
        name: e_value([-change for change in members[name]], harm_limit(gate), share_of(name, gate)) for name in own
    }
    spent = 0
    while True:
        found = {name: Scrutiny(before[name], of, [-change for change in of], gate) for name, of in own.items()}
        room = rooms(found)
        if not room:
            return any(each.harmed for each in found.values()), spent
        for each, strata in choose(room, plan, _strata_of_difference, gate.batch):
            spent += 1
            for name in strata:
                own[name].append(each.points / 100)


def _strata_of_difference(difference: Difference) -> tuple[str, str]:
    return strata_of(difference.disposition, difference.intention)


def _first_harm(differences: Sequence[Difference], changes: Sequence[float], gate: GateSettings) -> int | None:
    """Return after how many draws there first is harm, on the whole or in a stratum."""
    places = [_reached([-change for change in changes], gate.threshold, gate.draws)]
    members: dict[str, list[int]] = {}
    for at, difference in enumerate(differences):
        for name in _strata_of_difference(difference):
            members.setdefault(name, []).append(at)
    for name, own in members.items():
        place = _reached([-changes[at] for at in own], harm_limit(gate), share_of(name, gate))
        places.append(None if place is None else own[place - 1] + 1)
    return min((place for place in places if place), default=None)


def _reached(changes: Sequence[float], threshold: float, draws: int) -> int | None:
    """Return after how many draws the e-value first is at the threshold."""
    values = e_values(changes, threshold=threshold, draws=draws)
    return next((at for at, value in enumerate(values, start=1) if value >= threshold), None)


def _look(place: int | None, gate: GateSettings) -> int | None:
    """Return after how many draws the gate first looks at one."""
    return None if place is None else next_look(place - 1, gate)


def as_drawn(differences: Sequence[Difference]) -> Sampler:
    """Return a sampler of differences as they are, with replacement."""
    return lambda rng: (_pick(differences, rng) for _ in count())


def flipped(differences: Sequence[Difference]) -> Sampler:
    """Return a sampler of differences each of whose sign is a coin's: symmetric about zero, in every stratum too."""
    return lambda rng: (_flip(_pick(differences, rng), rng) for _ in count())


def planted(differences: Sequence[Difference], effect: int) -> Sampler:
    """Return a sampler of sign-flipped differences, shifted by an effect in points and clipped to ±100."""

    def sample(rng: Random) -> Iterator[Difference]:
        return (_moved(each, _clipped(each.points + effect)) for each in flipped(differences)(rng))

    return sample


def mean_of_planted(differences: Sequence[Difference], effect: int) -> float:
    """Return the mean, in points, that is left of a planted effect after clipping."""
    return fmean(_clipped(sign * each.points + effect) for each in differences for sign in (1, -1))


def apart(differences: Sequence[Difference]) -> Sampler:
    """Return a sampler of a null in which strata have means of their own, up to some 20 points, that cancel out.

    Each proposal draws the means anew. Sign-flipped differences are drawn in so far that nothing leaves ±100.
    """

    def sample(rng: Random) -> Iterator[Difference]:
        by_intention = _centred([each.intention for each in differences], _APART_BY_INTENTION, rng)
        by_disposition = _centred([each.disposition for each in differences], _APART_BY_DISPOSITION, rng)
        widest = max(map(abs, by_intention.values())) + max(map(abs, by_disposition.values()))
        room = 1 - widest / 100

        def shift(each: Difference) -> Difference:
            points = room * each.points + by_intention[each.intention] + by_disposition[each.disposition]
            return _moved(each, _rounded(points, rng))

        return map(shift, flipped(differences)(rng))

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
    return lambda rng: (_pick(small if rng.random() < share else large, rng) for _ in count())


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
