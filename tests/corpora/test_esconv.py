from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from esc_skills.corpora.dialogue import Outcomes, Quality
from esc_skills.corpora.esconv import canonical_text, read_esconv
from esc_skills.errors import DocumentError
from esc_skills.vocabulary import EmotionType, Language, ProblemType, Speaker, Strategy
from tests.corpora.samples import esconv, write_list


def write(folder: Path, *dialogues: Any) -> Path:
    return write_list(folder / "ESConv.json", *dialogues)


def test_a_dialogue_is_read_as_esconv(tmp_path: Path) -> None:
    (dialogue,) = read_esconv(write(tmp_path, esconv()))
    assert (dialogue.id, dialogue.corpus, dialogue.language) == ("ESConv-1", "ESConv", Language.ENGLISH)
    assert (dialogue.problem_type, dialogue.emotion_type) == (ProblemType.JOB_CRISIS, EmotionType.ANGER)
    assert dialogue.outcomes == Outcomes(quality=Quality.GOOD, initial_intensity=4, final_intensity=2)
    assert [utterance.speaker for utterance in dialogue.utterances] == [
        Speaker.SEEKER,
        Speaker.SUPPORTER,
        Speaker.SUPPORTER,
        Speaker.SEEKER,
    ]
    assert dialogue.utterances[0].text == "They changed the rota.\n"
    assert dialogue.utterances[1].strategies == (Strategy.QUESTION,)
    assert dialogue.utterances[2].strategies == (Strategy.PROVIDING_SUGGESTIONS, Strategy.INFORMATION)
    assert dialogue.utterances[3].feedback == 4


def test_messages_in_a_row_are_one_turn(tmp_path: Path) -> None:
    (dialogue,) = read_esconv(write(tmp_path, esconv()))
    assert [(speaker, len(said)) for speaker, said in dialogue.runs()] == [
        (Speaker.SEEKER, 1),
        (Speaker.SUPPORTER, 2),
        (Speaker.SEEKER, 1),
    ]


def test_the_failed_form_has_other_roles_and_gaps(tmp_path: Path) -> None:
    failed = esconv("speaker", "listener")
    failed["survey_score"] = {"seeker": {"initial_emotion_intensity": "5", "empathy": "2"}, "supporter": {}}
    failed["dialog"][1]["annotation"]["strategy"] = "Direct Guidance"
    (dialogue,) = read_esconv(write(tmp_path, failed))
    assert dialogue.outcomes == Outcomes(quality=Quality.FAILED, initial_intensity=5, empathy=2)
    assert dialogue.utterances[1].strategies == (Strategy.PROVIDING_SUGGESTIONS,)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda value: value["dialog"][0].update(speaker="user"), "'user' should be one of seeker"),
        (lambda value: value["dialog"][0].update(speaker="speaker"), "of ESConv and of FailedESConv"),
        (lambda value: value.pop("situation"), "'situation' should be a text and is missing"),
        (lambda value: value.update(dialog=[]), "nobody says anything"),
        (lambda value: value.update(dialog=7), "'dialog' should be a list and is '7'"),
    ],
)
def test_another_form_is_refused_by_name(tmp_path: Path, change: Any, found: str) -> None:
    value = esconv()
    change(value)
    with pytest.raises(DocumentError, match="dialogue ESConv-2") as refused:
        read_esconv(write(tmp_path, esconv(), value))
    assert found in refused.value.message


def test_a_file_without_dialogues_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="no list of dialogues"):
        read_esconv(write(tmp_path))


@pytest.mark.parametrize(
    ("split", "original"),
    [
        ("I don ' t know , co - worker !", "I don't know, co-worker!"),
        ("Really ? !", "Really?!"),
        ('He said " go home " .', 'He said "go home".'),
        ("It’s  fine\n( now ) .", "It's fine (now)."),
    ],
)
def test_traces_of_tokenisation_are_removed(split: str, original: str) -> None:
    assert canonical_text(split) == original == canonical_text(original)
