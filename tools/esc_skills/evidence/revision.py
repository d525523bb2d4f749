"""What a revision of a repository holds: its bank, the profiles and settings that judge changes to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from esc_skills.bank.reader import Bank, read_bank, read_files, visible
from esc_skills.bank.skill import REFERENCE, SKILL_FILE
from esc_skills.documents.shipped import shipped
from esc_skills.errors import InputError
from esc_skills.git import Repository
from esc_skills.seekers.population import Population, read_population
from esc_skills.settings import Settings, read_settings

SETTINGS_FILE = "pyproject.toml"


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit, read.

    Attributes:
        commit: Its id.
        settings: Its settings, with the folder of the bank that was asked for.
        files: The bank's files by path relative to its folder.
        bank: The bank.
        population: The profile parts; the shipped ones where the repository has none.
    """

    commit: str
    settings: Settings
    files: Mapping[str, bytes]
    bank: Bank
    population: Population


def read_revision(repository: Repository, revision: str, folder: str | None = None) -> Revision:
    """Read a revision from git alone; the work tree is not looked at.

    Args:
        repository: The repository.
        revision: A branch, tag or commit.
        folder: The bank's folder, from the root; the settings' where it is None.

    Raises:
        InputError: Settings, bank or profiles cannot be used.
        GitError: The revision is unknown.
    """
    commit = repository.resolve(revision)
    settings = settings_at(repository, revision)
    settings = replace(settings, skills=clean_folder(folder)) if folder else settings
    files = visible(repository.read_tree(commit, settings.skills))
    if not any(path.endswith(SKILL_FILE) for path in files):
        hint = "commit the bank first, or name its folder with --skills"
        raise InputError(f"{revision}:{settings.skills}: holds no {SKILL_FILE}", hint)
    bank = read_bank(files, settings.skills, settings.vocabulary)
    return Revision(commit, settings, files, bank, _population(repository, commit, settings.profiles))


def settings_at(repository: Repository, revision: str) -> Settings:
    """Return the settings of a revision.

    Raises:
        InputError: They cannot be used.
    """
    data = repository.read_file(repository.resolve(revision), SETTINGS_FILE)
    return read_settings(data, f"{revision}:{SETTINGS_FILE}")


def _population(repository: Repository, commit: str, folder: str) -> Population:
    files = visible(repository.read_tree(commit, folder))
    if files:
        return read_population(files, folder)
    return read_population(read_files(shipped("profiles")), "the shipped profiles")


def skill_path(folder: str) -> str:
    """Return the pattern of the files of a bank's skills; a skill may lie in folders of its kind, none of them hidden."""
    return rf"{re.escape(folder)}/(?:[A-Za-z0-9][A-Za-z0-9._-]*/)*[a-z0-9]+(?:-[a-z0-9]+)*/(?:{re.escape(SKILL_FILE)}|{REFERENCE.pattern})"


def clean_folder(folder: str) -> str:
    """Return a folder of the repository without leading `./` or trailing slash.

    Raises:
        InputError: It leaves the repository or is the repository itself.
    """
    parts = [part for part in folder.split("/") if part not in ("", ".")]
    if folder.startswith("/") or ".." in parts or not parts:
        raise InputError(f"{folder!r} is no folder inside the repository", "name it from the root, such as skills")
    return "/".join(parts)
