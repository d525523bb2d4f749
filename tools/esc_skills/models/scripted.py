"""A model that answers from a script: for tests, demonstrations and dry runs, without a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from esc_skills.documents.jsonl import canonical_json
from esc_skills.documents.prompts import check_answer
from esc_skills.models.prices import count_tokens
from esc_skills.models.request import Completion, Message, ModelFault, Request, Usage
from esc_skills.vocabulary import Termination

#: Gives the value of an answer, or the exception that is raised in its place.
Script = Callable[[Request], dict[str, Any] | Exception]


class ScriptedModel:
    """Answers each request with what a function says; equal requests get equal answers if the function is pure.

    Args:
        script: Gives the answer; a value of another form than was asked is a malformed answer, as from any model.
        latency: How long a call takes, in seconds.

    Attributes:
        requests: Every request that was made, in order.
    """

    def __init__(self, script: Script, *, latency: float = 0.0) -> None:
        self._script = script
        self._latency = latency
        self.requests: list[Request] = []

    async def complete(self, request: Request) -> Completion:
        """Return the script's answer; see `Model.complete`."""
        self.requests.append(request)
        await asyncio.sleep(self._latency)
        value = self._script(request)
        if isinstance(value, ModelFault):
            raise value.after(Usage(), request.digest)
        if isinstance(value, Exception):
            raise value
        if wrong := check_answer(request.answer, value, "the script"):
            fault = ModelFault(Termination.FAULT_MALFORMED, wrong[0].message)
            raise fault.after(Usage(), request.digest)
        text = canonical_json(value)
        said = Message("assistant", text)
        usage = Usage(count_tokens(request.messages), count_tokens([said]))
        return Completion(json.loads(text), usage, request.digest, "scripted")
