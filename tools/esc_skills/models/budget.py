"""The budget of a run in tokens and US dollars: reserved before each call, so that it can never be overdrawn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from esc_skills.errors import EscError
from esc_skills.models.request import Usage


class BudgetExhausted(EscError):  # noqa: N818 - the run ends in order; what is finished is kept
    """The next call would go over the budget. Everything that was answered is in the journal."""


@dataclass(slots=True)
class Reservation:
    """What is held back for one call; `settle` replaces the estimate by what the call took."""

    estimate: Usage
    taken: Usage | None = None

    def settle(self, taken: Usage) -> None:
        """State what the call took; without it the whole estimate counts as spent."""
        self.taken = taken


class Budget:
    """What may be spent, what is held back for calls in flight, and what has been spent.

    Args:
        tokens: The most tokens, prompts and answers together; None for no such limit.
        usd: The most US dollars; None for no such limit.
        spent: What earlier parts of the run spent, where one is resumed.
    """

    def __init__(self, tokens: int | None = None, usd: float | None = None, spent: Usage = Usage()) -> None:  # noqa: B008 - frozen
        self.tokens, self.usd = tokens, usd
        self.spent = spent
        self._held = Usage()
        self._calls = 0
        self._settled = asyncio.Condition()

    @asynccontextmanager
    async def reserve(self, estimate: Usage) -> AsyncIterator[Reservation]:
        """Hold back the most that a call can take, and settle it at the end.

        A call that does not fit beside those in flight waits: most of them take less than was held back for them.

        Raises:
            BudgetExhausted: It does not fit though no other call is in flight.
        """
        if self.tokens is not None or self.usd is not None:
            await self._wait_for_room(estimate)
        self._hold(estimate, 1)
        reservation = Reservation(estimate)
        try:
            yield reservation
        finally:
            self._hold(_negative(estimate), -1)
            self.spent += reservation.estimate if reservation.taken is None else reservation.taken
            await self._tell()

    async def _wait_for_room(self, estimate: Usage) -> None:
        async with self._settled:
            while not self._fits(self.spent + self._held + estimate):
                if not self._calls or not self._fits(self.spent + estimate):
                    raise self._exhausted(estimate)
                await self._settled.wait()

    async def _tell(self) -> None:
        if self.tokens is not None or self.usd is not None:
            async with self._settled:
                self._settled.notify_all()

    def _hold(self, usage: Usage, calls: int) -> None:
        self._held += usage
        self._calls += calls

    def _fits(self, usage: Usage) -> bool:
        fits_tokens = self.tokens is None or usage.tokens <= self.tokens
        # The sums of held and spent dollars carry rounding errors far below a millionth of a cent.
        return fits_tokens and (self.usd is None or (usage.usd is not None and usage.usd <= self.usd + 1e-9))

    def _exhausted(self, estimate: Usage) -> BudgetExhausted:
        spent = f"{self.spent.tokens:,} tokens"
        spent += f" and {self.spent.usd:.4f} USD" if self.spent.usd is not None else ""
        limits = [f"--budget-tokens {self.tokens}"] if self.tokens is not None else []
        limits += [f"--budget-usd {self.usd:g}"] if self.usd is not None else []
        found = f"the budget is used up: {spent} of {' and '.join(limits)} are spent"
        if not self.spent.tokens:
            found = f"the budget is too small for a single call: {' and '.join(limits)}"
        need = f"the next call may take {estimate.tokens:,} tokens; raise the budget and go on with --resume"
        return BudgetExhausted(found, need)


def _negative(usage: Usage) -> Usage:
    return Usage(-usage.prompt_tokens, -usage.completion_tokens, None if usage.usd is None else -usage.usd)
