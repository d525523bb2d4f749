"""Extraction: the Intervention Units of a dialogue, from annotations where it has them and from words where not."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from esc_skills.corpora.dialogue import Dialogue, Quality, TalkType, Utterance
from esc_skills.corpora.esconv import canonical_text
from esc_skills.discovery.units import Action, Source, Span, State, Unit
from esc_skills.language.moves import read_move
from esc_skills.language.reception import read_reply
from esc_skills.language.strategies import Message, annotate_strategies, choose_strategy
from esc_skills.surrogate.state import read_seeker_state
from esc_skills.transcript import MAX_CHANGE
from esc_skills.vocabulary import Risk, Speaker, Strategy

#: What each source says of a usual turn, which counts as no effect: the means of ESConv's and FailedESConv's development
#: splits together (2,767 rated turns), of SAGE's published results (4,657) and of AnnoMI (4,669), rounded. They are fixed, so
#: that a dialogue more changes no other prototype.
_USUAL_FEEDBACK, _USUAL_CHANGE, _USUAL_TALK = 3.9, 0.0, 0.14
#: A change stands for this turn alone; a rating may stand for several turns and talk for what the client brings; a
#: reading of words agrees little with either.
_CONFIDENCE = {Source.CHANGE: 1.0, Source.FEEDBACK: 0.8, Source.TALK_TYPE: 0.6, Source.READING: 0.2}
_TALK = {TalkType.CHANGE: 1.0, TalkType.NEUTRAL: 0.0, TalkType.SUSTAIN: -1.0}
#: An episode that ends at or above the first emotion went well, and one at or below the second went badly.
_WELL, _BADLY = 70, 30
_DECIMALS = 3
#: What was said longer ago weighs nothing any more; to read it at every turn would take hours of the longest dialogues.
_HEARD = 500


@dataclass(frozen=True, slots=True)
class _Turn:
    """Utterances in a row of one speaker, with their place and their texts made canonical."""

    speaker: Speaker
    span: Span
    utterances: tuple[Utterance, ...]
    texts: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n".join(self.texts)


def extract_units(dialogue: Dialogue) -> Iterator[Unit]:
    """Yield the units of a dialogue in their order: each supporter turn between two seeker turns is one."""
    turns = tuple(_turns(dialogue))
    states = tuple(_states(dialogue, turns))
    rated = _feedback_of(turns)
    succeeded = _succeeded(dialogue)
    for at in range(1, len(turns) - 1):
        before, turn, after = turns[at - 1 : at + 2]
        state, state_after = states[at - 1], states[at + 1]
        if turn.speaker is Speaker.SEEKER or state is None or state_after is None:
            continue
        effect, source = _outcome(turn, after, rated[at], dialogue)
        yield Unit(
            dialogue=dialogue.id,
            corpus=dialogue.corpus,
            language=dialogue.language,
            spans=(before.span, turn.span, after.span),
            before=state,
            action=_action(turn, before.texts[-1], dialogue),
            after=state_after,
            effect=effect,
            source=source,
            confidence=_CONFIDENCE[source],
            succeeded=succeeded,
            texts=(before.text, turn.text, after.text),
        )


def _turns(dialogue: Dialogue) -> Iterator[_Turn]:
    start = 0
    for speaker, utterances in dialogue.runs():
        texts = tuple(canonical_text(each.text) for each in utterances)
        yield _Turn(speaker, Span(start, start + len(utterances)), utterances, texts)
        start += len(utterances)


def _states(dialogue: Dialogue, turns: Sequence[_Turn]) -> Iterator[State | None]:
    """Yield the seeker's state after each turn: after the supporter's the one before it, and None while nothing was said."""
    said: deque[str] = deque(maxlen=_HEARD)
    risk = Risk.NONE
    state: State | None = None
    for turn in turns:
        if turn.speaker is Speaker.SEEKER:
            said.extend(turn.texts)
            read = read_seeker_state(tuple(said), dialogue.language)
            risk = max(risk, read.risk, key=list(Risk).index)
            state = State(
                problem_type=dialogue.problem_type,
                emotion_type=dialogue.emotion_type or read.emotion_type,
                emotion_intensity=read.emotion_intensity,
                stage=read.stage,
                disposition=dialogue.disposition or read.disposition,
                need=dialogue.hidden_intention or read.need,
                risk=risk,
            )
        yield state


def _action(turn: _Turn, heard: str, dialogue: Dialogue) -> Action:
    found: list[Strategy] = []
    for at, (utterance, text) in enumerate(zip(turn.utterances, turn.texts, strict=True)):
        message = Message(text, heard, turn.span.start + at, dialogue.language)
        if utterance.strategies:
            found.append(choose_strategy(message, utterance.strategies))
        else:
            found.extend(annotate_strategies(message))
    annotated = all(each.strategies for each in turn.utterances)
    return Action(tuple(dict.fromkeys(found)), read_move(turn.text, dialogue.language), annotated)


def _feedback_of(turns: Sequence[_Turn]) -> list[float | None]:
    """Return the mean rating of each turn.

    A seeker's rating stands for the supporter's turns since the last one; one beside the supporter's words, as tables have
    it, for these.
    """
    rated: list[float | None] = [None] * len(turns)
    since = 0
    for at, turn in enumerate(turns):
        ratings = [each.feedback for each in turn.utterances if each.feedback is not None]
        if ratings:
            first = since if turn.speaker is Speaker.SEEKER else at
            rated[first : at + 1] = [fmean(ratings)] * (at + 1 - first)
            since = at + 1
    return rated


def _outcome(turn: _Turn, after: _Turn, feedback: float | None, dialogue: Dialogue) -> tuple[float, Source]:
    """Return how a supporter's turn was received; what is told in neither turn is read from the words after it."""
    told = (*turn.utterances, *after.utterances)
    changes = [each.change for each in told if each.change is not None]
    if changes:
        return _bounded((sum(changes) - _USUAL_CHANGE) / MAX_CHANGE), Source.CHANGE
    if feedback is not None:
        return _bounded((feedback - _USUAL_FEEDBACK) / 2), Source.FEEDBACK
    talk = [_TALK[each.talk_type] for each in told if each.talk_type is not None]
    if talk:
        return _bounded(fmean(talk) - _USUAL_TALK), Source.TALK_TYPE
    return _bounded(read_reply(after.text, dialogue.language)), Source.READING


def _bounded(effect: float) -> float:
    return round(max(-1.0, min(1.0, effect)), _DECIMALS)


def _succeeded(dialogue: Dialogue) -> bool | None:
    """Return whether a dialogue went well: by its corpus's checks, its last emotion, or the intensities around it."""
    outcomes = dialogue.outcomes
    if outcomes.quality is Quality.FAILED:
        return False
    if outcomes.final_emotion is not None and not _BADLY < outcomes.final_emotion < _WELL:
        return outcomes.final_emotion >= _WELL
    if outcomes.initial_intensity is not None and outcomes.final_intensity is not None:
        return outcomes.final_intensity < outcomes.initial_intensity
    return True if outcomes.quality is Quality.GOOD else None
