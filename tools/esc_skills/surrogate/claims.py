"""Claims: what a supporter turn says of its seeker as a fact, and how much of that nothing said supports.

A claim is a statement that speaks of `you`. Its specific words are those that supporters do not say to everybody: the facts of a
life. A specific word is supported where the seeker said it, in any form. English alone; in Chinese nothing is looked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path

from esc_skills.documents.text import read_text
from esc_skills.language.cues import load_cues
from esc_skills.language.reading import read_terms
from esc_skills.language.wording import split_words, stem
from esc_skills.surrogate.echo import split_sentences, turn_to_second_person
from esc_skills.vocabulary import Language

_YOU = re.compile(r"\byou(?:r|rs|rself|['’]\w+)?\b", re.IGNORECASE)
_TOKEN, _MARKS = re.compile(r"[\w']+|[.,;:!?…–—-]"), frozenset(".,;:!?…–—-")
#: So many words in a row are taken for the seeker's own.
_RUN = 3
#: What makes a sentence a guess, an offer or a general remark.
_OPEN = re.compile(
    r"\?|\b(?:if|maybe|perhaps|might|could|would|can|may|wonder|guess|some people|people|others|someone|somebody|many|let|try|imagine)\b",
    re.IGNORECASE,
)


def unsupported_words(answer: str, said: Sequence[str], language: Language) -> frozenset[str]:
    """Return the stems of the specific words that an answer claims of the seeker and that the seeker never said.

    Args:
        answer: The supporter turn.
        said: All that the seeker said so far.
        language: The language of both.
    """
    if language is not Language.ENGLISH:
        return frozenset()
    claimed = _claimed(answer)
    return claimed - frozenset().union(*map(_stems, said)) if claimed else claimed


def fits_anybody(answer: str, said: Sequence[str], language: Language) -> bool:
    """Return whether an answer takes up no word of content that the seeker said."""
    cues = load_cues(language)
    return not any(read_terms(answer, cues) & read_terms(each, cues) for each in said)


def breaks_off(answer: str, seeker_said: str, language: Language) -> bool:
    """Return whether a sentence of an answer gives the seeker's words back and stops in the middle of their clause."""
    if language is not Language.ENGLISH:
        return False
    said = _tokens(turn_to_second_person(seeker_said))
    for sentence in split_sentences(answer):
        last = [each for each in _tokens(sentence) if each not in _MARKS][-_RUN:]
        places = [at + _RUN for at in range(len(said) - _RUN) if said[at : at + _RUN] == last]
        if len(last) == _RUN and places and all(said[at] not in _MARKS for at in places):
            return True
    return False


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text.lower().replace("’", "'"))


@lru_cache(maxsize=4096)
def _claimed(answer: str) -> frozenset[str]:
    claims = (each for each in split_sentences(answer) if _YOU.search(each) and not _OPEN.search(each))
    return frozenset().union(*map(_specific, claims))


@lru_cache(maxsize=8192)
def _specific(text: str) -> frozenset[str]:
    return frozenset(each for each in _stems(text) if len(each) > 2) - general_words()


@lru_cache(maxsize=8192)
def _stems(text: str) -> frozenset[str]:
    return frozenset(map(stem, split_words(text)))


@cache
def general_words() -> frozenset[str]:
    """Return the stems that supporters say whoever listens; `bench/general_words.py` makes the file."""
    path = Path(__file__).parent / "data" / "general-words.en.txt"
    return frozenset(read_text(path).split())
