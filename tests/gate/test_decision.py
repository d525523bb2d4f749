"""What the gate promises: its error rates, simulated with fixed seeds, its power, and the order of its rules."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esc_skills.errors import InputError
from esc_skills.gate.betting import confidence_interval, e_values
from esc_skills.gate.decision import Decision, decide
from esc_skills.gate.looks import Looks
from esc_skills.gate.strata import Pair
from esc_skills.settings import GateSettings
from esc_skills.vocabulary import Disposition, HiddenIntention, Verdict

DISPOSITIONS, INTENTIONS = tuple(Disposition), tuple(HiddenIntention)
GATE = GateSettings()
RUNS = 1200

Draw = Callable[[random.Random], float]
points = st.integers(-100, 100).map(lambda value: value / 100)
differences = st.lists(points, max_size=60)


def pair(position: int, change: int | None = 0, **changes: object) -> Pair:
    """A pair whose base ends at 50 for small changes, and as low or high as it takes for large ones."""
    base = 50 if change is None else min(max(50, -change), 100 - change)
    plain = Pair(
        position=position,
        disposition=DISPOSITIONS[position % 3],
        intention=INTENTIONS[position % 8],
        base=base,
        candidate=None if change is None else base + change,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def run_of(*changes: int | None) -> list[Pair]:
    return [pair(position, change) for position, change in enumerate(changes)]


def decide_sequence(pairs: Sequence[Pair], gate: GateSettings) -> Decision | None:
    """What the looks come to on the pairs of a run; None where it ends before one of them decides."""
    looks, left, decision = Looks(gate), iter(pairs), None
    while decision is None and len(batch := list(islice(left, looks.wanted))) == looks.wanted:
        decision = looks.take(batch)
    return decision


def normal(rng: random.Random, mean: float, sd: float, zeros: float = 0.0) -> float:
    """Whole points as emotions are, normal where the change touches the episode; `mean` is that of all draws."""
    if rng.random() < zeros:
        return 0.0
    return round(min(max(rng.gauss(mean / (1 - zeros), sd), -1.0), 1.0), 2)


def two_points(rng: random.Random, often: float, seldom: float) -> float:
    """Mean zero: a small change in ten of eleven draws and one ten times as large the other way."""
    return seldom if rng.random() < 1 / 11 else often


def strata_apart(rng: random.Random) -> float:
    """Mean zero over three strata with means +20, 0 and −20 points."""
    return normal(rng, rng.choice((0.2, 0.0, -0.2)), 0.3)


def share_that_reaches(draw: Draw, threshold: float, draws: int, runs: int = RUNS, seed: int = 20260527) -> float:
    rng = random.Random(seed)
    values = (e_values([draw(rng) for _ in range(draws)], threshold=threshold, draws=draws) for _ in range(runs))
    return sum(max(value) >= threshold for value in values) / runs


def binomial_bound(rate: float, runs: int) -> float:
    """What a rate of this size stays under in all but one of a thousand simulations."""
    return rate + 3.1 * math.sqrt(rate * (1 - rate) / runs)


NULLS: dict[str, Draw] = {
    "normal": partial(normal, mean=0.0, sd=0.35),
    "narrow": partial(normal, mean=0.0, sd=0.05),
    "wide": partial(normal, mean=0.0, sd=0.6),
    "mostly zeros": partial(normal, mean=0.0, sd=0.35, zeros=0.9),
    "one in ten zero": partial(normal, mean=0.0, sd=0.3, zeros=0.1),
    "seldom much worse": partial(two_points, often=0.1, seldom=-1.0),
    "seldom much better": partial(two_points, often=-0.1, seldom=1.0),
    "strata apart": strata_apart,
    "a coin of 100 points": lambda rng: rng.choice((-1.0, 1.0)),
}


@pytest.mark.parametrize("name", NULLS)
def test_a_change_that_moves_nothing_on_average_is_accepted_no_more_often_than_promised(name: str) -> None:
    assert share_that_reaches(NULLS[name], 20, 200) <= binomial_bound(1 / 20, RUNS)


@pytest.mark.parametrize("threshold", [5, 100])
def test_the_promise_holds_at_the_thresholds_of_the_ledger(threshold: float) -> None:
    rate = share_that_reaches(NULLS["normal"], threshold, 100)
    assert rate <= binomial_bound(1 / threshold, RUNS)


@pytest.mark.thorough
def test_the_promise_holds_when_a_run_goes_on_past_its_budget() -> None:
    rng = random.Random(7)
    runs = [e_values([normal(rng, 0, 0.35) for _ in range(300)], draws=100) for _ in range(RUNS)]
    assert sum(max(run) >= 20 for run in runs) / RUNS <= binomial_bound(1 / 20, RUNS)


@pytest.mark.parametrize("zeros", [0.0, 0.5])
def test_a_change_that_harms_is_hardly_ever_accepted(zeros: float) -> None:
    assert share_that_reaches(partial(normal, mean=-0.05, sd=0.35, zeros=zeros), 20, 200) <= 0.005


def test_the_wealth_is_on_average_one_when_nothing_changes() -> None:
    rng = random.Random(11)
    last = [e_values([rng.choice((-0.3, 0.3)) for _ in range(30)], draws=30)[-1] for _ in range(20_000)]
    assert math.fsum(last) / len(last) == pytest.approx(1.0, abs=0.1)


# The power that the documentation states. A standard deviation is that of the draws that differ; half of them do not
# where `zeros` is 0.5. The least shares lie three standard errors under what `bench/gate_power.py` gives.
@pytest.mark.parametrize(
    ("effect", "sd", "zeros", "draws", "least"),
    [
        (0.05, 0.35, 0.5, 200, 0.75),
        (0.05, 0.35, 0.5, 400, 0.96),
        (0.05, 0.35, 0.0, 200, 0.51),
        (0.05, 0.35, 0.0, 400, 0.81),
        (0.08, 0.35, 0.5, 200, 0.98),
        (0.08, 0.35, 0.0, 200, 0.88),
        (0.08, 0.45, 0.0, 200, 0.69),
        (0.08, 0.45, 0.0, 400, 0.93),
    ],
)
def test_an_effect_of_five_or_eight_points_is_found(
    effect: float, sd: float, zeros: float, draws: int, least: float
) -> None:
    found = share_that_reaches(partial(normal, mean=effect, sd=sd, zeros=zeros), 20, draws, runs=800)
    assert found >= least


def test_the_first_stakes_are_those_of_the_formula() -> None:
    first = 1 + 0.5 * math.sqrt(2 * math.log(20) / (0.08 * 200))
    second_square = (10 * 0.08 + 0.5**2) / 11
    second = first * (1 - 0.2 * math.sqrt(2 * math.log(20 / first) / (second_square * 199)))
    assert e_values([0.5, -0.2]) == pytest.approx([first, second], rel=1e-12)


@given(differences)
def test_e_values_are_never_negative_and_those_of_a_prefix_are_the_prefix_of_all(values: list[float]) -> None:
    running = e_values(values, draws=40)
    assert all(value >= 0 for value in running)
    assert all(e_values(values[:end], draws=40) == running[:end] for end in range(0, len(values), 7))


@given(differences, points, points)
def test_a_better_last_draw_never_lowers_the_e_value(values: list[float], one: float, other: float) -> None:
    worse, better = sorted((one, other))
    assert e_values([*values, worse])[-1] <= e_values([*values, better])[-1]


@given(differences)
def test_draws_that_do_not_differ_before_the_first_that_does_cost_nothing_but_budget(values: list[float]) -> None:
    assert e_values([0.0] * 5 + values)[:5] == [1.0] * 5


def test_the_stake_is_put_away_once_the_threshold_is_reached() -> None:
    running = e_values([0.5] * 40 + [-1.0] * 10)
    assert running[-1] == running[39] >= 20


def test_wealth_that_floats_cannot_hold_is_lost_and_not_an_error() -> None:
    assert e_values([-1.0] * 2000)[-1] == 0.0


@pytest.mark.parametrize("change", [{"threshold": 1.0}, {"draws": 0}])
def test_a_gate_that_cannot_decide_is_refused(change: dict[str, float]) -> None:
    with pytest.raises(InputError, match="cannot decide"):
        e_values([0.1], **change)  # type: ignore[arg-type]


@settings(max_examples=40, deadline=None)
@given(st.lists(points, min_size=1, max_size=60))
def test_the_interval_holds_the_mean_and_mirrors(values: list[float]) -> None:
    low, high = confidence_interval(values)
    assert -1 <= low <= math.fsum(values) / len(values) <= high <= 1
    assert confidence_interval([-value for value in values]) == (-high, -low)


def test_a_higher_level_gives_a_wider_interval_and_more_draws_a_narrower_one() -> None:
    rng = random.Random(3)
    values = [normal(rng, 0.05, 0.3) for _ in range(200)]
    low, high = confidence_interval(values)
    assert confidence_interval(values, 0.99)[0] < low < confidence_interval(values, 0.5)[0]
    assert high - low < 0.16
    assert confidence_interval(values[:50])[1] - confidence_interval(values[:50])[0] > high - low


def test_the_interval_misses_the_true_mean_no_more_often_than_promised_at_any_of_several_looks() -> None:
    rng, runs, missed = random.Random(17), 150, 0
    for _ in range(runs):
        values = [two_points(rng, 0.1, -1.0) for _ in range(60)]
        looks = [confidence_interval(values[:end], 0.8) for end in (15, 30, 60)]
        missed += any(not low <= 0 <= high for low, high in looks)
    assert missed / runs <= binomial_bound(0.2, runs)


def test_no_draw_differs_is_indecisive_with_an_e_value_of_one_and_says_why() -> None:
    decision = decide_sequence(run_of(*[0] * 200), GATE)
    assert decision is not None
    assert (decision.verdict, decision.e_value, decision.harm_e_value) == (Verdict.INDECISIVE, 1.0, 1.0)
    assert (decision.effect, decision.draws) == (0.0, 200)
    assert "Run with a model." in decision.would_decide


def test_a_clear_gain_is_accepted_at_the_first_look_that_shows_it() -> None:
    decision = decide_sequence(run_of(*[30, 10, 40, -5, 20] * 40), GATE)
    assert decision is not None
    assert decision.verdict is Verdict.ACCEPT
    assert decision.draws == 40
    assert decision.e_value >= decision.threshold
    assert decision.effect == pytest.approx(19.0)
    assert decision.interval[0] < 19.0 < decision.interval[1]
    assert decision.would_decide == ""


def test_the_threshold_of_the_registration_is_the_one_that_counts() -> None:
    changes = [30, 10, 40, -5, 20] * 8
    assert decide(run_of(*changes), replace(GATE, threshold=1e6), exhausted=False) is None


def test_drawing_goes_on_while_nothing_is_shown() -> None:
    assert decide(run_of(*[5, -5] * 50), GATE, exhausted=False) is None


def test_a_red_flag_rejects_whatever_the_gain() -> None:
    pairs = [*run_of(*[40] * 39), pair(39, 40, new_red_flags=("missed-risk",))]
    decision = decide(pairs, GATE, exhausted=False)
    assert decision is not None
    assert decision.verdict is Verdict.REJECT
    assert decision.e_value >= 20
    assert "missed-risk" in decision.reason
    assert "39" in decision.reason


def test_harm_to_one_disposition_rejects_a_change_that_helps_on_the_whole() -> None:
    decision = decide_sequence(run_of(*[30, 30, -30] * 60), GATE)
    assert decision is not None
    assert decision.verdict is Verdict.REJECT
    assert decision.effect > 0
    harmed = [stratum for stratum in decision.strata if stratum.harmed]
    assert [stratum.name for stratum in harmed] == ["disposition:avoidant"]
    assert harmed[0].effect == pytest.approx(-30)
    assert harmed[0].harm_e_value >= 220
    assert "disposition:avoidant" in decision.reason


def test_harm_on_the_whole_rejects_before_the_draws_are_used_up() -> None:
    decision = decide_sequence(run_of(*[-20, -25, 10] * 60), replace(GATE, harm_error=1e-6))
    assert decision is not None
    assert decision.verdict is Verdict.REJECT
    assert decision.draws < 180
    assert decision.harm_e_value >= 20


def test_all_strata_together_harm_by_chance_no_more_often_than_promised() -> None:
    rng, runs, false_alarms = random.Random(23), 400, 0
    for _ in range(runs):
        for size, members in ((67, 3), (25, 8)):
            losses = [[normal(rng, 0, 0.35) for _ in range(size)] for _ in range(members)]
            false_alarms += any(max(e_values(loss, threshold=220, draws=size)) >= 220 for loss in losses)
    assert false_alarms / runs <= binomial_bound(0.05, runs)


def test_a_fault_counts_as_the_worst_change_and_not_as_harm() -> None:
    faulty = pair(0, None)
    assert (faulty.difference, faulty.harm, faulty.faults) == (-1.0, 0.0, 1)
    assert (pair(0, -20).difference, pair(0, -20).harm, pair(0, -20).faults) == (-0.2, 0.2, 0)


def test_faults_above_their_share_put_off_an_acceptance_until_they_are_diluted() -> None:
    pairs = run_of(*[None, None, *[40] * 98])
    assert decide(pairs[:40], GATE, exhausted=False) is None
    assert e_values([each.difference for each in pairs[:40]])[-1] >= 20
    decision = decide_sequence(pairs, GATE)
    assert decision is not None
    assert (decision.verdict, decision.faults, decision.draws) == (Verdict.ACCEPT, 2, 60)


def test_a_run_full_of_faults_is_indecisive_and_never_harm() -> None:
    decision = decide_sequence(run_of(*[None] * 100), replace(GATE, draws=100))
    assert decision is not None
    assert decision.verdict is Verdict.INDECISIVE
    assert decision.harm_e_value == 1.0
    assert "100 of 200 episodes" in decision.reason


def test_an_indecisive_gain_says_about_how_many_draws_would_do() -> None:
    decision = decide_sequence(run_of(*[40, -30, 25, -35, 15] * 40), GATE)
    assert decision is not None
    assert decision.verdict is Verdict.INDECISIVE
    assert "+3.0 points" in decision.would_decide
    assert "620 draws (420 more" in decision.would_decide


def test_an_indecisive_loss_asks_for_another_edit() -> None:
    decision = decide_sequence(run_of(*[20, -21] * 100), GATE)
    assert decision is not None
    assert decision.verdict is Verdict.INDECISIVE
    assert decision.would_decide.startswith("Another edit")


def test_looks_happen_after_whole_batches_and_at_the_end() -> None:
    gain = run_of(*[40] * 70)
    stops = [decide_sequence(gain, replace(GATE, batch=size)) for size in (7, 25)]
    assert [stop.draws for stop in stops if stop] == [21, 25]
    unfinished = run_of(*[5, -5] * 35)
    assert decide_sequence(unfinished, GATE) is None
    last = decide_sequence(unfinished, replace(GATE, draws=70))
    assert last is not None
    assert (last.verdict, last.draws) == (Verdict.INDECISIVE, 70)


def test_the_last_look_wants_what_is_left_of_the_draws() -> None:
    looks, nothing = Looks(replace(GATE, draws=30)), run_of(*[0] * 30)
    assert looks.wanted == 20
    assert looks.take(nothing[:20]) is None
    assert looks.wanted == 10
    assert looks.take(nothing[20:]) is not None


def test_pairs_past_the_stop_or_past_the_draws_change_nothing() -> None:
    gain = run_of(*[30, 10, 40, -5, 20] * 40)
    assert decide_sequence(gain, GATE) == decide_sequence(gain[:40], GATE)
    nothing = run_of(*[5, -5] * 150)
    assert decide_sequence(nothing, GATE) == decide_sequence(nothing[:200], GATE)


def test_a_run_without_draws_decides_nothing() -> None:
    assert decide([], GATE, exhausted=False) is None
    decision = decide([], GATE, exhausted=True)
    assert decision is not None
    assert (decision.verdict, decision.interval, decision.strata) == (Verdict.INDECISIVE, (-100.0, 100.0), ())


@pytest.mark.parametrize("positions", [(0, 2), (0, 0), (1, 0)])
def test_missing_repeated_and_disordered_pairs_are_refused(positions: tuple[int, int]) -> None:
    with pytest.raises(InputError, match=f"follows pair {positions[0]}"):
        decide([pair(position) for position in positions], GATE, exhausted=True)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(-100, 100)), min_size=1, max_size=40))
def test_strata_hold_every_draw_twice_and_agree_with_the_whole(changes: list[int | None]) -> None:
    decision = decide(run_of(*changes), GATE, exhausted=True)
    assert decision is not None
    for kind in ("disposition", "intention"):
        strata = [stratum for stratum in decision.strata if stratum.name.startswith(kind)]
        assert sum(stratum.draws for stratum in strata) == len(changes)
        assert sum(stratum.faults for stratum in strata) == decision.faults
        total = math.fsum(stratum.effect * stratum.draws for stratum in strata)
        assert total / len(changes) == pytest.approx(decision.effect)
    for low, high in [decision.interval, *(stratum.interval for stratum in decision.strata)]:
        assert -100 <= low <= high <= 100


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-100, 100), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_how_seekers_fall_into_strata_does_not_touch_the_main_test(changes: list[int], rng: random.Random) -> None:
    pairs = run_of(*changes)
    shuffled = [replace(each, disposition=rng.choice(DISPOSITIONS), intention=rng.choice(INTENTIONS)) for each in pairs]
    one, other = decide(pairs, GATE, exhausted=True), decide(shuffled, GATE, exhausted=True)
    assert one is not None
    assert other is not None
    assert (one.e_value, one.harm_e_value, one.effect) == (other.e_value, other.harm_e_value, other.effect)
