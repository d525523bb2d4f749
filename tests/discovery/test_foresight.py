"""Foresight: what prototypes are called holds on other dialogues where there is something to it, and not on noise."""

from __future__ import annotations

import random

from esc_skills.discovery.foresight import measure_foresight, prototype_of
from esc_skills.discovery.prototypes import key_of
from esc_skills.discovery.units import Source, Unit
from esc_skills.vocabulary import HiddenIntention, Stage, Strategy
from tests.discovery.dialogues import prototypes_of, repeated, unit, units_of


def simulated(planted: float, *, dialogues: int = 120, seed: int = 7) -> list[Unit]:
    """Dialogues of four units, of which every second strategy helps and the others harm, by `planted` on average."""
    chance = random.Random(seed)
    units: list[Unit] = []
    for at in range(dialogues):
        shared = chance.gauss(0, 0.2)
        for turn in range(4):
            which = chance.randrange(8)
            effect = shared + chance.gauss(planted if which % 2 else -planted, 0.4)
            need = chance.choice(list(HiddenIntention)[:4])
            parts = {"strategy": list(Strategy)[which], "need": need}
            units.append(unit(f"d{at}", 2 * turn + 1, round(max(-1.0, min(1.0, effect)), 3), **parts))
    return units


def test_what_was_planted_is_foreseen() -> None:
    (found,) = measure_foresight(simulated(0.4))
    assert 0.5 < found.low <= found.area <= found.high
    assert found.area > 0.75
    assert min(found.helpful, found.harmful) > 50


def test_noise_is_not() -> None:
    (found,) = measure_foresight(simulated(0.0, dialogues=300))
    assert found.low < 0.5 < found.high


def test_it_is_the_same_each_time_and_in_every_order() -> None:
    units = simulated(0.3, dialogues=60)
    dialogues = [units[at : at + 4] for at in range(0, len(units), 4)]
    turned = [each for dialogue in dialogues[::-1] for each in dialogue]
    assert measure_foresight(units) == measure_foresight(units) == measure_foresight(turned)


def of_seekers(separator: str) -> list[Unit]:
    """Units of eight seekers, each of which met six supporters that used a strategy which nobody else met."""
    return [
        each
        for at, strategy in enumerate(Strategy)
        for model in range(6)
        for each in units_of(f"model-{model}{separator}seeker-{at}", [0.9 if at % 2 else -0.9] * 4, strategy=strategy)
    ]


def test_dialogues_of_one_seeker_never_tell_of_each_other() -> None:
    """Only the seeker's own dialogues could: where their ids tell that they are one seeker's, nothing is foreseen."""
    assert measure_foresight(of_seekers("/")) == ()
    (found,) = measure_foresight(of_seekers("-"))
    assert found.area == 1.0


def test_outcomes_that_were_read_from_words_are_no_outcomes() -> None:
    units = [*repeated(0.8, "good", 20), *repeated(-0.8, "bad", 20, strategy=Strategy.INFORMATION)]
    assert measure_foresight(units)
    read = [
        *repeated(0.8, "good", 20, source=Source.READING),
        *repeated(-0.8, "bad", 20, strategy=Strategy.INFORMATION),
    ]
    assert measure_foresight(read) == ()


def test_each_corpus_and_source_is_measured_apart() -> None:
    units = [
        each
        for corpus, source in (("one", Source.CHANGE), ("one", Source.FEEDBACK), ("two", Source.CHANGE))
        for effect, strategy in ((0.8, Strategy.QUESTION), (-0.8, Strategy.INFORMATION))
        for each in repeated(effect, f"{source}{effect}", 10, corpus=corpus, source=source, strategy=strategy)
    ]
    found = measure_foresight(units)
    assert [(each.corpus, each.source) for each in found] == [
        ("one", Source.CHANGE),
        ("one", Source.FEEDBACK),
        ("two", Source.CHANGE),
    ]
    assert sum(each.helpful + each.harmful for each in found) == len(units)


def test_nothing_is_foreseen_of_little() -> None:
    assert measure_foresight([]) == ()
    assert measure_foresight(units_of("one", [0.9] * 20)) == ()
    assert measure_foresight(repeated(0.9, "d", 30)) == ()


def test_a_key_falls_under_the_narrowest_prototype() -> None:
    narrow = repeated(0.5, "narrow", 6)
    wide = [
        *repeated(0.5, "one", 3, stage=Stage.ACTION, need=HiddenIntention.NO_BLAME),
        *repeated(0.5, "two", 3, stage=Stage.COMFORTING, need=HiddenIntention.DEEP_EMPATHY),
    ]
    by_key = {each.key: each for each in prototypes_of(*narrow, *wide)}

    def under(made: Unit) -> tuple[str, ...] | None:
        found = prototype_of(key_of(made), by_key)
        return found.key if found else None

    assert under(narrow[0]) == ("question", "be-heard", "plain", "exploration")
    assert under(unit(stage=Stage.ACTION)) == under(wide[0]) == ("question", "any", "any", "any")
    assert under(unit(strategy=Strategy.OTHERS)) is None
