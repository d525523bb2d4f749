"""Dialogues: conversations between a seeker and a supporter as corpora record them, whatever their file looks like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from esc_skills.vocabulary import Speaker, Strategy


class Quality(StrEnum):
    """Whether a dialogue passed its corpus's quality checks."""

    GOOD = "good"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Utterance:
    """One message.

    Attributes:
        speaker: Who says it.
        text: As the corpus has it.
        strategies: What the annotators call it; empty for the seeker, several where a label means either.
        feedback: The seeker's rating, 1 to 5, of the supporter's messages since the last rating; None where none is given.
    """

    speaker: Speaker
    text: str
    strategies: tuple[Strategy, ...] = ()
    feedback: int | None = None


@dataclass(frozen=True, slots=True)
class Dialogue:
    """One conversation.

    Attributes:
        id: The file's stem and the position in it, from 1.
        problem_type: As the corpus names it.
        emotion_type: As the corpus names it.
        situation: The seeker's situation in the seeker's words.
        initial_intensity: The seeker's emotion intensity before, 1 to 5; None where the survey lacks it.
        final_intensity: The same afterwards.
        quality: Whether it passed the corpus's checks.
        utterances: The messages in their order.
    """

    id: str
    problem_type: str
    emotion_type: str
    situation: str
    initial_intensity: int | None
    final_intensity: int | None
    quality: Quality
    utterances: tuple[Utterance, ...]

    def runs(self) -> Iterator[tuple[Speaker, tuple[Utterance, ...]]]:
        """Yield the messages that one speaker sends in a row, as one turn each."""
        gathered: list[Utterance] = []
        for utterance in self.utterances:
            if gathered and gathered[-1].speaker is not utterance.speaker:
                yield gathered[0].speaker, tuple(gathered)
                gathered = []
            gathered.append(utterance)
        if gathered:
            yield gathered[0].speaker, tuple(gathered)
