"""The review page of a proposal: what changes for a seeker, how sure it is, and the turns that show it. Made for GitHub."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence

from esc_skills.bank.changes import Change
from esc_skills.evidence.trial import Outcome
from esc_skills.gate.decision import Decision
from esc_skills.gate.scrutiny import note_of
from esc_skills.transcript import Transcript
from esc_skills.vocabulary import MEASURED

_EXCERPTS, _SHOWN_TURNS, _SHOWN_CHARACTERS = 2, 3, 400
#: What GitHub's Markdown takes for markup; the colon and the dot are those of bare addresses, which become links.
_MARKUP = re.compile(r"[\\`*_\[\]<>#|!&@~$]|:(?=//)|(?<=www)\.", re.IGNORECASE)
_OWN_DRAWS = (
    "Groups that seemed to lose more than 5 points got draws of their own: {} further pairs, which count in the rows of the "
    "groups that they were run for and nowhere else."
)
_PATH = re.compile(r"[A-Za-z0-9][A-Za-z0-9/.-]*")
#: GitHub finds mentions, addresses and issues in the rendered text, where an escape is gone: a word joiner parts them.
_PARTS = {"@": "\u2060", "#": "\u2060"}


def render_review(proposal: str, paths: Iterable[str], changes: Sequence[Change], outcome: Outcome) -> str:
    """Return the page as Markdown.

    Args:
        proposal: Its id.
        paths: The files of the bank that it changes and keeps, from the root.
        changes: What it changes, in words.
        outcome: What judging it came to.
    """
    decision = outcome.decision
    blocks = [
        f"# {proposal}",
        f"**{str(decision.verdict).capitalize()}.** {decision.reason} {decision.would_decide}".strip(),
        _effect(decision),
        *_second(decision),
        "## What changes",
        "\n".join(f"- {describe_change(change)}" for change in changes),
        "## For whom",
        _strata(decision),
        "## Safety",
        _safety(outcome),
        "## The episodes that changed most",
        *_excerpts(outcome),
        *_cost(outcome),
        "## How to check it",
        f"```\nesc-skills verify --base BASE --head evolve/{proposal}\n```",
        _where(paths),
        f"<sub>{MEASURED}</sub>",
    ]
    return "\n\n".join(blocks) + "\n"


def describe_change(change: Change) -> str:
    """Return one change in a line of words."""
    place = f"`{change.skill}` {change.part}: {change.what}"
    if change.before and change.after:
        return f"{place}: {_quote(change.before)} becomes {_quote(change.after)}"
    return f"{place} {'added' if change.after else 'removed'}: {_quote(change.after or change.before)}"


def _quote(text: str) -> str:
    flat = " ".join(text.split())
    cut = flat if len(flat) <= _SHOWN_CHARACTERS else flat[: _SHOWN_CHARACTERS - 1] + "…"
    # A skill's text comes from whoever wrote the proposal and must not break out into the page.
    return "“" + _MARKUP.sub(lambda mark: "\\" + mark[0] + _PARTS.get(mark[0], ""), cut) + "”"


def _effect(decision: Decision) -> str:
    low, high = decision.interval
    return (
        f"Mean final emotion changes by **{decision.effect:+.1f} points** over {decision.draws} pairs of episodes. The e-value "
        f"decides, which asks one question: is the mean above zero? It is {decision.e_value:.1f}, where {decision.threshold:g} accepts. The anytime-valid "
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
