"""Cues: words and short phrases that tell what a turn does, in lexicons that people can read and change.

A lexicon is a YAML file of groups, each a mapping of category to phrases. A phrase with Chinese characters matches as a
substring; any other matches word by word. Within a category the longest phrase wins and matches do not overlap.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from operator import add, itemgetter
from pathlib import Path

from esc_skills.documents.text import read_text
from esc_skills.documents.yaml import parse_yaml
from esc_skills.errors import DocumentError, InputError
from esc_skills.language.wording import CHINESE, split_words, stem
from esc_skills.vocabulary import Language

_DATA = Path(__file__).parent / "data"
_HINT = "write groups of categories, each with a list of phrases"
_PHRASE_HINT = "use lower case and straight apostrophes; a `*` needs three letters before it"
#: A word with a `*` is found by its first three letters.
_CHINESE_PHRASE = re.compile("(?=.*[\u4e00-\u9fff])\\S+")
_WORDS = re.compile(r"[a-z0-9'-]+(?:(?<=\w{3})\*)?(?: [a-z0-9'-]+(?:(?<=\w{3})\*)?)*")

#: Group and category to the number of matches; categories that were not found are missing.
Counts = Mapping[str, Mapping[str, int]]
_Entry = tuple[tuple[str, ...], int]
_Table = Mapping[str, tuple[_Entry, ...]]


@dataclass(frozen=True, eq=False)
class Lexicon:
    """Phrases by category, ready to be counted.

    Attributes:
        groups: The groups in the order of the file.
        categories: Group and name of each category.
        inflected: Whether words match in any inflection; otherwise they match as written, and a trailing `*` takes any
            ending.
        pairs: First two words to the phrases that start with them, the longest first, each with its category's position.
        words: The same by the first word, for single words and where the second word has a `*`.
        openings: The same by the first three letters, where the first word has a `*`.
        characters: The same by the first two characters, for Chinese; a phrase of one character is its own key.
        single: Whether there is a phrase of one character.
    """

    groups: tuple[str, ...]
    categories: tuple[tuple[str, str], ...]
    inflected: bool
    pairs: _Table
    words: _Table
    openings: _Table
    characters: _Table
    single: bool

    def count(self, text: str) -> Counts:
        """Return how often each category occurs in a text; every group is there, also when nothing was found."""
        found = self.match_words(split_words(text)) if self.pairs or self.words or self.openings else []
        found += self.match_characters(text) if self.characters else []
        counts: dict[str, dict[str, int]] = {group: {} for group in self.groups}
        for category in found:
            group, name = self.categories[category]
            counts[group][name] = counts[group].get(name, 0) + 1
        return counts

    def match_words(self, words: list[str]) -> list[int]:
        """Return the category of each match in a text cut by `split_words`, in the order of the text."""
        if self.inflected:
            words = [stem(word) for word in words]
        found: list[int] = []
        free_from = [0] * len(self.categories)
        for at, word in enumerate(words):
            entries = self.words.get(word, ())
            if at + 1 < len(words):
                entries = self.pairs.get(f"{word} {words[at + 1]}", ()) + entries
            if self.openings:
                entries += self.openings.get(word[:3], ())
            for phrase, category in entries:
                end = at + len(phrase)
                if at >= free_from[category] and _matches(phrase, words[at:end]):
                    found.append(category)
                    free_from[category] = end
        return found

    def match_characters(self, text: str) -> list[int]:
        """Return the category of each Chinese match, in the order of the text."""
        found: list[int] = []
        free_from = [0] * len(self.categories)
        # Most pairs of characters start no phrase; they are passed over without a step of Python each.
        starts = enumerate(map(self.characters.get, map(add, text, text[1:])))
        if self.single:
            starts = enumerate([self._starting_with(text[at : at + 2]) for at in range(len(text))])
        for at, entries in filter(itemgetter(1), starts):
            for (phrase,), category in entries or ():
                if at >= free_from[category] and text.startswith(phrase, at):
                    found.append(category)
                    free_from[category] = at + len(phrase)
        return found

    def _starting_with(self, pair: str) -> tuple[_Entry, ...] | None:
        """Return the phrases that start with a pair of characters, then those that are its first one."""
        longer = self.characters.get(pair, ()) if len(pair) == 2 else ()
        return longer + self.characters.get(pair[0], ())


def _matches(phrase: tuple[str, ...], words: list[str]) -> bool:
    if len(words) != len(phrase):
        return False
    if len(words) == 1:  # most phrases, of which hardly any has a `*`
        return words[0] == phrase[0] or (phrase[0][-1] == "*" and words[0].startswith(phrase[0][:-1]))
    return tuple(words) == phrase or all(
        word.startswith(wanted[:-1]) if wanted[-1] == "*" else word == wanted
        for wanted, word in zip(phrase, words, strict=True)
    )


@dataclass(frozen=True, eq=False)
class Cues:
    """The cues of one language.

    Attributes:
        language: The language.
        lexicon: The groups `supporter`, what a supporter turn does, and `requests`, what a seeker asks for.
        unspecific: Words or characters that say nothing of the matter when two texts are compared.
    """

    language: Language
    lexicon: Lexicon
    unspecific: frozenset[str]


@cache
def load_cues(language: Language) -> Cues:
    """Return the cues of a language, from `data/cues.<language>.yaml`."""
    path = _DATA / f"cues.{language}.yaml"
    groups = _read_groups(path)
    unspecific = frozenset(groups.pop("overlap")["unspecific"])
    if language is Language.ENGLISH:
        unspecific = frozenset(map(stem, unspecific))
    return Cues(language, build_lexicon(groups, inflected=True), unspecific)


def load_lexicon(path: Path, *, inflected: bool = False) -> Lexicon:
    """Return the lexicon of a YAML file.

    Raises:
        DocumentError: It is no mapping of group to category to phrases.
        InputError: A phrase could never be found.
    """
    return build_lexicon(_read_groups(path), inflected=inflected)


def _read_groups(path: Path) -> dict[str, dict[str, list[str]]]:
    shown = str(path)
    document = parse_yaml(read_text(path), shown, as_text=True)
    if not isinstance(document.value, dict):
        raise DocumentError(shown, 1, "lexicon", "is no mapping", _HINT)
    for group, categories in document.value.items():
        for name, phrases in categories.items() if isinstance(categories, dict) else [("", None)]:
            if not isinstance(phrases, list) or not all(isinstance(phrase, str) for phrase in phrases):
                line = document.lines.get(f"/{group}/{name}" if name else f"/{group}", 0)
                raise DocumentError(shown, line, "lexicon", f"{group}/{name} is no list of phrases", _HINT)
    groups: dict[str, dict[str, list[str]]] = document.value
    return groups


def build_lexicon(groups: Mapping[str, Mapping[str, Iterable[str]]], *, inflected: bool) -> Lexicon:
    """Return the lexicon of phrases by group and category; see `Lexicon` for what `inflected` does.

    Raises:
        InputError: A phrase could never be found: it is not in lower case with straight apostrophes, or is too short.
    """
    categories = tuple((group, name) for group, members in groups.items() for name in members)
    tables: tuple[dict[str, list[_Entry]], ...] = ({}, {}, {}, {})
    for position, (group, name) in enumerate(categories):
        for phrase in groups[group][name]:
            if not (_CHINESE_PHRASE.fullmatch(phrase) or _WORDS.fullmatch(phrase)):
                raise InputError(f"{group}/{name}: {phrase!r} is no phrase that can be found", _PHRASE_HINT)
            parts = (phrase,) if CHINESE.search(phrase) else tuple(_phrase_words(phrase, inflected))
            table, key = _place(parts)
            tables[table].setdefault(key, []).append((parts, position))
    single = any(len(key) == 1 for key in tables[3])
    pairs, words, openings, characters = map(_longest_first, tables)
    return Lexicon(tuple(groups), categories, inflected, pairs, words, openings, characters, single)


def _place(parts: tuple[str, ...]) -> tuple[int, str]:
    """Return which table of `Lexicon` a phrase belongs to (pairs, words, openings, characters) and under which key."""
    first, second = parts[0], parts[1] if len(parts) > 1 else "*"
    if CHINESE.search(first):
        return 3, first[:2]
    if first[-1] == "*":
        return 2, first[:3]
    return (1, first) if second[-1] == "*" else (0, f"{first} {second}")


def _phrase_words(phrase: str, inflected: bool) -> Iterator[str]:
    for written in phrase.split():
        parts = split_words(written)
        yield from parts[:-1]
        last = stem(parts[-1]) if inflected else parts[-1]
        yield last + "*" * written.endswith("*")


def _longest_first(table: Mapping[str, list[_Entry]]) -> _Table:
    return {
        key: tuple(sorted(entries, key=lambda entry: (-len(" ".join(entry[0])), entry[1])))
        for key, entries in table.items()
    }
