"""`esc-skills init`."""

from __future__ import annotations

from pathlib import Path

import click

from esc_skills.cli.hook import install_before_commit
from esc_skills.cli.output import say
from esc_skills.errors import EXIT_FINE, InputError
from esc_skills.git import Repository, enclosing_repository, start_git
from esc_skills.integrations.team_repository import FIRST_SKILLS, read_owner, require_empty, start_repository


@click.command("init")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=True))
@click.option("--owner", metavar="NAME", help="Who decides what no simulation can; --key goes with it.")
@click.option("--key", type=click.Path(path_type=Path), metavar="FILE", help="The owner's public SSH key, a .pub file.")
def command(folder: Path, owner: str | None, key: Path | None) -> int:
    """Start a repository with a bank, its settings and its checks.

    DIR is empty or not there yet; a git repository without files will do. It gets a small safe bank, the profiles, settings,
    a workflow for GitHub, a hook before commits and links for coding agents. Nothing is committed and nothing is pushed.
    """
    if (owner is None) != (key is None):
        raise InputError("--owner and --key go together", "give a name and the .pub file of an SSH key")
    named = read_owner(owner, key) if owner and key else None
    require_empty(folder)
    if (around := enclosing_repository(folder)) is not None:
        raise InputError(f"{folder}: lies in the repository {around}", "give a folder outside of it")
    files = start_repository(folder, named)
    start_git(folder)
    with Repository(folder) as repository:
        install_before_commit(repository)
    say(f"{folder}: {len(files)} files, with a bank of {len(FIRST_SKILLS)} skills", bold=True)
    if named is None:
        say("nobody owns the settings yet: see [tool.esc-skills.owners] in pyproject.toml, or give --owner and --key")
    say(f"next: cd {folder}")
    say("      git add --all && git commit --message 'Start a bank of emotional support skills'")
    say("      esc-skills doctor")
    return EXIT_FINE
