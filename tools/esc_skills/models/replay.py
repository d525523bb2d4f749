"""A model that answers from recorded calls: no network, no key, and the same transcripts to the byte."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from esc_skills.documents.jsonl import compress, decompress_lines, json_lines, parse_json
from esc_skills.documents.text import decode, read_bytes
from esc_skills.errors import InputError
from esc_skills.models.recording import Call, read_call
from esc_skills.models.request import Completion, Request

#: The most bytes that recorded calls may unpack to.
MAX_CALLS = 1_000_000_000


class ReplayModel:
    """Answers requests from `calls.jsonl.gz`.

    Args:
        data: The file's bytes, from the disk or from git.
        shown: The file's name for messages.
        limit: The most bytes that it may unpack to.

    Attributes:
        used: The digests that were asked for.

    Raises:
        InputError: The file holds something else than recorded calls, or one twice.
    """

    def __init__(self, data: bytes, shown: str, limit: int = MAX_CALLS) -> None:
        self._shown = shown
        self._calls: dict[str, Call] = {}
        self.used: set[str] = set()
        for number, line in enumerate(decompress_lines(data, shown, limit), start=1):
            call = read_call(parse_json(decode(line, shown), shown, number), f"{shown}:{number}")
            if self._calls.setdefault(call.digest, call) is not call:
                raise InputError(f"{shown}:{number}: the call {call.digest} is recorded twice", "export it again")

    @property
    def unused(self) -> list[str]:
        """The digests of recorded calls that nobody asked for, sorted."""
        return sorted(self._calls.keys() - self.used)

    def packed(self, digests: Iterable[str]) -> bytes:
        """Return some calls as the content of a `calls.jsonl.gz`."""
        return compress(json_lines(self._calls[each].as_json() for each in sorted(set(digests))))

    async def complete(self, request: Request) -> Completion:
        """Return the recorded answer to a request; see `Model.complete`.

        Raises:
            InputError: No answer to it is recorded.
            ModelFault: A fault is recorded.
        """
        call = self._calls.get(request.digest)
        if call is None or (call.model, call.role) != (request.model, request.answer):
            raise InputError(
                f"{self._shown}: no answer to the call {request.digest} of {request.answer} is recorded",
                "the calls were recorded with other prompts, profiles, skills, seeds or parameters",
            )
        self.used.add(call.digest)
        return call.answer()


def open_replay(path: Path) -> ReplayModel:
    """Return the model that answers from a file.

    Raises:
        InputError: See `ReplayModel`.
    """
    return ReplayModel(read_bytes(path, limit=MAX_CALLS), str(path))
