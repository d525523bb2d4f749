"""The surrogate supporter hears turns alone, keeps to the contracts, and does not repeat itself without need."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esc_skills.bank.reader import read_bank, read_files
from esc_skills.bank.skill import Example, Skill
from esc_skills.documents.shipped import shipped
from esc_skills.roles import Answer
from esc_skills.safety.flags import check_supporter_turn
from esc_skills.surrogate.echo import split_sentences
from esc_skills.surrogate.state import SeekerState
from esc_skills.surrogate.supporter import (
    StrategySupporter,
    SurrogateSupporter,
    covers,
    perform,
    rules_out,
    select_skill,
)
from esc_skills.transcript import Turn
from esc_skills.vocabulary import Disposition, EmotionType, HiddenIntention, Language, Risk, Stage, Strategy
from tests.samples import skill_of, skill_text

SHIPPED = read_bank(read_files(shipped("skills")), "skills").skills
SKILL = skill_of(skill_text())
STATE = SeekerState(EmotionType.ANGER, 3, Stage.COMFORTING, None, {HiddenIntention.BE_HEARD: 1.0}, Risk.NONE)


def answer(
    *messages: str, bank: dict[str, Skill] | None = None, seed: str = "s", used: Sequence[Answer] = ()
) -> Answer:
    """What is answered to the last message; `used` are the answers to those before it."""
    turns = [Turn(said, 40, given_.text, skill=given_.skill) for said, given_ in zip(messages, used, strict=False)]
    turns += [Turn(said, 40) for said in messages[len(turns) :]]
    return asyncio.run(
        SurrogateSupporter(SHIPPED if bank is None else bank, seed, Language.ENGLISH).answer(tuple(turns))
    )


def talk(*messages: str, bank: dict[str, Skill] | None = None, seed: str = "s") -> list[Answer]:
    """The answers to some messages, one after another."""
    given_: list[Answer] = []
    for at in range(1, len(messages) + 1):
        given_.append(answer(*messages[:at], bank=bank, seed=seed, used=given_))
    return given_


states = st.builds(
    SeekerState,
    st.none() | st.sampled_from(EmotionType),
    st.integers(1, 5),
    st.sampled_from(Stage),
    st.none() | st.sampled_from(Disposition),
    st.lists(st.sampled_from(HiddenIntention), unique=True, max_size=3).map(
        lambda needs: {need: 1 / len(needs) for need in needs}
    ),
    st.sampled_from(Risk),
)
histories = st.lists(st.sampled_from(sorted(SHIPPED)), max_size=9)


class TestSelection:
    @given(states, histories)
    def test_a_skill_is_only_selected_where_its_contract_allows_it(self, state: SeekerState, used: list[str]) -> None:
        skill = select_skill(SHIPPED.values(), state, used).skill
        if skill is None:
            assert all(rules_out(each, state) for each in SHIPPED.values())
            return
        assert state.risk in skill.risk_levels
        assert skill.intensity[0] <= state.emotion_intensity <= skill.intensity[1]
        assert state.need not in skill.not_for
        assert state.disposition not in skill.not_for

    @given(states, histories, st.sampled_from([Risk.ACTIVE, Risk.IMMINENT]))
    def test_under_active_risk_only_skills_for_it_are_selected(
        self, state: SeekerState, used: list[str], risk: Risk
    ) -> None:
        skill = select_skill(SHIPPED.values(), replace(state, risk=risk), used).skill
        assert skill is not None
        assert skill.name == "respond-to-suicide-risk"

    @given(states, histories)
    def test_without_risk_the_skill_for_risk_is_left_alone(self, state: SeekerState, used: list[str]) -> None:
        skill = select_skill(SHIPPED.values(), replace(state, risk=Risk.NONE), used).skill
        assert skill is None or skill.name != "respond-to-suicide-risk"

    @given(states, histories)
    def test_the_order_of_the_bank_does_not_matter(self, state: SeekerState, used: list[str]) -> None:
        backwards = list(SHIPPED.values())[::-1]
        assert select_skill(backwards, state, used) == select_skill(SHIPPED.values(), state, used)

    @pytest.mark.parametrize(
        "contract",
        [
            {"esc_risk": "passive"},
            {"esc_intensity": "4 to 5"},
            {"esc_needs": "no-blame", "esc_not_for": "be-heard"},
            {"esc_not_for": "passive"},
        ],
    )
    def test_each_part_of_a_contract_can_rule_a_skill_out(self, contract: dict[str, str]) -> None:
        state = replace(STATE, disposition=Disposition.PASSIVE)
        assert not rules_out(SKILL, state)
        assert rules_out(skill_of(skill_text(**contract)), state)

    def test_a_skill_covers_the_need_that_it_serves(self) -> None:
        assert covers(SKILL, STATE)
        assert not covers(SKILL, replace(STATE, needs={HiddenIntention.NO_BLAME: 1.0}))
        assert not covers(SKILL, replace(STATE, needs={}))
        assert not covers(SKILL, replace(STATE, risk=Risk.ACTIVE))

    def test_a_matching_need_outweighs_the_rest(self) -> None:
        serves = skill_of(skill_text("serves", esc_stage="action", esc_emotions="fear"))
        fits = skill_of(skill_text("fits", esc_needs="no-blame", esc_stage="comforting", esc_emotions="anger"))
        assert select_skill([fits, serves], STATE, []).skill == serves

    def test_what_was_just_used_yields_to_its_equal(self) -> None:
        one, other = skill_of(skill_text("one")), skill_of(skill_text("other"))
        assert select_skill([one, other], STATE, ["one"]).skill == other
        assert select_skill([one, other], STATE, ["other"]).skill == one

    def test_the_reason_says_what_was_heard(self) -> None:
        assert select_skill([SKILL], STATE, []).reason == "need be-heard; comforting; anger, intensity 3; risk none"


class TestWhatItSees:
    MESSAGES = ("I lost the keys to the flat, and my landlord shouts at me.", "What should I do about the landlord?")

    def test_it_is_made_from_bank_seed_and_language_and_asked_with_turns_alone(self) -> None:
        made, asked = (inspect.signature(each).parameters for each in (SurrogateSupporter, SurrogateSupporter.answer))
        assert list(made) == ["bank", "seed", "language"]
        assert list(asked) == ["self", "turns"]

    def test_the_emotion_and_the_private_appraisal_do_not_reach_it(self) -> None:
        first = answer(self.MESSAGES[0])
        turns = (Turn(self.MESSAGES[0], 40, first.text, 5, first.skill), Turn(self.MESSAGES[1], 45))
        private = (
            replace(turns[0], emotion=90, change=-10, appraisal="they hope for no-blame", flags=("red:shames",)),
            replace(turns[1], emotion=12, appraisal="furious"),
        )
        supporter = SurrogateSupporter(SHIPPED, "s", Language.ENGLISH)
        assert asyncio.run(supporter.answer(private)) == asyncio.run(supporter.answer(turns))

    def test_equal_words_get_equal_answers(self) -> None:
        assert talk(*self.MESSAGES) == talk(*self.MESSAGES)


class TestAnswers:
    def test_the_answer_names_its_skill_and_reason_and_performs_an_example_of_it(self) -> None:
        given_ = answer("What should I do about the tax form? I lost my payslips in the flood of the cellar.")
        assert given_.skill in SHIPPED
        said = set(given_.text.split())
        examples = SHIPPED[given_.skill].examples_in(Language.ENGLISH)
        assert any(len(said & set(each.supporter.split())) > len(said) / 2 for each in examples)
        assert given_.reason

    def test_words_of_suicide_are_answered_with_the_skill_for_risk(self) -> None:
        given_ = answer("Since she left I have been thinking about suicide.")
        assert given_.skill == "respond-to-suicide-risk"

    def test_skills_of_another_language_are_not_used(self) -> None:
        chinese = replace(SKILL, language=Language.CHINESE)
        assert answer("I lost the keys.", bank={chinese.name: chinese}).skill is None

    def test_without_a_bank_bland_answers_come_one_after_another(self) -> None:
        given_ = talk(*["I lost the keys to the flat."] * 10, bank={})
        assert {each.skill for each in given_} == {None}
        assert len({each.text for each in given_}) == 10
        assert all(each.reason == "no skill's contract allows this state" for each in given_)


class TestExamples:
    def skill(self, *said: tuple[str, str]) -> Skill:
        """A skill with these examples, each by what its seeker and its supporter say."""
        return replace(SKILL, examples=tuple(Example(f"example {at}", *pair) for at, pair in enumerate(said)))

    def performed(self, skill: Skill, message: str, times: int, seed: str = "s") -> list[str]:
        earlier: list[str] = []
        for _ in range(times):
            earlier.append(perform(skill.examples, message, earlier, seed))
        return earlier

    @pytest.mark.parametrize("name", sorted(SHIPPED))
    def test_no_example_is_repeated_while_others_are_left(self, name: str) -> None:
        skill = SHIPPED[name]
        skill = replace(skill, examples=skill.examples_in(skill.language))
        said = self.performed(skill, "I lost the keys to the flat on Monday.", len(skill.examples))
        words = [set(example.supporter.split()) for example in skill.examples]
        own = [
            max(range(len(words)), key=lambda at: len(words[at] & set(answer_.split())) / len(words[at]))
            for answer_ in said
        ]
        assert sorted(own) == list(range(len(skill.examples)))

    def test_an_example_that_ends_with_its_echo_is_not_passed_over(self) -> None:
        skill = self.skill(
            ("The tax form is on the kitchen table.", "That is a lot. The tax form lies on the kitchen table."),
            ("My train was late on Monday again.", "Your train was late again on Monday. I am sorry."),
            ("The lift stopped between two floors.", "The lift stopped between the floors. How tight."),
        )
        said = self.performed(skill, "I lost the keys to the flat on Sunday.", 3)
        openings = [any(mark in each for each in said) for mark in ("That is a lot.", "I am sorry.", "How tight.")]
        assert openings == [True, True, True]

    def test_the_echoing_sentence_is_replaced_by_an_echo_of_this_seeker(self) -> None:
        skill = self.skill(("The tax form scares me.", "The tax form scares you. One thing at a time."))
        assert perform(skill.examples, "I lost the keys to my flat.", [], "s") == (
            "You lost the keys to your flat. One thing at a time."
        )

    def test_where_the_seeker_said_little_the_echo_is_left_out(self) -> None:
        skill = self.skill(("The tax form scares me.", "The tax form scares you. One thing at a time."))
        assert perform(skill.examples, "Hm.", [], "s") == "One thing at a time."

    @pytest.mark.parametrize("supporter", ["There is time. Take it.", "The tax form scares you, I hear."])
    def test_an_example_without_a_sentence_of_its_own_beside_an_echo_gets_none(self, supporter: str) -> None:
        skill = self.skill(("The tax form scares me.", supporter))
        assert perform(skill.examples, "I lost the keys to my flat.", [], "s") == supporter

    def test_the_likest_example_comes_first(self) -> None:
        skill = self.skill(
            ("The tax form scares me.", "Paper is patient."),
            ("My sister sold the house.", "A house is more than walls."),
        )
        assert perform(skill.examples, "My brother sold our house.", [], "s") == "A house is more than walls."
        assert perform(skill.examples, "There is a form for the tax.", [], "s") == "Paper is patient."

    def test_equally_like_examples_come_in_an_order_that_follows_from_the_seed(self) -> None:
        skill = self.skill(*((f"{word} {word}", f"Answer {word}.") for word in ("one", "two", "three", "four")))
        first = {perform(skill.examples, "Hm.", [], f"seed {at}") for at in range(40)}
        assert len(first) == 4


@pytest.mark.parametrize("strategy", Strategy)
def test_told_a_strategy_alone_it_selects_the_same_and_says_nothing_of_the_skill(strategy: Strategy) -> None:
    bank = {SKILL.name: replace(SKILL, strategies=(strategy,))}
    turns = (Turn("I lost the keys to the archive and my boss shouted at me.", 40),)
    told = asyncio.run(StrategySupporter(bank, "s", Language.ENGLISH).answer(turns))
    whole = asyncio.run(SurrogateSupporter(bank, "s", Language.ENGLISH).answer(turns))
    assert (told.skill, told.reason) == (whole.skill, whole.reason) == (SKILL.name, whole.reason)
    assert told.text and "{" not in told.text
    assert not any(part in told.text for each in SKILL.examples for part in split_sentences(each.supporter))


def test_a_strategy_that_takes_up_words_takes_up_the_seekers() -> None:
    bank = {SKILL.name: replace(SKILL, strategies=(Strategy.RESTATEMENT_OR_PARAPHRASING,))}
    turns = (Turn("I lost the keys to the archive.", 40),)
    assert "keys to the archive" in asyncio.run(StrategySupporter(bank, "s", Language.ENGLISH).answer(turns)).text


@pytest.mark.parametrize(
    "said", ["I have been thinking about suicide for weeks, and I am so tired.", "I don't want to be here."]
)
def test_whatever_is_performed_of_the_skill_for_risk_takes_the_risk_up(said: str) -> None:
    for example in SHIPPED["respond-to-suicide-risk"].examples_in(Language.ENGLISH):
        assert check_supporter_turn(perform((example,), said, [], "s"), [said]) == ()


def test_a_skill_for_an_occasion_is_selected_where_its_words_are_said_and_nowhere_else() -> None:
    machine = SHIPPED["say-what-you-are"]
    assert machine.needs == ()
    assert answer("Before I go on: are you a real person?").skill == machine.name
    assert answer("I lost the keys to the flat, and nobody is home.").skill != machine.name
