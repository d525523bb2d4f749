"""`simulate` at endpoints that cannot work: one line and a hint, no key anywhere, and nothing that blocks a later run."""

from __future__ import annotations

import gzip
import json
import logging
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web

from esc_skills.cli.main import run
from esc_skills.models.limits import Backoff
from esc_skills.transcript import read_transcripts
from esc_skills.vocabulary import Termination
from tests.cli.serving import KEY, Server, answer_to, play, simulation
from tests.models.loopback import Respond, completion, refused

Start = Callable[..., Server]
Capture = pytest.CaptureFixture[str]
#: How long a person waits for the message, in seconds; the waits between tries are not in it.
PATIENCE = 10


@pytest.fixture
def start() -> Iterator[Start]:
    """Start servers that are closed after the test."""
    servers: list[Server] = []

    def make(respond: Respond = play, tls: ssl.SSLContext | None = None) -> Server:
        servers.append(Server(respond, tls))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


@pytest.fixture(autouse=True)
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Path:
    """A folder to stand in, a key, a place for traceback logs; tries follow each other at once."""
    (tmp_path / "here").mkdir()
    (tmp_path / "logs").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("TEST_KEY", KEY)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "logs"))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr(Backoff, "wait", lambda self, attempt: 0.01)
    caplog.set_level(logging.DEBUG)
    return tmp_path / "here" / "run.jsonl"


class Failing:
    """Runs `simulate` where it has to fail, and looks at everything that it says and leaves."""

    def __init__(self, out: Path, capsys: Capture, caplog: pytest.LogCaptureFixture) -> None:
        self.out, self.capsys, self.caplog = out, capsys, caplog

    def __call__(self, url: str, *more: str, **options: Any) -> tuple[str, str]:
        """Return the message and the hint."""
        began = time.monotonic()
        assert run(simulation(url, self.out, "--log", "calls.log", *more, draws=1, **options)) == 2
        assert time.monotonic() - began < PATIENCE
        self.require_no_key(shown := self.capsys.readouterr())
        assert shown.out == ""
        lines = [line for line in shown.err.splitlines() if not line.startswith("estimate")]
        assert len(lines) == 2, lines
        assert lines[0].startswith("esc-skills: error: ")
        assert lines[1].startswith("  → ")
        assert not list((self.out.parent.parent / "logs").iterdir())
        return lines[0].removeprefix("esc-skills: error: "), lines[1].removeprefix("  → ")

    def require_no_key(self, shown: Any, key: str = KEY) -> None:
        """Look for the key on the screen, in what libraries logged, and in every file."""
        written = shown.out + shown.err + self.caplog.text
        for path in self.out.parent.parent.rglob("*"):
            if path.is_file():
                data = path.read_bytes()
                written += (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
        assert written
        assert key not in written

    def then_mended(self, url: str, **options: Any) -> None:
        """Run again at a place that works, with `--resume` where something is kept, and end."""
        kept = self.out.with_name("run.jsonl.partial").exists()
        code = run(simulation(url, self.out, *(["--resume"] if kept else []), draws=1, **options))
        shown = self.capsys.readouterr()
        assert (code, "error" in shown.err) == (0, False), shown.err
        assert not any(each.termination.is_fault for each in read_transcripts(self.out))
        assert {path.name for path in self.out.parent.iterdir()} == {
            "run.jsonl",
            "run.jsonl.calls.jsonl.gz",
            "calls.log",
        }
        self.require_no_key(shown)


@pytest.fixture
def failing(out: Path, capsys: Capture, caplog: pytest.LogCaptureFixture) -> Failing:
    return Failing(out, capsys, caplog)


def echo(call: web.Request) -> str:
    """What a careless server may repeat."""
    return call.headers["Authorization"]


def cut(call: web.Request) -> web.Response:
    assert call.transport is not None
    call.transport.close()
    return web.Response()


def page(call: web.Request) -> web.Response:
    return web.Response(text=f"<!doctype html><title>{echo(call)}</title>", content_type="text/html")


def elsewhere(call: web.Request) -> web.Response:
    return web.Response(status=307, headers={"Location": f"http://127.0.0.1:9/?{echo(call)}"})


#: What every call is answered with, and a word of the message and of the hint.
REPLIES: dict[str, tuple[Callable[[web.Request], web.StreamResponse], str, str]] = {
    "wrong-key": (
        lambda call: refused(401, f"Incorrect API key provided: {echo(call)}", "invalid_api_key"),
        "refuses the key in TEST_KEY (401)",
        "set TEST_KEY",
    ),
    "no-such-model": (
        lambda call: refused(404, f"The model does not exist for {echo(call)}", "model_not_found"),
        "knows no model 'tiny'",
        "the model's name",
    ),
    "no-such-path": (lambda _: web.Response(status=404, text="404: Not Found"), "no such path (404)", "the base URL"),
    "web-page": (page, "a web page (HTML)", "the base URL"),
    "quota": (
        lambda call: refused(429, f"You exceeded your current quota, {echo(call)}", "insufficient_quota"),
        "the quota of this key is used up",
        "add credit",
    ),
    "429-for-ever": (
        lambda _: refused(429, "Slow down.", **{"Retry-After": "0.02"}),
        "answers every call with 429 (too many requests)",
        "lower --concurrency",
    ),
    "a-wait-of-hours": (
        lambda _: refused(429, "Slow down.", **{"Retry-After": "7200"}),
        "asks to wait 7200 seconds (429)",
        "--resume",
    ),
    "500-for-ever": (
        lambda call: refused(500, f"Internal error at {echo(call)}"),
        "answers every call with 500",
        "log of the server",
    ),
    "cut-for-ever": (cut, "the connection is cut", "server"),
    "redirect": (elsewhere, "(307)", "as the base URL"),
    "refusal-of-every-form": (
        lambda call: refused(400, f"Unknown field for {echo(call)}"),
        "refuses the call (400): Unknown field",
        "another model",
    ),
}


@pytest.mark.parametrize("kind", REPLIES)
def test_a_reply_that_no_call_can_come_over_is_told_and_a_later_run_goes_on(
    kind: str, start: Start, failing: Failing
) -> None:
    reply, found, change = REPLIES[kind]

    async def respond(call: web.Request, _: dict[str, Any]) -> web.StreamResponse:
        return reply(call)

    server = start(respond)
    message, hint = failing(server.url)
    assert found in message
    assert change in hint
    server.respond = play
    failing.then_mended(server.url)


def test_an_answer_of_five_megabytes_is_told(start: Start, failing: Failing) -> None:
    async def respond(call: web.Request, _: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(call)
        with suppress(ConnectionError):
            for _number in range(50):
                await response.write((echo(call) + " " * 100_000).encode())
        return response

    server = start(respond)
    message, hint = failing(server.url)
    assert "more than 1,000,000 bytes" in message
    assert "base URL" in hint
    server.respond = play
    failing.then_mended(server.url)


def test_a_missing_key_names_its_variable_and_leaves_nothing(
    start: Start, failing: Failing, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start()
    monkeypatch.delenv("TEST_KEY")
    message, hint = failing(server.url)
    assert "the environment variable TEST_KEY is not set" in message
    assert "export TEST_KEY" in hint
    assert (list(out.parent.iterdir()), server.asked) == ([], [])


def test_a_key_that_is_wrong_and_then_right(
    start: Start, failing: Failing, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def respond(call: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        right = call.headers["Authorization"] == f"Bearer {KEY}"
        return await play(call, body) if right else refused(401, f"Incorrect API key provided: {echo(call)}")

    server = start(respond)
    monkeypatch.setenv("TEST_KEY", "sk-wrong-and-secret")
    message, _ = failing(server.url)
    assert "TEST_KEY" in message
    failing.require_no_key(capsys.readouterr(), "sk-wrong-and-secret")
    monkeypatch.setenv("TEST_KEY", KEY)
    failing.then_mended(server.url)


def test_a_wrong_model_name_and_then_the_right_one(start: Start, failing: Failing) -> None:
    async def respond(call: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return await play(call, body) if body["model"] == "tiny" else refused(404, "No such model", "model_not_found")

    server = start(respond)
    message, hint = failing(server.url, model="tinny")
    assert "knows no model 'tinny'" in message
    assert "the model's name" in hint
    failing.then_mended(server.url)


def test_a_port_where_nobody_listens(start: Start, failing: Failing) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    message, hint = failing(f"http://127.0.0.1:{port}/v1")
    assert "no connection" in message
    assert "that the server runs" in hint
    failing.then_mended(start().url)


def test_a_host_that_nobody_knows(start: Start, failing: Failing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "*")
    message, hint = failing("http://no-such-host.invalid/v1")
    assert "there is no such host" in message
    assert "base URL" in hint
    failing.then_mended(start().url)


def test_https_at_a_server_without_it(start: Start, failing: Failing) -> None:
    server = start()
    message, hint = failing(server.url.replace("http:", "https:"))
    assert "does not speak TLS" in message
    assert "https or http" in hint
    failing.then_mended(server.url)


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def test_http_at_a_server_that_speaks_tls(start: Start, failing: Failing, tls: ssl.SSLContext) -> None:
    message, hint = failing(start(tls=tls).url.replace("https:", "http:"))
    assert "the connection is cut" in message
    assert hint
    failing.then_mended(start().url)


def test_a_certificate_that_nobody_trusts_until_it_is_named(
    start: Start, failing: Failing, tls: ssl.SSLContext, authority: trustme.CA, tmp_path: Path, out: Path
) -> None:
    server = start(tls=tls)
    message, hint = failing(server.url)
    assert "the certificate is not trusted" in message
    assert "SSL_CERT_FILE" in hint
    trusted = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(trusted))
    command = [sys.executable, "-m", "esc_skills", *simulation(server.url, out, "--resume", draws=1)]
    done = subprocess.run(
        command, env={**os.environ, "SSL_CERT_FILE": str(trusted)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, "error" in done.stderr) == (0, False), done.stderr


def away_after(calls: int, server: Server) -> None:
    """Let a server answer so many calls, and cut every later one."""
    server.asked.clear()

    async def respond(call: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return await play(call, body) if len(server.asked) <= calls else cut(call)

    server.respond = respond


@pytest.mark.parametrize("draws", [4, 9])
@pytest.mark.thorough
def test_an_endpoint_that_goes_away_costs_no_episode(draws: int, start: Start, out: Path, capsys: Capture) -> None:
    server = start()
    away_after(30, server)
    assert run(simulation(server.url, out, draws=draws)) == 2
    err = capsys.readouterr().err
    assert "the connection is cut" in err or "episodes unanswered" in err
    assert f"is kept in {out}.journal" in err and "--resume" in err
    server.respond = play
    assert run(simulation(server.url, out, "--resume", draws=draws)) == 0
    assert [each.termination for each in read_transcripts(out)] == [Termination.TURN_LIMIT] * draws


def test_a_run_that_lost_its_endpoint_and_was_resumed_can_be_replayed(start: Start, out: Path) -> None:
    server = start()
    away_after(30, server)
    assert run(simulation(server.url, out, draws=9)) == 2
    server.respond = play
    assert run(simulation(server.url, out, "--resume", draws=9)) == 0
    again = out.with_name("again.jsonl")
    assert run(["replay", f"{out}.calls.jsonl.gz", *simulation(server.url, again, draws=9)[1:]]) == 0
    assert again.read_bytes() == out.read_bytes()


def test_a_seeker_that_takes_leave_at_once_is_no_error(start: Start, out: Path) -> None:
    async def respond(_: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return completion(json.dumps(answer_to(body, farewell=True)))

    assert run(simulation(start(respond).url, out)) == 0
    episodes = read_transcripts(out)
    assert [each.termination for each in episodes] == [Termination.FAREWELL] * 4
    assert {len(each.turns) for each in episodes} == {2}


def test_a_key_is_not_in_the_log_of_an_internal_fault(
    start: Start, failing: Failing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, out: Path
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr("esc_skills.models.chat.read_reply", broken)
    server = start()
    assert run(simulation(server.url, out, "--log", "calls.log", draws=1)) == 3
    shown = capsys.readouterr()
    (log,) = (tmp_path / "logs").iterdir()
    assert "ZeroDivisionError" in log.read_text()
    failing.require_no_key(shown)
    monkeypatch.undo()
    monkeypatch.setenv("TEST_KEY", KEY)
    failing.then_mended(server.url)
