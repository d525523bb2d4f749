"""A call of a language model as a value: what is asked, what is answered, and the two ways in which it can fail.

Everything that an answer follows from is in the request, so its digest is the address of the answer: in the journal, in
the export and in a replay. Equal calls of two arms are one call.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache
from typing import Any, Protocol

from esc_skills.documents.jsonl import canonical_json, digest_json
from esc_skills.documents.prompts import PromptRole, answer_schema
from esc_skills.errors import EscError
from esc_skills.vocabulary import Termination


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat: `role` is system, user or assistant, as the endpoints call them."""

    role: str
    content: str

    def as_json(self) -> dict[str, str]:
        """Return the message as an endpoint takes it."""
        return {"role": self.role, "content": self.content}


@dataclass(frozen=True)
class Request:
    """One call.

    Attributes:
        model: `endpoint/model`; the model's own name may hold slashes.
        messages: The chat so far, the last message being the one to answer.
        answer: The role whose form of answer is asked; see `documents.prompts.answer_schema`.
        temperature: As the endpoint takes it, 0 to 2.
        max_tokens: The most tokens that the answer may have.
        seed: The seed that is sent to the endpoint, if any.
        draw_seed: The seed of the draw that the call belongs to, so that equal words of two draws are two calls.
    """

    model: str
    messages: tuple[Message, ...]
    answer: PromptRole
    temperature: float
    max_tokens: int
    seed: int | None
    draw_seed: str

    @property
    def endpoint(self) -> str:
        """The name of the endpoint: `model` up to its first slash."""
        return self.model.partition("/")[0]

    @property
    def model_name(self) -> str:
        """The name that the endpoint knows the model by: `model` after its first slash."""
        return self.model.partition("/")[2]

    @cached_property
    def digest(self) -> str:
        """`sha256:<hex>` of everything that the answer follows from: each field, and the form that is asked."""
        state = _started(self.model, self.answer, self.temperature, self.max_tokens, self.seed).copy()
        for name, text in (("draw", self.draw_seed), *((each.role, each.content) for each in self.messages)):
            data = text.encode()
            state.update(f"{name} {len(data)}\n".encode())  # with its length, so that no text can pose as two
            state.update(data)
        return f"sha256:{state.hexdigest()}"


@lru_cache(maxsize=256)
def _started(model: str, answer: PromptRole, temperature: float, max_tokens: int, seed: int | None) -> Any:
    """Return the hash of all that the calls of a role have in common; a run has thousands of them."""
    common = {
        "model": model,
        "answer": str(answer),
        "schema": _schema_digest(answer),
        "temperature": temperature,
        "max_tokens": max_tokens,
        "seed": seed,
    }
    return hashlib.sha256(canonical_json(common).encode() + b"\n")


@cache
def _schema_digest(role: PromptRole) -> str:
    return digest_json(answer_schema(role))


@dataclass(frozen=True, slots=True)
class RoleModel:
    """Which model plays a role, and how it is asked."""

    model: str
    temperature: float
    max_tokens: int
    seed: int | None = None

    def request(self, messages: Sequence[Message], answer: PromptRole, draw_seed: str) -> Request:
        """Return the call that asks this model to answer in a role."""
        return Request(self.model, tuple(messages), answer, self.temperature, self.max_tokens, self.seed, draw_seed)

    def as_json(self) -> dict[str, Any]:
        """Return the parameters for the record and for the settings of a run."""
        return {
            "model": self.model,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "seed": self.seed,
        }


@dataclass(frozen=True, slots=True)
class Usage:
    """What calls took: tokens and US dollars; `usd` is None where the price of a model is not known."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float | None = 0.0

    def __add__(self, other: Usage) -> Usage:
        known = self.usd is not None and other.usd is not None
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            (self.usd or 0.0) + (other.usd or 0.0) if known else None,
        )

    @property
    def tokens(self) -> int:
        """Prompt and completion tokens together."""
        return self.prompt_tokens + self.completion_tokens

    def as_json(self) -> dict[str, Any]:
        """Return the usage for the journal and the transcript; dollars to a millionth of a cent."""
        usd = None if self.usd is None else round(self.usd, 8)
        return {"prompt_tokens": self.prompt_tokens, "completion_tokens": self.completion_tokens, "usd": usd}


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer that has the form that was asked.

    Attributes:
        value: The parsed answer; it has passed `documents.prompts.check_answer`.
        usage: What it took, answers that had to be asked again included.
        digest: The digest of the request.
        form: How the structure was asked for: one of `forms.Form`.
    """

    value: dict[str, Any]
    usage: Usage
    digest: str
    form: str = ""


class Model(Protocol):
    """Answers calls. The client, the journal, a replay and a scripted model are each one, and can be stacked."""

    async def complete(self, request: Request) -> Completion:
        """Return the answer to a request.

        Raises:
            ModelFault: The model failed at this call; the episode ends with it.
            EscError: No call can succeed before a person changes something.
        """


class ModelFault(Exception):  # noqa: N818 - an outcome of an episode with its own termination reason, not an error
    """The model failed at one call: the episode ends, is counted and shown, and is never scored.

    Args:
        termination: Which fault it is.
        detail: What was found, without keys.
        usage: What the failed call took.
    """

    def __init__(self, termination: Termination, detail: str, usage: Usage = Usage()) -> None:
        super().__init__(f"{termination}: {detail}")
        self.termination = termination
        self.detail = detail
        self.usage = usage
        self.digest = ""

    def after(self, earlier: Usage, digest: str) -> ModelFault:
        """Return the fault as that of a request, with what earlier answers to it took."""
        fault = ModelFault(self.termination, self.detail, earlier + self.usage)
        fault.digest = digest
        return fault


class EndpointError(EscError):
    """No call to an endpoint can succeed as things are: a wrong key, model name or address, TLS, or no JSON."""


def priced(usage: Usage, usd: float | None) -> Usage:
    """Return a usage with its price."""
    return replace(usage, usd=usd)
