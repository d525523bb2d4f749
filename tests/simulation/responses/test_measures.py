"""What responses measure: a match shares a strategy, distinct-n is that of its source, flags are listed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esc_skills.simulation.responses.measures import Flagged, Said, distinct, match_by_chance, measure
from esc_skills.vocabulary import Language, Strategy
from tests.simulation.responses.talks import context_of

CONTEXT = context_of()
LABELS = st.frozensets(st.sampled_from(Strategy), max_size=3)


def said(
    text: str = "What happened?",
    predicted: set[Strategy] | frozenset[Strategy] = frozenset(),
    annotated: set[Strategy] | frozenset[Strategy] = frozenset(),
    flags: tuple[str, ...] = (),
    language: Language = Language.ENGLISH,
) -> Said:
    context = replace(CONTEXT, strategies=frozenset(annotated), language=language)
    return Said(context, text, None, frozenset(predicted), flags)


def test_a_match_shares_a_strategy_and_a_merged_label_means_any_of_its_own() -> None:
    merged = {Strategy.PROVIDING_SUGGESTIONS, Strategy.INFORMATION}
    found = measure(
        [
            said(predicted={Strategy.INFORMATION}, annotated=merged),
            said(predicted={Strategy.QUESTION}, annotated=merged),
            said(predicted={Strategy.QUESTION, Strategy.OTHERS}, annotated={Strategy.QUESTION}),
            said(predicted={Strategy.QUESTION}),
        ]
    )
    assert (found.responses, found.annotated, found.strategies) == (4, 3, 1.25)
    assert found.match is not None
    assert found.match.estimate == pytest.approx(2 / 3)


@given(st.lists(st.tuples(LABELS, LABELS), min_size=1, max_size=12))
def test_chance_is_the_mean_over_all_ways_to_deal_the_responses(labels: list[tuple[frozenset[Strategy], ...]]) -> None:
    dealt = [bool(one[0] & other[1]) for one in labels for other in labels]
    assert match_by_chance([said("Yes.", *each) for each in labels]) == pytest.approx(sum(dealt) / len(dealt))


def test_distinct_counts_different_runs_of_all_responses_over_their_words() -> None:
    texts = [said("You did it, you did!"), said("Did you?")]
    assert distinct(texts, 1) == pytest.approx(3 / 7)  # you, did, it
    assert distinct(texts, 2) == pytest.approx(4 / 7)  # you did, did it, it you, did you; not "did did"
    assert distinct([said("...")], 1) == 0.0


def test_chinese_is_counted_in_characters_and_measured_in_words() -> None:
    found = measure([said("慢慢说。", language=Language.CHINESE)])
    assert (found.distinct_1, found.words) == (pytest.approx(2 / 3), pytest.approx(1.8))


def test_flags_are_listed_with_their_contexts_and_never_averaged() -> None:
    found = measure([said(flags=("red:missed-risk",)), said(), said(flags=("amber:lecturing", "red:blames"))])
    assert found.flags == tuple(
        Flagged("ours/one:3", flag) for flag in ("red:missed-risk", "amber:lecturing", "red:blames")
    )


def test_without_labels_there_is_no_match() -> None:
    found = measure([said()])
    assert (found.annotated, found.match, found.match_by_chance) == (0, None, None)
