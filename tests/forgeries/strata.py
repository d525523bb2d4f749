"""Forged draws of single strata: those behind the main test, which a stratum that seems to lose gets of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count

from esc_skills.evidence.trial import OwnDraw, Trial, pair_of
from esc_skills.gate.decision import decide
from esc_skills.gate.scrutiny import OwnPair, conclude
from esc_skills.gate.strata import strata_of
from esc_skills.simulation.draws import Draw, plan_draws
from esc_skills.vocabulary import Split

from .kind import family, refused
from .workshop import Files, Real, Workshop, play_again, run, stating

#: The reason of all kinds that end before the gate does.
EARLY = (r"plan\.json: the draws of single strata stop after \d+ of \d+", "draws of single strata that end too early")
#: The reason of all kinds in which draws stand where the plan has others.
ORDER = (
    r"plan\.json: the draws of single strata do not stand in the order of the plan",
    "draws of single strata in another order",
)


def own_draws(shop: Workshop, change: Callable[[Trial, list[OwnDraw]], Sequence[OwnDraw]], of: Real) -> Files:
    """Evidence of a real trial with other draws of single strata: statistics, pages and digests are made for these."""
    trial = shop.trial(of)
    outcome = run(trial)
    own = tuple(change(trial, list(outcome.own)))
    pairs = [pair_of(*each) for each in outcome.episodes]
    main = decide(pairs, trial.gate, exhausted=True)
    assert main
    decision = conclude(main, pairs, [OwnPair(pair_of(*each.episodes), each.strata) for each in own], trial.gate)
    return shop.build(trial, replace(outcome, own=own, decision=replace(decision, own_draws=len(own))), of=of)


def forged(shop: Workshop, change: Callable[[Trial, list[OwnDraw]], Sequence[OwnDraw]]) -> None:
    """Propose the real change with other draws of single strata."""
    shop.propose(own_draws(shop, change, shop.real))


def played(trial: Trial, draw: Draw, strata: tuple[str, ...]) -> OwnDraw:
    """A draw that is run for some strata."""
    return OwnDraw(draw, strata, play_again(trial, [draw])[0])


def draw_of(trial: Trial, first: int, wanted: Callable[[tuple[str, str]], bool]) -> Draw:
    """The first draw of the plan, from a place on, whose strata are wanted."""
    for position in count(first):
        (draw,) = plan_draws(trial.plan_digest, trial.population, Split.GATE, position, 1)
        if wanted(strata_of(draw.profile.disposition, draw.profile.intention.name)):
            return draw
    raise AssertionError("the plan has no end")


family("draws of single strata")


@refused("evidence", *EARLY, shop="scrutinised")
def no_stratum_is_looked_into(shop: Workshop) -> None:
    forged(shop, lambda trial, own: [])


@refused("evidence", *EARLY, shop="scrutinised")
def a_stratum_is_looked_into_until_it_looks_better(shop: Workshop) -> None:
    forged(shop, lambda trial, own: own[:-1])


@refused("evidence", r"plan\.json: the draws of single strata go on after the \d+ that settle", shop="scrutinised")
def a_stratum_is_looked_into_for_longer_than_it_takes(shop: Workshop) -> None:
    def go_on(trial: Trial, own: list[OwnDraw]) -> list[OwnDraw]:
        name = all_strata(own)[0]
        return [*own, played(trial, draw_of(trial, own[-1].draw.position + 1, lambda each: name in each), (name,))]

    forged(shop, go_on)


def all_strata(own: Sequence[OwnDraw]) -> list[str]:
    """The strata that are looked into."""
    return sorted({name for each in own for name in each.strata})


@refused("evidence", r"plan\.json: \S+ got \d+ draws of its own, and the gate allows 200", shop="scrutinised")
def a_stratum_gets_more_draws_than_the_gate_allows(shop: Workshop) -> None:
    def exceed(trial: Trial, own: list[OwnDraw]) -> list[OwnDraw]:
        name = all_strata(own)[0]
        for _ in range(trial.gate.stratum_draws):
            own.append(played(trial, draw_of(trial, own[-1].draw.position + 1, lambda each: name in each), (name,)))
        return own

    forged(shop, exceed)


@refused("evidence", r"plan\.json: draw \d+ is left out, and its seeker belongs to a stratum", shop="scrutinised")
def the_worst_draw_of_a_stratum_is_left_out(shop: Workshop) -> None:
    def leave_out(trial: Trial, own: list[OwnDraw]) -> list[OwnDraw]:
        worst = min(range(len(own) - 1), key=lambda at: pair_of(*own[at].episodes).difference)
        return own[:worst] + own[worst + 1 :]

    forged(shop, leave_out)


@refused(
    "evidence", r"plan\.json: draw \d+ was run for single strata, and its seeker belongs to none", shop="scrutinised"
)
def a_draw_of_another_stratum_is_run(shop: Workshop) -> None:
    def add(trial: Trial, own: list[OwnDraw]) -> list[OwnDraw]:
        looked_into, first = set(all_strata(own)), len(run(trial).draws)
        other = draw_of(trial, first, lambda each: not looked_into & set(each))
        return sorted([*own, played(trial, other, own[0].strata)], key=lambda each: each.draw.position)

    forged(shop, add)


@refused("evidence", *ORDER, shop="scrutinised")
def draws_of_single_strata_are_put_in_another_order(shop: Workshop) -> None:
    forged(shop, lambda trial, own: own[::-1])


@refused("evidence", *ORDER, shop="scrutinised")
def a_good_draw_of_a_stratum_is_counted_twice(shop: Workshop) -> None:
    forged(shop, lambda trial, own: [*own[:2], *own[1:]])


@refused("evidence", r"plan\.json: draw \d+ counts in \S+ and \S+, and was run for", shop="scrutinised")
def a_draw_is_counted_in_a_stratum_that_it_was_not_run_for(shop: Workshop) -> None:
    def count_in_both(trial: Trial, own: list[OwnDraw]) -> list[OwnDraw]:
        profile = own[0].draw.profile
        both = strata_of(profile.disposition, profile.intention.name)
        return [replace(own[0], strata=both), *own[1:]]

    forged(shop, count_in_both)


@refused("evidence", r"plan\.json: draw \d+, of single strata, has another seeker or seed", shop="scrutinised")
def a_bad_draw_of_a_stratum_is_tried_again_with_another_seed(shop: Workshop) -> None:
    def again(trial: Trial, own: list[OwnDraw]) -> list[OwnDraw]:
        worst = min(range(len(own)), key=lambda at: pair_of(*own[at].episodes).difference)
        own[worst] = played(trial, replace(own[worst].draw, seed="f" * 32), own[worst].strata)
        return own

    forged(shop, again)


@refused("evidence", r"plan\.json: \d+ draws were run for single strata, and none of these is", shop="scrutinised")
def strata_are_looked_into_though_the_change_is_refused(shop: Workshop) -> None:
    def look(trial: Trial, own: list[OwnDraw]) -> list[OwnDraw]:
        assert not own
        draw = draw_of(trial, len(run(trial).draws), lambda each: True)
        return [played(trial, draw, strata_of(draw.profile.disposition, draw.profile.intention.name))]

    shop.propose(own_draws(shop, look, shop.other), of=shop.other)


family("what is said of them")


def place_of(shop: Workshop) -> int:
    """Where the statement has a stratum that was looked into."""
    strata = shop.real.predicate["result"]["strata"]
    return next(at for at, each in enumerate(strata) if each["own_draws"])


@refused("statement", r"/predicate/result/strata/\d+/bearable_e_value is 999", shop="scrutinised")
def the_evidence_against_harm_is_edited(shop: Workshop) -> None:
    at = place_of(shop)
    shop.propose(stating(shop.real.evidence, lambda p: p["result"]["strata"][at].update(bearable_e_value=999.0)))


@refused("statement", r"/predicate/result/strata/\d+/own_draws is", shop="scrutinised")
def a_stratum_is_said_to_have_had_no_draws_of_its_own(shop: Workshop) -> None:
    at = place_of(shop)
    shop.propose(stating(shop.real.evidence, lambda p: p["result"]["strata"][at].update(own_draws=0)))


@refused("statement", r"/predicate/plan/own_draws is", shop="scrutinised")
def the_plan_is_said_to_hold_no_draws_of_single_strata(shop: Workshop) -> None:
    shop.propose(stating(shop.real.evidence, lambda p: p["plan"].update(own_draws=0)))
