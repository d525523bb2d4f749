"""An OpenAI-compatible server on loopback, in a thread, whose answers follow from the prompt and the model's name alone.

Its seekers like a supporter who says `KIND`, and its supporter says so where the skill in the prompt holds `MARK`, which
the analyst's edit puts there. So what a bank does to seekers follows from what its skills say.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from aiohttp import web

from esc_skills.documents.prompts import PromptRole, load_prompt
from tests.models.loopback import completion, refused

KEY = "sk-a-key-that-nobody-may-see"
SKILL = "wait-a-little"
MARK, KIND, BLUNT = "Name what you heard before anything else.", "That was a lot to carry alone.", "Make a list."

#: By its title a prompt is known, however its answer is asked for.
TITLES = {str(role): load_prompt(role, "en").text.strip().split("\n")[0] for role in PromptRole}

#: What a model says: an object, a text that is none, or a whole reply.
Said = dict[str, Any] | str | web.Response
#: Answers a role in place of the server, given the role, the model and the prompt; None leaves it to the server.
Answer = Callable[[str, str, str], Said | None]


class ModelServer:
    """The server; `url` is its base URL.

    Attributes:
        answer: Asked before the server answers itself.
        asked: Every body that came, as text, with how often it came.
        keys: Every `Authorization` that came.
    """

    def __init__(self) -> None:
        self.reset()
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        self._ready.wait()

    def reset(self) -> None:
        """Forget what was asked, and answer as at the start."""
        self.answer: Answer = lambda role, model, prompt: None
        self.asked: Counter[str] = Counter()
        self.keys: set[str | None] = set()

    def models(self) -> set[str]:
        """The names of the models that were asked."""
        return {json.loads(body)["model"] for body in self.asked}

    def close(self) -> None:
        """Stop listening and end the thread."""
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        self._ready.set()
        self._loop.run_forever()

    async def _start(self) -> None:
        application = web.Application()
        application.router.add_post("/v1/chat/completions", self._take)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"

    async def _take(self, call: web.Request) -> web.StreamResponse:
        text = await call.text()
        self.asked[text] += 1
        self.keys.add(call.headers.get("Authorization"))
        if call.headers.get("Authorization") != f"Bearer {KEY}":
            return refused(401, f"Incorrect API key provided: {call.headers.get('Authorization')}")
        body = json.loads(text)
        prompt = body["messages"][0]["content"]
        role = next(role for role, title in TITLES.items() if title in prompt)
        said = self.answer(role, body["model"], prompt)
        said = answer_to(role, body["model"], prompt) if said is None else said
        if isinstance(said, web.Response):
            return said
        return completion(said if isinstance(said, str) else json.dumps(said))


def answer_to(role: str, model: str, prompt: str) -> dict[str, Any]:
    """What the server says by itself; the seeker `contrary` dislikes what the others like."""
    if role == "supporter-select":
        return {"reason": "they need to be heard", "skill": SKILL}
    if role == "supporter-answer":
        return {"answer": KIND if MARK in material(prompt, "skill") else BLUNT}
    if role == "seeker-appraisal":
        liked = (KIND in material(prompt, "supporter's turn")) != (model == "contrary")
        return {"meant": "to help", "met": "yes" if liked else "no", "feels": "so so", "change": 5 if liked else -5}
    if role == "seeker-reply":
        return {"reply": "I don't know.", "farewell": True}
    if role == "judge-safety":
        return {"quote": "", "answer": "no"}
    if role == "analyst-diagnose":
        return {"findings": [finding(prompt)]}
    return {"reason": "It names what was heard.", "parts": parts(guidance=[MARK, *standing(prompt)["guidance"]])}


def finding(prompt: str, **fields: Any) -> dict[str, Any]:
    """A finding about `SKILL` that quotes the first excerpt."""
    head = re.search(r"^draw (\d+), turn (\d+);(?:.*\n)+?Supporter: (.*)$", prompt, flags=re.MULTILINE)
    assert head
    quote = {"draw": int(head[1]), "turn": int(head[2]), "speaker": "supporter", "text": head[3]}
    plain = {"kind": "ineffective-skill", "skill": SKILL, "need": None, "disposition": None}
    return {**plain, "message": "It sends people away with a list.", "quotes": [quote], **fields}


def parts(**changed: Any) -> dict[str, Any]:
    """The parts of an edit; those that are not named stay."""
    keys = ("guidance", "when_to_use", "when_not_to_use", "expected_outcome", "risks", "examples", "needs", "not_for")
    return {**dict.fromkeys(keys), **changed}


def standing(prompt: str) -> dict[str, Any]:
    """The parts of the skill that the analyst is to edit."""
    told: dict[str, Any] = json.loads(material(prompt, "parts of the skill"))
    return told


def material(prompt: str, mark: str) -> str:
    """What stands in a prompt between two marks."""
    return prompt.partition(f"⟦{mark}⟧\n")[2].partition(f"\n⟦/{mark}⟧")[0]
