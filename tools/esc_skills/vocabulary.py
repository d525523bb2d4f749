"""The closed vocabularies of the field as enums, with the aliases under which published corpora write them.

Sources: ESConv (Liu et al., ACL 2021) for strategies, stages, emotion and problem types; SAGE (Tencent, 2025) for
dispositions, hidden intentions, emotion bands and the ways an episode ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

#: The small print of every verdict.
MEASURED = (
    "What was measured is our supporter with this folder, which adds prompts and the choice of two examples; another agent "
    "adds its own (docs/agents.md)."
)
_Word = TypeVar("_Word", bound=StrEnum)


class Speaker(StrEnum):
    """The two speakers of an emotional support conversation."""

    SEEKER = "seeker"
    SUPPORTER = "supporter"


class Language(StrEnum):
    """The languages that skills, profiles and cue lexicons are written in."""

    ENGLISH = "en"
    CHINESE = "zh"


class Stage(StrEnum):
    """The three stages of ESConv, after Hill's helping skills."""

    EXPLORATION = "exploration"
    COMFORTING = "comforting"
    ACTION = "action"


class Strategy(StrEnum):
    """The eight support strategies of ESConv. A supporter turn may hold several."""

    QUESTION = "question"
    RESTATEMENT_OR_PARAPHRASING = "restatement-or-paraphrasing"
    REFLECTION_OF_FEELINGS = "reflection-of-feelings"
    SELF_DISCLOSURE = "self-disclosure"
    AFFIRMATION_AND_REASSURANCE = "affirmation-and-reassurance"
    PROVIDING_SUGGESTIONS = "providing-suggestions"
    INFORMATION = "information"
    OTHERS = "others"


#: How published corpora label strategies. One label of the rebuilt ESConv split means either of two.
STRATEGY_LABELS: dict[str, tuple[Strategy, ...]] = {
    "question": (Strategy.QUESTION,),
    "questions": (Strategy.QUESTION,),
    "restatement": (Strategy.RESTATEMENT_OR_PARAPHRASING,),
    "restatement or paraphrasing": (Strategy.RESTATEMENT_OR_PARAPHRASING,),
    "reflection of feelings": (Strategy.REFLECTION_OF_FEELINGS,),
    "self-disclosure": (Strategy.SELF_DISCLOSURE,),
    "affirmation and reassurance": (Strategy.AFFIRMATION_AND_REASSURANCE,),
    "approval and reassurance": (Strategy.AFFIRMATION_AND_REASSURANCE,),
    "providing suggestions": (Strategy.PROVIDING_SUGGESTIONS,),
    "direct guidance": (Strategy.PROVIDING_SUGGESTIONS,),
    "information": (Strategy.INFORMATION,),
    "providing suggestions or information": (Strategy.PROVIDING_SUGGESTIONS, Strategy.INFORMATION),
    "others": (Strategy.OTHERS,),
    "other": (Strategy.OTHERS,),
    "greeting": (Strategy.OTHERS,),
}


class EmotionType(StrEnum):
    """The emotion types of ESConv, its extended ones among them."""

    ANGER = "anger"
    ANXIETY = "anxiety"
    DEPRESSION = "depression"
    DISGUST = "disgust"
    FEAR = "fear"
    GUILT = "guilt"
    JEALOUSY = "jealousy"
    NERVOUSNESS = "nervousness"
    PAIN = "pain"
    SADNESS = "sadness"
    SHAME = "shame"


class Disposition(StrEnum):
    """SAGE's three kinds of seeker, with the Chinese words of its files in `DISPOSITION_LABELS`."""

    NEGATIVE = "negative"
    PASSIVE = "passive"
    AVOIDANT = "avoidant"


DISPOSITION_LABELS: dict[str, Disposition] = {
    "负面型": Disposition.NEGATIVE,
    "被动型": Disposition.PASSIVE,
    "回避型": Disposition.AVOIDANT,
}


class HiddenIntention(StrEnum):
    """SAGE's eight hidden intentions, with the Chinese sentences of its files in `INTENTION_LABELS`."""

    PRACTICAL_ADVICE = "practical-advice"
    DEEP_EMPATHY = "deep-empathy"
    SINCERE_PRAISE = "sincere-praise"
    GUIDED_REFLECTION = "guided-reflection"
    BE_HEARD = "be-heard"
    BALANCED_ANALYSIS = "balanced-analysis"
    UNDERSTAND_OTHERS = "understand-others"
    NO_BLAME = "no-blame"


#: The words by which each of SAGE's eight `task` sentences is told from the seven others.
INTENTION_LABELS: dict[str, HiddenIntention] = {
    "建议": HiddenIntention.PRACTICAL_ADVICE,
    "共情": HiddenIntention.DEEP_EMPATHY,
    "夸奖": HiddenIntention.SINCERE_PRAISE,
    "自我反思": HiddenIntention.GUIDED_REFLECTION,
    "倾听": HiddenIntention.BE_HEARD,
    "辩证": HiddenIntention.BALANCED_ANALYSIS,
    "其他人物": HiddenIntention.UNDERSTAND_OTHERS,
    "没有错": HiddenIntention.NO_BLAME,
}


def intention_of_task(task: str) -> HiddenIntention:
    """Return the hidden intention that a SAGE `task` sentence states.

    Raises:
        ValueError: It is none of SAGE's eight.
    """
    found = [intention for words, intention in INTENTION_LABELS.items() if words in task]
    if len(found) != 1:
        raise ValueError(f"{task[:40]!r} is none of SAGE's eight tasks")
    return found[0]


class Risk(StrEnum):
    """How near a seeker is to ending their life: from no sign to plan or means at hand."""

    NONE = "none"
    PASSIVE = "passive"
    ACTIVE = "active"
    IMMINENT = "imminent"


class Split(StrEnum):
    """Who may see a part of a profile: the proposer, the gate alone, or reports alone."""

    EVOLUTION = "evolution"
    GATE = "gate"
    REPORT = "report"


class Band(StrEnum):
    """SAGE's bands of the emotion score, from satisfied to broken off."""

    S = "S"
    A = "A"
    B = "B"
    C = "C"
    F = "F"


class Termination(StrEnum):
    """Why an episode ended. The first four are the seeker's; the rest are faults of a model and are never scored."""

    SUCCESS = "success"
    FAILURE = "failure"
    FAREWELL = "farewell"
    TURN_LIMIT = "turn-limit"
    FAULT_MALFORMED = "fault-malformed"
    FAULT_EMPTY = "fault-empty"
    FAULT_REFUSED = "fault-refused"
    FAULT_CUT_OFF = "fault-cut-off"
    FAULT_CONTEXT = "fault-context"
    FAULT_ENDPOINT = "fault-endpoint"

    @property
    def is_fault(self) -> bool:
        """Whether a model failed, rather than the seeker ending the conversation."""
        return self.value.startswith("fault-")


class Arm(StrEnum):
    """Which bank an episode ran with: a plain run's, or one of the two of a proposal."""

    RUN = "run"
    BASE = "base"
    CANDIDATE = "candidate"


class RiskCode(StrEnum):
    """What can go wrong with a skill, as its Risks section and `esc-risks` name it."""

    BLAME = "blame"
    DEPENDENCE = "dependence"
    FALSE_REASSURANCE = "false-reassurance"
    FLATTERY = "flattery"
    INTERROGATION = "interrogation"
    LABELLING = "labelling"
    LECTURING = "lecturing"
    MINIMISING = "minimising"
    MISSED_RISK = "missed-risk"
    OVER_INTERPRETATION = "over-interpretation"
    OVERLOAD = "overload"
    PARROTING = "parroting"
    PREMATURE_ADVICE = "premature-advice"
    RUSHING = "rushing"
    SELF_FOCUS = "self-focus"
    TAKING_SIDES = "taking-sides"


class ProblemType(StrEnum):
    """The problem types of ESConv and its extension."""

    ACADEMIC_PRESSURE = "academic-pressure"
    ALCOHOL_ABUSE = "alcohol-abuse"
    APPEARANCE_ANXIETY = "appearance-anxiety"
    BREAKUP_WITH_PARTNER = "breakup-with-partner"
    CONFLICT_WITH_PARENTS = "conflict-with-parents"
    ISSUES_WITH_CHILDREN = "issues-with-children"
    ISSUES_WITH_PARENTS = "issues-with-parents"
    JOB_CRISIS = "job-crisis"
    ONGOING_DEPRESSION = "ongoing-depression"
    PROBLEMS_WITH_FRIENDS = "problems-with-friends"
    PROCRASTINATION = "procrastination"
    SCHOOL_BULLYING = "school-bullying"
    SLEEP_PROBLEMS = "sleep-problems"


class Verdict(StrEnum):
    """What the gate says of a proposal."""

    ACCEPT = "accept"
    REJECT = "reject"
    INDECISIVE = "indecisive"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words that the skills of a repository may use, and further keys of their metadata: ours and a team's own.

    No surrogate, lexicon or prompt knows a team's own words; language models read them where they stand.
    """

    needs: tuple[str, ...] = tuple(HiddenIntention)
    strategies: tuple[str, ...] = tuple(Strategy)
    stages: tuple[str, ...] = tuple(Stage)
    languages: tuple[str, ...] = tuple(Language)
    keys: tuple[str, ...] = ()


def known_words(kind: type[_Word], words: Iterable[str]) -> tuple[str, ...]:
    """Return words as members of an enum; those that a team added stay texts."""
    known = {str(each): each for each in kind}
    return tuple(known.get(word, word) for word in words)
