"""Verification: the verdict of a change, re-derived from git alone by a list of checks.

Nothing that a proposal says is believed that can be recomputed: both arms are simulated again, or replayed from the recorded
calls of models, and every file of the evidence is built again and compared.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import esc_skills
from esc_skills import __version__
from esc_skills.bank.entrance import check_entrance
from esc_skills.bank.skill import SKILL_FILE
from esc_skills.documents.jsonl import digest_json
from esc_skills.documents.shipped import shipped
from esc_skills.errors import EscError, GitError, InputError
from esc_skills.evidence.case import Case, Demand
from esc_skills.evidence.change import merged_change, shown_path
from esc_skills.evidence.files import SIGNATURE
from esc_skills.evidence.kinds import EVIDENCE_FOLDER, SIGNERS, SIMULATED
from esc_skills.evidence.owner_checks import checks_of_word, undecided, word_on
from esc_skills.evidence.ownership import require_usable
from esc_skills.evidence.proposal import OPERATORS, first_skill, proposal_id
from esc_skills.evidence.revision import SETTINGS_FILE, skill_path
from esc_skills.evidence.signature import SignatureError, is_signature
from esc_skills.evidence.verdict_checks import calibration, evidence, players, spans, verdict
from esc_skills.evidence.verification import (
    Bound,
    Check,
    EvidenceStatus,
    RefusedError,
    Verification,
    invalid,
    missing,
    stale,
    unverifiable,
)
from esc_skills.evidence.witness import NO_WITNESS, drawn_by
from esc_skills.git import REGULAR, MalformedObjectError, MissingObjectError, Repository
from esc_skills.ledger.book import find_ledger
from esc_skills.ledger.entries import LedgerError
from esc_skills.ledger.levels import threshold_at
from esc_skills.scanning import check_bank_text, new_findings
from esc_skills.simulation.players import SURROGATE, endpoint_of
from esc_skills.validation import check_raised_versions
from esc_skills.vocabulary import Verdict


def verify(
    repository: Repository,
    base: str,
    head: str,
    progress: Callable[[int, int], None],
    *,
    ledger: str | None = None,
    require_signature: bool = False,
) -> Verification:
    """Derive the verdict of what merging `head` into `base` changes.

    Args:
        repository: The repository; no remote of it is asked.
        base: What the change would be merged into.
        head: The change.
        progress: Told how many pairs are done, and how many there are at most.
        ledger: The ref of the ledger; else that of a remote, or the branch `ledger`.
        require_signature: Whether evidence without an allowed signer's signature is incomplete.

    Raises:
        GitError: A revision is unknown, or the clone is too shallow.
        InputError: The base itself cannot be used.
    """
    commits = repository.resolve(base), repository.resolve(head)
    about = Bound(*commits, None, _ledger_head(repository, ledger), None, tool_digest(), __version__)
    demand = Demand(ledger, require_signature, progress)
    try:
        return _verify(repository, about, demand)
    except RefusedError as refusal:
        return Verification(refusal.status, None, (refusal.check,), about)
    except MalformedObjectError as error:
        return _unreadable(error, (), about)


def _unreadable(error: MalformedObjectError, checks: tuple[Check, ...], about: Bound) -> Verification:
    """Return what to say where git cannot give an object: it is damaged, or a partial clone has not fetched it."""
    if isinstance(error, MissingObjectError):
        check = Check("objects", False, f"{error.message}; {error.hint}" if error.hint else error.message)
        return Verification(EvidenceStatus.UNVERIFIABLE, None, (*checks, check), about)
    return Verification(EvidenceStatus.INVALID, None, (*checks, Check("objects", False, error.message)), about)


def _verify(repository: Repository, about: Bound, demand: Demand) -> Verification:
    change = merged_change(repository, about.base, about.head)
    about = replace(about, tree=change.tree)
    if not change.touched:
        detail = "nothing to verify: the bank stays as it is, and so do its evidence, profiles, prompts, settings and signers"
        if about.head in change.forks:
            detail = "nothing to verify: the base holds the head already; give the commit before the merge as --base"
        return Verification(EvidenceStatus.NONE, None, (Check("change", True, detail),), about)
    case = Case(repository, change, demand)
    if case.brings_evidence and change.kinds <= SIMULATED:
        return _verify_evidence(case, about)
    word = word_on(repository, change, demand)
    if word.is_given:
        require_usable(repository, change)
        return Verification(EvidenceStatus.UNTESTED, Verdict.ACCEPT, checks_of_word(repository, change, word), about)
    if case.brings_evidence:
        return _verify_evidence(case, about)
    raise undecided(change, word)


def _verify_evidence(case: Case, about: Bound) -> Verification:
    checks: list[Check] = []
    try:
        for check in CHECKS:
            if (detail := check(case)) is not None:
                checks.append(Check(check.__name__, True, detail))
    except RefusedError as refusal:
        return Verification(refusal.status, None, (*checks, refusal.check), about)
    except MalformedObjectError as error:
        return _unreadable(error, tuple(checks), about)
    inputs = case.trial.inputs
    asked = digest_json([dict(inputs.models), dict(inputs.parameters), dict(inputs.second_parameters)])
    about = replace(about, players=asked)
    return Verification(
        EvidenceStatus.VALID,
        case.verdict,
        tuple(checks),
        about,
        case.trial,
        case.outcome,
        case.coverage,
        case.signer,
    )


# --- The checks, in the order in which `verify` makes them. Each returns what it found, or None where there is nothing to say. ---


def scope(case: Case) -> str:
    """Refuse a proposal that changes anything but its skills, or whose base moved on in what judged it."""
    folder = case.folder
    for each in case.change.files:
        path = shown_path(each.path)
        if not each.path.startswith((f"{folder}/", f"{EVIDENCE_FOLDER}/{case.name}/")):
            places = f"{folder}/ and {EVIDENCE_FOLDER}/{case.name}/"
            raise invalid("scope", f"{path}: lies outside {places}, which is all a proposal may touch")
        if each.path.startswith(f"{folder}/") and not re.fullmatch(skill_path(folder), each.path):
            raise invalid(
                "scope",
                f"{path}: is no {SKILL_FILE} and no file of examples; a proposal changes nothing else in a bank",
            )
        if each.kind != "D" and each.mode != REGULAR:
            raise invalid("scope", f"{path}: has mode {each.mode:o} where a regular file (100644) is asked")
    for path in (folder, case.change.settings.profiles, SETTINGS_FILE):
        now = case.repository.tree_id(case.change.base, path)
        if any(case.repository.tree_id(fork, path) != now for fork in case.change.forks):
            detail = f"{path} of the base changed after the proposal branched off; `esc-skills evidence renew --head BRANCH` makes it anew on the base as it is now"
            raise stale("base", detail)
    return f"touches {folder}/ and {EVIDENCE_FOLDER}/{case.name}/ alone"


def statement(case: Case) -> str:
    """Check what the statement says of itself; this needs no simulation and holds for every version of the tool."""
    stated, place = case.statement, case.statement.place
    if stated.change != stated.inputs.digest:
        raise invalid(
            "statement", f"{place}: /predicate/change is not the digest of /predicate/inputs; one of them was edited"
        )
    if stated.tool != stated.inputs.parameters.get("tool"):
        raise invalid("statement", f"{place}: /predicate/tool differs from /predicate/inputs/parameters/tool")
    if stated.proposal != case.name or not case.name.endswith(stated.change.removeprefix("sha256:")[:10]):
        belong = f"/predicate/proposal, the folder {case.name} and /predicate/change do not belong together"
        raise invalid("statement", f"{place}: {belong}")
    if stated.tool != __version__:
        detail = f"made by version {stated.tool}, this is {__version__}; install esc-skills=={stated.tool}"
        raise unverifiable("tool", detail)
    return f"made by version {stated.tool}"


def signature(case: Case) -> str | None:
    """Return who signed the statement; None where nobody did and nobody has to."""
    made, place = case.files.get(SIGNATURE), f"{EVIDENCE_FOLDER}/{case.name}/{SIGNATURE}"
    try:
        signers = case.signers
    except MalformedObjectError:
        raise
    except GitError as error:
        raise missing("signature", f"{error.message}; so nobody can say whose signature counts") from error
    if case.demand.require_signature and signers is None:
        raise missing("signature", f"the base holds no file {SIGNERS} that says whose signature counts")
    if case.demand.require_signature and made is None:
        raise missing("signature", f"{place}: is missing; `esc-skills evidence sign` makes it")
    if made is None:
        return None
    if not is_signature(made):
        raise invalid("signature", f"{place}: is no SSH signature; it may hold nothing else")
    if signers is None:
        return f"{place} is there, and the base names no allowed signers: it says nothing"
    return f"signed by {case.signer}"


def _models(case: Case) -> None:
    """Refuse names that are no models', and others than the base's settings name: no proposal leaves out its judge."""
    models, asked = case.statement.inputs.models, case.base.settings.models
    for role in ("supporter", "seeker", "judge", "second_seeker"):
        # A letter that looks like another one is shown by its number.
        found, named = f"/predicate/inputs/models/{role} is {models[role]!a}", getattr(asked, role).model
        if named is not None and models[role] != named:
            raise invalid("models", f"{found}, and the base's settings ask for {named!a}")
        try:
            if (model := models[role]) is not None:
                endpoint_of(role, model)
        except InputError as error:
            raise invalid("models", f"{found}, which is no model; give {SURROGATE!r} or ENDPOINT/MODEL") from error


def inputs(case: Case) -> str:
    """Refuse evidence that was made of another bank, with other profiles, or by another gate than the base's."""
    _ = case.base, case.candidate, case.recorded
    _models(case)
    stated, actual = case.statement.inputs, case.unregistered.inputs
    _same_parameters(stated.parameters, actual.parameters, "/predicate/inputs/parameters")
    _same_parameters(stated.second_parameters, actual.second_parameters, "/predicate/inputs/second_parameters")
    for key, what in (("base", "bank"), ("profiles", "profiles"), ("gate", "gate settings")):
        if getattr(stated, key) != getattr(actual, key):
            detail = f"the {what} of the base changed since the evidence was made; `esc-skills evidence renew --head BRANCH` makes it anew"
            raise stale(key, detail)
    if stated.candidate != actual.candidate:
        raise invalid("bank", _edited_file(case))
    return "bank, profiles, gate and models are those of the base and the proposal"


def _same_parameters(stated: Mapping[str, Any], actual: Mapping[str, Any], pointer: str) -> None:
    if odd := sorted(stated.keys() ^ actual.keys()):
        raise invalid("models", f"{pointer}/{odd[0]}: does not belong to the models that the statement names")
    if other := sorted(key for key in stated if stated[key] != actual[key]):
        raise unverifiable("models", f"made with another {other[0]} than this installation has ({pointer}/{other[0]})")


def _edited_file(case: Case) -> str:
    """Name the file of the bank that is not the one that was judged."""
    before, after = case.base.bank.files, case.candidate.files
    for path in sorted({*before, *after}):
        if case.statement.files.get(f"{case.folder}/{path}", before.get(path)) != after.get(path):
            return f"{case.folder}/{path}: is not the file that was judged; its content changed after the evidence was made"
    return f"{case.folder}: is not the bank that was judged"


def name(case: Case) -> None:
    """Refuse a name that does not follow from the change, by which a reader would take it for another one."""
    changed = [each.path for each in case.change.files if each.path.startswith(f"{case.folder}/")]
    if not changed:
        place = f"{EVIDENCE_FOLDER}/{case.name}/"
        raise invalid("scope", f"{place}: comes without a change of a skill in {case.folder}/")
    skill, stated = first_skill(changed), case.statement
    if case.name not in {proposal_id(operator, skill, stated.change) for operator in OPERATORS}:
        right, others = proposal_id("edit", skill, stated.change), ", ".join(sorted(OPERATORS - {"edit"}))
        detail = f"/predicate/proposal is {case.name!r}, and a change of {skill} is called {right!r}"
        raise invalid("statement", f"{stated.place}: {detail}, or after its operator ({others})")


def registration(case: Case) -> str | None:
    """Check the ledger's entry of the proposal; say nothing of one that was made offline, which `verdict` refuses."""
    stated, entry = case.statement, case.entry
    if entry is None or case.ledger is None or stated.registration is None:
        return None
    place = f"{stated.place}: /predicate/registration"
    right = case.ledger.registered(entry.number)
    if right.history != stated.registration.history:
        raise invalid("registration", f"{place}: the ledger's history up to the entry {entry.number} is another one")
    if right.drawn != stated.registration.drawn:
        raise invalid(
            "registration", f"{place}/drawn: is not the number that the ledger holds for the entry {entry.number}"
        )
    if (entry.proposal, entry.change) != (case.name, stated.change):
        raise invalid("registration", f"{place}: the entry {entry.number} registers {entry.proposal}, another change")
    if entry.meaning != case.unregistered.meaning:
        raise invalid("registration", f"{place}: the entry {entry.number} tells of another meaning of the change")
    bar, asks = threshold_at(case.base.settings.gate.threshold, entry.index, entry.accepted), entry.threshold
    if asks != bar:
        found = f"asks for {asks!r} where the settings ask for {bar!r}"
        raise invalid("registration", f"{place}: the entry {entry.number} {found}")
    if asks != stated.inputs.gate.threshold:
        raise invalid("registration", f"{place}: the entry {entry.number} asks for the e-value {asks:.9g}")
    if dict(entry.models) != dict(stated.inputs.models):
        raise invalid("registration", f"{place}: the entry {entry.number} names other models")
    if entry.draws != stated.inputs.gate.draws:
        raise invalid("registration", f"{place}: the entry {entry.number} plans for {entry.draws} draws")
    return f"entry {entry.number} of the ledger, number {entry.index} of its epoch"


def drawn(case: Case) -> str | None:
    """Return who drew the seekers; refuse a number that nobody who is trusted drew, by which an author could choose them."""
    ledger, entry, trusted = case.ledger, case.entry, case.base.settings.gate.trusted
    if ledger is None or entry is None:
        return None
    found = ledger.drawn_for(entry.number)
    if found is None and trusted:
        detail = f"no number was drawn for the ledger's entry {entry.number}; {' or '.join(trusted)} draws it: `esc-skills ledger draw`"
        raise missing("drawn", detail)
    if found is None:
        return NO_WITNESS
    try:
        return (
            f"seekers drawn by {drawn_by(found, case.signers, trusted)} after the registration (entry {found.number})"
        )
    except SignatureError as error:
        raise invalid("drawn", f"the ledger's entry {found.number}: {error.message}") from error


def bank(case: Case) -> str:
    """Check that the bank after the change follows the contract, and that versions rise."""
    for finding in check_raised_versions(case.base.files, case.files_after, case.folder):
        raise invalid("bank", finding.as_text())
    for finding in check_entrance(case.files_after, case.candidate.skills, case.folder):
        raise invalid("bank", finding.as_text())
    return f"{len(case.candidate.skills)} skills follow the contract; versions rise"


def text(case: Case) -> str:
    """Refuse text that nobody sees, that leads elsewhere, that instructs the agent, or that asks for what harms."""
    allowed, folder = case.base.settings.allowed_text, case.folder
    changed = [path for path, data in case.files_after.items() if case.base.files.get(path) != data]
    states = ({path: files[path] for path in changed if path in files} for files in (case.base.files, case.files_after))
    for finding in new_findings(*(check_bank_text(each, folder, allowed) for each in states)):
        raise invalid("text", finding.as_text())
    return f"{len(changed)} changed files hold nothing that the scanner refuses"


CHECKS: tuple[Callable[[Case], str | None], ...] = (
    scope,
    statement,
    signature,
    inputs,
    name,
    registration,
    drawn,
    bank,
    text,
    calibration,
    evidence,
    players,
    spans,
    verdict,
)


def _ledger_head(repository: Repository, named: str | None) -> str | None:
    try:
        ledger = find_ledger(repository, named)
    except (EscError, LedgerError):
        return None  # whoever needs it says what is wrong with it
    return ledger.head if ledger else None


@cache
def tool_digest() -> str:
    """Return the digest of this package's files, prompts and schemas: which tool says what a result says."""
    package = Path(esc_skills.__file__).parent
    places = {"": package, "prompts/": shipped("prompts"), "schemas/": shipped("schemas")}
    found = hashlib.sha256()
    for start, folder in places.items():
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            parts = path.relative_to(folder).parts
            if "__pycache__" not in parts and (start or parts[0] != "shipped"):
                found.update(f"{start}{'/'.join(parts)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return f"sha256:{found.hexdigest()}"
