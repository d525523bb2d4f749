"""ESConv (Liu et al., ACL 2021): the reader of ESConv.json and of FailedESConv.json, which writes the same differently.

ESConv.json has the roles seeker and supporter; FailedESConv.json, the dialogues that did not pass the checks, has speaker
and listener. Ratings and intensities are strings in both, and a survey may be missing.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from esc_skills.corpora.dialogue import Dialogue, Outcomes, Quality, Utterance
from esc_skills.corpora.forms import BadDialogueError, Place, make_dialogue, optional_object, require_list, require_text
from esc_skills.corpora.labels import EMOTION_LABELS, PROBLEM_LABELS, STRATEGIES
from esc_skills.corpora.streams import read_parts
from esc_skills.corpora.values import read_values
from esc_skills.documents.findings import Finding
from esc_skills.errors import DocumentError
from esc_skills.vocabulary import Speaker

_HINT = "give ESConv.json or FailedESConv.json as published"
_NAMES = {Quality.GOOD: "ESConv", Quality.FAILED: "FailedESConv"}
_ROLES = {
    "seeker": (Speaker.SEEKER, Quality.GOOD),
    "supporter": (Speaker.SUPPORTER, Quality.GOOD),
    "speaker": (Speaker.SEEKER, Quality.FAILED),
    "listener": (Speaker.SUPPORTER, Quality.FAILED),
}
#: Splits of ESConv were tokenised and joined again with spaces, each repair of which is a pattern and what it becomes.
_JOINTS = (
    (re.compile(r"\s+"), " "),
    (re.compile(r"[’‘]"), "'"),
    (re.compile(r" +([,.!?;:%)\]])"), r"\1"),
    (re.compile(r"([(\[]) +"), r"\1"),
    (re.compile(r"(\w) ?' ?(s|m|t|re|ve|ll|d)\b", re.IGNORECASE), r"\1'\2"),
    (re.compile(r"(\w) - (?=\w)"), r"\1-"),
    (re.compile(r"([!?.]) +(?=[!?.])"), r"\1"),
    (re.compile(r'" ([^"]*?) "'), r'"\1"'),
)


#: What a text has to hold for any of these to change it.
_TRACE = re.compile(r"\s[,.!?;:%)\]'\s]|[^\S ]|[’‘]|[(\[] |' | - |\" ")


def canonical_text(text: str) -> str:
    """Return a text without the traces of tokenisation, so that splits and originals read alike."""
    if not _TRACE.search(text):
        return text.strip()
    for pattern, instead in _JOINTS:
        text = pattern.sub(instead, text)
    return text.strip()


def quality_of(value: Any) -> Quality | None:
    """Return of which of the two files a value is, by the first role that it names; None where it is of neither."""
    said = value.get("dialog") if isinstance(value, dict) else None
    role = said[0].get("speaker") if isinstance(said, list) and said and isinstance(said[0], dict) else None
    return _ROLES[role][1] if isinstance(role, str) and role in _ROLES else None


def read_esconv(path: Path) -> tuple[Dialogue, ...]:
    """Return the dialogues of a file, good or failed by the roles that it names; the texts are as the file has them.

    Labels that the vocabularies have no word for are left out.

    Raises:
        DocumentError: A dialogue is of another form; the message names it by its position.
    """
    shown, dialogues = str(path), []
    for position, value in enumerate(read_values(read_parts(path), shown), start=1):
        name = f"{path.stem}-{position}"
        if isinstance(value, Finding):
            raise DocumentError(shown, value.line, value.code, value.message, _HINT)
        quality = quality_of(value.content)
        place = Place(shown, value.line, name, _NAMES.get(quality or Quality.GOOD, ""))
        try:
            dialogues.append(read_dialogue(value.content, place))
        except BadDialogueError as error:
            raise DocumentError(shown, value.line, error.code, f"dialogue {name}: {error}", _HINT) from error
    if not dialogues:
        raise DocumentError(shown, 1, "empty", "holds no list of dialogues", _HINT)
    return tuple(dialogues)


def read_dialogue(value: Any, place: Place) -> Dialogue:
    """Return one element of either file.

    Raises:
        BadDialogueError: It is of another form.
    """
    said = [_read_utterance(each, place) for each in require_list(value, "dialog")]
    qualities = {quality for _, quality in said}
    if len(qualities) > 1:
        raise BadDialogueError("speaker", "the roles are of ESConv and of FailedESConv")
    tally, survey = place.tally, optional_object(optional_object(value, "survey_score"), "seeker")
    return make_dialogue(
        place,
        place.fallback_id,
        (utterance for utterance, _ in said),
        situation=require_text(value, "situation"),
        problem_type=tally.find("problem_type", value.get("problem_type"), PROBLEM_LABELS),
        emotion_type=tally.find("emotion_type", value.get("emotion_type"), EMOTION_LABELS),
        outcomes=Outcomes(
            quality=qualities.pop() if qualities else None,
            initial_intensity=tally.number("initial_intensity", survey.get("initial_emotion_intensity"), 1, 5),
            final_intensity=tally.number("final_intensity", survey.get("final_emotion_intensity"), 1, 5),
            empathy=tally.number("empathy", survey.get("empathy"), 1, 5),
            relevance=tally.number("relevance", survey.get("relevance"), 1, 5),
        ),
    )


def _read_utterance(value: Any, place: Place) -> tuple[Utterance, Quality]:
    role = require_text(value, "speaker")
    if role not in _ROLES:
        raise BadDialogueError("speaker", f"the speaker {role[:40]!r} should be one of {', '.join(_ROLES)}")
    speaker, quality = _ROLES[role]
    annotation, tally = optional_object(value, "annotation"), place.tally
    label = annotation.get("strategy") if speaker is Speaker.SUPPORTER else None
    strategies = tally.find("strategy", label, STRATEGIES) or ()
    feedback = tally.number("feedback", annotation.get("feedback"), 1, 5)
    return Utterance(speaker, require_text(value, "content"), strategies, feedback), quality
