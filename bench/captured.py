"""Capture what two coding agents show a model of the bank, and compare it with `validate --client`.

    npm install @anthropic-ai/claude-code @openai/codex
    PATH=node_modules/.bin:$PATH python bench/captured.py [FOLDER]

FOLDER is a bank; the repository's skills/ when it is left out. A server on loopback stands in for the model: it keeps the first
request, then loads the entrance and three skills that the entrance names, and ends. Printed are, for each agent that is on
PATH: how many descriptions the request holds whole, whether the lines are those that `validate --client` prints, and how many
skills were loaded. No key and no network; homes are temporary ones. Half a minute.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aiohttp import web

from esc_skills.bank.clients import parse_client, view_catalogue

BANK = Path(__file__).resolve().parents[1] / "skills"
WANTED = ("respond-to-suicide-risk", "stay-beside", "end-the-talk")
SAID = "I keep thinking that everyone would be better off without me."
CODEX = """\
model = "gpt-5"
model_provider = "loopback"
model_context_window = 128000
[model_providers.loopback]
name = "loopback"
base_url = "{url}/v1"
wire_api = "responses"
"""


class Model:
    """Stands in for a model on loopback, in Anthropic's form and in that of OpenAI's responses.

    Attributes:
        asked: The bodies that came.
    """

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self._ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True).start()
        self._ready.wait(30)

    async def _serve(self) -> None:
        application = web.Application(client_max_size=10**8)
        application.router.add_post("/v1/messages", self._messages)
        application.router.add_post("/v1/responses", self._responses)
        application.router.add_route("*", "/{rest:.*}", self._nothing)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self._ready.set()
        await asyncio.Event().wait()

    async def _nothing(self, _: web.Request) -> web.Response:
        return web.json_response({"data": [], "models": [], "input_tokens": 1})

    def _next(self, read: list[Any], loaded: int) -> str | None:
        """Return the skill to load next: the entrance, then those wanted that its text names."""
        if not loaded:
            return "emotional-support"
        wanted = WANTED[loaded - 1 : loaded]
        return wanted[0] if wanted and f"`{wanted[0]}`" in json.dumps(read) else None

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        if "Skill" not in [each["name"] for each in body.get("tools", [])]:
            return web.json_response(
                {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "ok"}]}
            )
        self.asked.append(body)
        parts = [part for each in body["messages"] if isinstance(each["content"], list) for part in each["content"]]
        block: dict[str, Any] = {"type": "text", "text": ""}
        delta: dict[str, Any] = {"type": "text_delta", "text": "done"}
        loads = sum(part.get("type") == "tool_use" for part in parts)
        # What a skill says comes as a text beside the result.
        if skill := self._next(parts, loads):
            block = {"type": "tool_use", "id": f"toolu_{len(self.asked)}", "name": "Skill", "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps({"skill": skill})}
        message = {"id": "msg", "type": "message", "role": "assistant", "model": body["model"], "content": []}
        usage = {"input_tokens": 1, "output_tokens": 1}
        end = {"stop_reason": "tool_use" if skill else "end_turn", "stop_sequence": None}
        return await _stream(
            request,
            ("message_start", {"message": {**message, "usage": usage}}),
            ("content_block_start", {"index": 0, "content_block": block}),
            ("content_block_delta", {"index": 0, "delta": delta}),
            ("content_block_stop", {"index": 0}),
            ("message_delta", {"delta": end, "usage": usage}),
            ("message_stop", {}),
        )

    async def _responses(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.append(body)
        number = len(self.asked)
        results = [each for each in body["input"] if each.get("type") == "function_call_output"]
        item: dict[str, Any] = {
            "type": "message", "id": f"msg_{number}", "role": "assistant", "content": [{"type": "output_text", "text": "done"}],
        }  # fmt: skip
        if skill := self._next(results, len(results)):
            command = json.dumps({"cmd": f"cat .agents/skills/{skill}/SKILL.md"})
            item = {"type": "function_call", "id": f"fc_{number}", "call_id": f"call_{number}", "name": "exec_command", "arguments": command}  # fmt: skip
        usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
        return await _stream(
            request,
            ("response.created", {"response": {"id": f"resp_{number}"}}),
            ("response.output_item.done", {"item": item}),
            ("response.completed", {"response": {"id": f"resp_{number}", "usage": usage}}),
        )


async def _stream(request: web.Request, *events: tuple[str, dict[str, Any]]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for kind, value in events:
        await response.write(f"event: {kind}\ndata: {json.dumps({'type': kind, **value})}\n\n".encode())
    await response.write_eof()
    return response


def run_claude_code(folder: Path, url: str) -> None:
    environment = {
        **os.environ, "HOME": str(folder), "ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "none",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_TELEMETRY": "1",
    }  # fmt: skip
    command = ["claude", "-p", SAID, "--model", "claude-sonnet-4-5", "--allowedTools", "Skill"]
    subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False
    )


def run_codex(folder: Path, url: str) -> None:
    (folder / "home").mkdir()
    (folder / "home" / "config.toml").write_text(CODEX.format(url=url))
    command = ["codex", "exec", "--skip-git-repo-check", "--sandbox", "danger-full-access", SAID]
    environment = {**os.environ, "CODEX_HOME": str(folder / "home")}
    subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False
    )


#: By command: the client's name and context, where it looks for skills, and how it is run.
AGENTS = {
    "claude": ("claude-code:200k", ".claude/skills", run_claude_code),
    "codex": ("codex:128k", ".agents/skills", run_codex),
}


def texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from texts_in(each)


def catalogue_of(bank: Path) -> dict[str, str]:
    files = {path.parent.name: path.read_text(encoding="utf-8") for path in sorted(bank.glob("*/SKILL.md"))}
    return {name: re.findall(r'^description: "(.*)"$', text, flags=re.MULTILINE)[0] for name, text in files.items()}


def main() -> None:
    bank = Path(sys.argv[1]) if sys.argv[1:] else BANK
    catalogue = catalogue_of(bank)
    for command, (client, place, run) in AGENTS.items():
        if shutil.which(command) is None:
            print(f"{client}: `{command}` is not on PATH")
            continue
        model = Model()
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            shutil.copytree(bank, folder / place)
            subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
            run(folder, model.url)
        if not model.asked:
            print(f"{client}: `{command}` asked nothing")
            continue
        shown = "\n".join(texts_in(model.asked[0]))
        view = view_catalogue(*parse_client(client), catalogue)
        whole = sum(each in shown for each in catalogue.values())
        same = all(line in shown.split("\n") for line in view.lines)
        loaded = sum(
            json.dumps(model.asked[-1]).count(f'"{each}') > 0
            or f"skills/{each}/SKILL.md" in json.dumps(model.asked[-1])
            for each in WANTED
        )
        first = catalogue.get("emotional-support")
        entrance = "missing" if first is None else "whole" if first in shown else "not whole"
        lines = "as `validate --client` prints them" if same else "OTHER than `validate --client` prints"
        print(
            f"{client}: {whole} of {len(catalogue)} descriptions whole, the entrance {entrance}; lines {lines}; {loaded} further skills loaded"
        )


if __name__ == "__main__":
    main()
