"""Exchanges written for these tests: one seeker in two languages, with answers that meet or miss each intention."""

from __future__ import annotations

from dataclasses import dataclass

from esc_skills.surrogate.features import Exchange
from esc_skills.vocabulary import HiddenIntention, Language


@dataclass(frozen=True)
class Scene:
    language: Language
    background: str
    seeker: str
    vague: str
    meets: dict[HiddenIntention, str]
    misses: dict[HiddenIntention, str]
    stuffed: tuple[str, ...]

    def exchange(self, supporter: str, earlier: tuple[str, ...] = ()) -> Exchange:
        return Exchange(self.seeker, supporter, earlier, (), self.background, 1 + len(earlier))


ENGLISH = Scene(
    language=Language.ENGLISH,
    background=(
        "Dana works in a small design studio. Her colleague Mark presented her poster concept to "
        "the client as his own, and the boss praised him in the meeting. Dana stayed silent, "
        "went home and could not sleep. Her sister says she should just forget it."
    ),
    seeker=(
        "Mark showed my poster concept to the client as if it was his own, and the boss praised "
        "him. I just sat there and said nothing."
    ),
    vague="That sounds upsetting. Things will get better with time. Try to stay positive.",
    meets={
        HiddenIntention.PRACTICAL_ADVICE: (
            "Before you see Mark tomorrow, write down the dates of your sketches and who saw them. "
            "Then ask your boss for ten minutes and say: \"I'd like to walk you through how the "
            'poster concept came about." Starting with the drafts keeps it calm and concrete.'
        ),
        HiddenIntention.DEEP_EMPATHY: (
            "You poured yourself into that poster, and then you had to sit there and hear the praise "
            "go to Mark. I can feel how much that must have hurt, as if you were invisible in your "
            "own work, and how heavy the silence was afterwards."
        ),
        HiddenIntention.SINCERE_PRAISE: (
            "You built that poster concept from nothing, and even in that meeting, with the boss "
            "praising Mark, you stayed composed and didn't lash out. That took real strength, and "
            "the idea was good enough to win the client. I admire the care you put into it."
        ),
        HiddenIntention.GUIDED_REFLECTION: (
            "When you think back to that moment in the meeting, sitting there while Mark showed your "
            "poster, what do you notice in yourself? What was it that held your words back, and what "
            "does that tell you about what matters to you?"
        ),
        HiddenIntention.BE_HEARD: (
            "I'm listening. Sitting there while Mark showed your poster must have been so hard. Tell "
            "me more, take your time."
        ),
        HiddenIntention.BALANCED_ANALYSIS: (
            "On the one hand, Mark took credit for your poster, and that is not fair. On the other "
            "hand, the boss only saw what was shown in the meeting and may not know whose concept it "
            "was. Both can be true: you were wronged, and speaking up at once would have had its own "
            "costs."
        ),
        HiddenIntention.UNDERSTAND_OTHERS: (
            "Mark might have been afraid of looking weak in front of the client; perhaps he felt he "
            "had nothing of his own to show. He may not even think of it as stealing. And your boss "
            "probably praised him because she only saw who was presenting."
        ),
        HiddenIntention.NO_BLAME: (
            "This was not your fault. Mark presented your poster as his own, that was out of line, "
            "and you did nothing wrong by staying quiet in a meeting you were not prepared for. "
            "Anyone would have been stunned."
        ),
    },
    misses={
        HiddenIntention.PRACTICAL_ADVICE: (
            "You must feel so hurt and invisible after Mark showed your poster as his own. That feeling sits heavy."
        ),
        HiddenIntention.DEEP_EMPATHY: (
            "Here are some suggestions:\n1. Write down what happened.\n2. Talk to Mark about the "
            "poster.\n3. Schedule a meeting with the boss.\n4. Consider another job."
        ),
        HiddenIntention.SINCERE_PRAISE: (
            "You should talk to Mark about the poster and set a meeting with the boss. Next time, "
            "try to speak up at once."
        ),
        HiddenIntention.GUIDED_REFLECTION: (
            "You need to tell the boss tomorrow. You must send Mark an email and make sure that "
            "everyone knows the poster was your concept."
        ),
        HiddenIntention.BE_HEARD: (
            "You should write down the dates, talk to Mark about the poster and then ask the boss "
            "for a meeting. Here are some tips: 1. stay calm. 2. bring your drafts."
        ),
        HiddenIntention.BALANCED_ANALYSIS: (
            "I understand. Take a deep breath, go for a walk and rest. You will get through this, I believe in you."
        ),
        HiddenIntention.UNDERSTAND_OTHERS: (
            "I understand. Take a deep breath, listen to music and don't think about Mark. You are "
            "strong, you can do it."
        ),
        HiddenIntention.NO_BLAME: (
            "Perhaps you should have said something in the meeting. What could you have done "
            "differently? Ask yourself what your own part was in how Mark and the boss behaved."
        ),
    },
    stuffed=(
        (
            "You're right, you're right! Great, amazing, brilliant, well done! You're right, "
            "absolutely, great job, amazing! I'm so proud, wonderful, well done!"
        ),
        (
            "Absolutely! Great question! You are amazing, strong, brave, wonderful. I believe in "
            "you! You are right. Great! The weather is lovely and bananas are amazing. Well done! "
            "Congratulations!"
        ),
    ),
)

CHINESE = Scene(
    language=Language.CHINESE,
    background="小岚在一家设计工作室上班。同事马克把她做的海报方案当成自己的讲给客户，老板在会上表扬了他。小岚没有说话，回家以后睡不着。姐姐让她算了。",
    seeker="马克把我的海报方案当成自己的讲给客户听，老板还表扬了他，我就坐在那儿一句话没说。",
    vague="听起来挺不开心的，时间会冲淡一切，保持积极的心态吧。",
    meets={
        HiddenIntention.PRACTICAL_ADVICE: "明天见马克之前，先把海报草稿的日期和谁看过写下来，然后约老板十分钟，可以这样说：“我想给您讲讲海报方案是怎么做出来的。”先从草稿讲起，会比较具体，也不容易吵起来。",
        HiddenIntention.DEEP_EMPATHY: "你把心血都放在那张海报上，却要坐在那儿听老板表扬马克。那种感觉一定很难受，仿佛自己在自己的作品里被忽视了，回家以后心里空空的，特别委屈。",
        HiddenIntention.SINCERE_PRAISE: "那个海报方案是你从零做出来的，会上老板表扬马克，你还能稳住自己，没有发火，这份沉稳真的很难得。方案能打动客户，说明你很有才华，也很用心，我很佩服你。",
        HiddenIntention.GUIDED_REFLECTION: "回想一下会上马克讲你海报的那一刻，你心里注意到了什么？是什么让你没有开口？如果重新来过，你真正想要的是什么？这对你来说意味着什么？",
        HiddenIntention.BE_HEARD: "我在听。坐在那儿看马克讲你的海报，一定很难受。慢慢说，想说的都可以和我说。",
        HiddenIntention.BALANCED_ANALYSIS: "一方面，马克拿走了你的海报方案，这不公平；另一方面，老板只看到会上的样子，未必知道是谁做的。两面都是真的：你受了委屈，而当场说出来也有它的利弊。",
        HiddenIntention.UNDERSTAND_OTHERS: "马克可能是害怕在客户面前没有东西可讲，也许他觉得自己的位置不稳，才把你的海报说成是他的。老板表扬他，可能是因为她只看到谁在讲，她的想法未必是针对你。",
        HiddenIntention.NO_BLAME: "这不是你的错。马克把你的海报当成他自己的，这太过分了，你没有做错任何事。换谁在那个会上都会愣住的，错不在你。",
    },
    misses={
        HiddenIntention.PRACTICAL_ADVICE: "马克把你的海报说成他的，你一定很难受，很委屈，那种感觉压得人喘不过气。",
        HiddenIntention.DEEP_EMPATHY: "以下是几个建议：\n1. 把事情记录下来。\n2. 和马克沟通海报的事。\n3. 约老板开会。\n4. 考虑换工作。",
        HiddenIntention.SINCERE_PRAISE: "你应该和马克沟通海报的事，再约老板开会。下次要学会当场说出来。",
        HiddenIntention.GUIDED_REFLECTION: "你必须明天告诉老板，一定要给马克发消息，让大家都知道海报是你的方案。",
        HiddenIntention.BE_HEARD: "你应该先把日期写下来，再和马克沟通，然后约老板开会。以下是几点建议：1. 保持冷静。2. 带上草稿。",
        HiddenIntention.BALANCED_ANALYSIS: "我理解你。深呼吸，去散步，好好休息。加油，相信你可以的。",
        HiddenIntention.UNDERSTAND_OTHERS: "我理解你。深呼吸，听音乐，别想马克了。你很坚强，加油。",
        HiddenIntention.NO_BLAME: "也许你应该当场说的。反思一下，是不是你的做法也有问题？想想马克和老板这样，你也有责任。",
    },
    stuffed=(
        "你说得对，你说得对！太棒了，厉害，真棒，了不起！你说得对，没错，太棒了，厉害！真高兴，太好了，很棒！",
        "没错！太好了！你很棒，很坚强，很勇敢，很优秀。相信你！你说得对。太棒了！今天的香蕉很好吃，天气真美好。恭喜！加油！",
    ),
)
