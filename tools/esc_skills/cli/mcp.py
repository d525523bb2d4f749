"""`esc-skills mcp`."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import click

from esc_skills.cli.bank_options import agent_bank_option, load_bank
from esc_skills.cli.output import say
from esc_skills.integrations.mcp_server import build_server
from esc_skills.integrations.mcp_transport import address_of, listen, serve_http, serve_stdio


@click.command("mcp")
@click.option(
    "--http",
    "port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="Serve on 127.0.0.1 over streamable HTTP instead; 0 takes a free port and prints it.",
)
@agent_bank_option
def command(port: int | None, skills: Path | None) -> int:
    """Serve the bank over the Model Context Protocol, to the client that started this command.

    Tools list, search, select and load skills; resources are skill://index.json and the files of each skill; prompts are
    emotional-support, the system prompt, and skill. Needs the extra: pip install 'esc-skills[mcp]'.
    """
    bank = load_bank(skills)
    server = build_server(bank)
    if port is None:
        if sys.stdin.isatty():
            say("waits for a client on standard input; clients start this command by themselves", err=True)
        # The thread that waits for the client's next line cannot be told to end, and would keep Ctrl-C waiting with it.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        serve_stdio(server)
        return 0
    with listen(port) as listening:
        click.echo(f"{len(bank) + 1} skills at {address_of(listening)}")
        sys.stdout.flush()  # whoever started this may read the port from a pipe
        serve_http(server, listening)
    return 0
