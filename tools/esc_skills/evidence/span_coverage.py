"""Coverage: which of the words that a proposal changes its verdict rests on, and who has to vouch for the rest.

A changed span is derived, an owner's, or played. Derived ones follow from the others, and `verify` makes them again. Of a played one
it is counted in how many draws it was in what the supporter read. What was read too seldom, what an owner owns, and what touches
danger needs an owner's signature; without it the verdict is indecisive.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from esc_skills.bank.entrance import ENTRANCE_FILE
from esc_skills.bank.reader import Bank, read_bank
from esc_skills.bank.skill import REFERENCE, SKILL_FILE
from esc_skills.bank.spans import (
    END,
    EXAMPLES,
    FILE,
    METADATA,
    START,
    TITLE,
    Span,
    SpanChange,
    compare_files,
    split_spans,
    substance,
    without_change,
)
from esc_skills.documents.jsonl import digest_json
from esc_skills.errors import InputError
from esc_skills.evidence.exercise import SCENARIOS, is_enough
from esc_skills.evidence.owner_patterns import matches_path
from esc_skills.evidence.trial import Outcome, Trial
from esc_skills.safety.danger import Danger, danger_of_change, lines_for_danger
from esc_skills.settings import MODELS, Settings
from esc_skills.simulation.both_arms import Planned, play_all
from esc_skills.simulation.intervals import t_interval
from esc_skills.simulation.players import SURROGATE
from esc_skills.transcript import Transcript
from esc_skills.vocabulary import Arm, Risk, Verdict, Vocabulary

#: On how many of the draws that a change touches it is played once more without one of its spans; of how many spans at most.
LEFT_OUT_DRAWS, _MOST_LEFT_OUT = 40, 24
LICENSE = "license"
_LAYOUT = {START: "---\n", METADATA: "metadata:\n", END: "---\n"}
#: The title of a file of examples, which the skill's own is compared with.
_HEADING = re.compile(r"\s*# [^\n]{1,200}\n\s*")
_DERIVED = {
    "version": re.compile(r'  version: "\d{1,6}\.\d{1,6}\.\d{1,6}"\n'),
    "esc-risks": re.compile(r'  esc-risks: "[a-z-]+(?:, [a-z-]+)*"\n'),
    # What names prototypes rests on a corpus that is not here, so somebody who has it answers for it.
    "esc-provenance": re.compile(r'  esc-provenance: "(?:hand-written|drafted offline from a starter)"\n'),
    "examples": re.compile(
        r"\s*## Examples\s+(?:More examples: \[[a-z]+\]\([a-z/.]+\)(?:, \[[a-z]+\]\([a-z/.]+\))*\s*)?"
    ),
}
#: What no player reads, whoever it is.
_UNREAD = frozenset(("esc-strategies", "esc-expected-change", "esc-provenance", LICENSE, "order"))


class SpanClass(StrEnum):
    """Who answers for a changed span."""

    DERIVED = "derived"
    OWNERS = "owners'"
    PLAYED = "played"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What the change is worth beside the change without one span, on draws that both are played on.

    Attributes:
        draws: How many; 0 where it cannot be left out by itself, or too many spans changed to leave out each.
        effect: The mean difference in points, that with the span less that without it.
        interval: Its 95 % interval in points.
    """

    draws: int
    effect: float
    interval: tuple[float, float]

    @property
    def shows_effect(self) -> bool:
        """Whether the interval excludes zero."""
        return self.interval[0] > 0 or self.interval[1] < 0


@dataclass(frozen=True, slots=True)
class CoveredSpan:
    """A changed span with what the evidence says of it.

    Attributes:
        kind: Who answers for it.
        danger: What the change does to the lines that stand for danger.
        draws: In how many draws it was in what the supporter read; scenarios: of how many scenarios these were.
        asked: In how many draws it has to be.
        left_out: What it adds, where several spans changed and the gate accepted; None elsewhere.
    """

    change: SpanChange
    kind: SpanClass
    danger: Danger
    draws: int
    scenarios: int
    asked: int
    left_out: LeftOut | None

    @property
    def was_played(self) -> bool:
        """Whether enough draws played it."""
        return is_enough(self.draws, self.scenarios, self.asked)

    @property
    def is_open(self) -> bool:
        """Whether somebody has to vouch for it."""
        if self.kind is SpanClass.DERIVED:
            return False
        return self.kind is SpanClass.OWNERS or self.danger is not Danger.NONE or not self.was_played or self.is_carried

    @property
    def is_carried(self) -> bool:
        """Whether it may ride along on what others gain: text that came is not shown to help, or text that went is shown to be missed."""
        if self.left_out is None:
            return False
        if self.change.after is None and self.left_out.draws:
            return self.left_out.interval[1] < 0
        return self.left_out.interval[0] <= 0

    @property
    def reason(self) -> str:
        """Why somebody has to vouch for it, in words."""
        if self.danger is not Danger.NONE:
            return f"a line that stands for danger is {self.danger}, which no simulation decides"
        if self.kind is SpanClass.OWNERS:
            return "an owner's to decide"
        if self.was_played and self.left_out is not None:
            if not self.left_out.draws:
                return f"not left out by itself: that makes no bank, or more than {_MOST_LEFT_OUT} spans changed; split the change"
            low, high = (-end for end in reversed(self.left_out.interval))
            found = f"without it the change is worth {-self.left_out.effect:+.1f} points ({low:+.1f} to {high:+.1f})"
            shown = "so it is missed" if self.change.after is None else "so that it helps is not shown"
            return f"{found} on {self.left_out.draws} draws, {shown}"
        return f"read in {self.draws} draws of {self.scenarios} scenarios, and {self.asked} of {min(SCENARIOS, self.asked)} are asked"

    def as_json(self) -> dict[str, Any]:
        """Return it as a statement holds it."""
        left = self.left_out
        return {
            "path": self.change.path,
            "span": self.change.name,
            "digest": self.change.digest,
            "class": str(self.kind),
            "danger": str(self.danger),
            "draws": self.draws,
            "scenarios": self.scenarios,
            "left_out": {"draws": left.draws, "effect": left.effect, "interval": list(left.interval)} if left else None,
        }


@dataclass(frozen=True, slots=True)
class Coverage:
    """All changed spans of a proposal, in the order of the files.

    Attributes:
        spans: The spans.
        players: The models by role.
        folder: The bank's folder.
    """

    spans: tuple[CoveredSpan, ...]
    players: Mapping[str, str | None]
    folder: str

    @property
    def open(self) -> tuple[CoveredSpan, ...]:
        """The spans that somebody has to vouch for."""
        return tuple(each for each in self.spans if each.is_open)

    @property
    def digest(self) -> str:
        """The digest of the open spans: what an owner signs."""
        return digest_json([[each.change.path, each.change.name, each.change.digest] for each in self.open])

    @property
    def is_mixed(self) -> bool:
        """Whether the change weakens something that stands for danger and changes something else too."""
        own = [each for each in self.spans if each.kind is not SpanClass.DERIVED]
        weak = [each for each in own if each.danger is Danger.WEAKENED]
        return bool(weak) and len(weak) < len(own)

    def why_open(self) -> str:
        """Return in words which spans nobody vouches for, who could exercise them, and what helps; empty where there are none."""
        if self.is_mixed:
            weak = [each for each in self.spans if each.danger is Danger.WEAKENED]
            return (
                f"{_listed(weak)}: a line that stands for danger is weakened or removed, which travels alone and with an owner's "
                "signature; put it on a branch of its own"
            )
        groups: dict[str, list[CoveredSpan]] = {}
        for each in self.open:
            groups.setdefault(f"{each.reason}{self._who(each)}", []).append(each)
        return "; ".join(f"{_listed(spans)}: {why}" for why, spans in groups.items())

    def _who(self, span: CoveredSpan) -> str:
        if span.kind is SpanClass.OWNERS or span.danger is not Danger.NONE:
            return ""
        if span.was_played:
            return ""
        if span.change.part in _UNREAD:
            return "; no player reads it"
        if self.players.get("supporter") == SURROGATE and not span.draws:
            return "; a language model reads it (--supporter NAME/MODEL)"
        return "; more draws may (gate.draws)"


def _listed(spans: Sequence[CoveredSpan]) -> str:
    names = [each.change.label for each in spans]
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def verdict_of(outcome: Outcome, coverage: Coverage, settings: Settings) -> Verdict:
    """Return the verdict as far as evidence goes: an acceptance of the gate stands where every changed span is vouched for."""
    if outcome.decision.verdict is Verdict.ACCEPT and (coverage.open or not suffices(coverage, settings)):
        return Verdict.INDECISIVE
    return outcome.decision.verdict


def ledger_verdict(outcome: Outcome, coverage: Coverage, settings: Settings) -> Verdict:
    """Return the verdict that the ledger keeps: what the test came to, by players that suffice, whoever vouches for what else changed."""
    accepted = outcome.decision.verdict is Verdict.ACCEPT
    return Verdict.INDECISIVE if accepted and not suffices(coverage, settings) else outcome.decision.verdict


def suffices(coverage: Coverage, settings: Settings) -> bool:
    """Whether whoever played is enough for this repository; see `gate.players`."""
    return settings.gate.players != MODELS or SURROGATE not in coverage.players.values()


async def cover(trial: Trial, outcome: Outcome, settings: Settings, *, concurrency: int = 64) -> Coverage:
    """Return the coverage of a trial, with spans left out where several changed and the gate accepts.

    Args:
        trial: The change and what judged it, with both banks as they stand in files.
        outcome: What that came to.
        settings: The base's.
        concurrency: How many episodes run at a time.
    """
    asked, own = trial.gate.span_draws, outcome.own
    exercise = outcome.exercise.with_more([each.draw for each in own], [each.episodes for each in own])
    judged = [(each, _class_of(each, trial.base, settings)) for each in exercise.changes]
    # An example that only moved says what it said before: it rides on nobody's gain.
    stood = {
        (path.split("/")[0], words)
        for path, data in trial.base.contents.items()
        for span in split_spans(path, data)
        if (words := _example(span, span.text))
    }
    played = [
        each
        for each, kind in judged
        if kind is SpanClass.PLAYED and (each.skill, _example(each, each.after)) not in stood
    ]
    left = {}
    if outcome.decision.verdict is Verdict.ACCEPT and len(played) > 1:
        read = {each: exercise.places(each) for each in played if exercise.places(each)}
        left = await _leave_out(read, trial, outcome, settings.vocabulary, concurrency)
    standard = _standard_lines(trial.base)
    spans = []
    for each, kind in judged:
        danger = Danger.NONE if kind is SpanClass.DERIVED else _danger_of(each, trial, standard)
        counts = (len(exercise.places(each)), exercise.scenarios(each)) if kind is SpanClass.PLAYED else (0, 0)
        spans.append(CoveredSpan(each, kind, danger, *counts, asked, left.get(each)))
    return Coverage(tuple(spans), trial.models, settings.skills)


def _example(span: Span | SpanChange, text: str | None) -> str:
    """Return the words of a single example without its level and its place, empty for any other span."""
    return substance(text).lstrip("# ") if span.part == EXAMPLES and span.name != EXAMPLES else ""


def _class_of(change: SpanChange, base: Bank, settings: Settings) -> SpanClass:
    texts = [each for each in (change.before, change.after) if each is not None]
    path = f"{settings.skills}/{change.path}"
    for pattern in settings.owners:
        where, _, part = pattern.partition("#")
        if part and part == change.part and matches_path(where, path):
            return SpanClass.OWNERS
    if change.path == ENTRANCE_FILE:  # checked against what the skills make of it; it is not made by its absence
        return SpanClass.PLAYED if change.after is None else SpanClass.DERIVED
    if change.part == TITLE and REFERENCE.fullmatch("/".join(change.path.split("/")[-2:])):
        return SpanClass.DERIVED if all(_HEADING.fullmatch(each) for each in texts) else SpanClass.PLAYED
    if change.part in _LAYOUT:
        return SpanClass.DERIVED if set(texts) == {_LAYOUT[change.part]} else SpanClass.PLAYED
    if change.name in _DERIVED and all(_DERIVED[change.name].fullmatch(each) for each in texts):
        return SpanClass.DERIVED
    if change.part == LICENSE:
        return SpanClass.DERIVED if change.before is None and change.after in _licences(base) else SpanClass.OWNERS
    return SpanClass.OWNERS if change.part == FILE else SpanClass.PLAYED


def _licences(bank: Bank) -> set[str]:
    """Return the lines that name a licence in a bank: with the same one a new skill brings nothing new."""
    skills = [(path, data) for path, data in bank.contents.items() if path.endswith(f"/{SKILL_FILE}")]
    return {each.text for path, data in skills for each in split_spans(path, data) if each.part == LICENSE}


def _standard_lines(bank: Bank) -> frozenset[str]:
    texts = (
        each.text
        for path, data in bank.contents.items()
        for each in split_spans(path, data)
        if each.part in ("when not to use", "risks")
    )
    return frozenset(line for text in texts for line in lines_for_danger(text))


def _danger_of(change: SpanChange, trial: Trial, standard: Iterable[str]) -> Danger:
    before, after = (bank.skills.get(change.skill) for bank in trial.banks)
    if any(skill and {Risk.ACTIVE, Risk.IMMINENT} & set(skill.risk_levels) for skill in (before, after)):
        return Danger.ADDED if before is None else Danger.WEAKENED  # all of such a skill stands for danger
    if before is not None and after is None:
        return Danger.NONE  # with a skill for other matters goes its own pointer to those for danger
    if change.part == "esc-risk":
        return Danger.NONE if before is None else Danger.WEAKENED
    return danger_of_change(change.before, change.after, standard)


async def _leave_out(
    read: Mapping[SpanChange, Sequence[int]], trial: Trial, outcome: Outcome, vocabulary: Vocabulary, concurrency: int
) -> dict[SpanChange, LeftOut]:
    """Return what each span adds on the first draws that the change touches and in which the span was read."""
    touched = [at for at, pair in enumerate(outcome.episodes) if _differ(*pair)]
    planned: list[tuple[SpanChange, Bank, list[int]]] = []
    for change in list(read)[:_MOST_LEFT_OUT]:
        chosen = sorted({*touched} & {*read[change]})[:LEFT_OUT_DRAWS]
        bank = _without(change, trial, vocabulary)
        if bank is not None and chosen:
            planned.append((change, bank, chosen))
    played = [Planned(outcome.draws[at], bank, Arm.CANDIDATE) for _, bank, chosen in planned for at in chosen]
    episodes = iter(await play_all(trial.players, played, concurrency=concurrency, progress=lambda done, total: None))
    found = dict.fromkeys(read, LeftOut(0, 0.0, (-100.0, 100.0)))
    for change, _, chosen in planned:
        values = [_points(outcome.episodes[at][1], next(episodes)) for at in chosen]
        shown = t_interval(values)
        found[change] = LeftOut(len(values), shown.estimate, (shown.low, shown.high))
    return found


def _differ(base: Transcript, candidate: Transcript) -> bool:
    return [each.supporter for each in base.turns] != [each.supporter for each in candidate.turns]


def _points(with_span: Transcript, without: Transcript) -> float:
    """Return the difference of two final emotions; none where one of them ended in a fault, which says nothing of the span."""
    return 0.0 if with_span.scored is None or without.scored is None else float(with_span.scored - without.scored)


def _without(change: SpanChange, trial: Trial, vocabulary: Vocabulary) -> Bank | None:
    """Return the candidate with one span as it was before; None where that is no bank, as a skill without its needs is none."""
    files = without_change(trial.candidate.contents, trial.base.contents, change)
    partners = [
        each
        for each in compare_files(trial.base.contents, files)
        if each.path == change.path and each.part in ("esc-risks", EXAMPLES) and each.name == each.part
    ]
    for attempt in (files, _reverted(files, trial.base.contents, partners)):
        try:
            return read_bank(attempt, "the change without a span", vocabulary)
        except InputError:
            continue
    return None


def _reverted(
    files: Mapping[str, bytes], base: Mapping[str, bytes], changes: Iterable[SpanChange]
) -> Mapping[str, bytes]:
    for change in changes:
        files = without_change(files, base, change)
    return files
