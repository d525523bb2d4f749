"""Give each client an environment of its own, with the packages that clients.toml pins."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
INTEROP = Path(__file__).resolve().parents[1]
ENVIRONMENTS = ROOT / ".venv-interop"
PATIENCE = 1200


class InstallError(Exception):
    """A client could not be installed; the text says why, in one line."""


@dataclass(frozen=True)
class Client:
    """One client of clients.toml.

    Attributes:
        name: What it is called.
        packages: What its environment gets, the client itself first.
        registry: Where from: pip or npm.
        python: The version of Python that it asks for; None for the one that runs this.
        view: The client and context of `validate --client` that predicts what its model sees; None where there is none.
    """

    name: str
    packages: tuple[str, ...]
    registry: str
    python: str | None = None
    view: str | None = None

    @property
    def folder(self) -> Path:
        """Its environment."""
        return ENVIRONMENTS / self.name

    @property
    def script(self) -> Path:
        """The file that says what it does."""
        return INTEROP / "clients" / f"{self.name.replace('-', '_')}.py"

    @property
    def version(self) -> str:
        """The version of the client itself."""
        return self.packages[0].replace("==", "@").rpartition("@")[2]

    @property
    def interpreter(self) -> str:
        """The Python that runs its file: its own, or ours for one from npm."""
        return str(self.folder / "bin" / "python") if self.registry == "pip" else sys.executable

    @property
    def commands(self) -> Path:
        """The folder of its commands."""
        return self.folder / ("bin" if self.registry == "pip" else "node_modules/.bin")


def read_clients() -> list[Client]:
    """Return the clients of clients.toml, in its order."""
    clients = []
    for name, said in tomllib.loads((INTEROP / "clients.toml").read_text(encoding="utf-8")).items():
        registry = "pip" if "pip" in said else "npm"
        clients.append(Client(name, tuple(said[registry]), registry, said.get("python"), said.get("view")))
    return clients


def install(client: Client) -> None:
    """Make a client's environment, unless it stands with these packages.

    Raises:
        InstallError: It cannot be made here.
    """
    mark = client.folder / "installed.json"
    wanted = json.dumps([client.python, *client.packages])
    if mark.is_file() and mark.read_text(encoding="utf-8") == wanted:
        return
    shutil.rmtree(client.folder, ignore_errors=True)
    client.folder.mkdir(parents=True)
    (_install_pip if client.registry == "pip" else _install_npm)(client)
    mark.write_text(wanted, encoding="utf-8")


def _install_pip(client: Client) -> None:
    _run(_python(client.python), "-m", "venv", str(client.folder))
    pip = str(client.folder / "bin" / "pip")
    _run(pip, "install", "--quiet", "--disable-pip-version-check", "--no-input", *client.packages)


def _install_npm(client: Client) -> None:
    if not shutil.which("npm"):
        raise InstallError("npm is not on PATH")
    _run("npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", str(client.folder), *client.packages)


def _python(version: str | None) -> str:
    """Return an interpreter of a version that starts: from PATH, or from pyenv, whose shims are no proof of one."""
    if version is None:
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for found in [f"python{version}", *map(str, sorted(pyenv.glob(f"{version}.*/bin/python")))]:
        try:
            subprocess.run([found, "--version"], capture_output=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            continue
        return found
    raise InstallError(f"it needs Python {version}, which is not on PATH")


def _run(*command: str) -> None:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise InstallError(f"{Path(command[0]).name} took over {PATIENCE} seconds") from None
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        said = next((line for line in lines if "ERROR" in line or "ERR!" in line), lines[-1])
        raise InstallError(textwrap.shorten(said, 200))
