"""Skills that people changed by hand: which files they are, and the bank with them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from esc_skills.bank.reader import Bank, read_bank
from esc_skills.evidence.revision import Revision, skill_path
from esc_skills.gate.decision import Decision


def is_skill(path: str, folder: str) -> bool:
    """Whether a path is that of a skill of the bank in a folder."""
    return re.fullmatch(skill_path(folder), path) is not None


def first_skill(changed: list[str]) -> str:
    """Return the name of the first changed skill, after which a proposal is named."""
    return PurePosixPath(changed[0]).parent.name


def applied(base: Revision, files: Mapping[str, bytes | None], folder: str) -> Bank:
    """Return the bank of a base with some files changed, by path from the root; None deletes one."""
    after = dict(base.files)
    for path, data in files.items():
        relative = path.removeprefix(f"{folder}/")
        if data is None:
            after.pop(relative, None)
        else:
            after[relative] = data
    return read_bank(after, folder)


def message(verb: str, head: str, decision: Decision) -> str:
    """Return the message of the commit that adds evidence."""
    return (
        f"{verb}: {head}\n\nGate: {decision.verdict}, {decision.effect:+.1f} points over {decision.draws} pairs. "
        f"{decision.reason}\n{decision.would_decide}".rstrip()
        + "\n"
    )
