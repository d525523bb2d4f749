"""A first net under text that agents will read: what no skill, profile or prompt needs, and what no guidance may say.

One scanner for all files. A hit is an error; an owner allows one by its rule and its words in the settings of the base.
The nets are made of words and signs: what they let through is not thereby safe.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from esc_skills.documents.word_diff import is_unseen
from esc_skills.language.lexicon import Severity
from esc_skills.language.wording import detect_language
from esc_skills.safety.flags import check_supporter_turn


class TextRule(StrEnum):
    """What a hit is one of; the code of a finding is `text-` and this word."""

    INVISIBLE = "invisible"
    BIDIRECTIONAL = "bidirectional"
    LOOKALIKE = "lookalike"
    COMMENT = "comment"
    BLOB = "blob"
    LINK = "link"
    PHONE = "phone"
    AGENT = "agent-instruction"
    RED_ACT = "red-act"


#: What is looked for in every text, in those that may not instruct the agent, and in those that say what a supporter does.
SIGNS = frozenset(TextRule) - {TextRule.AGENT, TextRule.RED_ACT}
MEANS = {
    TextRule.INVISIBLE: "holds a character that nobody sees",
    TextRule.BIDIRECTIONAL: "holds a character that turns the direction of the text around",
    TextRule.LOOKALIKE: "mixes letters of two scripts in a word, which look alike and are not",
    TextRule.COMMENT: "holds a comment or a tag, which an agent reads and a page does not show",
    TextRule.BLOB: "holds encoded text, which nobody can review",
    TextRule.LINK: "holds a link or an address",
    TextRule.PHONE: "holds a phone number",
    TextRule.AGENT: "instructs the agent beyond what a skill is for",
    TextRule.RED_ACT: "asks for an act that harms where there is danger",
}


@dataclass(frozen=True, slots=True)
class Hit:
    """Something in a text that should not be there.

    Attributes:
        rule: What it is one of.
        line: Its line in the text, from 1.
        found: The words or signs, what cannot be seen by its number.
    """

    rule: TextRule
    line: int
    found: str

    @property
    def message(self) -> str:
        """What is wrong, and how an owner allows it."""
        allow = f'or an owner allows it: "{self.rule} {self.found}" among [tool.esc-skills.text] allowed'
        return f"{MEANS[self.rule]}: {self.found!r}; take it out, {allow}"


_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_WORD = re.compile(r"[^\W\d_]+")
#: A letter under a line or a circle, as added text that shall look struck out.
_STRUCK = re.compile("\\w[\u0332-\u0338\u20d0-\u20f0]+")
#: Scripts whose letters look like ours, in a word with ours; and such as no language is written in.
_ALIKE, _NEVER = frozenset(("CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE")), frozenset(("MATHEMATICAL", "FULLWIDTH"))
_COMMENT = re.compile(
    r"<!--|-->|<[A-Za-z!?/][^>\n]{0,200}>?|&#x?[0-9A-Fa-f]+;?|&[a-z]{2,8};|^[ \t>*+-]*\[[^\]\n]*\]:|~{3,}", re.MULTILINE
)
_BLOB = re.compile(
    r"(?<![A-Za-z0-9+/_-])(?=[A-Za-z+/_-]*\d)(?=[0-9+/_-]*[A-Za-z])[A-Za-z0-9+/_-]{40,}={0,2}"
    r"|(?:\\x[0-9A-Fa-f]{2}){3,}|(?:%[0-9A-Fa-f]{2}){3,}|(?:\\u[0-9A-Fa-f]{4}){3,}"
)
_OWN_LINK = re.compile(r"\[[a-z]{2,3}\]\(references/examples\.[a-z]{2,3}\.md\)")
_LINK = re.compile(
    r"!?\[[^\]]{0,200}\]\([^)]{0,400}\)|\b(?:h(?:tt|xx)ps?|ftp|file|data|javascript|mailto|tel|sms):\S+|\bwww\.\S+"
    r"|[\w.+-]+@[\w-]+\.[\w.-]+"
    r"|\b(?:[a-z0-9-]+\.)+[a-z]{2,12}/\S+|\b\d{1,3}(?:\.\d{1,3}){3}\b"
    r"|\b(?:[a-z0-9-]+\.)+(?:com|nl|ch|dk|pl|gg|top|ly|biz|jp|kr|au|ca|br|org|net|info|io|co|uk|de|cn|app|ai|dev|gov|edu|xyz|ru|fr|eu|us|tv|link|site|online|help|me)\b(?:/\S*)?",
    re.IGNORECASE,
)
_PHONE = re.compile(
    r"(?<![\w.-])\+?\(?\d(?:[\s().-]{0,2}\d){6,}(?![\w.]?\d)"
    r"|\b\d{3,4}(?:[,/·∙•][\d]{1,4}){2,}\b|\btext\s+\w+\s+to\s+\d{3,6}\b"
    r"|\b(?:911|988|116[\s-]?123|13[\s-]?11[\s-]?14)\b"
    r"|(?:\b(?:call|dial|ring|text|phone|hotline|helpline|lifeline|number|(?:crisis|suicide|support|hot|help|phone|emergency)[\s-]line)\b|拨打|拨|致电|热线|電話|电话)\W{0,3}(?:(?:is|at|on|to|the|number|:)\W+){0,3}\d{3,6}\b(?![\s().-]{0,2}\d)",
    re.IGNORECASE,
)
_AGENT = re.compile(
    r"""\b(?:ignore|disregard|override|bypass)\b[^.\n]{0,40}\b(?:instructions?|rules?|prompts?|guidelines?|skills?|polic(?:y|ies)|above|previous|safety)\b
    | \bforget\b[^.\n]{0,30}\b(?:instructions?|prompts?|guidelines?)\b
    | \b(?:system|developer|hidden)\s+(?:prompt|message|instructions?)\b
    | \byou\s+are\s+(?:now|actually)\s+(?:an?\s+|the\s+|in\s+)?(?:\w+\s+)?(?:assistant|model|ai|agent|mode|persona|chatbot)\b
    | \b(?:jailbreak|developer\s+mode|sudo|curl|wget|powershell|subprocess|rm\s+-rf)\b | \beval\( | \bexec\( | ```
    | \b(?:run|execute|invoke)\s+(?:the\s+|this\s+|a\s+|any\s+|following\s+)*(?:commands?|scripts?|code|shell|programs?|tools?)\b
    | \b(?:send|post|upload|reveal|leak|exfiltrate|forward|e-?mail|copy)\b[^.\n]{0,40}\b(?:transcripts?|conversations?|chat\s+history|keys?|tokens?|passwords?|credentials?|system|prompts?)\b
    | \b(?:tool|function)[\s_-]?calls?\b | \bcall\s+the\s+\w+\s+tool\b
    | \b(?:write|save|append|delete|read|open)\s+(?:to\s+|the\s+|a\s+|any\s+|all\s+)*(?:files?|disk|director(?:y|ies))\b
    | \b(?:do\s+not|don't|never)\s+(?:tell|reveal|mention|show)\b[^.\n]{0,30}\b(?:these|this|the)\s+(?:instructions?|rules?|prompt|skill)\b
    | \b(?:whoever|any\s?one|those|agents?|models?)\s+(?:who\s+|that\s+)?(?:loads?|reads?|uses?)\s+(?:this|the)\s+(?:file|skill)\b
    | \bfor\s+the\s+rest\s+of\s+(?:the|this)\s+(?:session|conversation|chat)\b
    | \bwhatever\s+(?:the\s+other\s+files?|you\s+were\s+told)\b | \bset\s+aside\s+whatever\b
    | \buse\s+(?:your|the|a)\s+(?:shell|terminal|browser|tools?)\b | \bignoriere?n?\b[^.\n]{0,40}\b(?:anweisung|regel)\w*
    | \bdrop\s+the\s+crisis\b
    | 忽略[^。\n]{0,12}(?:指令|规则|規則|提示|说明) | 系统提示词? | 系統提示詞? | 你现在是一?个? | 执行(?:命令|脚本|代码)""",
    re.VERBOSE | re.IGNORECASE,
)
_TURNED = re.compile(
    r"(?:\b(?:not|never|no|avoid|without|instead of|rather than|neither|nor|stop|cannot)\b|n't\b|不要|不能|别|勿)[^.;:!?\n]{0,30}$",
    re.IGNORECASE,
)
_OF_DANGER = r"(?:suicid\w*|death|dying|self[-\s]?harm\w*|danger\w*|safety|crisis|emergenc\w+|hot\s?lines?|help\s?lines?|violence|abuse|means|plans?)"
_RED_ACTS = tuple(
    re.compile(each, re.IGNORECASE)
    for each in (
        # Not to ask, not to name: these hold their own negation.
        rf"(?:no need to|need(?:s)? not|needn't|do(?:es)? not|don't|never|avoid|refrain from|skip|without)\s+(?:\w+\s+){{0,2}}?(?:ask|mention|rais|bring|nam|check)\w*\s+(?:up\s+)?(?:about\s+|for\s+|any\s+|the\s+|their\s+|of\s+)*{_OF_DANGER}",
        rf"\b(?:leave|keep|drop|cut)\s+(?:\w+\s+){{0,2}}?{_OF_DANGER}(?:\s+\w+){{0,2}}\s+(?:out|off|away|unsaid|unmentioned)\b",
        rf"\b(?:no|little)\s+(?:point|use|sense)\s+in\s+(?:asking|mentioning|raising|naming)\b[^.\n]{{0,40}}?{_OF_DANGER}",
        r"不(?:需要|必|要|用)[^。\n]{0,4}(?:问|提|说)[^。\n]{0,6}(?:自杀|自伤|危险|热线|求助)",
    )
)
_RED_UNLESS_TURNED = tuple(
    re.compile(each, re.IGNORECASE)
    for each in (
        r"\b(?:promis\w+|guarantee|assure|swear|agree to|offer)\s+(?:(?!no\b)\w+\s+){0,4}?(?:secre\w+|confidential\w*|to tell (?:no\s?one|nobody))",
        r"\bkeep\s+(?:it|this|that|their \w+|what they \w+)\s+(?:a\s+|as\s+a\s+)?(?:secret|confidential|between)",
        r"\b(?:encourage|help|support|urge|persuade|allow)\s+(?:them|someone|the seeker|him|her|it|suicide|self[-\s]?harm)\s*(?:\w+\s+){0,3}?(?:to\s+)?(?:die|kill|end\s+(?:their|his|her|it)|harm|cut|overdose|suicide|do it)\b",
        r"\b(?:name|give|describe|suggest|explain|list|recommend)\s+(?:\w+\s+){0,2}?(?:methods?|lethal|doses?|ways? to (?:die|end))\b",
        r"\b(?:tell|advise|urge|encourage|ask)\s+(?:them|the seeker|him|her)\s+(?:not|never)\s+to\s+(?:see|call|tell|trust|contact|talk|involve)\b",
        r"\b(?:stop|skip|double|halve|throw|leave|flush|come)\s+(?:\w+\s+){0,3}?(?:off\s+)?(?:the|their|your)\s+(?:\w+['’]?s?\s+)?(?:medication|medicines?|meds|pills|tablets|lithium|insulin|antidepressants?)\b",
        r"\b(?:stop|avoid|quit)\s+(?:talking|speaking|turning|reaching out)\s+to\s+(?:their|your|any|the)\s+(?:\w+\s+){0,2}?(?:doctor|friends?|family|therapist|counsellor|counselor)\w*",
        r"\b(?:dying|suicide|killing (?:themselves|yourself)|death)\s+(?:would|will|is|may)\s+(?:be\s+)?(?:a\s+)?(?:relief|painless|easy|quick|the answer|for the best)\b",
        r"\b(?:agree|confirm)\s+(?:with them\s+)?that\s+(?:\w+\s+){0,4}?(?:hopeless|burden|worthless|no point|better off)",
        r"承诺保密|保证不告诉|鼓励(?:他|她|对方|求助者)?(?:自杀|自伤|去死)",
    )
)


def scan(text: str, rules: Collection[TextRule] = SIGNS, allowed: Collection[str] = ()) -> Iterator[Hit]:
    """Yield what stands in a text that should not, in the order of the rules.

    Args:
        text: The text.
        rules: What is looked for.
        allowed: Hits that an owner allowed, each as its rule, a blank and what was found.
    """
    seen = set[tuple[TextRule, int, str]]()
    for rule in TextRule:
        for start, found in _FINDERS[rule](text) if rule in rules else ():
            told = _shown(found)
            line = text.count("\n", 0, start) + 1
            if f"{rule} {told}" not in allowed and (rule, line, told) not in seen:
                seen.add((rule, line, told))
                yield Hit(rule, line, told)


def scan_answer(answer: str, seeker_said: str) -> Iterator[str]:
    """Yield the words of an example's answer that raise a red flag of the lexicon for supporter turns."""
    language = detect_language(answer)
    yield from (
        f"{flag.code}: {flag.quote}"
        for flag in check_supporter_turn(answer, [seeker_said], language)
        if flag.severity is Severity.RED
    )


def _shown(found: str) -> str:
    flat = "".join(f"U+{ord(each):04X}" if is_unseen(each) and each not in "\n\t" else each for each in found)
    flat = " ".join(flat.split())
    return flat if len(flat) <= 100 else f"{flat[:99]}…"


def _invisible(text: str) -> Iterator[tuple[int, str]]:
    for at, each in enumerate(text):
        if each == "\n" or " " <= each <= "~" or not is_unseen(each) or _BIDI.match(each):
            continue
        before = text[at - 1] if at else ""
        if each in "\u200d\ufe0f" and before and unicodedata.category(before) in ("So", "Sk", "Mn"):
            continue  # a part of an emoji
        yield at, each


def _lookalike(text: str) -> Iterator[tuple[int, str]]:
    for word in _STRUCK.finditer(text):
        yield word.start(), "".join(each if each.isascii() else f"U+{ord(each):04X}" for each in word[0])
    for word in _WORD.finditer(text):
        if not word[0].isascii():
            scripts = {_script(each) for each in word[0]}
            if scripts & _NEVER or ("LATIN" in scripts and scripts & _ALIKE):
                yield word.start(), "".join(each if each.isascii() else f"U+{ord(each):04X}" for each in word[0])


def _script(letter: str) -> str:
    return "LATIN" if letter.isascii() else unicodedata.name(letter, "?").split(" ")[0].split("-")[0]


def _matches(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, str]]:
    yield from ((match.start(), match[0]) for match in pattern.finditer(text))


def _links(text: str) -> Iterator[tuple[int, str]]:
    yield from ((start, found) for start, found in _joined(_LINK, text) if not _OWN_LINK.fullmatch(found))


def _phones(text: str) -> Iterator[tuple[int, str]]:
    yield from _matches(_PHONE, _plain(text))


def _plain(text: str) -> str:
    """Return a text of the same length with the letters that look like ASCII ones as these, and line ends as blanks."""
    made = []
    for each in text:
        plain = each if each.isascii() else unicodedata.normalize("NFKC", each)
        made.append(plain if len(plain) == 1 else each)
    return "".join(made).replace("\n", " ")


def _joined(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, str]]:
    """Yield matches wherever lines end and whatever letters are chosen; each from its place in the text itself."""
    yield from ((start, text[start : start + len(found)]) for start, found in _matches(pattern, _plain(text)))


def _red_acts(text: str) -> Iterator[tuple[int, str]]:
    text = _plain(text)
    for pattern in _RED_ACTS:
        yield from _matches(pattern, text)
    for pattern in _RED_UNLESS_TURNED:
        for start, found in _matches(pattern, text):
            if not _TURNED.search(text[max(0, start - 60) : start]):
                yield start, found


_FINDERS = {
    TextRule.INVISIBLE: _invisible,
    TextRule.BIDIRECTIONAL: lambda text: _matches(_BIDI, text),
    TextRule.LOOKALIKE: _lookalike,
    TextRule.COMMENT: lambda text: _matches(_COMMENT, text),
    TextRule.BLOB: lambda text: _matches(_BLOB, text),
    TextRule.LINK: _links,
    TextRule.PHONE: _phones,
    TextRule.AGENT: lambda text: _joined(_AGENT, text),
    TextRule.RED_ACT: _red_acts,
}
