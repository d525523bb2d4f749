"""opencode: the prompt lists the skills, and a tool reads one; it needs `rg` on PATH."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from harness.client import SAID, Bank, Loaded

PLACE = ".agents/skills"
TOOL = "skill"
LINES = """\
# the bank is in .agents/skills of the project
opencode run --model "$MODEL" "$SAID"
"""
PATTERN = r"<name>(.+)</name>\n +<description>(.+)</description>"


def arguments(name: str) -> dict[str, Any]:
    return {"name": name}


def run(bank: Bank) -> Loaded:
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": bank.url, "apiKey": "none"},
        "models": {"fake": {"tool_call": True}},
    }
    config = {"provider": {"loopback": provider}, "autoupdate": False, "share": "disabled", "permission": "allow"}
    (bank.project / "opencode.json").write_text(json.dumps(config), encoding="utf-8")
    quiet = {"OPENCODE_DISABLE_MODELS_FETCH": "1", "OPENCODE_DISABLE_AUTOUPDATE": "1"}
    bank.shell(LINES, fails=True, SAID=SAID, MODEL="loopback/fake", PATH=_with_ripgrep(os.environ["PATH"]), **quiet)
    return Loaded(pattern=PATTERN)


def _with_ripgrep(path: str) -> str:
    """Return PATH with the `rg` of the npm package, which offers it as no command."""
    modules = Path(shutil.which("opencode") or "").parent.parent
    found = next((each for each in modules.glob("@vscode/ripgrep*/bin/rg")), None)
    return f"{found.parent}{os.pathsep}{path}" if found else path
