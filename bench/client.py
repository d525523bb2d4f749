"""Measure how near a run with language models comes to what its endpoint allows: `python bench/client.py`.

A loopback server in a process of its own takes 200 ms for each call. 100 episodes of ten turns (four calls a turn but the
last, which takes two) run with 64 calls at a time, each answer through client, limits, budget, journal and check. Printed
is the wall time over the ideal: the larger of calls × 0.2 s ⁄ 64 and the calls of one episode × 0.2 s.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from esc_skills.documents.prompts import PromptRole
from esc_skills.models.budget import Budget
from esc_skills.models.chat import ChatModel
from esc_skills.models.client import Client
from esc_skills.models.endpoint import Endpoint
from esc_skills.models.journal import Journal
from esc_skills.models.limits import Limits
from esc_skills.models.prices import load_prices
from esc_skills.models.replay import open_replay
from esc_skills.models.request import Message, Model, RoleModel

EPISODES, TURNS, CONCURRENCY, LATENCY = 100, 10, 64, 0.2
PER_TURN = (
    PromptRole.SUPPORTER_SELECT,
    PromptRole.SUPPORTER_ANSWER,
    PromptRole.SEEKER_APPRAISAL,
    PromptRole.SEEKER_REPLY,
)
CALLS = len(PER_TURN) * TURNS - 2
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


def serve() -> None:
    """Answer every call after 200 ms; the role is read from the schema that is asked for."""
    from aiohttp import web

    bodies = {
        str(role): json.dumps(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": 1,
                "model": "bench",
                "choices": [
                    {
                        "index": 0,
                        "finish_reason": "stop",
                        "message": {"role": "assistant", "content": json.dumps(answer)},
                    }
                ],
                "usage": {"prompt_tokens": 1500, "completion_tokens": 60, "total_tokens": 1560},
            }
        ).encode()
        for role, answer in ANSWERS.items()
    }

    async def answer(request: web.Request) -> web.Response:
        asked = await request.json()
        await asyncio.sleep(LATENCY)
        role = asked["response_format"]["json_schema"]["name"]
        return web.Response(body=bodies[role], content_type="application/json")

    async def run() -> None:
        application = web.Application(client_max_size=10**8)
        application.router.add_post("/v1/chat/completions", answer)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        print(runner.addresses[0][1], flush=True)
        await asyncio.Event().wait()

    asyncio.run(run())


async def run_episodes(model: Model) -> None:
    """Play the calls of every episode, one after the other within an episode."""
    player = RoleModel("bench/bench", seed=1)

    async def episode(number: int) -> None:
        said = ""
        for turn in range(TURNS):
            for role in PER_TURN if turn < TURNS - 1 else PER_TURN[:2]:
                messages = [Message("system", "What you are to do. " * 200), Message("user", f"{number} {turn} {said}")]
                answer = await model.complete(player.request(messages, role, str(number)))
                said += str(answer.value)

    async with asyncio.TaskGroup() as group:
        for number in range(EPISODES):
            group.create_task(episode(number))


async def measure(port: int, folder: Path) -> None:
    """Run the episodes against the server, then from the export."""
    endpoints = {"bench": Endpoint("bench", f"http://127.0.0.1:{port}/v1")}
    client = Client(endpoints, concurrency=CONCURRENCY)
    model = ChatModel(
        endpoints, client, limits={"bench": Limits(CONCURRENCY)}, prices=load_prices(), budget=Budget(tokens=10**9)
    )
    journal = Journal(folder / "calls", {}, model, concurrency=CONCURRENCY)
    wall, cpu = time.perf_counter(), time.process_time()
    async with journal:
        await run_episodes(journal)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        journal.export(folder / "calls.jsonl.gz")
    await client.close()
    calls = CALLS * EPISODES
    ideal = max(calls * LATENCY / CONCURRENCY, CALLS * LATENCY)
    print(f"{calls} calls in {wall:.2f} s; ideal {ideal:.2f} s; ratio {wall / ideal:.3f}")
    print(f"CPU {cpu / calls * 1000:.2f} ms a call, imports and first connections included")
    start = time.perf_counter()
    await run_episodes(open_replay(folder / "calls.jsonl.gz"))
    replayed = time.perf_counter() - start
    print(f"replayed in {replayed:.2f} s, {wall / replayed:.0f} times faster")


def main() -> None:
    """Start the server, measure, and end the server."""
    server = subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(measure(int(server.stdout.readline()), Path(folder)))
    finally:
        server.terminate()
        server.wait()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    serve() if "serve" in sys.argv else main()
