"""What a changed file is a part of, of that which a verification is about, and names that no clone could check out."""

from __future__ import annotations

import json
import re
import tomllib
import unicodedata
from collections.abc import Iterator
from enum import StrEnum
from pathlib import PurePosixPath

from esc_skills.documents.text import decode
from esc_skills.errors import EscError
from esc_skills.evidence.revision import SETTINGS_FILE
from esc_skills.git import LINK, SUBMODULE, ChangedFile, Entry, Repository
from esc_skills.settings import Settings

#: The file of the base that says whose signatures count, in the form of `ssh-keygen(1)`.
SIGNERS = "allowed_signers"
EVIDENCE_FOLDER = "evidence"
_PROMPT = re.compile(r"prompts/[a-z-]+\.[a-z]{2}\.md")
_SCHEMA = re.compile(r"schemas/[a-z-]+\.schema\.json")
#: Where clients look for skills: a hidden folder of theirs, with a folder `skills` in it.
_CLIENT_SKILLS = re.compile(r"(?:.*/)?\.[^/]+/(?:[^/]+/)*skills(?:/.*)?")
_CLIENT_FOLDERS = (".agents", ".claude")
#: The longest text of a symbolic link that is read, and how many links are followed.
_MAX_LINK, _MAX_HOPS = 4_096, 40
#: What Windows cannot check out: marks, names of devices, and short forms of other names.
_NO_NAME = re.compile(r'[\\:<>"|?*\x00-\x1f]|^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)|~\d+(?:\.|$)')
_MAX_NAME = 255


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
    LINKS = "what leads agents to a bank"


#: What simulations say something of; all else is decided by owners.
SIMULATED = frozenset((Kind.BANK, Kind.EVIDENCE))


class Kinds:
    """Says what changed files are a part of, between two revisions.

    Args:
        repository: The repository.
        base: The commit before; head: the one after.
        settings: The settings that say where bank and profiles lie.
    """

    def __init__(self, repository: Repository, base: str, head: str, settings: Settings) -> None:
        self._repository, self._base, self._head = repository, base, head
        self._bank = plain_path(settings.skills)
        self._folders = (
            (Kind.BANK, self._bank),
            (Kind.EVIDENCE, EVIDENCE_FOLDER),
            (Kind.PROFILES, plain_path(settings.profiles)),
            (Kind.SAFETY, "safety"),
        )

    def of_path(self, name: str) -> Kind | None:
        """Return what a path is a part of, whatever stands there; None where it does not matter."""
        path = plain_path(name)
        if PurePosixPath(path).name == ".gitattributes" and self._governs(path):
            return Kind.ATTRIBUTES
        for kind, folder in (*self._folders, (Kind.SETTINGS, SETTINGS_FILE), (Kind.SIGNERS, SIGNERS)):
            if _meets(path, folder):
                return kind
        if _PROMPT.fullmatch(path):
            return Kind.PROMPTS
        if _SCHEMA.fullmatch(path):
            return Kind.SCHEMAS
        return Kind.LINKS if _CLIENT_SKILLS.fullmatch(path) else None

    def of(self, file: ChangedFile) -> Kind | None:
        """Return what a changed file is a part of; None where the change does not matter."""
        kind = self.of_path(file.path)
        if kind is Kind.SETTINGS and file.path == SETTINGS_FILE and not self._moves_settings():
            return None
        if kind is None and (
            self._leads(self._base, file.path, file.before) or self._leads(self._head, file.path, file.after)
        ):
            return Kind.LINKS
        return kind

    def _governs(self, path: str) -> bool:
        """Whether a file of attributes has a say over a folder that matters."""
        folder = path.rpartition("/")[0]
        return not folder or any(_meets(folder, place) for _, place in self._folders)

    def _moves_settings(self) -> bool:
        return settings_table(self._repository, self._base) != settings_table(self._repository, self._head)

    def _leads(self, commit: str, path: str, entry: Entry | None) -> bool:
        """Whether a link or a submodule leads agents to a bank, or stands where they look for one."""
        if entry is None or entry.mode not in (LINK, SUBMODULE):
            return False
        if plain_path(path).split("/")[0] in _CLIENT_FOLDERS or _meets(plain_path(path), self._bank):
            return True
        target = self._resolved(commit, path) if entry.mode == LINK else None
        return target is not None and _meets(plain_path(target), self._bank)

    def _resolved(self, commit: str, path: str) -> str | None:
        """Return the path that a link comes to in a revision, links on the way followed; None outside of it."""
        tree, steps, done = self._repository.tree_of(commit), path.split("/"), list[str]()
        for _ in range(_MAX_HOPS * 50):
            if not steps:
                return "/".join(done)
            step = steps.pop(0)
            if step == "..":
                if not done:
                    return None
                done.pop()
            elif step not in ("", "."):
                done.append(step)
                entry = self._repository.entry_at(tree, "/".join(done))
                if entry and entry.mode == LINK:
                    target = self._repository.read_object(entry.id, "blob", _MAX_LINK).decode(
                        "utf-8", "surrogateescape"
                    )
                    if target.startswith("/"):
                        return None
                    done.pop()
                    steps = [*target.split("/"), *steps]
        return None


def settings_table(repository: Repository, revision: str) -> str:
    """Return `[tool.esc-skills]` of a revision as text that differs wherever a value or its type does.

    Where it cannot be read the text is that of the file's id, so it differs from any other.
    """
    entry = repository.entry(revision, SETTINGS_FILE)
    try:
        data = repository.read_file(revision, SETTINGS_FILE)
        tools = tomllib.loads(decode(data, SETTINGS_FILE)).get("tool", {}) if data is not None else {}
        return json.dumps(tools.get("esc-skills", {}), sort_keys=True, default=repr)
    except (EscError, tomllib.TOMLDecodeError, RecursionError, AttributeError, ValueError):
        return repr(entry)


def unfit_name(path: str) -> str | None:
    """Return why a path could not be checked out by every clone; None where it could."""
    for part in path.split("/"):
        plain = plain_path(part)
        if plain_path(part.replace(" ", "")) == ".git" or re.match(r"git~\d", plain):
            return "git takes it for its own folder"
        if len(part.encode("utf-8", "surrogateescape")) > _MAX_NAME:
            return f"its name has more than {_MAX_NAME} bytes"
        if _NO_NAME.search(plain) or part != part.rstrip(" ."):
            return "Windows cannot check it out"
    return None


def plain_path(path: str) -> str:
    """Return a path as the least exact file system would read it.

    Some take upper for lower case, composed for decomposed letters, drop characters that cannot be seen, or end a name before
    its last dots and blanks: there `Skills /` would be `skills/`.
    """
    return "/".join(_plain_parts(path))


def _plain_parts(path: str) -> Iterator[str]:
    for part in path.split("/"):
        seen = "".join(
            each for each in unicodedata.normalize("NFKC", part) if unicodedata.category(each) not in ("Cf", "Mn")
        )
        stem = unicodedata.normalize("NFKC", seen.casefold())
        yield stem.rstrip(". ") or stem


def _meets(path: str, folder: str) -> bool:
    """Whether a path lies in a folder, is the folder, or is a folder that it lies in."""
    return f"{path}/".startswith(f"{folder}/") or f"{folder}/".startswith(f"{path}/")


def lies_beside(folder: str, bank: str) -> bool:
    """Whether two folders have nothing in common."""
    return not _meets(plain_path(folder), plain_path(bank))
