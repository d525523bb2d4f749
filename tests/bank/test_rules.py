"""The rules for one skill: each departure is named, placed and answered; a sound skill has none."""

from __future__ import annotations

import pytest

from esc_skills.bank.rules import MAX_LINES, MAX_TOKENS, check_contract, check_specification, estimate_tokens
from esc_skills.bank.skill import SkillDocument, parse_skill
from tests.samples import BODY, skill_text

PATH = "skills/wait-a-little/SKILL.md"


def document(text: str, folder: str = "wait-a-little") -> SkillDocument:
    return parse_skill(text, PATH, folder)


def contract(text: str, folder: str = "wait-a-little") -> list[str]:
    return [each.as_text().removeprefix(PATH) for each in check_contract(document(text, folder))]


def specification(front: str, folder: str = "wait-a-little") -> list[str]:
    found = check_specification(document(f"---\n{front}\n---\nbody\n", folder))
    return [each.as_text().removeprefix(PATH) for each in found]


def test_a_sound_skill_has_no_finding_under_either_rules() -> None:
    assert contract(skill_text()) == []
    assert check_specification(document(skill_text())) == []


def replaced(old: str, new: str) -> str:
    text = skill_text()
    assert old in text
    return text.replace(old, new)


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        pytest.param(
            replaced("license: Apache-2.0", 'license: Apache-2.0\nallowed-tools: "Read"'),
            ":5: portable-field: 'allowed-tools' breaks some clients; the contract allows name, description, license, metadata (/allowed-tools)",
            id="a field that breaks clients",
        ),
        pytest.param(
            skill_text(description="Turns anger -> words, slowly. Use when the seeker shouts."),
            ":3: portable-characters: holds '>', which some clients cut or refuse; reword it (/description)",
            id="an arrow",
        ),
        pytest.param(
            replaced('esc-needs: "be-heard"', "esc-needs: be-heard"),
            ":11: portable-quotes: put the value in double quotes (/metadata/esc-needs)",
            id="a value without quotes",
        ),
        pytest.param(
            "\ufeff" + skill_text(),
            ":2: portable-bom: starts with a byte order mark; save it as UTF-8 without one",
            id="a byte order mark",
        ),
        pytest.param(
            skill_text().replace("\n", "\r\n"),
            ":2: portable-line-ends: has CR line ends; save it with LF",
            id="windows line ends",
        ),
        pytest.param(
            skill_text().rstrip("\n"), ":2: portable-final-newline: does not end with a line end", id="no last line end"
        ),
        pytest.param(
            replaced("---\n\n#", "--- \n\n#"),
            ":2: portable-fence: the two `---` must stand without spaces",
            id="a space",
        ),
        pytest.param(
            replaced("license: ", "license:\t"),
            ":2: portable-characters: holds U+0009 in the front matter, which clients read differently",
            id="a tab",
        ),
        pytest.param(
            replaced("license: ", "# a --- comment\nlicense: "),
            ":2: portable-characters: holds '---' in a comment or key, at which some clients cut; reword it",
            id="dashes in a comment",
        ),
        pytest.param(
            replaced('version: "1.0.0"', 'version: "1.0"'),
            ':6: schema-pattern: "1.0" should be a version such as "1.2.0" (/metadata/version)',
            id="a version of two numbers",
        ),
        pytest.param(
            replaced('version: "1.0.0"', 'version: "1.0.0\\n"'),
            ':6: schema-pattern: "1.0.0\\n" should be a version such as "1.2.0" (/metadata/version)',
            id="a version with a line end",
        ),
        pytest.param(
            replaced("name: wait-a-little", 'name: "wait-a-little\\n"'),
            ':2: schema-pattern: "wait-a-little\\n" should be lower-case ASCII letters, digits and single hyphens (/name)',
            id="a name with a line end",
        ),
        pytest.param(
            replaced('esc-stage: "exploration"', 'esc-stage: "exploring"'),
            ":7: vocabulary: 'exploring' is none of exploration, comforting, action; did you mean 'exploration'?; docs/settings.md says how a repository adds its own (/metadata/esc-stage)",
            id="a stage that is none",
        ),
        pytest.param(
            replaced('esc-intensity: "1 to 4"', 'esc-intensity: "4 to 2"'),
            ":10: range: 4 to 2 should rise and lie within 1 to 5 (/metadata/esc-intensity)",
            id="a range that falls",
        ),
        pytest.param(
            replaced('esc-expected-change: "1 to 3"', 'esc-expected-change: "1 to 30"'),
            ":14: range: 1 to 30 should rise and lie within -10 to 10 (/metadata/esc-expected-change)",
            id="a change beyond SAGE's bounds",
        ),
        pytest.param(
            replaced('esc-not-for: "none"', 'esc-not-for: "be-heard, passive"'),
            ":12: needs-differ: be-heard stands in esc-needs too; it can only be one of them (/metadata/esc-not-for)",
            id="a need on both sides",
        ),
        pytest.param(
            replaced('esc-not-for: "none"', 'esc-not-for: "none, passive"'),
            ":12: alone: 'none' can only stand alone (/metadata/esc-not-for)",
            id="none and something",
        ),
        pytest.param(
            replaced('esc-emotions: "any"', 'esc-emotions: "any, fear"'),
            ":9: alone: 'any' can only stand alone (/metadata/esc-emotions)",
            id="any and something",
        ),
        pytest.param(
            replaced('esc-risks: "rushing"', 'esc-risks: "blame"'),
            ":15: risks-differ: names blame; the section Risks has rushing (/metadata/esc-risks)",
            id="risks that differ",
        ),
        pytest.param(
            replaced("## Expected outcome", "## Expected outcomes"),
            ":2: schema-required: 'expected_outcome' is missing",
            id="a section that is missing",
        ),
        pytest.param(
            replaced("## Guidance", "## When to use").replace("## When to use\n\n- ", "## Guidance\n\n- "),
            ":2: section-order: sections should stand once each, in the order Guidance, When to use, When not to use, Expected outcome, Risks, Examples",
            id="sections in another order",
        ),
        pytest.param(
            replaced("**Why:** Haste makes the seeker fall silent.", "No reason."),
            ":59: schema-required: 'why' is missing (/avoid/0)",
            id="an example to avoid without its why",
        ),
        pytest.param(
            replaced("`rushing`: a pause", "a pause"),
            ':43: schema-enum: "" is none of blame, dependence',
            id="a risk without its code",
        ),
    ],
)
def test_a_departure_from_the_contract_is_named_placed_and_answered(text: str, finding: str) -> None:
    assert any(each.startswith(finding) for each in contract(text)), "\n".join(contract(text))


def test_flow_style_is_refused_for_the_clients_that_cannot_read_it() -> None:
    start, _, rest = skill_text().partition("metadata:\n")
    found = contract(f'{start}metadata: {{version: "1.0.0"}}\n---\n{rest.partition(chr(10) + "---" + chr(10))[2]}')
    assert ":5: portable-flow: is written in flow style; write a block, one key a line (/metadata)" in found


def test_the_folder_has_the_name() -> None:
    assert contract(skill_text(), folder="other") == [
        ":2: spec-folder: the name 'wait-a-little' differs from its folder 'other'; rename one of them (/name)"
    ]


def test_an_unknown_section_is_answered_with_the_nearest_one() -> None:
    found = contract(skill_text(body=BODY.replace("## Guidance", "## Guidence")))
    assert ":2: unknown-section: line 24: 'Guidence' is no section of a skill; did you mean 'Guidance'?" in found


def test_a_skill_beyond_the_limits_is_too_long() -> None:
    found = contract(skill_text(body=BODY + "\n" * MAX_LINES))
    assert any("too-long: has" in each and "lines; at most 100" in each for each in found)
    found = contract(skill_text(body=BODY.replace("A pause on purpose.", "word " * MAX_TOKENS)))
    assert any("too-long: has about" in each and "tokens; at most 5000" in each for each in found)


def test_every_problem_comes_at_once() -> None:
    text = skill_text(version="1", esc_stage="exploring", esc_needs="love").replace("1. Say", "Say")
    assert len(contract(text)) == 3


def test_front_matter_that_is_odd_in_every_way_gives_findings_and_no_fault() -> None:
    text = '---\nname: 3\ndescription: [a]\nmetadata: 5\nguidance: {a: 1}\nrisks: 2026-01-02\n"": .nan\n---\n'
    assert {each.partition(":")[0] for each in contract(text)} == {""}
    assert check_specification(document(text))


def test_a_strange_key_is_found_on_its_own_line() -> None:
    text = replaced("  esc-needs:", '  "a/b~c": "x"\n  esc-needs:')
    assert contract(text) == [":6: schema-additionalProperties: unknown key 'a/b~c' (/metadata)"]
    assert specification('name: wait-a-little\ndescription: d\n"a/b": c') == [
        ":4: spec-field: unknown key 'a/b'; allowed: name, description, license, compatibility, metadata, allowed-tools (/a~1b)"
    ]


@pytest.mark.parametrize(
    ("front", "folder", "finding"),
    [
        ("description: d", "a", ":2: spec-required: 'name' is missing"),
        ("name: a", "a", ":2: spec-required: 'description' is missing"),
        ("name:\ndescription: d", "a", ":2: spec-name: an empty value should be text"),
        (
            "name: A\ndescription: d",
            "A",
            ":2: spec-name: 'A' may hold lower-case letters, digits and hyphens alone (/name)",
        ),
        ("name: a_b\ndescription: d", "a_b", ":2: spec-name: 'a_b' may hold"),
        (
            "name: a--b\ndescription: d",
            "a--b",
            ":2: spec-name: 'a--b' may not start or end with a hyphen, nor hold two",
        ),
        ("name: -a\ndescription: d", "-a", ":2: spec-name: '-a' may not start or end"),
        (f"name: {'a' * 65}\ndescription: d", "a" * 65, ":2: spec-name: has 65 characters; at most 64 are allowed"),
        ("name: 5\ndescription: d", "5", ":2: spec-name: 5 should be text"),
        ("name: a\ndescription: d", "b", ":2: spec-folder: the name 'a' differs from its folder 'b'"),
        (f"name: a\ndescription: {'d' * 1025}", "a", ":3: spec-description: has 1025 characters; at most 1024"),
        ("name: a\ndescription:", "a", ":3: spec-description: None should be a non-empty text"),
        (f"name: a\ndescription: d\ncompatibility: {'c' * 501}", "a", ":4: spec-compatibility: has 501 characters"),
        ("name: a\ndescription: d\nlicense:\n- MIT", "a", ":5: spec-license: a list should be text"),
        ("name: a\ndescription: d\nmetadata:\n- x", "a", ":5: spec-metadata: a list should be a mapping"),
        ("name: a\ndescription: d\nmetadata:\n  v: 1.0", "a", ":5: spec-metadata: 1.0 should be text (/metadata/v)"),
        ("name: a\ndescription: d\nauthor: me", "a", ":4: spec-field: unknown key 'author'"),
        (
            "name: a\ndescription: d\nlicence: MIT",
            "a",
            ":4: spec-field: unknown key 'licence'; did you mean 'license'?",
        ),
    ],
)
def test_a_departure_from_the_specification_is_named_and_placed(front: str, folder: str, finding: str) -> None:
    assert any(each.startswith(finding) for each in specification(front, folder)), specification(front, folder)


def test_the_specification_alone_allows_what_the_contract_does_not() -> None:
    front = (
        'name: ñandú-鹿\ndescription: any words\nallowed-tools: "Read"\ncompatibility: all\nmetadata: {author: "me"}'
    )
    assert specification(front, "ñandú-鹿") == []


def test_a_token_is_a_chinese_character_or_four_others() -> None:
    assert estimate_tokens("") == 0
    assert estimate_tokens("four") == 1
    assert estimate_tokens("五个中文字 and") == 6
