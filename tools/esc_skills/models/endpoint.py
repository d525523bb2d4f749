"""Endpoints by name: where a server is, and which environment variable holds the key for it."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from esc_skills.errors import InputError
from esc_skills.models.request import EndpointError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LEAST_SECRET = 8
_FORM = "give NAME=BASE_URL,KEY_VARIABLE, such as openai=https://api.openai.com/v1,OPENAI_API_KEY"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible server.

    Attributes:
        name: The word before the slash in `endpoint/model`.
        base_url: Its address up to and with the version, such as `http://127.0.0.1:8000/v1`.
        key_variable: The environment variable that holds the key; empty for a server that asks for none.
    """

    name: str
    base_url: str
    key_variable: str = ""

    @property
    def host(self) -> str:
        """The host name, in lower case."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def is_loopback(self) -> bool:
        """Whether the server is this machine."""
        try:
            return self.host == "localhost" or ip_address(self.host).is_loopback
        except ValueError:
            return False

    def read_key(self) -> str:
        """Return the key, or an empty text where none is asked for.

        Raises:
            EndpointError: The variable is missing or empty, or holds what no header can carry.
        """
        if not self.key_variable:
            return ""
        key = os.environ.get(self.key_variable, "").strip()
        if not key:
            found = f"endpoint {self.name!r}: the environment variable {self.key_variable} is not set"
            raise EndpointError(found, f"set it: export {self.key_variable}=…")
        if not key.isascii() or not key.isprintable():
            found = f"endpoint {self.name!r}: {self.key_variable} holds characters that no key has"
            raise EndpointError(found, "set it to the key alone, in one line")
        return key


def secret_forms(*keys: str) -> list[str]:
    """Return the texts that have to be taken out so that no key is shown: as it is, and as JSON writes it.

    A key of a few letters is nobody's secret, and to take it out would change what a model said: local servers are often
    given `test` or `none`.
    """
    forms = {form for key in keys if len(key) >= _LEAST_SECRET for form in (key, json.dumps(key)[1:-1])}
    return sorted(forms, key=len, reverse=True)  # a key may begin as another does


def parse_endpoint(text: str) -> Endpoint:
    """Return the endpoint that `NAME=BASE_URL,KEY_VARIABLE` describes; the comma and the variable may be left out.

    Raises:
        InputError: It has another form; the text is not repeated where it might hold a key.
    """
    name, equals, rest = text.partition("=")
    base_url, _, variable = rest.partition(",")
    if not equals or not _NAME.fullmatch(name):
        raise InputError("--endpoint: no name before '='", _FORM)
    if variable and not _VARIABLE.fullmatch(variable):
        raise InputError(f"--endpoint {name}: after the comma stands no name of an environment variable", _FORM)
    _require_address(name, base_url)
    return Endpoint(name, base_url.rstrip("/"), variable)


def _require_address(name: str, base_url: str) -> None:
    try:
        parts = urlsplit(base_url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound:
        raise InputError(f"--endpoint {name}: {base_url[:80]!r} is no http or https address", _FORM)
    if parts.username or parts.password or parts.query or parts.fragment:
        # Such an address goes into settings and messages, and what stands there would be a secret.
        raise InputError(f"--endpoint {name}: the address holds more than scheme, host, port and path", _FORM)
