"""Word-level differences of two texts, in which nothing that changed is cut and nothing stays invisible."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

_TOKEN = re.compile(r"[^\S\n]+|\n|\w+|[^\w\s]")
#: Above so many words in the part that differs, it is shown as one text removed and one added: matching takes quadratic time.
_MOST = 3_000
#: Two texts less alike than this are shown one after the other; a difference by words would be a riddle.
_ALIKE = 0.5
#: How many words of what stayed are shown on each side of a change.
_AROUND = 10
#: Letters and signs that look like nothing, though Unicode does not count them among the format characters.
BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180e\u2800\u3164\uffa0")
_SPACE, _LINE_END, _TAB = "␠", "⏎", "⇥"


class Kind(StrEnum):
    """What became of a piece of text."""

    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text of one kind."""

    kind: Kind
    text: str


def word_diff(before: str, after: str) -> tuple[Piece, ...]:
    """Return two texts as pieces: those of `before` are the same or removed, those of `after` the same or added, in order."""
    one, other = _TOKEN.findall(before), _TOKEN.findall(after)
    start = _shared(one, other)
    end = _shared(one[start:][::-1], other[start:][::-1])
    middle = one[start : len(one) - end], other[start : len(other) - end]
    pieces = [*_pieces(Kind.SAME, one[:start]), *_compare(*middle), *_pieces(Kind.SAME, one[len(one) - end :])]
    return tuple(pieces)


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _compare(one: list[str], other: list[str]) -> Iterator[Piece]:
    whole = [*_pieces(Kind.REMOVED, one), *_pieces(Kind.ADDED, other)]
    if not one or not other or len(one) > _MOST or len(other) > _MOST:
        yield from whole
        return
    old, new = ([token for token in tokens if token.isalnum()] for tokens in (one, other))
    if (old or new) and difflib.SequenceMatcher(None, old, new, autojunk=False).ratio() < _ALIKE:
        yield from whole
        return
    matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            yield from _pieces(Kind.SAME, one[a:b])
        else:
            yield from _pieces(Kind.REMOVED, one[a:b])
            yield from _pieces(Kind.ADDED, other[c:d])


def _pieces(kind: Kind, tokens: Sequence[str]) -> Iterator[Piece]:
    if tokens:
        yield Piece(kind, "".join(tokens))


def shortened(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Yield pieces with long stretches of what stayed cut to the words beside a change; nothing else is cut."""
    for at, piece in enumerate(pieces):
        tokens = _TOKEN.findall(piece.text) if piece.kind is Kind.SAME else []
        head, tail = _AROUND if at > 0 else 0, _AROUND if at < len(pieces) - 1 else 0
        if len(tokens) > 2 * (head + tail) + 2:
            text = "".join(tokens[: 2 * head]) + " … " + ("".join(tokens[-2 * tail :]) if tail else "")
            yield Piece(Kind.SAME, text)
        else:
            yield piece


def visible(text: str, *, changed: bool) -> str:
    """Return a text on one line in which everything can be seen.

    What has no form of its own stands as its number, such as ⟨U+200B⟩, and a byte that is no UTF-8 as ⟨byte 0x9F⟩. Of changed
    text line ends stand as ⏎, and blanks as ␠ where there is nothing else.
    """
    if not changed:
        return "".join(map(_seen, text.replace("\n", " ")))
    if not text.strip(" \n\t"):
        text = text.replace(" ", _SPACE)
    return "".join(map(_seen, text.replace("\n", f"{_LINE_END} ").replace("\t", _TAB)))


def _seen(character: str) -> str:
    if " " <= character <= "~":
        return character
    if "\udc80" <= character <= "\udcff":
        return f"⟨byte 0x{ord(character) - 0xDC00:02X}⟩"
    return f"⟨U+{ord(character):04X}⟩" if is_unseen(character) else character


def is_unseen(character: str) -> bool:
    """Whether a character cannot be seen, or cannot be told from a plain blank."""
    category = unicodedata.category(character)
    return (
        category in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
        or (category == "Zs" and character != " ")
        or character in BLANK_LETTERS
        or "\ufe00" <= character <= "\ufe0f"
        or "\U000e0100" <= character <= "\U000e01ef"
    )
