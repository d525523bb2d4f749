"""Material: what there is to draft a skill from, and what the skill's metadata says of it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any

from esc_skills.bank.edit import raise_version, set_metadata
from esc_skills.bank.skill import Skill
from esc_skills.discovery.prototypes import Call, Prototype
from esc_skills.documents.text import read_text
from esc_skills.documents.yaml import parse_yaml
from esc_skills.transcript import MAX_CHANGE
from esc_skills.vocabulary import EmotionType, HiddenIntention, Language, Risk, RiskCode, Stage, Strategy

#: An emotion that this share of the units has is one that the draft is for.
_EMOTION_SHARE = 0.1
_MOST_PROVENANCE = 500


@dataclass(frozen=True, slots=True)
class Subject:
    """What a draft is about: a need, the strategy that meets it, and the language of its texts."""

    need: HiddenIntention
    strategy: Strategy
    language: Language


@dataclass(frozen=True, slots=True)
class Material:
    """What a draft is made from.

    Attributes:
        subject: What it is about.
        helpful: The prototypes that are called helpful there, the surest first.
        harmful: Those that harm with the same need, the same strategy first, the worst first.
        revised: The bank's skill for the same need and strategy; None where there is none.
    """

    subject: Subject
    helpful: tuple[Prototype, ...]
    harmful: tuple[Prototype, ...]
    revised: Skill | None

    @property
    def name(self) -> str:
        """The name of the skill that is revised, or the one that a draft has which nobody else names."""
        subject = self.subject
        if self.revised is not None:
            return self.revised.name
        if subject.language is Language.CHINESE:
            return f"draft-{subject.strategy}-{subject.need}-zh"
        return f"draft-{words_of(subject.language)['strategies'][subject.strategy].lower()}-{subject.need}"


def gather_material(
    prototypes: Sequence[Prototype], bank: Mapping[str, Skill], languages: Collection[Language]
) -> Iterator[Material]:
    """Yield what there is to draft from: by need, then strategy, then language."""
    for need in HiddenIntention:
        harmful = [each for each in prototypes if each.call is Call.HARMFUL and each.need is need]
        for strategy in Strategy:
            helpful = [
                each
                for each in prototypes
                if each.call is Call.HELPFUL and each.strategy is strategy and each.need is need
            ]
            helpful.sort(key=lambda each: (-each.low, each.id))
            harmful.sort(key=lambda each: (each.strategy is not strategy, each.high, each.id))
            for language in languages:
                if any(exemplar.language is language for each in helpful for exemplar in each.positive):
                    subject = Subject(need, strategy, language)
                    yield Material(subject, tuple(helpful), tuple(harmful), _near_duplicate(subject, bank))


def _near_duplicate(subject: Subject, bank: Mapping[str, Skill]) -> Skill | None:
    """Return the skill that is for the same need with the same strategy: it leads with it, or else has it second.

    A skill for seekers at risk alone is none: nothing that units show is about them.
    """
    same = [
        skill
        for skill in bank.values()
        if skill.language == subject.language and subject.need in skill.needs and Risk.NONE in skill.risk_levels
    ]
    for place in (0, 1):
        found = [skill for skill in same if subject.strategy in skill.strategies[place : place + 1]]
        if found:
            return min(found, key=lambda skill: (len(skill.needs), skill.name))
    return None


def new_metadata(material: Material, risks: Iterable[RiskCode]) -> dict[str, str]:
    """Return the metadata of a new skill: what its prototypes show, and the risks that its section names."""
    subject, helpful = material.subject, material.helpful
    return {
        "version": "0.1.0",
        "esc-stage": ", ".join(_stages(helpful)),
        "esc-strategies": str(subject.strategy),
        "esc-emotions": ", ".join(_emotions(helpful)),
        "esc-intensity": "1 to 5",
        "esc-needs": str(subject.need),
        "esc-not-for": "none",
        "esc-risk": "none",
        "esc-expected-change": _expected_change(helpful),
        "esc-risks": ", ".join(risks),
        "esc-language": str(subject.language),
        "esc-provenance": provenance_of(helpful, material.harmful),
    }


def _expected_change(helpful: Sequence[Prototype]) -> str:
    low = math.floor(MAX_CHANGE * fmean(each.low for each in helpful))
    high = math.ceil(MAX_CHANGE * fmean(each.high for each in helpful))
    return f"{low} to {high}"


def _stages(helpful: Sequence[Prototype]) -> list[str]:
    named = {each.stage for each in helpful}
    return [str(stage) for stage in Stage if None in named or stage in named]


def _emotions(helpful: Sequence[Prototype]) -> list[str]:
    counts: Counter[str] = Counter()
    for each in helpful:
        counts.update(each.emotions)
    total = sum(counts.values())
    kept = [str(emotion) for emotion in EmotionType if counts[emotion] > _EMOTION_SHARE * total]
    return kept or ["any"]


def revised_metadata(material: Material, skill: Skill) -> str:
    """Return a skill's file with its version raised and what it rests on now."""
    return raise_version(with_provenance(material, skill), skill.version)


def with_provenance(material: Material, skill: Skill) -> str:
    """Return a skill's file with what it rests on now: these prototypes, and what it rested on before, as far as room is."""
    told = provenance_of(material.helpful, material.harmful)
    for each in (
        skill.provenance.removeprefix("prototypes ").replace("; against ", ", ").replace("; before ", ", ").split(", ")
    ):
        if each.partition(" ")[0] not in told and len(told) + len(each) + 10 <= _MOST_PROVENANCE:
            told += f"; before {each}" if "; before " not in told else f", {each}"
    return set_metadata(skill.text, "esc-provenance", told)


def provenance_of(helpful: Sequence[Prototype], harmful: Sequence[Prototype] = ()) -> str:
    """Return what a skill rests on, for its metadata: ids, units and points a turn, as many as the schema has room for."""
    told = ""
    for lead, prototypes in (("prototypes ", helpful), ("; against ", harmful)):
        for at, each in enumerate(prototypes):
            longer = f"{told}{', ' if at else lead}{supported(each)}"
            if len(longer) > _MOST_PROVENANCE:
                break
            told = longer
    return told


def supported(prototype: Prototype) -> str:
    """Return a prototype as a skill's provenance names it: its id, its units, and its points a turn."""
    return f"{prototype.id} ({prototype.units} units, {points(prototype.effect)})"


def points(effect: float) -> str:
    """Return an effect in points of SAGE's emotion, with one decimal and its sign."""
    return f"{effect * MAX_CHANGE:+.1f}"


@cache
def words_of(language: Language) -> dict[str, Any]:
    """Return what drafts say in words of our own."""
    path = Path(__file__).parent / "data" / f"drafts.{language}.yaml"
    value: dict[str, Any] = parse_yaml(read_text(path), str(path)).value
    return value
