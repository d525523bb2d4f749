"""What holds for every test: no home, no git settings and no network but those of the test itself."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from esc_skills.documents.shipped import shipped

#: Repositories of a test need neither housekeeping nor to outlive a power failure.
GIT_SETTINGS = """\
[user]
\tname = Tests
\temail = tests@example.invalid
[init]
\tdefaultBranch = main
[core]
\tfsync = none
[maintenance]
\tauto = false
[gc]
\tauto = 0
[receive]
\tautogc = false
"""
#: Where nothing listens: a child process that tries the network through a proxy fails at once.
NOWHERE = "http://127.0.0.1:9"

Git = Callable[..., str]

#: Fixtures of proposals, which several folders share.
pytest_plugins = ["tests.proposals"]

# How long an example takes depends on the machine; on CI the same examples are tried each time.
settings.register_profile("tests", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("tests")

# Collecting garbage after every 700 objects takes a twentieth of the tests' time.
gc.set_threshold(50_000, 20, 100)

# A shell in which the tests run in the background (`make test &`) has its jobs ignore Ctrl-C, and so would the commands under test.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


class NetworkBlockedError(OSError):
    """A test tried to leave this machine."""


@pytest.fixture(scope="session", autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home and git settings of the tests' own; every other GIT_* is gone, as are roads to the network."""
    home = tmp_path_factory.mktemp("home")
    (home / ".gitconfig").write_text(GIT_SETTINGS)
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("GIT_")]:
            patch.delenv(name)
        patch.setenv("HOME", str(home))
        patch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
        patch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            patch.setenv(name, NOWHERE)
            patch.setenv(name.upper(), NOWHERE)
        patch.setenv("NO_PROXY", "localhost,127.0.0.1,::1")
        yield home


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection and look-up but those of loopback and of local sockets."""
    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
    look_up = socket.getaddrinfo

    def guarded_look_up(host: Any, *rest: Any, **options: Any) -> Any:
        _require_loopback(host)
        return look_up(host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)


def _guarded(method: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: socket.socket, *arguments: Any) -> Any:
        if self.family != socket.AF_UNIX:
            _require_loopback(arguments[-1][0])
        return method(self, *arguments)

    return guarded


def _require_loopback(host: Any) -> None:
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost"):
        return
    try:
        inside = ip_address(name).is_loopback
    except ValueError:
        inside = False
    if not inside:
        raise NetworkBlockedError(f"a test tried to reach {name}")


@pytest.fixture
def git() -> Git:
    """Run git in a folder and return what it prints."""

    def run(folder: Path, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    return run


@pytest.fixture(scope="session")
def _committed(tmp_path_factory: pytest.TempPathFactory, own_home: Path) -> Path:
    folder = tmp_path_factory.mktemp("shipped") / "bank"
    for name in ("skills", "profiles"):
        shutil.copytree(shipped(name), folder / name)
    (folder / "pyproject.toml").write_text('[tool.esc-skills]\nskills = "skills"\n')
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "The shipped bank and profiles"]):
        subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def repository(_committed: Path, tmp_path: Path) -> Path:
    """A git repository of one commit on `main`, which holds the shipped bank and profiles."""
    folder = tmp_path / "repository"
    shutil.copytree(_committed, folder)
    return folder
