"""What a push may do to the branches that a server guards: the bank's own, and the ledger.

The same gate as in CI, for any git server: a push that changes the bank or evidence has to be a proposal with valid
evidence and the verdict accept. Nothing here writes to the repository.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from esc_skills.errors import EscError, GitError, InputError
from esc_skills.evidence.checks import verify
from esc_skills.evidence.provenance import SIGNERS
from esc_skills.evidence.revision import SETTINGS_FILE
from esc_skills.evidence.verification import Verification
from esc_skills.git import Repository
from esc_skills.ledger.book import BRANCH as LEDGER
from esc_skills.ledger.book import read_ledger
from esc_skills.settings import Settings, read_settings

#: Longer pushes are judged as a whole alone.
_MAX_STEPS = 50


@dataclass(frozen=True, slots=True)
class Guard:
    """What a server asks of pushes.

    Attributes:
        branch: The branch that holds the bank.
        allow_profiles: Whether profiles, gate settings and allowed signers, which judge proposals, may be changed.
        require_signature: Whether evidence has to be signed.
    """

    branch: str = "main"
    allow_profiles: bool = False
    require_signature: bool = False


@dataclass(frozen=True, slots=True)
class Push:
    """One line of what git tells a pre-receive hook.

    Attributes:
        old: The commit that the ref names; zeros where it is made.
        new: The commit that it is to name; zeros where it is deleted.
        ref: The full name of the ref.
    """

    old: str
    new: str
    ref: str

    @property
    def makes(self) -> bool:
        """Whether there was no such ref."""
        return not self.old.strip("0")

    @property
    def deletes(self) -> bool:
        """Whether there will be no such ref."""
        return not self.new.strip("0")


@dataclass(frozen=True, slots=True)
class Ruling:
    """What becomes of one ref of a push.

    Attributes:
        refused: Why it is refused, one reason a line; empty where it is not.
        judged: The verifications that let it pass.
    """

    refused: tuple[str, ...] = ()
    judged: tuple[Verification, ...] = ()


def read_push(line: str) -> Push:
    """Read a line of a pre-receive hook's standard input.

    Raises:
        InputError: It is none.
    """
    parts = line.rstrip("\n").split(" ")
    if len(parts) != 3:
        raise InputError(f"{line!r} is no line of a pre-receive hook", "git calls this command, not a person")
    return Push(*parts)


def judge_push(repository: Repository, push: Push, guard: Guard) -> Ruling:
    """Say whether one ref of a push may be updated.

    A push of several commits is judged as a whole and, where that does not hold, commit by commit along the first
    parents, so that two proposals may come at once.
    """
    if push.ref not in (f"refs/heads/{guard.branch}", f"refs/heads/{LEDGER}"):
        return Ruling()
    if push.deletes:
        return Ruling(("it is guarded and may not be deleted",))
    try:
        if not push.makes and repository.merge_base(push.old, push.new) != repository.resolve(push.old):
            return Ruling(
                ("it is guarded and its history may not be rewritten; fetch, rebase and push without --force",)
            )
        if push.ref == f"refs/heads/{LEDGER}":
            read_ledger(repository, push.new)
            return Ruling()
        return Ruling() if push.makes else _judge_commits(repository, push, guard)
    except EscError as error:
        return Ruling((f"{error.message}; {error.hint}" if error.hint else error.message,))


def _judge_commits(repository: Repository, push: Push, guard: Guard) -> Ruling:
    whole = _judge_step(repository, push.old, push.new, guard)
    steps = _steps(repository, push)
    if not whole.refused or len(steps) < 2:
        return whole
    rulings: list[Ruling] = []
    for old, new in steps:
        rulings.append(_judge_step(repository, old, new, guard))
        if rulings[-1].refused:
            alone = [f"the commit {new[:10]} alone: {reason}" for reason in rulings[-1].refused]
            return Ruling((*(f"as a whole: {reason}" for reason in whole.refused), *alone))
    return Ruling(judged=tuple(each for ruling in rulings for each in ruling.judged))


def _steps(repository: Repository, push: Push) -> list[tuple[str, str]]:
    """Return the pushed commits with their first parents, the oldest first; none where they do not lead to the old one."""
    commits = [push.new]
    while commits[-1] != push.old and len(commits) <= _MAX_STEPS:
        try:
            commits.append(repository.resolve(f"{commits[-1]}^1"))
        except GitError:
            return []
    return list(zip(commits[:0:-1], commits[-2::-1], strict=True)) if commits[-1] == push.old else []


def _judge_step(repository: Repository, old: str, new: str, guard: Guard) -> Ruling:
    settings = _settings(repository, old)
    if not guard.allow_profiles and (refused := tuple(_changes_of_the_judge(repository, old, new, settings))):
        return Ruling(refused)
    places = (settings.skills, "evidence")
    if not any(_lies_in(each.path, place) for each in repository.changed_files(old, new) for place in places):
        return Ruling()
    ledger = f"refs/heads/{LEDGER}"
    found = verify(repository, old, new, _silent, ledger=ledger, require_signature=guard.require_signature)
    if found.accepted:
        return Ruling(judged=(found,))
    last = found.checks[-1]
    verdict = f", verdict {found.verdict}" if found.verdict else ""
    return Ruling((f"evidence {found.status}{verdict}: {last.name}: {last.detail}",))


def _lies_in(path: str, folder: str) -> bool:
    # Some file systems would put `Skills/` into `skills/`.
    return path.casefold() == folder.casefold() or path.casefold().startswith(f"{folder.casefold()}/")


def _changes_of_the_judge(repository: Repository, old: str, new: str, settings: Settings) -> Iterator[str]:
    """Yield what changes of that by which proposals are judged: nobody may first lower the gate and then pass it."""
    places = [place for place in (settings.profiles, SIGNERS) if _differs(repository, old, new, place)]
    if _settings(repository, old) != _settings(repository, new):
        places.append(f"[tool.esc-skills] of {SETTINGS_FILE}")
    for place in places:
        yield f"{place} judges proposals and may not be changed by a push; the server's keeper can fetch it (docs/ci.md)"


def _differs(repository: Repository, old: str, new: str, path: str) -> bool:
    return repository.tree_id(old, path) != repository.tree_id(new, path)


def _settings(repository: Repository, revision: str) -> Settings:
    try:
        return read_settings(repository.read_file(revision, SETTINGS_FILE), SETTINGS_FILE)
    except InputError:
        return Settings()  # so that a push may mend them


def _silent(done: int, total: int) -> None:
    """Show no progress: the pusher's screen is far away."""
