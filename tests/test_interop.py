"""What `make interop` judges, on records of made-up clients: its runs take a network at first, and so are no tests."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
INTEROP = ROOT / "bench" / "interop"
BANK = ROOT / "skills"
pytestmark = pytest.mark.skipif(not INTEROP.is_dir(), reason="the benches stand in the checkout")


@pytest.fixture(autouse=True)
def _on_path(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(INTEROP))
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "harness"]:
        del sys.modules[name]


@pytest.fixture
def judge() -> ModuleType:
    from harness import compare

    return compare


def record(bank: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What a client leaves that loads all and shows all."""
    catalogue = "\n".join(f"- {each.name}: {each.description}" for each in bank.values())
    return {
        "skills": [{"name": each.name, "description": each.description, "body": each.body} for each in bank.values()],
        "asked": 2,
        "seen": ["You are an agent.", catalogue, ", ".join(bank)],
        "parts": {"prompt": ["You are an agent."], "message": [catalogue], "tool": [", ".join(bank)]},
        "tool": "load_skill",
        "lists": None,
        "read": [f"# A skill\n{each.body}" for each in bank.values()],
        **changes,
    }


def test_a_client_that_loads_and_shows_all_is_green(judge: ModuleType) -> None:
    bank = judge.read_bank(BANK)
    entry, wrong = judge.compare(bank, record(bank), "strands-agents")
    assert not wrong
    assert entry["descriptions"] == {"whole": len(bank), "shortened": 0, "name only": 0, "missing": 0}
    assert (entry["loaded"], entry["returned"], entry["entrance"]) == (len(bank), len(bank), "whole")
    assert entry["equal"] == ["name", "description", "body"]
    # And not in the tool, whose list of all names stands beside the catalogue.
    assert entry["stands_in"] == "message"


@pytest.mark.parametrize("field", ["name", "description", "body"])
def test_one_changed_field_of_one_skill_is_told(judge: ModuleType, field: str) -> None:
    bank = judge.read_bank(BANK)
    told = record(bank)
    told["skills"][7][field] += "x"
    entry, wrong = judge.compare(bank, told, None)
    assert [said.partition(":")[0] for said in wrong] == [field]
    assert field not in entry["equal"]


def test_a_body_that_the_tool_cuts_is_told(judge: ModuleType) -> None:
    bank = judge.read_bank(BANK)
    read = [each.body for each in bank.values()]
    read[3] = read[3][:-200]
    entry, wrong = judge.compare(bank, record(bank, read=read), None)
    assert entry["returned"] == len(bank) - 1
    assert wrong == [f"tool: load_skill returned {len(bank) - 1} of {len(bank)} bodies whole"]


def test_shortened_descriptions_bare_names_and_missing_ones_are_counted(judge: ModuleType) -> None:
    bank = judge.read_bank(BANK)
    names = list(bank)
    lines = [f"- {name}: {bank[name].description}" for name in names[3:]]
    seen = "\n".join([f"- {names[0]}: {bank[names[0]].description[:57]}...", f"- {names[1]}", *lines])
    entry, wrong = judge.compare(bank, record(bank, seen=[seen]), None)
    assert entry["descriptions"] == {"whole": len(bank) - 3, "shortened": 1, "name only": 1, "missing": 1}
    assert entry["shortened_to"] == [57, 57]
    assert wrong == [f"catalogue: the model did not see the names {names[2]}"]


def test_a_model_that_sees_other_than_validate_predicts_is_reported(judge: ModuleType) -> None:
    bank = judge.read_bank(BANK)
    _, wrong = judge.compare(bank, record(bank), "hermes-agent")
    # It shows 57 characters of each, and this one showed all.
    assert [said.partition("says")[0] for said in wrong] == ["`validate --client hermes-agent` "]


def test_the_page_is_made_from_the_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from harness import install, report

    page = ROOT / "docs" / "agents.md"
    for name in ("JSON", "PAGE"):
        copy = tmp_path / getattr(report, name).name
        copy.write_bytes(getattr(report, name).read_bytes())
        monkeypatch.setattr(report, name, copy)
    skills = json.loads(report.JSON.read_text(encoding="utf-8"))["skills"]
    report.write(skills, report.read_results(), install.read_clients())
    assert report.PAGE.read_bytes() == page.read_bytes()
