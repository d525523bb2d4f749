"""SAGE's profiles come in and go out again without loss."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esc_skills.documents.schema import check_schema
from esc_skills.documents.yaml import parse_yaml
from esc_skills.errors import DocumentError, InputError
from esc_skills.seekers.sage_profiles import (
    export_sage_profiles,
    import_sage_profiles,
    read_whole_profile,
    whole_profile_yaml,
)
from esc_skills.vocabulary import INTENTION_LABELS, Disposition, HiddenIntention, Language
from tests.samples import sage_profile


def lines(*values: dict[str, Any]) -> str:
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values)


def through_files(text: str) -> str:
    """Import, write each profile's YAML, read it back, export."""
    written = [whole_profile_yaml(each) for each in import_sage_profiles(text, "profiles.jsonl")]
    read = [parse_yaml(each, "one.yaml").value for each in written]
    assert all(not check_schema(value, "whole-profile", "one.yaml") for value in read)
    return export_sage_profiles(tuple(read_whole_profile(value, "one.yaml") for value in read))


def test_a_profile_is_read_with_its_words_translated() -> None:
    (profile,) = import_sage_profiles(lines(sage_profile()), "profiles.jsonl")
    assert (profile.id, profile.language) == ("seeker-1", Language.CHINESE)
    assert (profile.disposition, profile.intention) == (Disposition.AVOIDANT, HiddenIntention.BE_HEARD)
    assert profile.traits == ("回避型", "谨慎")
    assert profile.first_message.startswith("没什么")


def test_each_of_the_eight_tasks_is_told_from_the_others() -> None:
    text = lines(*(sage_profile(id=f"s{at}", task=f"你希望{label}") for at, label in enumerate(INTENTION_LABELS)))
    assert [each.intention for each in import_sage_profiles(text, "p")] == list(HiddenIntention)


def test_profiles_go_out_in_their_order_and_with_fields_of_their_own() -> None:
    text = lines(sage_profile(id="b", extra={"n": [1, 2.5, None, True]}), sage_profile(id="a", when="2026-01-02"))
    assert through_files(text) == text


odd = st.text(
    st.one_of(
        st.sampled_from(" \t\n\r\x85\u2028\u2029\ufeff\x07\x7f:#-'\"\\{}[]&*!|>%@`,?~="),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=25,
)
extras = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(allow_nan=False, allow_infinity=False) | odd,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd, inner, max_size=3),
    max_leaves=5,
)
fields = ("player", "scene", "first_talk")


@given(st.fixed_dictionaries(dict.fromkeys(fields, odd)), st.dictionaries(odd.map("x{}".format), extras, max_size=2))
def test_no_character_is_lost_on_the_way(texts: dict[str, str], more: dict[str, Any]) -> None:
    text = lines(sage_profile(**texts, **more))
    assert through_files(text) == text


@pytest.mark.parametrize(
    "words",
    [
        "ends with spaces   ",
        "  starts with them",
        "a \n b\n\n c\n",
        "\u2028",
        "a\u2028b \u2029 c",
        "a\x85b",
        "\ufeff",
        "yes",
        "1:30",
        "~",
        "=",
        "<<",
        "- a",
        "# b",
        "'",
        '"',
        "\r\n",
        "\r",
        "\x7f\x00",
        "😀",
        "\ufffe",
    ],
)
def test_words_that_yaml_likes_to_change_come_back(words: str) -> None:
    text = lines(sage_profile(player=words, scene=f"中{words}文", extra=[words], **{f"key {words}": words}))
    assert through_files(text) == text


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (sage_profile(main_cha="乐观型"), "the field or value '乐观型' is missing or unknown"),
        (sage_profile(task="你希望有人陪你跑步"), "is none of SAGE's eight tasks"),
        (sage_profile(task="倾听和建议"), "is none of SAGE's eight tasks"),
        (sage_profile(cha_group="谨慎"), "'cha_group' should be a list"),
        (sage_profile(player=5), "'player' should be text"),
        (sage_profile(id="../../etc"), "may hold letters, digits, hyphens and underscores alone"),
        (sage_profile(id=""), "may hold letters, digits, hyphens and underscores alone"),
        (sage_profile(id="一号"), "may hold letters, digits, hyphens and underscores alone"),
        (sage_profile(id="a" * 101), "may hold letters, digits, hyphens and underscores alone"),
        ({"id": "a"}, "the field or value 'player' is missing or unknown"),
        ([], "list indices"),
        ("words", "string indices"),
        (None, "not subscriptable"),
    ],
)
def test_a_line_that_is_no_profile_is_refused_with_its_number(line: Any, words: str) -> None:
    with pytest.raises(DocumentError) as caught:
        import_sage_profiles(lines(sage_profile(id="first"), line), "profiles.jsonl")
    assert (caught.value.line, caught.value.code) == (2, "sage-profile")
    assert words in caught.value.detail


def test_an_id_that_occurs_twice_is_refused() -> None:
    with pytest.raises(DocumentError, match=r"profiles\.jsonl:2: sage-profile: the id 'seeker-1' occurs twice"):
        import_sage_profiles(lines(sage_profile(), sage_profile()), "profiles.jsonl")


def whole(**changes: Any) -> dict[str, Any]:
    (profile,) = import_sage_profiles(lines(sage_profile()), "p")
    value: dict[str, Any] = parse_yaml(whole_profile_yaml(profile), "p").value
    return {**value, **changes}


def test_a_whole_profile_must_agree_with_the_source_that_it_keeps() -> None:
    assert read_whole_profile(whole(), "one.yaml").id == "seeker-1"
    for change in ({"id": "other"}, {"disposition": "negative"}, {"intention": "no-blame"}):
        with pytest.raises(InputError, match=r"one\.yaml: source-differs"):
            read_whole_profile(whole(**change), "one.yaml")


@pytest.mark.parametrize("change", [{"main_cha": "?"}, {"task": "?"}, {"player": 5}, {"cha_group": {}}])
def test_a_source_that_is_no_sage_profile_is_refused(change: dict[str, Any]) -> None:
    source = {"format": "sage", "fields": sage_profile(**change)}
    with pytest.raises(InputError, match=r"one\.yaml: sage-profile"):
        read_whole_profile(whole(source=source), "one.yaml")


def test_a_file_that_is_no_whole_profile_is_refused() -> None:
    for value in (None, [], {}, whole(source={"format": "other", "fields": {}})):
        with pytest.raises(InputError, match=r"one\.yaml: schema-"):
            read_whole_profile(value, "one.yaml")
