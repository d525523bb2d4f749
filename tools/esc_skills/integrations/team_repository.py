"""A team's repository: a small safe bank with its profiles, settings, owners and checks, as `esc-skills init` writes it."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from string import Template

from esc_skills import __version__
from esc_skills.bank.entrance import ENTRANCE_FILE, render_entrance
from esc_skills.bank.reader import read_bank, read_files
from esc_skills.documents.shipped import shipped
from esc_skills.documents.text import read_text
from esc_skills.errors import InputError

#: The skills that a bank starts with: those for danger, and for each of the eight needs at least one.
FIRST_SKILLS = (
    "affirm-what-they-did",
    "ease-self-blame",
    "guide-reflection",
    "honour-the-loss",
    "let-anger-speak",
    "meet-withdrawal",
    "offer-a-small-step",
    "open-with-room",
    "point-to-fitting-help",
    "reflect-the-feeling",
    "respond-to-suicide-risk",
    "restate-the-story",
    "see-the-other-side",
    "stay-beside",
    "steady-the-storm",
    "weigh-both-sides",
)
_TEAM = Path(__file__).parent / "data" / "team"
_ELSEWHERE = re.compile(r": `([a-z0-9-]+)`(\.?)$", flags=re.MULTILINE)
_KEY = re.compile(r"(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-\S+|sk-\S+) [A-Za-z0-9+/=]{20,}(?: .*)?")
_OWNER = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
_OWNED = ("skills/**", "profiles/**", "pyproject.toml", "allowed_signers", "skills/**#license")


@dataclass(frozen=True, slots=True)
class Owner:
    """Who decides what no simulation can.

    Attributes:
        name: A name or an address in lower case, without spaces.
        key: A public SSH key: its kind, its base64, and maybe a comment.
    """

    name: str
    key: str


def read_owner(name: str, key: Path) -> Owner:
    """Return an owner with the public key of a file.

    Raises:
        InputError: The name has other characters, or the file holds no public SSH key; a private one is never read on.
    """
    if not _OWNER.fullmatch(name):
        raise InputError(f"{name!r} is no name of an owner", "use lower-case letters, digits and . _ @ -, such as ana")
    text = read_text(key).strip()
    if not _KEY.fullmatch(text):
        raise InputError(f"{key}: is no public SSH key", "give the .pub file; `ssh-keygen -t ed25519` makes a pair")
    return Owner(name, text)


def start_repository(folder: Path, owner: Owner | None = None) -> tuple[str, ...]:
    """Write a team's repository into an empty folder, and return its files; git itself is not touched.

    Args:
        folder: The folder; it may be missing, or hold a git repository without files.
        owner: Who owns the settings from the start; None leaves that commented out.

    Raises:
        InputError: The folder holds files. Nothing is written then.
    """
    require_empty(folder)
    folder.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".esc-skills-", dir=folder))
    try:
        _write(made, owner)
        files = sorted(path.relative_to(made).as_posix() for path in made.rglob("*") if not path.is_dir())
        for entry in sorted(made.iterdir()):
            entry.replace(folder / entry.name)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return tuple(files)


def require_empty(folder: Path) -> None:
    """Raise InputError where a folder holds more than a git repository without files."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file", "give a folder that is empty or not there yet")
    held = sorted(each.name for each in folder.iterdir() if each.name != ".git") if folder.is_dir() else []
    if held:
        more = f" and {len(held) - 1} more" if len(held) > 1 else ""
        hint = "give an empty folder; to add a bank to a repository, make it elsewhere and copy what you need"
        raise InputError(f"{folder}: is not empty, it holds {held[0]}{more}", hint)


def _write(folder: Path, owner: Owner | None) -> None:
    texts = {f"skills/{path}": text for path, text in first_bank().items()}
    profiles = shipped("profiles")
    for path, data in read_files(profiles).items():
        texts[f"profiles/{path}"] = data.decode()
    texts["pyproject.toml"] = Template(_template("settings.txt")).substitute(owners=_owners(owner))
    texts["README.md"] = _template("README.md")
    texts[".gitattributes"], texts[".gitignore"] = _template("gitattributes"), _template("gitignore")
    texts[".github/CODEOWNERS"] = _template("CODEOWNERS")
    texts[".github/workflows/verify.yml"] = _template("verify.yml")
    texts[".github/esc-skills.txt"] = requirement() + "\n"
    if owner:
        texts["allowed_signers"] = f"{owner.name} {owner.key}\n"
    for path, text in texts.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")
    for client in (".agents", ".claude"):
        (folder / client).mkdir()
        (folder / client / "skills").symlink_to("../skills", target_is_directory=True)


def _template(name: str) -> str:
    return read_text(_TEAM / name)


def _owners(owner: Owner | None) -> str:
    lines = ["[tool.esc-skills.owners]", *(f'"{each}" = ["{owner.name if owner else "ana"}"]' for each in _OWNED)]
    return "\n".join(lines if owner else [f"# {line}" for line in lines])


def first_bank() -> Mapping[str, str]:
    """Return the files of the bank that a team starts with, by path relative to its folder.

    A line that leads to a skill which this bank lacks leads to a plain answer.
    """
    files = read_files(shipped("skills"))
    chosen = {path: data.decode() for path, data in files.items() if path.split("/")[0] in FIRST_SKILLS}
    names = {path.split("/")[0] for path in files}

    def lead(text: str) -> str:
        return _ELSEWHERE.sub(
            lambda found: (
                found[0]
                if found[1] in FIRST_SKILLS or found[1] not in names
                else f": answer plainly, without a skill{found[2]}"
            ),
            text,
        )

    made = {path: lead(text) for path, text in chosen.items()}
    skills = read_bank({path: text.encode() for path, text in made.items()}, "skills").skills
    return {**made, ENTRANCE_FILE: render_entrance(skills)}


def requirement() -> str:
    """Return the line that installs this very tool elsewhere: what it was installed from, where that can be reached, else its version."""
    try:
        told = distribution("esc-skills").read_text("direct_url.json")
    except PackageNotFoundError:
        told = None
    origin = json.loads(told) if told else {}
    commit = origin.get("vcs_info", {}).get("commit_id")
    if commit and str(origin.get("url", "")).startswith("https://"):
        return f"esc-skills @ git+{origin['url']}@{commit}"
    return f"esc-skills=={__version__}"
