"""ESConv (Liu et al., ACL 2021): the reader of ESConv.json and of FailedESConv.json, which writes the same differently.

ESConv.json has the roles seeker and supporter; FailedESConv.json, the dialogues that did not pass the checks, has speaker
and listener. Ratings and intensities are strings in both, and a survey may be missing.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from esc_skills.corpora.dialogue import Dialogue, Outcomes, Quality, Utterance
from esc_skills.corpora.labels import LabelTally
from esc_skills.documents.jsonl import parse_json
from esc_skills.documents.text import decode, read_bytes
from esc_skills.errors import DocumentError
from esc_skills.vocabulary import Language, Speaker

_MAX_FILE = 200_000_000
_HINT = "give ESConv.json or FailedESConv.json as published"
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


def canonical_text(text: str) -> str:
    """Return a text without the traces of tokenisation, so that splits and originals read alike."""
    for pattern, instead in _JOINTS:
        text = pattern.sub(instead, text)
    return text.strip()


def read_esconv(path: Path) -> tuple[Dialogue, ...]:
    """Return the dialogues of a file, good or failed by the roles that it names; the texts are as the file has them.

    Labels that the vocabularies have no word for are left out.

    Raises:
        DocumentError: A dialogue is of another form; the message names it by its position.
    """
    shown = str(path)
    value = parse_json(decode(read_bytes(path, limit=_MAX_FILE), shown), shown)
    if not isinstance(value, list) or not value:
        raise DocumentError(shown, 1, "esconv", "holds no list of dialogues", _HINT)
    tally = LabelTally()
    return tuple(_read_dialogue(each, shown, path.stem, at, tally) for at, each in enumerate(value, start=1))


def _read_dialogue(value: Any, shown: str, corpus: str, position: int, tally: LabelTally) -> Dialogue:
    name = f"{corpus}-{position}"
    try:
        said = [_read_utterance(each, tally) for each in value["dialog"]]
        qualities = {quality for _, quality in said}
        if len(qualities) != 1:
            raise ValueError("'dialog' should hold messages of one pair of roles")
        survey = value["survey_score"].get("seeker") or {}
        return Dialogue(
            id=name,
            corpus=corpus,
            language=Language.ENGLISH,
            problem_type=tally.problem_type(_text(value["problem_type"])),
            emotion_type=tally.emotion_type(_text(value["emotion_type"])),
            situation=_text(value["situation"]),
            outcomes=Outcomes(
                quality=qualities.pop(),
                initial_intensity=_rating(survey.get("initial_emotion_intensity")),
                final_intensity=_rating(survey.get("final_emotion_intensity")),
                empathy=_rating(survey.get("empathy")),
                relevance=_rating(survey.get("relevance")),
            ),
            utterances=tuple(utterance for utterance, _ in said),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        found = f"the field {error} is missing or unknown" if isinstance(error, KeyError) else str(error)
        raise DocumentError(shown, 0, "esconv", f"dialogue {name}: {found}", _HINT) from error


def _read_utterance(value: Any, tally: LabelTally) -> tuple[Utterance, Quality]:
    if value["speaker"] not in _ROLES:
        raise ValueError(f"the speaker {value['speaker']!r} should be one of {', '.join(_ROLES)}")
    speaker, quality = _ROLES[value["speaker"]]
    annotation = value.get("annotation") or {}
    label = annotation.get("strategy") if speaker is Speaker.SUPPORTER else None
    strategies = tally.strategies(_text(label)) if label is not None else ()
    return Utterance(speaker, _text(value["content"]), strategies, _rating(annotation.get("feedback"))), quality


def _rating(value: Any) -> int | None:
    if value in (None, ""):
        return None
    if isinstance(value, bool) or str(value) not in "12345" or len(str(value)) != 1:
        raise ValueError(f"the rating {value!r} should be 1 to 5")
    return int(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} should be text")
    return value
