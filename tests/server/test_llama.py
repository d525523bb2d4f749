"""`simulate` and `replay` at llama.cpp's own server: its sockets, tokens and grammars, and a model that means nothing.

What the model says follows from chance and from the order of the calls. So no test expects how a conversation goes, but
that each ends in a way that has a name, and is scored if and only if the seeker ended it.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from esc_skills.documents.shipped import shipped
from esc_skills.transcript import Transcript, read_transcripts
from esc_skills.vocabulary import Termination
from tests.server.tiny_model import CONTEXT, write_model

STARTED_WITHIN, ENDED_WITHIN = 60.0, 150.0
NOWHERE = "http://127.0.0.1:9/v1"
BOTH = ("--supporter", "local/tiny", "--seeker", "local/tiny")
SEEKER_ALONE = ("--seeker", "local/tiny")


@contextmanager
def serving(folder: Path, *, context: int = CONTEXT, endless: bool = False) -> Iterator[str]:
    model, log = folder / "tiny.gguf", folder / "server.log"
    write_model(model, sorted(each.name for each in shipped("skills").iterdir()), endless=endless)
    command = [sys.executable, "-m", "llama_cpp.server", "--verbose", "False"]
    command += ["--model", str(model), "--n_ctx", str(context)]
    # These two variables come before its options. It takes a free port, and its log says which.
    environment = {**os.environ, "HOST": "127.0.0.1", "PORT": "0"}
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out, env=environment) as server:
        try:
            yield f"http://127.0.0.1:{port_of(server, log)}/v1"
        finally:
            server.kill()


def port_of(server: subprocess.Popen[bytes], log: Path) -> str:
    until = time.monotonic() + STARTED_WITHIN
    while time.monotonic() < until and server.poll() is None:
        if found := re.search(r"running on http://127\.0\.0\.1:(\d+)", log.read_text(errors="replace")):
            return found[1]
        time.sleep(0.1)
    pytest.fail(f"the server did not start:\n{log.read_text(errors='replace')[-2000:]}")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, own_home: Path) -> Path:
    folder = tmp_path_factory.mktemp("run")
    with serving(folder) as url:
        simulate(folder, url, *BOTH, "--draws", "8")
    return folder


def esc_skills(folder: Path, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "esc_skills", *arguments, "--format", "json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=ENDED_WITHIN, check=False)
    assert done.returncode == 0, done.stderr
    shown: dict[str, Any] = json.loads(done.stdout)
    return shown


def simulate(folder: Path, url: str, *options: str) -> dict[str, Any]:
    at = ("--endpoint", f"local={url}", "--concurrency", "4", "--out", "run.jsonl")
    return esc_skills(folder, "simulate", *at, *options)


def scored(episodes: list[Transcript]) -> list[int]:
    return [each.final_emotion for each in episodes if not each.termination.is_fault]


def test_every_episode_ends_and_is_scored_unless_a_fault_ended_it(run: Path) -> None:
    episodes = read_transcripts(run / "run.jsonl")
    [shown] = esc_skills(run, "score", "run.jsonl")["runs"]
    finals = scored(episodes)
    assert len(episodes) == 8
    assert (shown["episodes"], shown["faults"]) == (len(finals), 8 - len(finals))
    assert shown["score"] == (pytest.approx(fmean(finals)) if finals else None)
    assert shown["terminations"] == Counter(str(each.termination) for each in episodes)


def test_every_call_is_held_to_its_schema_in_the_form_that_the_server_takes(run: Path) -> None:
    calls = [json.loads(line) for line in gzip.decompress((run / "run.jsonl.calls.jsonl.gz").read_bytes()).splitlines()]
    answered = [each for each in calls if "value" in each]
    assert {each["form"] for each in answered} == {"json-object-schema"}
    assert all(each["usage"]["prompt_tokens"] > 1000 for each in answered)


def test_a_replay_without_the_server_is_equal_to_the_byte(run: Path) -> None:
    options = (*BOTH, "--draws", "8", "--endpoint", f"local={NOWHERE}", "--out", "again.jsonl")
    esc_skills(run, "replay", "run.jsonl.calls.jsonl.gz", *options)
    assert (run / "again.jsonl").read_bytes() == (run / "run.jsonl").read_bytes()


@pytest.mark.parametrize(("roles", "answers"), [(BOTH, 0), (SEEKER_ALONE, 1)])
def test_a_prompt_that_is_too_long_for_the_server_ends_the_episode_with_a_fault_of_its_own(
    tmp_path: Path, roles: tuple[str, ...], answers: int
) -> None:
    with serving(tmp_path, context=1024) as url:
        shown = simulate(tmp_path, url, *roles, "--draws", "3")
    episodes = read_transcripts(tmp_path / "run.jsonl")
    assert {each.termination for each in episodes} == {Termination.FAULT_CONTEXT}
    assert [sum(turn.supporter is not None for turn in each.turns) for each in episodes] == [answers] * 3
    assert (shown["episodes"], shown["faults"], shown["score"]) == (3, 3, None)


def test_a_model_that_comes_to_no_end_is_cut_off_and_never_scored(tmp_path: Path) -> None:
    with serving(tmp_path, endless=True) as url:
        shown = simulate(tmp_path, url, *BOTH, "--draws", "3")
    assert {each.termination for each in read_transcripts(tmp_path / "run.jsonl")} == {Termination.FAULT_CUT_OFF}
    assert (shown["episodes"], shown["faults"], shown["score"]) == (3, 3, None)
