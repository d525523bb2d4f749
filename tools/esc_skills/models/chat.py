"""A language model behind an endpoint: asks for structure as strictly as the endpoint lets it, and never gives up early.

What to try again is decided here, with what the endpoint's limits and the run's budget allow: an answer of another form
is asked again with what was wrong, a passing trouble with a growing wait, a 429 when the endpoint says so.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from esc_skills.errors import InputError
from esc_skills.models.budget import Budget, Reservation
from esc_skills.models.client import Client
from esc_skills.models.endpoint import Endpoint
from esc_skills.models.limits import Backoff, Limits, Sleep
from esc_skills.models.prices import Price, Prices, count_tokens
from esc_skills.models.replies import FormRefusedError, PassingError, Said, ThrottledError, read_reply
from esc_skills.models.request import (
    Completion,
    EndpointError,
    Message,
    ModelFault,
    Request,
    Usage,
    priced,
)
from esc_skills.models.structured import Dialect, Form, MalformedAnswerError, ask_again, read_answer, write_body
from esc_skills.vocabulary import Termination

#: How often an answer that cannot be used is asked again, a passing trouble is met, and a 429 is taken, for one call.
MAX_AGAIN, MAX_TROUBLES, MAX_THROTTLED = 2, 6, 20
#: The same for troubles and 429s at an endpoint that never answered: most likely it never will.
MAX_UNPROVED = 4
#: After so many calls in a row that were given up, an endpoint is taken for gone, and the run ends to be resumed.
MAX_GIVEN_UP = 8
#: An endpoint that asks to wait longer than this, in seconds, is not waited for.
MAX_RETRY_AFTER = 600.0

#: Told of every HTTP call: what was sent, what came back or went wrong, and how long it took.
Log = Callable[[Mapping[str, Any]], None]


@dataclass(slots=True)
class Activity:
    """What a progress line shows: calls sent and answered, tries after troubles and 429s, tokens and dollars."""

    sent: int = 0
    answered: int = 0
    troubles: int = 0
    throttled: int = 0
    asked_again: int = 0
    usage: Usage = Usage()  # noqa: RUF009 - frozen


@dataclass(slots=True)
class _Standing:
    """What is known of an endpoint: whether it ever answered, and how many calls in a row were given up since."""

    proved: bool = False
    given_up: int = 0


class ChatModel:
    """The `Model` that asks endpoints.

    Args:
        endpoints: By name.
        client: Sends the calls.
        limits: By the name of the endpoint.
        prices: What the models cost.
        budget: What may be spent.
        dialects: What is known of the models from an earlier part of the run, by `endpoint/model`.
        log: Told of each HTTP call.
        backoff: The waits after passing troubles; `sleep` waits them.
    """

    def __init__(
        self,
        endpoints: Mapping[str, Endpoint],
        client: Client,
        *,
        limits: Mapping[str, Limits],
        prices: Prices,
        budget: Budget | None = None,
        dialects: Mapping[str, Dialect] | None = None,
        log: Log | None = None,
        backoff: Backoff | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._endpoints, self._client, self._limits = endpoints, client, limits
        self._prices, self._budget = prices, budget or Budget()
        self._log, self._backoff, self._sleep = log, backoff or Backoff(chance=random.Random()), sleep
        self._probing: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._standing: defaultdict[str, _Standing] = defaultdict(_Standing)
        self.dialects = dict(dialects or {})
        self._structured = set(self.dialects)
        self.activity = Activity()

    async def complete(self, request: Request) -> Completion:
        """Return the answer to a request; see `Model.complete`."""
        if request.endpoint not in self._endpoints:
            raise InputError(f"{request.model!r}: no endpoint is named {request.endpoint!r}", "name it with --endpoint")
        messages, usage = request.messages, Usage()
        problem, termination = "", Termination.FAULT_MALFORMED
        for attempt in range(1 + MAX_AGAIN):
            self.activity.asked_again += attempt > 0
            try:
                said, dialect = await self._ask(request, messages)
            except ModelFault as fault:
                raise fault.after(usage, request.digest) from None
            usage += said.usage or Usage()
            try:
                value = read_answer(request.answer, said.text)
                self._structured.add(request.model)
                return Completion(value, usage, request.digest, str(dialect.form))
            except MalformedAnswerError as error:
                if error.shapeless:
                    self._demote(request.model, dialect)
                is_empty = not said.text.strip()
                termination = Termination.FAULT_EMPTY if is_empty else Termination.FAULT_MALFORMED
                problem = "it is empty" if is_empty else str(error)
                messages = (*request.messages, *ask_again(request, said.text, problem))
        raise ModelFault(termination, f"asked {1 + MAX_AGAIN} times: {problem}", usage).after(Usage(), request.digest)

    def _demote(self, model: str, dialect: Dialect) -> None:
        """Ask in a lower form from now on: some endpoints take a form, and let the model answer as it likes."""
        lower = dialect.demoted()
        if lower and model not in self._structured and self.dialects.get(model) == dialect:
            self.dialects[model] = lower

    def stop(self) -> None:
        """Start no call any more; those in flight go on."""
        for limits in self._limits.values():
            limits.stop()

    async def _ask(self, request: Request, messages: Sequence[Message]) -> tuple[Said, Dialect]:
        """Ask in the strictest form that the endpoint is known to take, which the first call finds out for all."""
        while (known := self.dialects.get(request.model)) is not None:
            try:
                return await self._say(request, messages, known), known
            except FormRefusedError as error:  # one schema may be too much for an endpoint that took another
                lower = known.next(error.parameter)
                if lower is None:
                    raise self._give_up(request, str(error), error.systemic) from None
                if probed := await self._find_out(request, messages, known, lower):
                    return probed
        return await self._find_out(request, messages, None, Dialect()) or await self._ask(request, messages)

    async def _find_out(
        self, request: Request, messages: Sequence[Message], known: Dialect | None, start: Dialect
    ) -> tuple[Said, Dialect] | None:
        """Probe for a dialect, unless another call found one while this one waited for its turn."""
        async with self._probing[request.model]:
            if self.dialects.get(request.model) != known:
                return None
            return await self._probe(request, messages, start)

    async def _probe(self, request: Request, messages: Sequence[Message], dialect: Dialect) -> tuple[Said, Dialect]:
        """Ask in one form after the other, and remember the first that is taken."""
        while True:
            try:
                said = await self._say(request, messages, dialect, probing=dialect.form is not Form.TEXT)
            except FormRefusedError as error:
                following = dialect.next(error.parameter)
                if following is None:
                    raise self._give_up(request, str(error), error.systemic) from None
                dialect = following
            except ModelFault as fault:
                if fault.termination is Termination.FAULT_CUT_OFF:  # the form was taken all the same
                    self.dialects[request.model] = dialect
                raise
            else:
                self.dialects[request.model] = dialect
                return said, dialect

    async def _say(
        self, request: Request, messages: Sequence[Message], dialect: Dialect, *, probing: bool = False
    ) -> Said:
        """Send one call until there is an answer, and meanwhile take whatever the endpoint does."""
        body = write_body(request, messages, dialect)
        price = self._prices.find(self._endpoints[request.endpoint], request.model_name)
        troubles = throttled = 0
        while True:
            try:
                return await self._send(request, body, _estimate(request, messages, body, price), price)
            except ThrottledError as error:
                throttled += 1
                await self._after_throttling(request, error, throttled)
            except PassingError as error:
                troubles += 1
                if probing and error.by_form and troubles >= 2:
                    raise FormRefusedError(str(error), error.systemic) from None
                await self._after_trouble(request, error, troubles)

    async def _send(self, request: Request, body: bytes, estimate: Usage, price: Price | None) -> Said:
        limits = self._limits[request.endpoint]
        async with limits.slot(estimate.tokens) as started, self._budget.reserve(estimate) as reservation:
            self.activity.sent += 1
            record = _Record(self._log, request, body)
            try:
                reply = await self._client.post(request.endpoint, body)
                said = read_reply(reply, self._endpoints[request.endpoint], request.model_name)
            except Exception as error:
                record.write(type(error).__name__, detail=str(error))
                self._failed(request, error, reservation, price)
                if isinstance(error, ThrottledError):
                    limits.throttled(started, error.retry_after)
                elif isinstance(error, PassingError) and error.slow:
                    limits.throttled(started, None)  # as many calls at a time as this are too many for it
                raise
            counted = said.usage or Usage(estimate.prompt_tokens, count_tokens([Message("assistant", said.text)]))
            said = Said(said.text, _with_price(counted, price))
            reservation.settle(_with_price(counted, price))
        limits.succeeded()
        record.write("answered", said=said)
        self._answered(request, said)
        return said

    def _failed(self, request: Request, error: Exception, reservation: Reservation, price: Price | None) -> None:
        if isinstance(error, ModelFault):
            error.usage = _with_price(error.usage, price)
            reservation.settle(error.usage)
            self._standing[request.endpoint] = _Standing(proved=True)
        elif not (isinstance(error, PassingError) and error.lost):  # a lost answer may be charged
            reservation.settle(Usage())

    def _answered(self, request: Request, said: Said) -> None:
        self.activity.answered += 1
        self.activity.usage += said.usage or Usage()
        self._standing[request.endpoint] = _Standing(proved=True)

    async def _after_throttling(self, request: Request, error: ThrottledError, count: int) -> None:
        self.activity.throttled += 1
        if (error.retry_after or 0) > MAX_RETRY_AFTER:
            found = f"endpoint {request.endpoint!r} asks to wait {error.retry_after:.0f} seconds (429)"
            raise EndpointError(found, "go on later with --resume")
        if count >= (MAX_THROTTLED if self._standing[request.endpoint].proved else MAX_UNPROVED):
            raise self._give_up(request, f"429, {count} times", _throttled_for_good(request))
        await self._sleep(self._backoff.wait(count - 1) if error.retry_after is None else error.retry_after)

    async def _after_trouble(self, request: Request, error: PassingError, count: int) -> None:
        self.activity.troubles += 1
        if not self._standing[request.endpoint].proved and not error.may_pass:
            raise error.systemic from None
        if count >= (MAX_TROUBLES if self._standing[request.endpoint].proved else MAX_UNPROVED):
            raise self._give_up(request, f"{error}, {count} times", error.systemic) from None
        await self._sleep(self._backoff.wait(count - 1))

    def _give_up(self, request: Request, detail: str, systemic: EndpointError) -> Exception:
        standing = self._standing[request.endpoint]
        standing.given_up += 1
        if not standing.proved or standing.given_up >= MAX_GIVEN_UP:
            return systemic
        return ModelFault(Termination.FAULT_ENDPOINT, detail)


class _Record:
    """One HTTP call as the log tells it."""

    def __init__(self, log: Log | None, request: Request, body: bytes) -> None:
        self._log, self._request, self._body = log, request, body
        self._start = time.monotonic()

    def write(self, outcome: str, *, detail: str = "", said: Said | None = None) -> None:
        if self._log is None:
            return
        usage = (said.usage if said else None) or Usage(usd=None)
        self._log(
            {
                "digest": self._request.digest,
                "model": self._request.model,
                "role": str(self._request.answer),
                "seconds": round(time.monotonic() - self._start, 3),
                "outcome": outcome,
                "detail": detail,
                "usage": usage.as_json(),
                "sent": json.loads(self._body),
                "said": said.text if said else None,
            }
        )


def _throttled_for_good(request: Request) -> EndpointError:
    found = f"endpoint {request.endpoint!r} answers every call with 429 (too many requests)"
    return EndpointError(found, "lower --concurrency, or look up the limits of your key")


def _estimate(request: Request, messages: Sequence[Message], body: bytes, price: Price | None) -> Usage:
    """Return the most that a call can take."""
    prompt = count_tokens(messages) + (len(body) - sum(len(each.content) for each in messages)) // 3
    return _with_price(Usage(prompt, request.max_tokens), price)


def _with_price(usage: Usage, price: Price | None) -> Usage:
    return priced(usage, price.usd(usage.prompt_tokens, usage.completion_tokens) if price else None)
