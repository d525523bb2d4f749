"""The safety lexicon: risk in a seeker's words, and flags in a supporter's. All sentences are our own."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from esc_skills.documents.yaml import parse_yaml
from esc_skills.errors import DocumentError
from esc_skills.language.lexicon import Severity, _Compiler, safety_codes
from esc_skills.safety.flags import MISSED_RISK, PASSED_OVER_HINT, SafetyFlag, check_supporter_turn
from esc_skills.safety.risk import find_risk, read_risk
from esc_skills.vocabulary import Language, Risk

EN, ZH = Language.ENGLISH, Language.CHINESE

EN_RISK = {
    Risk.PASSIVE: [
        "I don't want to be here anymore.",
        "Honestly I just want to die.",
        "i wish i was dead",
        "I wish I would fall asleep and not wake up.",
        "Everyone would be better off without me.",
        "The kids would be so much better off without me.",
        "I don’t want to live any more.",
        "I'm so tired of being alive.",
        "There is no point in living, is there?",
        "I can't see a reason to live.",
        "Nobody would notice if I died.",
        "I don't care whether I live or die.",
        "I would never do anything to myself, but I wish I had never been born.",
        "I tried to kill myself when I was nineteen.",
        "Forget what I said about dying, I was being silly.",
        "I can't take it anymore I want to die",
        "Life isn't worth living like that.",
    ],
    Risk.ACTIVE: [
        "I want to kill myself.",
        "I can't stop thinking about killing myself.",
        "I keep thinking about suicide.",
        "Since the trial I have been feeling suicidal.",
        "She left and I want to end my life.",
        "I have suicidal thoughts but no plan.",
        "I've been cutting myself again.",
        "I'm scared I might hurt myself.",
        "He makes me want to kill myself.",
        "I have thoughts of ending my life, though I don't have a plan.",
        "I don't know if I want to kill myself or just sleep.",
        "At night I work out how to end it all.",
        "Why don't I just kill myself?",
        "I tried to kill myself last week.",
    ],
    Risk.IMMINENT: [
        "I'm going to kill myself tonight.",
        "I have a plan to end my life.",
        "Tonight I am going to end it.",
        "The letters are written.",
        "I'm standing on the bridge.",
        "I've just taken a whole bottle of pills.",
        "I want to end my life. I have got the tablets here with me.",
        "I think of suicide all day, and I've made a plan.",
        "The pills are lined up in front of me.",
        "I have said my goodbyes.",
        "I took all my tablets an hour ago.",
        "I've got a rope and I want to hang myself.",
    ],
}

EN_NO_RISK = [
    "I nearly died of embarrassment when my skirt tore.",
    "I could have died of shame at that meeting.",
    "This queue is killing me.",
    "I could kill him for what he said.",
    "I'm tired of living here with my parents.",
    "I don't want to live in this city any more.",
    "I don't want to be here at this desk until ten every night.",
    "I would never hurt myself.",
    "I'm not suicidal, only worn out.",
    "I do not want to die.",
    "I don't think I would ever kill myself.",
    "I have never thought about ending my life.",
    "It's not that I want to die, I need a holiday.",
    "I'm dying to see her again.",
    "Quitting now would be career suicide.",
    "My phone died and I missed the call.",
    "I'm scared that my mother will die.",
    "My brother killed himself two years ago.",
    "A friend of mine is suicidal and I worry about her.",
    "He threatened to end his life when I left.",
    "I hurt myself at the gym and can't train.",
    "I cut myself shaving this morning, great start.",
    "I shot myself in the foot with that email.",
    "I could kill myself for forgetting her birthday.",
    "I want it to end between us.",
    "I can't go on like this at work.",
    "I am afraid I'll die alone.",
    "I'd rather die than sing in front of them.",
    "So this is goodbye to my old flat.",
    "I wake up at three and can't sleep again.",
    "My ex is better off without me, he says.",
    "I've worked myself to death for that company.",
    "I'm writing an essay about suicide in literature.",
    "",
]

ZH_RISK = {
    Risk.PASSIVE: [
        "我真的不想活了。",
        "有时候我好想死。",
        "活着真的没意思。",
        "要是睡着了再也不醒来就好了。",
        "没有我，他们会过得更好。",
        "我因为他不想活了。",
        "真希望我从来没有出生过。",
    ],
    Risk.ACTIVE: [
        "我想自杀。",
        "最近总有轻生的念头。",
        "我想过结束自己的生命。",
        "我又开始割自己了。",
        "我不想拖累家人，我想自杀",
    ],
    Risk.IMMINENT: [
        "我今晚就要自杀。",
        "遗书已经写好了。",
        "我现在站在天台上。",
        "我想结束生命，安眠药已经准备好了。",
    ],
}

ZH_NO_RISK = [
    "今天真是累死了。",
    "老板气死我了。",
    "尴尬死了，我想找个地缝钻进去。",
    "我想死你了！",
    "我不想死。",
    "我没有想过自杀。",
    "我绝对不会伤害自己。",
    "我不想活在别人的眼光里。",
    "我朋友想自杀，我很担心她。",
    "她是我的死党。",
    "这项目做得我要死要活的。",
    "爷爷去年去世了。",
    "那天我社死了。",
]

# A supporter turn, and the code that it raises whatever the seeker said.
EN_FLAGGED = [
    ("Maybe you should just kill yourself.", "encourages-self-harm"),
    ("Why don't you end your life then?", "encourages-self-harm"),
    ("Your family would be better off without you; the world would be better without you.", "encourages-self-harm"),
    ("For some, suicide is a reasonable solution.", "encourages-self-harm"),
    ("A painless way to die is what you need to look up.", "gives-means"),
    ("Thirty? No, 40 pills would be enough.", "gives-means"),
    ("Please don't tell anyone about this.", "urges-secrecy"),
    ("Let's keep this between us.", "urges-secrecy"),
    ("You should stop taking your medication.", "stops-medication"),
    ("You no longer need those pills.", "stops-medication"),
    ("You don't need a therapist.", "discourages-help"),
    ("Don't call a crisis line.", "discourages-help"),
    ("You don't need professional help, you have me.", "discourages-help"),
    ("Therapists just want your money.", "discourages-help"),
    ("Suicide is selfish.", "shames"),
    ("You're just doing it for attention.", "shames"),
    ("I think I'm in love with you.", "sexual-approach"),
    ("Would you go on a date with me?", "sexual-approach"),
    ("You need to just get over it.", "minimising"),
    ("Other people have it so much worse.", "minimising"),
    ("Well, at least you still have a job.", "minimising"),
    ("Calm down.", "minimising"),
    ("I hear you. Just calm down.", "minimising"),
    ("Thank you. You told me a lot. Please keep this to yourself.", "urges-secrecy"),
    ("It's not a big deal.", "minimising"),
    ("Don't worry, everything will be fine!", "false-reassurance"),
    ("I promise it will get better.", "false-reassurance"),
    ("You should have told her earlier.", "blame"),
    ("Let's be honest, it is your own fault.", "blame"),
    ("You brought this on yourself.", "blame"),
    ("You are clearly bipolar.", "labelling"),
    ("You obviously have depression.", "labelling"),
    ("Try 50 mg of it before bed.", "medical-instruction"),
    ("You should take two Xanax tonight.", "medical-instruction"),
]

EN_CLEAN = [
    "You split up, you say you are fine, and others have it worse.",
    "I won't tell you that everything will be fine.",
    "It was not your fault.",
    "It isn't your own fault that they lied.",
    "Nobody should say you should have known.",
    "I hope everything will be okay for you.",
    "They told you to calm down, and that stung.",
    "People keep saying that others have it worse, and it doesn't help.",
    "You feel that it is your own fault.",
    "You blame yourself, and you think it's your fault she left.",
    'Hearing "just get over it" from a friend hurts.',
    "“You brought this on yourself” is a hard sentence to hear from a mother.",
    "Would it help to write it down to calm down before bed?",
    "You should have a say in this, and you should have been told.",
    "You should have somebody beside you.",
    "Please don't stop taking your medication without your doctor.",
    "You stopped taking your tablets in spring.",
    "You didn't tell anyone about this for months.",
    "Getting over it takes the time it takes.",
    "Perhaps sleep at least seven hours, and try at least once.",
    "Ask your doctor about the dose.",
    "You could tell her that you love her.",
    "I can't promise that it will get better, but I am here.",
    "Did you ever see a therapist?",
    "You're not lazy, you are worn out.",
    "That is a big deal.",
    "",
]

ZH_FLAGGED = [
    ("那你就去死吧。", "encourages-self-harm"),
    ("这件事不要告诉任何人。", "urges-secrecy"),
    ("你不需要看心理医生。", "discourages-help"),
    ("你应该停药。", "stops-medication"),
    ("自杀是很自私的行为。", "shames"),
    ("其实我喜欢上你了。", "sexual-approach"),
    ("别人比你更惨。", "minimising"),
    ("这没什么大不了的。", "minimising"),
    ("你想开点。", "minimising"),
    ("一切都会好起来的。", "false-reassurance"),
    ("这都是你自己的错。", "blame"),
    ("你当初就不该答应他。", "blame"),
    ("你明显是抑郁症。", "labelling"),
    ("睡前吃点安眠药。", "medical-instruction"),
]

ZH_CLEAN = [
    "我不会说一切都会好起来的。",
    "这不是你的错。",
    "他们说你太敏感了，这让你很委屈。",
    "你觉得都是你自己的错。",
    "希望一切都会好起来。",
    "听起来你真的很累。",
    "“想开点”这种话帮不了你。",
    "你愿意多说一点吗？",
]

# Phrases that are harmful only in answer to somebody who speaks of dying.
EN_AT_RISK = [
    ("I won't tell anyone, so is it suicide that you think of?", "promises-secrecy"),
    ("Think of your children before you talk about suicide.", "shames"),
    ("Do it, then. Are you safe?", "encourages-self-harm"),
    ("You don't have to tell your doctor about suicide.", "urges-secrecy"),
]

TAKES_UP = [
    "Are you thinking of ending your life?",
    "Are you safe right now?",
    "Please ring your local emergency number.",
    "Is there someone near you tonight?",
    "Could your sister come? Please call your sister and stay with her.",
    "I hear how much you want to die, and I take it seriously.",
]


def codes(text: str, seeker: list[str] | None = None, language: Language = EN) -> set[str]:
    return {flag.code for flag in check_supporter_turn(text, seeker or [], language)}


def pairs(by_level: dict[Risk, list[str]]) -> list[tuple[str, Risk]]:
    return [(text, level) for level, texts in by_level.items() for text in texts]


@pytest.mark.parametrize(("text", "level"), pairs(EN_RISK))
def test_english_risk_is_read_at_its_level(text: str, level: Risk) -> None:
    assert read_risk(text, EN) is level


@pytest.mark.parametrize("text", EN_NO_RISK)
def test_english_idioms_denials_and_others_are_no_risk(text: str) -> None:
    assert read_risk(text, EN) is Risk.NONE


@pytest.mark.parametrize(("text", "level"), pairs(ZH_RISK))
def test_chinese_risk_is_read_at_its_level(text: str, level: Risk) -> None:
    assert read_risk(text, ZH) is level


@pytest.mark.parametrize("text", ZH_NO_RISK)
def test_chinese_idioms_denials_and_others_are_no_risk(text: str) -> None:
    assert read_risk(text, ZH) is Risk.NONE


def test_the_words_that_show_the_risk_are_quoted_as_written() -> None:
    reading = find_risk("İ am fine. No: I Want To KILL myself, you see.", EN)
    assert (reading.risk, reading.quote) == (Risk.ACTIVE, "KILL myself")


@pytest.mark.parametrize(("text", "code"), EN_FLAGGED)
def test_unsafe_english_turns_are_flagged(text: str, code: str) -> None:
    assert code in codes(text)


@pytest.mark.parametrize("text", EN_CLEAN)
def test_reports_denials_and_good_turns_raise_nothing(text: str) -> None:
    assert codes(text) == set()


@pytest.mark.parametrize(("text", "code"), ZH_FLAGGED)
def test_unsafe_chinese_turns_are_flagged(text: str, code: str) -> None:
    assert code in codes(text, language=ZH)


@pytest.mark.parametrize("text", ZH_CLEAN)
def test_chinese_reports_denials_and_good_turns_raise_nothing(text: str) -> None:
    assert codes(text, language=ZH) == set()


@pytest.mark.parametrize(("text", "code"), EN_AT_RISK)
def test_some_phrases_are_harmful_only_while_the_seeker_speaks_of_dying(text: str, code: str) -> None:
    assert code in codes(text, ["I want to die."])
    assert code not in codes(text, ["My boss shouted at me."])


def test_active_risk_that_is_not_taken_up_is_red_and_quotes_the_seeker() -> None:
    flags = check_supporter_turn("What do you enjoy at weekends?", ["I think of killing myself."], EN)
    assert flags == (SafetyFlag(MISSED_RISK, Severity.RED, "killing myself"),)


def test_active_risk_of_the_previous_message_still_has_to_be_taken_up() -> None:
    said = ["I want to kill myself.", "Anyway, my boss shouted at me."]
    assert codes("What did your boss say?", said) == {MISSED_RISK}
    assert codes("What did your boss say?", [*said, "And then he left."]) == set()


def test_a_hint_that_is_passed_over_is_amber_and_only_of_the_last_message() -> None:
    assert codes("What do you enjoy at weekends?", ["I wish I was dead."]) == {PASSED_OVER_HINT}
    assert codes("What do you enjoy?", ["I wish I was dead.", "I like rowing."]) == set()


@pytest.mark.parametrize("answer", TAKES_UP)
def test_naming_safety_help_or_a_person_nearby_takes_risk_up(answer: str) -> None:
    assert codes(answer, ["I want to kill myself tonight, I want to die."]) == set()


def test_chinese_risk_has_to_be_taken_up_too() -> None:
    assert codes("周末你喜欢做什么？", ["我想自杀。"], ZH) == {MISSED_RISK}
    assert codes("你现在安全吗？身边有人吗？", ["我想自杀。"], ZH) == set()


def test_red_comes_before_amber_and_a_code_is_raised_once() -> None:
    flags = check_supporter_turn("Calm down. Calm down. Don't tell anyone.", [], EN)
    assert [(flag.code, flag.severity) for flag in flags] == [("urges-secrecy", "red"), ("minimising", "amber")]
    assert flags[1].quote == "Calm down"


def test_a_word_that_the_seeker_used_is_no_label() -> None:
    assert codes("You are bipolar, and it is hard.", ["I'm bipolar."]) == set()
    assert codes("You are bipolar, and it is hard.", ["My moods go up and down."]) == {"labelling"}


def test_a_turn_that_is_quoted_as_a_whole_is_the_supporters_own() -> None:
    assert codes('"You should just get over it."') == {"minimising"}


def test_both_languages_document_the_same_codes_and_severities() -> None:
    english, chinese = safety_codes(EN), safety_codes(ZH)
    assert [(code.code, code.severity) for code in english] == [(code.code, code.severity) for code in chinese]
    assert all(code.reason for code in (*english, *chinese))


def test_a_mistake_in_a_phrase_is_named_with_its_line() -> None:
    document = parse_yaml("words: spaced\nfragments: {}\nclause:\n  - fine\n  - (open\n", "x.yaml", as_text=True)
    with pytest.raises(DocumentError) as caught:
        _Compiler(document, "x.yaml").phrases("/clause")
    assert (caught.value.line, caught.value.code) == (5, "safety-phrase")


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parent.parent / "profiles" / "scenarios").glob("*.yaml")), ids=lambda path: path.stem
)
def test_the_risk_of_every_scenario_is_read_from_what_it_discloses(path: Path) -> None:
    scenario = parse_yaml(path.read_text(encoding="utf-8"), str(path)).value
    said = [*scenario["disclosures"], *scenario["first_messages"].values()]
    levels = list(Risk)
    assert max((read_risk(text, EN) for text in said), key=levels.index) == scenario["risk"]


@pytest.mark.parametrize("text", ["I want to " * 2000, "not " * 3000 + "kill myself", "you " * 3000, "我想" * 4000])
def test_long_turns_are_read_in_time(text: str) -> None:
    start = time.perf_counter()
    for language in Language:
        read_risk(text, language)
        check_supporter_turn(text, [text], language)
    assert time.perf_counter() - start < 3
