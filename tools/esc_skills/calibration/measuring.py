"""Calibration: how often the gate accepts nothing and finds something, for one bank, its seekers and who plays them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from random import Random
from statistics import fmean, median, pstdev
from typing import Any

from esc_skills import __version__
from esc_skills.bank.reader import Bank
from esc_skills.calibration.pool import Difference, Pool, describe_differences
from esc_skills.calibration.rehearsal import Rehearsed, rehearse_edits, rehearse_rewordings, stand_in
from esc_skills.calibration.resampling import (
    Judged,
    Sampler,
    apart,
    as_drawn,
    flipped,
    judge,
    mean_of_planted,
    planted,
    skewed,
)
from esc_skills.gate.calibration import FORMAT
from esc_skills.ledger.levels import threshold_at
from esc_skills.proposing.propose import Watch
from esc_skills.seekers.population import Population
from esc_skills.settings import GateSettings
from esc_skills.simulation.intervals import share_interval
from esc_skills.simulation.players import Players
from esc_skills.vocabulary import Split, Verdict

EFFECTS = (0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15)
BUDGETS = (200, 400)
#: The proposals whose thresholds are looked at: index among the registrations, and how many were accepted before.
PLACES = ((1, 0), (10, 0), (10, 3))


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured.

    Attributes:
        proposals: Resampled proposals of each kind of null.
        trials: Proposals of wording alone that go through episodes and `run_trial`.
        seed: What all chance of the resampling follows from.
    """

    proposals: int = 4000
    trials: int = 50
    seed: int = 0

    @property
    def fewer(self) -> int:
        """How many proposals are resampled where a rough share will do, as at each point of a power curve."""
        return max(self.proposals // 8, 1)


def calibrate(pool: Pool, gate: GateSettings, size: Size, watch: Watch) -> dict[str, Any]:
    """Return what resampling a pool shows, as `result.json` holds it, with nothing yet of whole trials.

    Args:
        pool: Episodes of the bank and of edits of it.
        gate: The repository's; its threshold is that of an epoch's first proposal.
        size: How much is measured.
        watch: Is told what is being done.
    """
    watch.step("resampling proposals that change nothing on average")
    nulls = _measure_nulls(pool, gate, size, watch)
    watch.step("resampling proposals with planted effects")
    return {
        "format": FORMAT,
        "tool": __version__,
        "inputs": {**pool.origin, "gate": gate.tests()},
        "pool": _describe_pool(pool),
        "nulls": nulls,
        "power": _measure_power(pool, gate, size, watch),
        "end_to_end": None,
    }


async def rehearse(
    pool: Pool, bank: Bank, population: Population, players: Players, gate: GateSettings, size: Size, watch: Watch
) -> dict[str, Any]:
    """Return what proposals come to that go through episodes and `run_trial`, beside what resampling says of them.

    Args:
        pool: As `simulate_pool` made it.
        bank: The base.
        population: The profiles; parts of the pool's split stand in for the gate's.
        players: Who plays.
        gate: How the proposals are judged.
        size: How much is measured.
        watch: Is told what is being done.
    """
    seekers = stand_in(population, Split(pool.origin["split"]))
    watch.step("running whole trials of proposals that change wording alone")
    rewordings = await rehearse_rewordings(bank, seekers, gate, players, size.trials, watch.progress)
    watch.step("running whole trials of the pool's edits, both ways")
    edits = await rehearse_edits(bank, seekers, gate, players, watch.progress)
    compared = [
        {**_compare(rehearsed, differences, gate, size), "proposal": rehearsed.name}
        for name, both in edits.items()
        for rehearsed, differences in zip(both, (pool.differences(name), _back(pool.differences(name))), strict=True)
    ]
    return {"wording_only": _summarise(rewordings, pool, gate, size), "edits": compared}


def _describe_pool(pool: Pool) -> dict[str, Any]:
    again = pool.rerun()
    return {
        "draws": len(pool.base),
        "faults": pool.faults,
        "base": {"mean": _plain(fmean(pool.base)), "sd": _plain(pstdev(pool.base))},
        "rerun": _described(again) if again else None,
        "edits": {name: _described(pool.differences(name)) for name in pool.edited},
        "edits_not_zero": _described(pool.edits()),
    }


def _noises(pool: Pool) -> dict[str, list[Difference]]:
    """Return where resampled proposals take their differences from, zeros left out.

    Two runs of the base share no chance, as two arms that language models play hardly do; an edit's two arms share theirs.
    """
    noises = {"rerun": [each for each in pool.rerun() if each.points], "edits": pool.edits()}
    return {name: differences for name, differences in noises.items() if differences}


def _nulls(noises: Mapping[str, Sequence[Difference]]) -> Iterator[tuple[str, str, Sampler]]:
    for noise, differences in noises.items():
        yield "wording only" if noise == "rerun" else "sign-flipped", noise, flipped(differences)
        yield "heterogeneous", noise, apart(differences)
        yield "many small gains, few large losses", noise, skewed(differences, often=1)
        yield "many small losses, few large gains", noise, skewed(differences, often=-1)


def _measure_nulls(pool: Pool, gate: GateSettings, size: Size, watch: Watch) -> dict[str, Any]:
    kinds = []
    nulls = list(_nulls(_noises(pool)))
    for at, (kind, noise, sampler) in enumerate(nulls):
        watch.progress(at, len(nulls))
        rng = Random(f"{size.seed}:null:{kind}:{noise}")
        proposals = [_judge_and_keep(sampler(rng), gate) for _ in range(size.proposals)]
        judged = [each for each, _ in proposals]
        drawn = _described([each for _, draws in proposals for each in draws])
        kinds.append({"kind": kind, "noise": noise, **drawn, **_count(judged)})
    together = {key: sum(each[key] for each in kinds) for key in ("proposals", "accepted", "rejected", "reached")}
    together |= _rate(together["accepted"], together["proposals"])
    return {
        "nominal": _plain(1 / gate.threshold),
        "threshold": gate.threshold,
        "draws": gate.draws,
        "kinds": kinds,
        "all": together,
    }


def _judge_and_keep(stream: Iterator[Difference], gate: GateSettings) -> tuple[Judged, list[Difference]]:
    """Return what the gate says of a proposal, and the planned draws."""
    planned = list(islice(stream, gate.draws))
    return judge(chain(planned, stream), gate), planned


def _count(judged: Sequence[Judged]) -> dict[str, Any]:
    verdicts = Counter(each.verdict for each in judged)
    return {
        "proposals": len(judged),
        "accepted": verdicts[Verdict.ACCEPT],
        "rejected": verdicts[Verdict.REJECT],
        "reached": sum(each.reached for each in judged),
        **_rate(verdicts[Verdict.ACCEPT], len(judged)),
    }


def _measure_power(pool: Pool, gate: GateSettings, size: Size, watch: Watch) -> dict[str, Any]:
    noises, proposals = _noises(pool), size.fewer
    cells = [(noise, place, budget) for noise in noises for place in PLACES for budget in BUDGETS]
    curves = []
    for at, (noise, (index, accepted), budget) in enumerate(cells):
        watch.progress(at, len(cells))
        settings = replace(gate, threshold=threshold_at(gate.threshold, index, accepted), draws=budget)
        curve = {"noise": noise, "index": index, "accepted_before": accepted, "draws": budget}
        points = [_power_at(noises[noise], effect, settings, proposals, f"{size.seed}:{curve}") for effect in EFFECTS]
        curves.append({**curve, "threshold": _plain(settings.threshold), "points": points})
    return {"proposals": proposals, "curves": curves}


def _power_at(
    differences: Sequence[Difference], effect: int, gate: GateSettings, proposals: int, chance: str
) -> dict[str, Any]:
    rng, sampler = Random(f"{chance}:{effect}"), planted(differences, effect)
    judged = [judge(sampler(rng), gate) for _ in range(proposals)]
    counted = _count(judged)
    return {
        "planted": effect,
        "realised": _plain(mean_of_planted(differences, effect)),
        "accepted": counted["accepted"],
        "rejected": counted["rejected"],
        "power": counted["rate"],
        "interval": counted["interval"],
        "used": _plain(median(each.draws for each in judged) / gate.draws),
    }


def _summarise(rehearsed: Sequence[Rehearsed], pool: Pool, gate: GateSettings, size: Size) -> dict[str, Any]:
    verdicts = Counter(each.verdict for each in rehearsed)
    accepted = verdicts[Verdict.ACCEPT]
    return {
        "proposals": len(rehearsed),
        "accepted": accepted,
        "rejected": verdicts[Verdict.REJECT],
        **_rate(accepted, len(rehearsed)),
        **_described([difference for each in rehearsed for difference in each.differences]),
        "resampled": _resample(flipped(pool.rerun()), gate, size, "wording only, whole"),
    }


def _compare(rehearsed: Rehearsed, differences: Sequence[Difference], gate: GateSettings, size: Size) -> dict[str, Any]:
    return {
        "verdict": str(rehearsed.verdict),
        "red_flag": rehearsed.vetoed,
        "draws": len(rehearsed.differences),
        "effect": _plain(rehearsed.effect),
        "pool_effect": _described(differences)["mean"],
        "resampled": _resample(as_drawn(differences), gate, size, rehearsed.name),
    }


def _resample(sampler: Sampler, gate: GateSettings, size: Size, chance: str) -> dict[str, float]:
    """Return the share of proposals with each verdict when their draws are taken from the pool."""
    rng = Random(f"{size.seed}:{chance}")
    verdicts = Counter(judge(sampler(rng), gate).verdict for _ in range(size.fewer))
    return {str(verdict): _plain(verdicts[verdict] / size.fewer) for verdict in Verdict}


def _back(differences: Sequence[Difference]) -> list[Difference]:
    return [each._replace(points=-each.points) for each in differences]


def _described(differences: Sequence[Difference]) -> dict[str, float]:
    return {key: _plain(value) for key, value in describe_differences(differences).items()}


def _rate(count: int, of: int) -> dict[str, Any]:
    share = share_interval(count, of)
    if share is None:
        raise ValueError("a rate needs a proposal")
    return {"rate": _plain(share.estimate), "interval": [_plain(share.low), _plain(share.high)]}


def _plain(value: float) -> float:
    """Return a figure to six decimals, to which all platforms agree, and without a negative zero."""
    return round(value, 6) + 0.0


def exceeds(result: Mapping[str, Any]) -> list[str]:
    """Return the kinds of nulls that are accepted more often than the nominal rate, chance allowed for."""
    nulls = result["nulls"]
    return [f"{each['kind']} ({each['noise']})" for each in nulls["kinds"] if each["interval"][0] > nulls["nominal"]]
