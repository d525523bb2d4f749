"""`esc-skills diff`."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import click

from esc_skills.bank.reader import visible as visible_files
from esc_skills.bank.skill import SKILL_FILE
from esc_skills.bank.spans import SpanChange, compare_files
from esc_skills.cli.output import format_option, say, show_json
from esc_skills.documents.word_diff import Kind, Piece, shortened, visible, word_diff
from esc_skills.errors import InputError
from esc_skills.evidence.revision import clean_folder
from esc_skills.git import Repository
from esc_skills.settings import read_settings


@click.command("diff")
@click.argument("revisions", metavar="BASE..HEAD")
@click.option("--skills", metavar="DIR", help="The bank's folder, from the repository's root. [default: the settings']")
@click.option(
    "--repo", type=click.Path(path_type=Path), default=Path(), help="The git repository. [default: the one you are in]"
)
@format_option
def command(revisions: str, skills: str | None, repo: Path, form: str) -> int:
    """Show how two revisions of the bank differ, span by span and word by word.

    A span is a key, a section or an example. Every byte that differs is shown, what cannot be seen by its number.
    """
    base, separator, head = revisions.partition("..")
    if not separator or not base:
        raise InputError(f"{revisions!r} names no two revisions", "write them like main..evolve/some-proposal")
    with Repository(repo) as repository:
        head = head.lstrip(".") or "HEAD"
        settings = read_settings(repository.read_file(head, "pyproject.toml"), f"{head}:pyproject.toml")
        folder = clean_folder(skills or settings.skills)
        banks = [_files(repository, revision, folder) for revision in (base, head)]
    changes = compare_files(*banks)
    if form == "json":
        show_json({"changes": [_told(each) for each in changes]})
        return 0
    show_changes(changes)
    return 0


def _files(repository: Repository, revision: str, folder: str) -> dict[str, bytes]:
    files = visible_files(repository.read_tree(revision, folder))
    if not any(path.endswith(SKILL_FILE) for path in files):
        raise InputError(f"{revision}:{folder}: holds no {SKILL_FILE}", "name the bank's folder with --skills")
    return files


def _told(change: SpanChange) -> dict[str, str | None]:
    texts = {"before": change.before, "after": change.after}
    # A byte that is no UTF-8 cannot stand in JSON.
    told = {
        key: each and each.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        for key, each in texts.items()
    }
    return {"skill": change.skill, "file": change.path, "span": change.name, **told}


def show_changes(changes: tuple[SpanChange, ...]) -> None:
    """Print changes by skill and span."""
    if not changes:
        say("no file of the bank differs")
    for skill, group in groupby(changes, key=lambda change: change.skill):
        say(skill, bold=True)
        for change in group:
            say(f"  {change.name} ({change.path})")
            say(f"    {describe(change).strip()}")


def describe(change: SpanChange) -> str:
    """Return one change on a line of a terminal, in which nothing that changed is cut or invisible."""
    if change.before is None or change.after is None:
        kind = Kind.ADDED if change.before is None else Kind.REMOVED
        return _piece(Piece(kind, change.after or change.before or ""))
    return "".join(map(_piece, shortened(word_diff(change.before, change.after))))


def _piece(piece: Piece) -> str:
    text = visible(piece.text, changed=piece.kind is not Kind.SAME)
    if piece.kind is Kind.SAME:
        return text
    return f"{{+{text}+}}" if piece.kind is Kind.ADDED else f"[-{text}-]"
