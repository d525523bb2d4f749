"""Where the project's own data lies: its schemas, prompts, bank and profiles, from a checkout or an installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def shipped(*parts: str) -> Path:
    """Return the path of a shipped file or folder such as `shipped("schemas", "skill.schema.json")`.

    A wheel carries the top-level folders inside the package; a checkout (also an editable install) has them beside
    `tools/`.
    """
    packed = _PACKAGE / "shipped"
    root = packed if packed.is_dir() else _PACKAGE.parent.parent
    return root.joinpath(*parts)
