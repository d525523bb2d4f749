"""Reading from a seeker's reply how the supporter's turn was received, where nobody rated it.

Words of thanks, relief, agreement and resolve speak for the turn; refusal, hurt and despair against it. This is a weak
signal: docs/discovery.md says how far it agrees with ratings and with recorded emotion changes.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from esc_skills.language.cues import Lexicon, load_lexicon
from esc_skills.vocabulary import Language

_DATA = Path(__file__).parent / "data"


def read_reply(text: str, language: Language) -> float:
    """Return how well a reply speaks of the turn before it, from −1 to 1; 0 where it says nothing either way."""
    found = _lexicon(language).count(text)
    better, worse = sum(found["better"].values()), sum(found["worse"].values())
    return (better - worse) / (better + worse + 1)


@cache
def _lexicon(language: Language) -> Lexicon:
    return load_lexicon(_DATA / f"replies.{language}.yaml")
