"""Prototypes: each unit under one at most, whatever the order, and a dialogue more changes only those that it touches."""

from __future__ import annotations

import random
from itertools import pairwise, permutations, product
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esc_skills.discovery.cluster import MIN_DIALOGUES, MIN_UNITS, cluster_units
from esc_skills.discovery.foresight import prototype_of
from esc_skills.discovery.prototypes import (
    ANY,
    UNKNOWN,
    Call,
    Key,
    Prototype,
    key_of,
    read_prototypes,
    widen,
)
from esc_skills.discovery.units import Source, Unit
from esc_skills.documents.jsonl import canonical_json
from esc_skills.documents.schema import check_schema
from esc_skills.errors import DocumentError, InputError
from esc_skills.language.moves import MOVES, PLAIN
from esc_skills.vocabulary import HiddenIntention, Language, Risk, Stage, Strategy
from tests.discovery.dialogues import lines_of, prototypes_of, repeated, unit, units_of, write_lines

#: Few parts, so that groups grow to the least size of a prototype and beyond it within few dialogues.
_PARTS = st.fixed_dictionaries(
    {
        "strategy": st.sampled_from([Strategy.QUESTION, Strategy.INFORMATION]),
        "need": st.sampled_from([HiddenIntention.BE_HEARD, None]),
        "move": st.sampled_from(["plain", "praise"]),
        "stage": st.sampled_from([Stage.EXPLORATION, Stage.ACTION]),
        "effect": st.integers(-1000, 1000).map(lambda thousandths: thousandths / 1000),
        "confidence": st.sampled_from([0.2, 0.6, 0.8, 1.0]),
        "corpus": st.sampled_from(["made-up"]),
    }
)
_DIALOGUES = st.lists(st.lists(_PARTS, min_size=1, max_size=9), min_size=2, max_size=14).map(
    lambda found: [
        [unit(f"d{at}", 2 * turn + 1, **parts) for turn, parts in enumerate(each)] for at, each in enumerate(found)
    ]
)


def clustered(dialogues: list[list[Unit]]) -> tuple[Prototype, ...]:
    return prototypes_of(*(each for dialogue in dialogues for each in dialogue))


@settings(max_examples=60)
@given(_DIALOGUES)
def test_each_unit_is_under_one_prototype_or_left_over(dialogues: list[list[Unit]]) -> None:
    units = [each for dialogue in dialogues for each in dialogue]
    found = cluster_units(units)
    by_key = {each.key: each for each in found.prototypes}
    under = [prototype_of(key_of(each), by_key) for each in units]
    assert under.count(None) == found.left_over
    assert {each.id: each.units for each in found.prototypes} == {
        each.id: under.count(each) for each in found.prototypes
    }
    assert (found.units, found.dialogues) == (len(units), len(dialogues))
    for each in found.prototypes:
        assert each.units >= MIN_UNITS and each.dialogues >= MIN_DIALOGUES
        mine = [made for made, place in zip(units, under, strict=True) if place is each]
        assert each.dialogues == len({made.dialogue for made in mine})
        assert (
            sum(each.transitions.values()) == sum(each.corpora.values()) == sum(each.languages.values()) == each.units
        )
        assert each.low <= each.effect <= each.high
        assert not list(check_schema(each.as_json(), "prototype", "it"))


@settings(max_examples=60)
@given(_DIALOGUES, st.randoms(use_true_random=False))
def test_the_order_of_dialogues_changes_no_byte(dialogues: list[list[Unit]], chance: random.Random) -> None:
    shuffled = chance.sample(dialogues, len(dialogues))
    assert lines_of(clustered(shuffled)) == lines_of(clustered(dialogues))


@settings(max_examples=100)
@given(_DIALOGUES)
def test_a_dialogue_more_changes_only_the_prototypes_that_it_touches(dialogues: list[list[Unit]]) -> None:
    *others, added = dialogues
    touched = {widen(key_of(each), parts) for each in added for parts in range(1, 5)}
    before, after = lines_of(clustered(others)), lines_of(clustered(dialogues))
    assert untouched(before, touched) == untouched(after, touched)


def untouched(lines: dict[Key, str], touched: set[Key]) -> dict[Key, str]:
    return {key: line for key, line in lines.items() if key not in touched}


def test_effects_that_cancel_out_are_zero_in_every_order() -> None:
    dialogues = [units_of(f"d{at}", [effect] * 4) for at, effect in enumerate((0.355, -0.101, -0.254))]
    effects = {canonical_json(clustered(list(order))[0].as_json()["effect"]) for order in permutations(dialogues)}
    assert len(effects) == 1
    assert '"mean":0.0' in effects.pop()


def test_dialogues_of_one_name_in_two_corpora_show_the_same_exemplars_in_every_order() -> None:
    first, second = (repeated(0.8, "d", 8, corpus=corpus) for corpus in ("one", "two"))
    assert lines_of(prototypes_of(*first, *second)) == lines_of(prototypes_of(*second, *first))
    assert prototypes_of(*first, *second)[0].dialogues == 16


# --- What is a prototype --------------------------------------------------------------------------------------------------


def test_a_group_of_enough_units_is_a_prototype_by_all_its_parts() -> None:
    (found,) = prototypes_of(*repeated(0.5, "d", 5))
    assert found.key == ("question", "be-heard", "plain", "exploration")
    assert (found.units, found.dialogues, found.corpora) == (10, 5, {"made-up": 10})


def test_a_small_group_joins_its_like_in_all_but_the_stage_then_the_move_then_the_need() -> None:
    def half(name: str, **parts: object) -> list[Unit]:
        return repeated(0.5, name, 3, **{"stage": Stage.EXPLORATION, **parts})

    (by_stage,) = prototypes_of(*half("a"), *half("b", stage=Stage.ACTION))
    (by_move,) = prototypes_of(*half("a"), *half("b", move="praise"))
    (by_need,) = prototypes_of(*half("a"), *half("b", need=None))
    assert by_stage.key == ("question", "be-heard", "plain", ANY)
    assert by_move.key == ("question", "be-heard", ANY, ANY)
    assert by_need.key == ("question", ANY, ANY, ANY)
    assert not by_need.need_known
    assert prototypes_of(*half("a"), *half("b", strategy=Strategy.OTHERS)) == ()


def test_many_units_of_few_dialogues_are_no_prototype_however_they_are_grouped() -> None:
    few = [units_of(f"d{at}", [0.5] * 20, corpus=move, move=move) for at in (1, 2) for move in ("plain", "praise")]
    assert [each.dialogues for each in prototypes_of(*(each for units in few for each in units))] == [4]
    turns = [unit(f"d{at}", 2 * turn + 1, move=MOVES[turn % 3]) for at in (1, 2) for turn in range(20)]
    assert prototypes_of(*turns) == ()


def test_a_need_that_nothing_told_of_is_not_any_need() -> None:
    (found,) = prototypes_of(*repeated(0.5, "d", need=None))
    assert (found.key[1], found.need, found.need_known) == (UNKNOWN, None, True)


def test_every_state_and_action_has_an_id_of_its_own() -> None:
    (found,) = prototypes_of(*repeated(0.5, "d", 5))
    keys = product(Strategy, [*HiddenIntention, UNKNOWN, ANY], [*MOVES, PLAIN, ANY], [*Stage, ANY])
    ids = [_with_key(found, tuple(map(str, key))).id for key in keys]
    assert len(set(ids)) == len(ids)


def _with_key(found: Prototype, key: Key) -> Prototype:
    strategy, need, move, stage = key
    return Prototype(
        **{
            **{name: getattr(found, name) for name in found.__slots__},
            "strategy": Strategy(strategy),
            "need": HiddenIntention(need) if need not in (UNKNOWN, ANY) else None,
            "need_known": need != ANY,
            "move": None if move == ANY else move,
            "stage": None if stage == ANY else Stage(stage),
        }
    )


def test_an_id_stays_when_units_come() -> None:
    units = repeated(0.5, "d", 5)
    assert prototypes_of(*units)[0].id == prototypes_of(*units, *repeated(-0.5, "e", 9))[0].id


def test_units_of_one_dialogue_come_together() -> None:
    with pytest.raises(InputError, match="units of the dialogue a of made-up come in two places"):
        cluster_units([unit("a", 1), unit("b", 1), unit("a", 3)])


# --- Exemplars ------------------------------------------------------------------------------------------------------------


def test_exemplars_are_the_clearest_transitions_either_way_in_each_language() -> None:
    units = [
        *repeated(0.6, "fair", 6),
        *repeated(1.0, "best", 2),
        *repeated(-0.9, "worst", 1),
        *repeated(0.1, "faint", 3),
        *repeated(0.7, "zh", 3, language=Language.CHINESE),
    ]
    (found,) = prototypes_of(*units)
    assert [each.effect for each in found.positive if each.language is Language.ENGLISH] == [1.0] * 4 + [0.6]
    assert [each.effect for each in found.positive if each.language is Language.CHINESE] == [0.7] * 5
    assert [each.effect for each in found.negative] == [-0.9, -0.9]


def test_what_was_said_where_risk_was_stated_or_read_from_words_is_no_exemplar() -> None:
    (found,) = prototypes_of(
        *repeated(1.0, "risk", 3, risk=Risk.PASSIVE),
        *repeated(-1.0, "reply", 3, risk_after=Risk.ACTIVE),
        *repeated(1.0, "read", 6, source=Source.READING, confidence=0.2),
    )
    assert (found.positive, found.negative, found.risk, found.key_units) == ((), (), 12, 12)


def test_an_endless_turn_is_no_exemplar_so_that_what_is_written_can_be_read(tmp_path: Path) -> None:
    endless = repeated(1.0, "endless", 6, texts=("a" * 200_000, "b", "c"))
    found = prototypes_of(*endless, *repeated(0.6, "short", 2))
    assert {each.effect for each in found[0].positive} == {0.6}
    assert read_prototypes(write_lines(tmp_path / "p.jsonl", found)) == found


# --- Effects --------------------------------------------------------------------------------------------------------------


def test_an_effect_is_shrunk_the_more_the_fewer_dialogues_tell_of_it() -> None:
    effects = [prototypes_of(*repeated(0.5, "d", count, each=4))[0].effect for count in (3, 6, 12, 50, 400)]
    assert all(0 < fewer < more for fewer, more in pairwise([*effects, 0.5]))
    assert effects[0] < 0.25 and effects[-1] > 0.48


def test_units_of_one_dialogue_count_for_little_more_than_one() -> None:
    """The same effects are surer where they are spread over dialogues than where each dialogue has its own."""
    ups, downs = [0.9] * 5, [-0.3] * 5
    mixed = [0.9, -0.3, 0.9, -0.3, 0.9], [-0.3, 0.9, -0.3, 0.9, -0.3]

    def width(*effects: list[float]) -> float:
        (found,) = prototypes_of(*(each for at in range(20) for each in units_of(f"d{at}", effects[at % 2])))
        return found.high - found.low

    assert width(ups, downs) > 1.3 * width(*mixed)


def test_a_unit_that_is_less_sure_weighs_less() -> None:
    sure = repeated(0.8, "sure", 10)
    (found,) = prototypes_of(*sure, *repeated(-0.8, "unsure", 10, confidence=0.2))
    assert found.call is Call.HELPFUL


@pytest.mark.parametrize(("effect", "call"), [(0.8, Call.HELPFUL), (-0.8, Call.HARMFUL), (0.02, Call.UNCLEAR)])
def test_a_prototype_is_called_by_its_interval(effect: float, call: Call) -> None:
    assert prototypes_of(*repeated(effect, "d"))[0].call is call


#: Twenty corpora of 25 prototypes, each of 8 dialogues with 6 units that share half of their variance.
_CORPORA, _GROUPS, _MEMBERS, _TURNS = 20, 25, 8, 6


@pytest.mark.thorough
def test_of_prototypes_without_effect_one_in_ten_is_called_helpful_at_most() -> None:
    """Of 500 prototypes a share of 10 % has a standard error of 1.3 points: 14 % lies three of them above.

    The units' own standard error, which takes those of one dialogue for independent, would call far more.
    """
    chance = random.Random(20)
    called = naively = 0
    for _ in range(_CORPORA):
        units = [each for group in range(_GROUPS) for each in without_effect(group, chance)]
        called += sum(each.call is Call.HELPFUL for each in prototypes_of(*units))
        for at in range(0, len(units), _MEMBERS * _TURNS):
            effects = [each.effect for each in units[at : at + _MEMBERS * _TURNS]]
            naively += fmean(effects) > 1.2816 * stdev(effects) / sqrt(len(effects))
    assert 0 < called <= 0.14 * _CORPORA * _GROUPS
    assert naively > 0.18 * _CORPORA * _GROUPS


def without_effect(group: int, chance: random.Random) -> list[Unit]:
    parts = {"strategy": list(Strategy)[group % 5], "need": list(HiddenIntention)[group // 5]}
    units: list[Unit] = []
    for at in range(_MEMBERS):
        shared = chance.gauss(0, 0.3)
        effects = [round(max(-1, min(1, shared + chance.gauss(0, 0.3))), 3) for _ in range(_TURNS)]
        units += units_of(f"{group}-{at}", effects, **parts)
    return units


# --- Files ----------------------------------------------------------------------------------------------------------------


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    found = prototypes_of(*repeated(0.8, "a"), *repeated(-0.5, "b", need=None, strategy=Strategy.OTHERS))
    assert read_prototypes(write_lines(tmp_path / "p.jsonl", found)) == found


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"id":"p-', '"id":"p-00000000", "x":"', "additionalProperties"),
        ('"stage":"exploration"', '"stage":"action"', "id is p-"),
        ('"call":"helpful"', '"call":"harmful"', "call is harmful and should be helpful"),
        ('"move":"plain"', '"move":"plan"', "did you mean 'plain'?"),
        ('"move":"plain"', '"move":"../x"', "p.jsonl:1"),
        ('"high":', '"high":-1, "higher":', "p.jsonl:1"),
        ('"mean":', '"mean":NaN, "m":', "NaN is no JSON number"),
        ('"mean":', '"mean":1e999, "m":', "too large"),
    ],
)
def test_a_line_that_departs_or_contradicts_itself_is_told_with_its_place(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    path = write_lines(tmp_path / "p.jsonl", prototypes_of(*repeated(0.8, "a")))
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(DocumentError) as told:
        read_prototypes(path)
    assert told.value.line == 1
    assert said in told.value.message


def test_a_mean_outside_its_interval_is_told(tmp_path: Path) -> None:
    (found,) = prototypes_of(*repeated(0.8, "a"))
    value = found.as_json()
    value["effect"]["mean"] = -0.5
    (tmp_path / "p.jsonl").write_text(canonical_json(value) + "\n")
    with pytest.raises(DocumentError, match=r"p\.jsonl:1: contradiction: the mean -0\.5 lies outside"):
        read_prototypes(tmp_path / "p.jsonl")


def test_a_prototype_that_comes_twice_is_told(tmp_path: Path) -> None:
    found = prototypes_of(*repeated(0.8, "a"))
    with pytest.raises(DocumentError, match=r"p\.jsonl:2: two-places: p-\w+ came before"):
        read_prototypes(write_lines(tmp_path / "p.jsonl", [*found, *found]))
