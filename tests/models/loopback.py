"""An OpenAI-compatible server on this machine whose every reply a test decides."""

from __future__ import annotations

import json
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from aiohttp import web

from esc_skills.documents.prompts import PromptRole
from esc_skills.models.budget import Budget
from esc_skills.models.chat import ChatModel
from esc_skills.models.client import Client
from esc_skills.models.endpoint import Endpoint
from esc_skills.models.limits import Backoff, Limits
from esc_skills.models.prices import load_prices
from esc_skills.models.request import Message, Request

ANSWER = {"answer": "I hear you."}
Respond = Callable[[web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]


def completion(text: str | None, reason: str = "stop", **message: Any) -> web.Response:
    choice = {"index": 0, "finish_reason": reason, "message": {"role": "assistant", "content": text, **message}}
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    return web.json_response({"id": "1", "object": "chat.completion", "choices": [choice], "usage": usage})


def answered(value: Mapping[str, Any] = ANSWER) -> web.Response:
    return completion(json.dumps(value))


def refused(status: int, message: str, code: str | None = None, **headers: str) -> web.Response:
    return web.json_response({"error": {"message": message, "code": code}}, status=status, headers=headers)


def request(text: str = "I lost my job.", **changes: Any) -> Request:
    fields: dict[str, Any] = {
        "model": "local/tiny",
        "messages": (Message("system", "Support."), Message("user", text)),
        "answer": PromptRole.SUPPORTER_ANSWER,
        "temperature": 0.0,
        "max_tokens": 200,
        "seed": 7,
        "draw_seed": "draw-1",
    }
    return Request(**{**fields, **changes})


@dataclass
class Loopback:
    """A server that keeps what it was asked; `respond` is given each call and its parsed body."""

    respond: Respond
    tls: ssl.SSLContext | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/v1"

    async def _take(self, call: web.Request) -> web.StreamResponse:
        body = await call.json()
        self.asked.append(body)
        self.headers.append(dict(call.headers))
        return await self.respond(call, body)

    async def __aenter__(self) -> Loopback:
        application = web.Application()
        application.router.add_post("/v1/chat/completions", self._take)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self.tls).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()


async def no_wait(_: float) -> None:
    """Wait not at all, where a test is not about waiting."""


class Asking:
    """A chat model at an address, which closes its connections at the end."""

    def __init__(
        self, url: str, key_variable: str = "", *, limits: Limits | None = None, timeout: float = 5, **options: Any
    ) -> None:
        endpoints = {"local": Endpoint("local", url, key_variable)}
        self.client = Client(endpoints, timeout=timeout)
        self.limits = limits or Limits(8)
        options = {"budget": Budget(), "prices": load_prices(), "sleep": no_wait, "backoff": Backoff(), **options}
        self.model = ChatModel(endpoints, self.client, limits={"local": self.limits}, **options)

    async def __aenter__(self) -> ChatModel:
        return self.model

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.client.close()
