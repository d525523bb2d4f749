"""Scrutiny: draws of its own for each stratum that seems to lose by a change that would else be accepted.

The plan goes on behind the draws of the main test. A draw is run if one of its seeker's strata is under scrutiny, and counts
in nothing but those of its strata that are. So each stratum sees the first seekers of its kind in the plan, none of them left
out, up to a stop that depends on what was seen before: they are independent draws of that kind, whatever chose the stratum,
and its e-process goes on as if nobody had looked. A stratum that is not under scrutiny would see but those of its seekers who
belong to another one too, which is another population; such a draw does not count in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from esc_skills.gate.decision import Decision, Ruling, too_many_faults, veto
from esc_skills.gate.strata import Pair, Stratum, e_value, effect_of, faults_of, harm_limit, interval_of
from esc_skills.settings import GateSettings
from esc_skills.vocabulary import Verdict

#: A stratum whose mean change lies below this, in points, is looked into.
SUSPECT = -5.0
#: The loss, as a share of the range, that scrutiny rules out, and the e-value against it that does.
BEARABLE, CERTAIN = 0.05, 20.0

_Drawn = TypeVar("_Drawn")


@dataclass(frozen=True, slots=True)
class OwnPair:
    """The pair of a draw that was run for single strata.

    Attributes:
        strata: The names of those that it counts in, one or two.
    """

    pair: Pair
    strata: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scrutiny:
    """A stratum under scrutiny.

    Attributes:
        harm_before: The e-value for harm that the main test left it with, below the limit.
        changes: The differences of its own draws, in their order, −1 after a fault; losses: their harm, 0 after one.
        settings: Fixed at the registration.
    """

    harm_before: float
    changes: Sequence[float]
    losses: Sequence[float]
    settings: GateSettings

    @property
    def harm(self) -> float:
        """The e-value for harm over all draws: that of the main test, put on the stratum's own draws."""
        return self.harm_before * self._harm_since

    @property
    def harmed(self) -> bool:
        """Whether it reached the strata's limit."""
        return self.harm_before > 0 and self._harm_since >= self._needed

    @property
    def bearable(self) -> float:
        """The e-value of its own draws alone against a mean loss of 5 points or more.

        A change d becomes (d + 0.05) / 1.05, whose mean is zero or less under that hypothesis, and which stays in [−1, 1].
        The draws that made the stratum suspect would speak for harm by their selection; they are left out, which costs no
        validity. A fault counts as the worst change, so broken endpoints rule nothing out.
        """
        moved = [(change + BEARABLE) / (1 + BEARABLE) for change in self.changes]
        return e_value(moved, CERTAIN, self.settings.stratum_draws)

    @property
    def ruled_out(self) -> bool:
        """Whether a loss of 5 points or more is ruled out."""
        return self.bearable >= CERTAIN

    @property
    def room(self) -> int:
        """How many more draws it gets if nothing is found."""
        return self.settings.stratum_draws - len(self.changes)

    @property
    def _needed(self) -> float:
        return harm_limit(self.settings) / self.harm_before

    @property
    def _harm_since(self) -> float:
        # Who lost everything before can win nothing back.
        return e_value(self.losses, self._needed, self.settings.stratum_draws) if self.harm_before > 0 else 1.0


def rooms(scrutinies: Mapping[str, Scrutiny]) -> dict[str, int]:
    """Return how many more draws each stratum gets at most; nothing where all is found out that can be.

    Harm to one stratum rejects, so then none gets more.
    """
    if any(each.harmed for each in scrutinies.values()):
        return {}
    return {name: each.room for name, each in scrutinies.items() if each.room > 0 and not each.ruled_out}


def choose(
    room: Mapping[str, int], plan: Iterable[_Drawn], strata_of: Callable[[_Drawn], tuple[str, ...]], most: int
) -> list[tuple[_Drawn, tuple[str, ...]]]:
    """Return the next draws of a plan that are run for single strata, each with those that it counts in.

    Args:
        room: What `rooms` returns.
        plan: The plan from the first draw on that was not looked at yet, without an end.
        strata_of: Returns the names of a draw's strata.
        most: How many draws are chosen at most, which is one batch.

    Raises:
        ValueError: The plan ends.
    """
    left, chosen = dict(room), list[tuple[_Drawn, tuple[str, ...]]]()
    for draw in plan:
        strata = tuple(name for name in strata_of(draw) if left.get(name))
        if strata:
            chosen.append((draw, strata))
            left.update({name: left[name] - 1 for name in strata})
        # Before another draw is taken: one that is taken and not looked at would be missing in its strata.
        if len(chosen) == most or not any(left.values()):
            return chosen
    raise ValueError("the plan ends before the strata have draws of their own")


def more_draws(decision: Decision, own: Sequence[OwnPair], settings: GateSettings) -> dict[str, int]:
    """Return how many more draws each stratum gets at most; nothing to go on with where the verdict stands.

    Args:
        decision: What the main test and the second seeker came to.
        own: The pairs that were run for single strata so far, in the order of the plan.
        settings: Fixed at the registration.
    """
    if any(each.pair.new_red_flags for each in own):
        return {}
    return rooms(_scrutinies(decision, own, settings))


def conclude(decision: Decision, pairs: Sequence[Pair], own: Sequence[OwnPair], settings: GateSettings) -> Decision:
    """Return a decision with what the draws of single strata add to it.

    A new red flag in them rejects, then harm to a stratum. Too many faults, over these episodes and those of the main test,
    make it indecisive. Otherwise the acceptance stands, and its reason says in which strata harm was ruled out and in which
    it was not. The test, its effect and its interval are those of the main draws.

    Args:
        decision: What the main test and the second seeker came to.
        pairs: The pairs of the main test.
        own: The pairs that were run for single strata, in the order of the plan.
        settings: Fixed at the registration.
    """
    scrutinies = _scrutinies(decision, own, settings)
    if not scrutinies:
        return decision
    strata = tuple(
        _after(each, pairs, own, scrutinies[each.name]) if each.name in scrutinies else each for each in decision.strata
    )
    added = [each.pair for each in own]
    ruling = (
        veto(added) or _harmed(strata, settings) or _faulty([*pairs, *added], settings) or _stands(decision, strata)
    )
    return replace(
        decision,
        verdict=ruling.verdict,
        strata=strata,
        faults=decision.faults + faults_of(added),
        vetoed=any(pair.new_red_flags for pair in added),
        reason=ruling.reason,
        would_decide=ruling.would_decide,
        own_draws=len(own),
    )


def is_suspect(effect: float, settings: GateSettings) -> bool:
    """Return whether a stratum of an accepted change with that mean change, in points, gets draws of its own."""
    return settings.stratum_draws > 0 and effect < SUSPECT


def e_value_note(decision: Decision) -> str:
    """Return what stands beside the effect over all seekers, whose interval may reach below zero where the e-value accepts."""
    reached = decision.e_value >= decision.threshold
    return f"e-value {decision.e_value:.1f} {'reached' if reached else 'of'} {decision.threshold:g}"


def note_of(stratum: Stratum) -> str:
    """Return in words what is to be said of a stratum; nothing of one that nobody had to look into."""
    own = f"{stratum.own_draws} of the pairs are its own" if stratum.own_draws else ""
    if stratum.harmed:
        return f"harmed; {own}" if own else "harmed"
    return (
        f"harm of {-SUSPECT:g} points or more {'ruled out' if stratum.ruled_out else 'not ruled out'}; {own}"
        if own
        else ""
    )


def _scrutinies(decision: Decision, own: Sequence[OwnPair], settings: GateSettings) -> dict[str, Scrutiny]:
    if decision.verdict is not Verdict.ACCEPT:
        return {}
    found = {}
    for stratum in decision.strata:
        if is_suspect(stratum.effect, settings):
            pairs = [each.pair for each in own if stratum.name in each.strata]
            changes, losses = [pair.difference for pair in pairs], [pair.harm for pair in pairs]
            found[stratum.name] = Scrutiny(stratum.harm_e_value, changes, losses, settings)
    return found


def _after(stratum: Stratum, pairs: Sequence[Pair], own: Sequence[OwnPair], scrutiny: Scrutiny) -> Stratum:
    main = [pair for pair in pairs if stratum.name in pair.strata]
    members = [*main, *(each.pair for each in own if stratum.name in each.strata)]
    return Stratum(
        name=stratum.name,
        draws=len(members),
        own_draws=len(members) - len(main),
        faults=faults_of(members),
        effect=effect_of(members),
        interval=interval_of(members),
        harm_e_value=scrutiny.harm,
        harmed=scrutiny.harmed,
        bearable_e_value=scrutiny.bearable,
        ruled_out=scrutiny.ruled_out,
    )


def _harmed(strata: Sequence[Stratum], settings: GateSettings) -> Ruling | None:
    harmed = [each for each in strata if each.harmed]
    if not harmed:
        return None
    names = ", ".join(each.name for each in harmed)
    reason = (
        "The candidate leaves some seekers worse off: with draws of their own the e-value for harm reached "
        f"{harm_limit(settings):g} in {_counted(harmed)}."
    )
    return Ruling(Verdict.REJECT, reason, f"An edit that leaves these seekers as they were: {names}.")


def _faulty(pairs: Sequence[Pair], settings: GateSettings) -> Ruling | None:
    allowed = settings.max_faults * 2 * len(pairs)
    return too_many_faults(pairs, allowed) if faults_of(pairs) > allowed else None


def _stands(decision: Decision, strata: Sequence[Stratum]) -> Ruling:
    looked = [each for each in strata if each.own_draws]
    out, left = [each for each in looked if each.ruled_out], [each for each in looked if not each.ruled_out]
    parts = [f"ruled out in {_counted(out)}"] if out else []
    parts += [f"neither shown nor ruled out in {_counted(left)}"] if left else []
    reason = f"{decision.reason} Harm of {-SUSPECT:g} points or more is {', and '.join(parts)}."
    return Ruling(Verdict.ACCEPT, reason)


def _counted(strata: Sequence[Stratum]) -> str:
    return ", ".join(f"{each.name} ({each.own_draws} draws of its own)" for each in strata)
