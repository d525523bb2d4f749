"""Evolution: a bank is diagnosed, an edit is made and screened, judged on fresh seekers, and left as a branch."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from pathlib import PurePosixPath
from statistics import fmean
from typing import TypeVar

from esc_skills.bank.entrance import ENTRANCE_FILE
from esc_skills.bank.reader import Bank, check_references, parse_documents, read_bank
from esc_skills.bank.skill import SKILL_FILE, Example
from esc_skills.errors import FaultyRunError
from esc_skills.evidence.exercise import Exercise
from esc_skills.evidence.revision import Revision, read_revision
from esc_skills.evidence.trial import pair_of
from esc_skills.gate.decision import Decision
from esc_skills.git import Repository
from esc_skills.ledger.book import LedgerBook
from esc_skills.models.request import ModelFault
from esc_skills.proposing.analyst import Analyst, analyst_of
from esc_skills.proposing.changed_skills import applied, with_entrance
from esc_skills.proposing.diagnosis import Weakness, diagnose
from esc_skills.proposing.operators import Edit, choose_examples, fewest_examples, refine
from esc_skills.proposing.propose import Draft, Proposed, Watch, propose
from esc_skills.proposing.refusals import read_refusals
from esc_skills.simulation.both_arms import Planned, play_all
from esc_skills.simulation.draws import plan_draws
from esc_skills.simulation.intervals import Interval, t_interval
from esc_skills.simulation.team import Team
from esc_skills.transcript import Transcript
from esc_skills.vocabulary import Arm, Split, Verdict

#: How many edits are screened, the weightiest weaknesses first.
SCREENED = 6


_Item = TypeVar("_Item")


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
        edit: The edit that was proposed; None where none was worth it.
        made: The proposal, with it.
    """

    weaknesses: tuple[Weakness, ...]
    screened: tuple[Screened, ...]
    edit: Edit | None = None
    made: Proposed | None = None

    @property
    def verdict(self) -> Verdict:
        """The verdict; indecisive where nothing was proposed."""
        return self.made.verdict if self.made else Verdict.INDECISIVE


async def evolve(
    repository: Repository,
    folder: str | None,
    watch: Watch,
    team: Team = Team(),  # noqa: B008 - frozen
    book: LedgerBook | None = None,
) -> Evolution:
    """Diagnose the bank of HEAD, propose the edit that screens best, and leave a branch with its evidence.

    Work tree, index and current branch stay as they are; uncommitted changes are no part of it.

    Args:
        repository: The repository.
        folder: The bank's folder; the settings' where it is None.
        watch: Told what is being done.
        team: Which models do what.
        book: The ledger that the proposal is registered in; None leaves it unregistered.

    Raises:
        InputError: The bank, the profiles or the settings cannot be used.
        GitError: There is no commit, or the same proposal exists already.
    """
    revision = read_revision(repository, "HEAD", folder)
    return await _Evolving(repository, revision, watch, team, book).run()


def skill_paths(bank: Bank) -> dict[str, str]:
    """Return the file of each skill, relative to the bank's folder."""
    paths = [path for path in bank.files if PurePosixPath(path).match(f"*/{SKILL_FILE}") and path != ENTRANCE_FILE]
    return {PurePosixPath(path).parent.name: path for path in paths}


def _in_turn(one: Iterable[_Item], other: Iterable[_Item]) -> list[_Item]:
    return [item for pair in zip_longest(one, other) for item in pair if item is not None]


class _Evolving:
    """One evolution, step by step."""

    def __init__(
        self, repository: Repository, revision: Revision, watch: Watch, team: Team, book: LedgerBook | None
    ) -> None:
        self.repository, self.revision, self.watch, self.team, self.book = repository, revision, watch, team, book
        self.players = team.players(team.recorder)
        self.played: dict[tuple[str, Arm], tuple[Transcript, ...]] = {}
        self.draws = plan_draws(revision.bank.digest, revision.population, Split.EVOLUTION, 0, team.draws)

    async def run(self) -> Evolution:
        self.watch.step("simulating the bank on evolution profiles")
        run = await self._simulate(self.revision.bank, Arm.RUN)
        self._require_answers(run, "the bank's episodes")
        weaknesses, edits = await self._find_edits(run)
        screened = tuple([await self._screen(edit, run) for edit in edits[:SCREENED]])
        promising = [each for each in screened if each.effect > 0 and not each.red_flags]
        if not promising:
            return Evolution(weaknesses, screened)
        best = max(promising, key=lambda each: each.effect)
        return await self._propose(await self._without_idle_examples(best.edit, run), weaknesses, screened)

    def _require_answers(self, run: tuple[Transcript, ...], whose: str) -> None:
        """Tell of episodes that ended in a fault, and raise where they are so many that nothing can be learned."""
        kinds = Counter(str(each.termination) for each in run if each.termination.is_fault)
        if not kinds:
            return
        found = f"{kinds.total()} of {len(run)} of {whose} ended in a fault of a model"
        found += f" ({', '.join(f'{count} {kind}' for kind, count in sorted(kinds.items()))})"
        if kinds.total() * 2 >= len(run):
            raise FaultyRunError(found, "try another model, or see docs/models.md for what each fault means")
        self.watch.note(found)

    async def _find_edits(self, run: tuple[Transcript, ...]) -> tuple[tuple[Weakness, ...], list[Edit]]:
        """Return what is weak, and the edits that answer it: the analyst's and those of the offline operators in turn."""
        bank, team = self.revision.bank, self.team
        counted, read, written = diagnose(run, bank.skills), tuple[Weakness, ...](), list[Edit]()
        if team.analyst and team.recorder:
            self.watch.step("asking the analyst")
            analyst = analyst_of(
                bank.skills,
                team.analyst,
                team.recorder,
                bank.digest,
                team.asked.analyst,
                self.revision.settings.vocabulary,
            )
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
        undecided = {each.number for each in self.book.ledger.undecided()} if self.book else set()
        about = [(each, bank.skills[each.skill]) for each in weaknesses if each.skill and each.skill in bank.skills]
        for weakness, skill in about[:SCREENED]:
            refused = read_refusals(self.repository, f"{folder}/{paths[skill.name]}", undecided)
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
            for each in (files, {**files, **_encoded(edit)})
        )
        return sorted(after - before)

    async def _simulate(self, bank: Bank, arm: Arm) -> tuple[Transcript, ...]:
        """Return the episodes of a bank on the evolution draws, which are played once."""
        if (known := self.played.get((bank.digest, arm))) is not None:
            return known
        planned = [Planned(draw, bank, arm) for draw in self.draws]
        played = await play_all(self.players, planned, concurrency=self.team.concurrency, progress=self.watch.progress)
        self.played[bank.digest, arm] = played
        return played

    async def _screen(self, edit: Edit, run: tuple[Transcript, ...]) -> Screened:
        self.watch.step(f"screening an edit of {edit.skill} on evolution profiles")
        edited = await self._simulate(self._candidate(edit), Arm.CANDIDATE)
        self._require_answers(edited, f"the episodes with an edit of {edit.skill}")
        pairs = [pair_of(base, other) for base, other in zip(run, edited, strict=True)]
        flags = sorted({flag for pair in pairs for flag in pair.new_red_flags})
        return Screened(edit, 100 * fmean(pair.difference for pair in pairs), tuple(flags))

    async def _without_idle_examples(self, edit: Edit, run: tuple[Transcript, ...]) -> Edit:
        """Return an edit without the new examples that are not shown to help, which the rule on spans would leave to an owner."""
        skill, path = self.revision.bank.skills.get(edit.skill), skill_paths(self.revision.bank).get(edit.skill, "")
        if skill is None or not edit.examples:
            return edit
        standing = skill.examples_in(skill.language)
        self.watch.step(f"leaving out each new example of {edit.skill} on evolution profiles")
        bank = self._candidate(edit)
        whole = await self._simulate(bank, Arm.CANDIDATE)
        help_of: dict[Example, Interval] = {}
        for example in edit.examples:
            others = [each for each in edit.examples if each != example]
            if example not in standing and len(others) >= fewest_examples(skill):
                without = self._candidate(choose_examples(edit, skill, path, others))
                help_of[example] = t_interval(await self._gain(whole, bank, without))
        best_first = sorted(help_of, key=lambda each: help_of[each].low, reverse=True)
        least = fewest_examples(skill) - (len(edit.examples) - len(help_of))
        kept = [each for at, each in enumerate(best_first) if at < least or help_of[each].low > 0]
        chosen = [each for each in edit.examples if each not in help_of or each in kept]
        if len(chosen) == len(edit.examples):
            return edit
        fewer = await self._screen(choose_examples(edit, skill, path, chosen), run)
        return fewer.edit if fewer.effect > 0 and not fewer.red_flags else edit

    async def _gain(self, whole: tuple[Transcript, ...], bank: Bank, without: Bank) -> list[float]:
        """Return what an edit gains, in points, beside the same with less in it: none where that was not read."""
        exercise = Exercise(self.players, (without, bank), 1)
        exercise.add(self.draws, [(each, each) for each in whole])
        read = sorted({at for change in exercise.changes for at in exercise.places(change)})
        planned = [Planned(self.draws[at], without, Arm.CANDIDATE) for at in read]
        less = await play_all(self.players, planned, concurrency=self.team.concurrency, progress=self.watch.progress)
        gained = {at: 100 * pair_of(other, whole[at]).difference for at, other in zip(read, less, strict=True)}
        return [gained.get(at, 0.0) for at in range(len(whole))]

    def _candidate(self, edit: Edit) -> Bank:
        settings = self.revision.settings
        return read_bank({**self.revision.files, **_encoded(edit)}, settings.skills, settings.vocabulary)

    async def _propose(self, edit: Edit, weaknesses: tuple[Weakness, ...], screened: tuple[Screened, ...]) -> Evolution:
        commit, folder = self.revision.commit, self.revision.settings.skills
        edited = {f"{folder}/{path}": data for path, data in _encoded(edit).items()}
        files = with_entrance(self.revision, edited, folder)
        bank = applied(self.revision, files, folder)
        draft = Draft(edit.operator, edit.skill, bank, commit, files, partial(_message, edit))
        made = await propose(self.repository, self.revision, draft, self.watch, self.team, self.book)
        return Evolution(weaknesses, screened, edit, made)


def _encoded(edit: Edit) -> dict[str, bytes]:
    return {path: text.encode() for path, text in edit.files.items()}


def _message(edit: Edit, decision: Decision) -> str:
    verb = {"new": "Add", "narrow": "Narrow", "examples": "Better examples for", "revise": "Revise"}[edit.operator]
    return (
        f"{verb} {edit.skill}\n\n"
        f"Found: {edit.weakness.message.rstrip('.')}.\n"
        f"Gate: {decision.verdict}, {decision.effect:+.1f} points over {decision.draws} pairs. {decision.reason}\n"
        f"{decision.would_decide}".rstrip()
        + "\n"
    )
