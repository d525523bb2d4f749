"""Fit the pages to the site, as a hook of MkDocs: what a page links to outside docs/ is copied, or becomes plain text.

On a git host such links work as they stand. A site holds docs/ alone, so pictures come along and other files are only named.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
_LINK = re.compile(r"(!?)\[([^]]*)\]\((\.\./[^)#\s]*)(#[^)\s]*)?\)")
_FENCED = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Return the page with links that the site can follow."""
    here = posixpath.dirname(page.file.src_uri)

    def fitted(found: re.Match[str]) -> str:
        picture, text, target = found[1], found[2], found[3]
        inside = posixpath.normpath(posixpath.join(here, target))
        if not inside.startswith("../"):
            return found[0]
        outside = inside.removeprefix("../")
        if not picture:
            return text if text.startswith("`") else f"{text} (`{outside}`)"
        if files.get_file_from_path(outside) is None:
            files.append(File.generated(config, outside, abs_src_path=str(ROOT / outside)))
        return f"![{text}]({posixpath.relpath(outside, here or '.')})"

    parts = _FENCED.split(markdown)
    return "".join(part if part.startswith("```") else _LINK.sub(fitted, part) for part in parts)
