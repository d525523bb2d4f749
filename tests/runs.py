"""Runs made by hand, turn by turn, for what is diagnosed, refined and reviewed."""

from __future__ import annotations

from typing import Any

from esc_skills.transcript import Transcript, Turn
from esc_skills.vocabulary import Disposition, HiddenIntention, Termination

#: What a seeker says that hints at a need, and one thing that hints at none.
ASKS = "What should I do about the broken boiler, and how do I start?"
TELLS = "I need to get it off my chest without somebody interrupting me."
PLAIN = "The boiler in the flat broke on Tuesday."


def turn(
    change: int | None,
    seeker: str = PLAIN,
    supporter: str = "There is time. Take it.",
    *,
    skill: str | None = "wait-a-little",
    flags: tuple[str, ...] = (),
) -> Turn:
    """A seeker message and its answer, with the emotion change that followed."""
    return Turn(seeker, 40, supporter, change, skill=skill, flags=flags)


def episode(draw: int, *turns: Turn, **fields: Any) -> Transcript:
    """The episode of a draw, which ends with a farewell."""
    defaults: dict[str, Any] = {
        "profile": f"boiler/tenant-{draw}/be-heard",
        "disposition": Disposition.PASSIVE,
        "intention": HiddenIntention.BE_HEARD,
        "turns": (*turns, Turn("Goodbye.", 40)),
        "termination": Termination.FAREWELL,
        "final_emotion": 40,
        "supporter": "scripted",
        "seeker": "scripted",
        "draw": draw,
    }
    return Transcript(**{**defaults, **fields})


def run_of(*changes: int | None, each: int = 2, first: int = 0, **fields: Any) -> tuple[Transcript, ...]:
    """Episodes of `each` turns with these emotion changes in their order.

    What `turn` takes is for every turn, the rest for every episode.
    """
    of_turns = {name: fields.pop(name) for name in ("seeker", "supporter", "skill", "flags") if name in fields}
    chunks = [changes[at : at + each] for at in range(0, len(changes), each)]
    return tuple(
        episode(first + at, *(turn(change, **of_turns) for change in chunk), **fields)
        for at, chunk in enumerate(chunks)
    )
