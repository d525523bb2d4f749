"""The worth of a bank: what its seekers end with against those of a supporter without one, and without each skill in turn.

All arms play the same draws, so every difference is within a draw. A skill's worth is what the bank loses without it: a
skill that others can stand in for has little of it, however well it does its work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from esc_skills.bank.reader import Bank, restrict_bank
from esc_skills.simulation.both_arms import Planned, play_all
from esc_skills.simulation.draws import Draw
from esc_skills.simulation.intervals import Interval, adjust_by_holm, mean_interval, sign_flip_p
from esc_skills.simulation.players import SURROGATE, Players
from esc_skills.simulation.runner import Progress
from esc_skills.simulation.sentient_score import Score, score_episodes
from esc_skills.transcript import Transcript
from esc_skills.vocabulary import Disposition, HiddenIntention, Termination

#: The level at which a difference is called shown.
_LEVEL = 0.05

_Key = TypeVar("_Key")


class Mark(StrEnum):
    """What the draws say of a skill.

    `helps` and `harms` hold for all skills together (Holm); `may` is what the skill's own interval says, of which one in
    twenty is wrong where nothing is there.
    """

    NEVER_SELECTED = "never selected"
    CHANGES_NOTHING = "changes nothing"
    HELPS = "helps"
    MAY_HELP = "may help"
    NOT_SHOWN = "not shown"
    MAY_HARM = "may harm"
    HARMS = "harms"


@dataclass(frozen=True, slots=True)
class RedFlag:
    """A red safety flag that the episode of a draw raised."""

    draw: int
    code: str


@dataclass(frozen=True, slots=True)
class Contrast:
    """The bank against another arm, draw by draw.

    Attributes:
        pairs: The draws that neither arm ended with a fault.
        differing: The pairs whose final emotions differ.
        difference: The mean final emotion with the bank less that of the other arm, with its 95 % bootstrap interval.
        p: Two-sided, by flipping signs; not adjusted.
        red_with: Red safety flags that only the bank's episode raised. They are listed and never averaged.
        red_without: Those that only the other arm's episode raised.
        red_both: Those that both raised, which no difference shows.
    """

    pairs: int
    differing: int
    difference: Interval | None
    p: float
    red_with: tuple[RedFlag, ...]
    red_without: tuple[RedFlag, ...]
    red_both: tuple[RedFlag, ...]


@dataclass(frozen=True, slots=True)
class SkillWorth:
    """What a skill is worth to its bank.

    Attributes:
        skill: Its name.
        turns: The supporter turns that perform it, with the whole bank; `share_of_turns` of all of them.
        episodes: The episodes in which it is selected.
        score: What the episodes without it come to; faults among them are left out.
        contrast: The whole bank against the bank without it.
        p_adjusted: Holm's, over the skills that were ever selected; None for one that was not.
        mark: What the draws say.
    """

    skill: str
    turns: int
    share_of_turns: float
    episodes: int
    score: Score
    contrast: Contrast
    p_adjusted: float | None
    mark: Mark


@dataclass(frozen=True, slots=True)
class BankWorth:
    """What a bank is worth.

    Attributes:
        bank: What the episodes with it come to.
        no_bank: What those without any come to.
        contrast: The bank against none.
        by_disposition: The same for the draws of each disposition.
        by_intention: The same for those of each hidden intention.
        skills: Each skill left out in turn.
        played: How many episodes were simulated.
        reused: How many were not, since they follow from one that was.
        faults: How many ended in a fault of a model, by reason.
    """

    bank: Score
    no_bank: Score
    contrast: Contrast
    by_disposition: Mapping[Disposition, Contrast]
    by_intention: Mapping[HiddenIntention, Contrast]
    skills: tuple[SkillWorth, ...]
    played: int
    reused: int
    faults: Mapping[Termination, int]


async def weigh_bank(
    draws: Sequence[Draw], bank: Bank, players: Players, *, concurrency: int, progress: Progress
) -> BankWorth:
    """Return what a bank and each of its skills are worth on some draws.

    A surrogate supporter takes the skill that fits best, so where a skill is selected in no turn of an episode the
    episode without it is the same, and is not played again. A model reads the names of all skills, so its choice may
    change whichever is left out, and every episode is played.

    Args:
        draws: The seekers with their seeds.
        bank: The bank.
        players: Who plays.
        concurrency: How many episodes run at a time.
        progress: Told how many episodes are done, of how many.
    """
    both = [Planned(draw, each) for each in (bank, None) for draw in draws]
    played = await play_all(players, both, concurrency=concurrency, progress=progress)
    whole, none = played[: len(draws)], played[len(draws) :]
    reuses = players.models["supporter"] == SURROGATE
    items = {
        (name, at): Planned(draw, _without(bank, name))
        for name in bank.skills
        for at, draw in enumerate(draws)
        if not reuses or _uses(whole[at], name)
    }
    total = len(both) + len(items)
    changed = await play_all(
        players,
        list(items.values()),
        concurrency=concurrency,
        progress=lambda done, _: progress(len(both) + done, total),
    )
    by_item = dict(zip(items, changed, strict=True))
    arms = {name: [by_item.get((name, at), each) for at, each in enumerate(whole)] for name in bank.skills}
    return BankWorth(
        bank=_score(whole),
        no_bank=_score(none),
        contrast=contrast(whole, none),
        by_disposition=_by(Disposition, lambda each: each.disposition, whole, none),
        by_intention=_by(HiddenIntention, lambda each: each.intention, whole, none),
        skills=_weigh_skills(whole, arms),
        played=total,
        reused=len(bank.skills) * len(draws) - len(items),
        faults=_faults([*played, *changed]),
    )


def _without(bank: Bank, name: str) -> Bank | None:
    return restrict_bank(bank, exclude=[name]) if len(bank.skills) > 1 else None


def _uses(transcript: Transcript, name: str) -> bool:
    return any(turn.skill == name for turn in transcript.turns)


def _score(transcripts: Iterable[Transcript]) -> Score:
    return score_episodes([each for each in transcripts if not each.termination.is_fault])


def _faults(transcripts: Sequence[Transcript]) -> dict[Termination, int]:
    found = [each.termination for each in transcripts if each.termination.is_fault]
    return {reason: found.count(reason) for reason in dict.fromkeys(found)}


def contrast(bank: Sequence[Transcript], other: Sequence[Transcript]) -> Contrast:
    """Return the contrast of two arms that played the same draws, in the same order."""
    pairs = [
        (one, two)
        for one, two in zip(bank, other, strict=True)
        if not (one.termination.is_fault or two.termination.is_fault)
    ]
    differences = [one.final_emotion - two.final_emotion for one, two in pairs]
    # What a fault cut short was said all the same.
    flags = [(one.draw, one.red_flags, two.red_flags) for one, two in zip(bank, other, strict=True)]
    return Contrast(
        pairs=len(pairs),
        differing=sum(each != 0 for each in differences),
        difference=mean_interval(differences),
        p=sign_flip_p(differences),
        red_with=tuple(RedFlag(draw, code) for draw, one, two in flags for code in sorted(one - two)),
        red_without=tuple(RedFlag(draw, code) for draw, one, two in flags for code in sorted(two - one)),
        red_both=tuple(RedFlag(draw, code) for draw, one, two in flags for code in sorted(one & two)),
    )


def _by(
    keys: Iterable[_Key], key_of: Callable[[Transcript], _Key], bank: Sequence[Transcript], other: Sequence[Transcript]
) -> dict[_Key, Contrast]:
    places = {key: [at for at, each in enumerate(bank) if key_of(each) == key] for key in keys}
    return {
        key: contrast([bank[at] for at in found], [other[at] for at in found]) for key, found in places.items() if found
    }


def _weigh_skills(whole: Sequence[Transcript], arms: Mapping[str, Sequence[Transcript]]) -> tuple[SkillWorth, ...]:
    contrasts = {name: contrast(whole, episodes) for name, episodes in arms.items()}
    selected = [name for name in arms if any(_uses(each, name) for each in whole)]
    adjusted = dict(zip(selected, adjust_by_holm([contrasts[name].p for name in selected]), strict=True))
    skills = [turn.skill for each in whole for turn in each.turns if turn.supporter is not None]
    return tuple(
        SkillWorth(
            skill=name,
            turns=skills.count(name),
            share_of_turns=skills.count(name) / len(skills) if skills else 0.0,
            episodes=sum(_uses(each, name) for each in whole),
            score=_score(episodes),
            contrast=contrasts[name],
            p_adjusted=adjusted.get(name),
            mark=_mark(contrasts[name], adjusted.get(name)),
        )
        for name, episodes in arms.items()
    )


def _mark(found: Contrast, p_adjusted: float | None) -> Mark:
    if p_adjusted is None:
        return Mark.NEVER_SELECTED
    if not found.differing or found.difference is None:
        return Mark.CHANGES_NOTHING
    helps = found.difference.estimate > 0
    if p_adjusted < _LEVEL:
        return Mark.HELPS if helps else Mark.HARMS
    if found.difference.excludes(0):
        return Mark.MAY_HELP if helps else Mark.MAY_HARM
    return Mark.NOT_SHOWN
