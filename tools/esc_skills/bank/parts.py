"""The parts of a skill as language models are shown them and write them, and what none may put in or take out.

What a model writes was made after reading strangers' words, so it comes in as plain text, and what stands in a skill for
danger stays.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from esc_skills.bank.edit import replace_examples, replace_section, set_metadata
from esc_skills.bank.skill import SECTIONS, Example, Skill

#: What a model may be shown and may change: the sections of `SKILL.md`, with the example to avoid among the examples.
PARTS = (*SECTIONS.values(), "needs", "not_for")
_EXAMPLE_KEYS = ("title", "seeker", "supporter", "why")
_TITLES = {key: title for title, key in SECTIONS.items()}
#: What opens a block at the start of a line of Markdown, or hides text from whoever reads the page: tags anywhere, and
#: the definition of a link.
_MARKUP = re.compile(
    r"^(?:#{1,6}(?:\s|$)|>|[-+*](?:\s|$)|\d+[.)](?:\s|$)|(?:[-_*=]\s*){2,}$|`{3}|~{3}|\[[^\]]*\]:)|<[A-Za-z!?/]"
)
#: An item for danger: the risk `missed-risk`, or one that hands over to a skill for risk.
_DANGER = re.compile(r"`[a-z-]*risk[a-z-]*`")


def parts_of(skill: Skill) -> dict[str, Any]:
    """Return the parts of a skill in the form in which models are shown them; in an example to follow `why` is None."""
    told = json.loads(json.dumps(asdict(skill)))
    own = [{key: each[key] for key in _EXAMPLE_KEYS} for each in told["examples"] + told["avoid"]]
    examples = [{**each, "why": each["why"] or None} for each in own]
    return {**{part: told[part] for part in PARTS}, "examples": examples}


def write_part(text: str, part: str, value: Any) -> str:
    """Return a skill's file with one part replaced, and the metadata that follows from it.

    Args:
        text: The file.
        part: One of `PARTS`.
        value: Its content in the form of `parts_of`.

    Raises:
        InputError: The file lacks the section or the key, or the value would break the front matter.
    """
    if part in ("needs", "not_for"):
        return set_metadata(text, f"esc-{part.replace('_', '-')}", ", ".join(value) or "none")
    if part == "risks":
        text = set_metadata(text, "esc-risks", ", ".join(risk["code"] for risk in value))
    if part == "examples":
        follow = [Example(**{**each, "why": ""}) for each in value if each["why"] is None]
        return replace_examples(text, follow, [Example(**each) for each in value if each["why"] is not None])
    return replace_section(text, _TITLES[part], _content(part, value))


def _content(part: str, value: Any) -> str:
    if part == "expected_outcome":
        return str(value)
    marks = (f"{number}." if part == "guidance" else "-" for number in range(1, len(value) + 1))
    return "\n".join(f"{mark} {item}" for mark, item in zip(marks, _items(value), strict=True))


def _items(value: Iterable[Any]) -> list[str]:
    return [f"`{each['code']}`: {each['text']}" if isinstance(each, dict) else str(each) for each in value]


def find_markup(text: str) -> str | None:
    """Return the markup with which a text would break out of its place, or out of sight; None where there is none."""
    found = _MARKUP.search(text)
    return found[0] if found else None


def is_for_danger(item: str) -> bool:
    """Return whether an item of a skill is about danger: it names `missed-risk` or a skill for risk."""
    return bool(_DANGER.search(item))


def find_lost_danger(standing: Mapping[str, Any], changed: Mapping[str, Any]) -> str | None:
    """Return an item for danger that changed parts do not hold any more as it stood; None where all are there.

    Args:
        standing: The parts of a skill.
        changed: The new content of some of them.
    """
    for part in ("guidance", "when_to_use", "when_not_to_use", "risks"):
        for item in _items(standing[part]) if part in changed else []:
            if is_for_danger(item) and item not in _items(changed[part]):
                return item
    return None


def texts_in(value: Any) -> Iterator[str]:
    """Yield every text of parts, however deep."""
    if isinstance(value, str):
        yield value
    elif value is not None:
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from texts_in(each)


def flatten(value: Any) -> Any:
    """Return parts with every text on one line, as a file of a skill holds them."""
    if isinstance(value, dict):
        return {key: flatten(each) for key, each in value.items()}
    if isinstance(value, list):
        return [flatten(each) for each in value]
    return " ".join(value.split()) if isinstance(value, str) else value
