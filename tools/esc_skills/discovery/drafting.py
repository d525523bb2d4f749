"""Drafting: prototypes become drafts of skills, offline, in words that were said where they helped.

A draft is for one need and one strategy. Its guidance comes from prototypes that are called helpful, its risks and when
not to use it from those that are called harmful, its expected outcome from the effects. It is extractive: a person or a
model has to write it anew before anybody is helped with it, which its name and its description say.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from esc_skills.bank.edit import append_item, raise_version, render_skill, with_examples
from esc_skills.bank.reader import read_bank
from esc_skills.bank.skill import SKILL_FILE, Example, Skill, SkillRisk
from esc_skills.discovery.material import (
    Material,
    Subject,
    gather_material,
    new_metadata,
    points,
    with_provenance,
    words_of,
)
from esc_skills.discovery.prototypes import ANY, Exemplar, Prototype
from esc_skills.errors import InputError
from esc_skills.language.cues import load_cues
from esc_skills.language.reading import read
from esc_skills.vocabulary import Language, RiskCode, Strategy

#: What a draft takes of each: examples, those to avoid, pieces of guidance, moments, and risks.
_EXAMPLES, _AVOID, _GUIDANCE, _MOMENTS, _RISKS = 6, 2, 4, 3, 4
#: Texts of other lengths, in characters, show a turn badly; the schema bounds them too.
_SHORTEST, _LONGEST = 20, 700
#: The shipped skill that takes over where a seeker is in danger.
_RISK_SKILL = "respond-to-suicide-risk"
#: What can go wrong with a move, and with a strategy where the move tells nothing.
_MOVE_RISKS = {
    "blame": RiskCode.BLAME,
    "minimising": RiskCode.MINIMISING,
    "platitude": RiskCode.FALSE_REASSURANCE,
    "better-promise": RiskCode.FALSE_REASSURANCE,
    "encouragement": RiskCode.FALSE_REASSURANCE,
    "other-mind": RiskCode.TAKING_SIDES,
    "praise": RiskCode.FLATTERY,
    "agreement": RiskCode.FLATTERY,
    "strength-seen": RiskCode.FLATTERY,
    "referral": RiskCode.RUSHING,
    "explanation": RiskCode.LECTURING,
    "availability": RiskCode.DEPENDENCE,
    "understanding": RiskCode.OVER_INTERPRETATION,
    "feeling-named": RiskCode.OVER_INTERPRETATION,
    "deep-empathy": RiskCode.OVER_INTERPRETATION,
    "summary": RiskCode.PARROTING,
    "self-disclosure": RiskCode.SELF_FOCUS,
}
_STRATEGY_RISKS = {
    Strategy.QUESTION: RiskCode.INTERROGATION,
    Strategy.RESTATEMENT_OR_PARAPHRASING: RiskCode.PARROTING,
    Strategy.REFLECTION_OF_FEELINGS: RiskCode.OVER_INTERPRETATION,
    Strategy.SELF_DISCLOSURE: RiskCode.SELF_FOCUS,
    Strategy.AFFIRMATION_AND_REASSURANCE: RiskCode.FALSE_REASSURANCE,
    Strategy.PROVIDING_SUGGESTIONS: RiskCode.PREMATURE_ADVICE,
    Strategy.INFORMATION: RiskCode.LECTURING,
    Strategy.OTHERS: RiskCode.MINIMISING,
}
_SENTENCE = re.compile(r"[^.!?…。！？]+[.!?…。！？]*[\"”’']?")
#: Marks of Markdown and of front matter that a text from a stranger must not bring along.
_MARKS = re.compile(r"[`*<>#|\[\]\\]|-{3,}|^\s*[-+]\s", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft of a new skill, or of the revision of one that is there.

    Attributes:
        subject: What it is about.
        name: The skill's name.
        files: The content of its files, by path relative to the bank's folder.
        revises: The version of the skill that it revises; None for a new one.
        helpful: The prototypes that its guidance rests on.
        harmful: Those that its risks rest on.
    """

    subject: Subject
    name: str
    files: Mapping[str, str]
    revises: str | None
    helpful: tuple[Prototype, ...]
    harmful: tuple[Prototype, ...]

    @property
    def path(self) -> str:
        """Its `SKILL.md`, relative to the bank's folder."""
        return f"{self.name}/{SKILL_FILE}"

    @property
    def text(self) -> str:
        """The content of that file."""
        return self.files[self.path]


@dataclass(frozen=True, slots=True)
class Drafted:
    """The drafts of a run, and what no draft was made of, with the reason."""

    drafts: tuple[Draft, ...]
    left_out: tuple[tuple[Subject, str], ...]


def draft_skills(
    prototypes: Sequence[Prototype], bank: Mapping[str, Skill], languages: Collection[Language]
) -> Drafted:
    """Return a draft for each need and strategy that some prototype calls helpful, in each language that has exemplars.

    Where the bank has a skill of the same language for the need whose first or second strategy it is, the draft revises
    that skill: it adds examples, and what the prototypes say against its use, and states what it rests on.

    Args:
        prototypes: What to draft from.
        bank: The skills that are there, by name.
        languages: The languages to draft in.
    """
    drafts: list[Draft] = []
    left_out: list[tuple[Subject, str]] = []
    for material in gather_material(prototypes, bank, languages):
        try:
            draft = _draft(material, bank)
            require_untaken(draft.name, draft.subject, drafts)
            drafts.append(draft)
        except LeftOutError as problem:
            left_out.append((material.subject, str(problem)))
        except InputError as error:
            left_out.append((material.subject, f"breaks the contract: {error.message}"))
    return Drafted(tuple(drafts), tuple(left_out))


class LeftOutError(Exception):
    """Nothing can be drafted now; the message says why."""


def require_untaken(name: str, subject: Subject, drafts: Iterable[Draft]) -> None:
    """Raise where an earlier draft has a name already.

    Raises:
        LeftOutError: It has.
    """
    if taken := next((each for each in drafts if each.name == name), None):
        done = "is revised" if taken.revises else "is drafted"
        raise LeftOutError(f"{name} {done} for {taken.subject.strategy} already; draft again after that")


def _draft(material: Material, bank: Mapping[str, Skill]) -> Draft:
    examples = _examples(material.subject, material.helpful)
    if material.revised is not None:
        return draft_of(material, material.name, _revision(material, material.revised, examples))
    avoid = _examples_to_avoid(material.subject, (*material.harmful, *material.helpful))
    language = material.subject.language
    if material.name in bank:
        raise LeftOutError(f"the bank has a skill {material.name}, which is for something else; rename it")
    if len(examples) < 2:
        raise LeftOutError(f"{len(examples)} exemplars in {language} are short enough to show; 2 are asked")
    if not avoid:
        raise LeftOutError(f"no exemplar in {language} went badly, and a skill shows one to avoid")
    return draft_of(material, material.name, _new(material, examples, avoid, bank))


def draft_of(material: Material, name: str, files: Mapping[str, str]) -> Draft:
    """Return the draft that a skill's files are, once they have been read as a bank's files are.

    Args:
        material: What it is made from.
        name: The skill's name.
        files: The content of its files, by path relative to the skill's folder.

    Raises:
        InputError: It breaks the contract.
    """
    placed = {f"{name}/{path}": text for path, text in files.items()}
    read_bank({path: text.encode("utf-8") for path, text in placed.items()}, "the draft")
    revises = material.revised.version if material.revised else None
    return Draft(material.subject, name, placed, revises, material.helpful, material.harmful)


def _new(
    material: Material, examples: Sequence[Example], avoid: Sequence[Example], bank: Mapping[str, Skill]
) -> dict[str, str]:
    subject, helpful, harmful = material.subject, material.helpful, material.harmful
    words = words_of(subject.language)
    strategy, need = words["strategies"][subject.strategy], words["needs"][subject.need]
    units = sum(each.units for each in helpful)
    risks = _risks(subject, harmful)
    said = [example.supporter for example in examples]
    guidance = [tell(words["lead"], each, words) for each in helpful[:_GUIDANCE]]
    central = [each for each in _central(said, subject.language) if len(each) >= _SHORTEST]
    guidance += [words["as_here"].format(text=text) for text in central[:_GUIDANCE]]
    sections = {
        "guidance": guidance,
        "when_to_use": [words["when"].format(need=need, text=each.seeker) for each in examples[:_MOMENTS]],
        "when_not_to_use": [
            *(tell(words["when_not"], each, words) for each in harmful[:_MOMENTS]),
            danger_item(subject.language, bank),
        ],
        "expected_outcome": _outcome(helpful, words),
        "risks": [SkillRisk(code, words["risks"][code]) for code in risks],
        "examples": examples,
        "avoid": avoid,
    }
    description = words["description"].format(strategy=strategy, need=need, units=units)
    title = words["title"].format(strategy=strategy, need=need)
    summary = words["summary"].format(prototypes=len(helpful))
    return render_skill(material.name, description, new_metadata(material, risks), title, summary, sections)


def danger_item(language: Language, bank: Mapping[str, Skill]) -> str:
    """Return what each new skill says of danger under `When not to use`."""
    told: str = words_of(language)["danger" if _RISK_SKILL in bank else "danger_without"]
    return told


def _revision(material: Material, skill: Skill, examples: Sequence[Example]) -> dict[str, str]:
    """Return a skill's files with what the prototypes add: examples, what speaks against its use, and what it rests on."""
    words = words_of(material.subject.language)
    text = with_provenance(material, skill)
    against = [each for each in material.harmful if each.strategy is material.subject.strategy]
    for each in against[:1]:
        if (item := tell(words["when_not"], each, words)) not in skill.when_not_to_use:
            text = append_item(text, "When not to use", item)
    standing = skill.examples_in(skill.language)
    spoken = {example.supporter for example in standing}
    added = [example for example in examples if example.supporter not in spoken][:2]
    files = with_examples(replace(skill, text=text), [*standing, *added])
    if not added and text == skill.text:
        raise LeftOutError(f"{skill.name} says already what the prototypes say")
    return {**files, SKILL_FILE: raise_version(files[SKILL_FILE], skill.version)}


def tell(form: str, prototype: Prototype, words: Mapping[str, Any]) -> str:
    """Return one of the forms of `words_of` with what a prototype is and shows."""
    return form.format(
        strategy=words["strategies"][prototype.strategy],
        move=words["moves"][prototype.move] if prototype.move else words["any_move"],
        stage=words["stages"][prototype.stage or ANY],
        units=prototype.units,
        effect=points(prototype.effect),
    )


def _outcome(helpful: Sequence[Prototype], words: Mapping[str, Any]) -> str:
    transitions: Counter[str] = Counter()
    for each in helpful:
        transitions.update(each.transitions)
    units = sum(each.units for each in helpful)
    mean, low, high = (
        sum(each.units * getattr(each, name) for each in helpful) / units for name in ("effect", "low", "high")
    )
    told: str = words["outcome"].format(
        units=units,
        effect=points(mean),
        low=points(low),
        high=points(high),
        positive=transitions["positive"],
        negative=transitions["negative"],
    )
    return told


def _risks(subject: Subject, harmful: Sequence[Prototype]) -> list[RiskCode]:
    found = [
        _MOVE_RISKS.get(each.move or "", _STRATEGY_RISKS[each.strategy])
        for each in harmful
        if each.strategy is subject.strategy
    ]
    found.append(_STRATEGY_RISKS[subject.strategy])
    return [*list(dict.fromkeys(found))[: _RISKS - 1], RiskCode.MISSED_RISK]


def _examples(subject: Subject, helpful: Iterable[Prototype]) -> list[Example]:
    words = words_of(subject.language)
    found: dict[str, Example] = {}
    for exemplar in _shown(subject.language, (exemplar for each in helpful for exemplar in each.positive)):
        seeker, supporter = _plain(exemplar.texts[0]), _plain(exemplar.texts[1])
        title = words["example"].format(unit=_plain(exemplar.unit))
        found.setdefault(supporter, Example(title, seeker, supporter))
    return list(found.values())[:_EXAMPLES]


def _examples_to_avoid(subject: Subject, prototypes: Iterable[Prototype]) -> list[Example]:
    words = words_of(subject.language)
    found: dict[str, Example] = {}
    for exemplar in _shown(subject.language, (exemplar for each in prototypes for exemplar in each.negative)):
        said, answered, replied = map(_plain, exemplar.texts)
        why = words["why"].format(effect=points(exemplar.effect), text=replied)
        title = words["example"].format(unit=_plain(exemplar.unit))
        found.setdefault(answered, Example(title, said, answered, why))
    return list(found.values())[:_AVOID]


def _shown(language: Language, exemplars: Iterable[Exemplar]) -> Iterator[Exemplar]:
    """Yield the exemplars of a language whose texts are of a length that shows something."""
    for exemplar in exemplars:
        sizes = [len(_plain(text)) for text in exemplar.texts]
        if exemplar.language is language and min(sizes[:2]) >= _SHORTEST and 0 < max(sizes) <= _LONGEST:
            yield exemplar


def _plain(text: str) -> str:
    """Return a text on one line, without marks and without what cannot be seen, as escape sequences begin with."""
    seen = "".join(each if each.isprintable() else " " for each in _MARKS.sub(" ", text))
    return " ".join(_MARKS.sub(" ", seen).split())


def _central(texts: Sequence[str], language: Language) -> list[str]:
    """Return the sentences that share most words with the others' sentences, one of each text at most."""
    sentences = [(at, each.strip()) for at, text in enumerate(texts) for each in _SENTENCE.findall(text)]
    spoken = {at: _terms(text, language) for at, text in enumerate(texts)}

    def likeness(sentence: tuple[int, str]) -> float:
        at, said = sentence
        own = _terms(said, language)
        return sum(len(own & words) for other, words in spoken.items() if other != at) / (len(own) + 3)

    best: dict[int, str] = {}
    for at, said in sorted(sentences, key=lambda each: (-likeness(each), each)):
        best.setdefault(at, said)
    return list(best.values())


def _terms(text: str, language: Language) -> frozenset[str]:
    return read(text, load_cues(language)).terms
