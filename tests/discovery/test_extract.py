"""Extraction: annotations win over words, and every supporter turn between two seeker turns is one unit."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esc_skills.corpora.dialogue import Dialogue, Outcomes, Quality, TalkType, Utterance
from esc_skills.discovery.extract import extract_units
from esc_skills.discovery.units import Source, Span, Transition, Unit
from esc_skills.documents.schema import check_schema
from esc_skills.vocabulary import (
    Disposition,
    EmotionType,
    HiddenIntention,
    Language,
    ProblemType,
    Risk,
    Speaker,
    Stage,
    Strategy,
)
from tests.discovery.dialogues import PLAIN, dialogue, seeker, supporter

MERGED = (Strategy.PROVIDING_SUGGESTIONS, Strategy.INFORMATION)


def units_in(*utterances: Utterance, **fields: object) -> list[Unit]:
    return list(extract_units(dialogue(*utterances, **fields)))


def one_unit(*utterances: Utterance, **fields: object) -> Unit:
    (found,) = units_in(*utterances, **fields)
    return found


# --- Which turns are units ------------------------------------------------------------------------------------------------


def test_a_supporter_turn_between_two_seeker_turns_is_a_unit() -> None:
    found = one_unit(seeker("It broke."), supporter("Since when?"), seeker("Tuesday."))
    assert found.texts == ("It broke.", "Since when?", "Tuesday.")
    assert found.spans == (Span(0, 1), Span(1, 2), Span(2, 3))
    assert found.id == "one#1"


def test_what_opens_or_ends_a_dialogue_with_the_supporter_is_no_unit() -> None:
    found = one_unit(supporter("Hello."), seeker("It broke."), supporter("When?"), seeker("Now."), supporter("Oh."))
    assert found.spans == (Span(1, 2), Span(2, 3), Span(3, 4))


@pytest.mark.parametrize(
    "utterances",
    [[seeker()], [supporter()], [seeker(), supporter()], [supporter(), seeker()], [supporter(), seeker(), supporter()]],
)
def test_a_dialogue_without_such_a_turn_has_no_units(utterances: list[Utterance]) -> None:
    assert units_in(*utterances) == []


def test_messages_in_a_row_are_one_turn() -> None:
    found = one_unit(seeker("A."), seeker("B."), supporter("C."), supporter("D."), supporter("E."), seeker("F."))
    assert found.spans == (Span(0, 2), Span(2, 5), Span(5, 6))
    assert found.texts == ("A.\nB.", "C.\nD.\nE.", "F.")


_UTTERANCES = st.lists(
    st.builds(
        Utterance,
        st.sampled_from(Speaker),
        st.text(min_size=1, max_size=30),
        st.sampled_from([(), (Strategy.QUESTION,), MERGED]),
        st.sampled_from([None, 1, 3, 5]),
        st.none(),
        st.sampled_from([None, -10, 0, 4]),
        st.sampled_from([None, *TalkType]),
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=150)
@given(_UTTERANCES, st.sampled_from(Language))
def test_whatever_is_said_spans_point_at_it_and_units_keep_to_the_schema(
    said: list[Utterance], language: Language
) -> None:
    made = dialogue(*said, language=language)
    found = list(extract_units(made))
    runs = [speaker for speaker, _ in made.runs()]
    assert len(found) == runs[1:-1].count(Speaker.SUPPORTER)
    for each in found:
        first, second, third = each.spans
        assert first.end == second.start and second.end == third.start
        for span, speaker in zip(each.spans, (Speaker.SEEKER, Speaker.SUPPORTER, Speaker.SEEKER), strict=True):
            assert {said[at].speaker for at in range(span.start, span.end)} == {speaker}
        for beyond in (first.start - 1, third.end):
            assert not 0 <= beyond < len(said) or said[beyond].speaker is Speaker.SUPPORTER
        assert not list(check_schema(each.as_json(), "unit", "it"))
    assert found == list(extract_units(made))


# --- State and action -----------------------------------------------------------------------------------------------------


def test_what_is_annotated_wins_over_words() -> None:
    said = seeker("I am furious, what should I do about it, and how do I start?")
    found = one_unit(
        said,
        supporter("What happened then?", Strategy.SELF_DISCLOSURE),
        seeker(),
        problem_type=ProblemType.JOB_CRISIS,
        emotion_type=EmotionType.SHAME,
        disposition=Disposition.AVOIDANT,
        hidden_intention=HiddenIntention.NO_BLAME,
    )
    assert (found.before.problem_type, found.before.emotion_type) == (ProblemType.JOB_CRISIS, EmotionType.SHAME)
    assert (found.before.disposition, found.before.need) == (Disposition.AVOIDANT, HiddenIntention.NO_BLAME)
    assert found.action.strategies == (Strategy.SELF_DISCLOSURE,)
    assert found.action.annotated

    read = one_unit(said, supporter("What happened then?"), seeker())
    assert (read.before.problem_type, read.before.emotion_type) == (None, EmotionType.ANGER)
    assert read.before.need is HiddenIntention.PRACTICAL_ADVICE
    assert read.action.strategies == (Strategy.QUESTION,)
    assert not read.action.annotated


def test_a_turn_that_is_annotated_in_part_does_not_count_as_annotated() -> None:
    found = one_unit(seeker(), supporter("Why?", Strategy.QUESTION), supporter("I see."), seeker())
    assert found.action.strategies[0] is Strategy.QUESTION
    assert not found.action.annotated


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Maybe you could try to talk to him, how about a walk?", Strategy.PROVIDING_SUGGESTIONS),
        ("There are many people who have it, studies and research show it.", Strategy.INFORMATION),
    ],
)
def test_a_label_that_means_either_of_two_is_the_one_that_the_words_tell(said: str, meant: Strategy) -> None:
    for label in (MERGED, MERGED[::-1]):
        assert one_unit(seeker(), supporter(said, *label), seeker()).action.strategies == (meant,)


def test_a_label_that_means_either_of_two_never_becomes_a_third() -> None:
    found = one_unit(seeker(), supporter("What happened then?", *MERGED), seeker())
    assert found.action.strategies[0] in MERGED
    assert len(found.action.strategies) == 1


def test_a_turn_of_several_messages_has_the_strategies_of_each_once() -> None:
    found = one_unit(
        seeker(),
        supporter("Why?", Strategy.QUESTION),
        supporter("It is all right.", Strategy.AFFIRMATION_AND_REASSURANCE),
        supporter("And when?", Strategy.QUESTION),
        seeker(),
    )
    assert found.action.strategies == (Strategy.QUESTION, Strategy.AFFIRMATION_AND_REASSURANCE)


def test_the_state_after_knows_what_was_said_before() -> None:
    first, second = units_in(
        seeker("Nobody understands how much this hurts."), supporter(), seeker(), supporter(), seeker("I am furious.")
    )
    assert first.before.need is first.after.need is HiddenIntention.DEEP_EMPATHY
    assert first.after == second.before
    assert (second.before.emotion_type, second.after.emotion_type) == (EmotionType.PAIN, EmotionType.ANGER)
    assert (first.before.stage, second.after.stage) == (Stage.EXPLORATION, Stage.COMFORTING)


def test_a_risk_that_was_stated_stays_stated() -> None:
    danger = seeker("I want to end my life.")
    found = units_in(danger, *([supporter(), seeker()] * 600))
    assert {each.before.risk for each in found} == {Risk.ACTIVE}


# --- Outcomes -------------------------------------------------------------------------------------------------------------


def effects(*utterances: Utterance) -> list[tuple[float, Source]]:
    return [(each.effect, each.source) for each in units_in(*utterances)]


def test_a_rating_stands_for_the_turns_since_the_last_one() -> None:
    found = effects(
        seeker(), supporter(), seeker(), supporter(), seeker(feedback=5),
        supporter(), seeker(feedback=1), supporter(), seeker("Thanks, that helps."),
    )  # fmt: skip
    assert [source for _, source in found] == [Source.FEEDBACK] * 3 + [Source.READING]
    assert found[0][0] == found[1][0] > 0.5
    assert found[2][0] == -1.0


def test_what_stands_beside_the_supporters_words_is_of_these() -> None:
    rated = [replace(supporter(), feedback=rating) for rating in (5, 1)]
    said = dialogue(
        seeker(), rated[0], seeker(), rated[1], seeker(), supporter(), seeker(feedback=3), supporter(), seeker()
    )
    assert [each.effect for each in extract_units(said)][:3] == [0.55, -1.0, -0.45]
    changed = dialogue(seeker(), replace(supporter(), change=-5), seeker())
    assert [(each.effect, each.source) for each in extract_units(changed)] == [(-0.5, Source.CHANGE)]


def test_ratings_of_one_turn_are_averaged() -> None:
    both = effects(seeker(), supporter(), seeker(feedback=5), seeker(feedback=3))
    assert both == effects(seeker(), supporter(), seeker(feedback=4))


@pytest.mark.parametrize(("change", "effect"), [(10, 1.0), (5, 0.5), (0, 0.0), (-3, -0.3), (-10, -1.0)])
def test_an_emotion_change_is_the_effect(change: int, effect: float) -> None:
    assert effects(seeker(), supporter(), seeker(change=change)) == [(effect, Source.CHANGE)]


def test_changes_of_one_turn_add_up_within_bounds() -> None:
    assert effects(seeker(), supporter(), seeker(change=4), seeker(change=2)) == [(0.6, Source.CHANGE)]
    assert effects(seeker(), supporter(), seeker(change=9), seeker(change=9)) == [(1.0, Source.CHANGE)]


def test_talk_of_change_speaks_for_a_turn_and_talk_against_it_against() -> None:
    found = [effects(seeker(), supporter(), seeker(talk_type=each))[0] for each in TalkType]
    assert [source for _, source in found] == [Source.TALK_TYPE] * 3
    change, neutral, sustain = (effect for effect, _ in found)
    assert change > 0.5 and -0.25 < neutral < 0 and sustain == -1.0


def test_the_surest_source_is_taken_and_how_sure_it_is_told() -> None:
    told = {"change": -5, "feedback": 5, "talk_type": TalkType.CHANGE}
    found = []
    for name in (None, "change", "feedback", "talk_type"):
        told.pop(name or "", None)
        found.append(one_unit(seeker(), supporter(), seeker("Thank you, that helps.", **told)))
    assert [each.source for each in found] == [Source.CHANGE, Source.FEEDBACK, Source.TALK_TYPE, Source.READING]
    assert [each.confidence for each in found] == sorted((each.confidence for each in found), reverse=True)
    assert [each.is_key for each in found] == [True, True, True, False]


@pytest.mark.parametrize(
    ("reply", "language", "transition"),
    [
        ("Thank you, that helps. I feel better.", Language.ENGLISH, Transition.POSITIVE),
        ("You don't understand. It is pointless.", Language.ENGLISH, Transition.NEGATIVE),
        (PLAIN, Language.ENGLISH, Transition.NEUTRAL),
        ("谢谢你，我感觉好多了。", Language.CHINESE, Transition.POSITIVE),
        ("你根本不懂，说了也没用。", Language.CHINESE, Transition.NEGATIVE),
    ],
)
def test_where_nobody_says_the_reply_is_read(reply: str, language: Language, transition: Transition) -> None:
    found = one_unit(seeker(), supporter(), seeker(reply), language=language)
    assert (found.transition, found.source, found.is_key) == (transition, Source.READING, False)


@pytest.mark.parametrize(
    ("outcomes", "succeeded"),
    [
        (Outcomes(), None),
        (Outcomes(quality=Quality.GOOD), True),
        (Outcomes(quality=Quality.FAILED, initial_intensity=5, final_intensity=1), False),
        (Outcomes(final_emotion=70), True),
        (Outcomes(final_emotion=30), False),
        (Outcomes(final_emotion=50), None),
        (Outcomes(initial_intensity=4, final_intensity=2), True),
        (Outcomes(quality=Quality.GOOD, initial_intensity=4, final_intensity=4), False),
    ],
)
def test_a_unit_says_whether_its_whole_dialogue_went_well(outcomes: Outcomes, succeeded: bool | None) -> None:
    assert one_unit(seeker(), supporter(), seeker(), outcomes=outcomes).succeeded is succeeded


def test_key_units_come_from_dialogues_that_went_well_and_from_those_that_did_not() -> None:
    found = [
        one_unit(seeker(), supporter(), seeker(change=change), outcomes=Outcomes(quality=quality))
        for quality in Quality
        for change in (8, -8)
    ]
    assert {(each.transition, each.succeeded) for each in found if each.is_key} == {
        (way, whole) for way in (Transition.POSITIVE, Transition.NEGATIVE) for whole in (True, False)
    }


# --- Hostile sizes --------------------------------------------------------------------------------------------------------

#: Seconds that each of these takes many times less of; before, they took minutes.
_PATIENCE = 20


@pytest.mark.parametrize(
    "made",
    [
        dialogue(*([seeker("I feel sad, so sad."), supporter("Why is that?")] * 1500)),
        dialogue(seeker(), supporter("。a" * 40_000 + "好" * 100), seeker(), language=Language.CHINESE),
        dialogue(seeker(), supporter("! " * 40_000 + "so " * 5000), seeker('" ' * 50_000)),
    ],
    ids=["many turns", "marks in Chinese", "marks in English"],
)
def test_the_time_that_it_takes_grows_with_the_size_alone(made: Dialogue) -> None:
    begun = time.monotonic()
    assert list(extract_units(made))
    assert time.monotonic() - begun < _PATIENCE
