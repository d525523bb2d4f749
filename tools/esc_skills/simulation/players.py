"""Who plays: from the names of models to the seekers and supporters of episodes, and the names for the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from esc_skills import __version__
from esc_skills.bank.reader import Bank
from esc_skills.bank.skill import Skill
from esc_skills.documents.jsonl import digest
from esc_skills.documents.prompts import load_prompt
from esc_skills.errors import InputError
from esc_skills.models.request import Model, RoleModel
from esc_skills.models.roles import Seeker, Supporter
from esc_skills.models.surrogate.appraisal import SeekerModel, load_seeker_model
from esc_skills.models.surrogate.seeker import SurrogateSeeker
from esc_skills.models.surrogate.supporter import SurrogateSupporter
from esc_skills.models.voices import SEEKER_ROLES, SUPPORTER_ROLES, ModelSeeker, ModelSupporter
from esc_skills.simulation.draws import Draw
from esc_skills.simulation.episode import Cast, run_episode
from esc_skills.transcript import Transcript
from esc_skills.vocabulary import Arm, Language

SURROGATE = "surrogate"
#: A supporter answers steadily; a seeker, as in SAGE, with more variety.
SUPPORTER_TEMPERATURE, SEEKER_TEMPERATURE = 0.7, 1.0


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
class CastPlayers:
    """Plays each role with the surrogate, where no model is given for it, or with a language model.

    Attributes:
        seeker_model: The surrogate seeker's appraisal.
        model: Who is asked for the roles that have a model.
        supporter_role: The supporter's model with its parameters; None for the surrogate.
        seeker_role: The seeker's.
    """

    seeker_model: SeekerModel
    settings: dict[str, Any]
    model: Model | None = None
    supporter_role: RoleModel | None = None
    seeker_role: RoleModel | None = None

    @property
    def supporter_name(self) -> str:
        """The supporter's model."""
        return self.supporter_role.model if self.supporter_role else SURROGATE

    @property
    def seeker_name(self) -> str:
        """The seeker's model."""
        return self.seeker_role.model if self.seeker_role else SURROGATE

    def seeker(self, draw: Draw) -> Seeker:
        """Return the seeker of a draw."""
        if self.model is not None and self.seeker_role is not None:
            return ModelSeeker(draw.profile, self.model, self.seeker_role, draw.seed)
        return SurrogateSeeker(draw.profile, self.seeker_model, draw.seed)

    def supporter(self, draw: Draw, skills: Mapping[str, Skill]) -> Supporter:
        """Return the supporter of a draw."""
        language = draw.profile.scenario.language
        if self.model is not None and self.supporter_role is not None:
            return ModelSupporter(skills, self.model, self.supporter_role, draw.seed, language)
        return SurrogateSupporter(skills, draw.seed, language)


def cast_players(supporter: str, seeker: str, model: Model | None = None) -> Players:
    """Return the players that two model names stand for.

    Args:
        supporter: `surrogate`, or `endpoint/model`.
        seeker: The same.
        model: Who is asked for what is not the surrogate.

    Raises:
        InputError: A name is no model, or there is nobody to ask.
    """
    settings: dict[str, Any] = {"tool": __version__}
    seeker_model = load_seeker_model()
    roles = [
        _role_model("supporter", supporter, SUPPORTER_TEMPERATURE, model),
        _role_model("seeker", seeker, SEEKER_TEMPERATURE, model),
    ]
    if roles[1] is None:
        settings["seeker_model"] = digest(seeker_model.as_json())
    for role_model, prompts in zip(roles, (SUPPORTER_ROLES, SEEKER_ROLES), strict=True):
        if role_model is not None:
            settings[f"{prompts[0].partition('-')[0]}_parameters"] = role_model.as_json()
            settings |= {
                f"{role}.{language}": load_prompt(role, language).digest for role in prompts for language in Language
            }
    return CastPlayers(seeker_model, settings, model, *roles)


def endpoint_of(role: str, name: str) -> str | None:
    """Return the endpoint that a model's name starts with; None for the surrogate.

    Raises:
        InputError: It is no name of a model.
    """
    if name == SURROGATE:
        return None
    endpoint, slash, rest = name.partition("/")
    if not (endpoint and slash and rest):
        raise InputError(f"--{role} {name!r} is no model", f"give {SURROGATE!r}, or ENDPOINT/MODEL with --endpoint")
    return endpoint


def _role_model(role: str, name: str, temperature: float, model: Model | None) -> RoleModel | None:
    if endpoint_of(role, name) is None:
        return None
    if model is None:
        raise InputError(f"the {role} {name!r} needs an endpoint, and this command asks none", f"use {SURROGATE!r}")
    return RoleModel(name, temperature=temperature)


async def play(players: Players, draw: Draw, bank: Bank | None, arm: Arm) -> Transcript:
    """Return the episode of a draw with a bank; None stands for a supporter without a bank."""
    skills = bank.skills if bank else {}
    cast = Cast(players.supporter_name, players.seeker_name, arm, bank.digest if bank else None, players.settings)
    return await run_episode(draw, players.seeker(draw), players.supporter(draw, skills), cast)
