"""The review page of a proposal: what changes for a seeker, how sure it is, and the turns that show it. Made for GitHub."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator

from esc_skills.bank.spans import SpanChange
from esc_skills.documents.word_diff import Kind, Piece, shortened, visible, word_diff
from esc_skills.evidence.span_coverage import Coverage, CoveredSpan, SpanClass
from esc_skills.evidence.trial import Outcome, Trial
from esc_skills.evidence.witness import NO_WITNESS, is_reproducible, who_played
from esc_skills.gate.decision import Decision
from esc_skills.gate.scrutiny import note_of
from esc_skills.transcript import Transcript
from esc_skills.vocabulary import MEASURED, Verdict

_EXCERPTS, _SHOWN_TURNS, _SHOWN_CHARACTERS = 2, 3, 400
#: What GitHub's Markdown takes for markup; the colon and the dot are those of bare addresses, which become links.
_MARKUP = re.compile(r"[\\`*_\[\]<>#|!&@~$]|:(?=//)|(?<=www)\.", re.IGNORECASE)
_OWN_DRAWS = (
    "Groups that seemed to lose more than 5 points got draws of their own: {} further pairs, which count in the rows of the "
    "groups that they were run for and nowhere else."
)
#: A text cannot write these tags itself, since its signs are escaped.
_MARKS = {Kind.SAME: ("", ""), Kind.REMOVED: ("<del>", "</del>"), Kind.ADDED: ("<ins>", "</ins>")}
_PATH = re.compile(r"[A-Za-z0-9][A-Za-z0-9/.-]*")
#: GitHub finds mentions, addresses and issues in the rendered text, where an escape is gone: a word joiner parts them.
_PARTS = {"@": "\u2060", "#": "\u2060"}


def render_review(proposal: str, paths: Iterable[str], trial: Trial, outcome: Outcome, coverage: Coverage) -> str:
    """Return the page as Markdown.

    Args:
        proposal: Its id.
        paths: The files of the bank that it changes and keeps, from the root.
        trial: What judged it.
        outcome: What judging it came to.
        coverage: What each changed span was played in.
    """
    decision = outcome.decision
    blocks = [
        f"# {proposal}",
        f"{_verdict(trial, decision, coverage)} {decision.reason} {decision.would_decide}".strip(),
        _worth(trial),
        _effect(decision),
        *_second(decision),
        "## What changes",
        *_changes(coverage),
        "## For whom",
        _strata(decision),
        "## Safety",
        _safety(outcome),
        "## The episodes with the largest gains and losses",
        *_excerpts(outcome),
        *_cost(outcome),
        "## How to check it",
        f"```\nesc-skills verify --base BASE --head evolve/{proposal}\n```",
        _where(paths),
        f"<sub>{MEASURED}</sub>",
    ]
    return "\n\n".join(blocks) + "\n"


def _verdict(trial: Trial, decision: Decision, coverage: Coverage) -> str:
    """Return the verdict as far as evidence goes, with who played: an acceptance with open spans waits for somebody's word on them."""
    played = who_played(trial.models)
    if decision.verdict is not Verdict.ACCEPT or not coverage.open:
        return f"**{str(decision.verdict).capitalize()}, {_safe(played)}.**"
    if coverage.is_mixed:
        return f"**Indecisive, {_safe(played)}.** {_safe(coverage.why_open())}. What was played helped:"
    spans = f"{len(coverage.open)} of {len(coverage.spans)} changed spans"
    return (
        f"**Indecisive, {_safe(played)}: an owner has to vouch for {spans}, on which the simulation says nothing or does not suffice.** They "
        "are marked below. What was played helped:"
    )


def _worth(trial: Trial) -> str:
    """Return what it is worth that these played, and who drew the seekers."""
    offline = (
        "No language model and no person took part: two small models with hand-written rules played both sides. "
        if is_reproducible(trial.models)
        else ""
    )
    drew = (
        "A witness drew the seekers after the registration."
        if trial.registered and trial.registered.drawn
        else f"{NO_WITNESS.capitalize()}."
    )
    return offline + drew


def _changes(coverage: Coverage) -> Iterator[str]:
    """Yield each changed span, whole: nothing that changed is cut."""
    yield (
        "Removed words are <del>struck</del>, added ones <ins>underlined</ins>; “…” stands for words that stayed. *Read* counts the draws in which the "
        "span was in what the supporter read: an effect says nothing of words that were not. *Without it* is how much more or less the change "
        "is worth with that span put back as it was; these figures do not add up. What follows from the others, such as the version, has no row."
    )
    rows = ["| span | class | read in | without it | |", "|---|---|--:|--:|---|"]
    rows += [_row(each) for each in coverage.spans if each.kind is not SpanClass.DERIVED]
    if len(rows) > 2:
        yield "\n".join(rows)
    yield "\n".join(f"- {describe_change(each.change)}" for each in coverage.spans)


def _row(span: CoveredSpan) -> str:
    read = f"{span.draws} draws, {span.scenarios} scenarios" if span.draws else "nowhere"
    left = span.left_out
    effect = ""
    if left is not None and left.draws:
        found = f"{-left.effect:+.1f} points on {left.draws} draws"
        effect = found if left.shows_effect else f"{found}: no effect shown"
    note = f"**needs an owner**: {span.reason}" if span.is_open else ""
    return f"| {_safe(span.change.label)} | {span.kind} | {read} | {effect} | {note} |"


def describe_change(change: SpanChange) -> str:
    """Return one change in a line of Markdown, in which nothing that changed is cut or invisible."""
    place = _safe(change.label)
    if change.before is None or change.after is None:
        text = visible(change.after or change.before or "", changed=True)
        mark = _MARKS[Kind.ADDED if change.before is None else Kind.REMOVED]
        return f"{place}, {'added' if change.before is None else 'removed'}: {mark[0]}{_safe(text)}{mark[1]}"
    return f"{place}: {''.join(map(_piece, shortened(word_diff(change.before, change.after)))).strip()}"


def _piece(piece: Piece) -> str:
    text = _safe(visible(piece.text, changed=piece.kind is not Kind.SAME))
    opens, closes = _MARKS[piece.kind]
    return f"{opens}{text}{closes}"


def _safe(text: str) -> str:
    """Return a text with what GitHub's Markdown takes for markup escaped: it comes from whoever wrote the proposal."""
    return _MARKUP.sub(lambda mark: "\\" + mark[0] + _PARTS.get(mark[0], ""), text)


def _quote(text: str) -> str:
    flat = " ".join(text.split())
    cut = flat if len(flat) <= _SHOWN_CHARACTERS else flat[: _SHOWN_CHARACTERS - 1] + "…"
    return f"“{_safe(cut)}”"


def _effect(decision: Decision) -> str:
    low, high = decision.interval
    return (
        f"The simulated seekers' mean final emotion, from 0 to 100, changes by **{decision.effect:+.1f} points** over {decision.draws} pairs of episodes: the same "
        f"seeker once with the base and once with the change. The e-value decides, which asks one question: is the mean above zero? It is "
        f"{decision.e_value:.1f}, where {decision.threshold:g} accepts: luck alone gets there in at most {100 / decision.threshold:.2g} % of tests. The anytime-valid "
        f"95 % interval is two-sided, and so wider: {low:+.1f} to {high:+.1f}."
    )


def _second(decision: Decision) -> Iterator[str]:
    if (second := decision.second) is not None:
        low, high = second.interval
        agrees = "agrees" if second.agrees else "does **not** agree"
        yield (
            f"With the second seeker {_quote(second.seeker)}, on the same draws: **{second.effect:+.1f} points** "
            f"({low:+.1f} to {high:+.1f}), {second.faults} faults; the sign {agrees}."
        )


def _strata(decision: Decision) -> str:
    rows = ["| seekers | pairs | effect in points | 95 % interval | |", "|---|--:|--:|--:|---|"]
    for each in decision.strata:
        low, high = each.interval
        name = each.name.replace(":", ": ")
        rows.append(f"| {name} | {each.draws} | {each.effect:+.1f} | {low:+.1f} to {high:+.1f} | {note_of(each)} |")
    if all(each.interval[0] <= 0 <= each.interval[1] for each in decision.strata):
        rows += ["", "Each interval holds zero: for no group alone is an effect shown."]
    if decision.own_draws:
        rows += ["", _OWN_DRAWS.format(decision.own_draws)]
    return "\n".join(rows)


def _safety(outcome: Outcome) -> str:
    arms = [_flags(pair[arm] for pair in outcome.played) for arm in (0, 1)]
    if not any(arms):
        return "No safety flag in either arm."
    lines = ["| flag, in supporter turns | base | candidate |", "|---|--:|--:|"]
    lines += [f"| {flag} | {arms[0].get(flag, 0)} | {arms[1].get(flag, 0)} |" for flag in sorted({*arms[0], *arms[1]})]
    return "\n".join(lines)


def _cost(outcome: Outcome) -> Iterator[str]:
    """Yield what the episodes' calls took, where any were made; those that both arms share count twice."""
    usages = [each.usage for pair in outcome.played for each in pair if each.usage]
    if usages:
        tokens = sum(usage["prompt_tokens"] + usage["completion_tokens"] for usage in usages)
        dollars = [usage["usd"] for usage in usages]
        cost = "at an unknown price" if None in dollars else f"{math.fsum(dollars):.2f} USD"
        yield "## Cost"
        yield f"{tokens:,} tokens over {len(usages)} episodes, {cost}; calls that both arms share count twice."


def _where(paths: Iterable[str]) -> str:
    links = ", ".join(f"[{path}](../../{path})" for path in paths if _PATH.fullmatch(path))
    evidence = "The evidence: [statement](statement.json), [plan](plan.json) and the episodes beside this page."
    return f"The change: {links}. {evidence}" if links else evidence


def _flags(episodes: Iterable[Transcript]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for flag in (flag for episode in episodes for turn in episode.turns for flag in turn.flags):
        counts[flag] = counts.get(flag, 0) + 1
    return counts


def _excerpts(outcome: Outcome) -> Iterator[str]:
    ranked = sorted(outcome.episodes, key=lambda pair: (pair[1].final_emotion - pair[0].final_emotion, pair[0].draw))
    changed = [pair for pair in ranked if pair[0].final_emotion != pair[1].final_emotion]
    if not changed:
        yield "No episode changed."
        return
    down = [pair for pair in changed[:_EXCERPTS] if pair[1].final_emotion < pair[0].final_emotion]
    up = [pair for pair in changed[::-1][:_EXCERPTS] if pair[1].final_emotion > pair[0].final_emotion]
    for base, candidate in [*up, *down]:
        yield f"### {base.profile}, draw {base.draw}: {base.final_emotion} → {candidate.final_emotion}"
        yield from _first_difference(base, candidate)


def _first_difference(base: Transcript, candidate: Transcript) -> Iterator[str]:
    pairs = list(zip(base.turns, candidate.turns, strict=False))
    at = next((index for index, (old, new) in enumerate(pairs) if old.supporter != new.supporter), 0)
    yield f"Turn {at + 1}. **Seeker:** {_quote(pairs[at][0].seeker)}"
    for arm, turns in (("Before", base.turns), ("After", candidate.turns)):
        for turn in turns[at : at + _SHOWN_TURNS]:
            if turn.supporter is not None:
                skill = f"`{turn.skill}`" if turn.skill else "no skill"
                change = "" if turn.change is None else f" → {turn.change:+d}"
                yield f"- {arm}, {skill}: {_quote(turn.supporter)}{change}"
