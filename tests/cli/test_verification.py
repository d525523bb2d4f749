"""A verification as people and programs read it, and as a job reads it that trusts nobody."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import asdict
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
    About,
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
from tests.gitserver import SKILL, Server, copy_server, make_server

Capture = pytest.CaptureFixture[str]
ABOUT = About("a" * 40, "b" * 40, "c" * 40, None, None, f"sha256:{'0' * 64}", "0.1.0")
SCOPE = Line("scope", True, "touches skills/ and evidence/one-0123456789/ alone")
ACCEPTED = Result("valid", "accept", (SCOPE, Line("verdict", True, "The e-value reached 20 after 140 draws.")), ABOUT)
REFUSED = Result(
    "invalid", None, (SCOPE, Line("evidence", False, "evidence/one-0123456789/plan.json:7: differs")), ABOUT
)
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
    assert list(json.loads(printed)) == ["evidence", "verdict", "bound", "checks"]
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


def test_a_change_of_nothing_that_matters_ends_with_0_and_says_so(server: Server, capsys: Capture) -> None:
    server.commit("README.md", "More of it.\n")
    assert run(["verify", "--repo", str(server.work), "--base", "main~1", "--head", "main"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "nothing to verify"


def test_a_result_says_what_it_is_about(server: Server, capsys: Capture) -> None:
    where = ["verify", "--repo", str(server.work), "--base", "main", "--head", server.proposal, "--format", "json"]
    assert run(where) == 0
    bound = json.loads(capsys.readouterr().out)["bound"]
    assert (bound["base"], bound["head"]) == (server.git("rev-parse", "main"), server.git("rev-parse", server.proposal))
    server.git("merge", "--quiet", "--no-edit", "--no-ff", server.proposal)
    assert bound["tree"] == server.git("rev-parse", "main^{tree}")
    assert bound["ledger"] == server.head("ledger")
    assert {len(bound[key]) for key in ("players", "tool")} == {71}


def test_a_signed_result_is_read_by_a_standard_verifier(server: Server, tmp_path: Path, capsys: Capture) -> None:
    from cryptography.hazmat.primitives import serialization
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import SSlibKey

    key, envelope = tmp_path / "key", tmp_path / "out" / "envelope.json"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    where = ["verify", "--repo", str(server.work), "--base", "main", "--head", server.proposal, "--format", "json"]
    assert run([*where, "--sign", str(key), "--envelope", str(envelope)]) == 0
    printed = json.loads(capsys.readouterr().out)
    public = serialization.load_ssh_public_key(key.with_suffix(".pub").read_bytes())
    value = json.loads(envelope.read_text())
    signer = SSlibKey.from_crypto(public, keyid=value["signatures"][0]["keyid"])
    read = Envelope.from_dict(value)
    assert read.verify([signer], 1)
    statement = json.loads(read.payload)
    assert statement["predicate"] == printed
    assert statement["subject"][1]["digest"] == {"gitTree": printed["bound"]["tree"]}
    read.payload = read.payload.replace(b'"accept"', b'"reject"')
    with pytest.raises(Exception, match="threshold"):
        read.verify([signer], 1)


def test_a_key_that_cannot_sign_is_an_input_error(server: Server, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "key").write_text("no key\n")
    where = ["verify", "--repo", str(server.work), "--base", "main", "--head", "main"]
    assert run([*where, "--sign", str(tmp_path / "key"), "--envelope", str(tmp_path / "e.json")]) == 2
    assert "no private key that can be read" in capsys.readouterr().err
    assert run([*where, "--sign", str(tmp_path / "key")]) == 2


@pytest.mark.parametrize(
    "result",
    [
        ACCEPTED,
        Result("none", None, (Line("change", True, "nothing"),), ABOUT),
        Result("untested", "accept", (Line("owners", True, "x"),), ABOUT),
    ],
)
def test_what_may_be_merged_has_no_problem(result: Result) -> None:
    assert result.accepted
    assert problems(result) == ()
    assert sarif(result)["runs"][0]["results"] == []
    assert [line[:9] for line in annotation_lines(result)] == ["::notice "]


@pytest.mark.parametrize("evidence", [each for each in EVIDENCE if each not in ("valid", "untested", "none")])
def test_evidence_that_is_not_valid_is_one_problem_where_it_was_found(evidence: str) -> None:
    (found,) = problems(Result(evidence, None, REFUSED.checks, ABOUT))
    assert (found.path, found.line, found.code) == ("evidence/one-0123456789/plan.json", 7, f"evidence-{evidence}")


@pytest.mark.parametrize("verdict", ["reject", "indecisive"])
def test_a_verdict_that_is_no_acceptance_is_a_problem_of_the_review_page(verdict: str) -> None:
    result = Result("valid", verdict, (SCOPE, Line("verdict", True, "Seekers are harmed.")), ABOUT)
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
    (found,) = problems(Result("missing", None, (Line("evidence", False, detail),), ABOUT))
    assert (found.path, found.line) == place


def test_the_words_of_the_forms_are_those_of_the_tools() -> None:
    assert {*EvidenceStatus} == {*EVIDENCE}
    assert {*Verdict} == {*VERDICTS}
    assert {f"evidence-{each}" for each in EVIDENCE} | {f"verdict-{each}" for each in VERDICTS} == {
        *RULES, "evidence-valid", "evidence-untested", "evidence-none", "verdict-accept",
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
    assert mark(REFUSED) != mark(Result("invalid", None, (SCOPE, Line("evidence", False, "another")), ABOUT))


# What strangers write


@pytest.mark.parametrize(
    "result", [Result("invalid", None, (SCOPE, Line("scope", False, f"{EVIL}: lies outside")), ABOUT)]
)
def test_no_text_of_a_stranger_becomes_markup_or_a_command(result: Result) -> None:
    lines = list(annotation_lines(result))
    assert len("\n".join(lines).splitlines()) == len(lines) == 1
    shown = page(result)
    assert "\x1b" not in shown
    assert tags(MarkdownIt("commonmark", {"html": True}).enable("table").render(shown)) <= {
        "h3", "p", "table", "tr", "td", "code", "b", "sub",
    }  # fmt: skip
    assert not re.search(r"@everyone|evil\.example", re.sub("<code>.*?</code>", "", shown))
    message = sarif(result)["runs"][0]["results"][0]["message"]["text"]
    assert "](" not in message


@given(st.text(max_size=80))
@settings(max_examples=60)
def test_whatever_a_detail_holds_stays_in_its_cell(detail: str) -> None:
    shown = page(Result("stale", None, (Line("base", False, detail),), ABOUT))
    html = MarkdownIt("commonmark", {"html": True}).render(shown)
    assert tags(html) <= {"h3", "p", "table", "tr", "td", "code", "b", "sub"}
    assert html.count("<td>") == 3


def tags(html: str) -> set[str]:
    found: set[str] = set()

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: Any) -> None:
            found.add(tag if not attrs else f"{tag} {attrs}")

    Reader().feed(html)
    return found


def test_its_own_json_is_read_back() -> None:
    for result in (ACCEPTED, REFUSED, Result("none", None, (), ABOUT)):
        assert read_result(json_text(result.as_json()).encode()) == result
    odd = Result("invalid", None, (Line("scope", False, "a\udcff"),), ABOUT)
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
        changed(bound={}),
        changed(bound={**asdict(ABOUT), "head": "main"}),
        changed(bound={**asdict(ABOUT), "base": None}),
        changed(bound={**asdict(ABOUT), "version": "0.1.0 --index-url http://evil.example"}),
    ],
)
def test_whatever_ours_could_not_say_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="cannot be used"):
        read_result(data)


def test_it_needs_the_standard_library_alone() -> None:
    script = f"import sys; sys.path.insert(0, {str(Path(esc_skills.__file__).parent.parent)!r}); import esc_skills.reports.result"
    subprocess.run([sys.executable, "-I", "-S", "-c", script], check=True)
