"""Transcripts of a made-up seeker whose changes follow known coefficients, for fitting and evaluation."""

from __future__ import annotations

import random
from pathlib import Path

from esc_skills.documents.jsonl import json_lines
from esc_skills.language.cues import load_cues
from esc_skills.surrogate.features import Exchange, extract_features
from esc_skills.transcript import Transcript, Turn
from esc_skills.vocabulary import Disposition, HiddenIntention, Language, Termination

#: What the made-up seeker wants: points of emotion for the full feature, for all and for one intention.
PLANTED = {"praise": 12.0, "suggestion": -10.0, "minimising": -14.0}
PLANTED_FOR_ADVICE = {"suggestion": 24.0}
LEVEL = 1.0

_SAID = ("The shift plan changed again.", "My sister rang on Sunday.", "The bill came back.", "I slept four hours.")
_PARTS = {
    "praise": (
        "Well done with the shift plan.",
        "That was a brave call to your sister.",
        "Impressive, given the bill.",
    ),
    "suggestion": ("You could ring the office.", "Consider a swap of shifts.", "Have you tried a list?"),
    "minimising": ("It could be worse.", "Cheer up a little.", "That is no big deal."),
    "other": ("The shift sounds long.", "Sunday is a day like that.", "What did the bill say?", "Four hours are few."),
}


def generate(supporter: str, episodes: int, *, taste: float = 0.5) -> tuple[Transcript, ...]:
    """Return episodes of a supporter who praises with the chance `taste` and advises and minimises with the rest."""
    chance = random.Random(supporter)
    return tuple(_episode(supporter, number, taste, chance) for number in range(episodes))


def write(path: Path, transcripts: tuple[Transcript, ...]) -> Path:
    path.write_text(json_lines(each.as_json() for each in transcripts), encoding="utf-8")
    return path


def _episode(supporter: str, number: int, taste: float, chance: random.Random) -> Transcript:
    intention = list(HiddenIntention)[number % len(HiddenIntention)]
    disposition = list(Disposition)[number % len(Disposition)]
    emotion, turns = 40, []
    while len(turns) < 6 and 10 <= emotion < 100:
        seeker, answer = chance.choice(_SAID), _answer(taste, chance)
        earlier = tuple(turn.supporter or "" for turn in turns)
        change = _change(Exchange(seeker, answer, earlier, turn=len(turns) + 1), intention, chance)
        turns.append(Turn(seeker, emotion, answer, change))
        emotion = max(0, min(100, emotion + change))
    last = Turn("That is all.", emotion)
    return Transcript(
        profile=f"made-up-{number}",
        profile_digest="sha256:" + "0" * 64,
        disposition=disposition,
        intention=intention,
        turns=(*turns, last),
        termination=Termination.FAREWELL,
        final_emotion=emotion,
        supporter=supporter,
        seeker="made-up",
    )


def _answer(taste: float, chance: random.Random) -> str:
    kinds = ["other", *(["praise"] if chance.random() < taste else [])]
    kinds += [kind for kind in ("suggestion", "minimising") if chance.random() > taste]
    return " ".join(chance.choice(_PARTS[kind]) for kind in kinds)


def _change(exchange: Exchange, intention: HiddenIntention, chance: random.Random) -> int:
    features = extract_features(exchange, load_cues(Language.ENGLISH))
    change = LEVEL + sum(weight * features[name] for name, weight in PLANTED.items())
    if intention is HiddenIntention.PRACTICAL_ADVICE:
        change += sum(weight * features[name] for name, weight in PLANTED_FOR_ADVICE.items())
    return max(-10, min(10, round(change + chance.uniform(-1, 1))))
