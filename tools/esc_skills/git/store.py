"""The objects of a repository, read as they are stored and checked against their ids."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from esc_skills.git.command import Opened
from esc_skills.git.objects import (
    EXECUTABLE,
    REGULAR,
    TREE,
    Commit,
    Entry,
    MalformedObjectError,
    MissingObjectError,
    object_id,
    parse_commit,
    parse_tree,
    tagged,
    tree_content,
)

#: No bank, profile folder or record of a proposal is larger; an object above it is a mistake or an attack.
MAX_OBJECT_BYTES = 200_000_000
#: A tag of a tag of a tag is a mistake or an attack.
_MAX_TAGS = 5
#: No real change has more files, and no real tree more levels.
_MAX_CHANGES, _MAX_DEPTH = 100_000, 100
#: How many trees are kept parsed.
_KEPT = 2_000


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A path at which two trees differ.

    Attributes:
        path: Relative to the repository's root.
        before: What stood there, such as a regular file; None for nothing.
        after: What stands there; None for nothing.
    """

    path: str
    before: Entry | None
    after: Entry | None

    @property
    def kind(self) -> str:
        """`A` added, `M` modified, `D` deleted, `T` another type of file."""
        if self.before is None or self.after is None:
            return "D" if self.before else "A"
        regular = (REGULAR, EXECUTABLE)
        same = self.before.mode == self.after.mode or {self.before.mode, self.after.mode} <= {*regular}
        return "M" if same else "T"

    @property
    def mode(self) -> int:
        """The file's mode now, such as 100644; 0 where it is deleted."""
        return self.after.mode if self.after else 0


class Objects(Opened):
    """The objects of a repository. Nothing that git may be told, by refs, files or settings, changes what they say."""

    def __init__(self, path: Path, quarantine: Mapping[str, str] | None = None) -> None:
        super().__init__(path, quarantine)
        self._process: subprocess.Popen[bytes] | None = None
        self._trees: dict[str, Mapping[str, Entry]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def read_object(self, name: str, kind: str, limit: int = MAX_OBJECT_BYTES) -> bytes:
        """Return the content of an object.

        Args:
            name: Its full id.
            kind: `blob`, `tree`, `commit` or `tag`.
            limit: The most bytes that are read.

        Raises:
            MalformedObjectError: It is missing, damaged, another kind of object, or larger.
        """
        found, size = self._ask(name)
        if found != kind:
            self._stop()
            raise MalformedObjectError(f"{self.root}: the object {name[:12]} is a {found} and no {kind}")
        if size > limit:
            self._stop()
            raise MalformedObjectError(f"{self.root}: the {kind} {name[:12]} has {size:,} bytes")
        return self._checked(name, kind, size)

    def read_commit(self, name: str) -> Commit:
        """Return the commit with an id."""
        return parse_commit(self.read_object(name, "commit"), name)

    def entries_of(self, tree: str) -> Mapping[str, Entry]:
        """Return the entries of a tree by name."""
        if tree not in self._trees:
            if len(self._trees) >= _KEPT:
                self._trees.clear()
            self._trees[tree] = parse_tree(self.read_object(tree, "tree"), tree)
        return self._trees[tree]

    def is_shallow(self) -> bool:
        """Whether the clone lacks a part of its history."""
        return self._git.run("rev-parse", "--is-shallow-repository") == "true"

    def peel(self, name: str) -> str | None:
        """Return the id of the commit that an object is, or that a tag names; None where that is no commit.

        Raises:
            MalformedObjectError: It is missing or damaged.
        """
        for _ in range(_MAX_TAGS):
            kind, size = self._ask(name)
            if kind not in ("commit", "tag") or size > MAX_OBJECT_BYTES:
                self._stop()
                return None
            data = self._checked(name, kind, size)
            if kind == "commit":
                return name
            name = tagged(data, name)
        return None

    def entry_at(self, tree: str, path: str) -> Entry | None:
        """Return the entry at a path of a tree, from its root; None where there is nothing."""
        found = Entry(TREE, tree)
        for part in path.split("/"):
            if found.mode != TREE:
                return None
            entry = self.entries_of(found.id).get(part)
            if entry is None:
                return None
            found = entry
        return found

    def files_below(self, tree: str, folder: str = "", depth: int = 0) -> Iterator[tuple[str, Entry]]:
        """Yield everything below a tree that is no folder, by path, in git's order."""
        if depth > _MAX_DEPTH:
            raise MalformedObjectError(f"{self.root}: folders are nested deeper than {_MAX_DEPTH} levels")
        for name, entry in self.entries_of(tree).items():
            path = f"{folder}{name}"
            if entry.mode == TREE:
                yield from self.files_below(entry.id, f"{path}/", depth + 1)
            else:
                yield path, entry

    def changes(self, old: str | None, new: str | None) -> Iterator[ChangedFile]:
        """Yield every path below two trees at which they differ, renames split, in git's order.

        Args:
            old: A tree's id; None for an empty one.
            new: The same.

        Raises:
            MalformedObjectError: They differ at more paths, or are nested deeper, than any real change.
        """
        for number, file in enumerate(self._changes(old, new, "", 0)):
            if number >= _MAX_CHANGES:
                raise MalformedObjectError(
                    f"{self.root}: a change of more than {_MAX_CHANGES:,} files is not looked through"
                )
            yield file

    def _changes(self, old: str | None, new: str | None, folder: str, depth: int) -> Iterator[ChangedFile]:
        if old == new:
            return
        if depth > _MAX_DEPTH:
            raise MalformedObjectError(f"{self.root}: folders are nested deeper than {_MAX_DEPTH} levels")
        before, after = (self.entries_of(tree) if tree else {} for tree in (old, new))
        for name in sorted({*before, *after}, key=lambda name: name.encode("utf-8", "surrogateescape")):
            one, other, path = before.get(name), after.get(name), f"{folder}{name}"
            if one == other:
                continue
            old_file, new_file = (entry if entry and entry.mode != TREE else None for entry in (one, other))
            old_tree, new_tree = (entry.id if entry and entry.mode == TREE else None for entry in (one, other))
            if old_file or new_file:
                yield ChangedFile(path, old_file, new_file)
            yield from self._changes(old_tree, new_tree, f"{path}/", depth + 1)

    def tree_with(self, tree: str | None, files: Mapping[str, Entry | None]) -> str | None:
        """Return the id that a tree would have with other entries at some paths; nothing is written.

        Args:
            tree: The tree; None for an empty one.
            files: What would stand at each path; None for nothing.

        Returns:
            None where nothing is left in it.
        """
        return self._tree_with(tree, {tuple(path.split("/")): entry for path, entry in files.items()})

    def _tree_with(self, tree: str | None, files: Mapping[tuple[str, ...], Entry | None]) -> str | None:
        entries = dict(self.entries_of(tree)) if tree else {}
        below: dict[str, dict[tuple[str, ...], Entry | None]] = {}
        for (name, *rest), entry in files.items():
            if rest:
                below.setdefault(name, {})[tuple(rest)] = entry
            elif entry is None:
                entries.pop(name, None)
            else:
                entries[name] = entry
        for name, inside in below.items():
            before = entries.pop(name, None)
            made = self._tree_with(before.id if before and before.mode == TREE else None, inside)
            if made:
                entries[name] = Entry(TREE, made)
            elif before and before.mode != TREE:
                entries[name] = before
        return object_id("tree", tree_content(entries), self._id_length) if entries else None

    @cached_property
    def _id_length(self) -> int:
        return 64 if self._git.run("rev-parse", "--show-object-format") == "sha256" else 40

    def blob_id(self, data: bytes) -> str:
        """Return the id that a file's content has in this repository."""
        return object_id("blob", data, self._id_length)

    def _ask(self, name: str) -> tuple[str, int]:
        process = self._process = self._process or self._git.start("cat-file", "--batch")
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(name.encode() + b"\n")
            process.stdin.flush()
            head = process.stdout.readline().split()
        except BrokenPipeError:
            head = []
        if len(head) != 3 or head[0] != name.encode():
            raise self._unreadable(name, missing=head[1:] == [b"missing"])
        return head[1].decode(), int(head[2])

    def _checked(self, name: str, kind: str, size: int) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        data = self._process.stdout.read(size + 1)
        if len(data) != size + 1:
            raise self._unreadable(name, missing=False)
        if object_id(kind, data[:-1], len(name)) != name:
            raise MalformedObjectError(f"{self.root}: the {kind} {name[:12]} is damaged: its content has another id")
        return data[:-1]

    def _unreadable(self, name: str, *, missing: bool) -> MalformedObjectError:
        said = "" if missing else self._stop()
        if missing or "could not fetch" in said:  # of a partial clone, which git would fill up on its own
            hint = "run `git fetch --unshallow`" if self.is_shallow() else "fetch it, or ask whose clone holds it"
            return MissingObjectError(f"{self.root}: the object {name[:12]} is missing in this clone", hint)
        reason = f": {said}" if said else ""
        return MalformedObjectError(f"{self.root}: the object {name[:12]} cannot be read{reason}")

    def _stop(self) -> str:
        """End the reading process, whose next answer nobody wants, and return what it complained of."""
        if self._process is None:
            return ""
        self._process.kill()
        _, said = self._process.communicate()
        self._process = None
        return " ".join(said.decode("utf-8", "replace").split())[:300]
