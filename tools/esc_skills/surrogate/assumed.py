"""What is assumed of a seeker beside what was fitted: published transcripts cannot tell, since no supporter in them did these things.

`docs/surrogate.md` shows the share of each in the gains of a bank.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from esc_skills.documents.jsonl import digest
from esc_skills.documents.text import read_text
from esc_skills.documents.yaml import parse_yaml
from esc_skills.language.cues import Cues
from esc_skills.surrogate.claims import breaks_off, fits_anybody, general_words, unsupported_words
from esc_skills.surrogate.features import Exchange
from esc_skills.transcript import MAX_CHANGE

_PATH = Path(__file__).parent / "data" / "assumed.yaml"
UNSUPPORTED, ANYBODY, BROKEN = "unsupported claims", "fits anybody", "echo breaks off"


def assumed_effects(exchange: Exchange, expected: float, cues: Cues) -> list[tuple[str, float]]:
    """Return what the assumptions add to an expected change, each with its name; those that add nothing are left out.

    A specific claim about the seeker that nothing said supports costs, and so does an echo that breaks off. An answer that would fit anybody gains nothing after the
    first such answer.

    Args:
        exchange: The supporter turn with what led to it.
        expected: The change that the fitted model expects.
        cues: Those of the conversation's language.
    """
    said = [*exchange.earlier_seeker, exchange.seeker_said]
    words = len(unsupported_words(exchange.supporter_said, said, cues.language))
    claims = _assumed()["unsupported-claims"]
    effects = [(UNSUPPORTED, claims["points"] * words / (words + claims["half"]))] if words else []
    if breaks_off(exchange.supporter_said, exchange.seeker_said, cues.language):
        effects.append((BROKEN, _assumed()["echo-breaks-off"]["points"]))
    left = max(-MAX_CHANGE, expected + sum(points for _, points in effects))
    if left > 0 and _is_another_for_anybody(exchange, cues):
        effects.append((ANYBODY, -left))
    return effects


def assumptions_digest() -> str:
    """Return the digest of the assumed figures and of the words that say what a claim is."""
    return digest(_PATH.read_bytes() + "\n".join(sorted(general_words())).encode())


@cache
def _assumed() -> dict[str, dict[str, float]]:
    value: dict[str, dict[str, float]] = parse_yaml(read_text(_PATH), str(_PATH)).value
    return value


def _is_another_for_anybody(exchange: Exchange, cues: Cues) -> bool:
    said = [*exchange.earlier_seeker, exchange.seeker_said]
    if not fits_anybody(exchange.supporter_said, said, cues.language):
        return False
    return any(
        fits_anybody(answer, said[: at + 1], cues.language) for at, answer in enumerate(exchange.earlier_supporter)
    )
