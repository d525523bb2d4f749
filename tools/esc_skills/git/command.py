"""Running git: in which repository, with what environment, and what becomes of its failures."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from esc_skills.errors import GitError, InputError

#: Who commits may be said by the environment, and where settings lie; tests keep the home's out by it.
_ALWAYS = {
    *(f"GIT_{who}_{what}" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL", "DATE")),
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CEILING_DIRECTORIES",
}
#: How a remote is reached: keys, passwords, proxies and settings that a CI hands over in variables.
_NETWORK = ("GIT_SSH", "GIT_ASKPASS", "GIT_SSL_", "GIT_HTTP_", "GIT_PROXY_", "GIT_TRACE", "GIT_CURL_", "GIT_CONFIG_")
#: Where git keeps what a push brings until the hook lets it in; without these, a hook could read nothing of it.
QUARANTINE = ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH")
#: Objects are their bytes: no replace refs and grafts, nothing fetched on the way, nobody asked.
_SEALED = {
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_OPTIONAL_LOCKS": "0",
}
#: The commit graph is a cache that somebody could have written.
_OPTIONS = ("-c", "core.commitGraph=false", "-c", "core.fsmonitor=false", "-c", "advice.graftFileDeprecated=false")


class CommandError(GitError):
    """A git command ended with an error.

    Attributes:
        status: Its exit code.
        said: What git said, on one line.
    """

    def __init__(self, message: str, hint: str, status: int, said: str) -> None:
        super().__init__(message, hint)
        self.status, self.said = status, said


def environment(quarantine: Mapping[str, str], *, network: bool) -> dict[str, str]:
    """Return the environment of a child git; that of this process is read and never changed.

    A hook's or a work tree's `GIT_*` would silently turn every command to another repository, so none comes along that is
    not named here.

    Args:
        quarantine: What a pre-receive hook was given; see `QUARANTINE`.
        network: Whether the command talks to a remote, by the ways that the person has set up.
    """
    names = (*_ALWAYS, *(name for name in os.environ if network and name.startswith(_NETWORK)))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in names}
    sealed = {} if network else _SEALED
    return {**kept, **sealed, **quarantine, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


class GitCommand:
    """Runs git in one repository.

    Args:
        place: The options or folder by which git finds it.
        root: What it is called in messages.
        quarantine: What a pre-receive hook was given.
    """

    def __init__(self, place: Sequence[str], root: Path, quarantine: Mapping[str, str]) -> None:
        self._start, self.root, self._quarantine = ("git", *place, *_OPTIONS), root, quarantine

    def run(self, *arguments: str, stdin: bytes = b"", network: bool = False) -> str:
        """Return what a command prints, without its last line end; bytes that are no UTF-8 become surrogates.

        Raises:
            CommandError: It ended with an error.
        """
        try:
            done = subprocess.run(
                [*self._start, *arguments],
                input=stdin,
                capture_output=True,
                env=environment(self._quarantine, network=network),
                check=False,
            )
        except FileNotFoundError as error:
            raise GitError("git was not found", "install git 2.31 or newer") from error
        if done.returncode:
            raise self._failure(arguments[0], done.returncode, done.stderr.decode("utf-8", "replace"))
        return done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")

    def succeeds(self, *arguments: str) -> bool:
        """Whether a command ends without an error."""
        try:
            self.run(*arguments)
        except CommandError:
            return False
        return True

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command that answers on its standard output what it is asked on its standard input."""
        return subprocess.Popen(
            [*self._start, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(self._quarantine, network=False),
        )

    def _failure(self, command: str, status: int, stderr: str) -> CommandError:
        said = " ".join(stderr.replace("fatal: ", "").replace("error: ", "").split())[:600]
        if mark := re.search(r"dubious ownership in repository at '([^'\n]+)'", stderr):
            remedy = f"git config --global --add safe.directory {mark[1]}"
            found = f"git detected dubious ownership in repository at {mark[1]!r}: it belongs to another user"
            return CommandError(found, f"if you trust whoever can write there, run `{remedy}`", status, said)
        return CommandError(f"git {command} failed in {self.root}: {said or f'exit code {status}'}", "", status, said)


class Opened:
    """A git repository, opened for one command.

    Args:
        path: Any folder inside its work tree, or a bare repository.
        quarantine: What a pre-receive hook was given, by the names of `QUARANTINE`.

    Attributes:
        root: Its work tree, or the folder of a bare repository.
        common: The git directory that all of its work trees share.

    Raises:
        GitError: There is none, git refuses it, or git is not installed.
    """

    def __init__(self, path: Path, quarantine: Mapping[str, str] | None = None) -> None:
        if not path.exists():
            raise InputError(f"{path}: no such folder", "check the path")
        folder = path if path.is_dir() else path.parent
        is_git_directory = (folder / "HEAD").is_file() and (folder / "objects").is_dir()
        place = ("--git-dir", str(folder)) if is_git_directory else ("-C", str(folder))
        found = GitCommand(place, folder.resolve(), quarantine or {})
        try:
            bare = found.run("rev-parse", "--is-bare-repository") == "true"
            absolute = ("rev-parse", "--path-format=absolute")
            directory = Path(found.run(*absolute, "--git-dir"))
            self.common = Path(found.run(*absolute, "--git-common-dir"))
            self.root = directory if bare else _work_tree(found, directory, place)
        except CommandError as error:
            if error.hint:
                raise
            hint = "run `git init`, or name one with --repo"
            raise GitError(f"{path.resolve()}: is in no git repository", hint) from error
        self._git = GitCommand(
            ("--git-dir", str(directory)) if bare else ("-C", str(self.root)), self.root, quarantine or {}
        )


def _work_tree(found: GitCommand, directory: Path, place: Sequence[str]) -> Path:
    # Named by its git directory, a repository takes the current folder for its work tree.
    return directory.resolve().parent if place[0] == "--git-dir" else Path(found.run("rev-parse", "--show-toplevel"))
