"""The seeker's state as it is heard from what the seeker says, and from nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esc_skills.surrogate.state import SeekerState, read_seeker_state
from esc_skills.vocabulary import Disposition, EmotionType, HiddenIntention, Language, Risk, Stage

PLAIN = "The boiler in the flat broke on Tuesday and the landlord came by with a new one."


def heard(*messages: str) -> SeekerState:
    return read_seeker_state(messages, Language.ENGLISH)


@pytest.mark.parametrize(
    ("said", "need"),
    [
        ("What should I do about the landlord, and how do I start?", HiddenIntention.PRACTICAL_ADVICE),
        ("Nobody understands how much this hurts.", HiddenIntention.DEEP_EMPATHY),
        ("I really tried so hard, and I wonder if any of it was any good.", HiddenIntention.SINCERE_PRAISE),
        ("I need to get it off my chest without somebody interrupting me.", HiddenIntention.BE_HEARD),
        ("I wish I could see both sides, the pros and cons of moving out.", HiddenIntention.BALANCED_ANALYSIS),
        ("Why would he do that, what was he thinking?", HiddenIntention.UNDERSTAND_OTHERS),
        ("They all blame me, and it was not my fault.", HiddenIntention.NO_BLAME),
    ],
)
def test_a_need_is_heard_in_the_words_that_hint_at_it(said: str, need: HiddenIntention) -> None:
    assert heard(said).need is need


@pytest.mark.parametrize(
    ("said", "emotion"),
    [
        ("I am furious with the landlord.", EmotionType.ANGER),
        ("I worry about the rent all night.", EmotionType.ANXIETY),
        ("I cried at the funeral, I miss him.", EmotionType.SADNESS),
        ("I am ashamed, everyone laughed at me.", EmotionType.SHAME),
    ],
)
def test_an_emotion_is_heard_by_its_words(said: str, emotion: EmotionType) -> None:
    assert heard(said).emotion_type is emotion


def test_words_that_tell_nothing_leave_the_state_open() -> None:
    state = heard(PLAIN)
    assert (state.emotion_type, state.need, state.disposition, state.risk) == (None, None, None, Risk.NONE)
    assert (state.emotion_intensity, state.needs) == (3, {})


@pytest.mark.parametrize(
    ("said", "disposition"),
    [
        (
            "Oh please, that is a load of nonsense, and you clearly did not read what I wrote to you.",
            Disposition.NEGATIVE,
        ),
        (
            "Haha, anyway, it's nothing dramatic, and others have it worse, so let's talk about you.",
            Disposition.AVOIDANT,
        ),
        ("I suppose so.", Disposition.PASSIVE),
        ("Yes, he did.", Disposition.PASSIVE),
    ],
)
def test_a_disposition_is_heard_in_the_manner(said: str, disposition: Disposition) -> None:
    assert heard(said).disposition is disposition


def test_what_was_said_last_weighs_more() -> None:
    advice, fault = "What should I wear?", "They all blame me for it."
    assert heard(advice, fault).need is HiddenIntention.NO_BLAME
    assert heard(fault, advice).need is HiddenIntention.PRACTICAL_ADVICE


def test_strong_words_raise_the_intensity_and_mild_ones_lower_it() -> None:
    strong = "It is awful, I am desperate, everything is ruined and I can't cope any more."
    mild = "It is a bit annoying sometimes, but mostly manageable, I suppose, and quite okay."
    assert heard(mild).emotion_intensity < heard(PLAIN).emotion_intensity < heard(strong).emotion_intensity
    assert heard(strong, PLAIN, PLAIN).emotion_intensity == 3


def test_stages_follow_one_another_and_action_waits_for_a_need() -> None:
    asks = "What should I do about it?"
    stages = [heard(*[asks] * count).stage for count in range(1, 7)]
    assert stages == [Stage.EXPLORATION] * 2 + [Stage.COMFORTING] * 2 + [Stage.ACTION] * 2
    assert heard(*[PLAIN] * 9).stage is Stage.COMFORTING


def test_risk_is_not_forgotten_when_the_talk_moves_on() -> None:
    assert heard("I have been thinking about suicide.", *[PLAIN] * 5).risk is Risk.ACTIVE
    assert heard(PLAIN, "I wish I was dead.").risk is Risk.PASSIVE
    assert heard("I wish I was dead.", "I have been thinking about suicide.").risk is Risk.ACTIVE


def test_chinese_is_read_too() -> None:
    state = read_seeker_state(["我很生气，我到底该怎么办？"], Language.CHINESE)
    assert state.emotion_type is EmotionType.ANGER
    assert state.need is HiddenIntention.PRACTICAL_ADVICE


words = st.sampled_from(
    [
        "what should I do",
        "my fault",
        "both sides",
        "nobody understands",
        "furious",
        "awful",
        "a bit",
        "haha",
        "the boiler",
    ]
)
messages = st.lists(st.lists(words, max_size=6).map(" ".join) | st.text(max_size=40), min_size=1, max_size=6)


@given(messages)
def test_whatever_is_said_the_state_keeps_its_bounds(said: list[str]) -> None:
    state = heard(*said)
    assert 1 <= state.emotion_intensity <= 5
    weights = list(state.needs.values())
    assert weights == sorted(weights, reverse=True)
    assert not weights or sum(weights) == pytest.approx(1)
    assert state.need == next(iter(state.needs), None)
    assert heard(*said) == state
