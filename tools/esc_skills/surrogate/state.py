"""Reading the seeker's state from what the seeker says, by the words of `data/state.<language>.yaml`.

The supporter sees nothing else: never the profile, never the hidden intention.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from esc_skills.language.cues import Lexicon, load_lexicon
from esc_skills.safety.risk import read_risk
from esc_skills.vocabulary import Disposition, EmotionType, HiddenIntention, Language, Risk, Stage

#: What was said longer ago counts less: each message weighs this much of the one after it.
_FADING = 0.8
#: How many messages tell how strong the emotion is now.
_RECENT = 2
#: Messages up to this one explore and those from the later one on may act, as ESConv's stages follow one another.
_EXPLORES_UNTIL, _ACTS_FROM = 2, 5
#: A message below this many words gives little; one of SAGE's withdrawn seekers.
_FEW_WORDS = 12


@dataclass(frozen=True, slots=True)
class SeekerState:
    """A seeker's state as inferred from what was said.

    Attributes:
        emotion_type: The likeliest emotion, or None where nothing tells.
        emotion_intensity: 1 to 5.
        stage: Where the conversation stands.
        disposition: The likeliest disposition, or None where nothing tells.
        needs: The hidden intentions that the words hint at, with weights that sum to 1, the weightiest first; empty
            where nothing tells.
        risk: The gravest risk that any message states.
    """

    emotion_type: EmotionType | None
    emotion_intensity: int
    stage: Stage
    disposition: Disposition | None
    needs: Mapping[HiddenIntention, float]
    risk: Risk

    @property
    def need(self) -> HiddenIntention | None:
        """The likeliest need, or None."""
        return next(iter(self.needs), None)


def read_seeker_state(messages: Sequence[str], language: Language) -> SeekerState:
    """Return the state that a seeker's messages, oldest first, tell of."""
    counts = [_count(message, language) for message in messages]
    needs = _weights(_faded(counts, "needs"))
    return SeekerState(
        emotion_type=_likeliest(_faded(counts, "emotions"), EmotionType),
        emotion_intensity=_intensity(counts),
        stage=_stage(len(messages), bool(needs)),
        disposition=_disposition(messages, counts),
        needs={HiddenIntention(name): weight for name, weight in needs.items()},
        risk=max((_risk(message, language) for message in messages), key=list(Risk).index),
    )


@cache
def _lexicon(language: Language) -> Lexicon:
    return load_lexicon(Path(__file__).parent / "data" / f"state.{language}.yaml")


@lru_cache(maxsize=4096)  # each message is read again at every later turn
def _count(message: str, language: Language) -> Mapping[str, Mapping[str, int]]:
    return _lexicon(language).count(message)


@lru_cache(maxsize=4096)
def _risk(message: str, language: Language) -> Risk:
    return read_risk(message, language)


def _faded(counts: Sequence[Mapping[str, Mapping[str, int]]], group: str) -> dict[str, float]:
    total: dict[str, float] = {}
    for age, count in enumerate(reversed(counts)):
        for name, times in count[group].items():
            total[name] = total.get(name, 0.0) + _FADING**age * times
    return total


def _weights(faded: Mapping[str, float]) -> dict[str, float]:
    total = sum(faded.values())
    ranked = sorted(faded.items(), key=lambda item: (-item[1], item[0]))
    return {name: weight / total for name, weight in ranked if weight > 0}


def _likeliest(faded: Mapping[str, float], kind: type[EmotionType]) -> EmotionType | None:
    return kind(next(iter(_weights(faded)))) if faded else None


def _intensity(counts: Sequence[Mapping[str, Mapping[str, int]]]) -> int:
    faded = _faded(counts[-_RECENT:], "intensity")
    balance = faded.get("strong", 0.0) - faded.get("mild", 0.0)
    return max(1, min(5, 3 + round(balance / 2)))


def _stage(messages: int, need_known: bool) -> Stage:
    if messages <= _EXPLORES_UNTIL:
        return Stage.EXPLORATION
    return Stage.ACTION if need_known and messages >= _ACTS_FROM else Stage.COMFORTING


def _disposition(messages: Sequence[str], counts: Sequence[Mapping[str, Mapping[str, int]]]) -> Disposition | None:
    faded = _faded(counts, "dispositions")
    if len(messages[-1].split()) < _FEW_WORDS:
        faded[Disposition.PASSIVE] = faded.get(Disposition.PASSIVE, 0.0) + 0.5
    ranked = _weights(faded)
    return Disposition(next(iter(ranked))) if ranked else None
