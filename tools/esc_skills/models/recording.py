"""The record of an answered call: a line of the journal and of `calls.jsonl.gz`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from esc_skills.documents.prompts import PromptRole, check_answer
from esc_skills.errors import InputError
from esc_skills.models.request import Completion, ModelFault, Request, Usage
from esc_skills.models.structured import Form
from esc_skills.vocabulary import Termination

#: How an answer can have been asked for; `scripted` is that of the scripted model.
_FORMS = frozenset((*Form, "scripted"))
_ANSWER_KEYS = frozenset(("digest", "model", "role", "usage", "form", "value"))
_FAULT_KEYS = frozenset(("digest", "model", "role", "usage", "fault", "detail"))


@dataclass(frozen=True, slots=True)
class Call:
    """An answered call: which it was, and its answer or its fault."""

    digest: str
    model: str
    role: PromptRole
    outcome: Completion | ModelFault

    @property
    def usage(self) -> Usage:
        """What the call took."""
        return self.outcome.usage

    def as_json(self) -> dict[str, Any]:
        """Return the call as a line."""
        head = {"digest": self.digest, "model": self.model, "role": str(self.role), "usage": self.usage.as_json()}
        if isinstance(self.outcome, Completion):
            return {**head, "form": self.outcome.form, "value": self.outcome.value}
        return {**head, "fault": str(self.outcome.termination), "detail": self.outcome.detail}

    def answer(self) -> Completion:
        """Return the answer.

        Raises:
            ModelFault: The call ended in a fault.
        """
        if isinstance(self.outcome, Completion):
            return self.outcome
        # A fault of its own for every asker: exceptions gather the traces of whoever raises them.
        raise self.outcome.after(Usage(usd=0.0), self.digest)


def call_of(request: Request, outcome: Completion | ModelFault) -> Call:
    """Return the record of a request's outcome."""
    return Call(request.digest, request.model, request.answer, outcome)


def read_call(value: Any, shown: str) -> Call:
    """Return the call that a parsed line holds.

    Raises:
        InputError: It holds none, or an answer of another form than its role's.
    """
    keys = frozenset(value) if isinstance(value, dict) else frozenset()
    if keys not in (_ANSWER_KEYS, _FAULT_KEYS):
        raise InputError(f"{shown}: holds no recorded call", "use the file that the run exported")
    try:
        return _read(value, shown)
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{shown}: holds no recorded call: {error}", "use the file that the run exported") from error


def _read(value: dict[str, Any], shown: str) -> Call:
    digest, role, usage = str(value["digest"]), PromptRole(value["role"]), _usage(value["usage"])
    if "fault" in value:
        fault = ModelFault(Termination(value["fault"]), str(value["detail"]), usage)
        if not fault.termination.is_fault:
            raise ValueError(f"{fault.termination} is no fault")
        return Call(digest, str(value["model"]), role, fault)
    if value["form"] not in _FORMS:
        raise ValueError("its form is none that is asked for")
    if wrong := check_answer(role, value["value"], shown):
        raise ValueError(f"{wrong[0].pointer or 'the answer'}: {wrong[0].message}")
    return Call(digest, str(value["model"]), role, Completion(value["value"], usage, digest, str(value["form"])))


def _usage(value: dict[str, Any]) -> Usage:
    prompt, completion, usd = value["prompt_tokens"], value["completion_tokens"], value["usd"]
    counts = all(type(each) is int and each >= 0 for each in (prompt, completion))
    if not counts or not (usd is None or (type(usd) in (int, float) and usd >= 0)):
        raise ValueError("its usage holds no counts")
    return Usage(prompt, completion, None if usd is None else float(usd))
