"""Wording: how English and Chinese texts are cut into words, so that the appraisal can count and compare them."""

from __future__ import annotations

import re
from functools import lru_cache

from esc_skills.vocabulary import Language

#: A Chinese character carries about as much as this share of an English word, going by parallel texts.
WORDS_PER_CHARACTER = 0.6

CHINESE = re.compile("[\u4e00-\u9fff]+")
_WORD = re.compile(r"[a-z0-9]+(?:[-'][a-z0-9]+)*")
_APOSTROPHES = str.maketrans("’‘ʼ", "'''")
#: The shortest stem; what is shorter is kept whole.
_SHORTEST = 3
_ENDINGS = (("ies", "y"), ("ied", "y"), ("ing", ""), ("ed", ""), ("es", ""), ("s", ""), ("e", ""), ("ly", ""))


def detect_language(text: str) -> Language:
    """Return Chinese where more than a third of the characters are Chinese, and English otherwise."""
    return Language.CHINESE if 3 * count_chinese(text) > len(text) else Language.ENGLISH


def count_chinese(text: str) -> int:
    """Return the number of Chinese characters."""
    return sum(map(len, CHINESE.findall(text)))


def split_words(text: str) -> list[str]:
    """Return the words of an English text in lower case, with straight apostrophes and without punctuation."""
    return _WORD.findall(text.lower().translate(_APOSTROPHES))


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Return an English word without its inflection, well enough to count `worried` and `worries` as one."""
    if len(word) <= _SHORTEST:
        return word
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST and not word.endswith("ss"):
            word = word[: -len(ending)] + instead
            break
    if len(word) > _SHORTEST + 1 and word[-1] == word[-2] and word[-1] not in "ls":
        word = word[:-1]
    return word[:-1] if word.endswith("e") and len(word) > _SHORTEST else word
