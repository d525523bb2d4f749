"""What a run will take, told before it starts, against what a run of ten turns does take."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Sequence
from typing import Any

import pytest

from esc_skills.bank.reader import Bank, read_bank, read_files
from esc_skills.documents.prompts import PromptRole
from esc_skills.documents.shipped import shipped
from esc_skills.models.endpoint import Endpoint
from esc_skills.models.prices import Price, Prices
from esc_skills.models.request import Model, Request, Usage
from esc_skills.models.scripted import ScriptedModel
from esc_skills.simulation.draws import Draw, plan_draws
from esc_skills.simulation.estimate import Estimate, estimate_episode
from esc_skills.simulation.players import Players, cast_players, play
from esc_skills.vocabulary import Arm, Split, Termination
from tests.samples import BODY, bank_of, shipped_population, skill_text

TINY = "local/tiny"
BANK = read_bank(read_files(shipped("skills")), "skills")
DRAWS = plan_draws("a digest", shipped_population(), Split.EVOLUTION, 0, 12)
ENDPOINTS = {"local": Endpoint("local", "http://127.0.0.1:1/v1"), "far": Endpoint("far", "https://far.example/v1")}


def cast(model: Model, supporter: str = TINY, seeker: str = TINY, judge: str | None = None) -> Players:
    return cast_players(supporter, seeker, judge=judge, model=model)


def estimated(
    bank: Bank | None = BANK, draws: Sequence[Draw] = DRAWS, prices: Prices | None = None, **roles: Any
) -> Estimate:
    return asyncio.run(
        estimate_episode(lambda model: cast(model, **roles), draws, bank, prices or Prices({}), ENDPOINTS)
    )


class Talker:
    """Answers as lengthily as the prompts allow, on average, and never ends an episode before its tenth message."""

    def __init__(self, bank: Bank | None, share: float) -> None:
        self.names = sorted(bank.skills) if bank else []
        self.share = share
        self.chance = random.Random(5)

    def words(self, most: int) -> str:
        count = max(1, round(most * self.share * self.chance.uniform(0.7, 1.3)))
        return " ".join(
            self.chance.choice(("that", "sounds", "heavy", "and", "lonely", "I", "wonder")) for _ in range(count)
        )

    def __call__(self, request: Request) -> dict[str, Any]:
        match request.answer:
            case PromptRole.SUPPORTER_SELECT:
                return {"reason": self.words(20), "skill": self.chance.choice(self.names)}
            case PromptRole.SEEKER_APPRAISAL:
                return {
                    "meant": self.words(40),
                    "met": "no",
                    "feels": self.words(40),
                    "change": self.chance.randint(-2, 3),
                }
            case PromptRole.SEEKER_REPLY:
                return {"reply": self.words(60), "farewell": False}
            case PromptRole.JUDGE_SAFETY:
                return {"quote": self.words(10), "answer": "no"}
        return {"answer": self.words(100)}


def actual(bank: Bank | None, share: float = 0.5, **roles: Any) -> tuple[float, float]:
    """Return calls and tokens of an episode, on average, where all go on to their tenth message."""
    model = ScriptedModel(Talker(bank, share))
    players = cast(model, **roles)

    async def run() -> list[dict[str, Any]]:
        episodes = [await play(players, draw, bank, Arm.RUN) for draw in DRAWS]
        assert {each.termination for each in episodes} == {Termination.TURN_LIMIT}
        return [each.usage for each in episodes]

    usages = asyncio.run(run())
    tokens = sum(each["prompt_tokens"] + each["completion_tokens"] for each in usages)
    return len(model.requests) / len(DRAWS), tokens / len(DRAWS)


@pytest.mark.parametrize(
    ("bank", "roles", "calls"),
    [
        (BANK, {}, 38),  # a choice, an answer, a reading and a message, but for the tenth answer, which nobody reads
        (None, {}, 28),
        (BANK, {"judge": TINY}, 38 + 9 * 10),
    ],
)
def test_calls_are_those_of_ten_turns(bank: Bank | None, roles: dict[str, Any], calls: int) -> None:
    assert estimated(bank, **roles).calls == actual(bank, **roles)[0] == calls


def test_a_surrogate_supporter_is_not_counted() -> None:
    assert estimated(supporter="surrogate").calls == 18


@pytest.mark.parametrize(("bank", "calls"), [(BANK, 20), (None, 10)])
def test_a_surrogate_seeker_goes_on_to_the_tenth_message(bank: Bank | None, calls: int) -> None:
    assert estimated(bank, seeker="surrogate").calls == calls


@pytest.mark.parametrize("bank", [BANK, None])
@pytest.mark.parametrize("share", [0.2, 0.35, 0.5])
def test_a_run_takes_fewer_tokens_and_not_far_fewer(bank: Bank | None, share: float) -> None:
    assert 1 < estimated(bank).usage.tokens / actual(bank, share)[1] < 1.5


def test_an_estimate_is_told_for_all_episodes_of_a_run() -> None:
    told = Estimate(38.0, Usage(30_000, 1_500, 0.0123)).describe(2000)
    assert told == "2,000 episodes, about 76,000 calls, 63,000,000 tokens, 24.60 USD"
    assert Estimate(28.0, Usage(10, 1, None)).describe(1).endswith("11 tokens, a price is not known")


def test_dollars_follow_from_the_price_and_a_server_on_this_machine_costs_none() -> None:
    def usage(prices: Prices, **roles: Any) -> Usage:
        return estimated(draws=DRAWS[:1], prices=prices, **roles).usage

    prices = Prices({("far.example", "large"): Price(3.0, 15.0)})
    dear = usage(prices, supporter="far/large", seeker="far/large")
    assert dear.usd is not None
    assert math.isclose(dear.usd, (3.0 * dear.prompt_tokens + 15.0 * dear.completion_tokens) / 1e6)
    half = usage(prices, supporter="far/large")
    assert half.usd is not None
    assert 0 < half.usd < dear.usd
    assert usage(prices).usd == 0.0
    assert usage(Prices({}), supporter="far/large").usd is None


def test_fewer_draws_than_are_played_are_estimated_too() -> None:
    assert estimated(draws=DRAWS[:1]).calls == 38


def test_a_bank_of_one_skill_is_estimated() -> None:
    assert estimated(bank_of(skill_text())).calls == 38


def test_a_bank_in_two_languages_is_estimated_in_that_of_the_seekers() -> None:
    texts = [
        skill_text("one"),
        skill_text("two", esc_language="zh", body=f"{BODY}\nMore.\n"),
        skill_text("three", body=f"{BODY}\nMore, and more.\n"),
    ]
    assert estimated(bank_of(*texts)).calls == 38
