"""`esc-skills bank`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from esc_skills.bank.entrance import ENTRANCE_FILE, render_entrance
from esc_skills.bank.migration import migrate as migrated
from esc_skills.bank.reader import read_bank, read_files
from esc_skills.cli.output import say
from esc_skills.cli.places import find_settings
from esc_skills.documents.text import write_atomically

_folder = click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path, file_okay=False))


@click.group("bank")
def command() -> None:
    """Make a bank's entrance, bring an old bank into today's form."""


@command.command("entrance")
@_folder
def entrance(folder: Path | None) -> int:
    """Write the entrance of a bank anew, after its skills or the prompts changed.

    DIR is the bank's folder; the settings' where it is left out. The entrance is the skill emotional-support: what a supporter
    always does, and the map of all skills.
    """
    settings = find_settings()
    folder = folder or Path(settings.skills)
    skills = read_bank(read_files(folder), str(folder), settings.vocabulary).skills
    write_atomically(folder / ENTRANCE_FILE, render_entrance(skills))
    say(f"{folder / ENTRANCE_FILE}: leads to {len(skills)} skills")
    return 0


@command.command("migrate")
@_folder
def migrate(folder: Path | None) -> int:
    """Bring a bank of the old form, with all examples in SKILL.md, into today's, in place.

    DIR is the bank's folder; the settings' where it is left out. No example is lost. Descriptions become their own triggers, and
    the long ones are cut: read them over.
    """
    folder = folder or Path(find_settings().skills)
    files = read_files(folder)
    changed = migrated(files, str(folder))
    _write(folder, changed)
    if not changed:
        say("nothing to do")
        return 0
    names = {path.split("/references/")[0].removesuffix("/SKILL.md") for path in changed}
    skills = "1 skill" if len(names) == 1 else f"{len(names)} skills"
    say(f"{len(changed)} files of {skills} written below {folder}")
    say(f"next: read the descriptions in `git diff {folder}`; those without `Use when` stay as they were")
    say(f"      esc-skills bank entrance {folder}, if agents shall start there; then esc-skills validate {folder}")
    say("      commit it as one on the main branch itself: a proposal needs a base of today's form")
    return 0


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        write_atomically(folder / path, text)
