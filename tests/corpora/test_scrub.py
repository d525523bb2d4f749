"""Personal data becomes placeholders, other words stay, and no text takes longer than its length asks."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esc_skills.corpora.dialogue import Dialogue, Utterance
from esc_skills.corpora.scrub import Kind, Scrubber, read_names
from esc_skills.errors import InputError
from esc_skills.vocabulary import Language, Speaker


def dialogue(*texts: str, situation: str = "") -> Dialogue:
    said = tuple(
        Utterance(Speaker.SUPPORTER if at % 2 else Speaker.SEEKER, text, feedback=3) for at, text in enumerate(texts)
    )
    return Dialogue("made-up", "made-up", Language.ENGLISH, said, situation)


def scrubbed(*texts: str, names: tuple[str, ...] = ()) -> list[str]:
    return [each.text for each in Scrubber(names).scrub(dialogue(*texts)).dialogue.utterances]


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("My name is Ondrine.", "My name is [NAME]."),
        ("MY NAME IS ONDRINE", "MY NAME IS [NAME]"),
        ("my name is ondrine", "my name is [NAME]"),
        ("I'm Ondrine Vell, hi", "I'm [NAME], hi"),
        ("Ask Dr. Vell or Mrs Vell.", "Ask Dr. [NAME] or Mrs [NAME]."),
        ("My best friend Ondrine left", "My best friend [NAME] left"),
        ("It is Sarah's dog.", "It is [NAME]'s dog."),
        ("Mail o.vell@example.org!", "Mail [EMAIL]!"),
        ("o.vell at example dot com", "[EMAIL]"),
        ("o.vell (at) example (dot) com", "[EMAIL]"),
        ("O_VELL AT EXAMPLE DOT COM", "[EMAIL]"),
        ("Ring 555-014-2233 555-014-2244", "Ring [PHONE] [PHONE]"),
        ("My SSN is 078-05-1120 555-014-2233", "My SSN is [ID] [PHONE]"),
        ("13800001111 13900001111", "[PHONE] [PHONE]"),
        ("Ring 555-014-2233 or +1 555 014 2233", "Ring [PHONE] or [PHONE]"),
        ("I live at 12 Elm Street, Apt 4.", "I live at [ADDRESS]."),
        ("My student number is S1234567.", "My student number is [ID]."),
        ("insta: ondrine_v, or @ondrine.v", "insta: [ID], or [ID]"),
        ("See https://example.org/a?b=c and www.example.com", "See [LINK] and [LINK]"),
        ("我叫王小雨，电话13800001111。", "我叫[NAME]，电话[PHONE]。"),
        ("李老师和小张都知道", "[NAME]老师和小[NAME]都知道"),
        ("我住在杭州市文一路12号3楼", "我住在[ADDRESS]"),
        ("身份证110101199001011234，微信xiaoyu_88", "身份证[ID]，微信[ID]"),
    ],
)
def test_personal_data_becomes_a_placeholder_of_its_kind(text: str, clean: str) -> None:
    assert scrubbed(text, "Hm.")[0] == clean


@pytest.mark.parametrize(
    "text",
    [
        "I'm Exhausted, I'm Catholic, I'm doing Fine.",
        "Call me crazy. Call me later. My name is not important.",
        "From 2019 - 2020, on 2020-03-01, 1,000,000 times, 3.5 or 10-15 of 100.",
        "Hi There, Thanks So much, Hello Friend!",
        "Will you hope that grace may mark it?",
        "谢谢老师，周围同学说我是一个好人，我叫他别来。",
        "[NAME] and [EMAIL], my name is [NAME].",
    ],
)
def test_other_words_stay(text: str) -> None:
    assert scrubbed(text, "Hm.")[0] == text


def test_a_name_that_is_introduced_is_replaced_everywhere_in_its_dialogue_alone() -> None:
    said = ("hello, Ondrine.", "my name is Ondrine Vell", "ONDRINE, why? The Vells?", "Vell it is")
    assert scrubbed(*said) == ["hello, [NAME].", "my name is [NAME]", "[NAME], why? The Vells?", "[NAME] it is"]
    assert scrubbed("Then Ondrine left.", "Oh.") == ["Then Ondrine left.", "Oh."]


def test_names_of_a_team_are_replaced_whatever_their_case(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_text("Ondrine\n\nvan der Vell\n雨晴\n", encoding="utf-8")
    found = scrubbed("then ONDRINE met Van Der Vell and 雨晴了", "Ondrinel?", names=read_names(path))
    assert found == ["then [NAME] met [NAME] and [NAME]了", "Ondrinel?"]
    path.write_text("\n")
    with pytest.raises(InputError, match="holds 0 names"):
        read_names(path)


def test_the_situation_is_scrubbed_and_all_else_kept() -> None:
    before = dialogue("My name is Ondrine.", "Hi Ondrine.", situation="Ondrine lost a boat.")
    result = Scrubber().scrub(before)
    assert result.dialogue.situation == "[NAME] lost a boat."
    assert result.counts == {Kind.NAME: 3}
    assert [each.feedback for each in result.dialogue.utterances] == [3, 3]
    assert (result.dialogue.id, result.dialogue.corpus) == (before.id, before.corpus)


@given(st.text(st.sampled_from("aA1 @.-'王老师路号我叫小[NAME]:/\n+("), max_size=40))
def test_scrubbing_twice_changes_nothing_more(text: str) -> None:
    once = scrubbed("My name is Zed. " + text, "Hm.")
    assert scrubbed(*once) == once


HOSTILE = [
    "a",
    "A ",
    "Ab ",
    "1-",
    "1 ",
    "a@",
    "a.",
    "@",
    "路1号",
    "王老师",
    "小王",
    "Sarah ",
    "my name is ",
    "12 Ab ",
    "a at b dot ",
    "555-014-2233 ",
    "1234567 ",
]


def test_a_text_made_to_be_slow_is_not() -> None:
    scrubber = Scrubber(["Zed"])
    for unit in HOSTILE:
        begun = time.process_time()
        scrubber.scrub(dialogue("My name is Zed. " + unit * (20_000 // len(unit)), "Hm."))
        assert time.process_time() - begun < 1, unit
