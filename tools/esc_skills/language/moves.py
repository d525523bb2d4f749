"""Moves: what a supporter turn does within its strategy, such as praising or naming a first step, told by its words.

A strategy alone says little of what was done: a suggestion may be a first step for tonight or a list of duties. The move
is the category of the appraisal's cues that a turn holds most of.
"""

from __future__ import annotations

from esc_skills.language.cues import load_cues
from esc_skills.vocabulary import Language

#: A turn that holds no cue of any move.
PLAIN = "plain"
#: The cues that are a move, the most telling first: where a turn holds as much of two, it is the earlier. Whoever says whose
#: fault it is not uses the words of blame as well.
MOVES = (
    "no-fault", "blame", "minimising", "platitude", "better-promise", "acceptance", "imagery", "summary", "balance",
    "other-mind", "reflection-prompt", "normalising", "celebration", "praise", "strength-seen", "self-care",
    "talk-to-other", "referral", "others-help", "concrete-step", "directive", "deep-empathy", "encouragement",
    "availability", "invitation", "apology", "progress", "good-wishes", "explanation", "self-disclosure", "suggestion",
    "understanding", "feeling-named", "agreement",
)  # fmt: skip


def read_move(text: str, language: Language) -> str:
    """Return the move of a supporter turn: one of `MOVES`, or `PLAIN`."""
    found = load_cues(language).lexicon.count(text)["supporter"]
    move = max(MOVES, key=lambda name: found.get(name, 0))
    return move if move in found else PLAIN
