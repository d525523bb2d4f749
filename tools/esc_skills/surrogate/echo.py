"""Echoing: how the surrogate supporter gives a seeker's own words back, and what it takes for words of content."""

from __future__ import annotations

import re
from functools import lru_cache

from esc_skills.language.cues import load_cues
from esc_skills.language.reading import read
from esc_skills.vocabulary import Language

_SENTENCE = re.compile(r"[^.!?…]+[.!?…]+[\"”’']?|[^.!?…]+$")
_CLAUSE = re.compile(r"[;:]\s+|,\s+(?:and|but|so|because|though)\s+")
_MAX_WORDS = 22

_TURNED = {
    "i": "you", "me": "you", "my": "your", "mine": "yours", "myself": "yourself", "i'm": "you're", "i've": "you've",
    "i'd": "you'd", "i'll": "you'll", "am": "are",
}  # fmt: skip
_ABOUT_SELF = re.compile(r"\b(?:I|[Mm]e|[Mm]y)\b")
_FIRST_PERSON = re.compile(r"\b([Ii] (?:(?:also|always|just|never|only|really|still) )?)(was|am)(?=n't\b|\b)")
# The look-behind spares the hour: `3 am`.
_TURNABLE = re.compile(r"\b(?:[Ii]['’](?:m|ve|d|ll)|[Ii]|[Mm]yself|[Mm]ine|[Mm]y|[Mm]e|(?<!\d )[Aa]m)\b(?!['’])")
_LEADS = ("", "So ", "", "What I hear is that ", "", "You mention that ")


@lru_cache(maxsize=8192)
def split_sentences(text: str) -> tuple[str, ...]:
    """Return the sentences of an English text, stripped."""
    return tuple(sentence.strip() for sentence in _SENTENCE.findall(text) if sentence.strip())


def content_words(text: str) -> frozenset[str]:
    """Return the words of an English text that carry content, in their stems."""
    return read(text, load_cues(Language.ENGLISH)).terms


def echo_of(seeker_said: str, turn: int) -> str:
    """Return the sentence of a message that says most, turned to the second person; empty where none says much.

    Args:
        seeker_said: The seeker's message.
        turn: The number of earlier supporter turns, by which the lead-in changes.
    """
    statements = [each for each in split_sentences(seeker_said) if not each.endswith("?")]
    # A sentence about themselves says more of a seeker than a remark on what the supporter said.
    weightiest = max(
        statements, key=lambda each: (bool(_ABOUT_SELF.search(each)), len(content_words(each))), default=""
    )
    if len(content_words(weightiest)) < 3:
        return ""
    turned = turn_to_second_person(_shorten(weightiest)).strip(' .!…"“”')
    lead = _LEADS[turn % len(_LEADS)]
    first = turned[0].lower() if lead else turned[0].upper()
    return f"{lead}{first}{turned[1:]}."


def _shorten(sentence: str) -> str:
    clauses = _CLAUSE.split(sentence)
    kept = clauses[0]
    for clause in clauses[1:]:
        whole = sentence[: sentence.index(clause, len(kept)) + len(clause)]
        if len(whole.split()) > _MAX_WORDS:
            break
        kept = whole
    return kept


def turn_to_second_person(sentence: str) -> str:
    """Return a first-person sentence as one about `you`: `I was hurt by my boss` → `you were hurt by your boss`."""
    sentence = sentence.replace("’", "'")
    sentence = _FIRST_PERSON.sub(lambda mark: mark[1] + ("were" if mark[2] == "was" else "are"), sentence)
    return _TURNABLE.sub(lambda mark: _TURNED[mark[0].lower()], sentence)
