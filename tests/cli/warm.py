"""Children of this process that run a command: real processes to be killed, which start with the libraries loaded."""

from __future__ import annotations

import os
import sys
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerProcess


def start(arguments: list[str], folder: Path, errors: Path) -> ForkServerProcess:
    """Start `esc-skills` in a folder, with its standard error in a file."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["tests.cli.loaded"])
    process = context.Process(target=_run, args=(arguments, folder, errors, dict(os.environ)))
    process.start()
    return process


def _run(arguments: list[str], folder: Path, errors: Path, environment: dict[str, str]) -> None:
    from esc_skills.cli.main import run

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    with errors.open("a") as file:
        os.dup2(file.fileno(), sys.stderr.fileno())
    sys.exit(run(arguments))
