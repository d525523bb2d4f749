"""A run of calls in a process of its own, for a test that kills it: `python -m tests.models.journalled_run URL FILE`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from esc_skills.models.chat import ChatModel
from esc_skills.models.client import Client
from esc_skills.models.endpoint import Endpoint
from esc_skills.models.journal import Journal
from esc_skills.models.limits import Limits
from esc_skills.models.prices import load_prices
from tests.models.loopback import request

CALLS, CONCURRENCY = 120, 8
SETTINGS = {"supporter": "local/tiny", "draws": CALLS}


async def run(url: str, path: Path) -> None:
    endpoints = {"local": Endpoint("local", url)}
    client = Client(endpoints)
    model = ChatModel(endpoints, client, limits={"local": Limits(CONCURRENCY)}, prices=load_prices())
    async with Journal(path, SETTINGS, model, concurrency=CONCURRENCY, resume=True) as journal:
        model.dialects |= journal.dialects
        await asyncio.gather(*(journal.complete(request(f"call {number}")) for number in range(CALLS)))
        journal.export(path.with_suffix(".gz"))
    await client.close()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], Path(sys.argv[2])))
