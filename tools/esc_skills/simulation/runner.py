"""The runner: many episodes with bounded concurrency, each durable when it ends, so that a killed run can be resumed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from esc_skills.documents.jsonl import canonical_json, json_lines, parse_json
from esc_skills.documents.text import decode, read_bytes, write_atomically
from esc_skills.errors import DocumentError, InputError
from esc_skills.transcript import Transcript, transcript_of

#: Called with how many episodes are done and how many there are.
Progress = Callable[[int, int], None]
FORMAT = "esc-skills/run/1"

_MAX_BYTES = 2_000_000_000
_CHANGED = "the file was changed; delete it and start again"
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class RunFile:
    """Where a run is kept: the file that it ends in, and the one that grows beside it until then."""

    path: Path

    @property
    def partial(self) -> Path:
        """The file that holds the finished episodes of an unfinished run."""
        return self.path.with_name(self.path.name + ".partial")


async def run_concurrently(
    items: Sequence[_Item],
    work: Callable[[_Item], Awaitable[Transcript]],
    concurrency: int,
    finished: Callable[[int, Transcript], None],
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


def run_to_file(
    file: RunFile,
    settings: dict[str, Any],
    items: Sequence[_Item],
    work: Callable[[_Item], Awaitable[Transcript]],
    *,
    concurrency: int,
    resume: bool,
    progress: Progress,
    session: AbstractAsyncContextManager[Any] | None = None,
) -> tuple[Transcript, ...]:
    """Run every item's episode into a file of JSON Lines, sorted as the items are.

    An episode is on disk before the next one is counted; after `kill -9` a resumed run does again only what had not
    ended, and the finished file has the bytes of an undisturbed run.

    Args:
        file: Where the run goes.
        settings: Everything that the episodes follow from.
        items: The plan.
        work: Runs one item's episode.
        concurrency: How many episodes run at a time.
        resume: Go on with an unfinished run of the same settings.
        progress: Told after each episode.
        session: Opened before the first episode and closed after the last, in the loop that they run in.

    Raises:
        InputError: The file exists, an unfinished run is in the way, or its settings differ; the message says which.
    """
    done = _resumed(file, settings, len(items)) if resume else _fresh(file)
    missing = [(at, item) for at, item in enumerate(items) if at not in done]
    with _open_partial(file, settings) as out:

        def finished(index: int, transcript: Transcript) -> None:
            at = missing[index][0]
            _append(out, {"at": at, "episode": transcript.as_json()}, file.partial)
            done[at] = transcript
            progress(len(done), len(items))

        items_left = [item for _, item in missing]
        _await(_within(session or nullcontext(), run_concurrently(items_left, work, concurrency, finished)))
        os.fsync(out.fileno())
    transcripts = tuple(done[at] for at in range(len(items)))
    write_atomically(file.path, json_lines(each.as_json() for each in transcripts))
    file.partial.unlink()
    return transcripts


def run_in_memory(
    items: Sequence[_Item],
    work: Callable[[_Item], Awaitable[Transcript]],
    *,
    concurrency: int,
    progress: Callable[[int], None],
) -> tuple[Transcript, ...]:
    """Return every item's episode, in the order of the items; `progress` is told after each how many are done."""
    done: dict[int, Transcript] = {}

    def finished(position: int, transcript: Transcript) -> None:
        done[position] = transcript
        progress(len(done))

    _await(run_concurrently(items, work, concurrency, finished))
    return tuple(done[at] for at in range(len(items)))


async def _within(session: AbstractAsyncContextManager[Any], running: Coroutine[Any, Any, None]) -> None:
    try:
        async with session:
            await running
    finally:
        running.close()


def _await(awaitable: Any) -> None:
    """Run to the end and raise what went wrong itself rather than a group of it."""
    try:
        asyncio.run(awaitable)
    except BaseExceptionGroup as group:
        raise _first(group) from group


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _fresh(file: RunFile) -> dict[int, Transcript]:
    if file.path.exists():
        raise InputError(f"{file.path}: exists already", "give another --out, or delete it")
    if file.partial.exists():
        raise InputError(f"{file.partial}: an unfinished run is kept there", "add --resume to go on, or delete it")
    return {}


def _resumed(file: RunFile, settings: dict[str, Any], count: int) -> dict[int, Transcript]:
    if file.path.exists():
        raise InputError(f"{file.path}: this run has finished already", "score it with `esc-skills score`")
    if not file.partial.exists():
        raise InputError(f"{file.partial}: no unfinished run is kept there", "leave out --resume to start one")
    if _header(settings).startswith(file.partial.read_bytes()):
        return {}  # killed before its first line was whole
    lines = _complete_lines(file.partial)
    header = next(lines, (0, None))[1]
    if not isinstance(header, dict) or header.get("format") != FORMAT or not isinstance(header.get("settings"), dict):
        raise InputError(f"{file.partial}: is no unfinished run", "delete it and start again")
    _require_equal(header["settings"], settings, file.partial)
    done: dict[int, Transcript] = {}
    for number, line in lines:
        at = line.get("at") if isinstance(line, dict) else None
        if type(at) is not int or not 0 <= at < count or at in done:
            raise InputError(f"{file.partial}:{number}: holds no episode of the plan, or one twice", _CHANGED)
        done[at] = transcript_of(line.get("episode"), f"{file.partial}:{number}")
    return done


def _complete_lines(path: Path) -> Iterator[tuple[int, Any]]:
    """Yield the lines that were written whole; the process may have been killed within the last one."""
    text = decode(_without_torn_line(read_bytes(path, limit=_MAX_BYTES)), str(path))
    for number, line in enumerate(text.split("\n")[:-1], start=1):
        try:
            yield number, parse_json(line, str(path), number)
        except DocumentError as error:
            raise InputError(error.message, _CHANGED) from error


def _without_torn_line(data: bytes) -> bytes:
    return data[: data.rfind(b"\n") + 1]


def _require_equal(kept: dict[str, Any], now: dict[str, Any], path: Path) -> None:
    changed = [key for key in sorted({*kept, *now}) if kept.get(key) != now.get(key)]
    if changed:
        words = "; ".join(f"{key} was {kept.get(key)!r} and is {now.get(key)!r}" for key in changed)
        raise InputError(f"{path}: was started with other settings: {words}", "use the same settings, or another --out")


def _append(out: BinaryIO, value: Any, path: Path) -> None:
    try:
        out.write(canonical_json(value).encode() + b"\n")
        out.flush()
    except OSError as error:
        hint = "free some space, and go on with the same command and --resume"
        raise InputError(f"{path}: could not be written: {error.strerror or error}", hint) from error


def _open_partial(file: RunFile, settings: dict[str, Any]) -> BinaryIO:
    file.path.parent.mkdir(parents=True, exist_ok=True)
    if file.partial.exists():
        os.truncate(file.partial, len(_without_torn_line(file.partial.read_bytes())))
    out = file.partial.open("ab")
    if not out.tell():
        out.write(_header(settings))
        out.flush()
    return out


def _header(settings: dict[str, Any]) -> bytes:
    return canonical_json({"format": FORMAT, "settings": settings}).encode() + b"\n"
