"""What a supporter must not say, and what must not be missing from a turn where there is risk."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from esc_skills.language.lexicon import Lexicon, Rule, Severity, load_lexicon
from esc_skills.language.plain import blank_quotations, bounded, clause_before, lower, quoted, sentence_before
from esc_skills.safety.risk import RiskReading, find_risk
from esc_skills.vocabulary import Language, Risk

MISSED_RISK = "missed-risk"
PASSED_OVER_HINT = "passed-over-hint"

_LEVELS = (Risk.NONE, Risk.PASSIVE, Risk.ACTIVE, Risk.IMMINENT)


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
    lexicon, text = load_lexicon(language), bounded(text)
    readings = [find_risk(message, language) for message in seeker_said[-2:]]
    at_risk = any(reading.risk is not Risk.NONE for reading in readings)
    spoken = blank_quotations(lower(text))
    flags = list(_said(lexicon, text, spoken, at_risk, seeker_said))
    flags += _missed(lexicon, readings, spoken)
    return tuple(sorted(flags, key=lambda flag: flag.severity is not Severity.RED))


def _said(lexicon: Lexicon, text: str, spoken: str, at_risk: bool, seeker_said: Sequence[str]) -> Iterator[SafetyFlag]:
    """Yield a flag for each code one of whose phrases stands in the turn without an excuse."""
    if not at_risk and lexicon.any_phrase.search(spoken) is None:
        return  # as in nearly all turns, which are read for all codes at once
    seeker = "\n".join(bounded(message) for message in seeker_said).lower()
    for rule in lexicon.rules:
        patterns = (rule.phrases, rule.at_risk if at_risk else None)
        matches = (match for pattern in patterns if pattern for match in pattern.finditer(spoken))
        if found := _first_meant(lexicon, rule, spoken, matches, seeker):
            yield SafetyFlag(rule.code.code, rule.code.severity, quoted(text, found))


def _first_meant(
    lexicon: Lexicon, rule: Rule, spoken: str, matches: Iterable[re.Match[str]], seeker: str
) -> re.Match[str] | None:
    """Return the first match that the supporter means, rather than reports, denies or takes from the seeker's words."""
    for match in matches:
        label = match[match.lastindex] if match.lastindex else None
        if not (_is_excused(lexicon, rule, spoken, match) or (label and label in seeker)):
            return match
    return None


def _is_excused(lexicon: Lexicon, rule: Rule, spoken: str, match: re.Match[str]) -> bool:
    """Whether a phrase is reported, denied or, where it is amber, given back to the seeker who said it."""
    before = clause_before(lexicon, spoken, match)
    if lexicon.excuses.search(before) or (rule.excuses and rule.excuses.search(before)):
        return True
    if lexicon.taken_back.match(spoken, match.end()):
        return True
    sentence = sentence_before(spoken, match)
    return rule.code.severity is Severity.AMBER and lexicon.echoes.search(sentence) is not None


def _missed(lexicon: Lexicon, readings: Sequence[RiskReading], spoken: str) -> list[SafetyFlag]:
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
