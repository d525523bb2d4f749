from __future__ import annotations

import pytest

from esc_skills.errors import InputError
from esc_skills.surrogate.appraisal import COLUMNS, SeekerModel
from esc_skills.surrogate.fitting import fit_seeker
from esc_skills.surrogate.priors import Priors
from esc_skills.vocabulary import HiddenIntention

from .generated import PLANTED, generate

NO_PRIORS = Priors({}, frozenset())


@pytest.fixture(scope="module")
def fitted() -> SeekerModel:
    return fit_seeker(generate("generous", 160), priors=NO_PRIORS)


def coefficient(model: SeekerModel, feature: str, column: str = "any") -> float:
    return model.coefficients[model.features.index(feature)][COLUMNS.index(column)]


def test_planted_coefficients_are_recovered(fitted: SeekerModel) -> None:
    found = {name: coefficient(fitted, name) for name in PLANTED}
    assert found["praise"] > 0 > found["suggestion"]
    # The ridge shrinks and the spread stretches all alike, so it is the proportions that are recovered.
    assert found["minimising"] / found["praise"] == pytest.approx(-14 / 12, rel=0.35)
    largest = sorted(fitted.features, key=lambda name: -abs(coefficient(fitted, name)))[:8]
    assert set(PLANTED) <= set(largest)


def test_what_one_intention_wants_is_told_from_what_all_want(fitted: SeekerModel) -> None:
    wants = {each: coefficient(fitted, "suggestion", each) for each in HiddenIntention}
    wanted = wants.pop(HiddenIntention.PRACTICAL_ADVICE)
    assert wanted > 0
    assert wanted > 2 * max(wants.values())


def test_equal_transcripts_give_an_equal_model(fitted: SeekerModel) -> None:
    assert fit_seeker(generate("generous", 160), priors=NO_PRIORS) == fitted


def test_a_feature_that_never_occurs_keeps_its_prior() -> None:
    priors = Priors({("any", "blame"): -3.0}, frozenset())
    model = fit_seeker(generate("generous", 20), priors=priors)
    stretch = coefficient(model, "blame") / -3.0
    assert stretch in (1.0, 1.5, 2.0)


def test_a_firm_prior_withstands_the_transcripts() -> None:
    target = {("any", "praise"): -8.0}
    loose, firm = (
        coefficient(fit_seeker(generate("generous", 20), priors=Priors(target, frozenset(names))), "praise")
        for names in ((), ("praise",))
    )
    assert firm < loose


def test_transcripts_without_an_appraised_turn_are_refused() -> None:
    with pytest.raises(InputError, match="no supporter turn is appraised"):
        fit_seeker(())
