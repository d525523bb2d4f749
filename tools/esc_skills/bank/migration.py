"""From the old form of a skill, all examples in one long file, to today's: a short `SKILL.md` and `references/`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from esc_skills.bank.edit import (
    raise_version,
    reference_path,
    render_examples,
    render_reference,
    replace_section,
    title_of,
)
from esc_skills.bank.reader import parse_documents
from esc_skills.bank.skill import OWN_AVOID, OWN_EXAMPLES, SKILL_FILE, Reference, SkillDocument, example_of
from esc_skills.documents.findings import has_errors
from esc_skills.errors import InputError

#: The longest description that the contract allows.
_LONGEST = 160
_DOMAIN = {"en": " Emotional support.", "zh": "情感支持。"}
#: A description holds no apostrophe; what is left of them after these is taken out.
_CONTRACTIONS = (
    (r"\bcan't\b", "cannot"), (r"\bwon't\b", "will not"), (r"n't\b", " not"), (r"\bI'm\b", "I am"), (r"'re\b", " are"),
    (r"'ve\b", " have"), (r"'ll\b", " will"), (r"\b([Ii]t|[Tt]hat|[Tt]here|[Ww]hat)'s\b", r"\1 is"),
)  # fmt: skip
_TRIGGER = re.compile(r"(?:^|(?<=[.。!?]))\s*Use when\s+(.+)$", flags=re.DOTALL)


def migrate(files: Mapping[str, bytes], shown: str) -> dict[str, str]:
    """Return the files that change when a bank of the old form takes today's, by path relative to its folder.

    No word of an example is lost: the first two and the first to avoid stay, all others move. A description becomes its own
    trigger, cut where it is too long, which a person reads over.

    Args:
        files: Content by path relative to the bank's folder.
        shown: The folder's name for messages.

    Raises:
        InputError: A skill cannot be read, or lacks what its new form is made of.
    """
    documents, findings = parse_documents(files, shown)
    if has_errors(findings):
        raise InputError(findings[0].as_text(), "mend it first; `esc-skills validate` lists all problems")
    changed: dict[str, str] = {}
    for document in documents:
        folder = PurePosixPath(document.path).relative_to(shown).parent
        made = _migrated(document)
        changed |= {str(folder / path): text for path, text in made.items()}
    return {path: text for path, text in changed.items() if files.get(path) != text.encode()}


def _migrated(document: SkillDocument) -> dict[str, str]:
    value, metadata = document.value, document.value.get("metadata", {})
    try:
        language, version = metadata["esc-language"], metadata["version"]
        examples = [example_of(each) for each in value["examples"]]
        avoid = [example_of(each) for each in value["avoid"]]
    except (KeyError, TypeError) as error:
        hint = "mend it first; `esc-skills validate` lists all problems"
        raise InputError(f"{document.path}: {error} is missing, of which the new form is made", hint) from error
    text = _with_description(document.text, str(value.get("description", "")), language)
    if len(examples) <= OWN_EXAMPLES and len(avoid) <= OWN_AVOID:
        return {SKILL_FILE: text if text == document.text else raise_version(text, version)}
    standing = {each.language: each.value for each in document.references}
    own = standing.get(language, {"examples": [], "avoid": []})
    further = Reference(
        (*examples[OWN_EXAMPLES:], *map(example_of, own["examples"])),
        (*avoid[OWN_AVOID:], *map(example_of, own["avoid"])),
    )
    content = render_examples(examples[:OWN_EXAMPLES], avoid[:OWN_AVOID], {*standing, language})
    text = raise_version(replace_section(text, "Examples", content), version)
    return {SKILL_FILE: text, reference_path(language): render_reference(title_of(text), language, further)}


def _with_description(text: str, description: str, language: str) -> str:
    """Return a file with its description's trigger first, and no longer than clients show."""
    found = _TRIGGER.search(description)
    if not found or language not in _DOMAIN:
        return text
    start = "When " if language == "en" else "当"
    room = _LONGEST - len(start) - len(_DOMAIN[language]) - 1
    trigger = found[1].strip().rstrip(".。").replace("’", "'")
    for short, long in _CONTRACTIONS:
        trigger = re.sub(short, long, trigger)
    trigger = re.sub(r"['\"]", "", trigger)
    if len(trigger) > room:
        cut = trigger[:room]
        comma = max(cut.rfind(mark) for mark in (", ", "，", "、"))
        # At the last comma, unless that leaves little.
        trigger = cut[: comma if comma > room // 2 else max(cut.rfind(" "), room // 2)].rstrip(" ,，")
    line = f'description: "{start}{trigger}{"." if language == "en" else "。"}{_DOMAIN[language]}"'
    return re.sub(r"^description: .*$", lambda _: line, text, count=1, flags=re.MULTILINE)
