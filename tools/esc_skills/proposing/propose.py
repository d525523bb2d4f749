"""A proposal: a change of a bank, registered, judged on fresh gate seekers, and left as a branch with its evidence."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from esc_skills.bank.reader import Bank
from esc_skills.errors import GitError, InputError
from esc_skills.evidence.build import build_evidence
from esc_skills.evidence.files import CALLS, MAX_IN_TREE, SIGNATURE, STATEMENT, calls_ref
from esc_skills.evidence.kinds import SIGNERS
from esc_skills.evidence.proposal import describe_proposal, proposal_id
from esc_skills.evidence.revision import Revision
from esc_skills.evidence.signature import Purpose, check_signature, sign
from esc_skills.evidence.span_coverage import Coverage, cover, ledger_verdict, suffices
from esc_skills.evidence.trial import Trial, run_trial
from esc_skills.evidence.witness import is_reproducible, is_waiting
from esc_skills.gate.decision import Decision
from esc_skills.git import Repository
from esc_skills.ledger.book import LedgerBook
from esc_skills.ledger.entries import Registered
from esc_skills.models.meter import Meter
from esc_skills.scanning import check_bank_text, new_findings
from esc_skills.settings import Settings
from esc_skills.simulation.team import Team
from esc_skills.vocabulary import Verdict


class Watch(Protocol):
    """Is told what is being done, for whoever waits."""

    def step(self, what: str) -> None:
        """A new step begins."""

    def progress(self, done: int, total: int) -> None:
        """`done` of `total` of the step are done."""

    def note(self, what: str) -> None:
        """Something that a person should know was left out."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A change that is to be judged.

    Attributes:
        operator: What made it, such as `new`, `revise` or, by hand, `edit`.
        skill: The skill that it is named after.
        candidate: The bank after it.
        parent: The commit that the proposal's branch goes on from.
        files: What its commit writes beside the evidence, by path from the root; None deletes a file.
        message: Makes the commit's message of the decision.
    """

    operator: str
    skill: str
    candidate: Bank
    parent: str
    files: Mapping[str, bytes | None]
    message: Callable[[Decision], str]


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal that was judged.

    Attributes:
        id: Its name.
        branch: The branch that holds it.
        decision: What the gate says.
        coverage: What each changed span was played in.
        registered: Its entry in the ledger; None where it was made offline.
        apart: The ref that holds the recorded calls, where they are too large for the tree; empty otherwise.
        why_not: Why the gate's acceptance does not suffice, and what would; empty where it does, or is none.
    """

    id: str
    branch: str
    decision: Decision
    coverage: Coverage
    registered: Registered | None
    apart: str = ""
    why_not: str = ""

    @property
    def verdict(self) -> Verdict:
        """The verdict as far as evidence goes: the gate's, unless somebody has to vouch for more."""
        return Verdict.INDECISIVE if self.why_not else self.decision.verdict


async def propose(
    repository: Repository,
    base: Revision,
    draft: Draft,
    watch: Watch,
    team: Team,
    book: LedgerBook | None,
    key: Path | None = None,
) -> Proposed:
    """Register a change, run both arms on the seekers that follow, and leave the branch with its evidence.

    A registration of the same change that nobody decided yet, as an interrupted run leaves one, is gone on with.

    Args:
        repository: The repository.
        base: What the change starts from.
        draft: The change.
        watch: Told what is being done.
        team: Who plays.
        book: The ledger; None leaves the proposal unregistered, which `verify` reports.
        key: Signs the statement; where the base's settings name whose runs of models count, one of theirs makes this one count.

    Raises:
        GitError: The same proposal exists, or somebody else appended to the ledger at the same time.
        LedgerError: The ledger does not hold together.
    """
    _require_plain_text(base, draft)
    meter = Meter(team.recorder) if team.recorder else None
    trial = Trial(
        base.bank, draft.candidate, base.population, base.settings.gate, team.players(meter), team.second_players(meter)
    )
    trusted = base.settings.gate.trusted
    trial, name = _registered(repository, trial, draft, watch, book)
    if book and trial.registered and is_waiting(book.ledger, trial.registered.number, trusted):
        found = f"registered as entry {trial.registered.number} of the ledger, and nothing was played: a number has to be drawn first"
        raise InputError(
            found, f"{' or '.join(trusted)} draws it (`esc-skills ledger draw`); then give this command again"
        )
    watch.step("running both arms on gate seekers")
    outcome = await run_trial(trial, watch.progress, concurrency=team.concurrency)
    coverage = await cover(trial, outcome, base.settings, concurrency=team.concurrency)
    head_tree = repository.tree_after(draft.parent, draft.files, base.settings.skills)
    proposal = describe_proposal(name, base, draft.candidate, head_tree, repository)
    recorded = team.recorder.packed(meter.digests) if team.recorder and meter and meter.digests else None
    evidence = build_evidence(proposal, trial, outcome, coverage, recorded)
    signer = _signed(repository, base, evidence, key)
    if recorded and sum(map(len, evidence.values())) > MAX_IN_TREE:
        repository.keep_blob(calls_ref(name), evidence.pop(CALLS))
    files = {**draft.files, **{f"evidence/{name}/{path}": data for path, data in evidence.items()}}
    branch = f"evolve/{name}"
    if not repository.branch_exists(branch):
        repository.commit_branch(branch, draft.parent, files, draft.message(outcome.decision))
    elif repository.resolve(f"refs/heads/{branch}") == draft.parent:  # whose evidence is played afresh
        repository.add_to_branch(branch, draft.parent, files, draft.message(outcome.decision))
    counts = not trusted or is_reproducible(trial.models) or signer in trusted
    if book and trial.registered and counts:
        episodes = json.loads(evidence[STATEMENT])["predicate"]["episodes"]["digest"]
        decision = outcome.decision
        book.decide(
            trial.registered.number,
            ledger_verdict(outcome, coverage, base.settings),
            decision.draws,
            decision.e_value,
            episodes,
        )
    apart = calls_ref(name) if recorded and CALLS not in evidence else ""
    why_not = why_not_accepted(outcome.decision, coverage, base.settings)
    if not counts and outcome.decision.verdict is Verdict.ACCEPT:
        who = " or ".join(trusted)
        why_not = f"a preview, which the ledger does not hold: {who} plays the same seekers afresh (`esc-skills evidence collect --sign KEY`). {why_not}".strip()
    return Proposed(name, f"evolve/{name}", outcome.decision, coverage, trial.registered, apart, why_not)


def _require_plain_text(base: Revision, draft: Draft) -> None:
    """Raise where the change holds what the scanner of texts refuses, before anything is played.

    Raises:
        InputError: It does; the message names the first place and how many others there are.
    """
    allowed, folder = base.settings.allowed_text, base.settings.skills
    states = (check_bank_text(files, folder, allowed) for files in (base.files, draft.candidate.contents))
    if found := list(new_findings(*states)):
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise InputError(f"{found[0].as_text()}{more}", "`esc-skills validate` shows all of them")


def _signed(repository: Repository, base: Revision, evidence: dict[str, bytes], key: Path | None) -> str | None:
    """Sign a statement with a key, and return whose it is; None without a key, or where the base does not say whose it is.

    Raises:
        SignatureError: The key cannot sign, or the base's allowed signers do not hold it.
    """
    if key is None:
        return None
    evidence[SIGNATURE] = sign(evidence[STATEMENT], key, Purpose.EVIDENCE)
    signers = repository.read_file(base.commit, SIGNERS)
    return check_signature(evidence[STATEMENT], evidence[SIGNATURE], signers, Purpose.EVIDENCE) if signers else None


def why_not_accepted(decision: Decision, coverage: Coverage, settings: Settings) -> str:
    """Return why an acceptance of the gate does not suffice, and what would; empty where it does, or where it is none."""
    if decision.verdict is not Verdict.ACCEPT:
        return ""
    if not suffices(coverage, settings):
        return "it was simulated offline, and this repository asks for models (gate.players): name them with --supporter and --seeker."
    if coverage.open:
        vouch = (
            ""
            if coverage.is_mixed
            else ". An owner vouches for them with `esc-skills owners sign --head BRANCH`, or they are split off"
        )
        return f"{coverage.why_open()}{vouch}."
    return ""


def _registered(
    repository: Repository, trial: Trial, draft: Draft, watch: Watch, book: LedgerBook | None
) -> tuple[Trial, str]:
    """Return the trial with its threshold and registration, and the proposal's id."""
    if book is None:
        return trial, _new_id(repository, trial, draft)
    for entry in book.ledger.undecided():
        if trial.digest == entry.change:
            watch.note(f"going on with the registration {entry.number} of the ledger, which nobody decided yet")
            return replace(
                trial.at_threshold(entry.threshold), registered=book.registered(entry.number)
            ), entry.proposal
    name = _new_id(repository, trial, draft)
    first = trial.gate.threshold
    trial = trial.at_threshold(book.ledger.next_threshold(first))
    watch.step("registering the proposal")
    number = book.register(first, name, trial.terms)
    return replace(trial, registered=book.registered(number)), name


def _new_id(repository: Repository, trial: Trial, draft: Draft) -> str:
    name = proposal_id(draft.operator, draft.skill, trial.digest)
    if repository.branch_exists("evolve"):
        raise GitError(
            "a branch is named evolve, so git can make none named evolve/…", "rename it: git branch -m evolve NAME"
        )
    if repository.branch_exists(f"evolve/{name}"):
        hint = f"verify it with `esc-skills verify --head evolve/{name}`, or delete it: git branch -D evolve/{name}"
        raise GitError(f"this change was proposed already, on the branch evolve/{name}", hint)
    return name
