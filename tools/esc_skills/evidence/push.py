"""What a push may do to a server: to the branch with the bank, the ledger, and the refs by which both are found.

The same gate as in CI, for any git server: what lands on the guarded branch has to be a proposal with valid evidence and the
verdict accept, an owner's decision, or nothing that a verification is about. Nothing here writes to the repository.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from esc_skills.errors import EscError, GitError, InputError
from esc_skills.evidence.checks import verify
from esc_skills.evidence.files import EVIDENCE_REFS
from esc_skills.evidence.kinds import SIGNERS, plain_path
from esc_skills.evidence.ownership import require_signed
from esc_skills.evidence.revision import settings_at
from esc_skills.evidence.verification import EvidenceStatus, Verification
from esc_skills.evidence.witness import drawn_by
from esc_skills.git import Repository
from esc_skills.ledger.book import BRANCH as LEDGER
from esc_skills.ledger.book import read_ledger

#: Longer pushes are judged as a whole alone.
_MAX_STEPS = 50


@dataclass(frozen=True, slots=True)
class Guard:
    """What a server asks of pushes.

    Attributes:
        branch: The branch that holds the bank.
        require_signature: Whether evidence has to be signed.
    """

    branch: str = "main"
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
    try:
        if push.ref not in (f"refs/heads/{guard.branch}", f"refs/heads/{LEDGER}"):
            return _judge_other(repository, push, guard)
        if push.deletes:
            return Ruling(("it is guarded and may not be deleted",))
        if not push.makes and not _follows(repository, push):
            rewritten = "it is guarded and its history may not be rewritten; fetch, rebase and push without --force"
            return Ruling((rewritten,))
        if push.ref == f"refs/heads/{LEDGER}":
            _require_ledger(repository, push, guard)
            return Ruling()
        return Ruling() if push.makes else _judge_commits(repository, push, guard)
    except EscError as error:
        return Ruling((f"{error.message}; {error.hint}" if error.hint else error.message,))


def _judge_other(repository: Repository, push: Push, guard: Guard) -> Ruling:
    """Refuse refs by which somebody could be shown another bank or ledger than the guarded ones."""
    if push.ref.startswith(EVIDENCE_REFS) and not push.makes:
        return Ruling(("it holds the recorded calls of a proposal and may be neither changed nor deleted",))
    if target := repository.symbolic_target(push.ref):
        return Ruling((f"it stands for {target}; push to that one",))
    if push.ref == repository.symbolic_target("HEAD"):
        shown = f"git symbolic-ref HEAD refs/heads/{guard.branch}"
        return Ruling((f"clones check it out, and what is guarded is {guard.branch}; on the server, run `{shown}`",))
    if push.deletes:
        return Ruling()
    if push.ref.startswith("refs/replace/"):
        return Ruling(("a replace ref would show other objects than those that were judged",))
    if push.ref.startswith("refs/remotes/"):
        return Ruling(("this server keeps no remote's branches; a ledger in them would be anybody's",))
    for name in (guard.branch, LEDGER, "HEAD"):  # neither of the first two is pushed here
        if _shadows(push.ref, name):
            return Ruling((f"git could take it for {name}; give it another name",))
    return Ruling()


def _shadows(ref: str, name: str) -> bool:
    """Whether a ref could be meant, by git or by a file system, where a guarded name is said."""
    plain = plain_path(name)
    shown = plain_path(ref.removeprefix("refs/"))
    for place in ("heads/", "tags/", "remotes/", ""):
        rest = shown.removeprefix(place) if shown.startswith(place) else None
        if rest in (plain, f"heads/{plain}", f"refs/heads/{plain}", f"tags/{plain}"):
            return True
        if rest and place == "heads/" and rest.startswith(f"{plain}/"):
            return True  # as long as it is there, git could not make the other one
    return False


def _follows(repository: Repository, push: Push) -> bool:
    """Whether a push adds to a branch; what has nothing in common with it does not."""
    try:
        return push.old in repository.merge_bases(push.old, push.new)
    except GitError:
        return False


def _require_ledger(repository: Repository, push: Push, guard: Guard) -> None:
    """Raise where a ledger does not hold together, or holds a new decision or number that nobody signed whom this server's branch names."""
    ledger = read_ledger(repository, push.new)
    known = 0 if push.makes else [commit.id for commit in ledger.commits].index(push.old) + 1
    if repository.branch_exists(guard.branch):
        signers = repository.resolve(f"refs/heads/{guard.branch}")
        for entry in ledger.owners_decisions:
            if entry.number > known:
                require_signed(repository, signers, entry)
        for drawn in ledger.drawn:
            if drawn.number > known:
                drawn_by(drawn, repository.read_file(signers, SIGNERS), settings_at(repository, signers).gate.trusted)


def _judge_commits(repository: Repository, push: Push, guard: Guard) -> Ruling:
    steps = _steps(repository, push)
    if steps is None:
        beside = f"its first parents do not lead to what {guard.branch} is now, so the history would show it as merged into yours"
        return Ruling((f"{beside}; rebase your commits on {guard.branch} (git pull --rebase) and push again",))
    whole = _judge_step(repository, push.old, push.new, guard)
    if not whole.refused or len(steps) < 2:
        return whole
    rulings: list[Ruling] = []
    for old, new in steps:
        rulings.append(_judge_step(repository, old, new, guard))
        if rulings[-1].refused:
            alone = [f"the commit {new[:10]} alone: {reason}" for reason in rulings[-1].refused]
            return Ruling((*(f"as a whole: {reason}" for reason in whole.refused), *alone))
    return Ruling(judged=tuple(each for ruling in rulings for each in ruling.judged))


def _steps(repository: Repository, push: Push) -> list[tuple[str, str]] | None:
    """Return the pushed commits with their first parents, the oldest first; of a long push none.

    None where the first parents do not lead to what the branch was.
    """
    commits = list(repository.first_parents(push.new, until=push.old))
    if repository.read_commit(commits[-1]).parents[:1] != (push.old,):
        return None
    if len(commits) > _MAX_STEPS:
        return []
    chain = [push.old, *reversed(commits)]
    return list(pairwise(chain))


def _judge_step(repository: Repository, old: str, new: str, guard: Guard) -> Ruling:
    ledger = f"refs/heads/{LEDGER}"
    found = verify(repository, old, new, _silent, ledger=ledger, require_signature=guard.require_signature)
    if found.accepted:
        return Ruling(judged=() if found.status is EvidenceStatus.NONE else (found,))
    last = found.checks[-1]
    verdict = f", verdict {found.verdict}" if found.verdict else ""
    return Ruling((f"evidence {found.status}{verdict}: {last.name}: {last.detail}",))


def _silent(done: int, total: int) -> None:
    """Show no progress: the pusher's screen is far away."""
