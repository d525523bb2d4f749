"""Reading a repository: its revisions, their trees and files, its refs, and where it keeps things of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from esc_skills.errors import GitError
from esc_skills.git.command import Opened

#: No bank, profile folder or proposal is larger; a tree above it is a mistake or an attack.
_MAX_TREE_FILES, _MAX_TREE_BYTES = 20_000, 200_000_000
#: How paths that are no UTF-8 were decoded.
_NOT_UTF8 = re.compile("[\udc80-\udcff]")
_ID_LENGTH = 40
_COMMIT_LINE = re.compile(r"[0-9a-f]{40,64}(?: [0-9a-f]{40,64})* ?")
_REGULAR, _EXECUTABLE = 0o100644, 0o100755


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


class Revisions(Opened):
    """What a repository holds; nothing here writes to it."""

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
            GitError: See `merge_bases`; or they were merged crosswise, so that there are several.
        """
        found = self.merge_bases(base, head)
        if len(found) > 1:
            message = f"{base[:12]} and {head[:12]} were merged crosswise and went apart at {len(found)} commits"
            raise GitError(message, "rebase the proposal on the base")
        return found[0]

    def merge_bases(self, base: str, head: str) -> tuple[str, ...]:
        """Return the commits from which two revisions went apart: one, or several where they were merged crosswise.

        Raises:
            GitError: They have none in common here; in a shallow clone the message says how to get it.
        """
        try:
            return tuple(self._run("merge-base", "--all", base, head).split("\n"))
        except GitError as error:
            hint = "check the two revisions"
            if self.is_shallow():
                hint = "this clone is shallow: run `git fetch --unshallow` (in GitHub Actions: `fetch-depth: 0`)"
            raise GitError(f"{base[:12]} and {head[:12]} have no commit in common", hint) from error

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

    def ledger_commits(self, ref: str) -> tuple[LedgerCommit, ...]:
        """Return the commits of a branch of entries, the oldest first, each with what it changes."""
        raw = self._run(
            "log", "--reverse", "--topo-order", "--root", "--raw", "--no-abbrev", "--no-renames", "--no-ext-diff",
            "-m", "--first-parent", "-z", "--format=%x01%H %P%x00", ref, "--",
        )  # fmt: skip
        return tuple(_ledger_commit(part) for part in raw.split("\x01") if part)

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

    def ref_exists(self, ref: str) -> bool:
        """Whether a revision names a commit."""
        return not ref.startswith("-") and self._succeeds("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")

    def branch_exists(self, branch: str) -> bool:
        """Whether a local branch of that name exists."""
        return self._succeeds("show-ref", "--verify", "--quiet", f"refs/heads/{branch}")

    def branches(self, prefix: str) -> tuple[str, ...]:
        """Return the names of the local branches that start with a prefix ending in a slash, sorted."""
        listed = self._run("for-each-ref", "--format=%(refname)", f"refs/heads/{prefix}")
        return tuple(sorted(name.removeprefix("refs/heads/") for name in listed.split("\n") if name))

    def remotes(self) -> tuple[str, ...]:
        """Return the names of the remotes."""
        return tuple(name for name in self._run("remote").split("\n") if name)

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
