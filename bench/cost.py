"""Print what runs take on the models whose prices are known: `python bench/cost.py`. Nothing is asked of any server.

The first episodes of a plan are played to their tenth seeker message with answers of the usual length, as `simulate` does
for the estimate that it shows before it starts; tokens are counted without the models' tokenizers, rather too many.
"""

from __future__ import annotations

import asyncio

from esc_skills.bank.reader import Bank, read_bank, read_files
from esc_skills.documents.shipped import shipped
from esc_skills.models.endpoint import Endpoint
from esc_skills.models.prices import load_prices
from esc_skills.seekers.population import read_population
from esc_skills.settings import GateSettings
from esc_skills.simulation.draws import plan_draws
from esc_skills.simulation.estimate import Estimate, estimate_episode
from esc_skills.simulation.players import cast_players
from esc_skills.vocabulary import Split


def estimate(host: str, model: str, bank: Bank | None, judge: bool) -> Estimate:
    """Return what an episode takes in which a model plays all roles."""
    population = read_population(read_files(shipped("profiles")), "profiles")
    name = f"x/{model}"
    draws = plan_draws("cost", population, Split.EVOLUTION, 0, 3)
    endpoints = {"x": Endpoint("x", f"https://{host}/v1")}

    def cast(asked):  # type: ignore[no-untyped-def]
        return cast_players(name, name, judge=name if judge else None, model=asked)

    return asyncio.run(estimate_episode(cast, draws, bank, load_prices(), endpoints))


def main() -> None:
    """Print an episode's calls and tokens, and the table of costs."""
    bank = read_bank(read_files(shipped("skills")), "skills")
    host, model = next(iter(load_prices().entries))
    for what, its_bank, judge in (
        ("with the bank", bank, False),
        ("without", None, False),
        ("and a judge", bank, True),
    ):
        each = estimate(host, model, its_bank, judge)
        usage = each.usage
        print(
            f"{what}: {each.calls:.0f} calls, {usage.prompt_tokens:,} + {usage.completion_tokens:,} tokens an episode"
        )
    gate = 2 * GateSettings().draws
    print(f"\n| model | 100 profiles | gate, {GateSettings().draws} pairs | the same with a judge |\n|---|--:|--:|--:|")
    for host, model in load_prices().entries:
        usd = estimate(host, model, bank, False).usage.usd or 0.0
        judged = estimate(host, model, bank, True).usage.usd or 0.0
        print(f"| {model} | {100 * usd:.2f} USD | {gate * usd:.2f} USD | {gate * judged:.2f} USD |")


if __name__ == "__main__":
    main()
