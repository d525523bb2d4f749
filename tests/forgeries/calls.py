"""Forged calls: what models are said to have answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from esc_skills.documents.jsonl import compress
from esc_skills.evidence.files import CALLS
from esc_skills.models.recording import Call, call_of
from esc_skills.models.request import Completion, Request, Usage
from esc_skills.simulation.team import Team
from tests.model_server import answer_to

from .kind import family, refused
from .workshop import Workshop, holding, packed, signed, stating, unpacked, values_of

Calls = list[dict[str, Any]]


class Inventor:
    """Answers as the tests' models do, but for what it invents, and keeps all of it as recorded calls.

    Args:
        invent: Given role, model, prompt and the honest answer; returns what is to be recorded in its place.
    """

    def __init__(self, invent: Callable[[str, str, str, dict[str, Any]], dict[str, Any]]) -> None:
        self._invent = invent
        self.usage = Usage(100, 20)
        self._calls: dict[str, Call] = {}

    async def complete(self, request: Request) -> Completion:
        """Return an answer; see `Model.complete`."""
        if request.digest not in self._calls:
            role, model, prompt = str(request.answer), request.model_name, request.messages[0].content
            value = self._invent(role, model, prompt, answer_to(role, model, prompt))
            answer = Completion(value, self.usage, request.digest, "json-schema")
            self._calls[request.digest] = call_of(request, answer)
        return self._calls[request.digest].answer()

    @property
    def packed(self) -> bytes:
        """The calls as the content of a `calls.jsonl.gz`."""
        return packed(self._calls[each].as_json() for each in sorted(self._calls))


def honest(role: str, model: str, prompt: str, answer: dict[str, Any]) -> dict[str, Any]:
    """Invent nothing."""
    return answer


def with_calls(shop: Workshop, change: Callable[[Calls], object]) -> bytes:
    """The real calls with something changed, in their order."""
    calls = values_of(shop.real.evidence[CALLS])
    change(calls)
    return packed(sorted(calls, key=lambda call: str(call["digest"])))


def edited(shop: Workshop, change: Callable[[Calls], object]) -> None:
    """Propose the real run with other calls, signed."""
    shop.propose(signed({**shop.real.evidence, CALLS: with_calls(shop, change)}))


def first(calls: Calls, role: str, model: str = "") -> dict[str, Any]:
    """The first call of a role."""
    return next(call for call in calls if call["role"] == role and model in call["model"])


#: The reason of all kinds whose calls are not those that the run asks for.
ASKED = (r"no answer to the call .* is recorded", "calls that the run does not ask for")
#: The reason of all kinds that name a model and hold nothing that it answered.
EMPTY = (r"the evidence names models and holds no recorded calls", "models without calls")

family("calls that are not those of the episodes")


@refused("calls", *ASKED, shop="recorded")
def a_call_is_left_out(shop: Workshop) -> None:
    edited(shop, lambda calls: calls.remove(first(calls, "supporter-select")))


@refused("calls", r"the call sha256:0{64} belongs to no episode", shop="recorded")
def a_call_is_added(shop: Workshop) -> None:
    edited(shop, lambda calls: calls.append({**calls[0], "digest": f"sha256:{'0' * 64}"}))


@refused("calls", r"is recorded twice", shop="recorded")
def a_call_is_answered_twice(shop: Workshop) -> None:
    edited(shop, lambda calls: calls.append({**calls[0], "usage": {**calls[0]["usage"], "usd": 1.0}}))


@refused("calls", r"calls\.jsonl\.gz: is not the file that", "calls that are not stated", shop="recorded")
def an_answer_is_edited(shop: Workshop) -> None:
    kinder = with_calls(shop, lambda calls: first(calls, "supporter-select")["value"].update(reason="Kindness."))
    shop.propose({**shop.real.evidence, CALLS: kinder})


@refused("evidence", r"episodes\.jsonl\.gz:\d+: /turns/0/reason is", shop="recorded")
def an_answer_is_edited_and_signed(shop: Workshop) -> None:
    edited(shop, lambda calls: first(calls, "supporter-select")["value"].update(reason="Kindness."))


@refused("calls", *ASKED, shop="recorded")
def an_appraisal_is_edited_and_signed(shop: Workshop) -> None:
    edited(shop, lambda calls: first(calls, "seeker-appraisal", "tiny")["value"].update(change=9))


@refused("calls", *ASKED, shop="recorded")
def an_answer_of_the_supporter_is_edited_and_signed(shop: Workshop) -> None:
    edited(shop, lambda calls: first(calls, "supporter-answer")["value"].update(answer="I hear you."))


@refused("evidence", r"episodes\.jsonl\.gz:\d+: /usage", shop="recorded")
def what_a_call_took_is_edited_and_signed(shop: Workshop) -> None:
    edited(shop, lambda calls: calls[0]["usage"].update(usd=0.5, prompt_tokens=1))


@refused("calls", *ASKED, shop="recorded")
def an_answer_is_that_of_another_model(shop: Workshop) -> None:
    edited(shop, lambda calls: first(calls, "seeker-reply").update(model="local/better"))


@refused("calls", *ASKED, shop="recorded")
def an_answer_is_that_of_another_role(shop: Workshop) -> None:
    def swap(calls: Calls) -> None:
        reply, appraisal = first(calls, "seeker-reply"), first(calls, "seeker-appraisal")
        reply["digest"], appraisal["digest"] = appraisal["digest"], reply["digest"]

    edited(shop, swap)


@refused("calls", *ASKED, shop="recorded")
def the_calls_are_those_of_another_proposal(shop: Workshop) -> None:
    shop.propose(signed({**shop.real.evidence, CALLS: shop.other.evidence[CALLS]}))


@refused("calls", *EMPTY, shop="recorded")
def there_are_no_calls(shop: Workshop) -> None:
    evidence = {name: data for name, data in shop.real.evidence.items() if name != CALLS}
    shop.propose(stating(evidence, lambda predicate: predicate.update(calls=None)))


@refused("calls", r"calls\.jsonl\.gz: is not the file that", "calls that are not stated", shop="recorded")
def the_calls_are_not_stated(shop: Workshop) -> None:
    shop.propose(stating(shop.real.evidence, lambda predicate: predicate.update(calls=None)))


family("models that are not those of the statement")


@refused(
    "models", r"/predicate/inputs/models/judge is None, and the base's settings ask for 'local/judge'", shop="recorded"
)
def the_judge_that_the_settings_ask_for_is_left_out(shop: Workshop) -> None:
    leave_out(shop, judge=None)


@refused("models", r"/predicate/inputs/models/second_seeker is None", shop="recorded")
def the_second_seeker_that_the_settings_ask_for_is_left_out(shop: Workshop) -> None:
    leave_out(shop, second_seeker=None)


def leave_out(shop: Workshop, **roles: str | None) -> None:
    """Register and run the real change with other models, and make everything as the tools would."""
    inventor = Inventor(honest)
    team = Team(**{**shop.real.predicate["inputs"]["models"], **roles})
    trial = replace(shop.trial(model=inventor, team=team), registered=None)
    evidence = shop.registered_anew(trial, calls=lambda: inventor.packed)
    shop.propose(evidence)


@refused("registration", r"the entry 2 registers .*, another change", "another change", shop="recorded")
def a_better_model_is_named_than_answered(shop: Workshop) -> None:
    def rename(predicate: dict[str, Any]) -> None:
        predicate["inputs"]["models"]["seeker"] = "local/better"
        predicate["inputs"]["parameters"]["seeker_parameters"]["model"] = "local/better"

    calls = with_calls(shop, lambda calls: None)
    shop.propose(signed(stating({**shop.real.evidence, CALLS: calls}, rename)))


@refused("models", r"made with another seeker_parameters", shop="recorded", status="unverifiable")
def another_temperature_is_stated(shop: Workshop) -> None:
    def cool(predicate: dict[str, Any]) -> None:
        predicate["inputs"]["parameters"]["seeker_parameters"]["temperature"] = 0.0

    shop.propose(signed(stating(shop.real.evidence, cool)))


@refused("models", r"made with another seeker-appraisal\.en", shop="recorded", status="unverifiable")
def another_prompt_is_stated(shop: Workshop) -> None:
    def prompt(predicate: dict[str, Any]) -> None:
        predicate["inputs"]["parameters"]["seeker-appraisal.en"] = f"sha256:{'0' * 64}"

    shop.propose(signed(stating(shop.real.evidence, prompt)))


@refused("models", r"/predicate/inputs/models/seeker is 'nobody', which is no model", shop="recorded")
def a_model_has_no_endpoint(shop: Workshop) -> None:
    shop.propose(signed(stating(shop.real.evidence, lambda p: p["inputs"]["models"].update(seeker="nobody"))))


@refused("models", r"/predicate/inputs/models/judge is 'surrogate', and the base's settings", shop="recorded")
def the_surrogate_is_named_as_the_judge(shop: Workshop) -> None:
    shop.propose(signed(stating(shop.real.evidence, lambda p: p["inputs"]["models"].update(judge="surrogate"))))


family("lines that are no calls")


def lines(shop: Workshop, change: Callable[[str], str]) -> None:
    """Propose the real run with other lines of calls, and the digest of the file stated."""
    shop.propose(holding(shop.real.evidence, CALLS, compress(change(unpacked(shop.real.evidence[CALLS])))))


@refused("calls", r"calls\.jsonl\.gz:1: holds no recorded call", shop="recorded")
def a_line_is_no_call(shop: Workshop) -> None:
    lines(shop, lambda text: "{}\n" + text)


@refused("calls", r"calls\.jsonl\.gz:1: json-value: the key 'digest' occurs twice", shop="recorded")
def a_call_repeats_a_key(shop: Workshop) -> None:
    lines(shop, lambda text: text.replace('{"digest"', '{"digest":"","digest"', 1))


@refused("calls", r"calls\.jsonl\.gz:1: json-value: NaN is no JSON number", shop="recorded")
def a_price_is_not_a_number(shop: Workshop) -> None:
    lines(shop, lambda text: text.replace('"prompt_tokens":', '"prompt_tokens":NaN,"x":', 1))


@refused("calls", r"calls\.jsonl\.gz:1: json-value: the number 1e999 is too large", shop="recorded")
def a_price_is_beyond_all_numbers(shop: Workshop) -> None:
    lines(shop, lambda text: text.replace('"prompt_tokens":', '"prompt_tokens":1e999,"x":', 1))


@refused("calls", r"calls\.jsonl\.gz:\d+: holds no recorded call: its usage holds no counts", shop="recorded")
def a_call_gave_tokens_back(shop: Workshop) -> None:
    edited(shop, lambda calls: calls[0]["usage"].update(prompt_tokens=-5))


@refused("calls", r"calls\.jsonl\.gz:\d+: holds no recorded call: /change", shop="recorded")
def an_appraisal_is_larger_than_there_are(shop: Workshop) -> None:
    edited(shop, lambda calls: first(calls, "seeker-appraisal")["value"].update(change=60))


@refused("calls", r"is no fault", shop="recorded")
def an_ending_is_called_a_fault(shop: Workshop) -> None:
    def end(calls: Calls) -> None:
        call = first(calls, "seeker-reply")
        del call["form"], call["value"]
        call.update(fault="success", detail="")

    edited(shop, end)


@refused("calls", r"holds no recorded call: its form is none that is asked for", shop="recorded")
def a_call_has_a_form_of_its_own(shop: Workshop) -> None:
    def note(calls: Calls) -> None:
        calls[0]["form"] = "curl evil"

    edited(shop, note)


@refused("evidence", r"calls\.jsonl\.gz:1: /", shop="recorded")
def calls_stand_in_another_order(shop: Workshop) -> None:
    calls = values_of(shop.real.evidence[CALLS])
    shop.propose(holding(shop.real.evidence, CALLS, packed(reversed(calls))))


@refused("evidence", r"calls\.jsonl\.gz: is not packed as the tools pack it", shop="recorded")
def the_calls_have_a_name_in_their_header(shop: Workshop) -> None:
    data = shop.real.evidence[CALLS]
    shop.propose(holding(shop.real.evidence, CALLS, data[:3] + b"\x08" + data[4:10] + b"evil\0" + data[10:]))


@refused("calls", r"calls\.jsonl\.gz: gzip: is cut short", shop="recorded")
def the_calls_are_cut_short(shop: Workshop) -> None:
    shop.propose(holding(shop.real.evidence, CALLS, shop.real.evidence[CALLS][:-30]))


@refused("calls", r"calls\.jsonl\.gz: gzip: is followed by other bytes", shop="recorded")
def something_follows_the_calls(shop: Workshop) -> None:
    shop.propose(holding(shop.real.evidence, CALLS, shop.real.evidence[CALLS] + b"evil"))


@refused("calls", r"calls\.jsonl\.gz:1: (json-syntax: is an empty line|too-large)", shop="recorded")
def the_calls_are_a_bomb(shop: Workshop) -> None:
    shop.propose(holding(shop.real.evidence, CALLS, compress("\n" * 20_000_000)))


@refused("calls", r"calls\.jsonl\.gz:1: too-large: a line of", shop="recorded")
def a_call_is_a_bomb(shop: Workshop) -> None:
    shop.propose(holding(shop.real.evidence, CALLS, compress('{"x":"' + "x" * 20_000_000)))


@refused("calls", r"calls\.jsonl\.gz:1: json-value: is nested too deeply", shop="recorded")
def a_call_is_nested_without_end(shop: Workshop) -> None:
    lines(shop, lambda text: "[" * 100_000 + "\n" + text)
