"""Verification in a program: the verdict of a change, derived again from git alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from esc_skills.evidence.checks import verify
from esc_skills.evidence.verification import Verification
from esc_skills.git import Repository


def _say_nothing(done: int, total: int) -> None:
    """Take the progress of a caller who asked for none."""


class Verifier:
    """Verifies changes of one repository.

    Example:
        >>> from esc_skills import Verifier
        >>> found = Verifier(".").verify("main", "HEAD")        # doctest: +SKIP
        >>> found.accepted, found.status, found.verdict         # doctest: +SKIP

    Args:
        repository: A folder of the repository; no remote of it is asked, and nothing in it changes.
    """

    def __init__(self, repository: str | Path) -> None:
        self._folder = Path(repository)

    def verify(
        self,
        base: str,
        head: str,
        *,
        ledger: str | None = None,
        require_signature: bool = False,
        progress: Callable[[int, int], None] = _say_nothing,
    ) -> Verification:
        """Return the verdict of what merging `head` into `base` changes, and what every check found.

        Args:
            base: The revision that the change would be merged into.
            head: The change.
            ledger: The ref of the ledger; that of a remote where it is None, else the branch `ledger`.
            require_signature: Whether evidence without an allowed signer's signature is incomplete.
            progress: Told how many pairs are simulated again, and how many there are at most.

        Raises:
            GitError: There is no repository, a revision is unknown, or the clone is too shallow.
            InputError: The base itself cannot be used.
        """
        with Repository(self._folder) as repository:
            return verify(repository, base, head, progress, ledger=ledger, require_signature=require_signature)
