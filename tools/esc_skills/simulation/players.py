"""Who plays: from the names of models to the seekers and supporters of episodes, and the names for the record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from esc_skills import __version__
from esc_skills.bank.reader import Bank
from esc_skills.bank.skill import Skill
from esc_skills.bank.spans import SpanChange
from esc_skills.documents.jsonl import digest
from esc_skills.documents.prompts import PromptRole, prompt_digest
from esc_skills.errors import InputError
from esc_skills.models import voices
from esc_skills.models.meter import Meter
from esc_skills.models.request import Model, RoleModel
from esc_skills.models.voices import ModelJudge, ModelSeeker, ModelSupporter
from esc_skills.roles import Judge, Seeker, Supporter
from esc_skills.settings import ModelSettings, RoleSettings
from esc_skills.simulation.draws import Draw
from esc_skills.simulation.episode import Cast, run_episode
from esc_skills.transcript import Transcript, Turn
from esc_skills.vocabulary import Arm, Language

SURROGATE = "surrogate"
#: A supporter answers steadily, a seeker, as in SAGE, with more variety, and a judge as alike as can be. Answers are a few
#: sentences long; the rest of the limit is for models that think before they speak.
SUPPORTER = RoleSettings(temperature=0.7, max_tokens=2000)
_SEEKER = RoleSettings(temperature=1.0, max_tokens=2000)
JUDGE = RoleSettings(temperature=0.0, max_tokens=1000)


#: What each role is asked with in an episode; other prompts for its model have no bearing on one.
_PROMPTS = {
    "supporter": (PromptRole.SUPPORTER_SELECT, PromptRole.SUPPORTER_ANSWER, PromptRole.SUPPORTER_BASELINE),
    "seeker": (PromptRole.SEEKER_APPRAISAL, PromptRole.SEEKER_REPLY),
    "judge": (PromptRole.JUDGE_SAFETY,),
}


@dataclass(frozen=True, slots=True)
class Roles:
    """Who plays one episode.

    Attributes:
        judge: Looks at each supporter turn beside the safety lexicon; None for the lexicon alone.
        meter: Counts what the episode's calls take; None where nobody is asked.
    """

    seeker: Seeker
    supporter: Supporter
    judge: Judge | None = None
    meter: Meter | None = None


class Players(Protocol):
    """Fills the roles of episodes."""

    @property
    def models(self) -> dict[str, str | None]:
        """The models by role: `supporter`, `seeker` and `judge`, which is None where there is none."""

    @property
    def settings(self) -> dict[str, Any]:
        """The digests and parameters that the players' behaviour follows from."""

    def roles(self, draw: Draw, skills: Mapping[str, Skill]) -> Roles:
        """Return who plays the episode of a draw, with a supporter who has some skills."""

    def reading(self, skills: Mapping[str, Skill], languages: Iterable[Language]) -> Any:
        """Return what the supporter reads of some skills, as a JSON value: what else changes in them changes no episode."""

    def has_read(self, change: SpanChange, skills: Mapping[str, Skill], draw: Draw, turns: Sequence[Turn]) -> bool:
        """Return whether a changed span was in what the supporter read for the last of some turns."""


@dataclass(frozen=True, slots=True)
class CastPlayers:
    """Plays each role with the surrogate, where no model is given for it, or with a language model.

    Attributes:
        model: Who is asked for the roles that have a model.
        supporter: The supporter's model with its parameters; None for the surrogate.
        seeker: The seeker's.
        judge: The safety judge's; None for no judge.
    """

    settings: dict[str, Any]
    model: Model | None = None
    supporter: RoleModel | None = None
    seeker: RoleModel | None = None
    judge: RoleModel | None = None

    @property
    def models(self) -> dict[str, str | None]:
        """The models by role."""
        return {
            "supporter": self.supporter.model if self.supporter else SURROGATE,
            "seeker": self.seeker.model if self.seeker else SURROGATE,
            "judge": self.judge.model if self.judge else None,
        }

    def roles(self, draw: Draw, skills: Mapping[str, Skill]) -> Roles:
        """Return who plays the episode of a draw."""
        language, seed = draw.profile.scenario.language, draw.seed
        meter = Meter(self.model) if self.model else None
        judge = ModelJudge(meter, self.judge, seed, language) if meter and self.judge else None
        return Roles(self._seeker(draw, meter), self._supporter(draw, skills, meter), judge, meter)

    def reading(self, skills: Mapping[str, Skill], languages: Iterable[Language]) -> Any:
        """Return what the supporter reads of some skills."""
        if self.supporter:
            return voices.reading_of(skills, languages)
        from esc_skills.surrogate.supporter import reading_of

        return reading_of(skills, languages)

    def has_read(self, change: SpanChange, skills: Mapping[str, Skill], draw: Draw, turns: Sequence[Turn]) -> bool:
        """Return whether a changed span was in what the supporter read for the last of some turns."""
        language = draw.profile.scenario.language
        if self.supporter:
            return voices.has_read(change, skills, turns, language)
        from esc_skills.surrogate.supporter import has_read

        return has_read(change, skills, turns, draw.seed, language)

    def _seeker(self, draw: Draw, model: Model | None) -> Seeker:
        if model and self.seeker:
            return ModelSeeker(draw.profile, model, self.seeker, draw.seed)
        return _surrogate_seeker(draw)

    def _supporter(self, draw: Draw, skills: Mapping[str, Skill], model: Model | None) -> Supporter:
        language = draw.profile.scenario.language
        if model and self.supporter:
            return ModelSupporter(skills, model, self.supporter, draw.seed, language)
        return _surrogate_supporter(skills, draw.seed, language)


# What the surrogate is made of takes its time to load, which a run of language models should not pay.


def _surrogate_seeker(draw: Draw) -> Seeker:
    from esc_skills.surrogate.appraisal import load_seeker_model
    from esc_skills.surrogate.seeker import SurrogateSeeker

    return SurrogateSeeker(draw.profile, load_seeker_model(), draw.seed)


def _surrogate_supporter(skills: Mapping[str, Skill], seed: str, language: Language) -> Supporter:
    from esc_skills.surrogate.supporter import SurrogateSupporter

    return SurrogateSupporter(skills, seed, language)


def surrogate_digest() -> str:
    """Return the digest of the surrogate seeker's coefficients, fitted and assumed."""
    from esc_skills.surrogate.appraisal import load_seeker_model
    from esc_skills.surrogate.assumed import assumptions_digest

    return digest(load_seeker_model().as_json() + assumptions_digest())


def cast_players(
    supporter: str = SURROGATE,
    seeker: str = SURROGATE,
    *,
    judge: str | None = None,
    model: Model | None = None,
    asked: ModelSettings = ModelSettings(),  # noqa: B008 - frozen
) -> Players:
    """Return the players that the names of models stand for.

    Args:
        supporter: `surrogate`, or `endpoint/model`.
        seeker: The same.
        judge: `endpoint/model`; None for the safety lexicon alone.
        model: Who is asked for what is not the surrogate.
        asked: How each role's model is asked; the models that it names are not looked at.

    Raises:
        InputError: A name is no model, or there is nobody to ask.
    """
    if judge == SURROGATE:
        raise InputError("the surrogate judges no safety; the lexicon does in any case", "leave out --judge")
    named = {
        "supporter": (supporter, SUPPORTER, asked.supporter),
        "seeker": (seeker, _SEEKER, asked.seeker),
        "judge": (judge or SURROGATE, JUDGE, asked.judge),
    }
    roles = {role: _role_model(role, name, own, how, model) for role, (name, own, how) in named.items()}
    settings: dict[str, Any] = {"tool": __version__}
    if roles["seeker"] is None:
        settings["seeker_model"] = surrogate_digest()
    for role, role_model in roles.items():
        if role_model is not None:
            settings |= {f"{role}_parameters": role_model.as_json(), **prompt_digests(_PROMPTS[role])}
    return CastPlayers(settings, model if any(roles.values()) else None, **roles)


def prompt_digests(prompts: Iterable[PromptRole]) -> dict[str, str]:
    """Return the digests of some prompts in every language, by role and language."""
    return {f"{each}.{language}": prompt_digest(each, language) for each in prompts for language in Language}


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


def _role_model(role: str, name: str, own: RoleSettings, asked: RoleSettings, model: Model | None) -> RoleModel | None:
    if endpoint_of(role, name) is None:
        return None
    if model is None:
        raise InputError(f"the {role} {name!r} needs an endpoint, and this command asks none", f"use {SURROGATE!r}")
    return role_model(name, own, asked)


def role_model(name: str, own: RoleSettings, asked: RoleSettings) -> RoleModel:
    """Return a model with the parameters that it is asked with, where there are any, and else with the role's own."""
    temperature = own.temperature if asked.temperature is None else asked.temperature
    max_tokens = asked.max_tokens or own.max_tokens
    if temperature is None or max_tokens is None:
        raise ValueError("a role's own parameters are set")
    return RoleModel(name, temperature, max_tokens, asked.seed)


def require_languages(players: Players, draws: Iterable[Draw], bank: Bank | None) -> None:
    """Require that bank and supporter speak the language of every seeker, before the first episode.

    Args:
        players: Who plays.
        draws: Whose seekers are spoken to.
        bank: The supporter's bank; None for none.

    Raises:
        InputError: One of them does not; the message names the language.
    """
    is_surrogate = players.models["supporter"] == SURROGATE
    for language in sorted({draw.profile.scenario.language for draw in draws}):
        if bank is not None and not any(skill.examples_in(language) for skill in bank.skills.values()):
            hint = f"add references/examples.{language}.md to its skills, or take seekers of another language"
            raise InputError(
                f"no skill of the bank has examples in the language {str(language)!r} of some seekers", hint
            )
        if is_surrogate and not _surrogate_speaks(language):
            hint = "name a language model with --supporter, or take seekers of another language"
            raise InputError(f"the surrogate supporter does not speak {str(language)!r}, as some seekers do", hint)


def _surrogate_speaks(language: Language) -> bool:
    from esc_skills.surrogate.supporter import speaks

    return speaks(language)


async def play(players: Players, draw: Draw, bank: Bank | None, arm: Arm) -> Transcript:
    """Return the episode of a draw with a bank; None stands for a supporter without a bank."""
    roles = players.roles(draw, bank.skills if bank else {})
    names = players.models
    cast = Cast(str(names["supporter"]), str(names["seeker"]), arm, bank.digest if bank else None, players.settings)
    transcript = await run_episode(draw, roles.seeker, roles.supporter, cast, judge=roles.judge)
    return replace(transcript, usage=roles.meter.usage.as_json()) if roles.meter else transcript
