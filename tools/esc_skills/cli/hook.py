"""`esc-skills hook`."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import click

from esc_skills.cli.output import say
from esc_skills.documents.text import write_atomically
from esc_skills.errors import EXIT_FINDINGS, EXIT_FINE, InputError
from esc_skills.evidence.push import Guard, Push, Ruling, judge_push, read_push
from esc_skills.git import QUARANTINE, Repository
from esc_skills.reports.result import result_of

_MARK = "# Written by `esc-skills hook install"

_PRE_RECEIVE = """\
#!/bin/sh
{mark} --server`; the same command replaces it.
# It judges what is pushed to {branch} before anything of it is let in: a refused push leaves nothing behind.
exec {python} -P -m esc_skills hook receive {options}
"""

_PRE_COMMIT = """\
#!/bin/sh
{mark}`; the same command replaces it.
# It validates what is staged, not what lies in the work tree.
git diff --cached --quiet -- skills profiles pyproject.toml && exit 0
staged=$(mktemp -d) || exit 1
trap 'rm -rf "$staged"' EXIT
git ls-files -z -- skills profiles pyproject.toml | git -c core.autocrlf=false -c core.eol=lf checkout-index -z --stdin --prefix="$staged/" || exit 1
cd "$staged" && {python} -P -m esc_skills validate .
"""


@click.group("hook")
def command() -> None:
    """Let git ask: the gate of a server that people push to, and validation before a commit."""


@command.command("install")
@click.option("--server", is_flag=True, help="Judge what is pushed to this repository, with a pre-receive hook.")
@click.option(
    "--repo", type=click.Path(path_type=Path), default=Path(), help="The git repository. [default: the one you are in]"
)
@click.option("--branch", default="main", show_default=True, help="The branch that the server guards.")
@click.option("--require-signature", is_flag=True, help="Refuse evidence that is not signed.")
@click.option("--force", is_flag=True, help="Replace a hook that somebody else wrote.")
def install(server: bool, repo: Path, branch: str, require_signature: bool, force: bool) -> int:
    """Install a hook: before a commit, or with --server before a push is let in.

    The server's hook verifies every push to the guarded branch that changes the bank, its evidence or what judges them. It
    refuses to delete or rewrite that branch and the ledger, and refs that could be taken for them. All else passes.
    """
    if server:
        _require_branch(branch)
        options = ["--branch", branch]
        options += ["--require-signature"] * require_signature
        text = _PRE_RECEIVE.format(
            mark=_MARK, branch=branch, python=shlex.quote(sys.executable), options=shlex.join(options)
        )
    with Repository(repo) as repository:
        path = (
            _write_hook(repository, "pre-receive", text, force) if server else install_before_commit(repository, force)
        )
        shown = repository.symbolic_target("HEAD")
    say(f"{path}: " + (f"judges pushes to {branch} and guards the ledger" if server else "validates what is staged"))
    if server and shown != f"refs/heads/{branch}":
        say(f"  clones check out {shown}, and pushes to it are refused: git symbolic-ref HEAD refs/heads/{branch}")
    return EXIT_FINE


def install_before_commit(repository: Repository, force: bool = False) -> Path:
    """Install the hook that validates what is staged, and return its file.

    Raises:
        InputError: Somebody else's hook stands there, or hooks are shared with other repositories, and `force` is not set.
    """
    text = _PRE_COMMIT.format(mark=_MARK, python=shlex.quote(sys.executable))
    return _write_hook(repository, "pre-commit", text, force)


def _write_hook(repository: Repository, name: str, text: str, force: bool) -> Path:
    path = _hooks_folder(repository, force) / name
    _require_ours(path, force)
    write_atomically(path, text)
    path.chmod(0o755)
    return path


def _hooks_folder(repository: Repository, force: bool) -> Path:
    folder = repository.hooks_folder
    own = (repository.root.resolve(), repository.private_folder.parent.resolve())
    if not force and not any(folder.is_relative_to(each) for each in own):
        raise InputError(
            f"{folder}: core.hooksPath sends this repository's hooks there, where others may share them",
            "unset it, or install there with --force",
        )
    return folder


def _require_branch(branch: str) -> None:
    if not branch or branch.startswith("-") or not branch.isprintable() or any(each.isspace() for each in branch):
        raise InputError(f"{branch!r} is no name of a branch", "give one such as main")


def _require_ours(path: Path, force: bool) -> None:
    if path.exists() and not force and _MARK not in path.read_text(encoding="utf-8", errors="replace"):
        raise InputError(f"{path}: is a hook of somebody else", "call ours from it, or replace it with --force")


@command.command("receive", hidden=True)
@click.option("--branch", default="main")
@click.option("--require-signature", is_flag=True)
def receive(branch: str, require_signature: bool) -> int:
    """Judge the push that git tells on standard input; the pre-receive hook calls this."""
    pushes = [read_push(line) for line in sys.stdin]
    quarantine = {name: os.environ[name] for name in QUARANTINE if name in os.environ}
    with Repository(Path(os.environ.get("GIT_DIR", ".")), quarantine) as repository:
        guard = Guard(branch, require_signature)
        rulings = [(push, judge_push(repository, push, guard)) for push in pushes]
    for push, ruling in rulings:
        _tell(push, ruling)
    return EXIT_FINDINGS if any(ruling.refused for _, ruling in rulings) else EXIT_FINE


def _tell(push: Push, ruling: Ruling) -> None:
    for found in ruling.judged:
        result = result_of(found)
        say(f"esc-skills: {push.ref}: {result.headline}", err=True)
        if result.verdict is None:
            for check in result.checks:
                say(f"  {check.detail}", err=True)
    if ruling.refused:
        say(f"esc-skills: {push.ref} is refused", err=True)
        for reason in ruling.refused:
            say(f"  {reason}", err=True)
