"""Dialogues of our own for the evaluation of responses."""

from __future__ import annotations

from esc_skills.corpora.dialogue import Dialogue, Utterance
from esc_skills.simulation.responses.contexts import Context, draw_contexts
from esc_skills.vocabulary import Language, Speaker, Strategy

SEEKER, SUPPORTER = Speaker.SEEKER, Speaker.SUPPORTER
ENGLISH = frozenset({Language.ENGLISH})
SAID = (
    "I lost my place on the night shift and I feel so ashamed of it.",
    "My boss told everybody before me. I can't stop thinking about what they say.",
    "Maybe I should just look for other work, what would you do?",
)
ANSWERED = ("What happened on that shift?", "That must have hurt a lot.", "You could write down what you want first.")
STRATEGIES = (Strategy.QUESTION, Strategy.REFLECTION_OF_FEELINGS, Strategy.PROVIDING_SUGGESTIONS)


def dialogue(name: str, *said: str, language: Language = Language.ENGLISH, closing: bool = True) -> Dialogue:
    """A dialogue in which each seeker message, those above by default, is answered; a last one is not."""
    utterances: list[Utterance] = []
    for at, text in enumerate(said or SAID):
        utterances.append(Utterance(SEEKER, text))
        utterances.append(Utterance(SUPPORTER, ANSWERED[at % 3], (STRATEGIES[at % 3],)))
    if closing:
        utterances.append(Utterance(SEEKER, "Thank you."))
    return Dialogue(name, "ours", language, tuple(utterances), situation="A shift that was lost.")


def dialogues(count: int) -> list[Dialogue]:
    return [dialogue(f"talk-{at}") for at in range(count)]


def context_of(*said: str) -> Context:
    """The context of a dialogue's last seeker message that is answered."""
    found = (draw_contexts([dialogue("one", *said)], 1, seed, ENGLISH).contexts[0] for seed in range(200))
    return next(each for each in found if each.turn == len(said or SAID))
