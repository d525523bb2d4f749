"""The analyst: a language model that reads a run for weaknesses, and answers one with an edit of a skill.

It reads strangers' words and guesses. So a finding holds only where its quotes stand in the run, and an edit only where
the bank's own reader finds the parts that it names as they were given, and everything else as it was.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from statistics import fmean
from typing import Any

from esc_skills.bank.edit import raise_version, references_of
from esc_skills.bank.parts import PARTS, find_lost_danger, find_markup, flatten, parts_of, texts_in, write_part
from esc_skills.bank.reader import read_bank
from esc_skills.bank.rules import OURS
from esc_skills.bank.skill import SKILL_FILE, Skill
from esc_skills.documents.prompts import PromptRole, load_prompt
from esc_skills.documents.text import one_line, shorten
from esc_skills.errors import InputError
from esc_skills.models.request import Completion, Message, Model, ModelFault, RoleModel
from esc_skills.proposing.diagnosis import Quote, Weakness, WeaknessKind
from esc_skills.proposing.operators import Edit
from esc_skills.settings import RoleSettings
from esc_skills.simulation.players import role_model
from esc_skills.transcript import MAX_CHANGE, Transcript, Turn
from esc_skills.vocabulary import (
    Disposition,
    HiddenIntention,
    Language,
    Risk,
    Speaker,
    Termination,
    Vocabulary,
    known_words,
)

#: An analyst answers with up to eight parts of a skill, a supporter with a few sentences.
_OWN = RoleSettings(temperature=0.7, max_tokens=6000)
#: How many characters the excerpts of a run may have in all, a message that was said, and one beside it.
_EXCERPTS, _MESSAGE, _BESIDE = 24_000, 2_000, 300
_ABOUT_A_SKILL = (WeaknessKind.PROFILE_SPECIFIC, WeaknessKind.INEFFECTIVE, WeaknessKind.BYPASSED)
#: The fields of the record of a skill that follow from the parts that an edit may change.
_FOLLOWING = ("avoid", "version", "text")
_Key = tuple[WeaknessKind, str | None, HiddenIntention | None, Disposition | None]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the analyst found in a run.

    Attributes:
        weaknesses: The findings that hold and that counting had not found, in the analyst's order, the gravest first.
        dropped: A line for each finding that does not hold, with the reason.
    """

    weaknesses: tuple[Weakness, ...]
    dropped: tuple[str, ...]


def analyst_of(
    bank: Mapping[str, Skill],
    name: str,
    model: Model,
    seed: str,
    asked: RoleSettings = RoleSettings(),  # noqa: B008 - frozen
    vocabulary: Vocabulary = OURS,
) -> Analyst:
    """Return the analyst of a bank, who is asked in the language of most of its skills.

    Args:
        bank: The skills by name.
        name: The analyst's model, as `endpoint/model`.
        model: Who is asked.
        seed: What tells this analysis from others with equal words.
        asked: How the model is asked.
        vocabulary: The words that skills may use.
    """
    languages = Counter(known_words(Language, (skill.language for skill in bank.values())))
    spoken = [each for each, _ in languages.most_common() if isinstance(each, Language)]
    return Analyst(model, role_model(name, _OWN, asked), seed, spoken[0] if spoken else Language.ENGLISH, vocabulary)


class Analyst:
    """Reads runs and edits skills with a language model.

    Args:
        model: Who is asked.
        role_model: Which model of which endpoint, with its parameters.
        seed: What tells this analysis from others with equal words.
        language: The language of the prompts.
        vocabulary: The words that skills may use.
    """

    def __init__(
        self, model: Model, role_model: RoleModel, seed: str, language: Language, vocabulary: Vocabulary = OURS
    ) -> None:
        self._model, self._role_model, self._seed, self._language = model, role_model, seed, language
        self._vocabulary = vocabulary

    async def diagnose(
        self, transcripts: Sequence[Transcript], bank: Mapping[str, Skill], counted: Sequence[Weakness]
    ) -> Reading:
        """Return what reading a run adds to counting; a run without a supporter turn is not read.

        Args:
            transcripts: The episodes of one run; those that ended in a fault count up to the fault.
            bank: The bank that the run was made with.
            counted: What `evolution.diagnose` found in it; a finding of the same kind about the same is left out.

        Raises:
            ModelFault: The model failed.
        """
        excerpts = _excerpts(transcripts)
        if not excerpts:
            return Reading((), ())
        catalogue = "\n".join(f"- {name}: {one_line(bank[name].description)}" for name in sorted(bank))
        figures = _figures(transcripts, bank, counted)
        read = await self._ask(PromptRole.ANALYST_DIAGNOSE, catalogue=catalogue, figures=figures, excerpts=excerpts)
        return _judge(read.value["findings"], transcripts, bank, counted)

    async def revise(self, weakness: Weakness, skill: Skill, path: str, refused: Sequence[str]) -> Edit | None:
        """Return an edit of a skill that answers a weakness, or None where the analyst sees none.

        Args:
            weakness: What is to be answered.
            skill: The skill that it is about.
            path: The skill's file, relative to the bank's folder.
            refused: Edits of this skill that were tried and not kept, in words.

        Raises:
            ModelFault: The model failed, or its edit breaks the contract of skills, reaches beyond the parts that it
                names, or touches what stands there for danger.
        """
        standing = flatten(parts_of(skill))
        answer = await self._ask(
            PromptRole.ANALYST_REFINE,
            finding=_told(weakness),
            skill_name=skill.name,
            skill_parts=json.dumps(standing, ensure_ascii=False, indent=2),
            refused="\n".join(f"- {one_line(each)}" for each in refused),
        )
        given = flatten({part: value for part, value in answer.value["parts"].items() if value is not None})
        if given.get("examples"):  # in the file, those to avoid stand after those to follow
            given["examples"].sort(key=lambda each: each["why"] is not None)
        changed = {part: value for part, value in given.items() if value != standing[part]}
        if not changed:
            return None
        if skill.needs and changed.get("needs") == []:
            raise _fault(f"the edit of {skill.name} takes its last need, and a skill without one is for an occasion")
        _require_plain(changed, standing)
        _require_danger_kept(skill, changed, standing)
        return Edit("revise", skill.name, {path: _edited(skill, changed, self._vocabulary)}, _about(weakness), weakness)

    async def _ask(self, role: PromptRole, **values: str) -> Completion:
        text = load_prompt(role, self._language).render(**values)
        return await self._model.complete(self._role_model.request([Message("user", text)], role, self._seed))


def _excerpts(transcripts: Sequence[Transcript]) -> str:
    """Return the turns most worth reading, as many as the budget holds, in the order of draws and turns."""
    chosen: list[tuple[int, str, int, str]] = []
    left = _EXCERPTS
    for each, at in _worth_reading(transcripts):
        text = _excerpt(each, at)
        if len(text) <= left:
            chosen.append((each.draw, each.profile, at, text))
            left -= len(text) + 2
    return "\n\n".join(text for *_, text in sorted(chosen))


def _worth_reading(transcripts: Sequence[Transcript]) -> list[tuple[Transcript, int]]:
    """Return all supporter turns: red flags first, then every episode's worst, then every episode's second, and so on."""
    ranked: list[tuple[bool, int, int, int, str, int, int]] = []
    for which, each in enumerate(transcripts):
        turns = sorted((*_rank(turn), at) for at, turn in enumerate(each.turns) if turn.supporter is not None)
        for place, (calm, change, at) in enumerate(turns):
            ranked.append((calm, place, change, each.draw, each.profile, at, which))
    return [(transcripts[which], at) for *_, at, which in sorted(ranked)]


def _rank(turn: Turn) -> tuple[bool, int]:
    calm = not any(flag.startswith("red:") for flag in turn.flags)
    return calm, MAX_CHANGE + 1 if turn.change is None else turn.change


def _excerpt(transcript: Transcript, at: int) -> str:
    turn = transcript.turns[at]
    head = [
        f"draw {transcript.draw}, turn {at + 1}",
        f"{transcript.disposition} seeker, hidden intention {transcript.intention}",
        f"skill {one_line(turn.skill)}" if turn.skill else "no skill",
        "not appraised" if turn.change is None else f"change {turn.change:+d}",
        *map(one_line, turn.flags),
    ]
    said = {index: shorten(each.seeker, _BESIDE) for index, each in enumerate(transcript.turns)}
    before, after = (
        [f"(turn {index + 1}) Seeker: {said[index]}"] if index in said else [] for index in (at - 1, at + 1)
    )
    return "\n".join(["; ".join(head), *before, *_spoken(turn), *after])


def _spoken(turn: Turn | Quote) -> list[str]:
    """Return what both said, a line each; a line end within a text would let it pose as the other speaker."""
    lines = [f"Seeker: {shorten(turn.seeker, _MESSAGE)}"]
    return [*lines, f"Supporter: {shorten(turn.supporter, _MESSAGE)}"] if turn.supporter else lines


def _figures(transcripts: Sequence[Transcript], bank: Mapping[str, Skill], counted: Sequence[Weakness]) -> str:
    """Return what was counted over the whole run; an episode that ended in a fault has no final emotion."""
    turns = [turn for each in transcripts for turn in each.turns if turn.supporter is not None]
    scored = [each for each in transcripts if not each.termination.is_fault]
    appraised = ((one_line(turn.skill or "no skill"), turn.change) for turn in turns if turn.change is not None)
    blocks = {
        "Found by counting": [one_line(each.message) for each in counted],
        "Skill: appraised turns, mean change": _means(appraised, "+.1f"),
        "Skills that no turn used": sorted(set(bank) - {turn.skill for turn in turns}),
        "Seekers: episodes, mean final emotion": _means(
            (name, each.final_emotion)
            for each in scored
            for name in (f"disposition {each.disposition}", f"hidden intention {each.intention}")
        ),
    }
    lists = ("\n".join([f"{title}:", *(f"- {row}" for row in rows)]) for title, rows in blocks.items() if rows)
    return "\n\n".join(lists)


def _means(values: Iterable[tuple[str, int]], form: str = ".1f") -> list[str]:
    groups: dict[str, list[int]] = defaultdict(list)
    for name, value in values:
        groups[name].append(value)
    return [f"{name}: {len(groups[name])}, {fmean(groups[name]):{form}}" for name in sorted(groups)]


def _judge(
    findings: Iterable[Mapping[str, Any]],
    transcripts: Iterable[Transcript],
    bank: Mapping[str, Skill],
    counted: Iterable[Weakness],
) -> Reading:
    """Keep the findings that hold and are new; say of each other one why it does not hold."""
    episodes: dict[int, list[Transcript]] = defaultdict(list)
    for transcript in transcripts:
        episodes[transcript.draw].append(transcript)
    seen: set[_Key] = {(each.kind, each.skill, each.need, each.disposition) for each in counted}
    kept: list[Weakness] = []
    dropped: list[str] = []
    for finding in findings:
        key, message = _key(finding), one_line(finding["message"])
        if key in seen:
            continue
        quotes = [_find_quote(quote, episodes) for quote in finding["quotes"]]
        if problem := next(_problems(finding, bank, quotes), None):
            dropped.append(f"{key[0]}: {problem}: {message}")
        else:
            seen.add(key)
            kept.append(_weakness(key, message, [quote for quote in quotes if quote is not None]))
    return Reading(tuple(kept), tuple(dropped))


def _key(finding: Mapping[str, Any]) -> _Key:
    """Return what a finding is about; a need or disposition counts only for the kinds that are about one."""
    kind, skill = WeaknessKind(finding["kind"]), finding["skill"]
    need = finding["need"] if kind in (WeaknessKind.MISSING, WeaknessKind.PROFILE_SPECIFIC) else None
    disposition = finding["disposition"] if kind is WeaknessKind.PROFILE_SPECIFIC else None
    return kind, skill, HiddenIntention(need) if need else None, Disposition(disposition) if disposition else None


def _problems(finding: Mapping[str, Any], bank: Mapping[str, Skill], quotes: Sequence[Quote | None]) -> Iterator[str]:
    (kind, skill, need, disposition), message = _key(finding), one_line(finding["message"])
    if skill is not None and kind is WeaknessKind.MISSING:
        yield f"names the skill {skill!r} as missing"
    if skill is not None and skill not in bank:
        yield f"{skill!r} is no skill of the bank"
    if skill is None and kind in _ABOUT_A_SKILL:
        yield "names no skill"
    if kind is WeaknessKind.PROFILE_SPECIFIC and (need is None) == (disposition is None):
        yield "names not exactly one need or disposition"
    if not message:
        yield "says nothing"
    for said, found in zip(finding["quotes"], quotes, strict=True):
        if found is None:
            words = shorten(said["text"], _BESIDE)
            yield f"the {said['speaker']} does not say {words!r} in draw {said['draw']}, turn {said['turn']}"


def _find_quote(quote: Mapping[str, Any], episodes: Mapping[int, Sequence[Transcript]]) -> Quote | None:
    """Return the real turn in which a speaker says the quoted words, or None."""
    words, number = one_line(quote["text"]), quote["turn"]
    for each in episodes.get(quote["draw"], ()):
        for turn in each.turns[number - 1 : number]:
            said = turn.seeker if quote["speaker"] == Speaker.SEEKER else turn.supporter
            if words and words in one_line(said or ""):
                return Quote(each.profile, each.draw, number, turn.seeker, turn.supporter or "", turn.change)
    return None


def _weakness(key: _Key, message: str, quotes: Iterable[Quote]) -> Weakness:
    """Return a finding that holds; its quotes are whole turns, each once, the worst first."""
    turns = sorted(dict.fromkeys(quotes), key=lambda each: each.change if each.change is not None else 0)
    changes = [each.change for each in turns if each.change is not None]
    return Weakness(*key, None, len(turns), fmean(changes) if changes else None, message, tuple(turns))


def _about(weakness: Weakness) -> str:
    return str(weakness.need or weakness.disposition or weakness.kind)


def _told(weakness: Weakness) -> str:
    blocks = [f"{weakness.kind}, {_about(weakness)}: {one_line(weakness.message)}"]
    for quote in weakness.quotes:
        change = "" if quote.change is None else f"; change {quote.change:+d}"
        blocks.append("\n".join([f"draw {quote.draw}, turn {quote.turn}{change}", *_spoken(quote)]))
    return "\n\n".join(blocks)


def _edited(skill: Skill, changed: Mapping[str, Any], vocabulary: Vocabulary) -> str:
    """Return the skill's file with some parts changed, after reading it as a bank is read."""
    try:
        text = raise_version(skill.text, skill.version)
        for part, value in changed.items():
            text = write_part(text, part, value)
        folder = PurePosixPath(skill.name)
        files = {str(folder / name): each.encode() for name, each in {SKILL_FILE: text, **references_of(skill)}.items()}
        read = read_bank(files, "the edit", vocabulary).skills[skill.name]
    except (InputError, UnicodeEncodeError) as error:
        raise _fault(f"the edit of {skill.name} breaks the contract: {error}") from error
    others = {field: getattr(skill, field) for field in (*PARTS, *_FOLLOWING)}
    if parts_of(read) != {**parts_of(skill), **changed} or replace(read, **others) != skill:
        raise _fault(f"the edit of {skill.name} reads as more or less than {', '.join(changed)}")
    return text


def _require_plain(changed: Mapping[str, Any], standing: Mapping[str, Any]) -> None:
    """Refuse new texts with markup that would break out of their place, or out of sight."""
    known = set(texts_in(standing))
    for text in texts_in(changed):
        if text not in known and (mark := find_markup(text)):
            raise _fault(f"the edit holds the markup {mark!r} where plain text belongs: {shorten(text, _BESIDE)!r}")


def _require_danger_kept(skill: Skill, changed: Mapping[str, Any], standing: Mapping[str, Any]) -> None:
    """Refuse an edit of what a skill says for danger, or of whom a skill for danger serves."""
    if (lost := find_lost_danger(standing, changed)) is not None:
        raise _fault(f"the edit of {skill.name} changes or drops what stands there for danger: {lost!r}")
    if set(skill.risk_levels) != {Risk.NONE} and (narrowed := changed.keys() & {"needs", "not_for"}):
        raise _fault(f"the edit of {skill.name}, a skill for danger, changes {', '.join(sorted(narrowed))}")


def _fault(detail: str) -> ModelFault:
    return ModelFault(Termination.FAULT_MALFORMED, detail)
