"""The command `esc-skills`: its groups, loaded when they are used, and the one place that turns errors into exit codes."""

from __future__ import annotations

import gc
import importlib
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from typing import Any

import click

from esc_skills import __version__
from esc_skills.cli.output import say
from esc_skills.errors import EXIT_INPUT, EXIT_INTERNAL, EXIT_INTERRUPTED, EscError

#: The commands by task, each with its module and its line in `--help`; a module is imported when its command runs.
_TASKS = {
    "Start": {
        "demo": ("demo", "Watch the whole loop on a weakened copy of the bank."),
        "init": ("init", "Start a repository with a bank, its settings and its checks."),
        "doctor": ("doctor", "Say what this machine and this repository lack."),
    },
    "Write skills, and give them to agents": {
        "new": ("new", "Start a skill, a scenario or a persona from a template."),
        "validate": ("validate", "Check skills, profiles and settings."),
        "bank": ("bank", "Make the entrance of a bank, migrate an old one."),
        "export": ("export", "Write the bank where a client looks for it."),
        "mcp": ("mcp", "Serve the bank to clients of the Model Context Protocol."),
        "diff": ("diff", "Explain how two revisions of the bank differ."),
    },
    "Simulate and measure": {
        "simulate": ("simulate", "Run a bank against seeker profiles."),
        "replay": ("simulate:replay", "Run a simulation again from its recorded calls."),
        "score": ("score", "Show the scores of runs, ours or SAGE's."),
        "diagnose": ("diagnose", "Find what is weak or unsafe in a run."),
        "evaluate": ("evaluate", "Measure what a bank is worth, its responses and its skills."),
    },
    "Propose and verify a change": {
        "evidence": ("evidence", "Judge a change made by hand; renew a proposal whose base moved."),
        "evolve": ("evolve", "Propose a better bank as a branch with its evidence."),
        "verify": ("verify", "Re-derive the verdict of a proposal from git alone."),
        "owners": ("owners", "Decide what no simulation can, with a signature and a reason."),
        "ledger": ("ledger", "Show and check the history of registrations and decisions."),
        "hook": ("hook", "Install the gate on a git server, and validation before a commit."),
    },
    "Bring your own data": {
        "corpus": ("corpus", "Import published conversations; take personal data out of them."),
        "discover": ("discover", "From dialogues to prototypes and drafts of skills."),
        "profiles": ("profiles", "Import and export seeker profiles."),
    },
    "Measure the tools themselves": {
        "gate": ("gate", "Measure the gate: false accepts and power."),
        "surrogate": ("surrogate", "Fit and measure the surrogate seeker and the annotator."),
        "completion": ("completion", "Print the line that completes commands in your shell."),
    },
}
_COMMANDS = {name: each for task in _TASKS.values() for name, each in task.items()}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        room, _, attribute = _COMMANDS[cmd_name][0].partition(":")
        module = importlib.import_module(f"esc_skills.cli.{room}")
        command: click.Command = getattr(module, attribute or "command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, _COMMANDS))
        for task, named in _TASKS.items():
            with formatter.section(task):
                formatter.write_dl([(name.ljust(width), line) for name, (_, line) in named.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] not in _COMMANDS:
            from esc_skills.documents.schema import suggest

            ctx.fail(f"no command is named {args[0]!r}{suggest(args[0], list(_COMMANDS))}")
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="esc-skills")
def commands() -> None:
    """Keep emotional support skills in git, and let simulation verify every change to them.

    To watch it: `esc-skills demo`. To start a bank: `esc-skills init DIR`.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    # A run keeps all its episodes: to look through them for garbage after every 700 objects takes a twentieth of its time.
    gc.set_threshold(50_000, 20, 100)
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        The exit code: 0 fine; 1 findings, or a gate refused; 2 usage or input error; 3 an internal fault; 130 interrupted.
    """
    try:
        return _run(arguments)
    except KeyboardInterrupt:  # a second one, while the first was being told
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        _drop_output()  # the reader went away, as `head` does
        return 0


def _run(arguments: Sequence[str] | None) -> int:
    try:
        result = commands.main(arguments, prog_name="esc-skills", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as error:
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        say("interrupted", err=True)
        return EXIT_INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:  # a group without a command
        click.echo(error.format_message(), err=True)
        return EXIT_INPUT
    except click.UsageError as error:
        context = error.ctx or click.Context(commands, info_name="esc-skills")
        message = " ".join(error.format_message().split())  # click breaks lists into lines with tabs
        _show(message, f"see `{context.command_path} --help`")
        return EXIT_INPUT
    except click.ClickException as error:
        _show(error.format_message(), "")
        return EXIT_INPUT
    except EscError as error:
        _show(error.message, error.hint)
        return error.exit_code
    except BrokenPipeError:
        raise
    except OSError as error:
        # A full disk or a missing right is the machine's, not a fault of ours.
        _drop_output()
        _show(f"{error.filename or 'output'}: {error.strerror or error}", "free some space, or check the rights")
        return EXIT_INPUT
    except Exception:
        _show_fault(f"esc-skills {__version__}, Python {sys.version}\n{traceback.format_exc()}")
        return EXIT_INTERNAL


def _drop_output() -> None:
    """Send what is still to be printed nowhere, where it cannot be: python would try and complain once more at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _show(message: str, hint: str) -> None:
    say(f"esc-skills: error: {message}", err=True)
    if hint:
        say(f"  → {hint}", err=True)


def _show_fault(report: str) -> None:
    try:
        handle, name = tempfile.mkstemp(prefix="esc-skills-", suffix=".log")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(report)
    except OSError as error:  # with no place for the log, the screen is all that is left
        _show(f"an internal fault, whose log could not be written: {error.strerror or error}", "please report it")
        click.echo(report, err=True)
    else:
        _show(f"an internal fault; its traceback is in {name}", "please report it with that file")
