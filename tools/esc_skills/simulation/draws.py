"""Draws: which seekers are simulated with which seeds, as a pure function of a digest that nobody can choose."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from esc_skills.documents.jsonl import digest_json
from esc_skills.seekers.population import Population
from esc_skills.seekers.profile import Profile
from esc_skills.vocabulary import Split


@dataclass(frozen=True, slots=True)
class Draw:
    """A seeker and a seed; `position` is its place in the plan, from 0."""

    position: int
    profile: Profile
    seed: str


def chance_of(seed: int, split: str, population: Population) -> str:
    """Return the digest that the draws of a run follow from; the bank has no part in it."""
    return digest_json({"seed": seed, "split": split, "profiles": population.digest})


def plan_draws(digest: str, population: Population, split: Split, first: int, count: int) -> tuple[Draw, ...]:
    """Return draws `first` to `first + count - 1` of the endless plan that follows from a digest.

    Each draw takes scenario, persona and hidden intention at random with replacement, independently of all others.
    The parts are chosen by 64 bits of a SHA-256 each, so the bias of the remainder is below 1e-16.

    Raises:
        InputError: The split has no scenario or no persona.
    """
    scenarios, personas, intentions = population.parts(split)
    draws = []
    for position in range(first, first + count):
        bits = hashlib.sha256(f"{digest}:{position}".encode()).digest()
        picks = [int.from_bytes(bits[at : at + 8], "big") for at in (0, 8, 16)]
        profile = Profile(
            scenarios[picks[0] % len(scenarios)],
            personas[picks[1] % len(personas)],
            intentions[picks[2] % len(intentions)],
        )
        draws.append(Draw(position, profile, hashlib.sha256(f"{digest}:{position}:seed".encode()).hexdigest()[:32]))
    return tuple(draws)
