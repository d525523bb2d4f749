"""Verification: the verdict of a proposal, re-derived from git alone.

Nothing that a proposal says is believed that can be recomputed: both arms are simulated again, and every file of the
evidence is built again and compared.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from esc_skills import __version__
from esc_skills.bank.reader import SKILL_FILE, Bank, read_bank, visible
from esc_skills.documents.jsonl import decompress, digest, parse_json
from esc_skills.documents.schema import require_schema
from esc_skills.documents.text import MAX_DOCUMENT_BYTES, decode
from esc_skills.documents.yaml import escape_pointer
from esc_skills.errors import EscError, GitError, InputError
from esc_skills.evolution.evidence import CALLS, EPISODES, FILES, STATEMENT, build_evidence, render_json
from esc_skills.evolution.ledger import Ledger, LedgerError, Registration, find_ledger
from esc_skills.evolution.proposal import Team, describe_proposal
from esc_skills.evolution.repository import SETTINGS_FILE, Revision, clean_folder, read_revision
from esc_skills.evolution.trial import Outcome, Registered, Trial, change_digest, run_trial
from esc_skills.git import ChangedFile, Repository
from esc_skills.models.replay import ReplayModel
from esc_skills.settings import ModelSettings, read_settings
from esc_skills.simulation.players import SURROGATE, Players
from esc_skills.simulation.runner import wait_for
from esc_skills.validation import check_version_bump
from esc_skills.vocabulary import Verdict

_EVIDENCE_PATH = re.compile(r"evidence/([a-z0-9][a-z0-9-]{0,120})/([^/]+)")
_REGULAR_MODE = 0o100644
_MAX_EPISODES = 500_000_000
#: Deflate, no name, no comment, no time: nothing can ride along in the header.
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00"


class EvidenceStatus(StrEnum):
    """What the evidence of a proposal is worth."""

    VALID = "valid"
    INVALID = "invalid"
    STALE = "stale"
    MISSING = "missing"
    UNVERIFIABLE = "unverifiable"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked, whether it holds, and the place and reason where it does not."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What is left of a proposal once everything was recomputed.

    Attributes:
        status: What the evidence is worth.
        verdict: The verdict, re-derived; None unless the evidence is valid.
        checks: What was checked, in order; the last one failed where the evidence is not valid.
    """

    status: EvidenceStatus
    verdict: Verdict | None
    checks: tuple[Check, ...]


class _RefusedError(Exception):
    """Ends a verification with its status, the check that failed and why."""

    def __init__(self, status: EvidenceStatus, name: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.check = Check(name, False, detail)


def verify(
    repository: Repository,
    base: str,
    head: str,
    progress: Callable[[int, int], None],
    *,
    ledger: str | None = None,
) -> Verification:
    """Re-derive the verdict of the proposal that `head` adds to `base`.

    Args:
        repository: The repository; no remote of it is asked.
        base: What the proposal would be merged into.
        head: The proposal.
        progress: Told how many pairs are done, and how many there are at most.
        ledger: The ref of the ledger; else that of a remote, or the branch `ledger`.

    Raises:
        GitError: A revision is unknown, or the clone is too shallow.
        InputError: The base itself cannot be used.
    """
    checks: list[Check] = []
    try:
        verdict = _verify(repository, repository.resolve(base), repository.resolve(head), progress, checks, ledger)
    except _RefusedError as failure:
        return Verification(failure.status, None, (*checks, failure.check))
    return Verification(EvidenceStatus.VALID, verdict, tuple(checks))


def _verify(
    repository: Repository,
    base: str,
    head: str,
    progress: Callable[[int, int], None],
    checks: list[Check],
    ledger: str | None,
) -> Verdict:
    fork = repository.merge_base(base, head)
    changed = repository.changed_files(fork, head)
    name = _find_proposal(changed)
    files = _read_evidence(repository, head, changed, name)
    statement = _read_statement(files[STATEMENT], name)
    folder = _check_scope(repository, fork, changed, name, statement)
    _check_base_stands(repository, fork, base, folder)
    checks.append(Check("scope", True, f"touches {folder}/ and evidence/{name}/ alone"))
    _check_statement(statement, name)
    checks.append(Check("statement", True, f"made by version {statement['predicate']['tool']}"))
    revision = read_revision(repository, base, folder)
    try:
        files_at_head = visible(repository.read_tree(head, folder))
    except GitError as error:
        raise _invalid("bank", error.message) from error
    candidate = _read_candidate(files_at_head, folder)
    recorded = _open_calls(files, name)
    trial = _check_inputs(statement, revision, candidate, recorded)
    entry = _check_registration(repository, statement, name, ledger)
    if entry:
        trial = replace(trial, registered=Registered(**statement["predicate"]["registration"]))
        checks.append(
            Check("registration", True, f"entry {entry.number} of the ledger, number {entry.index} of its epoch")
        )
    _check_versions(revision, files_at_head)
    checks.append(Check("bank", True, f"{len(candidate.skills)} skills follow the contract; versions rise"))
    proposal = describe_proposal(name, revision, candidate, str(repository.tree_id(head, folder)), repository)
    checks.append(Check("inputs", True, "bank, profiles, gate and models are those of the base and the proposal"))
    outcome = _run_again(trial, progress, name) if recorded else wait_for(run_trial(trial, progress))
    rebuilt = build_evidence(proposal, trial, outcome, _calls_again(recorded, name))
    _compare(name, files, rebuilt)
    how = "replayed from the recorded calls" if recorded else "simulated again"
    checks.append(Check("evidence", True, f"{len(outcome.draws)} pairs {how}; every file is as rebuilt"))
    _check_decision(entry, repository, statement, outcome, ledger)
    checks.append(Check("verdict", True, outcome.decision.reason))
    return outcome.decision.verdict


def _check_registration(
    repository: Repository, statement: dict[str, Any], name: str, named: str | None
) -> Registration | None:
    """Return the ledger's entry of a proposal; None for one that was made offline."""
    predicate = statement["predicate"]
    stated, shown = predicate["registration"], f"evidence/{name}/{STATEMENT}: /predicate/registration"
    if stated is None:
        return None
    ledger = _find_ledger(repository, named)
    found = ledger.registration(stated["number"])
    if found is None:
        raise _invalid("registration", f"{shown}: the ledger's entry {stated['number']} is no registration")
    entry, commit = found
    if commit.tree != stated["tree"]:
        raise _invalid("registration", f"{shown}: the entries up to {entry.number} are the tree {commit.tree[:10]}")
    if (entry.proposal, entry.change) != (name, predicate["change"]):
        raise _invalid("registration", f"{shown}: the entry {entry.number} registers {entry.proposal}, another change")
    if not math.isclose(entry.threshold, predicate["inputs"]["gate"]["threshold"], rel_tol=1e-9):
        raise _invalid("registration", f"{shown}: the entry {entry.number} asks for the e-value {entry.threshold:.9g}")
    return entry


def _find_ledger(repository: Repository, named: str | None) -> Ledger:
    try:
        ledger = find_ledger(repository, named)
    except LedgerError as error:
        raise _invalid("ledger", error.message) from error
    if ledger is None:
        detail = "this clone holds no ledger; run `git fetch origin ledger:refs/remotes/origin/ledger`"
        raise _RefusedError(EvidenceStatus.MISSING, "ledger", detail)
    return ledger


def _check_decision(
    entry: Registration | None, repository: Repository, statement: dict[str, Any], outcome: Outcome, named: str | None
) -> None:
    """Refuse evidence that was not registered, and one that is not what the ledger says came of the registration."""
    if entry is None:
        detail = "made offline and not registered, so that somebody may have tried before; `esc-skills evidence renew` registers it"
        raise _RefusedError(EvidenceStatus.MISSING, "registration", detail)
    made = _find_ledger(repository, named).decisions.get(entry.number)
    if made is None:
        detail = f"the ledger holds no decision on the entry {entry.number}, which counts as refused"
        raise _RefusedError(EvidenceStatus.MISSING, "decision", detail)
    if made.episodes != statement["predicate"]["episodes"]["digest"] or made.verdict is not outcome.decision.verdict:
        raise _invalid("decision", f"the ledger's entry {made.number} rests on other episodes: {made.verdict}")


def _open_calls(files: dict[str, bytes], name: str) -> ReplayModel | None:
    """Return the model that answers from the recorded calls; None for a proposal without any."""
    if CALLS not in files:
        return None
    try:
        return ReplayModel(files[CALLS], f"evidence/{name}/{CALLS}")
    except EscError as error:
        raise _invalid("calls", error.message) from error


def _run_again(trial: Trial, progress: Callable[[int, int], None], name: str) -> Outcome:
    try:
        return wait_for(run_trial(trial, progress))
    except InputError as error:
        raise _invalid("calls", f"evidence/{name}/{CALLS}: {error.message}") from error


def _calls_again(recorded: ReplayModel | None, name: str) -> bytes | None:
    if recorded is None:
        return None
    if recorded.unused:
        place = f"evidence/{name}/{CALLS}"
        raise _invalid("calls", f"{place}: the call {recorded.unused[0]} belongs to no episode")
    return recorded.packed(recorded.used)


def _invalid(name: str, detail: str) -> _RefusedError:
    return _RefusedError(EvidenceStatus.INVALID, name, detail)


def _find_proposal(changed: tuple[ChangedFile, ...]) -> str:
    found = {mark[1] for each in changed if (mark := _EVIDENCE_PATH.fullmatch(each.path))}
    if not found:
        if not changed:
            detail = "the head adds nothing to the base; after a merge give the commit before it as --base"
        else:
            detail = (
                f"the head changes {changed[0].path} and adds no evidence; `esc-skills evolve` makes proposals with it"
            )
        raise _RefusedError(EvidenceStatus.MISSING, "evidence", detail)
    if len(found) > 1:
        raise _invalid(
            "evidence", f"evidence/: holds {len(found)} proposals ({', '.join(sorted(found))}); one at a time is judged"
        )
    return found.pop()


def _read_evidence(repository: Repository, head: str, changed: tuple[ChangedFile, ...], name: str) -> dict[str, bytes]:
    added = {each.path: each for each in changed if each.path.startswith(f"evidence/{name}/")}
    expected = {f"evidence/{name}/{file}" for file in FILES}
    if missing := sorted(expected - set(added)):
        raise _invalid("evidence", f"{missing[0]}: is missing")
    for path, each in added.items():
        if path not in expected | {f"evidence/{name}/{CALLS}"}:
            raise _invalid("scope", f"{path}: is no file of the evidence")
        if each.kind != "A" or each.mode != _REGULAR_MODE:
            raise _invalid("scope", f"{path}: should be a new regular file")
    files = repository.read_tree(head, f"evidence/{name}")
    for file, data in files.items():
        if file not in (EPISODES, CALLS) and len(data) > 10 * MAX_DOCUMENT_BYTES:
            raise _invalid("evidence", f"evidence/{name}/{file}: has {len(data):,} bytes")
    return files


def _read_statement(data: bytes, name: str) -> dict[str, Any]:
    shown = f"evidence/{name}/{STATEMENT}"
    try:
        text = decode(data, shown)
        statement: dict[str, Any] = parse_json(text, shown)
        require_schema(statement, "statement", shown)
    except EscError as error:
        raise _invalid("statement", error.message) from error
    if (line := _first_difference(text, render_json(statement))) is not None:
        raise _invalid("statement", f"{shown}:{line}: is not written as the tools write it")
    return statement


def _check_base_stands(repository: Repository, fork: str, base: str, folder: str) -> None:
    """Refuse evidence where the base moved: what was judged would not be what a merge makes."""
    settings = read_settings(repository.read_file(base, SETTINGS_FILE), SETTINGS_FILE)
    for path in (folder, settings.profiles, SETTINGS_FILE):
        if repository.tree_id(fork, path) != repository.tree_id(base, path):
            detail = (
                f"{path} of the base changed after the proposal branched off; rebase and run `esc-skills evolve` again"
            )
            raise _RefusedError(EvidenceStatus.STALE, "base", detail)


def _check_scope(
    repository: Repository, fork: str, changed: tuple[ChangedFile, ...], name: str, statement: dict[str, Any]
) -> str:
    folder: str = statement["subject"][0]["name"]
    try:
        clean = clean_folder(folder)
    except InputError as error:
        raise _invalid("scope", f"evidence/{name}/{STATEMENT}: {error.message}") from error
    if clean != folder or clean.split("/")[0] == "evidence":
        raise _invalid("scope", f"evidence/{name}/{STATEMENT}: {folder!r} is no folder of a bank (/subject/0/name)")
    if repository.tree_id(fork, f"{folder}/{SKILL_FILE}"):
        raise _invalid("scope", f"evidence/{name}/{STATEMENT}: {folder!r} is a skill and no bank (/subject/0/name)")
    if repository.tree_id(fork, folder) is None:
        raise _invalid("scope", f"evidence/{name}/{STATEMENT}: {folder!r} is not in the base (/subject/0/name)")
    skill_file = re.compile(rf"{re.escape(folder)}/(?:[a-z0-9]+(?:-[a-z0-9]+)*/)+{re.escape(SKILL_FILE)}")
    for each in changed:
        if not each.path.startswith((f"{folder}/", f"evidence/{name}/")):
            raise _invalid(
                "scope", f"{each.path}: lies outside {folder}/ and evidence/{name}/, which is all a proposal may touch"
            )
        if each.path.startswith(f"{folder}/") and not skill_file.fullmatch(each.path):
            raise _invalid("scope", f"{each.path}: is no {SKILL_FILE}; a proposal changes nothing else in a bank")
        if each.kind != "D" and each.mode != _REGULAR_MODE:
            raise _invalid("scope", f"{each.path}: has mode {each.mode:o} where a regular file (100644) is asked")
    return folder


def _check_statement(statement: dict[str, Any], name: str) -> None:
    """Check what the statement says of itself; this needs no simulation and holds for every version of the tool."""
    predicate, shown = statement["predicate"], f"evidence/{name}/{STATEMENT}"
    inputs = predicate["inputs"]
    if predicate["change"] != change_digest(inputs):
        raise _invalid(
            "statement", f"{shown}: /predicate/change is not the digest of /predicate/inputs; one of them was edited"
        )
    if predicate["tool"] != inputs["parameters"].get("tool"):
        raise _invalid("statement", f"{shown}: /predicate/tool differs from /predicate/inputs/parameters/tool")
    if predicate["proposal"] != name or not name.endswith(predicate["change"].removeprefix("sha256:")[:10]):
        raise _invalid(
            "statement", f"{shown}: /predicate/proposal, the folder {name} and /predicate/change do not belong together"
        )
    if predicate["tool"] != __version__:
        detail = f"made by version {predicate['tool']}, this is {__version__}; install esc-skills=={predicate['tool']}"
        raise _RefusedError(EvidenceStatus.UNVERIFIABLE, "tool", detail)


def _read_candidate(files: dict[str, bytes], folder: str) -> Bank:
    try:
        return read_bank(files, folder)
    except InputError as error:
        raise _invalid("bank", error.message) from error


def _check_versions(base: Revision, files: dict[str, bytes]) -> None:
    for path, data in files.items():
        before = base.files.get(path)
        if before is not None and before != data and path.endswith(SKILL_FILE):
            for finding in check_version_bump(before, data, f"{base.settings.skills}/{path}"):
                raise _invalid("bank", finding.as_text())


def _check_inputs(statement: dict[str, Any], base: Revision, candidate: Bank, recorded: ReplayModel | None) -> Trial:
    predicate = statement["predicate"]
    stated = predicate["inputs"]
    players, second = _cast(stated["models"], base.settings.models, recorded)
    # The threshold is the ledger's to say, and its entry is held against the statement later.
    threshold = stated["gate"]["threshold"] if predicate["registration"] else base.settings.gate.threshold
    gate = replace(base.settings.gate, threshold=threshold)
    trial = Trial(base.bank, candidate, base.population, gate, players, second)
    actual = trial.inputs()
    for key in ("parameters", "second_parameters"):
        _check_parameters(stated[key], actual[key], f"/predicate/inputs/{key}")
    for key, what in (("base", "bank"), ("profiles", "profiles"), ("gate", "gate settings")):
        if stated[key] != actual[key]:
            detail = (
                f"the {what} of the base changed since the evidence was made; rebase and run `esc-skills evolve` again"
            )
            raise _RefusedError(EvidenceStatus.STALE, key, detail)
    if stated["candidate"] != actual["candidate"]:
        raise _invalid("bank", _edited_file(predicate, base, candidate))
    return trial


def _check_parameters(stated: dict[str, Any], actual: dict[str, Any], pointer: str) -> None:
    if odd := sorted(stated.keys() ^ actual.keys()):
        raise _invalid("models", f"{pointer}/{odd[0]}: does not belong to the models that the statement names")
    if other := sorted(key for key in stated if stated[key] != actual[key]):
        found = f"made with another {other[0]} than this installation has ({pointer}/{other[0]})"
        raise _RefusedError(EvidenceStatus.UNVERIFIABLE, "models", found)


def _cast(models: dict[str, Any], asked: ModelSettings, recorded: ReplayModel | None) -> tuple[Players, Players | None]:
    """Return who plays with the first seeker, and with the second one where the statement names one."""
    is_asked = any(each not in (SURROGATE, None) for each in models.values())
    if is_asked != (recorded is not None):
        what = "names models and holds no recorded calls" if is_asked else "names no model and holds recorded calls"
        raise _invalid("calls", f"the evidence {what} ({CALLS})")
    try:
        team = Team(models["supporter"], models["seeker"], models["judge"], models["second_seeker"], asked=asked)
        return team.players(recorded), team.second_players(recorded)
    except InputError as error:
        raise _invalid("models", f"/predicate/inputs/models: {error.message}") from error


def _edited_file(predicate: dict[str, Any], base: Revision, candidate: Bank) -> str:
    """Name the file of the bank that is not the one that was judged."""
    folder = base.settings.skills
    for path in sorted({*base.bank.files, *candidate.files}):
        stated = predicate["files"].get(f"{folder}/{path}", {"head": base.bank.files.get(path)})
        if stated["head"] != candidate.files.get(path):
            return f"{folder}/{path}: is not the file that was judged; its content changed after the evidence was made"
    return f"{folder}: is not the bank that was judged"


def _compare(name: str, files: dict[str, bytes], rebuilt: dict[str, bytes]) -> None:
    """Raise at the first place where a file of the evidence differs from what was built again."""
    stated = parse_json(decode(files[STATEMENT], STATEMENT), STATEMENT)
    expected = parse_json(rebuilt[STATEMENT].decode(), STATEMENT)
    for file, key in ((EPISODES, "episodes"), (CALLS, "calls")):
        if file in rebuilt:
            own = digest(files[file])
            if stated["predicate"][key] is None or stated["predicate"][key]["file_digest"] != own:
                place = f"/predicate/{key}/file_digest of evidence/{name}/{STATEMENT}"
                detail = f"is not the file that {place} names; one of the two was edited"
                raise _invalid(key, f"evidence/{name}/{file}: {detail}")
            # Another zlib may pack the same lines into other bytes, so what is compared is what they unpack to.
            expected["predicate"][key]["file_digest"] = own
    for pointer, found, right in _value_differences(stated, expected, ""):
        raise _invalid("statement", f"evidence/{name}/{STATEMENT}: {pointer} is {found!r} and should be {right!r}")
    for file in FILES:
        if file not in (STATEMENT, EPISODES):
            _compare_text(f"evidence/{name}/{file}", files[file], rebuilt[file])
    for file in (EPISODES, CALLS):
        if file in rebuilt:
            _compare_packed(f"evidence/{name}/{file}", files[file], rebuilt[file])


def _compare_packed(shown: str, found: bytes, rebuilt: bytes) -> None:
    right = decompress(rebuilt, shown, _MAX_EPISODES)
    if found[: len(_GZIP_HEADER)] != _GZIP_HEADER or len(found) > 2 * len(rebuilt):
        raise _invalid("evidence", f"{shown}: is not packed as the tools pack it")
    try:
        content = decompress(found, shown, len(right))
    except EscError as error:
        raise _invalid("evidence", error.message) from error
    _compare_text(shown, content, right)


def _compare_text(shown: str, found: bytes, right: bytes) -> None:
    if found != right:
        line = _first_difference(found.decode("utf-8", "replace"), right.decode()) or 1
        raise _invalid("evidence", f"{shown}:{line}: differs from what was built again")


def _first_difference(found: str, right: str) -> int | None:
    """Return the first line that differs, from 1, or None."""
    if found == right:
        return None
    pairs = zip(found.split("\n"), right.split("\n"), strict=False)
    return next((line for line, (one, other) in enumerate(pairs, start=1) if one != other), found.count("\n") + 1)


def _value_differences(found: Any, right: Any, pointer: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(found, dict) and isinstance(right, dict):
        for key in sorted({*found, *right}):
            yield from _value_differences(found.get(key), right.get(key), f"{pointer}/{escape_pointer(key)}")
    elif isinstance(found, list) and isinstance(right, list) and len(found) == len(right):
        for index, (one, other) in enumerate(zip(found, right, strict=True)):
            yield from _value_differences(one, other, f"{pointer}/{index}")
    elif json.dumps(found) != json.dumps(right):
        yield pointer, found, right
