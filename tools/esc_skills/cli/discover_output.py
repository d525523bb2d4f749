"""What `discover` found, counted and shown: units, prototypes, coverage and drafts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from esc_skills.cli.output import say, show_table
from esc_skills.discovery.cluster import Clustering
from esc_skills.discovery.coverage import Cell
from esc_skills.discovery.drafting import Draft
from esc_skills.discovery.extract import extract_units
from esc_skills.discovery.material import points
from esc_skills.discovery.prototypes import Call, Prototype
from esc_skills.discovery.units import MAX_TURN, Transition, Unit
from esc_skills.documents.jsonl import canonical_json
from esc_skills.vocabulary import HiddenIntention, Language, Stage, Strategy

if TYPE_CHECKING:
    from esc_skills.corpora.dialogue import Dialogue


class Account:
    """Counts units as they pass."""

    def __init__(self) -> None:
        self.dialogues = self.without = self.units = self.key_units = self.too_long = 0
        self._counts: dict[str, Counter[str]] = {
            name: Counter() for name in ("corpus", "transition", "outcome from", "strategies from")
        }
        self._key_units: Counter[str] = Counter()

    def units_of(self, dialogue: Dialogue) -> Iterator[Unit]:
        """Yield the units of a dialogue that are short enough to keep; the others are told of."""
        found = 0
        for unit in extract_units(dialogue):
            found += 1
            if (size := max(map(len, unit.texts))) > MAX_TURN:
                self.too_long += 1
                say(f"{unit.id}: left out: a turn of {size:,} characters; at most {MAX_TURN:,} are kept", err=True)
            else:
                yield unit
        self.dialogues += 1
        self.without += not found

    def line_of(self, unit: Unit) -> bytes:
        """Count a unit and return its line of JSON Lines."""
        self.units += 1
        self.key_units += unit.is_key
        self._counts["corpus"][unit.corpus] += 1
        self._counts["transition"][unit.transition] += 1
        self._counts["outcome from"][unit.source] += 1
        self._counts["strategies from"]["annotation" if unit.action.annotated else "words"] += 1
        if unit.is_key:
            way = "positive" if unit.transition is Transition.POSITIVE else "negative"
            whole = {True: "that went well", False: "that went badly", None: "whose end nobody judged"}[unit.succeeded]
            self._key_units[f"{way}, in dialogues {whole}"] += 1
        return canonical_json(unit.as_json()).encode() + b"\n"

    def as_json(self) -> dict[str, Any]:
        """Return the counts for other programs."""
        counts = {name.replace(" ", "_"): _plain(count) for name, count in self._counts.items()}
        return {
            "dialogues": self.dialogues,
            "dialogues_without_units": self.without,
            "units_left_out": self.too_long,
            "units": self.units,
            "key_units": self.key_units,
            **counts,
            "key": _plain(self._key_units),
        }

    def show(self) -> None:
        """Print the counts."""
        rows: list[tuple[object, ...]] = [("units", self.units), ("key units", self.key_units)]
        rows += [(f"{name}: {each}", count) for name, counts in self._counts.items() for each, count in _most(counts)]
        rows += [(f"key: {each}", count) for each, count in _most(self._key_units)]
        if self.without:
            rows.append(("dialogues in which no supporter turn stands between two of the seeker's", self.without))
        if self.too_long:
            rows.append(("units left out, since a turn is too long", self.too_long))
        show_table("", ("what", "count"), rows)


def _plain(counts: Counter[str]) -> dict[str, int]:
    return {str(name): count for name, count in _most(counts)}


def _most(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def clustering_json(clustering: Clustering) -> dict[str, Any]:
    """Return what a clustering came to, for other programs."""
    calls = Counter(str(each.call) for each in clustering.prototypes)
    return {
        "prototypes": len(clustering.prototypes),
        "units": clustering.units,
        "dialogues": clustering.dialogues,
        "left_over": clustering.left_over,
        "calls": {str(call): calls[call] for call in Call},
    }


def show_clustering(clustering: Clustering) -> None:
    """Print what a clustering came to, and its prototypes with the largest effects."""
    for call in (Call.HELPFUL, Call.HARMFUL):
        called = [each for each in clustering.prototypes if each.call is call]
        called.sort(key=lambda each: (-abs(each.effect), each.id))
        if not called:
            say(f"called {call}: 0")
            continue
        rows = [
            (
                f"{each.id}  {' / '.join(each.key)}",
                each.units,
                each.dialogues,
                points(each.effect),
                f"{points(each.low)} to {points(each.high)}",
            )
            for each in called[:10]
        ]
        title = f"called {call}: {len(called)}" + (", of which" if len(called) > 10 else "")
        show_table(title, ("strategy / need / move / stage", "units", "dialogues", "points", "80 % interval"), rows)
    told = clustering_json(clustering)
    say(f"{told['units']:,} units of {told['dialogues']:,} dialogues; {told['left_over']:,} are like too few others")


def show_coverage(cells: Sequence[Cell]) -> None:
    """Print how many skills each need, stage and strategy has."""
    short = {
        Strategy.RESTATEMENT_OR_PARAPHRASING: "restate",
        Strategy.REFLECTION_OF_FEELINGS: "reflect",
        Strategy.AFFIRMATION_AND_REASSURANCE: "affirm",
        Strategy.PROVIDING_SUGGESTIONS: "suggest",
        Strategy.INFORMATION: "inform",
    }
    named = {strategy: short.get(strategy, str(strategy).partition("-")[0]) for strategy in Strategy}
    by_place = {(cell.need, cell.stage, cell.strategy): cell for cell in cells}
    rows = [
        (f"{need}, {stage}", *(_mark(by_place[need, stage, strategy]) for strategy in Strategy))
        for need in HiddenIntention
        for stage in Stage
    ]
    show_table(
        "skills; ! where something helps and no skill does it, · where nothing is known", ("", *named.values()), rows
    )


def _mark(cell: Cell) -> str:
    if cell.is_gap:
        return "!"
    return str(len(cell.skills)) if cell.skills else "–" if cell.units else "·"


def draft_json(draft: Draft) -> dict[str, Any]:
    """Return what a draft is and rests on, for other programs."""
    return {
        "name": draft.name,
        "revises": draft.revises,
        **subject_json(draft.subject),
        "helpful": [each.id for each in draft.helpful],
        "harmful": [each.id for each in draft.harmful],
    }


def subject_json(subject: Any) -> dict[str, str]:
    """Return what a draft is about, for other programs."""
    return {"need": str(subject.need), "strategy": str(subject.strategy), "language": str(subject.language)}


def why_nothing(found: Iterable[Prototype], wanted: Iterable[Language]) -> str:
    """Return why nothing can be drafted from prototypes, in words."""
    helpful = [each for each in found if each.call is Call.HELPFUL and each.need is not None]
    if not helpful:
        return "nothing to draft: no prototype with a need is called helpful"
    if not any(each.positive for each in helpful):
        return "nothing to draft: helpful prototypes hold no key unit, since nobody said how it went"
    languages = " or ".join(wanted)
    return f"nothing to draft: helpful prototypes show no exemplar in {languages}; --language asks for another"
