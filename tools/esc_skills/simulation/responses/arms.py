"""Arms: who answers a context without a bank, with a strategy's label alone, with the bank, and with a part of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from esc_skills.bank.reader import Bank
from esc_skills.bank.skill import Skill
from esc_skills.documents.prompts import PromptRole
from esc_skills.models.request import Model, ModelFault, RoleModel
from esc_skills.models.voices import ModelStrategySupporter, ModelSupporter
from esc_skills.roles import Supporter
from esc_skills.safety.flags import check_supporter_turn
from esc_skills.simulation.players import prompt_digests
from esc_skills.simulation.responses.contexts import Context
from esc_skills.surrogate.supporter import StrategySupporter, SurrogateSupporter
from esc_skills.vocabulary import Language, Termination

_PROMPTS = (
    PromptRole.SUPPORTER_SELECT,
    PromptRole.SUPPORTER_ANSWER,
    PromptRole.SUPPORTER_STRATEGY,
    PromptRole.SUPPORTER_BASELINE,
)


class ResponseArm(StrEnum):
    """What a supporter is given to answer a context with.

    The strategy is the first one of the skill that the bank's supporter selects: never the one that the corpus's
    supporter used, which would give away what is measured.
    """

    NO_BANK = "no-bank"
    STRATEGY = "strategy"
    BANK = "bank"
    RESTRICTED = "restricted"


@dataclass(frozen=True, slots=True)
class Response:
    """What an arm answers.

    Attributes:
        text: The answer.
        skill: The skill that was selected, if any.
        flags: The safety flags that it raises, as `severity:code`.
    """

    text: str
    skill: str | None
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Responders:
    """Answers contexts.

    Attributes:
        bank: The bank.
        restricted: The part of it that the restricted arm has; None where there is no such arm.
        supporter: The supporter's model with its parameters; None for the surrogate.
        model: Who is asked, where there is such a model.
    """

    bank: Bank
    restricted: Bank | None = None
    supporter: RoleModel | None = None
    model: Model | None = None

    @property
    def arms(self) -> tuple[ResponseArm, ...]:
        """The arms that answer."""
        return tuple(each for each in ResponseArm if each is not ResponseArm.RESTRICTED or self.restricted)

    @property
    def languages(self) -> frozenset[Language]:
        """The languages in which these arms can differ: those of the skills, and for the surrogate English alone."""
        skills = frozenset(
            each for each in Language if any(skill.examples_in(each) for skill in self.bank.skills.values())
        )
        return skills if self.supporter else skills & {Language.ENGLISH}

    @property
    def settings(self) -> dict[str, Any]:
        """The digests and parameters that the answers follow from, beside the language models' own."""
        settings = {"skills": self.bank.digest, "restricted": self.restricted.digest if self.restricted else None}
        if self.supporter is None:
            return settings
        return {**settings, "supporter_parameters": self.supporter.as_json(), **prompt_digests(_PROMPTS)}

    async def respond(self, arm: ResponseArm, context: Context) -> Response | Termination:
        """Return what an arm answers, or the fault that its model ended in."""
        try:
            answer = await self._supporter(arm, context).answer(context.turns)
        except ModelFault as fault:
            return fault.termination
        return Response(answer.text, answer.skill, flags_of(answer.text, context))

    def _supporter(self, arm: ResponseArm, context: Context) -> Supporter:
        skills = self._skills(arm)
        if self.model and self.supporter:
            voice = ModelStrategySupporter if arm is ResponseArm.STRATEGY else ModelSupporter
            return voice(skills, self.model, self.supporter, context.seed, context.language)
        player = StrategySupporter if arm is ResponseArm.STRATEGY else SurrogateSupporter
        return player(skills, context.seed, context.language)

    def _skills(self, arm: ResponseArm) -> Mapping[str, Skill]:
        if arm is ResponseArm.NO_BANK:
            return {}
        bank = self.restricted if arm is ResponseArm.RESTRICTED else self.bank
        return bank.skills if bank else {}


def flags_of(text: str, context: Context) -> tuple[str, ...]:
    """Return the safety flags of an answer to a context, as `severity:code`, red before amber."""
    found = check_supporter_turn(text, context.said, context.language)
    return tuple(f"{flag.severity}:{flag.code}" for flag in found)
