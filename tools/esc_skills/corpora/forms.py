"""Forms: what every reader of a corpus's form asks of a value, and how it says that a dialogue is of another form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from esc_skills.corpora.dialogue import Dialogue, Utterance
from esc_skills.corpora.labels import Tally
from esc_skills.vocabulary import Language, Speaker

_HAN = re.compile(r"[\u3400-\u9fff]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_OTHER_SCRIPT = re.compile(r"[\u0370-\u1fff\u3040-\u30ff\uac00-\ud7af]")
#: A Chinese text of the same content has about a third of the letters of an English one.
_LETTERS_OF_A_HAN = 3


class BadDialogueError(ValueError):
    """A dialogue cannot be used, for a reason that has a code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Place:
    """Where a dialogue stands and what is counted of it.

    Attributes:
        path: The file as it was named.
        line: The line that the dialogue begins in.
        fallback_id: Its id where the corpus has none: the file's stem and the position in it.
        corpus: The name of the corpus.
        tally: Its labels, and what was left out.
    """

    path: str
    line: int
    fallback_id: str
    corpus: str
    tally: Tally = field(default_factory=Tally)


def require_text(value: Any, key: str) -> str:
    """Return a text of a JSON object.

    Raises:
        BadDialogueError: There is no object, key or text.
    """
    found = value.get(key) if isinstance(value, dict) else None
    if not isinstance(found, str):
        raise BadDialogueError("form", f"{key!r} should be a text and is {_found(value, key)}")
    return found


def require_list(value: Any, key: str) -> list[Any]:
    """Return a list of a JSON object.

    Raises:
        BadDialogueError: There is no object, key or list.
    """
    found = value.get(key) if isinstance(value, dict) else None
    if not isinstance(found, list):
        raise BadDialogueError("form", f"{key!r} should be a list and is {_found(value, key)}")
    return found


def optional_object(value: Any, key: str) -> dict[str, Any]:
    """Return an object of a JSON object, or an empty one where it is missing or null."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _found(value: Any, key: str) -> str:
    if not isinstance(value, dict):
        return f"missing: here is {str(value)[:40]!r}"
    return f"{str(value[key])[:40]!r}" if key in value else f"missing; there are {', '.join(map(str, value))[:200]}"


def own_id(value: dict[str, Any], place: Place, *keys: str) -> str:
    """Return the first id of its own that a dialogue has, or the place's."""
    for key in keys:
        found = value.get(key)
        if isinstance(found, int) and not isinstance(found, bool):
            return str(found)
        if isinstance(found, str) and found.strip():
            return found
    return place.fallback_id


def keep_spoken(utterances: Iterable[Utterance], tally: Tally) -> tuple[Utterance, ...]:
    """Return the messages that say something; the others are counted, and so are strategies of the seeker's.

    Raises:
        BadDialogueError: Nothing is said, or one speaker alone says it.
    """
    spoken = []
    for utterance in utterances:
        if not utterance.text.strip():
            tally.leave_out("message", f"empty, of the {utterance.speaker}")
        elif utterance.strategies and utterance.speaker is Speaker.SEEKER:
            tally.leave_out("strategy", "of a message of the seeker")
            spoken.append(replace(utterance, strategies=()))
        else:
            spoken.append(utterance)
    if not spoken:
        raise BadDialogueError("empty", "nobody says anything")
    if all(each.speaker is spoken[0].speaker for each in spoken):
        other = Speaker.SUPPORTER if spoken[0].speaker is Speaker.SEEKER else Speaker.SEEKER
        raise BadDialogueError("one-speaker", f"the {other} says nothing")
    return tuple(spoken)


def language_of(utterances: Sequence[Utterance]) -> Language:
    """Return the language of what is said, by its letters alone; a Latin script passes for English.

    Raises:
        BadDialogueError: Most letters are of another script, or there are none.
    """
    texts = [utterance.text for utterance in utterances]
    if all(text.isascii() for text in texts) and any(map(str.islower, texts)):
        return Language.ENGLISH
    joined = " ".join(texts)
    han, latin = _LETTERS_OF_A_HAN * len(_HAN.findall(joined)), len(_LATIN.findall(joined))
    if max(han, latin) <= len(_OTHER_SCRIPT.findall(joined)):
        raise BadDialogueError("language", "is in neither English nor Chinese, by its letters")
    return Language.CHINESE if han > latin else Language.ENGLISH


def make_dialogue(place: Place, name: str, utterances: Iterable[Utterance], **about: Any) -> Dialogue:
    """Return a dialogue of what is said and what is known about it.

    Raises:
        BadDialogueError: One speaker or both say nothing, or the language is none of ours.
    """
    spoken = keep_spoken(utterances, place.tally)
    return Dialogue(id=name, corpus=place.corpus, language=language_of(spoken), utterances=spoken, **about)
