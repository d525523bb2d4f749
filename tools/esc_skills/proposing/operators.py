"""Refinement: what is weak becomes an edit of the bank, by operators that need no model.

They write from `data/starters.<language>.yaml`, one draft for each need, and from the bank itself. They see runs on
`evolution` profiles alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import zip_longest
from pathlib import Path, PurePosixPath
from statistics import fmean
from typing import Any

from esc_skills.bank.edit import append_item, raise_version, render_skill, set_metadata, with_examples
from esc_skills.bank.skill import LIST_KEYS, OWN_EXAMPLES, SKILL_FILE, Example, Skill, SkillRisk
from esc_skills.documents.text import read_text
from esc_skills.documents.yaml import parse_yaml
from esc_skills.proposing.diagnosis import Weakness, WeaknessKind
from esc_skills.transcript import MAX_CHANGE, Transcript
from esc_skills.vocabulary import HiddenIntention, Language, RiskCode, known_words

#: An example is kept when the turns that performed it were followed by at least this mean change.
_KEEP_FROM = 0.0
#: As many examples as a conversation may need without repeating one.
_EXAMPLES = 6


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of one skill.

    Attributes:
        operator: `new`, `narrow` or `examples`.
        skill: The skill's name.
        files: The new content of each changed file, by path relative to the bank's folder.
        about: The need or disposition that it is about.
        weakness: What it answers.
        examples: Of `examples`, all that the skill has after it, in its own language.
    """

    operator: str
    skill: str
    files: Mapping[str, str]
    about: str
    weakness: Weakness
    examples: tuple[Example, ...] = ()

    @property
    def path(self) -> str:
        """The skill's `SKILL.md`, relative to the bank's folder; every edit changes it, be it its version alone."""
        return next(path for path in self.files if path.endswith(f"/{SKILL_FILE}"))

    @property
    def text(self) -> str:
        """The content of that file."""
        return self.files[self.path]


def refine(
    weaknesses: Sequence[Weakness],
    bank: Mapping[str, Skill],
    paths: Mapping[str, str],
    transcripts: Sequence[Transcript],
) -> tuple[Edit, ...]:
    """Return edits for the weaknesses that an offline operator answers: the first for each, then the second, and so on.

    Args:
        weaknesses: What `diagnose` found.
        bank: The skills by name.
        paths: The file of each skill, relative to the bank's folder.
        transcripts: The run that was diagnosed, by which examples are judged.
    """
    answers = [list(_edits_for(weakness, bank, paths, transcripts)) for weakness in weaknesses]
    # The first answer to each weakness comes before any second one, so that a few screenings reach all weaknesses.
    in_turn = (edit for round_of in zip_longest(*answers) for edit in round_of if edit is not None)
    edits: dict[str, Edit] = {}
    for edit in in_turn:
        edits.setdefault("\0".join(edit.files.values()), edit)
    return tuple(edits.values())


def _edits_for(
    weakness: Weakness, bank: Mapping[str, Skill], paths: Mapping[str, str], transcripts: Sequence[Transcript]
) -> Iterator[Edit]:
    if weakness.kind is WeaknessKind.MISSING and weakness.need is not None:
        yield from _new_skill(weakness, weakness.need, bank)
        return
    skill = bank.get(weakness.skill or "")
    if skill is not None and weakness.kind is not WeaknessKind.BYPASSED:
        path = paths[skill.name]
        if weakness.kind is WeaknessKind.PROFILE_SPECIFIC:
            yield from _narrow(weakness, skill, path)
        else:
            yield from _better_examples(weakness, skill, path, transcripts)


def _new_skill(weakness: Weakness, need: HiddenIntention, bank: Mapping[str, Skill]) -> Iterator[Edit]:
    starter = load_starters(Language.ENGLISH)[need]
    if starter["name"] in bank:
        return
    metadata = {"version": "1.0.0", **_metadata(starter)}
    sections = {
        **{key: starter[key] for key in ("guidance", "when_to_use", "when_not_to_use", "expected_outcome")},
        "risks": [SkillRisk(RiskCode(risk["code"]), risk["text"]) for risk in starter["risks"]],
        "examples": _examples(starter, "examples"),
        "avoid": _examples(starter, "avoid"),
    }
    files = render_skill(
        starter["name"], starter["description"], metadata, starter["title"], starter["summary"], sections
    )
    yield Edit("new", starter["name"], in_folder(starter["name"], files), need, weakness)


def _metadata(starter: Mapping[str, Any]) -> dict[str, str]:
    values = {
        "esc-stage": starter["stages"],
        "esc-strategies": starter["strategies"],
        "esc-emotions": starter["emotions"],
        "esc-intensity": starter["intensity"],
        "esc-needs": starter["needs"],
        "esc-not-for": starter["not_for"],
        "esc-risk": ["none"],
        "esc-expected-change": starter["expected_change"],
        "esc-risks": [risk["code"] for risk in starter["risks"]],
        "esc-language": "en",
        "esc-provenance": "drafted offline from a starter",
    }
    return {key: ", ".join(value) if key in LIST_KEYS else str(value) for key, value in values.items()}


def _narrow(weakness: Weakness, skill: Skill, path: str) -> Iterator[Edit]:
    word = str(weakness.disposition or weakness.need)
    if word in skill.not_for or (weakness.need in skill.needs and len(skill.needs) == 1):
        return
    text = skill.text
    if weakness.need in skill.needs:
        text = set_metadata(text, "esc-needs", ", ".join(each for each in skill.needs if each != weakness.need))
    text = set_metadata(text, "esc-not-for", ", ".join([*skill.not_for, word]))
    whom = (
        f"The seeker is {word}" if weakness.disposition else f"What the seeker says hints at {word.replace('-', ' ')}"
    )
    text = append_item(
        text, "When not to use", f"{whom}: in simulation this skill was followed by falling emotion there."
    )
    yield Edit("narrow", skill.name, {path: raise_version(text, skill.version)}, word, weakness)


def _better_examples(weakness: Weakness, skill: Skill, path: str, transcripts: Sequence[Transcript]) -> Iterator[Edit]:
    worth = _worth_of_examples(skill, transcripts, weakness.flag)
    standing = skill.examples_in(skill.language)
    kept = [example for example in standing if worth.get(example.title, 0.0) >= _KEEP_FROM]
    spoken = {example.supporter for example in standing}
    starters = load_starters(Language.ENGLISH) if skill.language == Language.ENGLISH else {}
    for need in known_words(HiddenIntention, skill.needs):
        if not isinstance(need, HiddenIntention) or need not in starters:
            continue  # a team's own word, or a language without starters
        drafts = [each for each in _examples(starters[need], "examples") if each.supporter not in spoken]
        # What stands in `SKILL.md` has one exchange.
        examples = sorted([*kept, *drafts][: max(_EXAMPLES, len(kept))], key=lambda each: len(each.earlier) > 0)
        if len(examples) >= fewest_examples(skill) and tuple(examples) != standing:
            yield choose_examples(Edit("examples", skill.name, {}, need, weakness), skill, path, examples)


def fewest_examples(skill: Skill) -> int:
    """Return how many examples a skill needs: where there are references some stay, so that no file has to go."""
    return OWN_EXAMPLES + (skill.language in skill.references)


def choose_examples(edit: Edit, skill: Skill, path: str, examples: Sequence[Example]) -> Edit:
    """Return an edit of a skill's examples with others in their place.

    Args:
        edit: The edit.
        skill: The skill before it.
        path: The skill's `SKILL.md`, relative to the bank's folder.
        examples: All that it is to have, as many as `fewest_examples` says or more.
    """
    files = with_examples(skill, examples)
    files[SKILL_FILE] = raise_version(files[SKILL_FILE], skill.version)
    return replace(edit, files=in_folder(PurePosixPath(path).parent, files), examples=tuple(examples))


def in_folder(folder: str | PurePosixPath, files: Mapping[str, str]) -> dict[str, str]:
    """Return the files of a skill by path relative to the bank's folder, rather than to the skill's."""
    return {f"{folder}/{path}": text for path, text in files.items()}


def _worth_of_examples(skill: Skill, transcripts: Sequence[Transcript], flag: str | None) -> dict[str, float]:
    """Return the mean change that followed each performed example, by title.

    An example of which a single turn raised a red flag, or `flag`, is worth the worst change there is, whatever the
    seekers made of it: safety is never averaged away.
    """
    changes: dict[str, list[int]] = {}
    unsafe: set[str] = set()
    turns = (turn for transcript in transcripts for turn in transcript.turns if turn.skill == skill.name)
    for turn in turns:
        title = _performed(skill, turn.supporter or "")
        if flag in turn.flags or any(each.startswith("red:") for each in turn.flags):
            unsafe.add(title)
        elif turn.change is not None:
            changes.setdefault(title, []).append(turn.change)
    means = {title: fmean(each) for title, each in changes.items()}
    return {**means, **dict.fromkeys(unsafe, float(-MAX_CHANGE))}


def _performed(skill: Skill, said: str) -> str:
    """Return the title of the example of which most words were said: the echo aside, it is performed as written."""
    words = set(said.split())

    def share(example: Example) -> float:
        own = set(example.supporter.split())
        return len(own & words) / len(own)

    return max(skill.examples_in(skill.language), key=share).title


@cache
def load_starters(language: Language) -> dict[HiddenIntention, dict[str, Any]]:
    """Return the draft of a skill for each need."""
    path = Path(__file__).parent / "data" / f"starters.{language}.yaml"
    return {HiddenIntention(need): starter for need, starter in parse_yaml(read_text(path), str(path)).value.items()}


def _examples(starter: Mapping[str, Any], key: str) -> list[Example]:
    return [Example(**example) for example in starter[key]]
