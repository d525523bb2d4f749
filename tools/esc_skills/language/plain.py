"""Texts as the phrases of the lexicon are looked for in them: bounded, in lower case, with what was read blanked."""

from __future__ import annotations

import re

from esc_skills.language.lexicon import Lexicon

#: How far before a phrase its excuse may stand, in characters; a clause is rarely longer.
_REACH = 120
#: Stands for what has been read already: no letter, no space and no clause break, so no phrase reaches across it.
_READ = "\0"
#: The longest published turn has 3,000 characters.
_MAX_CHARACTERS = 20_000
_SENTENCE_END = re.compile(r"[.!?。！？\n]")
_EDGES = re.compile(r"^[\s\W]+|[\s\W]+$")
#: Curly apostrophes become straight ones; each character stays one, so that places in the text stay true.
_STRAIGHT = str.maketrans({"’": "'", "‘": "'", "ʼ": "'"})
_QUOTATION = re.compile(r"[\"“”「『][^\"“”「」『』\n]{1,160}[\"“”」』]")


def bounded(text: str) -> str:
    """Return a text with its white space folded and not longer than any turn, so that no pattern takes long on it."""
    return " ".join(text[:_MAX_CHARACTERS].split())


def lower(text: str) -> str:
    """Return the text in lower case with straight apostrophes and every character in its place."""
    lowered = text.translate(_STRAIGHT).lower()
    # The lower case of a few letters (İ) is two characters long, which would move all places after them.
    return lowered if len(lowered) == len(text) else "".join(char.lower()[:1] for char in text.translate(_STRAIGHT))


def blank_out(pattern: re.Pattern[str], plain: str) -> str:
    """Return a text in which no phrase finds what a pattern has found, and everything else in its place."""
    return pattern.sub(lambda match: _READ * len(match[0]), plain)


def blank_quotations(spoken: str) -> str:
    """Blank what is quoted inside a turn; a turn that is quoted as a whole is the supporter's own."""
    whole = spoken.strip()
    return _QUOTATION.sub(lambda match: match[0] if match[0] == whole else _READ * len(match[0]), spoken)


def clause_before(lexicon: Lexicon, plain: str, match: re.Match[str]) -> str:
    """Return what stands before a match in its clause.

    A match may open with the break that ends the clause before it, and begins behind that.
    """
    opening = _EDGES.match(match[0])
    start = match.start() + (opening.end() if opening else 0)
    return lexicon.clause.split(plain[max(0, start - _REACH) : start])[-1]


def sentence_before(spoken: str, match: re.Match[str]) -> str:
    """Return what stands before a match in its sentence."""
    return _SENTENCE_END.split(spoken[max(0, match.start() - _REACH) : match.start()])[-1]


def quoted(text: str, match: re.Match[str]) -> str:
    """Return the words of a match as they were written."""
    return _EDGES.sub("", text[match.start() : match.end()])
