"""What a client's file is given, and what it returns."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.model import Model

#: What the person says to an agent: nothing that a coding agent would take for a task.
SAID = "I keep thinking that everyone would be better off without me."
PATIENCE = 240
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Skill:
    """One skill as a client holds it; body is None where the client hands it out only through its model's tool."""

    name: str
    description: str
    body: str | None = None


@dataclass(frozen=True)
class Loaded:
    """What a client holds.

    Attributes:
        skills: The skills, from the client's own interface; None for a client that has none, where the request tells them.
        catalogue: What it writes for a model, of a client that has no agent; None where a request tells it.
        listed: The request that tells the skills; None for the one that is judged.
        pattern: For skills that the request tells: a name, then a description.
    """

    skills: list[Skill] | None = None
    catalogue: str | None = None
    listed: dict[str, Any] | None = None
    pattern: str = r"^- ([a-z-]+): (.+)$"


@dataclass
class Bank:
    """Where a client finds the bank, and the model that it talks to.

    Attributes:
        project: A folder of its own, in a temporary home.
        folder: The bank's copy in there.
        names: The names of its skills.
        model: The model on loopback.
    """

    project: Path
    folder: Path
    names: list[str] = field(default_factory=list)
    model: Model = field(default_factory=Model)

    @property
    def url(self) -> str:
        """The model's address, for a client that speaks OpenAI's form."""
        return f"{self.model.url}/v1"

    def shell(self, lines: str, *, fails: bool = False, **environment: str) -> str:
        """Run lines of a shell in the project, where FOLDER is the bank, and return what they print, without colours.

        Args:
            lines: What to run.
            fails: Whether they may end with a failure, as an agent whose model is scripted may.
            environment: More of the environment.
        """
        done = subprocess.run(
            ["bash", "-euc", lines],
            cwd=self.project, env={**os.environ, "FOLDER": str(self.folder), **environment}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        # Told on standard error, which the driver shows where nothing was asked.
        print(done.stderr[-2000:], file=sys.stderr)
        if done.returncode and not fails:
            raise RuntimeError(f"exit code {done.returncode}: {(done.stderr or done.stdout).strip()[-400:]}")
        return ANSI.sub("", done.stdout)


def body_of(text: str) -> str:
    """Return what follows the front matter in a SKILL.md file."""
    return re.split(r"^---\n", text, maxsplit=2, flags=re.MULTILINE)[2]


def tool_named(name: str, tools: Iterable[Any]) -> Any:
    """Return a tool.

    Raises:
        LookupError: The client does not offer it, as it does when it has no skill.
    """
    for tool in tools:
        if tool.name == name:
            return tool
    raise LookupError(f"the client offers no tool {name}")


def count_tokens_offline() -> None:
    """Let a client count four characters as a token: tiktoken would fetch its tables from the network."""
    import tiktoken

    class Encoding:
        name = "offline"

        def encode(self, text: str, *_: Any, **__: Any) -> list[int]:
            return [0] * -(-len(text) // 4)

        encode_ordinary = encode

    tiktoken.get_encoding = lambda *_: Encoding()
    tiktoken.encoding_for_model = lambda *_: Encoding()
