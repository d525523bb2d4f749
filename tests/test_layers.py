"""The rooms and their doors: imports go downward only, and each library has the one importer that it was given."""

from __future__ import annotations

import ast
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import esc_skills
from tests.conftest import NetworkBlockedError

PACKAGE = Path(esc_skills.__file__).parent
ROOT = PACKAGE.parent.parent
MODULES = sorted(PACKAGE.rglob("*.py"))
#: Which modules may import a library: the rooms, from the package's root.
DOORS = {
    "click": ("cli",),
    "rich": ("cli",),
    "git": ("git",),
    "openai": ("models",),
    "jinja2": ("documents",),
    "mcp": ("integrations",),
}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]


@pytest.mark.skipif(
    not (ROOT / "pyproject.toml").is_file(), reason="the contracts stand in the checkout's pyproject.toml"
)
def test_every_contract_of_import_linter_is_kept() -> None:
    pytest.importorskip("importlinter", reason="import-linter belongs to the lint group")
    script = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("library", sorted(DOORS))
def test_each_library_has_one_door(library: str) -> None:
    importers = [path.relative_to(PACKAGE) for path in MODULES if library in imports(path)]
    assert [str(path) for path in importers if path.parts[0] not in DOORS[library]] == []


def test_the_tests_cannot_reach_the_network() -> None:
    for host in ("192.0.2.1", "example.invalid", "2001:db8::1"):
        with pytest.raises(NetworkBlockedError):
            socket.create_connection((host, 80), timeout=1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams, pytest.raises(NetworkBlockedError):
        datagrams.sendto(b"x", ("192.0.2.1", 53))


def test_the_tests_can_reach_their_own_machine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        client.sendall(b"x")


def test_the_tests_have_a_home_of_their_own(own_home: Path) -> None:
    assert Path.home() == own_home
    git = subprocess.run(
        ["git", "config", "--list", "--show-origin"], capture_output=True, text=True, check=True, cwd=own_home
    )
    assert {line.split("\t")[0] for line in git.stdout.splitlines()} == {f"file:{own_home}/.gitconfig"}


def test_no_two_files_of_the_package_share_a_name() -> None:
    stems = [path.stem for path in MODULES if path.stem != "__init__"]
    assert sorted(stem for stem in set(stems) if stems.count(stem) > 1) == []
