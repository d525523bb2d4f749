"""Distillation: a language model writes skills from prototypes and their exemplars, one prompt a skill.

It has read strangers' words. So its answer becomes a draft only where it keeps to the contract of skills, refers to no
skill that is not there, keeps what stands for danger, holds no markup, and copies nothing that anybody said.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, zip_longest
from typing import Any

from esc_skills.bank.edit import references_of, render_skill, with_examples
from esc_skills.bank.parts import find_lost_danger, find_markup, flatten, is_for_danger, parts_of, texts_in, write_part
from esc_skills.bank.reader import named_skills, read_bank
from esc_skills.bank.skill import OWN_AVOID, OWN_EXAMPLES, SECTIONS, SKILL_FILE, Example, Skill, SkillRisk, example_of
from esc_skills.discovery.copying import Sources
from esc_skills.discovery.drafting import Draft, Drafted, LeftOutError, danger_item, draft_of, require_untaken, tell
from esc_skills.discovery.material import Material, Subject, new_metadata, points, revised_metadata, words_of
from esc_skills.discovery.prototypes import Exemplar, Prototype
from esc_skills.documents.prompts import PromptRole, load_prompt
from esc_skills.documents.text import shorten
from esc_skills.errors import InputError
from esc_skills.models.request import Message, Model, ModelFault
from esc_skills.settings import RoleSettings
from esc_skills.simulation.players import role_model
from esc_skills.vocabulary import Language, Risk, RiskCode

#: A whole skill is written, with room to think before.
_OWN = RoleSettings(temperature=0.7, max_tokens=6000)
#: What a prompt shows of each: prototypes that help and that harm, exemplars, and skills that stand beside it.
_HELPFUL, _HARMFUL, _WENT_WELL, _WENT_BADLY, _NEIGHBOURS = 8, 6, 6, 4, 12
#: How many characters of one turn are shown.
_TURN = 700


class Distiller:
    """Writes skills with a language model.

    Args:
        name: The model, as `endpoint/model`.
        model: Who is asked.
        bank: The skills that are there, by name.
        asked: How the model is asked.
    """

    def __init__(
        self,
        name: str,
        model: Model,
        bank: Mapping[str, Skill],
        asked: RoleSettings = RoleSettings(),  # noqa: B008 - frozen
    ) -> None:
        self._model, self._role_model, self._bank = model, role_model(name, _OWN, asked), bank

    async def distil_skills(self, materials: Iterable[Material]) -> Drafted:
        """Return a draft for each material whose answer can be used, and of each other one why there is none.

        No offline draft stands in for an answer that cannot be used. All are asked for at once; the model bounds how
        many calls are in flight.

        Raises:
            EscError: No call can succeed before a person changes something.
        """
        chosen, left_out = _each_skill_once(materials)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._attempt(each)) for each in chosen]
        drafts: list[Draft] = []
        for material, task in zip(chosen, tasks, strict=True):
            try:
                if isinstance(outcome := task.result(), str):
                    raise LeftOutError(outcome)
                require_untaken(outcome.name, material.subject, drafts)
                drafts.append(outcome)
            except LeftOutError as problem:
                left_out.append((material.subject, str(problem)))
        return Drafted(tuple(drafts), tuple(left_out))

    async def _attempt(self, material: Material) -> Draft | str:
        """Return a draft, or why there is none."""
        try:
            answer = await self._ask(material)
        except ModelFault as fault:
            return f"the analyst gave no skill: {fault}"
        try:
            return self._judge(material, answer)
        except LeftOutError as problem:
            return f"the analyst's skill is refused: {problem}"
        except (InputError, UnicodeEncodeError) as error:
            return f"the analyst's skill is refused: it breaks the contract: {error}"

    async def _ask(self, material: Material) -> dict[str, Any]:
        subject, revised = material.subject, material.revised
        words = words_of(subject.language)
        text = load_prompt(PromptRole.ANALYST_DISTIL, subject.language).render(
            need=f"`{subject.need}` ({words['needs'][subject.need]})",
            strategy=f"`{subject.strategy}` ({words['strategies'][subject.strategy]})",
            figures=_figures(material),
            helped=_shown([each.positive for each in material.helpful], subject.language, _WENT_WELL),
            harmed=_shown(
                [each.negative for each in (*material.harmful, *material.helpful)], subject.language, _WENT_BADLY
            ),
            revised_name=revised.name if revised else "",
            revised=json.dumps(_answerable(revised), ensure_ascii=False, indent=2) if revised else "",
            neighbours="\n".join(_neighbours(material, self._bank.values())),
        )
        request = self._role_model.request([Message("user", text)], PromptRole.ANALYST_DISTIL, "distil")
        answer: dict[str, Any] = flatten((await self._model.complete(request)).value)
        return answer

    def _judge(self, material: Material, answer: dict[str, Any]) -> Draft:
        """Return the draft that an answer makes.

        Raises:
            LeftOutError: The answer is refused.
            InputError: It breaks the contract.
        """
        self._require_own_name(material, answer["name"])
        _require_plain(material, answer)
        _require_own_words(material, answer)
        self._require_known_skills(material, answer)
        given = _parts(answer)
        if material.revised is None:
            _add_danger(given, material, self._bank)
            text = _new(material, answer, given)
        else:
            _require_danger_kept(material.revised, given)
            text = _revision(material, material.revised, given)
        draft = draft_of(material, answer["name"], text)
        _require_as_given(draft, given)
        return draft

    def _require_own_name(self, material: Material, name: str) -> None:
        revised = material.revised
        if revised is not None and name != revised.name:
            raise LeftOutError(f"it is named {name!r}, and revises {revised.name!r}")
        if revised is None and name in self._bank:
            raise LeftOutError(f"it is named {name!r}, which is a skill of the bank")

    def _require_known_skills(self, material: Material, answer: Mapping[str, Any]) -> None:
        for text in _new_texts(material, answer):
            for name in named_skills(text):
                if name not in self._bank and name != answer["name"]:
                    raise LeftOutError(f"it refers to {name!r}, which is no skill of the bank")


def _each_skill_once(materials: Iterable[Material]) -> tuple[list[Material], list[tuple[Subject, str]]]:
    """Part the materials that are asked about from those that would revise a skill which another one revises too."""
    chosen: dict[str, Material] = {}
    left_out: list[tuple[Subject, str]] = []
    for material in materials:
        if (first := chosen.setdefault(material.name, material)) is not material:
            why = f"{material.name} is revised for {first.subject.strategy} already; draft again after that"
            left_out.append((material.subject, why))
    return list(chosen.values()), left_out


def _figures(material: Material) -> str:
    words = words_of(material.subject.language)
    kept = (*material.helpful[:_HELPFUL], *material.harmful[:_HARMFUL])
    return "\n".join(f"- {tell(words['lead'], each, words)} ({_interval(each)})" for each in kept)


def _interval(prototype: Prototype) -> str:
    return f"{points(prototype.low)} … {points(prototype.high)}"


def _shown(exemplars: Sequence[Sequence[Exemplar]], language: Language, most: int) -> str:
    """Return some exemplars of a language, the first of every prototype before the second of any."""
    own = [[each for each in few if each.language is language] for few in exemplars]
    in_turn = [each for each in chain.from_iterable(zip_longest(*own)) if each is not None]
    return "\n\n".join(_spoken(each) for each in list(dict.fromkeys(in_turn))[:most])


def _spoken(exemplar: Exemplar) -> str:
    """Return the three turns, a line each; a line end within a text would let it pose as the other speaker."""
    speakers = ("Seeker", "Supporter", "Seeker")
    lines = [f"{speaker}: {shorten(text, _TURN)}" for speaker, text in zip(speakers, exemplar.texts, strict=True)]
    return "\n".join([points(exemplar.effect), *lines])


def _neighbours(material: Material, bank: Iterable[Skill]) -> Iterator[str]:
    """Yield the skills of the same language that are for danger, or for the same need or strategy, the likest first."""
    need, strategy = material.subject.need, material.subject.strategy
    others = [each for each in bank if each.language == material.subject.language and each is not material.revised]
    near = [
        (set(each.risk_levels) == {Risk.NONE}, (need not in each.needs) + (strategy not in each.strategies), each.name)
        for each in others
    ]
    described = {each.name: each.description for each in others}
    for plain, distance, name in sorted(near)[:_NEIGHBOURS]:
        if distance < 2 or not plain:
            yield f"- {name}: {' '.join(described[name].split())}"


def _answerable(skill: Skill) -> dict[str, Any]:
    """Return the parts of a skill in the form in which the analyst answers."""
    parts = parts_of(skill)
    avoid = [each for each in parts["examples"] if each["why"] is not None]
    follow = [{key: value for key, value in each.items() if key != "why"} for each in parts["examples"]]
    return {
        **{part: parts[part] for part in SECTIONS.values()},
        "examples": follow[: len(parts["examples"]) - len(avoid)],
        "avoid": avoid,
    }


def _parts(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer's sections in the form of `parts_of`."""
    follow = [{**each, "why": None} for each in answer["examples"]]
    sections = {part: answer[part] for part in SECTIONS.values()}
    return {**sections, "examples": follow + list(answer["avoid"])}


def _new_texts(material: Material, answer: Mapping[str, Any]) -> Iterator[str]:
    """Yield the texts of an answer; what stands in the skill that is revised may stay, whatever it is."""
    standing = set(texts_in(flatten(_answerable(material.revised)))) if material.revised else set()
    yield from (text for text in texts_in(answer) if text not in standing)


def _require_plain(material: Material, answer: Mapping[str, Any]) -> None:
    for text in _new_texts(material, answer):
        if mark := find_markup(text):
            raise LeftOutError(f"it holds the markup {mark!r} where plain text belongs: {shorten(text, _TURN)!r}")


def _require_own_words(material: Material, answer: Mapping[str, Any]) -> None:
    language = material.subject.language
    exemplars = (each for one in (*material.helpful, *material.harmful) for each in (*one.positive, *one.negative))
    said = Sources(text for each in exemplars if each.language is language for text in each.texts)
    for text in _new_texts(material, answer):
        if copied := said.find_copied(text):
            raise LeftOutError(f"it copies {copied!r} from an exemplar")


def _require_danger_kept(skill: Skill, given: Mapping[str, Any]) -> None:
    if (lost := find_lost_danger(flatten(parts_of(skill)), given)) is not None:
        raise LeftOutError(f"it changes or drops what stands there for danger: {lost!r}")


def _add_danger(given: dict[str, Any], material: Material, bank: Mapping[str, Skill]) -> None:
    """Add what each new skill says of danger, where the analyst did not."""
    language = material.subject.language
    if not any(map(is_for_danger, given["when_not_to_use"])):
        given["when_not_to_use"] = [*given["when_not_to_use"], danger_item(language, bank)]
    if RiskCode.MISSED_RISK not in {each["code"] for each in given["risks"]}:
        risk = {"code": str(RiskCode.MISSED_RISK), "text": words_of(language)["risks"][RiskCode.MISSED_RISK]}
        given["risks"] = [*given["risks"], risk]


def _new(material: Material, answer: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, str]:
    risks = [SkillRisk(RiskCode(each["code"]), each["text"]) for each in given["risks"]]
    follow = [Example(each["title"], each["seeker"], each["supporter"]) for each in answer["examples"]]
    avoid = [Example(**each) for each in answer["avoid"]]
    description = words_of(material.subject.language)["marked"].format(text=answer["description"])
    metadata = new_metadata(material, [risk.code for risk in risks])
    sections = {**given, "risks": risks, "examples": follow, "avoid": avoid}
    return render_skill(answer["name"], description, metadata, answer["title"], answer["summary"], sections)


def _revision(material: Material, skill: Skill, given: Mapping[str, Any]) -> dict[str, str]:
    text = revised_metadata(material, skill)
    standing = flatten(parts_of(skill))
    for part, value in given.items():
        if value != standing[part] and part != "examples":
            text = write_part(text, part, value)
    written, files = replace(skill, text=text), {SKILL_FILE: text, **references_of(skill)}
    if given["examples"] == standing["examples"]:
        return files
    examples = [example_of(each) for each in given["examples"]]
    # What was asked about are the examples of `SKILL.md`; the further ones stay.
    follow = [*(each for each in examples if not each.why), *skill.examples_in(skill.language)[OWN_EXAMPLES:]]
    avoid = [*(each for each in examples if each.why), *skill.avoid_in(skill.language)[OWN_AVOID:]]
    return {**files, **with_examples(written, follow, avoid)}


def _require_as_given(draft: Draft, given: Mapping[str, Any]) -> None:
    """Refuse a draft whose files read as anything but the sections that were given."""
    files = {path: text.encode() for path, text in draft.files.items()}
    skill = read_bank(files, "the draft").skills[draft.name]
    read = flatten(parts_of(skill))
    given_avoid = sum(each["why"] is not None for each in given["examples"])
    follow = skill.examples_in(skill.language)[: len(given["examples"]) - given_avoid]
    avoid = skill.avoid_in(skill.language)[:given_avoid]
    read["examples"] = [
        {"title": each.title, "seeker": each.seeker, "supporter": each.supporter, "why": each.why or None}
        for each in (*follow, *avoid)
    ]
    if differing := [part for part, value in given.items() if read[part] != value]:
        raise LeftOutError(f"its file reads as more or less than it gave: {', '.join(differing)}")
