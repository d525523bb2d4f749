"""Fitting: the coefficients of the surrogate seeker from appraised transcripts, by a ridge towards documented priors.

Three things differ from a plain regression of changes on features. What an intention or a disposition adds is shrunk
harder than what holds for all. The sums over an episode are fitted beside its single turns, since a run adds up the
errors of a turn. And part of what the seeker's state does is taken off first: supporters answer a happy seeker happily,
and the cues of such an answer should not get the credit for the mood that they mirror.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from esc_skills.errors import InputError
from esc_skills.surrogate.appraisal import COLUMNS, SeekerModel, Source
from esc_skills.surrogate.features import extract_features
from esc_skills.surrogate.priors import Priors, load_priors
from esc_skills.surrogate.rolling import appraised_exchanges, cues_of
from esc_skills.surrogate.spreading import Tendency, calibrate
from esc_skills.transcript import Transcript

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

#: The ridge on what holds for all, on what an intention or disposition adds, on the levels of these, and how much
#: more of it firm priors have.
_RIDGE, _RIDGE_ADDED, _RIDGE_LEVEL, _FIRMNESS = 30.0, 150.0, 1000.0, 10.0
#: The weight of an episode's mean change beside that of its turns.
_EPISODE_WEIGHT = 1.0
#: The part of the state's effect that is taken off; all of it would also take off what good answers brought about.
_STATE_SHARE = 0.3
#: Coefficients are kept to this many decimals, so that small differences of linear algebra libraries vanish.
_DECIMALS = 3


@dataclass(frozen=True, eq=False)
class _Table:
    """The appraised turns of the transcripts, a row each, episode after episode.

    Attributes:
        names: The features.
        features: Turns × features.
        groups: Turns × columns of the coefficients: 1 where the column applies to the turn's seeker.
        changes: The emotion change of each turn.
        emotions: The emotion before it.
        bounds: The first row of each episode, and the end of the last.
    """

    names: tuple[str, ...]
    features: Matrix
    groups: Matrix
    changes: Matrix
    emotions: Matrix
    bounds: tuple[int, ...]


def fit_seeker(
    dialogues: Iterable[Transcript],
    *,
    fitted_on: Sequence[Source] = (),
    source: str = "",
    licence: str = "",
    priors: Priors | None = None,
) -> SeekerModel:
    """Return the seeker that fits appraised transcripts; equal transcripts in equal order give an equal model.

    Args:
        dialogues: Transcripts in English or Chinese, from one or several supporters.
        fitted_on: The files that they come from.
        source: Where these were published.
        licence: Under what licence.
        priors: Targets of the coefficients; by default those of `data/priors.yaml`.

    Raises:
        InputError: No turn of the transcripts is appraised.
    """
    dialogues = tuple(each for each in dialogues if any(turn.change is not None for turn in each.turns))
    if not dialogues:
        raise InputError("no supporter turn is appraised", "give transcripts whose turns hold emotion changes")
    table = _tabulate(dialogues)
    typical = table.features.mean(axis=0)
    coefficients = _solve(table, typical, load_priors() if priors is None else priors)
    spread = calibrate(list(_tendencies(dialogues, table, typical, coefficients)))
    return SeekerModel(
        features=table.names,
        typical=_rounded(typical),
        base=_rounded(coefficients[-1]),
        coefficients=tuple(_rounded(row) for row in coefficients[:-1]),
        spread=spread,
        fitted_on=tuple(fitted_on),
        source=source,
        licence=licence,
    )


def _tabulate(dialogues: Sequence[Transcript]) -> _Table:
    import numpy as np

    rows: list[dict[str, float]] = []
    groups: list[list[float]] = []
    changes: list[tuple[int, int]] = []
    bounds = [0]
    for dialogue in dialogues:
        cues = cues_of(dialogue)
        applies = [float(column in ("any", dialogue.intention, dialogue.disposition)) for column in COLUMNS]
        for exchange, emotion, change in appraised_exchanges(dialogue):
            rows.append(extract_features(exchange, cues))
            groups.append(applies)
            changes.append((emotion, change))
        bounds.append(len(rows))
    emotions, outcomes = np.array(changes, dtype=np.float64).T
    features = np.array([list(row.values()) for row in rows])
    return _Table(tuple(rows[0]), features, np.array(groups), outcomes, emotions, tuple(bounds))


def _solve(table: _Table, typical: Matrix, priors: Priors) -> Matrix:
    """Return the coefficients: features and, in the last row, the base × columns."""
    import numpy as np

    centred = np.column_stack([table.features - typical, np.ones(len(table.features))])
    design = (centred[:, :, None] * table.groups[:, None, :]).reshape(len(centred), -1)
    targets, penalties = _targets(table.names, priors)
    state = _state_effect(design, table, targets, penalties)
    changes = table.changes - _STATE_SHARE * state
    solved = _ridge(design, changes, targets, penalties, table.bounds)
    return solved.reshape(len(table.names) + 1, len(COLUMNS))


def _targets(names: Sequence[str], priors: Priors) -> tuple[Matrix, Matrix]:
    """Return the target and the penalty of each coefficient, in the order of the design's columns."""
    import numpy as np

    targets = [priors.target(column, name) for name in names for column in COLUMNS]
    penalties = [
        (_RIDGE if column == "any" else _RIDGE_ADDED) * (_FIRMNESS if name in priors.firm else 1.0)
        for name in names
        for column in COLUMNS
    ]
    base = [0.0] + [_RIDGE_LEVEL] * (len(COLUMNS) - 1)
    return np.array(targets + [0.0] * len(COLUMNS)), np.array(penalties + base)


def _state_effect(design: Matrix, table: _Table, targets: Matrix, penalties: Matrix) -> Matrix:
    """Return what the emotion before each turn adds to its change, for equal features, as a parabola of mean 0."""
    import numpy as np

    state = np.column_stack([table.emotions, table.emotions**2])
    state = (state - state.mean(axis=0)) / np.maximum(state.std(axis=0), 1.0)
    nothing = np.zeros(state.shape[1])
    both = _ridge(
        np.column_stack([design, state]),
        table.changes,
        np.concatenate([targets, nothing]),
        np.concatenate([penalties, nothing]),
        bounds=(),
    )
    effect: Matrix = state @ both[-state.shape[1] :]
    return effect


def _ridge(design: Matrix, outcome: Matrix, targets: Matrix, penalties: Matrix, bounds: Sequence[int]) -> Matrix:
    """Return the coefficients that fit turns, and the means of the episodes within `bounds`, from the targets on."""
    import numpy as np

    left = outcome - design @ targets
    normal, moment = design.T @ design, design.T @ left
    if bounds:
        sizes = np.diff(bounds)
        sums, rest = np.add.reduceat(design, bounds[:-1], axis=0), np.add.reduceat(left, bounds[:-1])
        normal += _EPISODE_WEIGHT * sums.T @ (sums / sizes[:, None])
        moment += _EPISODE_WEIGHT * sums.T @ (rest / sizes)
    # A trace of a penalty everywhere keeps the system regular where a state or a level never varies.
    normal[np.diag_indices_from(normal)] += penalties + 1e-6
    solution: Matrix = targets + np.linalg.solve(normal, moment)
    return solution


def _tendencies(
    dialogues: Sequence[Transcript], table: _Table, typical: Matrix, coefficients: Matrix
) -> Iterator[Tendency]:
    weights = table.groups @ coefficients.T
    expected = ((table.features - typical) * weights[:, :-1]).sum(axis=1) + weights[:, -1]
    for dialogue, (first, end) in zip(dialogues, pairwise(table.bounds), strict=True):
        changes = tuple(int(change) for change in table.changes[first:end])
        yield Tendency(tuple(float(each) for each in expected[first:end]), changes, dialogue.final_emotion)


def _rounded(values: Matrix) -> tuple[float, ...]:
    return tuple(round(float(value), _DECIMALS) + 0.0 for value in values)
