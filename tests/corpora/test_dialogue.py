"""A dialogue is the same after it was written as a line and read again."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from esc_skills.corpora.dialogue import Dialogue, Outcomes, Quality, TalkType, Utterance, dialogue_of
from esc_skills.corpora.dialogue_files import line_of, read_dialogues
from esc_skills.vocabulary import Disposition, EmotionType, HiddenIntention, Language, ProblemType, Speaker, Strategy

ratings = st.none() | st.integers(1, 5)
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
utterances = st.builds(
    Utterance,
    speaker=st.sampled_from(Speaker),
    text=texts,
    strategies=st.lists(st.sampled_from(Strategy), unique=True, max_size=3).map(tuple),
    feedback=ratings,
    emotion=st.none() | st.integers(0, 100),
    change=st.none() | st.integers(-10, 10),
    talk_type=st.none() | st.sampled_from(TalkType),
)
dialogues = st.builds(
    Dialogue,
    id=texts,
    corpus=texts,
    language=st.sampled_from(Language),
    utterances=st.lists(utterances, min_size=1, max_size=4).map(tuple),
    situation=st.just("") | texts,
    problem_type=st.none() | st.sampled_from(ProblemType),
    emotion_type=st.none() | st.sampled_from(EmotionType),
    disposition=st.none() | st.sampled_from(Disposition),
    hidden_intention=st.none() | st.sampled_from(HiddenIntention),
    outcomes=st.builds(
        Outcomes,
        quality=st.none() | st.sampled_from(Quality),
        initial_intensity=ratings,
        final_intensity=ratings,
        empathy=ratings,
        relevance=ratings,
        final_emotion=st.none() | st.integers(0, 100),
    ),
)


@given(dialogues)
def test_a_dialogue_comes_back_from_its_json(dialogue: Dialogue) -> None:
    assert dialogue_of(dialogue.as_json()) == dialogue


@given(st.lists(dialogues, min_size=1, max_size=3))
def test_dialogues_come_back_from_their_file(some: list[Dialogue]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.jsonl")
        path.write_bytes(b"".join(map(line_of, some)))
        assert list(read_dialogues(path)) == some
