"""The checks of what the evidence comes to: played again, by whom, on whose word, and with which verdict."""

from __future__ import annotations

from esc_skills.errors import EscError
from esc_skills.evidence.case import Case
from esc_skills.evidence.comparison import compare_evidence
from esc_skills.evidence.owner_checks import how_to_sign
from esc_skills.evidence.span_coverage import ledger_verdict, suffices
from esc_skills.evidence.verification import invalid, missing
from esc_skills.evidence.witness import who_played
from esc_skills.gate.calibration import FOLDER, RESULT, calibration_age, read_calibration
from esc_skills.git import MissingObjectError
from esc_skills.vocabulary import Verdict

_CALIBRATION = f"{FOLDER}/{RESULT}"


def calibration(case: Case) -> str | None:
    """Return a warning where the base's calibration was made with something else than what judges this proposal."""
    try:
        data = case.repository.read_file(case.change.base, _CALIBRATION)
        if data is None:
            return None
        result = read_calibration(data, _CALIBRATION)
    except MissingObjectError:
        raise
    except EscError as error:
        return f"warning: {error.message}"
    gate, models = case.base.settings.gate, case.trial.models
    warning = calibration_age(result, case.base.population.digest, gate=gate, models=models)
    return f"warning: {warning}" if warning else "of these profiles, gate and models"


def evidence(case: Case) -> str:
    """Play every pair again, build every file again, and compare."""
    compare_evidence(case.name, case.files, case.rebuilt)
    how = "replayed from the recorded calls" if case.recorded else "simulated again"
    own = f" and {len(case.outcome.own)} of single strata" if case.outcome.own else ""
    return f"{len(case.outcome.draws)} pairs{own} {how}; every file is as rebuilt"


def verdict(case: Case) -> str:
    """Check that the ledger holds the decision that the episodes come to."""
    ledger, entry, decision = case.ledger, case.entry, case.outcome.decision
    if ledger is None or entry is None:
        detail = "made offline and not registered, so that somebody may have tried before; `esc-skills evidence renew --head BRANCH` registers it"
        raise missing("registration", detail)
    made = ledger.decisions.get(entry.number)
    if made is None and not case.counts_in_full:
        return players(case)
    if made is None:
        detail = f"the ledger holds no decision on the entry {entry.number}, which counts as refused"
        raise missing("decision", detail)
    if made.episodes != case.statement.episodes:
        raise invalid("decision", f"the ledger's entry {made.number} rests on other episodes: {made.verdict}")
    if made.verdict is not (right_verdict := ledger_verdict(case.outcome, case.coverage, case.base.settings)):
        found = f"says {made.verdict}, and the episodes that it rests on come to {right_verdict}"
        raise invalid("decision", f"the ledger's entry {made.number} {found}")
    right = decision.draws, float(f"{decision.e_value:.9g}")
    if (made.draws, made.e_value) != right:
        found = f"tells of {made.draws} draws and the e-value {made.e_value}, and it was {right[0]} and {right[1]}"
        raise invalid("decision", f"the ledger's entry {made.number} {found}")
    if case.verdict is decision.verdict:
        return decision.reason
    why = players(case) if not (suffices(case.coverage, case.base.settings) and case.counts_in_full) else spans(case)
    return f"{decision.reason} It is no acceptance yet: {why}"


def spans(case: Case) -> str:
    """Say on whose word the words stand that no simulation vouches for, and which of them nobody vouches for."""
    coverage, word = case.coverage, case.word
    played = sum(each.was_played for each in coverage.spans)
    told = f"{len(coverage.spans)} spans changed, {played} of them played"
    if case.outcome.decision.verdict is not Verdict.ACCEPT or not coverage.open:
        return told
    if coverage.is_mixed or not word.is_given:
        owners = sorted({name for _, names in word.open for name in names})
        may = (
            f"{' or '.join(owners)} may vouch for them: {how_to_sign(case.change)}"
            if owners
            else "the base's settings name nobody who may vouch for them (docs/ci.md)"
        )
        return f"{told}; {coverage.why_open()}" + ("" if coverage.is_mixed else f"; {may}, or split them off")
    names = ", ".join(dict.fromkeys(each.owner for each in word.decisions))
    reasons = "; ".join(f"entry {each.entry.number}: {each.entry.reason}" for each in word.decisions)
    counted = "1 span" if len(coverage.open) == 1 else f"{len(coverage.open)} spans"
    return f"{counted} on {names}'s word ({reasons}): {', '.join(each.change.label for each in coverage.open)}"


def players(case: Case) -> str:
    """Say who played and whether that is enough here."""
    told, gate = who_played(case.trial.models, case.signer), case.base.settings.gate
    if not suffices(case.coverage, case.base.settings):
        return (
            f"{told}, and this repository asks for models (gate.players); `esc-skills evidence collect --supporter …`"
        )
    if not case.counts_in_full:
        names = " or ".join(gate.trusted)
        return f"{told}, so a preview: it counts once {names} plays the same seekers afresh (`esc-skills evidence collect --sign KEY`)"
    return told
