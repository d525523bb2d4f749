"""Templates that a person fills in: what is left to fill begins with `FILL:`, and validation names each such line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from esc_skills.documents.findings import Finding, Severity

#: The code of a line that still holds a template's words.
UNFILLED = "unfilled"
_MARK = re.compile(r"\bFILL: ?([^\"\n]{0,240})")


def find_unfilled(text: str, path: str | PurePosixPath) -> Iterator[Finding]:
    """Yield a finding for each line of a file that still asks to be filled in."""
    for number, line in enumerate(text.split("\n"), start=1):
        if found := _MARK.search(line):
            message = f"is still to be filled in: {found[1].strip() or 'no words'}"
            yield Finding(str(path), number, "", UNFILLED, Severity.ERROR, message)
