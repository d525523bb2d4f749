"""What a forger has: a repository with real proposals, and the project's own code to make forgeries consistent with."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from esc_skills.bank.reader import Bank, read_bank
from esc_skills.documents.jsonl import canonical_json, compress, decompress, digest, json_lines
from esc_skills.evidence.build import build_evidence
from esc_skills.evidence.exercise import Exercise
from esc_skills.evidence.files import CALLS, EPISODES, PLAN, REVIEW, STATEMENT, render_json
from esc_skills.evidence.proposal import describe_proposal, proposal_id
from esc_skills.evidence.revision import Revision, read_revision
from esc_skills.evidence.span_coverage import cover
from esc_skills.evidence.trial import Outcome, Trial, change_digest, pair_of, run_trial
from esc_skills.gate.decision import decide
from esc_skills.git import Repository
from esc_skills.ledger.book import LedgerBook, read_ledger
from esc_skills.ledger.entries import Registered
from esc_skills.models.replay import ReplayModel
from esc_skills.models.request import Model
from esc_skills.simulation.both_arms import play_both_arms
from esc_skills.simulation.draws import Draw
from esc_skills.simulation.runner import wait_for
from esc_skills.simulation.team import Team
from esc_skills.transcript import Transcript

#: Contents by path.
Files = dict[str, bytes]
Entry = dict[str, Any]
Pairs = tuple[tuple[Transcript, Transcript], ...]
#: The branch that a forger leaves.
FORGED = "forged"
_LIMIT = 100_000_000


def worded(text: str, number: int) -> str:
    """A skill that says a word more in its first example, and so gets other seekers: rewording what nobody reads gets none."""
    return re.sub(r"(\*\*Supporter:\*\* .*)", rf"\1 I have time for {number + 2} more.", text, count=1)


def git(folder: Path, *arguments: str, stdin: bytes | None = None) -> str:
    """Run git and return what it printed."""
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, input=stdin)
    return done.stdout.decode().rstrip("\n")


@dataclass(frozen=True)
class Real:
    """A real proposal.

    Attributes:
        name: Its id; number is that of its registration.
        skills: The files of skills that it writes, by path from the root.
        evidence: The files of its evidence, by name.
    """

    name: str
    number: int
    skills: Files
    evidence: Files

    @property
    def predicate(self) -> dict[str, Any]:
        """What its statement says."""
        predicate: dict[str, Any] = json.loads(self.evidence[STATEMENT])["predicate"]
        return predicate


def read_real(folder: Path, branch: str) -> Real:
    """Read the proposal that a branch `evolve/…` holds beside `main`."""
    name = branch.removeprefix("evolve/")
    with Repository(folder) as repository:
        changed = git(folder, "diff", "--name-only", f"main...{branch}").split("\n")
        evidence = repository.read_tree(branch, f"evidence/{name}")
        skills = {path: repository.read_file(branch, path) or b"" for path in changed if path.startswith("skills/")}
    number = json.loads(evidence[STATEMENT])["predicate"]["registration"]["number"]
    return Real(name, number, skills, evidence)


def forget_ledgers(folder: Path) -> None:
    """Make a clone one that has seen no ledger."""
    shutil.rmtree(folder / ".git" / "esc-skills", ignore_errors=True)


@dataclass(frozen=True)
class Workshop:
    """A repository of the forger's own, with `main`, a ledger and two real proposals.

    Attributes:
        folder: The repository.
        real: The proposal that is forged, which the gate accepted.
        other: Another one, which it did not accept.
    """

    folder: Path
    real: Real
    other: Real

    def git(self, *arguments: str, stdin: bytes | None = None) -> str:
        """Run git in the repository."""
        return git(self.folder, *arguments, stdin=stdin)

    def copy(self, folder: Path) -> Workshop:
        """Return a copy that may be changed; like a fresh clone it has seen no ledger before."""
        shutil.copytree(self.folder, folder)
        forget_ledgers(folder)
        return Workshop(folder, self.real, self.other)

    # --- Branches -----------------------------------------------------------------------------------------------------

    def commit(self, files: Mapping[str, bytes | None], *, branch: str = FORGED, parent: str = "main") -> None:
        """Leave a branch with one commit."""
        with Repository(self.folder) as repository:
            repository.commit_branch(branch, parent, files, "A change\n")

    def propose(self, evidence: Mapping[str, bytes], *, of: Real | None = None, name: str | None = None) -> None:
        """Leave the forged branch: the skills of a real proposal beside some evidence."""
        of = of or self.real
        folder = f"evidence/{name or self._stated_name(evidence) or of.name}"
        self.commit({**of.skills, **{f"{folder}/{path}": data for path, data in evidence.items()}})

    def _stated_name(self, evidence: Mapping[str, bytes]) -> str:
        try:
            return str(json.loads(evidence[STATEMENT])["predicate"]["proposal"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return ""

    def put(self, folder: str, tree: str, *, ref: str = FORGED) -> str:
        """Return the id of a commit's tree with another tree in place of a folder; nothing is moved."""
        while folder:
            folder, _, name = folder.rpartition("/")
            lines = self.git("ls-tree", f"{ref}:{folder}").split("\n")
            tree = self.mktree(
                [*(each for each in lines if each.split("\t")[1] != name), f"040000 tree {tree}\t{name}"]
            )
        return tree

    def mktree(self, lines: Iterable[str]) -> str:
        """Return the id of a tree."""
        return self.git("mktree", "--missing", stdin="".join(f"{line}\n" for line in lines if line).encode())

    def raw_tree(self, *entries: tuple[str, str, str]) -> str:
        """Return the id of a tree written as it is: mode, name and id of each entry, whatever git thinks of them."""
        data = b"".join(f"{mode} {name}".encode() + b"\0" + bytes.fromhex(id) for mode, name, id in entries)
        return self.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=data)

    def blob(self, data: bytes) -> str:
        """Return the id of a file."""
        return self.git("hash-object", "-w", "--stdin", stdin=data)

    def move(self, tree: str, *parents: str, branch: str = FORGED) -> None:
        """Make a branch name a new commit of a tree."""
        options = [option for parent in parents for option in ("-p", parent)]
        commit = self.git("commit-tree", *options, "-m", "A change", tree)
        self.git("update-ref", f"refs/heads/{branch}", commit)

    # --- Trials -------------------------------------------------------------------------------------------------------

    @cached_property
    def revision(self) -> Revision:
        """What `main` holds."""
        with Repository(self.folder) as repository:
            return read_revision(repository, "main")

    def bank(self, skills: Mapping[str, bytes]) -> Bank:
        """The bank of `main` with some files written over."""
        over = {path.removeprefix("skills/"): data for path, data in skills.items()}
        return read_bank({**self.revision.files, **over}, "skills")

    def trial(self, of: Real | None = None, *, team: Team | None = None, model: Model | None = None) -> Trial:
        """The trial of a real proposal as it was registered.

        Args:
            of: Which proposal.
            team: Who plays; else those of the proposal.
            model: Who answers in place of the recorded calls.
        """
        of, revision = of or self.real, self.revision
        stated = of.predicate
        if model is None and CALLS in of.evidence:
            model = ReplayModel(of.evidence[CALLS], CALLS)
        team = team or Team(**stated["inputs"]["models"])
        players, second = team.players(model), team.second_players(model)
        gate = replace(revision.settings.gate, threshold=stated["inputs"]["gate"]["threshold"])
        registered = Registered(**stated["registration"])
        return Trial(revision.bank, self.bank(of.skills), revision.population, gate, players, second, registered)

    def build(
        self,
        trial: Trial,
        outcome: Outcome | None = None,
        *,
        of: Real | None = None,
        name: str | None = None,
        calls: bytes | None = None,
    ) -> Files:
        """Evidence as the tools build it, of whatever trial and outcome."""
        of = of or self.real
        outcome = outcome or run(trial)
        with Repository(self.folder) as repository:
            tree = repository.tree_after("main", of.skills, "skills")
            described = describe_proposal(name or of.name, self.revision, self.bank(of.skills), tree, repository)
        coverage = wait_for(cover(trial, outcome, self.revision.settings))
        return build_evidence(described, trial, outcome, coverage, calls)

    # --- The ledger ---------------------------------------------------------------------------------------------------

    @property
    def entries(self) -> list[Entry]:
        """The entries of the ledger, in their order."""
        with Repository(self.folder) as repository:
            files = repository.read_tree("ledger", "entries")
        return [json.loads(files[name]) for name in sorted(files)]

    def write_ledger(self, *steps: Mapping[str, Any], onto: str | None = None) -> None:
        """Write the ledger anew, a commit for each step: an entry, or files by path.

        Args:
            steps: What the commits add.
            onto: The commit that they follow; None begins the branch.
        """
        self.git("update-ref", "-d", "refs/heads/ledger")
        if onto:
            self.git("update-ref", "refs/heads/ledger", onto)
        files = [file_of(step) if "format" in step else step for step in steps]
        with Repository(self.folder) as repository:
            repository.append_commits("ledger", None, onto, files, "An entry")

    def append(self, *steps: Mapping[str, Any]) -> None:
        """Append commits to the ledger."""
        self.write_ledger(*steps, onto=self.git("rev-parse", "ledger"))

    def history_of(self, number: int) -> str:
        """The digest of the history up to an entry."""
        with Repository(self.folder) as repository:
            return read_ledger(repository, "refs/heads/ledger").histories[number - 1]

    def forget(self, commit: str) -> None:
        """Set the ledger back to a commit, as if what came after had never been seen."""
        self.git("update-ref", "refs/heads/ledger", commit)
        forget_ledgers(self.folder)

    def register(self, trial: Trial, name: str) -> Registered:
        """Register a trial as the tools do."""
        with Repository(self.folder) as repository:
            book = LedgerBook(repository, None)
            first = self.revision.settings.gate.threshold
            return book.registered(book.register(first, name, trial.terms))

    def registered_anew(
        self, trial: Trial, *, of: Real | None = None, calls: Callable[[], bytes] = lambda: b""
    ) -> Files:
        """Register a trial, run it, decide it, and return its evidence: all as the tools would.

        Args:
            trial: Whatever trial.
            of: Whose skills it is about.
            calls: Gives the calls that were recorded while it ran.
        """
        skill = PurePosixPath(next(iter((of or self.real).skills))).parent.name
        name = proposal_id("edit", skill, trial.digest)
        registered = self.register(trial, name)
        threshold = self.entries[registered.number - 1]["threshold"]
        trial = replace(trial.at_threshold(threshold), registered=registered)
        outcome = run(trial)
        evidence = self.build(trial, outcome, of=of, name=name, calls=calls() or None)
        self.append(decision(len(self.entries) + 1, registered.number, evidence))
        return evidence

    def run_on(self, *entries: Entry, name: str | None = None) -> None:
        """Propose the real change on a ledger of these entries, whose last one registers it, and decide it there."""
        self.write_ledger(*entries)
        last = entries[-1]
        with Repository(self.folder) as repository:
            registered = read_ledger(repository, "refs/heads/ledger").registered(last["number"])
        trial = replace(self.trial().at_threshold(last["threshold"]), registered=registered)
        evidence = self.build(trial, name=name)
        self.append(decision(last["number"] + 1, last["number"], evidence))
        self.propose(evidence)


def run(trial: Trial) -> Outcome:
    """Run a trial."""
    return wait_for(run_trial(trial, lambda done, total: None))


def play_again(trial: Trial, draws: Sequence[Draw]) -> Pairs:
    """Play whatever draws with both banks."""
    played = play_both_arms(trial.players, draws, trial.banks, concurrency=64, progress=lambda done, total: None)
    return tuple(wait_for(played))


def judged(trial: Trial, draws: Sequence[Draw], episodes: Pairs, *, renumbered: bool = True) -> Outcome:
    """An outcome of whatever episodes, with the decision that the gate comes to on them in this order."""
    in_order = tuple((replace(base, draw=at), replace(other, draw=at)) for at, (base, other) in enumerate(episodes))
    decision = decide([pair_of(*pair) for pair in in_order], trial.gate, exhausted=True)
    assert decision
    if renumbered:
        draws, episodes = [replace(draw, position=at) for at, draw in enumerate(draws)], in_order
    exercise = Exercise(trial.players, trial.banks, trial.gate.span_draws)
    exercise.add(draws, episodes)
    return Outcome(tuple(draws), episodes, (), decision, exercise)


def stating(evidence: Mapping[str, bytes], change: Callable[[dict[str, Any]], object]) -> Files:
    """Evidence whose statement says something else; nothing is made consistent again."""
    statement = json.loads(evidence[STATEMENT])
    change(statement["predicate"])
    return {**evidence, STATEMENT: render_json(statement).encode()}


def claiming(evidence: Mapping[str, bytes], real: Real) -> Files:
    """Evidence of something else that says that it was made as a real proposal's was."""
    stated = real.predicate
    kept = ("inputs", "registration", "change", "proposal", "base_tree", "files")
    plan, honest = json.loads(evidence[PLAN]), json.loads(real.evidence[PLAN])
    plan.update({key: honest[key] for key in ("change", "follows_from")})
    forged = {**evidence, PLAN: render_json(plan).encode()}
    forged = stating(forged, lambda predicate: predicate.update({key: stated[key] for key in kept}))
    return stating(forged, lambda predicate: predicate["plan"].update(digest=digest(forged[PLAN])))


def signed(evidence: Mapping[str, bytes]) -> Files:
    """Evidence whose statement has the digests of the files beside it, and of what it says itself."""

    def restate(predicate: dict[str, Any]) -> None:
        for name, key in ((EPISODES, "episodes"), (CALLS, "calls")):
            if name in evidence:
                lines, own = decompress(evidence[name], name, _LIMIT), digest(evidence[name])
                predicate[key] = {"count": lines.count(b"\n"), "digest": digest(lines), "file_digest": own}
        predicate["plan"]["digest"] = digest(evidence[PLAN])
        predicate["review"]["digest"] = digest(evidence[REVIEW])
        predicate["change"] = change_digest(predicate["inputs"])
        predicate["proposal"] = predicate["proposal"][:-10] + predicate["change"][7:17]

    return stating(evidence, restate)


def holding(evidence: Mapping[str, bytes], file: str, data: bytes) -> Files:
    """Evidence with another packed file, whose statement has the digest of its bytes."""
    key = "calls" if file == CALLS else "episodes"
    return stating({**evidence, file: data}, lambda predicate: predicate[key].update(file_digest=digest(data)))


def unpacked(data: bytes) -> str:
    """The text of a packed file."""
    return decompress(data, "", _LIMIT).decode()


def values_of(data: bytes) -> list[dict[str, Any]]:
    """The values of a packed file of JSON Lines."""
    return [json.loads(line) for line in unpacked(data).split("\n") if line]


def packed(values: Iterable[Any]) -> bytes:
    """Values as a packed file of JSON Lines."""
    return compress(json_lines(values))


def decision(number: int, registration: int, evidence: Mapping[str, bytes], **fields: Any) -> Entry:
    """The entry that decides a registration by what some evidence states."""
    predicate = json.loads(evidence[STATEMENT])["predicate"]
    result = {key: predicate["result"][key] for key in ("verdict", "draws", "e_value")}
    head = {"format": "esc-skills/ledger/1", "kind": "decision", "number": number, "registration": registration}
    return {**head, **result, "episodes": predicate["episodes"]["digest"], **fields}


def file_of(entry: Mapping[str, Any]) -> Files:
    """The file of an entry."""
    return {f"entries/{int(entry['number']):06}.json": (canonical_json(entry) + "\n").encode()}
