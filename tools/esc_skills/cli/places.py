"""Where a command takes bank and profiles from: what was named, else the repository's that one stands in, else ours.

And where it keeps what belongs to a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from esc_skills.bank.reader import Bank, read_bank, read_files
from esc_skills.bank.skill import Skill
from esc_skills.documents.shipped import shipped
from esc_skills.documents.text import read_bytes
from esc_skills.errors import InputError
from esc_skills.git import as_committed, is_in_repository
from esc_skills.seekers.population import Population, read_population
from esc_skills.settings import Settings, read_settings

#: The words for a supporter without a bank, and for the bank that the package ships.
NO_BANK, SHIPPED = "none", "shipped"


def find_bank(named: Path | None) -> tuple[Bank | None, str]:
    """Return a bank and where it lies; None for a supporter without one.

    Args:
        named: The folder that was named, one of the words `none` and `shipped`, or None: then the settings' folder, and the
            shipped bank where one stands in no repository.

    Raises:
        InputError: The folder holds no bank, or the repository that one stands in has none.
    """
    if str(named) == NO_BANK:
        return None, "no bank"
    settings = find_settings()
    folder = shipped("skills") if str(named) == SHIPPED else named or _own_bank(settings.skills)
    return read_bank(read_files(folder, as_committed), str(folder), settings.vocabulary), str(folder)


def find_skills(named: Path | None) -> Mapping[str, Skill]:
    """Return the skills of the bank that was named, or else found, by name; none where there is no bank."""
    bank, _ = find_bank(named)
    return bank.skills if bank else {}


def find_population(named: Path | None) -> Population:
    """Return the profile parts of a folder, found as `find_bank` finds a bank.

    Raises:
        InputError: The folder holds no profile parts.
    """
    folder = named or _own(find_settings().profiles, "profiles")
    return read_population(read_files(folder, as_committed), str(folder))


def find_settings() -> Settings:
    """Return the settings of the folder that one stands in."""
    file = Path("pyproject.toml")
    return read_settings(read_bytes(file) if file.is_file() else None, str(file))


def beside(path: Path, end: str) -> Path:
    """Return the file beside another one that has its name with an end."""
    return path.with_name(path.name + end)


def _own_bank(folder: str) -> Path:
    """The repository's own bank; ours where there is no repository, and never in place of one that is missing."""
    if not Path(folder).is_dir() and is_in_repository(Path()):
        raise InputError(
            f"this repository holds no bank: there is no folder {folder}/ here",
            f"stand in its top folder, start one with `esc-skills init DIR`, or give --bank DIR; --bank {SHIPPED} takes ours",
        )
    return _own(folder, "skills")


def _own(folder: str, ours: str) -> Path:
    return Path(folder) if Path(folder).is_dir() else shipped(ours)
