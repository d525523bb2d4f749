"""`discover extract --annotator` and `discover draft --analyst` at a real server on loopback."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from esc_skills.bank.reader import read_bank, read_files
from esc_skills.cli.main import run
from esc_skills.corpora.dialogue import Dialogue, Utterance
from esc_skills.corpora.dialogue_files import line_of
from esc_skills.discovery.prototypes import Prototype
from esc_skills.discovery.units import Source, Unit, read_units
from esc_skills.documents.jsonl import canonical_json
from esc_skills.vocabulary import HiddenIntention, Language, Speaker, Strategy
from tests.cli.serving import KEY, Server, text_of
from tests.conftest import Git
from tests.discovery.test_annotate import ANSWER as ANNOTATION
from tests.discovery.test_distil import ANSWER as DISTILLED
from tests.discovery.test_distil import HARMFUL, HELPFUL, prototype
from tests.models.loopback import answered, completion, refused

Capture = pytest.CaptureFixture[str]
DIALOGUES, LATENCY, CONCURRENCY = 30, 0.02, 4


async def annotate(_: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """Answer as an annotator who keeps to the form."""
    return answered(answer_to(text_of(body)))


def answer_to(prompt: str) -> dict[str, Any]:
    """An annotation that differs with the prompt, and quotes the reply."""
    chance = hashlib.sha256(prompt.encode()).digest()
    return {**ANNOTATION, "effect": chance[0] % 5 - 2, "confidence": chance[1] % 5 + 1, "ground": reply_in(prompt)}


def reply_in(prompt: str) -> str:
    return prompt.partition("⟦reply⟧\n")[2].partition("\n⟦/reply⟧")[0]


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    server = Server(annotate)
    yield server
    server.close()


@pytest.fixture
def server(running: Server) -> Server:
    running.respond = annotate
    running.asked.clear()
    return running


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEST_KEY", KEY)


@pytest.fixture
def dialogues(tmp_path: Path) -> Path:
    """Dialogues of two units each; the first of them has a rating and a label."""
    path = tmp_path / "dialogues.jsonl"
    path.write_bytes(b"".join(line_of(each) for each in map(_dialogue, range(DIALOGUES))))
    return path


def _dialogue(at: int) -> Dialogue:
    said = [f"Trouble {at} began.", "Go on.", f"It went on, {at}.", "How does that feel?", f"Heavy, {at}."]
    speakers = [Speaker.SEEKER, Speaker.SUPPORTER] * 3
    utterances = [Utterance(speaker, text) for speaker, text in zip(speakers, said, strict=False)]
    if at == 0:
        utterances[1] = Utterance(Speaker.SUPPORTER, said[1], strategies=(Strategy.QUESTION,))
        utterances[2] = Utterance(Speaker.SEEKER, said[2], feedback=5)
    return Dialogue(f"d-{at}", "corpus", Language.ENGLISH, tuple(utterances))


def extract(server: Server, dialogues: Path, out: Path, *more: str) -> list[str]:
    endpoint = ["--annotator", "local/tiny", "--endpoint", f"local={server.url},TEST_KEY"]
    return ["discover", "extract", str(dialogues), "--out", str(out), *endpoint, *more]


def units_in(path: Path) -> list[Unit]:
    return list(read_units([path]))


def shown_json(capsys: Capture) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(capsys.readouterr().out)
    return value


# --- The annotator -----------------------------------------------------------------------------------------------------


def test_each_unit_is_one_call_and_what_people_said_stays(
    server: Server, dialogues: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "units.jsonl"
    assert run(extract(server, dialogues, out, "--format", "json")) == 0
    units = units_in(out)
    assert len(units) == len(server.asked) == 2 * DIALOGUES
    assert [each.dialogue for each in units] == [f"d-{at // 2}" for at in range(2 * DIALOGUES)]
    assert Counter(each.source for each in units) == {Source.FEEDBACK: 1, Source.MODEL: 2 * DIALOGUES - 1}
    assert units[0].action.strategies == (Strategy.QUESTION,)
    assert {each.before.need for each in units} == {HiddenIntention.NO_BLAME}
    told = shown_json(capsys)
    calls = f"{out}.calls.jsonl.gz"
    assert told["annotator"] == {"model": "local/tiny", "units": 2 * DIALOGUES, "faults": {}, "calls": calls}
    assert told["outcome_from"] == {"model": 2 * DIALOGUES - 1, "feedback": 1}
    kept = gzip.decompress(Path(calls).read_bytes()).decode().splitlines()
    assert len(kept) == 2 * DIALOGUES and '"ground":' in kept[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "dialogues.jsonl",
        "units.jsonl",
        "units.jsonl.calls.jsonl.gz",
    ]


def test_equal_answers_give_equal_bytes_however_many_calls_are_in_flight(
    server: Server, dialogues: Path, tmp_path: Path
) -> None:
    async def late(_: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        prompt = text_of(body)
        await asyncio.sleep(hashlib.sha256(prompt.encode()).digest()[2] / 25_000)
        return answered(answer_to(prompt))

    assert run(extract(server, dialogues, tmp_path / "one.jsonl", "--concurrency", "1")) == 0
    server.respond = late
    assert run(extract(server, dialogues, tmp_path / "many.jsonl")) == 0
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "many.jsonl").read_bytes()


def test_units_whose_answers_cannot_be_used_are_counted_and_keep_their_reading(
    server: Server, dialogues: Path, tmp_path: Path, capsys: Capture
) -> None:
    async def faulty(_: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        prompt = text_of(body)
        if "Heavy, 3." in prompt:
            return completion("I would rather not say.")
        if "Heavy, 5." in prompt:
            return answered({**ANNOTATION, "ground": "what a relief"})
        return answered(answer_to(prompt))

    server.respond = faulty
    assert run(extract(server, dialogues, tmp_path / "units.jsonl")) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "2 of 60 units keep their offline reading" in shown
    assert "(1 fault-malformed, 1 unfounded)" in shown
    assert run(["discover", "extract", str(dialogues), "--out", str(tmp_path / "offline.jsonl")]) == 0
    units, offline = units_in(tmp_path / "units.jsonl"), units_in(tmp_path / "offline.jsonl")
    assert [units[7], units[11]] == [offline[7], offline[11]]
    assert sum(each.source is Source.READING for each in units) == 2
    asked = Counter(text_of(body) for body in server.asked)
    assert {times for prompt, times in asked.items() if "Heavy, 3." in prompt} == {3}


@pytest.mark.thorough
def test_a_killed_run_goes_on_without_repeating_a_finished_call(
    server: Server, dialogues: Path, tmp_path: Path
) -> None:
    whole, killed = tmp_path / "whole.jsonl", tmp_path / "killed.jsonl"
    assert run(extract(server, dialogues, whole)) == 0
    once = Counter(text_of(body) for body in server.asked)
    server.asked.clear()

    least = 0

    async def slow(call: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        await asyncio.sleep(LATENCY)
        while len(server.asked) >= least > 0:  # however busy this machine is, none is through before it is killed
            await asyncio.sleep(0.002)
        return await annotate(call, body)

    server.respond = slow
    more = ["--concurrency", str(CONCURRENCY)]
    for kill, end in enumerate((signal.SIGKILL, signal.SIGINT, signal.SIGKILL)):
        arguments = extract(server, dialogues, killed, *more, *(["--resume"] if kill else []))
        least, deadline = len(server.asked) + 12, time.monotonic() + 60
        child = subprocess.Popen([sys.executable, "-m", "esc_skills", *arguments], stderr=subprocess.PIPE, text=True)
        while len(server.asked) < least:
            assert child.poll() is None, child.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.002)
        child.send_signal(end)
        least = 0
        _, told = child.communicate(timeout=60)
        assert (child.returncode, "--resume" in told) == ((130, True) if end is signal.SIGINT else (-9, False)), told
        assert not killed.exists() and Path(f"{killed}.journal").exists()
    assert run(extract(server, dialogues, killed, *more, "--resume")) == 0
    assert killed.read_bytes() == whole.read_bytes()
    again = Counter(text_of(body) for body in server.asked) - once
    assert again.total() <= 3 * CONCURRENCY  # what was in flight, and nothing that was finished
    assert set(once) == {text_of(body) for body in server.asked}


def test_an_unfinished_run_is_not_begun_anew_nor_one_resumed_that_is_not_there(
    server: Server, dialogues: Path, tmp_path: Path, capsys: Capture
) -> None:
    async def wrong_key(_: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return (
            refused(401, f"Incorrect API key provided: {KEY}")
            if "Heavy, 9." in text_of(body)
            else answered(answer_to(text_of(body)))
        )

    out = tmp_path / "units.jsonl"
    assert run(extract(server, dialogues, out, "--resume")) == 2
    assert "no unfinished run is kept there" in capsys.readouterr().err
    server.respond = wrong_key
    assert run(extract(server, dialogues, out)) == 2
    err = capsys.readouterr().err
    assert f"is kept in {out}.journal; go on with the same command and --resume" in err
    assert KEY not in err
    assert not out.exists()
    server.respond = annotate
    assert run(extract(server, dialogues, out)) == 2
    assert "add --resume, or delete it" in capsys.readouterr().err
    asked = len(server.asked)
    assert run(extract(server, dialogues, out, "--resume")) == 0
    assert 0 < len(server.asked) - asked < 2 * DIALOGUES


def test_a_budget_ends_the_run_and_more_of_it_goes_on(
    server: Server, dialogues: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "units.jsonl"
    assert run(extract(server, dialogues, out, "--budget-tokens", "9000", "--concurrency", "2")) == 2
    assert "--resume" in capsys.readouterr().err
    assert 0 < len(server.asked) < 2 * DIALOGUES
    assert run(extract(server, dialogues, out, "--resume")) == 0


def test_units_that_an_endpoint_left_unanswered_are_asked_about_again(
    server: Server, dialogues: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("esc_skills.models.limits.Backoff.wait", lambda *_: 0.0)

    async def fails(_: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return refused(503, "overloaded") if "Heavy, 7." in text_of(body) else answered(answer_to(text_of(body)))

    out = tmp_path / "units.jsonl"
    server.respond = fails
    assert run(extract(server, dialogues, out)) == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert "1 of 60 units keep their offline reading" in shown and "(1 fault-endpoint)" in shown
    assert "1 of them were not answered by their endpoint: ask again with the same command and --resume" in shown
    assert units_in(out)[15].source is Source.READING
    server.respond, asked = annotate, len(server.asked)
    assert run(extract(server, dialogues, out, "--resume")) == 0
    assert len(server.asked) == asked + 1
    assert units_in(out)[15].source is Source.MODEL


def test_the_key_is_in_no_output_and_in_no_file(
    server: Server, dialogues: Path, tmp_path: Path, capsys: Capture
) -> None:
    assert run(extract(server, dialogues, tmp_path / "units.jsonl", "--log", str(tmp_path / "log.jsonl"))) == 0
    shown = capsys.readouterr()
    assert KEY not in shown.out + shown.err
    files = [path.read_bytes() for path in tmp_path.iterdir()]
    assert len(files) == 4 and not any(KEY.encode() in each for each in files)


# --- The analyst -------------------------------------------------------------------------------------------------------

PROTOTYPES = (HELPFUL, prototype(need=HiddenIntention.NO_BLAME), HARMFUL)
NAMES = {"be-heard": "name-the-weight", "no-blame": "leave-blame-aside"}


def write_prototypes(path: Path, *prototypes: Prototype) -> Path:
    path.write_text("".join(canonical_json(each.as_json()) + "\n" for each in prototypes or PROTOTYPES))
    return path


async def distil(_: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """Answer as an analyst who keeps to the form."""
    return answered({**DISTILLED, "name": NAMES[need_of(body)]})


def need_of(body: dict[str, Any]) -> str:
    found = re.search(r"seekers who need `([a-z-]+)`", text_of(body))
    assert found
    return found[1]


def draft(server: Server, prototypes: Path, *more: str) -> list[str]:
    endpoint = ["--analyst", "local/tiny", "--endpoint", f"local={server.url},TEST_KEY"]
    return ["discover", "draft", str(prototypes), *endpoint, "--language", "en", *more]


@pytest.fixture
def prototypes(tmp_path: Path) -> Path:
    return write_prototypes(tmp_path / "prototypes.jsonl")


def to_folder(tmp_path: Path) -> list[str]:
    """Options that draft into a folder beside a bank with nothing for these needs."""
    return ["--skills", "none", "--out", str(tmp_path / "drafts")]


@pytest.fixture
def analyst(server: Server) -> Server:
    server.respond = distil
    # `wait-a-little`, which the answer refers to, is no skill of the banks here.
    return server


@pytest.fixture(autouse=True)
def without_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DISTILLED, "when_not_to_use", ["They ask what to do."])


def test_each_subject_is_one_call_and_each_answer_a_skill(
    analyst: Server, prototypes: Path, tmp_path: Path, capsys: Capture
) -> None:
    assert run(draft(analyst, prototypes, *to_folder(tmp_path))) == 0
    assert sorted(map(need_of, analyst.asked)) == ["be-heard", "no-blame"]
    bank = read_bank(read_files(tmp_path / "drafts"), "drafts").skills
    assert set(bank) == set(NAMES.values())
    assert all(each.description.endswith(" DRAFT.") for each in bank.values())
    shown = capsys.readouterr()
    assert "2 drafts" in shown.out and "analyst local/tiny: " in shown.out
    assert KEY not in shown.out + shown.err
    assert not list(tmp_path.glob("*.journal"))


def test_a_draft_lies_on_a_branch_of_its_own(
    analyst: Server, tmp_path: Path, repository: Path, git: Git, capsys: Capture
) -> None:
    # No shipped skill has this need and strategy.
    file = write_prototypes(tmp_path / "one.jsonl", prototype(strategy=Strategy.INFORMATION), HARMFUL)
    assert run(draft(analyst, file, "--repo", str(repository), "--format", "json")) == 0
    (told,) = shown_json(capsys)["drafts"]
    assert (told["name"], told["place"], told["revises"]) == ("name-the-weight", "draft/name-the-weight", None)
    text = git(repository, "show", "draft/name-the-weight:skills/name-the-weight/SKILL.md")
    assert 'say how heavy it is. Emotional support. DRAFT."' in text and "`respond-to-suicide-risk`" in text
    assert git(repository, "status", "--porcelain") == ""


def test_a_skill_of_the_bank_is_revised_on_a_branch(
    analyst: Server, tmp_path: Path, repository: Path, git: Git, capsys: Capture
) -> None:
    async def keep(_: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        prompt = text_of(body)
        standing = json.loads(prompt.partition("⟦parts of the skill⟧\n")[2].partition("\n⟦/parts of the skill⟧")[0])
        name = prompt.partition("⟦name of the skill⟧\n")[2].partition("\n")[0]
        return answered({**DISTILLED, **standing, "name": name, "guidance": [*standing["guidance"], "Stay a moment."]})

    analyst.respond = keep
    file = write_prototypes(tmp_path / "one.jsonl", HELPFUL, HARMFUL)
    assert run(draft(analyst, file, "--repo", str(repository), "--format", "json")) == 0
    (told,) = shown_json(capsys)["drafts"]
    path = f"skills/{told['name']}/SKILL.md"
    changed = git(repository, "diff", "--unified=0", "main", told["place"], "--", path).splitlines()
    added = [line for line in changed if line.startswith("+") and not line.startswith("+++")]
    assert [line.split(":")[0].split(".")[0] for line in added[:2]] == ["+  version", "+  esc-provenance"]
    assert added[2].endswith(". Stay a moment.") and len(added) == 3


def test_only_asks_for_what_is_named(analyst: Server, prototypes: Path, tmp_path: Path, capsys: Capture) -> None:
    only = [*to_folder(tmp_path), "--only", "draft-reflect-no-blame"]
    assert run(draft(analyst, prototypes, *only)) == 0
    assert list(map(need_of, analyst.asked)) == ["no-blame"]
    assert run(draft(analyst, prototypes, *to_folder(tmp_path), "--only", "leave-blame-aside")) == 2
    assert "there are draft-reflect-be-heard, draft-reflect-no-blame" in " ".join(capsys.readouterr().err.split())


def test_a_refused_answer_is_told_with_what_to_do_and_nothing_stands_in(
    analyst: Server, prototypes: Path, tmp_path: Path, capsys: Capture
) -> None:
    async def respond(call: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if need_of(body) == "no-blame":
            copied = "They say: my neighbour keeps a parrot that screams at four."
            return answered({**DISTILLED, "when_to_use": [copied]})
        return completion("Sorry.")

    analyst.respond = respond
    assert run(draft(analyst, prototypes, *to_folder(tmp_path))) == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert "it copies 'my neighbour keeps a parrot that screams at four' from an exemplar" in shown
    assert "the analyst gave no skill: fault-malformed" in shown
    assert "no offline draft stands in for those" in shown and "--only" in shown
    assert not (tmp_path / "drafts").exists()


def test_an_interrupted_run_of_the_analyst_asks_only_what_was_not_answered(
    analyst: Server, prototypes: Path, tmp_path: Path, capsys: Capture
) -> None:
    async def respond(call: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if need_of(body) == "no-blame":
            await asyncio.sleep(0.2)
            return refused(401, "no such key")
        return await distil(call, body)

    analyst.respond = respond
    assert run(draft(analyst, prototypes, *to_folder(tmp_path))) == 2
    assert not (tmp_path / "drafts").exists()
    assert f"is kept in {prototypes}.drafts.journal; go on with the same" in capsys.readouterr().err
    analyst.respond, asked = distil, len(analyst.asked)
    assert run(draft(analyst, prototypes, *to_folder(tmp_path), "--resume")) == 0
    assert list(map(need_of, analyst.asked[asked:])) == ["no-blame"]
    assert len(read_files(tmp_path / "drafts")) == 2


def test_drafts_that_find_no_room_cost_no_answer(
    analyst: Server, prototypes: Path, tmp_path: Path, capsys: Capture
) -> None:
    in_the_way = tmp_path / "drafts" / "name-the-weight"
    in_the_way.parent.mkdir()
    in_the_way.write_text("")
    assert run(draft(analyst, prototypes, *to_folder(tmp_path))) == 2
    assert f"is kept in {prototypes}.drafts.journal; go on with the same" in capsys.readouterr().err
    in_the_way.unlink()
    assert run(draft(analyst, prototypes, *to_folder(tmp_path), "--resume")) == 0
    assert len(analyst.asked) == 2
    assert not list(tmp_path.glob("*.journal"))


def test_a_budget_that_is_used_up_is_no_answer_of_the_analyst(
    analyst: Server, prototypes: Path, tmp_path: Path, capsys: Capture
) -> None:
    assert run(draft(analyst, prototypes, *to_folder(tmp_path), "--budget-tokens", "900")) == 2
    shown = capsys.readouterr()
    assert "--budget-tokens 900" in shown.err and shown.out == ""
    assert analyst.asked == []


@pytest.mark.parametrize(("command", "role"), [("extract", "annotator"), ("draft", "analyst")])
def test_the_surrogate_neither_annotates_nor_writes(
    command: str, role: str, dialogues: Path, prototypes: Path, tmp_path: Path, capsys: Capture
) -> None:
    file = dialogues if command == "extract" else prototypes
    assert run(["discover", command, str(file), f"--{role}", "surrogate", "--out", str(tmp_path / "out")]) == 2
    assert f"the surrogate is no {role}" in capsys.readouterr().err
