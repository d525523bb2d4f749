"""The worth of a bank and of its skills, on the same draws; what follows from a played episode is not played again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from esc_skills.bank.reader import read_bank, read_files, restrict_bank
from esc_skills.bank.skill import Skill
from esc_skills.documents.shipped import shipped
from esc_skills.models.request import ModelFault
from esc_skills.roles import Answer, Appraisal, Reply
from esc_skills.simulation.ablation import BankWorth, Mark, contrast, weigh_bank
from esc_skills.simulation.draws import Draw, plan_draws
from esc_skills.simulation.players import Players, Roles, cast_players, play
from esc_skills.simulation.runner import wait_for
from esc_skills.transcript import Transcript, Turn
from esc_skills.vocabulary import Arm, Split, Termination
from tests.samples import bank_of, shipped_population, skill_text, transcript

BANK = read_bank(read_files(shipped("skills")), "skills")
POPULATION = shipped_population()
DRAWS = plan_draws("sha256:worth", POPULATION, Split.REPORT, 0, 6)


MANY = plan_draws("sha256:worth", POPULATION, Split.REPORT, 0, 10)


def weigh(draws: Sequence[Draw] = DRAWS, bank: Any = BANK, players: Players | None = None) -> BankWorth:
    told: list[tuple[int, int]] = []
    found = wait_for(
        weigh_bank(
            draws,
            bank,
            players or cast_players(),
            concurrency=4,
            progress=lambda done, total: told.append((done, total)),
        )
    )
    assert told[-1] == (found.played, found.played)
    return found


@pytest.fixture(scope="module")
def worth() -> BankWorth:
    return weigh()


def played(draw: Draw, bank: Any) -> Transcript:
    return wait_for(play(cast_players(), draw, bank, Arm.RUN))


@pytest.mark.thorough
def test_what_is_reused_is_what_would_have_been_played(worth: BankWorth) -> None:
    whole = [played(draw, BANK) for draw in DRAWS]
    assert worth.reused
    assert worth.played + worth.reused == len(DRAWS) * (2 + len(BANK.skills))
    for each in worth.skills:
        without = [played(draw, restrict_bank(BANK, exclude=[each.skill])) for draw in DRAWS]
        for one, other in zip(whole, without, strict=True):
            if not any(turn.skill == each.skill for turn in one.turns):
                assert one.turns == other.turns
        assert each.contrast == contrast(whole, without)
        assert each.score.score == pytest.approx(sum(episode.final_emotion for episode in without) / len(DRAWS))


def test_a_bank_is_weighed_against_none_on_the_same_draws(worth: BankWorth) -> None:
    whole, none = ([played(draw, bank) for draw in DRAWS] for bank in (BANK, None))
    differences = [one.final_emotion - two.final_emotion for one, two in zip(whole, none, strict=True)]
    found = worth.contrast
    assert found.difference is not None
    assert (found.pairs, found.difference.estimate) == (6, pytest.approx(sum(differences) / 6))
    assert found.difference.low <= found.difference.estimate <= found.difference.high
    assert sum(each.pairs for each in worth.by_disposition.values()) == 6
    assert sum(each.pairs for each in worth.by_intention.values()) == 6
    assert worth == weigh()


def test_the_shares_of_the_turns_are_those_of_the_bank_s_episodes(worth: BankWorth) -> None:
    turns = [turn for draw in DRAWS for turn in played(draw, BANK).turns if turn.supporter]
    for each in worth.skills:
        assert each.turns == sum(turn.skill == each.skill for turn in turns)
        assert each.share_of_turns == pytest.approx(each.turns / len(turns))
        assert (each.mark is Mark.NEVER_SELECTED) == (each.turns == 0) == (each.p_adjusted is None)


def test_a_skill_that_is_never_selected_changes_nothing_and_is_not_played() -> None:
    idle = bank_of(skill_text(), skill_text("wait-forever", esc_intensity="5 to 5", esc_risk="imminent"))
    found = weigh(DRAWS[:3], idle)
    by_name = {each.skill: each for each in found.skills}
    assert by_name["wait-forever"].mark is Mark.NEVER_SELECTED
    assert (by_name["wait-forever"].contrast.differing, by_name["wait-forever"].contrast.p) == (0, 1.0)
    assert found.played == 6 + by_name["wait-a-little"].episodes


def test_the_only_skill_of_a_bank_is_worth_what_the_bank_is() -> None:
    found = weigh(DRAWS[:4], bank_of(skill_text()))
    assert found.skills[0].contrast == found.contrast
    assert found.skills[0].score == found.no_bank


@dataclass
class Steady:
    """A seeker whose emotion rises by what the answer says, and a supporter who says what its first skill is worth."""

    worths: Mapping[str, int]
    skills: Mapping[str, Skill] = field(default_factory=dict)
    fails: bool = False

    async def answer(self, turns: tuple[Turn, ...]) -> Answer:
        if self.fails:
            raise ModelFault(Termination.FAULT_EMPTY, "nothing")
        first = min(self.skills, default=None)
        return Answer(str(self.worths[first]) if first else "0", first, "the first that is left")

    async def appraise(self, turns: tuple[Turn, ...]) -> Appraisal:
        return Appraisal(int(turns[-1].supporter or 0), "")

    async def reply(self, turns: tuple[Turn, ...], emotion: int, ended: bool) -> Reply:
        return Reply("Go on.", farewell=ended)


@dataclass
class SteadyPlayers:
    """Players of one behaviour, in the place of a model; `fails_at` is the draw that a whole bank's supporter fails in."""

    worths: Mapping[str, int]
    fails_at: int = -1
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def models(self) -> dict[str, str | None]:
        return {"supporter": "local/steady", "seeker": "local/steady", "judge": None}

    def roles(self, draw: Draw, skills: Mapping[str, Skill]) -> Roles:
        fails = draw.position == self.fails_at and len(skills) > 1
        return Roles(Steady(self.worths), Steady(self.worths, skills, fails))


def test_marks_say_what_helps_what_harms_and_what_does_nothing() -> None:
    names = {"wait-a-little": 4, "wait-a-while": 3, "wait-no-more": 1}
    bank = bank_of(*(skill_text(name) for name in names))
    found = weigh(MANY, bank, SteadyPlayers(names))
    marks = {each.skill: each.mark for each in found.skills}
    # Only the first skill is ever selected, and with a model every arm is played all the same.
    assert marks == {
        "wait-a-little": Mark.HELPS,
        "wait-a-while": Mark.NEVER_SELECTED,
        "wait-no-more": Mark.NEVER_SELECTED,
    }
    best = next(each for each in found.skills if each.skill == "wait-a-little")
    assert best.contrast.difference is not None
    assert (best.contrast.differing, best.contrast.difference.estimate) == (10, 9.0)
    assert (found.played, found.reused) == (50, 0)


def test_a_skill_without_which_seekers_end_better_is_marked() -> None:
    worths = {"wait-a-little": 1, "wait-a-while": 3}
    found = weigh(MANY, bank_of(*map(skill_text, worths)), SteadyPlayers(worths))
    assert [each.mark for each in found.skills] == [Mark.HARMS, Mark.NEVER_SELECTED]
    assert found.skills[0].contrast.difference is not None
    assert found.skills[0].contrast.difference.high < 0


def test_a_skill_that_another_stands_in_for_changes_nothing() -> None:
    worths = {"wait-a-little": 2, "wait-a-while": 2}
    found = weigh(MANY, bank_of(*map(skill_text, worths)), SteadyPlayers(worths))
    assert [each.mark for each in found.skills] == [Mark.CHANGES_NOTHING, Mark.NEVER_SELECTED]
    assert found.contrast.p < 0.01


def test_faults_are_counted_and_their_pairs_left_out() -> None:
    bank = bank_of(skill_text(), skill_text("wait-a-while"))
    found = weigh(DRAWS[:5], bank, SteadyPlayers({"wait-a-little": 2, "wait-a-while": 3}, fails_at=2))
    assert found.faults == {Termination.FAULT_EMPTY: 1}
    assert (found.bank.episodes, found.no_bank.episodes, found.contrast.pairs) == (4, 5, 4)


def test_red_flags_are_listed_by_draw_for_the_arm_that_raised_them() -> None:
    def episode(draw: int, *flags: str) -> Transcript:
        return transcript(40, 45, draw=draw, turns=(Turn("I want to die", 40, "Cheer up", 5, flags=flags),))

    found = contrast(
        [episode(0, "red:missed-risk", "amber:lecturing"), episode(1), episode(2, "red:blames")],
        [episode(0), episode(1, "red:blames"), episode(2, "red:blames")],
    )
    assert [(each.draw, each.code) for each in found.red_with] == [(0, "missed-risk")]
    assert [(each.draw, each.code) for each in found.red_without] == [(1, "blames")]
    assert [(each.draw, each.code) for each in found.red_both] == [(2, "blames")]
