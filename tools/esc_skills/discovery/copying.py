"""Copying: whether a text takes over a run of words from another one, whatever their case, spacing and punctuation."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import accumulate

#: A run is copied from eight words on, or from twelve Chinese characters; in mixed runs each counts its share of that.
_WORD, _CHARACTER, _COPIED = 3, 2, 24
_CHINESE = "\u3400-\u9fff\uf900-\ufaff"
_TOKEN = re.compile(rf"[{_CHINESE}]|[^\W_{_CHINESE}]+(?:'[^\W_{_CHINESE}]+)*")
_IS_CHINESE = re.compile(f"[{_CHINESE}]")


class Sources:
    """Texts that nothing may be copied from.

    They are held as a suffix automaton, so that a search takes time in proportion to the text alone, however often words
    repeat in either. Source: Blumer et al., Theoretical Computer Science 40 (1985) 31–55.

    Args:
        texts: The texts.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._next: list[dict[str, int]] = [{}]
        self._link, self._length = [-1], [0]
        for text in texts:
            state = 0
            for token in _tokens(text):
                state = self._extend(state, token)

    def find_copied(self, text: str) -> str | None:
        """Return the words of the longest run that a text has from one of these texts; None where none is too long."""
        tokens = _tokens(text)
        weights = [0, *accumulate(map(_weight, tokens))]
        longest, copied = _COPIED - 1, None
        state = size = 0
        for end, token in enumerate(tokens, start=1):
            while state and token not in self._next[state]:
                state = self._link[state]
                size = self._length[state]
            state, size = (self._next[state][token], size + 1) if token in self._next[state] else (0, 0)
            if (weight := weights[end] - weights[end - size]) > longest:
                longest, copied = weight, (end - size, end)
        return _joined(tokens[slice(*copied)]) if copied else None

    def _extend(self, last: int, token: str) -> int:
        """Return the state of a run that is longer by a token than that of the last state."""
        if token in self._next[last]:
            return self._follow(last, token)
        added = self._add({}, 0, self._length[last] + 1)
        at = last
        while at >= 0 and token not in self._next[at]:
            self._next[at][token] = added
            at = self._link[at]
        if at >= 0:
            self._link[added] = self._follow(at, token)
        return added

    def _follow(self, before: int, token: str) -> int:
        """Return the state after one, parted from that of longer runs where it was theirs as well."""
        state, length = self._next[before][token], self._length[before] + 1
        if self._length[state] == length:
            return state
        parted = self._add(dict(self._next[state]), self._link[state], length)
        self._link[state] = parted
        while before >= 0 and self._next[before].get(token) == state:
            self._next[before][token] = parted
            before = self._link[before]
        return parted

    def _add(self, following: dict[str, int], link: int, length: int) -> int:
        self._next.append(following)
        self._link.append(link)
        self._length.append(length)
        return len(self._next) - 1


def _tokens(text: str) -> list[str]:
    """Return words in one case and Chinese characters, each by itself; characters that nobody sees part no word."""
    plain = unicodedata.normalize("NFKC", text).replace("’", "'")
    seen = "".join(each for each in plain if unicodedata.category(each) != "Cf")
    return _TOKEN.findall(seen.casefold())


def _weight(token: str) -> int:
    return _CHARACTER if _IS_CHINESE.match(token) else _WORD


def _joined(tokens: Sequence[str]) -> str:
    text = ""
    for each in tokens:
        close = _IS_CHINESE.match(each) and (not text or _IS_CHINESE.match(text[-1]))
        text += each if close or not text else f" {each}"
    return text
