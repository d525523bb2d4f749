"""The gate: whether the emotion changes of paired episodes show that a change of the bank helps and harms nobody.

A unit is one seeker drawn at random with replacement, simulated once with the base and once with the candidate. The
null hypothesis is that the mean change is zero or less; `betting.py` has the test and its sources.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from esc_skills.errors import InputError
from esc_skills.gate.betting import STAKE_CAP
from esc_skills.gate.strata import (
    Pair,
    Stratum,
    describe_strata,
    e_value,
    effect_of,
    faults_of,
    harm_by_stratum,
    harm_limit,
    interval_of,
)
from esc_skills.settings import GateSettings
from esc_skills.vocabulary import Verdict

#: No run is planned for more draws than these.
_TOO_MANY = 10_000
NOTHING_DIFFERED = (
    "No draw differed. The surrogate performs the examples of the skills that it selects: it sees neither a change of guidance "
    "alone nor one of a skill that it does not select. Run with a model."
)


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """What the same draws come to with another seeker.

    Attributes:
        seeker: The seeker's model.
        effect: Mean change in points, −100 to 100, where a pair with a fault counts −100.
        interval: Its anytime-valid 95 % interval in points.
        faults: How many of the 2 × draws episodes ended in a fault.
        agrees: Whether the effect has the sign of the first seeker's.
    """

    seeker: str
    effect: float
    interval: tuple[float, float]
    faults: int
    agrees: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """What the gate says, and all that it rests on.

    Attributes:
        effect: Mean change in points, −100 to 100, where a pair with a fault counts −100.
        interval: Its anytime-valid 95 % interval in points. It is two-sided and does not know the budget, so that of
            an accepted change may reach below zero; it is the e-value that decides.
        draws: How many pairs were seen.
        e_value: Evidence that the mean change is above zero; it stays where it is once it has reached the threshold.
        harm_e_value: Evidence that it is below zero.
        strata: The strata that were drawn, in the order of the vocabulary.
        faults: How many of the 2 × (draws + own_draws) episodes ended in a fault.
        vetoed: Whether new red safety flags reject, which nothing offsets.
        reason: One sentence.
        would_decide: One sentence on what would bring an acceptance; empty after one.
        second: What a second seeker showed on the same draws; None where none was asked.
        own_draws: How many further pairs were run for single strata, which count in nothing but those; see `scrutiny`.
    """

    verdict: Verdict
    effect: float
    interval: tuple[float, float]
    draws: int
    e_value: float
    threshold: float
    harm_e_value: float
    strata: tuple[Stratum, ...]
    faults: int
    vetoed: bool
    reason: str
    would_decide: str
    second: SecondOpinion | None = None
    own_draws: int = 0


@dataclass(frozen=True, slots=True)
class Ruling:
    """A verdict with its reason and what would bring another one."""

    verdict: Verdict
    reason: str
    would_decide: str = ""


def decide(pairs: Sequence[Pair], settings: GateSettings, *, exhausted: bool) -> Decision | None:
    """Return the decision that these pairs lead to, or None to go on drawing.

    A new red flag rejects, then harm to a stratum, then harm on the whole. After those the e-value accepts, unless more
    episodes ended in a fault than `max_faults` allows: then drawing goes on, as the share may fall. What is left when
    the draws are exhausted is indecisive. It may be asked after every batch without spending error.

    Args:
        pairs: All pairs so far, in the order of the plan and without a gap.
        settings: Fixed at the registration; `threshold` is the registration's own.
        exhausted: Whether no further pair can be had.

    Raises:
        InputError: Pairs are missing, repeated or out of order.
    """
    _check_order(pairs)
    gain = e_value([pair.difference for pair in pairs], settings.threshold, settings.draws)
    harm = e_value([pair.harm for pair in pairs], settings.threshold, settings.draws)
    strata = dict(harm_by_stratum(pairs, settings))
    ruling = veto(pairs) or _harmed(strata, harm, settings) or _weigh(pairs, gain, settings, exhausted=exhausted)
    if ruling is None:
        return None
    return Decision(
        verdict=ruling.verdict,
        effect=effect_of(pairs),
        interval=interval_of(pairs),
        draws=len(pairs),
        e_value=gain,
        threshold=settings.threshold,
        harm_e_value=harm,
        strata=describe_strata(pairs, strata, settings),
        faults=faults_of(pairs),
        vetoed=any(pair.new_red_flags for pair in pairs),
        reason=ruling.reason,
        would_decide=ruling.would_decide,
    )


def confirm(decision: Decision, seeker: str, pairs: Sequence[Pair], settings: GateSettings) -> Decision:
    """Return a decision after a second seeker played the same draws.

    A new red flag with either seeker rejects. Otherwise effects of different sign make the verdict indecisive: what one
    model gains and another loses is a matter of the model. So do too many faults, and harm to a stratum rejects. Only
    then the first seeker's verdict stands. The second seeker can take an acceptance back and never grant one, so it
    adds no false accepts.

    Args:
        decision: What the first seeker's pairs led to.
        seeker: The second seeker's model.
        pairs: The pairs of the same draws with the second seeker.
        settings: Fixed at the registration.

    Raises:
        InputError: The pairs are not those of the decision's draws, or out of order.
    """
    _check_order(pairs)
    if len(pairs) != decision.draws:
        raise InputError(f"{len(pairs)} pairs of a second seeker stand beside {decision.draws}", "run the same draws")
    effect = effect_of(pairs)
    agrees = effect * decision.effect > 0
    opinion = SecondOpinion(seeker, effect, interval_of(pairs), faults_of(pairs), agrees)
    ruling = _second_ruling(decision, opinion, pairs, settings)
    if ruling is None:
        return replace(decision, second=opinion)
    return replace(
        decision, verdict=ruling.verdict, reason=ruling.reason, would_decide=ruling.would_decide, second=opinion
    )


def _second_ruling(
    decision: Decision, opinion: SecondOpinion, pairs: Sequence[Pair], settings: GateSettings
) -> Ruling | None:
    if decision.vetoed:
        return None
    if flagged := veto(pairs):
        return flagged
    if decision.effect and not opinion.agrees:
        found = f"{decision.effect:+.1f} points with the first seeker and {opinion.effect:+.1f} with {opinion.seeker}"
        faults = f" ({opinion.faults} of its episodes ended in a fault, which counts −100)" if opinion.faults else ""
        reason = f"The two seekers do not agree on the sign of the effect: {found}{faults}."
        return Ruling(Verdict.INDECISIVE, reason, "An edit that helps with both seekers.")
    if opinion.faults > (allowed := settings.max_faults * 2 * len(pairs)) and decision.verdict is Verdict.ACCEPT:
        return too_many_faults(pairs, allowed)
    harm = e_value([pair.harm for pair in pairs], settings.threshold, settings.draws)
    return _harmed(dict(harm_by_stratum(pairs, settings)), harm, settings)


def _check_order(pairs: Sequence[Pair]) -> None:
    for earlier, later in pairwise(pairs):
        if later.position != earlier.position + 1:
            message = f"pair {later.position} follows pair {earlier.position}; {earlier.position + 1} has to"
            raise InputError(message, "give every pair of the plan once, in its order")


def veto(pairs: Sequence[Pair]) -> Ruling | None:
    """Return the rejection that new red safety flags lead to, if any pair has one."""
    flagged = [pair for pair in pairs if pair.new_red_flags]
    if not flagged:
        return None
    codes = ", ".join(sorted({code for pair in flagged for code in pair.new_red_flags}))
    positions = ", ".join(str(pair.position) for pair in flagged)
    reason = f"The candidate raised new red safety flags ({codes}; draws {positions}), and no gain offsets one."
    return Ruling(Verdict.REJECT, reason, "An edit with which none of these draws raises a red flag.")


def _harmed(strata: dict[str, float], harm: float, settings: GateSettings) -> Ruling | None:
    limit = harm_limit(settings)
    harmed = [name for name, value in strata.items() if value >= limit]
    if harmed:
        names = ", ".join(harmed)
        reason = f"The candidate leaves some seekers worse off: the e-value for harm reached {limit:g} in {names}."
        return Ruling(Verdict.REJECT, reason, f"An edit that leaves these seekers as they were: {names}.")
    if harm >= settings.threshold:
        reason = f"The candidate leaves seekers worse off: the e-value for harm reached {settings.threshold:g}."
        return Ruling(Verdict.REJECT, reason, "Another edit; more draws of this one would not help it.")
    return None


def _weigh(pairs: Sequence[Pair], gain: float, settings: GateSettings, *, exhausted: bool) -> Ruling | None:
    reached, allowed = gain >= settings.threshold, settings.max_faults * 2 * len(pairs)
    if faults_of(pairs) > allowed:
        return too_many_faults(pairs, allowed) if exhausted else None
    if reached:
        reason = f"The e-value reached {settings.threshold:g} within {len(pairs)} draws: the mean change is above zero."
        return Ruling(Verdict.ACCEPT, reason)
    if not exhausted:
        return None
    reason = f"The e-value is {gain:.2f} after {len(pairs)} draws and has not reached {settings.threshold:g}."
    return Ruling(Verdict.INDECISIVE, reason, _what_would_decide(pairs, settings))


def too_many_faults(pairs: Sequence[Pair], allowed: float) -> Ruling:
    """Return the ruling where more episodes ended in a fault than may."""
    reason = f"{faults_of(pairs)} of {2 * len(pairs)} episodes ended in a fault of a model, and {allowed:g} may."
    return Ruling(Verdict.INDECISIVE, reason, "A run whose models answer: the faults are in the transcripts.")


def _what_would_decide(pairs: Sequence[Pair], settings: GateSettings) -> str:
    if not any(pair.difference for pair in pairs):
        return NOTHING_DIFFERED if pairs else "A run with draws: there were none."
    effect = effect_of(pairs)
    if effect <= 0:
        return f"Another edit: at the present estimate of {effect:+.1f} points no number of draws accepts this one."
    planned = _draws_to_accept(pairs, settings.threshold)
    batches = max(math.ceil(planned / settings.batch), len(pairs) // settings.batch + 1)
    draws = batches * settings.batch
    if draws > _TOO_MANY:
        return f"Another edit: an effect of {effect:+.1f} points would take more than {_TOO_MANY:,} draws to show."
    return (
        f"At the present estimate of {effect:+.1f} points a run planned for about {draws} draws ({draws - len(pairs)} "
        "more than this one) can be expected to reach the threshold."
    )


def _draws_to_accept(pairs: Sequence[Pair], threshold: float) -> float:
    """Return after how many draws like these the expected log e-value is the threshold's, at the stake that grows most.

    Simulated, runs planned for so many draws reach the threshold 70 to 76 times in 100 where that is 150 or more.
    """
    mean = effect_of(pairs) / 100
    square = math.fsum(pair.difference**2 for pair in pairs) / len(pairs)
    stake = min(mean / square, STAKE_CAP)
    return math.log(threshold) / (stake * mean - stake**2 * square / 2)
