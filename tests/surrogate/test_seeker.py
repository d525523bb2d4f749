"""The surrogate seeker: deterministic by its seed, open or closed by its emotion, and true to its profile's words."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from esc_skills.roles import Answer, Reply
from esc_skills.seekers.profile import Profile
from esc_skills.simulation.draws import Draw
from esc_skills.simulation.episode import Cast, run_episode
from esc_skills.surrogate.appraisal import COLUMNS, SeekerModel, Spread, load_seeker_model
from esc_skills.surrogate.seeker import SurrogateSeeker
from esc_skills.transcript import Transcript, Turn
from esc_skills.vocabulary import Arm, Disposition, HiddenIntention, Split, Termination
from tests.samples import shipped_population

POPULATION = shipped_population()
PROFILES = POPULATION.profiles(Split.EVOLUTION)
MODEL = load_seeker_model()
#: A seeker that does not hear what is said: every change is chance alone.
DEAF = SeekerModel((), (), (0.0,) * len(COLUMNS), (), Spread(3.0, 5.0, 7.0))
#: A seeker whose emotion rises a little at every turn, so that episodes are long.
CONTENT = SeekerModel((), (), (3.0, *(0.0,) * (len(COLUMNS) - 1)), (), Spread(0.0, 0.0, 7.0))
SEEDS = [f"seed {number}" for number in range(300)]


class Says:
    """A supporter that says its lines one after another, and the last one again and again."""

    def __init__(self, *lines: str) -> None:
        self.lines = lines

    async def answer(self, turns: tuple[Turn, ...]) -> Answer:
        return Answer(self.lines[min(len(turns), len(self.lines)) - 1], None, "")


def profile_of(disposition: Disposition = Disposition.PASSIVE, intention: HiddenIntention | None = None) -> Profile:
    return next(
        profile
        for profile in PROFILES
        if profile.disposition is disposition and profile.intention.name is (intention or profile.intention.name)
    )


def episode(profile: Profile, seed: str, *lines: str, model: SeekerModel = MODEL) -> Transcript:
    supporter, seeker = Says(*(lines or ("I see.",))), SurrogateSeeker(profile, model, seed)
    return asyncio.run(run_episode(Draw(0, profile, seed), seeker, supporter, Cast("says", "surrogate", Arm.RUN, None)))


def reply(
    profile: Profile, seed: str, emotion: int = 45, said: str = "I see.", change: int = 5, *, ended: bool = False
) -> Reply:
    """What a seeker says after the first answer."""
    turns = (Turn(profile.first_message, 40, said, change),)
    return asyncio.run(SurrogateSeeker(profile, MODEL, seed).reply(turns, emotion, ended))


def changes(transcript: Transcript) -> list[int | None]:
    return [turn.change for turn in transcript.turns]


def told(profile: Profile, messages: Sequence[str]) -> list[int]:
    """Which disclosures stand in some messages, in the order in which they were said."""
    text = "\n".join(messages)
    places = [(text.find(each), at) for at, each in enumerate(profile.scenario.disclosures) if each in text]
    return [at for _, at in sorted(places)]


class TestChance:
    @pytest.mark.parametrize("profile", PROFILES[::37], ids=lambda profile: profile.id)
    def test_equal_seeds_give_equal_episodes(self, profile: Profile) -> None:
        lines = ("Tell me more?", "That sounds hard.", "You could write it down.")
        assert episode(profile, "one", *lines) == episode(profile, "one", *lines)

    def test_other_seeds_give_other_episodes(self) -> None:
        episodes = [episode(PROFILES[0], seed) for seed in SEEDS[:20]]
        assert len({tuple(turn.seeker for turn in each.turns) for each in episodes}) == 20

    def test_two_arms_share_their_chance_turn_by_turn_whatever_is_said(self) -> None:
        for seed in SEEDS[:30]:
            one = episode(PROFILES[0], seed, "I see.", "It could be worse.", "Right.", model=DEAF)
            other = episode(PROFILES[0], seed, "Well done.", "I hear you.", "You could call them.", model=DEAF)
            assert changes(one) == changes(other)
            assert [turn.seeker for turn in one.turns] == [turn.seeker for turn in other.turns]

    def test_a_turn_that_asked_more_does_not_move_the_chance_of_later_ones(self) -> None:
        for seed in SEEDS[:30]:
            asked, plain = (episode(PROFILES[0], seed, first, "I see.", model=DEAF) for first in ("Why?", "I see."))
            assert changes(asked) == changes(plain)

    def test_the_chance_of_the_next_turn_is_another(self) -> None:
        seen = [changes(episode(PROFILES[0], seed, model=DEAF)) for seed in SEEDS[:30]]
        assert any(len(set(each[:-2])) > 1 for each in seen)

    def test_what_is_said_moves_the_emotion_all_the_same(self) -> None:
        profile = profile_of(Disposition.PASSIVE, HiddenIntention.DEEP_EMPATHY)
        kind = "That must hurt deep inside, carrying it all alone. I feel with you."
        harsh = "You should have known better. It is your own fault, calm down."
        finals = [sum(episode(profile, seed, said).final_emotion for seed in SEEDS[:40]) / 40 for said in (kind, harsh)]
        assert finals[0] > finals[1] + 5


class TestDisclosure:
    @pytest.mark.parametrize("profile", PROFILES[::23], ids=lambda profile: profile.id)
    def test_disclosures_come_in_order_and_none_twice(self, profile: Profile) -> None:
        for seed in SEEDS[:10]:
            messages = [turn.seeker for turn in episode(profile, seed, "Tell me more?", model=CONTENT).turns]
            order = told(profile, messages)
            assert order == list(range(len(order)))
            assert all("\n".join(messages).count(each) <= 1 for each in profile.scenario.disclosures)

    def test_a_seeker_who_is_asked_tells_more(self) -> None:
        profile = profile_of(Disposition.PASSIVE)
        asked, unasked = (
            sum(bool(told(profile, [reply(profile, seed, said=said).text])) for seed in SEEDS)
            for said in ("What happened?", "I see.")
        )
        assert asked > unasked + 60

    @pytest.mark.parametrize("disposition", Disposition)
    def test_a_seeker_closes_up_when_emotion_is_low_and_opens_when_it_is_high(self, disposition: Disposition) -> None:
        profile = profile_of(disposition)
        low, middle, high = (
            sum(bool(told(profile, [reply(profile, seed, emotion).text])) for seed in SEEDS) for emotion in (20, 50, 80)
        )
        assert low + 40 < middle < high == len(SEEDS)

    def test_a_closed_seeker_withdraws_in_the_persona_s_words(self) -> None:
        profile = profile_of(Disposition.PASSIVE)
        closed = [reply(profile, seed, 20).text for seed in SEEDS]
        withheld = [text for text in closed if not told(profile, [text])]
        assert withheld
        assert all(any(line in text for line in profile.persona.withholding) for text in withheld)

    def test_two_things_may_be_told_at_once_when_trust_is_high(self) -> None:
        profile = profile_of()
        counts = {len(told(profile, [reply(profile, seed, 80).text])) for seed in SEEDS}
        assert counts == {1, 2}


class TestWords:
    @pytest.mark.parametrize("profile", PROFILES[::11], ids=lambda profile: profile.id)
    def test_no_message_is_ever_empty(self, profile: Profile) -> None:
        for model in (MODEL, CONTENT, DEAF):
            for seed in SEEDS[:4]:
                assert all(turn.seeker.strip() for turn in episode(profile, seed, model=model).turns)

    def test_an_episode_opens_as_the_scenario_does_for_the_disposition(self) -> None:
        for profile in PROFILES[::29]:
            first = profile.scenario.first_messages[profile.disposition]
            assert episode(profile, "one").turns[0].seeker == first

    @pytest.mark.parametrize("emotion", [0, 9, 100])
    def test_a_seeker_whose_episode_has_ended_says_a_farewell(self, emotion: int) -> None:
        for profile in PROFILES[::29]:
            said = reply(profile, "one", emotion, ended=True)
            assert said.farewell
            assert said.text in (profile.persona.better if emotion == 100 else profile.persona.worse)

    def test_the_last_message_of_a_broken_off_episode_is_that_farewell(self) -> None:
        falling = SeekerModel((), (), (-9.0, *(0.0,) * (len(COLUMNS) - 1)), (), Spread(0.0, 0.0, 7.0))
        transcript = episode(PROFILES[0], "one", model=falling)
        assert transcript.termination is Termination.FAILURE
        assert transcript.turns[-1].seeker in PROFILES[0].persona.worse

    def test_a_seeker_who_goes_on_says_no_farewell(self) -> None:
        assert not any(reply(profile, seed).farewell for profile in PROFILES[::29] for seed in SEEDS[:10])

    @pytest.mark.parametrize("intention", HiddenIntention)
    def test_the_hidden_intention_shows_in_its_own_words_alone(self, intention: HiddenIntention) -> None:
        hints = {each.name: (*each.faint, *each.clear) for each in POPULATION.intentions}
        profile = profile_of(Disposition.NEGATIVE, intention)
        shown = 0
        for seed in SEEDS[:40]:
            text = "\n".join(turn.seeker for turn in episode(profile, seed, model=CONTENT).turns)
            shown += any(hint in text for hint in hints[intention])
            assert not any(hint in text for name, each in hints.items() if name is not intention for hint in each)
        assert shown >= 38

    def test_it_shows_faintly_first_and_clearly_later(self) -> None:
        profile = profile_of(intention=HiddenIntention.NO_BLAME)
        for seed in SEEDS[:20]:
            turns = episode(profile, seed, model=CONTENT).turns
            assert not any(hint in turn.seeker for turn in turns[1:3] for hint in profile.intention.clear)
            assert not any(hint in turn.seeker for turn in turns[3:] for hint in profile.intention.faint)

    def test_no_line_of_a_persona_or_an_intention_is_said_twice(self) -> None:
        profile = profile_of(Disposition.AVOIDANT)
        persona = profile.persona
        lines = (*persona.reactions.rising, *persona.withholding, *profile.intention.clear)
        for seed in SEEDS[:20]:
            text = "\n".join(turn.seeker for turn in episode(profile, seed, model=CONTENT).turns)
            assert all(text.count(line) <= 1 for line in lines)

    def test_the_reaction_follows_the_change(self) -> None:
        profile = profile_of(Disposition.NEGATIVE)
        reactions = profile.persona.reactions
        for change, lines in ((10, reactions.rising), (-10, reactions.falling)):
            said = [reply(profile, seed, change=change).text for seed in SEEDS[:30]]
            assert all(text.startswith(lines) for text in said)
        slight = [reply(profile, seed, change=5).text for seed in SEEDS]
        steady = sum(text.startswith(reactions.steady) for text in slight)
        assert 60 < steady < 180


def test_the_appraisal_names_what_moved_it() -> None:
    turns = (Turn(PROFILES[0].first_message, 40, "It is your own fault."),)
    appraisal = asyncio.run(SurrogateSeeker(PROFILES[0], MODEL, "one").appraise(turns))
    assert appraisal.change in (-10, -5, 5, 10)
    assert appraisal.text.startswith("expected ")
    assert appraisal.text.count(",") == 2
