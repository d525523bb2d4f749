"""Who plays: from the names of models to the seekers and supporters of episodes, and the names for the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from esc_skills import __version__
from esc_skills.bank.reader import Bank
from esc_skills.bank.skill import Skill
from esc_skills.documents.jsonl import digest
from esc_skills.errors import InputError
from esc_skills.models.roles import Seeker, Supporter
from esc_skills.models.surrogate.appraisal import SeekerModel, load_seeker_model
from esc_skills.models.surrogate.seeker import SurrogateSeeker
from esc_skills.models.surrogate.supporter import SurrogateSupporter
from esc_skills.simulation.draws import Draw
from esc_skills.simulation.episode import Cast, run_episode
from esc_skills.transcript import Transcript
from esc_skills.vocabulary import Arm

SURROGATE = "surrogate"


class Players(Protocol):
    """Makes the two players of an episode."""

    @property
    def supporter_name(self) -> str:
        """The supporter's model."""

    @property
    def seeker_name(self) -> str:
        """The seeker's model."""

    @property
    def settings(self) -> dict[str, Any]:
        """The digests and parameters that the players' behaviour follows from."""

    def seeker(self, draw: Draw) -> Seeker:
        """Return the seeker of a draw."""

    def supporter(self, draw: Draw, skills: Mapping[str, Skill]) -> Supporter:
        """Return the supporter of a draw, with some skills."""


@dataclass(frozen=True, slots=True)
class SurrogatePlayers:
    """Plays both roles with the surrogate models."""

    model: SeekerModel
    settings: dict[str, Any]
    supporter_name: str = SURROGATE
    seeker_name: str = SURROGATE

    def seeker(self, draw: Draw) -> Seeker:
        """Return the surrogate seeker of a draw."""
        return SurrogateSeeker(draw.profile, self.model, draw.seed)

    def supporter(self, draw: Draw, skills: Mapping[str, Skill]) -> Supporter:
        """Return the surrogate supporter of a draw."""
        return SurrogateSupporter(skills, draw.seed, draw.profile.scenario.language)


def cast_players(supporter: str, seeker: str) -> Players:
    """Return the players that two model names stand for.

    Raises:
        InputError: A name is no model.
    """
    for role, name in (("supporter", supporter), ("seeker", seeker)):
        if name != SURROGATE:
            raise InputError(f"--{role} {name!r} is no model", f"give {SURROGATE!r}")
    model = load_seeker_model()
    return SurrogatePlayers(model, {"tool": __version__, "seeker_model": digest(model.as_json())})


async def play(players: Players, draw: Draw, bank: Bank | None, arm: Arm) -> Transcript:
    """Return the episode of a draw with a bank; None stands for a supporter without a bank."""
    skills = bank.skills if bank else {}
    cast = Cast(players.supporter_name, players.seeker_name, arm, bank.digest if bank else None, players.settings)
    return await run_episode(draw, players.seeker(draw), players.supporter(draw, skills), cast)
