"""`esc-skills evaluate` with language models: a real server on loopback, a journal, and a replay without it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from esc_skills.cli.main import run
from esc_skills.cli.model_options import ModelOptions
from esc_skills.cli.report_options import Evaluation
from esc_skills.documents.jsonl import json_lines
from esc_skills.documents.prompts import PromptRole
from esc_skills.errors import InputError
from esc_skills.models.request import EndpointError
from esc_skills.simulation.runner import Progress
from esc_skills.vocabulary import Termination
from tests.cli.serving import KEY, Server, answer_to, play, role_of, text_of
from tests.models.loopback import completion, refused
from tests.samples import skill_text, write_skill
from tests.simulation.responses.talks import dialogues

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def server(running: Server) -> Server:
    running.respond = play
    running.asked.clear()
    return running


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEST_KEY", KEY)
    (tmp_path / "talks.jsonl").write_text(json_lines(each.as_json() for each in dialogues(3)), encoding="utf-8")


def responses(server: Server, out: str, *more: str) -> int:
    models = ["--supporter", "local/tiny", "--judge", "local/strict", "--endpoint", f"local={server.url},TEST_KEY"]
    return run(["evaluate", "responses", "talks.jsonl", *models, "--out", out, *more])


def report(tmp_path: Path, out: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((tmp_path / out).read_text())
    return value


async def answer_by_arm(_: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """Answer in each role with other words, and prefer the bank's wherever it stands."""
    answer = answer_to(body)
    if "answer" in answer:
        answer["answer"] = f"Said as {role_of(body)}."
    if role_of(body) is PromptRole.JUDGE_RESPONSES:
        first, _, second = text_of(body).partition("## The second answer")
        best = "Said as supporter-answer."
        answer["better"] = "first" if best in first else "second" if best in second else "neither"
    return completion(json.dumps(answer))


def test_models_answer_and_judge_blind_in_both_orders_and_the_replay_is_equal(
    server: Server, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.respond = answer_by_arm
    assert responses(server, "one.json") == 0
    asked = Counter(role_of(body) for body in server.asked)
    assert asked == {
        PromptRole.SUPPORTER_SELECT: 3,  # one for the two arms that select
        PromptRole.SUPPORTER_ANSWER: 3,
        PromptRole.SUPPORTER_STRATEGY: 3,
        PromptRole.SUPPORTER_BASELINE: 3,
        PromptRole.JUDGE_RESPONSES: 18,
    }
    judged = [text_of(body) for body in server.asked if role_of(body) is PromptRole.JUDGE_RESPONSES]
    assert not any("reflect-the-feeling" in text or "no-bank" in text for text in judged)
    assert {body["model"] for body in server.asked if role_of(body) is PromptRole.JUDGE_RESPONSES} == {"strict"}
    comparisons = report(tmp_path, "one.json")["strata"]["no-risk"]["comparisons"]
    assert [(each["wins"], each["losses"], each["ties"]) for each in comparisons] == [(3, 0, 0), (3, 0, 0), (0, 0, 3)]
    assert [each["first_preferred"] for each in comparisons] == [0.5, 0.5, None]
    names = ["one.json", "one.json.calls.jsonl.gz", "talks.jsonl"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names

    monkeypatch.delenv("TEST_KEY")
    calls = len(server.asked)
    assert responses(server, "two.json", "--calls", "one.json.calls.jsonl.gz") == 0
    assert ((tmp_path / "two.json").read_bytes(), len(server.asked)) == ((tmp_path / "one.json").read_bytes(), calls)
    shown = capsys.readouterr()
    assert KEY not in shown.out + shown.err + (tmp_path / "one.json").read_text()


def test_a_judge_that_takes_whatever_comes_first_wins_nobody_anything(server: Server, tmp_path: Path) -> None:
    async def respond(call: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if role_of(body) is PromptRole.JUDGE_RESPONSES:
            return completion(json.dumps({"reason": "it comes first", "better": "first"}))
        return await answer_by_arm(call, body)

    server.respond = respond
    assert responses(server, "one.json") == 0
    for each in report(tmp_path, "one.json")["strata"]["no-risk"]["comparisons"]:
        assert (each["ties"], each["win_rate"], each["both_first"], each["first_preferred"]) == (3, None, 3, 1.0)


def test_a_judgement_of_no_use_is_a_fault_and_the_answers_are_measured(server: Server, tmp_path: Path) -> None:
    async def respond(call: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if role_of(body) is PromptRole.JUDGE_RESPONSES:
            return completion("I would rather not say.")
        return await answer_by_arm(call, body)

    server.respond = respond
    assert responses(server, "one.json") == 0
    found = report(tmp_path, "one.json")
    assert found["faults"] == {"fault-malformed": 9}
    assert found["strata"]["no-risk"]["contexts"] == 3
    assert {each["faults"] for each in found["strata"]["no-risk"]["comparisons"]} == {3}


def test_an_endpoint_that_does_not_answer_is_asked_again_with_resume(
    server: Server, tmp_path: Path, capsys: Capture
) -> None:
    async def respond(call: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if role_of(body) is PromptRole.JUDGE_RESPONSES:
            return refused(404, "no such model")
        return await answer_by_arm(call, body)

    server.respond = respond
    assert responses(server, "one.json") == 2
    assert not (tmp_path / "one.json").exists()
    assert (tmp_path / "one.json.journal").exists()
    answered = sum(role_of(body) is not PromptRole.JUDGE_RESPONSES for body in server.asked)
    capsys.readouterr()
    assert responses(server, "one.json") == 2
    assert "add --resume" in capsys.readouterr().err

    server.respond = answer_by_arm
    assert responses(server, "one.json", "--resume") == 0
    assert sum(role_of(body) is not PromptRole.JUDGE_RESPONSES for body in server.asked) <= max(12, answered)
    assert responses(server, "two.json") == 0
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()


@dataclass
class Lost:
    """A report of an evaluation that lost a call to its endpoint."""

    faults: Mapping[Termination, int]


def test_a_report_that_lost_calls_is_none_until_they_were_asked_again(server: Server, tmp_path: Path) -> None:
    async def work(progress: Progress) -> Lost:
        return Lost({Termination.FAULT_ENDPOINT: 2})

    endpoint = f"local={server.url},TEST_KEY"
    asked = ModelOptions((endpoint,), 4, None, None, None, None, 9.0, resume=False, log=None, supporter="local/tiny")
    out = tmp_path / "report.json"
    with (
        pytest.raises(EndpointError, match="left 2 contexts unanswered") as caught,
        Evaluation(asked, out, None, {}) as evaluation,
    ):
        evaluation.measure("contexts", work)
    assert "--resume" in caught.value.hint
    with Evaluation(replace(asked, resume=True), out, None, {}) as resumed:
        lost = resumed.measure("contexts", work)
    assert lost.faults == {Termination.FAULT_ENDPOINT: 2}
    assert out.with_name("report.json.calls.jsonl.gz").exists()


def test_answers_are_kept_until_the_report_is_written(
    server: Server, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, _: str) -> None:
        raise InputError(f"{path}: could not be written: No space left on device", "free some space")

    server.respond = answer_by_arm
    with monkeypatch.context() as patched:
        patched.setattr("esc_skills.cli.report_options.write_atomically", full)
        assert responses(server, "one.json") == 2
    err = capsys.readouterr().err
    assert "free some space; what was done so far (" in err
    assert "is kept in one.json.journal; go on with the same command and --resume" in err
    asked = len(server.asked)
    assert responses(server, "one.json", "--resume") == 0
    assert len(server.asked) == asked
    assert not (tmp_path / "one.json.journal").exists()


def test_models_need_a_place_for_their_calls(server: Server, capsys: Capture) -> None:
    models = ["--supporter", "local/tiny", "--endpoint", f"local={server.url},TEST_KEY"]
    for command in (["responses", "talks.jsonl"], ["bank", "--draws", "2"]):
        assert run(["evaluate", *command, *models]) == 2
        assert "add --out" in capsys.readouterr().err
    assert server.asked == []


def test_a_bank_is_weighed_with_a_model_and_replayed(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("reflect-the-feeling", "wait-a-little"):
        write_skill(tmp_path / "bank", name, skill_text(name))

    async def respond(_: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        answer = answer_to(body)
        if "skill" in answer and "reflect-the-feeling" not in text_of(body):
            answer["skill"] = "wait-a-little"
        return completion(json.dumps(answer))

    server.respond = respond
    options = ["--supporter", "local/tiny", "--endpoint", f"local={server.url},TEST_KEY", "--draws", "2"]
    command = ["evaluate", "bank", "--skills", "bank", *options]
    assert run([*command, "--out", "one.json"]) == 0
    found = report(tmp_path, "one.json")
    # A model reads the names of all skills, so no episode follows from another.
    assert (found["played"], found["reused"]) == (8, 0)
    assert {each["skill"]: each["episodes"] for each in found["skills"]} == {
        "reflect-the-feeling": 2,
        "wait-a-little": 0,
    }
    monkeypatch.delenv("TEST_KEY")
    assert run([*command, "--out", "two.json", "--calls", "one.json.calls.jsonl.gz"]) == 0
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
