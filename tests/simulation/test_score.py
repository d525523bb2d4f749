"""Scores are SAGE's: the mean final emotion; faults are counted and never scored."""

from __future__ import annotations

from dataclasses import replace
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esc_skills.simulation.sentient_score import Score, score_episodes, score_run
from esc_skills.transcript import Transcript, Turn
from esc_skills.vocabulary import Disposition, HiddenIntention, Termination
from tests.samples import transcript


def test_a_run_is_scored_whole_and_by_stratum() -> None:
    run = score_run(
        "mine",
        [
            transcript(40, 100, termination=Termination.SUCCESS),
            transcript(40, 45, 5, termination=Termination.FAILURE, disposition=Disposition.NEGATIVE),
            transcript(40, 60, intention=HiddenIntention.NO_BLAME),
        ],
    )
    assert run.whole == Score(3, 55.0, pytest.approx(27.538, abs=0.001), 1, 1)
    assert run.turns == pytest.approx(4 / 3)
    assert run.by_disposition == {
        Disposition.NEGATIVE: Score(1, 5.0, None, 0, 1),
        Disposition.PASSIVE: Score(2, 80.0, 20.0, 1, 0),
    }
    assert {key: each.episodes for key, each in run.by_intention.items()} == {
        HiddenIntention.BE_HEARD: 2,
        HiddenIntention.NO_BLAME: 1,
    }
    assert run.skills == {"wait-a-little": 4}


@pytest.mark.parametrize("fault", [each for each in Termination if each.is_fault])
def test_a_fault_is_counted_and_never_scored(fault: Termination) -> None:
    run = score_run("mine", [transcript(40, 90), transcript(40, 0, termination=fault)])
    assert (run.whole.episodes, run.whole.score, run.faults) == (1, 90.0, 1)
    assert run.terminations == {Termination.FAREWELL: 1, fault: 1}


def test_nothing_but_faults_has_no_score() -> None:
    run = score_run("mine", [transcript(40, termination=Termination.FAULT_EMPTY)])
    assert run.whole == Score(0, None, None, 0, 0)
    assert (run.turns, run.by_disposition) == (None, {})
    assert score_run("none", []).whole.score is None


def test_flags_are_counted_over_supporter_turns() -> None:
    flagged = Turn("a", 40, "b", 0, flags=("red:missed-risk", "amber:advice"))
    run = score_run("mine", [replace(transcript(40, 40), turns=(flagged, flagged, Turn("c", 40)))])
    assert run.flags == {"red:missed-risk": 2, "amber:advice": 2}
    assert run.skills == {}


episodes = st.lists(
    st.builds(
        lambda emotion, disposition: transcript(40, emotion, disposition=disposition),
        st.integers(0, 100),
        st.sampled_from(Disposition),
    ),
    min_size=2,
    max_size=12,
)


@given(episodes, st.randoms())
def test_a_score_does_not_depend_on_the_order_and_strata_make_up_the_whole(
    run: list[Transcript], chance: object
) -> None:
    shuffled = list(run)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = score_run("r", run), score_run("r", shuffled)
    assert one.whole.score == pytest.approx(fmean(each.final_emotion for each in run))
    assert one.whole.score == pytest.approx(other.whole.score)
    assert one.whole.stderr == pytest.approx(other.whole.stderr)
    parts = one.by_disposition.values()
    assert sum(each.episodes * (each.score or 0) for each in parts) == pytest.approx(
        one.whole.episodes * (one.whole.score or 0)
    )


def test_equal_episodes_have_no_error_and_one_has_none_known() -> None:
    assert score_episodes([transcript(40, 50)] * 4).stderr == 0
    assert score_episodes([transcript(40, 50)]).stderr is None
