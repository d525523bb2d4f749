"""The one door to text files: bounded, UTF-8, never through a link that leaves the tree, written atomically.

Everything that the tools read may come from a stranger's pull request, so each refusal here is a named finding rather
than a traceback.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from esc_skills.errors import DocumentError, InputError

#: No skill, profile or setting comes near this; a file above it is a mistake or an attack.
MAX_DOCUMENT_BYTES = 1_000_000


def read_bytes(path: Path, *, inside: Path | None = None, limit: int = MAX_DOCUMENT_BYTES) -> bytes:
    """Return the bytes of a regular file of at most `limit` bytes.

    Args:
        path: The file.
        inside: A folder that the file must not leave through symbolic links.
        limit: The largest size that is read, in bytes.

    Raises:
        DocumentError: It is missing, no regular file, outside `inside`, or too large.
    """
    shown = str(path)
    try:
        if path.is_symlink() and not path.exists():  # from Python 3.13 on, links in a circle resolve without an error
            raise DocumentError(shown, 0, "not-a-file", "is a link that leads to no file", "replace it by the file")
        if inside is not None and not path.resolve().is_relative_to(inside.resolve()):
            raise DocumentError(
                shown, 0, "link-outside", "a symbolic link leaves the folder", "replace the link by the file"
            )
        if not path.is_file():
            raise DocumentError(shown, 0, "not-a-file", "is no regular file", "check the path")
        size = path.stat().st_size
        if size > limit:
            raise DocumentError(shown, 0, "too-large", f"has {size:,} bytes; at most {limit:,} are read", "split it")
        return path.read_bytes()
    except OSError as error:
        raise DocumentError(
            shown, 0, "unreadable", error.strerror or str(error), "check the path and its rights"
        ) from error
    except RuntimeError as error:  # so Python up to 3.12 says that links run in a circle
        raise DocumentError(shown, 0, "unreadable", "is a link to itself", "replace the link by the file") from error


def require_size(data: bytes, shown: str, limit: int = MAX_DOCUMENT_BYTES) -> None:
    """Refuse content, such as a git blob's, that is larger than a document may be.

    Raises:
        DocumentError: It has more than `limit` bytes.
    """
    if len(data) > limit:
        raise DocumentError(shown, 0, "too-large", f"has {len(data):,} bytes; at most {limit:,} are read", "split it")


def one_line(text: str) -> str:
    """Return a text on one line, with single spaces."""
    return " ".join(text.split())


def shorten(text: str, most: int) -> str:
    """Return a text on one line, cut with an ellipsis where it has more than `most` characters."""
    flat = one_line(text)
    return flat if len(flat) <= most else f"{flat[:most]} …"


def decode(data: bytes, shown: str) -> str:
    """Return `data` as text.

    Args:
        data: Bytes of a file.
        shown: The file's name for messages.

    Raises:
        DocumentError: The bytes are no UTF-8, or hold a NUL; the line is that of the first bad byte.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = data[error.start]
        raise DocumentError(
            shown, line, "encoding", f"byte 0x{found:02x} is not UTF-8", "save the file as UTF-8"
        ) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise DocumentError(shown, line, "encoding", "holds a NUL character", "save the file as UTF-8 text")
    return text


def read_text(path: Path, *, inside: Path | None = None, limit: int = MAX_DOCUMENT_BYTES) -> str:
    """Return the text of a file, with its line ends as they are; see `read_bytes` and `decode` for what is refused."""
    return decode(read_bytes(path, inside=inside, limit=limit), str(path))


def write_atomically(path: Path, data: bytes | str | Iterable[bytes]) -> None:
    """Write a file so that readers see either the old content or the whole new one, also when the disk is full.

    Args:
        path: The file; its folder is made where it is missing.
        data: Text is written as UTF-8 with LF line ends; parts are written one after the other.

    Raises:
        InputError: The system refused, for example because the disk is full; nothing is left behind.
    """
    parts = [data.encode("utf-8")] if isinstance(data, str) else [data] if isinstance(data, bytes) else data
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise InputError(
            f"{path}: could not be written: {error.strerror or error}", "free some space or choose another path"
        ) from error
    except BaseException:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise
