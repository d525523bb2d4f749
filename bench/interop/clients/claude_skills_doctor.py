"""claude-skills-doctor: it tells what Claude Code would show of a folder, and has no model."""

from __future__ import annotations

from harness.client import Bank, Loaded

LINES = """\
claude-skills-doctor --skills "$FOLDER" --context-window 200000
"""


def run(bank: Bank) -> Loaded:
    raise NotImplementedError
