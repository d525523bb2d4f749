"""The one importer of openai: sends a call to an endpoint and returns the reply, or says why there is none.

The package's parsing into its own models costs more than the wire, so calls go through its transport layer (`post`, with
the raw response for a result) on aiohttp: authentication, proxies and TLS are the package's, the JSON is read by
`replies`. Waiting and trying again are `chat`'s, which knows the limits and the budget; the package's own are off.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from esc_skills.models.endpoint import Endpoint, secret_forms
from esc_skills.models.replies import PassingError, Reply, parse_retry_after
from esc_skills.models.request import EndpointError

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI

#: No answer of a role comes near this; an endpoint that sends more is not read to its end.
MAX_REPLY_BYTES = 1_000_000
_TOO_LARGE, _SILENT, _CUT = "an answer is too large", "no answer in time", "the connection was cut"
_TIMEOUT, _CONNECT_TIMEOUT = 300.0, 15.0
_OPTIONS: Any = {
    # A compressed reply could unpack to any size; a redirect would take the conversation elsewhere.
    "headers": {"Content-Type": "application/json", "Accept-Encoding": "identity"},
    "follow_redirects": False,
}


class TooLargeError(Exception):
    """A reply is larger than any answer can be."""


class Client:
    """Sends calls to endpoints. Use it within one event loop, and close it there.

    Args:
        endpoints: By name.
        concurrency: The most connections to one endpoint.
        timeout: How long an answer may take, in seconds.

    Raises:
        EndpointError: The variable of a key is missing.
    """

    def __init__(self, endpoints: Mapping[str, Endpoint], *, concurrency: int = 64, timeout: float = _TIMEOUT) -> None:
        self._keys = {name: endpoint.read_key() for name, endpoint in endpoints.items()}
        self._endpoints = endpoints
        self._concurrency = concurrency
        self._timeout = timeout
        self._open: dict[str, AsyncOpenAI] = {}

    async def post(self, name: str, body: bytes) -> Reply:
        """Send the body of a chat completion to an endpoint and return its reply, whatever its status.

        Raises:
            PassingError: There is no reply: no route, no TLS, a time-out, a cut connection, or one that is too large.
        """
        import aiohttp
        import httpx2
        import openai

        endpoint = self._endpoints[name]
        client = self._open.get(name) or self._connect(endpoint)
        try:
            path = "/chat/completions"
            async with asyncio.timeout(self._timeout):  # a reply may also come in drops, none of them late
                response = await client.post(path, cast_to=httpx2.Response, content=body, options=_OPTIONS)
        except openai.APIStatusError as error:
            response = error.response
        except (openai.APIConnectionError, aiohttp.ClientError, httpx2.HTTPError, TooLargeError, OSError) as error:
            # Nothing of the original is kept: it holds the request, and the request holds the key.
            raise _no_reply(error, endpoint) from None
        return self._reply(response, self._keys[name])

    async def close(self) -> None:
        """Close every connection."""
        while self._open:
            _, client = self._open.popitem()
            await client.close()

    def _connect(self, endpoint: Endpoint) -> AsyncOpenAI:
        import httpx2
        import openai

        pool = httpx2.Limits(max_connections=self._concurrency, max_keepalive_connections=self._concurrency)
        timeout = httpx2.Timeout(self._timeout, connect=_CONNECT_TIMEOUT, pool=None)
        http_client = openai.DefaultAioHttpClient(limits=pool, timeout=timeout, event_hooks={"response": [_bound]})
        client = openai.AsyncOpenAI(
            base_url=endpoint.base_url,
            api_key=self._keys[endpoint.name] or "none",
            max_retries=0,
            timeout=timeout,
            http_client=http_client,
        )
        self._open[endpoint.name] = client
        return client

    def _reply(self, response: httpx2.Response, key: str) -> Reply:
        headers = response.headers
        body = response.content
        for secret in secret_forms(key):
            body = body.replace(secret.encode(), b"[key]")
        wait = parse_retry_after(headers.get("retry-after"), time.time())
        return Reply(response.status_code, body, headers.get("content-type", "").lower(), wait)


@cache
def _bounded_stream() -> Any:
    """Return the class of streams that end in an error where they grow too long; its base is imported late."""
    import httpx2

    class Bounded(httpx2.AsyncByteStream):
        def __init__(self, stream: Any) -> None:
            self._stream = stream

        async def __aiter__(self) -> AsyncIterator[bytes]:
            size = 0
            async for chunk in self._stream:
                size += len(chunk)
                if size > MAX_REPLY_BYTES:
                    raise TooLargeError
                yield chunk

        async def aclose(self) -> None:
            await self._stream.aclose()

    return Bounded


async def _bound(response: httpx2.Response) -> None:
    # Called before openai reads the reply, whatever its status.
    if response.headers.get("content-encoding", "identity") != "identity":
        raise TooLargeError
    response.stream = _bounded_stream()(response.stream)


def _no_reply(error: BaseException, endpoint: Endpoint) -> PassingError:
    """Return what a person should know of a failed call, from the causes of the package's error."""
    causes = _causes(error)
    detail, found, hint = _trouble(causes)
    where = f"endpoint {endpoint.name!r} at {endpoint.base_url}"
    systemic = EndpointError(f"{where}: {found}", hint)
    lost = detail in (_TOO_LARGE, _SILENT, _CUT)
    return PassingError(detail, systemic, may_pass=detail in (_SILENT, _CUT), lost=lost, slow=detail == _SILENT)


def _trouble(causes: list[BaseException]) -> tuple[str, str, str]:
    """Return the trouble's name, what was found, and what to change."""
    import aiohttp

    def is_any(*kinds: type[BaseException]) -> bool:
        return any(isinstance(each, kinds) for each in causes)

    if is_any(TooLargeError):
        found = f"an answer has more than {MAX_REPLY_BYTES:,} bytes, or is compressed"
        return _TOO_LARGE, found, "check the base URL, or lower max_tokens"
    if is_any(ssl.SSLError, ssl.CertificateError, aiohttp.ClientConnectorSSLError):
        hint = "check https or http, and the server's certificate (SSL_CERT_FILE names a file of more to trust)"
        return "no TLS connection", f"no TLS connection: {_tls_reason(causes)}", hint
    if is_any(aiohttp.ClientConnectorDNSError):
        return "no such host", "there is no such host", "check the base URL"
    if is_any(aiohttp.ServerTimeoutError, TimeoutError):
        return _SILENT, "no answer in time", "check the base URL, or go on with --resume and a lower --concurrency"
    if is_any(aiohttp.ClientConnectorError):
        return (
            "no connection",
            f"no connection: {_reason(causes)}",
            "check the base URL, and that the server runs; a run goes on with --resume",
        )
    if is_any(aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError, ConnectionError):
        return (
            _CUT,
            "the connection is cut before the answer ends",
            "look at the server's log, and check whether it wants https",
        )
    kind = type(causes[-1]).__name__
    return f"no reply ({kind})", f"no HTTP reply ({kind})", "check that the base URL is that of an HTTP server"


def _causes(error: BaseException | None) -> list[BaseException]:
    causes = []
    while error is not None and error not in causes:
        causes.append(error)
        error = error.__cause__ or error.__context__
    return causes


def _tls_reason(causes: list[BaseException]) -> str:
    for each in causes:
        if found := getattr(each, "verify_message", ""):
            return f"the certificate is not trusted ({found})"
    return "the server does not speak TLS here"


def _reason(causes: list[BaseException]) -> str:
    reasons = [each.strerror for each in causes if isinstance(each, OSError) and each.strerror]
    refused = any(isinstance(each, ConnectionRefusedError) for each in causes)
    return "connection refused" if refused else str(reasons[-1]).lower() if reasons else "refused"
