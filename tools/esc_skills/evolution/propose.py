"""Evolution: a bank is diagnosed, an edit is made and screened, judged on fresh seekers, and left as a branch."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import PurePosixPath
from statistics import fmean
from typing import Protocol, TypeVar

from esc_skills.bank.changes import Change, compare_banks
from esc_skills.bank.reader import SKILL_FILE, Bank, check_references, parse_documents, read_bank
from esc_skills.errors import GitError, InputError
from esc_skills.evolution.analyst import Analyst, analyst_of
from esc_skills.evolution.diagnose import Weakness, diagnose
from esc_skills.evolution.evidence import Proposal, build_evidence
from esc_skills.evolution.gate import Decision
from esc_skills.evolution.refine import Edit, refine
from esc_skills.evolution.repository import Revision, read_refusals, read_revision
from esc_skills.evolution.trial import Trial, pair_of, run_trial
from esc_skills.git import Repository
from esc_skills.models.meter import Meter
from esc_skills.models.request import Model, ModelFault
from esc_skills.settings import ModelSettings
from esc_skills.simulation.draws import Draw, plan_draws
from esc_skills.simulation.players import SURROGATE, Players, cast_players, play
from esc_skills.simulation.runner import run_in_memory
from esc_skills.transcript import Transcript
from esc_skills.vocabulary import Arm, Split, Verdict

#: How many evolution seekers a bank is diagnosed and an edit is screened on.
DIAGNOSIS_DRAWS = 300
#: The same where calls are paid for.
MODEL_DRAWS = 40
#: How many edits are screened, the weightiest weaknesses first.
SCREENED = 6


_Item = TypeVar("_Item")


class Watch(Protocol):
    """Is told what is being done, for whoever waits."""

    def step(self, what: str) -> None:
        """A new step begins."""

    def progress(self, done: int, total: int) -> None:
        """`done` of `total` of the step are done."""

    def note(self, what: str) -> None:
        """Something that a person should know was left out."""


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


class Recorder(Model, Protocol):
    """A model that keeps the calls that were asked of it."""

    def packed(self, digests: Iterable[str]) -> bytes:
        """Return some calls as the content of a `calls.jsonl.gz`."""


@dataclass(frozen=True, slots=True)
class Team:
    """Which models do what in an evolution; without any, the surrogate and offline operators do it.

    Attributes:
        supporter: `surrogate`, or `endpoint/model`; seeker: the same.
        judge: Who judges safety beside the lexicon, if anybody.
        second_seeker: Who plays the gate's draws once more, if anybody.
        analyst: Who reads runs and writes edits beside the offline operators, if anybody.
        recorder: Who is asked for all that is not the surrogate.
        asked: How their models are asked: the settings of the revision that is evolved.
        draws: How many evolution seekers a bank is diagnosed and an edit is screened on.
        concurrency: How many episodes run at a time.
    """

    supporter: str = SURROGATE
    seeker: str = SURROGATE
    judge: str | None = None
    second_seeker: str | None = None
    analyst: str | None = None
    recorder: Recorder | None = None
    asked: ModelSettings = ModelSettings()  # noqa: RUF009 - frozen
    draws: int = DIAGNOSIS_DRAWS
    concurrency: int = 64

    def players(self, model: Model | None) -> Players:
        """Return who plays the episodes, asking a model."""
        return cast_players(self.supporter, self.seeker, judge=self.judge, model=model, asked=self.asked)

    def second_players(self, model: Model | None) -> Players | None:
        """Return who plays them with the second seeker, where there is one."""
        if self.second_seeker is None:
            return None
        asked = replace(self.asked, seeker=self.asked.second_seeker)
        return cast_players(self.supporter, self.second_seeker, judge=self.judge, model=model, asked=asked)


async def evolve(repository: Repository, folder: str | None, watch: Watch, team: Team = Team()) -> Evolution:
    """Diagnose the bank of HEAD, propose the edit that screens best, and leave a branch with its evidence.

    Work tree, index and current branch stay as they are; uncommitted changes are no part of it.

    Args:
        repository: The repository.
        folder: The bank's folder; the settings' where it is None.
        watch: Told what is being done.
        team: Which models do what.

    Raises:
        InputError: The bank, the profiles or the settings cannot be used.
        GitError: There is no commit, or the same proposal exists already.
    """
    revision = read_revision(repository, "HEAD", folder)
    return await _Evolving(repository, revision, watch, team).run()


def skill_paths(bank: Bank) -> dict[str, str]:
    """Return the file of each skill, relative to the bank's folder."""
    paths = [path for path in bank.files if PurePosixPath(path).name == SKILL_FILE]
    return {PurePosixPath(path).parent.name: path for path in paths}


def _in_turn(one: Iterable[_Item], other: Iterable[_Item]) -> list[_Item]:
    return [item for pair in zip_longest(one, other) for item in pair if item is not None]


class _Evolving:
    """One evolution, step by step."""

    def __init__(self, repository: Repository, revision: Revision, watch: Watch, team: Team) -> None:
        self.repository, self.revision, self.watch, self.team = repository, revision, watch, team
        self.players = team.players(team.recorder)
        self.draws = plan_draws(revision.bank.digest, revision.population, Split.EVOLUTION, 0, team.draws)

    async def run(self) -> Evolution:
        self.watch.step("simulating the bank on evolution profiles")
        run = await self._simulate(self.revision.bank, Arm.RUN)
        weaknesses, edits = await self._find_edits(run)
        screened = tuple([await self._screen(edit, run) for edit in edits[:SCREENED]])
        promising = [each for each in screened if each.effect > 0 and not each.red_flags]
        if not promising:
            return Evolution(weaknesses, screened)
        best = max(promising, key=lambda each: each.effect)
        return await self._propose(best.edit, weaknesses, screened)

    async def _find_edits(self, run: tuple[Transcript, ...]) -> tuple[tuple[Weakness, ...], list[Edit]]:
        """Return what is weak, and the edits that answer it: the analyst's and those of the offline operators in turn."""
        bank, team = self.revision.bank, self.team
        counted, read, written = diagnose(run, bank.skills), tuple[Weakness, ...](), list[Edit]()
        if team.analyst and team.recorder:
            self.watch.step("asking the analyst")
            analyst = analyst_of(bank.skills, team.analyst, team.recorder, bank.digest, team.asked.analyst)
            read = await self._read_with(analyst, run, counted)
            written = [edit async for edit in self._edits_by(analyst, _in_turn(read, counted))]
        offline = refine(counted, bank.skills, skill_paths(bank), run)
        return (*counted, *read), _in_turn(written, offline)

    async def _read_with(
        self, analyst: Analyst, run: tuple[Transcript, ...], counted: tuple[Weakness, ...]
    ) -> tuple[Weakness, ...]:
        try:
            reading = await analyst.diagnose(run, self.revision.bank.skills, counted)
        except ModelFault as fault:
            self.watch.note(f"the analyst's diagnosis is left out: {fault}")
            return ()
        for dropped in reading.dropped:
            self.watch.note(f"a finding of the analyst is left out: {dropped}")
        return reading.weaknesses

    async def _edits_by(self, analyst: Analyst, weaknesses: Iterable[Weakness]) -> AsyncIterator[Edit]:
        bank = self.revision.bank
        paths, folder = skill_paths(bank), self.revision.settings.skills
        about = [(each, bank.skills[each.skill]) for each in weaknesses if each.skill and each.skill in bank.skills]
        for weakness, skill in about[:SCREENED]:
            refused = read_refusals(self.repository, f"{folder}/{paths[skill.name]}")
            try:
                edit = await analyst.revise(weakness, skill, paths[skill.name], refused)
            except ModelFault as fault:
                self.watch.note(f"no edit of {skill.name} by the analyst: {fault}")
                continue
            if edit is not None and (unknown := self._unknown_references(edit)):
                self.watch.note(f"an edit of {skill.name} by the analyst is left out: {unknown[0]}")
            elif edit is not None:
                yield edit

    def _unknown_references(self, edit: Edit) -> list[str]:
        """Return what an edit refers to that the bank does not hold, beyond what the bank refers to already."""
        files = self.revision.files
        before, after = (
            {finding.message for finding in check_references(parse_documents(each, "")[0])}
            for each in (files, {**files, edit.path: edit.text.encode()})
        )
        return sorted(after - before)

    async def _simulate(self, bank: Bank, arm: Arm) -> tuple[Transcript, ...]:
        async def work(draw: Draw) -> Transcript:
            return await play(self.players, draw, bank, arm)

        def told(done: int) -> None:
            self.watch.progress(done, len(self.draws))

        return await run_in_memory(self.draws, work, concurrency=self.team.concurrency, progress=told)

    async def _screen(self, edit: Edit, run: tuple[Transcript, ...]) -> Screened:
        self.watch.step(f"screening an edit of {edit.skill} on evolution profiles")
        edited = await self._simulate(self._candidate(edit), Arm.CANDIDATE)
        pairs = [pair_of(base, other) for base, other in zip(run, edited, strict=True)]
        flags = sorted({flag for pair in pairs for flag in pair.new_red_flags})
        return Screened(edit, 100 * fmean(pair.difference for pair in pairs), tuple(flags))

    def _candidate(self, edit: Edit) -> Bank:
        return read_bank({**self.revision.files, edit.path: edit.text.encode()}, self.revision.settings.skills)

    async def _propose(self, edit: Edit, weaknesses: tuple[Weakness, ...], screened: tuple[Screened, ...]) -> Evolution:
        revision, repository, folder = self.revision, self.repository, self.revision.settings.skills
        meter = Meter(self.team.recorder) if self.team.recorder else None
        candidate, players = self._candidate(edit), self.team.players(meter)
        second = self.team.second_players(meter)
        trial = Trial(revision.bank, candidate, revision.population, revision.settings.gate, players, second)
        name = proposal_id(edit.operator, edit.skill, trial.digest)
        if repository.branch_exists(f"evolve/{name}"):
            hint = f"verify it with `esc-skills verify --base HEAD --head evolve/{name}`, or delete the branch"
            raise GitError(f"this change was proposed already, on the branch evolve/{name}", hint)
        self.watch.step("running both arms on gate seekers")
        outcome = await run_trial(trial, self.watch.progress, concurrency=self.team.concurrency)
        files: dict[str, bytes | None] = {f"{folder}/{edit.path}": edit.text.encode()}
        head_tree = repository.tree_after(revision.commit, files, folder)
        proposal = describe_proposal(name, revision, candidate, head_tree, repository)
        evidence = build_evidence(proposal, trial, outcome, self._recorded(meter))
        files.update({f"evidence/{name}/{path}": data for path, data in evidence.items()})
        repository.commit_branch(f"evolve/{name}", revision.commit, files, _message(edit, outcome.decision))
        return Evolution(weaknesses, screened, name, f"evolve/{name}", edit, proposal.changes, outcome.decision)

    def _recorded(self, meter: Meter | None) -> bytes | None:
        recorder = self.team.recorder
        return recorder.packed(meter.digests) if recorder and meter and meter.digests else None


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
    verb = {"new": "Add", "narrow": "Narrow", "examples": "Better examples for", "revise": "Revise"}[edit.operator]
    return (
        f"{verb} {edit.skill}\n\n"
        f"Found: {edit.weakness.message.rstrip('.')}.\n"
        f"Gate: {decision.verdict}, {decision.effect:+.1f} points over {decision.draws} pairs. {decision.reason}\n"
        f"{decision.would_decide}".rstrip()
        + "\n"
    )
