"""Contexts end with a seeker turn that was answered, one of a dialogue, drawn by nobody's choice."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace

import pytest

from esc_skills.corpora.dialogue import Utterance
from esc_skills.errors import InputError
from esc_skills.simulation.responses.contexts import draw_contexts
from esc_skills.vocabulary import Language, Risk, Strategy
from tests.simulation.responses.talks import (
    ANSWERED,
    ENGLISH,
    SAID,
    SEEKER,
    STRATEGIES,
    SUPPORTER,
    context_of,
    dialogue,
    dialogues,
)


def test_a_context_holds_what_was_said_before_and_what_the_corpus_answered() -> None:
    for context in draw_contexts(dialogues(12), 12, 0, ENGLISH).contexts:
        at = context.turn
        assert context.said == SAID[:at]
        assert [turn.supporter for turn in context.turns] == [*ANSWERED[: at - 1], None]
        assert (context.reply, context.strategies) == (ANSWERED[at - 1], {STRATEGIES[at - 1]})
        assert (context.messages, context.risk) == (2 * at - 1, Risk.NONE)


def test_messages_in_a_row_are_one_turn_with_all_its_strategies_and_a_greeting_before_it_is_left_out() -> None:
    talk = replace(
        dialogue("one"),
        utterances=(
            Utterance(SUPPORTER, "Hello !", (Strategy.OTHERS,)),
            Utterance(SEEKER, "I ' m tired."),
            Utterance(SEEKER, "So tired."),
            Utterance(SUPPORTER, "That sounds hard.", (Strategy.REFLECTION_OF_FEELINGS,)),
            Utterance(SUPPORTER, "Since when?", (Strategy.QUESTION,)),
        ),
    )
    (context,) = draw_contexts([talk], 5, 0, ENGLISH).contexts
    assert (context.said, context.turns[0].supporter) == (("I'm tired. So tired.",), None)
    assert (context.reply, context.messages) == ("That sounds hard. Since when?", 3)
    assert context.strategies == {Strategy.REFLECTION_OF_FEELINGS, Strategy.QUESTION}


def test_the_order_of_the_file_has_no_bearing_and_more_contexts_hold_the_fewer() -> None:
    talks = dialogues(30)
    drawn = draw_contexts(talks, 10, 0, ENGLISH).contexts
    assert draw_contexts(talks[::-1], 10, 0, ENGLISH).contexts == drawn
    assert draw_contexts(talks, 20, 0, ENGLISH).contexts[:10] == drawn
    assert len({each.dialogue for each in drawn}) == 10
    assert draw_contexts(talks, 10, 1, ENGLISH).contexts != drawn


def test_every_turn_of_a_dialogue_is_drawn_from_about_as_often() -> None:
    turns = Counter(each.turn for each in draw_contexts(dialogues(600), 600, 0, ENGLISH).contexts)
    assert set(turns) == {1, 2, 3}
    assert all(160 <= count <= 240 for count in turns.values())


def test_risk_that_was_stated_earlier_is_the_contexts() -> None:
    context = context_of("Some days I want to kill myself.", "The rota was changed again.")
    assert (context.turn, context.risk) == (2, Risk.ACTIVE)


def test_the_longest_dialogue_takes_seconds() -> None:
    said = "The rota was changed again and nobody asked me. " * 8
    messages = tuple(Utterance(SUPPORTER if at % 2 else SEEKER, f"{said}{at}") for at in range(10_000))
    begun = time.process_time()
    assert draw_contexts([replace(dialogue("long"), utterances=messages)], 1, 0, ENGLISH).contexts
    assert time.process_time() - begun < 5


def test_what_cannot_be_drawn_from_is_counted() -> None:
    talks = [
        dialogue("one"),
        dialogue("other", language=Language.CHINESE),
        replace(dialogue("alone"), utterances=(Utterance(SEEKER, "Is anybody there?"),)),
    ]
    drawn = draw_contexts(talks, 9, 0, ENGLISH)
    assert (len(drawn.contexts), drawn.dialogues, drawn.unanswered, drawn.foreign) == (1, 3, 1, 1)


def test_dialogues_without_any_context_or_given_twice_are_refused() -> None:
    with pytest.raises(InputError, match="no context can be drawn from 1 dialogues"):
        draw_contexts([dialogue("one", language=Language.CHINESE)], 9, 0, ENGLISH)
    with pytest.raises(InputError, match="no context can be drawn from 0 dialogues"):
        draw_contexts([], 9, 0, ENGLISH)
    with pytest.raises(InputError, match="two dialogues are named 'ours/one'"):
        draw_contexts([dialogue("one"), dialogue("two"), dialogue("one")], 9, 0, ENGLISH)
