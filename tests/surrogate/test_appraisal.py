from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from esc_skills.errors import DocumentError
from esc_skills.language.cues import load_cues
from esc_skills.surrogate.appraisal import SeekerModel, load_seeker_model
from esc_skills.surrogate.features import extract_features
from esc_skills.vocabulary import Disposition, HiddenIntention

from .scenes import CHINESE, ENGLISH, Scene

SCENES = pytest.mark.parametrize("scene", [ENGLISH, CHINESE], ids=["english", "chinese"])
INTENTIONS = pytest.mark.parametrize("intention", list(HiddenIntention))


@pytest.fixture(scope="module")
def model() -> SeekerModel:
    return load_seeker_model()


def change(
    model: SeekerModel, scene: Scene, said: str, intention: HiddenIntention | None, earlier: tuple[str, ...] = ()
) -> float:
    features = extract_features(scene.exchange(said, earlier), load_cues(scene.language))
    return model.expected_change(features, intention, None)


@SCENES
@INTENTIONS
def test_what_meets_an_intention_rates_clearly_above_what_misses_it(
    model: SeekerModel, scene: Scene, intention: HiddenIntention
) -> None:
    meets, misses = scene.meets[intention], scene.misses[intention]
    assert change(model, scene, meets, intention) > change(model, scene, misses, intention) + 2


@SCENES
@INTENTIONS
def test_a_sincere_turn_rates_above_cues_without_sense_and_above_a_vague_turn(
    model: SeekerModel, scene: Scene, intention: HiddenIntention
) -> None:
    sincere = change(model, scene, scene.meets[intention], intention)
    assert all(sincere > change(model, scene, stuffed, intention) + 2 for stuffed in scene.stuffed)
    assert sincere > change(model, scene, scene.vague, intention) + 2


@SCENES
@INTENTIONS
def test_saying_it_again_costs(model: SeekerModel, scene: Scene, intention: HiddenIntention) -> None:
    said = scene.meets[intention]
    assert change(model, scene, said, intention) > change(model, scene, said, intention, (said,)) + 1


@SCENES
def test_more_of_the_same_cue_does_not_pay(model: SeekerModel, scene: Scene) -> None:
    praise = scene.stuffed[0]
    once, often = (change(model, scene, praise * times, HiddenIntention.SINCERE_PRAISE) for times in (1, 5))
    assert often <= once


@SCENES
def test_silence_and_parroting_lose(model: SeekerModel, scene: Scene) -> None:
    for said in ("", scene.seeker):
        assert change(model, scene, said, None) < -4


def test_the_languages_agree_on_what_is_good(model: SeekerModel) -> None:
    for intention in HiddenIntention:
        for english, chinese in ((ENGLISH.meets, CHINESE.meets), (ENGLISH.misses, CHINESE.misses)):
            apart = change(model, ENGLISH, english[intention], intention) - change(
                model, CHINESE, chinese[intention], intention
            )
            assert abs(apart) < 10, intention


@SCENES
@pytest.mark.parametrize("intention", [None, HiddenIntention.BE_HEARD])
@pytest.mark.parametrize("disposition", [None, Disposition.AVOIDANT])
def test_the_explanation_sums_to_the_expectation(
    model: SeekerModel, scene: Scene, intention: HiddenIntention | None, disposition: Disposition | None
) -> None:
    for said in (*scene.meets.values(), *scene.stuffed, scene.seeker):
        features = extract_features(scene.exchange(said), load_cues(scene.language))
        parts = model.explain(features, intention, disposition)
        expected = model.expected_change(features, intention, disposition)
        assert sum(value for _, value in parts) == pytest.approx(expected, abs=1e-9)
        assert [abs(value) for _, value in parts] == sorted((abs(value) for _, value in parts), reverse=True)


def test_an_unknown_intention_is_the_mean_of_all(model: SeekerModel) -> None:
    features = extract_features(ENGLISH.exchange(ENGLISH.vague), load_cues(ENGLISH.language))
    wide = replace(model, base=tuple(value / 10 for value in model.base))
    scaled = replace(wide, coefficients=tuple(tuple(value / 10 for value in row) for row in model.coefficients))
    each = [scaled.expected_change(features, intention, None) for intention in HiddenIntention]
    assert scaled.expected_change(features, None, None) == pytest.approx(sum(each) / len(each))


@pytest.mark.parametrize("expected", [-10.0, -3.0, 0.0, 4.5, 10.0])
def test_a_sampled_change_is_one_that_published_seekers_give(model: SeekerModel, expected: float) -> None:
    changes = [model.sample_change(expected, 0.0, random.Random(str(seed))) for seed in range(400)]
    assert set(changes) <= {-10, -5, 5, 10}
    assert changes == [model.sample_change(expected, 0.0, random.Random(str(seed))) for seed in range(400)]
    assert abs(sum(changes) / len(changes) - expected) < 2


def test_the_shipped_model_is_small_and_says_what_it_was_fitted_on(model: SeekerModel) -> None:
    assert (len(model.features) + 1) * 12 < 2000
    assert sum(source.episodes for source in model.fitted_on) == 600
    assert all(len(source.sha256) == 64 for source in model.fitted_on)
    assert model.source
    assert model.licence


def test_the_shipped_model_knows_every_feature(model: SeekerModel) -> None:
    assert model.features == tuple(extract_features(ENGLISH.exchange(""), load_cues(ENGLISH.language)))


def test_a_model_is_read_as_it_was_written(model: SeekerModel, tmp_path: Path) -> None:
    path = tmp_path / "seeker.json"
    path.write_text(model.as_json(), encoding="utf-8")
    assert load_seeker_model(path) == model


def test_a_file_of_another_form_is_refused(model: SeekerModel, tmp_path: Path) -> None:
    value = json.loads(model.as_json())
    value["columns"] = value["columns"][:-1]
    path = tmp_path / "seeker.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    with pytest.raises(DocumentError, match="is no fitted seeker"):
        load_seeker_model(path)
