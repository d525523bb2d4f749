"""Print what each assumption about the surrogate seeker adds to gains, as Markdown.

    python bench/assumed.py [--draws 200]

The shipped bank against none, and against edits of it, on `report` draws: with all assumptions, and with each left out. Two minutes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import fmean

from esc_skills.bank.reader import Bank, read_bank, read_files
from esc_skills.calibration.pool import edit_bank
from esc_skills.documents.shipped import shipped
from esc_skills.language.cues import Cues
from esc_skills.seekers.population import read_population
from esc_skills.simulation.both_arms import Planned, play_all
from esc_skills.simulation.draws import Draw, plan_draws
from esc_skills.simulation.players import cast_players
from esc_skills.simulation.runner import wait_for
from esc_skills.surrogate import seeker
from esc_skills.surrogate.assumed import ANYBODY, BROKEN, UNSUPPORTED, assumed_effects
from esc_skills.surrogate.features import Exchange
from esc_skills.vocabulary import Split

Effects = Callable[[Exchange, float, Cues], list[tuple[str, float]]]


@contextmanager
def without(name: str | None) -> Iterator[None]:
    """Play with one assumption left out."""

    def effects(exchange: Exchange, expected: float, cues: Cues) -> list[tuple[str, float]]:
        return [each for each in assumed_effects(exchange, expected, cues) if each[0] != name]

    whole: Effects = seeker.assumed_effects
    seeker.assumed_effects = effects  # type: ignore[assignment]
    try:
        yield
    finally:
        seeker.assumed_effects = whole  # type: ignore[assignment]


def score(bank: Bank | None, draws: tuple[Draw, ...]) -> float:
    planned = [Planned(draw, bank) for draw in draws]
    played = wait_for(play_all(cast_players(), planned, concurrency=64, progress=lambda done, total: None))
    return fmean(each.final_emotion for each in played)


def main() -> None:
    options = argparse.ArgumentParser(description="Print what assumptions add to gains.")
    options.add_argument("--draws", type=int, default=200)
    given = options.parse_args()
    bank = read_bank(read_files(shipped("skills")), "skills")
    population = read_population(read_files(shipped("profiles")), "profiles")
    draws = plan_draws("assumed", population, Split.REPORT, 0, given.draws)
    others: dict[str, Bank | None] = {"none": None, **edit_bank(bank)}
    columns: dict[str | None, str] = {None: "gain"} | {each: f"less {each}" for each in (UNSUPPORTED, ANYBODY, BROKEN)}
    print(f"| the bank against | {' | '.join(columns.values())} |\n|---|{'--:|' * len(columns)}")
    gains: dict[str, list[float]] = {name: [] for name in others}
    for left_out in columns:
        with without(left_out):
            whole = score(bank, draws)
            for name, other in others.items():
                gains[name].append(whole - score(other, draws))
    for name, found in gains.items():
        print(f"| {name} | {' | '.join(f'{each:+.1f}' for each in found)} |")


if __name__ == "__main__":
    main()
