"""What a merge makes: the base's tree against the merged tree, and what of it is a verification's business.

The command line, the server's hook and the action for CI ask this one function. It merges file by file and never by content: where
it depends on who merges, and how, what becomes of something that matters, the change is refused and the person rebases.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from esc_skills.documents.jsonl import digest, digest_json
from esc_skills.evidence.kinds import Kind, Kinds, unfit_name
from esc_skills.evidence.revision import settings_at
from esc_skills.evidence.verification import invalid, stale
from esc_skills.git import EXECUTABLE, REGULAR, SUBMODULE, TREE, ChangedFile, Entry, Repository
from esc_skills.settings import Settings

#: From this share of common lines on, git's merge may take one file for the other, moved; git itself asks for half.
_ALIKE = 0.2
#: A longer branch is to be squashed first.
_MAX_COMMITS = 2_000


@dataclass(frozen=True, slots=True)
class Touched:
    """A changed file that matters.

    Attributes:
        file: The change from the base's tree to the merged one.
        kind: What it is a part of.
    """

    file: ChangedFile
    kind: Kind


@dataclass(frozen=True, slots=True)
class MergedChange:
    """What merging a head into a base changes.

    Attributes:
        base: The id of the base's commit; head: that of the head's.
        forks: The commits from which they went apart.
        tree: The id of the merged tree; None where files that do not matter are merged by content.
        files: Every path at which the merged tree differs from the base's, but for those merged by content.
        touched: Those that matter, in git's order.
        settings: The base's settings.
    """

    base: str
    head: str
    forks: tuple[str, ...]
    tree: str | None
    files: tuple[ChangedFile, ...]
    touched: tuple[Touched, ...]
    settings: Settings

    @property
    def kinds(self) -> frozenset[Kind]:
        """What it touches."""
        return frozenset(each.kind for each in self.touched)

    def describe(self) -> str:
        """Return what it touches in words, each kind with its first file."""
        first = {each.kind: shown_path(each.file.path) for each in reversed(self.touched)}
        return ", ".join(f"{kind} ({first[kind]})" for kind in Kind if kind in first)


def merged_change(repository: Repository, base: str, head: str) -> MergedChange:
    """Return what merging `head` into `base` changes.

    Args:
        repository: The repository.
        base: The id of the commit that is merged into.
        head: The id of the commit that is merged.

    Raises:
        RefusedError: It is not certain what the merge makes of something that matters, or a file has a name that not every
            clone can check out.
        InputError: The base's settings cannot be used.
        GitError: They have no commit in common, or an object is missing or malformed.
    """
    settings = settings_at(repository, base)
    forks = repository.merge_bases(base, head)
    before, after = repository.tree_of(base), repository.tree_of(head)
    differing = () if head in forks else tuple(repository.changes(before, after))
    merge = _Merge(repository, forks, tuple(repository.tree_of(each) for each in forks), before)
    taken, unclear = merge.split(differing)
    for file in taken:
        if file.before is None and (reason := unfit_name(file.path)):
            raise invalid("names", f"{shown_path(file.path)}: {reason}; give it another name")
    kinds = Kinds(repository, base, head, settings)
    merge.require_certain(taken, unclear, kinds)
    touched = tuple(Touched(each, kind) for each in taken if (kind := kinds.of(each)))
    if unclear and touched:
        raise stale("merge", merge.why_unclear(unclear[0]))
    _require_plain_history(repository, base, head, settings, {each.file.path for each in touched})
    tree = None if unclear else repository.tree_with(before, {each.path: each.after for each in taken})
    return MergedChange(base, head, forks, tree, tuple(taken), touched, settings)


def change_of(repository: Repository, change: MergedChange) -> str:
    """Return the digest of what matters of a change: each path with its mode and content before and after."""

    @cache
    def content(entry: Entry) -> str:
        return entry.id if entry.mode == SUBMODULE else digest(repository.read_object(entry.id, "blob"))

    def told(entry: Entry | None) -> list[str] | None:
        return None if entry is None else [f"{entry.mode:o}", content(entry)]

    # Bytes that are no UTF-8 become escapes, of which no other path can be made: a backslash is doubled.
    paths = [each.file.path.replace("\\", "\\\\") for each in change.touched]
    named = [each.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace") for each in paths]
    files = [each.file for each in change.touched]
    return digest_json([[name, told(file.before), told(file.after)] for name, file in zip(named, files, strict=True)])


def shown_path(path: str) -> str:
    """Return a path in characters that can be printed anywhere."""
    text = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


@dataclass(frozen=True, slots=True)
class _Merge:
    """A merge of two commits, file by file.

    Attributes:
        forks: The commits from which they went apart; starts: their trees.
        base: The base's tree.
    """

    repository: Repository
    forks: tuple[str, ...]
    starts: tuple[str, ...]
    base: str

    def split(self, differing: Iterable[ChangedFile]) -> tuple[list[ChangedFile], list[ChangedFile]]:
        """Return the files that the merge takes from the head, and those that are merged by content."""
        taken, unclear = list[ChangedFile](), list[ChangedFile]()
        for file in differing:
            sides = {_side(self.repository.entry_at(tree, file.path), file) for tree in self.starts}
            if sides == {"head"}:
                taken.append(file)
            elif sides != {"base"}:
                unclear.append(file)
        return taken, unclear

    def require_certain(self, taken: Sequence[ChangedFile], unclear: Sequence[ChangedFile], kinds: Kinds) -> None:
        """Refuse a merge whose result, where it matters, depends on how it is made."""
        for file in unclear:
            if kinds.of_path(file.path):
                raise stale("merge", self.why_unclear(file))
        for file in unclear:
            for target, landed in self._targets(file, taken):
                if kinds.of_path(target) and self._alike(file.path, landed):
                    raise stale("merge", _why_followed(file.path, target))

    def why_unclear(self, file: ChangedFile) -> str:
        """Return why it depends on who merges what becomes of a file, and what helps."""
        detail = f"{shown_path(file.path)}: base and head both changed it since they went apart"
        if len(self.forks) > 1:
            apart = f"{len(self.forks)} commits, such as {self.forks[0][:12]} and {self.forks[1][:12]}"
            detail = f"{shown_path(file.path)}: base and head were merged crosswise and went apart at {apart}, so a merge may take back what the base changed"
        return f"{detail}; rebase the head on the base"

    def _targets(self, file: ChangedFile, taken: Sequence[ChangedFile]) -> Iterator[tuple[str, Entry]]:
        """Yield the files that one side added while it took a file away which the other side changed.

        Git's merge follows a file that was moved, and brings the other side's change to where it lies now.
        """
        if file.after is None:
            yield from ((each.path, each.after) for each in taken if each.after and each.before is None)
        if file.before is None:
            for tree in self.starts:
                yield from (
                    (each.path, each.after)
                    for each in self.repository.changes(tree, self.base)
                    if each.after and each.before is None
                )

    def _alike(self, path: str, landed: Entry) -> bool:
        """Whether git could take a file for another one that was moved."""
        for tree in self.starts:
            start = self.repository.entry_at(tree, path)
            if start and start.id == landed.id:
                return True
            if start and start.mode in (REGULAR, EXECUTABLE) and landed.mode in (REGULAR, EXECUTABLE):
                one, other = (
                    Counter(filter(None, self.repository.read_object(each.id, "blob").split(b"\n")))
                    for each in (start, landed)
                )
                if one and (one & other).total() >= _ALIKE * max(one.total(), other.total()):
                    return True
        return False


def _side(start: Entry | None, file: ChangedFile) -> str:
    """Return whose content a file gets that went apart from one start; `both` where each side changed it."""
    if start and start.mode == TREE:
        start = None  # no file stood there
    if start == file.before:
        return "head"
    return "base" if start == file.after else "both"


def _why_followed(source: str, target: str) -> str:
    return (
        f"{shown_path(source)}: one side changed it, and the other took it away and added {shown_path(target)}, which is like it; a "
        "merge would bring the change there; rebase the head on the base"
    )


def _require_plain_history(repository: Repository, base: str, head: str, settings: Settings, touched: set[str]) -> None:
    """Refuse a branch whose commits change something that matters and that the whole change leaves as it is.

    A rebase applies commit by commit and drops merges, so it could bring such a change back.
    """
    for number, commit in enumerate(repository.commits_between(base, head)):
        if number >= _MAX_COMMITS:
            raise stale("history", f"the head adds more than {_MAX_COMMITS:,} commits to the base; squash them")
        parents = repository.read_commit(commit).parents
        if len(parents) != 1:
            continue
        kinds = Kinds(repository, parents[0], commit, settings)
        for file in repository.changed_files(parents[0], commit):
            kind = kinds.of(file)
            if kind and kind is not Kind.EVIDENCE and file.path not in touched:
                detail = (
                    f"{shown_path(file.path)}: the commit {commit[:12]} changes it, and the whole change does not; a rebase could "
                    "bring that back, so squash the head to what it means"
                )
                raise stale("history", detail)
