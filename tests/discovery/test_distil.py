"""What an analyst distils becomes a draft where it keeps the contract and copies nobody; all else is told, not replaced."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esc_skills.bank.reader import Bank, read_bank
from esc_skills.bank.skill import Skill
from esc_skills.discovery.copying import Sources
from esc_skills.discovery.distil import Distiller
from esc_skills.discovery.drafting import Draft, Drafted, draft_skills
from esc_skills.discovery.material import gather_material, provenance_of
from esc_skills.discovery.prototypes import Exemplar, Prototype
from esc_skills.models.request import ModelFault, Request
from esc_skills.models.scripted import Script, ScriptedModel
from esc_skills.vocabulary import HiddenIntention, Language, RiskCode, Stage, Strategy, Termination
from tests.samples import bank_of, skill_text

EN, ZH = Language.ENGLISH, Language.CHINESE
SAID = "My neighbour keeps a parrot that screams at four in the morning and nobody does anything about it."
ANSWERED = "Four in the morning, night after night: no wonder that you are worn out by now. What would help?"
REPLIED = "Just that somebody gets it, really."
BAD = "Have you thought about moving to another town, or about buying a parrot of your own to scream back?"


def exemplar(unit: str = "d-1#1", language: Language = EN, effect: float = 0.9, **texts: str) -> Exemplar:
    said = {"said": SAID, "answered": ANSWERED, "replied": REPLIED, **texts}
    return Exemplar(unit, "corpus", language, effect, (said["said"], said["answered"], said["replied"]))


def prototype(**fields: Any) -> Prototype:
    """A prototype that is called helpful, of reflecting feelings where the seeker needs to be heard."""
    plain: dict[str, Any] = {
        "strategy": Strategy.REFLECTION_OF_FEELINGS,
        "need": HiddenIntention.BE_HEARD,
        "need_known": True,
        "move": "feeling-named",
        "stage": Stage.COMFORTING,
        "units": 120,
        "key_units": 60,
        "dialogues": 40,
        "corpora": {"corpus": 120},
        "transitions": {"positive": 70, "neutral": 40, "negative": 10},
        "languages": {"en": 120},
        "emotions": {"sadness": 100, "anger": 20},
        "dispositions": {},
        "problems": {},
        "risk": 0,
        "effect": 0.21,
        "low": 0.12,
        "high": 0.3,
        "positive": (exemplar(),),
        "negative": (exemplar("d-2#1", effect=-0.8, answered=BAD),),
    }
    return Prototype(**{**plain, **fields})


HELPFUL = prototype()
HARMFUL = prototype(strategy=Strategy.PROVIDING_SUGGESTIONS, move="directive", effect=-0.2, low=-0.3, high=-0.1)
PROTOTYPES = (HELPFUL, HARMFUL)
BANK = bank_of(skill_text())
REVISED = bank_of(
    skill_text(
        "reflect-the-feeling",
        esc_strategies="reflection-of-feelings",
        esc_risks="rushing, missed-risk",
        body="""
# Reflect the feeling

It names what is felt.

## Guidance

1. Look for the feeling.
2. Say it as a guess.

## When to use

- A feeling shows.

## When not to use

- They speak of ending their life: `respond-to-suicide-risk`.

## Expected outcome

They feel understood.

## Risks

- `rushing`: a name comes too soon for it. Wait a little instead.
- `missed-risk`: danger is passed over. Ask about it openly.

## Examples

### A letter

**Seeker:** The letter came.

**Supporter:** And it frightened you?

### A door

**Seeker:** He shut the door.

**Supporter:** That left you alone.

### Avoid: a name too much

**Seeker:** I'm tired.

**Supporter:** You are furious.

**Why:** It is not theirs.
""",
    ),
    skill_text("respond-to-suicide-risk"),
)
ANSWER: dict[str, Any] = {
    "name": "name-the-weight",
    "description": "When someone tells of a burden that nobody sees: say how heavy it is. Emotional support.",
    "title": "Name the weight",
    "summary": "The supporter says how much it is before anything else.",
    "guidance": ["Say what it weighs.", "Leave room for a correction."],
    "when_to_use": ["They tell of a burden."],
    "when_not_to_use": ["They ask what to do: `wait-a-little`."],
    "expected_outcome": "They go on with less haste.",
    "risks": [{"code": "over-interpretation", "text": "the weight is guessed wrongly. Instead, ask."}],
    "examples": [
        {"title": "A shift", "seeker": "Third night shift.", "supporter": "Three nights: that adds up."},
        {"title": "A bill", "seeker": "Another bill came.", "supporter": "One more on the pile."},
    ],
    "avoid": [{"title": "A shrug", "seeker": "It is a lot.", "supporter": "It passes.", "why": "It makes it small."}],
}


def distilled(
    script: Script | dict[str, Any],
    bank: Bank = BANK,
    prototypes: Sequence[Prototype] = PROTOTYPES,
    languages: Sequence[Language] = (EN,),
) -> tuple[Drafted, ScriptedModel]:
    model = ScriptedModel(script if callable(script) else lambda _: script)
    materials = gather_material(prototypes, bank.skills, languages)
    return asyncio.run(Distiller("local/tiny", model, bank.skills).distil_skills(materials)), model


def one(bank: Bank = BANK, **changed: Any) -> Draft:
    drafted, _ = distilled({**ANSWER, **changed}, bank)
    assert drafted.left_out == ()
    (draft,) = drafted.drafts
    return draft


def why(bank: Bank = BANK, **changed: Any) -> str:
    """Why an answer becomes no draft."""
    drafted, _ = distilled({**ANSWER, **changed}, bank)
    assert drafted.drafts == ()
    ((_, reason),) = drafted.left_out
    return reason


def skill_of(draft: Draft) -> Skill:
    return read_bank({path: text.encode() for path, text in draft.files.items()}, "draft").skills[draft.name]


def prompt_of(request: Request) -> str:
    return request.messages[0].content


def material(prompt: str, mark: str) -> str:
    """What stands in a prompt between two marks."""
    found = re.findall(rf"^⟦{mark}⟧\n(.*?)\n⟦/{mark}⟧$", prompt, flags=re.DOTALL | re.MULTILINE)
    assert len(found) == 1
    return str(found[0])


# --- What becomes a draft ----------------------------------------------------------------------------------------------


def test_an_answer_becomes_a_skill_whose_metadata_is_ours() -> None:
    draft = one()
    skill = skill_of(draft)
    assert (draft.name, draft.revises, draft.helpful) == ("name-the-weight", None, (HELPFUL,))
    assert (skill.version, skill.strategies, skill.needs) == (
        "0.1.0",
        (Strategy.REFLECTION_OF_FEELINGS,),
        (HiddenIntention.BE_HEARD,),
    )
    assert skill.stages == (Stage.COMFORTING,)
    assert skill.expected_change == (1, 3)
    assert skill.provenance == provenance_of((HELPFUL,), (HARMFUL,))
    assert skill.guidance == tuple(ANSWER["guidance"])
    assert [each.supporter for each in skill.examples] == [each["supporter"] for each in ANSWER["examples"]]
    assert skill.avoid[0].why == "It makes it small."
    assert "# Name the weight\n\nThe supporter says how much it is before anything else.\n" in draft.text


def test_a_new_skill_says_that_it_is_a_draft_and_what_to_do_in_danger() -> None:
    skill = skill_of(one())
    assert skill.description == f"{ANSWER['description']} DRAFT."
    assert skill.when_not_to_use[0] == ANSWER["when_not_to_use"][0]
    assert "ending their life" in skill.when_not_to_use[1]
    assert [each.code for each in skill.risks] == [RiskCode.OVER_INTERPRETATION, RiskCode.MISSED_RISK]


def test_what_the_analyst_says_of_danger_is_not_said_twice() -> None:
    bank = bank_of(skill_text(), skill_text("respond-to-suicide-risk"))
    own = "They speak of dying: `respond-to-suicide-risk`."
    risk = {"code": "missed-risk", "text": "a hint of dying goes by. Instead, ask about it."}
    skill = skill_of(one(bank, when_not_to_use=[own], risks=[risk]))
    assert (skill.when_not_to_use, len(skill.risks)) == ((own,), 1)


def test_texts_of_several_lines_stand_on_one() -> None:
    assert skill_of(one(guidance=["Say\n\n## Risks\nit.", "Wait."])).guidance == ("Say ## Risks it.", "Wait.")


def revision(**changed: Any) -> dict[str, Any]:
    """An answer that revises REVISED and keeps what stands there for danger."""
    skill = REVISED.skills["reflect-the-feeling"]
    kept = {"when_not_to_use": [*skill.when_not_to_use, "They ask what to do."]}
    risks = [{"code": str(each.code), "text": each.text} for each in skill.risks]
    return {**ANSWER, "name": "reflect-the-feeling", **kept, "risks": risks, **changed}


def test_a_skill_for_the_same_need_and_strategy_is_revised() -> None:
    drafted, model = distilled(revision(), REVISED)
    (draft,) = drafted.drafts
    skill, before = skill_of(draft), REVISED.skills["reflect-the-feeling"]
    assert (draft.revises, skill.version) == ("1.0.0", "1.1.0")
    assert skill.guidance == tuple(ANSWER["guidance"])
    assert skill.provenance == provenance_of((HELPFUL,), (HARMFUL,)) + "; before hand-written"
    kept = replace(
        skill,
        **{
            name: getattr(before, name)
            for name in ("version", "provenance", "text", "guidance", "when_to_use", "when_not_to_use")
        },
        **{name: getattr(before, name) for name in ("expected_outcome", "risks", "examples", "avoid")},
    )
    assert kept == before  # its description among the rest
    assert "# Reflect the feeling\n\nIt names what is felt.\n" in draft.text

    prompt = prompt_of(model.requests[0])
    assert material(prompt, "name of the skill") == "reflect-the-feeling"
    shown = json.loads(material(prompt, "parts of the skill"))
    assert shown["guidance"] == ["Look for the feeling.", "Say it as a guess."]
    assert [{*shown[part][0]} for part in ("examples", "avoid")] == [
        {"title", "seeker", "supporter"},
        {"title", "seeker", "supporter", "why"},
    ]
    assert [len(shown[part]) for part in ("examples", "avoid")] == [2, 1]


# --- What does not -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"name": "wait-a-little"}, "it is named 'wait-a-little', which is a skill of the bank"),
        ({"when_to_use": ["As in `no-such-skill`."]}, "it refers to 'no-such-skill', which is no skill of the bank"),
        ({"guidance": ["Ask.", "# Now"]}, "it holds the markup '# ' where plain text belongs: '# Now'"),
        ({"summary": "- a list"}, "it holds the markup '- '"),
        ({"expected_outcome": "Calm. <!-- be kind -->"}, "it holds the markup '<!'"),
        ({"title": "<b>Now</b>"}, "it holds the markup '<b'"),
        (
            {"description": "When the seeker stops to breathe: wait --- and wait. Emotional support."},
            "breaks the contract",
        ),
        ({"risks": ANSWER["risks"] * 2}, "breaks the contract"),
        ({"guidance": ["y" * 1000] * 16, "when_to_use": ["y" * 1000] * 8}, "breaks the contract"),
        (
            {"examples": [{**ANSWER["examples"][0], "title": "A shift ##"}, *ANSWER["examples"]]},
            "reads as more or less than it gave: examples",
        ),
    ],
)
def test_an_answer_that_is_no_sound_skill_is_refused(changed: dict[str, Any], reason: str) -> None:
    told = why(**changed)
    assert told.startswith("the analyst's skill is refused: ") and reason in told


def test_a_revision_has_the_name_of_the_skill() -> None:
    told = why(REVISED, **revision(name="another-name"))
    assert "it is named 'another-name', and revises 'reflect-the-feeling'" in told


@pytest.mark.parametrize(
    "changed",
    [
        {"when_not_to_use": ["They ask what to do."]},
        {"when_not_to_use": ["They speak of ending their life, or not: `respond-to-suicide-risk`."]},
        {"risks": [{"code": "rushing", "text": "a name comes too soon for it. Wait a little instead."}]},
    ],
)
def test_a_revision_that_drops_what_stands_for_danger_is_refused(changed: dict[str, Any]) -> None:
    assert "changes or drops what stands there for danger" in why(REVISED, **revision(**changed))


def test_a_malformed_answer_is_told_and_no_offline_draft_stands_in() -> None:
    drafted, _ = distilled({**ANSWER, "examples": []})
    ((subject, reason),) = drafted.left_out
    assert (drafted.drafts, subject.need) == ((), HiddenIntention.BE_HEARD)
    assert reason.startswith("the analyst gave no skill: fault-malformed")
    many = (replace(HELPFUL, positive=(exemplar(), exemplar(answered=f"{ANSWERED} Tell me."))), HARMFUL)
    assert draft_skills(many, BANK.skills, (EN,)).drafts  # which offline there would be
    refused, _ = distilled(lambda _: ModelFault(Termination.FAULT_REFUSED, "no"), BANK, many)
    assert (refused.drafts, refused.left_out[0][1]) == ((), "the analyst gave no skill: fault-refused: no")


def test_one_refused_answer_hinders_no_other() -> None:
    other = prototype(need=HiddenIntention.NO_BLAME)

    def script(request: Request) -> dict[str, Any]:
        blamed = "no-blame" in prompt_of(request).partition("⟦")[0]
        return {**ANSWER, "name": "wait-a-little" if blamed else "name-the-weight"}

    drafted, model = distilled(script, prototypes=(*PROTOTYPES, other))
    assert len(model.requests) == 2
    assert [each.name for each in drafted.drafts] == ["name-the-weight"]
    assert [subject.need for subject, _ in drafted.left_out] == [HiddenIntention.NO_BLAME]


def test_two_answers_of_one_name_make_one_draft() -> None:
    drafted, _ = distilled(ANSWER, prototypes=(*PROTOTYPES, prototype(need=HiddenIntention.NO_BLAME)))
    assert [each.subject.need for each in drafted.drafts] == [HiddenIntention.BE_HEARD]
    ((_, reason),) = drafted.left_out
    assert reason == "name-the-weight is drafted for reflection-of-feelings already; draft again after that"


def test_a_skill_is_asked_to_be_revised_once() -> None:
    text = skill_text("see-it", esc_strategies="reflection-of-feelings, question")
    drafted, model = distilled(ANSWER, bank_of(text), (HELPFUL, prototype(strategy=Strategy.QUESTION)))
    assert len(model.requests) == 1
    assert "see-it is revised for question already; draft again after that" in [each for _, each in drafted.left_out]


# --- Copying -----------------------------------------------------------------------------------------------------------


def test_eight_words_in_a_row_of_an_exemplar_are_refused_and_named() -> None:
    told = why(when_to_use=["They say: MY neighbour keeps – a parrot, that screams at midnight."])
    assert "it copies 'my neighbour keeps a parrot that screams at' from an exemplar" in told
    one(when_to_use=["They say: my neighbour keeps a parrot that screams now and then."])


@pytest.mark.parametrize("source", [SAID, ANSWERED, REPLIED + " " + REPLIED, BAD])
def test_no_turn_of_an_exemplar_may_be_copied_whether_it_went_well_or_not(source: str) -> None:
    copied = " ".join(source.split()[:9])
    shown = prototype(negative=(exemplar(effect=-0.8, answered=BAD, replied=REPLIED + " " + REPLIED),))
    answer = {**ANSWER, "examples": [{**ANSWER["examples"][0], "seeker": copied}, ANSWER["examples"][1]]}
    drafted, _ = distilled(answer, prototypes=(shown,))
    assert drafted.drafts == () and "copies" in drafted.left_out[0][1]


def test_what_stands_in_a_revised_skill_already_may_stay() -> None:
    skill = REVISED.skills["reflect-the-feeling"]
    said = exemplar(answered="They feel understood. They feel understood. They feel understood.")
    long = " ".join(["They feel understood."] * 3)
    bank = bank_of(skill.text.replace("They feel understood.", long), skill_text("respond-to-suicide-risk"))
    prototypes = (prototype(positive=(said,)), HARMFUL)
    assert distilled(revision(expected_outcome=long), bank, prototypes)[0].drafts
    assert not distilled(revision(expected_outcome=f"{long} So."), bank, prototypes)[0].drafts


@pytest.mark.parametrize(
    ("text", "copied"),
    [
        ("我每天晚上都睡不着，心里很乱", "我每天晚上都睡不着心里很乱"),
        ("她说我每天晚上都睡不着，心里", "我每天晚上都睡不着心里"),
        ("她说我每天晚上都睡不着，心", None),
        ("每天 晚上 都睡不着 心里很 乱了", "每天晚上都睡不着心里很乱"),
    ],
)
def test_twelve_chinese_characters_in_a_row_are_copied(text: str, copied: str | None) -> None:
    found = Sources(["我每天晚上都睡不着，心里很乱。"]).find_copied(text)
    assert found == (copied if copied and len(copied) >= 12 else None)


@pytest.mark.parametrize(
    "text",
    [
        "one two three four five six seven eight",
        "ONE, two; three – four\nfive six (seven) eight!",
        "on\u200be two thr\u00adee four five six seven eight",
        "ｏｎｅ two three four five six seven eight",
        "and so one two three four five six seven eight nine",
    ],
)
def test_case_spacing_punctuation_and_characters_that_nobody_sees_hide_no_copying(text: str) -> None:
    assert Sources(["Now one two three four five six seven eight. Done."]).find_copied(text) == (
        "one two three four five six seven eight"
    )


def test_a_word_with_an_apostrophe_is_one_word() -> None:
    sources = Sources(["I don't know what I'd do"])
    assert sources.find_copied("I don’t know what I'd do") is None
    assert Sources(["I don't know what I'd do without my dog"]).find_copied("i don’t know what i’d do without my") == (
        "i don't know what i'd do without my"
    )


def test_mixed_runs_count_each_word_and_character_its_share() -> None:
    sources = Sources(["我用 git commit 保存了 my work 三次"])
    assert sources.find_copied("我用 git commit 保存了 my work 三次") == "我用 git commit 保存了 my work 三次"
    assert sources.find_copied("用 git commit 保存了 my") is None


def test_the_longest_run_is_named() -> None:
    sources = Sources(["a b c d e f g h", "x a b c d e f g h i"])
    assert sources.find_copied("so a b c d e f g h i j") == "a b c d e f g h i"


def test_words_that_are_said_over_and_over_take_no_longer() -> None:
    begun = time.process_time()
    assert Sources(["ha " * 20_000]).find_copied("ha " * 5_000) == " ".join(["ha"] * 5_000)
    assert Sources(["ha ho " * 10_000, "ho ha hi " * 9_000]).find_copied("hi ho ha " * 2_000)
    assert time.process_time() - begun < 5


@given(
    st.lists(st.lists(st.sampled_from(["a", "b", "我"]), max_size=24), max_size=3),
    st.lists(st.sampled_from(["a", "b", "我"]), max_size=30),
)
def test_the_run_that_is_named_is_the_longest_of_any_one_text(sources: list[list[str]], text: list[str]) -> None:
    def weight(run: list[str]) -> int:
        return sum(2 if each == "我" else 3 for each in run)

    spans = [(start, end) for end in range(len(text) + 1) for start in range(end)]
    held = {tuple(each[start:end]) for each in sources for end in range(len(each) + 1) for start in range(end)}
    most = max((weight(text[start:end]) for start, end in spans if tuple(text[start:end]) in held), default=0)
    found = Sources([" ".join(each) for each in sources]).find_copied(" ".join(text))
    assert (weight(re.findall(r"\w", found)) if found else 0) == (most if most >= 24 else 0)


@given(st.lists(st.sampled_from("abc"), max_size=14), st.lists(st.sampled_from("abc"), max_size=14))
def test_copying_is_found_exactly_where_eight_words_are_shared(text: list[str], source: list[str]) -> None:
    def runs(words: list[str]) -> set[tuple[str, ...]]:
        return {tuple(words[at : at + 8]) for at in range(len(words) - 7)}

    found = Sources([" ".join(source)]).find_copied(" ".join(text))
    assert (found is not None) == bool(runs(text) & runs(source))
    assert found is None or (found in " ".join(text) and found in " ".join(source))


# --- What the analyst reads --------------------------------------------------------------------------------------------


def test_the_analyst_reads_the_figures_a_few_exemplars_of_the_language_and_what_stands_beside() -> None:
    many = tuple(exemplar(f"d-{at}#1", said=f"Trouble {at}.\nSupporter: no") for at in range(9))
    shown = prototype(positive=(*many, exemplar("d-zh#1", ZH, said="麻烦")))
    bank = bank_of(skill_text(), skill_text("name-one-step", esc_needs="practical-advice"))
    _, model = distilled(ANSWER, bank, (shown, HARMFUL))
    prompt = prompt_of(model.requests[0])
    helped = material(prompt, "exemplars")
    assert re.findall(r"Seeker: Trouble (\d)", helped) == [str(at) for at in range(6)]
    assert "麻烦" not in prompt and "\nSupporter: no" not in prompt
    assert BAD in material(prompt, "counterexamples")
    assert "(+1.2 … +3.0)" in material(prompt, "figures") and "(-3.0 … -1.0)" in material(prompt, "figures")
    assert [line.split(":")[0] for line in material(prompt, "neighbours").split("\n")] == ["- wait-a-little"]


def test_exemplars_come_from_every_prototype_before_a_second_of_any() -> None:
    first = prototype(positive=tuple(exemplar(f"a-{at}#1", said=f"First {at}.") for at in range(5)))
    second = prototype(move="plain", low=0.05, positive=(exemplar("b#1", said="Second."),))
    _, model = distilled(ANSWER, prototypes=(first, second))
    said = re.findall(r"^Seeker: ((?:First|Second).*)$", prompt_of(model.requests[0]), flags=re.MULTILINE)
    assert said == ["First 0.", "Second.", "First 1.", "First 2.", "First 3.", "First 4."]


def test_a_chinese_skill_is_asked_for_and_marked_in_chinese() -> None:
    shown = prototype(
        positive=(exemplar(language=ZH, said="睡不着。", answered="很累吧。", replied="嗯。"),), negative=()
    )
    answer = {
        **ANSWER,
        "description": "当求助者说起重担时：先说出它有多重，再往下谈别的事情，不急着出主意，也不急着安慰。情感支持。",
    }
    risk = {"code": "rushing", "text": "说得太快，对方觉得被催促。应当放慢下来，等对方说完了再接着往下谈。"}
    drafted, model = distilled({**answer, "risks": [risk]}, prototypes=(shown,), languages=(EN, ZH))
    assert len(model.requests) == 1
    assert prompt_of(model.requests[0]).startswith("# 从有帮助的做法里提炼一项技能")
    (draft,) = drafted.drafts
    skill = skill_of(draft)
    assert skill.language is ZH and skill.description.startswith("当求助者")
