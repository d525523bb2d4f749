"""`esc-skills export`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from esc_skills.bank.clients import View
from esc_skills.cli.bank_options import agent_bank_option, load_bank
from esc_skills.cli.output import say
from esc_skills.integrations.exports import Export, export, load_targets


@click.command("export")
@click.option(
    "--to",
    "client",
    required=True,
    metavar="CLIENT",
    shell_complete=lambda _, __, start: [name for name in load_targets() if name.startswith(start)],
    help="For whom.",
)
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="The folder, such as a project's."
)
@click.option(
    "--budget",
    type=click.IntRange(min=1),
    help="The most characters of a system prompt or a section; else what your client is set to show of a catalogue.",
)
@agent_bank_option
def command(client: str, out: Path, budget: int | None, skills: Path | None) -> int:
    """Write the bank where a client looks for it, in the client's form.

    CLIENT is folder, agents, claude, claude-plugin, codex, gemini, pi, qwen, opencode, cursor, openai, agents-md or json. What else
    the folder holds stays; a file of the same name with other content ends it before anything is written.
    """
    bank = load_bank(skills)
    done = export(bank, client, out, budget)
    # With the entrance, which an agent sees as a skill among the others.
    say(f"{len(bank) + 1} skills of {bank.where} for {client} in {out}: {_counted(out, done)}")
    if done.view is not None and len(done.view.whole) < len(bank) + 1:
        say(f"warning: {_seen(done.view)}", err=True)
        say(
            "  → `esc-skills validate --client` prints them; shorten descriptions, or raise the client's budget",
            err=True,
        )
    say(f"next, in {out}: {done.target.next}")
    return 0


def _counted(out: Path, done: Export) -> str:
    """Return what was written, by the folder of skills that it lies in."""
    if not done.written:
        return "nothing to write, all of it was there"
    numbers = Counter(_place(path.relative_to(out).as_posix(), done) for path in done.written)
    return ", ".join(_told(out, place, number) for place, number in numbers.items())


def _place(path: str, done: Export) -> str:
    if done.target.form in ("prompt", "json"):
        return path
    places = (*done.target.links, done.target.at)
    return next((each for each in places if each == "." or path == each or path.startswith(f"{each}/")), path)


def _told(out: Path, place: str, number: int) -> str:
    if (out / place).is_symlink():
        return f"{place} as a link"
    if (out / place).is_file():
        return place
    files = "1 file" if number == 1 else f"{number} files"
    return files if place == "." else f"{files} below {place}"


def _seen(view: View) -> str:
    client, total = view.client, len(view.whole) + len(view.cut) + len(view.bare) + len(view.missing)
    parts = {"cut": view.cut, "by name alone": view.bare, "not at all": view.missing}
    others = ", ".join(f"{len(names)} {how}" for how, names in parts.items() if names)
    shown = f"{client.name} {client.version} shows {len(view.whole)} of {total} descriptions whole"
    return f"{shown} to a model with {view.context:,} tokens of context, {others}"
