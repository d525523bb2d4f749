"""How many calls go to an endpoint, with a clock that the tests move."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from esc_skills.models.limits import Backoff, Limits


class Clock:
    """Time that passes only while somebody sleeps, all sleepers together."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        until = self.now + seconds
        await asyncio.sleep(0)
        self.now = max(self.now, until)


def run(scenario: Callable[[Clock], Coroutine[Any, Any, Any]]) -> Any:
    return asyncio.run(scenario(Clock()))


def limits(clock: Clock, concurrency: int = 64, **options: Any) -> Limits:
    return Limits(concurrency, clock=clock, sleep=clock.sleep, **options)


def test_no_more_calls_run_than_the_window_holds_and_they_start_in_order() -> None:
    async def scenario(clock: Clock) -> tuple[int, list[int]]:
        bound, most, order = limits(clock, 3), 0, []

        async def call(number: int) -> None:
            nonlocal most
            async with bound.slot():
                order.append(number)
                most = max(most, bound.in_flight)
                await asyncio.sleep(0)

        await asyncio.gather(*map(call, range(10)))
        assert bound.in_flight == 0
        return most, order

    assert run(scenario) == (3, list(range(10)))


def test_a_429_shrinks_the_window_once_for_calls_that_were_in_flight_together() -> None:
    async def scenario(clock: Clock) -> list[int]:
        bound = limits(clock)
        windows = []
        for started in (0.0, 0.0, 0.0, 2.0):
            clock.now = started + 1
            bound.throttled(started, None)
            windows.append(bound.window)
        return windows

    assert run(scenario) == [51, 51, 51, 40]


def test_success_lets_the_window_grow_back_to_its_bound_and_no_further() -> None:
    async def scenario(clock: Clock) -> tuple[int, int]:
        bound = limits(clock, 10)
        bound.throttled(0.0, None)
        shrunk = bound.window
        for _ in range(100):
            bound.succeeded()
        return shrunk, bound.window

    assert run(scenario) == (8, 10)


def test_the_window_never_closes() -> None:
    async def scenario(clock: Clock) -> int:
        bound = limits(clock, 2)
        for second in range(50):
            clock.now = second + 0.5
            bound.throttled(float(second), None)
        return bound.window

    assert run(scenario) == 1


def test_retry_after_holds_every_call_back_where_nothing_else_comes() -> None:
    async def scenario(clock: Clock) -> tuple[list[float], list[float]]:
        bound = limits(clock)
        held, starts = [], []
        for _ in range(3):
            bound.throttled(0.0, 30.0)
            held.append(bound.held_for)
        for _ in range(3):
            async with bound.slot() as started:
                starts.append(started)
        return held, starts

    assert run(scenario) == ([0.0, 0.0, 30.0], [30.0, 30.0, 30.0])


def test_429s_between_answers_hold_no_other_call_back() -> None:
    async def scenario(clock: Clock) -> float:
        bound = limits(clock)
        for _ in range(10):
            bound.throttled(0.0, 30.0)
            bound.succeeded()
        return bound.held_for

    assert run(scenario) == 0.0


def test_no_minute_sees_more_calls_than_are_allowed() -> None:
    async def scenario(clock: Clock) -> list[float]:
        bound = limits(clock, requests_per_minute=5)
        starts = []

        async def call() -> None:
            async with bound.slot() as started:
                starts.append(started)

        await asyncio.gather(*(call() for _ in range(12)))
        return starts

    starts = run(scenario)
    assert starts == [0.0] * 5 + [60.0] * 5 + [120.0] * 2


def test_no_minute_sees_more_tokens_than_are_allowed_but_a_large_call_starts() -> None:
    async def scenario(clock: Clock) -> list[float]:
        bound = limits(clock, tokens_per_minute=1000)
        starts = []
        for tokens in (400, 400, 400, 5000, 10):
            async with bound.slot(tokens) as started:
                starts.append(started)
        return starts

    assert run(scenario) == [0.0, 0.0, 60.0, 120.0, 180.0]


def test_a_cancelled_wait_gives_its_place_to_the_next() -> None:
    async def scenario(clock: Clock) -> int:
        bound, done = limits(clock, 1), 0
        release = asyncio.Event()

        async def call() -> None:
            nonlocal done
            async with bound.slot():
                await release.wait()
                done += 1

        tasks = [asyncio.create_task(call()) for _ in range(4)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        release.set()
        await asyncio.sleep(0)
        tasks[2].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert bound.in_flight == 0
        return done

    assert run(scenario) >= 2


def test_after_a_stop_no_call_starts() -> None:
    async def scenario(clock: Clock) -> None:
        bound = limits(clock, 1)
        async with bound.slot():
            waiting = asyncio.create_task(_enter(bound))
            await asyncio.sleep(0)
            bound.stop()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        with pytest.raises(asyncio.CancelledError):
            await _enter(bound)

    run(scenario)


async def _enter(bound: Limits) -> None:
    async with bound.slot():
        pass


def test_waits_after_troubles_double_with_jitter_and_a_bound() -> None:
    backoff = Backoff(longest=10.0, chance=random.Random(1))
    for attempt, most in enumerate((0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0)):
        waits = {backoff.wait(attempt) for _ in range(50)}
        assert len(waits) == 50
        assert most / 2 <= min(waits) <= max(waits) <= most
    assert backoff.wait(10_000) <= 10.0
