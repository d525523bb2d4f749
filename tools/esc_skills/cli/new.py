"""`esc-skills new`."""

from __future__ import annotations

from pathlib import Path

import click

from esc_skills.cli.output import say
from esc_skills.cli.places import find_settings
from esc_skills.errors import EXIT_FINE
from esc_skills.integrations.new_parts import Part, start_part


@click.command("new")
@click.argument("part", type=click.Choice([str(each) for each in Part]))
@click.argument("name")
def command(part: str, name: str) -> int:
    """Start a skill, a scenario or a persona from a commented template.

    PART is skill, scenario or persona; NAME is its name, in lower-case letters, digits and hyphens. What is to be written begins with
    FILL: in the file, and `validate` names each line that is left.
    """
    settings = find_settings()
    path = start_part(Part(part), name, Path(), settings)
    say(f"{path}: fill in what begins with FILL:")
    checked = f"esc-skills validate {path.parent if part == Part.SKILL else path}"
    say(f"next: {checked}")
    if part == Part.SKILL:
        say(f"      esc-skills bank entrance {settings.skills}, so that agents find it")
    return EXIT_FINE
