"""What a seeker says about ending their own life."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from esc_skills.language.lexicon import Lexicon, load_lexicon
from esc_skills.language.plain import blank_out, bounded, clause_before, lower, quoted
from esc_skills.vocabulary import Language, Risk


@dataclass(frozen=True, slots=True)
class RiskReading:
    """The risk in a seeker's message, and the words that show it; empty where there is none."""

    risk: Risk
    quote: str = ""


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
    lexicon, text = load_lexicon(language), bounded(text)
    plain = blank_out(lexicon.idioms, lower(text))
    past = lexicon.past.search(plain)
    plain = blank_out(lexicon.past, plain) if past else plain
    for level, cues in lexicon.levels if lexicon.any_level.search(plain) else ():
        found = next((cue for cue in cues.finditer(plain) if not _is_denied(lexicon, plain, cue)), None)
        if found and (level is not Risk.PASSIVE or past is None):
            return RiskReading(_raised(lexicon, plain, level), quoted(text, found))
    return RiskReading(Risk.PASSIVE, quoted(text, past)) if past else RiskReading(Risk.NONE)


def _is_denied(lexicon: Lexicon, plain: str, cue: re.Match[str]) -> bool:
    """Whether what stands before a cue takes it back, or gives it to another person."""
    before = clause_before(lexicon, plain, cue)
    if lexicon.denied.search(before):
        return True
    return not lexicon.own.search(cue[0]) and lexicon.others.search(before) is not None


def _raised(lexicon: Lexicon, plain: str, level: Risk) -> Risk:
    if level is not Risk.ACTIVE:
        return level
    raised = any(not _is_denied(lexicon, plain, cue) for cue in lexicon.raises.finditer(plain))
    return Risk.IMMINENT if raised else level
