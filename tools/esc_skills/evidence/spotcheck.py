"""Spot checks: some of a proposal's pairs are played once more with the models themselves.

Recorded answers follow from nothing that can be recomputed, so somebody could invent them. Who plays a few pairs again sees
whether the models answer as the record says: the same seekers and seeds, both arms, and a test that the differences agree.

The test turns signs (Fisher's randomisation test): where the models answer as they did, the recorded and the new difference
of a draw could as well have come the other way round, so each sign of their gap is a fair coin. The unit is a draw.
"""

from __future__ import annotations

import math
import operator
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import fmean

from esc_skills.evidence.trial import Outcome, Trial, pair_of
from esc_skills.simulation.both_arms import play_both_arms
from esc_skills.simulation.players import Players

#: Honest evidence fails a spot check at most in one of a hundred.
ERROR = 0.01
#: How many ways of turning the signs are drawn where there are too many to go through.
_TURNS = 20_000
_ALL_TURNS = 14


@dataclass(frozen=True, slots=True)
class SpotCheck:
    """What playing some pairs again came to.

    Attributes:
        positions: The draws, in the order of the plan.
        recorded: Their mean change in points as recorded; played: as it is now.
        p_value: How often turning signs gives a mean gap as large as that between the two; exact for up to 14 draws.
        agrees: Whether that is more often than the error rate. Fewer than 8 draws never get below it.
    """

    positions: tuple[int, ...]
    recorded: float
    played: float
    p_value: float
    agrees: bool


async def spot_check(
    trial: Trial, outcome: Outcome, players: Players, count: int, chance: random.Random, told: Callable[[int], None]
) -> SpotCheck:
    """Play some executed pairs again and compare.

    Args:
        trial: The proposal's.
        outcome: What it came to, as recorded.
        players: Who plays now, with the models of the trial.
        count: How many pairs; all where there are fewer.
        chance: Chooses them; it must not follow from anything that the author knew.
        told: Told after each episode how many are done.
    """
    executed = [*zip(outcome.draws, outcome.episodes, strict=True), *((own.draw, own.episodes) for own in outcome.own)]
    chosen = [executed[at] for at in sorted(chance.sample(range(len(executed)), min(count, len(executed))))]
    draws, recorded = zip(*chosen, strict=True)
    played = await play_both_arms(players, draws, trial.banks, concurrency=2 * count, progress=told)
    before = [pair_of(*episodes).difference for episodes in recorded]
    now = [pair_of(*episodes).difference for episodes in played]
    p_value = by_turning([one - other for one, other in zip(before, now, strict=True)], chance)
    positions = tuple(draw.position for draw in draws)
    return SpotCheck(positions, 100 * fmean(before), 100 * fmean(now), p_value, p_value > ERROR)


def by_turning(gaps: Sequence[float], chance: random.Random) -> float:
    """Return the p-value of a mean gap of zero, by turning the signs of the gaps."""
    seen = abs(math.fsum(gaps)) - 1e-12  # sums of the same numbers in another order differ in their last digits
    if len(gaps) <= _ALL_TURNS:
        sums = [abs(math.fsum(map(operator.mul, gaps, signs))) for signs in product((1, -1), repeat=len(gaps))]
        return sum(each >= seen for each in sums) / len(sums)
    drawn = (math.fsum(gap if chance.random() < 0.5 else -gap for gap in gaps) for _ in range(_TURNS))
    return (1 + sum(abs(each) >= seen for each in drawn)) / (1 + _TURNS)
