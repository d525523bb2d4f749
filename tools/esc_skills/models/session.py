"""A session: everything between a run and its endpoints, put together and taken apart again in one event loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from esc_skills.models.budget import Budget
from esc_skills.models.chat import ChatModel
from esc_skills.models.client import Client
from esc_skills.models.endpoint import Endpoint
from esc_skills.models.journal import Journal
from esc_skills.models.limits import Limits
from esc_skills.models.prices import load_prices
from esc_skills.models.request import Completion, ModelFault, Request, Usage
from esc_skills.vocabulary import Termination


@dataclass(frozen=True, slots=True)
class Spending:
    """What a run may spend: tokens and US dollars; None is without bound."""

    tokens: int | None = None
    usd: float | None = None


class Session:
    """A `Model` that asks endpoints through a journal, within limits and a budget. Use it as an asynchronous context.

    Args:
        endpoints: By name.
        models: The models that are asked, as `endpoint/model`.
        journal: The file that keeps each answer before it is used; `discard` deletes it.
        calls: The file that all calls are exported to when the run has finished.
        settings: Everything that the calls follow from.
        concurrency: The most calls in flight.
        spending: What may be spent.
        resume: Go on with the journal of an unfinished run.

    Attributes:
        spent: What the run's calls took, earlier parts of it included; set when the session ends.
    """

    def __init__(
        self,
        endpoints: Mapping[str, Endpoint],
        models: tuple[str, ...],
        journal: Path,
        calls: Path,
        settings: dict[str, Any],
        *,
        concurrency: int,
        spending: Spending,
        resume: bool,
    ) -> None:
        self._endpoints, self._settings = endpoints, settings
        self._path, self._calls, self._resume = journal, calls, resume
        self._concurrency, self._spending = concurrency, spending
        self._prices = load_prices()
        if spending.usd is not None:
            self._prices.require(endpoints, models)
        for endpoint in endpoints.values():
            endpoint.read_key()  # a missing key is told before anything starts
        self._journal: Journal | None = None
        self._client: Client | None = None
        self._given_up: list[Request] = []
        self.spent = Usage()

    def discard(self) -> None:
        """Delete the journal, once the run that it belongs to is on the disk."""
        self._path.unlink(missing_ok=True)

    async def complete(self, request: Request) -> Completion:
        """Return the answer to a request; see `Model.complete`."""
        if self._journal is None:
            raise RuntimeError("the session is not open")
        try:
            return await self._journal.complete(request)
        except ModelFault as fault:
            if fault.termination is Termination.FAULT_ENDPOINT:  # passing trouble, which the journal does not keep
                self._given_up.append(request)
            raise

    async def __aenter__(self) -> Session:
        self._client = Client(self._endpoints, concurrency=self._concurrency)
        journal = Journal(self._path, self._settings, concurrency=self._concurrency, resume=self._resume)
        chat = ChatModel(
            self._endpoints,
            self._client,
            limits={name: Limits(self._concurrency) for name in self._endpoints},
            prices=self._prices,
            budget=Budget(self._spending.tokens, self._spending.usd, journal.spent),
            dialects=journal.dialects,
        )
        journal.model, journal.stop = chat, chat.stop
        self._journal = await journal.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._journal is None or self._client is None:
            return
        try:
            if error is None:
                self._journal.export(self._calls, given_up=self._given_up)
        finally:
            await self._journal.__aexit__(kind, error, trace)
            await self._client.close()
        self.spent = self._journal.spent
