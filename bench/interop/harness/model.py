"""A model on loopback that answers in the forms of four vendors, keeps what it was asked, and loads skills with a tool."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Call = tuple[str, dict[str, Any]]
Event = tuple[str, dict[str, Any]]
USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
SAID = "done"


@dataclass
class Model:
    """Stands in for a model.

    Attributes:
        asked: The bodies that came.
        tool: The tool that it loads skills with, once it is offered; None for a model that calls nothing.
        turns: The calls still to make, an answer each.
        lists: A tool that it calls before, without arguments, where the first request shows no catalogue.
    """

    asked: list[dict[str, Any]] = field(default_factory=list)
    tool: str | None = None
    turns: list[list[Call]] = field(default_factory=list)
    made: int = 0
    lists: str | None = None

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}"

    def will_call(self, calls: Sequence[Call], at_once: int = 100) -> None:
        """Make some calls as soon as the tool is offered, so many in one answer."""
        self.turns += [list(calls[at : at + at_once]) for at in range(0, len(calls), at_once)]

    def telling(self) -> dict[str, Any]:
        """Return the request that tells the catalogue: the first that offers the tool, since agents also ask for titles and the
        like; where a tool lists the skills, the one after it was called.

        Raises:
            LookupError: Nothing was asked, or no request offered the tool.
        """
        offering = [body for body in self.asked if self.tool is None or self.tool in tools_of(body)]
        if len(offering) > bool(self.lists):
            return offering[bool(self.lists)]
        raise LookupError(f"{len(self.asked)} requests, none of which offers the tool {self.tool}")

    def next(self, body: dict[str, Any]) -> list[tuple[str, Call]]:
        """Keep a request and return the calls that answer it, each with an identifier."""
        with self._lock:
            self.asked.append(body)
            if not self.tool or not self.turns or self.tool not in tools_of(body):
                return []
            calls = [(self.lists, {})] if self.lists and not self.made else self.turns.pop(0)
            return [self._numbered(call) for call in calls]

    def _numbered(self, call: Call) -> tuple[str, Call]:
        self.made += 1
        return f"call_{self.made:04}", call


def tools_of(body: dict[str, Any]) -> list[str]:
    """Return the names of the tools that a request offers, in any of the forms."""
    names = []
    for tool in body.get("tools") or []:
        declared = tool.get("functionDeclarations") or tool.get("function_declarations") or [tool.get("function", tool)]
        names += [each["name"] for each in declared if "name" in each]
        # A namespace of tools holds them in turn.
        names += tools_of(tool)
    return names


def parts_of(body: dict[str, Any]) -> dict[str, list[str]]:
    """Return the texts of a request by where they stand: the prompt, a message, or the description of a tool."""
    parts: dict[str, list[str]] = {"prompt": [], "message": [], "tool": []}
    for key, value in body.items():
        for each in value if isinstance(value, list) else [value]:
            parts[_part(key, each)] += texts_in(each)
    return parts


def _part(key: str, value: Any) -> str:
    if key == "tools":
        return "tool"
    role = value.get("role") if isinstance(value, dict) else None
    # The four forms name what a model is told at first in as many ways.
    is_prompt = role in ("system", "developer") or key in ("system", "instructions", "systemInstruction")
    return "prompt" if is_prompt else "message"


def texts_in(value: Any) -> Iterator[str]:
    """Yield all texts in a value; where a text is JSON, those in it."""
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from texts_in(each)
    elif isinstance(value, str):
        inner = _parsed(value)
        if inner is None:
            yield value
        else:
            yield from texts_in(inner)


def _parsed(text: str) -> Any:
    if text[:1] not in ("{", "[", '"'):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


# The four forms: each returns the answer in one piece, and as events


def _chat(body: dict[str, Any], calls: list[tuple[str, Call]]) -> tuple[dict[str, Any], list[Event]]:
    made = [
        {"index": at, "id": key, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for at, (key, (name, arguments)) in enumerate(calls)
    ]
    message = (
        {"role": "assistant", "content": None, "tool_calls": made} if made else {"role": "assistant", "content": SAID}
    )
    head = {"id": "chat", "created": 1, "model": body.get("model", "fake")}
    end = "tool_calls" if made else "stop"
    whole = {
        **head,
        "object": "chat.completion",
        "choices": [{"index": 0, "finish_reason": end, "message": message}],
        "usage": USAGE,
    }
    part = {**head, "object": "chat.completion.chunk"}
    events: list[Event] = [
        ("", {**part, "choices": [{"index": 0, "delta": message, "finish_reason": None}]}),
        ("", {**part, "choices": [{"index": 0, "delta": {}, "finish_reason": end}], "usage": USAGE}),
    ]
    return whole, events


def _responses(body: dict[str, Any], calls: list[tuple[str, Call]]) -> tuple[dict[str, Any], list[Event]]:
    items: list[dict[str, Any]] = [
        {"type": "function_call", "id": f"fc_{key}", "call_id": key, "name": name, "arguments": json.dumps(arguments), "status": "completed"}
        for key, (name, arguments) in calls
    ]  # fmt: skip
    said = {"type": "output_text", "text": SAID, "annotations": []}
    items = items or [{"type": "message", "id": "msg", "role": "assistant", "status": "completed", "content": [said]}]
    usage = {**USAGE, "input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    whole = {
        "id": "resp", "object": "response", "created_at": 1, "model": body.get("model", "fake"), "output": items, "usage": usage,
        "status": "completed", "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
    }  # fmt: skip
    events: list[Event] = [("response.created", {"response": {**whole, "output": [], "status": "in_progress"}})]
    events += [("response.output_item.added", {"output_index": at, "item": item}) for at, item in enumerate(items)]
    events += [("response.output_item.done", {"output_index": at, "item": item}) for at, item in enumerate(items)]
    events.append(("response.completed", {"response": whole}))
    return whole, [(kind, {"type": kind, "sequence_number": at, **said}) for at, (kind, said) in enumerate(events)]


def _messages(body: dict[str, Any], calls: list[tuple[str, Call]]) -> tuple[dict[str, Any], list[Event]]:
    parts: list[dict[str, Any]] = [
        {"type": "tool_use", "id": f"toolu_{key}", "name": name, "input": arguments} for key, (name, arguments) in calls
    ]
    parts = parts or [{"type": "text", "text": SAID}]
    head = {"id": "msg", "type": "message", "role": "assistant", "model": body.get("model", "fake"), "usage": USAGE}
    end = {"stop_reason": "tool_use" if calls else "end_turn", "stop_sequence": None}
    events: list[Event] = [("message_start", {"message": {**head, "content": [], "stop_reason": None}})]
    for at, part in enumerate(parts):
        events += _block(at, part)
    events += [("message_delta", {"delta": end, "usage": USAGE}), ("message_stop", {})]
    return {**head, **end, "content": parts}, [(kind, {"type": kind, **said}) for kind, said in events]


def _block(at: int, part: dict[str, Any]) -> list[Event]:
    empty, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": part.get("text", "")}
    if "input" in part:
        empty = {**part, "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(part["input"])}
    return [
        ("content_block_start", {"index": at, "content_block": empty}),
        ("content_block_delta", {"index": at, "delta": delta}),
        ("content_block_stop", {"index": at}),
    ]


def _generate(_: dict[str, Any], calls: list[tuple[str, Call]]) -> tuple[dict[str, Any], list[Event]]:
    parts: list[dict[str, Any]] = [
        {"functionCall": {"id": key, "name": name, "args": arguments}, "thoughtSignature": "c2lnbmVk"}
        for key, (name, arguments) in calls
    ]
    usage = {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}
    candidate = {"index": 0, "finishReason": "STOP", "content": {"role": "model", "parts": parts or [{"text": SAID}]}}
    whole = {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "fake"}
    return whole, [("", whole)]


FORMS = {
    "/chat/completions": _chat,
    "/responses": _responses,
    "/messages": _messages,
    ":generateContent": _generate,
    ":streamGenerateContent": _generate,
}


def _handler(model: Model) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            self._send(b'{"data": [], "models": [], "object": "list"}', "application/json")

        def do_POST(self) -> None:
            body = json.loads(self._body() or b"{}")
            path = self.path.partition("?")[0]
            form = next((form for end, form in FORMS.items() if path.endswith(end)), None)
            if form is None:  # a count of tokens, a report to a vendor
                return self._send(b'{"input_tokens": 1, "totalTokens": 1}', "application/json")
            whole, events = form(body, model.next(body))
            if not (body.get("stream") or path.endswith(":streamGenerateContent")):
                return self._send(json.dumps(whole).encode(), "application/json")
            lines = [f"event: {kind}\n" * bool(kind) + f"data: {json.dumps(said)}\n\n" for kind, said in events]
            end = "data: [DONE]\n\n" if form is _chat else ""
            return self._send("".join([*lines, end]).encode(), "text/event-stream")

        def _body(self) -> bytes:
            if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def _send(self, answer: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    return Handler
