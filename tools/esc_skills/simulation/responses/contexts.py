"""Contexts: held-out dialogues up to a seeker's turn that the corpus's supporter answered, drawn so that nobody chooses."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from esc_skills.corpora.dialogue import Dialogue, Utterance
from esc_skills.corpora.esconv import canonical_text
from esc_skills.documents.jsonl import digest_json
from esc_skills.errors import InputError
from esc_skills.safety.risk import read_risk
from esc_skills.transcript import START, Turn
from esc_skills.vocabulary import Disposition, HiddenIntention, Language, Risk, Speaker, Strategy


@dataclass(frozen=True, slots=True)
class Context:
    """A dialogue up to a seeker's turn, with what the corpus's supporter answered.

    Attributes:
        dialogue: The corpus and the dialogue's id in it.
        turn: The number of the seeker's turn, from 1.
        language: The dialogue's.
        turns: What was said; the last turn has no answer yet. A supporter who speaks first is left out.
        messages: The number of messages before the answer, of both speakers.
        risk: The gravest risk that any of the seeker's turns states.
        reply: The corpus's answer.
        strategies: What the corpus calls that answer; empty where it does not say, several where it is of several
            messages or a label means any of them.
        situation: The seeker's background.
        intention: The seeker's hidden intention, where the corpus knows it.
        disposition: The seeker's disposition, likewise.
        seed: What the chance of whoever answers follows from.
    """

    dialogue: str
    turn: int
    language: Language
    turns: tuple[Turn, ...]
    messages: int
    risk: Risk
    reply: str
    strategies: frozenset[Strategy]
    situation: str
    intention: HiddenIntention | None
    disposition: Disposition | None
    seed: str

    @property
    def name(self) -> str:
        """The dialogue and the turn, as `corpus/id:turn`."""
        return f"{self.dialogue}:{self.turn}"

    def as_json(self) -> dict[str, Any]:
        """Return everything that answers, measures and judgements follow from."""
        return {**asdict(self), "strategies": sorted(self.strategies)}

    @property
    def said(self) -> tuple[str, ...]:
        """The seeker's turns, oldest first."""
        return tuple(turn.seeker for turn in self.turns)


@dataclass(frozen=True, slots=True)
class Drawn:
    """The contexts that were drawn, and the dialogues that none could be drawn from.

    Attributes:
        contexts: At most one of a dialogue, since two of one seeker are not independent.
        dialogues: How many dialogues were given.
        unanswered: How many hold no seeker turn that a supporter turn follows.
        foreign: How many are in a language that the supporter has no skill in.
    """

    contexts: tuple[Context, ...]
    dialogues: int
    unanswered: int
    foreign: int

    @property
    def digest(self) -> str:
        """The digest of what was said in the contexts, and of the answers of the corpus."""
        return digest_json([each.as_json() for each in self.contexts])


def draw_contexts(dialogues: Iterable[Dialogue], count: int, seed: int, languages: Collection[Language]) -> Drawn:
    """Return up to `count` contexts, one of a dialogue.

    Dialogues and turns are chosen by digests of seed, corpus and id, so the order of the file has no bearing, more
    contexts hold the fewer, and another seed gives others.

    Args:
        dialogues: The held-out dialogues.
        count: How many contexts to draw; all that there are where there are fewer.
        seed: What the choice follows from.
        languages: The languages that the supporter has skills in.

    Raises:
        InputError: Two dialogues have the same name, or no context is there.
    """
    found: list[Context] = []
    names: set[str] = set()
    foreign = 0
    for dialogue in dialogues:
        if (name := _name(dialogue)) in names:
            raise InputError(f"two dialogues are named {name!r}", "give each dialogue once")
        names.add(name)
        foreign += dialogue.language not in languages
        context = _draw_turn(dialogue, seed) if dialogue.language in languages else None
        found += [context] if context else []
    if not found:
        hint = f"give dialogues in {', '.join(sorted(languages))} in which a supporter turn follows a seeker turn"
        raise InputError(f"no context can be drawn from {len(names):,} dialogues", hint)
    found.sort(key=lambda each: _digest(seed, each.dialogue))
    return Drawn(tuple(found[:count]), len(names), len(names) - foreign - len(found), foreign)


def _name(dialogue: Dialogue) -> str:
    return f"{dialogue.corpus}/{dialogue.id}"


def _digest(seed: int, *parts: object) -> str:
    return hashlib.sha256("\n".join(map(str, ("esc-skills/contexts/1", seed, *parts))).encode()).hexdigest()


def _draw_turn(dialogue: Dialogue, seed: int) -> Context | None:
    """Return the context of one of the seeker turns that a supporter turn follows; None where there is no such turn."""
    turns: list[Turn] = []
    answered: list[tuple[int, int, tuple[Utterance, ...]]] = []  # turns and messages up to it, and the answer
    messages = 0
    for speaker, utterances in dialogue.runs():
        text = _text(utterances)
        if speaker is Speaker.SEEKER:
            turns.append(Turn(text, START))
        elif turns:
            if turns[-1].seeker and text:
                answered.append((len(turns), messages, utterances))
            turns[-1] = Turn(turns[-1].seeker, START, text)
        messages += len(utterances)
    if not answered:
        return None
    number, before, reply = min(answered, key=lambda each: _digest(seed, _name(dialogue), each[0]))
    heard = (*turns[: number - 1], Turn(turns[number - 1].seeker, START))
    return _context(dialogue, heard, before, reply, seed)


def _context(
    dialogue: Dialogue, turns: tuple[Turn, ...], messages: int, reply: Sequence[Utterance], seed: int
) -> Context:
    name = _name(dialogue)
    risks = (read_risk(turn.seeker, dialogue.language) for turn in turns)
    return Context(
        dialogue=name,
        turn=len(turns),
        language=dialogue.language,
        turns=turns,
        messages=messages,
        risk=max(risks, key=list(Risk).index),
        reply=_text(reply),
        strategies=frozenset(strategy for each in reply for strategy in each.strategies),
        situation=canonical_text(dialogue.situation),
        intention=dialogue.hidden_intention,
        disposition=dialogue.disposition,
        seed=_digest(seed, name, len(turns), "seed")[:32],
    )


def _text(utterances: Iterable[Utterance]) -> str:
    return canonical_text(" ".join(each.text for each in utterances))
