"""Conformance of the bank with real clients: `make interop`, or `python bench/interop [CLIENT …]`.

Each client of clients.toml gets an environment of its own under .venv-interop, loads the bank there as the lines of
docs/agents.md do, and talks to a model on loopback. Compared are the names, descriptions and bodies that it holds with the
files, the catalogue in the request that the model got, and what the model's tool returned of each skill.

docs/interop.json and the tables of docs/agents.md are written anew; with CLIENT, only its entries. The exit code is 0 when
every client is green, and for a run of all, when they are 16 or more. Installing takes the network, some ten minutes and
6 GB, once; the runs take no network, no key and a minute and a half.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from harness.compare import Said, compare, read_bank
from harness.install import ROOT, Client, InstallError, install, read_clients
from harness.report import read_results, write

BANK = ROOT / "skills"
LEAST = 16
PATIENCE = 400


#: What a client gets of our environment: no keys, and no proxy that would lead past loopback.
KEPT = ("LANG", "LC_ALL", "PATH", "TMPDIR")


def chosen(asked: list[str], clients: list[Client]) -> list[Client]:
    """Return the clients of these names, or of the one name that begins so; all where none is asked for."""
    known = [client.name for client in clients]
    names = set()
    for said in asked:
        found = [said] if said in known else [name for name in known if name.startswith(said)]
        if len(found) != 1:
            raise SystemExit(
                f"{said!r} is {'no client' if not found else ' or '.join(found)}; there are {', '.join(known)}"
            )
        names.update(found)
    return [client for client in clients if client.name in names or not asked]


def record_of(client: Client) -> dict[str, Any]:
    """Run a client's file in its environment.

    Raises:
        RuntimeError: It failed; the text says how.
    """
    script = Path(__file__).parent / "record.py"
    command = [client.interpreter, str(script), client.name, str(BANK)]
    environment = {key: os.environ[key] for key in KEPT if key in os.environ}
    environment["PATH"] = f"{client.commands}{os.pathsep}{environment['PATH']}"
    try:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"no answer within {PATIENCE} seconds") from None
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["it said nothing"])[-1][-400:])
    return dict(json.loads(done.stdout.splitlines()[-1]))


def result_of(client: Client, bank: Mapping[str, Said]) -> tuple[dict[str, Any], list[str]]:
    """Return a client's entry and all that is wrong with it."""
    head = {"version": client.version, "packages": list(client.packages)}
    try:
        install(client)
    except InstallError as error:
        return {**head, "verdict": "not installed"}, [str(error)]
    try:
        entry, wrong = compare(bank, record_of(client), client.view)
    except (RuntimeError, ValueError) as error:
        return {**head, "verdict": "failed"}, [str(error)]
    return {**head, "verdict": "differs" if wrong else "green", **entry}, wrong


def main() -> int:
    clients, bank = read_clients(), read_bank(BANK)
    asked = [name for argument in sys.argv[1:] for name in argument.split(",") if name]
    running = chosen(asked, clients)
    results = read_results()
    for client in running:
        results[client.name], wrong = result_of(client, bank)
        told = "".join(f"\n  {said}" for said in wrong)
        print(f"{client.name} {client.version}: {results[client.name]['verdict']}{told}", flush=True)
    write(len(bank), results, clients)
    green = sum(results[client.name]["verdict"] == "green" for client in running)
    print(f"{green} of {len(running)} clients are green")
    return 0 if green == len(running) and (asked or green >= LEAST) else 1


if __name__ == "__main__":
    raise SystemExit(main())
