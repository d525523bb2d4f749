"""Class B: what nobody can tell from the evidence alone. Each kind says what answers it (`docs/threat-model.md`)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from esc_skills.evidence.files import STATEMENT
from tests.model_server import KIND, is_kind
from tests.samples import raised

from .calls import Inventor
from .kind import answered_by, family
from .workshop import Entry, Workshop, decision, run, worded

SPOT_CHECK = "`verify --rerun K` plays K pairs, which the reviewer chooses, with the models themselves; a signature says who vouches"
SECOND = "a second seeker, or `evidence collect` on the same branch by the reviewer, draws anew; few people may push to the ledger"
PROTECTED = "protect the branch on the server: `esc-skills hook install --server` refuses to rewrite it; clones that saw it refuse it"
DECIDED = {"format": "esc-skills/ledger/1", "kind": "decision"}
REVIEWED = "the ledger is read by people: `esc-skills ledger show`; only CI or keepers may push to it"


def invented(shop: Workshop, inventor: Inventor) -> None:
    """Propose the real change with the answers of an inventor, registered and decided as the tools would."""
    trial = shop.trial(model=inventor)
    outcome = run(trial)
    evidence = shop.build(trial, outcome, calls=inventor.packed)
    entries = shop.entries
    shop.write_ledger(*entries[:2], decision(3, 2, evidence))
    shop.propose(evidence)


family("answers")


@answered_by(SPOT_CHECK, shop="recorded")
def answers_of_a_model_are_invented(shop: Workshop) -> None:
    """The seeker's appraisals of the changed skill are as good as can be; nobody ever asked the model.

    Spot check, signature, second seeker.
    """

    def invent(role: str, model: str, prompt: str, answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, "change": 10} if role == "seeker-appraisal" and is_kind(prompt) else answer

    invented(shop, Inventor(invent))


@answered_by(SPOT_CHECK, shop="recorded")
def a_model_is_asked_again_until_it_pleases(shop: Workshop) -> None:
    """A model answers differently each time; of five runs only the kindest answers are recorded.

    Spot check; and a decision that comes long after its registration is a reason to ask.
    """

    def invent(role: str, model: str, prompt: str, answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, "change": max(answer["change"] + more for more in range(5))} if "change" in answer else answer

    invented(shop, Inventor(invent))


@answered_by("a spot check against an endpoint that the reviewer trusts", shop="recorded")
def another_model_answers_under_the_name(shop: Workshop) -> None:
    """Behind the endpoint sits a model that likes everything; the file has the name of the good one.

    Spot check against the reviewer's own endpoint.
    """

    def invent(role: str, model: str, prompt: str, answer: dict[str, Any]) -> dict[str, Any]:
        return (
            {**answer, "meant": "well", "feels": "wonderful", "change": 7 if is_kind(prompt) else 0}
            if "change" in answer
            else answer
        )

    invented(shop, Inventor(invent))


@answered_by(SPOT_CHECK + "; people read the transcripts", shop="recorded")
def a_judge_s_yes_is_turned_into_a_no(shop: Workshop) -> None:
    """The judge saw a danger in the changed skill's words; its answer is recorded as a no.

    Spot check; and the safety lexicon, which nobody can turn, looks at the same words.
    """

    def invent(role: str, model: str, prompt: str, answer: dict[str, Any]) -> dict[str, Any]:
        said = {"quote": KIND, "answer": "yes"} if role == "judge-safety" and is_kind(prompt) else answer
        return {"quote": "", "answer": "no"} if said.get("answer") == "yes" else said

    invented(shop, Inventor(invent))


@answered_by("costs are information for the reviewer; nothing follows from them", shop="recorded")
def a_run_is_said_to_have_cost_nothing(shop: Workshop) -> None:
    """Tokens and dollars of a call are the author's word; the verdict does not follow from them."""
    inventor = Inventor(lambda role, model, prompt, answer: answer)
    inventor.usage = replace(inventor.usage, prompt_tokens=0, completion_tokens=0, usd=0.0)
    invented(shop, inventor)


family("registrations that suit")


@answered_by(SECOND)
def wordings_are_tried_privately_until_the_seekers_suit(shop: Workshop) -> None:
    """An edit that the gate mostly refuses: the surrogate is free, so each wording's plan is tried before one is registered.

    A second seeker, evidence made by the reviewer, registrations of others in between, few who may push to the ledger.
    """
    path, before = "skills/reflect-the-feeling/SKILL.md", shop.git("rev-parse", "ledger~4")
    for number in range(60):
        shop.forget(before)
        of = replace(shop.real, skills={path: worded(hardly_better(shop), number).encode()})
        evidence = shop.registered_anew(replace(shop.trial(), candidate=shop.bank(of.skills), registered=None), of=of)
        if json.loads(evidence[STATEMENT])["predicate"]["result"]["verdict"] == "accept":
            shop.propose(evidence, of=of)
            return
    raise AssertionError("no wording suits")


def hardly_better(shop: Workshop) -> str:
    """The weak skill with two of its six examples mended."""
    ((_, better),) = shop.real.skills.items()
    weak = raised(shop.revision.files["reflect-the-feeling/SKILL.md"].decode())
    said, instead = (re.findall(r"\*\*Supporter:\*\* .*", text) for text in (weak, better.decode()))
    return weak.replace(said[0], instead[0]).replace(said[1], instead[1])


@answered_by(SECOND)
def an_abandoned_registration_is_put_before_one_s_own(shop: Workshop) -> None:
    """A registration of nothing turns the history, and so the seeds, of the next one.

    It counts as refused and raises the next threshold, but not where a release opens an epoch in between. Answered as any
    registration that was chosen to suit.
    """
    epoch, registration, *_ = shop.entries
    suits(shop, lambda turn: [epoch, waste(registration, 2, turn), *next_epoch(epoch, registration, 3)])


@answered_by(
    "few people may push to the ledger; `verify` of that proposal; the clone whose own decision is then refused"
)
def a_decision_on_somebody_else_s_registration_is_invented(shop: Workshop) -> None:
    """Somebody's registration is open, and the forger decides it: accepted, on episodes that nobody played.

    The threshold of the forger's own registration is then half of what it would have been, and the digest of the episodes,
    which nobody can hold against anything, turns its seekers. Few who may push; verification of what is said to be accepted.
    """
    epoch, registration, *_ = shop.entries
    theirs = {**registration, "proposal": "edit-name-one-step-0123456789", "change": f"sha256:{1:064}"}
    theirs["meaning"] = theirs["change"]
    own = {**registration, "number": 4, "index": 2, "accepted": 1, "threshold": 1.2 * 0.5 / (2 / 6)}

    def with_acceptance(turn: int) -> list[Entry]:
        said = {"verdict": "accept", "draws": 6, "e_value": 2.5, "episodes": f"sha256:{turn:064}"}
        return [epoch, theirs, {**said, **DECIDED, "number": 3, "registration": 2}, own]

    suits(shop, with_acceptance)


@answered_by(REVIEWED + "; the names of its releases are those of the repository's tags")
def an_epoch_is_opened_for_a_single_proposal(shop: Workshop) -> None:
    """The count of proposals begins anew without any release, and the threshold falls to that of a first one.

    Whoever reads the ledger sees an epoch that no release opened.
    """
    entries = shop.entries
    third = {"index": 3, "accepted": 1, "threshold": 1.2 * 0.5 / (2 / 12)}
    suits(
        shop,
        lambda turn: [*entries, waste(entries[1], 6, turn) | third, *next_epoch(entries[0], entries[1], 7)],
    )


@answered_by(PROTECTED)
def refused_tries_are_taken_out_of_a_ledger_that_this_clone_never_saw(shop: Workshop) -> None:
    """The ledger held refused registrations; on the server it was written anew without them, before this clone was made.

    A protected branch; every clone that saw it refuses it; merged evidence names its history.
    """
    epoch, registration, *_ = shop.entries
    assert registration["index"] == 1  # as if it had been the first to be tried
    shop.run_on({**epoch, "release": "start anew"}, registration)


def waste(registration: Entry, number: int, turn: int) -> Entry:
    """A registration of nothing."""
    nothing = {"proposal": "edit-nothing-0000000000", "change": f"sha256:{0:064}", "meaning": f"sha256:{turn:064}"}
    return {**registration, "number": number, **nothing}


def next_epoch(epoch: Entry, registration: Entry, number: int) -> list[Entry]:
    """An epoch, and a registration in it."""
    opened = {**epoch, "number": number, "epoch": 2, "release": "v2"}
    return [opened, {**registration, "number": number + 1, "epoch": 2}]


def suits(shop: Workshop, entries_of: Callable[[int], list[Entry]]) -> None:
    """Propose the real change on the first of many ledgers on which the gate accepts it."""
    for turn in range(160):
        shop.run_on(*entries_of(turn))
        statement = json.loads(shop.git("show", f"forged:evidence/{shop.real.name}/{STATEMENT}"))
        if statement["predicate"]["result"]["verdict"] == "accept":
            return
        shop.git("update-ref", "-d", "refs/heads/forged")
    raise AssertionError("no ledger suits")
