"""How a structured answer is asked for, from the strictest form down, and how it is read whatever form it came in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from esc_skills.documents.jsonl import canonical_json, parse_json
from esc_skills.documents.prompts import PromptRole, answer_schema, check_answer
from esc_skills.documents.text import read_text
from esc_skills.documents.yaml import parse_yaml
from esc_skills.errors import DocumentError
from esc_skills.models.request import Message, Request

#: Endpoints refuse or ignore these; the answer is checked against them here.
_LOCAL_KEYWORDS = frozenset(("minLength", "maxLength", "pattern"))
_TAGGED = re.compile(r"<answer>(.*?)</answer>", re.DOTALL)
_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL)
_THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_MAX_QUOTED = 4000
#: Parameters that a model may have a fixed value for.
OMITTABLE = ("temperature", "seed")


class Form(StrEnum):
    """How an endpoint is asked for structure, the strictest first."""

    SCHEMA = "json-schema"
    OBJECT_SCHEMA = "json-object-schema"
    OBJECT = "json-object"
    TEXT = "tagged-text"


@dataclass(frozen=True, slots=True)
class Dialect:
    """What an endpoint understands of a model's calls: found out at the first one.

    Attributes:
        form: How structure is asked for.
        limit_key: The name of the limit on the answer; newer models of OpenAI refuse `max_tokens`.
        omitted: Parameters that the model takes no value for, and that are left out; some have a temperature of their own.
    """

    form: Form = Form.SCHEMA
    limit_key: str = "max_tokens"
    omitted: frozenset[str] = frozenset()

    def next(self, refused: str = "") -> Dialect | None:
        """Return the dialect to try after this one was refused; None where nothing is left.

        Args:
            refused: The parameter that was refused, `max_tokens` or one of `OMITTABLE`; empty where it was the form.
        """
        if refused == "max_tokens" and self.limit_key == refused:
            return replace(self, limit_key="max_completion_tokens")
        if refused in OMITTABLE and refused not in self.omitted:
            return replace(self, omitted=self.omitted | {refused})
        lower = list(Form)[list(Form).index(self.form) + 1 :]
        return replace(self, form=lower[0]) if lower else None

    def demoted(self) -> Dialect | None:
        """Return the dialect to ask in where a model answered as it liked; None where nothing is left.

        An endpoint that passes over one way to give it the schema passes over the other too, and tries are few.
        """
        following = {Form.SCHEMA: Form.OBJECT, Form.OBJECT_SCHEMA: Form.OBJECT, Form.OBJECT: Form.TEXT}
        return replace(self, form=following[self.form]) if self.form in following else None


class MalformedAnswerError(Exception):
    """An answer that does not have the form that was asked; the message is for the model that gave it.

    Args:
        problem: What is wrong.
        shapeless: Whether it is no object with the keys that were asked, which a server that holds a model to a form
            does not let through.
    """

    def __init__(self, problem: str, *, shapeless: bool) -> None:
        super().__init__(problem)
        self.shapeless = shapeless


def write_body(request: Request, messages: Sequence[Message], dialect: Dialect) -> bytes:
    """Return the body of a chat completion call: JSON in UTF-8."""
    sent = [each.as_json() for each in messages]
    if note := _instruction(request.answer, dialect.form):
        sent[-1] = {**sent[-1], "content": f"{sent[-1]['content']}\n\n{note}"}
    body: dict[str, Any] = {
        "model": request.model_name,
        "messages": sent,
        "temperature": request.temperature,
        dialect.limit_key: request.max_tokens,
    }
    if request.seed is not None:
        body["seed"] = request.seed
    for parameter in dialect.omitted:
        body.pop(parameter, None)
    if dialect.form is not Form.TEXT:
        body["response_format"] = _response_format(request.answer, dialect.form)
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


@cache
def _response_format(role: PromptRole, form: Form) -> dict[str, Any]:
    schema = sent_schema(role)
    if form is Form.SCHEMA:
        return {"type": "json_schema", "json_schema": {"name": str(role), "strict": True, "schema": schema}}
    return {"type": "json_object", **({"schema": schema} if form is Form.OBJECT_SCHEMA else {})}


@cache
def _instruction(role: PromptRole, form: Form) -> str:
    if form is Form.SCHEMA:
        return ""
    # The word JSON has to stand in a message before OpenAI's JSON mode is taken.
    text = _instructions()["text" if form is Form.TEXT else "json"]
    return text.replace("{schema}", canonical_json(answer_schema(role))).rstrip()


@cache
def _instructions() -> dict[str, str]:
    path = Path(__file__).parent / "data" / "instructions.yaml"
    texts: dict[str, str] = parse_yaml(read_text(path), str(path)).value
    return texts


@cache
def sent_schema(role: PromptRole) -> dict[str, Any]:
    """Return a role's schema as endpoints take it: without bounds and patterns of texts."""
    schema: dict[str, Any] = _without_local(answer_schema(role))
    return schema


def _without_local(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_local(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _without_local(each) for key, each in schema.items() if key not in _LOCAL_KEYWORDS}


def ask_again(request: Request, text: str, problem: str) -> tuple[Message, ...]:
    """Return the messages that follow an answer that cannot be used: the answer, and what was wrong with it."""
    note = _instructions()["again"].replace("{problem}", problem)
    again = Message("user", note.replace("{schema}", canonical_json(answer_schema(request.answer))).rstrip())
    # Some endpoints refuse an assistant message without content.
    return (Message("assistant", text[:_MAX_QUOTED]), again) if text.strip() else (again,)


def read_answer(role: PromptRole, text: str) -> dict[str, Any]:
    """Return the structured answer that a text holds: bare, in a code fence, or between tags.

    Raises:
        MalformedAnswerError: It holds no JSON object, or one of another form; the message says what is wrong.
    """
    value = _read_object(text)
    wrong = [f"{each.pointer or 'the object'}: {each.message}" for each in check_answer(role, value, "the answer")]
    if wrong:
        shapeless = value.keys() != answer_schema(role)["properties"].keys()
        raise MalformedAnswerError("; ".join(wrong[:5]), shapeless=shapeless)
    # With its keys sorted, as a journal or a replay gives it: whoever writes the value out gets the same text from each.
    answer: dict[str, Any] = json.loads(canonical_json(value))
    return answer


def _read_object(text: str) -> Any:
    problem = "it holds no JSON object"
    for candidate in _candidates(text):
        try:
            value = parse_json(candidate, "the answer", strict=False)  # models break lines within texts
        except DocumentError as error:
            problem = f"it is no JSON: {error.detail}"
            continue
        if isinstance(value, dict):
            return value
    raise MalformedAnswerError(problem, shapeless=True)


def _candidates(text: str) -> Iterator[str]:
    spoken = _THOUGHT.sub("", text)  # a reasoning model's draft may hold an object that it thought better of
    yield from reversed(_TAGGED.findall(spoken))
    yield from _FENCED.findall(spoken)
    yield spoken.strip()
