"""The bank over the Model Context Protocol, as the official client reads it from a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from esc_skills import Bank
from esc_skills.errors import InputError
from esc_skills.integrations import mcp_server
from tests.commands import call
from tests.samples import write_skill

pytest.importorskip("mcp", reason="the package mcp is an extra: pip install 'esc-skills[mcp]'")

from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.shared.exceptions import MCPError

SERVE = ["-m", "esc_skills", "mcp"]
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}
BANK = Bank.load()


@contextmanager
def process(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen([sys.executable, *SERVE, *arguments], **pipes) as started:  # type: ignore[call-overload]
        try:
            yield started
        finally:
            started.kill()


@contextmanager
def served(*arguments: str) -> Iterator[str]:
    """The address of a server over HTTP."""
    with process("--http", "0", *arguments) as started:
        line = started.stdout.readline().decode()
        assert " at http://127.0.0.1:" in line, started.stderr.read()
        yield line.split(" at ")[1].strip()


@asynccontextmanager
async def by_stdio(*arguments: str) -> AsyncIterator[Client]:
    async with Client(
        StdioServerParameters(command=sys.executable, args=[*SERVE, *arguments], env={**os.environ})
    ) as client:
        yield client


@asynccontextmanager
async def by_http(*arguments: str) -> AsyncIterator[Client]:
    with served(*arguments) as address:
        async with Client(address) as client:
            yield client


async def use_all(client: Client) -> None:
    tools = {each.name: each for each in (await client.list_tools()).tools}
    assert {*tools} == {"list_skills", "search_skills", "select_skill", "load_skill"}
    assert all(each.annotations and each.annotations.read_only_hint for each in tools.values())
    listed = (await client.call_tool("list_skills", {})).structured_content
    assert listed is not None and [each["name"] for each in listed["skills"]] == ["emotional-support", *BANK.skills]
    found = (await client.call_tool("search_skills", {"words": "anger speak"})).structured_content
    assert found is not None and "let-anger-speak" in [each["name"] for each in found["skills"]]
    chosen = (
        await client.call_tool("select_skill", {"messages": ["I want to die, I can't go on."]})
    ).structured_content
    assert chosen is not None and (chosen["skill"], chosen["risk"] != "none") == ("respond-to-suicide-risk", True)
    for name in ("hold-silence", "emotional-support"):
        answer = await client.call_tool("load_skill", {"name": name})
        assert (answer.content[0].text, answer.is_error) == (BANK.body(name), False)  # type: ignore[union-attr]
    await read_all(client)
    await prompt_all(client)


async def read_all(client: Client) -> None:
    async def read(address: str) -> str:
        text: str = (await client.read_resource(address)).contents[0].text  # type: ignore[union-attr]
        return text

    index = json.loads(await read("skill://index.json"))["skills"]
    listed = [str(each.uri) for each in (await client.list_resources()).resources]
    assert listed == ["skill://index.json", *(each["url"] for each in index)]
    for name in ("hold-silence", "emotional-support"):
        assert (await read(f"skill://{name}/SKILL.md")).encode() == BANK.record.contents[f"{name}/SKILL.md"]
    path = "hold-silence/references/examples.en.md"
    assert (await read(f"skill://{path}")).encode() == BANK.record.contents[path]
    for address, message in (
        ("skill://hold-silenc/SKILL.md", "did you mean 'hold-silence'"),
        ("skill://hold-silence/references/examples.zz.md", "it has SKILL.md, references/examples.en.md"),
        ("skill://hold-silence/../hold-silence/SKILL.md", "Unknown resource"),
    ):
        with pytest.raises(MCPError, match=message):
            await read(address)


async def prompt_all(client: Client) -> None:
    async def get(prompt: str, **given: str) -> str:
        text: str = (await client.get_prompt(prompt, given)).messages[0].content.text  # type: ignore[union-attr]
        return text

    assert [each.name for each in (await client.list_prompts()).prompts] == ["emotional-support", "skill"]
    assert await get("emotional-support") == BANK.system_prompt()
    assert await get("skill", name="hold-silence") == BANK.body("hold-silence")
    with pytest.raises(MCPError, match="did you mean 'hold-silence'"):
        await get("skill", name="hold-silenc")


@pytest.mark.parametrize("reached", [by_stdio, by_http])
def test_a_client_uses_all_of_the_bank(reached: Callable[[], Any]) -> None:
    async def use() -> None:
        async with reached() as client:
            await use_all(client)

    asyncio.run(use())


@pytest.mark.parametrize("reached", [by_stdio, by_http])
def test_what_is_wrong_is_a_tool_error_that_says_what(reached: Callable[[], Any]) -> None:
    async def use() -> None:
        async with reached() as client:
            for tool, arguments, message in (
                ("load_skill", {"name": "hold-silenc"}, "no skill 'hold-silenc'; did you mean 'hold-silence'?"),
                ("load_skill", {"name": "../pyproject.toml"}, "holds no skill '../pyproject.toml'"),
                ("select_skill", {"messages": []}, "no message is the seeker's"),
                ("load_skill", {}, "name"),
            ):
                answer = await client.call_tool(tool, arguments)
                assert answer.is_error and message in answer.content[0].text
            empty = await client.call_tool("search_skills", {"words": ""})
            assert empty.structured_content == {"skills": []}

    asyncio.run(use())


def test_a_bank_of_ones_own_is_served(tmp_path: Path) -> None:
    write_skill(tmp_path / "skills")

    async def use() -> None:
        async with by_stdio("--bank", str(tmp_path / "skills")) as client:
            listed = (await client.call_tool("list_skills", {})).structured_content
            assert listed is not None
            assert [each["name"] for each in listed["skills"]] == ["emotional-support", "wait-a-little"]

    asyncio.run(use())


class TestEnds:
    def test_standard_output_is_the_protocols_alone(self) -> None:
        with process() as started:
            out, err = started.communicate(b"no JSON\n\xff\xfe\n" + json.dumps(HELLO).encode() + b"\n")
            assert (started.returncode, err) == (0, b"")
            assert [json.loads(line)["id"] for line in out.splitlines()] == [1]

    def test_a_client_that_is_gone_at_once_ends_it_quietly(self) -> None:
        with process() as started:
            assert (*started.communicate(b""), started.returncode) == (b"", b"", 0)

    def test_a_client_that_reads_no_answer_ends_it_quietly(self) -> None:
        with process() as started:
            assert started.stdout is not None and started.stdin is not None and started.stderr is not None
            started.stdout.close()
            started.stdin.write((json.dumps(HELLO).encode() + b"\n") * 3)
            started.stdin.close()
            assert (started.wait(30), started.stderr.read()) == (0, b"")

    @pytest.mark.parametrize("arguments", [(), ("--http", "0")])
    def test_ctrl_c_ends_it_at_once(self, arguments: tuple[str, ...]) -> None:
        with process(*arguments) as started:
            assert started.stdout is not None and started.stdin is not None
            started.stdin.write(json.dumps(HELLO).encode() + b"\n")
            started.stdin.flush()
            started.stdout.readline()
            started.send_signal(signal.SIGINT)
            assert started.wait(30) in (130, -signal.SIGINT)


class TestLoopback:
    def test_a_page_of_another_name_is_refused(self) -> None:
        with served() as address:
            port = address.split(":")[2].removesuffix("/mcp")
            assert self.status(address) == 200
            assert self.status(address, Host=f"localhost:{port}", Origin=f"http://localhost:{port}") == 200
            assert self.status(address, Host=f"rebound.invalid:{port}") == 421
            assert self.status(address, Host=f"127.0.0.1.rebound.invalid:{port}") == 421
            assert self.status(address, Origin="http://rebound.invalid") == 403
            assert self.status(address, Origin="null") == 403

    @staticmethod
    def status(address: str, **headers: str) -> int:
        given = {"content-type": "application/json", "accept": "application/json, text/event-stream", **headers}
        request = urllib.request.Request(address, json.dumps(HELLO).encode(), given)
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    def test_it_listens_on_loopback_alone(self) -> None:
        with served() as address, pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", int(address.split(":")[2].removesuffix("/mcp"))), timeout=5)

    def test_a_client_that_leaves_in_the_middle_leaves_the_server_to_others(self) -> None:
        with served() as address:
            port = int(address.split(":")[2].removesuffix("/mcp"))
            with socket.create_connection(("127.0.0.1", port)) as half:
                half.sendall(b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 900\r\n\r\n{")
            assert self.status(address) == 200

    def test_a_port_in_use_is_told(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            ran = call("mcp", "--http", str(port))
        assert (ran.code, ran.out) == (2, "") and f"port {port} is in use" in ran.err

    @pytest.mark.parametrize("port", ["-1", "65536", "http"])
    def test_what_is_no_port_is_told(self, port: str) -> None:
        assert call("mcp", "--http", port).code == 2


def test_an_empty_bank_is_told(tmp_path: Path) -> None:
    ran = call("mcp", "--bank", str(tmp_path))
    assert (ran.code, ran.out) == (2, "") and "holds no SKILL.md" in ran.err


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)
    monkeypatch.setitem(sys.modules, "mcp.server.mcpserver", None)
    with pytest.raises(InputError, match="mcp is not installed") as caught:
        mcp_server.build_server(BANK)
    assert "pip install 'esc-skills[mcp]'" in caught.value.hint
