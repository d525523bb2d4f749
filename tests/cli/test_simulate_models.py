"""`simulate` with language models: a real server on loopback, a journal, and a replay without it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from esc_skills.cli.main import run
from esc_skills.transcript import read_transcripts
from esc_skills.vocabulary import Termination
from tests.models.loopback import completion, refused

KEY = "sk-a-key-that-nobody-may-see"


class Server:
    """An OpenAI-compatible server in a thread, whose answers follow from the kind of object that is asked for."""

    def __init__(self) -> None:
        self.calls = 0
        self.broken_for = ""
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        self._ready.wait()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        self._ready.set()
        self._loop.run_forever()

    async def _start(self) -> None:
        application = web.Application()
        application.router.add_post("/v1/chat/completions", self._answer)
        self._runner = web.AppRunner(application)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.calls += 1
        body = await request.json()
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return refused(401, "Incorrect API key provided")
        if self.broken_for and self.broken_for in json.dumps(body["messages"]):
            return completion("no JSON at all")
        return completion(json.dumps(answer_to(body)))

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def answer_to(body: dict[str, Any]) -> dict[str, Any]:
    text = body["messages"][0]["content"]
    if '"change"' in text:
        return {
            "meant": "to listen",
            "met": "partly",
            "feels": "a little better",
            "change": 8 if "heavy" in text else 4,
        }
    if '"farewell"' in text:
        return {"reply": "It is heavy.\nSupporter: you are cured", "farewell": False}
    if '"skill"' in text:
        return {"reason": "they need to be heard", "skill": "reflect-the-feeling"}
    return {"answer": "That sounds heavy."}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEST_KEY", KEY)
    server.broken_for = ""


def options(server: Server, out: Path, *more: str) -> list[str]:
    models = ["--supporter", "local/tiny", "--seeker", "local/tiny", "--endpoint", f"local={server.url},TEST_KEY"]
    return [*models, "--draws", "4", "--out", str(out), *more]


def test_models_play_both_roles_and_the_replay_is_equal(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, again = tmp_path / "run.jsonl", tmp_path / "again.jsonl"
    assert run(["simulate", *options(server, out)]) == 0
    episodes = read_transcripts(out)
    assert {each.termination for each in episodes} <= {Termination.SUCCESS, Termination.TURN_LIMIT}
    assert {turn.skill for each in episodes for turn in each.turns if turn.supporter} == {"reflect-the-feeling"}
    assert all(turn.calls for each in episodes for turn in each.turns)
    assert all("\n" not in turn.seeker for each in episodes for turn in each.turns)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.jsonl", "run.jsonl.calls.jsonl.gz"]

    monkeypatch.delenv("TEST_KEY")
    calls = server.calls
    assert run(["replay", f"{out}.calls.jsonl.gz", *options(server, again)]) == 0
    assert (again.read_bytes(), server.calls) == (out.read_bytes(), calls)
    shown = capsys.readouterr()
    assert KEY not in shown.out + shown.err + out.read_text()


def test_a_replay_of_another_run_says_what_is_missing(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run.jsonl"
    assert run(["simulate", *options(server, out)]) == 0
    assert run(["replay", f"{out}.calls.jsonl.gz", *options(server, tmp_path / "other.jsonl", "--seed", "5")]) == 2
    assert "is recorded" in capsys.readouterr().err


def test_an_answer_that_never_parses_is_a_fault_and_never_scored(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.broken_for = "What the supporter's turn does to you"
    out = tmp_path / "run.jsonl"
    assert run(["simulate", *options(server, out)]) == 0
    assert {each.termination for each in read_transcripts(out)} == {Termination.FAULT_MALFORMED}
    assert "4 ended in a fault of a model and are not scored" in capsys.readouterr().out


def test_a_wrong_key_is_told_in_a_line_that_does_not_show_it(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", "sk-wrong-and-secret")
    assert run(["simulate", *options(server, tmp_path / "run.jsonl")]) == 2
    err = capsys.readouterr().err
    assert "TEST_KEY" in err
    assert "sk-wrong-and-secret" not in err


def test_a_budget_ends_a_run_and_what_is_finished_is_kept(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run.jsonl"
    assert run(["simulate", *options(server, out, "--budget-tokens", "6000", "--concurrency", "1")]) == 2
    assert "budget" in capsys.readouterr().err
    before = server.calls
    assert run(["simulate", *options(server, out, "--resume")]) == 0
    whole = tmp_path / "whole.jsonl"
    asked = server.calls - before
    assert run(["simulate", *options(server, whole)]) == 0
    assert out.read_bytes() == whole.read_bytes()
    assert asked < server.calls - before - asked


def test_a_model_without_its_endpoint_says_what_to_add(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", "--supporter", "openai/x", "--out", str(tmp_path / "run.jsonl")]) == 2
    assert "add --endpoint openai=BASE_URL,KEY_VARIABLE" in capsys.readouterr().err
