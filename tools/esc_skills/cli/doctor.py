"""`esc-skills doctor`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from esc_skills.cli.output import format_option, say, show_json
from esc_skills.errors import EXIT_FINDINGS, EXIT_FINE
from esc_skills.integrations.readiness import State, read_readiness


@click.command("doctor")
@click.option(
    "--repo", type=click.Path(path_type=Path), default=Path(), help="The git repository. [default: the one you are in]"
)
@click.option("--offline", is_flag=True, help="Do not ask the remote whether it lets you push.")
@format_option
def command(repo: Path, offline: bool, form: str) -> int:
    """Say what this machine and this repository lack for work on a bank.

    Nothing is changed: the question to the remote is a dry run. Ends with 1 where something stops work.
    """
    readings = []
    for reading in read_readiness(repo, push=not offline):
        readings.append(reading)
        if form == "text":
            say(f"{reading.state:<4} {reading.name}: {reading.found}")
            if reading.remedy:
                say(f"     → {reading.remedy}")
    if form == "json":
        show_json({"checks": [asdict(each) for each in readings]})
    return EXIT_FINDINGS if any(each.state is State.BAD for each in readings) else EXIT_FINE
