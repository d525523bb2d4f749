"""Measures of an arm's responses: strategy match, distinct-n, length and safety flags."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from statistics import fmean

from esc_skills.language.reading import count_words
from esc_skills.language.wording import CHINESE, split_words
from esc_skills.simulation.intervals import Interval, share_interval
from esc_skills.simulation.responses.contexts import Context
from esc_skills.vocabulary import Language, Strategy

#: Names the strategies of an answer to a context.
Annotator = Callable[[str, Context], Collection[Strategy]]


@dataclass(frozen=True, slots=True)
class Said:
    """One response as it is measured.

    Attributes:
        context: What it answers.
        text: The response.
        skill: The skill that it was answered with, if any.
        predicted: The strategies that the annotator finds in it.
        flags: The safety flags that it raises.
    """

    context: Context
    text: str
    skill: str | None
    predicted: frozenset[Strategy]
    flags: tuple[str, ...]

    @property
    def matches(self) -> bool:
        """Whether a strategy that is found is one of those that the corpus gives for its own answer."""
        return not self.predicted.isdisjoint(self.context.strategies)


@dataclass(frozen=True, slots=True)
class Flagged:
    """A safety flag, as `severity:code`, and the name of the context whose answer raises it."""

    context: str
    flag: str


@dataclass(frozen=True, slots=True)
class ArmMeasures:
    """What the responses of an arm come to.

    Attributes:
        responses: How many there are.
        annotated: Of how many contexts the corpus says the strategy; the match is of those.
        match: The share whose predicted strategies share one with the annotated ones.
        match_by_chance: The same share if the responses were dealt to the contexts at random.
        strategies: How many strategies are predicted in a response, on average.
        distinct_1: Distinct words over all words, of all responses together.
        distinct_2: Distinct pairs of neighbouring words over all words.
        words: The mean length in words; a Chinese character is 0.6 of one.
        flags: Every safety flag with its context. They are listed and never averaged.
    """

    responses: int
    annotated: int
    match: Interval | None
    match_by_chance: float | None
    strategies: float
    distinct_1: float
    distinct_2: float
    words: float
    flags: tuple[Flagged, ...]


def measure(said: Sequence[Said]) -> ArmMeasures:
    """Return the measures of an arm's responses, of which there is at least one."""
    labelled = [each for each in said if each.context.strategies]
    return ArmMeasures(
        responses=len(said),
        annotated=len(labelled),
        match=share_interval(sum(each.matches for each in labelled), len(labelled)),
        match_by_chance=match_by_chance(labelled),
        strategies=fmean(len(each.predicted) for each in said),
        distinct_1=distinct(said, 1),
        distinct_2=distinct(said, 2),
        words=fmean(count_words(each.text, each.context.language) for each in said),
        flags=tuple(Flagged(each.context.name, flag) for each in said for flag in each.flags),
    )


def match_by_chance(said: Sequence[Said]) -> float | None:
    """Return the mean strategy match over all ways to deal the responses to the contexts; None without a response."""
    asked = Counter(each.context.strategies for each in said)
    given = Counter(each.predicted for each in said)
    hits = sum(
        times * many
        for predicted, times in given.items()
        for strategies, many in asked.items()
        if not predicted.isdisjoint(strategies)
    )
    return hits / len(said) ** 2 if said else None


def distinct(said: Sequence[Said], n: int) -> float:
    """Return distinct-n: how many different runs of n words the responses hold together, over all their words.

    A run does not reach from one response into the next; in Chinese, characters stand for words. Source: Li et al., NAACL
    2016, section 5.1, who divide by the number of words, so that longer runs are no easier to be distinct in.
    """
    texts = [_tokens(each.text, each.context.language) for each in said]
    runs = {tuple(text[at : at + n]) for text in texts for at in range(len(text) - n + 1)}
    total = sum(map(len, texts))
    return len(runs) / total if total else 0.0


def _tokens(text: str, language: Language) -> list[str]:
    return list("".join(CHINESE.findall(text))) if language is Language.CHINESE else split_words(text)
