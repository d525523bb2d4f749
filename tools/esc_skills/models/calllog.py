"""The log of HTTP calls that a person can ask for: what was sent and said, without the keys."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from esc_skills.documents.jsonl import canonical_json
from esc_skills.errors import InputError
from esc_skills.models.endpoint import secret_forms


class CallLog:
    """A file of JSON Lines, one for each HTTP call. Use it as a context, and call it with each record.

    Args:
        path: The file; lines are added to one that exists.
        secrets: Texts that never get into it.

    Raises:
        InputError: The file cannot be written.
    """

    def __init__(self, path: Path, secrets: Iterable[str]) -> None:
        self._path = path
        # A text within a text of JSON may hold it with its backslashes doubled once more.
        once = secret_forms(*secrets)
        self._secrets = sorted({*once, *(json.dumps(each)[1:-1] for each in once)}, key=len, reverse=True)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: TextIO = path.open("a", encoding="utf-8", errors="backslashreplace", newline="\n")
        except OSError as error:
            raise self._unwritable(error) from error

    def __call__(self, record: Mapping[str, Any]) -> None:
        """Write a record with the time of now."""
        line = canonical_json({"at": datetime.now(UTC).isoformat(timespec="milliseconds"), **record})
        for secret in self._secrets:
            line = line.replace(secret, "[key]")
        try:
            self._file.write(line + "\n")
            self._file.flush()
        except OSError as error:
            raise self._unwritable(error) from error

    def close(self) -> None:
        """Close the file; what could not be written was told when it was."""
        with suppress(OSError):
            self._file.close()

    def _unwritable(self, error: OSError) -> InputError:
        found = f"{self._path}: the log could not be written: {error.strerror or error}"
        return InputError(found, "free some space or give another --log; a run goes on with --resume")
