"""A spot check plays pairs of a proposal once more, and finds answers that no model gave."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Any

import pytest

from esc_skills.evidence.spotcheck import ERROR, SpotCheck, spot_check
from esc_skills.roles import Appraisal
from esc_skills.simulation.intervals import sign_flip_p
from esc_skills.simulation.players import Roles
from esc_skills.simulation.runner import wait_for
from esc_skills.transcript import Turn
from tests.evidence.test_trial import Scripted, ScriptedPlayers, run, trial_of


class Unmoved(Scripted):
    """A seeker whom no words move."""

    async def appraise(self, turns: tuple[Turn, ...]) -> Appraisal:
        return Appraisal(0, "nothing")


@dataclass(frozen=True)
class UnmovedPlayers(ScriptedPlayers):
    def roles(self, draw: Any, skills: Any) -> Roles:
        return Roles(Unmoved(), Scripted(skills))


def check(players: ScriptedPlayers, count: int, seed: int = 0) -> SpotCheck:
    trial = trial_of("Go gently.")
    told: list[tuple[int, int]] = []
    found = wait_for(
        spot_check(trial, run(trial), players, count, random.Random(seed), lambda *counts: told.append(counts))
    )
    assert told[-1] == (2 * len(found.positions),) * 2
    return found


@pytest.mark.parametrize("seed", range(5))
def test_models_that_answer_as_recorded_agree(seed: int) -> None:
    found = check(ScriptedPlayers(), 5, seed)
    assert found.agrees
    assert found.recorded == found.played > 0
    assert found.positions == tuple(sorted(set(found.positions)))


def test_an_invented_effect_is_found_with_enough_pairs() -> None:
    found = check(UnmovedPlayers(), 100)
    assert found.recorded > 20
    assert found.played == 0
    assert found.p_value < 0.01
    assert not found.agrees


def test_no_more_pairs_are_played_than_there_are() -> None:
    trial = trial_of("Go gently.")
    assert len(check(ScriptedPlayers(), 10_000).positions) == len(run(trial).draws)


def test_which_pairs_are_played_follows_from_chance_alone() -> None:
    assert len({check(ScriptedPlayers(), 3, seed).positions for seed in range(8)}) > 1


@pytest.mark.parametrize("draws", [8, 12, 40])
def test_honest_evidence_seldom_fails(draws: int) -> None:
    """One of a hundred at most, and three standard errors of so few runs."""
    chance = random.Random(5)
    runs = {8: 1500, 12: 1500, 40: 400}[draws]
    failed = 0
    for _ in range(runs):
        gaps = [chance.gauss(0, 0.4) - chance.gauss(0, 0.4) for _ in range(draws)]
        failed += sign_flip_p(gaps) <= ERROR
    assert failed / runs <= 0.01 + 3 * math.sqrt(0.01 * 0.99 / runs)
