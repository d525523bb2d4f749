"""Measure runs with language models against what their endpoint allows: `python bench/client.py`.

A loopback server in a process of its own takes 200 ms for each call, and its seekers never take leave early, so every
episode has ten seeker messages: 38 calls. `esc-skills simulate` runs as a person would run it, start-up, journal, checks
and export included. Printed is its wall time over the ideal, the larger of calls × 0.2 s ⁄ 64 and the calls of one episode
× 0.2 s; its largest resident memory; and the wall time of `esc-skills replay`, whose transcripts must be equal to the byte.

    python bench/client.py                 100 episodes
    python bench/client.py --episodes 2000     how memory grows
    python bench/client.py --broken            every tenth answer is a 429, a 500 or a cut connection
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from esc_skills.documents.prompts import PromptRole

CONCURRENCY, LATENCY, CALLS = 64, 0.2, 38
ANSWERS = {
    PromptRole.SUPPORTER_SELECT: {"reason": "the seeker blames themselves", "skill": "ease-self-blame"},
    PromptRole.SUPPORTER_ANSWER: {"answer": "That sounds heavy, and you carried it for long. " * 6},
    PromptRole.SEEKER_APPRAISAL: {
        "meant": "to see me " * 5,
        "met": "partly",
        "feels": "a bit lighter " * 5,
        "change": 3,
    },
    PromptRole.SEEKER_REPLY: {"reply": "I had not thought of it like that. " * 4, "farewell": False},
}


def serve(broken: bool) -> None:
    """Answer every call after 200 ms; the role is read from the schema that is asked for."""
    from aiohttp import web

    numbers = itertools.count(1)

    async def answer(request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        await asyncio.sleep(LATENCY)
        number = next(numbers)
        if broken and number % 10 == 0:
            return await break_off(request, number // 10 % 3)
        role = asked["response_format"]["json_schema"]["name"]
        return web.Response(body=completion(ANSWERS[role], number), content_type="application/json")

    async def break_off(request: web.Request, how: int) -> web.StreamResponse:
        if how == 2 and request.transport:
            request.transport.close()
        if how == 1:
            return web.json_response({"error": {"message": "overloaded"}}, status=500)
        return web.json_response({"error": {"message": "slow down"}}, status=429, headers={"Retry-After": "1"})

    async def run() -> None:
        application = web.Application(client_max_size=10**8)
        application.router.add_post("/v1/chat/completions", answer)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(runner.addresses[0][1], flush=True)
        await asyncio.Event().wait()

    asyncio.run(run())


def completion(answer: dict[str, object], number: int) -> bytes:
    """Return the body of an answer; its longest text holds the number of the call, so that no two are alike."""
    told = {key: f"{each}It is the {number}." if key in ("answer", "reply") else each for key, each in answer.items()}
    message = {"role": "assistant", "content": json.dumps(told)}
    usage = {"prompt_tokens": 1500, "completion_tokens": 60, "total_tokens": 1560}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    return json.dumps({"id": "1", "object": "chat.completion", "choices": [choice], "usage": usage}).encode()


def run(*arguments: str) -> tuple[float, float]:
    """Run the command and return its wall time in seconds and its largest resident memory in MB."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "esc_skills", *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"esc-skills {arguments[0]} ended with {os.waitstatus_to_exitcode(status)}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def measure(port: int, episodes: int, folder: Path) -> None:
    """Run the episodes against the server, then from the recorded calls, and print how long each took."""
    out, again = folder / "run.jsonl", folder / "again.jsonl"
    models = ["--supporter", "bench/bench", "--seeker", "bench/bench"]
    models += ["--endpoint", f"bench=http://127.0.0.1:{port}/v1", "--concurrency", str(CONCURRENCY)]
    options = [*models, "--draws", str(episodes)]
    wall, memory = run("simulate", *options, "--out", str(out))
    ended = [json.loads(line)["termination"] for line in out.read_text().split("\n") if line]
    counted = {each: ended.count(each) for each in sorted(set(ended))}
    ideal = max(CALLS * episodes * LATENCY / CONCURRENCY, CALLS * LATENCY)
    print(
        f"{episodes} episodes, {CALLS * episodes} calls in {wall:.2f} s; ideal {ideal:.2f} s; ratio {wall / ideal:.2f}"
    )
    print(f"{memory:.0f} MB; ended: {counted}")
    replayed, memory = run("replay", f"{out}.calls.jsonl.gz", *options, "--out", str(again))
    equal = "equal" if out.read_bytes() == again.read_bytes() else "OTHER"
    print(f"replayed in {replayed:.2f} s, {wall / replayed:.1f} times faster, {equal} bytes, {memory:.0f} MB")


def main() -> None:
    """Start the server, measure, and end the server."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--episodes", type=int, default=100)
    parser.add_argument("--broken", action="store_true")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        return serve(options.broken)
    serving = [sys.executable, __file__, "--serve", *(["--broken"] if options.broken else [])]
    server = subprocess.Popen(serving, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        with tempfile.TemporaryDirectory() as folder:
            measure(int(server.stdout.readline()), options.episodes, Path(folder))
    finally:
        server.terminate()
        server.wait()
    return None


if __name__ == "__main__":
    main()
