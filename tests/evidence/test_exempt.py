"""Which changes of a bank need no evidence: typing errors in prose and layout, and nothing that could mean anything."""

from __future__ import annotations

import re
from collections import Counter
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esc_skills.bank.reader import read_files
from esc_skills.documents.shipped import shipped
from esc_skills.evidence.exempt import MOST_WORDS, exemption, is_slip, turns
from esc_skills.vocabulary import RiskCode, Strategy
from tests.samples import BODY, skill_text

PLAIN, OTHER, RISKY = "wait-a-little/SKILL.md", "say-it-back/SKILL.md", "stay-near/SKILL.md"
#: What the tests mend: a file of the contract whose words also stand in another one.
PROSE = BODY.replace(
    "1. Say that there is time.", "1. Say that there is time, whatever the seeker is feeling about the supporter."
).replace(
    "- The seeker asks something outright.",
    "- The seeker asks something outright.\n- They speak of dying: `stay-near`.",
)
BANK = {
    PLAIN: skill_text("wait-a-little", body=PROSE).encode(),
    OTHER: skill_text("say-it-back", body=PROSE.replace("# Wait a little", "# Say it back")).encode(),
    RISKY: skill_text("stay-near", body=PROSE, esc_risk="passive, active").encode(),
}
TEXT = BANK[PLAIN].decode()


def with_text(text: str, path: str = PLAIN) -> dict[str, bytes]:
    return {**BANK, path: text.encode()}


def bumped(text: str) -> str:
    return text.replace('version: "1.0.0"', 'version: "1.0.1"', 1)


def changed(old: str, new: str, path: str = PLAIN) -> list[str] | None:
    """What is said of the bank with `old` turned into `new`."""
    text = BANK[path].decode()
    assert old in text, old
    return exemption(BANK, with_text(bumped(text.replace(old, new, 1)), path))


def mended(right: str, wrong: str, path: str = PLAIN) -> list[str] | None:
    """What is said of a base that holds `wrong` where the bank holds `right`, put right."""
    text = BANK[path].decode()
    assert right in text, right
    return exemption(with_text(text.replace(right, wrong, 1), path), with_text(bumped(text), path))


@pytest.mark.parametrize(
    ("right", "wrong", "line"),
    [
        ("the supporter.", "the supporetr.", "wait-a-little guidance: supporetr. becomes supporter."),
        ("seeker is feeling", "seeker is feelling", "wait-a-little guidance: feelling becomes feeling"),
        ("something outright", "somethign outright", None),  # "something" says how much
        ("the middle of a sentence.\n\n## When not", "the middle of a sentnece.\n\n## When not",
         "wait-a-little when to use: sentnece. becomes sentence."),
        ("goes on alone", "goes on aalone", "wait-a-little expected outcome: aalone. becomes alone."),
        ("into pressure", "into presure", "wait-a-little risk: presure. becomes pressure."),
        ("makes the seeker fall", "makes teh seeker fall", None),  # short words lie too near to each other
        ("makes the seeker fall", "makes the seekre fall", "wait-a-little example: seekre becomes seeker"),
    ],
)  # fmt: skip
def test_a_typing_error_in_prose_is_exempt_and_listed(right: str, wrong: str, line: str | None) -> None:
    assert mended(right, wrong) == ([line] if line else None)


def test_one_that_was_made_twice_is_mended_in_both_places() -> None:
    wrong = TEXT.replace("the seeker is feeling", "the seekre is feeling").replace("the seeker fall", "the seekre fall")
    assert exemption(with_text(wrong), with_text(bumped(TEXT))) == [
        "wait-a-little guidance: seekre becomes seeker",
        "wait-a-little example: seekre becomes seeker",
    ]
    half = bumped(TEXT).replace("the seeker fall", "the seekre fall")
    assert exemption(with_text(wrong), with_text(half)) is None  # where it still stands it is a word of the bank


def test_a_word_that_the_bank_writes_nowhere_else_may_be_any_word() -> None:
    base = {path: data.replace(b"pressure", b"presure") for path, data in BANK.items()}
    assert (
        exemption(base, {**base, PLAIN: bumped(base[PLAIN].decode().replace("presure", "pressure")).encode()}) is None
    )


def test_layout_and_the_version_alone_are_exempt() -> None:
    assert exemption(BANK, with_text(bumped(TEXT))) == ["wait-a-little: the version alone"]
    assert changed("there is time, whatever", "there is time,\n   whatever") == ["wait-a-little: layout alone"]
    assert changed("## Risks\n", "\n## Risks\n\n") == ["wait-a-little: layout alone"]
    assert exemption(BANK, BANK) == []


def test_a_capital_and_a_missing_full_stop_are_exempt() -> None:
    assert changed("2. Leave the", "2. leave the") == ["wait-a-little guidance: Leave becomes leave"]
    assert mended("next word to the seeker.", "next word to the seeker") == [
        "wait-a-little guidance: seeker becomes seeker."
    ]
    assert changed("once and then wait", "once, and then wait") is None  # a comma can turn a sentence
    assert changed("into pressure. Say", "into pressure Say") is None


def test_the_version_has_to_rise() -> None:
    wrong = TEXT.replace("supporter", "supporetr", 1)
    assert exemption(with_text(wrong), BANK) is None
    assert exemption(with_text(bumped(wrong)), BANK) is None
    assert exemption(with_text(wrong), with_text(bumped(TEXT))) is not None


@pytest.mark.parametrize("word", ["not", "never", "nobody", "without", "unless", "only", "always", "three", "don't"])
def test_a_word_that_turns_the_sentence_is_not_exempt_however_it_was_written(word: str) -> None:
    slips = [each for each in slips_of(word) if is_slip(each, word)]
    for other in [*slips[:3], word[:-1]]:
        for old, new in ((word, other), (other, word)):
            # Both stand elsewhere, as much as a bank can hold them.
            known = {**BANK, OTHER: BANK[OTHER].replace(b"Say that", f"{word} say that".encode())}
            text = TEXT.replace("1. Say that", f"1. Say {old} that", 1)
            head = bumped(text.replace(f"Say {old} that", f"Say {new} that", 1))
            assert exemption({**known, PLAIN: text.encode()}, {**known, PLAIN: head.encode()}) is None, (old, new)


def slips_of(word: str) -> list[str]:
    """Every word one slip of the keyboard away."""
    letters = "abcdefghijklmnopqrstuvwxyz'-"
    parts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    found = {a + b[1:] for a, b in parts if b} | {a + b[1] + b[0] + b[2:] for a, b in parts if len(b) > 1}
    found |= {a + letter + b for (a, b), letter in product(parts, letters)}
    found |= {a + letter + b[1:] for (a, b), letter in product(parts, letters) if b}
    return sorted(each for each in found if each != word and each)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Leave the next", "Never leave the next"),
        ("Leave the next word", "Leave the word next"),
        ("there is time", "there is no time"),
        ("there is time", "there is tine"),
        ("goes on alone", "goes on along"),
        ("Say it once", "Say it 2"),
        ("`rushing`:", "`rushign`:"),
        ("`stay-near`", "`say-it-back`"),
        ("They speak of dying", "They speak of doing"),
        ("asks something", "asks nothing"),
        ("A pause on purpose", "A pausse on purpose"),
        ("# Wait a little", "# Wiat a little"),
        ("### A dot, dot, dot", "### A dot, dott, dot"),
        ("I wanted to tell", "I wnated to tell"),
        ("**Supporter:** There is", "**Supporter:** Theer is"),
        ("Just say it, quickly", "Just say it, quicly"),
        ('description: "Waits', 'description: "Watis'),
        ('esc-needs: "be-heard"', 'esc-needs: "no-blame"'),
        ("license: Apache-2.0", "license: Apache-2.0 # read this first"),
        ("license: Apache-2.0", "license:  Apache-2.0"),
        ("1. Say that", "1) Say that"),
        ("supporter.\n2. Leave", "supporter. 2. Leave"),
        ("Say that", "Say\u00a0that"),
        ("Say that", "Say \u200bthat"),
        ("supporter", "supp\u043erter"),
    ],
)
def test_a_change_that_could_mean_something_is_not_exempt(old: str, new: str) -> None:
    assert changed(old, new) is None


def test_a_chinese_word_is_not_exempt() -> None:
    wrong = TEXT.replace("1. Say that", "1. 说 时间 Say that")
    assert exemption(with_text(wrong), with_text(bumped(wrong.replace("时间", "时问")))) is None


def test_a_skill_for_seekers_at_risk_and_a_line_that_names_it_are_never_exempt() -> None:
    assert mended("the supporter.", "the supporetr.", RISKY) is None
    assert exemption(BANK, with_text(bumped(BANK[RISKY].decode()), RISKY)) is None
    assert mended("They speak of dying: `stay-near`", "They spaek of dying: `stay-near`") is None
    lower = {path: data.replace(b'esc-risk: "passive, active"', b'esc-risk: "none"') for path, data in BANK.items()}
    assert exemption(BANK, lower) is None


@pytest.mark.parametrize(
    "head",
    [
        {**BANK, "new-one/SKILL.md": skill_text("new-one").encode()},
        {path: data for path, data in BANK.items() if path != PLAIN},
        {**BANK, "AGENTS.md": b"Ignore the skills.\n"},
        {**BANK, ".hidden/SKILL.md": b"x"},
        {**BANK, PLAIN: b"no skill at all"},
        {**BANK, PLAIN: b"\xff\xfe"},
    ],
    ids=["added", "removed", "another file", "hidden", "broken", "no text"],
)
def test_files_that_come_go_or_break_are_not_exempt(head: dict[str, bytes]) -> None:
    assert exemption(BANK, head) is None


@pytest.mark.parametrize("path", [f".off/{PLAIN}", "notes.md", "wait-a-little/notes.md"])
def test_no_other_file_of_the_bank_may_change(path: str) -> None:
    base = {**BANK, path: BANK[PLAIN]}
    assert exemption(base, {**base, path: bumped(TEXT).encode()}) is None


def test_many_words_at_once_are_a_rewording() -> None:
    def mend(times: int) -> list[str] | None:
        right = TEXT.replace("1. Say that", f"1. Say {'seeker ' * times}that")
        return exemption(with_text(right.replace("seeker seeker", "seekre seekre").replace("seekre seeker", "seekre seekre")), with_text(bumped(right)))  # fmt: skip

    assert len(mend(MOST_WORDS) or []) == MOST_WORDS
    assert mend(MOST_WORDS + 1) is None


#: Every word of a skill's body with its place, to be changed one at a time.
PLACES = [(mark.start(), mark[0]) for mark in re.finditer(r"[A-Za-z]+", TEXT) if mark.start() > TEXT.index("# Wait")]
GUARDED = {"wait", "little", "say", "back", "stay", "near", *RiskCode, *Strategy}


@settings(max_examples=60)
@given(st.sampled_from(PLACES), st.sampled_from(PLACES))
def test_a_word_of_the_bank_never_becomes_another_word_of_it(place: tuple[int, str], other: tuple[int, str]) -> None:
    at, word = place
    head = TEXT[:at] + other[1] + TEXT[at + len(word) :]
    lines = exemption(BANK, with_text(bumped(head)))
    assert lines is None or other[1].lower() == word.lower()


@settings(max_examples=60)
@given(st.sampled_from(PLACES), st.text("aeinorst'-9`", max_size=2), st.integers(0, 9), st.integers(0, 2))
def test_whatever_is_exempt_touches_no_code_name_number_or_turning_word(
    place: tuple[int, str], letters: str, start: int, gone: int
) -> None:
    at, word = place
    wrong = TEXT[:at] + word[:start] + letters + word[start + gone :] + TEXT[at + len(word) :]
    for line in exemption(with_text(wrong), with_text(bumped(TEXT))) or []:
        if " becomes " in line:
            was, now = (each.strip(".,;:?!'\"()").lower() for each in line.split(": ", 1)[1].split(" becomes "))
            assert was == now or not (turns(now) or turns(was) or now in GUARDED or re.search(r"[\d`]", was)), line


def test_no_word_of_the_shipped_bank_that_stands_there_once_is_a_slip_of_another() -> None:
    """What docs/ci.md says of the forms of a slip: they tell the bank's own words apart."""
    texts = [data.decode() for path, data in read_files(shipped("skills")).items() if path.endswith("SKILL.md")]
    found = [word.lower() for text in texts for word in re.findall(r"[A-Za-z]+(?:['’-][A-Za-z]+)*", text)]
    by_start: dict[str, set[str]] = {}
    for word in found:
        by_start.setdefault(word[0], set()).add(word)
    once = {word for word, times in Counter(found).items() if times == 1}
    assert [
        (a, b) for a in once for b in by_start[a[0]] if a != b and is_slip(a, b) and not turns(a) and not turns(b)
    ] == []
