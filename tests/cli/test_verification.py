"""A verification as people and programs read it, and as a job reads it that trusts nobody."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

import esc_skills
from esc_skills.cli.main import run
from esc_skills.errors import InputError
from esc_skills.evidence.verification import EvidenceStatus
from esc_skills.reports.result import (
    EVIDENCE,
    RULES,
    VERDICTS,
    Line,
    Result,
    annotation_lines,
    json_text,
    page,
    problems,
    read_result,
    sarif,
)
from esc_skills.vocabulary import Verdict
from tests.gitserver import OTHER, SKILL, Server, copy_server, make_server, small_change

Capture = pytest.CaptureFixture[str]
SCOPE = Line("scope", True, "touches skills/ and evidence/one-0123456789/ alone")
ACCEPTED = Result("valid", "accept", (SCOPE, Line("verdict", True, "The e-value reached 20 after 140 draws.")))
REFUSED = Result("invalid", None, (SCOPE, Line("evidence", False, "evidence/one-0123456789/plan.json:7: differs")))
#: What somebody may write into a path or a message to get out of it.
EVIL = "a\n::error::x`</code></td></table>\n\n# [click](https://evil.example) @everyone #1 <script>\x1b[2J\u202e"


@pytest.fixture(scope="module")
def _served(tmp_path_factory: pytest.TempPathFactory, own_home: Path) -> Server:
    return make_server(tmp_path_factory.mktemp("served"))


@pytest.fixture
def server(_served: Server, tmp_path: Path) -> Server:
    return copy_server(_served, tmp_path / "served")


def test_one_run_writes_all_forms(server: Server, tmp_path: Path, capsys: Capture) -> None:
    summary, as_json, as_sarif = tmp_path / "summary.md", tmp_path / "out" / "v.json", tmp_path / "out" / "v.sarif"
    summary.write_text("before\n")
    files = ["--summary", str(summary), "--json", str(as_json), "--sarif", str(as_sarif)]
    where = ["verify", "--repo", str(server.work), "--base", "main", "--head", server.proposal]
    assert run([*where, "--format", "json", *files]) == 0
    printed = capsys.readouterr().out
    assert as_json.read_text() == printed
    assert list(json.loads(printed)) == ["evidence", "verdict", "checks"]
    result = read_result(as_json.read_bytes())
    assert (result.evidence, result.verdict, result.accepted) == ("valid", "accept", True)
    assert json.loads(as_sarif.read_text()) == sarif(result)
    assert summary.read_text() == "before\n" + page(result)


@pytest.mark.parametrize(
    ("form", "start"), [("text", "BAD evidence: "), ("github", "::error file=skills/"), ("sarif", "{")]
)
def test_each_form_names_a_change_without_evidence(form: str, start: str, server: Server, capsys: Capture) -> None:
    server.commit(SKILL, (server.work / SKILL).read_text() + "\n")
    where = ["verify", "--repo", str(server.work), "--base", "main~1", "--head", "main"]
    assert run([*where, "--format", form]) == 1
    printed = capsys.readouterr().out
    assert printed.startswith(start)
    assert SKILL in printed


def test_a_change_that_needs_no_evidence_ends_with_0_and_is_listed(server: Server, capsys: Capture) -> None:
    server.commit(OTHER, small_change(server))
    where = ["verify", "--repo", str(server.work), "--base", "main~1", "--head", "main"]
    assert run(where) == 0
    lines = capsys.readouterr().out.splitlines()
    assert (lines[0].endswith("affirm-what-they-did guidance: Say becomes say"), lines[-1]) == (
        True,
        "no evidence needed",
    )


@pytest.mark.parametrize("result", [ACCEPTED, Result("exempt", None, (Line("words", True, "x becomes y"),))])
def test_what_may_be_merged_has_no_problem(result: Result) -> None:
    assert result.accepted
    assert problems(result) == ()
    assert sarif(result)["runs"][0]["results"] == []
    assert [line[:9] for line in annotation_lines(result)] == ["::notice "]


@pytest.mark.parametrize("evidence", [each for each in EVIDENCE if each not in ("valid", "exempt")])
def test_evidence_that_is_not_valid_is_one_problem_where_it_was_found(evidence: str) -> None:
    (found,) = problems(Result(evidence, None, REFUSED.checks))
    assert (found.path, found.line, found.code) == ("evidence/one-0123456789/plan.json", 7, f"evidence-{evidence}")


@pytest.mark.parametrize("verdict", ["reject", "indecisive"])
def test_a_verdict_that_is_no_acceptance_is_a_problem_of_the_review_page(verdict: str) -> None:
    result = Result("valid", verdict, (SCOPE, Line("verdict", True, "Seekers are harmed.")))
    (found,) = problems(result)
    assert (found.path, found.code) == ("evidence/one-0123456789/review.md", f"verdict-{verdict}")
    assert found.message == "verdict: Seekers are harmed."
    assert not result.accepted


@pytest.mark.parametrize(
    ("detail", "place"),
    [
        ("the head changes skills/a-b/SKILL.md and adds no evidence", ("skills/a-b/SKILL.md", 1)),
        ("skills of the base changed after the proposal branched off", ("pyproject.toml", 1)),
        ("pyproject.toml: lies outside skills/", ("pyproject.toml", 1)),
        ("this clone holds no ledger; run `git fetch origin ledger:refs/remotes/origin/ledger`", ("pyproject.toml", 1)),
        ("a b/c d.md: lies outside", ("pyproject.toml", 1)),
        ("../../etc/passwd\n: x", ("pyproject.toml", 1)),
    ],
)
def test_a_problem_lies_in_the_file_that_it_names_or_in_the_settings(detail: str, place: tuple[str, int]) -> None:
    (found,) = problems(Result("missing", None, (Line("evidence", False, detail),)))
    assert (found.path, found.line) == place


def test_the_words_of_the_forms_are_those_of_the_tools() -> None:
    assert {*EvidenceStatus} == {*EVIDENCE}
    assert {*Verdict} == {*VERDICTS}
    assert {f"evidence-{each}" for each in EVIDENCE} | {f"verdict-{each}" for each in VERDICTS} == {
        *RULES, "evidence-valid", "evidence-exempt", "verdict-accept",
    }  # fmt: skip


def test_code_scanning_gets_what_it_asks_for() -> None:
    """The properties that GitHub requires of a SARIF log, and their types in SARIF 2.1.0."""
    log = sarif(REFUSED)
    assert (log["version"], urlparse(log["$schema"]).scheme) == ("2.1.0", "https")
    (run_of,) = log["runs"]
    driver = run_of["tool"]["driver"]
    assert driver["name"] == "esc-skills"
    assert [rule["id"] for rule in driver["rules"]] == list(RULES)
    assert all(rule["shortDescription"]["text"] and rule["help"]["text"] for rule in driver["rules"])
    (found,) = run_of["results"]
    assert driver["rules"][found["ruleIndex"]]["id"] == found["ruleId"] == "evidence-invalid"
    assert found["level"] in ("error", "warning", "note")
    place = found["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "evidence/one-0123456789/plan.json"}, "region": {"startLine": 7}}
    assert re.fullmatch("[0-9a-f]{16}:1", found["partialFingerprints"]["primaryLocationLineHash"])


def test_the_same_problem_keeps_its_fingerprint_and_another_has_its_own() -> None:
    def mark(result: Result) -> str:
        return str(sarif(result)["runs"][0]["results"][0]["partialFingerprints"])

    assert mark(REFUSED) == mark(REFUSED)
    assert mark(REFUSED) != mark(Result("invalid", None, (SCOPE, Line("evidence", False, "another"))))


# What strangers write


@pytest.mark.parametrize("result", [Result("invalid", None, (SCOPE, Line("scope", False, f"{EVIL}: lies outside")))])
def test_no_text_of_a_stranger_becomes_markup_or_a_command(result: Result) -> None:
    lines = list(annotation_lines(result))
    assert len("\n".join(lines).splitlines()) == len(lines) == 1
    shown = page(result)
    assert "\x1b" not in shown
    assert tags(MarkdownIt("commonmark", {"html": True}).enable("table").render(shown)) <= {
        "h3", "p", "table", "tr", "td", "code", "b",
    }  # fmt: skip
    assert not re.search(r"@everyone|evil\.example", re.sub("<code>.*?</code>", "", shown))
    message = sarif(result)["runs"][0]["results"][0]["message"]["text"]
    assert "](" not in message


@given(st.text(max_size=80))
@settings(max_examples=60)
def test_whatever_a_detail_holds_stays_in_its_cell(detail: str) -> None:
    shown = page(Result("stale", None, (Line("base", False, detail),)))
    html = MarkdownIt("commonmark", {"html": True}).render(shown)
    assert tags(html) <= {"h3", "p", "table", "tr", "td", "code", "b"}
    assert html.count("<td>") == 3


def tags(html: str) -> set[str]:
    found: set[str] = set()

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: Any) -> None:
            found.add(tag if not attrs else f"{tag} {attrs}")

    Reader().feed(html)
    return found


def test_its_own_json_is_read_back() -> None:
    for result in (ACCEPTED, REFUSED, Result("exempt", None, ())):
        assert read_result(json_text(result.as_json()).encode()) == result
    odd = Result("invalid", None, (Line("scope", False, "a\udcff"),))
    assert read_result(json_text(odd.as_json()).encode()) == odd


def changed(**fields: Any) -> bytes:
    return json.dumps({**REFUSED.as_json(), **fields}).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b" " * 64_001,
        b'{"evidence": "valid", "evidence": "valid", "verdict": "accept", "checks": []}',
        changed(more=1),
        changed(evidence="accepted"),
        changed(evidence=["valid"]),
        changed(verdict="accept"),
        changed(evidence="valid"),
        changed(checks={}),
        changed(checks=[{"name": "x", "ok": True, "detail": ""}] * 101),
        changed(checks=[{"name": "<b>", "ok": True, "detail": ""}]),
        changed(checks=[{"name": "x", "ok": 1, "detail": ""}]),
        changed(checks=[{"name": "x", "ok": True, "detail": "x" * 4_001}]),
        changed(checks=[{"name": "x", "ok": True, "detail": None}]),
        changed(checks=[{"name": "x", "ok": True}]),
    ],
)
def test_whatever_ours_could_not_say_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="cannot be used"):
        read_result(data)


def test_it_needs_the_standard_library_alone() -> None:
    script = f"import sys; sys.path.insert(0, {str(Path(esc_skills.__file__).parent.parent)!r}); import esc_skills.reports.result"
    subprocess.run([sys.executable, "-I", "-S", "-c", script], check=True)
