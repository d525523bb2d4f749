"""How many calls go to an endpoint at a time and in a minute: as many as it lets through, found out while running.

A 429 is the endpoint's word about its load: it shrinks the window, and the call that met it waits as long as
`Retry-After` says. Where nothing but 429s comes, every call is held back. A 5xx or a time-out says nothing of load: only
the call that met it waits, longer each time, with chance in it so that calls that failed together do not come back
together.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]

#: A 429 keeps this share of the window; a success adds this much to it. With one 429 in thirty answers the window then
#: settles near forty calls (0.7 and 0.125 left ten, and such a run took four times as long).
_SHRINK, _GROWTH = 0.8, 0.25
#: So many 429s without an answer between them, and the endpoint refuses all calls. One alone may be chance: were it to
#: hold back every call for its second of waiting, one in thirty would make a run ten times as long.
_ALL_REFUSED = 3
_MINUTE = 60.0
_LONGEST_WAIT = 30.0


class Backoff:
    """The waits of a call that fails again and again: doubled from half a second, with jitter, bounded.

    Args:
        longest: The bound, in seconds.
        chance: Draws the jitter.
    """

    def __init__(self, longest: float = _LONGEST_WAIT, chance: random.Random | None = None) -> None:
        self._longest = longest
        self._chance = chance or random.Random()

    def wait(self, attempt: int) -> float:
        """Return the seconds to wait after failure number `attempt`, from 0: between half the bound and all of it."""
        bound = min(self._longest, 0.5 * 2.0 ** min(attempt, 20))
        return bound * self._chance.uniform(0.5, 1.0)


class Limits:
    """The limits of one endpoint.

    Args:
        concurrency: The most calls at a time; the window starts here.
        requests_per_minute: The most calls that start within any minute; None for no such limit.
        tokens_per_minute: The most tokens that start within any minute; None for no such limit.
        clock: Seconds that only go forward.
        sleep: Waits for some seconds.
    """

    def __init__(
        self,
        concurrency: int = 64,
        *,
        requests_per_minute: int | None = None,
        tokens_per_minute: int | None = None,
        clock: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._most = concurrency
        self._window = float(concurrency)
        self._requests_per_minute = requests_per_minute
        self._tokens_per_minute = tokens_per_minute
        self._clock, self._sleep = clock, sleep
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._started: deque[tuple[float, int]] = deque()
        self._tokens = 0
        self._shrunk_at = float("-inf")
        self._refused = 0
        self._stopped = False
        self.in_flight = 0
        self.held_until = self._waits_until = float("-inf")

    @property
    def window(self) -> int:
        """How many calls may be in flight now."""
        return max(1, int(self._window))

    @property
    def held_for(self) -> float:
        """For how many seconds no call starts, because the endpoint or the limits of a minute say so."""
        return max(0.0, max(self.held_until, self._waits_until) - self._clock())

    @asynccontextmanager
    async def slot(self, tokens: int = 0) -> AsyncIterator[float]:
        """Wait for a place among the calls in flight, in the order of asking, and hold it; gives the time of the start.

        Args:
            tokens: The most tokens that the call may take.
        """
        await self._start(tokens)
        try:
            yield self._clock()
        finally:
            self._leave()

    def succeeded(self) -> None:
        """Let the window grow: the endpoint answered."""
        self._refused = 0
        self._window = min(self._window + _GROWTH, float(self._most))
        self._wake()

    def throttled(self, started: float, retry_after: float | None) -> None:
        """Shrink the window: the endpoint answered 429. Hold all calls back where it answers nothing else.

        Args:
            started: When the refused call started. Calls that were in flight at the last shrinking tell nothing new.
            retry_after: The seconds that the endpoint asks to wait.
        """
        now = self._clock()
        self._refused += 1
        if started > self._shrunk_at:
            self._window = max(1.0, self._window * _SHRINK)
            self._shrunk_at = now
        if retry_after and self._refused >= _ALL_REFUSED:
            self.held_until = max(self.held_until, now + retry_after)

    def stop(self) -> None:
        """Start no call any more: those that wait are cancelled, those in flight go on."""
        self._stopped = True
        while self._waiting:
            self._waiting.popleft().cancel()

    async def _start(self, tokens: int) -> None:
        while True:
            await self._enter()
            wait = self._until_free(tokens)
            if wait <= 0:
                self._count(tokens)
                return
            self._leave()  # the window may shrink while this call waits, so it holds no place
            self._waits_until = self._clock() + wait
            await self._sleep(wait)

    def _leave(self) -> None:
        self.in_flight -= 1
        self._wake()

    async def _enter(self) -> None:
        if self._stopped:
            raise asyncio.CancelledError
        if self._waiting or self.in_flight >= self.window:
            place = asyncio.get_running_loop().create_future()
            self._waiting.append(place)
            await self._wait_for(place)
        else:
            self.in_flight += 1

    async def _wait_for(self, place: asyncio.Future[None]) -> None:
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():  # it was given a place in the moment in which it was cancelled
                self._leave()
            raise

    def _wake(self) -> None:
        while self._waiting and self.in_flight < self.window:
            place = self._waiting.popleft()
            if not place.done():
                self.in_flight += 1
                place.set_result(None)

    def _count(self, tokens: int) -> None:
        if self._requests_per_minute is not None or self._tokens_per_minute is not None:
            self._started.append((self._clock(), tokens))
            self._tokens += tokens

    def _until_free(self, tokens: int) -> float:
        now = self._clock()
        while self._started and self._started[0][0] <= now - _MINUTE:
            self._tokens -= self._started.popleft()[1]
        full = self._requests_per_minute is not None and len(self._started) >= self._requests_per_minute
        most = self._tokens_per_minute
        # A call that alone takes more than a minute's tokens starts in an empty minute; otherwise it never would.
        full = full or (most is not None and bool(self._started) and self._tokens + tokens > most)
        return max(self.held_until - now, self._started[0][0] + _MINUTE - now if full else 0.0)
