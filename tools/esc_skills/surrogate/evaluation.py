"""Evaluation: how well the surrogate seeker agrees with what was recorded, and never in-sample without saying so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from esc_skills.corpora.dialogue import Dialogue, Quality
from esc_skills.corpora.esconv import canonical_text
from esc_skills.documents.jsonl import digest
from esc_skills.documents.text import read_bytes
from esc_skills.language.cues import load_cues
from esc_skills.language.wording import split_words
from esc_skills.surrogate.agreement import area_under_curve, lower_bound_of_rho, pearson, spearman
from esc_skills.surrogate.appraisal import SeekerModel, Source
from esc_skills.surrogate.features import Exchange, extract_features
from esc_skills.surrogate.fitting import fit_seeker
from esc_skills.surrogate.rolling import appraised_exchanges, cues_of, roll_emotion
from esc_skills.transcript import Transcript, read_transcripts
from esc_skills.vocabulary import Language, Speaker

_MAX_FILE = 500_000_000


@dataclass(frozen=True, slots=True)
class Agreement:
    """How predictions agree with what was recorded. What does not apply, or does not vary, is None.

    Attributes:
        episodes: The episodes or dialogues that were scored.
        in_sample: Whether the model was fitted on the very episodes that it is measured on.
        turn_r: Pearson's r between expected and recorded changes of turns.
        dialogue_r: Pearson's r between final emotions: the model rolls its own from the start along the recorded texts,
            sees no recorded emotion, and draws no noise.
        dialogue_r_length: The same r for the number of recorded turns alone, which knows that failures end early.
        leaderboard_rho: Spearman's rho between the supporters' mean predicted and mean recorded final emotions.
        feedback_rho: Spearman's rho between the mean expected change and the seeker's rating of the same turns.
        feedback_rho_low: The lower end of its 95 % interval, by a bootstrap over dialogues.
        feedback_rho_length: Spearman's rho between the mean number of words and the rating.
        auc: The probability that a good dialogue has a higher mean expected change than a failed one.
        auc_length: The same for the number of words that the supporter wrote.
    """

    episodes: int
    in_sample: bool = False
    turn_r: float | None = None
    dialogue_r: float | None = None
    dialogue_r_length: float | None = None
    leaderboard_rho: float | None = None
    feedback_rho: float | None = None
    feedback_rho_low: float | None = None
    feedback_rho_length: float | None = None
    auc: float | None = None
    auc_length: float | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """A file of transcripts with the identity of its bytes."""

    source: Source
    transcripts: tuple[Transcript, ...]


@dataclass(frozen=True, slots=True)
class _Prediction:
    supporter: str
    expected: tuple[float, ...]
    changes: tuple[int, ...]
    final: int


def read_recorded(path: Path) -> Recorded:
    """Return the transcripts of a file and the SHA-256 of its bytes.

    Raises:
        DocumentError: It is no file of transcripts.
    """
    transcripts = read_transcripts(path)
    checksum = digest(read_bytes(path, limit=_MAX_FILE)).removeprefix("sha256:")
    return Recorded(Source(path.name, checksum, len(transcripts)), transcripts)


def evaluate_sage(files: Sequence[Recorded], model: SeekerModel) -> Agreement:
    """Return the agreement with recorded episodes.

    Files that the model was fitted on are predicted by models that are fitted anew on the other such files, each without
    the supporter that is predicted. Where only one supporter is left, nothing can be left out and `in_sample` is set.
    """
    known = {source.sha256 for source in model.fitted_on}
    fitted = [file for file in files if file.source.sha256 in known]
    fresh = [file for file in files if file.source.sha256 not in known]
    in_sample = bool(fitted) and len(_supporters(fitted)) < 2
    predictions = [_predict(each, model) for file in fresh for each in file.transcripts]
    if in_sample:
        predictions += [_predict(each, model) for file in fitted for each in file.transcripts]
    else:
        predictions += leave_one_supporter_out(fitted)
    return replace(_agreement([each for each in predictions if each.expected]), in_sample=in_sample)


def leave_one_supporter_out(files: Sequence[Recorded]) -> list[_Prediction]:
    """Return the predictions of each supporter's episodes by a model that was fitted on all the others.

    A file that is given twice counts once, whatever its names.
    """
    predictions: list[_Prediction] = []
    for supporter in _supporters(files):
        held = [file for file in files if _supporter(file) == supporter]
        same = {file.source.sha256 for file in held}
        others = [file for file in files if _supporter(file) != supporter and file.source.sha256 not in same]
        model = fit_seeker(chain.from_iterable(file.transcripts for file in others))
        predictions += [_predict(each, model) for file in held for each in file.transcripts]
    return predictions


def _supporters(files: Sequence[Recorded]) -> list[str]:
    """Return the supporters that differ in their files' bytes too."""
    distinct = {file.source.sha256: _supporter(file) for file in reversed(files)}
    return sorted(set(distinct.values()))


def _supporter(file: Recorded) -> str:
    return file.transcripts[0].supporter


def _predict(transcript: Transcript, model: SeekerModel) -> _Prediction:
    cues = cues_of(transcript)
    rows = [(extract_features(exchange, cues), change) for exchange, _, change in appraised_exchanges(transcript)]
    return _Prediction(
        supporter=transcript.supporter,
        expected=tuple(
            model.expected_change(features, transcript.intention, transcript.disposition) for features, _ in rows
        ),
        changes=tuple(change for _, change in rows),
        final=transcript.final_emotion,
    )


def _agreement(predictions: Sequence[_Prediction]) -> Agreement:
    if len(predictions) < 2:
        return Agreement(len(predictions))
    finals, rolled = [each.final for each in predictions], [roll_emotion(each.expected) for each in predictions]
    return Agreement(
        episodes=len(predictions),
        turn_r=pearson(
            [value for each in predictions for value in each.expected],
            [value for each in predictions for value in each.changes],
        ),
        dialogue_r=pearson(rolled, finals),
        dialogue_r_length=pearson([len(each.changes) for each in predictions], finals),
        leaderboard_rho=_leaderboard_rho(predictions, rolled),
    )


def _leaderboard_rho(predictions: Sequence[_Prediction], rolled: Sequence[float]) -> float | None:
    boards: dict[str, list[tuple[float, float]]] = {}
    for prediction, final in zip(predictions, rolled, strict=True):
        boards.setdefault(prediction.supporter, []).append((final, prediction.final))
    if len(boards) < 3:
        return None
    means = [[sum(side) / len(side) for side in zip(*pairs, strict=True)] for pairs in boards.values()]
    return spearman([mean[0] for mean in means], [mean[1] for mean in means])


@dataclass(frozen=True, slots=True)
class _Appraised:
    """A dialogue's supporter turns as the model takes them.

    Attributes:
        expected: The expected change of each turn.
        words: The words of each turn.
        ratings: Mean expected change, mean words, and rating, of each stretch of turns that the seeker rated.
    """

    expected: tuple[float, ...]
    words: tuple[int, ...]
    ratings: tuple[tuple[float, float, float], ...]


def evaluate_esconv(dialogues: Iterable[Dialogue], model: SeekerModel) -> Agreement:
    """Return the agreement with English dialogues, whose seekers' intention and disposition are not known.

    The rating correlation is that of the good dialogues. Texts of all dialogues are freed of the traces of tokenisation
    first, so that only what was said tells them apart.
    """
    appraised = [(dialogue.outcomes.quality, _appraise(dialogue, model)) for dialogue in dialogues]
    good = [each for quality, each in appraised if quality is Quality.GOOD and each.expected]
    failed = [each for quality, each in appraised if quality is Quality.FAILED and each.expected]
    agreement = replace(rate_feedback([each.ratings for each in good]), episodes=len(good) + len(failed))
    if not good or not failed:
        return agreement
    return replace(
        agreement,
        auc=area_under_curve([_mean(each.expected) for each in good], [_mean(each.expected) for each in failed]),
        auc_length=area_under_curve([sum(each.words) for each in good], [sum(each.words) for each in failed]),
    )


def rate_feedback(groups: Sequence[Sequence[tuple[float, float, float]]]) -> Agreement:
    """Return the correlations of expected changes and of lengths with ratings, grouped by dialogue."""
    rated = [rating for group in groups for rating in group]
    if len(rated) < 2:
        return Agreement(len(groups))
    expected, words, given = (list(side) for side in zip(*rated, strict=True))
    return Agreement(
        episodes=len(groups),
        feedback_rho=spearman(expected, given),
        feedback_rho_low=lower_bound_of_rho([[(one, rating) for one, _, rating in group] for group in groups]),
        feedback_rho_length=spearman(words, given),
    )


def _appraise(dialogue: Dialogue, model: SeekerModel) -> _Appraised:
    expected: list[float] = []
    words: list[int] = []
    ratings: list[tuple[float, float, float]] = []
    rated_until = 0
    for exchange, feedback in _rated_exchanges(dialogue):
        features = extract_features(exchange, load_cues(Language.ENGLISH))
        expected.append(model.expected_change(features, None, None))
        words.append(len(split_words(exchange.supporter_said)))
        if feedback:
            ratings.append((_mean(expected[rated_until:]), _mean(words[rated_until:]), _mean(feedback)))
            rated_until = len(expected)
    return _Appraised(tuple(expected), tuple(words), tuple(ratings))


def _rated_exchanges(dialogue: Dialogue) -> Iterator[tuple[Exchange, tuple[int, ...]]]:
    """Yield each supporter turn with the ratings that the seeker gives in the turn after it."""
    background = canonical_text(dialogue.situation)
    said: list[str] = []
    answers: list[str] = []
    pending: Exchange | None = None
    for speaker, utterances in dialogue.runs():
        text = canonical_text(" ".join(utterance.text for utterance in utterances))
        if speaker is Speaker.SUPPORTER:
            pending = Exchange(
                seeker_said=said[-1] if said else "",
                supporter_said=text,
                earlier_supporter=tuple(answers),
                earlier_seeker=tuple(said[:-1]),
                background=background,
                turn=len(answers) + 1,
            )
            answers.append(text)
            continue
        if pending is not None:
            yield pending, tuple(each.feedback for each in utterances if each.feedback is not None)
        pending = None
        said.append(text)
    if pending is not None:
        yield pending, ()


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
