"""The options with which a command names a bank, or a part of one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from esc_skills.bank.reader import Bank, restrict_bank
from esc_skills.cli.places import NO_BANK, SHIPPED, find_bank, find_settings
from esc_skills.errors import InputError
from esc_skills.integrations.agent_bank import Bank as AgentBank

_Command = TypeVar("_Command", bound=Callable[..., Any])

_FOLDER = "The bank's folder, or `shipped` for ours{none}. [default: the repository's; ours outside of any]"


def with_skills(*, or_none: bool = False) -> Callable[[_Command], _Command]:
    """Return a decorator that adds the option of the bank's folder, which may be the word `none` where `or_none`."""
    none = f", or `{NO_BANK}` for a supporter without one" if or_none else ""
    return click.option("--skills", "--bank", "skills", type=click.Path(path_type=Path), help=_FOLDER.format(none=none))


agent_bank_option = click.option(
    "--bank",
    "--skills",
    "skills",
    type=click.Path(path_type=Path),
    help="The bank's folder, or `shipped` for ours. [default: the one where you stand, else ours]",
)


def with_part(command: _Command) -> _Command:
    """Add the options that name a part of a bank, as `only` and `exclude`."""
    only = click.option("--only", multiple=True, metavar="SKILL", help="A skill to keep, of all. May be repeated.")
    exclude = click.option("--exclude", multiple=True, metavar="SKILL", help="A skill to leave out. May be repeated.")
    decorated: _Command = only(exclude(command))
    return decorated


def require_bank(skills: Path | None) -> tuple[Bank, str]:
    """Return a bank and where it lies, as `find_bank`, where a command is of no use without one.

    Raises:
        InputError: The word `none` was named, or the folder holds no bank.
    """
    bank, where = find_bank(skills)
    if bank is None:
        raise InputError("without a bank there is nothing to measure", f"give another folder than {NO_BANK!r}")
    return bank, where


def load_bank(skills: Path | None) -> AgentBank:
    """Return a bank as an agent uses it: the one that was named, with the settings beside it, else the one where one stands.

    Elsewhere it is ours, in a repository too: whoever gives our bank to an agent stands in the agent's project.

    Raises:
        InputError: The folder holds no bank.
    """
    if str(skills) == SHIPPED or (skills is None and not Path(find_settings().skills).is_dir()):
        return AgentBank.load()
    if skills is not None:
        return AgentBank.load(skills)
    record, where = require_bank(None)
    return AgentBank(record, Path(where))


def find_part(skills: Path | None, only: tuple[str, ...], exclude: tuple[str, ...]) -> tuple[Bank | None, str]:
    """Return a bank or the part of it that was named, and what it is in words; None for a supporter without a bank.

    Raises:
        InputError: The folder holds no bank, or the bank no such skill.
    """
    if not only and not exclude:
        return find_bank(skills)
    bank, where = require_bank(skills)
    kept = f"{', '.join(only)} of {where}" if only else where
    left = f" without {', '.join(exclude)}" if exclude else ""
    return restrict_bank(bank, only, exclude), kept + left
