"""Dialogues and Intervention Units made by hand, for what is read out of them and made of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from esc_skills.corpora.dialogue import Dialogue, Utterance
from esc_skills.corpora.dialogue_files import line_of
from esc_skills.discovery.cluster import cluster_units
from esc_skills.discovery.prototypes import Prototype
from esc_skills.discovery.units import Action, Source, Span, State, Unit
from esc_skills.documents.jsonl import canonical_json
from esc_skills.vocabulary import HiddenIntention, Language, Risk, Speaker, Stage, Strategy

#: What says nothing of a state, a strategy or an outcome.
PLAIN = "The boiler in the flat broke on Tuesday."


def seeker(text: str = PLAIN, **signals: Any) -> Utterance:
    return Utterance(Speaker.SEEKER, text, **signals)


def supporter(text: str = "There is time. Take it.", *strategies: Strategy) -> Utterance:
    return Utterance(Speaker.SUPPORTER, text, strategies)


def dialogue(*utterances: Utterance, name: str = "one", **fields: Any) -> Dialogue:
    return Dialogue(
        **{"id": name, "corpus": "made-up", "language": Language.ENGLISH, "utterances": utterances, **fields}
    )


def unit(
    name: str = "one",
    at: int = 1,
    effect: float = 0.8,
    *,
    strategy: Strategy = Strategy.QUESTION,
    need: HiddenIntention | None = HiddenIntention.BE_HEARD,
    move: str = "plain",
    stage: Stage = Stage.EXPLORATION,
    risk: Risk = Risk.NONE,
    risk_after: Risk | None = None,
    **fields: Any,
) -> Unit:
    """A unit whose supporter turn is the utterance `at` of the dialogue `name`."""
    state = State(None, None, 3, stage, None, need, risk)
    defaults: dict[str, Any] = {
        "corpus": "made-up",
        "language": Language.ENGLISH,
        "source": Source.CHANGE,
        "confidence": 1.0,
        "succeeded": None,
        "texts": (
            f"The boiler broke again on the day {at} of {name}.",
            f"That is the time {at} in {name} that it left you in the cold.",
            f"It did, and nobody came, at {at} in {name}.",
        ),
    }
    return Unit(
        dialogue=name,
        spans=(Span(at - 1, at), Span(at, at + 1), Span(at + 1, at + 2)),
        before=state,
        action=Action((strategy,), move, annotated=True),
        after=replace(state, risk=risk_after or risk),
        effect=effect,
        **{**defaults, **fields},
    )


def units_of(name: str, effects: Sequence[float], **fields: Any) -> list[Unit]:
    """The units of a dialogue, one for each effect."""
    return [unit(name, 2 * at + 1, effect, **fields) for at, effect in enumerate(effects)]


def repeated(effect: float, prefix: str, dialogues: int = 12, each: int = 2, **fields: Any) -> list[Unit]:
    """Units of as many dialogues, all of one effect: enough for a prototype that is sure of it."""
    return [made for at in range(dialogues) for made in units_of(f"{prefix}-{at}", [effect] * each, **fields)]


def helpful_and_harmful(**fields: Any) -> list[Unit]:
    """Units of which those in plain words helped and those that find fault did not."""
    return [*repeated(0.8, "good", **fields), *repeated(-0.8, "bad", **{**fields, "move": "blame"})]


def prototypes_of(*units: Unit) -> tuple[Prototype, ...]:
    return cluster_units(units).prototypes


def lines_of(prototypes: Iterable[Prototype]) -> dict[tuple[str, ...], str]:
    """The line of each prototype by its key."""
    return {each.key: canonical_json(each.as_json()) for each in prototypes}


def write_dialogues(path: Path, *dialogues: Dialogue) -> Path:
    path.write_bytes(b"".join(map(line_of, dialogues)))
    return path


def write_lines(path: Path, records: Iterable[Unit | Prototype]) -> Path:
    path.write_text("".join(canonical_json(each.as_json()) + "\n" for each in records), encoding="utf-8")
    return path
