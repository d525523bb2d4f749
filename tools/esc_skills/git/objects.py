"""Git's objects as values: parsed strictly, and named by nothing but their bytes.

What git itself would print of an object depends on replace refs, grafts, attributes and settings. Here an object is its bytes, its
id is their digest, and an object that no git would have written is refused with what is wrong about it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from esc_skills.errors import GitError

TREE, REGULAR, EXECUTABLE, LINK, SUBMODULE = 0o040000, 0o100644, 0o100755, 0o120000, 0o160000
#: Git before 2006 wrote 100664, which still lies in old histories and means 100644.
_MODES = {
    b"40000": TREE,
    b"100644": REGULAR,
    b"100664": REGULAR,
    b"100755": EXECUTABLE,
    b"120000": LINK,
    b"160000": SUBMODULE,
}
_COMMIT = re.compile(rb"tree ([0-9a-f]{40,64})\n((?:parent [0-9a-f]{40,64}\n)*)author ")
_TAG = re.compile(rb"object ([0-9a-f]{40,64})\ntype [a-z]+\ntag ")
#: The length of an id in hexadecimal digits, and what digests it.
_ALGORITHMS = {40: hashlib.sha1, 64: hashlib.sha256}


class MalformedObjectError(GitError):
    """An object is missing, damaged, or not what git writes; the message names it."""


class MissingObjectError(MalformedObjectError):
    """A clone lacks an object that another one may hold."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a tree.

    Attributes:
        mode: Such as `REGULAR`.
        id: The id of what it names.
    """

    mode: int
    id: str


@dataclass(frozen=True, slots=True)
class Commit:
    """What a commit says of history.

    Attributes:
        id: Its id.
        tree: The id of its tree.
        parents: The ids of its parents.
    """

    id: str
    tree: str
    parents: tuple[str, ...]


def object_id(kind: str, data: bytes, length: int) -> str:
    """Return the id that git gives to an object.

    Args:
        kind: `blob`, `tree`, `commit` or `tag`.
        data: Its content.
        length: How many hexadecimal digits ids have in the repository, 40 or 64.
    """
    return _ALGORITHMS[length](b"%s %d\0" % (kind.encode(), len(data)) + data).hexdigest()


def parse_tree(data: bytes, name: str) -> dict[str, Entry]:
    """Return the entries of a tree by name, in git's order; a name that is no UTF-8 holds surrogates for its bytes.

    Args:
        data: The object's content.
        name: The tree's id, for messages; its length tells how long the ids in it are.

    Raises:
        MalformedObjectError: It is not written as git writes trees.
    """
    entries: dict[str, Entry] = {}
    size, at, before = len(name) // 2, 0, b""
    while at < len(data):
        end = data.find(b"\0", at)
        mode, _, raw = data[at:end].partition(b" ")
        found = data[end + 1 : end + 1 + size]
        if end < 0 or mode not in _MODES or len(found) != size:
            raise MalformedObjectError(f"the tree {name[:12]} is damaged at byte {at:,}")
        shown = raw.decode("utf-8", "backslashreplace")
        if not raw or b"/" in raw or raw.lower() in (b".", b"..", b".git"):
            raise MalformedObjectError(f"the tree {name[:12]} holds the name {shown!r}, which git never writes")
        key, path = _sorting(raw, _MODES[mode]), raw.decode("utf-8", "surrogateescape")
        if path in entries:
            raise MalformedObjectError(f"the tree {name[:12]} holds the name {shown!r} twice")
        if key <= before:
            raise MalformedObjectError(f"the entries of the tree {name[:12]} are not sorted at {shown!r}")
        entries[path] = Entry(_MODES[mode], found.hex())
        at, before = end + 1 + size, key
    return entries


def parse_commit(data: bytes, name: str) -> Commit:
    """Return what a commit says.

    Raises:
        MalformedObjectError: It is not written as git writes commits.
    """
    mark = _COMMIT.match(data)
    if mark is None:
        raise MalformedObjectError(f"the commit {name[:12]} is damaged: it does not start with its tree and parents")
    parents = tuple(line.split()[1].decode() for line in mark[2].splitlines())
    found = Commit(name, mark[1].decode(), parents)
    if {len(each) for each in (found.tree, *parents)} != {len(name)}:
        raise MalformedObjectError(f"the commit {name[:12]} names objects by ids of another length")
    return found


def tagged(data: bytes, name: str) -> str:
    """Return the id that an annotated tag names.

    Raises:
        MalformedObjectError: It is not written as git writes tags.
    """
    mark = _TAG.match(data)
    if mark is None:
        raise MalformedObjectError(f"the tag {name[:12]} is damaged")
    return mark[1].decode()


def tree_content(entries: Mapping[str, Entry]) -> bytes:
    """Return the content of the tree object that holds some entries by name."""
    parts = []
    for name, entry in entries.items():
        raw = name.encode("utf-8", "surrogateescape")
        parts.append((_sorting(raw, entry.mode), b"%o %s\0" % (entry.mode, raw) + bytes.fromhex(entry.id)))
    return b"".join(part for _, part in sorted(parts))


def _sorting(name: bytes, mode: int) -> bytes:
    """Return what git sorts an entry by: a folder's name as if it ended in a slash."""
    return name + b"/" if mode == TREE else name
