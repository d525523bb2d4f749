"""Measure `verify` of a proposal that language models played: `python bench/verify.py`.

A loopback server plays supporter and seeker of 200 pairs for `esc-skills evidence collect`, with emotion changes that show no
effect, so that no draw is saved; then the proposal is verified without it. Printed are the calls and the size of what was
recorded, and the wall time and the largest resident memory of `verify`. About two minutes.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from esc_skills.documents.jsonl import decompress
from esc_skills.documents.shipped import shipped

SAID = (
    "I had not thought of it like that, and the evening looks a little different now.",
    "My sister rang yesterday and I let it ring, because I would not have known what to say.",
    "It is the mornings that are worst; by noon I can pretend.",
    "That sounds as if you had been carrying this for both of you for a long while.",
    "You kept the appointment although everything in you wanted to stay in bed.",
)


def serve() -> None:
    """Answer every call at once; what is said differs from call to call, and no change follows from the skill."""
    from aiohttp import web

    numbers = itertools.count(1)

    def said(number: int) -> str:
        return " ".join(SAID[(number * step) % len(SAID)] for step in (1, 2, 3)) + f" That was {number} days ago."

    async def answer(request: web.Request) -> web.Response:
        asked = await request.json()
        number = next(numbers)
        value = {
            "supporter-select": {"reason": said(number), "skill": "ease-self-blame"},
            "supporter-answer": {"answer": said(number)},
            "seeker-appraisal": {
                "meant": said(number),
                "met": "partly",
                "feels": said(number + 1),
                "change": number % 7,
            },
            "seeker-reply": {"reply": said(number), "farewell": False},
        }[asked["response_format"]["json_schema"]["name"]]
        message = {"role": "assistant", "content": json.dumps(value)}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        usage = {"prompt_tokens": 1500, "completion_tokens": 90, "total_tokens": 1590}
        return web.json_response({"id": "1", "object": "chat.completion", "choices": [choice], "usage": usage})

    async def run() -> None:
        application = web.Application(client_max_size=10**8)
        application.router.add_post("/v1/chat/completions", answer)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(runner.addresses[0][1], flush=True)
        await asyncio.Event().wait()

    asyncio.run(run())


def make_repository(folder: Path) -> None:
    """Make a repository with the shipped bank, and a branch `edit` that changes the guidance of one skill."""
    for name in ("skills", "profiles"):
        shutil.copytree(shipped(name), folder / name)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "config", "user.name", "bench")
    git(folder, "config", "user.email", "bench@localhost")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "The bank")
    git(folder, "checkout", "--quiet", "-b", "edit")
    file = folder / "skills" / "ease-self-blame" / "SKILL.md"
    text = re.sub(r'version: "(\d+)', lambda found: f'version: "{int(found[1]) + 1}', file.read_text(), count=1)
    file.write_text(text.replace("## Guidance\n\n1. ", "## Guidance\n\n1. Take your time. ", 1))
    git(folder, "commit", "--quiet", "--all", "--message", "Take your time")
    git(folder, "checkout", "--quiet", "main")


def git(folder: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True).stdout


def esc_skills(folder: Path, *arguments: str) -> tuple[float, float, int]:
    """Run the command and return wall time in seconds, largest resident memory in MB, and exit code."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "esc_skills", *arguments, "--repo", str(folder)])
    _, status, usage = os.wait4(process.pid, 0)
    return time.perf_counter() - start, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status)


def main() -> None:
    """Make the proposal, print what was recorded, and verify it without the server."""
    if sys.argv[1:] == ["--serve"]:
        return serve()
    server = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_repository(folder)
        port = int(server.stdout.readline())
        models = ["--supporter", "bench/bench", "--seeker", "bench/bench"]
        endpoint = ["--endpoint", f"bench=http://127.0.0.1:{port}/v1"]
        esc_skills(folder, "evidence", "collect", "--base", "main", "--head", "edit", *models, *endpoint)
        server.terminate()
        server.wait()
        branch = git(folder, "branch", "--list", "evolve/*", "--format", "%(refname:short)").decode().strip()
        evidence = f"evidence/{branch.removeprefix('evolve/')}"
        in_tree = git(folder, "ls-tree", "-r", "-l", branch, "--", evidence).decode().split("\n")
        print(f"in the tree: {sum(int(line.split()[3]) for line in in_tree if line):,} bytes")
        kept = [line for line in git(folder, "for-each-ref", "refs/esc/evidence").decode().split("\n") if line]
        packed = (
            git(folder, "cat-file", "blob", kept[0].split()[0])
            if kept
            else git(folder, "show", f"{branch}:{evidence}/calls.jsonl.gz")
        )
        calls = decompress(packed, "calls", 10**9).count(b"\n")
        print(f"{calls:,} calls recorded in {len(packed):,} bytes{' under a ref of their own' if kept else ''}")
        wall, memory, code = esc_skills(folder, "verify", "--base", "main", "--head", branch)
        print(f"verified in {wall:.1f} s with {memory:.0f} MB, exit code {code}")
    return None


if __name__ == "__main__":
    main()
