"""Spot checks: some of a proposal's pairs are played once more with the models themselves.

Recorded answers follow from nothing that can be recomputed, so somebody could invent them. Who plays a few pairs again sees
whether the models answer as the record says: the same seekers and seeds, both arms, and a test that the differences agree.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean

from esc_skills.bank.reader import Bank
from esc_skills.evolution.betting import confidence_interval
from esc_skills.evolution.trial import Outcome, Trial, pair_of
from esc_skills.simulation.draws import Draw
from esc_skills.simulation.players import Players, play
from esc_skills.simulation.runner import run_in_memory
from esc_skills.transcript import Transcript
from esc_skills.vocabulary import Arm

#: Honest evidence fails a spot check at most in one of a hundred.
LEVEL = 0.99


@dataclass(frozen=True, slots=True)
class SpotCheck:
    """What playing some pairs again came to.

    Attributes:
        positions: The draws, in the order of the plan.
        recorded: Their mean change in points as recorded; played: as it is now.
        interval: An interval at the level of 99 % for the mean of recorded minus played, in points.
        agrees: Whether that interval holds zero. With few pairs it is wide: it finds invented effects, not small ones.
    """

    positions: tuple[int, ...]
    recorded: float
    played: float
    interval: tuple[float, float]
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
    at = sorted(chance.sample(range(len(outcome.draws)), min(count, len(outcome.draws))))
    banks: dict[Arm, Bank] = {Arm.BASE: trial.base, Arm.CANDIDATE: trial.candidate}
    items = [(outcome.draws[position], arm) for position in at for arm in banks]

    async def work(item: tuple[Draw, Arm]) -> Transcript:
        return await play(players, item[0], banks[item[1]], item[1])

    run = await run_in_memory(items, work, concurrency=len(items), progress=told)
    before = [pair_of(*outcome.episodes[position]).difference for position in at]
    now = [pair_of(base, other).difference for base, other in zip(run[0::2], run[1::2], strict=True)]
    # Halved, so that the difference of two differences lies in [−1, 1].
    low, high = confidence_interval([(one - other) / 2 for one, other in zip(before, now, strict=True)], LEVEL)
    return SpotCheck(tuple(at), 100 * fmean(before), 100 * fmean(now), (200 * low, 200 * high), low <= 0 <= high)
