"""Budgets that cannot be overdrawn, and prices with their sources."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from esc_skills.errors import InputError
from esc_skills.models.budget import Budget, BudgetExhausted
from esc_skills.models.endpoint import Endpoint
from esc_skills.models.prices import FREE, Price, count_tokens, load_prices
from esc_skills.models.request import Message, Usage

OPENAI = Endpoint("openai", "https://api.openai.com/v1", "OPENAI_API_KEY")
LOCAL = Endpoint("local", "http://127.0.0.1:8000/v1")


async def spend(budget: Budget, estimate: Usage, taken: Usage | None) -> None:
    async with budget.reserve(estimate) as reservation:
        await asyncio.sleep(0)
        if taken is not None:
            reservation.settle(taken)


def test_calls_that_start_together_never_overdraw() -> None:
    async def run() -> tuple[Usage, int]:
        budget = Budget(tokens=1000)
        calls = [spend(budget, Usage(50, 50), Usage(50, 40)) for _ in range(50)]
        done = await asyncio.gather(*calls, return_exceptions=True)
        return budget.spent, sum(isinstance(each, BudgetExhausted) for each in done)

    spent, refused = asyncio.run(run())
    assert spent.tokens == 990
    assert refused == 39


def test_dollars_are_kept_like_tokens() -> None:
    async def run() -> Usage:
        budget = Budget(usd=0.01)
        calls = [spend(budget, Usage(1, 1, 0.001), Usage(1, 1, 0.001)) for _ in range(50)]
        await asyncio.gather(*calls, return_exceptions=True)
        return budget.spent

    assert asyncio.run(run()).usd == pytest.approx(0.01)


def test_a_call_that_was_never_settled_counts_as_estimated() -> None:
    async def run() -> Usage:
        budget = Budget(tokens=1000)
        await spend(budget, Usage(100, 200), None)
        return budget.spent

    assert asyncio.run(run()).tokens == 300


def test_what_was_spent_before_counts() -> None:
    async def run() -> None:
        await spend(Budget(tokens=1000, spent=Usage(900, 50)), Usage(50, 50), None)

    with pytest.raises(BudgetExhausted) as caught:
        asyncio.run(run())
    assert "950 tokens and 0.0000 USD of --budget-tokens 1000 are spent" in caught.value.message
    assert "--resume" in caught.value.hint


def test_without_a_limit_spending_is_only_counted() -> None:
    async def run() -> Usage:
        budget = Budget()
        await asyncio.gather(*(spend(budget, Usage(9, 9, None), Usage(5, 5, None)) for _ in range(10)))
        return budget.spent

    assert asyncio.run(run()) == Usage(50, 50, None)


def test_the_shipped_prices_are_found_by_host_and_model() -> None:
    prices = load_prices()
    assert prices.find(OPENAI, "gpt-4.1") == Price(2.0, 8.0)
    assert prices.find(OPENAI, "gpt-4.1-2025-04-14") == Price(2.0, 8.0)
    assert prices.find(OPENAI, "gpt-99") is None
    assert prices.find(Endpoint("other", "https://llm.example/v1"), "gpt-4.1") is None
    assert prices.find(LOCAL, "anything") == FREE
    assert Price(2.0, 8.0).usd(1_000_000, 500_000) == 6.0


def test_a_budget_in_dollars_needs_prices() -> None:
    endpoints = {"openai": OPENAI, "local": LOCAL}
    load_prices().require(endpoints, ["openai/gpt-4.1", "local/org/model"])
    with pytest.raises(InputError, match="openai/a, openai/b is not known"):
        load_prices().require(endpoints, ["openai/b", "openai/a", "openai/gpt-4.1"])


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "prices: 3",
        "prices: [3]",
        "prices: [{host: h, model: m, input: 1, output: 2, date: '2026-01'}]",
        "prices: [{host: h, model: m, input: -1, output: 2, source: s, date: '2026-01'}]",
        "prices: [{host: h, model: m, input: true, output: 2, source: s, date: '2026-01'}]",
    ],
)
def test_a_price_without_its_source_and_date_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text(text)
    with pytest.raises(InputError):
        load_prices(path)


def test_tokens_are_rather_counted_too_many() -> None:
    assert count_tokens([Message("user", "How was your day? I lost my job.")]) >= 10
    assert count_tokens([Message("user", "今天我很难过")]) >= 6
