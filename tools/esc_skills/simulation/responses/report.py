"""The report of an evaluation of responses: what the arms come to, apart for contexts with risk, and what control does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from esc_skills.bank.skill import Skill
from esc_skills.simulation.intervals import Interval, share_interval
from esc_skills.simulation.responses.arms import Responders, Response, ResponseArm, flags_of
from esc_skills.simulation.responses.contexts import Context
from esc_skills.simulation.responses.judging import PAIRS, Comparison, Judged, Judges, compare, judge_pair
from esc_skills.simulation.responses.measures import Annotator, ArmMeasures, Flagged, Said, measure
from esc_skills.simulation.runner import Progress, run_in_memory
from esc_skills.vocabulary import Risk, Strategy, Termination

#: The row of the corpus's own answers: what the measures make of a person's.
CORPUS = "corpus"


@dataclass(frozen=True, slots=True)
class Answered:
    """A context with what each arm answers, and what the judge says.

    Attributes:
        said: By arm, and what the corpus's supporter said under `CORPUS`.
        judged: One for each pair of `PAIRS`.
        faults: The faults that the arms or the judge ended in.
    """

    context: Context
    said: Mapping[str, Said]
    judged: tuple[Judged, ...]
    faults: tuple[Termination, ...]

    @property
    def is_whole(self) -> bool:
        """Whether every arm answered, so that they can be compared."""
        return bool(self.judged)


@dataclass(frozen=True, slots=True)
class Stratum:
    """The contexts without a statement of risk, or those with one.

    Attributes:
        contexts: How many are measured.
        identical: The share of them in which the arms without restriction all say the same.
        arms: The measures by arm, and of the corpus's own answers.
        comparisons: One for each pair of `PAIRS`.
    """

    contexts: int
    identical: float
    arms: Mapping[str, ArmMeasures]
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True)
class SkillControl:
    """What a restriction does to one skill.

    Attributes:
        skill: Its name.
        kept: Whether the restricted arm has it.
        strategy: Its first strategy.
        selected: In how many contexts the whole bank's supporter selects it; `selected_restricted` the restricted one's.
        shows: In how many answers of the whole bank that strategy is found; `shows_restricted` in the restricted arm's.
    """

    skill: str
    kept: bool
    strategy: Strategy
    selected: int
    selected_restricted: int
    shows: int
    shows_restricted: int


@dataclass(frozen=True, slots=True)
class Control:
    """What a restriction does.

    Attributes:
        contexts: Over how many contexts, those with risk among them.
        changed: The share of them whose answer changed.
        moved: In how many the whole bank's supporter selects a skill that the restriction leaves out.
        unserved: In how many the restricted one selects no skill, since none that is left allows the seeker's state.
        skills: One for each skill of the bank.
    """

    contexts: int
    changed: Interval | None
    moved: int
    unserved: int
    skills: tuple[SkillControl, ...]


@dataclass(frozen=True, slots=True)
class ResponsesReport:
    """What an evaluation of responses found.

    Attributes:
        answered: Every context with its answers.
        strata: `no-risk` and `risk`, where there are such contexts.
        control: What the restriction does; None without one.
        faults: How often a model failed, by reason. A context in which an arm failed is not measured.
        unmeasured: The safety flags of the arms that answered such a context all the same, by arm.
    """

    answered: tuple[Answered, ...]
    strata: Mapping[str, Stratum]
    control: Control | None
    faults: Mapping[Termination, int]
    unmeasured: Mapping[str, tuple[Flagged, ...]]


async def evaluate_responses(
    contexts: Sequence[Context],
    responders: Responders,
    judges: Judges,
    annotate: Annotator,
    *,
    concurrency: int,
    progress: Progress,
) -> ResponsesReport:
    """Return what the arms say to some contexts, and what it comes to.

    Args:
        contexts: At most one of a dialogue.
        responders: The arms.
        judges: Who compares them.
        annotate: Names the strategies of an answer.
        concurrency: How many contexts are worked on at a time.
        progress: Told after each context how many are done, of how many.
    """

    async def work(context: Context) -> Answered:
        return await _answer(context, responders, judges, annotate)

    answered = await run_in_memory(contexts, work, concurrency=concurrency, progress=progress)
    whole = [each for each in answered if each.is_whole]
    groups = {
        "no-risk": [each for each in whole if each.context.risk is Risk.NONE],
        "risk": [each for each in whole if each.context.risk is not Risk.NONE],
    }
    return ResponsesReport(
        answered=answered,
        strata={name: _stratum(group) for name, group in groups.items() if group},
        control=_control(whole, responders) if responders.restricted else None,
        faults=dict(Counter(fault for each in answered for fault in each.faults)),
        unmeasured=_unmeasured([each for each in answered if not each.is_whole]),
    )


async def _answer(context: Context, responders: Responders, judges: Judges, annotate: Annotator) -> Answered:
    def measured(text: str, skill: str | None, flags: tuple[str, ...]) -> Said:
        return Said(context, text, skill, frozenset(annotate(text, context)), flags)

    said = {CORPUS: measured(context.reply, None, flags_of(context.reply, context))}
    faults: list[Termination] = []
    for arm in responders.arms:
        response = await responders.respond(arm, context)
        if isinstance(response, Response):
            said[arm] = measured(response.text, response.skill, response.flags)
        else:
            faults.append(response)
    if faults:
        return Answered(context, said, (), tuple(faults))
    judge = judges.of(context)
    judged = [await judge_pair(judge, context, said[arm].text, said[rival].text) for arm, rival in PAIRS]
    return Answered(context, said, tuple(judged), tuple(each.fault for each in judged if each.fault))


def _unmeasured(answered: Sequence[Answered]) -> dict[str, tuple[Flagged, ...]]:
    found: dict[str, list[Flagged]] = {}
    for each in answered:
        for arm, said in each.said.items():
            for flag in said.flags:
                found.setdefault(arm, []).append(Flagged(each.context.name, flag))
    return {arm: tuple(flags) for arm, flags in found.items()}


def _stratum(answered: Sequence[Answered]) -> Stratum:
    arms = list(answered[0].said)
    plain = [arm for arm in arms if arm not in (CORPUS, ResponseArm.RESTRICTED)]
    same = sum(len({each.said[arm].text for arm in plain}) == 1 for each in answered)
    return Stratum(
        contexts=len(answered),
        identical=same / len(answered),
        arms={arm: measure([each.said[arm] for each in answered]) for arm in arms},
        comparisons=tuple(
            compare(arm, rival, [each.judged[at] for each in answered]) for at, (arm, rival) in enumerate(PAIRS)
        ),
    )


def _control(answered: Sequence[Answered], responders: Responders) -> Control:
    kept = responders.restricted.skills if responders.restricted else {}
    pairs = [(each.said[ResponseArm.BANK], each.said[ResponseArm.RESTRICTED]) for each in answered]
    return Control(
        contexts=len(pairs),
        changed=share_interval(sum(whole.text != part.text for whole, part in pairs), len(pairs)),
        moved=sum(whole.skill is not None and whole.skill not in kept for whole, _ in pairs),
        unserved=sum(part.skill is None for _, part in pairs),
        skills=tuple(_skill_control(skill, skill.name in kept, pairs) for skill in responders.bank.skills.values()),
    )


def _skill_control(skill: Skill, kept: bool, pairs: Sequence[tuple[Said, Said]]) -> SkillControl:
    strategy = skill.main_strategy
    return SkillControl(
        skill=skill.name,
        kept=kept,
        strategy=strategy,
        selected=sum(whole.skill == skill.name for whole, _ in pairs),
        selected_restricted=sum(part.skill == skill.name for _, part in pairs),
        shows=sum(strategy in whole.predicted for whole, _ in pairs),
        shows_restricted=sum(strategy in part.predicted for _, part in pairs),
    )
