"""The runner: many episodes with bounded concurrency, into a file that survives being killed, or into memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterator, Sequence
from typing import Any, TypeVar

from esc_skills.simulation.runfile import UnfinishedRun
from esc_skills.transcript import Transcript

#: Called with how many episodes are done and how many there are.
Progress = Callable[[int, int], None]

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


async def run_concurrently(
    items: Sequence[_Item],
    work: Callable[[_Item], Awaitable[_Result]],
    concurrency: int,
    finished: Callable[[int, _Result], None],
) -> None:
    """Do `work` for every item, at most `concurrency` at a time, and hand over each result as it comes.

    The first exception ends all of it.
    """
    queue: Iterator[tuple[int, _Item]] = iter(enumerate(items))

    async def worker() -> None:
        for position, item in queue:
            finished(position, await work(item))
            # The surrogate never waits, and an interrupt is seen only where something does.
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(concurrency, len(items))):
            group.create_task(worker())


async def run_to_file(
    run: UnfinishedRun,
    items: Sequence[_Item],
    work: Callable[[_Item], Awaitable[Transcript]],
    *,
    concurrency: int,
    progress: Progress,
) -> None:
    """Run the episode of every item that the run does not hold yet.

    An episode is in the file before it is counted, so after `kill -9` a resumed run does again only what had not ended,
    and the finished file has the bytes of an undisturbed run.

    Args:
        run: Where the episodes go.
        items: The plan.
        work: Runs one item's episode.
        concurrency: How many episodes run at a time.
        progress: Told before the first episode and after each.
    """
    missing = [(at, item) for at, item in enumerate(items) if at not in run.endings]

    def finished(index: int, transcript: Transcript) -> None:
        run.add(missing[index][0], transcript)
        progress(len(run.endings), len(items))

    progress(len(run.endings), len(items))
    await run_concurrently([item for _, item in missing], work, concurrency, finished)


async def run_in_memory(
    items: Sequence[_Item],
    work: Callable[[_Item], Awaitable[_Result]],
    *,
    concurrency: int,
    progress: Progress,
) -> tuple[_Result, ...]:
    """Return every item's result, in the order of the items; `progress` is told after each."""
    done: dict[int, _Result] = {}

    def finished(position: int, result: _Result) -> None:
        done[position] = result
        progress(len(done), len(items))

    await run_concurrently(items, work, concurrency, finished)
    return tuple(done[at] for at in range(len(items)))


def wait_for(running: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a coroutine in an event loop of its own, and raise what went wrong itself rather than a group of it."""
    results: list[_Result] = []

    async def kept() -> None:
        # asyncio.run writes out its task and the task's result when it puts SIGINT back: 0.1 s for a thousand episodes.
        results.append(await running)

    try:
        asyncio.run(kept())
    except BaseExceptionGroup as group:
        raise _first(group) from group
    return results[0]


def wait_for_each(running: AsyncGenerator[_Item, None]) -> Iterator[_Item]:
    """Yield what an asynchronous generator does, in an event loop that stands still between two of them."""

    async def following() -> _Item | None:
        return await anext(running, None)

    with asyncio.Runner() as runner:
        try:
            while (item := runner.run(following())) is not None:
                yield item
        finally:
            _close(running, runner.get_loop())


def _close(running: AsyncGenerator[Any, None], loop: asyncio.AbstractEventLoop) -> None:
    """Close a generator; an interrupt that came as an item was done has left the loop a stop that is still to be passed."""
    closing = loop.create_task(_closed(running))
    while not closing.done():
        try:
            loop.run_until_complete(closing)
        except RuntimeError:
            if closing.done():
                raise


async def _closed(running: AsyncGenerator[Any, None]) -> None:
    await running.aclose()


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
