"""Evolution: a bank is diagnosed, an edit is made and screened, judged on fresh seekers, and left as a branch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from statistics import fmean
from typing import Protocol

from esc_skills.bank.changes import Change, compare_banks
from esc_skills.bank.reader import SKILL_FILE, Bank, read_bank
from esc_skills.errors import GitError, InputError
from esc_skills.evolution.diagnose import Weakness, diagnose
from esc_skills.evolution.evidence import Proposal, build_evidence
from esc_skills.evolution.gate import Decision
from esc_skills.evolution.refine import Edit, refine
from esc_skills.evolution.repository import Revision, read_revision
from esc_skills.evolution.trial import Trial, pair_of, run_trial
from esc_skills.git import Repository
from esc_skills.simulation.draws import Draw, plan_draws
from esc_skills.simulation.players import Players, cast_players, play
from esc_skills.simulation.runner import run_in_memory
from esc_skills.transcript import Transcript
from esc_skills.vocabulary import Arm, Split, Verdict

#: How many evolution seekers a bank is diagnosed and an edit is screened on.
DIAGNOSIS_DRAWS = 300
#: How many edits are screened, the weightiest weaknesses first.
_SCREENED = 6
_CONCURRENCY = 64


class Watch(Protocol):
    """Is told what is being done, for whoever waits."""

    def step(self, what: str) -> None:
        """A new step begins."""

    def progress(self, done: int, total: int) -> None:
        """`done` of `total` of the step are done."""


@dataclass(frozen=True, slots=True)
class Screened:
    """An edit with its mean change of final emotion on evolution seekers, in points, and its new red flags."""

    edit: Edit
    effect: float
    red_flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evolution:
    """What evolving a bank came to.

    Attributes:
        weaknesses: What the diagnosis found.
        screened: The edits that were tried on evolution seekers.
        proposal: The id; None where no edit was worth proposing, and then branch, changes and decision are empty too.
        branch: The branch that holds it.
        edit: The edit that was proposed.
        changes: What it changes, in words.
        decision: What the gate says.
    """

    weaknesses: tuple[Weakness, ...]
    screened: tuple[Screened, ...]
    proposal: str | None = None
    branch: str | None = None
    edit: Edit | None = None
    changes: tuple[Change, ...] = ()
    decision: Decision | None = None

    @property
    def verdict(self) -> Verdict:
        """The gate's verdict; indecisive where nothing was proposed."""
        return self.decision.verdict if self.decision else Verdict.INDECISIVE


def evolve(repository: Repository, folder: str | None, watch: Watch) -> Evolution:
    """Diagnose the bank of HEAD, propose the edit that screens best, and leave a branch with its evidence.

    Work tree, index and current branch stay as they are; uncommitted changes are no part of it.

    Args:
        repository: The repository.
        folder: The bank's folder; the settings' where it is None.
        watch: Told what is being done.

    Raises:
        InputError: The bank, the profiles or the settings cannot be used.
        GitError: There is no commit, or the same proposal exists already.
    """
    revision = read_revision(repository, "HEAD", folder)
    players = cast_players("surrogate", "surrogate")
    draws = plan_draws(revision.bank.digest, revision.population, Split.EVOLUTION, 0, DIAGNOSIS_DRAWS)
    watch.step("simulating the bank on evolution profiles")
    run = _run(players, draws, revision.bank, Arm.RUN, watch)
    weaknesses = diagnose(run, revision.bank.skills)
    edits = refine(weaknesses, revision.bank.skills, skill_paths(revision.bank), run)[:_SCREENED]
    screened = tuple(_screen(edit, revision, players, draws, run, watch) for edit in edits)
    promising = [each for each in screened if each.effect > 0 and not each.red_flags]
    if not promising:
        return Evolution(weaknesses, screened)
    best = max(promising, key=lambda each: each.effect)
    return _propose(repository, revision, players, best.edit, watch, weaknesses, screened)


def skill_paths(bank: Bank) -> dict[str, str]:
    """Return the file of each skill, relative to the bank's folder."""
    paths = [path for path in bank.files if PurePosixPath(path).name == SKILL_FILE]
    return {PurePosixPath(path).parent.name: path for path in paths}


def _run(players: Players, draws: tuple[Draw, ...], bank: Bank, arm: Arm, watch: Watch) -> tuple[Transcript, ...]:
    async def work(draw: Draw) -> Transcript:
        return await play(players, draw, bank, arm)

    return run_in_memory(draws, work, concurrency=_CONCURRENCY, progress=lambda done: watch.progress(done, len(draws)))


def _screen(
    edit: Edit,
    revision: Revision,
    players: Players,
    draws: tuple[Draw, ...],
    run: tuple[Transcript, ...],
    watch: Watch,
) -> Screened:
    watch.step(f"screening an edit of {edit.skill} on evolution profiles")
    candidate = read_bank({**revision.files, edit.path: edit.text.encode()}, revision.settings.skills)
    edited = _run(players, draws, candidate, Arm.CANDIDATE, watch)
    pairs = [pair_of(base, other) for base, other in zip(run, edited, strict=True)]
    flags = sorted({flag for pair in pairs for flag in pair.new_red_flags})
    return Screened(edit, 100 * fmean(pair.difference for pair in pairs), tuple(flags))


def _propose(
    repository: Repository,
    revision: Revision,
    players: Players,
    edit: Edit,
    watch: Watch,
    weaknesses: tuple[Weakness, ...],
    screened: tuple[Screened, ...],
) -> Evolution:
    folder = revision.settings.skills
    candidate = read_bank({**revision.files, edit.path: edit.text.encode()}, folder)
    trial = Trial(revision.bank, candidate, revision.population, revision.settings.gate, players)
    name = proposal_id(edit.operator, edit.skill, trial.digest)
    if repository.branch_exists(f"evolve/{name}"):
        hint = f"verify it with `esc-skills verify --base HEAD --head evolve/{name}`, or delete the branch"
        raise GitError(f"this change was proposed already, on the branch evolve/{name}", hint)
    watch.step("running both arms on gate seekers")
    outcome = run_trial(trial, watch.progress)
    files: dict[str, bytes | None] = {f"{folder}/{edit.path}": edit.text.encode()}
    proposal = describe_proposal(
        name, revision, candidate, repository.tree_after(revision.commit, files, folder), repository
    )
    evidence = build_evidence(proposal, trial, outcome)
    files.update({f"evidence/{name}/{path}": data for path, data in evidence.items()})
    message = _message(edit, outcome.decision)
    repository.commit_branch(f"evolve/{name}", revision.commit, files, message)
    return Evolution(weaknesses, screened, name, f"evolve/{name}", edit, proposal.changes, outcome.decision)


def proposal_id(operator: str, skill: str, trial_digest: str) -> str:
    """Return the id of a proposal: what it does to which skill, and the start of its trial's digest."""
    return f"{operator}-{skill}-{trial_digest.removeprefix('sha256:')[:10]}"


def describe_proposal(name: str, base: Revision, candidate: Bank, head_tree: str, repository: Repository) -> Proposal:
    """Return a change as its evidence states it."""
    folder = base.settings.skills
    base_tree = repository.tree_id(base.commit, folder)
    if base_tree is None:
        raise InputError(f"{folder}: is not in the base revision")
    paths = sorted({*base.bank.files, *candidate.files})
    files = {f"{folder}/{path}": (base.bank.files.get(path), candidate.files.get(path)) for path in paths}
    changed = {path: digests for path, digests in files.items() if digests[0] != digests[1]}
    return Proposal(name, folder, base_tree, head_tree, changed, compare_banks(base.bank.skills, candidate.skills))


def _message(edit: Edit, decision: Decision) -> str:
    verb = {"new": "Add", "narrow": "Narrow", "examples": "Better examples for"}[edit.operator]
    return (
        f"{verb} {edit.skill}\n\n"
        f"Found: {edit.weakness.message}.\n"
        f"Gate: {decision.verdict}, {decision.effect:+.1f} points over {decision.draws} pairs. {decision.reason}\n"
        f"{decision.would_decide}".rstrip()
        + "\n"
    )
