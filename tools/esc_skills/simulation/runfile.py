"""A run on the disk: the file that grows while episodes end, what a resumed run finds in it, and the finished one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from esc_skills.documents.jsonl import MAX_LINE_CHARACTERS, canonical_json, parse_json
from esc_skills.documents.text import decode, write_atomically
from esc_skills.errors import DocumentError, InputError
from esc_skills.models.durable import holds_more_than_header, require_equal_settings
from esc_skills.transcript import Transcript, transcript_of
from esc_skills.vocabulary import Termination

FORMAT = "esc-skills/run/1"
#: Stands between a position and its episode, so that the episode can be taken out as it was written.
_EPISODE = b'"episode":'
_CHANGED = "the file was changed; delete it and start again"


@dataclass(frozen=True, slots=True)
class Ending:
    """How an episode ended: all that is kept of it in memory."""

    termination: Termination
    final_emotion: int


@dataclass(frozen=True, slots=True)
class RunFile:
    """Where a run is kept: the file that it ends in, and the one that grows beside it until then."""

    path: Path

    @property
    def partial(self) -> Path:
        """The file that holds the finished episodes of an unfinished run."""
        return self.path.with_name(self.path.name + ".partial")

    def require(self, *, resume: bool, journal: Path | None = None) -> None:
        """Raise where no run can start here, or none be resumed.

        Args:
            resume: Whether an unfinished run is to go on.
            journal: The journal of its calls; a run that was killed right after its start has nothing else.

        Raises:
            InputError: A file is in the way, or there is none to go on with.
        """
        if self.path.exists() and resume:
            raise InputError(f"{self.path}: this run has finished already", "score it with `esc-skills score`")
        if self.path.exists():
            raise InputError(f"{self.path}: exists already", "give another --out, or delete it")
        if not resume and holds_more_than_header(self.partial):
            raise InputError(f"{self.partial}: an unfinished run is kept there", "add --resume to go on, or delete it")
        if resume and not self.partial.exists() and not (journal and journal.exists()):
            raise InputError(f"{self.partial}: no unfinished run is kept there", "leave out --resume to start one")


class UnfinishedRun:
    """The finished episodes of a run that goes on. Use it as a context.

    Args:
        file: Where the run is kept.
        settings: Everything that the episodes follow from.
        episodes: How many the plan has.
        resume: Go on with an unfinished run of the same settings, where there is one.

    Attributes:
        endings: How each finished episode ended, by its position in the plan.

    Raises:
        InputError: The file exists, an unfinished run is in the way, or its settings differ; the message says which.
    """

    def __init__(self, file: RunFile, settings: dict[str, Any], episodes: int, *, resume: bool) -> None:
        self.endings: dict[int, Ending] = {}
        self._file = file
        self._places: dict[int, int] = {}
        if not resume:
            file.require(resume=False)
        file.path.parent.mkdir(parents=True, exist_ok=True)
        self._out: BinaryIO = file.partial.open("a+b")
        try:
            self._read(_header(settings), settings, episodes)
        except BaseException:
            self._out.close()
            raise

    def add(self, position: int, transcript: Transcript) -> None:
        """Write an episode; it is in the system's hands before this returns, so a killed run keeps it."""
        place = self._out.tell()
        episode = canonical_json(transcript.as_json()).encode()
        self._write(b'{"at":%d,%s%s}\n' % (position, _EPISODE, episode))
        self._remember(position, place, transcript)

    def finish(self) -> tuple[Ending, ...]:
        """Write the finished file, sorted as the plan is, delete the unfinished one, and return how episodes ended."""
        os.fsync(self._out.fileno())
        write_atomically(self._file.path, self._lines())
        self._file.partial.unlink()
        return tuple(self.endings[position] for position in sorted(self.endings))

    def __enter__(self) -> UnfinishedRun:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._out.close()

    def _lines(self) -> Iterator[bytes]:
        for position in sorted(self._places):
            self._out.seek(self._places[position])
            yield self._out.readline().partition(_EPISODE)[2].removesuffix(b"}\n") + b"\n"

    def _read(self, header: bytes, settings: dict[str, Any], episodes: int) -> None:
        size = self._out.seek(0, os.SEEK_END)
        self._out.seek(0)
        if size <= len(header) and header.startswith(
            self._out.read()
        ):  # new, or killed before its first line was whole
            self._cut(0)
            self._write(header)
            return
        self._out.seek(0)
        lines = self._complete_lines()
        kept = self._kept_settings(next(lines, (1, 0, None))[2])
        if not holds_more_than_header(
            self._file.partial
        ):  # it ended before any episode did: then its settings bind nobody
            self._cut(0)
            self._write(header)
            return
        require_equal_settings(kept, settings, self._file.partial)
        for number, place, line in lines:
            at = line.get("at") if isinstance(line, dict) else None
            if type(at) is not int or not 0 <= at < episodes or at in self._places:
                raise InputError(f"{self._shown(number)}: holds no episode of the plan, or one twice", _CHANGED)
            transcript = transcript_of(line.get("episode"), self._shown(number))
            if transcript.termination is not Termination.FAULT_ENDPOINT:  # which may be over by now: it is run again
                self._remember(at, place, transcript)
        self._out.seek(0, os.SEEK_END)

    def _complete_lines(self) -> Iterator[tuple[int, int, Any]]:
        """Yield number, place and value of the lines from here on; one that a killed process left torn is cut."""
        for number in count(1):
            place = self._out.tell()
            data = self._out.readline(4 * MAX_LINE_CHARACTERS)
            if not data.endswith(b"\n"):
                if place:  # a torn first line is no header, and so perhaps somebody else's file
                    self._cut(place)
                return
            try:
                yield number, place, parse_json(decode(data, str(self._file.partial)), str(self._file.partial), number)
            except DocumentError as error:
                raise InputError(error.message, _CHANGED) from error

    def _kept_settings(self, header: Any) -> dict[str, Any]:
        kept = header.get("settings") if isinstance(header, dict) and header.get("format") == FORMAT else None
        if not isinstance(kept, dict):
            raise InputError(f"{self._file.partial}: is no unfinished run", "delete it and start again")
        return kept

    def _shown(self, number: int) -> str:
        return f"{self._file.partial}:{number}"

    def _remember(self, position: int, place: int, transcript: Transcript) -> None:
        self._places[position] = place
        self.endings[position] = Ending(transcript.termination, transcript.final_emotion)

    def _cut(self, size: int) -> None:
        self._out.truncate(size)
        self._out.seek(0, os.SEEK_END)

    def _write(self, line: bytes) -> None:
        try:
            self._out.write(line)
            self._out.flush()
        except OSError as error:
            hint = "free some space, and go on with the same command and --resume"
            found = f"{self._file.partial}: could not be written: {error.strerror or error}"
            raise InputError(found, hint) from error


def _header(settings: dict[str, Any]) -> bytes:
    return canonical_json({"format": FORMAT, "settings": settings}).encode() + b"\n"
