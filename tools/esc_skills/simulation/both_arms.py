"""Playing draws with banks: many episodes at a time, and both arms of each draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from esc_skills.bank.reader import Bank
from esc_skills.simulation.draws import Draw
from esc_skills.simulation.players import Players, play, require_languages
from esc_skills.simulation.runner import Progress, run_in_memory
from esc_skills.transcript import Transcript
from esc_skills.vocabulary import Arm


@dataclass(frozen=True, slots=True)
class Planned:
    """An episode to play: a draw with a bank, which is None for a supporter without one, and the arm for the record."""

    draw: Draw
    bank: Bank | None
    arm: Arm = Arm.RUN


async def play_all(
    players: Players, planned: Sequence[Planned], *, concurrency: int, progress: Progress
) -> tuple[Transcript, ...]:
    """Return all episodes, in the order of the plan; `progress` is told after each.

    Raises:
        InputError: A bank or the supporter does not speak a seeker's language.
    """
    for bank in {id(each.bank): each.bank for each in planned}.values():
        require_languages(players, (each.draw for each in planned if each.bank is bank), bank)

    async def work(each: Planned) -> Transcript:
        return await play(players, each.draw, each.bank, each.arm)

    return await run_in_memory(planned, work, concurrency=concurrency, progress=progress)


async def play_both_arms(
    players: Players, draws: Sequence[Draw], banks: tuple[Bank, Bank], *, concurrency: int, progress: Progress
) -> list[tuple[Transcript, Transcript]]:
    """Return both episodes of each draw, with the base and with the candidate; `progress` counts episodes."""
    arms = tuple(zip((Arm.BASE, Arm.CANDIDATE), banks, strict=True))
    planned = [Planned(draw, bank, arm) for draw in draws for arm, bank in arms]
    episodes = await play_all(players, planned, concurrency=concurrency, progress=progress)
    return list(zip(episodes[0::2], episodes[1::2], strict=True))
