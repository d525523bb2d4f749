"""Asking a model behind an endpoint: forms of answers, what is asked again, and which fault is which."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web

from esc_skills.errors import EscError
from esc_skills.models.budget import Budget, BudgetExhausted
from esc_skills.models.request import Completion, EndpointError, Message, ModelFault, Request, Usage
from esc_skills.models.structured import Form
from esc_skills.vocabulary import Termination
from tests.models.loopback import ANSWER, Asking, Loopback, answered, completion, refused, request


def ask(respond: Any, asked: Request | None = None, **options: Any) -> tuple[Completion | Exception, Loopback]:
    """Return what a model answers to one request, or how it fails, and the server."""

    async def run() -> tuple[Completion | Exception, Loopback]:
        async with Loopback(respond) as server, Asking(server.url, **options) as model:
            try:
                return await model.complete(asked or request()), server
            except (ModelFault, EscError) as error:
                return error, server

    return asyncio.run(run())


def in_turn(*replies: Any) -> Any:
    """Return a server's behaviour: the replies in turn, the last one for ever. A reply is made anew each time."""
    count = 0

    async def respond(*_: Any) -> web.StreamResponse:
        nonlocal count
        count += 1
        reply: web.StreamResponse = replies[min(count, len(replies)) - 1]()
        return reply

    return respond


def supporting(*types: str) -> Any:
    """Return a server's behaviour: only these types of `response_format` are taken."""

    async def respond(_: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        form = body.get("response_format", {"type": "none"})
        kind = form["type"] + ("+schema" if "schema" in form else "")
        if kind not in types:
            return refused(400, f"response_format {kind} is not supported")
        text = json.dumps(ANSWER)
        return completion(f"Let me see. <answer>{text}</answer>" if kind == "none" else text)

    return respond


def test_an_answer_comes_with_its_value_its_usage_and_its_digest() -> None:
    answer, server = ask(in_turn(answered))
    assert answer == Completion(ANSWER, Usage(100, 10, 0.0), request().digest, Form.SCHEMA)
    assert server.asked[0]["model"] == "tiny"
    assert {key: server.asked[0][key] for key in ("temperature", "max_tokens", "seed")} == {
        "temperature": 0.0,
        "max_tokens": 200,
        "seed": 7,
    }


def test_the_schema_is_sent_without_bounds_of_texts() -> None:
    _, server = ask(in_turn(answered))
    sent = server.asked[0]["response_format"]["json_schema"]
    assert sent["strict"] is True
    assert sent["schema"]["additionalProperties"] is False
    assert not {"minLength", "maxLength", "pattern"} & set(json.dumps(sent["schema"]).replace('"', " ").split())


@pytest.mark.parametrize(
    ("supported", "form", "calls"),
    [
        ("json_schema", Form.SCHEMA, 1),
        ("json_object+schema", Form.OBJECT_SCHEMA, 2),
        ("json_object", Form.OBJECT, 3),
        ("none", Form.TEXT, 4),
    ],
)
def test_structure_is_asked_for_as_strictly_as_the_endpoint_takes_it(supported: str, form: Form, calls: int) -> None:
    answer, server = ask(supporting(supported))
    assert isinstance(answer, Completion)
    assert (answer.value, answer.form, len(server.asked)) == (ANSWER, form, calls)


def test_the_form_is_found_out_once_for_many_calls_that_start_together() -> None:
    async def run() -> tuple[int, str]:
        async with Loopback(supporting("json_object")) as server, Asking(server.url) as model:
            await asyncio.gather(*(model.complete(request(str(number))) for number in range(20)))
            return len(server.asked), model.dialects["local/tiny"].form

    assert asyncio.run(run()) == (22, Form.OBJECT)


def test_an_endpoint_that_fails_at_a_schema_is_asked_without() -> None:
    async def respond(_: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        failing = body.get("response_format", {}).get("type") == "json_schema"
        return refused(500, "Internal error") if failing else answered()

    answer, server = ask(respond)
    assert isinstance(answer, Completion)
    assert (answer.form, len(server.asked)) == (Form.OBJECT_SCHEMA, 3)


def test_an_endpoint_that_knows_no_such_field_is_asked_without_it() -> None:
    async def respond(_: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return refused(422, "Extra inputs are not permitted") if "response_format" in body else answered()

    answer, _ = ask(respond)
    assert isinstance(answer, Completion)
    assert answer.form == Form.TEXT


def test_a_schema_that_is_too_much_for_an_endpoint_lowers_the_form_for_all() -> None:
    async def respond(_: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        form = body["response_format"]
        heavy = "heavy" in body["messages"][-1]["content"] and form["type"] == "json_schema"
        return refused(400, "Invalid schema for response_format") if heavy else answered()

    async def run() -> list[str]:
        async with Loopback(respond) as server, Asking(server.url) as model:
            return [(await model.complete(request(text))).form for text in ("light", "heavy", "light")]

    assert asyncio.run(run()) == [Form.SCHEMA, Form.OBJECT_SCHEMA, Form.OBJECT_SCHEMA]


def test_one_call_that_an_endpoint_refuses_is_a_fault_of_its_episode() -> None:
    async def respond(_: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return refused(400, "No.") if "odd" in body["messages"][-2]["content"] else answered()

    async def run() -> Termination:
        async with Loopback(respond) as server, Asking(server.url) as model:
            await model.complete(request())
            with pytest.raises(ModelFault) as caught:
                await model.complete(request(messages=(Message("system", "odd"), Message("user", "Hello."))))
            assert (await model.complete(request("after"))).form == Form.SCHEMA
            return caught.value.termination

    assert asyncio.run(run()) is Termination.FAULT_ENDPOINT


def test_a_model_that_wants_another_name_for_the_limit_gets_it() -> None:
    async def respond(_: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if "max_tokens" in body:
            return refused(400, "Unsupported parameter: use 'max_completion_tokens' instead.")
        return answered()

    answer, server = ask(respond)
    assert isinstance(answer, Completion)
    assert (answer.form, server.asked[-1]["max_completion_tokens"]) == (Form.SCHEMA, 200)


@pytest.mark.parametrize(
    "text", ['```json\n{"answer": "I hear you."}\n```', '<think>{"answer": "no"}</think> {"answer": "I hear you."}']
)
def test_an_answer_is_read_out_of_its_wrapping(text: str) -> None:
    answer, _ = ask(in_turn(lambda: completion(text)))
    assert isinstance(answer, Completion)
    assert answer.value == ANSWER


def test_an_answer_of_another_form_is_asked_again_with_what_was_wrong() -> None:
    answer, server = ask(in_turn(lambda: answered({"reply": "Hm."}), lambda: completion("Sorry!"), answered))
    assert isinstance(answer, Completion)
    assert answer.usage == Usage(300, 30, 0.0)
    second, third = server.asked[1]["messages"], server.asked[2]["messages"]
    assert second[-2] == {"role": "assistant", "content": '{"reply": "Hm."}'}
    assert "unknown key 'reply'" in second[-1]["content"]
    assert "'answer' is missing" in second[-1]["content"]
    assert "it is no JSON" in third[-1]["content"]


def test_what_the_schema_that_was_sent_leaves_out_is_checked_here() -> None:
    answer, server = ask(in_turn(lambda: answered({"answer": "x" * 5000}), answered))
    assert isinstance(answer, Completion)
    assert "at most 4000" in server.asked[1]["messages"][-1]["content"]


@pytest.mark.parametrize(
    ("reply", "fault", "calls"),
    [
        (lambda: completion("no JSON"), Termination.FAULT_MALFORMED, 3),
        (lambda: answered({"answer": 3}), Termination.FAULT_MALFORMED, 3),
        (lambda: completion(""), Termination.FAULT_EMPTY, 3),
        (lambda: completion(None), Termination.FAULT_EMPTY, 3),
        (lambda: completion(None, refusal="I can't help with that."), Termination.FAULT_REFUSED, 1),
        (lambda: completion("", "content_filter"), Termination.FAULT_REFUSED, 1),
        (lambda: refused(400, "Filtered.", "content_filter"), Termination.FAULT_REFUSED, 1),
        (lambda: completion('{"answer": "I', "length"), Termination.FAULT_CUT_OFF, 1),
        (lambda: refused(400, "Too long.", "context_length_exceeded"), Termination.FAULT_CONTEXT, 1),
        (
            lambda: refused(400, "This model's maximum context length is 4096 tokens."),
            Termination.FAULT_CONTEXT,
            1,
        ),
    ],
)
def test_each_fault_of_a_model_is_told_apart(reply: Any, fault: Termination, calls: int) -> None:
    error, server = ask(in_turn(reply))
    assert isinstance(error, ModelFault)
    assert (error.termination, error.digest, len(server.asked)) == (fault, request().digest, calls)


def test_a_fault_tells_what_it_took() -> None:
    error, _ = ask(in_turn(lambda: completion("no"), lambda: completion("", "length")))
    assert isinstance(error, ModelFault)
    assert error.usage == Usage(200, 20, 0.0)


def cut(call: web.Request) -> web.StreamResponse:
    assert call.transport is not None
    call.transport.close()
    return web.Response()


@pytest.mark.parametrize("status", [500, 502, 503, 408, 0])
def test_a_passing_trouble_is_tried_again(status: int) -> None:
    count = 0

    async def respond(call: web.Request, _: dict[str, Any]) -> web.StreamResponse:
        nonlocal count
        count += 1
        if count != 2:
            return answered()
        return refused(status, "Try again.") if status else cut(call)

    async def run() -> list[Completion]:
        async with Loopback(respond) as server, Asking(server.url) as model:
            return [await model.complete(request(str(number))) for number in range(3)]

    assert [each.value for each in asyncio.run(run())] == [ANSWER] * 3
    assert count == 4


def test_an_endpoint_that_answers_others_and_not_this_call_is_a_fault_of_the_episode() -> None:
    async def respond(call: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return refused(500, "Out of memory.") if "poison" in body["messages"][-1]["content"] else answered()

    async def run() -> ModelFault:
        async with Loopback(respond) as server, Asking(server.url) as model:
            await model.complete(request())
            with pytest.raises(ModelFault) as caught:
                await model.complete(request("poison"))
            return caught.value

    fault = asyncio.run(run())
    assert fault.termination is Termination.FAULT_ENDPOINT
    assert "500: Out of memory., 6 times" in fault.detail


def test_an_endpoint_that_is_gone_for_good_ends_the_run() -> None:
    async def run() -> list[type[BaseException]]:
        async with Loopback(in_turn(answered, lambda: refused(503, "Down."))) as server, Asking(server.url) as model:
            await model.complete(request())
            calls = (model.complete(request(str(number))) for number in range(12))
            return [type(each) for each in await asyncio.gather(*calls, return_exceptions=True)]

    kinds = asyncio.run(run())
    assert kinds.count(ModelFault) == 7
    assert kinds.count(EndpointError) == 5


def test_a_429_waits_as_long_as_it_says_and_shrinks_the_window() -> None:
    async def run() -> tuple[float, int, int]:
        respond = in_turn(answered, lambda: refused(429, "Slow down.", **{"Retry-After": "0.3"}), answered)
        async with Loopback(respond) as server:
            asking = Asking(server.url, sleep=asyncio.sleep)
            async with asking as model:
                await model.complete(request())
                start = asyncio.get_running_loop().time()
                await model.complete(request("again"))
                return asyncio.get_running_loop().time() - start, asking.limits.window, model.activity.throttled

    waited, window, throttled = asyncio.run(run())
    assert 0.28 < waited < 2
    assert (window, throttled) == (6, 1)


def test_every_tenth_answer_may_fail_and_every_call_is_answered() -> None:
    count = 0

    async def respond(call: web.Request, _: dict[str, Any]) -> web.StreamResponse:
        nonlocal count
        count += 1
        if count % 10:
            return answered()
        return (lambda: refused(429, "Slow."), lambda: refused(500, "Oh."), lambda: cut(call))[count // 10 % 3]()

    async def run() -> list[Completion]:
        async with Loopback(respond) as server, Asking(server.url) as model:
            return await asyncio.gather(*(model.complete(request(str(number))) for number in range(200)))

    assert len(asyncio.run(run())) == 200


def test_a_budget_is_never_overdrawn_however_many_calls_start_together() -> None:
    async def run() -> tuple[int, int, int]:
        budget = Budget(tokens=3000)
        async with Loopback(in_turn(answered)) as server, Asking(server.url, budget=budget) as model:
            calls = (model.complete(request(str(number))) for number in range(60))
            done = await asyncio.gather(*calls, return_exceptions=True)
            assert {type(each) for each in done} == {Completion, BudgetExhausted}
            return budget.spent.tokens, sum(isinstance(each, Completion) for each in done), len(server.asked)

    spent, finished, calls = asyncio.run(run())
    assert spent <= 3000
    assert spent == finished * 110
    assert finished == calls >= 15
