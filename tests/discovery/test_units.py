"""Intervention Units: what follows from their effect, and files of them that are read strictly."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from esc_skills.discovery.units import Transition, Unit, read_units
from esc_skills.documents.schema import check_schema
from esc_skills.errors import DocumentError
from esc_skills.vocabulary import HiddenIntention, Language, Risk
from tests.discovery.dialogues import unit, units_of, write_lines


@pytest.mark.parametrize(
    ("effect", "transition"),
    [
        (1.0, Transition.POSITIVE),
        (0.25, Transition.POSITIVE),
        (0.249, Transition.NEUTRAL),
        (-0.249, Transition.NEUTRAL),
        (-0.25, Transition.NEGATIVE),
    ],
)
def test_a_transition_follows_from_the_effect(effect: float, transition: Transition) -> None:
    assert unit(effect=effect).transition is transition


@pytest.mark.parametrize(
    ("effect", "confidence", "key"),
    [(0.5, 0.5, True), (-0.5, 1.0, True), (0.499, 1.0, False), (1.0, 0.2, False)],
)
def test_a_key_unit_is_a_clear_transition_that_somebody_stated(effect: float, confidence: float, key: bool) -> None:
    assert unit(effect=effect, confidence=confidence).is_key is key


def test_a_unit_is_named_after_its_dialogue_and_place() -> None:
    assert unit("warm/one", at=3).id == "warm/one#3"


def test_what_is_written_keeps_to_the_schema_and_is_read_again(tmp_path: Path) -> None:
    units = [
        unit("a", need=None, effect=-0.3, succeeded=False),
        unit("b", language=Language.CHINESE, texts=("锅炉坏了。\u2028", "等了很久吧？", "嗯\u200b"), succeeded=True),
        unit("c\n\x1b[31m", risk=Risk.ACTIVE, need=HiddenIntention.NO_BLAME),
    ]
    assert not [finding for each in units for finding in check_schema(each.as_json(), "unit", "it")]
    assert list(read_units([write_lines(tmp_path / "u.jsonl", units)])) == units


#: What a stranger may write into a unit, and what is said of it.
CROOKED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another id": (lambda value: value.update(id="two#1"), "id is two#1 and should be one#1"),
    "another transition": (lambda value: value.update(transition="negative"), "transition is negative and should be"),
    "no key": (lambda value: value.update(key=False), "key is False and should be True"),
    "spans backwards": (lambda value: value.update(spans=[[2, 3], [1, 2], [0, 1]]), "one after the other"),
    "spans apart": (lambda value: value.update(spans=[[0, 1], [1, 2], [7, 9]]), "one after the other"),
    "empty spans": (lambda value: value.update(spans=[[0, 1], [1, 1], [1, 2]]), "one after the other"),
    "spans beyond": (lambda value: value.update(spans=[[0, 1], [1, 2], [2, 10_001]]), "10001"),
    "a move of another kind": (lambda value: value["action"].update(move="prase"), "did you mean 'praise'?"),
    "a move that means all": (lambda value: value["action"].update(move="any"), "the move any is none that is known"),
    "a move with marks": (lambda value: value["action"].update(move="x'; --"), "move"),
    "many strategies": (lambda value: value["action"].update(strategies=["question"] * 10_000), "strategies"),
    "no strategy": (lambda value: value["action"].update(strategies=[]), "strategies"),
    "an effect beyond": (lambda value: value.update(effect=1.01), "effect"),
    "an effect in words": (lambda value: value.update(effect="0.8"), "effect"),
    "no confidence": (lambda value: value.update(confidence=0), "confidence"),
    "an unknown key": (lambda value: value.update(mood="low"), "mood"),
    "an intensity that is a truth": (lambda value: value["before"].update(emotion_intensity=True), "emotion_intensity"),
}


@pytest.mark.parametrize("what", CROOKED)
def test_a_line_that_departs_or_contradicts_itself_is_told_with_its_place(what: str, tmp_path: Path) -> None:
    bend, said = CROOKED[what]
    value = unit().as_json()
    bend(value)
    path = tmp_path / "u.jsonl"
    path.write_text(json.dumps(unit("zero").as_json()) + "\n\n" + json.dumps(value) + "\n")
    with pytest.raises(DocumentError) as told:
        list(read_units([path]))
    assert told.value.line == 3
    assert said in told.value.message


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"id": "one#1", "dialogue"', "u.jsonl:1: json-syntax"),
        ('{"effect": NaN}', "NaN is no JSON number"),
        ('{"effect": -Infinity}', "-Infinity is no JSON number"),
        ('{"id": 1, "id": 2}', "the key 'id' occurs twice"),
        ("[" * 100_000, "u.jsonl:1: json-value"),
        ('{"id": "\\ud800"}', "u.jsonl:1: json-value"),
        ('"' + "a" * 4_000_000 + '"', "u.jsonl:1: too-large"),
        ("", "u.jsonl: empty: holds no unit"),
        ("\n \n", "u.jsonl: empty: holds no unit"),
    ],
    ids=["cut", "NaN", "infinity", "twice", "deep", "half a character", "huge", "empty", "blank"],
)
def test_what_is_no_json_is_told_with_its_line(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "u.jsonl"
    path.write_text(line)
    with pytest.raises(DocumentError) as told:
        list(read_units([path]))
    assert said in told.value.message[: len(str(path)) + 400]
    assert len(told.value.message) < len(str(path)) + 400


def places(tmp_path: Path, *files: list[Unit]) -> list[Path]:
    return [write_lines(tmp_path / f"{at}.jsonl", units) for at, units in enumerate(files)]


def test_units_of_one_dialogue_in_two_places_are_told(tmp_path: Path) -> None:
    one, two = units_of("one", [0.1, 0.2]), units_of("two", [0.1])
    for files, place in (
        ([[*one, *two, *one]], "0.jsonl:4"),
        ([one, two, one], "2.jsonl:1"),
        ([two, two], "1.jsonl:1"),
    ):
        with pytest.raises(DocumentError, match=f"{place}: two-places: units of the dialogue"):
            list(read_units(places(tmp_path, *files)))


def test_dialogues_of_two_corpora_may_have_one_name(tmp_path: Path) -> None:
    files = places(tmp_path, units_of("one", [0.1]), units_of("one", [0.1], corpus="other"))
    assert len(list(read_units(files))) == 2
