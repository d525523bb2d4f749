"""The files that a bank becomes for a client, by path: folders of skills, a plugin, a system prompt, a section, one JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from esc_skills import __version__
from esc_skills.bank.entrance import ENTRANCE_FILE, render_entrance
from esc_skills.bank.reader import ENTRANCE
from esc_skills.bank.skill import SKILL_FILE
from esc_skills.documents.frontmatter import split_front_matter
from esc_skills.documents.yaml import parse_yaml
from esc_skills.errors import InputError
from esc_skills.integrations.agent_bank import LOAD_TOOL, Bank

Files = dict[str, bytes]
BEGIN, END = "<!-- esc-skills: begin, made by `esc-skills export` -->", "<!-- esc-skills: end -->"
_ABOUT = "Emotional support conversation: a supporter who starts at the skill emotional-support and chooses among all others."
_OWNER = {"name": "The ESC-Skills project"}
# A coding agent reads AGENTS.md whatever it is asked, and must not become a supporter to whoever has a bug.
_ONLY = (
    "This section holds where somebody in distress, or somebody who wants to be heard, talks to you, and only there. "
    "It says nothing about any other work."
)


def skill_files(bank: Bank, at: str = ".") -> Files:
    """Return the entrance and the files of every skill, byte for byte, each folder directly below a path.

    Clients look one level deep, so a folder that lies deeper in the bank moves up; files beside the skills are left out.
    """
    contents = bank.record.contents
    entrance = contents.get(ENTRANCE_FILE) or render_entrance(bank.skills).encode()
    files = {ENTRANCE_FILE: entrance}
    for name, folder in _folders(bank).items():
        files |= {f"{name}/{path}": data for path, data in _below(contents, folder).items()}
    return {f"{at}/{path}".removeprefix("./"): files[path] for path in sorted(files)}


def _folders(bank: Bank) -> dict[str, str]:
    """Return the folder of each skill with a slash at its end, or nothing for a bank that is one skill's folder."""
    found = {}
    for path in bank.record.contents:
        folder, _, file = path.rpartition("/")
        # The rules hold a skill's name and that of its folder equal.
        name = folder.rpartition("/")[2] or bank.where.resolve().name
        if file == SKILL_FILE and name in bank:
            found[name] = f"{folder}/" if folder else ""
    return found


def _below(contents: Mapping[str, bytes], folder: str) -> Files:
    return {path.removeprefix(folder): data for path, data in contents.items() if path.startswith(folder)}


def catalogue_of(bank: Bank) -> dict[str, str]:
    """Return the descriptions by name as a client reads them, the entrance among them."""
    text = skill_files(bank)[ENTRANCE_FILE].decode()
    front = parse_yaml(split_front_matter(text, ENTRANCE_FILE).yaml, ENTRANCE_FILE).value
    return {ENTRANCE: str(front["description"]), **{skill.name: skill.description for skill in bank}}


def plugin_files(bank: Bank, at: str) -> Files:
    """Return the skills with the manifests of a plugin, and of a marketplace that holds it alone."""
    plugin = {
        "name": "esc-skills",
        "version": __version__,
        "description": _ABOUT,
        "author": _OWNER,
        "license": "Apache-2.0",
        "keywords": ["emotional-support", "skills"],
    }
    market = {
        "name": "esc-skills",
        "owner": _OWNER,
        "metadata": {"description": "Skills for emotional support conversation", "version": __version__},
        "plugins": [{"name": "esc-skills", "source": "./", "description": _ABOUT}],
    }
    manifests = {".claude-plugin/plugin.json": _json(plugin), ".claude-plugin/marketplace.json": _json(market)}
    return manifests | skill_files(bank, at)


def prompt_files(bank: Bank, budget: int | None) -> Files:
    """Return a system prompt within a budget of characters, the tools that it names, and what they answer.

    Raises:
        InputError: Not even the names fit the budget.
    """
    bodies = {name: bank.body(name) for name in (ENTRANCE, *bank.skills)}
    prompt = bank.system_prompt(budget).encode()
    return {"system_prompt.md": prompt, "tools.json": _json(bank.tools()), "skills.json": _json(bodies)}


def json_files(bank: Bank) -> Files:
    """Return one file with the entrance, the catalogue, and each skill with all its fields."""
    whole = {
        "version": __version__,
        "digest": bank.digest,
        "entrance": bank.entrance,
        "catalogue": catalogue_of(bank),
        "skills": [asdict(skill) for skill in bank],
    }
    return {"bank.json": _json(whole)}


def render_section(bank: Bank, at: str, budget: int | None) -> str:
    """Return the section of AGENTS.md between its markers, which leads to the skills below a path.

    Args:
        bank: The bank.
        at: The folder of the skills, as seen from AGENTS.md.
        budget: The most characters that it may take, its markers included; None for no bound.

    Raises:
        InputError: Not even the names fit the budget.
    """
    load, read = f"Load it with `{LOAD_TOOL}`.", f"Read `{at}/NAME/{SKILL_FILE}`."
    frame = f"{BEGIN}\n{_ONLY}\n\n{{}}{END}\n"
    own = len(frame) - len("{}") + len(read) - len(load)
    try:
        prompt = bank.system_prompt(None if budget is None else max(budget - own, 0))
    except InputError as error:
        lines = f"the section's own lines take {own} of the {budget} characters"
        raise InputError(f"{lines}, and {error.message}", f"{error.hint}, with {own} added") from error
    return frame.format(prompt.replace(load, read))


def put_section(text: str, section: str, shown: str) -> str:
    """Return a text with a section written anew between its markers, or at the end where there are none.

    Args:
        text: The file as it is; empty for none.
        section: The section with its markers.
        shown: The file's name for messages.

    Raises:
        InputError: The markers are not one pair.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    section = section.replace("\n", newline)
    marks = [mark[0] for mark in re.finditer(f"{re.escape(BEGIN)}|{re.escape(END)}", text)]
    if not marks:
        gap = "" if not text else newline if text.endswith("\n") else newline * 2
        return text + gap + section
    if marks != [BEGIN, END]:
        raise InputError(f"{shown}: holds {len(marks)} markers of esc-skills that are no pair", "remove those lines")
    before, rest = text.split(BEGIN)
    return before + section.removesuffix(newline) + rest.split(END)[1]


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()
