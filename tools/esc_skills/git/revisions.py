"""Reading a repository: its revisions, their trees and files, its refs, and where it keeps things of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from esc_skills.errors import GitError
from esc_skills.git.command import CommandError
from esc_skills.git.objects import EXECUTABLE, REGULAR, TREE, Entry, MalformedObjectError, MissingObjectError
from esc_skills.git.store import MAX_OBJECT_BYTES, ChangedFile, Objects

#: No bank, profile folder or proposal is larger; a tree above it is a mistake or an attack.
_MAX_TREE_FILES = 20_000
#: How paths that are no UTF-8 were decoded.
_NOT_UTF8 = re.compile("[\udc80-\udcff]")
_FULL_ID, _SHORT_ID = re.compile("[0-9a-f]{40}|[0-9a-f]{64}"), re.compile("[0-9a-f]{4,63}")
#: A name, and the steps back from the commit that it names.
_REVISION = re.compile(r"(?P<name>[^~^:\s]+)(?P<steps>(?:~[0-9]*|\^[0-9]*)*)")
_STEP = re.compile(r"([~^])([0-9]*)")
#: What git itself keeps at the top of the git directory.
_PSEUDO_REFS = ("HEAD", "FETCH_HEAD", "ORIG_HEAD", "MERGE_HEAD")
_PLACES = ("refs/heads/", "refs/tags/", "refs/remotes/")
#: A longer history is a mistake or an attack.
_MAX_STEPS, _MAX_COMMITS = 10_000, 1_000_000


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


class Revisions(Objects):
    """What a repository holds; nothing here writes to it."""

    def resolve(self, revision: str) -> str:
        """Return the id of the commit that a revision names.

        A full ref and a full id mean themselves. A short name is a branch, a tag or a remote's branch, and an error where it
        is several of them: git would take the tag, and whoever may push tags would choose what is judged. Where it is none of
        them, it is that branch of `origin`.

        Args:
            revision: A name or an id, with or without steps back such as `~1`.

        Raises:
            GitError: No commit has that name, or several have; in a shallow clone the message says how to get it.
        """
        if revision.startswith("-"):
            raise GitError(f"{revision!r} is no revision", "give a branch, a tag or a commit id")
        mark = _REVISION.fullmatch(revision)
        commit = self._commit_of(mark["name"]) if mark else None
        commit = self._step_back(commit, mark["steps"]) if commit and mark else None
        if commit is None:
            raise self._unknown(revision)
        return commit

    def _commit_of(self, name: str) -> str | None:
        if _FULL_ID.fullmatch(name):
            try:
                return self.peel(name)
            except MissingObjectError:
                return None
        if ref := self.full_ref(name):
            return self.peel(self._refs_named(name)[ref])
        if _SHORT_ID.fullmatch(name):
            try:
                return self.peel(self._git.run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"))
            except CommandError:
                return None
        return self._remote_s(name)

    def _remote_s(self, name: str) -> str | None:
        """Return the commit of a branch that this clone has from `origin` alone, as after a fetch of somebody's proposal."""
        ref = f"refs/remotes/origin/{name}"
        found = {} if any(mark in name for mark in "*?[\\") else self._refs(ref)
        return self.peel(found[ref]) if ref in found else None

    def full_ref(self, name: str) -> str | None:
        """Return the full name of the ref that a name means; None where there is none.

        Raises:
            GitError: It means several.
        """
        refs = sorted(self._refs_named(name))
        if len(refs) > 1:
            raise GitError(f"{self.root}: {name!r} names {' and '.join(refs)}", f"name one in full, such as {refs[0]}")
        return refs[0] if refs else None

    def _refs_named(self, name: str) -> dict[str, str]:
        """Return the refs that a name may mean, with the ids of their objects."""
        wanted = {name} if name.startswith("refs/") else {f"{place}{name}" for place in _PLACES}
        found = self._refs(*(each for each in wanted if not any(mark in each for mark in "*?[\\")))
        if name in _PSEUDO_REFS:
            with suppress(CommandError):
                found[name] = self._git.run("rev-parse", "--verify", "--quiet", name)
        return {ref: at for ref, at in found.items() if ref in wanted or ref == name}

    def _refs(self, *patterns: str) -> dict[str, str]:
        if not patterns:
            return {}
        listed = self._git.run("for-each-ref", "--format=%(objectname) %(refname)", *patterns)
        return {ref: at for at, _, ref in (line.partition(" ") for line in listed.split("\n") if line)}

    def _step_back(self, commit: str, steps: str) -> str | None:
        for sign, number in _STEP.findall(steps):
            count = int(number[:6]) if number else 1
            for parent in [0] * count if sign == "~" else [count - 1] * (count > 0):
                parents = self.read_commit(commit).parents
                if parent >= len(parents):
                    return None
                commit = parents[parent]
        return commit

    def _unknown(self, revision: str) -> GitError:
        if not self.has_commits():
            return GitError(f"{self.root}: the repository has no commit yet", "commit the bank first")
        hint = "check its spelling with `git branch --all`"
        if self.is_shallow():
            hint = "this clone is shallow: run `git fetch --unshallow` (in GitHub Actions: `fetch-depth: 0`)"
        return GitError(f"{self.root}: no commit is named {revision!r}", hint)

    def has_commits(self) -> bool:
        """Whether HEAD names a commit."""
        return self._git.succeeds("rev-parse", "--verify", "--quiet", "HEAD")

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

        Args:
            base: The id of a commit.
            head: The id of another one.

        Raises:
            GitError: They have none in common here; in a shallow clone the message says how to get it.
        """
        try:
            return tuple(self._git.run("merge-base", "--all", base, head).split("\n"))
        except CommandError as error:
            if error.status != 1:  # a commit of the history is missing or damaged
                raise
            hint = "check the two revisions"
            if self.is_shallow():
                hint = "this clone is shallow: run `git fetch --unshallow` (in GitHub Actions: `fetch-depth: 0`)"
            raise GitError(f"{base[:12]} and {head[:12]} have no commit in common", hint) from error

    def tree_of(self, revision: str) -> str:
        """Return the id of a revision's whole tree."""
        return self.read_commit(self.resolve(revision)).tree

    def entry(self, revision: str, path: str) -> Entry | None:
        """Return the entry at a path of a revision; None where there is nothing."""
        return self.entry_at(self.tree_of(revision), path.rstrip("/"))

    def tree_id(self, revision: str, path: str) -> str | None:
        """Return the id of the tree or blob at a path of a revision, or None where there is nothing."""
        entry = self.entry(revision, path)
        return entry.id if entry else None

    def read_tree(self, revision: str, folder: str, only: re.Pattern[str] | None = None) -> dict[str, bytes]:
        """Return the content of every regular file below a folder of a revision, by path relative to the folder.

        Args:
            revision: The revision.
            folder: The folder, from the root.
            only: Matches the paths that are read in full; all others are not looked at.

        Raises:
            GitError: It holds a symbolic link or a submodule, or is larger than any bank.
        """
        tree = self.tree_of(revision)
        if folder not in ("", "."):
            entry = self.entry_at(tree, folder.rstrip("/"))
            if entry is None:
                return {}
            if entry.mode != TREE:
                raise GitError(f"{revision[:12]}:{folder}: is no folder", "replace it by a folder of regular files")
            tree = entry.id
        return self.read_files(self.files_below(tree), f"{revision[:12]}:{folder}", only)

    def read_files(
        self, files: Iterator[tuple[str, Entry]], shown: str, only: re.Pattern[str] | None = None
    ) -> dict[str, bytes]:
        """Return the content of some regular files by path.

        Args:
            files: Their entries by path.
            shown: What they lie in, for messages.
            only: Matches the paths that are read in full; all others are not looked at.

        Raises:
            GitError: One is a link or a submodule, or has a name that is no UTF-8, or they are more than any bank.
        """
        found: dict[str, bytes] = {}
        total = 0
        for path, entry in files:
            if only and not only.fullmatch(path):
                continue
            name = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
            place = f"{shown}/{name}" if not shown.endswith((":", ".")) else f"{shown.removesuffix('.')}{name}"
            if entry.mode not in (REGULAR, EXECUTABLE):
                raise GitError(f"{place}: is a link or a submodule", "replace it by a regular file")
            if _NOT_UTF8.search(path):
                raise GitError(f"{place}: the file's name is not UTF-8", "rename it")
            found[path] = self.read_object(entry.id, "blob", MAX_OBJECT_BYTES)
            total += len(found[path])
            if len(found) > _MAX_TREE_FILES or total > MAX_OBJECT_BYTES:
                found_here = f"{shown}: holds more than {len(found) - 1:,} files or {MAX_OBJECT_BYTES:,} bytes"
                raise GitError(found_here, "give a smaller folder")
        return found

    def read_file(self, revision: str, path: str) -> bytes | None:
        """Return the content of one regular file of a revision, or None where there is nothing.

        Raises:
            GitError: It is a link, a folder or a submodule.
        """
        entry = self.entry(revision, path)
        if entry is None:
            return None
        if entry.mode not in (REGULAR, EXECUTABLE):
            raise GitError(f"{revision[:12]}:{path}: is no regular file", "replace it by one")
        return self.read_object(entry.id, "blob")

    def changed_files(self, base: str, head: str) -> tuple[ChangedFile, ...]:
        """Return what differs between two commits, renames split."""
        return tuple(self.changes(self.tree_of(base), self.tree_of(head)))

    def first_parents(self, commit: str, until: str | None = None) -> Iterator[str]:
        """Yield a commit and its first parents, up to the one before `until` or to the start of history."""
        following: str | None = commit
        for _ in range(_MAX_COMMITS):
            if following is None or following == until:
                return
            yield following
            parents = self.read_commit(following).parents
            following = parents[0] if parents else None

    def commits_between(self, base: str, head: str) -> Iterator[str]:
        """Yield the commits that a head has and a base has not, by their ids.

        Args:
            base: The id of a commit.
            head: The id of another one.
        """
        listed = self._git.run("rev-list", head, f"^{base}", "--")
        yield from filter(None, listed.split("\n"))

    def ledger_commits(self, ref: str) -> tuple[LedgerCommit, ...]:
        """Return the commits of a branch of entries, the oldest first, each with what it changes."""
        commits = [self.read_commit(each) for each in self.first_parents(self.resolve(ref))][::-1]
        trees = [None, *(commit.tree for commit in commits)]
        return tuple(
            LedgerCommit(
                commit.id,
                commit.parents,
                tuple((each.path, each.kind, each.mode) for each in self.changes(before, commit.tree)),
            )
            for before, commit in zip(trees, commits, strict=False)
        )

    def read_kept(self, ref: str) -> bytes | None:
        """Return the bytes under a ref of `keep_blob`; None where this clone has no such ref.

        Raises:
            GitError: The ref holds something else, or more than any proposal may.
        """
        found = self._refs(ref).get(ref)
        if found is None:
            return None
        try:
            return self.read_object(found, "blob")
        except MalformedObjectError as error:
            raise GitError(f"{ref}: holds something else than recorded calls ({error.message})", error.hint) from error

    def ref_exists(self, ref: str) -> bool:
        """Whether a full ref exists."""
        return ref in self._refs(ref)

    def branch_exists(self, branch: str) -> bool:
        """Whether a local branch of that name exists."""
        return self.ref_exists(f"refs/heads/{branch}")

    def attributes(self, path: str, *names: str) -> dict[str, str]:
        """Return what `.gitattributes` and settings say of a file of the work tree, by attribute."""
        fields = self._git.run("check-attr", "-z", *names, "--", path).split("\0")
        return dict(zip(fields[1::3], fields[2::3], strict=False))

    def setting(self, name: str) -> str | None:
        """Return a setting of git; None where it is not set."""
        try:
            return self._git.run("config", "--get", name)
        except CommandError:
            return None

    def symbolic_target(self, ref: str) -> str | None:
        """Return the ref that a symbolic ref stands for; None where it is none."""
        try:
            return self._git.run("symbolic-ref", "--quiet", ref)
        except CommandError:
            return None

    def branches(self, prefix: str) -> tuple[str, ...]:
        """Return the names of the local branches that start with a prefix ending in a slash, sorted."""
        return tuple(sorted(ref.removeprefix("refs/heads/") for ref in self._refs(f"refs/heads/{prefix}")))

    def remotes(self) -> tuple[str, ...]:
        """Return the names of the remotes."""
        return tuple(name for name in self._git.run("remote").split("\n") if name)

    def tracking_ref(self, remote: str, branch: str) -> str:
        """Return the ref under which this clone keeps a remote's branch, by the remote's settings.

        A mirror keeps it under its own name, and so does a bare clone, which fetches nothing by itself.
        """
        try:
            specs = self._git.run("config", "--get-all", f"remote.{remote}.fetch").split("\n")
        except CommandError:
            specs = []
        for spec in specs:
            source, _, target = spec.removeprefix("+").partition(":")
            start, star, _ = source.partition("*")
            if target and f"refs/heads/{branch}".startswith(start) and star:
                return target.replace("*", f"refs/heads/{branch}".removeprefix(start))
            if target and source == f"refs/heads/{branch}":
                return target
        return f"refs/heads/{branch}" if self.is_bare else f"refs/remotes/{remote}/{branch}"

    def is_checked_out(self, branch: str) -> bool:
        """Whether a branch is checked out, here or in another work tree."""
        listed = self._git.run("worktree", "list", "--porcelain").split("\n")
        return f"branch refs/heads/{branch}" in listed

    @property
    def private_folder(self) -> Path:
        """A folder of ours inside the git directory, which no work tree, commit or push ever shows."""
        return self.common / "esc-skills"

    @property
    def hooks_folder(self) -> Path:
        """The folder that git runs this repository's hooks from, which settings may have moved anywhere."""
        return (self.root / self._git.run("rev-parse", "--git-path", "hooks")).resolve()

    @property
    def is_bare(self) -> bool:
        """Whether it is bare, or a work tree that was added to a bare one."""
        return self._git.run("config", "--type=bool", "--default", "false", "--get", "core.bare") == "true"
