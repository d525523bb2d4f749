"""Scrubbing: personal data out of dialogues, a placeholder for each, by pattern and by who was introduced.

It finds what has a form (mail, links, numbers, streets) and names that are introduced, titled, listed or common. It cannot
know that somebody is told apart by a story; docs/corpora.md has the measured recall. All patterns take time in proportion
to a text's length, whatever it holds.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import NamedTuple

from esc_skills.corpora.dialogue import Dialogue
from esc_skills.corpora.patterns import (
    ADDRESSES,
    CHINESE_INTRODUCTION,
    CHINESE_STREET,
    GIVEN_NAME,
    IDS,
    INTRODUCTIONS,
    LINKS,
    MAILS,
    NICKNAME,
    SURE_INTRODUCTION,
    TITLED,
    address_begins,
    may_be_chinese_name,
    phones,
    titled_names,
)
from esc_skills.documents.text import read_text
from esc_skills.errors import InputError

_DATA = Path(__file__).parent / "data"
#: The names of a team that a file may list.
MAX_NAMES = 10_000
#: The words that a name may have.
_MAX_PARTS = 4
_PLACEHOLDER = re.compile(r"\[(?:NAME|EMAIL|PHONE|ADDRESS|ID|LINK)\]")
_WORD = re.compile(r"[^\W\d_](?:[\w'’-]{0,40}[^\W_])?")


class Kind(StrEnum):
    """What personal data is, as the placeholders name it."""

    LINK = "LINK"
    EMAIL = "EMAIL"
    ID = "ID"
    PHONE = "PHONE"
    ADDRESS = "ADDRESS"
    NAME = "NAME"


class Span(NamedTuple):
    """A part of a text that is replaced."""

    begin: int
    end: int
    kind: Kind


@cache
def _words(file: str) -> frozenset[str]:
    lines = (_DATA / file).read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def is_name(word: str) -> bool:
    """Whether a word with a capital may be a person's name, after "I'm" for example."""
    word = word.replace("’", "'").removesuffix("'s")
    if word in _words("given-names.en.txt"):
        return True
    plain = word.lower()
    # Adjectives, adverbs and participles that somebody wrote with a capital, and what is short for something.
    formed = len(plain) > 4 and plain.endswith(("ing", "ed", "ly", "ful", "ous", "less", "able", "ish", "ive"))
    short = "'" in plain.removeprefix("o'").removeprefix("d'") or (word.isupper() and len(word) < 5)
    return len(word) > 2 and not formed and not short and plain not in _words("not-names.en.txt")


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """A dialogue without the personal data that was found, and how much of each kind that was."""

    dialogue: Dialogue
    counts: Counter[Kind]


class Scrubber:
    """Takes personal data out of dialogues.

    Args:
        names: Names to replace wherever they stand, whatever their case.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._named = _pattern_of(names, fold=True)

    def scrub(self, dialogue: Dialogue) -> Scrubbed:
        """Return a dialogue with placeholders; a name that is introduced in it is replaced everywhere in it."""
        texts = [dialogue.situation, *(utterance.text for utterance in dialogue.utterances)]
        found = [list(self._find(text)) for text in texts]
        introduced = _introduced(texts, found)
        counts: Counter[Kind] = Counter()
        clean = []
        for text, spans in zip(texts, found, strict=True):
            if introduced:
                spans += [Span(match.start(), match.end(), Kind.NAME) for match in introduced.finditer(text)]
            clean.append(_replace(text, spans, counts))
        utterances = tuple(
            replace(utterance, text=text) for utterance, text in zip(dialogue.utterances, clean[1:], strict=True)
        )
        return Scrubbed(replace(dialogue, situation=clean[0], utterances=utterances), counts)

    def _find(self, text: str) -> Iterator[Span]:
        if "@" in text or "." in text or "dot" in text.lower():
            yield from _matches(LINKS, text, Kind.LINK)
            yield from _matches(MAILS, text, Kind.EMAIL)
        yield from _matches(IDS, text, Kind.ID)
        if any(map(str.isdigit, text)):
            yield from (Span(begin, end, Kind.PHONE) for begin, end in phones(text))
            yield from _matches(ADDRESSES, text, Kind.ADDRESS)
            for match in CHINESE_STREET.finditer(text):
                yield Span(address_begins(text, match.start()), match.end(), Kind.ADDRESS)
        yield from _names(text)
        if self._named:
            yield from _matches((self._named,), text, Kind.NAME)


def read_names(path: Path) -> tuple[str, ...]:
    """Return the names of a file, one a line.

    Raises:
        DocumentError: The file cannot be read.
        InputError: It holds none, or too many.
    """
    names = tuple(line.strip() for line in read_text(path).split("\n") if line.strip())
    if not 0 < len(names) <= MAX_NAMES:
        raise InputError(f"{path}: holds {len(names):,} names; 1 to {MAX_NAMES:,} are read", "give one name a line")
    return names


def _matches(patterns: Iterable[re.Pattern[str]], text: str, kind: Kind) -> Iterator[Span]:
    for pattern in patterns:
        for match in pattern.finditer(text):
            yield Span(*match.span(1 if pattern.groups else 0), kind)


def _names(text: str) -> Iterator[Span]:
    yield from _english_names(text)
    if not text.isascii():
        surnames = _words("surnames.zh.txt")
        yield from _matches((NICKNAME,), text, Kind.NAME)
        for match in CHINESE_INTRODUCTION.finditer(text):
            known = match[1][0] in surnames or match[1][0] in "小阿" or match[1][:2] in surnames
            if known and may_be_chinese_name(match[1]):
                yield Span(*match.span(1), Kind.NAME)
        for begin, end in titled_names(text, surnames):
            yield Span(begin, end, Kind.NAME)


def _english_names(text: str) -> Iterator[Span]:
    for match in SURE_INTRODUCTION.finditer(text):
        if match[1].lower() not in _words("not-names.en.txt"):
            yield Span(*match.span(1), Kind.NAME)
    for pattern in (*INTRODUCTIONS, TITLED):
        for match in pattern.finditer(text):
            yield from _name_at(text, match.start(1))
    given = _words("given-names.en.txt")
    for match in GIVEN_NAME.finditer(text):
        if re.sub("['’]s$", "", match[0]) in given:
            yield from _name_at(text, match.start())


def _name_at(text: str, at: int) -> Iterator[Span]:
    """Yield the name that begins at a place, with the names that follow it, where it is one."""
    match = GIVEN_NAME.match(text, at)
    if not match or not is_name(match[0]):
        return
    end = match.end()
    for _ in range(_MAX_PARTS - 1):
        match = GIVEN_NAME.match(text, end + 1) if text[end : end + 1] == " " else None
        if not match or not is_name(match[0]):
            break
        end = match.end()
    if text[end - 2 : end] in ("'s", "’s"):
        end -= 2
    yield Span(at, end, Kind.NAME)


def _introduced(texts: list[str], found: list[list[Span]]) -> re.Pattern[str] | None:
    """Return a pattern for the names that were found in a dialogue, and for their parts."""
    names = {
        text[span.begin : span.end]
        for text, spans in zip(texts, found, strict=True)
        for span in spans
        if span.kind is Kind.NAME
    }
    parts = {part for name in names for part in _WORD.findall(name)}
    parts |= {name[1:] for name in names if len(name) == 3 and not name.isascii()}
    capitals = {form for part in parts for form in _forms(part)}
    return _pattern_of(capitals, fold=False)


def _forms(part: str) -> Iterator[str]:
    """Yield how a name may be written elsewhere in its dialogue; in small letters only where it is a name for sure."""
    if not part.isascii():
        yield from [part] if len(part) > 1 else []
        return
    capital = part[0].upper() + part[1:].lower()
    if len(part) > 1:
        yield capital
    if len(part) > 2:
        yield part.upper()
        if part.islower() or capital in _words("given-names.en.txt"):
            yield part.lower()


def _pattern_of(names: Iterable[str], *, fold: bool) -> re.Pattern[str] | None:
    """Return a pattern for any of some names, whole words where they have letters that words are parted by."""
    forms = sorted({name for name in names if name}, key=lambda name: (-len(name), name))
    if not forms:
        return None
    ascii_names = "|".join(re.escape(name) for name in forms if name.isascii())
    others = "|".join(re.escape(name) for name in forms if not name.isascii())
    whole = [rf"(?<![A-Za-z])(?:{ascii_names})(?![A-Za-z])"] if ascii_names else []
    return re.compile("|".join([*whole, *([others] if others else [])]), re.IGNORECASE if fold else 0)


def _replace(text: str, spans: list[Span], counts: Counter[Kind]) -> str:
    """Return a text with placeholders for spans; where some overlap, the longest of the kind that is first stands."""
    order = {kind: at for at, kind in enumerate(Kind)}
    taken = bytearray(len(text))
    for match in _PLACEHOLDER.finditer(text):
        taken[match.start() : match.end()] = b"\1" * len(match[0])
    kept: list[Span] = []
    for span in sorted(set(spans), key=lambda each: (order[each.kind], each.begin - each.end, each.begin)):
        if span.begin < span.end and taken.find(1, span.begin, span.end) < 0:
            kept.append(span)
            taken[span.begin : span.end] = b"\1" * (span.end - span.begin)
    parts, at = [], 0
    for span in sorted(kept):
        parts += [text[at : span.begin], f"[{span.kind}]"]
        counts[span.kind] += 1
        at = span.end
    return "".join([*parts, text[at:]])
