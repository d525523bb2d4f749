"""A seeker's words given back: turned to the second person, one sentence of them, and nothing where little was said."""

from __future__ import annotations

import pytest

from esc_skills.surrogate.echo import content_words, echo_of, split_sentences, turn_to_second_person


@pytest.mark.parametrize(
    ("said", "turned"),
    [
        ("I'm tired of the noise", "you're tired of the noise"),
        ("I’m tired of the noise", "you're tired of the noise"),
        ("I've lost the keys", "you've lost the keys"),
        ("I'd rather stay, and I'll say so", "you'd rather stay, and you'll say so"),
        ("My landlord shouts at me", "your landlord shouts at you"),
        ("my boss's car stands in front of my door", "your boss's car stands in front of your door"),
        ("The mistake was mine", "The mistake was yours"),
        ("I blame myself", "you blame yourself"),
        ("I was late, and I am sorry", "you were late, and you are sorry"),
        ("I wasn't asked", "you weren't asked"),
        ("I always was the quiet one, and I still am", "you always were the quiet one, and you still are"),
        ("i was late and i'm sorry", "you were late and you're sorry"),
        ("My sister and I are not speaking", "your sister and you are not speaking"),
        ("Who am I to say", "Who are you to say"),
        ("Am I to blame for it", "are you to blame for it"),
        ("At 3 am the phone rings", "At 3 am the phone rings"),
        ("She was late, and he is angry", "She was late, and he is angry"),
        ("Imagine the summer in Miami", "Imagine the summer in Miami"),
    ],
)
def test_the_first_person_becomes_the_second(said: str, turned: str) -> None:
    assert turn_to_second_person(said) == turned


@pytest.mark.parametrize(
    ("said", "echo"),
    [
        ("I lost the flat keys on Monday.", "You lost the flat keys on Monday."),
        ("Hm. My flatmate threw out the plants! Why?", "Your flatmate threw out the plants."),
        ("“I can't believe my sister sold the house.”", "You can't believe your sister sold the house."),
        (
            'My boss calls it "a small matter" in every meeting.',
            'Your boss calls it "a small matter" in every meeting.',
        ),
        ("The weather was grey and cold in November. I missed my train to Leeds.", "You missed your train to Leeds."),
    ],
)
def test_the_sentence_that_says_most_of_the_seeker_is_given_back(said: str, echo: str) -> None:
    assert echo_of(said, 0) == echo


@pytest.mark.parametrize("said", ["", "…", "Yes.", "Hm. Okay.", "I am.", "It is what it is.", "So it goes on and on."])
def test_where_little_is_said_nothing_is_echoed(said: str) -> None:
    assert echo_of(said, 0) == ""


def test_questions_are_not_given_back() -> None:
    assert echo_of("Why did my landlord throw out the kitchen table?", 0) == ""
    assert echo_of("Why did my landlord do it? I bought the kitchen table myself.", 0) == (
        "You bought the kitchen table yourself."
    )


def test_the_lead_in_changes_with_the_turn_and_the_sentence_runs_on() -> None:
    echoes = [echo_of("My landlord sold the house.", turn) for turn in range(6)]
    assert echoes == [
        "Your landlord sold the house.",
        "So your landlord sold the house.",
        "Your landlord sold the house.",
        "What I hear is that your landlord sold the house.",
        "Your landlord sold the house.",
        "You mention that your landlord sold the house.",
    ]
    assert echo_of("My landlord sold the house.", 6) == echoes[0]


def test_a_long_sentence_is_cut_at_a_clause() -> None:
    said = (
        "My landlord rang about the broken boiler from the old days, and he said that the repair has to wait, but the "
        "invoice for all of it came to the neighbour on the ground floor in the end."
    )
    echo = echo_of(said, 0)
    assert (
        echo == "Your landlord rang about the broken boiler from the old days, and he said that the repair has to wait."
    )


def test_sentences_end_where_their_marks_do() -> None:
    assert split_sentences("One. Two!  Three … four?") == ("One.", "Two!", "Three …", "four?")
    assert split_sentences(" ") == ()


def test_words_of_content_are_stems_without_the_small_words() -> None:
    assert content_words("I worried about the boilers") == content_words("They are worrying about a boiler")
    assert content_words("and so it is") == frozenset()
