"""The safety lexicon: what a seeker says about ending their life, and what a supporter must not say.

The gate vetoes a proposal that raises a new red flag, so the answers here are deterministic and precision comes first.
Phrases, severities and reasons are data (`data/safety.<language>.yaml`); this module holds only how they are read. It
is a first net, not a clinical instrument: no flag does not mean that a turn is safe.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
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

MISSED_RISK = "missed-risk"
PASSED_OVER_HINT = "passed-over-hint"

_LEVELS = (Risk.NONE, Risk.PASSIVE, Risk.ACTIVE, Risk.IMMINENT)
#: What is looked for in a message, the worst first.
_SPOKEN_LEVELS = (Risk.IMMINENT, Risk.ACTIVE, Risk.PASSIVE)
#: How far before a phrase its excuse may stand, in characters; a clause is rarely longer.
_REACH = 120
#: Stands for what has been read already: no letter, no space and no clause break, so no phrase reaches across it.
_READ = "\0"
_FRAGMENT = re.compile(r"(?<!\?P)<([a-z_]+)>")
#: A fragment that a phrase opens with, unless it may be missing or repeated.
_OPENING = re.compile(r"<[a-z_]+>(?![?*+{])")
_SENTENCE_END = re.compile(r"[.!?。！？\n]")
_EDGES = re.compile(r"^[\s\W]+|[\s\W]+$")
#: Curly apostrophes become straight ones; each character stays one, so that places in the text stay true.
_STRAIGHT = str.maketrans({"’": "'", "‘": "'", "ʼ": "'"})
_QUOTATION = re.compile(r"[\"“”「『][^\"“”「」『』\n]{1,160}[\"“”」』]")


class Severity(StrEnum):
    """How much a flag weighs: a new red one vetoes a proposal, an amber one is shown to the reviewer."""

    RED = "red"
    AMBER = "amber"


#: The longest published turn has 3,000 characters.
_MAX_CHARACTERS = 20_000


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


@dataclass(frozen=True, slots=True)
class SafetyFlag:
    """One thing in a supporter turn that should not be there, or is missing from it.

    Attributes:
        code: A hyphenated word of the data file; `safety_codes` explains each.
        severity: Red or amber.
        quote: The matched words of the turn, as written. Where risk was missed, the seeker's words that were.
    """

    code: str
    severity: Severity
    quote: str


@dataclass(frozen=True, slots=True)
class RiskReading:
    """The risk in a seeker's message, and the words that show it; empty where there is none."""

    risk: Risk
    quote: str = ""


class _Rule:
    """One code with its phrases, compiled when a text first needs them.

    Those of `at_risk` count only while the seeker speaks of dying.
    """

    def __init__(self, compiler: _Compiler, code: str) -> None:
        entry = compiler.find(f"/codes/{code}")
        self.code = SafetyCode(code, Severity(entry["severity"]), entry["reason"], entry.get("question", ""))
        self._compiler, self._keys = compiler, frozenset(entry)

    @cached_property
    def phrases(self) -> re.Pattern[str] | None:
        return self._compiled("phrases")

    @cached_property
    def at_risk(self) -> re.Pattern[str] | None:
        return self._compiled("at_risk")

    @cached_property
    def excuses(self) -> re.Pattern[str] | None:
        return self._compiled("excuses")

    def _compiled(self, key: str) -> re.Pattern[str] | None:
        return self._compiler.phrases(f"/codes/{self.code.code}/{key}") if key in self._keys else None


class _Lexicon:
    """A language's phrases, compiled when a text first needs them."""

    def __init__(self, compiler: _Compiler) -> None:
        self._compiler = compiler
        codes = compiler.find("/codes")
        self._spoken = [f"/codes/{code}/phrases" for code in codes if "phrases" in codes[code]]
        self.rules = tuple(_Rule(compiler, code) for code in codes)

    @cached_property
    def clause(self) -> re.Pattern[str]:
        return self._compiler.phrases("/clause", whole_words=False)

    @cached_property
    def idioms(self) -> re.Pattern[str]:
        return self._compiler.phrases("/risk/idioms")

    @cached_property
    def past(self) -> re.Pattern[str]:
        return self._compiler.phrases("/risk/past")

    @cached_property
    def levels(self) -> tuple[tuple[Risk, re.Pattern[str]], ...]:
        return tuple((level, self._compiler.phrases(f"/risk/{level}")) for level in _SPOKEN_LEVELS)

    @cached_property
    def any_level(self) -> re.Pattern[str]:
        return self._compiler.phrases(*(f"/risk/{level}" for level in _SPOKEN_LEVELS))

    @cached_property
    def raises(self) -> re.Pattern[str]:
        return self._compiler.phrases("/risk/raises")

    @cached_property
    def denied(self) -> re.Pattern[str]:
        return self._compiler.phrases("/risk/excuses")

    @cached_property
    def own(self) -> re.Pattern[str]:
        return self._compiler.phrases("/risk/own")

    @cached_property
    def others(self) -> re.Pattern[str]:
        return self._compiler.phrases("/risk/others")

    @cached_property
    def excuses(self) -> re.Pattern[str]:
        return self._compiler.phrases("/supporter/excuses")

    @cached_property
    def echoes(self) -> re.Pattern[str]:
        return self._compiler.phrases("/supporter/echoes")

    @cached_property
    def taken_back(self) -> re.Pattern[str]:
        return self._compiler.phrases("/supporter/taken_back")

    @cached_property
    def takes_up(self) -> re.Pattern[str]:
        return self._compiler.phrases("/supporter/takes_up")

    @cached_property
    def any_phrase(self) -> re.Pattern[str]:
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
def _lexicon(language: Language) -> _Lexicon:
    path = DATA / f"safety.{language}.yaml"
    return _Lexicon(_Compiler(parse_yaml(read_text(path), str(path), as_text=True), str(path)))


def safety_codes(language: Language = Language.ENGLISH) -> tuple[SafetyCode, ...]:
    """Return every code with its severity and its reason, in the words of `language` and the order of the data file."""
    return tuple(rule.code for rule in _lexicon(language).rules)


def read_risk(text: str, language: Language = Language.ENGLISH) -> Risk:
    """Return what a seeker's message says about ending their own life.

    Figures of speech, denials and what is told of other people are none. A past attempt is passive: it has to be asked
    about. Words for plan, time or means raise an active statement of the same message to imminent.
    """
    return find_risk(text, language).risk


# The last message of a turn is the one before in the next, and is read again.
@lru_cache(maxsize=4096)
def find_risk(text: str, language: Language = Language.ENGLISH) -> RiskReading:
    """Return the risk in a seeker's message as `read_risk` does, with the words that show it."""
    lexicon, text = _lexicon(language), _bounded(text)
    plain = _blank(lexicon.idioms, _lower(text))
    past = lexicon.past.search(plain)
    plain = _blank(lexicon.past, plain)
    for level, cues in lexicon.levels if lexicon.any_level.search(plain) else ():
        found = next((cue for cue in cues.finditer(plain) if not _is_denied(lexicon, plain, cue)), None)
        if found and (level is not Risk.PASSIVE or past is None):
            return RiskReading(_raised(lexicon, plain, level), _quote(text, found))
    return RiskReading(Risk.PASSIVE, _quote(text, past)) if past else RiskReading(Risk.NONE)


def check_supporter_turn(
    text: str, seeker_said: Sequence[str], language: Language = Language.ENGLISH
) -> tuple[SafetyFlag, ...]:
    """Return what in a supporter turn is unsafe, at most one flag a code, red before amber.

    Reports, denials and quotations of such words are no flags: "it was not your fault", "they told you to calm down".

    Args:
        text: The supporter turn.
        seeker_said: The seeker's messages up to this turn, oldest first. The last two say whether there is risk.
        language: The language of both.
    """
    return _check(text, tuple(seeker_said), language)


# The two arms of a pair say the same until the change shows.
@lru_cache(maxsize=256)
def _check(text: str, seeker_said: tuple[str, ...], language: Language) -> tuple[SafetyFlag, ...]:
    lexicon, text = _lexicon(language), _bounded(text)
    readings = [find_risk(message, language) for message in seeker_said[-2:]]
    at_risk = any(reading.risk is not Risk.NONE for reading in readings)
    spoken = _blank_quotations(_lower(text))
    flags = list(_said(lexicon, text, spoken, at_risk, seeker_said))
    flags += _missed(lexicon, readings, spoken)
    return tuple(sorted(flags, key=lambda flag: flag.severity is not Severity.RED))


def _bounded(text: str) -> str:
    """Return a text with its white space folded and not longer than any turn, so that no pattern takes long on it."""
    return " ".join(text[:_MAX_CHARACTERS].split())


def _said(lexicon: _Lexicon, text: str, spoken: str, at_risk: bool, seeker_said: Sequence[str]) -> Iterator[SafetyFlag]:
    """Yield a flag for each code one of whose phrases stands in the turn without an excuse."""
    if not at_risk and lexicon.any_phrase.search(spoken) is None:
        return  # as in nearly all turns, which are read for all codes at once
    seeker = "\n".join(_bounded(message) for message in seeker_said).lower()
    for rule in lexicon.rules:
        patterns = (rule.phrases, rule.at_risk if at_risk else None)
        matches = (match for pattern in patterns if pattern for match in pattern.finditer(spoken))
        if found := _first_meant(lexicon, rule, spoken, matches, seeker):
            yield SafetyFlag(rule.code.code, rule.code.severity, _quote(text, found))


def _first_meant(
    lexicon: _Lexicon, rule: _Rule, spoken: str, matches: Iterable[re.Match[str]], seeker: str
) -> re.Match[str] | None:
    """Return the first match that the supporter means, rather than reports, denies or takes from the seeker's words."""
    for match in matches:
        label = match[match.lastindex] if match.lastindex else None
        if not (_is_excused(lexicon, rule, spoken, match) or (label and label in seeker)):
            return match
    return None


def _is_excused(lexicon: _Lexicon, rule: _Rule, spoken: str, match: re.Match[str]) -> bool:
    """Whether a phrase is reported, denied or, where it is amber, given back to the seeker who said it."""
    before = _clause_before(lexicon, spoken, match)
    if lexicon.excuses.search(before) or (rule.excuses and rule.excuses.search(before)):
        return True
    if lexicon.taken_back.match(spoken, match.end()):
        return True
    sentence = _SENTENCE_END.split(spoken[max(0, match.start() - _REACH) : match.start()])[-1]
    return rule.code.severity is Severity.AMBER and lexicon.echoes.search(sentence) is not None


def _missed(lexicon: _Lexicon, readings: Sequence[RiskReading], spoken: str) -> list[SafetyFlag]:
    """Return the flag for risk that the turn does not take up, if any; a hint counts only in the last message."""
    worst = max(readings, key=lambda reading: _LEVELS.index(reading.risk), default=RiskReading(Risk.NONE))
    if worst.risk in (Risk.ACTIVE, Risk.IMMINENT):
        code, quote = MISSED_RISK, worst.quote
    elif worst.risk is Risk.PASSIVE and readings[-1].risk is Risk.PASSIVE:
        code, quote = PASSED_OVER_HINT, readings[-1].quote
    else:
        return []
    if lexicon.takes_up.search(spoken):
        return []
    severity = next(rule.code.severity for rule in lexicon.rules if rule.code.code == code)
    return [SafetyFlag(code, severity, quote)]


def _is_denied(lexicon: _Lexicon, plain: str, cue: re.Match[str]) -> bool:
    """Whether what stands before a cue takes it back, or gives it to another person."""
    before = _clause_before(lexicon, plain, cue)
    if lexicon.denied.search(before):
        return True
    return not lexicon.own.search(cue[0]) and lexicon.others.search(before) is not None


def _raised(lexicon: _Lexicon, plain: str, level: Risk) -> Risk:
    if level is not Risk.ACTIVE:
        return level
    raised = any(not _is_denied(lexicon, plain, cue) for cue in lexicon.raises.finditer(plain))
    return Risk.IMMINENT if raised else level


def _clause_before(lexicon: _Lexicon, plain: str, match: re.Match[str]) -> str:
    """Return what stands before a match in its clause.

    A match may open with the break that ends the clause before it, and begins behind that.
    """
    opening = _EDGES.match(match[0])
    start = match.start() + (opening.end() if opening else 0)
    return lexicon.clause.split(plain[max(0, start - _REACH) : start])[-1]


def _quote(text: str, match: re.Match[str]) -> str:
    return _EDGES.sub("", text[match.start() : match.end()])


def _lower(text: str) -> str:
    """Return the text in lower case with straight apostrophes and every character in its place."""
    lowered = text.translate(_STRAIGHT).lower()
    # The lower case of a few letters (İ) is two characters long, which would move all places after them.
    return lowered if len(lowered) == len(text) else "".join(char.lower()[:1] for char in text.translate(_STRAIGHT))


def _blank(pattern: re.Pattern[str], plain: str) -> str:
    return pattern.sub(lambda match: _READ * len(match[0]), plain)


def _blank_quotations(spoken: str) -> str:
    """Blank what is quoted inside a turn; a turn that is quoted as a whole is the supporter's own."""
    whole = spoken.strip()
    return _QUOTATION.sub(lambda match: match[0] if match[0] == whole else _READ * len(match[0]), spoken)
