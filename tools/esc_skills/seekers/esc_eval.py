"""ESC-Eval's role cards (Zhao et al., 2024) as whole profiles.

A card of `data/card_*.json` (github.com/haidequanbu/ESC-Eval) has `id`, `language`, `res` (a category), `source` (the corpus
that it was drawn from) and `base`: lines of age, gender, occupation and problem, in English or Chinese. It says nothing of
disposition, hidden intention or first message: the first two are the person's to choose who imports it, since a card makes
as many seekers; the last stays empty.
"""

from __future__ import annotations

import re
from typing import Any

from esc_skills.documents.jsonl import parse_json
from esc_skills.errors import DocumentError
from esc_skills.seekers.profile import WholeProfile
from esc_skills.vocabulary import Disposition, HiddenIntention, Language

FORMAT = "esc-eval"

_LANGUAGES = {"english": Language.ENGLISH, "chinese": Language.CHINESE}
_LINE = re.compile(r"(Age|Gender|Occupation|Problem|年龄|性别|职业|问题) ?[:：] ?(.*)", re.IGNORECASE)
_FIELDS = {"年龄": "age", "性别": "gender", "职业": "occupation", "问题": "problem"}
_UNSAID = frozenset(("", "not mentioned", "unknown", "n/a", "none", "未提及", "未知", "无"))


def import_role_cards(
    text: str, shown: str, disposition: Disposition, intention: HiddenIntention
) -> tuple[WholeProfile, ...]:
    """Read a file of role cards as seekers of one disposition and one hidden intention.

    Raises:
        DocumentError: It is no list of cards, a card lacks its id, language or problem, or repeats an id.
    """
    value = parse_json(text, shown)
    if not isinstance(value, list):
        raise DocumentError(shown, 1, "role-card", "holds no list of role cards", "give a card file as published")
    profiles: dict[str, WholeProfile] = {}
    for position, card in enumerate(value, start=1):
        try:
            profile = profile_of_card(card, disposition, intention)
        except ValueError as error:
            raise DocumentError(
                shown, 0, "role-card", f"card {position}: {error}", "give a card file as published"
            ) from error
        if profile.id in profiles:
            raise DocumentError(shown, 0, "role-card", f"card {position}: the id {profile.id!r} occurs twice")
        profiles[profile.id] = profile
    return tuple(profiles.values())


def profile_of_card(card: Any, disposition: Disposition, intention: HiddenIntention) -> WholeProfile:
    """Return one card as a whole profile.

    Raises:
        ValueError: It lacks its id, language or problem.
    """
    said = card_fields(card)
    number, language = card.get("id"), card.get("language")
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 10**12:
        raise ValueError(f"the id {str(number)[:40]!r} should be a number")
    if language not in _LANGUAGES:
        raise ValueError(f"the language {str(language)[:40]!r} should be one of {', '.join(_LANGUAGES)}")
    if "problem" not in said:
        raise ValueError("'base' should have a line of the problem")
    return WholeProfile(
        id=f"esc-eval-{number}-{disposition}-{intention}",
        language=_LANGUAGES[language],
        disposition=disposition,
        intention=intention,
        persona="\n".join(f"{name}: {found}" for name, found in said.items() if name != "problem"),
        traits=(),
        background=said["problem"],
        first_message="",
        source=card,
        source_format=FORMAT,
    )


def card_fields(card: Any) -> dict[str, str]:
    """Return what a card says, by age, gender, occupation and problem; what it calls not mentioned is left out.

    Raises:
        ValueError: It has no text of that form.
    """
    base = card.get("base") if isinstance(card, dict) else None
    if not isinstance(base, str):
        raise ValueError("'base' should be text")
    said: dict[str, str] = {}
    name = ""
    for line in base.split("\n"):
        if match := _LINE.fullmatch(line.strip()):
            name = _FIELDS.get(match[1], match[1].lower())
            said[name] = match[2].strip()
        elif name:
            said[name] += f"\n{line}"
    return {name: found for name, found in said.items() if found.strip().rstrip("。.").lower() not in _UNSAID}
