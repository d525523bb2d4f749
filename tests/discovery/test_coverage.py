"""The coverage map: what the bank has, what dialogues tell of, and where something helps that no skill does."""

from __future__ import annotations

from itertools import product

from esc_skills.discovery.coverage import Cell, map_coverage
from esc_skills.discovery.units import Unit
from esc_skills.vocabulary import HiddenIntention, Stage, Strategy
from tests.discovery.dialogues import prototypes_of, repeated
from tests.samples import bank_of, skill_text

BANK = bank_of(
    skill_text(), skill_text("wait-for-both", esc_strategies="others", esc_stage="exploration, action")
).skills


def cells(*units: Unit) -> dict[tuple[HiddenIntention, Stage, Strategy], Cell]:
    return {(each.need, each.stage, each.strategy): each for each in map_coverage(prototypes_of(*units), BANK)}


def heard(stage: Stage, strategy: Strategy) -> tuple[HiddenIntention, Stage, Strategy]:
    return HiddenIntention.BE_HEARD, stage, strategy


def test_every_need_stage_and_strategy_has_a_cell() -> None:
    assert set(cells()) == set(product(HiddenIntention, Stage, Strategy))
    assert len(map_coverage((), {})) == 8 * 3 * 8


def test_a_cell_names_the_skills_that_are_for_all_three() -> None:
    found = cells()
    assert found[heard(Stage.EXPLORATION, Strategy.OTHERS)].skills == ("wait-a-little", "wait-for-both")
    assert found[heard(Stage.ACTION, Strategy.OTHERS)].skills == ("wait-for-both",)
    assert found[heard(Stage.EXPLORATION, Strategy.QUESTION)].skills == ("wait-a-little",)
    assert sum(len(each.skills) for each in found.values()) == 4


def test_a_gap_is_where_something_helps_and_no_skill_does() -> None:
    found = cells(
        *repeated(0.8, "gap", strategy=Strategy.INFORMATION),
        *repeated(0.8, "covered", strategy=Strategy.QUESTION),
        *repeated(-0.8, "harmful", strategy=Strategy.SELF_DISCLOSURE),
        *repeated(0.8, "unknown", strategy=Strategy.REFLECTION_OF_FEELINGS, need=None),
    )
    (gap,) = [each for each in found.values() if each.is_gap]
    assert (gap.need, gap.stage, gap.strategy) == heard(Stage.EXPLORATION, Strategy.INFORMATION)
    assert (gap.skills, gap.harmful, gap.units) == ((), (), 24)
    harmful = found[heard(Stage.EXPLORATION, Strategy.SELF_DISCLOSURE)]
    assert (harmful.helpful, len(harmful.harmful)) == ((), 1)
    assert found[heard(Stage.EXPLORATION, Strategy.QUESTION)].helpful


def test_a_prototype_of_any_stage_counts_for_each() -> None:
    halves = [repeated(0.8, str(stage), 4, each=1, stage=stage, strategy=Strategy.INFORMATION) for stage in Stage]
    found = cells(*(each for half in halves for each in half))
    ids = {found[heard(stage, Strategy.INFORMATION)].helpful for stage in Stage}
    assert len(ids) == 1 and ids != {()}
    assert {found[heard(stage, Strategy.INFORMATION)].units for stage in Stage} == {12}


def test_a_cell_is_told_to_other_programs() -> None:
    shown = cells(*repeated(0.8, "gap", strategy=Strategy.INFORMATION))[heard(Stage.EXPLORATION, Strategy.INFORMATION)]
    assert shown.as_json() == {
        "need": "be-heard",
        "stage": "exploration",
        "strategy": "information",
        "skills": [],
        "helpful": list(shown.helpful),
        "harmful": [],
        "units": 24,
    }
