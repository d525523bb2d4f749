"""`esc-skills completion`."""

from __future__ import annotations

import click

from esc_skills.errors import EXIT_FINE

_LINES = {
    "bash": 'eval "$(_ESC_SKILLS_COMPLETE=bash_source esc-skills)"',
    "zsh": 'eval "$(_ESC_SKILLS_COMPLETE=zsh_source esc-skills)"',
    "fish": "_ESC_SKILLS_COMPLETE=fish_source esc-skills | source",
}
_FILES = {"bash": "~/.bashrc", "zsh": "~/.zshrc", "fish": "~/.config/fish/completions/esc-skills.fish"}


@click.command("completion")
@click.argument("shell", type=click.Choice(list(_LINES)))
def command(shell: str) -> int:
    """Print the line that completes commands and options in a shell, to be put into its start file."""
    click.echo(f"# put this into {_FILES[shell]}")
    click.echo(_LINES[shell])
    return EXIT_FINE
