"""A bank served over the Model Context Protocol: its skills as tools, resources and prompts, over stdio or on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from types import ModuleType
from typing import TYPE_CHECKING, Any

from esc_skills import __version__
from esc_skills.bank.reader import ENTRANCE
from esc_skills.bank.skill import SKILL_FILE
from esc_skills.documents.schema import suggest
from esc_skills.errors import InputError
from esc_skills.integrations.agent_bank import LOAD_TOOL, SELECT_TOOL, Bank
from esc_skills.integrations.export_forms import catalogue_of, skill_files

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer

INDEX = "skill://index.json"
LIST_TOOL = "list_skills"
#: The tools, each a method of `_Answers`, with what a model is told of it.
_TOOLS = {
    LIST_TOOL: "All support skills with the moment that each is for.",
    "search_skills": "Find support skills by words of their name, description or occasion.",
    SELECT_TOOL: "Suggest the support skill that fits what the seeker said, oldest message first. "
    "The risk is what word lists hear, and no safety net.",
    LOAD_TOOL: f"Read a support skill before answering with it; {ENTRANCE} is where to start.",
}
_FILE = "A file of a skill, such as its references/examples.en.md."
_PROMPT = "A system prompt: what a supporter always does, and all skills."
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
    answers = _Answers(bank)
    _add_tools(server, answers)
    _add_resources(server, answers)
    _add_prompts(server, answers)
    return server


class _Answers:
    """What the server answers with, for one bank."""

    def __init__(self, bank: Bank) -> None:
        self.bank, self.files, self.catalogue = bank, skill_files(bank), catalogue_of(bank)

    def list_skills(self) -> dict[str, list[dict[str, str]]]:
        return {"skills": [{"name": name, "description": text} for name, text in self.catalogue.items()]}

    def search_skills(self, words: str) -> dict[str, list[dict[str, str]]]:
        found = self.bank.search(words)
        return {"skills": [{"name": skill.name, "description": skill.description} for skill in found]}

    def select_skill(self, messages: list[str]) -> dict[str, str | None]:
        chosen = self.bank.select(messages)
        return {"skill": chosen.skill.name if chosen.skill else None, "reason": chosen.reason, "risk": chosen.risk}

    def load_skill(self, name: str) -> str:
        if name not in self.catalogue:
            near = suggest(name, list(self.catalogue))
            raise InputError(f"the bank holds no skill {name!r}{near}", f"{LIST_TOOL} names them all")
        return self.bank.body(name)

    def system_prompt(self) -> str:
        return self.bank.system_prompt()

    def index(self) -> str:
        listed = [{"name": name, "description": text, "url": _address(name)} for name, text in self.catalogue.items()]
        return json.dumps({"skills": listed}, ensure_ascii=False, indent=2)

    def file(self, name: str, path: str) -> str:
        if (data := self.files.get(f"{name}/{path}")) is not None:
            return data.decode(errors="replace")
        self.load_skill(name)  # says which skill may be meant
        own = [each.partition("/")[2] for each in self.files if each.startswith(f"{name}/")]
        raise InputError(f"the skill {name!r} has no file {path!r}{suggest(path, own)}", f"it has {', '.join(own)}")


def _address(name: str) -> str:
    return f"skill://{name}/{SKILL_FILE}"


def _telling(function: Callable[..., Any], error_of: Callable[[str], Exception]) -> Callable[..., Any]:
    """Return a function whose errors of input reach the client in their own words."""

    @wraps(function)
    def told(*given: Any, **named: Any) -> Any:
        try:
            return function(*given, **named)
        except InputError as error:
            raise error_of(f"{error.message} ({error.hint})" if error.hint else error.message) from error

    return told


def _add_tools(server: MCPServer[Any], answers: _Answers) -> None:
    error = library("mcp.server.mcpserver.exceptions").ToolError
    hints = library("mcp_types").ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)
    for name, about in _TOOLS.items():
        told = _telling(getattr(answers, name), error)
        # What a skill says would otherwise be sent twice, as text and as JSON.
        form = False if name == LOAD_TOOL else None
        server.add_tool(told, name=name, description=about, annotations=hints, structured_output=form)


def _add_resources(server: MCPServer[Any], answers: _Answers) -> None:
    """Add the index and each SKILL.md, which clients list, and a template for all other files, which need no line each."""
    make = library("mcp.server.mcpserver.resources").TextResource
    text, kind = answers.index(), "application/json"
    server.add_resource(make(uri=INDEX, name="index", description=_TOOLS[LIST_TOOL], mime_type=kind, text=text))
    for name, about in answers.catalogue.items():
        text = answers.file(name, SKILL_FILE)
        server.add_resource(make(uri=_address(name), name=name, description=about, mime_type=_MARKDOWN, text=text))
    missing = library("mcp.server.mcpserver.exceptions").ResourceNotFoundError
    template = server.resource("skill://{name}/{+path}", name="file", description=_FILE, mime_type=_MARKDOWN)
    template(_telling(answers.file, missing))


def _add_prompts(server: MCPServer[Any], answers: _Answers) -> None:
    make = library("mcp.server.mcpserver.prompts").Prompt.from_function
    invalid, error = library("mcp_types").INVALID_PARAMS, library("mcp.shared.exceptions").MCPError
    skill = _telling(answers.load_skill, lambda message: error(invalid, message))
    server.add_prompt(make(answers.system_prompt, name=ENTRANCE, description=_PROMPT))
    server.add_prompt(make(skill, name="skill", description="What one skill says, by its name."))
