"""Transcripts: one record, read from our own lines and from SAGE's result files."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esc_skills.documents.jsonl import json_lines, parse_json
from esc_skills.documents.schema import check_schema
from esc_skills.errors import DocumentError, InputError
from esc_skills.transcript import (
    Transcript,
    Turn,
    band_of,
    read_sage_episode,
    read_transcripts,
    run_name,
    sage_episode,
    transcript_of,
)
from esc_skills.vocabulary import (
    INTENTION_LABELS,
    Arm,
    Disposition,
    HiddenIntention,
    ProblemType,
    Risk,
    Termination,
    intention_of_task,
)
from tests.samples import sage_line, transcript

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
emotions = st.integers(0, 100)
turns = st.builds(
    Turn,
    seeker=words,
    emotion=emotions,
    supporter=words | st.none(),
    change=st.integers(-10, 10) | st.none(),
    skill=st.sampled_from(["wait-a-little", None]),
    reason=words,
    appraisal=words,
    flags=st.lists(words, max_size=2).map(tuple),
    calls=st.lists(words, max_size=2).map(tuple),
)
transcripts = st.builds(
    Transcript,
    profile=words.filter(bool),
    disposition=st.sampled_from(Disposition),
    intention=st.sampled_from(HiddenIntention),
    turns=st.lists(turns, min_size=1, max_size=4).map(tuple),
    termination=st.sampled_from(Termination),
    final_emotion=emotions,
    supporter=words.filter(bool),
    seeker=words.filter(bool),
    problem_type=st.sampled_from(ProblemType) | st.none(),
    risk=st.sampled_from(Risk),
    arm=st.sampled_from(Arm),
    draw=st.integers(0, 10**6),
    seed=words,
    bank=words | st.none(),
    settings=st.dictionaries(words, words | st.integers(0, 9), max_size=2),
    usage=st.dictionaries(words, st.integers(0, 9), max_size=2),
)


@given(transcripts)
def test_a_transcript_comes_back_from_its_line_as_it_was(one: Transcript) -> None:
    (line,) = json_lines([one.as_json()]).split("\n")[:-1]
    assert transcript_of(parse_json(line, "run.jsonl"), "run.jsonl:1") == one


def test_a_line_keeps_its_schema() -> None:
    assert check_schema(transcript(40, 45).as_json(), "transcript", "f") == []


@pytest.mark.parametrize(
    ("emotion", "band"),
    [(100, "S"), (99, "A"), (70, "A"), (69, "B"), (40, "B"), (39, "C"), (10, "C"), (9, "F"), (0, "F")],
)
def test_bands_are_sages(emotion: int, band: str) -> None:
    assert band_of(emotion) == band


def test_a_run_is_named_after_the_supporter_in_sages_file_name() -> None:
    assert run_name(Path("x/deep_based_simulator__some-model-1.5_result.jsonl")) == "some-model-1.5"
    assert run_name(Path("x/my-run.jsonl")) == "my-run"


def test_each_sage_task_names_one_intention() -> None:
    for label, intention in INTENTION_LABELS.items():
        assert intention_of_task(f"你的目的是{label}。") is intention
    with pytest.raises(ValueError, match="none of SAGE's eight"):
        intention_of_task("")


def read_sage(line: str) -> Transcript:
    return read_sage_episode(json.loads(line), "a_simulator__model_result.jsonl", 1)


def test_a_sage_episode_is_read_with_changes_put_beside_the_answers_that_caused_them() -> None:
    one = read_sage(sage_line(40, 45, 38))
    assert [(turn.emotion, turn.change, turn.supporter, turn.appraisal) for turn in one.turns] == [
        (40, 5, "answer 0", "reading 1"),
        (45, -7, "answer 1", "reading 2"),
        (38, None, None, ""),
    ]
    assert (one.supporter, one.final_emotion) == ("model", 38)
    assert (one.disposition, one.intention) == (Disposition.PASSIVE, HiddenIntention.BE_HEARD)


@pytest.mark.parametrize(
    ("line", "termination"),
    [
        (sage_line(95, 100), Termination.SUCCESS),
        (sage_line(12, 4), Termination.FAILURE),
        (sage_line(40, 50), Termination.FAREWELL),
    ],
)
def test_a_sage_episode_ends_as_its_last_emotion_says(line: str, termination: Termination) -> None:
    assert read_sage(line).termination is termination


def test_a_sage_episode_whose_last_message_was_answered_ended_at_the_turn_limit() -> None:
    value = json.loads(sage_line(40, 50))
    value["history"].append({"role": "assistant", "content": "the last answer"})
    one = read_sage(json.dumps(value))
    assert one.termination is Termination.TURN_LIMIT
    assert (one.turns[-1].supporter, one.turns[-1].change) == ("the last answer", None)


walks = st.lists(st.integers(-10, 10), min_size=1, max_size=9)


@given(walks, st.booleans(), st.sampled_from(Disposition), st.sampled_from(HiddenIntention), words, words)
def test_an_episode_comes_back_from_sages_form(
    walk: list[int], answered: bool, disposition: Disposition, intention: HiddenIntention, said: str, read: str
) -> None:
    levels = [40]
    for change in walk:
        levels.append(max(0, min(100, levels[-1] + change)))
    known = [Turn(said, level, f"{said}!", after - level, appraisal=read) for level, after in pairwise(levels)]
    last = Turn("last", levels[-1], "answer" if answered else None)
    one = read_sage(sage_line(levels[-1]))
    one = replace(one, turns=(*known, last), disposition=disposition, intention=intention)
    ends = {True: Termination.TURN_LIMIT, False: Termination.FAREWELL}[answered]
    ends = Termination.SUCCESS if levels[-1] >= 100 else Termination.FAILURE if levels[-1] < 10 else ends
    assert read_sage(json.dumps(sage_episode(one))) == replace(one, termination=ends)


def test_a_fault_cannot_be_written_in_sages_form_which_would_score_it() -> None:
    with pytest.raises(InputError, match="fault-empty"):
        sage_episode(transcript(40, 45, termination=Termination.FAULT_EMPTY))


def broken(**changes: Any) -> dict[str, Any]:
    value = json.loads(sage_line(40, 45))
    for path, new in changes.items():
        *steps, last = (int(step) if step.isdecimal() else step for step in path.split("__"))
        at = value
        for step in steps:
            at = at[step]
        at["emotion-point" if last == "emotion_point" else last] = new
    return value


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(broken(history=[]), id="no message"),
        pytest.param(broken(history="words"), id="a history of text"),
        pytest.param(broken(history=[5]), id="a message that is a number"),
        pytest.param(broken(history__0__role="assistant"), id="a supporter who begins"),
        pytest.param(broken(history__1__role="user"), id="a seeker twice in a row"),
        pytest.param(broken(history__0__emotion_point="40"), id="an emotion in quotes"),
        pytest.param(broken(history__0__emotion_point=True), id="an emotion that is true"),
        pytest.param(broken(history__2__planning={}), id="no change"),
        pytest.param(broken(history__2__planning={"change": 1.5}), id="half a change"),
        pytest.param(broken(history__0__content=None), id="a seeker who says nothing"),
        pytest.param(broken(history__1__content=["a"]), id="an answer that is a list"),
        pytest.param(broken(history__2__planning__analyse=5), id="a reading that is a number"),
        pytest.param(broken(scene=5), id="a background that is a number"),
        pytest.param(broken(emo_point=45.0), id="a final emotion that is a float"),
        pytest.param(broken(emo_point=400), id="a final emotion above 100"),
        pytest.param(broken(history__2__emotion_point=-1), id="an emotion below 0"),
        pytest.param(broken(character="乐观型"), id="a disposition that is none"),
        pytest.param(broken(character=["被动型"]), id="a disposition in a list"),
        pytest.param(broken(task=["倾听"]), id="a task in a list"),
        pytest.param(broken(id=["one"]), id="an id that is a list"),
    ],
)
def test_a_sage_line_of_another_form_is_refused_with_its_number(value: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text(sage_line(40, 45) + "\n" + json.dumps(value) + "\n", encoding="utf-8")
    with pytest.raises(DocumentError) as caught:
        read_transcripts(path)
    assert (caught.value.line, caught.value.code) == (2, "sage-episode")


def test_a_file_may_hold_both_forms_and_a_line_separator_inside_a_text(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    ours = transcript(40, 45, turns=(Turn("one\u2028two", 40),))
    path.write_text(json_lines([ours.as_json()]) + sage_line(40, 45) + "\n", encoding="utf-8")
    assert [each.seeker for each in read_transcripts(path)] == ["scripted", "sage"]
    assert read_transcripts(path)[0] == ours


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("[]", "run.jsonl:1: schema-type"),
        ('{"format": "other"}', "run.jsonl:1: schema-"),
        ("{", "run.jsonl:1: json-syntax"),
        ('{"a": NaN}', "run.jsonl:1: json-value: NaN"),
        ("", "run.jsonl: empty: holds no episode"),
    ],
)
def test_a_line_that_is_no_transcript_is_refused(line: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "run.jsonl").write_text(line)
    with pytest.raises(InputError) as caught:
        read_transcripts(tmp_path / "run.jsonl")
    assert words in str(caught.value)


def test_an_emotion_written_as_a_float_is_refused() -> None:
    with pytest.raises(InputError, match=r"45\.0 should be of type integer \(/final_emotion\)"):
        transcript_of({**transcript(40, 45).as_json(), "final_emotion": 45.0}, "f")
