"""Features: what a supporter turn does in its exchange, as named numbers from 0 to 1 that mean the same in any language.

Counts saturate as x / (x + k), so a second cue adds less than the first and a tenth next to nothing. Nothing reads how
the seeker feels: of the seeker's words only what they are about and what they ask for is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from esc_skills.language.cues import Cues
from esc_skills.language.reading import Reading, read
from esc_skills.vocabulary import Language

#: A cue has half its strength when it occurs this often, and once more for each so many words.
_FIRST_CUES, _WORDS_PER_CUE = 1.0, 100
#: The words below which a turn is brief and above which it is long.
_BRIEF, _LONG = 20, 150
_LIST_ITEM = re.compile(r"(?m)^\s*(?:[-*•]\s|\d+[.、)]\s?|\*\*\d|#+\s)")
_BOLD = re.compile(r"\*\*[^*\n]+\*\*")
_EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf]")
_SCRIPT = re.compile(r"[“\"「][^”\"」\n]{6,}[”\"」]")
_QUESTION, _EXCLAMATION = re.compile("[?？]"), re.compile("[!！]")
_ENDING = 12
_ADDRESSED = {
    Language.ENGLISH: {
        "speaks-of-you": re.compile(r"\byou(?:r|rs|rself|['’]\w+)?\b", re.IGNORECASE),
        "speaks-of-us": re.compile(r"\b(?:we|us|our)\b", re.IGNORECASE),
        "speaks-of-others": re.compile(r"\b(?:he|she|they|him|her|them|his|their)\b", re.IGNORECASE),
    },
    Language.CHINESE: {
        "speaks-of-you": re.compile("[你您]"),
        "speaks-of-us": re.compile("我们"),
        "speaks-of-others": re.compile("[他她]"),
    },
}
#: Cues that please whoever hears them; a turn that is made of them flatters.
_PLEASING = (
    "praise", "agreement", "encouragement", "celebration", "strength-seen", "joy-named", "good-wishes", "no-fault", "warmth",
)  # fmt: skip
#: What answers each request.
_ANSWERS = {
    "advice": ("concrete-step", "suggestion"),
    "recognition": ("praise", "strength-seen"),
    "exoneration": ("no-fault",),
    "reasons": ("other-mind", "explanation"),
    "listening": ("invitation", "understanding"),
    "both-sides": ("balance", "explanation"),
    "insight": ("reflection-prompt",),
    "empathy": ("understanding", "deep-empathy"),
}


@dataclass(frozen=True, slots=True)
class Exchange:
    """A supporter turn with what led to it.

    Attributes:
        seeker_said: The message that it answers; empty where the supporter speaks first.
        supporter_said: The turn.
        earlier_supporter: The supporter's turns before it, oldest first.
        earlier_seeker: The seeker's messages before `seeker_said`, oldest first.
        background: The seeker's background, which the supporter does not see; may be empty.
        turn: The number of the turn, from 1.
    """

    seeker_said: str
    supporter_said: str
    earlier_supporter: tuple[str, ...] = ()
    earlier_seeker: tuple[str, ...] = ()
    background: str = ""
    turn: int = 1


def extract_features(exchange: Exchange, cues: Cues) -> dict[str, float]:
    """Return every feature of an exchange, each from 0 to 1, in an order that does not change."""
    reply = read(exchange.supporter_said, cues)
    found = cues.lexicon.count(exchange.supporter_said)["supporter"]
    features = dict(_cue_features(found, reply.words, cues))
    features.update(_form_features(exchange.supporter_said, reply.words))
    features.update(_address_features(exchange.supporter_said, reply.words, cues.language))
    features.update(_matter_features(exchange, reply, cues))
    features.update(_repetition_features(exchange, reply, cues))
    features["flattery"] = _saturate((sum(found.get(name, 0) for name in _PLEASING) / (reply.words + 20)) ** 2, 0.04)
    features.update(_request_features(exchange, found, cues))
    features["late"] = _saturate(exchange.turn - 1, 4)
    return features


def _saturate(amount: float, half: float) -> float:
    """Return 0 for nothing, one half for `half`, and towards 1 for much."""
    return amount / (amount + half)


def _cue_features(found: Mapping[str, int], words: float, cues: Cues) -> Iterator[tuple[str, float]]:
    half = _FIRST_CUES + words / _WORDS_PER_CUE
    for group, name in cues.lexicon.categories:
        if group == "supporter":
            yield name, _saturate(found[name], half) if name in found else 0.0


def _form_features(text: str, words: float) -> Iterator[tuple[str, float]]:
    yield "empty", float(words < 2)
    yield "brevity", _BRIEF / (words + _BRIEF)
    yield "length", _saturate(words, _LONG)
    yield "questions", _saturate(len(_QUESTION.findall(text)), 1)
    yield "ends-asking", float(_QUESTION.search(text[-_ENDING:]) is not None)
    yield "exclamations", _saturate(len(_EXCLAMATION.findall(text)), 2)
    yield "list", _saturate(len(_LIST_ITEM.findall(text)), 4)
    yield "bold", _saturate(len(_BOLD.findall(text)), 4)
    yield "emoji", _saturate(len(_EMOJI.findall(text)), 1)
    yield "script", _saturate(len(_SCRIPT.findall(text)), 2)


def _address_features(text: str, words: float, language: Language) -> Iterator[tuple[str, float]]:
    for name, pattern in _ADDRESSED[language].items():
        yield name, _saturate(100 * len(pattern.findall(text)) / max(words, 1), 5)


def _matter_features(exchange: Exchange, reply: Reading, cues: Cues) -> Iterator[tuple[str, float]]:
    """What the turn takes up of what the seeker said, just now or earlier, and how much is beside all that."""
    said = read(exchange.seeker_said, cues).terms
    earlier: frozenset[str] = frozenset().union(*(read(text, cues).terms for text in exchange.earlier_seeker))
    shared, remembered = reply.terms & said, (reply.terms & earlier) - said
    background = (reply.terms & read(exchange.background, cues).terms) - said - earlier
    size, beside = len(reply.terms), len(reply.terms) - len(shared) - len(remembered) - len(background)
    yield "echo", _saturate(len(shared), 3)
    yield "echo-share", len(shared) / (len(said) + 3)
    yield "memory", _saturate(len(remembered), 4)
    yield "off-point", (beside / max(1, size)) ** 3


def _repetition_features(exchange: Exchange, reply: Reading, cues: Cues) -> Iterator[tuple[str, float]]:
    """How far the wording repeats an earlier turn, the seeker's message, or itself."""
    earlier = [read(text, cues).pieces for text in exchange.earlier_supporter]
    size = max(1, len(reply.pieces))
    said = read(exchange.seeker_said, cues).pieces
    yield "repeats-turn", (max((len(reply.pieces & pieces) for pieces in earlier), default=0) / size) ** 2
    yield "parrots", len(reply.pieces & said) / size
    yield "stutters", (1 - len(reply.pieces) / reply.runs) ** 2 if reply.runs else 0.0


def _request_features(exchange: Exchange, found: Mapping[str, int], cues: Cues) -> Iterator[tuple[str, float]]:
    """How far the turn gives what the seeker explicitly asked for, and how far it passes it over."""
    answered = missed = 0.0
    for request, times in cues.lexicon.count(exchange.seeker_said)["requests"].items():
        wish = _saturate(times, 0.5)
        given = _saturate(sum(found.get(name, 0) for name in _ANSWERS[request]), 1)
        answered, missed = answered + wish * given, missed + wish * (1 - given)
    yield "request-answered", _saturate(answered, 0.5)
    yield "request-missed", _saturate(missed, 0.5)
