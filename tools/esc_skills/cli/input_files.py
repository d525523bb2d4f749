"""What commands share that read files as streams: how much was read, and that nothing is written over what is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from esc_skills.cli.output import ProgressLine
from esc_skills.corpora.dialogue_files import Progress
from esc_skills.errors import InputError

_MEGABYTE = 1_000_000


@contextmanager
def reading(files: Sequence[Path], status: Callable[[], str] = lambda: "") -> Iterator[Progress]:
    """Show how much of some files was read, and what else is going on."""
    total = sum(path.stat().st_size for path in files if path.is_file()) // _MEGABYTE
    done = 0
    with ProgressLine("megabytes", status) as update:

        def progress(read: int) -> None:
            nonlocal done
            done += read
            update(done // _MEGABYTE, total)

        yield progress


def require_other(out: Path, files: Iterable[Path]) -> None:
    """Require that the file that is to be written is none of those that are read, and no device or pipe.

    Raises:
        InputError: It is.
    """
    if out.resolve() in {path.resolve() for path in files}:
        raise InputError(f"{out}: is one of the files that are read", "choose another name")
    if out.exists() and not out.is_file():  # a device or a pipe would be replaced by a file
        raise InputError(f"{out}: is no regular file", "name a file to write")
