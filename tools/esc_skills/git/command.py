"""Running git: in which repository, with what environment, and what becomes of its failures."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from esc_skills.errors import GitError, InputError

if TYPE_CHECKING:
    from git import Repo

#: Who commits may be told by the environment, and tests keep the home's settings out by it.
_KEPT = {
    *(f"GIT_{who}_{what}" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL", "DATE")),
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CEILING_DIRECTORIES",
}


class Opened:
    """A git repository, opened for one command.

    Args:
        path: Any folder inside its work tree, or a bare repository.

    Attributes:
        root: Its work tree, or the folder of a bare repository.

    Raises:
        GitError: There is none, or git is not installed.
    """

    def __init__(self, path: Path) -> None:
        # A hook's or a worktree's GIT_* would silently turn every command to another repository.
        for name in [name for name in os.environ if name.startswith("GIT_") and name not in _KEPT]:
            del os.environ[name]
        self._repo = _open(path)
        self.root = Path(self._repo.working_tree_dir or self._repo.git_dir)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._repo.close()

    def _run(self, *arguments: str, stdin: bytes | None = None) -> str:
        from git import GitCommandError

        options: dict[str, Any] = {"env": {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}, "strip_newline_in_stdout": True}
        try:
            if stdin is None:
                output = self._repo.git.execute(["git", *arguments], stdout_as_string=False, **options)
            else:
                output = self._execute_with_input(arguments, stdin, options)
        except GitCommandError as error:
            reason = str(error.stderr).partition("stderr:")[2].strip(" '\n") or f"exit code {error.status}"
            raise GitError(
                f"git {arguments[0]} failed in {self.root if hasattr(self, 'root') else '.'}: {reason}"
            ) from error
        return bytes(output).decode("utf-8", "surrogateescape")

    def _execute_with_input(self, arguments: tuple[str, ...], stdin: bytes, options: dict[str, Any]) -> Any:
        with tempfile.TemporaryFile() as file:
            file.write(stdin)
            file.seek(0)
            return self._repo.git.execute(["git", *arguments], istream=file, stdout_as_string=False, **options)

    def _succeeds(self, *arguments: str) -> bool:
        try:
            self._run(*arguments)
        except GitError:
            return False
        return True


def _open(path: Path) -> Repo:
    try:
        import git
    except ImportError as error:
        raise GitError("git was not found", "install git 2.30 or newer") from error
    if not path.exists():
        raise InputError(f"{path}: no such folder", "check the path")
    try:
        return git.Repo(path, search_parent_directories=True)
    except (git.InvalidGitRepositoryError, git.NoSuchPathError) as error:
        raise GitError(
            f"{path.resolve()}: is in no git repository", "run `git init`, or name one with --repo"
        ) from error
