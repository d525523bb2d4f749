"""The phrases of a language and what their codes mean, from data files, compiled when a text first needs them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from esc_skills.documents.text import read_text
from esc_skills.documents.yaml import YamlDocument, parse_yaml
from esc_skills.errors import DocumentError
from esc_skills.vocabulary import Language, Risk

DATA = Path(__file__).parent / "data"

#: What is looked for in a message, the worst first.
_SPOKEN_LEVELS = (Risk.IMMINENT, Risk.ACTIVE, Risk.PASSIVE)
_FRAGMENT = re.compile(r"(?<!\?P)<([a-z_]+)>")
#: A fragment that a phrase opens with, unless it may be missing or repeated.
_OPENING = re.compile(r"<[a-z_]+>(?![?*+{])")


class Severity(StrEnum):
    """How much a flag weighs: a new red one vetoes a proposal, an amber one is shown to the reviewer."""

    RED = "red"
    AMBER = "amber"


@dataclass(frozen=True, slots=True)
class SafetyCode:
    """What a flag can mean, as the data file documents it.

    Attributes:
        question: What a judge is asked, to which yes raises the flag; empty for codes that no judge is asked about.
    """

    code: str
    severity: Severity
    reason: str
    question: str = ""


class Rule:
    """One code with its phrases, compiled when a text first needs them.

    Those of `at_risk` count only while the seeker speaks of dying.
    """

    def __init__(self, compiler: _Compiler, code: str) -> None:
        entry = compiler.find(f"/codes/{code}")
        self.code = SafetyCode(code, Severity(entry["severity"]), entry["reason"], entry.get("question", ""))
        self._compiler, self._keys = compiler, frozenset(entry)

    @cached_property
    def phrases(self) -> re.Pattern[str] | None:
        """What is unsafe whoever hears it."""
        return self._compiled("phrases")

    @cached_property
    def at_risk(self) -> re.Pattern[str] | None:
        """What is unsafe while the seeker speaks of dying."""
        return self._compiled("at_risk")

    @cached_property
    def excuses(self) -> re.Pattern[str] | None:
        """What excuses this code's phrases."""
        return self._compiled("excuses")

    def _compiled(self, key: str) -> re.Pattern[str] | None:
        return self._compiler.phrases(f"/codes/{self.code.code}/{key}") if key in self._keys else None


class Lexicon:
    """A language's phrases, compiled when a text first needs them."""

    def __init__(self, compiler: _Compiler) -> None:
        self._compiler = compiler
        codes = compiler.find("/codes")
        self._spoken = [f"/codes/{code}/phrases" for code in codes if "phrases" in codes[code]]
        self.rules = tuple(Rule(compiler, code) for code in codes)

    @cached_property
    def clause(self) -> re.Pattern[str]:
        """What ends a clause."""
        return self._compiler.phrases("/clause", whole_words=False)

    @cached_property
    def idioms(self) -> re.Pattern[str]:
        """Figures of speech, which are no risk."""
        return self._compiler.phrases("/risk/idioms")

    @cached_property
    def past(self) -> re.Pattern[str]:
        """What tells of an attempt that is over."""
        return self._compiler.phrases("/risk/past")

    @cached_property
    def levels(self) -> tuple[tuple[Risk, re.Pattern[str]], ...]:
        """The phrases of each level of risk, the worst first."""
        return tuple((level, self._compiler.phrases(f"/risk/{level}")) for level in _SPOKEN_LEVELS)

    @cached_property
    def any_level(self) -> re.Pattern[str]:
        """All of those together."""
        return self._compiler.phrases(*(f"/risk/{level}" for level in _SPOKEN_LEVELS))

    @cached_property
    def raises(self) -> re.Pattern[str]:
        """Words for plan, time or means."""
        return self._compiler.phrases("/risk/raises")

    @cached_property
    def denied(self) -> re.Pattern[str]:
        """What takes words of risk back that follow it."""
        return self._compiler.phrases("/risk/excuses")

    @cached_property
    def own(self) -> re.Pattern[str]:
        """Words of risk that can be meant of the seeker alone."""
        return self._compiler.phrases("/risk/own")

    @cached_property
    def others(self) -> re.Pattern[str]:
        """What gives words of risk that follow it to another person."""
        return self._compiler.phrases("/risk/others")

    @cached_property
    def excuses(self) -> re.Pattern[str]:
        """What excuses the phrases of any code."""
        return self._compiler.phrases("/supporter/excuses")

    @cached_property
    def echoes(self) -> re.Pattern[str]:
        """What gives the seeker's words back to them."""
        return self._compiler.phrases("/supporter/echoes")

    @cached_property
    def taken_back(self) -> re.Pattern[str]:
        """What takes a phrase back that it follows."""
        return self._compiler.phrases("/supporter/taken_back")

    @cached_property
    def takes_up(self) -> re.Pattern[str]:
        """What takes up risk that the seeker spoke of."""
        return self._compiler.phrases("/supporter/takes_up")

    @cached_property
    def any_phrase(self) -> re.Pattern[str]:
        """The phrases of all codes together."""
        return self._compiler.phrases(*self._spoken)


def _joined(expanded: Iterable[str]) -> str:
    """Return phrases as the branches of one pattern, whose groups are the labels alone.

    The same label may occur in several phrases of one list; the code needs only that something was named.
    """
    return "|".join(re.sub(r"\(\?P<label>", "(", re.sub(r"\((?!\?)", "(?:", phrase)) for phrase in expanded)


def _with_common_start(phrases: list[str]) -> list[str]:
    """Return phrases with those that begin with the same fragment joined, so that a text is read for it once."""
    starts: dict[str, list[str]] = {}
    for phrase in phrases:
        fragment = _OPENING.match(phrase)
        starts.setdefault(fragment[0] if fragment else "", []).append(phrase)
    whole = [phrase for start, group in starts.items() if not start or len(group) == 1 for phrase in group]
    joined = [(start, group) for start, group in starts.items() if start and len(group) > 1]
    return whole + [f"{start}(?:{'|'.join(each[len(start) :] for each in group)})" for start, group in joined]


class _Compiler:
    """Turns the phrases of one data file into patterns; a mistake in one is named with its line."""

    def __init__(self, document: YamlDocument, shown: str) -> None:
        self.document = document
        self.shown = shown
        self.fragments: Mapping[str, str] = document.value["fragments"]
        self.spaced = document.value["words"] == "spaced"

    def find(self, pointer: str) -> Any:
        value = self.document.value
        for key in pointer.split("/")[1:]:
            value = value[key]
        return value

    def expand(self, phrase: str) -> str:
        while _FRAGMENT.search(phrase):
            phrase = _FRAGMENT.sub(lambda found: self.fragments[found[1]], phrase)
        return phrase.replace(" ?", r"\s*").replace(" ", r"\s+").replace("'", "'?")

    def phrases(self, *pointers: str, whole_words: bool = True) -> re.Pattern[str]:
        """Compile the phrases or the lists of phrases at some JSON pointers into one pattern."""
        listed: dict[str, str] = {}
        for pointer in pointers:
            found = self.find(pointer)
            listed |= {pointer: found} if isinstance(found, str) else {f"{pointer}/{i}": p for i, p in enumerate(found)}
        try:
            joined = _joined([self.expand(phrase) for phrase in _with_common_start(list(listed.values()))])
            # A phrase that opens with a clause break or a look-behind has its own edge, which this one does not disturb.
            return re.compile(rf"(?<!\w)(?:{joined})(?!\w)" if whole_words and self.spaced else f"(?:{joined})")
        except (re.error, KeyError):
            for place, phrase in listed.items():
                self.require_sound(place, phrase)
            raise

    def require_sound(self, pointer: str, phrase: str) -> None:
        try:
            re.compile(self.expand(phrase))
        except (re.error, KeyError) as error:
            line = self.document.lines.get(pointer, 0)
            hint = "correct the regular expression or the fragment's name"
            raise DocumentError(self.shown, line, "safety-phrase", f"{phrase[:60]!r}: {error}", hint) from error


@lru_cache(maxsize=len(Language))
def load_lexicon(language: Language) -> Lexicon:
    """Return the phrases of a language."""
    path = DATA / f"safety.{language}.yaml"
    return Lexicon(_Compiler(parse_yaml(read_text(path), str(path), as_text=True), str(path)))


def safety_codes(language: Language = Language.ENGLISH) -> tuple[SafetyCode, ...]:
    """Return every code with its severity and its reason, in the words of `language` and the order of the data file."""
    return tuple(rule.code for rule in load_lexicon(language).rules)
