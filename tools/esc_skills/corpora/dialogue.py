"""Dialogues: conversations between a seeker and a supporter, in one form whatever corpus they come from.

A file of dialogues is JSON Lines, one a line, as `schemas/dialogue.schema.json` describes them. What somebody measured
or judged of a conversation, its outcome signals, lies apart from what was said and from what the seeker brought.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from esc_skills.vocabulary import Disposition, EmotionType, HiddenIntention, Language, ProblemType, Speaker, Strategy


class Quality(StrEnum):
    """Whether a dialogue passed its corpus's quality checks."""

    GOOD = "good"
    FAILED = "failed"


class TalkType(StrEnum):
    """What a client's words do to a change in motivational interviewing, as AnnoMI's annotators call it."""

    CHANGE = "change"
    NEUTRAL = "neutral"
    SUSTAIN = "sustain"


@dataclass(frozen=True, slots=True)
class Utterance:
    """One message.

    Attributes:
        speaker: Who says it.
        text: As the corpus has it.
        strategies: What the annotators call it; empty where nobody said, several where a label means any of them.
        feedback: The seeker's rating, 1 to 5, of the supporter's messages since the last rating; None where none is
            given.
        emotion: The seeker's emotion when saying it, 0 to 100 as in SAGE.
        change: The emotion change, −10 to 10, that the supporter's message before brought.
        talk_type: What the seeker's words do to a change.
    """

    speaker: Speaker
    text: str
    strategies: tuple[Strategy, ...] = ()
    feedback: int | None = None
    emotion: int | None = None
    change: int | None = None
    talk_type: TalkType | None = None


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What a corpus says of how a whole dialogue went; None where it says nothing.

    Attributes:
        quality: Whether it passed the corpus's quality checks.
        initial_intensity: The seeker's emotion intensity before, 1 to 5.
        final_intensity: The same afterwards.
        empathy: How well the seeker felt understood, 1 to 5.
        relevance: How much the supporter's words had to do with the seeker's, 1 to 5.
        final_emotion: The emotion, 0 to 100, at which an episode of SAGE ended.
    """

    quality: Quality | None = None
    initial_intensity: int | None = None
    final_intensity: int | None = None
    empathy: int | None = None
    relevance: int | None = None
    final_emotion: int | None = None


@dataclass(frozen=True, slots=True)
class Dialogue:
    """One conversation.

    Attributes:
        id: Unique in its corpus: the corpus's own id, or the file's stem and the position in it, from 1.
        corpus: The corpus's name.
        language: The language that it is in.
        situation: The seeker's situation, in the seeker's words or the corpus's; empty where there is none.
        problem_type: What it is about; None where the corpus does not say or has no such word.
        emotion_type: The seeker's emotion, likewise.
        disposition: The seeker's disposition, likewise.
        hidden_intention: What the seeker wants without saying so, likewise.
        outcomes: How it went.
        utterances: The messages in their order.
    """

    id: str
    corpus: str
    language: Language
    utterances: tuple[Utterance, ...]
    situation: str = ""
    problem_type: ProblemType | None = None
    emotion_type: EmotionType | None = None
    disposition: Disposition | None = None
    hidden_intention: HiddenIntention | None = None
    outcomes: Outcomes = field(default_factory=Outcomes)

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

    def as_json(self) -> dict[str, Any]:
        """Return the dialogue as a line of JSON Lines; what is not known is left out."""
        return _known(
            {
                "id": self.id,
                "corpus": self.corpus,
                "language": str(self.language),
                "situation": self.situation or None,
                **{key: str(value) if (value := getattr(self, key)) else None for key in _LABELS},
                "outcomes": _known({key: getattr(self.outcomes, key) for key in _OUTCOMES}) or None,
                "utterances": [_utterance_json(each) for each in self.utterances],
            }
        )


_LABELS: dict[str, Any] = {
    "problem_type": ProblemType,
    "emotion_type": EmotionType,
    "disposition": Disposition,
    "hidden_intention": HiddenIntention,
}
_OUTCOMES = ("quality", "initial_intensity", "final_intensity", "empathy", "relevance", "final_emotion")


def _known(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _utterance_json(utterance: Utterance) -> dict[str, Any]:
    return _known(
        {
            "speaker": str(utterance.speaker),
            "text": utterance.text,
            "strategies": [str(each) for each in utterance.strategies] or None,
            "feedback": utterance.feedback,
            "emotion": utterance.emotion,
            "change": utterance.change,
            "talk_type": utterance.talk_type,
        }
    )


def dialogue_of(value: Mapping[str, Any]) -> Dialogue:
    """Return the record of a line whose value keeps to `schemas/dialogue.schema.json`."""
    outcomes = dict(value.get("outcomes", {}))
    if "quality" in outcomes:
        outcomes["quality"] = Quality(outcomes["quality"])
    return Dialogue(
        id=value["id"],
        corpus=value["corpus"],
        language=Language(value["language"]),
        utterances=tuple(_utterance_of(each) for each in value["utterances"]),
        situation=value.get("situation", ""),
        outcomes=Outcomes(**outcomes),
        **{key: kind(value[key]) for key, kind in _LABELS.items() if key in value},
    )


def _utterance_of(value: dict[str, Any]) -> Utterance:
    talk_type = value.get("talk_type")
    return Utterance(
        speaker=Speaker(value["speaker"]),
        text=value["text"],
        strategies=tuple(map(Strategy, value.get("strategies", ()))),
        feedback=value.get("feedback"),
        emotion=value.get("emotion"),
        change=value.get("change"),
        talk_type=TalkType(talk_type) if talk_type else None,
    )
