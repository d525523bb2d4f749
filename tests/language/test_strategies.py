"""The offline annotator of strategies, and what moves and replies are read from."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esc_skills.corpora.dialogue import Dialogue
from esc_skills.errors import DocumentError, InputError
from esc_skills.language.moves import MOVES, PLAIN, read_move
from esc_skills.language.reception import read_reply
from esc_skills.language.strategies import (
    Message,
    StrategyModel,
    annotate_strategies,
    choose_strategy,
    load_strategy_model,
    strategy_features,
)
from esc_skills.surrogate.annotating import fit_annotator, macro_f1, measure_annotator, supporter_messages
from esc_skills.vocabulary import Language, Strategy
from tests.discovery.dialogues import dialogue, seeker, supporter

MERGED = (Strategy.PROVIDING_SUGGESTIONS, Strategy.INFORMATION)
HEARD = {Language.ENGLISH: "I asked him twice and he said no.", Language.CHINESE: "我问了他两次，他都拒绝了我。"}


def message(text: str, language: Language = Language.ENGLISH, position: int = 5) -> Message:
    return Message(text, HEARD[language], position, language)


CLEAR = [
    (Strategy.QUESTION, "What happened at work, and how long has it been going on?"),
    (Strategy.RESTATEMENT_OR_PARAPHRASING, "So you mentioned that you asked him twice, and he said no, is that right?"),
    (Strategy.REFLECTION_OF_FEELINGS, "It sounds like you are feeling overwhelmed."),
    (Strategy.SELF_DISCLOSURE, "When I was a student I had the same, and I felt lost in my first year."),
    (Strategy.AFFIRMATION_AND_REASSURANCE, "You are doing a great job, and I'm sure it will get better."),
    (Strategy.PROVIDING_SUGGESTIONS, "Maybe you could try to talk to him, or write a list."),
    (Strategy.OTHERS, "Hello! Thank you for chatting. Have a good day, bye!"),
]
CLEAR_CHINESE = [
    (Strategy.QUESTION, "发生了什么，持续多久了？"),
    (Strategy.RESTATEMENT_OR_PARAPHRASING, "所以你是说，他拒绝了你两次，对吗？"),
    (Strategy.REFLECTION_OF_FEELINGS, "听起来你很难过。"),
    (Strategy.SELF_DISCLOSURE, "我以前也是这样，当时我也很迷茫。"),
    (Strategy.AFFIRMATION_AND_REASSURANCE, "别担心，你不是一个人，你做得对。"),
    (Strategy.PROVIDING_SUGGESTIONS, "你可以试试和他谈谈，或者写下来。"),
    (Strategy.OTHERS, "你好，谢谢你，再见！"),
]
ASKS = (
    "What happened at work today, and how long has it been going on for you and your team? Who was there when he said it, "
    "and what did you do then? How do you feel about it now, and do you talk to anybody about it?"
)
TELLS = (
    "When I was a student I had the same. I felt lost in my first year, and my own mother was ill. I had to work nights, "
    "and I was tired. I remember it well. I went home and I cried."
)


@pytest.mark.parametrize(("strategy", "text"), CLEAR)
def test_a_clear_message_is_of_its_strategy_alone(strategy: Strategy, text: str) -> None:
    assert annotate_strategies(message(text)) == (strategy,)


@pytest.mark.parametrize(("strategy", "text"), CLEAR_CHINESE)
def test_so_is_one_in_chinese(strategy: Strategy, text: str) -> None:
    assert annotate_strategies(message(text, Language.CHINESE)) == (strategy,)


def test_a_long_message_may_be_of_several_strategies_the_likeliest_first() -> None:
    mixed = Message(f"{ASKS} {ASKS} {TELLS}", "", 5, Language.ENGLISH)
    assert annotate_strategies(mixed) == (Strategy.QUESTION, Strategy.SELF_DISCLOSURE)
    assert annotate_strategies(message(ASKS)) == (Strategy.QUESTION,)


@settings(max_examples=80)
@given(st.text(max_size=300), st.sampled_from(Language), st.integers(0, 10_000))
def test_whatever_is_said_is_of_some_strategies_each_once(text: str, language: Language, position: int) -> None:
    said = message(text, language, position)
    found = annotate_strategies(said)
    assert 1 <= len(found) == len(set(found)) <= 4
    features = strategy_features(said)
    assert all(0 <= value <= 1 for value in features.values())
    assert list(features) == list(load_strategy_model().features)
    assert sum(load_strategy_model().probabilities(features)) == pytest.approx(1)


@pytest.mark.parametrize(("strategy", "text"), CLEAR)
def test_a_label_that_means_any_of_several_is_the_likeliest_whatever_their_order(strategy: Strategy, text: str) -> None:
    assert choose_strategy(message(text), list(Strategy)) is strategy
    assert choose_strategy(message(text), list(Strategy)[::-1]) is strategy
    assert choose_strategy(message(text), [Strategy.INFORMATION]) is Strategy.INFORMATION


# --- Fitting and measuring ------------------------------------------------------------------------------------------------

_OTHER_WORDS = (
    (Strategy.QUESTION, "How did he take it?"),
    (Strategy.RESTATEMENT_OR_PARAPHRASING, "So you asked him twice, you said, and he said no."),
    (Strategy.REFLECTION_OF_FEELINGS, "You seem sad, that must be so hard."),
    (Strategy.SELF_DISCLOSURE, "I had that too, when my own boss was new."),
    (Strategy.AFFIRMATION_AND_REASSURANCE, "You did the right thing, don't worry."),
    (Strategy.INFORMATION, "There are many people who do, often for years."),
    (Strategy.OTHERS, "Hello, good evening!"),
)


def labelled(*pairs: tuple[Strategy, str], merged: bool = False) -> list[Dialogue]:
    """A dialogue for each message; a merged label stands for suggestions and for information."""
    return [
        dialogue(
            *(supporter("Hello."), seeker("It broke.")) * 2,
            seeker(HEARD[Language.ENGLISH]),
            supporter(text, *(MERGED if merged and strategy in MERGED else (strategy,))),
            name=str(at),
        )
        for at, (strategy, text) in enumerate(pairs)
    ]


SMALL = labelled(*CLEAR, *_OTHER_WORDS)


@pytest.fixture(scope="module")
def fitted() -> StrategyModel:
    return fit_annotator(SMALL, "made up")


def test_a_fit_is_the_same_each_time_and_agrees_with_its_labels(fitted: StrategyModel) -> None:
    assert fit_annotator(SMALL, "made up").as_json() == fitted.as_json()
    assert macro_f1(measure_annotator(SMALL, fitted)) > 0.9


def test_labels_of_either_kind_fit_the_same_model(fitted: StrategyModel) -> None:
    assert fit_annotator(labelled(*CLEAR, *_OTHER_WORDS, merged=True), "made up") == fitted


@pytest.mark.parametrize("missing", [strategy for strategy, _ in CLEAR if strategy not in MERGED])
def test_a_fit_needs_every_class(missing: Strategy) -> None:
    others = [pair for pair in CLEAR if pair[0] is not missing]
    with pytest.raises(InputError, match=f"no message is labelled {missing}$"):
        fit_annotator(labelled(*others), "made up")
    torn = dialogue(seeker(), supporter("Why?", missing, Strategy.PROVIDING_SUGGESTIONS))
    with pytest.raises(InputError, match=str(missing)):
        fit_annotator([*labelled(*others), torn], "made up")


def test_without_any_label_all_classes_are_missed() -> None:
    with pytest.raises(InputError, match="question, restatement"):
        fit_annotator([dialogue(seeker(), supporter())], "made up")


def test_a_merged_label_agrees_with_either_of_its_strategies() -> None:
    advice, fact = (
        "Maybe you could try to talk to him, or write a list.",
        "Maybe you could, there are, there is: a lot.",
    )
    assert [annotate_strategies(message(each)) for each in (advice, fact)] == [(each,) for each in MERGED]
    (found,) = measure_annotator(labelled((MERGED[0], advice), (MERGED[1], fact), merged=True))
    assert (found.strategies, found.labelled, found.annotated, found.agreed) == (MERGED, 2, 2, 2)
    apart = measure_annotator(labelled((MERGED[0], advice), (MERGED[0], fact)))
    assert [(each.labelled, each.annotated, each.agreed) for each in apart] == [(2, 1, 1)]


def test_what_has_no_label_is_not_measured() -> None:
    found = measure_annotator([*labelled(CLEAR[0]), dialogue(seeker(), supporter("What is it?"))])
    assert [(each.labelled, each.annotated) for each in found] == [(1, 1)]


def test_precision_recall_and_f1_are_of_the_likeliest_strategy() -> None:
    wrong = (Strategy.OTHERS, CLEAR[0][1])
    by_kind = {each.strategies[0]: each for each in measure_annotator(labelled(*CLEAR, wrong))}
    question, others = by_kind[Strategy.QUESTION], by_kind[Strategy.OTHERS]
    assert (question.precision, question.recall, question.f1) == (0.5, 1.0, pytest.approx(2 / 3))
    assert (others.precision, others.recall) == (1.0, 0.5)


def test_a_message_knows_its_place_and_what_was_heard() -> None:
    made = dialogue(supporter("Hello ."), seeker("It broke ."), supporter("When ?"), supporter("Tell me."))
    messages = [each for each, _ in supporter_messages(made)]
    assert [(each.text, each.heard, each.position) for each in messages] == [
        ("Hello.", "", 0),
        ("When?", "It broke.", 2),
        ("Tell me.", "It broke.", 3),
    ]


def test_a_model_is_read_as_it_was_written(fitted: StrategyModel, tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text(fitted.as_json())
    assert load_strategy_model(tmp_path / "model.json") == fitted


@pytest.mark.parametrize(
    "bent",
    [
        "",
        "[]",
        "{}",
        '{"format": 1}',
        json.dumps({"format": "esc-skills/annotator/1", "classes": []}),
        load_strategy_model().as_json().replace("[", "[1, ", 1),
        load_strategy_model().as_json().replace('"intercepts": [', '"intercepts": [1,', 1),
        load_strategy_model().as_json().replace('"fitted_on"', '"fitted"', 1),
    ],
)
def test_what_is_no_model_is_told(tmp_path: Path, bent: str) -> None:
    (tmp_path / "model.json").write_text(bent)
    with pytest.raises(DocumentError, match=r"model\.json: annotator: is no fitted annotator"):
        load_strategy_model(tmp_path / "model.json")


# --- Moves and replies ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("move", "text", "language"),
    [
        ("concrete-step", "Just one small step tonight.", Language.ENGLISH),
        ("praise", "Well done, that is impressive.", Language.ENGLISH),
        ("normalising", "It is only human, and understandable.", Language.ENGLISH),
        (PLAIN, "On Tuesday, by bus.", Language.ENGLISH),
        ("praise", "你真勇敢，做得很好。", Language.CHINESE),
        ("self-disclosure", "我以前也是这样。", Language.CHINESE),
        (PLAIN, "星期二，坐公交车。", Language.CHINESE),
    ],
)
def test_a_move_is_told_by_the_cues_that_a_turn_holds_most_of(move: str, text: str, language: Language) -> None:
    assert read_move(text, language) == move


@given(st.text(max_size=200), st.sampled_from(Language))
def test_whatever_is_said_is_a_known_move(text: str, language: Language) -> None:
    assert read_move(text, language) in (*MOVES, PLAIN)


def test_of_two_moves_that_a_turn_holds_as_much_of_the_more_telling_one_is_it() -> None:
    assert read_move("I told you so: it is your fault. Tell me more.", Language.ENGLISH) == "blame"
    assert read_move("It is your responsibility, I understand.", Language.ENGLISH) == "blame"


def test_who_says_whose_fault_it_is_not_does_not_blame() -> None:
    assert read_move("It is not your fault.", Language.ENGLISH) == "no-fault"
    assert read_move("It was your fault.", Language.ENGLISH) == "blame"
    assert read_move("这不是你的责任。", Language.CHINESE) == "no-fault"


def test_a_reply_speaks_the_louder_the_more_it_says() -> None:
    said = [
        "It is pointless, you don't understand.",
        "It is pointless.",
        "On Tuesday.",
        "Thanks.",
        "Thanks, that helps.",
    ]
    assert all(worse < better for worse, better in pairwise(read_reply(each, Language.ENGLISH) for each in said))
    assert read_reply("On Tuesday.", Language.ENGLISH) == 0


@given(st.text(max_size=200), st.sampled_from(Language))
def test_a_reply_speaks_within_bounds(text: str, language: Language) -> None:
    assert -1 < read_reply(text, language) < 1
