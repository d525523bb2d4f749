"""The one door to git: reading trees at a revision, and building a branch beside the user's work.

Nothing here touches the work tree, the index or the current branch.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from esc_skills.errors import GitError, InputError

if TYPE_CHECKING:
    from git import Repo

#: No bank, profile folder or proposal is larger; a tree above it is a mistake or an attack.
_MAX_TREE_FILES, _MAX_TREE_BYTES = 20_000, 200_000_000
#: How `_run` decodes the bytes of a path that is no UTF-8.
_NOT_UTF8 = re.compile("[\udc80-\udcff]")
_ID_LENGTH = 40
_COMMIT_LINE = re.compile(r"[0-9a-f]{40,64}(?: [0-9a-f]{40,64})* ?")
_REGULAR, _EXECUTABLE, _LINK, _FOLDER = 0o100644, 0o100755, 0o120000, 0o040000


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A path that differs between two revisions.

    Attributes:
        path: Relative to the repository's root.
        kind: `A` added, `M` modified, `D` deleted, `T` type changed.
        mode: The file's mode at head, such as 100644; 0 where it is deleted.
    """

    path: str
    kind: str
    mode: int


@dataclass(frozen=True, slots=True)
class LedgerCommit:
    """A commit of a branch of entries.

    Attributes:
        id: Its id.
        parents: The ids of its parents.
        added: What it changes against its first parent: path, kind and mode.
    """

    id: str
    parents: tuple[str, ...]
    added: tuple[tuple[str, str, int], ...]


class Repository:
    """A git repository, opened for one command.

    Args:
        path: Any folder inside its work tree, or a bare repository.

    Raises:
        GitError: There is none, or git is not installed.
    """

    def __init__(self, path: Path) -> None:
        # A hook's or a worktree's GIT_* would silently turn every command to another repository.
        for name in [name for name in os.environ if name.startswith("GIT_") and name not in _KEPT]:
            del os.environ[name]
        self._repo = _open(path)
        self.root = Path(self._repo.working_tree_dir or self._repo.git_dir)

    def __enter__(self) -> Repository:
        return self

    def __exit__(self, *_: object) -> None:
        self._repo.close()

    def resolve(self, revision: str) -> str:
        """Return the id of the commit that a revision names.

        Raises:
            GitError: No commit has that name; in a shallow clone the message says how to get it.
        """
        if revision.startswith("-"):
            raise GitError(f"{revision!r} is no revision", "give a branch, a tag or a commit id")
        try:
            return self._run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        except GitError as error:
            if not self.has_commits():
                raise GitError(f"{self.root}: the repository has no commit yet", "commit the bank first") from error
            hint = "check its spelling with `git branch --all`"
            if self.is_shallow():
                hint = "this clone is shallow: run `git fetch --unshallow` (in GitHub Actions: `fetch-depth: 0`)"
            raise GitError(f"{self.root}: no commit is named {revision!r}", hint) from error

    def has_commits(self) -> bool:
        """Whether HEAD names a commit."""
        return self._succeeds("rev-parse", "--verify", "--quiet", "HEAD^{commit}")

    def is_shallow(self) -> bool:
        """Whether the clone lacks a part of its history."""
        return self._run("rev-parse", "--is-shallow-repository") == "true"

    def merge_base(self, base: str, head: str) -> str:
        """Return the commit from which two revisions went apart.

        Raises:
            GitError: They have none in common here; in a shallow clone the message says how to get it.
        """
        try:
            found = self._run("merge-base", "--all", base, head).split("\n")
        except GitError as error:
            hint = "check the two revisions"
            if self.is_shallow():
                hint = "this clone is shallow: run `git fetch --unshallow` (in GitHub Actions: `fetch-depth: 0`)"
            raise GitError(f"{base[:12]} and {head[:12]} have no commit in common", hint) from error
        if len(found) > 1:
            message = f"{base[:12]} and {head[:12]} were merged crosswise and went apart at {len(found)} commits"
            raise GitError(message, "rebase the proposal on the base")
        return found[0]

    def tree_id(self, revision: str, path: str) -> str | None:
        """Return the id of the tree or blob at a path of a revision, or None where there is nothing."""
        line = self._run("ls-tree", "-z", self.resolve(revision), "--", path.rstrip("/"))
        return line.split("\t")[0].split(" ")[2] if line else None

    def read_tree(self, revision: str, folder: str, only: re.Pattern[str] | None = None) -> dict[str, bytes]:
        """Return the content of every regular file below a folder of a revision, by path relative to the folder.

        Args:
            revision: The revision.
            folder: The folder, from the root.
            only: Matches the paths that are read in full; all others are not looked at.

        Raises:
            GitError: It holds a symbolic link or a submodule, or is larger than any bank.
        """
        prefix = "" if folder in ("", ".") else folder.rstrip("/") + "/"
        lines = self._run("ls-tree", "-r", "-z", "-l", self.resolve(revision), "--", prefix or ".")
        names: dict[str, str] = {}
        total = 0
        for line in filter(None, lines.split("\0")):
            meta, path = line.split("\t", 1)
            if only and not only.fullmatch(path.removeprefix(prefix)):
                continue
            mode, _, blob, size = meta.split()
            if int(mode, 8) not in (_REGULAR, _EXECUTABLE):
                raise GitError(f"{revision[:12]}:{path}: is a link or a submodule", "replace it by a regular file")
            total += int(size)
            if path.removeprefix(prefix) in names:
                raise GitError(f"{revision[:12]}:{path}: stands in its folder twice", "write the tree again")
            names[path.removeprefix(prefix)] = blob
            if _NOT_UTF8.search(path):
                shown = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
                raise GitError(f"{revision[:12]}:{shown}: the file's name is not UTF-8", "rename it")
        if len(names) > _MAX_TREE_FILES or total > _MAX_TREE_BYTES:
            raise GitError(
                f"{revision[:12]}:{folder}: holds {len(names):,} files of {total:,} bytes", "give a smaller folder"
            )
        return self._read_blobs(names)

    def _read_blobs(self, names: Mapping[str, str]) -> dict[str, bytes]:
        return {path: self._read_blob(blob) for path, blob in names.items()}

    def _read_blob(self, blob: str) -> bytes:
        if len(blob) != _ID_LENGTH:
            raise GitError(f"{self.root}: its ids are SHA-256, which GitPython cannot read", "use one with SHA-1 ids")
        return bytes(self._repo.odb.stream(bytes.fromhex(blob)).read())

    def read_file(self, revision: str, path: str) -> bytes | None:
        """Return the content of one file of a revision, or None where there is none."""
        blob = self.tree_id(revision, path)
        if blob is None:
            return None
        return self._read_blob(blob)

    def changed_files(self, base: str, head: str) -> tuple[ChangedFile, ...]:
        """Return what differs between two commits, renames taken apart."""
        raw = self._run(
            "diff-tree", "-r", "-z", "--no-renames", "--no-ext-diff", "--ignore-submodules=none", "--raw", base, head
        )
        fields = raw.split("\0")
        return tuple(
            ChangedFile(path, meta.split()[4][0], int(meta.split()[1], 8))
            for meta, path in zip(fields[0::2], fields[1::2], strict=False)
            if path
        )

    def branch_exists(self, branch: str) -> bool:
        """Whether a local branch of that name exists."""
        return self._succeeds("show-ref", "--verify", "--quiet", f"refs/heads/{branch}")

    def branches(self, prefix: str) -> tuple[str, ...]:
        """Return the names of the local branches that start with a prefix ending in a slash, sorted."""
        listed = self._run("for-each-ref", "--format=%(refname)", f"refs/heads/{prefix}")
        return tuple(sorted(name.removeprefix("refs/heads/") for name in listed.split("\n") if name))

    @property
    def private_folder(self) -> Path:
        """A folder of ours inside the git directory, which no work tree, commit or push ever shows."""
        return Path(self._repo.common_dir) / "esc-skills"

    @property
    def hooks_folder(self) -> Path:
        """The folder that git runs this repository's hooks from, which settings may have moved anywhere."""
        return (self.root / self._run("rev-parse", "--git-path", "hooks")).resolve()

    @property
    def is_bare(self) -> bool:
        """Whether it is bare, or a work tree that was added to a bare one; such a clone keeps a remote's branches as its own."""
        return self._run("config", "--type=bool", "--default", "false", "--get", "core.bare") == "true"

    def ref_exists(self, ref: str) -> bool:
        """Whether a revision names a commit."""
        return not ref.startswith("-") and self._succeeds("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")

    def remotes(self) -> tuple[str, ...]:
        """Return the names of the remotes."""
        return tuple(name for name in self._run("remote").split("\n") if name)

    def fetch_branch(self, remote: str, branch: str) -> str | None:
        """Fetch a branch of a remote and return its remote-tracking ref; None where the remote has no such branch.

        Raises:
            GitError: The remote cannot be reached.
        """
        listed = self._run("ls-remote", "--heads", "--", remote, f"refs/heads/{branch}")
        if not listed.strip():
            return None
        ref = f"refs/remotes/{remote}/{branch}"
        # Forced, so that a rewritten branch is seen as it is rather than as it was.
        self._run("fetch", "--quiet", "--no-tags", remote, f"+refs/heads/{branch}:{ref}")
        return ref

    def ledger_commits(self, ref: str) -> tuple[LedgerCommit, ...]:
        """Return the commits of a branch of entries, the oldest first, each with what it changes."""
        raw = self._run(
            "log", "--reverse", "--topo-order", "--root", "--raw", "--no-abbrev", "--no-renames", "--no-ext-diff",
            "-m", "--first-parent", "-z", "--format=%x01%H %P%x00", ref, "--",
        )  # fmt: skip
        return tuple(_ledger_commit(part) for part in raw.split("\x01") if part)

    def append_commits(
        self,
        branch: str,
        remote: str | None,
        head: str | None,
        steps: Sequence[Mapping[str, bytes]],
        message: str,
        at_remote: str | None = None,
    ) -> None:
        """Append commits to a branch, at the remote where there is one, and only where nobody did in between.

        Args:
            branch: The branch's name.
            remote: The remote that it is pushed to; None for a branch of this repository alone.
            head: The commit that it ended in when it was read; None where it did not exist.
            steps: New files by path, of one commit each.
            message: The commits' message.
            at_remote: The commit that the remote's branch ended in; None where it had none.

        Raises:
            GitError: Somebody else appended in between, or the remote cannot be reached; nothing is changed.
        """
        preview = f"refs/esc/append/{os.getpid()}"
        try:
            parent = head
            for files in steps:
                self._run(
                    "fast-import", "--quiet", "--force", "--done",
                    stdin=_fast_import(preview, parent, files, message, self._author()),
                )  # fmt: skip
                parent = self.resolve(preview)
            self._move(branch, remote, head if remote is None else at_remote, str(parent))
        finally:
            self._succeeds("update-ref", "-d", preview)

    def _move(self, branch: str, remote: str | None, head: str | None, new: str) -> None:
        try:
            if remote is None:
                self._run("update-ref", f"refs/heads/{branch}", new, head or "0" * len(new))
            else:
                # With a lease, so that a branch which was made or moved in between is left as it is.
                lease = f"--force-with-lease=refs/heads/{branch}:{head or ''}"
                self._run("push", "--quiet", lease, remote, f"{new}:refs/heads/{branch}")
        except GitError as error:
            raise GitError(
                f"the branch {branch} could not be appended to: {error.message}",
                "if somebody else appended in between, give the same command again, with --resume where models play",
            ) from error

    def commit_branch(self, branch: str, parent: str, files: Mapping[str, bytes | None], message: str) -> str:
        """Make a branch with one commit on top of `parent`, beside whatever is checked out.

        Args:
            branch: The new branch's name.
            parent: The commit that it starts from.
            files: New content by path from the root; None deletes the file.
            message: The commit message.

        Returns:
            The id of the new commit.

        Raises:
            GitError: The branch exists, no author is configured, or git refused; nothing is left behind.
        """
        if branch.startswith("-"):  # fast-import takes it, and no git command could name it afterwards
            raise GitError(f"{branch!r} is no name for a branch", "start it with a letter")
        if self.branch_exists(branch):
            raise GitError(
                f"the branch {branch} exists already", f"look at it, or delete it with `git branch -D {branch}`"
            )
        stream = _fast_import(f"refs/heads/{branch}", parent, files, message, self._author())
        self._run("fast-import", "--quiet", "--done", stdin=stream)
        return self.resolve(f"refs/heads/{branch}")

    def keep_blob(self, ref: str, data: bytes) -> None:
        """Store bytes under a ref of their own, beside all branches, where a fetch of branches does not carry them along."""
        blob = self._run("hash-object", "-w", "--stdin", stdin=data)
        self._run("update-ref", ref, blob)

    def read_kept(self, ref: str) -> bytes | None:
        """Return the bytes under a ref of `keep_blob`; None where this clone has no such ref.

        Raises:
            GitError: The ref holds something else, or more than any proposal may.
        """
        if not self._succeeds("rev-parse", "--verify", "--quiet", "--end-of-options", ref):
            return None
        if self._run("cat-file", "-t", ref) != "blob" or int(self._run("cat-file", "-s", ref)) > _MAX_TREE_BYTES:
            raise GitError(f"{ref}: holds something else than recorded calls")
        return self._read_blob(self._run("rev-parse", "--verify", "--end-of-options", ref))

    def add_to_branch(self, branch: str, head: str, files: Mapping[str, bytes], message: str) -> None:
        """Add a commit with some files to a local branch that is not checked out.

        Raises:
            InputError: It is checked out, here or in another work tree, or there is no such local branch.
            GitError: It moved in between, or git refused.
        """
        if not self.branch_exists(branch):
            raise InputError(f"{branch}: is no local branch", f"make one: git branch {branch} REV")
        if f"branch refs/heads/{branch}" in self._run("worktree", "list", "--porcelain").split("\n"):
            raise InputError(f"{branch}: is checked out", "switch to another branch first")
        self.append_commits(branch, None, head, [files], message)

    def tree_after(self, parent: str, files: Mapping[str, bytes | None], folder: str) -> str:
        """Return the id that a folder's tree would have after a change, without leaving a branch.

        Raises:
            GitError: The change leaves nothing in the folder.
        """
        ref = f"refs/esc/preview/{os.getpid()}"
        try:
            self._run(
                "fast-import", "--quiet", "--done", stdin=_fast_import(ref, parent, files, "preview", self._author())
            )
            tree = self.tree_id(ref, folder)
        finally:
            self._succeeds("update-ref", "-d", ref)
        if tree is None:
            raise GitError(f"{folder}: the change leaves nothing in it")
        return tree

    def _author(self) -> str:
        try:
            return self._run("var", "GIT_COMMITTER_IDENT")
        except GitError as error:
            hint = "run `git config user.name NAME` and `git config user.email ADDRESS`"
            raise GitError("git does not know who commits", hint) from error

    def _succeeds(self, *arguments: str) -> bool:
        try:
            self._run(*arguments)
        except GitError:
            return False
        return True

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
        import tempfile

        with tempfile.TemporaryFile() as file:
            file.write(stdin)
            file.seek(0)
            return self._repo.git.execute(["git", *arguments], istream=file, stdout_as_string=False, **options)


def create_repository(path: Path, files: Mapping[str, bytes], message: str) -> None:
    """Make a repository with one commit on `main`, checked out, by an author of its own.

    Args:
        path: A new or empty folder.
        files: Content by path from the root.
        message: The commit message.
    """
    import git

    for name, content in files.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    with git.Repo.init(path, initial_branch="main") as repo:
        repo.git.config("user.name", "esc-skills demo")
        repo.git.config("user.email", "demo@localhost")
        repo.git.config("commit.gpgsign", "false")
        repo.git.add("--all")
        repo.git.commit("--quiet", "--no-verify", "--message", message)


#: Who commits may be told by the environment, and tests keep the home's settings out by it.
_KEPT = {
    *(f"GIT_{who}_{what}" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL", "DATE")),
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CEILING_DIRECTORIES",
}


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


def _ledger_commit(part: str) -> LedgerCommit:
    head, _, rest = part.partition("\0")
    if not _COMMIT_LINE.fullmatch(head):  # a path that holds what parts the commits
        return LedgerCommit(head, (), ())
    commit, *parents = head.split()
    fields = [each for each in (field.lstrip("\n") for field in rest.split("\0")) if each]
    added = tuple(
        (path, meta.split()[4][0], int(meta.split()[1], 8))
        for meta, path in zip(fields[0::2], fields[1::2], strict=False)
        if meta.startswith(":")
    )
    return LedgerCommit(commit, tuple(parents), added)


def _fast_import(ref: str, parent: str | None, files: Mapping[str, bytes | None], message: str, author: str) -> bytes:
    """Return a fast-import stream: the whole branch in one process, without an index."""
    text = message.encode()
    start = f"\nfrom {parent}\n" if parent else "\n"
    parts = [f"commit {ref}\ncommitter {author}\ndata {len(text)}\n".encode(), text, start.encode()]
    for path in sorted(files):
        content = files[path]
        quoted = '"' + path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
        if content is None:
            parts.append(f"D {quoted}\n".encode())
        else:
            parts += [f"M 100644 inline {quoted}\ndata {len(content)}\n".encode(), content, b"\n"]
    return b"".join([*parts, b"\ndone\n"])
