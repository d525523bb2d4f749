"""SAGE's protocol as pure code: how an emotion moves and when an episode ends.

Source: SAGE (Tencent, 2025). An episode starts at 40 and holds at most ten seeker messages. Each supporter turn changes
the emotion by −10 to 10; the answer to the tenth message closes the episode unappraised, as in the published files.
"""

from __future__ import annotations

from esc_skills.transcript import CEILING, FAILURE_BELOW, MAX_CHANGE, MAX_TURNS, SUCCESS_AT
from esc_skills.vocabulary import Termination


def clamp_change(change: int) -> int:
    """Return a change clamped to −10 … 10."""
    return max(-MAX_CHANGE, min(MAX_CHANGE, change))


def apply_change(emotion: int, change: int) -> int:
    """Return the emotion, 0 to 100, after a change, which is clamped first."""
    return max(0, min(CEILING, emotion + clamp_change(change)))


def ending(emotion: int, messages: int, *, farewell: bool = False) -> Termination | None:
    """Return why an episode ends with the seeker's latest message, or None where it goes on.

    Args:
        emotion: The emotion while the message was said, 0 to 100.
        messages: How many messages the seeker has said, the latest included.
        farewell: Whether the latest message is a farewell.
    """
    if emotion >= SUCCESS_AT:
        return Termination.SUCCESS
    if emotion < FAILURE_BELOW:
        return Termination.FAILURE
    if farewell:
        return Termination.FAREWELL
    return Termination.TURN_LIMIT if messages >= MAX_TURNS else None
