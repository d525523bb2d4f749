"""Readiness: what this machine and this repository lack for work on a bank, each with what to do about it."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from esc_skills import __version__
from esc_skills.bank.entrance import ENTRANCE_FILE
from esc_skills.bank.reader import read_bank, read_files
from esc_skills.documents.text import read_bytes
from esc_skills.errors import EscError
from esc_skills.evidence.owner_patterns import matches_path
from esc_skills.git import Repository
from esc_skills.settings import Settings, read_settings

_OLDEST_PYTHON, _OLDEST_GIT = (3, 11), (2, 32)
_SIGNERS = "allowed_signers"
_JUDGES = ("pyproject.toml", _SIGNERS, "skills/x/SKILL.md", "profiles/x.yaml")


class State(StrEnum):
    """How a check came out: fine; something to know; something that stops work."""

    FINE = "ok"
    NOTE = "note"
    BAD = "BAD"


@dataclass(frozen=True, slots=True)
class Reading:
    """What one check found.

    Attributes:
        name: What was looked at, in a word or two.
        state: How it came out.
        found: What was found.
        remedy: What to do; empty where nothing is to be done.
    """

    name: str
    state: State
    found: str
    remedy: str = ""


def read_readiness(folder: Path, *, push: bool = True) -> Iterator[Reading]:
    """Yield what each check found; a later one is left out where an earlier one makes it meaningless.

    Args:
        folder: A folder of the repository.
        push: Whether the remote is asked if it lets this person push; it is a dry run, and pushes nothing.
    """
    yield _python()
    yield Reading("esc-skills", State.FINE, __version__)
    yield _git_version()
    try:
        with Repository(folder) as repository:
            yield Reading("repository", State.FINE, str(repository.root))
            yield from _of_repository(repository, push=push)
    except EscError as error:
        yield Reading("repository", State.BAD, error.message, error.hint)


def _python() -> Reading:
    fine = sys.version_info >= _OLDEST_PYTHON
    remedy = "" if fine else f"install Python {'.'.join(map(str, _OLDEST_PYTHON))} or newer"
    return Reading("Python", State.FINE if fine else State.BAD, platform.python_version(), remedy)


def _git_version() -> Reading:
    program = shutil.which("git")
    if program is None:
        return Reading("git", State.BAD, "is not installed", "install git")
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    number = re.search(r"(\d+)\.(\d+)", said)
    if number is None:
        return Reading("git", State.BAD, f"says {said.strip()[:80]!r}", "install git anew")
    fine = (int(number[1]), int(number[2])) >= _OLDEST_GIT
    remedy = "" if fine else f"install git {'.'.join(map(str, _OLDEST_GIT))} or newer"
    return Reading("git", State.FINE if fine else State.BAD, said.strip().removeprefix("git version "), remedy)


def _of_repository(repository: Repository, *, push: bool) -> Iterator[Reading]:
    yield _identity(repository)
    file = repository.root / "pyproject.toml"
    try:
        settings = read_settings(read_bytes(file) if file.is_file() else None, str(file))
    except EscError as error:
        yield Reading("settings", State.BAD, error.message, error.hint or "esc-skills validate .")
        return
    yield Reading("settings", State.FINE, "pyproject.toml" if file.is_file() else "none, so all have their defaults")
    yield from _bank(repository, settings)
    yield _owners(repository, settings)
    yield _hook(repository)
    yield from _links(repository, settings)
    yield _line_ends(repository, settings)
    yield _ledger(repository)
    if push:
        yield _push(repository)


def _identity(repository: Repository) -> Reading:
    try:
        repository.require_author()
    except EscError as error:
        return Reading("identity", State.BAD, error.message, error.hint)
    name, mail = repository.setting("user.name"), repository.setting("user.email")
    return Reading("identity", State.FINE, f"commits as {name} <{mail}>" if name else "git knows who commits")


def _bank(repository: Repository, settings: Settings) -> Iterator[Reading]:
    folder = repository.root / settings.skills
    if not folder.is_dir():
        remedy = "`esc-skills init DIR` starts one elsewhere; or name its folder in [tool.esc-skills] skills"
        yield Reading("bank", State.BAD, f"there is no folder {settings.skills}/", remedy)
        return
    try:
        files = read_files(folder)
        bank = read_bank(files, settings.skills, settings.vocabulary)
    except EscError as error:
        yield Reading("bank", State.BAD, error.message, "esc-skills validate .")
        return
    yield Reading("bank", State.FINE, f"{len(bank.skills)} skills in {settings.skills}/")
    if ENTRANCE_FILE not in files:
        yield Reading("entrance", State.NOTE, "agents find no entrance", f"esc-skills bank entrance {settings.skills}")


def _owners(repository: Repository, settings: Settings) -> Reading:
    named = sorted({name for names in settings.owners.values() for name in names})
    if not named:
        remedy = "fill in [tool.esc-skills.owners] and the file allowed_signers (docs/ci.md)"
        return Reading("owners", State.NOTE, "nobody owns the settings, so whoever merges may lower the bar", remedy)
    file = repository.root / _SIGNERS
    signers = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    known = {line.split()[0] for line in signers.splitlines() if line.strip() and not line.startswith("#")}
    if missing := [name for name in named if name not in known]:
        return Reading(
            "owners", State.BAD, f"{_SIGNERS} has no key of {', '.join(missing)}", f"add a line NAME KEY to {_SIGNERS}"
        )
    patterns = [pattern for pattern in settings.owners if "#" not in pattern]
    free = [each for each in _JUDGES if not any(matches_path(pattern, each) for pattern in patterns)]
    if free:
        return Reading("owners", State.NOTE, f"{', '.join(named)}; nobody owns {', '.join(free)}", "see docs/ci.md")
    return Reading("owners", State.FINE, f"{', '.join(named)}")


def _hook(repository: Repository) -> Reading:
    file = repository.hooks_folder / "pre-commit"
    text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    if "esc_skills validate" in text or "esc-skills" in text:
        return Reading("hook", State.FINE, "what is staged is validated before a commit")
    return Reading("hook", State.NOTE, "nothing validates before a commit", "esc-skills hook install")


def _links(repository: Repository, settings: Settings) -> Iterator[Reading]:
    for client in (".agents", ".claude"):
        link = repository.root / client / "skills"
        if link.is_file() and not link.is_symlink():
            remedy = f"git config core.symlinks true, then git checkout {client}; or esc-skills export"
            yield Reading(
                "links", State.BAD, f"{client}/skills is a text file, as git writes links where it may not", remedy
            )
        elif link.is_symlink() and not link.exists():
            yield Reading("links", State.BAD, f"{client}/skills leads nowhere", f"link it to ../{settings.skills}")


def _line_ends(repository: Repository, settings: Settings) -> Reading:
    folder = repository.root / settings.skills
    paths = sorted(folder.rglob("*.md")) if folder.is_dir() else []
    crlf = [each.relative_to(repository.root).as_posix() for each in paths if b"\r\n" in each.read_bytes()[:1_000_000]]
    if crlf and repository.attributes(crlf[0], "text").get("text") != "auto":
        more = f" and {len(crlf) - 1} more" if len(crlf) > 1 else ""
        remedy = "put `* text=auto eol=lf` into .gitattributes, then git add --renormalize ."
        return Reading("line ends", State.BAD, f"{crlf[0]}{more} end lines with CR LF", remedy)
    return Reading("line ends", State.FINE, "LF, or converted by git")


def _ledger(repository: Repository) -> Reading:
    if any(repository.ref_exists(each) for each in ("refs/heads/ledger", "refs/remotes/origin/ledger")):
        return Reading("ledger", State.FINE, "is there")
    return Reading("ledger", State.FINE, "not there yet; the first proposal starts it")


def _push(repository: Repository) -> Reading:
    if repository.setting("remote.origin.url") is None:
        return Reading("push", State.NOTE, "there is no remote named origin", "git remote add origin ADDRESS")
    try:
        repository.require_push("origin", "ledger")
    except EscError as error:
        return Reading("push", State.BAD, error.message, error.hint)
    return Reading(
        "push", State.FINE, f"{repository.remote_url('origin')} lets you push (a dry run; nothing was pushed)"
    )
