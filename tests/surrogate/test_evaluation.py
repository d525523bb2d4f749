from __future__ import annotations

from pathlib import Path

import pytest

from esc_skills.corpora.dialogue import Dialogue, Outcomes, Quality, Utterance
from esc_skills.surrogate import evaluation
from esc_skills.surrogate.appraisal import SeekerModel, load_seeker_model
from esc_skills.surrogate.evaluation import Recorded, evaluate_esconv, evaluate_sage, read_recorded
from esc_skills.surrogate.fitting import fit_seeker
from esc_skills.surrogate.rolling import roll_emotion
from esc_skills.transcript import Transcript
from esc_skills.vocabulary import Language, Speaker

from .generated import generate, write

TASTES = {"generous": 0.8, "even": 0.5, "harsh": 0.2}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Recorded]:
    folder = tmp_path_factory.mktemp("recorded")
    return [
        read_recorded(write(folder / f"{name}.jsonl", generate(name, 60, taste=taste)))
        for name, taste in TASTES.items()
    ]


@pytest.fixture(scope="module")
def model(files: list[Recorded]) -> SeekerModel:
    episodes = [transcript for file in files for transcript in file.transcripts]
    return fit_seeker(episodes, fitted_on=[file.source for file in files])


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """The supporters of each fit that an evaluation makes."""
    seen: list[set[str]] = []

    def spy(dialogues: object) -> SeekerModel:
        episodes: tuple[Transcript, ...] = tuple(dialogues)  # type: ignore[arg-type]
        seen.append({each.supporter for each in episodes})
        return fit_seeker(episodes)

    monkeypatch.setattr(evaluation, "fit_seeker", spy)
    return seen


def test_files_of_the_fit_are_predicted_without_their_own_supporter(
    files: list[Recorded], model: SeekerModel, fits: list[set[str]]
) -> None:
    result = evaluate_sage(files, model)
    assert fits == [{"generous", "harsh"}, {"even", "harsh"}, {"even", "generous"}]
    assert not result.in_sample
    assert result.episodes == 180
    assert result.dialogue_r is not None
    assert result.dialogue_r > 0.4
    assert result.leaderboard_rho == pytest.approx(1)


def test_a_single_file_of_the_fit_is_marked_in_sample(files: list[Recorded], model: SeekerModel) -> None:
    assert evaluate_sage(files[:1], model).in_sample


def test_a_copy_under_another_name_does_not_pass_for_a_second_supporter(
    files: list[Recorded], model: SeekerModel, tmp_path: Path, fits: list[set[str]]
) -> None:
    copied = Recorded(files[0].source, files[0].transcripts)
    assert evaluate_sage([files[0], copied], model).in_sample
    assert fits == []


def test_a_file_that_the_model_does_not_know_is_predicted_as_it_is(
    files: list[Recorded], model: SeekerModel, tmp_path: Path, fits: list[set[str]]
) -> None:
    fresh = read_recorded(write(tmp_path / "fresh.jsonl", generate("fresh", 24)))
    result = evaluate_sage([fresh], model)
    assert not result.in_sample
    assert result.episodes == 24
    assert fits == []


def test_the_recorded_emotion_is_never_seen(files: list[Recorded], model: SeekerModel) -> None:
    turns = files[0].transcripts[0].turns
    shifted = Transcript(
        **{
            **{name: getattr(files[0].transcripts[0], name) for name in Transcript.__slots__},
            "turns": tuple(type(turn)(turn.seeker, 99, turn.supporter, turn.change) for turn in turns),
        }
    )
    predictions = [evaluation._predict(each, model).expected for each in (files[0].transcripts[0], shifted)]
    assert predictions[0] == predictions[1]


@pytest.mark.parametrize(
    ("changes", "final"),
    [([], 40), ([10] * 9, 100), ([10] * 6 + [-10], 100), ([-50], 30), ([-10] * 4 + [10], 0), ([5, -2.5], 42.5)],
)
def test_the_emotion_rolls_by_the_protocol(changes: list[float], final: float) -> None:
    assert roll_emotion(changes) == final


def dialogue(number: int, quality: Quality, *turns: tuple[str, str, int | None]) -> Dialogue:
    said: list[Utterance] = []
    for seeker, supporter, feedback in turns:
        said.append(Utterance(Speaker.SEEKER, seeker))
        said.append(Utterance(Speaker.SUPPORTER, supporter))
        said.append(Utterance(Speaker.SEEKER, "Hm.", feedback=feedback))
    return Dialogue(
        id=f"made-up-{number}",
        corpus="made-up",
        language=Language.ENGLISH,
        situation="The rota changed.",
        outcomes=Outcomes(quality=quality),
        utterances=tuple(said),
    )


def test_english_dialogues_are_told_apart_and_rated() -> None:
    warm = (
        "The rota took the weekend from you, and you kept the team going all the same. What was the worst of it?",
        "You sound worn out by the rota, and you have every right to be angry about the lost weekend.",
    )
    cold = ("Ok.", "You should have said so. It could be worse.")
    good = [
        dialogue(at, Quality.GOOD, ("They changed the rota.", warm[at % 2], 5), ("No weekend again.", cold[at % 2], 2))
        for at in range(6)
    ]
    failed = [dialogue(9, Quality.FAILED, ("They changed the rota.", cold[at], None)) for at in range(2)]
    result = evaluate_esconv([*good, *failed], load_seeker_model())
    assert result.episodes == 8
    assert result.auc == 1.0
    assert result.feedback_rho is not None
    assert result.feedback_rho_low is not None
    assert 0.5 < result.feedback_rho_low <= result.feedback_rho <= 1
    assert result.dialogue_r is None


def test_the_traces_of_tokenisation_change_nothing() -> None:
    model = load_seeker_model()
    plain = dialogue(1, Quality.GOOD, ("I can't sleep, my co-worker rang.", "That's hard (really). Isn't it?!", 3))
    traces = dialogue(
        1, Quality.GOOD, ("I can ' t sleep , my co - worker rang .", "That ' s hard ( really ) . Isn't it ? !", 3)
    )
    assert evaluation._appraise(plain, model) == evaluation._appraise(traces, model)
