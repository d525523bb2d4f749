"""Validation of anything the project reads: a skill, a bank, profile parts, settings, or a whole repository."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath

from esc_skills.bank.clients import load_clients, view_catalogue
from esc_skills.bank.entrance import ENTRANCE_FILE, check_entrance
from esc_skills.bank.reader import (
    ENTRANCE,
    LINKED,
    LINKED_MEANS,
    ORPHAN,
    ORPHAN_MEANS,
    check_references,
    linked_folders,
    walk,
)
from esc_skills.bank.rules import check_contract, check_specification
from esc_skills.bank.skill import REFERENCE, SKILL_FILE, SkillDocument, build_skill, parse_skill
from esc_skills.documents.findings import Finding, Severity, finding_of, has_errors
from esc_skills.documents.text import decode, read_bytes
from esc_skills.errors import DocumentError, InputError
from esc_skills.git import Repository, as_committed
from esc_skills.scanning import check_bank_text, check_other_text
from esc_skills.seekers.population import check_part
from esc_skills.settings import Settings, check_settings, read_settings
from esc_skills.vocabulary import Vocabulary

_SETTINGS_FILE = "pyproject.toml"
_PROFILE_FOLDERS = ("scenarios", "personas", "whole")
_MAX_DIGITS = 6
_SKIPPED = frozenset({"node_modules", "venv", "__pycache__"})


class Rules(StrEnum):
    """What is checked: the published specification alone, or our contract inside it."""

    AGENT_SKILLS = "agent-skills"
    ESC = "esc"


@dataclass(frozen=True, slots=True)
class Report:
    """What a validation found.

    Attributes:
        checked: How many files were looked at.
        findings: Every problem, by path and line.
        catalogues: Of each path with skills, the descriptions by name, the entrance among them.
    """

    checked: int
    findings: tuple[Finding, ...]
    catalogues: tuple[Mapping[str, str], ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class _Group:
    """The files of one path that a person named: what stands together is checked together.

    Attributes:
        links: Links to folders of skills, which are named and not followed.
        prompts: Templates of prompts, whose form is checked where they are loaded.
    """

    skills: tuple[Path, ...]
    parts: tuple[Path, ...]
    settings: tuple[Path, ...]
    whole_bank: bool
    links: tuple[Path, ...] = ()
    prompts: tuple[Path, ...] = ()


def validate_paths(paths: Iterable[Path], rules: Rules, base: str | None = None) -> Report:
    """Check everything at some paths, each a skill folder, a bank, a profile part or a repository.

    Args:
        paths: What to check.
        rules: Which rules hold.
        base: A git revision; where it is given, a skill that changed since needs a higher version.

    Raises:
        InputError: A path is missing or holds nothing that can be checked.
    """
    checked = 0
    findings: list[Finding] = []
    catalogues: list[Mapping[str, str]] = []
    for path in paths:
        group = _find(path, rules)
        checked += len(group.skills) + len(group.parts) + len(group.settings) + len(group.prompts)
        findings.extend(_check_group(group, rules))
        if catalogue := _catalogue(group.skills):
            catalogues.append(catalogue)
            findings.extend(_check_catalogue(catalogue, path) if group.whole_bank and rules is Rules.ESC else ())
        if base is not None:
            findings.extend(_check_versions(group.skills, base))
    return Report(checked, tuple(sorted(set(findings))), tuple(catalogues))


def _catalogue(skills: Iterable[Path]) -> dict[str, str]:
    """Return the descriptions of skills by name; what cannot be read has a finding of its own."""
    found = {}
    for path in skills:
        try:
            value = _parse(path).value
        except DocumentError:
            continue
        if isinstance(value.get("name"), str) and isinstance(value.get("description"), str):
            found[value["name"]] = value["description"]
    return found


def _check_catalogue(catalogue: Mapping[str, str], path: Path) -> Iterator[Finding]:
    """Yield a warning for each client that would not show a catalogue whole even if it had no skill of its own."""
    for client in load_clients().values():
        view = view_catalogue(client, client.context, catalogue)
        if view.is_over:
            unit = "tokens" if client.in_tokens else "characters"
            message = (
                f"the catalogue takes {view.size:,} {unit}, and {client.name} {client.version} shows {view.budget:,}; shorten "
                f"descriptions, and see `--client {client.name}`"
            )
            yield Finding(str(path), 0, "", "catalogue-budget", Severity.WARNING, message)


def _find(path: Path, rules: Rules) -> _Group:
    if not path.exists():
        raise InputError(f"{path}: no such file or folder", "check the path")
    group = _find_in_folder(path) if path.is_dir() else _find_file(path)
    if rules is Rules.AGENT_SKILLS:
        group = _Group(group.skills, (), (), whole_bank=False, links=group.links)
    if not (group.skills or group.parts or group.settings or group.links):
        raise InputError(
            f"{path}: holds no {SKILL_FILE} and no profile part", "give a skill, a bank, profile parts or a repository"
        )
    return group


def _find_file(path: Path) -> _Group:
    if path.name == SKILL_FILE:
        return _Group((path,), (), (), whole_bank=False)
    if path.name == _SETTINGS_FILE:
        return _Group((), (), (path,), whole_bank=False)
    if path.suffix in (".yaml", ".yml"):
        return _Group((), (path,), (), whole_bank=False)
    raise InputError(f"{path}: is no {SKILL_FILE}, profile part (.yaml) or {_SETTINGS_FILE}", "give one of these")


def _find_in_folder(path: Path) -> _Group:
    settings = path / _SETTINGS_FILE
    if (path / "skills").is_dir() and ((path / "profiles").is_dir() or settings.is_file() or (path / ".git").exists()):
        return _Group(
            tuple(_skills_below(path / "skills")),
            tuple(_parts_below(path / "profiles")) if (path / "profiles").is_dir() else (),
            (settings,) if settings.is_file() else (),
            whole_bank=True,
            links=tuple(linked_folders(path / "skills")),
            prompts=tuple(sorted((path / "prompts").glob("*.md"))),
        )
    skills, parts = tuple(_skills_below(path)), tuple(_parts_below(path))
    if not skills and not parts:  # a folder of parts under a name of its own
        parts = tuple(
            sorted(each for each in path.iterdir() if each.suffix in (".yaml", ".yml") and each.name[0] != ".")
        )
    links = tuple(linked_folders(path))
    return _Group(skills, parts, (), whole_bank=not (path / SKILL_FILE).exists(), links=links)


def _skills_below(folder: Path) -> Iterator[Path]:
    for path in walk(folder):
        if path.name.lower() == SKILL_FILE.lower() and not _SKIPPED.intersection(path.relative_to(folder).parts):
            yield path


def _parts_below(folder: Path) -> Iterator[Path]:
    for path in walk(folder):
        if path.suffix in (".yaml", ".yml") and (path.parent.name in _PROFILE_FOLDERS or path.stem == "intentions"):
            yield path


def _check_group(group: _Group, rules: Rules) -> Iterator[Finding]:
    settings = _settings(group)
    vocabulary = settings.vocabulary
    documents: list[SkillDocument] = []
    severity = Severity.ERROR if rules is Rules.ESC else Severity.WARNING
    for link in group.links:
        yield Finding(str(link), 0, "", LINKED, severity, f"{LINKED_MEANS}; put the folder itself there")
    for path in group.skills:
        if rules is Rules.ESC and path.parent.name == ENTRANCE:
            continue
        if path.name != SKILL_FILE:
            message = f"should be called {SKILL_FILE}; clients look for that name alone"
            yield Finding(str(path), 0, "", "file-name", Severity.ERROR, message)
        try:
            documents.append(_parse(path))
        except DocumentError as error:
            yield finding_of(error)
    for document in documents:
        yield from (
            check_specification(document) if rules is Rules.AGENT_SKILLS else check_contract(document, vocabulary)
        )
    if group.whole_bank and rules is Rules.ESC:
        unread = {path.parent.name for path in group.skills} - {document.folder for document in documents}
        yield from check_references(documents, unread)
        yield from _check_entrances(group.skills, documents, vocabulary)
    if rules is Rules.ESC:
        yield from _check_text(group, settings.allowed_text)
    yield from _check_other_files(group.skills, severity)
    yield from _check_parts(group.parts)
    for path in group.settings:
        try:
            yield from check_settings(_committed(path), str(path))
        except DocumentError as error:
            yield finding_of(error)


def _check_other_files(skills: Iterable[Path], severity: Severity) -> Iterator[Finding]:
    """Yield the files of `references/` that our tools do not read, and files of examples without a skill."""
    folders = {path.parent for path in skills}
    for folder in sorted(folders):
        for path in sorted((folder / "references").rglob("*.md")):
            if not REFERENCE.fullmatch(path.relative_to(folder).as_posix()):
                message = (
                    "is not read by these tools; further examples stand in references/examples.LANGUAGE.md, such as en"
                )
                yield Finding(str(path), 0, "", "reference-name", Severity.WARNING, message)
    for bank in {folder.parent for folder in folders}:
        for path in sorted(bank.glob("*/references/examples.*.md")):
            if path.parent.parent not in folders:
                yield Finding(str(path), 0, "", ORPHAN, severity, ORPHAN_MEANS.format(path.parent.parent))


def _settings(group: _Group) -> Settings:
    """Return a repository's settings; ours where there are none, or where they have findings."""
    for path in group.settings or _settings_above([*group.skills, *group.parts]):
        try:
            return read_settings(_committed(path), str(path))
        except (DocumentError, InputError):
            continue
    return Settings()


def _check_text(group: _Group, allowed: Collection[str]) -> Iterator[Finding]:
    """Yield what stands in skills, profiles and prompts that should not."""
    for path in group.skills:
        try:
            _parse(path)
            files = {name: _committed(path.parent / name, inside=path.parent) for name in _names(path)}
        except DocumentError:
            continue  # a file that cannot be read has its own finding
        yield from check_bank_text(files, str(path.parent), allowed)
    for paths, prompt in ((group.parts, False), (group.prompts, True)):
        for path in paths:
            with suppress(DocumentError):
                yield from check_other_text(
                    _committed(path, inside=path.parent), path.as_posix(), allowed, prompt=prompt
                )


def _settings_above(skills: Iterable[Path]) -> Iterator[Path]:
    """Yield the settings of the repository that the first of some skills lies in."""
    for folder in (
        parent for path in [*skills][:1] for parent in (path.parent.resolve(), *path.parent.resolve().parents)
    ):
        if (folder / ".git").exists():
            if (folder / _SETTINGS_FILE).is_file():
                yield folder / _SETTINGS_FILE
            return


def _parse(path: Path) -> SkillDocument:
    folder = path.resolve().parent.name if path.parent.name in ("", ".", "..") else path.parent.name
    references = {}
    for each in sorted((path.parent / "references").glob("examples.*.md")):
        if mark := REFERENCE.fullmatch(f"references/{each.name}"):
            references[mark[1]] = (str(each), decode(_committed(each, inside=path.parent), str(each)))
    return parse_skill(decode(_committed(path, inside=path.parent), str(path)), str(path), folder, references)


def _check_entrances(
    paths: Iterable[Path], documents: Iterable[SkillDocument], vocabulary: Vocabulary
) -> Iterator[Finding]:
    """Yield where an entrance is not what the skills of its bank make it; it is made of them when they are sound."""
    documents = [*documents]
    places = {path.parent for path in paths if path.parent.name != ENTRANCE}
    if len(documents) < len(places) or any(has_errors(check_contract(each, vocabulary)) for each in documents):
        return
    skills = {each.name: each for each in map(build_skill, documents)}
    for path in paths:
        if path.parent.name == ENTRANCE:
            yield from check_entrance(
                {ENTRANCE_FILE: _committed(path, inside=path.parent)}, skills, str(path.parent.parent)
            )


def _committed(path: Path, inside: Path | None = None) -> bytes:
    return as_committed(path, read_bytes(path, inside=inside))


def _check_parts(parts: Iterable[Path]) -> Iterator[Finding]:
    names: dict[tuple[str, str], Path] = {}
    for path in parts:
        try:
            found, kind, value = check_part(_committed(path, inside=path.parent), path.as_posix())
        except DocumentError as error:
            yield finding_of(error)
            continue
        yield from found
        name = (kind, str(value.get("name", value.get("id", "")))) if value is not None else None
        if name is not None and name in names:
            message = f"{names[name]} has the name {name[1]!r} too; rename one of them"
            yield Finding(str(path), 1, "/name", "repeated-name", Severity.ERROR, message)
        elif name is not None:
            names[name] = path


def _check_versions(skills: Iterable[Path], base: str) -> Iterator[Finding]:
    for path in (each for each in skills if each.parent.name != ENTRANCE):
        with Repository(path.parent) as repository:
            # The file itself stays unresolved: a link that leaves the repository has its own finding.
            inside = path.parent.resolve().relative_to(repository.root.resolve()).as_posix()
            before = repository.read_tree(repository.resolve(base), inside)
        try:
            after = {name: _committed(path.parent / name, inside=path.parent) for name in _names(path)}
        except DocumentError:
            continue  # a file that cannot be read has its own finding
        if path.name in before and _files_of(before, PurePosixPath()) != _files_of(after, PurePosixPath()):
            yield from check_version_bump(before[path.name], after[path.name], str(path))


def _names(path: Path) -> Iterator[str]:
    """Yield a `SKILL.md` and the files of examples beside it, by path relative to its folder."""
    yield path.name
    yield from (f"references/{each.name}" for each in sorted((path.parent / "references").glob("examples.*.md")))


def check_raised_versions(before: Mapping[str, bytes], after: Mapping[str, bytes], folder: str) -> Iterator[Finding]:
    """Yield a finding for each skill of which a file changed while its version did not rise.

    Args:
        before: The files of the bank at the base revision, by path relative to its folder.
        after: The files now.
        folder: The bank's folder, for messages.
    """
    for path in sorted(before.keys() & after.keys()):
        pure = PurePosixPath(path)
        if pure.name != SKILL_FILE or pure.parent.name == ENTRANCE:
            continue
        if _files_of(before, pure.parent) != _files_of(after, pure.parent):
            yield from check_version_bump(before[path], after[path], f"{folder}/{path}")


def _files_of(files: Mapping[str, bytes], folder: PurePosixPath) -> dict[str, bytes]:
    """Return the `SKILL.md` of a folder and its files of examples, by path relative to the folder."""
    below = {
        path.relative_to(folder).as_posix(): path for path in map(PurePosixPath, files) if path.is_relative_to(folder)
    }
    return {name: files[str(path)] for name, path in below.items() if name == SKILL_FILE or REFERENCE.fullmatch(name)}


def check_version_bump(before: bytes, after: bytes, shown: str) -> Iterator[Finding]:
    """Yield a finding where the version of a changed skill did not rise.

    Args:
        before: Its `SKILL.md` at the base revision.
        after: The one now.
        shown: The file's name for messages.
    """
    try:
        old, new = _version(before, shown), _version(after, shown)
    except DocumentError:
        return  # a file that cannot be parsed has its own finding
    if old is not None and new is not None and new <= old:
        was, now = (".".join(map(str, each)) for each in (old, new))
        message = f"changed since the base, so its version {now} must rise above {was}"
        line = next((at for at, each in enumerate(after.split(b"\n"), start=1) if each.startswith(b"  version:")), 1)
        yield Finding(shown, line, "/metadata/version", "version-bump", Severity.ERROR, message)


def _version(data: bytes, shown: str) -> tuple[int, ...] | None:
    document = parse_skill(decode(data, shown), shown, PurePosixPath(shown).parent.name)
    metadata = document.value.get("metadata")
    parts = str(metadata.get("version", "")).split(".") if isinstance(metadata, Mapping) else []
    sound = len(parts) == 3 and all(part.isdecimal() and len(part) <= _MAX_DIGITS for part in parts)
    return tuple(map(int, parts)) if sound else None
