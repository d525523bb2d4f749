"""Danger: which lines of a skill stand for it, so that what weakens or removes one never travels with anything else.

A wide net of words, in which a line too many costs an owner's signature and a line too few may cost more. Whether a change
makes such a line better or worse is for a person to say; no list of words can.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache

#: What stands for danger, in the forms in which guidance, examples and risks speak of it.
_DANGER = re.compile(
    r"""suicid\w* | self[-\s]?harm\w* | (?:kill|hurt|harm|cut|hang|drown|poison)(?:s|ing)?\s+(?:yourself|themselves|myself|himself|herself|oneself|someone|somebody)
    | (?:end|ends|ending|take|takes|taking)\s+(?:their|your|my|his|her|one's)\s+(?:own\s+)?li(?:fe|ves) | end(?:ing)?\s+it\s+all
    | (?:want(?:s|ing)?|wish(?:es|ing)?|longing|plan(?:s|ning)?)\s+to\s+(?:die|be\s+dead|be\s+gone|disappear)
    | wish\s+(?:to\s+be\s+dead|not\s+to\s+be\s+here) | better\s+off\s+(?:dead|without) | thoughts?\s+of\s+(?:dying|death|ending)
    | (?:not|n't)\s+want(?:s|ing)?\s+to\s+(?:be\s+(?:here|alive|around)|live|wake|exist|go\s+on) | not\s+wanting\s+to\s+(?:be\s+here|live|exist)
    | (?:no\s+)?(?:point|reason)\s+(?:in|to)\s+liv\w+ | (?:giving|give)\s+up\s+on\s+life | stay(?:ing)?\s+alive
    | overdos\w+ | (?:crisis|emergency|hot|help|life)[-\s]?(?:lines?|numbers?|services?|rooms?) | samaritans | ambulance
    | in\s+(?:immediate\s+|acute\s+)?danger | danger(?:ous)?\b | (?:are|keep|stay)\s+(?:you\s+|they\s+|them\s+)?safe\b(?!\s+to\b) | (?:their|your|about)\s+safety
    | violen\w+ | (?:being|is|was|were|get|gets)\s+(?:hit|beaten|abused|raped|threatened) | abus(?:e|es|ed|er|ive)\b | rape\w* | weapons? | firearms? | \bguns?\b
    | (?:promis\w+|keep\w*|swear\w*)\s+(?:\w+\s+){0,3}(?:secre\w+|confiden\w+|to\s+(?:yourself|ourselves|themselves)|between\s+us) | secrecy
    | \btell\s+(?:no\s?(?:one|body)|nobody) | between\s+(?:us|you\s+and\s+me)\b
    | (?:a|the)\s+(?:method|means)\s+(?:of|to|for)\b | (?:access\s+to|keep|distance\s+from|away\s+from)\s+(?:the\s+)?(?:means|pills|tablets)
    | \b(?:911|988|999|112|110|120|119|000|116\s?123)\b | poison\s+control | child\s+protection | safeguarding | police
    | `[a-z-]*(?:risk|suicide|danger|safety)[a-z-]*`
    | 自杀 | 自殺 | 自残 | 自殘 | 自伤 | 自傷 | 轻生 | 輕生 | 想死 | 不想活 | 活不下去 | 结束(?:自己的)?生命 | 結束(?:自己的)?生命 | 去死 | 遗书 | 遺書
    | 热线 | 熱線 | 急救 | 报警 | 報警 | 危险 | 危險 | 危机 | 危機 | 家暴 | 暴力 | 虐待 | 强奸 | 性侵 | 保密 | 别告诉 | 別告訴 | 过量 | 過量""",
    flags=re.VERBOSE | re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<=[.!?。！？…])[\"”’')]*\s+|\n")
_MARK = re.compile(r"^(?:[-*]|\d+[.)]|#+|\*\*\w+:\*\*)\s*")


class Danger(StrEnum):
    """What a change does to the lines that stand for danger."""

    NONE = "none"
    ADDED = "added"
    WEAKENED = "weakened or removed"


def stands_for_danger(text: str) -> bool:
    """Whether a text holds a word that stands for danger."""
    return _DANGER.search(text) is not None


@lru_cache(maxsize=4096)
def lines_for_danger(text: str) -> frozenset[str]:
    """Return the items and sentences of a text that stand for danger, with single blanks and without list marks.

    An item of a list is one, whatever sentences it holds: the one beside a warning says what to do.
    """
    found: set[str] = set()
    for line in text.split("\n"):
        own = _MARK.sub("", line.strip())
        whole = own != line.strip() and not line.strip().startswith(("#", "**"))
        units = [own] if whole else _SENTENCE_END.split(own)
        found.update(" ".join(each.split()) for each in units if each.strip() and stands_for_danger(each))
    return frozenset(found)


def danger_of_change(before: str | None, after: str | None, standard: Iterable[str]) -> Danger:
    """Return what a change of a text does to the lines that stand for danger.

    Args:
        before: The text; None where it was not there.
        after: The text now; None where it is not there any more.
        standard: Lines that may be added freely: those that stand word for word in the bank already.
    """
    old, new = lines_for_danger(before or ""), lines_for_danger(after or "")
    if old - new:
        return Danger.WEAKENED
    return Danger.ADDED if new - old - frozenset(standard) else Danger.NONE
