"""Load the bank in real Agent Skills clients, and say whether each reads what the files say.

    python bench/clients.py [FOLDER]

It measures whether a client loads every skill folder of FOLDER (the repository's skills/ when it is left out) with the
same name and description as PyYAML reads from the front matter, and with the same body where the client hands it out:
"body" where the client keeps the body by itself, which must be equal but for whitespace around it; "body in text" where
the client gives the model a longer text (the whole file, or the body with a heading and the names of further files), in
which the body must stand whole. Where the client writes a catalogue for the model, the line also says whether it shows
the descriptions whole; a cut description there is told and is no difference.

It needs no key, no model and no network; the clients that only work inside an agent get a stand-in for the model. Each
client goes into an environment of its own, because their requirements clash, and this script is run once in each:

    python -m venv CLIENT && CLIENT/bin/pip install PACKAGE pyyaml && CLIENT/bin/python bench/clients.py

PACKAGE is one of the names in LOADERS; camel-ai needs "mcp<2" beside it. The two from npm, openskills and skills, are
used when their command is on PATH (`npm install openskills skills`; skills 1.7 wants Node 22, 1.5.18 runs on Node 20).
Clients that are not installed are listed as such. The exit code is 1 when any client differs or fails. Each takes a few
seconds. The home folder is a temporary one meanwhile, so that no client reads or writes yours.
"""

from __future__ import annotations

import asyncio
import contextlib
import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from textwrap import shorten
from typing import Any

import yaml

BANK = Path(__file__).resolve().parents[1] / "skills"
#: Keep the clients from calling home while they load.
QUIET = {
    "DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1", "OTEL_SDK_DISABLED": "true", "AGNO_TELEMETRY": "false",
    "CREWAI_DISABLE_TELEMETRY": "true", "CREWAI_TRACING_ENABLED": "false", "HAYSTACK_TELEMETRY_ENABLED": "False",
    "NO_COLOR": "1",
}  # fmt: skip
WIDTH = 400  # of a difference or an error, in characters
COMMANDS = ("openskills", "skills")
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Skill:
    """One skill as a client holds it: its body by itself, or a longer text that has the body in it."""

    name: str
    description: str
    body: str | None = None
    text: str | None = None


@dataclass(frozen=True)
class Loaded:
    """What a client loaded, the catalogue it writes for the model, and a word on how it was read."""

    skills: Sequence[Skill]
    catalogue: str | None = None
    note: str = ""


# What the files say


def folders_of(bank: Path) -> list[Path]:
    return sorted(path.parent for path in bank.glob("*/SKILL.md"))


def split_file(text: str) -> tuple[str, str]:
    """Return the front matter and the body of a SKILL.md file."""
    opening, front, body = re.split(r"^---\n", text, maxsplit=2, flags=re.MULTILINE)
    if opening:
        raise ValueError("a SKILL.md file starts with its front matter")
    return front, body


def read_bank(bank: Path) -> dict[str, Skill]:
    skills: dict[str, Skill] = {}
    for folder in folders_of(bank):
        front, body = split_file((folder / "SKILL.md").read_text(encoding="utf-8"))
        fields = yaml.safe_load(front)
        skills[fields["name"]] = Skill(fields["name"], fields["description"], body)
    return skills


# Help for the loaders


def copy_bank(bank: Path, *parts: str) -> Path:
    """Copy the bank into a new project at the given place, and return the project's folder."""
    project = Path(tempfile.mkdtemp(dir=Path.home()))
    shutil.copytree(bank, project.joinpath(*parts))
    return project


def call(command: Sequence[str], project: Path) -> str:
    """Run a command in a project and return what it prints, without colours."""
    done = subprocess.run(
        command, cwd=project, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=True
    )
    return ANSI.sub("", done.stdout)


def tool_named(name: str, tools: Iterable[Any]) -> Any:
    for tool in tools:
        if tool.name == name:
            return tool
    raise LookupError(f"the client offers no tool {name}, as it does when it has no skill")


# One loader for each client


def load_skills_ref(bank: Path) -> Loaded:
    from skills_ref import read_properties, to_prompt, validate
    from skills_ref.parser import parse_frontmatter

    skills = []
    for folder in folders_of(bank):
        if problems := validate(folder):
            raise ValueError(f"{folder.name} is not valid: {problems[0]}")
        properties = read_properties(folder)
        _, body = parse_frontmatter((folder / "SKILL.md").read_text(encoding="utf-8"))
        skills.append(Skill(properties.name, properties.description, body))
    return Loaded(skills, to_prompt(folders_of(bank)))


def load_agno(bank: Path) -> Loaded:
    from agno.skills import LocalSkills, Skills

    held = Skills(loaders=[LocalSkills(str(bank))])
    skills = [Skill(skill.name, skill.description, skill.instructions) for skill in held.get_all_skills()]
    return Loaded(skills, held.get_system_prompt_snippet())


def load_google_adk(bank: Path) -> Loaded:
    from google.adk.skills import load_skills_from_dir
    from google.adk.tools.skill_toolset import SkillToolset

    held = load_skills_from_dir(bank)
    tools = asyncio.run(SkillToolset(skills=held).get_tools())
    catalogue = asyncio.run(tool_named("list_skills", tools).run_async(args={}, tool_context=None))
    return Loaded([Skill(skill.name, skill.description, skill.instructions) for skill in held], catalogue)


def load_strands(bank: Path) -> Loaded:
    from strands import Agent
    from strands.models import Model
    from strands.vended_plugins.skills import AgentSkills

    prompts: list[str] = []

    class StandIn(Model):
        def update_config(self, **_: Any) -> None: ...

        def get_config(self) -> dict[str, Any]:
            return {}

        async def structured_output(self, *_: Any, **__: Any) -> AsyncIterator[dict[str, Any]]:
            yield {}

        async def stream(
            self, messages: Any, tool_specs: Any = None, system_prompt: str | None = None, **_: Any
        ) -> AsyncIterator[dict[str, Any]]:
            prompts.append(system_prompt or "")
            yield {"messageStart": {"role": "assistant"}}
            yield {"contentBlockDelta": {"delta": {"text": "Yes."}}}
            yield {"contentBlockStop": {}}
            yield {"messageStop": {"stopReason": "end_turn"}}

    plugin = AgentSkills(skills=str(bank), strict=True)
    agent = Agent(model=StandIn(), plugins=[plugin], callback_handler=None)
    agent("Hello")
    held = plugin.get_available_skills(agent)
    return Loaded([Skill(skill.name, skill.description, skill.instructions) for skill in held], prompts[0])


def load_deepagents(bank: Path) -> Loaded:
    from deepagents.backends import FilesystemBackend
    from deepagents.middleware.skills import SkillsMiddleware
    from langchain.agents.middleware import ModelRequest

    backend = FilesystemBackend(root_dir=str(bank), virtual_mode=True)
    middleware = SkillsMiddleware(backend=backend, sources=["/"])
    state = middleware.before_agent({}, None, None)
    held = state["skills_metadata"]
    files = backend.download_files([skill["path"] for skill in held])
    skills = [
        Skill(skill["name"], skill["description"], text=file.content.decode())
        for skill, file in zip(held, files, strict=True)
    ]
    request = middleware.modify_request(ModelRequest(model=None, messages=[], state=state, system_message=None))
    return Loaded(skills, request.system_message.text)


def load_pydantic_ai_skills(bank: Path) -> Loaded:
    from pydantic_ai import Agent
    from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
    from pydantic_ai.models.function import FunctionModel
    from pydantic_ai_skills import SkillsCapability

    capability = SkillsCapability(bank)
    prompts: list[str] = []

    def stand_in(messages: Sequence[Any], info: Any) -> ModelResponse:
        contents = (str(getattr(part, "content", "")) for part in messages[-1].parts)
        prompts.append("\n".join([info.instructions or "", *contents]))
        if len(prompts) > 1:
            return ModelResponse(parts=[TextPart("Yes.")])
        return ModelResponse(parts=[ToolCallPart("load_capability", {"id": name}) for name in capability.skill_names])

    Agent(FunctionModel(stand_in), capabilities=[capability]).run_sync("Hello")
    catalogue, loaded = prompts
    listed = re.findall(r"^- ([a-z0-9-]+): (.*(?:\n  .*)*)", catalogue, re.MULTILINE)
    return Loaded([Skill(name, description, text=loaded) for name, description in listed], catalogue)


def load_haystack(bank: Path) -> Loaded:
    from haystack.skill_stores.file_system import FileSystemSkillStore
    from haystack.tools import SkillToolset

    store = FileSystemSkillStore(str(bank))
    toolset = SkillToolset(store)
    skills = [Skill(skill.name, skill.description, store.load_skill(name)[0]) for name, skill in toolset.skills.items()]
    return Loaded(skills, tool_named("load_skill", toolset).description)


def load_agentscope(bank: Path) -> Loaded:
    from agentscope.skill import LocalSkillLoader
    from agentscope.tool import Toolkit

    loader = LocalSkillLoader(str(bank), scan_subdir=True)
    held = asyncio.run(loader.list_skills())
    catalogue = asyncio.run(Toolkit(skills_or_loaders=[loader]).get_skill_instructions())
    return Loaded([Skill(skill.name, skill.description, skill.markdown) for skill in held], catalogue)


def load_openai_agents(bank: Path) -> Loaded:
    return asyncio.run(stage_openai_agents(bank))


async def stage_openai_agents(bank: Path) -> Loaded:
    from agents.sandbox import Manifest, SandboxPathGrant
    from agents.sandbox.capabilities import LocalDirLazySkillSource, Skills
    from agents.sandbox.entries import LocalDir
    from agents.sandbox.sandboxes.unix_local import UnixLocalSandboxClient

    manifest = Manifest(extra_path_grants=(SandboxPathGrant(path=str(bank)),))
    source = LocalDirLazySkillSource(source=LocalDir(src=bank))
    capability = Skills(lazy_from=source)
    held = source.list_skill_metadata(skills_path=capability.skills_path, source_grants=manifest.extra_path_grants)
    skills = []
    client = UnixLocalSandboxClient()
    session = await client.create(manifest=manifest)
    async with session:
        capability.bind(session)
        for skill in held:
            staged = await capability.load_skill(skill.name)
            file = await session.read(Path(session.state.manifest.root) / staged["path"] / "SKILL.md")
            skills.append(Skill(skill.name, skill.description, text=file.read().decode()))
    await client.delete(session)
    return Loaded(skills, await capability.instructions(manifest))


def load_agent_framework(bank: Path) -> Loaded:
    return asyncio.run(stage_agent_framework(bank))


async def stage_agent_framework(bank: Path) -> Loaded:
    from agent_framework import AgentSession, FileSkillsSource, SessionContext, SkillsProvider, SkillsSourceContext

    provider = SkillsProvider.from_paths(str(bank), disable_load_skill_approval=True)
    context = SessionContext(input_messages=[])
    await provider.before_run(agent=None, session=AgentSession(), context=context, state={})
    loader = tool_named("load_skill", context.tools)
    skills = []
    for skill in await FileSkillsSource(str(bank)).get_skills(SkillsSourceContext(agent=None)):
        fields = skill.frontmatter
        contents = await loader.invoke(arguments={"skill_name": fields.name})
        skills.append(Skill(fields.name, fields.description, text="".join(content.text for content in contents)))
    return Loaded(skills, "\n".join(context.instructions))


def load_camel(bank: Path) -> Loaded:
    from camel.toolkits import SkillToolkit

    toolkit = SkillToolkit(working_directory=str(copy_bank(bank, ".agents", "skills")))
    held = toolkit.list_skills()
    skills = [Skill(skill["name"], skill["description"], text=toolkit.load_skill(skill["name"])) for skill in held]
    schemas = [tool.get_openai_tool_schema()["function"] for tool in toolkit.get_tools()]
    return Loaded(skills, next(schema["description"] for schema in schemas if schema["name"] == "load_skill"))


def load_crewai(bank: Path) -> Loaded:
    from crewai.skills.loader import activate_skill, build_skill_catalog, discover_skills, format_skill_context

    held = discover_skills(bank)
    skills = [Skill(skill.name, skill.description, activate_skill(skill).instructions) for skill in held]
    catalogue = [format_skill_context(skill, label=label) for label, skill in build_skill_catalog(held).items()]
    return Loaded(skills, "\n".join(catalogue))


def load_inspect(bank: Path) -> Loaded:
    from inspect_ai.tool import ToolDef, read_skills, skill

    held = read_skills(folders_of(bank))
    catalogue = ToolDef(skill(folders_of(bank))).description
    return Loaded([Skill(one.name, one.description, one.instructions) for one in held], catalogue)


def load_nanobot(bank: Path) -> Loaded:
    from nanobot.agent.skills import SkillsLoader

    project = copy_bank(bank, "skills")
    loader = SkillsLoader(project, builtin_skills_dir=project / "none")
    names = [entry["name"] for entry in loader.list_skills()]
    skills = [
        Skill(name, loader.get_skill_description(name), text=loader.load_skills_for_context([name])) for name in names
    ]
    return Loaded(skills, loader.build_skills_summary(), "names are folder names")


def load_fastmcp(bank: Path) -> Loaded:
    return asyncio.run(stage_fastmcp(bank))


async def stage_fastmcp(bank: Path) -> Loaded:
    from fastmcp import Client, FastMCP
    from fastmcp.skills import SkillsClientExtension
    from fastmcp.skills.provider import SkillsDirectoryProvider

    server: Any = FastMCP("bank")
    server.add_provider(SkillsDirectoryProvider([bank]))
    skills = []
    async with Client(server, extensions=[SkillsClientExtension()]) as client:
        for listed in await client.list_skills():
            skill = await client.read_skill(listed.uri)
            skills.append(Skill(skill.name, skill.description, text=skill.files["SKILL.md"].decode()))
    return Loaded(skills)


def load_hermes(bank: Path) -> Loaded:
    os.environ["HERMES_HOME"] = str(copy_bank(bank, "skills"))
    from agent.prompt_builder import build_skills_system_prompt
    from tools.skills_tool import skill_view, skills_list

    held = json.loads(skills_list())["skills"]
    skills = [
        Skill(skill["name"], skill["description"], text=json.loads(skill_view(skill["name"]))["content"])
        for skill in held
    ]
    return Loaded(skills, build_skills_system_prompt())


def load_openskills(bank: Path) -> Loaded:
    project = Path(tempfile.mkdtemp(dir=Path.home()))
    call(["openskills", "install", str(bank), "-y"], project)
    call(["openskills", "sync", "-y"], project)
    catalogue = (project / "AGENTS.md").read_text(encoding="utf-8")
    listed = re.findall(r"<name>(.*)</name>\n<description>(.*)</description>", catalogue)
    skills = [
        Skill(name, yaml.safe_load(description), text=call(["openskills", "read", name], project))
        for name, description in listed
    ]
    return Loaded(skills, catalogue, "descriptions keep the quotes of their YAML, which are taken off here")


def load_npm_skills(bank: Path) -> Loaded:
    project = Path(tempfile.mkdtemp(dir=Path.home()))
    catalogue = call(["skills", "add", str(bank), "--list"], project)
    listed = dict(re.findall(r"^│ {4}(\S+)\n│\n│ {6}(\S.*)$", catalogue, re.MULTILINE))
    call(["skills", "add", str(bank), "-y", "--copy", "-a", "claude-code", "--skill", "*"], project)
    skills = []
    for installed in json.loads(call(["skills", "list", "--json"], project)):
        name = installed["name"]
        text = call(["skills", "use", str(bank), "--skill", name], project)
        skills.append(Skill(name, listed.get(name, ""), text=text))
    return Loaded(skills, catalogue, "its list is for people")


LOADERS: dict[str, Callable[[Path], Loaded]] = {
    "skills-ref": load_skills_ref,
    "agno": load_agno,
    "google-adk": load_google_adk,
    "strands-agents": load_strands,
    "deepagents": load_deepagents,
    "pydantic-ai-skills": load_pydantic_ai_skills,
    "haystack-ai": load_haystack,
    "agentscope": load_agentscope,
    "openai-agents": load_openai_agents,
    "agent-framework-core": load_agent_framework,
    "camel-ai": load_camel,
    "crewai": load_crewai,
    "inspect-ai": load_inspect,
    "nanobot-ai": load_nanobot,
    "fastmcp": load_fastmcp,
    "hermes-agent": load_hermes,
    "openskills": load_openskills,
    "skills": load_npm_skills,
}


# The comparison


def version_of(client: str) -> str | None:
    """Return the version of a client that is installed, or None."""
    if client in COMMANDS:
        return call([client, "--version"], Path.home()).strip() if shutil.which(client) else None
    try:
        return metadata.version(client)
    except metadata.PackageNotFoundError:
        return None


def fields_of(skills: Sequence[Skill]) -> list[str]:
    fields = ["name", "description"]
    if any(skill.body is not None for skill in skills):
        fields.append("body")
    if any(skill.text is not None for skill in skills):
        fields.append("body in text")
    return fields


def first_difference(said: Mapping[str, Skill], skills: Sequence[Skill]) -> str | None:
    names = sorted(skill.name for skill in skills)
    if names != sorted(said):
        missing, extra = sorted(set(said) - set(names)), sorted(set(names) - set(said))
        return f"names: missing {missing}, extra {extra}, loaded {len(names)} of {len(said)}"
    for skill in sorted(skills, key=lambda skill: skill.name):
        if difference := difference_of(said[skill.name], skill):
            return f"{skill.name}: {difference}"
    return None


def difference_of(said: Skill, skill: Skill) -> str | None:
    body = (said.body or "").strip()
    if skill.description != said.description:
        same = length_shown(skill.description, said.description)
        return f"description differs after {same} characters: {skill.description!r} instead of {said.description!r}"
    if skill.body is not None and skill.body.strip() != body:
        return f"body of {len(skill.body.strip())} characters differs from the file's {len(body)}"
    if skill.text is not None and body not in skill.text:
        return f"the file's body of {len(body)} characters is not whole in the client's text"
    return None


def length_shown(description: str, text: str) -> int:
    """Return how many characters of a description, from its start, stand in a text."""
    return next(end for end in range(len(description), -1, -1) if description[:end] in text)


def catalogue_note(said: Mapping[str, Skill], loaded: Loaded) -> str:
    """Say whether the catalogue shows whole what the files say of the skills that were loaded."""
    descriptions = {said[skill.name].description for skill in loaded.skills if skill.name in said}
    if loaded.catalogue is None or not descriptions:
        return "no catalogue"
    plain = html.unescape(loaded.catalogue)
    shown = {description: length_shown(description, plain) for description in descriptions}
    cut = sorted(end for description, end in shown.items() if end < len(description))
    if cut:
        reach = f"{cut[0]}" if cut[0] == cut[-1] else f"{cut[0]} to {cut[-1]}"
        return f"catalogue cuts {len(cut)} of {len(shown)} descriptions, after {reach} characters"
    return f"catalogue whole (longest description {max(map(len, shown))})"


def report(client: str, bank: Path, said: Mapping[str, Skill]) -> tuple[str, bool]:
    """Return a client's line, and whether it is fine."""
    version = version_of(client)
    if version is None:
        return f"{client}: not installed", True
    try:
        with contextlib.redirect_stdout(sys.stderr):
            loaded = LOADERS[client](bank)
    except Exception as error:  # a client may fail in any way, and that is then its result
        return f"{client} {version}: failed, {type(error).__name__}: {shorten(str(error), WIDTH)}", False
    difference = first_difference(said, loaded.skills)
    compared = f"{', '.join(fields_of(loaded.skills))}: {shorten(difference or 'equal', WIDTH)}"
    parts = [f"{len(loaded.skills)} skills", compared, catalogue_note(said, loaded), loaded.note]
    return f"{client} {version}: " + "; ".join(part for part in parts if part), difference is None


def main(arguments: Sequence[str]) -> int:
    bank = Path(arguments[0]).resolve() if arguments else BANK
    said = read_bank(bank)
    if not said:
        print(f"{bank} holds no skills", file=sys.stderr)
        return 1
    fine = True
    with tempfile.TemporaryDirectory() as home:
        os.environ.update(QUIET, HOME=home)
        for client in LOADERS:
            line, good = report(client, bank, said)
            print(line, flush=True)
            fine = fine and good
    return 0 if fine else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
