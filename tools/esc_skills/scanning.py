"""Scanning: which texts of a repository are looked through for what, and what stands in them that should not.

`safety.scan` knows the rules; here they are laid on the spans of skills, on profiles and on prompts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from esc_skills.bank.skill import AVOID_TITLE, SKILL_FILE
from esc_skills.bank.spans import EXAMPLES, Span, split_spans
from esc_skills.documents.findings import Finding, Severity
from esc_skills.safety.scan import SIGNS, Hit, TextRule, scan, scan_answer

#: The parts of a skill that say what the supporter does; what is to be avoided stands in others.
_SAYS_WHAT_TO_DO = frozenset(("guidance", "when to use", "title", "description", "expected outcome"))
_TURNS = re.compile(r"\*\*Seeker:\*\*\s*(.*?)\s*\*\*Supporter:\*\*\s*(.*?)\s*(?=\*\*|$)", re.DOTALL)
_KEY_COMMENT = re.compile(r"(?:^|\s)(#[^\n]*)")
_QUOTED = re.compile(r'"(?:[^"\\\n]|\\.)*"')


def check_bank_text(files: Mapping[str, bytes], folder: str, allowed: Collection[str]) -> Iterator[Finding]:
    """Yield what stands in the files of a bank that should not.

    Args:
        files: Content by path relative to the bank's folder.
        folder: The bank's folder, for messages.
        allowed: Hits that the settings allow.
    """
    for path in sorted(files):
        line = 1
        for span in split_spans(path, files[path]):
            for hit in _hits(path, span, allowed):
                yield _finding(f"{folder}/{path}", hit, line)
            line += span.text.count("\n")


def check_other_text(data: bytes, path: str, allowed: Collection[str], *, prompt: bool) -> Iterator[Finding]:
    """Yield what stands in a profile or a prompt that should not; a prompt instructs a model by its nature.

    Args:
        data: The file.
        path: Its name, for messages.
        allowed: Hits that the settings allow.
        prompt: Whether it is a prompt.
    """
    rules = SIGNS if prompt else SIGNS | {TextRule.AGENT}
    rules -= {TextRule.COMMENT} if path.endswith((".yaml", ".yml")) or prompt else set()
    for hit in scan(data.decode("utf-8", "replace"), rules, allowed):
        yield _finding(path, hit, 1)


def new_findings(before: Iterator[Finding], after: Iterator[Finding]) -> Iterator[Finding]:
    """Yield the findings of a state that the one before did not have as often, whatever their lines."""
    known = Counter((each.path, each.code, each.message) for each in before)
    for each in after:
        key = each.path, each.code, each.message
        if known[key]:
            known[key] -= 1
        else:
            yield each


def _hits(path: str, span: Span, allowed: Collection[str]) -> Iterator[Hit]:
    rules = SIGNS | {TextRule.AGENT}
    avoided = span.text.lstrip("\n# ").startswith(AVOID_TITLE)
    if span.part in _SAYS_WHAT_TO_DO or (span.part == EXAMPLES and not avoided):
        rules |= {TextRule.RED_ACT}
    yield from scan(span.text, rules, allowed)
    if span.part == EXAMPLES and not avoided:
        for turn in _TURNS.finditer(span.text):
            yield from _red_answers(span, turn, allowed)
    if (
        path.endswith(SKILL_FILE)
        and not span.text.startswith("\n")
        and (mark := _KEY_COMMENT.search(_QUOTED.sub("", span.text)))
    ):
        hit = Hit(TextRule.COMMENT, 1, mark[1][:100])
        if f"{hit.rule} {hit.found}" not in allowed:
            yield hit


def _red_answers(span: Span, turn: re.Match[str], allowed: Collection[str]) -> Iterator[Hit]:
    for found in scan_answer(turn[2], turn[1]):
        if f"{TextRule.RED_ACT} {found}" not in allowed:
            yield Hit(TextRule.RED_ACT, span.text.count("\n", 0, turn.start(2)) + 1, found)


def _finding(path: str, hit: Hit, first: int) -> Finding:
    return Finding(path, first + hit.line - 1, "", f"text-{hit.rule}", Severity.ERROR, hit.message)
