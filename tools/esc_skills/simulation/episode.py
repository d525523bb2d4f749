"""One episode: a seeker and a supporter in turns until the protocol ends it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from esc_skills.language.lexicon import Severity
from esc_skills.models.request import ModelFault
from esc_skills.roles import Answer, Judge, Seeker, Supporter
from esc_skills.safety.flags import check_supporter_turn
from esc_skills.seekers.profile import Profile
from esc_skills.simulation.draws import Draw
from esc_skills.simulation.protocol import apply_change, clamp_change, ending
from esc_skills.transcript import START, Transcript, Turn
from esc_skills.vocabulary import Arm, Termination


@dataclass(frozen=True, slots=True)
class Cast:
    """What an episode's record says of who played: names of the models, arm and bank, digests and parameters."""

    supporter: str
    seeker: str
    arm: Arm
    bank: str | None
    settings: dict[str, Any] = field(default_factory=dict)


async def run_episode(
    draw: Draw, seeker: Seeker, supporter: Supporter, cast: Cast, *, judge: Judge | None = None
) -> Transcript:
    """Simulate one draw to its termination reason.

    Args:
        draw: The seeker profile and the seed.
        seeker: Plays the profile.
        supporter: Plays the supporter, with the bank of `cast`.
        cast: Who plays, for the record.
        judge: Looks at each answer beside the safety lexicon, if anybody does.
    """
    turns: tuple[Turn, ...] = (Turn(draw.profile.first_message, START),)
    end: Termination | None = None
    try:
        while end is None:
            answer = await supporter.answer(turns)
            turns = (*turns[:-1], _answered(turns, draw.profile, answer))
            if judge is not None:
                turns = await _judged(turns, judge)
            end = ending(turns[-1].emotion, len(turns))
            if end is None:
                turns, end = await _continue(turns, seeker)
    except ModelFault as fault:
        # A model that failed says nothing of a seeker: the episode is counted and shown, and never scored.
        end = fault.termination
    return _transcript(draw, turns, end, cast)


def _answered(turns: tuple[Turn, ...], profile: Profile, answer: Answer) -> Turn:
    said = [turn.seeker for turn in turns]
    flags = check_supporter_turn(answer.text, said, profile.scenario.language)
    return replace(
        turns[-1],
        supporter=answer.text,
        skill=answer.skill,
        reason=answer.reason,
        flags=tuple(f"{flag.severity}:{flag.code}" for flag in flags),
        calls=(*turns[-1].calls, *answer.calls),
    )


async def _judged(turns: tuple[Turn, ...], judge: Judge) -> tuple[Turn, ...]:
    turn = turns[-1]
    judgement = await judge.judge(turns, [flag.partition(":")[2] for flag in turn.flags])
    flags = (*(f"{Severity.RED}:{code}" for code in judgement.codes), *turn.flags)
    return (*turns[:-1], replace(turn, flags=flags, calls=(*turn.calls, *judgement.calls)))


async def _continue(turns: tuple[Turn, ...], seeker: Seeker) -> tuple[tuple[Turn, ...], Termination | None]:
    """Let the seeker read the answer and go on; an ending message is a last turn without an answer."""
    appraisal = await seeker.appraise(turns)
    change = clamp_change(appraisal.change)
    emotion = apply_change(turns[-1].emotion, change)
    calls = (*turns[-1].calls, *appraisal.calls)
    turns = (*turns[:-1], replace(turns[-1], change=change, appraisal=appraisal.text, calls=calls))
    by_emotion = ending(emotion, 0)
    reply = await seeker.reply(turns, emotion, by_emotion is not None)
    turns = (*turns, Turn(reply.text, emotion, calls=reply.calls))
    return turns, by_emotion or (Termination.FAREWELL if reply.farewell else None)


def _transcript(draw: Draw, turns: tuple[Turn, ...], end: Termination, cast: Cast) -> Transcript:
    profile = draw.profile
    return Transcript(
        profile=profile.id,
        profile_digest=profile.digest,
        disposition=profile.disposition,
        intention=profile.intention.name,
        problem_type=profile.scenario.problem_type,
        risk=profile.scenario.risk,
        turns=turns,
        termination=end,
        final_emotion=turns[-1].emotion,
        supporter=cast.supporter,
        seeker=cast.seeker,
        arm=cast.arm,
        draw=draw.position,
        seed=draw.seed,
        bank=cast.bank,
        settings=cast.settings,
    )
