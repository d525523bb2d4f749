"""Whether a change touches a bank or its evidence, told before anything is installed: `evidence=none` where it does not."""

from __future__ import annotations

import subprocess
import sys
import tomllib


def main(base: str, head: str, skills: str) -> None:
    """Print what the action's next steps read."""
    folder = skills or bank_folder(base)
    # Some file systems would put `Skills/` into `skills/`.
    places = [f":(top,icase,literal){place}" for place in (folder, "evidence")]
    told = subprocess.run(["git", "diff", "--quiet", "--no-ext-diff", f"{base}...{head}", "--", *places], check=False)
    if told.returncode > 1:
        sys.exit(told.returncode)
    print("evidence=" if told.returncode else "evidence=none")


def bank_folder(base: str) -> str:
    """Return the folder that the base's settings name."""
    shown = subprocess.run(["git", "show", f"{base}:pyproject.toml"], capture_output=True, check=False)
    try:
        folder = tomllib.loads(shown.stdout.decode())["tool"]["esc-skills"]["skills"]
    except (ValueError, KeyError, TypeError):
        return "skills"
    return folder.strip("/") if isinstance(folder, str) and folder.strip("/") else "skills"


if __name__ == "__main__":
    main(*sys.argv[1:])
