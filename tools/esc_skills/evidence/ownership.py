"""Owners' decisions: what no simulation decides, signed by somebody whom the base's settings name, with a reason.

A decision is an entry of the ledger. It holds for one change, digest by digest, and only as long as the files that it is about
stayed on the base as they were when it was signed: a change that was taken back is not let in again by an old signature.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from esc_skills.bank.reader import read_bank, visible
from esc_skills.bank.spans import FILE, compare_files
from esc_skills.documents.findings import Finding
from esc_skills.documents.text import MAX_DOCUMENT_BYTES
from esc_skills.errors import EscError, GitError, InputError
from esc_skills.evidence.change import MergedChange, Touched, change_of, merged_change, shown_path
from esc_skills.evidence.kinds import SIGNERS, Kind
from esc_skills.evidence.owner_patterns import matches_path
from esc_skills.evidence.revision import SETTINGS_FILE
from esc_skills.evidence.signature import Purpose, SignatureError, check_signature, sign
from esc_skills.evidence.span_coverage import Coverage, CoveredSpan
from esc_skills.evidence.verification import invalid
from esc_skills.git import REGULAR, ChangedFile, Entry, MissingObjectError, Repository
from esc_skills.ledger.book import LedgerBook
from esc_skills.ledger.entries import Ledger, OwnersDecision, owners_payload
from esc_skills.scanning import check_bank_text, check_other_text, new_findings
from esc_skills.settings import Settings, read_settings
from esc_skills.validation import check_raised_versions

#: How far back on the base a decision may lie.
_MOST_COMMITS = 10_000
_LONGEST_REASON = 2_000


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that holds for a change.

    Attributes:
        entry: Its entry in the ledger.
        owner: Who signed it.
    """

    entry: OwnersDecision
    owner: str


@dataclass(frozen=True, slots=True)
class OwnersWord:
    """What owners said of a change.

    Attributes:
        decisions: The decisions that hold for it.
        open: The files that nobody who may has decided, each with who may.
    """

    decisions: tuple[Decided, ...]
    open: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def is_given(self) -> bool:
        """Whether every file is decided."""
        return not self.open


def owners_word(repository: Repository, change: MergedChange, ledger: Ledger | None) -> OwnersWord:
    """Return what owners decided of a change, by the ledger and by the base's settings and signers."""
    paths = [each.file.path for each in change.touched]
    decisions = tuple(_decisions(repository, change, ledger, change_of(repository, change), paths))
    signed = {each.owner for each in decisions}
    missing = []
    for touched in change.touched:
        owners = owners_of(repository, change, touched)
        if not signed & set(owners):
            missing.append((shown_path(touched.file.path), owners))
    return OwnersWord(decisions, tuple(missing))


def owners_of(repository: Repository, change: MergedChange, touched: Touched) -> tuple[str, ...]:
    """Return who may decide a changed file: whoever a pattern of the base's settings names for it or for all that changed in it."""
    names: dict[str, None] = {}
    for pattern, owners in change.settings.owners.items():
        path, _, part = pattern.partition("#")
        if not matches_path(path, touched.file.path):
            continue
        if not part or changed_parts(repository, touched.file) == {part}:
            names.update(dict.fromkeys(owners))
    return tuple(names)


def owners_of_span(settings: Settings, coverage: Coverage, span: CoveredSpan) -> tuple[str, ...]:
    """Return who may vouch for a changed span of a bank: whoever a pattern of the settings names for its file or its part."""
    names: dict[str, None] = {}
    for pattern, owners in settings.owners.items():
        path, _, part = pattern.partition("#")
        if matches_path(path, f"{coverage.folder}/{span.change.path}") and part in ("", span.change.part):
            names.update(dict.fromkeys(owners))
    return tuple(names)


def word_on_spans(
    repository: Repository, change: MergedChange, ledger: Ledger | None, coverage: Coverage
) -> OwnersWord:
    """Return what owners said of the spans that somebody has to vouch for; `open` holds those for which nobody did."""
    paths = sorted({f"{coverage.folder}/{each.change.path}" for each in coverage.open})
    decisions = tuple(_decisions(repository, change, ledger, coverage.digest, paths)) if paths else ()
    signed = {each.owner for each in decisions}
    named = [(each, owners_of_span(change.settings, coverage, each)) for each in coverage.open]
    missing = tuple((each.change.label, owners) for each, owners in named if not signed & set(owners))
    return OwnersWord(decisions, missing)


def vouch_for_spans(
    repository: Repository,
    change: MergedChange,
    coverage: Coverage,
    reason: str,
    key: Path,
    book: LedgerBook,
) -> tuple[int, str]:
    """Sign the spans of a proposal that no simulation vouches for, and append the signature to the ledger.

    Returns:
        The entry's number, and who signed.

    Raises:
        InputError: The reason is none, no span is open, the base names no signers, or the key owns none of the spans.
        SignatureError: The key cannot sign.
    """
    require_reason(reason)
    if not coverage.open:
        raise InputError(
            "every changed span was played: there is nothing to vouch for", "`esc-skills verify` says the verdict"
        )
    signers = repository.read_file(change.base, SIGNERS)
    if signers is None:
        raise InputError(f"the base holds no file {SIGNERS}", "it says whose signatures count; docs/ci.md shows one")
    payload = owners_payload(change.base, coverage.digest, reason)
    signature = sign(payload, key, Purpose.OWNERS)
    owner = check_signature(payload, signature, signers, Purpose.OWNERS)
    if not any(owner in owners_of_span(change.settings, coverage, each) for each in coverage.open):
        named = ", ".join(each.change.label for each in coverage.open)
        raise InputError(f"{owner} owns none of {named}", "see owners in the settings of the base")
    return book.record_owners_decision(change.base, coverage.digest, reason, signature.decode()), owner


def decide_as_owner(
    repository: Repository, base: str, head: str, reason: str, key: Path, book: LedgerBook
) -> tuple[int, str, MergedChange]:
    """Sign a change as an owner, and append the decision to the ledger.

    Returns:
        The entry's number, who signed, and the change.

    Raises:
        InputError: The reason is none, nothing in the change needs a decision, the base names no owners, or the key is not one of theirs.
        SignatureError: The key cannot sign.
    """
    require_reason(reason)
    change = merged_change(repository, repository.resolve(base), repository.resolve(head))
    if not change.touched:
        raise InputError(f"{head} changes nothing of {base} that needs a decision", "it may be merged as it is")
    if not change.settings.owners:
        raise InputError(f"the settings of {base} name no owners", "docs/ci.md says how a repository names them")
    signers = repository.read_file(change.base, SIGNERS)
    if signers is None:
        raise InputError(f"{base} holds no file {SIGNERS}", "it says whose signatures count; docs/ci.md shows one")
    digest = change_of(repository, change)
    payload = owners_payload(change.base, digest, reason)
    signature = sign(payload, key, Purpose.OWNERS)
    owner = check_signature(payload, signature, signers, Purpose.OWNERS)
    if not any(owner in owners_of(repository, change, each) for each in change.touched):
        raise InputError(f"{owner} owns nothing of {change.describe()}", f"see owners in the settings of {base}")
    return book.record_owners_decision(change.base, digest, reason, signature.decode()), owner, change


def text_findings(repository: Repository, change: MergedChange) -> tuple[Finding, ...]:
    """Return what the scanner of texts finds in the skills, profiles and prompts of a change that stood nowhere before."""
    allowed, folder = change.settings.allowed_text, change.settings.skills
    found: list[Finding] = []
    for touched in change.touched:
        path, kind = touched.file.path, touched.kind
        if kind not in (Kind.BANK, Kind.PROFILES, Kind.PROMPTS):
            continue
        states = []
        for entry in (touched.file.before, touched.file.after):
            data = (
                repository.read_object(entry.id, "blob", MAX_DOCUMENT_BYTES) if entry and entry.mode == REGULAR else b""
            )
            if kind is Kind.BANK:
                states.append(check_bank_text({path.removeprefix(f"{folder}/"): data}, folder, allowed))
            else:
                states.append(check_other_text(data, path, allowed, prompt=kind is Kind.PROMPTS))
        found += new_findings(*states)
    return tuple(found)


def require_usable(repository: Repository, change: MergedChange) -> None:
    """Refuse what nobody could work on any more, whoever decided it: unreadable settings, or a bank against the contract.

    Raises:
        RefusedError: It is such a change.
    """
    entries = {each.path: each.after for each in change.files}

    def files_in(folder: str) -> dict[str, bytes]:
        files = repository.read_tree(change.base, folder)
        for path in (path for path in entries if path.startswith(f"{folder}/")):
            files.pop(path.removeprefix(f"{folder}/"), None)
            if (entry := entries[path]) is not None:
                files |= repository.read_files(iter([(path.removeprefix(f"{folder}/"), entry)]), folder)
        return visible(files)

    try:
        data = repository.read_file(change.base, SETTINGS_FILE)
        if SETTINGS_FILE in entries:
            entry = entries[SETTINGS_FILE]
            data = repository.read_object(entry.id, "blob") if entry else None
        settings = read_settings(data, SETTINGS_FILE)
        folder = settings.skills
        after, before = files_in(folder), visible(repository.read_tree(change.base, folder))
        if after:
            read_bank(after, folder, settings.vocabulary)
    except MissingObjectError:
        raise
    except EscError as error:
        raise invalid("bank", error.message) from error
    for finding in check_raised_versions(before, after, folder):
        raise invalid("bank", finding.as_text())


def require_reason(reason: str) -> None:
    """Raise where words are no reason that the ledger takes.

    Raises:
        InputError: They are blank, too long, or no text.
    """
    if not reason.strip() or len(reason) > _LONGEST_REASON or not reason.isprintable():
        found = (
            "--reason is blank"
            if not reason.strip()
            else f"--reason has {len(reason):,} characters or is no plain line"
        )
        raise InputError(found, f"say why in a sentence of at most {_LONGEST_REASON:,} characters")


def _decisions(
    repository: Repository, change: MergedChange, ledger: Ledger | None, digest: str, paths: Sequence[str]
) -> Iterator[Decided]:
    entries = ledger.owners_decisions if ledger else ()
    signers = repository.read_file(change.base, SIGNERS) if entries else None
    if signers is None:
        return
    for entry in entries:
        if entry.change != digest or not _still_stands(repository, change, paths, entry.base):
            continue
        try:
            owner = check_signature(entry.payload, entry.signature.encode(), signers, Purpose.OWNERS)
        except SignatureError:
            continue  # of a key that does not count any more, or of somebody who appended a signature of nobody's
        yield Decided(entry, owner)


def require_signed(repository: Repository, signers_at: str, entry: OwnersDecision) -> None:
    """Raise where a decision was signed by nobody whom the signers of a commit name.

    Raises:
        SignatureError: That is so.
    """
    signers = repository.read_file(signers_at, SIGNERS)
    if signers is None:
        raise SignatureError(f"entry {entry.number}: an owner's decision, and the base holds no file {SIGNERS}")
    check_signature(entry.payload, entry.signature.encode(), signers, Purpose.OWNERS)


def _still_stands(repository: Repository, change: MergedChange, paths: Sequence[str], decided_on: str) -> bool:
    """Whether the files of a change stayed on the base as they were, in every commit since the one on which it was decided."""
    now = _entries(repository, change.base, paths)
    try:
        if decided_on not in repository.merge_bases(decided_on, change.base):
            return False
        for number, commit in enumerate(repository.commits_between(decided_on, change.base)):
            if number > _MOST_COMMITS or _entries(repository, commit, paths) != now:
                return False
        return _entries(repository, decided_on, paths) == now
    except GitError:
        return False


def _entries(repository: Repository, commit: str, paths: Iterable[str]) -> list[Entry | None]:
    tree = repository.read_commit(commit).tree
    return [repository.entry_at(tree, path) for path in paths]


def changed_parts(repository: Repository, file: ChangedFile) -> frozenset[str]:
    """Return which parts of a skill's file changed, but for the version, which follows from the others.

    There are none where one side is no regular file or cannot be read as a skill: of such a change nobody owns a part.
    """
    if any(entry is None or entry.mode != REGULAR for entry in (file.before, file.after)):
        return frozenset()
    before, after = (
        repository.read_object(entry.id, "blob", MAX_DOCUMENT_BYTES) for entry in (file.before, file.after) if entry
    )
    parts = {each.part for each in compare_files({file.path: before}, {file.path: after})}
    return frozenset() if FILE in parts else frozenset(parts - {"version"})
