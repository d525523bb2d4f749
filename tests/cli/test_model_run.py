"""A run of models that ends early: the answers are kept, the person is told where, and the same command goes on."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from esc_skills.cli.main import run
from esc_skills.cli.model_options import ModelOptions
from esc_skills.cli.model_run import ModelRun, RunFiles, files_beside
from esc_skills.documents.jsonl import json_lines
from esc_skills.errors import FaultyRunError, InputError
from esc_skills.models.request import ModelFault
from tests.cli.serving import KEY, Server
from tests.models.loopback import answered, completion, request
from tests.runs import run_of
from tests.samples import write_skill

Capture = pytest.CaptureFixture[str]


async def answer(_: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """Answer every call with the same words."""
    return completion(json.dumps({"answer": "There is time."}))


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def server(running: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEST_KEY", KEY)
    running.respond = answer
    running.asked.clear()
    return running


@pytest.fixture
def files(tmp_path: Path) -> RunFiles:
    return files_beside(tmp_path / "out.json")


def options(server: Server, *, resume: bool = False, log: Path | None = None) -> ModelOptions:
    endpoint = f"local={server.url},TEST_KEY"
    return ModelOptions((endpoint,), 4, None, None, None, None, 9.0, resume=resume, log=log, supporter="local/tiny")


def ask(server: Server, files: RunFiles, *texts: str, end: BaseException | None = None, resume: bool = False) -> None:
    """Ask, in a run that may end with an error after it was answered."""
    with ModelRun(options(server, resume=resume), files, {}) as models:

        async def work() -> None:
            assert models.session
            for text in texts:
                await models.session.complete(request(text))
            if end:
                raise end
            models.export()

        models.wait_for(work)


def test_a_good_end_leaves_the_exported_calls_alone(server: Server, files: RunFiles, tmp_path: Path) -> None:
    ask(server, files, "one", "two")
    assert [path.name for path in tmp_path.iterdir()] == ["out.json.calls.jsonl.gz"]


def test_an_interrupt_always_says_where_the_answers_are(server: Server, files: RunFiles, capsys: Capture) -> None:
    for texts in ((), ("one",)):
        with pytest.raises(KeyboardInterrupt):
            ask(server, files, *texts, end=KeyboardInterrupt())
        err = capsys.readouterr().err
        assert err.startswith("what was done so far (")
        assert err.endswith(f"is kept in {files.journal}; go on with the same command and --resume\n")
    ask(server, files, "one", resume=True)
    assert len(server.asked) == 1


def test_a_disk_that_is_full_costs_no_answer(server: Server, files: RunFiles, capsys: Capture) -> None:
    with pytest.raises(OSError, match="No space"):
        ask(server, files, "one", end=OSError(28, "No space left on device"))
    assert f"is kept in {files.journal}; go on with" in capsys.readouterr().err
    ask(server, files, "one", resume=True)
    assert len(server.asked) == 1


def test_an_error_says_in_its_hint_where_the_answers_are_and_how_to_go_on_once(
    server: Server, files: RunFiles, capsys: Capture
) -> None:
    found, how = f"is kept in {files.journal}", "; go on with the same command and --resume"
    hints = {"set the key": True, "": True, "raise the budget and go on with --resume": False}
    for hint, said in hints.items():
        files.journal.unlink(missing_ok=True)
        with pytest.raises(InputError) as caught:
            ask(server, files, "one", end=InputError("it broke", hint))
        assert caught.value.hint.startswith(f"{hint}; what was done" if hint else "what was done")
        assert caught.value.hint.endswith(found + how if said else found)
    assert capsys.readouterr().err == ""


def test_nothing_is_said_of_a_run_without_an_answer_or_of_a_file_that_the_error_names(
    server: Server, files: RunFiles
) -> None:
    with pytest.raises(InputError) as caught:
        ask(server, files, end=InputError("it broke", "mend it"))
    assert caught.value.hint == "mend it"
    with pytest.raises(InputError):
        ask(server, files, "one", end=InputError("it broke"))
    with pytest.raises(InputError, match="calls of an unfinished run are kept there") as caught:
        ask(server, files, "one")
    assert caught.value.hint == "add --resume, or delete it"


def test_faults_of_a_run_too_faulty_to_learn_from_are_asked_again(server: Server, files: RunFiles) -> None:
    async def respond(_: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return completion("hm" if "two" in str(body) else json.dumps({"answer": "There is time."}))

    async def work() -> None:
        assert models.session
        await models.session.complete(request("one"))
        try:
            await models.session.complete(request("two"))
        except ModelFault as fault:
            raise FaultyRunError("half of it is of no use") from fault

    server.respond = respond
    with pytest.raises(FaultyRunError) as caught, ModelRun(options(server), files, {}) as models:
        models.wait_for(work)
    assert f"is kept in {files.journal}; go on with" in caught.value.hint
    server.respond = answer
    server.asked.clear()
    ask(server, files, "one", "two", resume=True)
    (body,) = server.asked
    assert "two" in str(body)


def test_calls_that_an_endpoint_left_unanswered_keep_the_journal(server: Server, files: RunFiles) -> None:
    with ModelRun(options(server), files, {}) as models:
        models.unanswered += 1

        async def work() -> None:
            assert models.session
            await models.session.complete(request("one"))

        models.wait_for(work)
    assert files.journal.exists()


def test_no_run_is_resumed_that_is_not_there(server: Server, files: RunFiles) -> None:
    with pytest.raises(InputError, match="no unfinished run is kept there"):
        ask(server, files, "one", resume=True)
    assert server.asked == []


def test_the_log_is_no_file_of_the_run(server: Server, files: RunFiles, tmp_path: Path) -> None:
    for log in (files.journal, files.calls, tmp_path / "out.json"):
        with pytest.raises(InputError, match="is a file of the run itself"):
            ModelRun(options(server, log=log), files, {})
    assert list(tmp_path.iterdir()) == []


def test_without_a_model_nothing_is_opened_kept_or_said(files: RunFiles, tmp_path: Path, capsys: Capture) -> None:
    nobody = ModelOptions((), 4, None, None, None, None, 9.0, resume=False, log=None, supporter="surrogate")

    async def work() -> str:
        return "done"

    with ModelRun(nobody, files, {}) as models:
        assert models.wait_for(work) == "done"
        models.export(3, "episodes")
    models.say_spent()
    shown = capsys.readouterr()
    assert (models.session, models.model, models.status()) == (None, None, "")
    assert (shown.out, shown.err, list(tmp_path.iterdir())) == ("", "", [])


# --- `diagnose`, whose analyst is asked once -----------------------------------------------------------------------------


@pytest.fixture
def diagnosis(server: Server, tmp_path: Path) -> list[str]:
    write_skill(tmp_path / "bank")
    (tmp_path / "run.jsonl").write_text(json_lines(each.as_json() for each in run_of(-5, -6)), encoding="utf-8")
    models = ["--analyst", "local/tiny", "--endpoint", f"local={server.url},TEST_KEY"]
    return ["diagnose", "run.jsonl", "--skills", "bank", *models]


async def find_nothing(_: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    return answered({"findings": []})


def test_what_a_diagnosis_took_is_said(server: Server, diagnosis: list[str], tmp_path: Path, capsys: Capture) -> None:
    server.respond = find_nothing
    assert run([*diagnosis, "--format", "json"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["episodes"] == 1
    assert shown.err.startswith("spent: ")
    assert not list(tmp_path.glob("*.journal"))


def test_a_diagnosis_of_no_use_is_in_nobodys_way(server: Server, diagnosis: list[str], capsys: Capture) -> None:
    assert run(diagnosis) == 2
    err = capsys.readouterr().err
    assert "gave no diagnosis: fault-malformed" in err and "--resume" not in err
    server.respond = find_nothing
    assert run(diagnosis) == 0


def test_an_interrupted_diagnosis_says_where_its_answers_are(server: Server, diagnosis: list[str]) -> None:
    async def late(call: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        while not interrupted.is_set():
            await asyncio.sleep(0.01)
        return await find_nothing(call, body)

    interrupted = threading.Event()
    server.respond = late
    child = subprocess.Popen([sys.executable, "-m", "esc_skills", *diagnosis], stderr=subprocess.PIPE, text=True)
    while not server.asked:
        assert child.poll() is None
        time.sleep(0.01)
    child.send_signal(signal.SIGINT)
    interrupted.set()
    _, err = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "is kept in run.jsonl.analysis.journal; go on with the same command and --resume" in err
    server.asked.clear()
    assert run([*diagnosis, "--resume"]) == 0
    assert server.asked == []  # the call that was in flight was waited for
