"""Which changes of a bank need no evidence: typing errors in prose, and layout.

No simulation could tell such a change from none, and somebody still has to be able to mend a word. So the rule looks at
words alone and says no wherever it cannot see that the meaning stays: what it lets through is listed for a reader, and
what it refuses can come with evidence, or ride along with the next proposal that has some.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import chain
from pathlib import Path, PurePosixPath

from esc_skills.bank.changes import Part
from esc_skills.bank.reader import SKILL_FILE, Bank, read_bank, visible
from esc_skills.bank.skill import Skill
from esc_skills.documents.frontmatter import split_front_matter
from esc_skills.errors import InputError
from esc_skills.validation import check_version_bump
from esc_skills.vocabulary import Disposition, EmotionType, HiddenIntention, Risk, RiskCode, Stage, Strategy

#: The most words of one file that may be mended at once; more is a rewording.
MOST_WORDS = 5
#: A swapped or doubled letter is told from another word at this length already; any other letter at the longer one.
#: Measured on the shipped bank: these forms turn none of its words into another of its words (`docs/ci.md`).
_SHORT, _LONG = 5, 9
_SHOWN = "skills"
_VERSION = re.compile(r'^  version: "[^"\n]*"$', flags=re.MULTILINE)
#: A word with the marks around it that prose has; anything else, such as a code, a number or a list's mark, is no word.
_WORD = re.compile(r"([\"'“‘(]*)([A-Za-z]+(?:['’-][A-Za-z]+)*)([\"'”’).,;:?!]*)")
_NAMED = re.compile(r"`([a-z0-9-]+)`")
_TURNING_WORDS = Path(__file__).parent / "data" / "turning-words.txt"
_CODES = frozenset(chain(RiskCode, Strategy, HiddenIntention, Stage, Disposition, Risk, EmotionType))


class _MeaningError(Exception):
    """Something may have changed its meaning."""


def exemption(before_files: Mapping[str, bytes], after_files: Mapping[str, bytes]) -> list[str] | None:
    """Return what changed, in words, where every change is of a kind that needs no evidence.

    These kinds are: a typing error in guidance, in when to use and not to use, in the expected outcome, in the text of a
    risk or in the why of an example; the case of a first letter and a missing full stop there; white space; and the
    version, which has to rise. A skill for seekers at risk is never exempt, nor is a line that refers to one.

    A typing error turns a word that the bank writes nowhere else into one that it writes elsewhere, by two neighbouring
    letters that were swapped, a letter doubled or not, or, in a long word, one letter too many, too few or wrong. First
    letter, negations, quantities, numbers, pronouns, codes, skills' names and words outside a–z never change.

    Args:
        before_files: Every file of the bank's folder at the base, hidden ones too, by path relative to it.
        after_files: The same at the head. That no file's mode changed is for the caller to see.

    Returns:
        A line for each changed word and layout, by skill; empty where nothing changed; None where evidence is needed.
    """
    try:
        return list(_changes(before_files, after_files))
    except (_MeaningError, InputError):
        return None


def _changes(before_files: Mapping[str, bytes], after_files: Mapping[str, bytes]) -> Iterator[str]:
    if before_files.keys() != after_files.keys():
        raise _MeaningError
    changed = [path for path in sorted(before_files) if before_files[path] != after_files[path]]
    if not changed:
        return
    before, after = (read_bank(visible(files), _SHOWN) for files in (before_files, after_files))
    if before.skills.keys() != after.skills.keys():
        raise _MeaningError
    mended: dict[str, list[tuple[str, str, str]]] = {}
    for path in changed:
        name, file = PurePosixPath(path).parent.name, PurePosixPath(path).name
        if file != SKILL_FILE or path not in before.files:
            raise _MeaningError
        if any(check_version_bump(before_files[path], after_files[path], f"{_SHOWN}/{path}")):
            raise _MeaningError
        mended[name] = list(_mended(before, before.skills[name], after.skills[name]))
    _require_typing_errors(before, [pair for each in mended.values() for pair in each])
    for name, words in mended.items():
        yield from _lines(name, words, before.skills[name].text, after.skills[name].text)


def _lines(name: str, words: Iterable[tuple[str, str, str]], old: str, new: str) -> Iterator[str]:
    told = [f"{name} {part}: {was} becomes {now}" for part, was, now in words]
    yield from told or [f"{name}: the version alone" if _frame(old) == _frame(new) else f"{name}: layout alone"]


def _frame(text: str) -> str:
    return _VERSION.sub("", text, count=1)


def _mended(bank: Bank, old: Skill, new: Skill) -> Iterator[tuple[str, str, str]]:
    """Yield each word of a skill that changed, with its part; raise where anything else did."""
    if {*old.risk_levels, *new.risk_levels} != {Risk.NONE}:
        raise _MeaningError
    _require_same_frame(old.text, new.text)
    if _without_prose(old) != _without_prose(new):
        raise _MeaningError
    differing = list(_differing(_body(old.text).split(), _body(new.text).split()))
    found = [
        (part, was, now)
        for (part, before), (_, after) in zip(_prose(old), _prose(new), strict=True)
        for was, now in _mended_text(bank, before, after)
    ]
    # What stands outside the sections and the examples has no part here, so a change there is one too many.
    if len(found) != len(differing) or len(found) > MOST_WORDS:
        raise _MeaningError
    yield from found


def _require_same_frame(old: str, new: str) -> None:
    """Refuse a change of the front matter but of the version, and white space that is neither a blank nor a line end."""
    fronts = [split_front_matter(text, _SHOWN).yaml for text in (old, new)]
    if _frame(fronts[0]) != _frame(fronts[1]):
        raise _MeaningError
    if any((each.isspace() or not each.isprintable()) and each not in " \n" for each in new):
        raise _MeaningError


def _body(text: str) -> str:
    return split_front_matter(text, _SHOWN).body


def _without_prose(skill: Skill) -> Skill:
    """Return a skill with its prose, and with what only lays it out, taken away but for its extent."""
    return replace(
        skill,
        version="",
        text="",
        guidance=("",) * len(skill.guidance),
        when_to_use=("",) * len(skill.when_to_use),
        when_not_to_use=("",) * len(skill.when_not_to_use),
        expected_outcome="",
        risks=tuple(replace(risk, text="") for risk in skill.risks),
        examples=tuple(replace(example, why="") for example in skill.examples),
        avoid=tuple(replace(example, why="") for example in skill.avoid),
    )


def _prose(skill: Skill) -> Iterator[tuple[str, str]]:
    """Yield the parts of a skill in which a word may be mended, always in the same order."""
    yield from ((str(Part.GUIDANCE), text) for text in skill.guidance)
    yield from (("when to use", text) for text in skill.when_to_use)
    yield from (("when not to use", text) for text in skill.when_not_to_use)
    yield "expected outcome", skill.expected_outcome
    yield from ((str(Part.RISK), risk.text) for risk in skill.risks)
    yield from ((str(Part.EXAMPLE), example.why) for example in (*skill.examples, *skill.avoid))


def _differing(old: list[str], new: list[str]) -> Iterator[tuple[str, str]]:
    if len(old) != len(new):
        raise _MeaningError
    return ((was, now) for was, now in zip(old, new, strict=True) if was != now)


def _mended_text(bank: Bank, old: str, new: str) -> Iterator[tuple[str, str]]:
    before, after = old.split(), new.split()
    pairs = list(_differing(before, after))
    named = [bank.skills[name] for name in _NAMED.findall(old) if name in bank.skills]
    if pairs and any(skill.risk_levels != (Risk.NONE,) for skill in named):
        raise _MeaningError
    for was, now in pairs:
        if not (_is_case(was, now) or _typing_error(was, now) or _ends(before, after, was, now)):
            raise _MeaningError
        yield was, now


def _ends(before: list[str], after: list[str], was: str, now: str) -> bool:
    """Whether the two words are the last ones, and a full stop was missing."""
    return before[:-1] == after[:-1] and now == f"{was}." and _WORD.fullmatch(was) is not None and was[-1].isalpha()


def _is_case(old: str, new: str) -> bool:
    """Whether a word differs in the case of its first letter alone."""
    before, after = _WORD.fullmatch(old), _WORD.fullmatch(new)
    if before is None or after is None or turns(before[2].lower()):
        return False
    return before[1] == after[1] and before[3] == after[3] and before[2].swapcase()[0] + before[2][1:] == after[2]


def _typing_error(old: str, new: str) -> tuple[str, str] | None:
    """Return the two words, in small letters, where one is a slip of the other in its form; else None."""
    before, after = _WORD.fullmatch(old), _WORD.fullmatch(new)
    if before is None or after is None or (before[1], before[3]) != (after[1], after[3]):
        return None
    words = before[2].lower(), after[2].lower()
    if before[2][0] != after[2][0] or any(turns(word) for word in words) or not is_slip(*words):
        return None
    return words


def turns(word: str) -> bool:
    """Whether a word, in small letters, is a code or says whether, how much, when or who."""
    parts = re.split("['’-]", word)
    return word in _CODES or not _turning_words().isdisjoint(parts) or word.replace("’", "'").endswith("n't")


@cache
def _turning_words() -> frozenset[str]:
    lines = _TURNING_WORDS.read_text(encoding="utf-8").split("\n")
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def is_slip(old: str, new: str) -> bool:
    """Whether one word, in small letters, is the other with a slip of the keyboard in it.

    That is never in the first letter, and of a form and at a length at which two real words hardly ever differ.
    """
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    was, now = old[start : len(old) - end], new[start : len(new) - end]
    shorter = min(len(old), len(new))
    if start == 0 or shorter < _SHORT or not (was + now).isalpha():
        return False
    if len(was) == len(now) == 2:
        return was == now[::-1]
    if {len(was), len(now)} == {0, 1} and (was + now) == old[start - 1]:
        return True
    return max(len(was), len(now)) == 1 and end >= 2 and shorter >= _LONG


def _common(one: str, other: str) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _require_typing_errors(bank: Bank, mended: Iterable[tuple[str, str, str]]) -> None:
    """Refuse a slip that made, or was made of, a real word: the bank writes the old one nowhere else, the new one does."""
    slips = [slip for _, was, now in mended if (slip := _typing_error(was, now))]
    known = Counter(word for skill in bank.skills.values() for word in _words(_body(skill.text)))
    known.subtract(was for was, _ in slips)
    names = {part for name in bank.skills for part in (name, *name.split("-"))}
    for was, now in slips:
        if known[was] > 0 or known[now] <= 0 or not names.isdisjoint((was, now)):
            raise _MeaningError


def _words(text: str) -> Iterator[str]:
    return (mark[2].lower() for token in text.split() if (mark := _WORD.fullmatch(token)))
