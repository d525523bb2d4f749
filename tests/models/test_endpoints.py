"""Endpoints that cannot work: one clear line that says what to change, and no key in it."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import traceback
from typing import Any

import pytest
import trustme
from aiohttp import web

from esc_skills.errors import EscError, InputError
from esc_skills.models.endpoint import Endpoint, parse_endpoint
from esc_skills.models.request import EndpointError, ModelFault
from tests.models.loopback import Asking, Loopback, answered, completion, refused, request

KEY = "sk-test-0123456789abcdef"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)
    caplog.set_level(logging.DEBUG)


def failure(
    respond: Any, caplog: pytest.LogCaptureFixture, url: str = "", tls: ssl.SSLContext | None = None, **options: Any
) -> EndpointError:
    """Return how the first call to an endpoint fails, after a look for the key in everything that was written."""
    notes: list[Any] = []

    async def run() -> EndpointError:
        async with (
            Loopback(respond, tls) as server,
            Asking(url or server.url, "TEST_KEY", log=notes.append, **options) as model,
        ):
            with pytest.raises(EndpointError) as caught:
                await model.complete(request())
            return caught.value

    error = asyncio.run(run())
    written = "".join(traceback.format_exception(error)) + error.hint + caplog.text + str(notes)
    assert KEY not in written
    assert "\n" not in error.message
    assert error.hint
    return error


def always(reply: Any) -> Any:
    async def respond(*_: Any) -> web.StreamResponse:
        response: web.StreamResponse = reply()
        return response

    return respond


def echo_key(call: web.Request) -> str:
    return call.headers["Authorization"]


def test_a_wrong_key_names_its_variable(caplog: pytest.LogCaptureFixture) -> None:
    async def respond(call: web.Request, _: Any) -> web.StreamResponse:
        return refused(401, f"Incorrect API key provided: {echo_key(call)}", "invalid_api_key")

    error = failure(respond, caplog)
    assert error.message == "endpoint 'local' refuses the key in TEST_KEY (401)"


def test_an_endpoint_that_wants_a_key_says_how_to_name_one() -> None:
    async def run() -> EndpointError:
        async with Loopback(always(lambda: refused(401, "No key."))) as server, Asking(server.url) as model:
            with pytest.raises(EndpointError) as caught:
                await model.complete(request())
            return caught.value

    error = asyncio.run(run())
    assert "asks for a key (401)" in error.message
    assert "KEY_VARIABLE" in error.hint


def test_a_wrong_model_is_named(caplog: pytest.LogCaptureFixture) -> None:
    error = failure(always(lambda: refused(404, "The model does not exist", "model_not_found")), caplog)
    assert "knows no model 'tiny'" in error.message


def test_a_refused_call_repeats_what_the_endpoint_said_without_the_key(caplog: pytest.LogCaptureFixture) -> None:
    async def respond(call: web.Request, _: Any) -> web.StreamResponse:
        return refused(400, f"temperature is out of range\nfor {echo_key(call)}")

    error = failure(respond, caplog)
    assert "refuses the call (400): temperature is out of range for Bearer [key]" in error.message


def test_a_used_up_quota_is_no_reason_to_wait(caplog: pytest.LogCaptureFixture) -> None:
    error = failure(always(lambda: refused(429, "You exceeded your current quota", "insufficient_quota")), caplog)
    assert "quota" in error.message


def test_a_wait_of_hours_is_not_waited(caplog: pytest.LogCaptureFixture) -> None:
    error = failure(always(lambda: refused(429, "Slow", **{"Retry-After": "7200"})), caplog)
    assert "7200 seconds" in error.message


def test_a_redirect_is_not_followed(caplog: pytest.LogCaptureFixture) -> None:
    error = failure(
        always(lambda: web.Response(status=301, headers={"Location": "http://127.0.0.1:9/elsewhere"})), caplog
    )
    assert "(301)" in error.message


@pytest.mark.parametrize("status", [200, 404, 400])
def test_a_web_page_is_no_endpoint(status: int, caplog: pytest.LogCaptureFixture) -> None:
    page = "<html><body>Welcome " + KEY + "</body></html>"
    error = failure(always(lambda: web.Response(text=page, content_type="text/html", status=status)), caplog)
    assert "base URL" in error.hint or "what it names" in error.hint
    assert "Welcome" not in error.message


def test_a_200_web_page_is_called_by_its_name(caplog: pytest.LogCaptureFixture) -> None:
    error = failure(always(lambda: web.Response(text="<!doctype html>", content_type="text/html")), caplog)
    assert "HTML" in error.message
    assert "/v1" in error.hint


@pytest.mark.parametrize("status", [200, 500])
def test_an_answer_of_five_megabytes_is_not_read(status: int, caplog: pytest.LogCaptureFixture) -> None:
    sent = 0

    async def respond(call: web.Request, _: Any) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse(status=status)
        await response.prepare(call)
        try:
            for _ in range(500):
                await response.write(b" " * 100_000)
                sent += 100_000
        except ConnectionError:
            pass
        return response

    error = failure(respond, caplog)
    assert "more than 1,000,000 bytes" in error.message
    assert sent < 50_000_000


def test_a_packed_answer_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    def packed() -> web.Response:
        response = answered()
        response.enable_compression(web.ContentCoding.gzip)
        response.headers["Content-Encoding"] = "gzip"
        return response

    assert "compressed" in failure(always(packed), caplog).message


def test_no_route_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    error = failure(always(answered), caplog, f"http://127.0.0.1:{port}/v1")
    assert "no connection" in error.message
    assert "that the server runs" in error.hint


def test_a_silent_server_says_so(caplog: pytest.LogCaptureFixture) -> None:
    async def respond(*_: Any) -> web.StreamResponse:
        await asyncio.sleep(30)
        return answered()

    assert "no answer in time" in failure(respond, caplog, timeout=0.1).message


def test_an_answer_in_drops_is_no_answer_in_time(caplog: pytest.LogCaptureFixture) -> None:
    async def respond(call: web.Request, _: Any) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(call)
        try:
            while True:
                await response.write(b" ")
                await asyncio.sleep(0.02)
        except ConnectionError:
            return response

    assert "no answer in time" in failure(respond, caplog, timeout=0.1).message


def test_a_connection_that_is_always_cut_says_so(caplog: pytest.LogCaptureFixture) -> None:
    async def respond(call: web.Request, _: Any) -> web.StreamResponse:
        assert call.transport is not None
        call.transport.close()
        return answered()

    assert "the connection is cut" in failure(respond, caplog).message


def test_an_untrusted_certificate_says_so(caplog: pytest.LogCaptureFixture) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    assert "certificate is not trusted" in failure(always(answered), caplog, tls=context).message


def test_https_at_a_server_without_it_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as plain:
        plain.listen()

        async def run() -> EndpointError:
            async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                writer.close()

            server = await asyncio.start_server(greet, sock=plain.dup())
            async with server, Asking(f"https://127.0.0.1:{plain.getsockname()[1]}/v1", "TEST_KEY") as model:
                with pytest.raises(EndpointError) as caught:
                    await model.complete(request())
                return caught.value

        assert "no TLS" in asyncio.run(run()).message


def test_what_is_no_http_says_so(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> EndpointError:
        async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"SSH-2.0-OpenSSH_9\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(babble, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, Asking(f"http://127.0.0.1:{port}/v1", "TEST_KEY") as model:
            with pytest.raises(EndpointError) as caught:
                await model.complete(request())
            return caught.value

    assert "no HTTP reply" in asyncio.run(run()).message


def test_a_key_in_an_answer_is_taken_out() -> None:
    async def run() -> object:
        async def respond(call: web.Request, _: Any) -> web.StreamResponse:
            return completion(f'{{"answer": "Your header is {echo_key(call)}"}}')

        async with Loopback(respond) as server, Asking(server.url, "TEST_KEY") as model:
            return (await model.complete(request())).value

    assert asyncio.run(run()) == {"answer": "Your header is Bearer [key]"}


def test_a_key_that_is_not_set_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_KEY")
    with pytest.raises(EndpointError, match="TEST_KEY is not set"):
        Asking("http://127.0.0.1:1/v1", "TEST_KEY")


def test_an_endpoint_that_nobody_named_is_an_input_error() -> None:
    async def run() -> None:
        async with Asking("http://127.0.0.1:1/v1") as model:
            with pytest.raises(InputError, match="no endpoint is named 'other'"):
                await model.complete(request(model="other/tiny"))

    asyncio.run(run())


def test_an_option_names_an_endpoint() -> None:
    assert parse_endpoint("openai=https://api.openai.com/v1/,OPENAI_API_KEY") == Endpoint(
        "openai", "https://api.openai.com/v1", "OPENAI_API_KEY"
    )
    assert parse_endpoint("local=http://localhost:8000/v1").is_loopback


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://api.openai.com/v1",
        "a b=https://x/v1",
        "openai=api.openai.com/v1,KEY",
        f"openai=https://api.openai.com/v1,{KEY}",
        f"openai=https://user:{KEY}@api.openai.com/v1",
        f"openai=https://api.openai.com/v1?key={KEY}",
        "openai=https://api.openai.com:99999/v1",
    ],
)
def test_a_malformed_endpoint_is_refused_without_repeating_a_secret(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_endpoint(text)
    assert KEY not in caught.value.message + caught.value.hint
    assert "NAME=BASE_URL,KEY_VARIABLE" in caught.value.hint


def test_faults_and_errors_are_different_kinds() -> None:
    assert not issubclass(ModelFault, EscError)
    assert issubclass(EndpointError, EscError)
