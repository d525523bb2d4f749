"""A loopback server in a thread, which plays every role, for tests that run `simulate` itself."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from pathlib import Path
from typing import Any

from aiohttp import web

from esc_skills.documents.prompts import PromptRole, load_prompt
from esc_skills.vocabulary import Language
from tests.models.loopback import Loopback, Respond, completion

KEY = "sk-a-key-that-nobody-may-see"

#: By the first line of a prompt, since not every form of a call names the role.
_ROLES = {
    load_prompt(role, language).text.split("\n", 1)[0]: role
    for role in PromptRole
    for language in Language
    if not role.startswith("analyst")
}


async def play(_: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """Answer as a model that keeps to every form."""
    return completion(json.dumps(answer_to(body)))


def role_of(body: dict[str, Any]) -> PromptRole:
    """The role that a call asks for."""
    return _ROLES[text_of(body).split("\n", 1)[0]]


def text_of(body: dict[str, Any]) -> str:
    """The prompt that a call starts with."""
    text: str = body["messages"][0]["content"]
    return text


def answer_to(body: dict[str, Any], *, change: int = 3, farewell: bool = False, judged: str = "no") -> dict[str, Any]:
    """An answer of the form that is asked; with a change of 3, episodes go on to their tenth seeker message."""
    match role_of(body):
        case PromptRole.SUPPORTER_SELECT:
            return {"reason": "they need to be heard", "skill": "reflect-the-feeling"}
        case PromptRole.SEEKER_APPRAISAL:
            return {"meant": "to listen", "met": "partly", "feels": "a little better", "change": change}
        case PromptRole.SEEKER_REPLY:
            return {"reply": "It is heavy.", "farewell": farewell}
        case PromptRole.JUDGE_SAFETY:
            return {"quote": "", "answer": judged}
        case PromptRole.JUDGE_RESPONSES:
            return {"reason": "neither says more", "better": "neither"}
    return {"answer": "That sounds heavy."}


class Server:
    """The server; it runs until it is closed.

    Args:
        respond: Given each call and its parsed body; may be set to another one while the server runs.
        tls: Its certificate, if it speaks TLS.
    """

    def __init__(self, respond: Respond = play, tls: ssl.SSLContext | None = None) -> None:
        self.respond = respond
        self._loopback = Loopback(self._respond, tls)
        self._ready, self._over = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        assert self._ready.wait(30)

    @property
    def url(self) -> str:
        """The base URL."""
        return self._loopback.url

    @property
    def asked(self) -> list[dict[str, Any]]:
        """The body of every call that came."""
        return self._loopback.asked

    def close(self) -> None:
        """Cut every connection and end the thread."""
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    async def _respond(self, call: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return await self.respond(call, body)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with self._loopback:
            self._ready.set()
            await self._over.wait()


def simulation(url: str, out: Path, *more: str, model: str = "tiny", draws: int = 4) -> list[str]:
    """The arguments of a `simulate` whose roles are a model's at an endpoint with the key in TEST_KEY."""
    name = f"local/{model}"
    models = ["--supporter", name, "--seeker", name, "--endpoint", f"local={url},TEST_KEY"]
    return ["simulate", *models, "--draws", str(draws), "--out", str(out), *more]
