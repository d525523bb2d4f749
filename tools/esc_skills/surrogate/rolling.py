"""Rolling: the exchanges of a recorded episode, and the emotion that a sequence of changes leads to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from esc_skills.language.cues import Cues, load_cues
from esc_skills.language.wording import detect_language
from esc_skills.surrogate.features import Exchange
from esc_skills.transcript import CEILING, FAILURE_BELOW, MAX_CHANGE, START, SUCCESS_AT, Transcript


def appraised_exchanges(transcript: Transcript) -> Iterator[tuple[Exchange, int, int]]:
    """Yield each appraised supporter turn with the seeker's emotion before it and the change that it caused."""
    turns = transcript.turns
    for at, turn in enumerate(turns):
        if turn.supporter is None or turn.change is None:
            continue
        exchange = Exchange(
            seeker_said=turn.seeker,
            supporter_said=turn.supporter,
            earlier_supporter=tuple(each.supporter for each in turns[:at] if each.supporter is not None),
            earlier_seeker=tuple(each.seeker for each in turns[:at]),
            background=transcript.background,
            turn=at + 1,
        )
        yield exchange, turn.emotion, turn.change


def cues_of(transcript: Transcript) -> Cues:
    """Return the cues of the language that an episode is in."""
    return load_cues(detect_language("".join(turn.seeker + (turn.supporter or "") for turn in transcript.turns)))


def roll_emotion(changes: Iterable[float]) -> float:
    """Return the final emotion when changes follow one another from SAGE's start, by its limits and its ends.

    Each change is held within −10 and 10 and the emotion within 0 and 100; nothing is taken after success or failure.
    """
    emotion = float(START)
    for change in changes:
        emotion += max(-MAX_CHANGE, min(MAX_CHANGE, change))
        if emotion >= SUCCESS_AT:
            return float(CEILING)
        if emotion < FAILURE_BELOW:
            return max(0.0, emotion)
    return emotion
