"""codex: the prompt lists the skills with their files, which its shell shows."""

from __future__ import annotations

from typing import Any

from harness.client import SAID, Bank, Loaded

PLACE = ".agents/skills"
TOOL = "exec_command"
#: Each description up to the file that follows it.
PATTERN = r"^- ([a-z-]+): (.+) \(file: .*\)$"
CONFIG = """\
model = "gpt-5"
model_provider = "loopback"
model_context_window = 128000
# Its own sandbox does not start in every container; the home is temporary, and the calls are ours.
sandbox_mode = "danger-full-access"
[model_providers.loopback]
name = "loopback"
base_url = "{url}"
wire_api = "responses"
"""
LINES = """\
# the bank is in .agents/skills of the project
codex exec "$SAID"
"""


def arguments(name: str) -> dict[str, Any]:
    return {"cmd": f"cat .agents/skills/{name}/SKILL.md"}


def run(bank: Bank) -> Loaded:
    home = bank.project.parent / ".codex"
    home.mkdir()
    (home / "config.toml").write_text(CONFIG.format(url=bank.url), encoding="utf-8")
    bank.shell("git init --quiet")
    bank.shell(LINES, fails=True, CODEX_HOME=str(home), SAID=SAID)
    return Loaded(pattern=PATTERN)
