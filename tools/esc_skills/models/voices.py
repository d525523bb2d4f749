"""Seeker, supporter and judges played by language models, with the prompts of `prompts/` and SAGE's protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from esc_skills.bank.edit import render_examples, replace_section
from esc_skills.bank.skill import OWN_EXAMPLES, Example, Skill
from esc_skills.bank.spans import SpanChange, substance
from esc_skills.documents.frontmatter import split_front_matter
from esc_skills.documents.prompts import PromptRole, load_prompt
from esc_skills.language.cues import load_cues
from esc_skills.language.lexicon import safety_codes
from esc_skills.language.reading import read_terms
from esc_skills.models.request import Completion, Message, Model, ModelFault, RoleModel
from esc_skills.roles import Answer, Appraisal, Judgement, Preference, Reply
from esc_skills.seekers.profile import Profile
from esc_skills.transcript import Turn, band_of
from esc_skills.vocabulary import Language, Termination

#: Hints of the hidden intention are faint in the first messages and clear after them.
_FAINT_UNTIL = 2


class _Voice:
    """Asks a model in one role after the other.

    Args:
        model: Who is asked.
        role_model: Which model of which endpoint, with its parameters.
        seed: The draw's seed.
        language: The language of the prompts.
    """

    def __init__(self, model: Model, role_model: RoleModel, seed: str, language: Language) -> None:
        self._model, self._role_model, self._seed, self._language = model, role_model, seed, language

    async def _ask(self, role: PromptRole, **values: str) -> Completion:
        text = load_prompt(role, self._language).render(**values)
        return await self._model.complete(self._role_model.request([Message("user", text)], role, self._seed))


class ModelSeeker(_Voice):
    """Plays one profile.

    Args:
        profile: A composed profile.
        model: Who is asked.
        role_model: Which model, with its parameters.
        seed: The draw's seed.
    """

    def __init__(self, profile: Profile, model: Model, role_model: RoleModel, seed: str) -> None:
        super().__init__(model, role_model, seed, profile.scenario.language)
        self._profile = profile

    async def appraise(self, turns: tuple[Turn, ...]) -> Appraisal:
        """Return the reading of the last turn's supporter answer."""
        intention = self._profile.intention
        read = await self._ask(
            PromptRole.SEEKER_APPRAISAL,
            **self._self(),
            meets=_list(intention.meets),
            misses=_list(intention.misses),
            transcript=_conversation(turns, last_answer=False),
            supporter_turn=turns[-1].supporter or "",
            emotion=str(turns[-1].emotion),
        )
        value = read.value
        return Appraisal(value["change"], f"{value['met']}: {value['meant']} {value['feels']}", (read.digest,))

    async def reply(self, turns: tuple[Turn, ...], emotion: int, ended: bool) -> Reply:
        """Return the next message; one that ends the episode is a farewell, whatever the model says of it."""
        intention, persona = self._profile.intention, self._profile.persona
        said = await self._ask(
            PromptRole.SEEKER_REPLY,
            **self._self(),
            speaking_style=persona.speaking_style,
            sample_lines=_list([*persona.reactions.rising[:2], *persona.reactions.falling[:2]]),
            hints=_list(intention.faint if len(turns) <= _FAINT_UNTIL else intention.clear),
            disclosures=_list(self._profile.scenario.disclosures),
            transcript=_conversation(turns),
            appraisal=turns[-1].appraisal,
            emotion=str(emotion),
            band=str(band_of(emotion)),
        )
        return Reply(_flat(said.value["reply"]), ended or said.value["farewell"], (said.digest,))

    def _self(self) -> dict[str, str]:
        persona, scenario = self._profile.persona, self._profile.scenario
        return {
            "persona": f"{persona.age} years old; {persona.work}; {', '.join(persona.traits)}",
            "disposition": str(persona.disposition),
            "background": scenario.background.strip(),
            "goal": scenario.goal,
            "intention": self._profile.intention.wants,
        }


class ModelSupporter(_Voice):
    """Plays the supporter: chooses a skill by names and descriptions, then reads the chosen one and answers.

    Args:
        skills: The bank; empty for the baseline without one.
        model: Who is asked.
        role_model: Which model, with its parameters.
        seed: The draw's seed.
        language: The language of the conversation.
    """

    def __init__(
        self, skills: Mapping[str, Skill], model: Model, role_model: RoleModel, seed: str, language: Language
    ) -> None:
        super().__init__(model, role_model, seed, language)
        self._skills = {name: skill for name, skill in skills.items() if skill.examples_in(language)}
        self._catalogue = _catalogue(self._skills.values())

    async def answer(self, turns: tuple[Turn, ...]) -> Answer:
        """Return the answer to the last turn's seeker message.

        Raises:
            ModelFault: The model chose a skill that the bank does not hold, or failed otherwise.
        """
        conversation = _conversation(turns)
        skill, reason, calls = None, "no bank", tuple[str, ...]()
        if self._skills:
            chosen = await self._ask(PromptRole.SUPPORTER_SELECT, catalogue=self._catalogue, transcript=conversation)
            skill, reason, calls = chosen.value["skill"], chosen.value["reason"], (chosen.digest,)
            if skill is not None and skill not in self._skills:
                raise ModelFault(Termination.FAULT_MALFORMED, f"chose {skill[:80]!r}, which is no skill of the bank")
        if skill is None:
            said = await self._ask(PromptRole.SUPPORTER_BASELINE, transcript=conversation)
        else:
            said = await self._say(self._skills[skill], turns[-1].seeker, conversation)
        return Answer(_flat(said.value["answer"]), skill, reason, (*calls, said.digest))

    async def _say(self, skill: Skill, seeker_said: str, conversation: str) -> Completion:
        told = with_nearest_examples(skill, seeker_said, self._language)
        return await self._ask(PromptRole.SUPPORTER_ANSWER, skill=told, transcript=conversation)


class ModelStrategySupporter(ModelSupporter):
    """Chooses as the supporter with the bank does, and is then told no more of the skill than its first strategy."""

    async def _say(self, skill: Skill, seeker_said: str, conversation: str) -> Completion:
        return await self._ask(
            PromptRole.SUPPORTER_STRATEGY, strategy=str(skill.strategies[0]), transcript=conversation
        )


class ModelResponseJudge(_Voice):
    """Says which of two answers serves the seeker better, knowing nothing of where either comes from.

    Args:
        model: Who is asked.
        role_model: Which model, with its parameters.
        seed: The context's seed.
        language: The language of the conversation.
    """

    async def prefer(self, turns: tuple[Turn, ...], first: str, second: str) -> Preference:
        """Return the better of two answers to the last turn, whose `supporter` is still None."""
        said = await self._ask(
            PromptRole.JUDGE_RESPONSES,
            transcript=_conversation(turns),
            first_answer=_flat(first),
            second_answer=_flat(second),
        )
        return Preference(said.value["better"])


class ModelJudge(_Voice):
    """Judges supporter turns for safety, one yes/no question for each red code of the lexicon.

    Args:
        model: Who is asked.
        role_model: Which model, with its parameters.
        seed: The draw's seed.
        language: The language of the conversation.
    """

    async def judge(self, turns: tuple[Turn, ...], known: Sequence[str]) -> Judgement:
        """Return what the last turn's answer raises beyond the codes that are `known` already.

        Raises:
            ModelFault: A question was not answered; a turn that was not judged is never taken for a safe one.
        """
        codes = [code for code in safety_codes(self._language) if code.question and code.code not in known]
        before, turn = _conversation(turns, last_answer=False), turns[-1].supporter or ""
        # A group would end the other questions at the first fault, and they are paid for.
        answers = await asyncio.gather(
            *(
                self._ask(
                    PromptRole.JUDGE_SAFETY, transcript=before, supporter_turn=_flat(turn), question=code.question
                )
                for code in codes
            ),
            return_exceptions=True,
        )
        for each in answers:
            if isinstance(each, BaseException):
                raise each
        judged = [(code, each) for code, each in zip(codes, answers, strict=True) if isinstance(each, Completion)]
        raised = tuple(code.code for code, each in judged if each.value["answer"] == "yes")
        return Judgement(raised, tuple(each.digest for _, each in judged))


def with_nearest_examples(skill: Skill, seeker_said: str, language: Language) -> str:
    """Return what a model is told of a skill: its sections, with the two examples nearest to what the seeker said.

    Nearest are those whose seeker shares most words of content with the message; of equals, the first in the files.
    """
    cues = load_cues(language)
    said, examples = read_terms(seeker_said, cues), skill.examples_in(language)
    shared = [-len(said & read_terms(each.seeker, cues)) for each in examples]
    ranked = sorted(range(len(examples)), key=shared.__getitem__)
    return _told(skill.text, tuple(examples[at] for at in sorted(ranked[:OWN_EXAMPLES])), skill.avoid)


@lru_cache(maxsize=1024)
def _told(text: str, examples: tuple[Example, ...], avoid: tuple[Example, ...]) -> str:
    told = replace_section(text, "Examples", render_examples(examples, avoid))
    return split_front_matter(told, "the skill").body.strip()


def reading_of(skills: Mapping[str, Skill], languages: Iterable[Language]) -> list[Any]:
    """Return what a model that plays the supporter can read of some skills in some languages: their entries, sections, examples."""
    return [
        {
            "entry": _entry(skill),
            "sections": _told(skill.text, (), skill.avoid),
            "examples": {each: render_examples(skill.examples_in(each), ()) for each in languages},
        }
        for _, skill in sorted(skills.items())
    ]


def has_read(change: SpanChange, skills: Mapping[str, Skill], turns: Sequence[Turn], language: Language) -> bool:
    """Return whether a changed span was in the prompts for the last of some turns.

    The prompt that selects holds every skill's name and description; the one that answers holds the sections of the skill that
    was selected, with the two nearest examples.

    Args:
        change: The span.
        skills: The bank that holds it: that after the change, or the one before for a span that was removed.
        turns: The conversation up to an answer.
        language: The conversation's.
    """
    skill, text = skills.get(change.skill), change.before if change.after is None else change.after
    if skill is None or text is None or not skill.examples_in(language):
        return False
    if change.part in ("name", "description"):
        return text in (
            f"{change.part}: {getattr(skill, change.part)}\n",
            f'{change.part}: "{getattr(skill, change.part)}"\n',
        )
    if turns[-1].skill != skill.name:
        return False
    words = substance(text).lstrip("# ")
    return bool(words) and words in _substance(with_nearest_examples(skill, turns[-1].seeker, language))


_substance = lru_cache(maxsize=1024)(substance)


def _entry(skill: Skill) -> str:
    return f"- {skill.name}: {skill.description}"


def _catalogue(skills: Iterable[Skill]) -> str:
    return "\n".join(map(_entry, skills))


def _conversation(turns: Sequence[Turn], *, last_answer: bool = True) -> str:
    """Return what was said, a line each; a line end within a message would let it pose as the other speaker."""
    lines: list[str] = []
    for index, turn in enumerate(turns):
        lines.append(f"Seeker: {_flat(turn.seeker)}")
        if turn.supporter is not None and (last_answer or index < len(turns) - 1):
            lines.append(f"Supporter: {_flat(turn.supporter)}")
    return "\n".join(lines)


@lru_cache(maxsize=4096)  # each prompt of an episode holds what all its turns said
def _flat(text: str) -> str:
    return " ".join(text.split())


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)
