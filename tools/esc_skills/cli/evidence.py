"""`esc-skills evidence`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from esc_skills.cli.model_options import ModelCommand, chosen, with_models
from esc_skills.cli.output import format_option, say, show_json
from esc_skills.cli.propose_run import (
    Making,
    Steps,
    base_option,
    default_base,
    opened_book,
    proposed_as_json,
    show_proposed,
    with_ledger,
)
from esc_skills.errors import EXIT_FINDINGS, EXIT_FINE, InputError
from esc_skills.evidence.revision import read_revision
from esc_skills.evidence.signature import sign_proposal
from esc_skills.git import Repository
from esc_skills.proposing.collect import collect, standing
from esc_skills.proposing.propose import Proposed
from esc_skills.proposing.renew import renew
from esc_skills.simulation.team import Team
from esc_skills.vocabulary import Verdict

#: Who plays a trial.
_ROLES = ("supporter", "seeker", "judge", "second_seeker")
_Command = TypeVar("_Command", bound=Callable[..., Any])


@click.group("evidence")
def command() -> None:
    """Make evidence for a change by hand, or renew that of a proposal whose base moved."""


def _with_options(command: _Command) -> _Command:
    for option in (
        format_option,
        click.option(
            "--sign",
            "key",
            type=click.Path(path_type=Path),
            metavar="KEY",
            help="Sign the statement with a private SSH key; where gate.trusted names its owner, a run of models counts.",
        ),
        with_models("supporter", "seeker", "judge", "second-seeker"),
        with_ledger,
        click.option("--repo", type=click.Path(path_type=Path), default=Path(), help="The git repository."),
        click.option(
            "--skills", "--bank", "skills", metavar="DIR", help="The bank's folder, from the repository's root."
        ),
        click.option("--head", required=True, metavar="REV", help="The branch with the change."),
        base_option,
    ):
        command = option(command)
    return command


@command.command("collect", cls=ModelCommand, short_help="Judge a change that was made by hand.")
@_with_options
def collect_command(**options: Any) -> int:
    """Judge a change of skills that was made by hand, and leave it with its evidence as a branch evolve/….

    The branch goes on from the named one, whose commits stay as they are. Where that one is a proposal that was rebased,
    its old evidence is replaced; where its evidence still stands, nothing is run. Ends with 1 unless the gate accepts.
    """
    return _make(collect, anew=False, **options)


@command.command("renew", cls=ModelCommand, short_help="Judge a proposal anew whose base moved.")
@click.option(
    "--anew",
    is_flag=True,
    help="Do so though its evidence stands, as a reviewer who doubts it; the ledger counts it as one more try.",
)
@_with_options
def renew_command(**options: Any) -> int:
    """Judge the change of a proposal anew where the base moved, and leave it as a branch that starts there.

    Only the files of skills are taken over; registration, seekers and evidence are new. Where the base moved in nothing
    that evidence is bound to, it still stands, and without --anew nothing is run.
    """
    return _make(renew, **options)


@command.command("sign", short_help="Sign a proposal's statement.")
@click.option("--head", required=True, metavar="BRANCH", help="The proposal's branch, which is not checked out.")
@base_option
@click.option(
    "--key",
    required=True,
    type=click.Path(path_type=Path),
    help="A private SSH key, or the public one of a key that an agent holds.",
)
@click.option("--repo", type=click.Path(path_type=Path), default=Path(), help="The git repository.")
def sign_command(head: str, base: str | None, key: Path, repo: Path) -> int:
    """Sign a proposal's statement with an SSH key, in a commit of its own on the branch.

    `verify` holds the signature against the file `allowed_signers` of the base; --require-signature asks for one.
    """
    with Repository(repo) as repository:
        base = default_base(repository, base)
        path = sign_proposal(repository, base, head, key)
    say(f"{path} signs the statement, in a commit on {head}")
    say(f"next: esc-skills verify --base {base} --head {head} --require-signature")
    return EXIT_FINE


def _make(
    work_of: Callable[..., Any],
    base: str | None,
    head: str,
    skills: str | None,
    repo: Path,
    remote: str | None,
    offline: bool,
    form: str,
    anew: bool,
    key: Path | None,
    **options: Any,
) -> int:
    with Repository(repo) as repository:
        base = default_base(repository, base)
        try:
            revision = read_revision(repository, base, skills)
        except InputError as error:
            raise InputError(f"the base {base} cannot be judged by: {error.message}", error.hint) from error
        named = {role: options[role] for role in _ROLES if options[role] is not None}
        asked = chosen(options, revision.settings.models)
        with opened_book(repository, remote, offline=offline) as book:

            async def work(team: Team, steps: Steps) -> Proposed:
                made: Proposed = await work_of(repository, revision, head, steps, team, book, key)
                return made

            made = None
            if not anew:
                with Steps(shown=form == "text") as steps:
                    made = standing(repository, revision, head, steps, named, book, key)
            made = made or Making(repository, revision, asked, None, 0, form == "text").run(work)
    if form == "json":
        show_json(proposed_as_json(made))
    else:
        show_proposed(made, base)
    return EXIT_FINE if made.verdict is Verdict.ACCEPT else EXIT_FINDINGS
