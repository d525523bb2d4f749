"""Judging: two arms' answers compared blind and in both orders, by the surrogate or by a model."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean
from typing import Any

from esc_skills.documents.prompts import PromptRole
from esc_skills.language.cues import load_cues
from esc_skills.language.reading import count_words
from esc_skills.models.request import Model, ModelFault, RoleModel
from esc_skills.models.voices import ModelResponseJudge
from esc_skills.roles import Preference, ResponseJudge
from esc_skills.simulation.intervals import Interval, share_interval
from esc_skills.simulation.players import prompt_digests, surrogate_digest
from esc_skills.simulation.responses.arms import ResponseArm
from esc_skills.simulation.responses.contexts import Context
from esc_skills.surrogate.appraisal import SeekerModel, load_seeker_model
from esc_skills.surrogate.features import Exchange, extract_features
from esc_skills.transcript import Turn
from esc_skills.vocabulary import Termination

#: The arms that are compared, each as arm and rival; the first pair is the question, the others say where it comes from.
PAIRS = (
    (ResponseArm.BANK, ResponseArm.NO_BANK),
    (ResponseArm.BANK, ResponseArm.STRATEGY),
    (ResponseArm.STRATEGY, ResponseArm.NO_BANK),
)
#: Expected changes that differ by less are equal.
_EQUAL = 1e-9


class Outcome(StrEnum):
    """What both orders of a pair come to, seen from the first arm."""

    WIN = "win"
    LOSS = "loss"
    TIE = "tie"
    IDENTICAL = "identical"
    FAULT = "fault"


_DECIDED = (Outcome.WIN, Outcome.LOSS)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a judge says of two arms' answers to a context.

    Attributes:
        outcome: A win where both orders prefer the arm, a tie where they disagree or one prefers neither.
        words: The lengths of the arm's answer and of the rival's.
        preferences: What each order says of the answer that it shows first; empty where nobody was asked.
        fault: The fault that the judge's model ended in, if it did.
    """

    outcome: Outcome
    words: tuple[float, float]
    preferences: tuple[Preference, ...] = ()
    fault: Termination | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One arm against a rival, over contexts.

    Attributes:
        wins: In how many contexts both orders prefer the arm; losses those in which they prefer the rival.
        ties: In how many the orders disagree, or one prefers neither.
        identical: In how many both arms say the same; nobody is asked then.
        faults: In how many the judge's model failed.
        win_rate: Wins among wins and losses, with Wilson's interval over contexts, each of another dialogue.
        shown: Whether that interval leaves out one half, so that a difference may be claimed.
        longer_preferred: Of the wins and losses, the share that goes to the longer answer; where it is near one, length
            alone would tell as much. None where no such pair differs in length.
        first_preferred: Of the askings that prefer either answer, the share that prefers the one shown first: one half
            without a position bias. None where no asking does.
        both_first: In how many contexts both orders prefer what is shown first, and so different arms.
        both_second: In how many both prefer what is shown second.
    """

    arm: ResponseArm
    rival: ResponseArm
    wins: int
    losses: int
    ties: int
    identical: int
    faults: int
    win_rate: Interval | None
    shown: bool
    longer_preferred: float | None
    first_preferred: float | None
    both_first: int
    both_second: int


class SurrogateJudge:
    """Prefers the answer after which the surrogate seeker's expected emotion change is the larger one.

    It is deterministic and blind to the order. It is the same model that plays the seeker of offline simulations, so it
    is no second opinion on what those say.

    Args:
        context: What is answered.
        model: The fitted appraisal.
    """

    def __init__(self, context: Context, model: SeekerModel) -> None:
        self._context, self._model = context, model

    async def prefer(self, turns: tuple[Turn, ...], first: str, second: str) -> Preference:
        """Return the better of two answers to the last turn."""
        difference = self._expected(turns, first) - self._expected(turns, second)
        if abs(difference) < _EQUAL:
            return Preference.NEITHER
        return Preference.FIRST if difference > 0 else Preference.SECOND

    def _expected(self, turns: tuple[Turn, ...], answer: str) -> float:
        context = self._context
        exchange = Exchange(
            seeker_said=turns[-1].seeker,
            supporter_said=answer,
            earlier_supporter=tuple(turn.supporter for turn in turns[:-1] if turn.supporter),
            earlier_seeker=tuple(turn.seeker for turn in turns[:-1]),
            background=context.situation,
            turn=len(turns),
        )
        features = extract_features(exchange, load_cues(context.language))
        return self._model.expected_change(features, context.intention, context.disposition)


@dataclass(frozen=True, slots=True)
class Judges:
    """Makes the judge of a context: the surrogate, or a model.

    Attributes:
        judge: The judge's model with its parameters; None for the surrogate.
        model: Who is asked, where there is such a model.
    """

    judge: RoleModel | None = None
    model: Model | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """The digests and parameters that the judgements follow from."""
        if self.judge is None:
            return {"seeker_model": surrogate_digest()}
        return {"judge_parameters": self.judge.as_json(), **prompt_digests([PromptRole.JUDGE_RESPONSES])}

    def of(self, context: Context) -> ResponseJudge:
        """Return who judges the answers to a context."""
        if self.model and self.judge:
            return ModelResponseJudge(self.model, self.judge, context.seed, context.language)
        return SurrogateJudge(context, load_seeker_model())


async def judge_pair(judge: ResponseJudge, context: Context, answer: str, rival: str) -> Judged:
    """Return what both orders say of two answers; which of the two orders is asked first follows from a digest."""
    words = (count_words(answer, context.language), count_words(rival, context.language))
    if answer == rival:
        return Judged(Outcome.IDENTICAL, words)
    orders = [(answer, rival), (rival, answer)]
    orders.sort(key=lambda each: hashlib.sha256("\n".join((context.seed, *each)).encode()).digest())
    try:
        said = [await judge.prefer(context.turns, first, second) for first, second in orders]
    except ModelFault as fault:
        return Judged(Outcome.FAULT, words, fault=fault.termination)
    preferred = [_preferred(order, each) for order, each in zip(orders, said, strict=True)]
    won, lost = preferred == [answer, answer], preferred == [rival, rival]
    return Judged(Outcome.WIN if won else Outcome.LOSS if lost else Outcome.TIE, words, tuple(said))


def _preferred(order: tuple[str, str], preference: Preference) -> str | None:
    return {Preference.FIRST: order[0], Preference.SECOND: order[1]}.get(preference)


def compare(arm: ResponseArm, rival: ResponseArm, judged: Sequence[Judged]) -> Comparison:
    """Return what the judgements of one pair of arms come to."""
    counts = {outcome: sum(each.outcome is outcome for each in judged) for outcome in Outcome}
    wins, losses = counts[Outcome.WIN], counts[Outcome.LOSS]
    rate = share_interval(wins, wins + losses)
    asked = [preference for each in judged for preference in each.preferences if preference is not Preference.NEITHER]
    decided = [(each.outcome is Outcome.WIN, *each.words) for each in judged if each.outcome in _DECIDED]
    longer = [won == (own > other) for won, own, other in decided if own != other]
    return Comparison(
        arm=arm,
        rival=rival,
        wins=wins,
        losses=losses,
        ties=counts[Outcome.TIE],
        identical=counts[Outcome.IDENTICAL],
        faults=counts[Outcome.FAULT],
        win_rate=rate,
        shown=rate is not None and rate.excludes(0.5),
        longer_preferred=fmean(longer) if longer else None,
        first_preferred=asked.count(Preference.FIRST) / len(asked) if asked else None,
        both_first=sum(each.preferences == (Preference.FIRST,) * 2 for each in judged),
        both_second=sum(each.preferences == (Preference.SECOND,) * 2 for each in judged),
    )
