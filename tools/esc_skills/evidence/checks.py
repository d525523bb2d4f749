"""Verification: the verdict of a proposal, re-derived from git alone.

Nothing that a proposal says is believed that can be recomputed: both arms are simulated again, or replayed from the
recorded calls of models, and every file of the evidence is built again and compared.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from esc_skills import __version__
from esc_skills.bank.reader import SKILL_FILE, Bank, read_bank, visible
from esc_skills.documents.jsonl import parse_json
from esc_skills.documents.schema import require_schema
from esc_skills.documents.text import decode
from esc_skills.errors import EscError, GitError, InputError
from esc_skills.evidence.build import CALLS, STATEMENT, build_evidence, render_json
from esc_skills.evidence.comparison import compare_evidence, first_difference
from esc_skills.evidence.exempt import exemption
from esc_skills.evidence.proposal import describe_proposal
from esc_skills.evidence.provenance import SIGNERS, check_decision, check_registration, check_signer, ledger_of
from esc_skills.evidence.revision import SETTINGS_FILE, Revision, read_revision
from esc_skills.evidence.scope import (
    check_base_stands,
    check_name,
    check_scope,
    find_proposal,
    fork_of,
    is_only_edited,
    read_calls_apart,
    read_evidence,
)
from esc_skills.evidence.trial import Outcome, Trial, change_digest, run_trial
from esc_skills.evidence.verification import Check, EvidenceStatus, RefusedError, Verification, invalid
from esc_skills.gate.calibration import FOLDER, RESULT, calibration_age, read_calibration
from esc_skills.git import Repository
from esc_skills.ledger.entries import Registered
from esc_skills.models.replay import ReplayModel
from esc_skills.settings import ModelSettings, read_settings
from esc_skills.simulation.players import SURROGATE, Players, endpoint_of
from esc_skills.simulation.runner import wait_for
from esc_skills.simulation.team import Team
from esc_skills.validation import check_version_bump

_CALIBRATION = f"{FOLDER}/{RESULT}"
#: 200 pairs with a judge and a second seeker come to a third of this.
_MAX_CALLS = 300_000_000


def verify(
    repository: Repository,
    base: str,
    head: str,
    progress: Callable[[int, int], None],
    *,
    ledger: str | None = None,
    require_signature: bool = False,
) -> Verification:
    """Re-derive the verdict of the proposal that `head` adds to `base`.

    Args:
        repository: The repository; no remote of it is asked.
        base: What the proposal would be merged into.
        head: The proposal.
        progress: Told how many pairs are done, and how many there are at most.
        ledger: The ref of the ledger; else that of a remote, or the branch `ledger`.
        require_signature: Whether evidence without an allowed signer's signature is incomplete.

    Raises:
        GitError: A revision is unknown, or the clone is too shallow.
        InputError: The base itself cannot be used.
    """
    checks: list[Check] = []
    commits = repository.resolve(base), repository.resolve(head)
    try:
        fork = fork_of(repository, *commits)
        if exempt := _exempt(repository, fork, *commits):
            return Verification(EvidenceStatus.EXEMPT, None, exempt)
        trial, outcome = _verify(repository, fork, *commits, progress, checks, ledger, require_signature)
    except RefusedError as failure:
        return Verification(failure.status, None, (*checks, failure.check))
    return Verification(EvidenceStatus.VALID, outcome.decision.verdict, tuple(checks), trial, outcome)


def _exempt(repository: Repository, fork: str, base: str, head: str) -> tuple[Check, ...]:
    """Return what changes, where it is nothing but typing errors in a bank's prose; nothing where evidence is needed."""
    folder = read_settings(repository.read_file(base, SETTINGS_FILE), SETTINGS_FILE).skills
    if not is_only_edited(repository.changed_files(fork, head), folder):
        return ()
    if repository.tree_id(fork, folder) != repository.tree_id(base, folder):
        return ()
    lines = exemption(repository.read_tree(base, folder), repository.read_tree(head, folder))
    return tuple(Check("no evidence needed", True, line) for line in lines or ())


def _verify(
    repository: Repository,
    fork: str,
    base: str,
    head: str,
    progress: Callable[[int, int], None],
    checks: list[Check],
    named: str | None,
    require_signature: bool,
) -> tuple[Trial, Outcome]:
    changed = repository.changed_files(fork, head)
    name = find_proposal(changed)
    files = read_evidence(repository, head, changed, name)
    statement = _read_statement(files[STATEMENT], name)
    if statement["predicate"]["calls"] and CALLS not in files:
        files[CALLS] = read_calls_apart(repository, name)
    folder = check_scope(repository, fork, changed, name, statement)
    check_base_stands(repository, fork, base, folder)
    checks.append(Check("scope", True, f"touches {folder}/ and evidence/{name}/ alone"))
    _check_statement(statement, name)
    checks.append(Check("statement", True, f"made by version {statement['predicate']['tool']}"))
    if signed := check_signer(files, name, repository.read_file(base, SIGNERS), required=require_signature):
        checks.append(signed)
    revision = _read_base(repository, base, folder)
    try:
        files_at_head = visible(repository.read_tree(head, folder))
    except GitError as error:
        raise invalid("bank", error.message) from error
    candidate = _read_candidate(files_at_head, folder)
    recorded = _open_calls(files, name)
    trial = _check_inputs(statement, revision, candidate, recorded)
    check_name(name, statement["predicate"]["change"], changed, folder)
    ledger = ledger_of(repository, statement, named)
    entry = check_registration(ledger, statement, name, revision.settings.gate.threshold, trial.meaning)
    if entry:
        trial = replace(trial, registered=Registered(**statement["predicate"]["registration"]))
        place = f"entry {entry.number} of the ledger, number {entry.index} of its epoch"
        checks.append(Check("registration", True, place))
    _check_versions(revision, files_at_head)
    checks.append(Check("bank", True, f"{len(candidate.skills)} skills follow the contract; versions rise"))
    proposal = describe_proposal(name, revision, candidate, str(repository.tree_id(head, folder)), repository)
    checks.append(Check("inputs", True, "bank, profiles, gate and models are those of the base and the proposal"))
    if aged := _check_calibration(repository, base, revision, trial):
        checks.append(aged)
    outcome = _run_again(trial, progress) if recorded else wait_for(run_trial(trial, progress))
    rebuilt = build_evidence(proposal, trial, outcome, _calls_again(recorded, name))
    compare_evidence(name, files, rebuilt)
    how = "replayed from the recorded calls" if recorded else "simulated again"
    own = f" and {len(outcome.own)} of single strata" if outcome.own else ""
    checks.append(Check("evidence", True, f"{len(outcome.draws)} pairs{own} {how}; every file is as rebuilt"))
    check_decision(ledger, entry, statement, outcome)
    checks.append(Check("verdict", True, outcome.decision.reason))
    return trial, outcome


def _check_calibration(repository: Repository, base: str, revision: Revision, trial: Trial) -> Check | None:
    """Return a warning where the base's calibration was made with something else than what judges this proposal."""
    data = repository.read_file(base, _CALIBRATION)
    if data is None:
        return None
    try:
        result = read_calibration(data, _CALIBRATION)
    except EscError as error:
        return Check("calibration", True, f"warning: {error.message}")
    warning = calibration_age(result, revision.population.digest, gate=revision.settings.gate, models=trial.models)
    return Check("calibration", True, f"warning: {warning}" if warning else "of these profiles, gate and models")


def _read_base(repository: Repository, base: str, folder: str) -> Revision:
    try:
        return read_revision(repository, base, folder)
    except InputError as error:
        if folder == read_settings(repository.read_file(base, SETTINGS_FILE), SETTINGS_FILE).skills:
            raise  # the base itself cannot be used, whatever the proposal says
        raise invalid("scope", f"{folder} is no bank in the base: {error.message}") from error


def _open_calls(files: dict[str, bytes], name: str) -> ReplayModel | None:
    """Return the model that answers from the recorded calls; None for a proposal without any."""
    if CALLS not in files:
        return None
    try:
        return ReplayModel(files[CALLS], f"evidence/{name}/{CALLS}", _MAX_CALLS)
    except EscError as error:
        raise invalid("calls", error.message) from error


def _run_again(trial: Trial, progress: Callable[[int, int], None]) -> Outcome:
    try:
        return wait_for(run_trial(trial, progress))
    except InputError as error:
        raise invalid("calls", error.message) from error


def _calls_again(recorded: ReplayModel | None, name: str) -> bytes | None:
    if recorded is None:
        return None
    if recorded.unused:
        place = f"evidence/{name}/{CALLS}"
        raise invalid("calls", f"{place}: the call {recorded.unused[0]} belongs to no episode")
    return recorded.packed(recorded.used)


def _read_statement(data: bytes, name: str) -> dict[str, Any]:
    shown = f"evidence/{name}/{STATEMENT}"
    try:
        text = decode(data, shown)
        statement: dict[str, Any] = parse_json(text, shown)
        require_schema(statement, "statement", shown)
    except EscError as error:
        raise invalid("statement", error.message) from error
    if (line := first_difference(text, render_json(statement))) is not None:
        raise invalid("statement", f"{shown}:{line}: is not written as the tools write it")
    return statement


def _check_statement(statement: dict[str, Any], name: str) -> None:
    """Check what the statement says of itself; this needs no simulation and holds for every version of the tool."""
    predicate, shown = statement["predicate"], f"evidence/{name}/{STATEMENT}"
    inputs = predicate["inputs"]
    if predicate["change"] != change_digest(inputs):
        raise invalid(
            "statement", f"{shown}: /predicate/change is not the digest of /predicate/inputs; one of them was edited"
        )
    if predicate["tool"] != inputs["parameters"].get("tool"):
        raise invalid("statement", f"{shown}: /predicate/tool differs from /predicate/inputs/parameters/tool")
    if predicate["proposal"] != name or not name.endswith(predicate["change"].removeprefix("sha256:")[:10]):
        raise invalid(
            "statement", f"{shown}: /predicate/proposal, the folder {name} and /predicate/change do not belong together"
        )
    if predicate["tool"] != __version__:
        detail = f"made by version {predicate['tool']}, this is {__version__}; install esc-skills=={predicate['tool']}"
        raise RefusedError(EvidenceStatus.UNVERIFIABLE, "tool", detail)


def _read_candidate(files: dict[str, bytes], folder: str) -> Bank:
    try:
        return read_bank(files, folder)
    except InputError as error:
        raise invalid("bank", error.message) from error


def _check_versions(base: Revision, files: dict[str, bytes]) -> None:
    for path, data in files.items():
        before = base.files.get(path)
        if before is not None and before != data and path.endswith(SKILL_FILE):
            for finding in check_version_bump(before, data, f"{base.settings.skills}/{path}"):
                raise invalid("bank", finding.as_text())


def _check_inputs(statement: dict[str, Any], base: Revision, candidate: Bank, recorded: ReplayModel | None) -> Trial:
    predicate = statement["predicate"]
    stated = predicate["inputs"]
    _check_models(stated["models"], base.settings.models)
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
            raise RefusedError(EvidenceStatus.STALE, key, detail)
    if stated["candidate"] != actual["candidate"]:
        raise invalid("bank", _edited_file(predicate, base, candidate))
    return trial


def _check_models(models: dict[str, Any], asked: ModelSettings) -> None:
    """Refuse names that are no models', and others than the base's settings name: no proposal leaves out its judge."""
    for role in ("supporter", "seeker", "judge", "second_seeker"):
        # A letter that looks like another one is told by its number.
        found, named = f"/predicate/inputs/models/{role} is {models[role]!a}", getattr(asked, role).model
        if named is not None and models[role] != named:
            raise invalid("models", f"{found}, and the base's settings ask for {named!a}")
        try:
            if models[role] is not None:
                endpoint_of(role, models[role])
        except InputError as error:
            raise invalid("models", f"{found}, which is no model; give {SURROGATE!r} or ENDPOINT/MODEL") from error


def _check_parameters(stated: dict[str, Any], actual: dict[str, Any], pointer: str) -> None:
    if odd := sorted(stated.keys() ^ actual.keys()):
        raise invalid("models", f"{pointer}/{odd[0]}: does not belong to the models that the statement names")
    if other := sorted(key for key in stated if stated[key] != actual[key]):
        found = f"made with another {other[0]} than this installation has ({pointer}/{other[0]})"
        raise RefusedError(EvidenceStatus.UNVERIFIABLE, "models", found)


def _cast(models: dict[str, Any], asked: ModelSettings, recorded: ReplayModel | None) -> tuple[Players, Players | None]:
    """Return who plays with the first seeker, and with the second one where the statement names one."""
    is_asked = any(each not in (SURROGATE, None) for each in models.values())
    if is_asked != (recorded is not None):
        what = "names models and holds no recorded calls" if is_asked else "names no model and holds recorded calls"
        raise invalid("calls", f"the evidence {what} ({CALLS})")
    try:
        team = Team(models["supporter"], models["seeker"], models["judge"], models["second_seeker"], asked=asked)
        return team.players(recorded), team.second_players(recorded)
    except InputError as error:
        raise invalid("models", f"/predicate/inputs/models: {error.message}") from error


def _edited_file(predicate: dict[str, Any], base: Revision, candidate: Bank) -> str:
    """Name the file of the bank that is not the one that was judged."""
    folder = base.settings.skills
    for path in sorted({*base.bank.files, *candidate.files}):
        stated = predicate["files"].get(f"{folder}/{path}", {"head": base.bank.files.get(path)})
        if stated["head"] != candidate.files.get(path):
            return f"{folder}/{path}: is not the file that was judged; its content changed after the evidence was made"
    return f"{folder}: is not the bank that was judged"
