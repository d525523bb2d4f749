"""Fitting and measuring the offline annotator on dialogues whose supporter messages carry strategy labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from esc_skills.corpora.dialogue import Dialogue
from esc_skills.corpora.esconv import canonical_text
from esc_skills.errors import InputError
from esc_skills.language.strategies import (
    CLASSES,
    Message,
    StrategyModel,
    annotate_strategies,
    strategy_features,
)
from esc_skills.vocabulary import Speaker, Strategy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

#: The ridge on the coefficients, chosen by cross-validation over the first 100 of the dialogues that it was fitted on.
_RIDGE = 3.0
#: Enough for Newton's method here; the last steps change nothing that is kept.
_STEPS = 15
#: Coefficients are kept to this many decimals, so that small differences of linear algebra libraries vanish.
_DECIMALS = 3


@dataclass(frozen=True, slots=True)
class LabelAgreement:
    """How the annotator agrees with labels on one strategy, or on a merged one.

    Attributes:
        strategies: The strategies that the label means.
        labelled: The messages with this label.
        annotated: The messages that the annotator calls so.
        agreed: Those that are both.
    """

    strategies: tuple[Strategy, ...]
    labelled: int
    annotated: int
    agreed: int

    @property
    def precision(self) -> float:
        """The share of what is called so that is labelled so; 0 where nothing is."""
        return self.agreed / self.annotated if self.annotated else 0.0

    @property
    def recall(self) -> float:
        """The share of what is labelled so that is called so; 0 where nothing is."""
        return self.agreed / self.labelled if self.labelled else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return 2 * self.agreed / (self.labelled + self.annotated) if self.labelled + self.annotated else 0.0


def supporter_messages(dialogue: Dialogue) -> Iterator[tuple[Message, tuple[Strategy, ...]]]:
    """Yield each supporter message of a dialogue with its labels, which may be none."""
    heard = ""
    for position, utterance in enumerate(dialogue.utterances):
        text = canonical_text(utterance.text)
        if utterance.speaker is Speaker.SEEKER:
            heard = text
        else:
            yield Message(text, heard, position, dialogue.language), utterance.strategies


def fit_annotator(dialogues: Iterable[Dialogue], fitted_on: str) -> StrategyModel:
    """Return the annotator that fits the labels of dialogues: a multinomial logistic regression with a ridge.

    Each class weighs the same, however many messages have it. Equal dialogues in equal order give an equal model.

    Args:
        dialogues: Dialogues with strategy labels; a label that means more than one class is left out.
        fitted_on: What they are, for the record.

    Raises:
        InputError: A class of `CLASSES` has no message.
    """
    rows: list[dict[str, float]] = []
    targets: list[int] = []
    for message, label in (pair for dialogue in dialogues for pair in supporter_messages(dialogue)):
        classes = _classes_of(label)
        if len(classes) == 1:
            rows.append(strategy_features(message))
            targets.append(classes[0])
    counts = Counter(targets)
    if len(counts) < len(CLASSES):
        missing = ", ".join(str(names[0]) for at, names in enumerate(CLASSES) if at not in counts)
        raise InputError(f"no message is labelled {missing}", "give dialogues with the labels of ESConv")
    names = tuple(rows[0])
    features = np.array([[row[name] for name in names] for row in rows])
    weights = np.array([len(targets) / (len(CLASSES) * counts[target]) for target in targets])
    solved = np.round(_solve(features, np.array(targets), weights), _DECIMALS)
    return StrategyModel(
        names,
        tuple(map(float, solved[:, 0])),
        tuple(tuple(map(float, row)) for row in solved[:, 1:]),
        fitted_on,
    )


def _classes_of(label: Sequence[Strategy]) -> list[int]:
    return [at for at, strategies in enumerate(CLASSES) if set(strategies) & set(label)]


def _solve(features: Matrix, targets: NDArray[np.int64], weights: Matrix) -> Matrix:
    """Return classes × (intercept, coefficients) that minimise the weighted loss and the ridge, by Newton's method."""
    size, classes = features.shape[0], len(CLASSES)
    design = np.hstack([np.ones((size, 1)), features])
    width = design.shape[1]
    wanted = np.eye(classes)[targets]
    ridge = np.tile(np.concatenate([[1e-3], np.full(width - 1, _RIDGE)]), classes)
    solution = np.zeros(classes * width)
    for _ in range(_STEPS):
        scores = design @ solution.reshape(classes, width).T
        scores -= scores.max(axis=1, keepdims=True)
        shares = np.exp(scores)
        shares /= shares.sum(axis=1, keepdims=True)
        gradient = ((shares - wanted) * weights[:, None]).T @ design
        curvature = np.zeros((classes * width, classes * width))
        for one in range(classes):
            for other in range(classes):
                spread = weights * shares[:, one] * ((one == other) - shares[:, other])
                block = (design * spread[:, None]).T @ design
                curvature[one * width : (one + 1) * width, other * width : (other + 1) * width] = block
        step = np.linalg.solve(curvature + np.diag(ridge), gradient.ravel() + ridge * solution)
        solution = solution - step
    return solution.reshape(classes, width)


def measure_annotator(dialogues: Iterable[Dialogue], model: StrategyModel | None = None) -> tuple[LabelAgreement, ...]:
    """Return the agreement of the annotator's likeliest strategy with the labels, one for each label that occurs.

    A label that means any of several strategies agrees with each of them, and what the annotator calls one of them is
    counted for that label, as the labels of these dialogues cannot tell them apart.
    """
    labels: list[tuple[Strategy, ...]] = []
    called: list[Strategy] = []
    for message, label in (pair for dialogue in dialogues for pair in supporter_messages(dialogue)):
        if label:
            labels.append(label)
            called.append(annotate_strategies(message, model)[0])
    kinds = sorted(set(labels), key=lambda label: list(Strategy).index(label[0]))
    return tuple(
        LabelAgreement(
            kind,
            labelled=sum(label == kind for label in labels),
            annotated=sum(each in kind for each in called),
            agreed=sum(label == kind and each in kind for label, each in zip(labels, called, strict=True)),
        )
        for kind in kinds
    )


def macro_f1(agreements: Sequence[LabelAgreement]) -> float:
    """Return the mean F1 over labels, each of the same weight."""
    return sum(each.f1 for each in agreements) / len(agreements)
