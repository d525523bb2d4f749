"""Echoing: how the surrogate supporter gives a seeker's own words back, and what it takes for words of content."""

from __future__ import annotations

import re
from functools import lru_cache

_SENTENCE = re.compile(r"[^.!?…]+[.!?…]+[\"”’']?|[^.!?…]+$")
_WORD = re.compile(r"[a-z][a-z'’]*")
_CLAUSE = re.compile(r"[;:]\s+|,\s+(?:and|but|so|because|though)\s+")
_MAX_WORDS = 22

#: Words that carry no content of their own.
_FUNCTION_WORDS = frozenset(
    [
        "a",
        "about",
        "after",
        "again",
        "all",
        "also",
        "am",
        "an",
        "and",
        "any",
        "anything",
        "are",
        "as",
        "at",
        "away",
        "back",
        "be",
        "because",
        "been",
        "before",
        "being",
        "between",
        "both",
        "but",
        "by",
        "can",
        "cannot",
        "could",
        "did",
        "do",
        "does",
        "doing",
        "done",
        "don't",
        "down",
        "each",
        "either",
        "even",
        "ever",
        "every",
        "everything",
        "for",
        "from",
        "get",
        "gets",
        "getting",
        "go",
        "goes",
        "going",
        "gone",
        "got",
        "had",
        "has",
        "have",
        "having",
        "he",
        "her",
        "here",
        "hers",
        "him",
        "his",
        "how",
        "i",
        "i'd",
        "i'll",
        "i'm",
        "i've",
        "if",
        "in",
        "into",
        "is",
        "it",
        "it's",
        "its",
        "itself",
        "just",
        "keep",
        "kept",
        "know",
        "least",
        "less",
        "let",
        "like",
        "made",
        "make",
        "makes",
        "making",
        "many",
        "may",
        "maybe",
        "me",
        "might",
        "mine",
        "more",
        "most",
        "much",
        "must",
        "my",
        "myself",
        "neither",
        "never",
        "no",
        "nobody",
        "none",
        "nor",
        "not",
        "nothing",
        "now",
        "of",
        "off",
        "on",
        "once",
        "one",
        "only",
        "or",
        "other",
        "our",
        "out",
        "over",
        "own",
        "perhaps",
        "quite",
        "rather",
        "really",
        "said",
        "same",
        "say",
        "saying",
        "says",
        "see",
        "seem",
        "seems",
        "she",
        "should",
        "since",
        "so",
        "some",
        "somebody",
        "someone",
        "something",
        "still",
        "such",
        "take",
        "than",
        "that",
        "that's",
        "the",
        "their",
        "theirs",
        "them",
        "then",
        "there",
        "there's",
        "these",
        "they",
        "thing",
        "things",
        "this",
        "those",
        "though",
        "through",
        "till",
        "to",
        "told",
        "too",
        "two",
        "under",
        "until",
        "up",
        "upon",
        "us",
        "very",
        "was",
        "way",
        "we",
        "well",
        "went",
        "were",
        "what",
        "what's",
        "when",
        "where",
        "whether",
        "which",
        "while",
        "who",
        "whom",
        "whose",
        "why",
        "will",
        "with",
        "within",
        "without",
        "would",
        "yes",
        "yet",
        "you",
        "you'd",
        "you'll",
        "you're",
        "you've",
        "your",
        "yours",
        "yourself",
    ]
)

_TURNED = {
    "i": "you", "me": "you", "my": "your", "mine": "yours", "myself": "yourself", "i'm": "you're", "i've": "you've",
    "i'd": "you'd", "i'll": "you'll", "am": "are",
}  # fmt: skip
_FIRST_PERSON = re.compile(r"\bI (was|am)\b")
_TURNABLE = re.compile(r"\b(?:[Ii]['’](?:m|ve|d|ll)|[Ii]|[Mm]yself|[Mm]ine|[Mm]y|[Mm]e|am)\b(?!['’])")
_LEADS = ("", "So, as I hear you: ", "", "What I am taking in is this: ", "", "You are telling me something here: ")


@lru_cache(maxsize=8192)
def split_sentences(text: str) -> tuple[str, ...]:
    """Return the sentences of an English text, stripped."""
    return tuple(sentence.strip() for sentence in _SENTENCE.findall(text) if sentence.strip())


@lru_cache(maxsize=8192)
def content_words(text: str) -> frozenset[str]:
    """Return the words of an English text that carry content, in lower case, cut to their first six letters.

    The cut lets `promised` and `promise` count as one word.
    """
    words = _WORD.findall(text.lower().replace("’", "'"))
    return frozenset(word[:6] for word in words if word not in _FUNCTION_WORDS and len(word) > 2)


def echo_of(seeker_said: str, turn: int) -> str:
    """Return the sentence of a message that says most, turned to the second person; empty where none says much.

    Args:
        seeker_said: The seeker's message.
        turn: The number of earlier supporter turns, by which the lead-in changes.
    """
    statements = [each for each in split_sentences(seeker_said) if not each.endswith("?")]
    weightiest = max(statements, key=lambda each: len(content_words(each)), default="")
    if len(content_words(weightiest)) < 3:
        return ""
    turned = turn_to_second_person(_shorten(weightiest)).strip(' .!…"“”')
    lead = _LEADS[turn % len(_LEADS)]
    return f"{lead}{turned[0].lower() + turned[1:] if lead and not turned.startswith('I ') else turned[0].upper() + turned[1:]}."


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
    sentence = _FIRST_PERSON.sub(lambda mark: "I were" if mark[1] == "was" else "I are", sentence.replace("’", "'"))
    return _TURNABLE.sub(lambda mark: _TURNED[mark[0].lower()], sentence)
