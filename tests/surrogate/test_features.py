from __future__ import annotations

from itertools import pairwise

import pytest

from esc_skills.language.cues import load_cues
from esc_skills.surrogate.features import Exchange, extract_features
from esc_skills.vocabulary import Language

from .scenes import CHINESE, ENGLISH, Scene

SCENES = pytest.mark.parametrize("scene", [ENGLISH, CHINESE], ids=["english", "chinese"])


def features_of(scene: Scene, supporter: str, earlier: tuple[str, ...] = ()) -> dict[str, float]:
    return extract_features(scene.exchange(supporter, earlier), load_cues(scene.language))


@SCENES
def test_every_feature_lies_between_0_and_1(scene: Scene) -> None:
    texts = [*scene.meets.values(), *scene.misses.values(), *scene.stuffed, scene.vague, "", "?", scene.seeker * 20]
    for text in texts:
        assert all(0 <= value <= 1 for value in features_of(scene, text, (text, scene.vague)).values()), text


def test_both_languages_have_the_same_features_in_the_same_order() -> None:
    assert list(features_of(ENGLISH, ENGLISH.vague)) == list(features_of(CHINESE, CHINESE.vague))


@pytest.mark.parametrize(("scene", "cue"), [(ENGLISH, "Well done. "), (CHINESE, "你真棒。")])
def test_each_further_cue_adds_less(scene: Scene, cue: str) -> None:
    strengths = [features_of(scene, cue * times)["praise"] for times in range(6)]
    steps = [after - before for before, after in pairwise(strengths)]
    assert strengths[0] == 0
    assert all(later < earlier for earlier, later in pairwise(steps))
    assert all(step > 0 for step in steps)


@SCENES
def test_the_same_turn_again_is_repetition_and_a_new_one_is_not(scene: Scene) -> None:
    first, second = list(scene.meets.values())[:2]
    assert features_of(scene, first, (second, first))["repeats-turn"] == 1
    assert features_of(scene, first, (second,))["repeats-turn"] < 0.1


@SCENES
def test_a_turn_that_has_nothing_to_do_with_the_seeker_is_off_point(scene: Scene) -> None:
    to_the_point = max(features_of(scene, text)["echo"] for text in scene.meets.values())
    assert features_of(scene, scene.stuffed[0])["echo"] < 0.3 < to_the_point
    assert features_of(scene, scene.stuffed[0])["off-point"] > 0.8


@SCENES
def test_giving_the_words_back_is_parroting(scene: Scene) -> None:
    assert features_of(scene, scene.seeker)["parrots"] == 1
    assert all(features_of(scene, text)["parrots"] < 0.4 for text in scene.meets.values())


@pytest.mark.parametrize(
    ("language", "asks", "gives", "passes"),
    [
        (Language.ENGLISH, "What should I do?", "You could write down three questions tonight.", "How sad."),
        (Language.CHINESE, "我该怎么办？", "今晚可以试着写下三个问题。", "真难过。"),
    ],
)
def test_a_request_is_answered_or_missed(language: Language, asks: str, gives: str, passes: str) -> None:
    cues = load_cues(language)
    answered = extract_features(Exchange(asks, gives), cues)
    missed = extract_features(Exchange(asks, passes), cues)
    assert answered["request-answered"] > missed["request-answered"] == 0
    assert missed["request-missed"] > answered["request-missed"]


def test_how_the_seeker_feels_is_not_read() -> None:
    cues = load_cues(Language.ENGLISH)
    calm = extract_features(Exchange("Fine, thanks, wonderful.", "Go on."), cues)
    upset = extract_features(Exchange("Awful, useless, hopeless.", "Go on."), cues)
    assert calm == upset


def test_a_turn_without_a_message_before_it_is_read_too() -> None:
    assert extract_features(Exchange("", "Hello, how are you?"), load_cues(Language.ENGLISH))["echo"] == 0
