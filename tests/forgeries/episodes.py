"""Forged runs: the episodes, their pairs, their seekers, and what packs them."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from esc_skills.documents.jsonl import compress
from esc_skills.evidence.files import EPISODES, PLAN
from esc_skills.evidence.trial import Trial, pair_of
from esc_skills.ledger.entries import Registered
from esc_skills.simulation.draws import Draw, plan_draws
from esc_skills.transcript import Transcript
from esc_skills.vocabulary import Split, Termination

from .kind import DRAWS, family, refused
from .workshop import (
    Files,
    Pairs,
    Real,
    Workshop,
    claiming,
    holding,
    judged,
    packed,
    play_again,
    run,
    signed,
    unpacked,
    values_of,
)


def rebuilt(shop: Workshop, change: Callable[[Pairs], Pairs], of: Real | None = None) -> Files:
    """Evidence of the real trial with other episodes: its statistics, pages and digests are made for these."""
    trial = shop.trial(of)
    outcome = run(trial)
    episodes = change(outcome.episodes)
    return shop.build(trial, judged(trial, outcome.draws, episodes), of=of)


def candidate(change: Callable[[Transcript], Transcript], at: int = 0) -> Callable[[Pairs], Pairs]:
    """Change the candidate's episode of one pair."""

    def forge(pairs: Pairs) -> Pairs:
        return (*pairs[:at], (pairs[at][0], change(pairs[at][1])), *pairs[at + 1 :])

    return forge


def by_gain(pairs: Pairs) -> list[int]:
    """The places of the pairs, the worst for the candidate first."""
    return sorted(range(len(pairs)), key=lambda at: pair_of(*pairs[at]).difference)


#: The reason of all kinds that give an episode another score.
SCORE = (r"episodes\.jsonl\.gz:2: /final_emotion is \d+ and should be \d+", "a score")
#: The reason of all kinds with more or fewer episodes than the plan's.
LINES = (r"episodes\.jsonl\.gz: has \d+ lines and should have", "another number of episodes")

family("other episodes than those of the plan")


@refused("episodes", r"episodes\.jsonl\.gz: is not the file that /predicate/episodes/file_digest")
def a_score_is_edited(shop: Workshop) -> None:
    shop.propose({**shop.real.evidence, EPISODES: with_score(shop)})


@refused("evidence", *SCORE)
def a_score_is_edited_and_the_file_signed(shop: Workshop) -> None:
    shop.propose(holding(shop.real.evidence, EPISODES, with_score(shop)))


def with_score(shop: Workshop) -> bytes:
    """The real episodes with another score of as many digits: a longer file would be refused for its size."""
    episodes = values_of(shop.real.evidence[EPISODES])
    episodes[1]["final_emotion"] ^= 1
    return packed(episodes)


@refused("evidence", *SCORE)
def a_score_is_edited_and_everything_made_anew(shop: Workshop) -> None:
    shop.propose(rebuilt(shop, candidate(lambda each: replace(each, final_emotion=99))))


# Where the final emotion comes to the same, the first change that differs is named.
@refused(
    "evidence", r"episodes\.jsonl\.gz:2: /(?:final_emotion|turns/0/change) is -?\d+ and should be -?\d+", "a change"
)
def emotion_changes_are_edited_and_everything_made_anew(shop: Workshop) -> None:
    def better(each: Transcript) -> Transcript:
        turns = [replace(turn, change=10 if turn.change is not None else None) for turn in each.turns]
        turns = [replace(turn, emotion=min(40 + 10 * at, 100)) for at, turn in enumerate(turns)]
        return replace(each, turns=tuple(turns), final_emotion=turns[-1].emotion)

    shop.propose(rebuilt(shop, candidate(better)))


@refused("evidence", r"episodes\.jsonl\.gz:2: /turns/0/supporter is")
def kinder_words_are_put_into_the_supporters_mouth(shop: Workshop) -> None:
    def kinder(each: Transcript) -> Transcript:
        return replace(each, turns=(replace(each.turns[0], supporter="I hear you."), *each.turns[1:]))

    shop.propose(rebuilt(shop, candidate(kinder)))


@refused("evidence", r"episodes\.jsonl\.gz:\d+: /turns/\d+/flags")
def red_flags_are_taken_out_and_everything_made_anew(shop: Workshop) -> None:
    def unflagged(each: Transcript) -> Transcript:
        return replace(each, turns=tuple(replace(turn, flags=()) for turn in each.turns))

    forged = rebuilt(shop, lambda pairs: tuple((base, unflagged(other)) for base, other in pairs), shop.other)
    shop.propose(forged, of=shop.other)


@refused("evidence", r"episodes\.jsonl\.gz:\d+: /termination is")
def a_bad_episode_is_called_a_fault(shop: Workshop) -> None:
    def spoil(pairs: Pairs) -> Pairs:
        return candidate(lambda each: replace(each, termination=Termination.FAULT_MALFORMED), by_gain(pairs)[0])(pairs)

    shop.propose(rebuilt(shop, spoil, shop.other), of=shop.other)


@refused("evidence", r"episodes\.jsonl\.gz:1: /arm is")
def the_arms_of_a_pair_are_swapped(shop: Workshop) -> None:
    shop.propose(rebuilt(shop, lambda pairs: (pairs[0][::-1], *pairs[1:])))


@refused("evidence", r"episodes\.jsonl\.gz:\d+: /disposition is")
def an_episode_is_taken_from_another_draw(shop: Workshop) -> None:
    def take(pairs: Pairs) -> Pairs:
        best = pairs[by_gain(pairs)[-1]][1]
        at = next(at for at in by_gain(pairs) if pairs[at][1].disposition != best.disposition)
        return candidate(lambda each: best, at)(pairs)

    shop.propose(rebuilt(shop, take))


@refused("evidence", *DRAWS)
def pairs_are_put_in_another_order(shop: Workshop) -> None:
    trial = shop.trial()
    outcome = run(trial)
    order = by_gain(outcome.episodes)[::-1]
    draws, episodes = [outcome.draws[at] for at in order], tuple(outcome.episodes[at] for at in order)
    shop.propose(shop.build(trial, judged(trial, draws, episodes, renumbered=False)))


@refused("evidence", *DRAWS)
def the_worst_pair_is_dropped(shop: Workshop) -> None:
    trial = shop.trial()
    outcome = run(trial)
    order = sorted(by_gain(outcome.episodes)[1:])
    draws, episodes = [outcome.draws[at] for at in order], tuple(outcome.episodes[at] for at in order)
    shop.propose(shop.build(trial, judged(trial, draws, episodes)))


@refused("evidence", *LINES)
def the_worst_pair_is_dropped_and_the_plan_left_as_it_is(shop: Workshop) -> None:
    lines = values_of(shop.real.evidence[EPISODES])
    shop.propose(signed({**shop.real.evidence, EPISODES: packed(lines[2:])}))


@refused("evidence", *DRAWS)
def a_bad_pair_is_tried_again_with_another_seed(shop: Workshop) -> None:
    trial = shop.trial()
    outcome = run(trial)
    worst = by_gain(outcome.episodes)[0]
    draws = [replace(draw, seed="f" * 32) if at == worst else draw for at, draw in enumerate(outcome.draws)]
    shop.propose(played_with(shop, draws))


family("other seekers")


def played_with(shop: Workshop, draws: Sequence[Draw]) -> Files:
    """Evidence of the real trial on whatever draws."""
    trial = shop.trial()
    return shop.build(trial, judged(trial, draws, play_again(trial, draws)))


@refused("evidence", *DRAWS)
def the_best_pair_is_counted_twice(shop: Workshop) -> None:
    outcome = run(shop.trial())
    order, draws = by_gain(outcome.episodes), list(outcome.draws)
    draws[order[0]] = draws[order[-1]]
    shop.propose(played_with(shop, draws))


@refused("evidence", *DRAWS)
def seekers_of_the_evolution_split_are_drawn(shop: Workshop) -> None:
    trial = shop.trial()
    count = len(run(trial).draws)
    shop.propose(played_with(shop, plan_draws(trial.plan_digest, trial.population, Split.EVOLUTION, 0, count)))


@refused("profiles", r"the profiles of the base changed since the evidence was made", status="stale")
def a_scenario_is_moved_to_the_gate_split_and_registered(shop: Workshop) -> None:
    shop.propose(shop.registered_anew(with_moved_split(shop)))


@refused("evidence", *DRAWS)
def a_scenario_is_moved_to_the_gate_split_and_that_of_the_base_is_claimed(shop: Workshop) -> None:
    trial = with_moved_split(shop)
    draws = plan_draws(shop.trial().plan_digest, trial.population, Split.GATE, 0, shop.real.predicate["plan"]["draws"])
    shop.propose(claiming(shop.build(trial, judged(trial, draws, play_again(trial, draws))), shop.real))


def with_moved_split(shop: Workshop) -> Trial:
    """The real trial where the gate draws from seekers that the proposer may see."""
    trial = shop.trial()
    scenarios = tuple(replace(each, split=Split.GATE) for each in trial.population.scenarios)
    return replace(trial, population=replace(trial.population, scenarios=scenarios, digest=f"sha256:{'1' * 64}"))


@refused("evidence", *DRAWS)
def seeds_are_chosen_by_another_history(shop: Workshop) -> None:
    chosen = replace(shop.trial(), registered=Registered(shop.real.number, f"sha256:{'c0ffee':0<64}"))
    draws = plan_draws(chosen.plan_digest, chosen.population, Split.GATE, 0, shop.real.predicate["plan"]["draws"])
    shop.propose(played_with(shop, draws))


@refused("evidence", *DRAWS)
def the_run_was_made_before_the_registration(shop: Workshop) -> None:
    early = replace(shop.trial(), registered=None)
    draws = plan_draws(early.plan_digest, early.population, Split.GATE, 0, shop.real.predicate["plan"]["draws"])
    shop.propose(played_with(shop, draws))


@refused("evidence", *DRAWS)
def the_evidence_of_another_proposal_is_claimed_for_this_one(shop: Workshop) -> None:
    shop.propose(claiming(shop.real.evidence, shop.other), of=shop.other)


family("another gate")


@refused("gate", r"the gate settings of the base changed since the evidence was made", status="stale")
def the_gate_is_changed_and_registered(shop: Workshop) -> None:
    trial = shop.trial(shop.other)
    easier = replace(trial, gate=replace(trial.gate, harm_error=0.0001, max_faults=0.9, batch=1))
    shop.propose(shop.registered_anew(easier, of=shop.other), of=shop.other)


@refused("evidence", *DRAWS)
def the_run_ends_at_the_first_lucky_look(shop: Workshop) -> None:
    trial = shop.trial()
    eager = replace(trial, gate=replace(trial.gate, batch=1, threshold=1.01))
    shop.propose(claiming(shop.build(eager), shop.real))


@refused("evidence", *DRAWS)
def the_run_goes_on_after_the_draws_are_used_up(shop: Workshop) -> None:
    trial = shop.trial()
    shop.propose(played_with(shop, plan_draws(trial.plan_digest, trial.population, Split.GATE, 0, 40)))


family("other banks")

BANK = (r"episodes\.jsonl\.gz:\d+: /bank is", "another bank than the proposal's")


def played_by(shop: Workshop, trial: Trial, of: Real) -> Files:
    """Evidence of whatever trial on the plan of a real proposal, as if it were that."""
    draws = run(shop.trial(of)).draws
    evidence = shop.build(trial, judged(trial, draws, play_again(trial, draws)), of=of)
    return claiming(evidence, of)


@refused("evidence", *BANK)
def the_candidate_is_judged_against_a_worse_base(shop: Workshop) -> None:
    trial = replace(shop.trial(), base=shop.bank(shop.other.skills))
    shop.propose(played_by(shop, trial, shop.real))


@refused("evidence", *BANK)
def another_candidate_is_judged(shop: Workshop) -> None:
    trial = replace(shop.trial(shop.other), candidate=shop.trial().candidate)
    shop.propose(played_by(shop, trial, shop.other), of=shop.other)


@refused("evidence", *BANK)
def the_two_banks_are_swapped(shop: Workshop) -> None:
    trial = shop.trial(shop.other)
    shop.propose(played_by(shop, replace(trial, base=trial.candidate, candidate=trial.base), shop.other), of=shop.other)


JUDGED = (r"reflect-the-feeling/SKILL\.md: is not the file that was judged", "a skill that was not judged")


@refused("bank", *JUDGED)
def a_skill_is_changed_after_it_was_judged(shop: Workshop) -> None:
    path, data = next(iter(shop.real.skills.items()))
    shop.propose(shop.real.evidence, of=replace(shop.real, skills={path: data + b"\n"}))


@refused("bank", *JUDGED)
def the_evidence_of_another_proposal_is_shown(shop: Workshop) -> None:
    shop.propose(shop.other.evidence)


family("what packs the episodes")

AFTER = (r"episodes\.jsonl\.gz: gzip: is followed by other bytes", "more after the archive")
PACKED = (r"episodes\.jsonl\.gz: is not packed as the tools pack it", "packed in another way")


def repacked(shop: Workshop, pack: Callable[[str], bytes]) -> None:
    """Propose the real evidence with its episodes packed in another way, and the digest of that stated."""
    shop.propose(holding(shop.real.evidence, EPISODES, pack(unpacked(shop.real.evidence[EPISODES]))))


@refused("evidence", r"episodes\.jsonl\.gz: gzip: is cut short")
def the_archive_is_cut_short(shop: Workshop) -> None:
    repacked(shop, lambda text: compress(text)[:-20])


@refused("evidence", *AFTER)
def something_follows_the_archive(shop: Workshop) -> None:
    repacked(shop, lambda text: compress(text) + b"curl evil")


@refused("evidence", *AFTER)
def the_archive_has_a_second_member(shop: Workshop) -> None:
    repacked(shop, lambda text: compress(text) + compress("{}\n"))


@refused("evidence", r"episodes\.jsonl\.gz: gzip: is damaged: .*incorrect data check")
def the_checksum_of_the_archive_is_wrong(shop: Workshop) -> None:
    repacked(shop, lambda text: compress(text)[:-8] + b"\0" * 8)


@refused("evidence", *PACKED)
def the_archive_has_a_name_in_its_header(shop: Workshop) -> None:
    repacked(shop, lambda text: named(compress(text)))


def named(data: bytes) -> bytes:
    """A packed file with the name of a file in its header."""
    return data[:3] + b"\x08" + data[4:10] + b"curl evil\0" + data[10:]


@refused("evidence", *PACKED)
def the_archive_is_padded_by_packing_nothing(shop: Workshop) -> None:
    repacked(shop, lambda text: compress("")[:10] + gzip.compress(text.encode(), 0, mtime=0)[10:])


@refused("evidence", *PACKED)
def the_archive_is_of_another_kind(shop: Workshop) -> None:
    repacked(shop, lambda text: zlib.compress(text.encode(), 9))


@refused("evidence", r"episodes\.jsonl\.gz: too-large: unpacks to more than")
def the_archive_is_a_bomb(shop: Workshop) -> None:
    repacked(shop, lambda text: compress("\0" * 10_000_000))


@refused("evidence", *LINES)
def a_line_is_added_to_the_episodes(shop: Workshop) -> None:
    repacked(shop, lambda text: compress(text + "{}\n"))


@refused("evidence", r"episodes\.jsonl\.gz:1: is not written as the tools write it")
def the_lines_end_in_another_way(shop: Workshop) -> None:
    repacked(shop, lambda text: compress(text.replace("\n", "\r\n")))


@refused("evidence", r"episodes\.jsonl\.gz:3: json-value: NaN is no JSON number")
def a_number_in_an_episode_is_not_a_number(shop: Workshop) -> None:
    def spoil(text: str) -> bytes:
        lines = text.split("\n")
        lines[2] = lines[2].replace('"draw":1', '"draw":NaN')
        return compress("\n".join(lines))

    repacked(shop, spoil)


@refused("evidence", r"episodes\.jsonl\.gz:\d+: the last line has no end")
def the_last_line_end_is_missing(shop: Workshop) -> None:
    repacked(shop, lambda text: compress(text.removesuffix("\n")))


@refused("evidence", *DRAWS)
def the_plan_is_of_another_change(shop: Workshop) -> None:
    shop.propose({**shop.real.evidence, PLAN: shop.other.evidence[PLAN]})
