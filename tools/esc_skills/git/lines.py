"""Line ends of a work tree: what git would commit of a file that Windows checked out."""

from __future__ import annotations

from pathlib import Path

from esc_skills.errors import EscError
from esc_skills.git.repository import Repository


def as_committed(path: Path, data: bytes) -> bytes:
    """Return a file's content with the line ends that git would commit.

    Args:
        path: The file, in a work tree or not.
        data: Its content.
    """
    if b"\r\n" not in data:
        return data
    try:
        with Repository(path.parent) as repository:
            return data.replace(b"\r\n", b"\n") if _is_converted(repository, path) else data
    except EscError:
        return data  # in no repository nothing is converted


def _is_converted(repository: Repository, path: Path) -> bool:
    inside = (path.parent.resolve() / path.name).relative_to(repository.root.resolve()).as_posix()
    fields = repository.attributes(inside, "text", "eol")
    if fields["text"] == "unset":
        return False
    if fields["text"] in ("set", "auto") or fields["eol"] in ("lf", "crlf"):
        return True
    return repository.setting("core.autocrlf") in ("true", "input")
