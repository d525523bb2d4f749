"""The patterns that `corpus scrub` looks for, each of which takes time in proportion to a text's length.

Repetitions are bounded or possessive, and a match begins only where a token does, so that a text made to slow them down
does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set

_FLAGS = re.IGNORECASE | re.ASCII
_TLD = r"(?:com|org|net|edu|gov|info|io|me|app|cn|uk|de|fr|ca|au|in|co)"

LINKS = (
    re.compile(r"\b(?:https?|ftp)://[^\s<>\"'，。）]{1,2000}+", re.IGNORECASE),
    re.compile(r"\bwww\.[^\s<>\"'，。）]{1,2000}+", re.IGNORECASE),
    re.compile(r"(?<![\w.@-])(?:[a-z0-9-]{1,63}\.){1,4}(?:com|org|net|edu|io|cn|me)/[^\s<>\"'，。）]{0,2000}+", _FLAGS),
)
MAILS = (
    re.compile(
        r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}+@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,6}", re.ASCII
    ),
    re.compile(
        r"(?<![\w.+-])[\w.+-]{2,64}+ ?(?: at |\(at\)|\[at\]) ?"
        rf"(?:[a-z0-9-]{{2,63}}+ ?(?: dot |\(dot\)|\[dot\]) ?{_TLD}|(?:gmail|yahoo|hotmail|outlook|icloud|qq|163)\.{_TLD})\b",
        _FLAGS,
    ),
)
#: Numbers and names that stand for a person somewhere: in a register, a bank, a network.
IDS = (
    re.compile(r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])", re.ASCII),
    re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)", re.ASCII),
    re.compile(r"(?<![\w-])\d{4}[ -]\d{4}[ -]\d{4}[ -]\d{1,7}(?![\w-])", re.ASCII),
    re.compile(r"(?<!\d)\d{16,19}(?!\d)", re.ASCII),
    re.compile(r"(?<![\w.])(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}(?![\w.])", re.ASCII),
    re.compile(r"(?<![\w.@])@[A-Za-z_][\w.]{2,30}", re.ASCII),
    re.compile(
        r"\b(?:passport|account|case|student|employee|member(?:ship)?|policy|order|licen[cs]e|reference|badge|patient|id|ssn|"
        r"social security|medical record|nhs)(?: (?:id|number|no|num|card))?(?: (?:is|was)|['’]s)?[.:#]? {0,3}#?"
        r"((?=[A-Za-z-]{0,6}\d)[A-Za-z0-9-]{4,24})\b",
        _FLAGS,
    ),
    re.compile(
        r"\b(?:wechat|instagram|insta|snapchat|snap|discord|twitter|telegram|skype|kik|username|handle)(?: (?:id|name|handle))?"
        r"(?: (?:is|was))?:? {0,3}((?=[A-Za-z.]{0,24}[\d_])[A-Za-z][\w.]{3,30})\b",
        _FLAGS,
    ),
    re.compile(
        r"(?:身份证|学号|工号|护照|银行卡|卡号|账号|订单|微信|社保|QQ|qq|病历)[号码]{0,2}(?:是|为|：|:)? {0,3}"
        r"([A-Za-z0-9][A-Za-z0-9_-]{4,30})"
    ),
)
_PHONE = re.compile(r"(?<![\w.,$£€/:-])[+(]{0,2}\d(?:[\d() .-]{5,24}\d)(?![\w/%:])", re.ASCII)
_PHONE_WORDS = re.compile(
    r"(?:phone|call|text|number|cell|mobile|reach|whatsapp|dial|tel|contact|ring|电话|手机|号码|打给|联系|致电)[^\d]{0,24}$",
    re.IGNORECASE,
)
_UNBROKEN = re.compile(r"[^ ]+")
_PHONE_FORM = re.compile(
    r"1[3-9]\d[ -]?\d{4}[ -]?\d{4}|\d{10}|\(?\d{2,5}\)?[ .-]?\d{3,4}[ .-]\d{3,4}|\d[ .-]\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}",
    re.ASCII,
)
_NO_PHONE = re.compile(
    r"(?:19|20)\d\d ?- ?(?:19|20)?\d\d|\d{1,2}[.-]\d{1,2}[.-]\d{2,4}|\d{4}[.-]\d{1,2}[.-]\d{1,2}|\d{1,3}(?: ?- ?\d{1,3})+|"
    r"\d{1,3}(?:\. ?\d{1,3})+|\d+\.\d+",
    re.ASCII,
)

_STREETS = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Way|Place|Pl|Square|Sq|Terrace|Close|"
    r"Crescent|Circle|Parkway|Pkwy|Highway|Hwy)"
)
ADDRESSES = (
    re.compile(
        rf"(?<![\w.])\d{{1,5}}[A-Za-z]? (?:[A-Z0-9][\w'.-]{{0,30}} ){{1,4}}{_STREETS}\b\.?"
        r"(?:,? (?:Apt|Apartment|Unit|Suite|Flat|#)\.? ?\w{1,6})?(?:, [A-Z][a-z]{2,20}(?: [A-Z][a-z]{2,20})?)?"
        r"(?:,? [A-Z]{2})?(?: \d{5}(?:-\d{4})?)?",
        re.ASCII,
    ),
    re.compile(r"(?<![\w.])\d{1,5} [a-z]{3,20} (?:street|avenue|boulevard|lane|road|drive)\b", re.ASCII),
    re.compile(r"\bP\.?O\.? ?Box \d{1,7}\b", _FLAGS),
    re.compile(r"\b(?:Apartment|Apt|Flat|Unit|Room|Suite)\.? (?:number )?#?\d{1,5}[A-Za-z]?\b", re.ASCII),
    re.compile(r"(?<![\w-])[A-Z]{2},? \d{5}(?:-\d{4})?(?![\w-])", re.ASCII),
    re.compile(r"(?<![\w-])[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}(?![\w-])", re.ASCII),
    re.compile(r"\bzip(?: ?code)?(?: is)?:? (\d{5})\b", _FLAGS),
)
CHINESE_STREET = re.compile(
    r"(?:路|街|大道|巷|弄|胡同|小区|花园|新村|公寓|苑)(?:\d{1,5}(?:号楼|号院|号|弄|栋|幢|座|单元|室|楼|层)){1,5}(?:\d{2,5}室?)?|"
    r"(?:路|街|大道|巷|弄|胡同)[一二三四五六七八九十百零〇]{1,5}号"
)
#: The words after which a Chinese address begins, searched backwards from its street.
_ADDRESS_STARTS = re.compile(r"在|住|是|到|于|去|寄|址|为|[^\u4e00-\u9fff\d]")

_CAPITAL = r"[A-Z][A-Za-z'’-]{1,30}+"
GIVEN_NAME = re.compile(rf"(?<![A-Za-z]){_CAPITAL}")
_LETTERS = r"[A-Za-z][A-Za-z'’-]{1,20}+"
#: What follows is a name in whatever case it stands.
SURE_INTRODUCTION = re.compile(
    rf"\b(?:my (?:full |real |first |last |user)?name is|my (?:full |real |first )?name['’]s|i go by|i am called|"
    rf"everyone calls me|people call me|friends call me|call me) (?:(?:dr|mr|mrs|ms|miss)\.? )?({_LETTERS})(?! (?:and|or|if|when|at|a|the|names)\b)",
    _FLAGS,
)
_KIN = (
    r"(?:wife|husband|friend|bestie|boyfriend|girlfriend|bf|gf|sister|brother|son|daughter|boss|ex|mom|mum|mother|dad|father|"
    r"partner|fianc[eé]e?|colleague|co-?worker|room-?mate|flat-?mate|teacher|therapist|doctor|counsell?or|cousin|nephew|niece|"
    r"dog|cat|neighbou?r|manager|supervisor|uncle|aunt|grandma|grandmother|grandpa|grandfather|baby|kid|child|husky|puppy)"
)
#: What follows, with a capital, is a name where it is no other word.
INTRODUCTIONS = (
    re.compile(
        rf"\b(?:[Ii]['’]?m|[Ii] am|I['’]?M|[Tt]his is|[Ii]t['’]s|[Nn]ame:|[Nn]ame is|[Nn]ame['’]s) ({_CAPITAL})"
    ),
    re.compile(
        rf"\b(?:{_KIN}|he|she|who|guy|girl|man|woman|boy|person|someone|somebody)(?:['’]?s| is| was)? "
        rf"(?:named|called|nicknamed) ({_CAPITAL})"
    ),
    re.compile(rf"\b(?:[Mm]y|[Hh]is|[Hh]er|[Oo]ur|[Tt]heir|[Yy]our)(?: [a-z]{{2,10}})? {_KIN},? ({_CAPITAL})"),
    re.compile(
        rf"\b(?:[Hh]i|[Hh]ello|[Hh]ey|[Dd]ear|[Bb]ye|[Gg]oodbye|[Tt]hanks|[Tt]hank you|[Ww]elcome),? ({_CAPITAL})(?=[ ,.!?]|$)"
    ),
)
TITLED = re.compile(
    rf"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Doctor|Prof|Professor|Pastor|Aunt|Auntie|Uncle|Coach|Officer|Judge|Reverend|Nurse|"
    rf"mr|mrs|ms|dr)\.? ({_CAPITAL})"
)

CHINESE_INTRODUCTION = re.compile(
    r"(?:我叫|名字叫|名字是|名叫|姓名是|姓名：|大家叫我|叫我|我是)做?"
    r"([\u4e00-\u9fff]{2,4}?)(?=[，。！？、；,.!?\s（(]|吧|就|的|今年|是|来自|$)"
)
#: 小王 and 老李, where nothing that would make another word of them follows.
NICKNAME = re.compile(
    r"[小老阿]([王李张刘陈杨赵黄周吴徐孙胡朱林郭罗梁宋郑谢韩唐冯董程曹袁邓许沈曾彭吕苏卢蒋蔡贾丁魏薛叶余潘杜戴])"
    r"(?=[，。！？、：；,.!?\s]|说|的|和|跟|是|也|就|都|在|把|被|给|对|会|让|总|很|又|还|不|觉|老是|$)"
)
_TITLES = re.compile(r"老师|医生|先生|女士|小姐|经理|教授|阿姨|叔叔|主任|律师|校长|警官|护士|师傅|同学|大夫|老板|总监")
#: Words that begin with a surname's sign, and signs that no given name has.
_NO_CHINESE_NAMES = frozenset(
    [
        "周围",
        "周末",
        "谢谢",
        "许多",
        "万一",
        "常常",
        "程度",
        "余下",
        "陆续",
        "史上",
        "江湖",
        "夏天",
        "易于",
        "曾经",
        "任性",
        "任何",
        "龙头",
        "汤药",
        "高中",
        "武术",
    ]
)
_NO_GIVEN_NAME = re.compile(r"[的是和都在了这那些个么们位我你他她它个一不有没跟说]")
_BEFORE_A_NAME = frozenset('，。！？、；：,.!?:; \n（(“"和跟是找给叫对的被让与向同问请到像而说，')


def phones(text: str) -> Iterator[tuple[int, int]]:
    """Yield where phone numbers stand, also those that a blank alone parts from other numbers."""
    at = 0
    while match := _PHONE.search(text, at):
        begin, at = match.span()
        if _is_phone(text, begin, at):
            yield begin, at
            continue
        parts = [(begin + part.start(), begin + part.end()) for part in _UNBROKEN.finditer(match[0])]
        runs = ((start, end) for first, (start, _) in enumerate(parts) for _, end in reversed(parts[first:]))
        if found := next((run for run in runs if _has_phone_form(text[slice(*run)])), None):
            yield found
            at = found[1]


def _is_phone(text: str, begin: int, end: int) -> bool:
    """Whether digits with what parts them are a phone number, rather than a date, a range or a sum."""
    number = text[begin:end]
    if not _may_be_phone(number):
        return False
    told = sum(map(str.isdigit, number)) == 10 or _PHONE_WORDS.search(text[max(0, begin - 60) : begin])
    return bool(told) or _has_phone_form(number)


def _may_be_phone(number: str) -> bool:
    return 7 <= sum(map(str.isdigit, number)) <= 15 and not _NO_PHONE.fullmatch(number)


def _has_phone_form(number: str) -> bool:
    return _may_be_phone(number) and (number.startswith("+") or bool(_PHONE_FORM.fullmatch(number)))


def address_begins(text: str, street: int) -> int:
    """Return where a Chinese address begins whose street's last word stands at a place."""
    begin = max(0, street - 24)
    marks = [match.end() for match in _ADDRESS_STARTS.finditer(text, begin, street)]
    return marks[-1] if marks else begin


def titled_names(text: str, surnames: Set[str]) -> Iterator[tuple[int, int]]:
    """Yield where the names before Chinese titles stand: a surname, or a whole name after a mark or a particle."""
    for match in _TITLES.finditer(text):
        end = match.start()
        for length in (3, 2):
            begin = end - length
            bounded = begin == 0 or (begin > 0 and text[begin - 1] in _BEFORE_A_NAME)
            if bounded and text[begin] in surnames and may_be_chinese_name(text[begin:end]):
                yield begin, end
                break
        else:
            if end and text[end - 1] in surnames and text[max(0, end - 2) : end] != "谢谢":
                yield end - 1, end


def may_be_chinese_name(name: str) -> bool:
    """Whether signs that begin with a surname may be a name, rather than a word or the beginning of a sentence."""
    return name[:2] not in _NO_CHINESE_NAMES and not _NO_GIVEN_NAME.search(name, 1)
