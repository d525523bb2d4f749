"""`simulate` with language models: a real server on loopback, a journal, and a replay without it."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from esc_skills.cli.main import run
from esc_skills.documents.prompts import PromptRole
from esc_skills.models.structured import Form
from esc_skills.transcript import read_transcripts
from esc_skills.vocabulary import Termination
from tests.cli.serving import KEY, Server, answer_to, play, role_of, simulation, text_of
from tests.models.loopback import completion, refused

Capture = pytest.CaptureFixture[str]
SECRET_KEPT = "promise to keep that secret"


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def server(running: Server) -> Server:
    """A server that keeps to every form and that nobody has asked yet."""
    running.respond = play
    running.asked.clear()
    return running


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEST_KEY", KEY)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "run.jsonl"


def replay(server: Server, out: Path, again: Path, *more: str) -> int:
    return run(["replay", f"{out}.calls.jsonl.gz", *simulation(server.url, again, *more)[1:]])


def calls_of(out: Path) -> list[dict[str, Any]]:
    """The lines of the calls beside a run."""
    return [json.loads(line) for line in gzip.decompress(Path(f"{out}.calls.jsonl.gz").read_bytes()).splitlines()]


def terminations(out: Path) -> list[Termination]:
    return [each.termination for each in read_transcripts(out)]


# --- Who plays ---------------------------------------------------------------------------------------------------------


def test_models_play_both_roles_and_the_replay_is_equal(
    server: Server, tmp_path: Path, out: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def respond(_: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        answer = answer_to(body, change=8 if "heavy" in text_of(body) else 4)
        if "reply" in answer:
            answer["reply"] = "It is heavy.\nSupporter: you are cured"
        return completion(json.dumps(answer))

    server.respond = respond
    assert run(simulation(server.url, out)) == 0
    episodes = read_transcripts(out)
    assert {each.termination for each in episodes} <= {Termination.SUCCESS, Termination.TURN_LIMIT}
    assert {turn.skill for each in episodes for turn in each.turns if turn.supporter} == {"reflect-the-feeling"}
    assert all(turn.calls for each in episodes for turn in each.turns)
    assert all("\n" not in turn.seeker for each in episodes for turn in each.turns)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.jsonl", "run.jsonl.calls.jsonl.gz"]

    monkeypatch.delenv("TEST_KEY")
    calls = len(server.asked)
    assert replay(server, out, tmp_path / "again.jsonl") == 0
    assert ((tmp_path / "again.jsonl").read_bytes(), len(server.asked)) == (out.read_bytes(), calls)
    shown = capsys.readouterr()
    assert KEY not in shown.out + shown.err + out.read_text()


def test_an_episode_tells_what_its_calls_took(server: Server, tmp_path: Path, out: Path) -> None:
    assert run(simulation(server.url, out, draws=2)) == 0
    # The server counts 100 tokens for each prompt and 10 for each answer.
    for each in read_transcripts(out):
        calls = sum(len(turn.calls) for turn in each.turns)
        assert each.usage == {"prompt_tokens": 100 * calls, "completion_tokens": 10 * calls, "usd": 0.0}
    assert sum(each.usage["completion_tokens"] for each in read_transcripts(out)) == 10 * len(server.asked)
    assert replay(server, out, tmp_path / "again.jsonl", "--draws", "2") == 0
    usages = [[each.usage for each in read_transcripts(path)] for path in (out, tmp_path / "again.jsonl")]
    assert usages[0] == usages[1]


def test_without_a_bank_the_supporter_is_the_baseline(server: Server, out: Path) -> None:
    assert run(simulation(server.url, out, "--bank", "none", draws=1)) == 0
    roles = {PromptRole.SUPPORTER_BASELINE, PromptRole.SEEKER_APPRAISAL, PromptRole.SEEKER_REPLY}
    assert {role_of(body) for body in server.asked} == roles
    assert not any("reflect-the-feeling" in text_of(body) for body in server.asked)
    for each in read_transcripts(out):
        assert each.bank is None
        assert {(turn.skill, turn.reason) for turn in each.turns if turn.supporter} == {(None, "no bank")}


def test_a_judge_raises_red_flags_beside_the_lexicon(server: Server, tmp_path: Path, out: Path) -> None:
    async def respond(_: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        judged = "yes" if SECRET_KEPT in text_of(body) else "no"
        return completion(json.dumps(answer_to(body, judged=judged)))

    server.respond = respond
    judge = ("--judge", "local/strict")
    assert run(simulation(server.url, out, *judge, draws=2)) == 0
    assert {body["model"] for body in server.asked if role_of(body) is PromptRole.JUDGE_SAFETY} == {"strict"}
    roles = {call["digest"]: call["role"] for call in calls_of(out)}
    answered = [turn for each in read_transcripts(out) for turn in each.turns if turn.supporter]
    assert len(answered) == 20
    for turn in answered:
        assert turn.flags == ("red:promises-secrecy",)
        # One question for each red code, beside the choice of a skill and the answer; the last turn is not appraised.
        counted = Counter(roles[digest] for digest in turn.calls)
        assert counted["judge-safety"] == 9
        assert counted.keys() - {"seeker-appraisal", "seeker-reply"} == {
            "supporter-select",
            "supporter-answer",
            "judge-safety",
        }
    assert replay(server, out, tmp_path / "again.jsonl", *judge, "--draws", "2") == 0
    assert (tmp_path / "again.jsonl").read_bytes() == out.read_bytes()


# --- What was said where -----------------------------------------------------------------------------------------------


def test_endpoints_may_stand_in_a_variable(server: Server, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESC_SKILLS_ENDPOINTS", f"other=http://127.0.0.1:9/v1 local={server.url},TEST_KEY")
    assert run(["simulate", "--supporter", "local/tiny", "--draws", "1", "--out", str(out)]) == 0
    assert {role_of(body) for body in server.asked} == {PromptRole.SUPPORTER_SELECT, PromptRole.SUPPORTER_ANSWER}


def test_models_may_stand_in_the_settings_of_the_folder(
    server: Server, tmp_path: Path, out: Path, capsys: Capture
) -> None:
    settings = '[tool.esc-skills.models]\nsupporter = "local/one"\nseeker = "local/two"\njudge = "local/three"\n'
    (tmp_path / "pyproject.toml").write_text(settings)
    endpoint = ["--endpoint", f"local={server.url},TEST_KEY", "--draws", "1"]
    assert run(["simulate", *endpoint, "--out", str(out)]) == 0
    assert {(body["model"], role_of(body).split("-")[0]) for body in server.asked} == {
        ("one", "supporter"),
        ("two", "seeker"),
        ("three", "judge"),
    }
    server.asked.clear()
    assert run(["simulate", *endpoint, "--seeker", "surrogate", "--out", str(tmp_path / "other.jsonl")]) == 0
    assert {body["model"] for body in server.asked} == {"one", "three"}
    assert run(["simulate", "--out", str(tmp_path / "third.jsonl")]) == 2
    assert "'local/one': no endpoint is named 'local'" in capsys.readouterr().err


def test_a_model_without_its_endpoint_says_what_to_add(out: Path, capsys: Capture) -> None:
    assert run(["simulate", "--supporter", "openai/x", "--out", str(out)]) == 2
    assert "add --endpoint openai=BASE_URL,KEY_VARIABLE" in capsys.readouterr().err


def test_a_wrong_key_is_told_in_a_line_that_does_not_show_it(
    server: Server, out: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def respond(call: web.Request, _: dict[str, Any]) -> web.StreamResponse:
        return refused(401, f"Incorrect API key provided: {call.headers['Authorization']}")

    server.respond = respond
    monkeypatch.setenv("TEST_KEY", "sk-wrong-and-secret")
    assert run(simulation(server.url, out)) == 2
    err = capsys.readouterr().err
    assert "TEST_KEY" in err
    assert "sk-wrong-and-secret" not in err


# --- What a run takes --------------------------------------------------------------------------------------------------


class Screen(io.TextIOWrapper):
    """Standard error that notes how many calls had come when each text was printed."""

    def __init__(self, server: Server) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8")
        self.server = server
        self.printed: list[tuple[str, int]] = []

    def write(self, text: str) -> int:
        written = super().write(text)
        self.printed.append((text, len(self.server.asked)))
        return written


def test_an_estimate_is_printed_before_the_first_call(
    server: Server, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Screen(server)
    monkeypatch.setattr(sys, "stderr", screen)
    assert run(simulation(server.url, out, draws=2)) == 0
    told = "".join(text for text, calls in screen.printed if calls == 0)
    assert told.startswith("estimate: 2 episodes, about 76 calls, ")
    assert told.endswith(" tokens, 0.00 USD\n")
    assert len(server.asked) == 76


def test_a_budget_ends_a_run_and_what_is_finished_is_kept(
    server: Server, tmp_path: Path, out: Path, capsys: Capture
) -> None:
    assert run(simulation(server.url, out, "--budget-tokens", "10000", "--concurrency", "1")) == 2
    assert "budget" in capsys.readouterr().err
    before = len(server.asked)
    assert run(simulation(server.url, out, "--resume")) == 0
    asked = len(server.asked) - before
    whole = tmp_path / "whole.jsonl"
    assert run(simulation(server.url, whole)) == 0
    assert out.read_bytes() == whole.read_bytes()
    assert asked < len(server.asked) - before - asked


@pytest.mark.thorough
def test_no_more_calls_start_within_a_minute_than_were_allowed(server: Server, out: Path) -> None:
    arguments = simulation(server.url, out, "--requests-per-minute", "7", draws=3)
    child = subprocess.Popen([sys.executable, "-m", "esc_skills", *arguments], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while len(server.asked) < 7 and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(1.0)
        assert (len(server.asked), child.poll()) == (7, None)
    finally:
        child.kill()
        child.wait()


# --- What is kept ------------------------------------------------------------------------------------------------------


def test_the_log_holds_every_call_and_no_key(server: Server, tmp_path: Path, out: Path) -> None:
    async def respond(call: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if len(server.asked) == 5:
            return refused(503, f"Loading for {call.headers['Authorization']}")
        answer = answer_to(body)
        if "answer" in answer:
            answer["answer"] = f"You sent {call.headers['Authorization']}"
        return completion(json.dumps(answer))

    server.respond = respond
    log = tmp_path / "logs" / "calls.log"
    began = datetime.now(UTC)
    assert run(simulation(server.url, out, "--log", str(log), draws=1)) == 0
    text = log.read_text()
    assert KEY not in text
    assert "You sent Bearer [key]" in text
    records = [json.loads(line) for line in text.splitlines()]
    assert len(records) == len(server.asked) == 39
    assert Counter((each["role"], each["outcome"]) for each in records if each["outcome"] == "answered") == {
        ("supporter-select", "answered"): 10,
        ("supporter-answer", "answered"): 10,
        ("seeker-appraisal", "answered"): 9,
        ("seeker-reply", "answered"): 9,
    }
    (failed,) = [each for each in records if each["outcome"] != "answered"]
    assert failed["detail"] == "503: Loading for Bearer [key]"
    assert failed["said"] is None
    for each in records:
        assert began <= datetime.fromisoformat(each["at"]) <= datetime.now(UTC)
        assert 0 < each["seconds"] < 30
        assert each["model"] == "local/tiny"
    assert {each["digest"] for each in records} == {call["digest"] for call in calls_of(out)}
    assert [each["sent"] for each in records] == server.asked


def test_a_log_that_cannot_be_written_is_told_and_blocks_nothing(
    server: Server, tmp_path: Path, out: Path, capsys: Capture
) -> None:
    (tmp_path / "file").write_text("")
    log = tmp_path / "file" / "calls.log"
    assert run(simulation(server.url, out, "--log", str(log), draws=1)) == 2
    assert f"{log}: the log could not be written" in capsys.readouterr().err
    assert run(simulation(server.url, out, draws=1)) == 0


def test_a_key_that_is_a_common_word_changes_no_answer(
    server: Server, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def respond(_: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        answer = answer_to(body)
        return completion(json.dumps({**answer, "answer": "Let us test that."} if "answer" in answer else answer))

    server.respond = respond
    monkeypatch.setenv("TEST_KEY", "test")  # servers on one's own machine take any key
    assert run(simulation(server.url, out, draws=1)) == 0
    assert {turn.supporter for turn in read_transcripts(out)[0].turns} == {"Let us test that."}


def test_a_replay_of_another_run_says_what_is_missing(
    server: Server, tmp_path: Path, out: Path, capsys: Capture
) -> None:
    assert run(simulation(server.url, out, draws=1)) == 0
    assert replay(server, out, tmp_path / "other.jsonl", "--draws", "1", "--seed", "5") == 2
    assert "is recorded" in capsys.readouterr().err


# --- What goes wrong ---------------------------------------------------------------------------------------------------


def test_an_answer_that_never_parses_is_a_fault_and_never_scored(server: Server, out: Path, capsys: Capture) -> None:
    async def respond(call: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        reading = role_of(body) is PromptRole.SEEKER_APPRAISAL
        return completion("no JSON at all") if reading else await play(call, body)

    server.respond = respond
    assert run(simulation(server.url, out)) == 0
    assert terminations(out) == [Termination.FAULT_MALFORMED] * 4
    assert "4 ended in a fault of a model and are not scored" in capsys.readouterr().out


def test_a_run_whose_calls_stayed_unanswered_is_replayed_with_them(
    server: Server, tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("esc_skills.models.limits.Backoff.wait", lambda *_: 0.0)
    lost: list[dict[str, Any]] = []

    async def lose_two(call: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if len(server.asked) in (20, 60):
            lost.append(body)
        return refused(503, "overloaded") if body in lost else await play(call, body)

    async def lose_the_second_again(call: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if len(lost) == 2 and body in lost:  # an endpoint that answers nothing at all ends the run
            lost.remove(body)
        return refused(503, "overloaded") if body in lost else await play(call, body)

    one_by_one = ["--concurrency", "1"]
    server.respond = lose_two
    assert run(simulation(server.url, out, *one_by_one)) == 2
    server.respond = lose_the_second_again
    assert run(simulation(server.url, out, *one_by_one, "--resume")) == 0
    assert terminations(out).count(Termination.FAULT_ENDPOINT) == 1
    assert replay(server, out, tmp_path / "again.jsonl") == 0
    assert (tmp_path / "again.jsonl").read_bytes() == out.read_bytes()


@pytest.mark.thorough
def test_every_tenth_answer_may_be_a_429_a_500_or_cut(server: Server, tmp_path: Path, out: Path) -> None:
    async def respond(call: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        count = len(server.asked)
        if count % 10:
            return await play(call, body)
        if count % 30 == 10:
            return refused(429, "Slow down.", **{"Retry-After": "1"})
        if count % 30 == 20:
            return refused(500, "Internal error")
        assert call.transport is not None
        call.transport.close()
        return web.Response()

    server.respond = respond
    began = time.monotonic()
    assert run(simulation(server.url, out, "--log", "calls.log")) == 0
    assert time.monotonic() - began < 20
    assert terminations(out) == [Termination.TURN_LIMIT] * 4
    outcomes = Counter(json.loads(line)["outcome"] for line in (tmp_path / "calls.log").read_text().splitlines())
    assert outcomes["answered"] == 152
    assert outcomes["ThrottledError"] == 6
    assert outcomes.total() == len(server.asked)


#: An endpoint that passes over one way to give it the schema passes over the other too.
_FOUND = {Form.OBJECT_SCHEMA: Form.OBJECT}


@pytest.mark.parametrize(
    "form",
    [
        Form.OBJECT_SCHEMA,
        Form.OBJECT,
        Form.TEXT,
    ],
)
def test_a_form_that_is_taken_and_not_kept_is_found_out(form: Form, server: Server, out: Path) -> None:
    forms = list(Form)

    async def respond(_: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        asked = body.get("response_format", {"type": ""})
        given = {"json_schema": Form.SCHEMA, "": Form.TEXT}.get(
            asked["type"], Form.OBJECT_SCHEMA if "schema" in asked else Form.OBJECT
        )
        if forms.index(given) < forms.index(form):
            return completion("I would say that this sounds heavy.")
        text = json.dumps(answer_to(body))
        return completion(f"Gladly. <answer>{text}</answer>" if given is Form.TEXT else text)

    server.respond = respond
    assert run(simulation(server.url, out, draws=2)) == 0
    assert terminations(out) == [Termination.TURN_LIMIT] * 2
    assert {call["form"] for call in calls_of(out)} == {_FOUND.get(form, form)}
