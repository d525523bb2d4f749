"""Draws follow from a digest alone: any part of the endless plan is the same whoever asks, and no part is favoured."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esc_skills.errors import InputError
from esc_skills.seekers.population import Population
from esc_skills.simulation.draws import Draw, plan_draws
from esc_skills.vocabulary import Split
from tests.samples import shipped_population

POPULATION = shipped_population()
DIGESTS = [hashlib.sha256(f"fixed {number}".encode()).hexdigest() for number in range(5)]
#: The 99.9 % points of chi-square by degrees of freedom, so that a fixed digest fails for a real bias alone.
BOUNDS = {
    2: 13.8,
    3: 16.3,
    4: 18.5,
    5: 20.5,
    6: 22.5,
    7: 24.3,
    8: 26.1,
    9: 27.9,
    10: 29.6,
    11: 31.3,
    15: 37.7,
    23: 49.7,
}


def draws(digest: str, first: int, count: int, split: Split = Split.GATE) -> tuple[Draw, ...]:
    return plan_draws(digest, POPULATION, split, first, count)


def chi_square(found: Iterable[object], kinds: int) -> float:
    counts = Counter(found)
    expected = counts.total() / kinds
    return sum((count - expected) ** 2 / expected for count in counts.values()) + (kinds - len(counts)) * expected


def bound(degrees: int) -> float:
    """The tabled bound, or a normal approximation of it (Wilson and Hilferty)."""
    third = 2 / (9 * degrees)
    return BOUNDS.get(degrees, degrees * (1 - third + 3.09 * third**0.5) ** 3)


@given(st.text(max_size=20), st.integers(0, 500), st.integers(0, 40), st.integers(0, 40))
def test_a_plan_of_fewer_draws_is_the_start_of_one_of_more(digest: str, first: int, fewer: int, more: int) -> None:
    whole = draws(digest, first, fewer + more)
    assert draws(digest, first, fewer) == whole[:fewer]
    assert draws(digest, first + fewer, more) == whole[fewer:]
    assert [each.position for each in whole] == list(range(first, first + fewer + more))


def test_a_plan_is_fixed_for_good() -> None:
    one = plan_draws("sha256:0", POPULATION, Split.GATE, 0, 1)[0]
    assert one.seed == hashlib.sha256(b"sha256:0:0:seed").hexdigest()[:32]
    bits = hashlib.sha256(b"sha256:0:0").digest()
    for at, parts, part in zip((0, 8, 16), POPULATION.parts(Split.GATE), _parts(one), strict=True):
        assert parts[int.from_bytes(bits[at : at + 8], "big") % len(parts)] == part


def _parts(draw: Draw) -> Sequence[object]:
    return draw.profile.scenario, draw.profile.persona, draw.profile.intention


def test_seeds_differ_between_draws_and_between_digests() -> None:
    seeds = [each.seed for digest in DIGESTS for each in draws(digest, 0, 400)]
    assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize("split", list(Split))
@pytest.mark.parametrize("digest", DIGESTS)
def test_every_part_is_drawn_equally_often(digest: str, split: Split) -> None:
    plan = draws(digest, 0, 4000, split)
    for at, parts in enumerate(POPULATION.parts(split)):
        names = [_parts(each)[at].name for each in plan]  # type: ignore[attr-defined]
        assert set(names) <= {each.name for each in parts}
        assert chi_square(names, len(parts)) < bound(len(parts) - 1)


@pytest.mark.parametrize("digest", DIGESTS)
def test_parts_are_drawn_independently_of_each_other_and_of_the_draw_before(digest: str) -> None:
    plan = draws(digest, 0, 8000)
    _, personas, intentions = POPULATION.parts(Split.GATE)
    pairs = [(each.profile.persona.name, each.profile.intention.name) for each in plan]
    assert chi_square(pairs, kinds := len(personas) * len(intentions)) < bound(kinds - 1)
    steps = [(a.profile.intention.name, b.profile.intention.name) for a, b in zip(plan[::2], plan[1::2], strict=True)]
    assert chi_square(steps, 64) < bound(63)


def test_only_the_split_s_own_parts_are_drawn() -> None:
    for split in Split:
        for draw in draws("x", 0, 200, split):
            assert draw.profile.scenario.split is draw.profile.persona.split is split


def test_a_split_without_parts_cannot_be_drawn_from() -> None:
    empty = Population((), (), POPULATION.intentions, "")
    with pytest.raises(InputError, match="the split gate has 0 scenarios"):
        plan_draws("x", empty, Split.GATE, 0, 1)
