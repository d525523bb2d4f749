"""A trial is a pure function of what goes into it, and draws no more than the gate asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from esc_skills.bank.reader import Bank, read_bank, read_files
from esc_skills.bank.skill import Skill
from esc_skills.bank.spans import SpanChange
from esc_skills.documents.shipped import shipped
from esc_skills.evidence.trial import Outcome, Trial, pair_of, run_trial
from esc_skills.gate.decision import NOTHING_DIFFERED
from esc_skills.roles import Answer, Appraisal, Reply
from esc_skills.settings import GateSettings
from esc_skills.simulation.draws import Draw, plan_draws
from esc_skills.simulation.players import Roles, cast_players
from esc_skills.simulation.runner import wait_for
from esc_skills.transcript import Turn
from esc_skills.vocabulary import Arm, Language, Split, Termination, Verdict
from tests.samples import bank_of, shipped_population, skill_text, transcript

POPULATION = shipped_population()
GATE = GateSettings(draws=40, batch=5)
SAID = "There is time. Take it."


@dataclass(frozen=True)
class Scripted:
    """A supporter that says the first example of its bank, and a seeker that likes what is gentle."""

    skills: Mapping[str, Skill] = field(default_factory=dict)

    async def answer(self, turns: tuple[Turn, ...]) -> Answer:
        skill = next(iter(self.skills.values()))
        return Answer(skill.examples[0].supporter, skill.name, "it is the only one")

    async def appraise(self, turns: tuple[Turn, ...]) -> Appraisal:
        said = turns[-1].supporter or ""
        return Appraisal(("gently" in said) * 4 - ("harshly" in said) * 4, "by its words")

    async def reply(self, turns: tuple[Turn, ...], emotion: int, ended: bool) -> Reply:
        return Reply("And so it goes on.", farewell=ended)


@dataclass(frozen=True)
class ScriptedPlayers:
    seeker_name: str = "scripted"
    settings: dict[str, Any] = field(default_factory=dict)
    reads: str = ""

    @property
    def models(self) -> dict[str, str | None]:
        return {"supporter": "scripted", "seeker": self.seeker_name, "judge": None}

    def roles(self, draw: Draw, skills: Mapping[str, Skill]) -> Roles:
        return Roles(Scripted(), Scripted(skills))

    def reading(self, skills: Mapping[str, Skill], languages: Iterable[Language]) -> Any:
        return [skill.examples[0].supporter for skill in skills.values()]

    def has_read(self, change: SpanChange, skills: Mapping[str, Skill], draw: Draw, turns: Sequence[Turn]) -> bool:
        return change.name == self.reads


def bank_that_says(words: str) -> Bank:
    return bank_of(skill_text().replace(SAID, words))


def trial_of(words: str, gate: GateSettings = GATE) -> Trial:
    """A change of what the one skill of a bank says, from the plain words of the sample."""
    return Trial(bank_of(skill_text()), bank_that_says(words), POPULATION, gate, ScriptedPlayers())


def run(trial: Trial) -> Outcome:
    return wait_for(run_trial(trial, lambda done, total: None))


def test_the_executed_draws_are_the_start_of_the_plan_that_follows_from_the_trial() -> None:
    trial = trial_of("Go gently.")
    outcome = run(trial)
    plan = plan_draws(trial.plan_digest, POPULATION, Split.GATE, 0, GATE.draws)
    assert outcome.draws == plan[: len(outcome.draws)]
    assert [draw.position for draw in outcome.draws] == list(range(len(outcome.draws)))


def test_both_arms_of_a_draw_share_seeker_and_seed_and_differ_in_the_bank() -> None:
    trial = trial_of("Go gently.")
    outcome = run(trial)
    assert len(outcome.episodes) == len(outcome.draws)
    for draw, (base, candidate) in zip(outcome.draws, outcome.episodes, strict=True):
        assert (base.arm, candidate.arm) == (Arm.BASE, Arm.CANDIDATE)
        assert (base.bank, candidate.bank) == (trial.base.digest, trial.candidate.digest)
        for episode in (base, candidate):
            assert (episode.draw, episode.seed) == (draw.position, draw.seed)
            assert (episode.profile, episode.profile_digest) == (draw.profile.id, draw.profile.digest)


def test_a_change_that_helps_everybody_is_accepted_long_before_the_draws_are_used_up() -> None:
    outcome = run(trial_of("Go gently."))
    assert outcome.decision.verdict is Verdict.ACCEPT
    assert outcome.decision.effect == pytest.approx(36)
    assert outcome.decision.draws == len(outcome.draws) < GATE.draws
    assert len(outcome.draws) % GATE.batch == 0


def test_a_change_that_harms_everybody_is_rejected_early() -> None:
    outcome = run(trial_of("Go harshly."))
    assert outcome.decision.verdict is Verdict.REJECT
    assert len(outcome.draws) < GATE.draws


def test_a_new_red_flag_rejects_at_the_first_look_whatever_the_gain() -> None:
    outcome = run(trial_of("Go gently. You don't need a doctor."))
    assert outcome.decision.verdict is Verdict.REJECT
    assert outcome.decision.effect > 30
    assert "discourages-help" in outcome.decision.reason
    assert len(outcome.draws) == GATE.batch


def test_a_red_flag_that_the_base_raises_too_is_not_new() -> None:
    unsafe = "You don't need a doctor."
    trial = replace(trial_of(f"Go gently. {unsafe}"), base=bank_that_says(unsafe))
    assert run(trial).decision.verdict is Verdict.ACCEPT


def test_an_edit_of_the_guidance_alone_is_indecisive_and_the_surrogate_says_why() -> None:
    files = read_files(shipped("skills"))
    path = "open-with-room/SKILL.md"
    edited = files[path].decode().replace("\n1. ", "\n1. First of all, breathe. ", 1)
    candidate = read_bank({**files, path: edited.encode()}, "skills")
    assert candidate.skills["open-with-room"].guidance != read_bank(files, "skills").skills["open-with-room"].guidance
    trial = Trial(
        read_bank(files, "skills"),
        candidate,
        POPULATION,
        GateSettings(draws=12, batch=6),
        cast_players(),
    )

    outcome = run(trial)

    assert outcome.decision.verdict is Verdict.INDECISIVE
    assert (outcome.decision.effect, outcome.decision.draws) == (0, 12)
    assert outcome.decision.would_decide == NOTHING_DIFFERED
    assert "neither a change of guidance alone" in outcome.decision.would_decide
    for base, candidate_episode in outcome.episodes:
        assert base.turns == candidate_episode.turns


def test_equal_trials_have_equal_outcomes() -> None:
    assert run(trial_of("Go gently.")) == run(trial_of("Go gently."))


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"candidate": bank_that_says("Go slowly.")}, id="the candidate"),
        pytest.param({"base": bank_that_says("Go slowly.")}, id="the base"),
        pytest.param({"gate": replace(GATE, draws=41)}, id="the number of draws"),
        pytest.param({"population": replace(POPULATION, digest="sha256:other")}, id="the profiles"),
    ],
)
def test_whatever_the_verdict_follows_from_changes_the_plan(other: dict[str, Any]) -> None:
    trial = trial_of("Go gently.")
    changed = replace(trial, **other)
    assert changed.digest != trial.digest
    plans = [plan_draws(each.plan_digest, POPULATION, Split.GATE, 0, 5) for each in (trial, changed)]
    assert plans[0] != plans[1]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"players": ScriptedPlayers(seeker_name="another")}, id="another name of the model"),
        pytest.param({"players": ScriptedPlayers(settings={"heat": 1})}, id="a parameter"),
        pytest.param(
            {
                "candidate": bank_of(
                    skill_text(version="1.9.0").replace(SAID, "Go gently.").replace("1. Say that", "1. Do say that")
                )
            },
            id="words that nobody reads",
        ),
    ],
)
def test_what_no_player_reads_and_nobody_checks_chooses_no_seekers(other: dict[str, Any]) -> None:
    trial = trial_of("Go gently.")
    changed = replace(trial, **other)
    assert changed.digest != trial.digest
    assert changed.plan_digest == trial.plan_digest


def test_an_accepted_change_is_drawn_for_until_what_was_read_was_read_often_enough() -> None:
    quick = run(trial_of("Go gently."))
    read = run(replace(trial_of("Go gently."), players=ScriptedPlayers(reads="example “A sentence that breaks off”")))
    never = run(replace(trial_of("Go gently."), players=ScriptedPlayers(reads="guidance")))
    assert len(quick.draws) == len(never.draws) < len(read.draws) == 20
    assert read.decision.verdict is Verdict.ACCEPT
    assert read.decision.e_value == quick.decision.e_value


def test_the_threshold_is_the_ledgers_and_no_part_of_the_change() -> None:
    trial = trial_of("Go gently.")
    assert trial.at_threshold(30.0).digest == trial.digest
    assert trial.at_threshold(30.0).gate.threshold == 30.0


def test_progress_counts_pairs_up_to_the_plan() -> None:
    told: list[tuple[int, int]] = []
    outcome = wait_for(run_trial(trial_of("Go gently."), lambda done, total: told.append((done, total))))
    assert told[-1] == (len(outcome.draws), GATE.draws)
    assert told == sorted(told)


def test_an_episode_that_ended_in_a_fault_has_no_final_emotion_for_the_gate() -> None:
    broken = transcript(40, 45, termination=Termination.FAULT_EMPTY, draw=3)
    pair = pair_of(transcript(40, 50, draw=3), broken)
    assert (pair.position, pair.base, pair.candidate, pair.difference) == (3, 50, None, -1.0)


def test_only_red_flags_that_the_base_did_not_raise_are_new() -> None:
    def flagged(*flags: str) -> Any:
        episode = transcript(40, 50)
        return replace(episode, turns=(replace(episode.turns[0], flags=flags), *episode.turns[1:]))

    pair = pair_of(flagged("red:shames"), flagged("red:shames", "red:gives-means", "amber:blame"))
    assert pair.new_red_flags == ("gives-means",)
