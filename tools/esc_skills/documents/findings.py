"""Findings: what is wrong with a file, where, and how grave; the one form in which checks report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from esc_skills.errors import DocumentError


class Severity(StrEnum):
    """An error refuses the file; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One problem in one place.

    Attributes:
        path: The file, as the person named it.
        line: Its line from 1, or 0 where the whole file is meant.
        pointer: The JSON pointer of the value in the parsed document; empty for the whole document.
        code: A short stable name of the kind of problem.
        severity: Error or warning.
        message: What was found and what would do.
    """

    path: str
    line: int
    pointer: str
    code: str
    severity: Severity
    message: str

    def as_json(self) -> dict[str, Any]:
        """Return the finding as the JSON output of `validate` shows it."""
        return asdict(self)

    def as_text(self) -> str:
        """Return the finding as `path:line: code: message (pointer)`."""
        place = f"{self.path}:{self.line}" if self.line else self.path
        mark = "warning: " if self.severity is Severity.WARNING else ""
        text = f"{place}: {mark}{self.code}: {self.message}" + (f" ({self.pointer})" if self.pointer else "")
        return " ".join(text.splitlines())  # a line end in a value would look like a finding of its own

    def as_annotation(self) -> str:
        """Return the finding as a GitHub workflow command, its text escaped as GitHub asks."""
        title, message = _escape(self.code, ":,"), _escape(self.message)
        return f"::{self.severity} file={_escape(self.path, ':,')},line={max(self.line, 1)},title={title}::{message}"


def _escape(text: str, also: str = "") -> str:
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    for character in also:
        escaped = escaped.replace(character, f"%{ord(character):02X}")
    return escaped


def finding_of(error: DocumentError) -> Finding:
    """Return an unreadable place as a finding, so that one bad file does not hide the problems of the others."""
    message = f"{error.detail}; {error.hint}" if error.hint else error.detail
    return Finding(error.path, error.line, "", error.code, Severity.ERROR, message)


def has_errors(findings: Iterable[Finding]) -> bool:
    """Whether any finding is an error."""
    return any(finding.severity is Severity.ERROR for finding in findings)
