from __future__ import annotations

from pathlib import Path

import pytest

from esc_skills.errors import DocumentError, InputError
from esc_skills.language.cues import build_lexicon, load_cues, load_lexicon
from esc_skills.language.wording import detect_language, stem
from esc_skills.vocabulary import Language


def test_both_languages_have_the_same_categories() -> None:
    english, chinese = load_cues(Language.ENGLISH), load_cues(Language.CHINESE)
    assert english.lexicon.categories == chinese.lexicon.categories


def test_inflected_words_match_in_any_inflection() -> None:
    lexicon = build_lexicon({"group": {"worry": ["worry"]}}, inflected=True)
    assert lexicon.count("She worries, he worried; I am worrying.") == {"group": {"worry": 3}}


def test_words_match_at_word_boundaries_alone() -> None:
    lexicon = build_lexicon({"group": {"rage": ["rage"]}}, inflected=False)
    assert lexicon.count("The garage is outrageous.") == {"group": {}}


def test_an_asterisk_takes_any_ending() -> None:
    lexicon = build_lexicon({"group": {"anger": ["frustrat*", "fed up"]}}, inflected=False)
    assert lexicon.count("Frustrating! I’m frustrated and FED UP.") == {"group": {"anger": 3}}


def test_the_longest_phrase_wins_and_matches_do_not_overlap() -> None:
    lexicon = build_lexicon({"group": {"glad": ["glad", "so glad", "很高兴", "高兴"]}}, inflected=True)
    assert lexicon.count("I am so glad. 很高兴。") == {"group": {"glad": 2}}


def test_a_phrase_may_be_one_character() -> None:
    lexicon = build_lexicon({"group": {"fear": ["吓", "惊吓", "怕"]}}, inflected=False)
    assert lexicon.count("受了惊吓，很怕。吓") == {"group": {"fear": 3}}


def test_a_phrase_may_count_in_two_categories() -> None:
    lexicon = build_lexicon({"group": {"one": ["not your fault"], "two": ["fault"]}}, inflected=True)
    assert lexicon.count("It is not your fault.") == {"group": {"one": 1, "two": 1}}


def test_a_lexicon_that_is_no_lexicon_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "cues.yaml"
    path.write_text("group:\n  good: [fine]\n  bad: fine\n")
    with pytest.raises(DocumentError, match=r"cues\.yaml:3: lexicon: group/bad"):
        load_lexicon(path)


@pytest.mark.parametrize("phrase", ["我 懂", "Glad", "a*", "", "it’s fine", "!"])
def test_a_phrase_that_could_never_be_found_is_refused(phrase: str) -> None:
    with pytest.raises(InputError, match="is no phrase that can be found"):
        build_lexicon({"group": {"name": [phrase]}}, inflected=True)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I am tired of it.", Language.ENGLISH),
        ("我真的很累了。", Language.CHINESE),
        ("Mark把我的海报拿走了。", Language.CHINESE),
        ("", Language.ENGLISH),
    ],
)
def test_the_language_is_told_by_the_characters(text: str, language: Language) -> None:
    assert detect_language(text) is language


def test_stems_join_inflections_and_keep_short_words() -> None:
    assert stem("worried") == stem("worries") == stem("worry")
    assert stem("planned") == stem("plans") == stem("planning")
    assert stem("is") == "is"
