"""A bank written where a client looks for it; what a client reads is data (`data/exports.yaml`), with how it is known."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from esc_skills.bank.clients import View, load_clients, view_catalogue
from esc_skills.documents.schema import check_schema, suggest
from esc_skills.documents.text import read_text, write_atomically
from esc_skills.documents.yaml import parse_yaml
from esc_skills.errors import DocumentError, InputError
from esc_skills.integrations import export_forms as forms
from esc_skills.integrations.agent_bank import Bank

_DATA = Path(__file__).parent / "data" / "exports.yaml"
_SECTION_FILE = "AGENTS.md"


@dataclass(frozen=True, slots=True)
class Target:
    """In which form and where a client reads a bank; see `data/exports.yaml`.

    Attributes:
        name: What it is called.
        form: `skills`, `plugin`, `prompt`, `section` or `json`.
        source: How that is known.
        next: What comes next, run in the folder that was written.
        at: Where the folders of skills go.
        links: Where a link to them stands.
        view: The client whose view of the catalogue is known.
    """

    name: str
    form: str
    source: str
    next: str
    at: str = "."
    links: tuple[str, ...] = ()
    view: str | None = None


@dataclass(frozen=True, slots=True)
class Export:
    """What an export wrote.

    Attributes:
        target: The client.
        written: The paths that were written, the links among them; kept: those that were there already.
        view: What a model sees of the catalogue in this client; None where that is not known.
    """

    target: Target
    written: tuple[Path, ...]
    kept: tuple[Path, ...]
    view: View | None


@cache
def load_targets() -> Mapping[str, Target]:
    """Return the clients that a bank can be written for, by name.

    Raises:
        DocumentError: The data departs from its schema.
    """
    document = parse_yaml(read_text(_DATA), str(_DATA))
    for finding in check_schema(document.value, "exports", str(_DATA), document.lines):
        raise DocumentError(str(_DATA), finding.line, finding.code, finding.message, "see schemas/exports.schema.json")
    return {
        name: Target(name, **{**value, "links": tuple(value.get("links", ()))})
        for name, value in document.value.items()
    }


def export(bank: Bank, client: str, out: str | Path, budget: int | None = None) -> Export:
    """Write a bank where a client looks for it. What else the folder holds stays.

    Example:
        >>> from esc_skills import Bank
        >>> from esc_skills.integrations.exports import export
        >>> export(Bank.load(), "claude", "my-project").target.at        # doctest: +SKIP
        '.claude/skills'

    Args:
        bank: The bank.
        client: A name of `load_targets`.
        out: The folder, such as a project's; it is made where it is missing.
        budget: For a system prompt or a section, the most characters that it may take; else what the client was set to show
            of a catalogue, in the client's own unit.

    Raises:
        InputError: There is no such client, the budget does not suit it, a file of the same name with other content is in the
            way, or the system refused to write. Nothing is written but in the last case.
    """
    target = _find_target(client)
    if budget is not None and target.view is None and target.form not in ("prompt", "section"):
        raise InputError(f"nothing of an export to {client} has a budget", "leave it out")
    folder = Path(out)
    files = _render(bank, target, folder, budget)
    wanted = [link for link in target.links if not _holds(folder / link)]
    for link in target.links:
        _require_place(folder, link)
        if link not in wanted and not _is_same(folder / link, folder / target.at):
            files |= forms.skill_files(bank, link)
    missing = {path: data for path, data in files.items() if not _is_there(folder, path, data)}
    for path, data in missing.items():
        write_atomically(
            (folder / path).resolve(), data
        )  # where AGENTS.md is a link, as some have it, what it leads to
    written = [*missing, *(each for link in wanted for each in _link(bank, folder, link, target.at))]
    kept = tuple(folder / path for path in files if path not in missing)
    return Export(target, tuple(folder / path for path in written), kept, _view(bank, target, budget))


def _find_target(name: str) -> Target:
    targets = load_targets()
    if name not in targets:
        hint = f"one of {', '.join(targets)}"
        raise InputError(f"no export to {name!r} is known{suggest(name, list(targets))}", hint)
    return targets[name]


def _render(bank: Bank, target: Target, folder: Path, budget: int | None) -> forms.Files:
    match target.form:
        case "plugin":
            return forms.plugin_files(bank, target.at)
        case "prompt":
            return forms.prompt_files(bank, budget)
        case "json":
            return forms.json_files(bank)
        case "section":
            file = folder / _SECTION_FILE
            text = read_text(file) if _holds(file) else ""
            section = forms.render_section(bank, target.at, budget)
            put = forms.put_section(text, section, str(file)).encode()
            return {_SECTION_FILE: put, **forms.skill_files(bank, target.at)}
    return forms.skill_files(bank, target.at)


def _is_there(folder: Path, path: str, data: bytes) -> bool:
    """Return whether a file is there with this content.

    Raises:
        InputError: Something else is, or is where its folder would be.
    """
    _require_place(folder, path)
    file = folder / path
    if not _holds(file):
        return False
    if file.is_file() and file.read_bytes() == data:
        return True
    if path == _SECTION_FILE and file.is_file():
        return False  # all but our own section of it stays
    raise InputError(f"{file}: holds something else", "remove it, or name another folder")


def _require_place(folder: Path, path: str) -> None:
    """Refuse a path whose folders are no folders, or that a link leads out of the export's own."""
    for place in (folder, *(folder / each for each in reversed(Path(path).parents[:-1]))):
        if _holds(place) and not place.is_dir():
            raise InputError(f"{place}: is no folder", "remove it, or name another folder")
    if not (folder / path).resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{folder / path}: a link leads out of {folder}", "remove the link, or name another folder")


def _holds(path: Path) -> bool:
    return os.path.lexists(path)


def _is_same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


def _link(bank: Bank, folder: Path, link: str, at: str) -> list[str]:
    """Link a folder to that of the skills, or copy the skills where there are no links; return what was written."""
    place = folder / link
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        place.symlink_to(os.path.relpath(folder / at, place.parent), target_is_directory=True)
    except OSError:  # so Windows refuses without a right of its own, and some file systems always
        files = forms.skill_files(bank, link)
        for path, data in files.items():
            write_atomically(folder / path, data)
        return list(files)
    return [link]


def _view(bank: Bank, target: Target, budget: int | None) -> View | None:
    if target.view is None:
        return None
    client = load_clients()[target.view]
    if budget is not None:
        client = replace(client, share=None, fixed=budget)
    return view_catalogue(client, client.context, forms.catalogue_of(bank))
