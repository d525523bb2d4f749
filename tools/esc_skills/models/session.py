"""A session: everything between a run and its endpoints, put together and taken apart again in one event loop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from esc_skills.documents.jsonl import compress_parts
from esc_skills.models.budget import Budget
from esc_skills.models.calllog import CallLog
from esc_skills.models.chat import Activity, ChatModel
from esc_skills.models.client import Client
from esc_skills.models.endpoint import Endpoint
from esc_skills.models.journal import Journal, forget_faults
from esc_skills.models.limits import Limits
from esc_skills.models.prices import load_prices
from esc_skills.models.request import Completion, ModelFault, Request, Usage
from esc_skills.vocabulary import Termination


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a run may take: calls at a time, calls and tokens a minute at each endpoint, tokens and US dollars in all.

    None is without bound. An answer may take `timeout` seconds.
    """

    concurrency: int = 64
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    tokens: int | None = None
    usd: float | None = None
    timeout: float = 300.0


@dataclass(frozen=True, slots=True)
class Pulse:
    """What a session is doing now.

    Attributes:
        in_flight: Calls that wait for their answer.
        usage: What all calls of the run took so far.
        held: For how many more seconds no call starts at some endpoint; 0 where calls go on.
        throttled: How many calls were answered 429.
        troubles: How many met a trouble that may pass, and were sent again.
        asked_again: How many answers had to be asked again.
        ending: Whether no call is started any more, and those in flight are waited for.
    """

    in_flight: int
    usage: Usage
    held: float
    throttled: int
    troubles: int
    asked_again: int
    ending: bool


class Session:
    """A `Model` that asks endpoints through a journal, within bounds. Use it as an asynchronous context.

    Args:
        endpoints: By name.
        models: The models that are asked, as `endpoint/model`.
        journal: The file that keeps each answer before it is used; `discard` deletes it.
        settings: Everything that the calls follow from.
        bounds: What may be taken.
        resume: Go on with the journal of an unfinished run.
        log: A file for the log of HTTP calls, if one is wanted.

    Attributes:
        endpoints: By name.
        prices: What models cost.
        spent: What the run's calls took, earlier parts of it included; set when the session ends.

    Raises:
        InputError: A key is missing, or a budget in dollars is asked for and a price is not known.
    """

    def __init__(
        self,
        endpoints: Mapping[str, Endpoint],
        models: Iterable[str],
        journal: Path,
        settings: dict[str, Any],
        *,
        bounds: Bounds,
        resume: bool,
        log: Path | None = None,
    ) -> None:
        self.endpoints, self._settings, self._bounds = endpoints, settings, bounds
        self._path, self._resume, self._log_path = journal, resume, log
        self.prices = load_prices()
        if bounds.usd is not None:
            self.prices.require(endpoints, models)
        self._keys = [endpoint.read_key() for endpoint in endpoints.values()]  # a missing one is told before the start
        self._limits = {name: self._limits_of_one() for name in endpoints}
        self._activity = Activity()
        self._journal: Journal | None = None
        self._client: Client | None = None
        self._log: CallLog | None = None
        self._given_up: dict[str, Request] = {}
        self.spent = Usage()

    def discard(self) -> None:
        """Delete the journal, once the run that it belongs to is on the disk."""
        self._path.unlink(missing_ok=True)

    def forget_faults(self) -> None:
        """Take the faults of models out of the journal, once the session has ended, so that they are asked again."""
        forget_faults(self._path)

    @property
    def pulse(self) -> Pulse:
        """What it is doing now."""
        seen = self._activity
        return Pulse(
            in_flight=sum(each.in_flight for each in self._limits.values()),
            usage=self._journal.spent if self._journal else Usage(),
            held=max((each.held_for for each in self._limits.values()), default=0.0),
            throttled=seen.throttled,
            troubles=seen.troubles,
            asked_again=seen.asked_again,
            ending=bool(self._journal and self._journal.closing),
        )

    async def complete(self, request: Request) -> Completion:
        """Return the answer to a request; see `Model.complete`.

        A request that the endpoint did not answer stays so for the whole session: the other arm of a pair asks the same,
        and a replay can give one answer alone.
        """
        if request.digest in self._given_up:
            raise ModelFault(Termination.FAULT_ENDPOINT, "the endpoint did not answer").after(Usage(), request.digest)
        try:
            return await self._opened.complete(request)
        except ModelFault as fault:
            if fault.termination is Termination.FAULT_ENDPOINT:  # passing trouble, which the journal does not keep
                self._given_up[request.digest] = request
            raise

    def export(self, path: Path) -> None:
        """Write every call of the run as `calls.jsonl.gz`."""
        self._opened.export(path, given_up=self._given_up.values())

    def packed(self, digests: Iterable[str]) -> bytes:
        """Return some calls as the content of a `calls.jsonl.gz`."""
        return b"".join(compress_parts(self._opened.lines(only=digests, given_up=self._given_up.values())))

    @property
    def _opened(self) -> Journal:
        if self._journal is None:
            raise RuntimeError("the session is not open")
        return self._journal

    def _limits_of_one(self) -> Limits:
        bounds = self._bounds
        return Limits(
            bounds.concurrency,
            requests_per_minute=bounds.requests_per_minute,
            tokens_per_minute=bounds.tokens_per_minute,
        )

    async def __aenter__(self) -> Session:
        bounds = self._bounds
        self._log = CallLog(self._log_path, self._keys) if self._log_path else None
        try:
            journal = Journal(self._path, self._settings, concurrency=bounds.concurrency, resume=self._resume)
        except BaseException:
            if self._log:
                self._log.close()
            raise
        self._client = Client(self.endpoints, concurrency=bounds.concurrency, timeout=bounds.timeout)
        chat = ChatModel(
            self.endpoints,
            self._client,
            limits=self._limits,
            prices=self.prices,
            budget=Budget(bounds.tokens, bounds.usd, journal.spent),
            dialects=journal.dialects,
            log=self._log,
        )
        journal.model, journal.stop, self._activity = chat, chat.stop, chat.activity
        self._journal = await journal.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._opened.__aexit__(kind, error, trace)
        finally:
            if self._client:
                await self._client.close()
            if self._log:
                self._log.close()
        self.spent = self._opened.spent
