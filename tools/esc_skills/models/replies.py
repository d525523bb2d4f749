"""What an endpoint's reply means: an answer, a fault of the model, a wait, a passing trouble, or an error to report."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from esc_skills.models.endpoint import Endpoint
from esc_skills.models.request import EndpointError, ModelFault, Usage
from esc_skills.vocabulary import Termination

_CONTEXT = re.compile(
    r"context_length|context length|context window|context size|maximum context|exceeds? the (available )?context"
    r"|prompt is too long|too many (input )?tokens|longer than the maximum model length|n_ctx",
    re.IGNORECASE,
)
_FILTERED = re.compile(r"content_filter|content_policy|content management policy", re.IGNORECASE)
#: What an endpoint says that wants a parameter named otherwise, or left out.
_PARAMETERS = {
    "max_tokens": re.compile(r"max_completion_tokens", re.IGNORECASE),
    "temperature": re.compile(r"\btemperature\b", re.IGNORECASE),
    "seed": re.compile(r"\bseed\b", re.IGNORECASE),
}
_QUOTA = re.compile(r"insufficient_quota|exceeded your current quota|billing", re.IGNORECASE)
_MAX_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP reply, read whole and with the key taken out: status, `Retry-After` in seconds, content type and body."""

    status: int
    body: bytes
    content_type: str = ""
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What a model said, as text, with the tokens that the endpoint counted; None where it counted none."""

    text: str
    usage: Usage | None


class FormRefusedError(Exception):
    """The endpoint does not take the call as it is put; another way to ask for structure may do.

    Args:
        detail: What the endpoint said.
        systemic: What to report where no way does.
        parameter: The parameter that it did not take; empty where it was the form.
    """

    def __init__(self, detail: str, systemic: EndpointError, *, parameter: str = "") -> None:
        super().__init__(detail)
        self.systemic = systemic
        self.parameter = parameter


class ThrottledError(Exception):
    """The endpoint asks for fewer calls (429): `retry_after` seconds of waiting, where it says so."""

    def __init__(self, retry_after: float | None) -> None:
        super().__init__("429: too many requests")
        self.retry_after = retry_after


class PassingError(Exception):
    """A trouble that may be gone at the next try: 5xx, a time-out, a cut connection.

    Args:
        detail: What happened.
        systemic: What to report where the endpoint has not answered a single call yet.
        may_pass: Whether even an endpoint that never answered is worth another try.
        by_form: Whether the form of the call may be what upset the endpoint: some answer 500 to a JSON Schema.
        lost: Whether there may have been an answer, and a charge for it.
        slow: Whether the answer did not come in time.
    """

    def __init__(
        self,
        detail: str,
        systemic: EndpointError,
        *,
        may_pass: bool = True,
        by_form: bool = False,
        lost: bool = False,
        slow: bool = False,
    ) -> None:
        super().__init__(detail)
        self.slow = slow
        self.systemic = systemic
        self.may_pass = may_pass
        self.by_form = by_form
        self.lost = lost


def parse_retry_after(value: str | None, now: float) -> float | None:
    """Return the seconds of a `Retry-After` header, which holds seconds or a date; None where it holds neither."""
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return None


def read_reply(reply: Reply, endpoint: Endpoint, model: str) -> Said:
    """Return what a model said.

    Raises:
        ModelFault: It said nothing, refused, was cut off, or the prompt was too long.
        FormRefusedError: The endpoint wants another form.
        ThrottledError: It wants fewer calls.
        PassingError: It failed in a way that may pass.
        EndpointError: It will not take any such call.
    """
    if reply.status != 200:
        raise _refusal(reply, endpoint, model)
    body = _json_object(reply.body)
    choices = body.get("choices") if body else None
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise _no_completion(reply, endpoint)
    usage = _usage(body)
    return Said(_text_of(choices[0], usage or Usage(usd=None)), usage)


def _text_of(choice: dict[str, Any], usage: Usage) -> str:
    message = choice.get("message")
    message = message if isinstance(message, dict) else {}
    text = message.get("content")
    reason = choice.get("finish_reason")
    if reason == "content_filter" or message.get("refusal"):
        raise ModelFault(Termination.FAULT_REFUSED, shorten(str(message.get("refusal") or "content filter")), usage)
    if reason == "length":
        raise ModelFault(Termination.FAULT_CUT_OFF, "the answer reached the limit of tokens", usage)
    return text if isinstance(text, str) else ""


def _usage(body: dict[str, Any] | None) -> Usage | None:
    counted = body.get("usage") if body else None
    if not isinstance(counted, dict):
        return None
    prompt, completion = counted.get("prompt_tokens"), counted.get("completion_tokens")
    if type(prompt) is not int or type(completion) is not int or min(prompt, completion) < 0:
        return None
    return Usage(prompt, completion, usd=None)


def _refusal(reply: Reply, endpoint: Endpoint, model: str) -> Exception:
    said = _message(reply)
    match reply.status:
        case 401 | 403:
            return _key_refused(reply.status, endpoint)
        case 404:
            found = f"endpoint {endpoint.name!r} knows no model {model!r}, or no such path (404)"
            return EndpointError(
                found, f"check the model's name and the base URL {endpoint.base_url}; it usually ends in /v1"
            )
        case 429 if not _QUOTA.search(said):
            return ThrottledError(reply.retry_after)
        case 429:
            return EndpointError(f"endpoint {endpoint.name!r}: the quota of this key is used up (429)", "add credit")
        case 408 | 409 | 425 | 500 | 501 | 502 | 503 | 504 | 520 | 522 | 524 | 529:
            return _passing(reply.status, said, endpoint)
    return _bad_request(reply.status, said, endpoint)


def _key_refused(status: int, endpoint: Endpoint) -> EndpointError:
    # What the endpoint says here may repeat the key, whole or in part.
    if endpoint.key_variable:
        found = f"endpoint {endpoint.name!r} refuses the key in {endpoint.key_variable} ({status})"
        return EndpointError(found, f"set {endpoint.key_variable} to a key that is valid at {endpoint.host}")
    found = f"endpoint {endpoint.name!r} asks for a key ({status})"
    return EndpointError(found, "name its variable: --endpoint NAME=BASE_URL,KEY_VARIABLE")


def _passing(status: int, said: str, endpoint: Endpoint) -> PassingError:
    found = f"endpoint {endpoint.name!r} answers every call with {status}{f': {said}' if said else ''}"
    systemic = EndpointError(found, f"look at the log of the server at {endpoint.host}, or try later with --resume")
    return PassingError(f"{status}{f': {said}' if said else ''}", systemic, by_form=status in (500, 501))


def _bad_request(status: int, said: str, endpoint: Endpoint) -> Exception:
    if 300 <= status < 400:
        found = f"endpoint {endpoint.name!r} sends the call elsewhere ({status})"
        return EndpointError(found, f"give the address that {endpoint.base_url} redirects to as the base URL")
    found = f"endpoint {endpoint.name!r} refuses the call ({status}){f': {said}' if said else ''}"
    if status == 402:
        return EndpointError(found, "add credit")
    if status not in (400, 413, 422):
        return EndpointError(found, f"check that {endpoint.base_url} is the base URL")
    if refused := next((name for name, words in _PARAMETERS.items() if words.search(said)), ""):
        return FormRefusedError(said, EndpointError(found, "try another model"), parameter=refused)
    if _CONTEXT.search(said) or status == 413:
        return ModelFault(Termination.FAULT_CONTEXT, said or "the prompt is too long")
    if _FILTERED.search(said):
        return ModelFault(Termination.FAULT_REFUSED, said)
    return FormRefusedError(said or str(status), EndpointError(found, "change what it names, or try another model"))


def _no_completion(reply: Reply, endpoint: Endpoint) -> PassingError:
    is_html = "html" in reply.content_type or reply.body.lstrip()[:1] == b"<"
    said = "" if is_html else _message(reply)
    kind = "a web page (HTML) instead of JSON" if is_html else f"no chat completion{f': {said}' if said else ''}"
    found = f"endpoint {endpoint.name!r} answers with {kind}"
    hint = f"check the base URL {endpoint.base_url}; it usually ends in /v1"
    return PassingError(f"answered with {kind}", EndpointError(found, hint), may_pass=False, lost=not is_html)


def _message(reply: Reply) -> str:
    """Return what an error body says, as one short line: OpenAI's form, FastAPI's, or the text itself."""
    body = _json_object(reply.body)
    if body is None:
        is_text = reply.content_type.startswith("text/plain")
        return shorten(reply.body.decode("utf-8", "replace")) if is_text else ""
    found: Any = body.get("error", body.get("detail", body.get("message", "")))
    if isinstance(found, dict):
        code, message = found.get("code"), found.get("message", "")
        return shorten(f"{message} ({code})" if isinstance(code, str) and code else str(message))
    return shorten(found if isinstance(found, str) else json.dumps(found))


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def shorten(text: str) -> str:
    """Return a text as one line of at most 200 characters, without control characters."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text[:2000]).split())
    return line if len(line) <= _MAX_SHOWN else line[: _MAX_SHOWN - 1] + "…"
