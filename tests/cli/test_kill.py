"""`kill -9` of `simulate` at any moment: a resumed run ends in the same bytes, and asks nothing again that it has used."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from tests.cli import warm
from tests.cli.serving import KEY, Server, answer_to, simulation, text_of
from tests.models.loopback import completion

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerProcess

KILLS, CONCURRENCY, EPISODES, LATENCY = 20, 8, 14, 0.02
_MARK = re.compile(r"#([0-9a-f]{12})")


class Witness:
    """Answers slowly, each body with a mark of its own in the words, and keeps what came in each life of the client.

    A later call that holds the mark shows that the client used the answer, which has to be on its disk by then.

    Attributes:
        lives: How often each body came, by life.
        used: The marks of the answers that some call has shown to be used.
        again: The marks of bodies that came though their answer had been used.
    """

    def __init__(self) -> None:
        self.lives: list[Counter[str]] = [Counter()]
        self.used: set[str] = set()
        self.again: list[str] = []

    async def __call__(self, _: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        mark = hashlib.sha256(json.dumps(body).encode()).hexdigest()[:12]
        if mark in self.used:
            self.again.append(mark)
        self.used.update(_MARK.findall(text_of(body)))
        self.lives[-1][mark] += 1
        await asyncio.sleep(LATENCY * random.Random(mark).uniform(0.4, 1.6))
        answer = answer_to(body, change=int(mark, 16) % 6)
        for key in ("meant", "reply", "answer"):
            if key in answer:
                answer[key] = f"{answer[key]} #{mark}"
        return completion(json.dumps(answer))

    @property
    def times(self) -> Counter[str]:
        """How often each body came."""
        return sum(self.lives, Counter())


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("TEST_KEY", KEY)
    server = Server()
    yield server
    server.close()


def begin(url: str, out: Path) -> ForkServerProcess:
    """Start `simulate`, with `--resume` where an earlier one left something."""
    left = [out.with_name(out.name + end) for end in (".partial", ".journal")]
    resume = ["--resume"] if any(each.exists() for each in left) else []
    arguments = simulation(url, out, "--seed", "3", "--concurrency", str(CONCURRENCY), *resume, draws=EPISODES)
    return warm.start(arguments, out.parent, told(out))


def told(out: Path) -> Path:
    """Where the children of a run leave what they say on standard error."""
    return out.parent.with_suffix(".err")


def finish(url: str, out: Path) -> None:
    child = begin(url, out)
    child.join(60)
    assert child.exitcode == 0, told(out).read_text()


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.thorough
def test_twenty_kills_change_no_byte_and_repeat_only_what_was_in_flight(tmp_path: Path, server: Server) -> None:
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    whole = server.respond = Witness()
    finish(server.url, tmp_path / "whole" / "run.jsonl")
    once = {mark for mark, times in whole.times.items() if times == 1}  # two seekers may begin with the same words
    assert len(once) > 0.8 * whole.times.total() > 400

    killed = server.respond = Witness()
    chance = random.Random(11)
    for _ in range(KILLS):
        child = begin(server.url, tmp_path / "killed" / "run.jsonl")
        most, deadline = chance.randint(0, 36), time.monotonic() + chance.choice((0.02, 0.1, 0.2, 20, 20, 20, 20))
        while killed.lives[-1].total() < most and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(chance.uniform(0, LATENCY))
        assert child.is_alive(), told(tmp_path / "killed" / "run.jsonl").read_text()
        child.kill()
        child.join()
        assert child.exitcode == -signal.SIGKILL
        killed.lives.append(Counter())
    assert not (tmp_path / "killed" / "run.jsonl").exists()
    finish(server.url, tmp_path / "killed" / "run.jsonl")

    assert files(tmp_path / "killed") == files(tmp_path / "whole")
    assert set(files(tmp_path / "whole")) == {"run.jsonl", "run.jsonl.calls.jsonl.gz"}
    assert set(killed.times) == set(whole.times)
    assert not once.intersection(killed.again)
    repeated = killed.times - whole.times
    assert 0 < repeated.total() <= KILLS * CONCURRENCY
    for life, later in zip(killed.lives, range(1, len(killed.lives)), strict=False):
        # What one kill lost was in flight then: at most so many calls, and each once in a life.
        lost = [mark for mark in once.intersection(life) if any(mark in each for each in killed.lives[later:])]
        assert len(lost) <= CONCURRENCY
        assert all(life[mark] == 1 for mark in once.intersection(life))
