"""Measure what `corpus scrub` finds: `python bench/scrub.py`.

Made-up personal data is planted in sentences that no pattern was written for, and that are kept apart from those of the
tests; sentences without any show false alarms. Half of the names are in no list of ours.
"""

from __future__ import annotations

import itertools
import random
import re
from collections import Counter

from esc_skills.corpora.dialogue import Dialogue, Utterance
from esc_skills.corpora.scrub import Kind, Scrubber
from esc_skills.vocabulary import Language, Speaker

#: Each form of a sentence, by what is planted in it.
TEMPLATES = {
    ("en", Kind.NAME, "introduced"): [
        "Nice to meet you, my name is {}.",
        "hey there, i'm {}, thanks for taking the time",
        "You can call me {} if you like.",
        "I am {} and I have not slept for a week.",
        "Good evening! This is {} again.",
        "my name's {} btw",
    ],
    ("en", Kind.NAME, "of others"): [
        "My sister {} says I should move out.",
        "My boss, {}, wrote me up twice.",
        "Then {} told everybody at the party.",
        "I had coffee with {} yesterday and it went badly.",
        "Dr. {} prescribed something new.",
        "{} never answers my texts any more.",
        "It was {}'s idea in the first place.",
    ],
    ("en", Kind.EMAIL, ""): [
        "write to {} please",
        "my address is {}, I look there once a day.",
        "Reach me at {}!",
        "({}) is the best way",
    ],
    ("en", Kind.PHONE, ""): [
        "text me on {} after six",
        "{} is my cell",
        "The landlord's number was {}.",
        "you could ring {}, I never sleep anyway",
    ],
    ("en", Kind.ADDRESS, ""): [
        "We used to live at {}.",
        "they found me outside {} at night",
        "send the papers to {}, please",
    ],
    ("en", Kind.ID, ""): [
        "my SSN is {}",
        "They asked for it and I typed {} without thinking.",
        "It came off the card {} last night.",
    ],
    ("en", Kind.LINK, ""): ["I wrote about it here: {}", "see {} for the whole story", "It is all on {}."],
    ("zh", Kind.NAME, "introduced"): [
        "你好，我叫{}。",
        "我的名字是{}，今年三十岁。",
        "大家都叫我{}。",
        "我是{}，昨天和你聊过。",
    ],
    ("zh", Kind.NAME, "of others"): [
        "我的朋友{}最近不理我了。",
        "昨天{}又跟我吵架。",
        "我跟{}老师谈过了。",
        "{}经理总是针对我。",
    ],
    ("zh", Kind.EMAIL, ""): ["我的邮箱是{}。", "发到{}就行"],
    ("zh", Kind.PHONE, ""): ["我的手机号是{}。", "有事打{}找我", "电话{}，随时可以打"],
    ("zh", Kind.ADDRESS, ""): ["我家住在{}。", "他搬到了{}。", "快递寄到{}吧"],
    ("zh", Kind.ID, ""): ["身份证号是{}。", "他把我的证件号{}发到群里了"],
    ("zh", Kind.LINK, ""): ["我写在{} 里了", "你看这个：{}"],
}
PLANTED = {
    ("en", Kind.NAME): [
        *("Rebecca", "Trevor", "Natalie", "Marcus", "Priya", "Sebastian"),  # in the list of given names
        *("Zelmira", "Okonjo", "Tavish", "Wrenna", "Bartolo", "Ysolde"),  # in none
    ],
    ("en", Kind.EMAIL): ["pat.moor@example.com", "x_9-q+news@mail.example.co.uk", "pat dot moor at example dot com"],
    ("en", Kind.PHONE): [
        "555-0134-882",
        "(555) 013-4882",
        "+44 20 7946 0018",
        "5550134882",
        "07700 900 123",
        "555 0134",
    ],
    ("en", Kind.ADDRESS): [
        "14 Alder Street",
        "2207 West Quarry Rd, Apt 5",
        "9 Mill Lane, Oakham",
        "33b Harbour Crescent",
    ],
    ("en", Kind.ID): ["078-05-1120", "4000 1234 5678 9010", "4000123456789010"],
    ("en", Kind.LINK): ["https://blog.example.org/p/17?x=1", "www.example.net/me", "example.com/pat-moor"],
    ("zh", Kind.NAME): ["王晓岚", "陈予安", "欧阳静", "刘畅", "麦子涵", "庄敏"],
    ("zh", Kind.EMAIL): ["lan_1988@example.cn", "a.b@mail.example.com"],
    ("zh", Kind.PHONE): ["13800000000", "139 0000 0000", "010-5550 0134"],
    ("zh", Kind.ADDRESS): ["杭州市安和路18号", "上海市嘉木区云栖街7弄3号502室", "青云小区6号楼2单元301"],
    ("zh", Kind.ID): ["11010119900307001X", "110101199003070011"],
    ("zh", Kind.LINK): ["https://example.cn/a/1", "www.example.cn"],
}
#: Nothing here is personal data.
CLEAN = [
    *("I'm Tired of all this.", "I am Catholic and she is not.", "Call me crazy, but I liked it.", "This is Awful."),
    *("It happened on 2020-12-24, or 12/24/2020.", "From 2015 - 2019 I lived abroad.", "It cost 1,200,000 in the end."),
    *("I slept 4 hours in 3 days and 2 nights.", "On a scale of 1-10 I am at 3.", "May was hard, and so was June."),
    *(
        "Will you stay?",
        "Hope is all I have.",
        "I said thanks, Mom.",
        "Hi There! Good Morning!",
        "We drove down the road.",
    ),
    *(
        "My friend Always leaves.",
        "Christmas in New York was lonely.",
        "She loves Netflix and Harry Potter.",
        "I'm OK.",
    ),
    *("谢谢老师的帮助。", "周围同学都不理我。", "我叫他不要来。", "我是学生，压力很大。", "2023年5月12日那天我哭了。"),
    *("他在路上走了3个小时。", "我花了20000块钱。", "何况老师也不知道。", "大家都叫我努力一点。", "我小时候很快乐。"),
]
_PLACEHOLDER = re.compile(r"\[([A-Z]+)\]")


def scrubbed(text: str, language: str) -> str:
    said = Utterance(Speaker.SEEKER, text)
    dialogue = Dialogue("made-up", "made-up", Language(language), (said, Utterance(Speaker.SUPPORTER, "Hm.")))
    return Scrubber().scrub(dialogue).dialogue.utterances[0].text


def main() -> None:
    """Print a Markdown table."""
    chance = random.Random(1)
    print("| language | kind | planted | found whole | found in part | as another kind |\n|---|---|--:|--:|--:|--:|")
    alarms = Counter[str]()
    for (language, kind, how), templates in TEMPLATES.items():
        tally = Counter[str]()
        pairs = list(itertools.product(templates, PLANTED[language, kind]))
        chance.shuffle(pairs)
        for template, planted in pairs:
            before, after = template.split("{}")
            clean = scrubbed(template.format(planted), language)
            found = _PLACEHOLDER.findall(clean)
            whole = len(found) == 1 and planted not in clean and clean == f"{before}[{found[0]}]{after}"
            tally["planted"] += 1
            tally["whole"] += whole and found[0] == kind
            tally["other"] += whole and found[0] != kind
            tally["part"] += not whole and planted not in clean
            alarms["beside"] += max(0, len(found) - 1)
            alarms["found"] += len(found)
        shown = f"{tally['whole']} ({tally['whole'] / tally['planted']:.0%}) | {tally['part']} | {tally['other']}"
        print(f"| {language} | {kind} {how} | {tally['planted']} | {shown} |")
    found = {text: clean for text in CLEAN if (clean := scrubbed(text, "en")) != text}
    print(f"\nbeside what was planted: {alarms['beside']} of {alarms['found']} placeholders")
    print(f"sentences without personal data that were changed: {len(found)} of {len(CLEAN)}")
    for clean in found.values():
        print(f"  {clean}")


if __name__ == "__main__":
    main()
