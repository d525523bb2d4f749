"""Use `esc-skills mcp` as real clients do, over stdio and HTTP: fastmcp's client, and an agent of pydantic-ai.

Run it in an environment that has fastmcp and pydantic-ai-slim; the server runs in whichever python has `esc-skills[mcp]`:

    python bench/mcp_clients.py PYTHON-OF-THE-SERVER
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from importlib.metadata import version
from typing import Any

from fastmcp import Client
from fastmcp.client.transports import StdioTransport
from fastmcp.exceptions import ToolError
from pydantic_ai import Agent
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

SERVE = ["-m", "esc_skills", "mcp"]
SKILL = "hold-silence"


async def use_by_fastmcp(where: Any) -> str:
    async with Client(where) as client:
        tools, skills = await client.list_tools(), await client.list_skill_resources()
        await client.list_prompts()
        body = (await client.call_tool("load_skill", {"name": SKILL})).content[0].text
        try:
            await client.call_tool("load_skill", {"name": SKILL[:-1]})
        except ToolError as error:
            told = SKILL in str(error)
        reference = (await client.read_resource(f"skill://{SKILL}/references/examples.en.md"))[0].text
        prompt = (await client.get_prompt("emotional-support")).messages[0].content.text
    assert told and "## Guidance" in body and reference.startswith("# ") and "load_skill" in prompt
    return f"{len(tools)} tools, {len(skills)} skills"


async def use_by_pydantic_ai(where: Any) -> str:
    """Let an agent whose model is scripted start at the entrance, load a skill, and answer."""
    calls = [("load_skill", {"name": "emotional-support"}), ("select_skill", {"messages": ["..."]})]
    calls.append(("load_skill", {"name": SKILL}))
    read: list[str] = []

    def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        assert {each.name for each in info.function_tools} >= {"list_skills", "load_skill"}
        done = [part for each in messages for part in each.parts if part.part_kind == "tool-return"]
        read[:] = [str(part.content) for part in done]
        return ModelResponse(
            [ToolCallPart(*calls[len(done)]) if len(done) < len(calls) else TextPart("There is time.")]
        )

    agent = Agent(FunctionModel(answer), toolsets=[MCPToolset(where)])
    async with agent:
        said = (await agent.run("...")).output
    assert said == "There is time." and "## Always" in read[0] and "## Guidance" in read[2]
    return f"{len(read)} calls answered"


def main() -> None:
    python = sys.argv[1]
    server = subprocess.Popen([python, *SERVE, "--http", "0"], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        url = server.stdout.readline().split(" at ")[1].strip()
        for name, use in (("fastmcp", use_by_fastmcp), ("pydantic-ai-slim", use_by_pydantic_ai)):
            for how, where in (("stdio", StdioTransport(python, SERVE)), ("HTTP", url)):
                print(f"{name} {version(name)} over {how}: {asyncio.run(use(where))}")
    finally:
        server.terminate()


if __name__ == "__main__":
    main()
