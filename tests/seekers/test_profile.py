"""Profiles are composed of parts, each of which belongs to a split."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from typing import Any

import pytest
import yaml

from esc_skills.errors import InputError
from esc_skills.seekers.population import check_part, kind_of_part, read_population
from esc_skills.seekers.profile import Profile
from esc_skills.vocabulary import Disposition, EmotionType, HiddenIntention, ProblemType, Risk, Split
from tests.samples import part_files, shipped_population

PARTS = part_files()
SCENARIO = next(path for path in PARTS if path.startswith("scenarios/"))
PERSONA = next(path for path in PARTS if path.startswith("personas/"))


def changed(path: str, **fields: Any) -> bytes:
    return yaml.safe_dump({**yaml.safe_load(PARTS[path]), **fields}, allow_unicode=True).encode()


def findings(path: str, data: bytes) -> list[str]:
    return [each.as_text() for each in check_part(data, path)[0]]


def test_the_shipped_parts_compose_into_thousands_of_seekers() -> None:
    population = shipped_population()
    assert len(population.intentions) == 8
    profiles = [each for split in Split for each in population.profiles(split)]
    assert len({each.id for each in profiles}) == len(profiles)
    assert len(population.scenarios) * len(population.personas) * 8 >= 5000


def test_every_problem_type_has_scenarios_in_at_least_two_splits() -> None:
    splits = Counter(
        problem for problem, _ in {(each.problem_type, each.split) for each in shipped_population().scenarios}
    )
    assert set(splits) == set(ProblemType)
    assert min(splits.values()) >= 2


def test_no_part_of_a_gate_profile_is_seen_by_the_proposer() -> None:
    population = shipped_population()
    seen, held_out = (population.profiles(split) for split in (Split.EVOLUTION, Split.GATE))
    assert not {each.scenario.name for each in seen} & {each.scenario.name for each in held_out}
    assert not {each.persona.name for each in seen} & {each.persona.name for each in held_out}


@pytest.mark.parametrize("split", list(Split))
def test_every_split_has_each_disposition_emotion_type_and_level_of_risk(split: Split) -> None:
    scenarios, personas, intentions = shipped_population().parts(split)
    assert {each.disposition for each in personas} == set(Disposition)
    assert {each.name for each in intentions} == set(HiddenIntention)
    assert {each.emotion_type for each in scenarios} == set(EmotionType)
    assert {each.risk for each in scenarios} == set(Risk)


def test_a_profile_opens_as_its_disposition_does() -> None:
    population = shipped_population()
    scenario, intention = population.scenarios[0], population.intentions[0]
    for persona in population.personas:
        profile = Profile(scenario, persona, intention)
        assert profile.id == f"{scenario.name}/{persona.name}/{intention.name}"
        assert profile.first_message == scenario.first_messages[persona.disposition]


def test_a_digest_follows_from_the_content_alone() -> None:
    population = shipped_population()
    commented = {path: b"# a comment\n" + data for path, data in PARTS.items()}
    assert read_population(commented, "elsewhere").digest == population.digest
    other = read_population({**PARTS, PERSONA: changed(PERSONA, age=99)}, "profiles")
    assert other.digest != population.digest
    same, differs = (
        next(each for each in it.personas if each.age == 99 or it is population) for it in (population, other)
    )
    base = Profile(population.scenarios[0], same, population.intentions[0])
    assert base.digest != Profile(population.scenarios[0], differs, population.intentions[0]).digest


@pytest.mark.parametrize("path", sorted(PARTS))
def test_every_shipped_part_keeps_its_schema(path: str) -> None:
    assert findings(f"profiles/{path}", PARTS[path]) == []


@pytest.mark.parametrize(
    ("path", "keys", "kind"),
    [
        ("profiles/scenarios/a.yaml", {}, "scenario"),
        ("profiles/personas/a.yaml", {}, "persona"),
        ("profiles/whole/a.yaml", {}, "whole-profile"),
        ("profiles/intentions.yaml", {}, "intentions"),
        ("a.yaml", {"disclosures": []}, "scenario"),
        ("a.yaml", {"reactions": {}}, "persona"),
        ("a.yaml", {"source": {}}, "whole-profile"),
        ("a.yaml", {"words": 1}, ""),
        ("a.yaml", [1], ""),
    ],
)
def test_the_kind_of_a_part_follows_from_its_folder_or_its_keys(path: str, keys: object, kind: str) -> None:
    assert kind_of_part(path, keys) == kind


@pytest.mark.parametrize(
    ("data", "finding"),
    [
        (changed(PERSONA, age=52.0), "schema-type: 52.0 should be of type integer (/age)"),
        (changed(PERSONA, age=5), "schema-minimum: 5 is less than the minimum of 10 (/age)"),
        (
            changed(PERSONA, split="gates"),
            "schema-enum: \"gates\" is none of evolution, gate, report; did you mean 'gate'? (/split)",
        ),
        (
            changed(PERSONA, name="other"),
            "file-name: the name 'other' differs from the file's; rename one of them (/name)",
        ),
        (changed(PERSONA, hobby="x"), "schema-additionalProperties: unknown key 'hobby'"),
        (PARTS[PERSONA] + b"\nage: 3\n", "yaml-repeated-key: the key 'age' occurs twice; remove one of them"),
        (b"\xff\xfe", "encoding: byte 0xff is not UTF-8; save the file as UTF-8"),
        (b"", "schema-type: null should be of type object"),
    ],
)
def test_a_departing_part_is_named_with_its_line(data: bytes, finding: str) -> None:
    found = findings(f"profiles/{PERSONA}", data)
    assert any(each.startswith(f"profiles/{PERSONA}:") and each.endswith(finding) for each in found), found


def test_each_hidden_intention_must_be_there_once() -> None:
    value = yaml.safe_load(PARTS["intentions.yaml"])["intentions"]
    doubled = yaml.safe_dump({"intentions": [*value[:7], deepcopy(value[0])]}, allow_unicode=True).encode()
    assert any("should list each of the eight once" in each for each in findings("profiles/intentions.yaml", doubled))


def test_a_population_is_read_whole_or_not_at_all() -> None:
    with pytest.raises(InputError, match=r"profiles/personas/.*yaml:1: .*\(and 1 more\)"):
        read_population({**PARTS, PERSONA: b"x: &a 1", SCENARIO: b"y: !z 1"}, "profiles")


@pytest.mark.parametrize("missing", ["scenarios/", "personas/", "intentions"])
def test_a_population_needs_all_three_kinds_of_part(missing: str) -> None:
    files = {path: data for path, data in PARTS.items() if not path.startswith(missing)}
    with pytest.raises(InputError, match=r"profiles: has \d+ scenario, .* are needed"):
        read_population(files, "profiles")


def test_a_split_without_parts_is_named() -> None:
    files = {path: data for path, data in PARTS.items() if b"\nsplit: gate\n" not in data or path == "intentions.yaml"}
    population = read_population(files, "profiles")
    with pytest.raises(InputError, match="the split gate has 0 scenarios and 0 personas"):
        population.profiles(Split.GATE)
