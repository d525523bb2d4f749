"""Diagnosis: what a run shows to be missing, unsafe, harmful to some, never used, or without effect, with its turns."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean, stdev
from typing import TypeVar

from esc_skills.bank.skill import Skill
from esc_skills.surrogate.state import SeekerState, read_seeker_state
from esc_skills.surrogate.supporter import covers
from esc_skills.transcript import Transcript, Turn
from esc_skills.vocabulary import Disposition, HiddenIntention, Language

#: Fewer turns than these say nothing, and a mean counts as low only where this many standard errors lie between: a
#: one-sided 5 % each, not corrected for their number. A diagnosis proposes; the gate decides.
_LEAST_TURNS, _ERRORS = 8, 1.645
#: A skill that no turn of this many episodes selected is bypassed.
_LEAST_EPISODES = 20
_QUOTES = 3
_Key = TypeVar("_Key")


class WeaknessKind(StrEnum):
    """The five kinds of finding."""

    UNSAFE = "unsafe-intervention"
    MISSING = "missing-skill"
    INEFFECTIVE = "ineffective-skill"
    PROFILE_SPECIFIC = "profile-specific-failure"
    BYPASSED = "silent-bypass"


@dataclass(frozen=True, slots=True)
class Quote:
    """One turn that a finding rests on: where it stands, what was said, and the emotion change that followed."""

    profile: str
    draw: int
    turn: int
    seeker: str
    supporter: str
    change: int | None


@dataclass(frozen=True, slots=True)
class Weakness:
    """A finding about a bank.

    Attributes:
        kind: Which of the five.
        skill: The skill that it is about; None for a missing one.
        need: The need that no skill covers, or at which a skill fails.
        disposition: The disposition at which a skill fails.
        flag: The safety flag that was raised, as `severity:code`.
        turns: How many turns it rests on.
        mean_change: Their mean emotion change, in points; None where no turn has one.
        message: The finding in words.
        quotes: The turns that show it best, the worst first.
    """

    kind: WeaknessKind
    skill: str | None
    need: HiddenIntention | None
    disposition: Disposition | None
    flag: str | None
    turns: int
    mean_change: float | None
    message: str
    quotes: tuple[Quote, ...]

    @property
    def cost(self) -> float:
        """What the turns cost in all, in points of emotion below zero change."""
        return -(self.mean_change or 0.0) * self.turns


@dataclass(frozen=True, slots=True)
class _Moment:
    """A supporter turn with the state that it answered."""

    transcript: Transcript
    index: int
    turn: Turn
    state: SeekerState


def diagnose(transcripts: Sequence[Transcript], bank: Mapping[str, Skill]) -> tuple[Weakness, ...]:
    """Return what a run shows to be weak in its bank: unsafe first, then by what it costs.

    Args:
        transcripts: The episodes of one run; those that ended in a fault count up to the fault.
        bank: The bank that the run was made with.
    """
    moments = [moment for transcript in transcripts for moment in _moments(transcript)]
    found = [
        *_unsafe(moments),
        *_missing(moments, bank),
        *_ineffective(moments, bank),
        *_profile_specific(moments),
        *_bypassed(moments, bank, len(transcripts)),
    ]
    return tuple(sorted(found, key=lambda each: (list(WeaknessKind).index(each.kind) > 0, -each.cost, each.message)))


def _moments(transcript: Transcript) -> Iterator[_Moment]:
    said: list[str] = []
    for index, turn in enumerate(transcript.turns):
        said.append(turn.seeker)
        if turn.supporter is not None:
            yield _Moment(transcript, index, turn, read_seeker_state(said, _language(transcript)))


def _language(transcript: Transcript) -> Language:
    return (
        Language.CHINESE
        if any("\u4e00" <= each <= "\u9fff" for each in transcript.turns[0].seeker)
        else Language.ENGLISH
    )


def _unsafe(moments: Iterable[_Moment]) -> Iterator[Weakness]:
    groups = _grouped(moments, lambda each: [(each.turn.skill or "", flag) for flag in each.turn.flags])
    for (skill, flag), group in groups.items():
        severity, _, code = flag.partition(":")
        if severity == "red" or len(group) >= _LEAST_TURNS:
            whose = f"the skill {skill}" if skill else "the supporter without a skill"
            message = f"{whose} raised the {severity} flag {code} in {len(group)} turns"
            yield _weakness(WeaknessKind.UNSAFE, group, message, skill=skill or None, flag=flag)


def _missing(moments: Iterable[_Moment], bank: Mapping[str, Skill]) -> Iterator[Weakness]:
    """Yield the needs that no skill covers and whose seekers fare worse than those with a need that one covers."""
    covered: list[_Moment] = []
    uncovered: dict[HiddenIntention, list[_Moment]] = defaultdict(list)
    for moment in moments:
        need = moment.state.need
        if need is not None and any(covers(skill, moment.state) for skill in bank.values()):
            covered.append(moment)
        elif need is not None:
            uncovered[need].append(moment)
    elsewhere = _changes(covered)
    for need, group in uncovered.items():
        changes = _changes(group)
        if len(changes) >= _LEAST_TURNS and _upper(changes) < (fmean(elsewhere) if elsewhere else 0.0):
            beside = f", and {fmean(elsewhere):+.1f} where a skill covers the need" if elsewhere else ""
            message = f"no skill covers the need {need}: {fmean(changes):+.1f} points a turn over {len(changes)} turns{beside}"
            yield _weakness(WeaknessKind.MISSING, group, message, need=need)


def _ineffective(moments: Iterable[_Moment], bank: Mapping[str, Skill]) -> Iterator[Weakness]:
    for name, group in _by_skill(moments).items():
        changes, expected = _changes(group), bank[name].expected_change[0] if name in bank else 0
        if len(changes) >= _LEAST_TURNS and _upper(changes) < min(expected, 0):
            message = (
                f"the skill {name} promises at least {expected:+d} points and is followed by {fmean(changes):+.1f} "
                f"over {len(changes)} turns"
            )
            yield _weakness(WeaknessKind.INEFFECTIVE, group, message, skill=name)


def _profile_specific(moments: Iterable[_Moment]) -> Iterator[Weakness]:
    for name, group in _by_skill(moments).items():
        changes = _changes(group)
        if len(changes) < _LEAST_TURNS or fmean(changes) <= 0:
            continue
        for disposition, part in _grouped(group, lambda each: [each.transcript.disposition]).items():
            if (message := _failure(name, part, changes, f"{disposition} seekers")) is not None:
                yield _weakness(WeaknessKind.PROFILE_SPECIFIC, part, message, skill=name, disposition=disposition)
        for need, part in _grouped(group, lambda each: [each.transcript.intention]).items():
            if (message := _failure(name, part, changes, f"seekers with the hidden intention {need}")) is not None:
                yield _weakness(WeaknessKind.PROFILE_SPECIFIC, part, message, skill=name, need=need)


def _failure(name: str, part: Sequence[_Moment], overall: Sequence[int], whom: str) -> str | None:
    changes = _changes(part)
    if len(changes) < _LEAST_TURNS or _upper(changes) >= 0:
        return None
    return (
        f"the skill {name} helps overall ({fmean(overall):+.1f} points a turn) and harms {whom} "
        f"({fmean(changes):+.1f} over {len(changes)} turns)"
    )


def _bypassed(moments: Iterable[_Moment], bank: Mapping[str, Skill], episodes: int) -> Iterator[Weakness]:
    used = {moment.turn.skill for moment in moments}
    for name in sorted(set(bank) - used) if episodes >= _LEAST_EPISODES else []:
        yield _weakness(
            WeaknessKind.BYPASSED, [], f"the skill {name} was selected in none of {episodes} episodes", skill=name
        )


def _by_skill(moments: Iterable[_Moment]) -> dict[str, list[_Moment]]:
    return _grouped(moments, lambda each: [each.turn.skill] if each.turn.skill else [])


def _grouped(moments: Iterable[_Moment], keys_of: Callable[[_Moment], Iterable[_Key]]) -> dict[_Key, list[_Moment]]:
    groups: dict[_Key, list[_Moment]] = defaultdict(list)
    for moment in moments:
        for key in keys_of(moment):
            groups[key].append(moment)
    return groups


def _changes(moments: Iterable[_Moment]) -> list[int]:
    return [moment.turn.change for moment in moments if moment.turn.change is not None]


def _upper(changes: Sequence[int]) -> float:
    """Return the mean's upper bound, turns taken as independent."""
    return fmean(changes) + _ERRORS * stdev(changes) / math.sqrt(len(changes))


def _weakness(
    kind: WeaknessKind,
    moments: Sequence[_Moment],
    message: str,
    *,
    skill: str | None = None,
    need: HiddenIntention | None = None,
    disposition: Disposition | None = None,
    flag: str | None = None,
) -> Weakness:
    changes = _changes(moments)
    worst = sorted(moments, key=lambda each: (each.turn.change if each.turn.change is not None else 0, each.index))
    quotes = tuple(_quote(moment) for moment in worst[:_QUOTES])
    return Weakness(
        kind, skill, need, disposition, flag, len(moments), fmean(changes) if changes else None, message, quotes
    )


def _quote(moment: _Moment) -> Quote:
    turn = moment.turn
    return Quote(
        moment.transcript.profile,
        moment.transcript.draw,
        moment.index + 1,
        turn.seeker,
        turn.supporter or "",
        turn.change,
    )
