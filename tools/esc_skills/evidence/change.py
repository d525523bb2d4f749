"""What a merge makes: the base's tree against the merged tree, and what of it is a verification's business.

The command line, the server's hook and the action for CI ask this one function. It merges file by file and never by content: a
file that matters and that both sides changed is refused, since what becomes of it depends on who merges, and how.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any

from esc_skills.documents.jsonl import digest, digest_json
from esc_skills.documents.text import decode
from esc_skills.errors import EscError, InputError
from esc_skills.evidence.revision import SETTINGS_FILE, settings_at
from esc_skills.evidence.verification import EvidenceStatus, RefusedError
from esc_skills.git import LINK, SUBMODULE, TREE, ChangedFile, Entry, Repository
from esc_skills.settings import Settings

#: The file of the base that says whose signatures count, in the form of `ssh-keygen(1)`.
SIGNERS = "allowed_signers"
EVIDENCE_FOLDER = "evidence"
#: Whose links lead agents to a bank.
_CLIENT_FOLDERS = (".agents", ".claude")
_PROMPT = re.compile(r"prompts/[a-z-]+\.[a-z]{2}\.md")
_SCHEMA = re.compile(r"schemas/[a-z-]+\.schema\.json")
#: The longest text of a symbolic link that is read.
_MAX_LINK = 4_096


class Kind(StrEnum):
    """What a change touches, of that which a verification is about."""

    BANK = "the bank"
    EVIDENCE = "evidence"
    PROFILES = "seeker profiles"
    PROMPTS = "prompts"
    SCHEMAS = "schemas"
    SAFETY = "the safety floor"
    SETTINGS = "settings"
    SIGNERS = "allowed signers"
    ATTRIBUTES = "git attributes"
    LINKS = "links to the bank"


#: What simulations say something of; all else is decided by owners.
SIMULATED = frozenset((Kind.BANK, Kind.EVIDENCE))


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
        tree: The id of the merged tree; None where a file that does not matter is merged by content.
        files: Every path at which the merged tree differs from the base's, but for those merged by content.
        touched: Those that matter, in git's order.
        unclear: What is merged by content, each with why.
        settings: The base's settings.
    """

    base: str
    head: str
    forks: tuple[str, ...]
    tree: str | None
    files: tuple[ChangedFile, ...]
    touched: tuple[Touched, ...]
    unclear: tuple[str, ...]
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
        RefusedError: A file that matters was changed on both sides since they went apart.
        GitError: They have no commit in common, or an object is missing or malformed.
    """
    settings = settings_of(repository, base)
    forks = repository.merge_bases(base, head)
    before, after = repository.tree_of(base), repository.tree_of(head)
    differing = () if head in forks else tuple(repository.changes(before, after))
    starts = [repository.tree_of(each) for each in forks]
    taken, unclear = list[ChangedFile](), list[ChangedFile]()
    for file in differing:
        sides = {_side(repository.entry_at(tree, file.path), file) for tree in starts}
        if sides == {"head"}:
            taken.append(file)
        elif sides != {"base"}:
            unclear.append(file)
    kind_of = _Kinds(repository, base, head, settings)
    _require_clear(repository, forks, starts, before, unclear, kind_of)
    tree = None if unclear else repository.tree_with(before, {each.path: each.after for each in taken})
    touched = tuple(Touched(each, kind) for each in taken if (kind := kind_of(each)))
    reasons = tuple(_why_unclear(each, forks) for each in unclear)
    return MergedChange(base, head, forks, tree, tuple(taken), touched, reasons, settings)


def change_of(repository: Repository, change: MergedChange) -> str:
    """Return the digest of what matters of a change: each path with its mode and content before and after."""

    def told(entry: Entry | None) -> list[Any] | None:
        if entry is None:
            return None
        content = entry.id if entry.mode == SUBMODULE else digest(repository.read_object(entry.id, "blob"))
        return [f"{entry.mode:o}", content]

    return digest_json([[each.file.path, told(each.file.before), told(each.file.after)] for each in change.touched])


def settings_of(repository: Repository, revision: str) -> Settings:
    """Return the settings at a revision; the shipped ones where they cannot be read, so that somebody may mend them."""
    try:
        return settings_at(repository, revision)
    except InputError:
        return Settings()


def shown_path(path: str) -> str:
    """Return a path in characters that can be printed anywhere."""
    text = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def _side(start: Entry | None, file: ChangedFile) -> str:
    """Return whose content a file gets that went apart from one start; `both` where each side changed it."""
    if start and start.mode == TREE:
        start = None  # no file stood there
    if start == file.before:
        return "head"
    return "base" if start == file.after else "both"


def _why_unclear(file: ChangedFile, forks: tuple[str, ...]) -> str:
    """Return why it depends on who merges what becomes of a file, and what helps."""
    detail = f"{shown_path(file.path)}: base and head both changed it since they went apart"
    if len(forks) > 1:
        apart = f"{len(forks)} commits, such as {forks[0][:12]} and {forks[1][:12]}"
        detail = f"{shown_path(file.path)}: base and head were merged crosswise and went apart at {apart}, so a merge may take back what the base changed"
    return f"{detail}; rebase the head on the base"


def _require_clear(
    repository: Repository,
    forks: tuple[str, ...],
    starts: Iterable[str],
    base: str,
    unclear: Iterable[ChangedFile],
    kind_of: _Kinds,
) -> None:
    """Refuse a merge whose result, where it matters, depends on how it is made."""
    for file in unclear:
        if kind_of(file) or kind_of.may_hold_settings(file):
            raise RefusedError(EvidenceStatus.STALE, "merge", _why_unclear(file, forks))
    # A file that the base moved is followed by git's merge: what the head changed in it lands where it lies now.
    moved = [each for each in unclear if each.before is None]
    if not moved:
        return
    for tree in starts:
        for file in repository.changes(tree, base):
            if file.kind == "A" and kind_of(file):
                detail = (
                    f"{shown_path(moved[0].path)}: the head changed it, and the base took it away and added "
                    f"{shown_path(file.path)}; if it was moved there, the change would follow it; rebase the head on the base"
                )
                raise RefusedError(EvidenceStatus.STALE, "merge", detail)


class _Kinds:
    """Says which part of the project a changed file belongs to; None where it does not matter."""

    def __init__(self, repository: Repository, base: str, head: str, settings: Settings) -> None:
        self._repository, self._base, self._head, self._settings = repository, base, head, settings
        self._folders = (
            (Kind.BANK, settings.skills),
            (Kind.EVIDENCE, EVIDENCE_FOLDER),
            (Kind.PROFILES, settings.profiles),
            (Kind.SAFETY, "safety"),
        )

    def __call__(self, file: ChangedFile) -> Kind | None:
        path = plain_path(file.path)
        if PurePosixPath(path).name == ".gitattributes" and self._governs(path):
            return Kind.ATTRIBUTES
        for kind, folder in self._folders:
            if _meets(path, plain_path(folder)):
                return kind
        if path == SETTINGS_FILE:
            return Kind.SETTINGS if self._moves_settings() or path != file.path else None
        if path == SIGNERS:
            return Kind.SIGNERS
        if _PROMPT.fullmatch(path):
            return Kind.PROMPTS
        if _SCHEMA.fullmatch(path):
            return Kind.SCHEMAS
        return Kind.LINKS if any(self._leads_to_bank(path, each) for each in (file.before, file.after)) else None

    def may_hold_settings(self, file: ChangedFile) -> bool:
        """Whether a file that is merged by content may come to hold settings of ours that neither side wrote so."""
        entries = [each for each in (file.before, file.after) if each] if plain_path(file.path) == SETTINGS_FILE else []
        return any(b"esc-skills" in self._repository.read_object(each.id, "blob") for each in entries)

    def _governs(self, path: str) -> bool:
        """Whether a file of attributes has a say over a folder that matters."""
        folder = path.rpartition("/")[0]
        return not folder or any(_meets(folder, plain_path(place)) for _, place in self._folders)

    def _moves_settings(self) -> bool:
        return _table(self._repository, self._base) != _table(self._repository, self._head)

    def _leads_to_bank(self, path: str, entry: Entry | None) -> bool:
        if entry is None or entry.mode not in (LINK, SUBMODULE):
            return False
        if path.split("/")[0] in _CLIENT_FOLDERS:
            return True
        names = [path]
        if entry.mode == LINK:
            names.append(self._repository.read_object(entry.id, "blob", _MAX_LINK).decode("utf-8", "replace"))
        bank = PurePosixPath(plain_path(self._settings.skills)).name
        return any(PurePosixPath(plain_path(name)).name == bank for name in names)


def _table(repository: Repository, revision: str) -> object:
    """Return `[tool.esc-skills]` of a revision; the file's bytes where it cannot be read."""
    data = repository.read_file(revision, SETTINGS_FILE)
    try:
        tools = tomllib.loads(decode(data, SETTINGS_FILE)).get("tool", {}) if data is not None else {}
        return tools.get("esc-skills", {})
    except (EscError, tomllib.TOMLDecodeError, RecursionError, AttributeError):
        return data


def plain_path(path: str) -> str:
    """Return a path as the least exact file system would read it.

    Some take upper for lower case, composed for decomposed letters, drop characters that cannot be seen, or end a name before
    its last dots and blanks: there `Skills /` would be `skills/`.
    """
    return "/".join(_plain_parts(path))


def _plain_parts(path: str) -> Iterator[str]:
    for part in path.split("/"):
        seen = "".join(each for each in unicodedata.normalize("NFKC", part) if unicodedata.category(each) != "Cf")
        stem = unicodedata.normalize("NFKC", seen.casefold())
        yield stem.rstrip(". ") or stem


def _meets(path: str, folder: str) -> bool:
    """Whether a path lies in a folder, is the folder, or is a folder that it lies in."""
    return f"{path}/".startswith(f"{folder}/") or f"{folder}/".startswith(f"{path}/")
