"""Forged registrations: what stands in the ledger about the proposal that is verified."""

from __future__ import annotations

from dataclasses import replace

from esc_skills.ledger.entries import Registered

from .kind import DRAWS, family, refused
from .workshop import Entry, Workshop, signed, stating


def epoch_and(shop: Workshop, **fields: object) -> list[Entry]:
    """The epoch, and the registration of the real proposal with other fields."""
    epoch, registration, *_ = shop.entries
    return [epoch, {**registration, **fields}]


family("what the statement says of the registration")


@refused("registration", r"made offline and not registered", status="missing")
def it_was_not_registered(shop: Workshop) -> None:
    trial = replace(shop.trial(), registered=None)
    shop.propose(shop.build(trial))


@refused("evidence", *DRAWS)
def its_registration_is_kept_back(shop: Workshop) -> None:
    shop.propose(stating(shop.real.evidence, lambda p: p.update(registration=None)))


@refused("registration", r"the ledger's entry 1 is no registration")
def an_epoch_is_named_as_its_registration(shop: Workshop) -> None:
    shop.propose(stating(shop.real.evidence, lambda p: p["registration"].update(number=1)))


@refused("registration", r"the ledger's entry 3 is no registration")
def a_decision_is_named_as_its_registration(shop: Workshop) -> None:
    shop.propose(stating(shop.real.evidence, lambda p: p["registration"].update(number=3)))


@refused("registration", r"the ledger of this clone ends at entry 5", status="missing")
def an_entry_is_named_that_the_ledger_does_not_hold(shop: Workshop) -> None:
    shop.propose(stating(shop.real.evidence, lambda p: p["registration"].update(number=99)))


@refused("registration", r"the ledger's history up to the entry 2 is another one")
def another_history_is_named(shop: Workshop) -> None:
    trial = replace(shop.trial(), registered=Registered(shop.real.number, f"sha256:{'c0ffee':0<64}"))
    shop.propose(shop.build(trial))


@refused("registration", r"the entry 4 registers .*, another change")
def the_registration_of_another_proposal_is_used(shop: Workshop) -> None:
    other = Registered(**shop.other.predicate["registration"])
    trial = replace(shop.trial().at_threshold(shop.other.predicate["inputs"]["gate"]["threshold"]), registered=other)
    shop.propose(shop.build(trial))


@refused("registration", r"the entry 4 asks for the e-value 1\.8")
def a_lower_threshold_is_stated_than_was_registered(shop: Workshop) -> None:
    trial = shop.trial(shop.other).at_threshold(1.2)
    shop.propose(shop.build(trial, of=shop.other), of=shop.other)


@refused("registration", r"the entry 2 registers .*, another change", "another change")
def the_change_was_edited_after_it_was_registered(shop: Workshop) -> None:
    path, data = next(iter(shop.real.skills.items()))
    late = replace(shop.real, skills={path: data + b"\n"})
    trial = replace(shop.trial(), candidate=shop.bank(late.skills))
    shop.propose(signed(shop.build(trial, of=late)), of=late)


family("no ledger, no decision")


@refused("ledger", r"this clone holds no ledger", "no ledger of the base's remote", status="missing")
def there_is_no_ledger(shop: Workshop) -> None:
    shop.git("branch", "--delete", "--force", "--quiet", "ledger")
    shop.propose(shop.real.evidence)


@refused("decision", r"the ledger holds no decision on the entry 2", status="missing")
def the_decision_is_missing(shop: Workshop) -> None:
    shop.git("update-ref", "refs/heads/ledger", "ledger~3")
    shop.propose(shop.real.evidence)


@refused("decision", r"the ledger's entry 3 rests on other episodes")
def the_decision_rests_on_other_episodes(shop: Workshop) -> None:
    entries = shop.entries
    shop.write_ledger(*entries[:2], {**entries[2], "episodes": f"sha256:{'0' * 64}"})
    shop.propose(shop.real.evidence)


@refused("decision", r"the ledger's entry 3 says reject, and the episodes that it rests on come to accept")
def the_ledger_says_reject_where_the_evidence_says_accept(shop: Workshop) -> None:
    entries = shop.entries
    shop.write_ledger(*entries[:2], {**entries[2], "verdict": "reject"})
    shop.propose(shop.real.evidence)


@refused("decision", r"the ledger's entry 5 says accept")
def the_ledger_says_accept_where_the_evidence_says_reject(shop: Workshop) -> None:
    entries = shop.entries
    shop.write_ledger(*entries[:4], {**entries[4], "verdict": "accept"})
    shop.propose(shop.other.evidence, of=shop.other)


@refused("decision", r"the ledger's entry 3 tells of \d+ draws and the e-value 1000000000")
def the_ledger_tells_of_a_higher_e_value(shop: Workshop) -> None:
    entries = shop.entries
    shop.write_ledger(*entries[:2], {**entries[2], "e_value": 1e9})
    shop.propose(shop.real.evidence)


@refused("decision", r"the ledger's entry 3 tells of 200 draws")
def the_ledger_tells_of_other_draws(shop: Workshop) -> None:
    entries = shop.entries
    shop.write_ledger(*entries[:2], {**entries[2], "draws": 200})
    shop.propose(shop.real.evidence)


@refused("verdict", r"raised new red safety flags", status="valid", verdict="reject")
def a_refused_proposal_is_shown_as_it_is(shop: Workshop) -> None:
    shop.propose(shop.other.evidence, of=shop.other)


family("entries that are not what was registered")

EASIER = (r"the entry \d+ asks for 1\.01 where the settings ask for 1\.2", "an easier epoch than the settings'")
OTHER_MODELS = (r"the entry 2 names other models", "other models than the change's")


@refused("registration", *EASIER)
def an_epoch_was_opened_with_a_low_threshold(shop: Workshop) -> None:
    epoch, registration = epoch_and(shop)
    shop.run_on({**epoch, "threshold": 1.01}, {**registration, "threshold": 1.01})


@refused("registration", *EASIER)
def an_epoch_with_a_low_threshold_is_opened_on_the_way(shop: Workshop) -> None:
    entries = shop.entries
    opened = {**entries[0], "number": 6, "epoch": 2, "release": "v2", "threshold": 1.01}
    again = {**entries[1], "number": 7, "epoch": 2, "threshold": 1.01}
    shop.run_on(*entries, opened, again)


@refused("registration", *OTHER_MODELS)
def the_registration_names_other_models(shop: Workshop) -> None:
    models = {**shop.entries[1]["models"], "seeker": "openai/gpt-4.1"}
    shop.run_on(*epoch_and(shop, models=models))


@refused("registration", *OTHER_MODELS)
def the_registration_has_a_model_too_many(shop: Workshop) -> None:
    models = {**shop.entries[1]["models"], "charm": "17"}
    shop.run_on(*epoch_and(shop, models=models))


@refused("registration", r"the entry 2 tells of another meaning of the change")
def the_registration_has_a_meaning_that_turns_the_seeds(shop: Workshop) -> None:
    shop.run_on(*epoch_and(shop, meaning=f"sha256:{17:064}"))


@refused("registration", r"the entry 2 plans for 17 draws")
def the_registration_plans_for_other_draws(shop: Workshop) -> None:
    shop.run_on(*epoch_and(shop, draws=17))


@refused("registration", r"the entry 2 asks for 1\.2000000001 where the settings ask for 1\.2")
def the_registration_asks_for_a_billionth_more(shop: Workshop) -> None:
    shop.run_on(*epoch_and(shop, threshold=1.2000000001))


@refused("statement", r"/predicate/proposal is 'narrow-respond-to-suicide-risk-.*is called 'edit-reflect-the-feeling-")
def the_proposal_is_named_after_another_skill(shop: Workshop) -> None:
    name = f"narrow-respond-to-suicide-risk-{shop.real.name[-10:]}"
    shop.run_on(*epoch_and(shop, proposal=name), name=name)


family("another ledger")


@refused("ledger", r"this clone holds no ledger", "no ledger of the base's remote", status="missing")
def the_ledger_is_that_of_a_contributor_s_fork(shop: Workshop) -> None:
    shop.propose(shop.real.evidence)
    shop.git("remote", "add", "origin", "https://example.invalid/bank.git")
    shop.git("remote", "add", "contributor", "https://example.invalid/fork.git")
    shop.git("update-ref", "refs/remotes/contributor/ledger", "ledger")
    shop.git("branch", "--delete", "--force", "--quiet", "ledger")


@refused("ledger", r"this clone holds no ledger", "no ledger of the base's remote", status="missing")
def the_ledger_is_one_s_own_branch(shop: Workshop) -> None:
    shop.propose(shop.real.evidence)
    shop.git("remote", "add", "origin", "https://example.invalid/bank.git")


@refused("registration", r"the ledger's history up to the entry 4 is another one")
def a_ledger_of_one_s_own_lies_beside_that_of_the_remote(shop: Workshop) -> None:
    shop.git("update-ref", "refs/remotes/origin/ledger", "ledger")
    shop.git("remote", "add", "origin", "https://example.invalid/bank.git")
    epoch, registration, made, *_ = shop.entries
    waste = {**registration, "proposal": "edit-nothing-0000000000", "change": f"sha256:{'0' * 64}"}
    own = {**registration, "number": 4, "index": 2, "threshold": 3.6}
    shop.run_on(epoch, waste, {**made, "verdict": "reject"}, own)
