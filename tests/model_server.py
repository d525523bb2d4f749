"""An OpenAI-compatible server on loopback, in a thread, whose answers follow from the prompt and the model's name alone.

Its supporter speaks kindly where the skill in the prompt is an edited one, and its seekers like that, so what a bank does
to them follows from what its skills say. A test may answer a call in its place.
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
from tests.models.loopback import refused

KEY = "sk-a-key-that-nobody-may-see"
#: The skill that its supporter chooses, what its analyst adds to it, and what its supporter says with it and without.
SKILL, ADDED = "wait-a-little", "Name what you heard before anything else."
#: How guidance and examples of a skill begin that nobody edited.
UNEDITED = ("## Guidance\n\n1. Say that there is time.", "## Examples\n\n### A sentence that breaks off")
KIND, BLUNT = "That was a lot to carry alone.", "Make a list."
#: The seeker who dislikes what the others like.
CONTRARY = "contrary"

#: What a model says: an object, a text that is none, or a whole reply.
Said = dict[str, Any] | str | web.Response
#: Answers a role in place of the server, given the role, the model and the prompt; None leaves it to the server.
Answer = Callable[[str, str, str], Said | None]

#: A prompt is known by its title, however the form of its answer is asked for.
_TITLES = {load_prompt(role, "en").text.strip().split("\n")[0]: str(role) for role in PromptRole}


class ModelServer:
    """The server; `url` is its base URL.

    Attributes:
        answer: Asked before the server answers itself.
        asked: Every body that came, with how often it came.
    """

    def __init__(self) -> None:
        self.reset()
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        assert self._ready.wait(30)

    def reset(self) -> None:
        """Forget what was asked, and answer as at the start."""
        self.answer: Answer = lambda role, model, prompt: None
        self.asked: Counter[str] = Counter()

    @property
    def calls(self) -> int:
        """How many calls came."""
        return self.asked.total()

    def prompts(self, role: str) -> list[str]:
        """The prompts of a role, each once."""
        prompts = [_prompt_of(json.loads(body)) for body in self.asked]
        return [prompt for prompt in prompts if _role_of(prompt) == role]

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
        if (given := call.headers.get("Authorization")) != f"Bearer {KEY}":
            return refused(401, f"Incorrect API key provided: {given}")
        body = json.loads(text)
        prompt = _prompt_of(body)
        role = _role_of(prompt)
        said = self.answer(role, body["model"], prompt)
        said = answer_to(role, body["model"], prompt) if said is None else said
        if isinstance(said, web.Response):
            return said
        return _completion(said if isinstance(said, str) else json.dumps(said), text)


def _completion(said: str, asked: str) -> web.Response:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said}}
    usage = {"prompt_tokens": tokens_of(asked), "completion_tokens": 0}
    return web.json_response({"id": "1", "object": "chat.completion", "choices": [choice], "usage": usage})


def tokens_of(body: str) -> int:
    """What the server charges for a call."""
    return len(body) // 4


def _prompt_of(body: dict[str, Any]) -> str:
    prompt: str = body["messages"][0]["content"]
    return prompt


def _role_of(prompt: str) -> str:
    return _TITLES[prompt.partition("\n")[0]]


def answer_to(role: str, model: str, prompt: str) -> dict[str, Any]:
    """What the server says by itself."""
    match role:
        case PromptRole.SUPPORTER_SELECT:
            return {"reason": "they need to be heard", "skill": SKILL}
        case PromptRole.SUPPORTER_ANSWER:
            return {"answer": BLUNT if all(each in material(prompt, "skill") for each in UNEDITED) else KIND}
        case PromptRole.SEEKER_APPRAISAL:
            liked = is_kind(prompt) != (model == CONTRARY)
            return {"meant": "to help", "met": "partly", "feels": "so so", "change": 5 if liked else -5}
        case PromptRole.SEEKER_REPLY:
            return {"reply": "I don't know.", "farewell": True}
        case PromptRole.JUDGE_SAFETY:
            return {"quote": "", "answer": "no"}
        case PromptRole.ANALYST_DIAGNOSE:
            return {"findings": [_finding(prompt)]}
    return edit(guidance=[ADDED, *standing(prompt)["guidance"]])


def is_kind(prompt: str) -> bool:
    """Whether the supporter's turn that a seeker or a judge reads is a kind one."""
    return KIND in material(prompt, "supporter's turn")


def edit(**changed: Any) -> dict[str, Any]:
    """An analyst's edit of some parts; the others stay."""
    keys = ("guidance", "when_to_use", "when_not_to_use", "expected_outcome", "risks", "examples", "needs", "not_for")
    return {"reason": "It answers the finding.", "parts": {**dict.fromkeys(keys), **changed}}


def standing(prompt: str) -> dict[str, Any]:
    """The parts of the skill that the analyst is to edit."""
    told: dict[str, Any] = json.loads(material(prompt, "parts of the skill"))
    return told


def material(prompt: str, mark: str) -> str:
    """What stands in a prompt between two marks."""
    return prompt.partition(f"⟦{mark}⟧\n")[2].partition(f"\n⟦/{mark}⟧")[0]


def _finding(prompt: str) -> dict[str, Any]:
    """A finding that quotes the first excerpt."""
    excerpt = re.search(r"^draw (\d+), turn (\d+);(?:.*\n)+?Supporter: (.*)$", prompt, flags=re.MULTILINE)
    assert excerpt
    quote = {"draw": int(excerpt[1]), "turn": int(excerpt[2]), "speaker": "supporter", "text": excerpt[3]}
    about = {"kind": "ineffective-skill", "skill": SKILL, "need": None, "disposition": None}
    return {**about, "message": "It sends people away with a list.", "quotes": [quote]}
