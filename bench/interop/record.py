"""Run one client on the bank and print what it loaded and what its model saw: `python bench/interop/record.py CLIENT FOLDER`.

It is run with the Python of the client's environment; `python bench/interop` does so. The home is a temporary one, so that no
client reads or writes yours, and the only address that a client is given is on loopback.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

from harness.client import Bank, Loaded
from harness.model import parts_of, texts_in, tools_of

#: Keep the clients from calling home.
QUIET = {
    "DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1", "OTEL_SDK_DISABLED": "true", "AGNO_TELEMETRY": "false",
    "CREWAI_DISABLE_TELEMETRY": "true", "CREWAI_TRACING_ENABLED": "false", "HAYSTACK_TELEMETRY_ENABLED": "False",
    "OPENAI_AGENTS_DISABLE_TRACING": "1", "STRANDS_OTEL_ENABLED": "false", "NO_COLOR": "1", "CI": "1",
}  # fmt: skip
#: Where a client writes the place of a file, its length would hang on the machine.
FIXED = "~"

#: How tools that read files number their lines.
NUMBER = re.compile(r"^ *\d+(?:\||\t|: |→) ?", flags=re.MULTILINE)


def client_file(name: str) -> ModuleType:
    # By its path: as a module, clients/agno.py would hide the package agno.
    path = Path(__file__).parent / "clients" / f"{name.replace('-', '_')}.py"
    spec = importlib.util.spec_from_file_location(f"interop_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def place_bank(source: Path, home: Path, place: str) -> Bank:
    project = home / "project"
    folder = project / place
    shutil.copytree(source, folder)
    return Bank(project, folder, sorted(path.parent.name for path in source.glob("*/SKILL.md")))


def script_model(module: ModuleType, bank: Bank) -> None:
    """Tell the model the calls that a client's file names: for a list, for each skill, and for what a skill's call left to read."""
    at_once = getattr(module, "AT_ONCE", 100)
    bank.model.tool, bank.model.lists = getattr(module, "TOOL", None), getattr(module, "LISTS", None)
    if bank.model.tool:
        bank.model.will_call([(bank.model.tool, module.arguments(name)) for name in bank.names], at_once)
    if then := getattr(module, "THEN", None):
        bank.model.will_call([(then, module.then(name)) for name in bank.names], at_once)


def record_of(module: ModuleType, bank: Bank, loaded: Loaded, home: Path) -> dict[str, Any]:
    asked = [json.loads(json.dumps(body).replace(str(home), FIXED)) for body in bank.model.asked]
    bank.model.asked = asked
    telling = bank.model.telling() if asked else {}
    # Of a client without a model, what it prints for one.
    seen = list(texts_in(telling)) if asked else [(loaded.catalogue or "").replace(str(home), FIXED)]
    if loaded.skills is None:
        telling_all = "\n".join(texts_in(loaded.listed) if loaded.listed else seen)
        listed = re.findall(loaded.pattern, telling_all, flags=re.MULTILINE)
        skills = [{"name": name, "description": said} for name, said in listed if name in bank.names]
    else:
        skills = [asdict(skill) for skill in loaded.skills]
    return {
        "skills": skills,
        "asked": len(asked),
        "seen": seen,
        "tool": bank.model.tool if bank.model.tool in tools_of(telling) else None,
        "lists": bank.model.lists,
        "parts": parts_of(telling),
        "read": read_by_tool(asked, seen),
    }


def read_by_tool(asked: Sequence[dict[str, Any]], seen: Sequence[str]) -> list[str]:
    """Return all texts that were not in the request with the catalogue; of all requests, since some agents drop what they showed."""
    texts = {text for body in asked for text in texts_in(body)} - set(seen)
    return sorted(NUMBER.sub("", text) if len(NUMBER.findall(text)) > 2 else text for text in texts)


def main() -> None:
    name, source = sys.argv[1], Path(sys.argv[2]).resolve()
    with tempfile.TemporaryDirectory() as made, contextlib.redirect_stdout(sys.stderr):
        home = Path(made).resolve()
        module = client_file(name)
        bank = place_bank(source, home, getattr(module, "PLACE", "skills"))
        os.environ.update(QUIET, HOME=str(home), OPENAI_API_KEY="none", OPENAI_BASE_URL=bank.url)
        os.chdir(bank.project)
        script_model(module, bank)
        record = record_of(module, bank, module.run(bank), home)
        os.chdir("/")
    print(json.dumps(record), flush=True)
    # A client may leave threads behind that would wait for ever.
    os._exit(0)


if __name__ == "__main__":
    main()
