"""SAGE (Tencent, 2025): the reader of its result files, in Chinese, with the seeker's emotion and its changes.

A topic is `<category>-<title>`; the title tells one profile from another and is not counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from esc_skills.corpora.dialogue import Dialogue, Outcomes, Utterance
from esc_skills.corpora.forms import BadDialogueError, Place, make_dialogue
from esc_skills.errors import DocumentError
from esc_skills.transcript import Transcript, read_sage_episode, run_name
from esc_skills.vocabulary import ProblemType, Speaker

#: The categories that are one problem type. Those of families hold children's and parents' sides alike, and have none.
_CATEGORIES = {
    "学业压力太大": ProblemType.ACADEMIC_PRESSURE,
    "学业与行为问题": ProblemType.ACADEMIC_PRESSURE,
    "校园霸凌": ProblemType.SCHOOL_BULLYING,
    "分手与复合": ProblemType.BREAKUP_WITH_PARTNER,
    "工作压力与平衡": ProblemType.JOB_CRISIS,
}


def read_dialogue(value: Any, place: Place) -> Dialogue:
    """Return one line of a result file.

    Raises:
        BadDialogueError: It is of another form.
    """
    if not isinstance(value, dict):
        raise BadDialogueError("form", f"should be an object and is {str(value)[:40]}")
    try:
        episode = read_sage_episode(value, place.path, place.line)
    except DocumentError as error:
        raise BadDialogueError("form", error.detail) from error
    topic = value.get("topic")
    category = topic.partition("-")[0] if isinstance(topic, str) else topic
    place.tally.mapped += [("disposition", str(value["character"])), ("hidden_intention", str(value["task"])[:80])]
    return make_dialogue(
        place,
        f"{run_name(Path(place.path))}/{episode.profile}",
        _utterances(episode),
        situation=episode.background,
        problem_type=place.tally.find("problem_type", category, _CATEGORIES),
        disposition=episode.disposition,
        hidden_intention=episode.intention,
        outcomes=Outcomes(final_emotion=episode.final_emotion),
    )


def _utterances(episode: Transcript) -> Iterator[Utterance]:
    change = None
    for turn in episode.turns:
        yield Utterance(Speaker.SEEKER, turn.seeker, emotion=turn.emotion, change=change)
        if turn.supporter is not None:
            yield Utterance(Speaker.SUPPORTER, turn.supporter)
        change = turn.change
