"""The one door to git: reading trees at a revision, and building a branch beside the user's work."""

from esc_skills.git.repository import Repository, create_repository
from esc_skills.git.revisions import ChangedFile, LedgerCommit

__all__ = ["ChangedFile", "LedgerCommit", "Repository", "create_repository"]
