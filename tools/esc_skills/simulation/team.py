"""The team: which models do what in a simulation, and what they are asked through."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from esc_skills.models.request import Model
from esc_skills.settings import ModelSettings
from esc_skills.simulation.players import SURROGATE, Players, cast_players

#: How many evolution seekers a bank is diagnosed and an edit is screened on.
DIAGNOSIS_DRAWS = 300
#: The same where calls are paid for.
MODEL_DRAWS = 40


class Recorder(Model, Protocol):
    """A model that keeps the calls that were asked of it."""

    def packed(self, digests: Iterable[str]) -> bytes:
        """Return some calls as the content of a `calls.jsonl.gz`."""


@dataclass(frozen=True, slots=True)
class Team:
    """Which models do what in an evolution; without any, the surrogate and offline operators do it.

    Attributes:
        supporter: `surrogate`, or `endpoint/model`; seeker: the same.
        judge: Who judges safety beside the lexicon, if anybody.
        second_seeker: Who plays the gate's draws once more, if anybody.
        analyst: Who reads runs and writes edits beside the offline operators, if anybody.
        recorder: Who is asked for all that is not the surrogate.
        asked: How their models are asked: the settings of the revision that is evolved.
        draws: How many evolution seekers a bank is diagnosed and an edit is screened on.
        concurrency: How many episodes run at a time.
    """

    supporter: str = SURROGATE
    seeker: str = SURROGATE
    judge: str | None = None
    second_seeker: str | None = None
    analyst: str | None = None
    recorder: Recorder | None = None
    asked: ModelSettings = ModelSettings()  # noqa: RUF009 - frozen
    draws: int = DIAGNOSIS_DRAWS
    concurrency: int = 64

    def players(self, model: Model | None) -> Players:
        """Return who plays the episodes, asking a model."""
        return cast_players(self.supporter, self.seeker, judge=self.judge, model=model, asked=self.asked)

    def second_players(self, model: Model | None) -> Players | None:
        """Return who plays them with the second seeker, where there is one."""
        if self.second_seeker is None:
            return None
        asked = replace(self.asked, seeker=self.asked.second_seeker)
        return cast_players(self.supporter, self.second_seeker, judge=self.judge, model=model, asked=asked)
