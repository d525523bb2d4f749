"""The one door to git: reading trees at a revision, and building a branch beside the user's work."""

from esc_skills.git.command import QUARANTINE
from esc_skills.git.lines import as_committed
from esc_skills.git.objects import (
    EXECUTABLE,
    LINK,
    REGULAR,
    SUBMODULE,
    TREE,
    Entry,
    MalformedObjectError,
    MissingObjectError,
)
from esc_skills.git.repository import Repository, create_repository, enclosing_repository, is_in_repository, start_git
from esc_skills.git.revisions import LedgerCommit
from esc_skills.git.store import ChangedFile

__all__ = [
    "EXECUTABLE",
    "LINK",
    "QUARANTINE",
    "REGULAR",
    "SUBMODULE",
    "TREE",
    "ChangedFile",
    "Entry",
    "LedgerCommit",
    "MalformedObjectError",
    "MissingObjectError",
    "Repository",
    "as_committed",
    "create_repository",
    "enclosing_repository",
    "is_in_repository",
    "start_git",
]
