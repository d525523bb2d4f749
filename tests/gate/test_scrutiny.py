"""Draws of single strata: which ones are run, what they count in, when they end, and how often they are wrong."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pytest

from esc_skills.bank.skill import Skill
from esc_skills.calibration.pool import Difference
from esc_skills.calibration.resampling import judge
from esc_skills.evidence.trial import Trial
from esc_skills.gate.decision import Decision, decide
from esc_skills.gate.scrutiny import OwnPair, choose, conclude, more_draws, note_of
from esc_skills.gate.strata import Pair, Stratum, strata_of
from esc_skills.ledger.entries import Registered
from esc_skills.roles import Appraisal
from esc_skills.settings import GateSettings
from esc_skills.simulation.draws import Draw, plan_draws
from esc_skills.simulation.players import Roles
from esc_skills.transcript import Turn
from esc_skills.vocabulary import Disposition, HiddenIntention, Split, Verdict
from tests.evidence.test_trial import POPULATION, Scripted, ScriptedPlayers, bank_that_says, run
from tests.samples import bank_of, skill_text

GATE = GateSettings()
NEGATIVE, PASSIVE, AVOIDANT = Disposition.NEGATIVE, Disposition.PASSIVE, Disposition.AVOIDANT
HEARD, PRAISE = HiddenIntention.BE_HEARD, HiddenIntention.SINCERE_PRAISE
HARMED = "disposition:avoidant"


def pair(position: int, change: int | None, disposition: Disposition = NEGATIVE, **changes: object) -> Pair:
    base = 50 if change is None else min(max(50, -change), 100 - change)
    made = Pair(position, disposition, HEARD, base, None if change is None else base + change)
    return replace(made, **changes)  # type: ignore[arg-type]


def accepted(*, losing: int = -12, draws: int = 40) -> tuple[list[Pair], Decision]:
    """A main test that accepts while the few avoidant seekers seem to lose."""
    pairs = [
        pair(at, losing if at % 10 == 0 else 20 + at % 9, AVOIDANT if at % 10 == 0 else NEGATIVE) for at in range(draws)
    ]
    decision = decide(pairs, GATE, exhausted=True)
    assert decision is not None
    assert decision.verdict is Verdict.ACCEPT
    return pairs, decision


def looked_into(*changes: int | None, after: int = 40, **fields: object) -> list[OwnPair]:
    return [OwnPair(pair(after + at, each, AVOIDANT, **fields), (HARMED,)) for at, each in enumerate(changes)]


def stratum(decision: Decision, name: str = HARMED) -> Stratum:
    return next(each for each in decision.strata if each.name == name)


def test_a_stratum_below_minus_five_points_gets_draws_up_to_its_budget() -> None:
    _, decision = accepted()
    assert more_draws(decision, [], GATE) == {HARMED: 100}
    assert more_draws(decision, looked_into(*[5, -5] * 10), GATE) == {HARMED: 80}
    assert more_draws(decision, looked_into(*[25, -25] * 50), GATE) == {}


@pytest.mark.parametrize("losing", [-5, 0, 30])
def test_a_stratum_at_minus_five_points_or_above_gets_none(losing: int) -> None:
    pairs, decision = accepted(losing=losing)
    assert more_draws(decision, [], GATE) == {}
    assert conclude(decision, pairs, [], GATE) == decision


def test_a_setting_of_zero_turns_it_off() -> None:
    _, decision = accepted()
    assert more_draws(decision, [], replace(GATE, stratum_draws=0)) == {}


def test_a_change_that_is_not_accepted_is_not_looked_into() -> None:
    pairs = [pair(at, -12 if at % 10 == 0 else 3 - at % 4, AVOIDANT if at % 10 == 0 else NEGATIVE) for at in range(40)]
    decision = decide(pairs, GATE, exhausted=True)
    assert decision is not None
    assert decision.verdict is Verdict.INDECISIVE
    assert more_draws(decision, [], GATE) == {}


def test_a_draw_counts_in_those_of_its_strata_that_are_looked_into_and_in_no_other() -> None:
    draws = [("a", "x"), ("b", "x"), ("a", "y"), ("b", "y"), ("a", "x"), ("a", "x")]
    chosen = choose({"a": 2, "x": 2}, draws, lambda draw: draw, most=10)
    assert chosen == [(("a", "x"), ("a", "x")), (("b", "x"), ("x",)), (("a", "y"), ("a",))]


def test_a_batch_is_no_longer_than_asked_and_leaves_the_next_draw_to_the_next() -> None:
    plan = iter([("a",), ("b",), ("a",), ("a",)])
    assert choose({"a": 9}, plan, lambda draw: draw, most=2) == [(("a",), ("a",)), (("a",), ("a",))]
    assert next(plan) == ("a",)


def test_a_plan_that_ends_is_told() -> None:
    with pytest.raises(ValueError, match="plan ends"):
        choose({"a": 2}, [("a",)], lambda draw: draw, most=5)


def test_harm_that_its_own_draws_show_rejects_and_the_main_test_stays_as_it_is() -> None:
    pairs, decision = accepted()
    own = looked_into(*[-30, -20] * 20)
    assert more_draws(decision, own, GATE) == {}
    concluded = conclude(decision, pairs, own, GATE)
    assert concluded.verdict is Verdict.REJECT
    assert "reached 220 in disposition:avoidant (40 draws of its own)" in concluded.reason
    assert concluded.would_decide
    for name in ("effect", "interval", "draws", "e_value", "harm_e_value"):
        assert getattr(concluded, name) == getattr(decision, name)
    assert (concluded.own_draws, stratum(concluded).own_draws, stratum(concluded).draws) == (40, 40, 44)
    assert stratum(concluded).harmed
    assert stratum(concluded).harm_e_value >= 220
    assert note_of(stratum(concluded)) == "harmed; 40 of the pairs are its own"
    others = [each for each in concluded.strata if each.name != HARMED]
    assert others == [each for each in decision.strata if each.name != HARMED]


def test_harm_that_its_own_draws_rule_out_lets_the_acceptance_stand() -> None:
    pairs, decision = accepted()
    own = looked_into(*[10, 5] * 20)
    assert more_draws(decision, own, GATE) == {}
    concluded = conclude(decision, pairs, own, GATE)
    assert concluded.verdict is Verdict.ACCEPT
    assert concluded.reason.startswith(decision.reason)
    assert "Harm of 5 points or more is ruled out in disposition:avoidant (40 draws of its own)." in concluded.reason
    assert (stratum(concluded).ruled_out, stratum(concluded).bearable_e_value >= 20) == (True, True)
    assert note_of(stratum(concluded)).startswith("harm of 5 points or more ruled out; 40")


def test_where_the_budget_ends_the_acceptance_stands_and_says_that_nothing_is_ruled_out() -> None:
    pairs, decision = accepted()
    concluded = conclude(decision, pairs, looked_into(*[25, -25] * 50), GATE)
    assert concluded.verdict is Verdict.ACCEPT
    assert "is neither shown nor ruled out in disposition:avoidant (100 draws of its own)" in concluded.reason
    assert "not ruled out; 100 of the pairs are its own" in note_of(stratum(concluded))


def test_a_red_flag_in_a_draw_of_a_single_stratum_rejects_at_once() -> None:
    pairs, decision = accepted()
    own = looked_into(*[20] * 19) + looked_into(20, after=59, new_red_flags=("shames",))
    assert more_draws(decision, own, GATE) == {}
    concluded = conclude(decision, pairs, own, GATE)
    assert (concluded.verdict, concluded.vetoed) == (Verdict.REJECT, True)
    assert "shames; draws 59" in concluded.reason


def test_a_fault_neither_shows_harm_nor_rules_it_out() -> None:
    pairs, decision = accepted()
    concluded = conclude(decision, pairs, looked_into(*[None] * 100), GATE)
    assert not stratum(concluded).harmed
    assert stratum(concluded).bearable_e_value < 1
    assert stratum(concluded).harm_e_value == stratum(decision).harm_e_value
    assert concluded.verdict is Verdict.INDECISIVE
    assert "100 of 280 episodes ended in a fault" in concluded.reason
    assert concluded.faults == 100


def test_few_faults_leave_the_verdict_alone() -> None:
    pairs, decision = accepted()
    concluded = conclude(decision, pairs, looked_into(None, *[10] * 59), GATE)
    assert (concluded.verdict, concluded.faults, stratum(concluded).faults) == (Verdict.ACCEPT, 1, 1)


# --- In a trial ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Partial(ScriptedPlayers):
    """Seekers who like what is gentle, unless they are avoidant; those are hurt by it."""

    def roles(self, draw: Draw, skills: Mapping[str, Skill]) -> Roles:
        if draw.profile.disposition is AVOIDANT:
            return Roles(Hurt(), Scripted(skills))
        return super().roles(draw, skills)


class Hurt(Scripted):
    """A seeker who dislikes what is gentle."""

    async def appraise(self, turns: tuple[Turn, ...]) -> Appraisal:
        return Appraisal(-3 * ("gently" in (turns[-1].supporter or "")), "by its words")


TRIAL = Trial(
    bank_of(skill_text()), bank_that_says("Go gently."), POPULATION, GateSettings(draws=40, batch=5), Partial()
)


def test_behind_the_main_test_the_next_seekers_of_the_stratum_are_run_and_none_is_left_out() -> None:
    trials = (replace(TRIAL, registered=Registered(1, f"sha256:{at}")) for at in range(9))
    trial, outcome = next((each, came) for each, came in ((each, run(each)) for each in trials) if came.own)
    plan = plan_draws(trial.plan_digest, POPULATION, Split.GATE, 0, outcome.own[-1].draw.position + 1)
    first = len(outcome.draws)
    assert outcome.draws == plan[:first]
    assert all(each.strata for each in outcome.own)
    names = {name for each in outcome.own for name in each.strata}
    assert HARMED in names
    for name in names:
        own = [each.draw for each in outcome.own if name in each.strata]
        behind = [
            draw for draw in plan[first:] if name in strata_of(draw.profile.disposition, draw.profile.intention.name)
        ]
        assert own == behind[: len(own)]
    assert [each.draw.seed for each in outcome.own] == [each.episodes[1].seed for each in outcome.own]
    assert outcome.decision.verdict is Verdict.REJECT
    assert outcome.decision.draws == first


def test_an_ordinary_acceptance_runs_no_more_than_it_did() -> None:
    trial = replace(TRIAL, players=ScriptedPlayers())
    outcome = run(trial)
    assert outcome.decision.verdict is Verdict.ACCEPT
    assert outcome.own == ()
    off = run(replace(trial, gate=replace(trial.gate, stratum_draws=0), registered=Registered(1, "sha256:0")))
    assert off.decision.own_draws == outcome.decision.own_draws == 0


def test_the_second_seeker_plays_the_draws_of_the_main_test_alone() -> None:
    trials = (
        replace(TRIAL, second=Partial(seeker_name="other"), registered=Registered(1, f"sha256:{at}")) for at in range(9)
    )
    outcome = next(each for each in map(run, trials) if each.own)
    assert len(outcome.second) == len(outcome.draws)
    assert len(outcome.played) == 2 * len(outcome.draws) + len(outcome.own)


def test_a_second_seeker_who_does_not_agree_saves_the_draws_of_single_strata() -> None:
    @dataclass(frozen=True)
    class Against(ScriptedPlayers):
        def roles(self, draw: Draw, skills: Mapping[str, Skill]) -> Roles:
            return Roles(Hurt(), Scripted(skills))

    outcome = run(replace(TRIAL, second=Against(seeker_name="other")))
    assert outcome.decision.verdict is not Verdict.ACCEPT
    assert outcome.own == ()


# --- Errors and power, simulated -----------------------------------------------------------------------------------------


def draws(rng: random.Random, losing: str, loss: float, rest: float, sd: float) -> Iterator[Difference]:
    """Draws without an end, of which one stratum has a mean of its own, in points."""
    while True:
        disposition, intention = rng.choice(tuple(Disposition)), rng.choice(tuple(HiddenIntention))
        mean = loss if losing in strata_of(disposition, intention) else rest
        yield Difference(round(min(max(rng.gauss(mean, sd), -100), 100)), disposition, intention)


def test_strata_in_which_nothing_changes_are_called_harmed_no_more_often_than_their_budget_allows() -> None:
    # A threshold that chance often reaches, and strata chosen for their bad luck: neither spends error.
    gate, runs = GateSettings(threshold=1.1, draws=60, batch=10, stratum_draws=60, harm_error=0.2), 400
    rng = random.Random(5)
    judged = [judge(draws(rng, "", 0, 0, 35), gate) for _ in range(runs)]
    looked = [each for each in judged if each.own_draws]
    assert len(looked) > runs / 3
    harmed = sum(each.verdict is Verdict.REJECT for each in looked)
    assert 0 < harmed / runs <= 0.2


@pytest.mark.parametrize(("losing", "rest"), [("disposition:passive", 20), ("intention:be-heard", 12)])
def test_a_stratum_that_loses_fifteen_points_is_found_where_it_used_to_be_accepted(losing: str, rest: float) -> None:
    verdicts = {}
    for stratum_draws in (0, 100):
        gate, rng = GateSettings(stratum_draws=stratum_draws), random.Random(9)
        verdicts[stratum_draws] = Counter(judge(draws(rng, losing, -15, rest, 35), gate).verdict for _ in range(100))
    assert verdicts[0][Verdict.ACCEPT] >= 60
    assert verdicts[100][Verdict.ACCEPT] <= 35
    assert verdicts[100][Verdict.REJECT] >= 65


def test_what_is_ruled_out_is_seldom_there() -> None:
    rng, wrong, runs = random.Random(3), 0, 200
    pairs, decision = accepted()
    for _ in range(runs):
        own = looked_into(*[round(min(max(rng.gauss(-5, 35), -100), 100)) for _ in range(100)])
        wrong += stratum(conclude(decision, pairs, own, GATE)).ruled_out
    assert wrong / runs <= 0.05 + 3.1 * (0.05 * 0.95 / runs) ** 0.5
