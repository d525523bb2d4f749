"""Skills that people changed by hand: which files they are, and the bank with them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from esc_skills.bank.entrance import ENTRANCE_FILE, render_entrance
from esc_skills.bank.reader import Bank, read_bank
from esc_skills.evidence.revision import Revision, skill_path
from esc_skills.gate.decision import Decision


def is_skill(path: str, folder: str) -> bool:
    """Whether a path is that of a skill of the bank in a folder."""
    return re.fullmatch(skill_path(folder), path) is not None


def applied(base: Revision, files: Mapping[str, bytes | None], folder: str) -> Bank:
    """Return the bank of a base with some files changed, by path from the root; None deletes one."""
    after = dict(base.files)
    for path, data in files.items():
        relative = path.removeprefix(f"{folder}/")
        if data is None:
            after.pop(relative, None)
        else:
            after[relative] = data
    return read_bank(after, folder, base.settings.vocabulary)


def with_entrance(base: Revision, files: Mapping[str, bytes | None], folder: str) -> dict[str, bytes | None]:
    """Return changed files with the entrance that follows from them, where the base has one."""
    others = {path: data for path, data in files.items() if path != f"{folder}/{ENTRANCE_FILE}"}
    if ENTRANCE_FILE not in base.files:
        return others
    skills = applied(base, others, folder).skills
    return {**others, f"{folder}/{ENTRANCE_FILE}": render_entrance(skills).encode()}


def message(verb: str, head: str, decision: Decision) -> str:
    """Return the message of the commit that adds evidence."""
    return (
        f"{verb}: {head}\n\nGate: {decision.verdict}, {decision.effect:+.1f} points over {decision.draws} pairs. "
        f"{decision.reason}\n{decision.would_decide}".rstrip()
        + "\n"
    )
