"""ExTES (Zheng et al., 2023): the reader of ExTES.json, whose dialogues a language model wrote.

An element has `scene`, `description` and `content`, a list of `{"User": …}` and `{"AI": …, "AI Strategy": …}`. The
published file departs from that in places. Form and names: github.com/pandazzh2020/ExTES, and code that reads it.
"""

from __future__ import annotations

from typing import Any

from esc_skills.corpora.dialogue import Dialogue, Utterance
from esc_skills.corpora.forms import BadDialogueError, Place, make_dialogue, require_list
from esc_skills.corpora.labels import PROBLEM_LABELS, STRATEGIES
from esc_skills.vocabulary import ProblemType, Speaker, Strategy

#: By the definitions of the two papers. Where a label covers two of ESConv's it means either; what ESConv has no word for
#: falls under its `others`, which is defined as all other strategies.
_STRATEGIES: dict[str, tuple[Strategy, ...]] = {
    **STRATEGIES,
    "reflective statements": (Strategy.RESTATEMENT_OR_PARAPHRASING, Strategy.REFLECTION_OF_FEELINGS),
    "clarification": (Strategy.QUESTION,),
    "emotional validation": (Strategy.REFLECTION_OF_FEELINGS, Strategy.AFFIRMATION_AND_REASSURANCE),
    "empathetic statements": (Strategy.REFLECTION_OF_FEELINGS,),
    "affirmation": (Strategy.AFFIRMATION_AND_REASSURANCE,),
    "offer hope": (Strategy.AFFIRMATION_AND_REASSURANCE,),
    "avoid judgment and criticism": (Strategy.OTHERS,),
    "suggest options": (Strategy.PROVIDING_SUGGESTIONS,),
    "collaborative planning": (Strategy.PROVIDING_SUGGESTIONS,),
    "provide different perspectives": (Strategy.OTHERS,),
    "reframe negative thoughts": (Strategy.OTHERS,),
    "share information": (Strategy.INFORMATION,),
    "normalize experiences": (Strategy.AFFIRMATION_AND_REASSURANCE,),
    "promote self-care practices": (Strategy.PROVIDING_SUGGESTIONS,),
    "stress management": (Strategy.PROVIDING_SUGGESTIONS,),
}
#: Scenes that are one problem type; the others, wider or of another kind, are counted as unmapped.
_SCENES = {
    **PROBLEM_LABELS,
    "breakups or divorce": ProblemType.BREAKUP_WITH_PARTNER,
    "academic stress": ProblemType.ACADEMIC_PRESSURE,
    "academic stress or pressure": ProblemType.ACADEMIC_PRESSURE,
    "work-related stress and burnout": ProblemType.JOB_CRISIS,
    "unemployment-related stress": ProblemType.JOB_CRISIS,
    "job loss or career setbacks": ProblemType.JOB_CRISIS,
    "depression and low mood": ProblemType.ONGOING_DEPRESSION,
    "parenthood and parenting challenges": ProblemType.ISSUES_WITH_CHILDREN,
    "parenting challenges and parental guilt": ProblemType.ISSUES_WITH_CHILDREN,
}
_SPEAKERS = {"User": Speaker.SEEKER, "AI": Speaker.SUPPORTER}


def read_dialogue(value: Any, place: Place) -> Dialogue:
    """Return one element of the file.

    Raises:
        BadDialogueError: It is of another form.
    """
    description = value.get("description") if isinstance(value, dict) else None
    return make_dialogue(
        place,
        place.fallback_id,
        [_read_utterance(each, place) for each in require_list(value, "content")],
        situation=description if isinstance(description, str) else "",
        problem_type=place.tally.find("problem_type", value.get("scene"), _SCENES),
    )


def _read_utterance(value: Any, place: Place) -> Utterance:
    keys = [key for key in _SPEAKERS if isinstance(value, dict) and isinstance(value.get(key), str)]
    if len(keys) != 1:
        raise BadDialogueError("speaker", f"a message should have 'User' or 'AI' and is {str(value)[:60]}")
    strategies = place.tally.find("strategy", value.get("AI Strategy"), _STRATEGIES) or ()
    return Utterance(_SPEAKERS[keys[0]], value[keys[0]], strategies)
