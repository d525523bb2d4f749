"""A bank served over the Model Context Protocol: its skills as tools, resources and prompts, over stdio or on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from types import ModuleType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from esc_skills import __version__
from esc_skills.bank.reader import ENTRANCE
from esc_skills.bank.skill import SKILL_FILE
from esc_skills.documents.schema import suggest
from esc_skills.errors import InputError
from esc_skills.integrations.agent_bank import LOAD_TOOL, SELECT_TOOL, Bank
from esc_skills.integrations.export_forms import catalogue_of, skill_files

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer

_Given, _Answer = ParamSpec("_Given"), TypeVar("_Answer")
INDEX = "skill://index.json"
LIST_TOOL, SEARCH_TOOL = "list_skills", "search_skills"
_MARKDOWN = "text/markdown"
_INSTRUCTIONS = (
    f"Skills for a supporter who talks to somebody in distress. Start with {LOAD_TOOL}('{ENTRANCE}'): it says what a "
    "supporter always does and which skill is for which moment. Load a skill before you answer with it."
)


def library(name: str) -> ModuleType:
    """Return a module of the official SDK, which is an extra: it brings a web server, which few need.

    Raises:
        InputError: It is not installed.
    """
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError("the package mcp is not installed", "install it: pip install 'esc-skills[mcp]'") from error


def build_server(bank: Bank) -> MCPServer[Any]:
    """Return a server of a bank, which may be run by itself or mounted in a program of one's own.

    Raises:
        InputError: The package `mcp` is not installed.
    """
    server: MCPServer[Any] = library("mcp.server.mcpserver").MCPServer(
        "esc-skills", instructions=_INSTRUCTIONS, version=__version__, log_level="WARNING"
    )
    _add_tools(server, bank)
    _add_resources(server, bank)
    _add_prompts(server, bank)
    return server


def _add_tools(server: MCPServer[Any], bank: Bank) -> None:
    errors = library("mcp.server.mcpserver.exceptions")
    types = library("mcp_types")
    reads = types.ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)

    def list_skills() -> dict[str, list[dict[str, str]]]:
        return {"skills": [{"name": name, "description": text} for name, text in catalogue_of(bank).items()]}

    def search_skills(words: str) -> dict[str, list[dict[str, str]]]:
        return {"skills": [{"name": skill.name, "description": skill.description} for skill in bank.search(words)]}

    def select_skill(messages: list[str]) -> dict[str, str | None]:
        chosen = bank.select(messages)
        return {"skill": chosen.skill.name if chosen.skill else None, "reason": chosen.reason, "risk": chosen.risk}

    def load_skill(name: str) -> str:
        return _body(bank, name)

    for name, function, description in (
        (LIST_TOOL, list_skills, "List all support skills with the moment that each is for."),
        (SEARCH_TOOL, search_skills, "Find support skills by words of their name, description or occasion."),
        (SELECT_TOOL, select_skill, "Suggest the support skill that fits what the seeker said, oldest message first."),
        (LOAD_TOOL, load_skill, f"Read a support skill before answering with it; {ENTRANCE} is where to start."),
    ):
        told = _telling(function, errors.ToolError)
        # What a skill says would otherwise be sent twice, as text and as JSON.
        form = False if name == LOAD_TOOL else None
        server.add_tool(told, name=name, description=description, annotations=reads, structured_output=form)


def _body(bank: Bank, name: str) -> str:
    if name != ENTRANCE and name not in bank:
        near = suggest(name, [ENTRANCE, *bank.skills])
        raise InputError(f"the bank holds no skill {name!r}{near}", f"{LIST_TOOL} names them all")
    return bank.body(name)


def _telling(
    function: Callable[_Given, _Answer], error_of: Callable[[str], Exception]
) -> Callable[_Given, _Answer]:
    """Return a function whose errors of input reach the client in their own words."""

    @wraps(function)
    def told(*given: _Given.args, **named: _Given.kwargs) -> _Answer:
        try:
            return function(*given, **named)
        except InputError as error:
            raise error_of(f"{error.message} ({error.hint})" if error.hint else error.message) from error

    return told


def _add_resources(server: MCPServer[Any], bank: Bank) -> None:
    resources = library("mcp.server.mcpserver.resources")
    errors = library("mcp.server.mcpserver.exceptions")
    files, catalogue = skill_files(bank), catalogue_of(bank)
    index = [{"name": name, "description": text, "url": _address(name)} for name, text in catalogue.items()]
    shown = json.dumps({"skills": index}, ensure_ascii=False, indent=2)
    about = "All skills with the moment that each is for, and their addresses."
    server.add_resource(
        resources.TextResource(uri=INDEX, name="index", description=about, mime_type="application/json", text=shown)
    )
    for name, description in catalogue.items():
        text = files[f"{name}/{SKILL_FILE}"].decode()
        server.add_resource(
            resources.TextResource(
                uri=_address(name), name=name, description=description, mime_type=_MARKDOWN, text=text
            )
        )

    def read(name: str, path: str) -> str:
        if (data := files.get(f"{name}/{path}")) is not None:
            return data.decode(errors="replace")
        _body(bank, name)  # says which skill may be meant
        own = [each.partition("/")[2] for each in files if each.startswith(f"{name}/")]
        raise InputError(f"the skill {name!r} has no file {path!r}{suggest(path, own)}", f"it has {', '.join(own)}")

    server.resource(
        "skill://{name}/{+path}", name="file-of-a-skill", description="A file of a skill, such as its references.",
        mime_type=_MARKDOWN,
    )(_telling(read, errors.ResourceNotFoundError))


def _address(name: str) -> str:
    return f"skill://{name}/{SKILL_FILE}"


def _add_prompts(server: MCPServer[Any], bank: Bank) -> None:
    prompt = library("mcp.server.mcpserver.prompts").Prompt
    invalid, error = library("mcp_types").INVALID_PARAMS, library("mcp.shared.exceptions").MCPError

    def start() -> str:
        return bank.system_prompt()

    def skill(name: str) -> str:
        return _body(bank, name)

    for name, function, description in (
        (ENTRANCE, start, "A system prompt: what a supporter always does, and all skills."),
        ("skill", _telling(skill, lambda message: error(invalid, message)), "What one skill says, by its name."),
    ):
        server.add_prompt(prompt.from_function(function, name=name, description=description))
