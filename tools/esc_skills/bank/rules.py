"""The rules for one skill file: the published Agent Skills specification, and ESC's own contract inside it.

Specification: https://agentskills.io/specification. The portable subset is what every client that was tried accepts;
docs/validation.md lists the clients and what breaks them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from esc_skills.bank.edit import render_further, render_reference, title_of
from esc_skills.bank.skill import (
    OWN_AVOID,
    OWN_EXAMPLES,
    SECTIONS,
    Reference,
    ReferenceDocument,
    SkillDocument,
    example_of,
    read_range,
)
from esc_skills.documents.findings import Finding, Severity
from esc_skills.documents.schema import check_schema, line_at, suggest
from esc_skills.documents.templates import find_unfilled
from esc_skills.documents.yaml import escape_pointer
from esc_skills.vocabulary import Disposition, Language, Vocabulary

#: The words that a repository's skills may use unless its settings add some.
OURS = Vocabulary()
#: How a description begins in a language, and the domain that it names; other languages have no rule.
_DESCRIPTION: dict[str, tuple[str, str]] = {
    Language.ENGLISH: ("When ", "emotional support"),
    Language.CHINESE: ("当", "情感支持"),
}
_FIELDS = ("name", "description", "license", "compatibility", "metadata", "allowed-tools")
_ESC_FIELDS = ("name", "description", "license", "metadata")
_MAX_NAME, _MAX_DESCRIPTION, _MAX_COMPATIBILITY = 64, 1024, 500
#: Clients read the first 100 lines of a file.
MAX_LINES, MAX_TOKENS = 100, 5000
_RANGES = {"/metadata/esc-intensity": (1, 5), "/metadata/esc-expected-change": (-10, 10)}
#: Tabs, control characters and the line ends of Unicode: YAML 1.1 and 1.2 take them apart in different places.
_ODD = re.compile("[\\t\\x7f-\\x9f\\u2028\\u2029\\ufeff]")
_CJK = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")


def check_specification(document: SkillDocument) -> list[Finding]:
    """Return where a skill departs from the Agent Skills specification, and from nothing else."""
    value = document.yaml.value
    found = [*_check_fields(value), *_check_texts(value)]
    if "name" in value:
        found.extend(_check_name(value["name"], document.folder))
    if "metadata" in value:
        found.extend(_check_metadata(value["metadata"]))
    return [_finding(document, *each) for each in found]


def check_contract(document: SkillDocument, vocabulary: Vocabulary = OURS) -> list[Finding]:
    """Return where a skill departs from ESC's contract: its schema, its sections, its examples and the portable subset.

    Args:
        document: The skill.
        vocabulary: The words and further keys that it may use.
    """
    if unfilled := list(find_unfilled(document.text, document.path)):
        return unfilled  # what else departs follows from that
    if (old := _old_form(document)) is not None:
        return [_finding(document, "/examples", "old-form", old)]
    found = [*_check_portable_file(document), *_check_portable_values(document), *_check_body(document)]
    found.extend(_check_description(document))
    schema = check_schema(_without_own_keys(document.value, vocabulary), "skill", document.path, document.lines)
    found.extend(_check_vocabulary(document, vocabulary))
    if not schema:
        found.extend(_check_agreement(document))
    name = [each for each in _check_name(document.value.get("name"), document.folder) if each[1] == "spec-folder"]
    further = [each for reference in document.references for each in _check_reference(document, reference, vocabulary)]
    return [*schema, *(_finding(document, *each) for each in [*name, *found]), *further]


def _old_form(document: SkillDocument) -> str | None:
    """Return what tells a skill of the form in which all examples stood in `SKILL.md`; None for one of today's."""
    counts = [len(document.value.get(key, ())) for key in ("examples", "avoid")]
    if counts[0] <= OWN_EXAMPLES and counts[1] <= OWN_AVOID:
        return None
    held = f"holds {counts[0]} examples and {counts[1]} to avoid, where two and one are asked and all others are references"
    return f"{held}; run `esc-skills bank migrate`"


def _without_own_keys(value: dict[str, Any], vocabulary: Vocabulary) -> dict[str, Any]:
    metadata = value.get("metadata")
    if not isinstance(metadata, dict):
        return value
    return {**value, "metadata": {key: each for key, each in metadata.items() if key not in vocabulary.keys}}


def _check_vocabulary(document: SkillDocument, vocabulary: Vocabulary) -> Iterator[_Found]:
    metadata = document.value.get("metadata")
    if not isinstance(metadata, dict):
        return
    allowed = {
        "esc-stage": vocabulary.stages,
        "esc-strategies": vocabulary.strategies,
        "esc-needs": ("none", *vocabulary.needs),
        "esc-not-for": ("none", *vocabulary.needs, *Disposition),
        "esc-language": vocabulary.languages,
    }
    for key, words in allowed.items():
        found = metadata.get(key, [])
        for word in found if isinstance(found, list) else [found]:
            if isinstance(word, str) and word not in words:
                listed = ", ".join(map(str, words))
                hint = f"{suggest(word, list(words))}; docs/settings.md says how a repository adds its own"
                yield f"/metadata/{key}", "vocabulary", f"{word!r} is none of {listed}{hint}"


def _check_description(document: SkillDocument) -> Iterator[_Found]:
    """Check that a description opens with its trigger and names its domain, which is what clients show of a skill."""
    description, metadata = document.value.get("description"), document.value.get("metadata")
    form = _DESCRIPTION.get(str(metadata.get("esc-language"))) if isinstance(metadata, dict) else None
    if not isinstance(description, str) or form is None:
        return
    start, domain = form
    if not description.startswith(start):
        yield (
            "/description",
            "description-trigger",
            f"should begin with its trigger: {start!r} and what a seeker says or does",
        )
    if domain not in description.lower():
        yield (
            "/description",
            "description-domain",
            f"should name its domain: {domain!r}, or other agents take it for theirs",
        )
    if marks := sorted(set("'’") & set(description)):
        yield "/description", "description-characters", f"holds {marks[0]!r}, which some clients cut at; reword it"


def _check_reference(document: SkillDocument, reference: ReferenceDocument, vocabulary: Vocabulary) -> list[Finding]:
    """Return where a file of examples departs from its schema, or from the one form that its examples have."""

    def finding(code: str, message: str, line: int = 1) -> list[Finding]:
        return [Finding(reference.path, line, "", code, Severity.ERROR, message)]

    if "\r" in reference.text:
        return finding("portable-line-ends", "has CR line ends; save it with LF")
    if reference.text.startswith("\ufeff"):
        return finding("portable-bom", "starts with a byte order mark; save it as UTF-8 without one")
    if reference.language not in vocabulary.languages:
        known = ", ".join(map(str, vocabulary.languages))
        return finding("vocabulary", f"{reference.language!r} is none of {known}; docs/settings.md says how to add one")
    if not reference.value["examples"] and not reference.value["avoid"]:
        return finding("reference-empty", "holds no example; add one under a heading `## …`, or remove the file")
    found = check_schema(reference.value, "skill#reference", reference.path, reference.lines)
    if found:
        return found
    value = reference.value
    own = Reference(tuple(map(example_of, value["examples"])), tuple(map(example_of, value["avoid"])))
    right = render_reference(title_of(document.text), reference.language, own)
    if reference.text == right:
        return []
    pairs = zip(reference.text.split("\n"), right.split("\n"), strict=False)
    line, asked = next(((at, other) for at, (one, other) in enumerate(pairs, start=1) if one != other), (1, ""))
    wrong = [*reference.text.split("\n"), ""][line - 1]
    at = next(
        (at for at, (one, other) in enumerate(zip(wrong, asked, strict=False)) if one != other),
        min(len(wrong), len(asked)),
    )
    told = f"reads {_around(wrong, at)} and should read {_around(asked, at)}"
    return finding(
        "reference-form", f"{told}: headings and turns alone, each turn on one line, a blank line between", line
    )


def _around(line: str, at: int) -> str:
    """Return a line as text, from a little before a place in it."""
    start = max(0, at - 20)
    return repr(("…" if start else "") + line[start : at + 40])


_Found = tuple[str, str, str]


def _finding(document: SkillDocument, pointer: str, code: str, message: str) -> Finding:
    return Finding(document.path, line_at(document.lines, pointer) or 1, pointer, code, Severity.ERROR, message)


def _check_fields(value: dict[str, Any]) -> Iterator[_Found]:
    for key in value:
        if key not in _FIELDS:
            yield (
                f"/{escape_pointer(key)}",
                "spec-field",
                f"unknown key {key!r}{suggest(key, list(_FIELDS))}; allowed: {', '.join(_FIELDS)}",
            )
    for key in ("name", "description"):
        if key not in value:
            yield "", "spec-required", f"{key!r} is missing"


def _check_name(name: Any, folder: str) -> Iterator[_Found]:
    if not isinstance(name, str) or not name.strip():
        yield "/name", "spec-name", f"{_kind(name)} should be text in lower case with hyphens"
        return
    name = unicodedata.normalize("NFKC", name.strip())
    if len(name) > _MAX_NAME:
        yield "/name", "spec-name", f"has {len(name)} characters; at most {_MAX_NAME} are allowed"
    if name != name.lower() or not all(character.isalnum() or character == "-" for character in name):
        yield "/name", "spec-name", f"{name!r} may hold lower-case letters, digits and hyphens alone"
    if name.startswith("-") or name.endswith("-") or "--" in name:
        yield "/name", "spec-name", f"{name!r} may not start or end with a hyphen, nor hold two in a row"
    if name != unicodedata.normalize("NFKC", folder):
        yield "/name", "spec-folder", f"the name {name!r} differs from its folder {folder!r}; rename one of them"


def _check_texts(value: dict[str, Any]) -> Iterator[_Found]:
    for key, most in (("description", _MAX_DESCRIPTION), ("compatibility", _MAX_COMPATIBILITY)):
        if key not in value:
            continue
        text = value[key]
        if not isinstance(text, str) or not text.strip():
            yield f"/{key}", f"spec-{key}", f"{text!r} should be a non-empty text"
        elif len(text) > most:
            yield f"/{key}", f"spec-{key}", f"has {len(text)} characters; at most {most} are allowed"
    for key in ("license", "allowed-tools"):
        if key in value and not isinstance(value[key], str):
            yield f"/{key}", f"spec-{key}", f"{_kind(value[key])} should be text"


def _check_metadata(metadata: Any) -> Iterator[_Found]:
    if not isinstance(metadata, dict):
        yield "/metadata", "spec-metadata", f"{_kind(metadata)} should be a mapping of keys to text"
        return
    for key, each in metadata.items():
        if not isinstance(each, str):
            yield f"/metadata/{escape_pointer(key)}", "spec-metadata", f"{_kind(each)} should be text"


def _kind(value: Any) -> str:
    return {dict: "a mapping", list: "a list", type(None): "an empty value"}.get(type(value), repr(value))


def _check_portable_file(document: SkillDocument) -> Iterator[_Found]:
    text = document.text
    if text.startswith("\ufeff"):
        yield "", "portable-bom", "starts with a byte order mark; save it as UTF-8 without one"
    if "\r" in text:
        yield "", "portable-line-ends", "has CR line ends; save it with LF"
    if not text.endswith("\n"):
        yield "", "portable-final-newline", "does not end with a line end"
    lines = text.removeprefix("\ufeff").split("\n")
    if lines[0] != "---" or lines[document.front.body_line - 2] != "---":
        yield "", "portable-fence", "the two `---` must stand without spaces"
    front = document.front.yaml
    for mark in sorted(set(_ODD.findall(front))):
        yield "", "portable-characters", f"holds U+{ord(mark):04X} in the front matter, which clients read differently"
    if "---" in front and not any("---" in text for _, text in _texts(document.yaml.value)):
        yield "", "portable-characters", "holds '---' in a comment or key, at which some clients cut; reword it"
    if len(lines) - 1 > MAX_LINES:
        yield "", "too-long", f"has {len(lines) - 1} lines; at most {MAX_LINES} are allowed"
    if (tokens := estimate_tokens(text)) > MAX_TOKENS:
        yield "", "too-long", f"has about {tokens} tokens; at most {MAX_TOKENS} are allowed"


def _check_portable_values(document: SkillDocument) -> Iterator[_Found]:
    for pointer in sorted(document.yaml.flow):
        yield pointer, "portable-flow", "is written in flow style; write a block, one key a line"
    for key in document.yaml.value:
        if key not in _ESC_FIELDS:
            yield (
                f"/{escape_pointer(key)}",
                "portable-field",
                f"{key!r} breaks some clients; the contract allows {', '.join(_ESC_FIELDS)}",
            )
    for pointer, text in _texts(document.yaml.value):
        for mark in ("---", "<", ">"):
            if mark in text:
                yield pointer, "portable-characters", f"holds {mark!r}, which some clients cut or refuse; reword it"
        if pointer.startswith("/metadata/") and pointer not in document.yaml.quoted:
            yield pointer, "portable-quotes", "put the value in double quotes"
    name = document.yaml.value.get("name")
    if isinstance(name, str) and not name.isascii():
        yield "/name", "portable-name", f"{name!r} holds characters outside ASCII, which five clients refuse"


def _texts(value: dict[str, Any], pointer: str = "") -> Iterator[tuple[str, str]]:
    for key, each in value.items():
        below = f"{pointer}/{escape_pointer(key)}"
        if isinstance(each, dict):
            yield from _texts(each, below)
        elif each is not None and not isinstance(each, list):
            yield below, str(each)


def _check_body(document: SkillDocument) -> Iterator[_Found]:
    titles = [section.title for section in document.sections if section.level == 2]
    known = list(SECTIONS)
    for section in document.sections:
        if section.level == 2 and section.title not in SECTIONS:
            yield (
                "",
                "unknown-section",
                f"line {section.line}: {section.title!r} is no section of a skill{suggest(section.title, known)}",
            )
    expected = [title for title in known if title in titles]
    if [title for title in titles if title in SECTIONS] != expected:
        yield "", "section-order", f"sections should stand once each, in the order {', '.join(known)}"


def _check_agreement(document: SkillDocument) -> Iterator[_Found]:
    """Check what holds between values; called only where each value is sound in itself."""
    metadata = document.value["metadata"]
    written = [risk["code"] for risk in document.value["risks"]]
    if metadata["esc-risks"] != written:
        yield (
            "/metadata/esc-risks",
            "risks-differ",
            f"names {', '.join(metadata['esc-risks'])}; the section Risks has {', '.join(written)}",
        )
    for pointer, (least, most) in _RANGES.items():
        low, high = read_range(metadata[pointer.rpartition("/")[2]])
        if not least <= low <= high <= most:
            yield pointer, "range", f"{low} to {high} should rise and lie within {least} to {most}"
    clash = sorted((set(metadata["esc-needs"]) & set(metadata["esc-not-for"])) - {"none"})
    if clash:
        yield (
            "/metadata/esc-not-for",
            "needs-differ",
            f"{', '.join(clash)} stands in esc-needs too; it can only be one of them",
        )
    link = render_further(each.language for each in document.references)
    if document.value["further"] != link:
        asked = f"should be {link!r}" if link else "should not be there"
        yield "/examples", "examples-link", f"{document.value['further'][:80]!r} {asked}, under the heading Examples"
    for word, key in (("any", "esc-emotions"), ("none", "esc-not-for"), ("none", "esc-needs")):
        if word in metadata[key] and len(metadata[key]) > 1:
            yield f"/metadata/{key}", "alone", f"{word!r} can only stand alone"


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a text has: one for each Chinese character, one for four other characters."""
    chinese = len(_CJK.findall(text))
    return chinese + (len(text) - chinese + 3) // 4
