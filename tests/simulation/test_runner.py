"""Runs survive being killed: what had ended is kept, the rest is done again, and the bytes are those of a quiet run."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from esc_skills.documents.jsonl import json_lines
from esc_skills.errors import InputError
from esc_skills.simulation.runfile import Ending, RunFile, UnfinishedRun
from esc_skills.simulation.runner import Progress, run_in_memory, run_to_file, wait_for
from esc_skills.transcript import Transcript, read_transcripts
from tests.samples import transcript

SETTINGS: dict[str, Any] = {"seed": 1, "supporter": "scripted"}
ROOT = Path(__file__).parent.parent.parent


def episode(item: int) -> Transcript:
    return transcript(40, 41 + item % 9, profile=f"seeker-{item}", draw=item)


class Work:
    """Plays items after a pause that differs from one to the next, and remembers which were asked for."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.asked: list[int] = []
        self.fails_at = fails_at
        self.now = self.most = 0

    async def __call__(self, item: int) -> Transcript:
        self.asked.append(item)
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.001 * (item * 7 % 5))
        self.now -= 1
        if item == self.fails_at:
            raise RuntimeError(f"item {item} failed")
        return episode(item)


def run(
    path: Path,
    work: Work,
    count: int = 20,
    *,
    resume: bool = False,
    progress: Progress = lambda done, total: None,
    **settings: Any,
) -> tuple[Ending, ...]:
    file = RunFile(path)
    file.require(resume=resume)
    with UnfinishedRun(file, {**SETTINGS, **settings}, count, resume=resume) as unfinished:
        wait_for(run_to_file(unfinished, range(count), work, concurrency=4, progress=progress))
        return unfinished.finish()


def test_a_run_is_sorted_as_its_plan_however_it_went(tmp_path: Path) -> None:
    path = tmp_path / "out" / "run.jsonl"
    endings = run(path, Work())
    done = read_transcripts(path)
    assert [each.draw for each in done] == list(range(20))
    assert endings == tuple(Ending(each.termination, each.final_emotion) for each in done)
    assert path.read_text() == json_lines(episode(item).as_json() for item in range(20))
    assert list(path.parent.iterdir()) == [path]


def test_no_more_episodes_run_at_a_time_than_asked(tmp_path: Path) -> None:
    work = Work()
    run(tmp_path / "run.jsonl", work)
    assert work.most == 4
    assert sorted(work.asked) == list(range(20))


def test_progress_counts_up_to_the_whole(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    run(tmp_path / "run.jsonl", Work(), 3, progress=lambda done, total: told.append((done, total)))
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_the_same_episodes_come_in_memory() -> None:
    told: list[tuple[int, int]] = []
    done = wait_for(run_in_memory(range(5), Work(), concurrency=2, progress=lambda *counts: told.append(counts)))
    assert done == tuple(map(episode, range(5)))
    assert told == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]


def test_a_failure_is_raised_itself_and_what_had_ended_is_kept(tmp_path: Path) -> None:
    path, quiet = tmp_path / "run.jsonl", tmp_path / "quiet.jsonl"
    with pytest.raises(RuntimeError, match="item 11 failed"):
        run(path, Work(fails_at=11))
    assert not path.exists()
    kept = {json.loads(line)["at"] for line in RunFile(path).partial.read_text().split("\n")[1:-1]}
    again = Work()
    run(path, again, resume=True)
    run(quiet, Work())
    assert kept
    assert sorted(again.asked) == [item for item in range(20) if item not in kept]
    assert path.read_bytes() == quiet.read_bytes()
    assert not RunFile(path).partial.exists()


def unfinished(path: Path) -> Path:
    with pytest.raises(RuntimeError):
        run(path, Work(fails_at=11))
    return RunFile(path).partial


def test_a_resumed_run_refuses_other_settings_and_names_them(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    before = unfinished(path).read_bytes()
    with pytest.raises(InputError) as caught:
        run(path, Work(), resume=True, seed=2, extra="new")
    assert "was started with other settings: extra was None and is 'new'; seed was 1 and is 2" in str(caught.value)
    assert RunFile(path).partial.read_bytes() == before


def test_a_finished_or_unfinished_run_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    unfinished(path)
    with pytest.raises(InputError, match="an unfinished run is kept there") as caught:
        run(path, Work())
    assert "--resume" in caught.value.hint
    run(path, Work(), resume=True)
    with pytest.raises(InputError, match="exists already"):
        run(path, Work())
    with pytest.raises(InputError, match="has finished already"):
        run(path, Work(), resume=True)


def test_without_an_unfinished_run_there_is_nothing_to_resume(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no unfinished run is kept there"):
        run(tmp_path / "run.jsonl", Work(), resume=True)


@pytest.mark.parametrize("cut", [1, 7, 200])
def test_a_line_that_was_cut_off_is_done_again(cut: int, tmp_path: Path) -> None:
    path, quiet = tmp_path / "run.jsonl", tmp_path / "quiet.jsonl"
    partial = unfinished(path)
    partial.write_bytes(partial.read_bytes()[:-cut])
    run(path, Work(), resume=True)
    run(quiet, Work())
    assert path.read_bytes() == quiet.read_bytes()


@pytest.mark.parametrize("left", [0, 1, 30])
def test_a_run_that_was_killed_in_its_first_line_starts_anew(left: int, tmp_path: Path) -> None:
    path, quiet = tmp_path / "run.jsonl", tmp_path / "quiet.jsonl"
    partial = unfinished(path)
    partial.write_bytes(partial.read_bytes()[:left])
    run(path, Work(), resume=True)
    run(quiet, Work())
    assert path.read_bytes() == quiet.read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda lines: [b"{}", *lines[1:]], id="another first line"),
        pytest.param(lambda lines: [lines[0].replace(b'"settings"', b'"x"'), *lines[1:]], id="no settings"),
        pytest.param(lambda lines: [lines[0], b"{}", *lines[2:]], id="a line without an episode"),
        pytest.param(lambda lines: [lines[0], b"[]", *lines[2:]], id="a line that is a list"),
        pytest.param(lambda lines: [lines[0], lines[1][:-9], *lines[2:]], id="a line cut in the middle"),
        pytest.param(
            lambda lines: [lines[0], lines[1].replace(b'"at":', b'"at":9'), *lines[2:]], id="a place beyond the plan"
        ),
        pytest.param(lambda lines: [lines[0], lines[1], lines[1], *lines[2:]], id="a place twice"),
        pytest.param(lambda lines: [lines[0], b"\xff", *lines[2:]], id="bytes that are no text"),
        pytest.param(lambda lines: [b"some words of the person's own"], id="another file"),
    ],
)
def test_a_changed_unfinished_run_is_refused_and_left_alone(
    change: Callable[[list[bytes]], list[bytes]], tmp_path: Path
) -> None:
    path = tmp_path / "run.jsonl"
    partial = unfinished(path)
    changed = b"\n".join(change(partial.read_bytes().split(b"\n")))
    partial.write_bytes(changed)
    with pytest.raises(InputError, match=r"run\.jsonl\.partial"):
        run(path, Work(), resume=True)
    assert partial.read_bytes() == changed


#: A run in a process of its own, which the system kills after some seconds. Each episode that begins leaves a line, so
#: that the test can see what was done twice.
SCRIPT = """
import asyncio, os, signal, sys, threading
from pathlib import Path
from esc_skills.simulation.runfile import RunFile, UnfinishedRun
from esc_skills.simulation.runner import run_to_file, wait_for
from tests.simulation.test_runner import episode

path, log, seconds = Path(sys.argv[1]), os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND), float(sys.argv[3])

async def work(item):
    os.write(log, b"%d\\n" % item)
    await asyncio.sleep(0.002)
    return episode(item)

if seconds:
    killer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGKILL))
    killer.daemon = True
    killer.start()
with UnfinishedRun(RunFile(path), {"seed": 1}, 60, resume=RunFile(path).partial.exists()) as unfinished:
    wait_for(run_to_file(unfinished, range(60), work, concurrency=3, progress=lambda done, total: None))
    unfinished.finish()
"""


def run_for(path: Path, log: Path, seconds: float) -> int:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", SCRIPT, str(path), str(log), str(seconds)]
    return subprocess.run(command, env=environment, timeout=30, check=False).returncode


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().split(b"\n")[:-1] if path.exists() else []


@pytest.mark.thorough
def test_a_process_killed_at_any_moment_goes_on_where_it_was(tmp_path: Path) -> None:
    path, log = tmp_path / "run.jsonl", tmp_path / "log"
    chance = random.Random(7)
    moments = [chance.uniform(0.0001, 0.03) for _ in range(5)]
    ends = []
    for seconds in [*moments, 0]:
        kept = {json.loads(line)["at"] for line in lines_of(RunFile(path).partial)[1:]}
        begun = len(lines_of(log))
        ends.append(run_for(path, log, seconds))
        assert not kept & set(map(int, lines_of(log)[begun:]))
        if path.exists():
            break
    assert set(ends) <= {0, -signal.SIGKILL}
    assert -signal.SIGKILL in ends
    assert path.read_text() == json_lines(episode(item).as_json() for item in range(60))
