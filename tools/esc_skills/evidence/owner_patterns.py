"""Patterns of paths, as the settings name owners by them: `**` crosses folders, `*` and `?` do not."""

from __future__ import annotations

import re

_WILD = re.compile(r"\*\*/?|\*|\?|[^*?]+")


def matches_path(pattern: str, path: str) -> bool:
    """Return whether a path has the form of a pattern."""

    def translated(part: str) -> str:
        return {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(part) or re.escape(part)

    return re.fullmatch("".join(map(translated, _WILD.findall(pattern))), path, flags=re.DOTALL) is not None
