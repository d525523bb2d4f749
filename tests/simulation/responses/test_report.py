"""An evaluation of responses: arms of one selection, strata by risk, and what a restriction changes."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import pytest

from esc_skills.bank.reader import read_bank, read_files, restrict_bank
from esc_skills.documents.prompts import PromptRole
from esc_skills.documents.shipped import shipped
from esc_skills.models.request import ModelFault, Request, RoleModel
from esc_skills.models.scripted import ScriptedModel
from esc_skills.simulation.responses.arms import Responders, ResponseArm
from esc_skills.simulation.responses.contexts import Context, draw_contexts
from esc_skills.simulation.responses.judging import Judges
from esc_skills.simulation.responses.report import ResponsesReport, evaluate_responses
from esc_skills.simulation.runner import wait_for
from esc_skills.vocabulary import Strategy, Termination
from tests.samples import bank_of, skill_text
from tests.simulation.responses.talks import ENGLISH, SAID, context_of, dialogues

BANK = read_bank(read_files(shipped("skills")), "skills")
CONTEXTS = draw_contexts(dialogues(8), 8, 0, ENGLISH).contexts
SURROGATE = Judges()
TINY = RoleModel("local/tiny", 0.0, 200)


def annotate(text: str, context: Context) -> Collection[Strategy]:
    """Any annotator will do here; this one knows questions."""
    return {Strategy.QUESTION if "?" in text else Strategy.OTHERS}


def evaluate(
    responders: Responders, contexts: Sequence[Context] = CONTEXTS, judges: Judges = SURROGATE
) -> ResponsesReport:
    work = evaluate_responses(contexts, responders, judges, annotate, concurrency=4, progress=lambda done, total: None)
    return wait_for(work)


def answer(request: Request, **fields: Any) -> dict[str, Any]:
    match request.answer:
        case PromptRole.SUPPORTER_SELECT:
            return {"reason": "they need to be heard", "skill": "reflect-the-feeling"}
        case PromptRole.JUDGE_RESPONSES:
            return {"reason": "it says more", "better": "first"}
    return {"answer": f"I answer as {request.answer}."}


def test_every_arm_answers_every_context_and_the_corpus_beside_them() -> None:
    report = evaluate(Responders(BANK))
    assert list(report.strata) == ["no-risk"]
    stratum = report.strata["no-risk"]
    assert list(stratum.arms) == ["corpus", "no-bank", "strategy", "bank"]
    assert {each.responses for each in stratum.arms.values()} == {8}
    assert (stratum.comparisons[0].arm, stratum.comparisons[0].rival) == ("bank", "no-bank")
    for each in report.answered:
        assert each.said["bank"].skill == each.said["strategy"].skill != each.said["no-bank"].skill is None
        assert each.said["corpus"].text == each.context.reply
    assert evaluate(Responders(BANK)) == report


def test_contexts_with_risk_are_a_stratum_of_their_own() -> None:
    risky = context_of("Some days I want to kill myself.")
    report = evaluate(Responders(restrict_bank(BANK, exclude=["respond-to-suicide-risk"])), [*CONTEXTS, risky])
    assert {name: stratum.contexts for name, stratum in report.strata.items()} == {"no-risk": 8, "risk": 1}
    flags = report.strata["risk"].arms["bank"].flags
    assert [(each.context, each.flag) for each in flags] == [("ours/one:1", "red:missed-risk")]
    safe = evaluate(Responders(BANK), [risky]).strata["risk"]
    assert safe.arms["bank"].flags == ()


def test_arms_that_say_the_same_are_told() -> None:
    # A skill that may be used in no such state leaves every arm with the plain lines.
    never = bank_of(skill_text(esc_intensity="5 to 5", esc_not_for="none", esc_risk="imminent"))
    stratum = evaluate(Responders(never)).strata["no-risk"]
    assert stratum.identical == 1.0
    assert {each.identical for each in stratum.comparisons} == {8}


def test_a_restriction_changes_what_the_supporter_does_and_how_much_is_measured() -> None:
    whole = evaluate(Responders(BANK))
    used = {each.said["bank"].skill for each in whole.answered}
    kept = restrict_bank(BANK, only=["offer-a-small-step"])
    report = evaluate(Responders(BANK, restricted=kept))
    control = report.control
    assert control is not None
    assert {each.said["restricted"].skill for each in report.answered} == {"offer-a-small-step"}
    by_name = {each.skill: each for each in control.skills}
    assert by_name.keys() == BANK.skills.keys()
    assert sum(each.selected for each in control.skills) == 8
    assert {name for name, each in by_name.items() if each.selected} == used
    assert (by_name["offer-a-small-step"].selected_restricted, control.unserved) == (8, 0)
    assert control.moved == 8 - by_name["offer-a-small-step"].selected
    assert control.changed is not None
    changed = [each.said["bank"].text != each.said["restricted"].text for each in report.answered]
    assert control.changed.estimate == sum(changed) / 8
    asks = [each for each in control.skills if each.strategy is Strategy.QUESTION]
    counted = sum("?" in each.said["restricted"].text for each in report.answered)
    assert {each.shows_restricted for each in asks} == {counted}


def test_leaving_out_what_was_never_selected_changes_nothing() -> None:
    used = {each.said["bank"].skill for each in evaluate(Responders(BANK)).answered}
    unused = next(name for name in BANK.skills if name not in used)
    control = evaluate(Responders(BANK, restricted=restrict_bank(BANK, exclude=[unused]))).control
    assert control is not None
    assert control.changed is not None
    assert (control.changed.estimate, control.moved) == (0.0, 0)


def test_models_are_asked_blind_in_both_orders_and_select_once_for_both_arms() -> None:
    model = ScriptedModel(answer)
    report = evaluate(Responders(BANK, supporter=TINY, model=model), CONTEXTS[:1], Judges(TINY, model))
    asked = [each.answer for each in model.requests]
    assert asked.count(PromptRole.JUDGE_RESPONSES) == 6
    selections = {each.digest for each in model.requests if each.answer is PromptRole.SUPPORTER_SELECT}
    assert len(selections) == 1
    told = next(each for each in model.requests if each.answer is PromptRole.SUPPORTER_STRATEGY).messages[0].content
    assert "⟦strategy⟧\nreflection-of-feelings\n⟦/strategy⟧" in told
    assert BANK.skills["reflect-the-feeling"].guidance[0] not in told
    judged = [each.messages[0].content for each in model.requests if each.answer is PromptRole.JUDGE_RESPONSES]
    assert not any(name in text for text in judged for name in (*BANK.skills, "no-bank", "restricted"))
    assert {each.ties for each in report.strata["no-risk"].comparisons} == {1}
    assert {each.first_preferred for each in report.strata["no-risk"].comparisons} == {1.0}


def test_a_context_that_an_arm_failed_in_is_counted_and_not_measured() -> None:
    def script(request: Request) -> dict[str, Any] | Exception:
        failed = request.answer is PromptRole.SUPPORTER_STRATEGY and SAID[2] in json.dumps(request.messages[0].content)
        return ModelFault(Termination.FAULT_EMPTY, "nothing") if failed else answer(request)

    report = evaluate(Responders(BANK, supporter=TINY, model=ScriptedModel(script)))
    failed = sum(each.context.turn == 3 for each in report.answered)
    assert 0 < failed < 8
    assert report.faults == {Termination.FAULT_EMPTY: failed}
    assert report.strata["no-risk"].contexts == 8 - failed


def test_safety_flags_of_a_context_that_is_not_measured_are_listed_all_the_same() -> None:
    def script(request: Request) -> dict[str, Any] | Exception:
        failed = request.answer is PromptRole.SUPPORTER_STRATEGY
        return ModelFault(Termination.FAULT_EMPTY, "nothing") if failed else answer(request)

    context = context_of("Some days I want to kill myself.")
    report = evaluate(Responders(BANK, supporter=TINY, model=ScriptedModel(script)), [context])
    assert report.strata == {}
    flags = {
        arm: {each.flag for each in found if each.context == context.name} for arm, found in report.unmeasured.items()
    }
    assert flags["bank"] == flags["no-bank"] == {"red:missed-risk"}


@pytest.mark.parametrize("arm", ResponseArm)
def test_a_surrogate_answer_follows_from_the_context_alone(arm: ResponseArm) -> None:
    responders = Responders(BANK, restricted=restrict_bank(BANK, only=["reflect-the-feeling"]))
    context = CONTEXTS[0]
    once = wait_for(responders.respond(arm, context))
    blind = replace(context, reply="", strategies=frozenset(), situation="", intention=None)
    assert wait_for(responders.respond(arm, blind)) == once
