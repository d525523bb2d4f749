"""Checks against a schema say what departs, where, and what would do."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esc_skills.documents.findings import Finding, Severity, finding_of, has_errors
from esc_skills.documents.schema import _explainer, check_schema, line_at, load_schema, require_schema, suggest
from esc_skills.documents.shipped import shipped
from esc_skills.errors import DocumentError, InputError
from tests.documents.near_misses import allowed, near_matches, near_misses, patterns
from tests.samples import transcript

SCHEMAS = sorted(path.name.removesuffix(".schema.json") for path in shipped("schemas").glob("*.schema.json"))


def findings(value: Any, schema: str = "settings", lines: dict[str, int] | None = None) -> list[str]:
    return [each.as_text() for each in check_schema(value, schema, "f", lines)]


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_shipped_schema_is_a_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(load_schema(name))


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[[dict[str, Any]], str]:
    """Writes a schema and returns the name that it is found by."""

    def write(schema: dict[str, Any]) -> str:
        name = str(tmp_path_factory.mktemp("schemas") / "own")
        Path(f"{name}.schema.json").write_text(json.dumps(schema))
        return name

    return write


def is_allowed(value: Any, name: str) -> bool:
    """Whether a schema allows a value; both libraries have to say the same."""
    codes = [each.code for each in check_schema(value, name, "f")]
    assert "schema-value" not in codes, "jsonschema-rs refuses what jsonschema allows"
    assert _explainer(name).is_valid(value) == (not codes), "jsonschema-rs allows what jsonschema refuses"
    return not codes


@pytest.mark.parametrize("name", SCHEMAS)
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
@pytest.mark.thorough
def test_both_libraries_say_the_same_of_each_shipped_schema(name: str, data: st.DataObject) -> None:
    value = data.draw(allowed(load_schema(name), load_schema(name)))
    assert is_allowed(value, name)
    for _ in range(5):
        is_allowed(data.draw(near_misses(value)), name)


@pytest.mark.parametrize("pattern", sorted({each for name in SCHEMAS for each in patterns(load_schema(name))}))
def test_both_libraries_say_the_same_of_each_pattern(pattern: str, written: Callable[[dict[str, Any]], str]) -> None:
    name = written({"pattern": pattern})

    @settings(max_examples=50)
    @given(near_matches(pattern))
    def agree(text: str) -> None:
        is_allowed(text, name)

    agree()
    for blank in filter(str.isspace, map(chr, range(0x3001))):
        is_allowed(blank, name)


@pytest.mark.parametrize(
    ("schema", "value", "sound"),
    [
        ({"type": "integer"}, 20, True),
        ({"type": "integer"}, 20.0, False),
        ({"type": "integer"}, 1e300, False),
        ({"type": "integer"}, True, False),
        ({"type": "integer"}, 2**64 + 1, True),
        ({"type": "integer", "maximum": 2**64}, 2**64 + 1, False),
        ({"type": ["integer", "null"]}, 20.0, False),
        ({"type": ["integer", "null"]}, None, True),
        ({"type": ["integer", "string"], "allOf": [{"minLength": 2}]}, "a", False),
        ({"type": "number"}, 20.0, True),
        ({"type": "number"}, True, False),
        ({"type": "number"}, math.nan, False),
        ({"type": ["number", "null"]}, math.nan, False),
        ({"type": "number", "minimum": 0}, math.inf, False),
        ({"type": "number", "maximum": 1e18}, 10**18 + 1, False),
        ({"pattern": "a$"}, "a", True),
        ({"pattern": "a$"}, "a\n", False),
        ({"pattern": r"\S"}, "\x1c", False),
        ({"pattern": r"^[^\s/]$"}, "\u3000", False),
        ({"type": "array", "uniqueItems": True}, ["a", "a"], False),
        ({"const": "a"}, "b", False),
    ],
)
def test_both_libraries_keep_to_what_code_counts_on(
    schema: dict[str, Any], value: Any, sound: bool, written: Callable[[dict[str, Any]], str]
) -> None:
    assert is_allowed(value, written(schema)) is sound


@pytest.mark.parametrize(
    ("value", "finding"),
    [
        ("\ud800", r"f: schema-value: is no JSON: 'utf-8' codec can't encode character '\ud800' in position 0"),
        ({1: "x"}, "f: schema-value: is no JSON: Dict key must be str"),
        (datetime.date(2026, 1, 2), "f: schema-value: is no JSON: Unsupported type: 'date'"),
    ],
)
def test_what_json_has_not_is_refused(value: Any, finding: str, written: Callable[[dict[str, Any]], str]) -> None:
    (found,) = findings(value, written({"minLength": 1, "additionalProperties": {"type": "string"}}))
    assert found.startswith(finding)


def test_a_refusal_that_nothing_explains_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = SimpleNamespace(is_valid=lambda _: False)
    monkeypatch.setattr("esc_skills.documents.schema._checker", lambda _: refusing)
    assert findings({}) == ["f: schema-value: departs from the schema"]


def test_a_key_that_is_no_text_is_named() -> None:
    assert findings({1: "x"}) == ["f: schema-additionalProperties: unknown key 1"]


def test_a_sound_value_has_no_finding() -> None:
    assert findings({"skills": "bank", "gate": {"draws": 40}}) == []


@pytest.mark.parametrize(
    ("value", "finding"),
    [
        (3, "f: schema-type: 3 should be of type object"),
        ({"skils": "x"}, "f: schema-additionalProperties: unknown key 'skils'; did you mean 'skills'?"),
        (
            {"gate": {"draw": 3}},
            "f: schema-additionalProperties: unknown key 'draw'; did you mean 'draws'? (/gate)",
        ),
        ({"gate": {"draws": "9"}}, 'f: schema-type: "9" should be of type integer (/gate/draws)'),
        ({"gate": {"draws": 20.0}}, "f: schema-type: 20.0 should be of type integer (/gate/draws)"),
        ({"gate": {"draws": True}}, "f: schema-type: true should be of type integer (/gate/draws)"),
        ({"gate": {"threshold": math.nan}}, "f: schema-type: NaN should be of type number (/gate/threshold)"),
        (
            {"skills": "/etc"},
            'f: schema-pattern: "/etc" should be a folder inside the repository, such as "skills" (/skills)',
        ),
        (
            {"skills": "bank\n"},
            'f: schema-pattern: "bank\\n" should be a folder inside the repository, such as "skills" (/skills)',
        ),
    ],
)
def test_a_departure_is_said_in_words(value: Any, finding: str) -> None:
    assert findings(value) == [finding]


def test_a_word_outside_a_vocabulary_is_answered_with_the_vocabulary_and_the_nearest_word() -> None:
    value = {**transcript(40, 45).as_json(), "termination": "sucess"}
    (found,) = findings(value, "transcript")
    assert found.startswith('f: schema-enum: "sucess" is none of success, failure, farewell')
    assert "did you mean 'success'?" in found


def test_a_missing_key_and_a_short_list_are_said_in_words() -> None:
    value = {**transcript(40, 45).as_json(), "turns": []}
    del value["seed"]
    assert findings(value, "transcript") == [
        "f: schema-required: 'seed' is missing",
        "f: schema-minItems: has 0 where at least 1 are asked: [] (/turns)",
    ]


def test_all_departures_come_by_line_and_the_nearest_known_line_is_taken() -> None:
    lines = {"": 1, "/gate": 4, "/gate/draws": 6}
    found = check_schema({"gate": {"draws": 0, "batch": 0}}, "settings", "f", lines)
    assert [(each.line, each.pointer) for each in found] == [(4, "/gate/batch"), (6, "/gate/draws")]
    assert line_at(lines, "/gate/draws/0/x") == 6
    assert line_at({}, "/gate") == 0


def test_a_required_schema_names_the_first_departure_and_counts_the_others() -> None:
    require_schema({}, "settings", "f")
    with pytest.raises(InputError, match=r"f: schema-type: 5 should be of type string \(/skills\) \(and 1 more\)"):
        require_schema({"skills": 5, "profiles": 6}, "settings", "f")


def test_a_long_value_is_shown_in_part() -> None:
    (found,) = findings({"skills": "/" * 3000})[:1]
    assert len(found) < 300


def test_a_suggestion_is_made_for_near_words_alone() -> None:
    assert suggest("exploraton", ["exploration", "action"]) == "; did you mean 'exploration'?"
    assert suggest("zzz", ["exploration", "action"]) == ""


def finding(**fields: Any) -> Finding:
    return Finding(
        **{
            "path": "a.md",
            "line": 3,
            "pointer": "/name",
            "code": "c",
            "severity": Severity.ERROR,
            "message": "m",
            **fields,
        }
    )


def test_a_finding_is_shown_as_path_line_code_message_and_pointer() -> None:
    assert finding().as_text() == "a.md:3: c: m (/name)"
    assert finding(line=0, pointer="").as_text() == "a.md: c: m"
    assert finding(severity=Severity.WARNING).as_text() == "a.md:3: warning: c: m (/name)"
    assert json.loads(json.dumps(finding().as_json()))["severity"] == "error"


def test_an_annotation_cannot_be_broken_out_of() -> None:
    hostile = finding(path="a,b:c.md", message="100%\n::error::injected\r", line=0)
    assert hostile.as_annotation() == ("::error file=a%2Cb%3Ac.md,line=1,title=c::100%25%0A::error::injected%0D")


def test_warnings_alone_are_no_errors() -> None:
    assert not has_errors([finding(severity=Severity.WARNING)])
    assert has_errors([finding(severity=Severity.WARNING), finding()])


def test_an_unreadable_file_becomes_a_finding_with_its_hint() -> None:
    error = DocumentError("a.md", 4, "encoding", "byte 0xff is not UTF-8", "save the file as UTF-8")
    assert finding_of(error).as_text() == "a.md:4: encoding: byte 0xff is not UTF-8; save the file as UTF-8"


def test_shipped_files_are_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert shipped("schemas", "skill.schema.json").is_file()
