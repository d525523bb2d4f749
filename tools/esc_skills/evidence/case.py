"""The case: all that a verification reads of one proposal, each thing once and as a typed value.

A property that cannot be had ends the verification with the reason. So a check may ask for what it needs, whatever was asked
before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from esc_skills.bank.reader import Bank, read_bank, visible
from esc_skills.bank.skill import SKILL_FILE
from esc_skills.documents.text import MAX_DOCUMENT_BYTES
from esc_skills.errors import EscError, GitError, InputError
from esc_skills.evidence.build import build_evidence
from esc_skills.evidence.change import MergedChange, shown_path
from esc_skills.evidence.files import CALLS, EPISODES, FILES, SIGNATURE, STATEMENT, calls_ref
from esc_skills.evidence.kinds import EVIDENCE_FOLDER, SIGNERS, Kind, lies_beside
from esc_skills.evidence.ownership import OwnersWord, word_on_spans
from esc_skills.evidence.proposal import describe_proposal
from esc_skills.evidence.revision import Revision, clean_folder, read_revision
from esc_skills.evidence.signature import Purpose, SignatureError, check_signature
from esc_skills.evidence.span_coverage import Coverage, cover, suffices
from esc_skills.evidence.statement import Statement, read_statement
from esc_skills.evidence.trial import Outcome, Trial, run_trial
from esc_skills.evidence.verification import invalid, missing
from esc_skills.evidence.witness import is_reproducible
from esc_skills.git import REGULAR, ChangedFile, MalformedObjectError, Repository
from esc_skills.ledger.book import find_ledger
from esc_skills.ledger.entries import Ledger, LedgerError, Registration
from esc_skills.models.replay import ReplayModel
from esc_skills.simulation.players import SURROGATE, Players
from esc_skills.simulation.runner import wait_for
from esc_skills.simulation.team import Team
from esc_skills.vocabulary import Verdict

_EVIDENCE_PATH = re.compile(rf"{EVIDENCE_FOLDER}/([a-z0-9][a-z0-9-]{{0,120}})/([^/]+)")
_MERGED = "was in the base before; a proposal brings evidence of its own, which `esc-skills evidence collect` makes"
#: 200 pairs with a judge and a second seeker come to a third of this.
_MAX_CALLS = 300_000_000


@dataclass(frozen=True, slots=True)
class Demand:
    """What somebody asks of a verification.

    Attributes:
        ledger: The ref of the ledger; None for that of the clone.
        require_signature: Whether evidence without an allowed signer's signature is incomplete.
        progress: Told how many pairs are done, and how many there are at most.
    """

    ledger: str | None
    require_signature: bool
    progress: Callable[[int, int], None]


class Case:
    """A change and the one proposal in it.

    Args:
        repository: The repository.
        change: What merging it changes.
        demand: What is asked.
    """

    def __init__(self, repository: Repository, change: MergedChange, demand: Demand) -> None:
        self.repository, self.change, self.demand = repository, change, demand

    @property
    def brings_evidence(self) -> bool:
        """Whether there is a file of evidence in the change; who takes a proposal back deletes some and brings none."""
        return any(_EVIDENCE_PATH.fullmatch(each.path) and each.kind != "D" for each in self.change.files)

    @cached_property
    def name(self) -> str:
        """The name of the one proposal whose evidence is in the change."""
        found = sorted({mark[1] for each in self.change.files if (mark := _EVIDENCE_PATH.fullmatch(each.path))})
        if len(found) > 1:
            held = f"holds {len(found)} proposals ({', '.join(found)})"
            raise invalid("evidence", f"{EVIDENCE_FOLDER}/: {held}; one at a time is judged")
        return found[0]

    @cached_property
    def evidence(self) -> dict[str, bytes]:
        """The files of the evidence by name; each of them is a new regular one."""
        folder = f"{EVIDENCE_FOLDER}/{self.name}"
        ours = {each.path: each for each in self.change.files if each.path.startswith(f"{folder}/")}
        for path, each in ours.items():
            _require_new(path, path.removeprefix(f"{folder}/"), each)
        for path in (f"{folder}/{file}" for file in sorted(FILES)):
            if path not in ours:
                there = self.repository.tree_id(self.change.head, path)
                raise invalid("evidence", f"{path}: {_MERGED if there else 'is missing'}")
        files = self.repository.read_tree(self.change.head, folder)
        for file, data in files.items():
            if file not in (EPISODES, CALLS) and len(data) > 10 * MAX_DOCUMENT_BYTES:
                raise invalid("evidence", f"{folder}/{file}: has {len(data):,} bytes")
        return files

    @cached_property
    def statement(self) -> Statement:
        """What the proposal states of itself."""
        return read_statement(self.evidence[STATEMENT], self.name)

    @cached_property
    def files(self) -> dict[str, bytes]:
        """The files of the evidence, with recorded calls that are kept beside all branches."""
        if not self.statement.holds_calls or CALLS in self.evidence:
            return self.evidence
        ref = calls_ref(self.name)
        try:
            calls = self.repository.read_kept(ref)
        except MalformedObjectError:
            raise
        except GitError as error:
            raise invalid("calls", error.message) from error
        if calls is None:
            raise missing("calls", f"the recorded calls are not in this clone; run `git fetch origin {ref}:{ref}`")
        return {**self.evidence, CALLS: calls}

    @cached_property
    def folder(self) -> str:
        """The bank's folder, which the statement names and the base holds."""
        folder, place = self.statement.folder, self.statement.place
        try:
            clean = clean_folder(folder)
        except InputError as error:
            raise invalid("scope", f"{place}: {error.message}") from error
        if clean != folder or clean.split("/")[0] == EVIDENCE_FOLDER:
            raise invalid("scope", f"{place}: {folder!r} is no folder of a bank (/subject/0/name)")
        if self.repository.tree_id(self.change.base, f"{folder}/{SKILL_FILE}"):
            raise invalid("scope", f"{place}: {folder!r} is a skill and no bank (/subject/0/name)")
        if self.repository.tree_id(self.change.base, folder) is None:
            raise invalid("scope", f"{place}: {folder!r} is not in the base (/subject/0/name)")
        own = clean_folder(self.change.settings.skills)
        if folder != own and (Kind.BANK in self.change.kinds or not lies_beside(folder, own)):
            found = f"{folder!r} is another bank than {own!r}, which the base's settings name (/subject/0/name)"
            raise invalid("scope", f"{place}: {found}")
        return folder

    @cached_property
    def base(self) -> Revision:
        """The base: its bank, profiles and settings."""
        try:
            return read_revision(self.repository, self.change.base, self.folder)
        except InputError as error:
            if self.folder == self.change.settings.skills:
                raise  # the base itself cannot be used, whatever the proposal says
            raise invalid("scope", f"{self.folder} is no bank in the base: {error.message}") from error

    @cached_property
    def files_after(self) -> dict[str, bytes]:
        """The bank's files after the change, by path relative to its folder."""
        try:
            return visible(self.repository.read_tree(self.change.head, self.folder))
        except MalformedObjectError:
            raise
        except GitError as error:
            raise invalid("bank", error.message) from error

    @cached_property
    def candidate(self) -> Bank:
        """The bank after the change."""
        try:
            return read_bank(self.files_after, self.folder, self.change.settings.vocabulary)
        except InputError as error:
            raise invalid("bank", error.message) from error

    @cached_property
    def recorded(self) -> ReplayModel | None:
        """The model that answers from the recorded calls; None for a proposal without any."""
        if CALLS not in self.files:
            return None
        try:
            return ReplayModel(self.files[CALLS], f"{EVIDENCE_FOLDER}/{self.name}/{CALLS}", _MAX_CALLS)
        except EscError as error:
            raise invalid("calls", error.message) from error

    @cached_property
    def unregistered(self) -> Trial:
        """The trial of the change, before its registration is looked up."""
        stated, settings = self.statement.inputs, self.base.settings
        players, second = self._cast()
        # The threshold is the ledger's to say, and its entry is held against the statement later.
        threshold = stated.gate.threshold if self.statement.registration else settings.gate.threshold
        gate = replace(settings.gate, threshold=threshold)
        return Trial(self.base.bank, self.candidate, self.base.population, gate, players, second)

    def _cast(self) -> tuple[Players, Players | None]:
        """Return who plays with the first seeker, and with the second one where the statement names one."""
        models, asked = self.statement.inputs.models, self.base.settings.models
        plays = any(each not in (SURROGATE, None) for each in models.values())
        if plays != (self.recorded is not None):
            what = "names models and holds no recorded calls" if plays else "names no model and holds recorded calls"
            raise invalid("calls", f"the evidence {what} ({CALLS})")
        supporter, seeker = str(models["supporter"]), str(models["seeker"])
        try:
            team = Team(supporter, seeker, models["judge"], models["second_seeker"], asked=asked)
            return team.players(self.recorded), team.second_players(self.recorded)
        except InputError as error:
            raise invalid("models", f"/predicate/inputs/models: {error.message}") from error

    @cached_property
    def ledger(self) -> Ledger | None:
        """The ledger in which the statement says that it is registered; None where it says that it is in none."""
        return require_ledger(self.repository, self.demand.ledger) if self.statement.registration else None

    @cached_property
    def entry(self) -> Registration | None:
        """The ledger's entry that the statement names; None for a proposal that was made offline."""
        if self.ledger is None or self.statement.registration is None:
            return None
        number, place = self.statement.registration.number, f"{self.statement.place}: /predicate/registration"
        if number > len(self.ledger.entries):
            detail = (
                f"{place}: the ledger of this clone ends at entry {len(self.ledger.entries)}; run `git fetch origin "
            )
            detail += "ledger:refs/remotes/origin/ledger`, and if that does not help the entry is not there"
            raise missing("registration", detail)
        entry = self.ledger.registration(number)
        if entry is None:
            raise invalid("registration", f"{place}: the ledger's entry {number} is no registration")
        return entry

    @cached_property
    def trial(self) -> Trial:
        """The trial of the change as it was registered."""
        return replace(self.unregistered, registered=self.statement.registration)

    @cached_property
    def outcome(self) -> Outcome:
        """What the trial comes to when it is run again, or replayed from the recorded calls."""
        run = run_trial(self.trial, self.demand.progress)
        if self.recorded is None:
            return wait_for(run)
        try:
            return wait_for(run)
        except InputError as error:
            raise invalid("calls", error.message) from error

    @cached_property
    def coverage(self) -> Coverage:
        """What the words of the change were played in, counted again, with its spans left out again."""
        try:
            return wait_for(cover(self.trial, self.outcome, self.base.settings))
        except InputError as error:
            raise invalid("calls", error.message) from error

    @cached_property
    def signers(self) -> bytes | None:
        """The base's file of allowed signers; None where it has none."""
        return self.repository.read_file(self.change.base, SIGNERS)

    @cached_property
    def signer(self) -> str | None:
        """Who signed the statement; None where nobody did, or where the base does not say whose signature counts."""
        made, place = self.files.get(SIGNATURE), f"{EVIDENCE_FOLDER}/{self.name}/{SIGNATURE}"
        if made is None or self.signers is None:
            return None
        try:
            return check_signature(self.files[STATEMENT], made, self.signers, Purpose.EVIDENCE)
        except SignatureError as error:
            raise invalid("signature", f"{place}: {error.message}") from error

    @property
    def counts_in_full(self) -> bool:
        """Whether whoever ran the models is trusted with it; episodes that everybody gets again need nobody's trust."""
        trusted = self.base.settings.gate.trusted
        return not trusted or is_reproducible(self.trial.models) or self.signer in trusted

    @cached_property
    def word(self) -> OwnersWord:
        """What owners said of the spans that no simulation vouches for."""
        try:
            ledger = find_ledger(self.repository, self.demand.ledger)
        except LedgerError as error:
            raise invalid("ledger", error.message) from error
        return word_on_spans(self.repository, self.change, ledger, self.coverage)

    @cached_property
    def verdict(self) -> Verdict:
        """The verdict: the gate's acceptance stands where every changed span is vouched for, and whoever played is enough."""
        vouched = self.word.is_given and not self.coverage.is_mixed
        stands = vouched and self.counts_in_full and suffices(self.coverage, self.base.settings)
        accepted = self.outcome.decision.verdict is Verdict.ACCEPT
        return Verdict.INDECISIVE if accepted and not stands else self.outcome.decision.verdict

    @cached_property
    def rebuilt(self) -> dict[str, bytes]:
        """The files of the evidence as they are built again."""
        tree = str(self.repository.tree_id(self.change.head, self.folder))
        proposal = describe_proposal(self.name, self.base, self.candidate, tree, self.repository)
        return build_evidence(proposal, self.trial, self.outcome, self.coverage, self._calls_again())

    def _calls_again(self) -> bytes | None:
        recorded, _ = self.recorded, self.coverage
        if recorded is None:
            return None
        if recorded.unused:
            place = f"{EVIDENCE_FOLDER}/{self.name}/{CALLS}"
            raise invalid("calls", f"{place}: the call {recorded.unused[0]} belongs to no episode")
        return recorded.packed(recorded.used)


def require_ledger(repository: Repository, named: str | None) -> Ledger:
    """Return the ledger that a clone holds.

    Raises:
        RefusedError: It holds none, or one that does not hold together.
    """
    try:
        ledger = find_ledger(repository, named)
    except LedgerError as error:
        raise invalid("ledger", error.message) from error
    if ledger is None:
        detail = "this clone holds no ledger; run `git fetch origin ledger:refs/remotes/origin/ledger`"
        raise missing("ledger", detail)
    return ledger


def _require_new(path: str, name: str, file: ChangedFile) -> None:
    if name not in (*FILES, CALLS, SIGNATURE):
        raise invalid("scope", f"{shown_path(path)}: is no file of the evidence")
    if file.kind != "A":
        raise invalid("evidence", f"{path}: {_MERGED}")
    if file.mode != REGULAR:
        raise invalid("scope", f"{path}: has mode {file.mode:o} where a new regular file (100644) is asked")
