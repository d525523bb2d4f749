"""Spot checks: some of a proposal's pairs are played once more with the models themselves.

Recorded answers follow from nothing that can be recomputed, so somebody could invent them. Who plays a few pairs again sees
whether the models answer as the record says: the same seekers and seeds, both arms, and a test that the differences agree.

Where the models answer as they did, the recorded and the new difference of a draw could as well have come the other way
round, so the sign of their gap is a fair coin's, and the test is that of `sign_flip_p`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from statistics import fmean

from esc_skills.evidence.trial import Outcome, Trial, pair_of
from esc_skills.simulation.both_arms import play_both_arms
from esc_skills.simulation.intervals import sign_flip_p
from esc_skills.simulation.players import Players
from esc_skills.simulation.runner import Progress

#: Honest evidence fails a spot check at most in one of a hundred.
ERROR = 0.01


@dataclass(frozen=True, slots=True)
class SpotCheck:
    """What playing some pairs again came to.

    Attributes:
        positions: The draws, in the order of the plan.
        recorded: Their mean change in points as recorded; played: as it is now.
        p_value: That of a mean gap of zero between the two, by flipping signs; exact for up to 14 draws.
        agrees: Whether it is above the error rate. Fewer than 8 draws never get below it.
    """

    positions: tuple[int, ...]
    recorded: float
    played: float
    p_value: float
    agrees: bool


async def spot_check(
    trial: Trial, outcome: Outcome, players: Players, count: int, chance: random.Random, progress: Progress
) -> SpotCheck:
    """Play some executed pairs again and compare.

    Args:
        trial: The proposal's.
        outcome: What it came to, as recorded.
        players: Who plays now, with the models of the trial.
        count: How many pairs; all where there are fewer.
        chance: Chooses them; it must not follow from anything that the author knew.
        progress: Told after each episode how many are done, and how many there are.
    """
    executed = [*zip(outcome.draws, outcome.episodes, strict=True), *((own.draw, own.episodes) for own in outcome.own)]
    chosen = [executed[at] for at in sorted(chance.sample(range(len(executed)), min(count, len(executed))))]
    draws, recorded = zip(*chosen, strict=True)
    played = await play_both_arms(players, draws, trial.banks, concurrency=2 * count, progress=progress)
    before = [pair_of(*episodes).difference for episodes in recorded]
    now = [pair_of(*episodes).difference for episodes in played]
    p_value = sign_flip_p([one - other for one, other in zip(before, now, strict=True)])
    positions = tuple(draw.position for draw in draws)
    return SpotCheck(positions, 100 * fmean(before), 100 * fmean(now), p_value, p_value > ERROR)
