"""Scores of runs: the Sentient score with its standard error, successes, failures, turns and skill use."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import TypeVar

from esc_skills.simulation.runfile import Ending
from esc_skills.transcript import Transcript
from esc_skills.vocabulary import Disposition, HiddenIntention, Termination

_Key = TypeVar("_Key")


@dataclass(frozen=True, slots=True)
class Score:
    """What a group of episodes came to.

    Attributes:
        episodes: How many were scored; faults are left out.
        score: SAGE's Sentient score, the mean final emotion, 0 to 100; None without an episode.
        stderr: Its standard error over episodes, taken as independent; None with fewer than two.
        success: Episodes that ended at 100; failure: below 10.
    """

    episodes: int
    score: float | None
    stderr: float | None
    success: int
    failure: int


@dataclass(frozen=True, slots=True)
class RunScore:
    """The scores of a run, whole and by stratum.

    Attributes:
        faults: Episodes that a model's fault ended: counted, never scored.
        turns: The mean number of supporter turns of the scored episodes.
        terminations: How many episodes ended for each reason.
        skills: How many supporter turns performed each skill.
        flags: How many supporter turns raised each safety flag.
    """

    name: str
    whole: Score
    faults: int
    turns: float | None
    by_disposition: dict[Disposition, Score]
    by_intention: dict[HiddenIntention, Score]
    terminations: dict[Termination, int]
    skills: dict[str, int]
    flags: dict[str, int]


def score_run(name: str, transcripts: Sequence[Transcript]) -> RunScore:
    """Return the scores of the episodes of one run."""
    scored = [each for each in transcripts if not each.termination.is_fault]
    answered = [turn for each in transcripts for turn in each.turns if turn.supporter is not None]
    return RunScore(
        name=name,
        whole=score_episodes(scored),
        faults=len(transcripts) - len(scored),
        turns=fmean(sum(turn.supporter is not None for turn in each.turns) for each in scored) if scored else None,
        by_disposition=_by(scored, Disposition, lambda each: each.disposition),
        by_intention=_by(scored, HiddenIntention, lambda each: each.intention),
        terminations=dict(Counter(each.termination for each in transcripts).most_common()),
        skills=dict(Counter(turn.skill for turn in answered if turn.skill).most_common()),
        flags=dict(Counter(flag for turn in answered for flag in turn.flags).most_common()),
    )


def _by(
    transcripts: Sequence[Transcript], keys: Iterable[_Key], key_of: Callable[[Transcript], _Key]
) -> dict[_Key, Score]:
    groups = {key: [each for each in transcripts if key_of(each) == key] for key in keys}
    return {key: score_episodes(group) for key, group in groups.items() if group}


def score_episodes(transcripts: Sequence[Transcript | Ending]) -> Score:
    """Return the score of some episodes, none of which is a fault."""
    finals = [each.final_emotion for each in transcripts]
    return Score(
        episodes=len(finals),
        score=fmean(finals) if finals else None,
        stderr=stdev(finals) / math.sqrt(len(finals)) if len(finals) > 1 else None,
        success=sum(each.termination is Termination.SUCCESS for each in transcripts),
        failure=sum(each.termination is Termination.FAILURE for each in transcripts),
    )
