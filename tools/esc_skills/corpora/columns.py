"""Columns: tables of one row a message, AnnoMI's and those whose columns a person names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from esc_skills.corpora.dialogue import Dialogue, Outcomes, Utterance
from esc_skills.corpora.forms import BadDialogueError, Place, make_dialogue
from esc_skills.corpora.labels import (
    DISPOSITIONS,
    EMOTION_LABELS,
    INTENTIONS,
    PROBLEM_LABELS,
    QUALITIES,
    STRATEGIES,
    TALK_TYPES,
)
from esc_skills.corpora.table import Row
from esc_skills.vocabulary import ProblemType, Speaker, Strategy

#: The fields that a column may be, those without which there is no dialogue first.
REQUIRED = ("dialogue", "speaker", "text")
_OF_MESSAGES = ("strategy", "feedback", "emotion", "change", "talk_type")
_RANGES = {
    "feedback": (1, 5),
    "emotion": (0, 100),
    "change": (-10, 10),
    "initial_intensity": (1, 5),
    "final_intensity": (1, 5),
    "empathy": (1, 5),
    "relevance": (1, 5),
    "final_emotion": (0, 100),
}
_OUTCOMES = ("initial_intensity", "final_intensity", "empathy", "relevance", "final_emotion")
_OF_DIALOGUES = ("situation", "problem_type", "emotion_type", "disposition", "hidden_intention", "quality", *_OUTCOMES)
FIELDS = (*REQUIRED, *_OF_MESSAGES, *_OF_DIALOGUES)


@dataclass(frozen=True, slots=True)
class Mapped:
    """Which column is which field, and who is who.

    Attributes:
        columns: The column of each field of `FIELDS` that the table has.
        speakers: Whom each value of the speaker's column means.
        labels: The known labels of each kind; those that are missing here are the vocabularies' own.
        nothing: What stands in a cell that says nothing.
        unique: A column in which no two rows of a dialogue agree, where the table has one.
    """

    columns: Mapping[str, str]
    speakers: Mapping[str, Speaker]
    labels: Mapping[str, Mapping[str, Any]]
    nothing: str = ""
    unique: str = ""

    def read(self, rows: Sequence[Row], place: Place) -> Dialogue:
        """Return the dialogue that rows hold.

        Raises:
            BadDialogueError: A speaker is unknown, or the rows do not agree on what they say of the dialogue.
        """
        if self.unique and len({row[self.unique] for row in rows}) < len(rows):
            raise BadDialogueError(
                "repeated-row", f"two rows have the same {self.unique}, as where several annotate one"
            )
        about = {name: self._of_all(rows, name) for name in _OF_DIALOGUES}
        tally = place.tally
        return make_dialogue(
            place,
            rows[0][self.columns["dialogue"]] or place.fallback_id,
            [self._utterance(row, place) for row in rows],
            situation=about["situation"],
            problem_type=tally.find("problem_type", about["problem_type"], self._labels("problem_type")),
            emotion_type=tally.find("emotion_type", about["emotion_type"], self._labels("emotion_type")),
            disposition=tally.find("disposition", about["disposition"], self._labels("disposition")),
            hidden_intention=tally.find(
                "hidden_intention", about["hidden_intention"], self._labels("hidden_intention")
            ),
            outcomes=Outcomes(
                quality=tally.find("quality", about["quality"], QUALITIES),
                **{name: tally.number(name, about[name], *_RANGES[name]) for name in _OUTCOMES},
            ),
        )

    def _labels(self, kind: str) -> Mapping[str, Any]:
        return self.labels.get(kind, _OWN_LABELS[kind])

    def _cell(self, row: Row, name: str) -> str:
        value = row[self.columns[name]] if name in self.columns else ""
        return "" if value == self.nothing else value

    def _of_all(self, rows: Sequence[Row], name: str) -> str:
        found = {cell for row in rows if (cell := self._cell(row, name))} if name in self.columns else set()
        if len(found) > 1:
            one, other = sorted(found)[:2]
            raise BadDialogueError("form", f"the column {self.columns[name]!r} says {one[:40]!r} and {other[:40]!r}")
        return found.pop() if found else ""

    def _utterance(self, row: Row, place: Place) -> Utterance:
        who, tally = row[self.columns["speaker"]], place.tally
        if who not in self.speakers:
            raise BadDialogueError("speaker", f"the speaker {who[:40]!r} should be one of {', '.join(self.speakers)}")
        return Utterance(
            self.speakers[who],
            row[self.columns["text"]],
            tally.find("strategy", self._cell(row, "strategy"), self._labels("strategy")) or (),
            tally.number("feedback", self._cell(row, "feedback"), *_RANGES["feedback"]),
            tally.number("emotion", self._cell(row, "emotion"), *_RANGES["emotion"]),
            tally.number("change", self._cell(row, "change"), *_RANGES["change"]),
            tally.find("talk_type", self._cell(row, "talk_type"), TALK_TYPES),
        )


_OWN_LABELS: Mapping[str, Mapping[str, Any]] = {
    "problem_type": PROBLEM_LABELS,
    "emotion_type": EMOTION_LABELS,
    "disposition": DISPOSITIONS,
    "hidden_intention": INTENTIONS,
    "strategy": STRATEGIES,
}

#: AnnoMI (Wu et al., 2022), AnnoMI-simple.csv: what its four therapist behaviours may be in ESConv's words. A behaviour
#: is wider than a strategy, so most mean any of several.
ANNOMI = Mapped(
    columns={
        "dialogue": "transcript_id",
        "speaker": "interlocutor",
        "text": "utterance_text",
        "strategy": "main_therapist_behaviour",
        "talk_type": "client_talk_type",
        "problem_type": "topic",
        "quality": "mi_quality",
    },
    speakers={"client": Speaker.SEEKER, "therapist": Speaker.SUPPORTER},
    labels={
        "strategy": {
            "question": (Strategy.QUESTION,),
            "reflection": (Strategy.RESTATEMENT_OR_PARAPHRASING, Strategy.REFLECTION_OF_FEELINGS),
            "therapist_input": (Strategy.PROVIDING_SUGGESTIONS, Strategy.INFORMATION),
            "other": (Strategy.AFFIRMATION_AND_REASSURANCE, Strategy.SELF_DISCLOSURE, Strategy.OTHERS),
        },
        "problem_type": {"reducing alcohol consumption": ProblemType.ALCOHOL_ABUSE},
    },
    nothing="n/a",
    unique="utterance_id",
)
