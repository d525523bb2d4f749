"""Reading of a bank: from a folder or from a git tree, with its rules that look at several skills at once."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from esc_skills.bank.rules import OURS, check_contract
from esc_skills.bank.skill import REFERENCE, SKILL_FILE, Skill, SkillDocument, build_skill, parse_skill
from esc_skills.documents.findings import Finding, Severity, finding_of, has_errors
from esc_skills.documents.jsonl import digest, digest_json
from esc_skills.documents.schema import line_at, suggest
from esc_skills.documents.text import decode, read_bytes, require_size
from esc_skills.errors import DocumentError, InputError
from esc_skills.vocabulary import HiddenIntention, RiskCode, Strategy, Vocabulary

_MAX_FILES = 20_000
_UNKNOWN = "unknown-skill"
_NAME = re.compile(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`")
_WORDS = {*RiskCode, *Strategy, *HiddenIntention}


@dataclass(frozen=True, slots=True)
class Bank:
    """All skills of one folder.

    Attributes:
        skills: The skills by name.
        files: The digest of every file of the folder, by path relative to it.
        digest: The digest of `files`: equal exactly where the folders are.
        contents: The content of every file, by the same paths.
    """

    skills: Mapping[str, Skill]
    files: Mapping[str, str]
    digest: str
    contents: Mapping[str, bytes]


#: The folder of the entrance, which `bank.entrance` makes of the skills: it is none of them.
ENTRANCE = "emotional-support"
#: The code of a file of examples beside which there is no skill, and what is wrong with it.
ORPHAN = "orphan-examples"
ORPHAN_MEANS = "belongs to no skill: there is none in {}; remove it"
#: The code of a linked folder of a skill, and what is wrong with one.
LINKED = "linked-folder"
LINKED_MEANS = "is a symbolic link to a folder, which neither `verify` nor a clone on Windows follows"


def read_files(folder: Path, converted: Callable[[Path, bytes], bytes] = lambda path, data: data) -> dict[str, bytes]:
    """Return the content of every file below a folder by its relative path, hidden ones left out.

    Args:
        folder: The folder.
        converted: Makes of a file's bytes what git would commit of it; see `git.as_committed`.

    Raises:
        InputError: The folder is missing, a link leaves it, or it holds more files than a bank would.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder", "check the path")
    found: dict[str, bytes] = {}
    for path in walk(folder):
        if len(found) >= _MAX_FILES:
            raise InputError(f"{folder}: holds more than {_MAX_FILES:,} files", "give the folder of the bank itself")
        found[path.relative_to(folder).as_posix()] = converted(path, read_bytes(path, inside=folder))
    for link in linked_folders(folder):
        raise DocumentError(str(link), 0, LINKED, LINKED_MEANS, "put the folder itself there")
    return found


def linked_folders(folder: Path) -> Iterator[Path]:
    """Yield the links below a folder that lead to a folder with a skill; nobody who reads the bank follows them."""
    for root, folders, _ in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for path in (Path(root, name) for name in folders):
            if path.is_symlink() and next(path.rglob(SKILL_FILE), None):
                yield path


def walk(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder in order of their paths; hidden files and folders are left out.

    Raises:
        DocumentError: A name is not UTF-8, and so can be neither shown nor recorded.
    """
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and not _is_environment(Path(root, name))
        )
        for name in [*folders, *files]:
            _require_utf8_name(Path(root, name))
        yield from (Path(root, name) for name in sorted(files) if not name.startswith("."))


def _require_utf8_name(path: Path) -> None:
    if not path.name.isascii():
        try:
            path.name.encode()
        except UnicodeEncodeError as error:
            shown = os.fsencode(path).decode(errors="backslashreplace")
            raise DocumentError(shown, 0, "encoding", "the file's name is not UTF-8", "rename it") from error


def visible(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files that `walk` would find: a git tree may hold hidden ones, which are no part of a bank."""
    return {path: data for path, data in files.items() if not any(part.startswith(".") for part in path.split("/"))}


def _is_environment(folder: Path) -> bool:
    return (folder / "pyvenv.cfg").is_file()  # a Python environment, whose packages are nobody's bank


def parse_documents(files: Mapping[str, bytes], shown: str) -> tuple[list[SkillDocument], list[Finding]]:
    """Parse every skill of a folder, at any depth; what cannot be parsed becomes a finding."""
    documents: list[SkillDocument] = []
    findings: list[Finding] = []
    references = _references(files)
    for path in sorted(files):
        folder, _, name = path.rpartition("/")
        if name != SKILL_FILE or folder == ENTRANCE:
            continue
        try:
            place, text = _text(files, path, shown)
            texts = {language: _text(files, each, shown) for language, each in references.get(folder, {}).items()}
            documents.append(parse_skill(text, place, folder.rpartition("/")[2] or PurePosixPath(shown).name, texts))
        except DocumentError as error:
            findings.append(finding_of(error))
    for folder, found in references.items():
        if f"{folder}/{SKILL_FILE}".lstrip("/") not in files or folder == ENTRANCE:  # which has no examples
            message = ORPHAN_MEANS.format(folder or shown)
            for each in found.values():
                place = str(PurePosixPath(shown, each))
                findings.append(Finding(place, 0, "", ORPHAN, Severity.ERROR, message))
    return documents, findings


def _references(files: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return the files of examples by the folder of their skill and by language."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted(files):
        parts = path.split("/")
        if mark := REFERENCE.fullmatch("/".join(parts[-2:])):
            found.setdefault("/".join(parts[:-2]), {})[mark[1]] = path
    return found


def _text(files: Mapping[str, bytes], path: str, shown: str) -> tuple[str, str]:
    """Return a file's name for messages and its text."""
    name = str(PurePosixPath(shown, path))
    require_size(files[path], name)
    return name, decode(files[path], name)


def check_references(documents: Iterable[SkillDocument], unread: Collection[str] = ()) -> Iterator[Finding]:
    """Yield skills that share a name, and skills named in prose that the bank does not hold.

    Args:
        documents: The skills of the bank.
        unread: The folders of skills that could not be read: they are there all the same.
    """
    paths: dict[str, str] = {}
    documents = list(documents)
    for document in documents:
        name = str(document.value.get("name"))
        if name in paths:
            yield _finding(
                document, "/name", "repeated-skill", f"{paths[name]} has the name {name!r} too; rename one of them"
            )
        paths.setdefault(name, document.path)
    for document in documents:
        for index, text in enumerate(document.value.get("when_not_to_use", [])):
            for name in named_skills(text):
                if name not in paths and name not in unread:
                    pointer = f"/when_not_to_use/{index}"
                    yield _finding(
                        document,
                        pointer,
                        _UNKNOWN,
                        f"refers to {name!r}, which is no skill of this bank; add it, or remove the line",
                    )


def named_skills(text: str) -> list[str]:
    """Return the names in backticks that a text of a skill holds, without the words of the vocabularies."""
    return [name for name in _NAME.findall(text) if name not in _WORDS]


def _finding(document: SkillDocument, pointer: str, code: str, message: str) -> Finding:
    return Finding(document.path, line_at(document.lines, pointer) or 1, pointer, code, Severity.ERROR, message)


def read_bank(files: Mapping[str, bytes], shown: str, vocabulary: Vocabulary = OURS) -> Bank:
    """Read a bank from the files of its folder.

    Args:
        files: Content by path relative to the folder.
        shown: The folder's name for messages.
        vocabulary: The words and further keys that its skills may use.

    Raises:
        InputError: It holds no skill, or a skill has an error; the message holds the first and the number of the others.
    """
    documents, findings = parse_documents(files, shown)
    if not documents and not findings:
        raise InputError(f"{shown}: holds no {SKILL_FILE}", "give a folder of skill folders, each with its SKILL.md")
    for document in documents:
        findings.extend(check_contract(document, vocabulary))
    # A bank of a few copied skills still refers to those left behind: `validate` names that, and it hinders nothing.
    findings.extend(each for each in check_references(documents) if each.code != _UNKNOWN)
    if has_errors(findings):
        more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
        raise InputError(f"{findings[0].as_text()}{more}", "see `esc-skills validate` for all of them")
    return _bank_of(map(build_skill, documents), {path: files[path] for path in sorted(files)})


def restrict_bank(bank: Bank, only: Collection[str] = (), exclude: Collection[str] = ()) -> Bank:
    """Return a bank as it would be if its folder held some of its skills alone.

    Args:
        bank: The bank.
        only: The names of the skills to keep; empty for all.
        exclude: The names of those to leave out, of what is kept.

    Raises:
        InputError: The bank holds no skill of a name, or none is left.
    """
    for name in (*only, *exclude):
        if name not in bank.skills:
            near = suggest(name, list(bank.skills))
            raise InputError(f"the bank holds no skill named {name!r}{near}", f"it holds {', '.join(bank.skills)}")
    kept = [skill for name, skill in bank.skills.items() if (not only or name in only) and name not in exclude]
    if not kept:
        raise InputError("no skill of the bank is left", "leave out fewer, or use no bank")
    dropped = bank.skills.keys() - {skill.name for skill in kept}
    return _bank_of(kept, {path: each for path, each in bank.contents.items() if dropped.isdisjoint(_folders(path))})


def _folders(path: str) -> tuple[str, ...]:
    return PurePosixPath(path).parent.parts


def _bank_of(skills: Iterable[Skill], contents: Mapping[str, bytes]) -> Bank:
    digests = {path: digest(data) for path, data in contents.items()}
    return Bank(
        {skill.name: skill for skill in sorted(skills, key=lambda skill: skill.name)},
        digests,
        digest_json(digests),
        contents,
    )
