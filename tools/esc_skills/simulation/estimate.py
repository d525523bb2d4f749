"""What a run will take, before it starts: a few of its episodes are played with answers of the usual length."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from esc_skills.bank.reader import Bank
from esc_skills.documents.jsonl import canonical_json
from esc_skills.documents.prompts import PromptRole
from esc_skills.models.endpoint import Endpoint
from esc_skills.models.prices import Prices, count_tokens
from esc_skills.models.request import Message, Model, Request, Usage
from esc_skills.models.scripted import ScriptedModel
from esc_skills.simulation.draws import Draw
from esc_skills.simulation.players import Players, play
from esc_skills.transcript import MAX_TURNS
from esc_skills.vocabulary import Arm

#: How many episodes are played.
_SAMPLE = 3
_SENTENCE = "That sounds hard, and it makes sense that it weighs on you after such a week. "


@dataclass(frozen=True, slots=True)
class Estimate:
    """About what one episode of ten seeker messages takes.

    Attributes:
        calls: How many calls.
        usage: Tokens, as counted without the endpoint's tokenizer; dollars are None where a price is not known.
    """

    calls: float
    usage: Usage

    def describe(self, episodes: int) -> str:
        """Return in words what some episodes take."""
        calls, tokens = round(self.calls * episodes), round(self.usage.tokens * episodes)
        usd = self.usage.usd
        cost = "a price is not known" if usd is None else f"{usd * episodes:.2f} USD"
        return f"{episodes:,} episodes, about {calls:,} calls, {tokens:,} tokens, {cost}"


async def estimate_episode(
    cast: Callable[[Model], Players],
    draws: Sequence[Draw],
    bank: Bank | None,
    prices: Prices,
    endpoints: Mapping[str, Endpoint],
) -> Estimate:
    """Return what an episode of a run will take.

    Args:
        cast: Makes the players of the run, given who is asked.
        draws: The run's; the first few are played.
        bank: The supporter's bank, if any.
        prices: What models cost.
        endpoints: By name.
    """
    sample = draws[:_SAMPLE]
    scripted = ScriptedModel(lambda request: _typical(request, bank))
    players = cast(scripted)
    played = [await play(players, draw, bank, Arm.RUN) for draw in sample]
    # The surrogate seeker may break off, since the same answers come again and again.
    share = sum(sum(turn.supporter is not None for turn in each.turns) for each in played) / MAX_TURNS
    usage = sum((_usage(request, bank, prices, endpoints) for request in scripted.requests), Usage())
    usd = None if usage.usd is None else usage.usd / share
    return Estimate(
        len(scripted.requests) / share,
        Usage(round(usage.prompt_tokens / share), round(usage.completion_tokens / share), usd),
    )


def _usage(request: Request, bank: Bank | None, prices: Prices, endpoints: Mapping[str, Endpoint]) -> Usage:
    prompt = count_tokens(request.messages)
    completion = count_tokens([Message("assistant", canonical_json(_typical(request, bank)))])
    price = prices.find(endpoints[request.endpoint], request.model_name)
    return Usage(prompt, completion, price.usd(prompt, completion) if price else None)


def _typical(request: Request, bank: Bank | None) -> dict[str, Any]:
    """Return an answer of the usual length, after which an episode goes on to its tenth seeker message."""
    match request.answer:
        case PromptRole.SUPPORTER_SELECT:
            return {"reason": _SENTENCE, "skill": _typical_skill(request, bank)}
        case PromptRole.SEEKER_APPRAISAL:
            return {"meant": 2 * _SENTENCE, "met": "partly", "feels": 2 * _SENTENCE, "change": 3}
        case PromptRole.SEEKER_REPLY:
            return {"reply": 3 * _SENTENCE, "farewell": False}
        case PromptRole.JUDGE_SAFETY:
            return {"quote": "", "answer": "no"}
    return {"answer": 4 * _SENTENCE}


def _typical_skill(request: Request, bank: Bank | None) -> str | None:
    """Return the skill of middle length among those that the request offers."""
    offered = [
        skill for skill in (bank.skills if bank else {}).values() if f"- {skill.name}:" in request.messages[-1].content
    ]
    by_length = sorted(offered, key=lambda skill: len(skill.text))
    return by_length[len(by_length) // 2].name if by_length else None
