"""Journal, export and replay: no answer is lost, none is paid for twice, and a replay gives what was recorded."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from esc_skills.documents.jsonl import compress_parts
from esc_skills.documents.prompts import PromptRole
from esc_skills.errors import InputError
from esc_skills.models import durable
from esc_skills.models.journal import Journal
from esc_skills.models.replay import ReplayModel, open_replay
from esc_skills.models.request import Completion, Message, ModelFault, Request, RoleModel, Usage
from esc_skills.models.scripted import Script, ScriptedModel
from esc_skills.vocabulary import Termination
from tests.models.journalled_run import CALLS, CONCURRENCY, SETTINGS
from tests.models.loopback import Loopback, answered, request

ROOT = Path(__file__).parent.parent.parent


def echo(asked: Request) -> dict[str, Any]:
    return {"answer": f"You said: {asked.messages[-1].content}"}


def faulty(asked: Request) -> dict[str, Any] | Exception:
    kind = asked.messages[-1].content
    if kind in list(Termination):
        return ModelFault(Termination(kind), f"as {kind}", Usage(5, 1))
    return echo(asked)


async def gather(model: Any, texts: list[str]) -> list[Completion | BaseException]:
    return await asyncio.gather(*(model.complete(request(each)) for each in texts), return_exceptions=True)


def journalled(path: Path, texts: list[str], script: Script = echo, **options: Any) -> ScriptedModel:
    """Run calls through a journal, export it, and return the model that was asked."""
    model = ScriptedModel(script, latency=0.001)

    async def run() -> None:
        async with Journal(path, SETTINGS, model, **options) as journal:
            await gather(journal, texts)
            journal.export(path.with_suffix(".gz"))

    asyncio.run(run())
    return model


def test_an_answer_is_on_the_disk_before_it_is_used(tmp_path: Path) -> None:
    async def run() -> None:
        async with Journal(tmp_path / "calls", SETTINGS, ScriptedModel(echo)) as journal:
            answer = await journal.complete(request("hello"))
            lines = (tmp_path / "calls").read_text().splitlines()
            assert json.loads(lines[-1])["value"] == answer.value
            assert json.loads(lines[-1])["digest"] == answer.digest == request("hello").digest

    asyncio.run(run())


def test_equal_calls_are_made_once_also_while_they_are_in_flight(tmp_path: Path) -> None:
    model = journalled(tmp_path / "calls", ["a", "b", "a", "a", "b"])
    assert len(model.requests) == 2


def test_calls_that_end_together_share_an_fsync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count, fsync = 0, os.fsync

    def counting(handle: int) -> None:
        nonlocal count
        count += 1
        fsync(handle)

    monkeypatch.setattr(durable.os, "fsync", counting)
    journalled(tmp_path / "calls", [str(number) for number in range(64)])
    assert count <= 12


def test_a_resumed_run_asks_only_what_is_missing(tmp_path: Path) -> None:
    journalled(tmp_path / "calls", ["a", "b"])
    model = journalled(tmp_path / "calls", ["a", "b", "c"], resume=True)
    assert [each.messages[-1].content for each in model.requests] == ["c"]
    journalled(tmp_path / "whole", ["c", "b", "a"])
    assert (tmp_path / "calls.gz").read_bytes() == (tmp_path / "whole.gz").read_bytes()


@pytest.mark.parametrize("torn", ['{"digest": "sha256:12', "x" * 200_000, "\x00"])
def test_a_torn_last_line_is_ignored(torn: str, tmp_path: Path) -> None:
    journalled(tmp_path / "calls", ["a"])
    with (tmp_path / "calls").open("a") as file:
        file.write(torn)
    model = journalled(tmp_path / "calls", ["a", "b"], resume=True)
    assert len(model.requests) == 1
    assert torn not in (tmp_path / "calls").read_text()


@pytest.mark.parametrize("left", ["", '{"format": "esc-sk'])
def test_a_run_that_was_killed_before_its_first_line_starts_anew(left: str, tmp_path: Path) -> None:
    (tmp_path / "calls").write_text(left)
    assert len(journalled(tmp_path / "calls", ["a"], resume=True).requests) == 1


def test_a_resume_with_other_settings_names_them(tmp_path: Path) -> None:
    journalled(tmp_path / "calls", ["a"])
    with pytest.raises(InputError, match="draws was 120 and is 9; seeker was None and is 'x'"):
        Journal(tmp_path / "calls", {**SETTINGS, "draws": 9, "seeker": "x"}, resume=True)


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    journalled(tmp_path / "calls", ["a"])
    with pytest.raises(InputError, match="unfinished run"):
        Journal(tmp_path / "calls", SETTINGS)


@pytest.mark.parametrize("text", ["{}\n", "no journal\n", '{"format":"esc-skills/run/1","settings":{}}\n'])
def test_another_file_is_no_journal(text: str, tmp_path: Path) -> None:
    (tmp_path / "calls").write_text(text)
    with pytest.raises(InputError):
        Journal(tmp_path / "calls", SETTINGS, resume=True)


def test_two_runs_cannot_write_one_journal(tmp_path: Path) -> None:
    async def run() -> None:
        async with Journal(tmp_path / "calls", SETTINGS):
            with pytest.raises(InputError, match="another run writes it"):
                Journal(tmp_path / "calls", SETTINGS, resume=True)

    asyncio.run(run())


def test_faults_of_a_model_are_kept_and_troubles_of_an_endpoint_are_not(tmp_path: Path) -> None:
    texts = [Termination.FAULT_REFUSED, Termination.FAULT_ENDPOINT]
    journalled(tmp_path / "calls", list(texts), faulty)
    model = journalled(tmp_path / "calls", list(texts), faulty, resume=True)
    assert [each.messages[-1].content for each in model.requests] == [Termination.FAULT_ENDPOINT]
    assert Termination.FAULT_ENDPOINT not in (tmp_path / "calls").read_text()


def test_a_resumed_run_knows_what_was_spent(tmp_path: Path) -> None:
    journalled(tmp_path / "calls", ["a", Termination.FAULT_REFUSED], faulty)

    async def run() -> Usage:
        async with Journal(tmp_path / "calls", SETTINGS, resume=True) as journal:
            return journal.spent

    spent = asyncio.run(run())
    assert spent.tokens > 6
    assert spent.usd == 0.0


def test_a_call_that_nobody_waits_for_any_more_is_kept(tmp_path: Path) -> None:
    async def run() -> int:
        async with Journal(tmp_path / "calls", SETTINGS, ScriptedModel(echo, latency=0.05)) as journal:
            waiting = asyncio.create_task(journal.complete(request()))
            await asyncio.sleep(0.01)
            waiting.cancel()
        return len(journal)

    assert asyncio.run(run()) == 1


def test_at_the_end_no_call_starts_any_more(tmp_path: Path) -> None:
    model = ScriptedModel(echo, latency=0.05)

    async def run() -> int:
        async with Journal(tmp_path / "calls", SETTINGS, model, concurrency=2) as journal:
            for number in range(9):
                asyncio.create_task(journal.complete(request(str(number)))).add_done_callback(
                    lambda done: done.cancelled()
                )
            await asyncio.sleep(0.01)
        return len(journal)

    assert (asyncio.run(run()), len(model.requests)) == (2, 2)


def test_a_full_disk_is_an_error_that_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    async def run() -> list[BaseException | Completion]:
        async with Journal(tmp_path / "calls", SETTINGS, ScriptedModel(echo)) as journal:
            monkeypatch.setattr(durable.os, "fsync", full)
            return [*await gather(journal, ["a", "b"]), *await gather(journal, ["c"])]

    for error in asyncio.run(run()):
        assert isinstance(error, InputError)
        assert "No space left" in error.message


def test_an_export_has_the_same_bytes_whatever_the_order(tmp_path: Path) -> None:
    texts = [str(number) for number in range(30)]
    for name in ("one", "two"):
        random.Random(name).shuffle(texts)
        journalled(tmp_path / name, texts)
    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "two.gz").read_bytes()
    digests = [json.loads(line)["digest"] for line in gzip.decompress((tmp_path / "one.gz").read_bytes()).splitlines()]
    assert digests == sorted(digests)


def test_a_replay_gives_what_was_recorded_faults_included(tmp_path: Path) -> None:
    texts = ["a", "b", *(each for each in Termination if each.is_fault)]
    model = ScriptedModel(faulty)

    async def run() -> tuple[list[Any], list[Any]]:
        async with Journal(tmp_path / "calls", SETTINGS, model) as journal:
            live = await gather(journal, texts)
            journal.export(tmp_path / "calls.gz", given_up=[request(Termination.FAULT_ENDPOINT)])
        return live, await gather(open_replay(tmp_path / "calls.gz"), texts)

    live, replayed = asyncio.run(run())
    shown = [
        [(str(each), getattr(each, "usage", None)) for each in side if "endpoint" not in str(each)]
        for side in (live, replayed)
    ]
    assert shown[0] == shown[1]
    assert replayed[-1].termination is Termination.FAULT_ENDPOINT


def test_an_export_can_hold_some_calls_only(tmp_path: Path) -> None:
    journalled(tmp_path / "calls", ["a", "b", "c"])

    async def run() -> None:
        async with Journal(tmp_path / "calls", SETTINGS, resume=True) as journal:
            (tmp_path / "some.gz").write_bytes(b"".join(compress_parts(journal.lines(only=[request("b").digest]))))

    asyncio.run(run())
    assert open_replay(tmp_path / "some.gz").unused == [request("b").digest]


def test_a_request_that_is_not_recorded_fails_loudly(tmp_path: Path) -> None:
    journalled(tmp_path / "calls", ["a"])
    replay = open_replay(tmp_path / "calls.gz")
    for change in ({"temperature": 0.1}, {"seed": 8}, {"draw_seed": "draw-2"}, {"max_tokens": 201}):
        missing = request("a", **change)
        with pytest.raises(InputError, match=f"{missing.digest} of supporter-answer"):
            asyncio.run(replay.complete(missing))


def test_a_replay_tells_what_nobody_asked_for(tmp_path: Path) -> None:
    journalled(tmp_path / "calls", ["a", "b"])
    replay = open_replay(tmp_path / "calls.gz")
    asyncio.run(replay.complete(request("a")))
    assert replay.unused == [request("b").digest]


def lines_of(*calls: dict[str, Any]) -> bytes:
    return gzip.compress("".join(json.dumps(each) + "\n" for each in calls).encode())


def recorded(**changes: Any) -> dict[str, Any]:
    call = {
        "digest": request().digest,
        "model": "local/tiny",
        "role": "supporter-answer",
        "form": "json-schema",
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "usd": 0.0},
        "value": {"answer": "Hm."},
    }
    return {**call, **changes}


@pytest.mark.parametrize(
    "change",
    [
        {"value": {"answer": 3}},
        {"role": "seeker"},
        {"usage": {"prompt_tokens": -1, "completion_tokens": 1, "usd": 0.0}},
        {"usage": {}},
        {"more": 1},
    ],
)
def test_a_recorded_call_that_was_tampered_with_is_refused(change: dict[str, Any]) -> None:
    ReplayModel(lines_of(recorded()), "calls.jsonl.gz")
    with pytest.raises(InputError, match=r"calls\.jsonl\.gz:1"):
        ReplayModel(lines_of(recorded(**change)), "calls.jsonl.gz")


def test_a_call_that_is_recorded_twice_is_refused() -> None:
    with pytest.raises(InputError, match="recorded twice"):
        ReplayModel(lines_of(recorded(), recorded(value={"answer": "Other."})), "calls.jsonl.gz")


def test_a_scripted_model_is_held_to_the_form_of_answers() -> None:
    with pytest.raises(ModelFault, match="fault-malformed"):
        asyncio.run(ScriptedModel(lambda _: {"reply": "Hm."}).complete(request()))


def test_the_digest_covers_everything_that_the_answer_follows_from() -> None:
    changes: list[dict[str, Any]] = [
        {},
        {"model": "local/other"},
        {"messages": (Message("user", "Other."),)},
        {"answer": PromptRole.SUPPORTER_BASELINE},
        {"temperature": 0.5},
        {"max_tokens": 100},
        {"seed": None},
        {"draw_seed": "draw-2"},
    ]
    assert len({request(**change).digest for change in changes}) == len(changes)
    player = RoleModel("local/tiny", 0.0, 200, 7)
    assert player.request(request().messages, PromptRole.SUPPORTER_ANSWER, "draw-1") == request()


@pytest.mark.thorough
def test_a_run_killed_at_random_moments_repeats_at_most_what_was_in_flight(tmp_path: Path) -> None:
    times: Counter[str] = Counter()
    chance = random.Random(5)

    async def respond(_: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        text = body["messages"][-1]["content"]
        times[text] += 1
        await asyncio.sleep(0.02)
        return answered({"answer": f"You said: {text}"})

    async def run() -> int:
        kills = 0
        async with Loopback(respond) as server:
            for name, kill in (("calls", True), ("whole", False)):
                while True:
                    before = sum(times.values())
                    child = await asyncio.create_subprocess_exec(
                        sys.executable, "-m", "tests.models.journalled_run", server.url, str(tmp_path / name), cwd=ROOT
                    )
                    while kill and kills < 3 and sum(times.values()) < before + chance.randint(15, 35):
                        await asyncio.sleep(0.002)
                    if kill and kills < 3:
                        kills += 1
                        child.kill()
                        await child.wait()
                        continue
                    assert await child.wait() == 0
                    break
                if kill:
                    repeated = sum(times.values()) - len(times)
                    assert max(times.values()) <= 1 + kills
                    assert repeated <= kills * CONCURRENCY
                    times.clear()
        return kills

    assert asyncio.run(run()) == 3
    assert len(times) == CALLS == sum(times.values())
    assert (tmp_path / "calls.gz").read_bytes() == (tmp_path / "whole.gz").read_bytes()


def test_openai_is_not_imported_before_a_call() -> None:
    script = "import sys; import esc_skills.models.chat, esc_skills.models.journal; sys.exit('openai' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0
