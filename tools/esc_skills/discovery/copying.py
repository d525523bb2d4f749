"""Copying: whether a text takes over a run of words from another one, whatever their case, spacing and punctuation."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence

#: A run is copied from eight words on, or from twelve Chinese characters; in mixed runs each counts its share of that.
_WORD, _CHARACTER, _COPIED = 3, 2, 24
#: The fewest words that a copied run can have.
_LEAST = _COPIED // _WORD
_CHINESE = "\u3400-\u9fff\uf900-\ufaff"
_TOKEN = re.compile(rf"[{_CHINESE}]|[^\W_{_CHINESE}]+(?:'[^\W_{_CHINESE}]+)*")
_IS_CHINESE = re.compile(f"[{_CHINESE}]")


class Sources:
    """Texts that nothing may be copied from.

    Args:
        texts: The texts.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._sources = [_tokens(text) for text in texts]
        self._places: dict[tuple[str, ...], list[tuple[int, int]]] = defaultdict(list)
        for which, tokens in enumerate(self._sources):
            for at in range(len(tokens) - _LEAST + 1):
                self._places[tuple(tokens[at : at + _LEAST])].append((which, at))

    def find_copied(self, text: str) -> str | None:
        """Return the words of the longest run that a text has from one of these texts; None where none is too long."""
        tokens = _tokens(text)
        runs = [
            tokens[start : start + _shared(tokens[start:], self._sources[which][at:])]
            for start in range(len(tokens) - _LEAST + 1)
            for which, at in self._places.get(tuple(tokens[start : start + _LEAST]), ())
        ]
        longest = max(runs, key=_weight, default=[])
        return _joined(longest) if _weight(longest) >= _COPIED else None


def _tokens(text: str) -> list[str]:
    """Return words in one case and Chinese characters, each by itself; characters that nobody sees part no word."""
    plain = unicodedata.normalize("NFKC", text).replace("’", "'")
    seen = "".join(each for each in plain if unicodedata.category(each) != "Cf")
    return _TOKEN.findall(seen.casefold())


def _shared(tokens: Sequence[str], others: Sequence[str]) -> int:
    pairs = zip(tokens, others, strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), min(len(tokens), len(others)))


def _weight(tokens: Sequence[str]) -> int:
    return sum(_CHARACTER if _IS_CHINESE.match(each) else _WORD for each in tokens)


def _joined(tokens: Sequence[str]) -> str:
    text = ""
    for each in tokens:
        close = _IS_CHINESE.match(each) and (not text or _IS_CHINESE.match(text[-1]))
        text += each if close or not text else f" {each}"
    return text
