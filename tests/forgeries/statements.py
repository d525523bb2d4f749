"""Forged statements: what the proposal says of itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from esc_skills.evidence.files import PLAN, REVIEW, STATEMENT, render_json
from esc_skills.evidence.trial import change_digest

from .kind import DRAWS, family, refused
from .workshop import Files, Workshop, signed, stating

RESULT = "/predicate/result"


def with_text(shop: Workshop, change: Callable[[str], str]) -> Files:
    """The real evidence with a statement of another text."""
    text = shop.real.evidence[STATEMENT].decode()
    assert change(text) != text
    return {**shop.real.evidence, STATEMENT: change(text).encode()}


def with_statement(shop: Workshop, change: Callable[[dict[str, Any]], object]) -> Files:
    """The real evidence with something changed in the whole statement."""
    statement = json.loads(shop.real.evidence[STATEMENT])
    change(statement)
    return {**shop.real.evidence, STATEMENT: render_json(statement).encode()}


family("numbers that are recomputed")


@refused("statement", rf"{RESULT}/verdict is 'accept' and should be 'reject'")
def the_verdict_of_a_refused_proposal_is_edited(shop: Workshop) -> None:
    shop.propose(stating(shop.other.evidence, lambda p: p["result"].update(verdict="accept")), of=shop.other)


@refused("statement", rf"{RESULT}/vetoed is False and should be True")
def the_veto_of_a_red_flag_is_lifted(shop: Workshop) -> None:
    shop.propose(stating(shop.other.evidence, lambda p: p["result"].update(vetoed=False)), of=shop.other)


@refused("statement", rf"{RESULT}/effect is 40")
def the_effect_is_edited(shop: Workshop) -> None:
    shop.propose(stating(shop.real.evidence, lambda p: p["result"].update(effect=40.0)))


@refused("statement", rf"{RESULT}/e_value is 99")
def all_statistics_are_edited_alike(shop: Workshop) -> None:
    def edit(predicate: dict[str, Any]) -> None:
        predicate["result"].update(e_value=99.0, harm_e_value=0.01, interval=[1.0, 80.0])

    shop.propose(stating(shop.real.evidence, edit))


@refused("statement", rf"{RESULT}/interval/0")
def the_interval_is_narrowed(shop: Workshop) -> None:
    shop.propose(stating(shop.real.evidence, lambda p: p["result"]["interval"].__setitem__(0, 0.5)))


@refused("statement", rf"{RESULT}/strata/0/harm_e_value")
def the_harm_of_a_stratum_is_hidden(shop: Workshop) -> None:
    shop.propose(stating(shop.real.evidence, lambda p: p["result"]["strata"][0].update(harm_e_value=0.001)))


@refused("statement", rf"{RESULT}/strata/\d+ is absent")
def a_stratum_is_left_out(shop: Workshop) -> None:
    shop.propose(stating(shop.real.evidence, lambda p: p["result"]["strata"].pop()))


@refused("statement", rf"{RESULT}/faults is 1")
def faults_are_invented(shop: Workshop) -> None:
    shop.propose(stating(shop.real.evidence, lambda p: p["result"].update(faults=1)))


@refused("statement", rf"{RESULT}/reason is")
def the_reason_is_reworded(shop: Workshop) -> None:
    shop.propose(stating(shop.real.evidence, lambda p: p["result"].update(reason="Everybody felt better.")))


@refused("statement", rf"schema-type: \d+\.0 should be of type integer \({RESULT}/draws\)")
def a_count_is_no_whole_number(shop: Workshop) -> None:
    shop.propose(stating(shop.real.evidence, lambda p: p["result"].update(draws=float(p["result"]["draws"]))))


@refused("statement", r"/subject/0/digest/gitTree is")
def the_subject_is_another_tree(shop: Workshop) -> None:
    tree = shop.git("rev-parse", "main:skills")
    shop.propose(with_statement(shop, lambda s: s["subject"][0]["digest"].update(gitTree=tree)))


@refused("statement", r"/predicate/base_tree is")
def the_tree_of_the_base_is_another(shop: Workshop) -> None:
    shop.propose(stating(shop.real.evidence, lambda p: p.update(base_tree="0" * 40)))


@refused("statement", r"/predicate/files/skills~1extra~1SKILL\.md is")
def a_file_is_stated_that_does_not_change(shop: Workshop) -> None:
    extra = {"base": None, "head": f"sha256:{'0' * 64}"}
    shop.propose(stating(shop.real.evidence, lambda p: p["files"].update({"skills/extra/SKILL.md": extra})))


family("what a statement says it was made with")


@refused("statement", r"/predicate/change is not the digest of /predicate/inputs")
def the_inputs_are_edited(shop: Workshop) -> None:
    shop.propose(stating(shop.real.evidence, lambda p: p["inputs"].update(base=f"sha256:{'0' * 64}")))


@refused("statement", r"/predicate/tool differs from /predicate/inputs/parameters/tool")
def the_version_of_the_tools_is_edited(shop: Workshop) -> None:
    shop.propose(stating(shop.real.evidence, lambda p: p.update(tool="9.9.9")))


@refused("tool", r"made by version 9\.9\.9", status="unverifiable")
def another_version_is_named_throughout_so_that_nobody_can_check(shop: Workshop) -> None:
    def edit(predicate: dict[str, Any]) -> None:
        predicate["tool"] = predicate["inputs"]["parameters"]["tool"] = "9.9.9"

    shop.propose(signed(stating(shop.real.evidence, edit)))


@refused("models", r"made with another seeker_model than this installation has", status="unverifiable")
def the_seekers_are_those_of_other_coefficients(shop: Workshop) -> None:
    def edit(predicate: dict[str, Any]) -> None:
        predicate["inputs"]["parameters"]["seeker_model"] = f"sha256:{'0' * 64}"

    shop.propose(signed(stating(shop.real.evidence, edit)))


@refused("models", r"/predicate/inputs/parameters/charity: does not belong")
def a_parameter_is_added(shop: Workshop) -> None:
    shop.propose(signed(stating(shop.real.evidence, lambda p: p["inputs"]["parameters"].update(charity=1))))


@refused("calls", r"the evidence names models and holds no recorded calls", "models without calls")
def a_famous_model_is_named(shop: Workshop) -> None:
    shop.propose(signed(stating(shop.real.evidence, lambda p: p["inputs"]["models"].update(seeker="openai/gpt-4.1"))))


@refused("models", r"/predicate/inputs/models/seeker is 'surrog\\u0430te'")
def a_model_is_named_by_look_alike_letters(shop: Workshop) -> None:
    look_alike = "surrog\u0430te"
    shop.propose(signed(stating(shop.real.evidence, lambda p: p["inputs"]["models"].update(seeker=look_alike))))


@refused("registration", r"the entry 2 registers .*, another change", "another change")
def the_meaning_of_the_candidate_is_edited_and_signed(shop: Workshop) -> None:
    evidence = stating(shop.real.evidence, lambda p: p["inputs"]["readings"].__setitem__(1, f"sha256:{'0' * 64}"))
    shop.propose(signed(evidence))


family("the proposal's own name")


@refused("statement", r"do not belong together")
def the_folder_is_renamed(shop: Workshop) -> None:
    shop.propose(shop.real.evidence, name="edit-something-better-0123456789")


@refused("statement", r'schema-pattern: "\.\./\.\./skills/x"')
def the_name_leaves_its_folder(shop: Workshop) -> None:
    shop.propose(stating(shop.real.evidence, lambda p: p.update(proposal="../../skills/x")), name=shop.real.name)


family("the form of the file")


@refused("statement", r"the key 'verdict' occurs twice")
def a_key_is_repeated(shop: Workshop) -> None:
    shop.propose(with_text(shop, lambda text: text.replace('"verdict": ', '"verdict": "reject",\n"verdict": ')))


@refused("statement", r"NaN is no JSON number")
def a_statistic_is_not_a_number(shop: Workshop) -> None:
    shop.propose(with_text(shop, lambda text: text.replace('"effect": ', '"effect": NaN, "x": ', 1)))


@refused("statement", r"the number 1e999 is too large")
def a_statistic_is_beyond_all_numbers(shop: Workshop) -> None:
    shop.propose(with_text(shop, lambda text: text.replace('"effect": ', '"effect": 1e999, "x": ', 1)))


@refused("statement", r"a number of 5000 digits")
def a_count_has_thousands_of_digits(shop: Workshop) -> None:
    shop.propose(with_text(shop, lambda text: text.replace('"count": ', f'"count": {"9" * 5000}, "x": ', 1)))


@refused("statement", r"nested too deeply")
def the_statement_is_nested_without_end(shop: Workshop) -> None:
    shop.propose(with_text(shop, lambda text: "[" * 100_000), name=shop.real.name)


@refused("statement", r"schema-additionalProperties.*'verdiсt'")
def a_key_is_written_with_look_alike_letters(shop: Workshop) -> None:
    shop.propose(stating(shop.real.evidence, lambda p: p["result"].update({"verdi\u0441t": "accept"})))


@refused("statement", r'schema-enum: "\u0430ccept"')
def a_verdict_is_written_with_look_alike_letters(shop: Workshop) -> None:
    shop.propose(stating(shop.other.evidence, lambda p: p["result"].update(verdict="\u0430ccept")), of=shop.other)


@refused("statement", r"schema-additionalProperties.*'approved_by'")
def a_key_of_ones_own_is_added(shop: Workshop) -> None:
    shop.propose(stating(shop.real.evidence, lambda p: p.update(approved_by="everybody")))


@refused("statement", r"statement\.json:2: is not written as the tools write it")
def the_statement_is_laid_out_in_another_way(shop: Workshop) -> None:
    shop.propose(with_text(shop, lambda text: text.replace("\n", "\n ", 1)))


@refused("statement", r"statement\.json:1: json-syntax: Expecting value at column 1")
def a_byte_order_mark_is_put_before_it(shop: Workshop) -> None:
    shop.propose(with_text(shop, lambda text: "\ufeff" + text), name=shop.real.name)


@refused("statement", r"byte 0x[0-9a-f]{2} is not UTF-8")
def the_statement_is_in_another_encoding(shop: Workshop) -> None:
    evidence = {**shop.real.evidence, STATEMENT: b"\xff\xfe" + shop.real.evidence[STATEMENT]}
    shop.propose(evidence, name=shop.real.name)


@refused("evidence", r"statement\.json: has [\d,]+ bytes")
def the_statement_is_huge(shop: Workshop) -> None:
    shop.propose(with_text(shop, lambda text: text + " " * 10_000_001), name=shop.real.name)


@refused("statement", r"schema-const.*(_type|in-toto)")
def the_statement_is_of_another_type(shop: Workshop) -> None:
    shop.propose(with_statement(shop, lambda s: s.update(_type="https://example.invalid/Statement")))


@refused("statement", r"/subject\)")
def there_are_two_subjects(shop: Workshop) -> None:
    shop.propose(with_statement(shop, lambda s: s["subject"].append(s["subject"][0])))


@refused("statement", r"/predicate/registration\)")
def the_number_of_the_registration_is_no_whole_one(shop: Workshop) -> None:
    shop.propose(stating(shop.real.evidence, lambda p: p["registration"].update(number=2.0)))


REVIEWED = (r"review\.md:1: differs from what was built again", "another review page")

family("the review page and the plan")


@refused("evidence", *REVIEWED)
def the_review_page_is_edited(shop: Workshop) -> None:
    shop.propose({**shop.real.evidence, REVIEW: b"# All is well\n"})


@refused("evidence", *REVIEWED)
def the_review_page_is_edited_and_signed(shop: Workshop) -> None:
    shop.propose(signed({**shop.real.evidence, REVIEW: b"# All is well\n"}))


@refused("evidence", *DRAWS)
def a_seed_of_the_plan_is_edited(shop: Workshop) -> None:
    shop.propose({**shop.real.evidence, PLAN: other_seed(shop)})


@refused("evidence", *DRAWS)
def a_seed_of_the_plan_is_edited_and_signed(shop: Workshop) -> None:
    shop.propose(signed({**shop.real.evidence, PLAN: other_seed(shop)}))


def other_seed(shop: Workshop) -> bytes:
    """The real plan with another seed."""
    plan = json.loads(shop.real.evidence[PLAN])
    plan["draws"][1]["seed"] = "0" * 32
    return render_json(plan).encode()


@refused("statement", r"/predicate/inputs/gate\)|/predicate/inputs/gate/")
def the_gate_has_a_setting_of_its_own(shop: Workshop) -> None:
    def edit(predicate: dict[str, Any]) -> None:
        predicate["inputs"]["gate"]["mercy"] = 1
        predicate["change"] = change_digest(predicate["inputs"])

    shop.propose(stating(shop.real.evidence, edit))
