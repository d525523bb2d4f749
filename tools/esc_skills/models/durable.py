"""A file of lines that only grows, where a line is on the disk before its writer goes on.

Lines that come while the disk is busy wait together and share the next fsync, so 64 calls at a time cost the disk no more
than one does.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

from esc_skills.documents.jsonl import MAX_LINE_CHARACTERS
from esc_skills.errors import InputError


class DurableLines:
    """Appends lines to a file that one process has for itself.

    Args:
        path: The file; it is made where it is missing. A last line without its end, which a killed process left, is cut.

    Raises:
        InputError: Another process has it, or it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: BinaryIO = path.open("a+b", buffering=0)
        except OSError as error:
            raise self._unwritable(error) from error
        self._lock()
        self._size = _cut_torn_line(self._file)
        self._reader: BinaryIO = path.open("rb")
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._pending: list[tuple[bytes, asyncio.Future[int]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._broken: InputError | None = None

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield the place of each line and its bytes."""
        place = 0
        with self.path.open("rb") as file:
            for line in file:
                yield place, line
                place += len(line)

    def read(self, place: int) -> bytes:
        """Return the line at a place."""
        self._reader.seek(place)
        return self._reader.readline()

    async def append(self, line: bytes) -> int:
        """Write a line that ends in LF and return its place, once it is on the disk.

        Raises:
            InputError: The disk refused; nothing more is written then.
        """
        if self._broken:
            raise self._broken
        loop = asyncio.get_running_loop()
        place: asyncio.Future[int] = loop.create_future()
        self._pending.append((line, place))
        if self._writer is None or self._writer.done():
            self._writer = loop.create_task(self._write_all())
        return await place

    async def _write_all(self) -> None:
        loop = asyncio.get_running_loop()
        while self._pending:
            batch, self._pending = self._pending, []
            try:
                await loop.run_in_executor(self._disk, self.commit, b"".join(line for line, _ in batch))
            except OSError as error:
                self._break(error, [*batch, *self._pending])
                return
            for line, place in batch:
                if not place.done():
                    place.set_result(self._size)
                self._size += len(line)

    def commit(self, data: bytes) -> None:
        """Write bytes and wait for the disk."""
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]
        os.fsync(self._file.fileno())

    def clear(self) -> None:
        """Take all lines out again."""
        os.truncate(self._file.fileno(), 0)
        self._size = 0

    def write_first(self, line: bytes) -> None:
        """Write the first line of a new file, and make the file itself durable."""
        try:
            self.commit(line)
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise self._unwritable(error) from error
        self._size += len(line)

    def close(self) -> None:
        """Close the file; what was appended is on the disk already."""
        self._disk.shutdown(wait=True)
        self._reader.close()
        self._file.close()

    def _break(self, error: OSError, waiting: list[tuple[bytes, asyncio.Future[int]]]) -> None:
        self._broken = self._unwritable(error)
        self._pending = []
        for _, place in waiting:
            if not place.done():
                place.set_exception(self._broken)

    def _lock(self) -> None:
        if sys.platform == "win32":
            return  # there a file that is open for writing cannot be opened twice by accident of two runs' names alone
        import fcntl

        try:
            fcntl.flock(self._file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise InputError(f"{self.path}: another run writes it", "wait until it has ended") from error

    def _unwritable(self, error: OSError) -> InputError:
        found = f"{self.path}: could not be written: {error.strerror or error}"
        return InputError(found, "free some space or choose another path, then go on with --resume")


def holds_more_than_header(path: Path) -> bool:
    """Whether anything stands in a file beyond a whole first line, or it is none of ours."""
    if not path.exists():
        return False
    with path.open("rb") as file:
        first = file.readline(MAX_LINE_CHARACTERS)
        return bool(file.read(1)) or not (first.endswith(b"\n") or first.startswith(b"{"))


def require_equal_settings(kept: dict[str, Any], now: dict[str, Any], path: Path) -> None:
    """Raise where an unfinished file was started with other settings.

    Raises:
        InputError: Names each setting that differs, as it was and as it is.
    """
    changed = [key for key in sorted({*kept, *now}) if kept.get(key) != now.get(key)]
    if changed:
        words = "; ".join(f"{key} was {kept.get(key)!r} and is {now.get(key)!r}" for key in changed)
        hint = "use the same settings, or delete the file and start again"
        raise InputError(f"{path}: was started with other settings: {words}", hint)


def _cut_torn_line(file: BinaryIO) -> int:
    """Cut what stands after the last LF, and return the size."""
    end = size = file.seek(0, os.SEEK_END)
    while end > 0:
        start = max(0, end - 65536)
        file.seek(start)
        at = file.read(end - start).rfind(b"\n")
        if at >= 0:
            end = start + at + 1
            break
        end = start
    if end != size:
        os.truncate(file.fileno(), end)
    return end
