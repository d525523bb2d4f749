"""`esc-skills diff`."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import click

from esc_skills.bank.changes import Change, compare_banks
from esc_skills.bank.reader import read_bank
from esc_skills.cli.output import format_option, say, show_json
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
    """Explain how two revisions of the bank differ.

    Not lines, but what changes for a seeker: guidance, applicability, outcome, risk and examples of each skill.
    """
    base, separator, head = revisions.partition("..")
    if not separator or not base:
        raise InputError(f"{revisions!r} names no two revisions", "write them like main..evolve/some-proposal")
    with Repository(repo) as repository:
        head = head.lstrip(".") or "HEAD"
        settings = read_settings(repository.read_file(head, "pyproject.toml"), f"{head}:pyproject.toml")
        folder = clean_folder(skills or settings.skills)
        words = settings.vocabulary
        banks = [read_bank(repository.read_tree(rev, folder), f"{rev}:{folder}", words).skills for rev in (base, head)]
    changes = compare_banks(banks[0], banks[1])
    if form == "json":
        fields = ("skill", "part", "what", "before", "after")
        show_json({"changes": [{field: str(getattr(change, field)) for field in fields} for change in changes]})
        return 0
    show_changes(changes)
    return 0


def show_changes(changes: tuple[Change, ...]) -> None:
    """Print changes by skill and part."""
    if not changes:
        say("no skill differs")
    for skill, group in groupby(changes, key=lambda change: change.skill):
        say(skill, bold=True)
        for change in group:
            say(f"  {change.part}: {change.what}")
            if change.before:
                say(f"    - {change.before}", fg="red")
            if change.after:
                say(f"    + {change.after}", fg="green")
