"""The published specification's own checker, skills-ref, and ours must agree, but for the differences listed here.

Where the two differ, the table says why, and the test fails too when a listed difference has gone.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esc_skills.bank.skill import parse_skill
from esc_skills.documents.shipped import shipped
from esc_skills.documents.text import decode
from esc_skills.validation import Rules, validate_paths
from tests.samples import skill_text, write_skill

skills_ref = pytest.importorskip("skills_ref", reason="skills-ref belongs to the test group")

PUBLISHED = os.environ.get("ESC_SKILLS_PUBLISHED", "")
GOOD = "name: a-skill\ndescription: Does one thing. Use when it is asked for.\n"

# Why the two may differ.
SPLITS_ANYWHERE = "skills-ref cuts the file at any `---`, also inside a value; the specification's fence is a line"
LATER_FENCE = "skills-ref takes any text that starts with `---`, such as `---name: x`, for a fence"
STRICT_YAML = (
    "skills-ref reads StrictYAML, which knows no flow style, no tags and no typed values; the specification says YAML"
)
TEXT_IS_TEXT = "the specification asks for text; StrictYAML reads every scalar as text, clients with plain YAML do not"
NOT_CHECKED = "the specification gives the type or length of the field; skills-ref does not check it"
BOM = "skills-ref refuses a byte order mark; the specification is silent, and the contract refuses it on its own"
TAB = "YAML allows a tab after a colon; StrictYAML does not, and the contract refuses it on its own"
STRICTER_FILE = "we refuse what no text file should hold, before any parsing"
LOWER_CASE = "skills-ref takes skill.md too; the specification names SKILL.md, and clients look for that name alone"


@dataclass(frozen=True)
class Case:
    """A SKILL.md in a folder, with the reason why the two checkers, or the values that they read, differ on it."""

    id: str
    text: str | bytes
    folder: str = "a-skill"
    differs: str = ""
    values_differ: str = ""
    file: str = "SKILL.md"


def front(yaml: str, body: str = "# Body\n") -> str:
    return f"---\n{yaml}---\n{body}"


def with_name(name: str) -> str:
    return front(f"name: {name}\ndescription: d\n")


def more(yaml: str) -> str:
    return front(GOOD + yaml)


CASES = [
    Case("a plain skill", front(GOOD)),
    Case(
        "every field",
        more("license: MIT\ncompatibility: all\nallowed-tools: Read Write\nmetadata:\n  version: '1.0'\n"),
    ),
    Case("no body", front(GOOD, "")),
    Case("no line end after the fence", front(GOOD, "").rstrip("\n")),
    Case("comments", more("# a comment\nlicense: MIT # another\n")),
    Case("single and double quotes", front("name: 'a-skill'\ndescription: \"Says \\\"yes\\\": \\u00e9 and it''s\"\n")),
    Case("a folded description", front("name: a-skill\ndescription: >\n  one\n  two\n\n  three\n")),
    Case("a folded and stripped description", front("name: a-skill\ndescription: >-\n  one\n  two\n")),
    Case("a literal description", front("name: a-skill\ndescription: |\n  one\n    two\n\n\n  three\n\n")),
    Case("a literal description that keeps its end", front("name: a-skill\ndescription: |+\n  one\n\n")),
    Case("a plain description over two lines", front("name: a-skill\ndescription: one\n  two\n")),
    Case("a name with spaces around", front('name: " a-skill "\ndescription: d\n')),
    Case("Chinese and an emoji", front("name: a-skill\ndescription: 陪伴 😀 é\nmetadata:\n  作者: 我们\n")),
    Case("a name beyond ASCII", with_name("技能-é"), folder="技能-é"),
    Case("a name in another normal form", with_name("caf\u0065\u0301"), folder="caf\u00e9"),
    Case("a name in capitals", with_name("A-skill"), folder="A-skill"),
    Case("a name with an underscore", with_name("a_skill"), folder="a_skill"),
    Case("a name with a space", with_name("a skill"), folder="a skill"),
    Case("a name with a dot", with_name("a.skill"), folder="a.skill"),
    Case("a name that starts with a hyphen", with_name("-skill"), folder="-skill"),
    Case("a name that ends with a hyphen", with_name("skill-"), folder="skill-"),
    Case("a name with two hyphens", with_name("a--skill"), folder="a--skill"),
    Case("a name of 64 characters", with_name("a" * 64), folder="a" * 64),
    Case("a name of 65 characters", with_name("a" * 65), folder="a" * 65),
    Case("a name that differs from the folder", with_name("b-skill")),
    Case("an empty name", front('name: ""\ndescription: d\n')),
    Case("a name without a value", front("name:\ndescription: d\n")),
    Case("no name", front("description: d\n")),
    Case("a name that is a list", front("name:\n- a-skill\ndescription: d\n")),
    Case("a name that is a number", with_name("123"), folder="123", differs=TEXT_IS_TEXT),
    Case("no description", front("name: a-skill\n")),
    Case("an empty description", front('name: a-skill\ndescription: "  "\n')),
    Case("a description without a value", front("name: a-skill\ndescription:\n")),
    Case("a description of 1,024 characters", front(f"name: a-skill\ndescription: {'d' * 1024}\n")),
    Case("a description of 1,025 characters", front(f"name: a-skill\ndescription: {'d' * 1025}\n")),
    Case("a description that is a mapping", front("name: a-skill\ndescription:\n  a: b\n")),
    Case("a description that is a number", front("name: a-skill\ndescription: 5\n"), differs=TEXT_IS_TEXT),
    Case("a description that is a date", front("name: a-skill\ndescription: 2026-01-02\n"), differs=TEXT_IS_TEXT),
    Case("a compatibility of 500 characters", more(f"compatibility: {'c' * 500}\n")),
    Case("a compatibility of 501 characters", more(f"compatibility: {'c' * 501}\n")),
    Case("an empty compatibility", more('compatibility: ""\n'), differs=NOT_CHECKED),
    Case("a compatibility that is a list", more("compatibility:\n- all\n")),
    Case("a licence that is a list", more("license:\n- MIT\n"), differs=NOT_CHECKED),
    Case("a licence without a value", more("license:\n"), differs=TEXT_IS_TEXT),
    Case("tools that are a list", more("allowed-tools:\n- Read\n- Write\n"), differs=NOT_CHECKED),
    Case("tools in flow style", more("allowed-tools: [Read, Write]\n")),
    Case("an unknown field", more("author: somebody\n")),
    Case("a field in capitals", more("License: MIT\n")),
    Case("metadata that is a list", more("metadata:\n- a\n"), differs=NOT_CHECKED),
    Case("metadata that is text", more("metadata: words\n"), differs=NOT_CHECKED),
    Case("metadata without a value", more("metadata:\n"), differs=TEXT_IS_TEXT),
    Case("metadata that is nested", more("metadata:\n  a:\n    b: c\n"), differs=NOT_CHECKED),
    Case("metadata with a number", more("metadata:\n  version: 1.0\n"), differs=TEXT_IS_TEXT),
    Case("metadata with true", more("metadata:\n  beta: true\n"), differs=TEXT_IS_TEXT),
    Case("metadata with a version in words", more("metadata:\n  version: 1.0.0\n  author: some team\n")),
    Case("metadata in flow style", more('metadata: {version: "1.0"}\n'), differs=STRICT_YAML),
    Case("an anchor and an alias", more("license: &x MIT\ncompatibility: *x\n")),
    Case("a tag", more("license: !!str MIT\n")),
    Case("a repeated key", front(GOOD + "name: a-skill\n")),
    Case("a repeated key in metadata", more("metadata:\n  a: b\n  a: c\n")),
    Case("an unquoted colon", front("name: a-skill\ndescription: Use when: asked\n")),
    Case("a value that starts with a star", front("name: a-skill\ndescription: *one* thing\n")),
    Case("a value that starts with an at sign", front("name: a-skill\ndescription: @one thing\n")),
    Case("dashes inside a value", front('name: a-skill\ndescription: "one --- two"\n'), differs=SPLITS_ANYWHERE),
    Case(
        "dashes inside a plain value", front("name: a-skill\ndescription: one --- two\n"), values_differ=SPLITS_ANYWHERE
    ),
    Case(
        "dashes in a literal block",
        front("name: a-skill\ndescription: |\n  one\n  ---\n  two\n"),
        values_differ=SPLITS_ANYWHERE,
    ),
    Case("dashes in a comment", more("# one --- two\nmetadata:\n  a: b\n"), values_differ=SPLITS_ANYWHERE),
    Case("dashes in the body", front(GOOD, "one\n\n---\n\ntwo\n")),
    Case("windows line ends", front(GOOD).replace("\n", "\r\n")),
    Case("old Mac line ends", front(GOOD).replace("\n", "\r"), differs=LATER_FENCE),
    Case("spaces after the fences", front(GOOD).replace("---\n", "---  \n")),
    Case("a name on the line of the fence", "---name: a-skill\ndescription: d\n---\n", differs=LATER_FENCE),
    Case("a byte order mark", "\ufeff" + front(GOOD), differs=BOM),
    Case("an empty line before the fence", "\n" + front(GOOD)),
    Case("no fence", "# A skill\n"),
    Case("no closing fence", f"---\n{GOOD}"),
    Case("nothing at all", ""),
    Case("an empty front matter", front("")),
    Case("a front matter of text", front("words\n")),
    Case("a front matter that is a list", front("- a\n- b\n")),
    Case("a tab as indentation", more("metadata:\n\ta: b\n")),
    Case("a tab after a colon", front("name:\ta-skill\ndescription:\td\n"), differs=TAB),
    Case("an indented front matter", front("  name: a-skill\n  description: d\n")),
    Case("a wrong encoding", front(GOOD.replace("one", "où")).encode("latin-1")),
    Case("a NUL", front(GOOD.replace("one", "o\0ne"))),
    Case("a NUL in the body", front(GOOD, "a\0b"), differs=STRICTER_FILE),
    Case("a null as a description", front("name: a-skill\ndescription: ~\n"), differs=TEXT_IS_TEXT),
    Case("a merge key", more("metadata:\n  <<: x\n")),
    Case("a file in lower case", front(GOOD), file="skill.md", differs=LOWER_CASE),
]


def theirs(folder: Path) -> list[str]:
    """What skills-ref finds; its traceback counts as a refusal."""
    try:
        return list(skills_ref.validate(folder))
    except Exception as error:
        return [repr(error)]


def ours(folder: Path) -> list[str]:
    return [finding.as_text() for finding in validate_paths([folder], Rules.AGENT_SKILLS).findings]


def their_values(folder: Path) -> dict[str, Any]:
    properties = skills_ref.read_properties(folder)
    return {"name": properties.name, "description": properties.description, "metadata": dict(properties.metadata or {})}


def our_values(folder: Path) -> dict[str, Any]:
    path = folder / "SKILL.md"
    value = parse_skill(decode(path.read_bytes(), str(path)), str(path), folder.name).yaml.value
    texts = {key: value[key].strip() for key in ("name", "description")}
    return {**texts, "metadata": value.get("metadata", {})}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_both_checkers_say_the_same_but_for_the_listed_differences(case: Case, tmp_path: Path) -> None:
    folder = tmp_path / case.folder
    folder.mkdir()
    (folder / case.file).write_bytes(case.text if isinstance(case.text, bytes) else case.text.encode())
    found = {"skills-ref": theirs(folder), "ours": ours(folder)}
    assert (bool(found["ours"]) == bool(found["skills-ref"])) is not bool(case.differs), found
    if not (found["ours"] or found["skills-ref"]):
        assert (our_values(folder) == their_values(folder)) is not bool(case.values_differ)


#: What is put into the front matter of a sound skill: the marks of YAML, line ends of every kind, other alphabets.
MARKS = [
    *"\t \n\r'\":[]0~\\%@`,=é中😀\u2028\x85\ufeff\x7f\u00a0",
    *("\n  ", "---", "# ", " # ", ": ", "&a ", "*a", "!x ", "{}", "> ", "|\n", "- ", "? ", "<<: "),
]
marks = st.sampled_from(MARKS)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(4, skill_text().index("\n---\n")), marks), min_size=1, max_size=2))
def test_whatever_the_contract_accepts_skills_ref_accepts_with_equal_values(
    tmp_path: Path, insertions: list[tuple[int, str]]
) -> None:
    text = skill_text()
    for at, mark in insertions:
        text = text[:at] + mark + text[at:]
    path = write_skill(tmp_path, text=text)
    if not validate_paths([path], Rules.ESC).findings:
        assert theirs(path.parent) == []
        assert our_values(path.parent) == their_values(path.parent)


@pytest.mark.parametrize("path", sorted(shipped("skills").glob("*/SKILL.md")), ids=lambda path: path.parent.name)
def test_skills_ref_accepts_every_shipped_skill(path: Path) -> None:
    assert theirs(path.parent) == []
    assert our_values(path.parent) == their_values(path.parent)


@pytest.mark.skipif(not PUBLISHED, reason="ESC_SKILLS_PUBLISHED names no folder of published skills")
def test_both_checkers_say_the_same_of_published_skills(record_property: Any) -> None:
    """Both ways: nothing that skills-ref refuses passes here, and what we alone refuse has a reason of the table."""
    folders = sorted(path.parent for path in Path(PUBLISHED).rglob("SKILL.md"))
    assert folders
    both_accept = both_refuse = 0
    differences: dict[Path, tuple[list[str], list[str]]] = {}
    for folder in folders:
        mine, other = ours(folder), theirs(folder)
        if bool(mine) != bool(other):
            differences[folder] = (mine, other)
        elif mine:
            both_refuse += 1
        else:
            both_accept += 1
            assert our_values(folder) == their_values(folder), folder
    figures = (
        f"{len(folders)} skills: {both_accept} accepted and {both_refuse} refused by both, {len(differences)} differ"
    )
    record_property("figures", figures)
    print(figures)
    unexplained = {str(folder): found for folder, found in differences.items() if not _is_explained(*found, folder)}
    assert unexplained == {}


def _is_explained(mine: list[str], other: list[str], folder: Path) -> bool:
    if mine:
        codes = [each.split(": ")[1] for each in mine]
        return all(
            code in ("spec-metadata", "spec-license", "spec-allowed-tools", "spec-compatibility") for code in codes
        )
    text = (folder / "SKILL.md").read_text(encoding="utf-8")
    value = parse_skill(text, "SKILL.md", folder.name)
    cut = "---" in value.front.yaml
    return bool(value.yaml.flow) or cut or "tabs" in other[0]
