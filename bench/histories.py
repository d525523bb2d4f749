"""Print what 500 histories of 40 proposals come to: false discoveries of the gate with the ledger's levels and without.

    python bench/histories.py [--histories 500] [--seed 20260527]

A history has a bank and a proposer who climbs: it reads the estimates and verdicts of all past proposals, proposes near the
best it has seen or along the slope that it makes out, and builds on what was accepted. What a proposal is worth is known by
construction and measured on 5,000 fresh draws as well. Each draw's difference is taken from a pool that the surrogate
simulated (as `esc-skills gate calibrate` does, 400 report seekers), its sign a coin's, moved by the effect and by strata that
differ; no episode is simulated for a proposal. The gate judges it with the threshold that `levels.py` gives it.

Beside it, on the same draws of the same proposals: a threshold of 20 for each of them, and accept-if-higher, which takes
whatever has the higher mean over the 200 draws. Equal seeds print equal tables. Some four minutes on two cores.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from esc_skills.bank.reader import read_bank, read_files
from esc_skills.calibration.pool import Difference, Pool, simulate_pool
from esc_skills.calibration.resampling import judge
from esc_skills.documents.shipped import shipped
from esc_skills.ledger.levels import nominal_rate, threshold_at
from esc_skills.seekers.population import read_population
from esc_skills.settings import GateSettings
from esc_skills.simulation.players import cast_players
from esc_skills.simulation.runner import wait_for
from esc_skills.vocabulary import HiddenIntention, Split, Verdict

Vector = NDArray[np.float64]

PROPOSALS, FRESH, POOL = 40, 5000, 400
#: Differences of a history end with the planned draws, so single strata get none of their own.
GATE = GateSettings(stratum_draws=0)
LEDGER, FIXED, HIGHER = RULES = ("gate, levels of the ledger", "gate, 20 each time", "accept if higher")
#: Of the directions in which a proposer can go only the first two matter to seekers, and the best bank lies there.
DIMENSIONS, MATTER, PEAK, DISTANCE = 6, 2, 15.0, 4.0
#: How far a proposal goes at most, and how far a variation of an earlier one lies from it.
STEP, VARIATION = 1.0, 0.2
#: How much hidden intentions differ in what a proposal does to them, in points.
SPREAD = 3.0


@dataclass(frozen=True)
class Landscape:
    """What proposals do.

    Attributes:
        touching: The share of new ideas that do anything at all.
        helps: Whether they can help; otherwise what they do harms.
    """

    name: str
    touching: float
    helps: bool

    def gain(self, place: Vector) -> float:
        """The points that a bank has over the first one."""
        apart = place[:MATTER] - DISTANCE / np.sqrt(MATTER)
        return float(PEAK * (1 - (apart**2).sum() / DISTANCE**2)) if self.helps else -float((place[:MATTER] ** 2).sum())


LANDSCAPES = (
    Landscape("half of the ideas do something", 0.5, helps=True),
    Landscape("one idea in ten does something", 0.1, helps=True),
    Landscape("nothing helps", 0.25, helps=False),
)


@dataclass
class Proposer:
    """Climbs: reads all past evidence and proposes accordingly."""

    rng: np.random.Generator
    landscape: Landscape
    tried: list[tuple[Vector, float, bool]] = field(default_factory=list)

    def propose(self) -> Vector:
        refused = [(estimate, at) for at, (_, estimate, accepted) in enumerate(self.tried) if not accepted]
        way = self.rng.random()
        if len(self.tried) < 3 or not refused or way < 0.3:
            return self._new()
        if way < 0.7:
            return self._near(self.tried[max(refused)[1]][0])
        return self._uphill()

    def learn(self, step: Vector, estimate: float, accepted: bool) -> None:
        self.tried.append((step, estimate, accepted))

    def _new(self) -> Vector:
        step = self.rng.normal(size=DIMENSIONS)
        if self.rng.random() >= self.landscape.touching:
            step[:MATTER] = 0.0
        return np.asarray(step / np.linalg.norm(step) * STEP * self.rng.random())

    def _near(self, step: Vector) -> Vector:
        # A variation of what does nothing does nothing either.
        return np.asarray(step + VARIATION * self.rng.normal(size=DIMENSIONS) * (step != 0))

    def _uphill(self) -> Vector:
        steps = np.array([step for step, _, _ in self.tried])
        estimates = np.array([estimate for _, estimate, _ in self.tried])
        slope = np.linalg.solve(steps.T @ steps + 0.1 * np.eye(DIMENSIONS), steps.T @ estimates)
        return np.asarray(slope / (np.linalg.norm(slope) or 1.0) * STEP * self.rng.random())


@dataclass(frozen=True)
class Tally:
    """What one rule did in one history.

    Attributes:
        accepted: How many proposals it accepted.
        false_known: How many of those help nobody on average, by construction; false_measured: on 5,000 fresh draws.
        gain: The points that the last bank has over the first, by construction, where the rule led the history.
    """

    accepted: int
    false_known: int
    false_measured: int
    gain: float | None


class Episodes:
    """Differences of a proposal's draws, out of a pool."""

    def __init__(self, differences: list[Difference]) -> None:
        self.intentions = list(HiddenIntention)
        self.strata = [(each.disposition, each.intention) for each in differences]
        self.points = np.array([each.points for each in differences], dtype=float)
        self.column = np.array([self.intentions.index(each.intention) for each in differences])

    def strata_of(self, rng: np.random.Generator) -> Vector:
        """What a proposal does to each intention beyond its effect; it cancels out over the pool."""
        shifts = rng.normal(0, SPREAD, len(self.intentions))
        return np.asarray(shifts - shifts[self.column].mean())

    def draw(
        self, rng: np.random.Generator, effect: float, shifts: Vector, count: int
    ) -> tuple[Vector, NDArray[np.int64]]:
        """Differences in whole points whose mean is the effect exactly, and the place of each in the pool."""
        at = rng.integers(len(self.points), size=count)
        # Drawn in so far that nothing leaves ±100, where clipping would move the mean.
        room = 1 - (abs(effect) + np.abs(shifts).max()) / 100
        signs = rng.choice((-1.0, 1.0), count)
        points = signs * room * self.points[at] + effect + shifts[self.column[at]]
        return np.floor(points + rng.random(count)), at


def history(episodes: Episodes, landscape: Landscape, leader: str, seed: tuple[int, ...]) -> dict[str, Tally]:
    """Return what each rule makes of a history that one of them leads; of accept-if-higher's own, that rule alone."""
    rng = np.random.default_rng(seed)
    proposer, place = Proposer(rng, landscape), np.zeros(DIMENSIONS)
    counts = {rule: np.zeros(3, dtype=int) for rule in RULES}
    for index in range(1, PROPOSALS + 1):
        step = proposer.propose()
        effect = landscape.gain(place + step) - landscape.gain(place)
        shifts = episodes.strata_of(rng)
        points, at = episodes.draw(rng, effect, shifts, GATE.draws)
        measured = episodes.draw(rng, effect, shifts, FRESH)[0].mean()
        verdicts = {HIGHER: (bool(points.mean() > 0), GATE.draws)}
        if leader == LEDGER:
            differences = [Difference(int(each), *episodes.strata[own]) for each, own in zip(points, at, strict=True)]
            verdicts[LEDGER] = gate(differences, threshold_at(GATE.threshold, index, counts[LEDGER][0]))
            verdicts[FIXED] = gate(differences, GATE.threshold)
        for rule, (ruled, _) in verdicts.items():
            counts[rule] += ruled * np.array([1, effect <= 0, measured <= 0])
        taken, used = verdicts[leader]
        proposer.learn(step, float(points[:used].mean()), taken)
        if taken:
            place = place + step
    gain = landscape.gain(place) - landscape.gain(np.zeros(DIMENSIONS))
    tallies = {}
    for rule in verdicts:
        accepted, false_known, false_measured = map(int, counts[rule])
        tallies[rule] = Tally(accepted, false_known, false_measured, gain if rule == leader else None)
    return tallies


def gate(differences: list[Difference], threshold: float) -> tuple[bool, int]:
    """Whether the gate accepts, and after how many draws it says so."""
    judged = judge(differences, replace(GATE, threshold=threshold))
    return judged.verdict is Verdict.ACCEPT, judged.draws


def rate(tallies: list[Tally], kind: str) -> str:
    """The false-discovery rate, the mean over histories of the share of what was accepted, with its 95 % interval."""
    shares = np.array([getattr(each, kind) / max(each.accepted, 1) for each in tallies])
    return f"{shares.mean():.1%} ± {1.96 * shares.std() / np.sqrt(len(shares)):.1%}"


def mean(tallies: list[Tally], kind: str) -> str:
    return f"{np.mean([getattr(each, kind) for each in tallies]):.1f}"


def print_row(cells: list[str]) -> None:
    print("|", " | ".join(cells), "|", flush=True)


def shipped_pool() -> Pool:
    bank = read_bank(read_files(shipped("skills")), "skills")
    population = read_population(read_files(shipped("profiles")), "profiles")
    return wait_for(simulate_pool(bank, population, cast_players(), Split.REPORT, POOL, 0, lambda done, total: None))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--histories", type=int, default=500, help="histories a cell (default 500)")
    parser.add_argument("--seed", type=int, default=20260527)
    options = parser.parse_args()
    pool = shipped_pool()
    noises = {"edits": pool.edits(), "two runs of the base": [each for each in pool.rerun() if each.points]}
    print("# Histories\n")
    print(f"Repeat with `python bench/histories.py --histories {options.histories} --seed {options.seed}`.")
    print(
        f"{options.histories} histories of {PROPOSALS} proposals a row; {nominal_rate(GATE.threshold):.0%} is nominal.\n"
    )
    with ProcessPoolExecutor() as workers:
        done = {
            (noise, landscape.name, leader): list(
                workers.map(
                    partial(history, Episodes(differences), landscape, leader),
                    [(options.seed, at, row, each) for each in range(options.histories)],
                    chunksize=10,
                )
            )
            for at, (noise, differences) in enumerate(noises.items())
            for row, landscape in enumerate(LANDSCAPES)
            for leader in (LEDGER, HIGHER)
        }
    cells = [(noise, landscape.name) for noise in noises for landscape in LANDSCAPES]
    for kind, words in (("false_measured", "truth measured on 5,000 fresh draws"), ("false_known", "truth known")):
        print(f"## False-discovery rate, {words}; the same episodes in each row\n")
        print_row(["changes as of", "proposals", *RULES])
        print_row(["---"] * 5)
        for cell in cells:
            led = done[*cell, LEDGER]
            print_row([*cell, *(rate([tallies[rule] for tallies in led], kind) for rule in RULES)])
        print()
    print("## What is accepted, and the last bank's true gain in points where a rule leads the history\n")
    print_row(
        [
            "changes as of",
            "proposals",
            *(f"accepted: {rule}" for rule in RULES),
            "gain: the gate",
            "gain: accept if higher",
        ]
    )
    print_row(["---"] * 7)
    for cell in cells:
        led, other = done[*cell, LEDGER], [tallies[HIGHER] for tallies in done[*cell, HIGHER]]
        accepted = [mean([tallies[rule] for tallies in led], "accepted") for rule in RULES]
        print_row([*cell, *accepted, mean([tallies[LEDGER] for tallies in led], "gain"), mean(other, "gain")])


if __name__ == "__main__":
    main()
