"""`esc-skills evaluate`."""

from __future__ import annotations

import click

from esc_skills.cli.evaluate_bank import bank
from esc_skills.cli.evaluate_responses import responses


@click.group("evaluate")
def command() -> None:
    """Measure what a bank is worth: its single responses, and whole episodes with it and without.

    docs/evaluation.md says what each figure means.
    """


command.add_command(responses)
command.add_command(bank)
