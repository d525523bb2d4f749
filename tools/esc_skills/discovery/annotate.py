"""The annotator: a language model that reads each Intervention Unit where the corpus says nothing.

What people annotated stays, and so does the offline reading of a unit whose answer cannot be used: one that is malformed,
or that rests on words which nobody says. The texts are strangers', so an answer is taken in closed words alone, and no
answer lowers a risk.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from esc_skills.corpora.dialogue import Dialogue
from esc_skills.corpora.esconv import canonical_text
from esc_skills.discovery.units import Action, Source, State, Unit
from esc_skills.documents.prompts import PromptRole, load_prompt
from esc_skills.documents.text import one_line, shorten
from esc_skills.models.request import Message, Model, ModelFault
from esc_skills.settings import RoleSettings
from esc_skills.simulation.players import role_model
from esc_skills.vocabulary import Disposition, EmotionType, HiddenIntention, Risk, Speaker, Strategy

#: Equal words should get equal answers; the limit is for models that think before they speak.
_OWN = RoleSettings(temperature=0.0, max_tokens=2000)
#: How many messages before the seeker's turn are shown, and how many characters of one of them and of one of the three.
_BEFORE, _BESIDE, _TURN = 6, 400, 3000
#: What an answer's whole numbers stand for. Even the surest answer is below what a rating by the seeker counts; at 4 and 5
#: the model is sure enough for a clear transition, which is one from 2.
_EFFECTS = {-2: -1.0, -1: -0.5, 0: 0.0, 1: 0.5, 2: 1.0}
_CONFIDENCE = {1: 0.2, 2: 0.3, 3: 0.4, 4: 0.5, 5: 0.6}
#: A ground of fewer characters stands anywhere.
_LEAST_GROUND = 4
_QUOTATION_MARKS = "\"'“”‘’「」『』"
#: The fault of an answer of the right form whose ground stands in none of the three turns.
UNFOUNDED = "unfounded"


@dataclass(frozen=True, slots=True)
class Annotated:
    """A unit that the annotator was asked about.

    Attributes:
        unit: With the answer in it, or as it was read offline.
        fault: Why the answer could not be used, `unfounded` or a termination that is a fault; empty where it was.
    """

    unit: Unit
    fault: str = ""


@dataclass(frozen=True, slots=True)
class _Said:
    """What came of a call: an answer, or a fault."""

    value: Mapping[str, Any] | None
    fault: str = ""


class Annotator:
    """Reads units with a language model.

    Args:
        name: The model, as `endpoint/model`.
        model: Who is asked.
        asked: How the model is asked.
    """

    def __init__(self, name: str, model: Model, asked: RoleSettings = RoleSettings()) -> None:  # noqa: B008 - frozen
        self._model, self._role_model = model, role_model(name, _OWN, asked)

    async def read(self, dialogue: Dialogue, unit: Unit) -> _Said:
        """Return what the model says of a unit, in one call.

        Raises:
            EscError: No call can succeed before a person changes something.
        """
        prompt = load_prompt(PromptRole.ANNOTATOR_UNIT, dialogue.language)
        said, answered, replied = (shorten(text, _TURN) for text in unit.texts)
        text = prompt.render(
            before=_said_before(dialogue, unit), seeker_turn=said, supporter_turn=answered, reply=replied
        )
        request = self._role_model.request([Message("user", text)], PromptRole.ANNOTATOR_UNIT, "annotate")
        try:
            value = (await self._model.complete(request)).value
        except ModelFault as fault:
            return _Said(None, str(fault.termination))
        return _Said(value) if _is_founded(value["ground"], unit) else _Said(None, UNFOUNDED)


async def annotate_units(
    units: Iterable[tuple[Dialogue, Unit]], annotator: Annotator, at_a_time: int
) -> AsyncGenerator[Annotated, None]:
    """Yield units with what the annotator says of them, in the order in which they come.

    Args:
        units: Each with its dialogue, dialogue after dialogue; they are taken as they are needed.
        annotator: Who is asked.
        at_a_time: The most units that are held and asked about at a time.
    """
    held: Annotated | None = None
    of: Dialogue | None = None
    gravest = Risk.NONE
    async with aclosing(_answers(units, annotator, at_a_time)) as answers:
        async for dialogue, unit, said in answers:
            gravest = _gravest(gravest, _risk_of(said)) if dialogue is of else _risk_of(said)
            now = Annotated(_with_risk(_annotated(unit, dialogue, said), gravest), said.fault)
            if held is not None:
                yield _followed_by(held, now) if dialogue is of else held
            held, of = now, dialogue
    if held is not None:
        yield held


_Asked = tuple[Dialogue, Unit, asyncio.Task[_Said]]


async def _answers(
    units: Iterable[tuple[Dialogue, Unit]], annotator: Annotator, at_a_time: int
) -> AsyncGenerator[tuple[Dialogue, Unit, _Said], None]:
    waiting: deque[_Asked] = deque()
    try:
        for dialogue, unit in units:
            waiting.append((dialogue, unit, asyncio.create_task(annotator.read(dialogue, unit))))
            if len(waiting) >= at_a_time:
                yield await _first(waiting)
        while waiting:
            yield await _first(waiting)
    finally:
        tasks = [task for *_, task in waiting]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _first(waiting: deque[_Asked]) -> tuple[Dialogue, Unit, _Said]:
    dialogue, unit, task = waiting[0]
    said = await task
    waiting.popleft()
    return dialogue, unit, said


def _annotated(unit: Unit, dialogue: Dialogue, said: _Said) -> Unit:
    """Return a unit with what the model says where no person said it."""
    if (value := said.value) is None:
        return unit
    unit = replace(unit, before=_state(unit.before, dialogue, value), action=_action(unit, dialogue, value))
    if unit.source is not Source.READING:
        return unit
    effect, confidence = _EFFECTS[value["effect"]], _CONFIDENCE[value["confidence"]]
    return replace(unit, effect=effect, source=Source.MODEL, confidence=confidence)


def _state(read: State, dialogue: Dialogue, value: Mapping[str, Any]) -> State:
    emotion, disposition, need = (value[name] for name in ("emotion_type", "disposition", "need"))
    return replace(
        read,
        emotion_type=dialogue.emotion_type or (EmotionType(emotion) if emotion else None),
        emotion_intensity=value["emotion_intensity"],
        disposition=dialogue.disposition or (Disposition(disposition) if disposition else None),
        need=dialogue.hidden_intention or (HiddenIntention(need) if need else None),
    )


def _action(unit: Unit, dialogue: Dialogue, value: Mapping[str, Any]) -> Action:
    """Return the action with the strategies that people named first, and the model's where some message has none."""
    if unit.action.annotated:
        return unit.action
    span = unit.spans[1]
    named = {each for utterance in dialogue.utterances[span.start : span.end] for each in utterance.strategies}
    kept = [each for each in unit.action.strategies if each in named]
    return replace(unit.action, strategies=tuple(dict.fromkeys([*kept, *map(Strategy, value["strategies"])])))


def _risk_of(said: _Said) -> Risk:
    return Risk(said.value["risk"]) if said.value else Risk.NONE


def _with_risk(unit: Unit, risk: Risk) -> Unit:
    """Return a unit in whose states at least this risk was stated, since a state holds the gravest so far."""
    before, after = (replace(each, risk=_gravest(each.risk, risk)) for each in (unit.before, unit.after))
    return replace(unit, before=before, after=after)


def _gravest(*risks: Risk) -> Risk:
    return max(risks, key=list(Risk).index)


def _followed_by(held: Annotated, following: Annotated) -> Annotated:
    """Return a unit whose state after is the next one's state before, where that is the state after the same turn."""
    if following.fault or following.unit.spans[0] != held.unit.spans[2]:
        return held
    return replace(held, unit=replace(held.unit, after=following.unit.before))


def _said_before(dialogue: Dialogue, unit: Unit) -> str:
    """Return the messages before the seeker's turn, a line each, so that no text can pose as the other speaker's."""
    end = unit.spans[0].start
    names = {Speaker.SEEKER: "Seeker", Speaker.SUPPORTER: "Supporter"}
    return "\n".join(
        f"{names[each.speaker]}: {shorten(canonical_text(each.text), _BESIDE)}"
        for each in dialogue.utterances[max(0, end - _BEFORE) : end]
    )


def _is_founded(ground: str, unit: Unit) -> bool:
    words = one_line(ground).strip(_QUOTATION_MARKS).casefold().strip()
    texts = [one_line(text).casefold() for text in unit.texts]
    return words in texts or (len(words) >= _LEAST_GROUND and any(words in text for text in texts))
