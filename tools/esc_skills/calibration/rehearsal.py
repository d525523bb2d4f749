"""Proposals of a calibration that go the whole way, through episodes and `run_trial`, beside those that are resampled.

Trials draw gate seekers. So that none of those is seen, they are given a population whose `report` or `evolution` parts
stand in for the gate's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from esc_skills.bank.reader import Bank
from esc_skills.bank.skill import Skill
from esc_skills.bank.spans import SpanChange
from esc_skills.calibration.pool import Difference, bank_of, edit_bank
from esc_skills.documents.jsonl import digest_json
from esc_skills.evidence.trial import Trial, run_trial
from esc_skills.seekers.population import Population
from esc_skills.settings import GateSettings
from esc_skills.simulation.draws import Draw
from esc_skills.simulation.players import Players, Roles
from esc_skills.simulation.runner import Progress
from esc_skills.transcript import Turn
from esc_skills.vocabulary import Language, Split, Verdict


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What a trial of the calibration came to.

    Attributes:
        name: What was proposed.
        effect: Mean change in points over the executed draws.
        differences: What the draws differed by; a fault, which the surrogate has none of, would be left out.
        vetoed: Whether a new red safety flag rejected it.
    """

    name: str
    verdict: Verdict
    effect: float
    differences: tuple[Difference, ...]
    vetoed: bool


@dataclass(frozen=True, slots=True)
class OwnChance:
    """Players whose chance follows from the wording of the bank too, as that of language models does.

    An edit that changes wording alone then moves every episode, and no episode for better or worse on average.
    """

    players: Players

    @property
    def models(self) -> dict[str, str | None]:
        """The models by role."""
        return self.players.models

    @property
    def settings(self) -> dict[str, Any]:
        """The digests and parameters that the players' behaviour follows from."""
        return {**self.players.settings, "chance": "follows from the wording"}

    def roles(self, draw: Draw, skills: Mapping[str, Skill]) -> Roles:
        """Return who plays the episode of a draw."""
        wording = "\n".join(line for skill in skills.values() for line in skill.guidance)
        seed = hashlib.sha256(f"{draw.seed}:{wording}".encode()).hexdigest()[:32]
        return self.players.roles(replace(draw, seed=seed), skills)

    def reading(self, skills: Mapping[str, Skill], languages: Iterable[Language]) -> Any:
        """Return what the supporter reads of some skills, and the wording that its chance follows from."""
        return [self.players.reading(skills, languages), [list(skill.guidance) for skill in skills.values()]]

    def has_read(self, change: SpanChange, skills: Mapping[str, Skill], draw: Draw, turns: Sequence[Turn]) -> bool:
        """Return whether a changed span was in what the supporter read for the last of some turns."""
        return self.players.has_read(change, skills, draw, turns)


def reword(bank: Bank, number: int) -> Bank:
    """Return a bank of which one skill's guidance ends with another line, which the surrogate does not read."""
    names = list(bank.skills)
    skill = bank.skills[names[number % len(names)]]
    reworded = replace(skill, guidance=(*skill.guidance, f"Say it in your own words ({number + 1})."))
    return bank_of({**bank.skills, skill.name: reworded})


def stand_in(population: Population, split: Split) -> Population:
    """Return a population whose gate parts are the parts of another split, and which has no others."""
    scenarios, personas, intentions = population.parts(split)
    return Population(
        tuple(replace(each, split=Split.GATE) for each in scenarios),
        tuple(replace(each, split=Split.GATE) for each in personas),
        intentions,
        digest_json({"stands in": split, "profiles": population.digest}),
    )


async def rehearse_rewordings(
    bank: Bank, population: Population, gate: GateSettings, players: Players, count: int, progress: Progress
) -> tuple[Rehearsed, ...]:
    """Return the trials of so many proposals that change wording alone.

    Args:
        bank: The base.
        population: As `stand_in` makes it.
        gate: How they are judged.
        players: Who plays; each bank's episodes have a chance of their own.
        count: How many proposals.
        progress: Told how many trials are done.
    """
    own, base, done = OwnChance(players), bank_of(bank.skills), []
    for number in range(count):
        progress(number, count)
        trial = Trial(base, reword(base, number), population, gate, own)
        done.append(await _rehearse(f"wording {number + 1}", trial))
    return tuple(done)


async def rehearse_edits(
    bank: Bank, population: Population, gate: GateSettings, players: Players, progress: Progress
) -> dict[str, tuple[Rehearsed, Rehearsed]]:
    """Return the trials of each edit of the pool, and of taking it back, by the edit's name."""
    base, edits = bank_of(bank.skills), edit_bank(bank)
    done = {}
    for at, (name, edited) in enumerate(edits.items()):
        progress(at, len(edits))
        there = await _rehearse(name, Trial(base, edited, population, gate, players))
        back = await _rehearse(f"{name}, taken back", Trial(edited, base, population, gate, players))
        done[name] = (there, back)
    return done


async def _rehearse(name: str, trial: Trial) -> Rehearsed:
    outcome = await run_trial(trial, lambda done, total: None)
    differences = tuple(
        Difference(other.final_emotion - base.final_emotion, base.disposition, base.intention)
        for base, other in outcome.episodes
        if not (base.termination.is_fault or other.termination.is_fault)
    )
    decision = outcome.decision
    return Rehearsed(name, decision.verdict, decision.effect, differences, decision.vetoed)
