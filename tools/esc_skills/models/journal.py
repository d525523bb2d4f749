"""The journal of a run's calls: an answer is on the disk before it is used, and is never paid for twice.

The address of an answer is the digest of its request, so equal calls of two arms are one call, and a resumed run finds
what was answered before it was killed. Faults of a model are answers too, so a replay ends the same episodes the same
way; troubles of an endpoint are not, and are tried anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from heapq import merge
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any

from esc_skills.documents.jsonl import canonical_json, compress_parts, parse_json
from esc_skills.documents.text import decode, write_atomically
from esc_skills.errors import DocumentError, InputError
from esc_skills.models.durable import DurableLines, require_equal_settings
from esc_skills.models.recording import Call, call_of, read_call
from esc_skills.models.request import Completion, Model, ModelFault, Request, Usage
from esc_skills.models.structured import Dialect, Form
from esc_skills.vocabulary import Termination

FORMAT = "esc-skills/calls/1"
_CHANGED = "the file was changed; delete it and start again"


class Journal:
    """A `Model` that asks another one only what is not in its file. Use it as an asynchronous context.

    Args:
        path: The file.
        settings: Everything that the calls of the run follow from.
        model: Who is asked.
        concurrency: The most calls that are asked and not yet on the disk, which is the most that a kill can lose.
        resume: Go on with the file of an unfinished run.
        stop: Called at the end, so that no call starts any more; those in flight are waited for and kept.

    Attributes:
        spent: What all calls in the file took.
        closing: Whether no call is started any more.
        dialects: What is known of the endpoints from earlier calls in the file; see `ChatModel`.

    Raises:
        InputError: A file is in the way, is no journal, or was started with other settings; the message names them.
    """

    def __init__(
        self,
        path: Path,
        settings: dict[str, Any],
        model: Model | None = None,
        *,
        concurrency: int = 64,
        resume: bool = False,
        stop: Callable[[], None] = lambda: None,
    ) -> None:
        self.model = model
        self.spent = Usage()
        self.dialects: dict[str, Dialect] = {}
        self.stop = stop
        self._places: dict[bytes, int] = {}
        self._room = asyncio.Semaphore(concurrency)
        self.closing = False
        self._in_flight: dict[str, asyncio.Task[Completion]] = {}
        self._lines = DurableLines(path)  # which another run may hold: then its file is not to be deleted
        try:
            self._read(settings, resume=resume)
        except BaseException:
            self._lines.close()
            raise

    def __len__(self) -> int:
        return len(self._places)

    async def complete(self, request: Request) -> Completion:
        """Return the answer to a request, from the file where it is there; see `Model.complete`."""
        place = self._places.get(_key(request.digest))
        if place is not None:
            return self._call_at(place).answer()
        task = self._in_flight.get(request.digest)
        if task is None:
            task = asyncio.create_task(self._ask(request))
            self._in_flight[request.digest] = task
            task.add_done_callback(lambda done: self._landed(request.digest, done))
        # Whoever gives up waiting, the call goes on: it is paid for, and a resumed run will want it.
        return await asyncio.shield(task)

    def lines(self, *, only: Iterable[str] | None = None, given_up: Iterable[Request] = ()) -> Iterator[bytes]:
        """Yield the calls as lines, sorted by digest, so that equal calls give equal bytes.

        Args:
            only: The digests of the calls; all where it is left out.
            given_up: Requests that ended an episode because an endpoint did not answer; a replay fails them again.
        """
        failed = {_key(request.digest): _given_up(request) for request in given_up}
        failed = {key: call for key, call in failed.items() if key not in self._places}
        # All keys of a large run are many, so they are not copied into a set.
        wanted = merge(sorted(self._places), sorted(failed)) if only is None else sorted({_key(each) for each in only})
        for key in wanted:
            if key in self._places:
                yield self._lines.read(self._places[key])
            elif key in failed:
                yield _line(failed[key])

    def export(self, path: Path, *, given_up: Iterable[Request] = ()) -> None:
        """Write all calls as `calls.jsonl.gz`; see `lines`."""
        write_atomically(path, compress_parts(self.lines(given_up=given_up)))

    async def close(self, patience: float = 30.0) -> None:
        """Start no call any more, keep those in flight that are answered within `patience` seconds, and close the file."""
        self.closing = True
        self.stop()
        if tasks := set(self._in_flight.values()):
            _, late = await asyncio.wait(tasks, timeout=patience)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._lines.close()

    async def __aenter__(self) -> Journal:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _ask(self, request: Request) -> Completion:
        if self.model is None:
            raise InputError(f"the journal {self._lines.path} was opened without a model", "name one")
        async with self._room:
            if self.closing:
                raise asyncio.CancelledError
            call = call_of(request, await self._outcome(self.model, request))
            self._places[_key(call.digest)] = await self._lines.append(_line(call))
        self.spent += call.usage
        return call.answer()

    async def _outcome(self, model: Model, request: Request) -> Completion | ModelFault:
        try:
            return await model.complete(request)
        except ModelFault as fault:
            if fault.termination is Termination.FAULT_ENDPOINT:
                raise
            return fault

    def _landed(self, digest: str, task: asyncio.Task[Completion]) -> None:
        del self._in_flight[digest]
        if not task.cancelled():
            task.exception()  # it is told to those who wait; where nobody does any more, nobody has to know

    def _call_at(self, place: int) -> Call:
        shown = str(self._lines.path)
        return read_call(parse_json(self._lines.read(place).decode(), shown), shown)

    def _read(self, settings: dict[str, Any], *, resume: bool) -> None:
        lines = list(islice(self._lines.lines(), 2))
        if len(lines) < 2:  # new, or ended before a call was answered: then its settings bind nobody
            if lines:
                self._kept_settings(self._parse(1, lines[0][1]))
                self._lines.clear()
            header = {"format": FORMAT, "settings": settings}
            self._lines.write_first(canonical_json(header).encode() + b"\n")
            return
        kept = self._kept_settings(self._parse(1, lines[0][1]))
        if not resume:
            path = self._lines.path
            raise InputError(f"{path}: calls of an unfinished run are kept there", "add --resume, or delete it")
        require_equal_settings(kept, settings, self._lines.path)
        for number, (place, line) in enumerate(islice(self._lines.lines(), 1, None), start=2):
            self._remember(read_call(self._parse(number, line), f"{self._lines.path}:{number}"), place)

    def _parse(self, number: int, line: bytes) -> Any:
        shown = str(self._lines.path)
        try:
            return parse_json(decode(line, shown), shown, number)
        except DocumentError as error:
            raise InputError(error.message, _CHANGED) from error

    def _remember(self, call: Call, place: int) -> None:
        self._places.setdefault(_key(call.digest), place)
        self.spent += call.usage
        if isinstance(call.outcome, Completion) and call.outcome.form in list(Form):
            self.dialects[call.model] = Dialect(Form(call.outcome.form))

    def _kept_settings(self, header: Any) -> dict[str, Any]:
        kept = header.get("settings") if isinstance(header, dict) and header.get("format") == FORMAT else None
        if not isinstance(kept, dict):
            raise InputError(f"{self._lines.path}: is no journal of calls", "delete it and start again")
        return kept


def forget_faults(path: Path) -> None:
    """Take the faults of models out of a closed journal, so that a resumed run asks those calls again."""
    with path.open("rb") as file:
        write_atomically(path, (line for line in file if "fault" not in parse_json(decode(line, str(path)), str(path))))


def _line(call: Call) -> bytes:
    return canonical_json(call.as_json()).encode() + b"\n"


def _key(digest: str) -> bytes:
    # A run of 2,000 episodes has 70,000 calls; their digests as text would take three times the memory.
    return bytes.fromhex(digest.removeprefix("sha256:"))


def _given_up(request: Request) -> Call:
    return call_of(request, ModelFault(Termination.FAULT_ENDPOINT, "the endpoint did not answer"))
