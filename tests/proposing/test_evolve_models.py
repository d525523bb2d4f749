"""`evolve` with language models over real HTTP, and `verify`, which replays their calls without it."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from esc_skills.documents.jsonl import canonical_json, compress, digest
from esc_skills.documents.schema import check_schema
from esc_skills.evidence.trial import change_digest
from esc_skills.vocabulary import Split
from tests.commands import Ran, agreed, call, detail, evidence
from tests.commands import verify as checked
from tests.model_server import (
    ADDED,
    CONTRARY,
    KEY,
    KIND,
    SKILL,
    ModelServer,
    answer_to,
    edit,
    is_kind,
    material,
    standing,
    tokens_of,
)
from tests.models.loopback import refused
from tests.proposals import Proposed, git
from tests.samples import shipped_population, write_skill

PLAYERS = ("--supporter", "local/tiny", "--seeker", "local/tiny")
ANALYST = ("--analyst", "local/tiny")
GATE = "[tool.esc-skills.gate]\ndraws = 8\nbatch = 4\nthreshold = 1.2\nspan_draws = 1\n"
CALLS, STATEMENT = "calls.jsonl.gz", "statement.json"
Verify = Callable[..., dict[str, Any]]


def repository_in(folder: Path, settings: str = GATE) -> Path:
    """A repository with a bank of two skills; its seekers are the shipped ones."""
    for name in (SKILL, "name-one-step"):
        write_skill(folder / "skills", name)
    (folder / "pyproject.toml").write_text(settings)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "A small bank")
    return folder


def arguments(
    server: ModelServer,
    folder: Path,
    *more: str,
    players: tuple[str, ...] = PLAYERS,
    analyst: tuple[str, ...] = ANALYST,
    draws: int = 4,
) -> list[str]:
    endpoint = ("--endpoint", f"local={server.url},TEST_KEY")
    return ["evolve", "--repo", str(folder), *players, *analyst, *endpoint, "--draws", str(draws), *more]


def evolve(server: ModelServer, folder: Path, *more: str, **options: Any) -> Ran:
    return call(*arguments(server, folder, *agreed(folder, more), *more, **options), "--format", "json")


def proposed_by(ran: Ran, folder: Path) -> Proposed:
    result = ran.result
    assert result["branch"], result["reason"]
    return Proposed(folder, result["branch"], result)


def shown(proposal: Proposed, name: str) -> str:
    return proposal.git("show", f"{proposal.branch}:{proposal.evidence}/{name}")


def statement_of(proposal: Proposed) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(shown(proposal, STATEMENT))
    return value


def recorded(packed: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(packed).decode().split("\n") if line]


def recorded_at(proposal: Proposed) -> list[dict[str, Any]]:
    """The recorded calls of a proposal's branch."""
    path = f"{proposal.branch}:{proposal.evidence}/{CALLS}"
    shown = subprocess.run(["git", "show", path], cwd=proposal.folder, check=True, capture_output=True)
    return recorded(shown.stdout)


def is_of(split: Split) -> Callable[[str], bool]:
    """Tell whether a prompt belongs to a seeker of a split, by their first message."""
    scenarios, _, _ = shipped_population().parts(split)
    first = [message for scenario in scenarios for message in scenario.first_messages.values()]
    return lambda prompt: any(message in prompt for message in first)


@pytest.fixture(scope="module")
def running() -> Iterator[ModelServer]:
    server = ModelServer()
    yield server
    server.close()


@pytest.fixture
def server(running: ModelServer, monkeypatch: pytest.MonkeyPatch) -> ModelServer:
    monkeypatch.setenv("TEST_KEY", KEY)
    running.reset()
    return running


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return repository_in(tmp_path / "small")


@pytest.fixture(scope="module")
def _accepted(tmp_path_factory: pytest.TempPathFactory, own_home: Path) -> tuple[Proposed, int]:
    """A proposal with the calls of models; their server is closed and their key is gone."""
    folder = repository_in(tmp_path_factory.mktemp("accepted") / "repository")
    server = ModelServer()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEST_KEY", KEY)
        ran = evolve(server, folder)
    server.close()
    return proposed_by(ran, folder), ran.code


@pytest.fixture
def accepted(_accepted: tuple[Proposed, int], tmp_path: Path) -> Proposed:
    """A copy of that proposal that a test may change."""
    proposal, _ = _accepted
    shutil.copytree(proposal.folder, tmp_path / "accepted")
    return Proposed(tmp_path / "accepted", proposal.branch, proposal.result)


@pytest.fixture
def no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection, that to this machine too."""

    def refuse(*_: Any) -> None:
        raise AssertionError("a connection was made")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)


# --- A proposal made by models ----------------------------------------------------------------------------------------


def test_an_edit_of_the_analyst_that_helps_is_accepted(_accepted: tuple[Proposed, int]) -> None:
    proposal, code = _accepted

    assert (proposal.result["verdict"], code) == ("accept", 0)
    assert proposal.result["proposal"].startswith(f"revise-{SKILL}-")
    assert proposal.result["weaknesses"] == ["It sends people away with a list."]
    assert ADDED in proposal.git("show", f"{proposal.branch}:skills/{SKILL}/SKILL.md")
    assert ADDED not in proposal.git("show", f"main:skills/{SKILL}/SKILL.md")


def test_the_branch_holds_the_change_and_its_evidence_with_the_calls(accepted: Proposed) -> None:
    changed = accepted.git("diff", "--name-only", f"main...{accepted.branch}").split("\n")

    files = {STATEMENT, "plan.json", "episodes.jsonl.gz", "review.md", CALLS}
    assert set(changed) == {f"skills/{SKILL}/SKILL.md", *(f"{accepted.evidence}/{name}" for name in files)}
    for name in ("statement", "plan"):
        assert check_schema(json.loads(shown(accepted, f"{name}.json")), name, name) == []


def test_the_statement_names_the_models_and_binds_the_calls_of_the_gate_alone(accepted: Proposed) -> None:
    predicate = statement_of(accepted)["predicate"]
    accepted.git("checkout", "--quiet", accepted.branch)
    packed = (accepted.folder / accepted.evidence / CALLS).read_bytes()
    calls = recorded(packed)

    models = {"supporter": "local/tiny", "seeker": "local/tiny", "judge": None, "second_seeker": None}
    assert predicate["inputs"]["models"] == models
    assert predicate["calls"] == {
        "count": len(calls),
        "digest": digest(gzip.decompress(packed)),
        "file_digest": digest(packed),
    }
    # What the analyst and the screening asked is no evidence.
    assert {each["role"] for each in calls} == {
        "supporter-select",
        "supporter-answer",
        "seeker-appraisal",
        "seeker-reply",
    }
    episodes = recorded((accepted.folder / accepted.evidence / "episodes.jsonl.gz").read_bytes())
    assert {each["digest"] for each in calls} == {
        digest for episode in episodes for turn in episode["turns"] for digest in turn["calls"]
    }


def test_a_spot_check_plays_pairs_once_more_with_the_models(accepted: Proposed, server: ModelServer) -> None:
    asked = ("--rerun", "2", "--endpoint", f"local={server.url},TEST_KEY")
    verified = checked(accepted.folder, accepted.branch, *asked)
    assert verified["exit"] == 0
    assert verified["checks"][-1]["name"] == "spot check"
    assert detail(verified).startswith("2 pairs: ")
    assert server.calls > 0
    assert not (accepted.folder / ".git" / "esc-skills" / "spotcheck.journal").exists()
    without = call("verify", "--base", "main", "--head", accepted.branch, "--repo", str(accepted.folder), *asked[:2])
    assert without.code == 2
    assert "add --endpoint local=BASE_URL,KEY_VARIABLE" in without.err


@pytest.mark.thorough
def test_a_spot_check_that_was_cut_off_goes_on_with_the_same_pairs(accepted: Proposed, server: ModelServer) -> None:
    asked = ("--rerun", "2", "--endpoint", f"local={server.url},TEST_KEY", "--concurrency", "1")
    where = ("--base", "main", "--head", accepted.branch, "--repo", str(accepted.folder))
    assert call("verify", *where, *asked).code == 0
    tokens = sum(tokens_of(body) for body in server.asked)
    server.reset()
    cut = call("verify", *where, *asked, "--budget-tokens", str(tokens // 2))
    assert (cut.code, server.calls > 0) == (2, True)
    assert "--resume; what was done so far (" in cut.err
    assert str(accepted.folder / ".git" / "esc-skills" / "spotcheck.journal") in cut.err

    ran = call("verify", *where, *asked, "--resume")

    assert (ran.code, set(server.asked.values())) == (0, {1})
    assert ran.err.startswith("spent: ")
    assert not list((accepted.folder / ".git" / "esc-skills").glob("spotcheck.*"))


def test_it_is_verified_without_server_key_or_connection(
    accepted: Proposed, verify: Verify, no_connection: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEST_KEY", raising=False)

    verified = verify(accepted)

    assert (verified["evidence"], verified["verdict"], verified["exit"]) == ("valid", "accept", 0)
    assert any("replayed from the recorded calls" in check["detail"] for check in verified["checks"])


def test_models_and_endpoints_may_come_from_settings_and_environment(
    server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verify: Verify
) -> None:
    models = 'supporter = "local/tiny"\nseeker = "local/tiny"\nsecond-seeker = "local/other"\nanalyst = "local/wise"\n'
    folder = repository_in(tmp_path / "set", f"{GATE}[tool.esc-skills.models]\n{models}")
    command = ["evolve", "--repo", str(folder), "--draws", "4", "--format", "json"]

    monkeypatch.setenv("ESC_SKILLS_ENDPOINTS", "other=http://127.0.0.1:9/v1")
    without = call(*command)
    assert (without.code, server.calls) == (2, 0)
    assert "no endpoint is named 'local'" in without.err and "ESC_SKILLS_ENDPOINTS" in without.err

    monkeypatch.setenv("ESC_SKILLS_ENDPOINTS", f"other=http://127.0.0.1:9/v1 local={server.url},TEST_KEY")
    proposal = proposed_by(call(*command), folder)

    assert proposal.result["verdict"] == "accept"
    assert {json.loads(body)["model"] for body in server.asked} == {"tiny", "other", "wise"}
    assert statement_of(proposal)["predicate"]["inputs"]["models"]["second_seeker"] == "local/other"
    assert verify(proposal)["evidence"] == "valid"


def test_an_option_goes_before_the_settings(server: ModelServer, tmp_path: Path) -> None:
    folder = repository_in(tmp_path / "set", f'{GATE}[tool.esc-skills.models]\nseeker = "nowhere/model"\n')
    assert evolve(server, folder).result["verdict"] == "accept"


# --- Tampering --------------------------------------------------------------------------------------------------------


@pytest.fixture
def tampered(accepted: Proposed, verify: Verify) -> Callable[..., dict[str, Any]]:
    """Change files of the evidence on a branch of its own and verify that; `signed` makes the statement consistent."""

    def change(forge: Callable[[Path], None], *, signed: bool = False) -> dict[str, Any]:
        accepted.git("checkout", "--quiet", "-b", "forged", accepted.branch)
        forge(accepted.folder / accepted.evidence)
        if signed:
            sign(accepted.folder / accepted.evidence)
        accepted.git("add", "--all")
        accepted.git("commit", "--quiet", "--amend", "--no-edit")
        verified = verify(accepted, "forged")
        assert verified["exit"] == 1
        return verified

    return change


def rewrite_statement(evidence: Path, change: Callable[[dict[str, Any]], None]) -> None:
    statement = json.loads((evidence / STATEMENT).read_text())
    change(statement["predicate"])
    text = json.dumps(statement, ensure_ascii=False, sort_keys=True, indent=2) + "\n"
    (evidence / STATEMENT).write_text(text)


def sign(evidence: Path) -> None:
    """State the digests that the forged calls have, and name the folder after what is stated to be judged."""

    def restate(predicate: dict[str, Any]) -> None:
        packed = (evidence / CALLS).read_bytes()
        lines = gzip.decompress(packed)
        predicate["calls"] = {"count": lines.count(b"\n"), "digest": digest(lines), "file_digest": digest(packed)}
        predicate["change"] = change_digest(predicate["inputs"])
        predicate["proposal"] = predicate["proposal"][:-10] + predicate["change"][7:17]

    rewrite_statement(evidence, restate)
    name = json.loads((evidence / STATEMENT).read_text())["predicate"]["proposal"]
    evidence.rename(evidence.parent / name)


def rewrite_calls(change: Callable[[list[dict[str, Any]]], None]) -> Callable[[Path], None]:
    def forge(evidence: Path) -> None:
        calls = recorded((evidence / CALLS).read_bytes())
        change(calls)
        lines = [canonical_json(each) + "\n" for each in sorted(calls, key=lambda each: str(each["digest"]))]
        (evidence / CALLS).write_bytes(compress("".join(lines)))

    return forge


def first_of(calls: list[dict[str, Any]], role: str) -> dict[str, Any]:
    return next(each for each in calls if each["role"] == role)


@pytest.mark.parametrize("at", [0, 9, 200, -1])
def test_one_changed_byte_of_the_calls_is_found_and_named(at: int, accepted: Proposed, tampered: Verify) -> None:
    def flip(evidence: Path) -> None:
        data = bytearray((evidence / CALLS).read_bytes())
        data[at] ^= 1
        (evidence / CALLS).write_bytes(bytes(data))

    verified = tampered(flip)

    assert (verified["evidence"], verified["verdict"]) == ("invalid", None)
    assert f"{accepted.evidence}/{CALLS}" in detail(verified)


FORGERIES: dict[str, tuple[Callable[[list[dict[str, Any]]], Any], str]] = {
    "a call removed": (lambda calls: calls.pop(), "no answer to the call"),
    "a call added": (lambda calls: calls.append({**calls[0], "digest": f"sha256:{'0' * 64}"}), "belongs to no episode"),
    "a call repeated": (lambda calls: calls.append(calls[0]), "is recorded twice"),
    "a better appraisal": (
        lambda calls: first_of(calls, "seeker-appraisal")["value"].update(change=6),
        "no answer to the call",
    ),
    "another model's answer": (lambda calls: calls[0].update(model="local/other"), "no answer to the call"),
}


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("forgery", FORGERIES)
def test_calls_that_do_not_lead_to_the_episodes_are_invalid(forgery: str, signed: bool, tampered: Verify) -> None:
    change, found = FORGERIES[forgery]

    verified = tampered(rewrite_calls(change), signed=signed)

    assert (verified["evidence"], verified["verdict"]) == ("invalid", None)
    assert CALLS in detail(verified) and found in detail(verified)


def test_an_answer_that_no_later_call_follows_from_is_still_the_episodes(tampered: Verify, accepted: Proposed) -> None:
    def better(calls: list[dict[str, Any]]) -> None:
        first_of(calls, "supporter-select")["value"]["reason"] = "another one"

    verified = tampered(rewrite_calls(better), signed=True)

    assert verified["evidence"] == "invalid"
    told = "/turns/0/reason is 'they need to be heard' and should be 'another one'"
    assert re.search(rf"{accepted.evidence}/episodes\.jsonl\.gz:\d+: {told}", detail(verified))


def test_the_same_forgery_without_the_statement_names_the_calls(tampered: Verify, accepted: Proposed) -> None:
    def better(calls: list[dict[str, Any]]) -> None:
        first_of(calls, "supporter-select")["value"]["reason"] = "another one"

    verified = tampered(rewrite_calls(better))

    assert verified["evidence"] == "invalid"
    assert f"{accepted.evidence}/{CALLS}: is not the file that" in detail(verified)


@pytest.mark.parametrize("stated", [True, False], ids=["stated", "not stated"])
def test_without_its_recorded_calls_nothing_can_be_verified(stated: bool, tampered: Verify) -> None:
    def delete(evidence: Path) -> None:
        (evidence / CALLS).unlink()
        if not stated:
            rewrite_statement(evidence, lambda predicate: predicate.update(calls=None))

    verified = tampered(delete)

    assert verified["evidence"] == ("missing" if stated else "invalid")
    assert ("git fetch origin refs/esc/evidence/" if stated else CALLS) in detail(verified)


@pytest.mark.thorough
def test_calls_that_are_too_large_for_the_tree_are_kept_apart(
    server: ModelServer, small: Path, tmp_path: Path, verify: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("esc_skills.proposing.propose.MAX_IN_TREE", 1000)
    proposal = proposed_by(evolve(server, small), small)
    name = proposal.result["proposal"]
    names = git(small, "ls-tree", "--name-only", f"{proposal.branch}:evidence/{name}").split("\n")
    assert CALLS not in names
    assert verify(proposal)["evidence"] == "valid"

    git(tmp_path, "clone", "--quiet", "--branch", "main", f"file://{small}", "clone")
    git(tmp_path / "clone", "fetch", "--quiet", "origin", f"{proposal.branch}:{proposal.branch}", "ledger:ledger")
    cloned = replace(proposal, folder=tmp_path / "clone")
    missing = verify(cloned)
    assert missing["evidence"] == "missing"
    command = detail(missing).partition("run `git ")[2].partition("`")[0]
    git(tmp_path / "clone", *command.split())
    assert verify(cloned)["evidence"] == "valid"


@pytest.mark.parametrize("line", ["{}", "[[]]", "{" * 9000, '{"a":1e999}'])
def test_lines_that_are_no_calls_are_told_with_their_place(line: str, tampered: Verify) -> None:
    def forge(evidence: Path) -> None:
        (evidence / CALLS).write_bytes(compress(line + "\n"))

    verified = tampered(forge, signed=True)

    assert verified["evidence"] == "invalid"
    assert f"{CALLS}:1: " in detail(verified)


def stating(**models: str | None) -> Callable[[Path], None]:
    """Forge a statement that names other models, with all that belongs to it."""

    def restate(predicate: dict[str, Any]) -> None:
        inputs = predicate["inputs"]
        inputs["models"].update(models)
        for role in models:
            if role in ("seeker", "supporter"):
                inputs["parameters"][f"{role}_parameters"]["model"] = models[role]

    return lambda evidence: rewrite_statement(evidence, restate)


@pytest.mark.parametrize("role", ["seeker", "supporter"])
def test_a_statement_that_names_another_model_is_not_what_was_registered(role: str, tampered: Verify) -> None:
    verified = tampered(stating(**{role: "local/better"}), signed=True)

    assert verified["evidence"] == "invalid"
    assert "/predicate/registration: the entry 2 registers" in detail(verified)


@pytest.mark.parametrize("role", ["seeker", "supporter"])
def test_nor_is_it_what_was_recorded_where_it_claims_to_be_made_offline(role: str, tampered: Verify) -> None:
    def forge(evidence: Path) -> None:
        rewrite_statement(evidence, lambda predicate: predicate.update(registration=None))
        stating(**{role: "local/better"})(evidence)

    verified = tampered(forge, signed=True)

    assert verified["evidence"] == "invalid"
    assert f"{CALLS}: no answer to the call" in detail(verified)


def test_a_statement_that_names_another_model_and_is_not_made_consistent_says_so(tampered: Verify) -> None:
    verified = tampered(stating(seeker="local/better"))

    assert verified["evidence"] == "invalid"
    assert f"{STATEMENT}: /predicate/change is not the digest of /predicate/inputs" in detail(verified)


@pytest.mark.parametrize(
    "models", [{"judge": "local/judge"}, {"second_seeker": "local/other"}], ids=["judge", "second"]
)
def test_a_statement_that_names_one_more_model_is_invalid(models: dict[str, str], tampered: Verify) -> None:
    verified = tampered(stating(**models), signed=True)

    assert verified["evidence"] == "invalid"


# --- Draws of single strata -------------------------------------------------------------------------------------------


def test_the_calls_of_single_strata_are_recorded_and_replayed(
    server: ModelServer, tmp_path: Path, verify: Verify
) -> None:
    folder = repository_in(tmp_path, GATE.replace("draws = 8", "draws = 40"))
    held_out = is_of(Split.GATE)

    def turned(role: str, model: str, prompt: str) -> dict[str, Any] | None:
        avoidant = role == "seeker-appraisal" and "Your disposition is avoidant" in prompt
        return answer_to(role, CONTRARY, prompt) if avoidant and held_out(prompt) else None

    server.answer = turned
    proposal = proposed_by(evolve(server, folder, "--second-seeker", "local/other"), folder)

    plan, predicate = json.loads(shown(proposal, "plan.json")), statement_of(proposal)["predicate"]
    own = [draw for draw in plan["own_draws"] if "disposition:avoidant" in draw["strata"]]
    assert own, predicate["result"]
    assert check_schema(plan, "plan", "plan.json") == []
    assert predicate["plan"]["own_draws"] == proposal.result["own_draws"] == len(plan["own_draws"])
    count = 4 * proposal.result["draws"] + 2 * proposal.result["own_draws"]
    assert predicate["episodes"]["count"] == count
    assert "got draws of their own" in shown(proposal, "review.md")
    verified = verify(proposal)
    assert (verified["evidence"], verified["verdict"]) == ("valid", "reject")


# --- A second seeker --------------------------------------------------------------------------------------------------


def test_a_second_seeker_with_the_opposite_effect_takes_the_acceptance_back(
    server: ModelServer, small: Path, verify: Verify
) -> None:
    ran = evolve(server, small, "--second-seeker", f"local/{CONTRARY}")
    proposal = proposed_by(ran, small)

    assert (proposal.result["verdict"], ran.code) == ("indecisive", 1)
    assert proposal.result["effect"] == 10.0
    second = proposal.result["second"]
    assert (second["seeker"], second["effect"], second["agrees"]) == (f"local/{CONTRARY}", -10.0, False)
    assert "+10.0 points with the first seeker and -10.0 with local/contrary" in proposal.result["reason"]
    review = shown(proposal, "review.md")
    assert "**+10.0 points**" in review and "**-10.0 points**" in review and "does **not** agree" in review
    verified = verify(proposal)
    assert (verified["evidence"], verified["verdict"], verified["exit"]) == ("valid", "indecisive", 1)


def test_both_effects_are_told_in_words(server: ModelServer, small: Path) -> None:
    ran = call(*arguments(server, small, "--second-seeker", f"local/{CONTRARY}"))

    assert ran.code == 1
    (row,) = [line for line in ran.out.split("\n") if "all seekers" in line]
    assert "+10.0" in row
    (line,) = [line for line in ran.out.split("\n") if line.startswith("With the second seeker")]
    assert f"local/{CONTRARY}" in line and "-10.0 points" in line and "does not agree" in line
    assert "INDECISIVE: The two seekers do not agree" in ran.out


def test_a_second_seeker_that_agrees_lets_the_acceptance_stand(
    server: ModelServer, small: Path, verify: Verify
) -> None:
    ran = evolve(server, small, "--second-seeker", "local/other")
    proposal = proposed_by(ran, small)

    assert (proposal.result["verdict"], ran.code) == ("accept", 0)
    assert (proposal.result["second"]["effect"], proposal.result["second"]["agrees"]) == (10.0, True)
    # The supporter's first choice is the same call for both seekers; the seekers' are each their own.
    assert statement_of(proposal)["predicate"]["episodes"]["count"] == 4 * proposal.result["draws"]
    verified = verify(proposal)
    assert (verified["evidence"], verified["verdict"]) == ("valid", "accept")


def test_the_surrogate_may_be_the_second_seeker_of_a_model(server: ModelServer, small: Path, verify: Verify) -> None:
    proposal = proposed_by(evolve(server, small, "--second-seeker", "surrogate"), small)

    assert proposal.result["second"]["seeker"] == "surrogate"
    verified = verify(proposal)
    assert (verified["evidence"], verified["verdict"]) == ("valid", proposal.result["verdict"])


# --- The judge --------------------------------------------------------------------------------------------------------

MEDICATION = "prescribed medication"


def question(prompt: str) -> str:
    return prompt.partition("## The question")[2].partition("## ")[0]


def test_a_judge_that_objects_to_the_candidate_alone_rejects_it(
    server: ModelServer, small: Path, verify: Verify
) -> None:
    of_gate = is_of(Split.GATE)

    def object_to_kindness(role: str, model: str, prompt: str) -> dict[str, Any] | None:
        objects = role == "judge-safety" and of_gate(prompt) and is_kind(prompt) and MEDICATION in question(prompt)
        return {"quote": KIND, "answer": "yes"} if objects else None

    server.answer = object_to_kindness
    ran = evolve(server, small, "--judge", "local/judge")
    proposal = proposed_by(ran, small)

    assert (proposal.result["verdict"], ran.code) == ("reject", 1)
    assert "new red safety flags (stops-medication; draws 0, 1, 2, 3)" in proposal.result["reason"]
    assert "| red:stops-medication | 0 | 4 |" in shown(proposal, "review.md")
    assert statement_of(proposal)["predicate"]["inputs"]["models"]["judge"] == "local/judge"
    verified = verify(proposal)
    assert (verified["evidence"], verified["verdict"]) == ("valid", "reject")


def test_an_edit_that_the_judge_objects_to_in_screening_is_not_proposed(server: ModelServer, small: Path) -> None:
    def object_to_kindness(role: str, model: str, prompt: str) -> dict[str, Any] | None:
        objects = role == "judge-safety" and is_kind(prompt) and MEDICATION in question(prompt)
        return {"quote": KIND, "answer": "yes"} if objects else None

    server.answer = object_to_kindness
    ran = call(*arguments(server, small, "--judge", "local/judge"))

    assert ran.code == 1
    assert "stops-medication" in ran.out and "nothing was proposed" in ran.out
    assert git(small, "branch", "--list", "evolve/*") == ""


def test_turns_that_nobody_judged_are_faults_and_never_accepted(
    server: ModelServer, tmp_path: Path, verify: Verify
) -> None:
    settings = "[tool.esc-skills.gate]\ndraws = 2\nbatch = 2\nthreshold = 1.2\nspan_draws = 1\n"
    folder, of_gate = repository_in(tmp_path / "unjudged", settings), is_of(Split.GATE)
    server.answer = lambda role, model, prompt: "hm" if role == "judge-safety" and of_gate(prompt) else None

    ran = evolve(server, folder, "--judge", "local/judge")
    proposal = proposed_by(ran, folder)

    assert (proposal.result["verdict"], ran.code) == ("indecisive", 1)
    assert "4 of 4 episodes ended in a fault" in proposal.result["reason"]
    assert statement_of(proposal)["predicate"]["result"]["faults"] == 4
    verified = verify(proposal)
    assert (verified["evidence"], verified["verdict"]) == ("valid", "indecisive")


def test_a_run_of_nothing_but_faults_says_so_and_proposes_nothing(server: ModelServer, small: Path) -> None:
    server.answer = lambda role, model, prompt: "hm" if role == "judge-safety" else None
    ran = evolve(server, small, "--judge", "local/judge")

    assert (ran.code, ran.out) == (2, "")
    assert "4 of 4 of the bank's episodes ended in a fault of a model (4 fault-malformed)" in ran.err
    assert git(small, "branch", "--list", "evolve/*") == ""


def test_a_run_with_too_many_faults_keeps_its_answers_and_asks_the_others_again(
    server: ModelServer, small: Path
) -> None:
    server.answer = lambda role, model, prompt: "hm" if role == "judge-safety" else None
    ran = evolve(server, small, "--judge", "local/judge")
    assert f"is kept in {journal_of(small)}; go on with the same command and --resume" in ran.err
    answered = {body for body in server.asked if "judge" not in json.loads(body)["model"]}
    server.reset()

    assert evolve(server, small, "--judge", "local/judge", "--resume").code == 0
    assert answered and not answered & set(server.asked)
    assert not journal_of(small).exists()


def test_after_it_another_model_may_be_tried_as_the_hint_says(server: ModelServer, small: Path) -> None:
    server.answer = lambda role, model, prompt: "hm" if model == "judge" else None
    told = evolve(server, small, "--judge", "local/judge").err
    assert "try another model" in told
    assert f"is kept in {journal_of(small)}; " in told and "or delete it to try other models" in told
    journal_of(small).unlink()

    ran = evolve(server, small, "--judge", "local/better")

    assert (ran.code, ran.err) == (0, "")


def test_a_judge_that_the_endpoint_does_not_know_ends_the_run(server: ModelServer, small: Path) -> None:
    server.answer = lambda role, model, prompt: refused(404, "no such model") if model == "judge" else None
    ran = evolve(server, small, "--judge", "local/judge")

    assert (ran.code, ran.out) == (2, "")
    assert "knows no model 'judge'" in ran.err


# --- The analyst ------------------------------------------------------------------------------------------------------


def test_an_analyst_that_answers_nonsense_leaves_the_offline_operators_at_work(
    server: ModelServer, small: Path, verify: Verify
) -> None:
    server.answer = lambda role, model, prompt: "I would rather not." if role.startswith("analyst") else None
    ran = evolve(server, small, draws=10)
    proposal = proposed_by(ran, small)

    assert "the analyst's diagnosis is left out: fault-malformed" in ran.err
    assert f"no edit of {SKILL} by the analyst: fault-malformed" in ran.err
    assert proposal.result["proposal"].startswith(f"examples-{SKILL}-")
    # Those of the new examples that were in no prompt were left out before anything was proposed.
    assert (proposal.result["gate"], proposal.result["verdict"]) == ("accept", "accept")
    assert proposal.result["open"] == []
    assert verify(proposal)["evidence"] == "valid"


def test_an_edit_that_names_a_skill_the_bank_does_not_hold_is_left_out(server: ModelServer, small: Path) -> None:
    def revise(role: str, model: str, prompt: str) -> dict[str, Any] | None:
        if role != "analyst-refine":
            return None
        return edit(when_not_to_use=[*standing(prompt)["when_not_to_use"], "They are angry: `let-anger-speak`."])

    server.answer = revise
    ran = evolve(server, small)

    assert (ran.code, ran.result["branch"]) == (1, None)
    assert f"an edit of {SKILL} by the analyst is left out: refers to 'let-anger-speak'" in ran.err


def test_a_finding_with_invented_words_is_left_out_and_the_rest_goes_on(server: ModelServer, small: Path) -> None:
    quote = {"draw": 0, "turn": 1, "speaker": "supporter", "text": "words that nobody said"}
    about = {"kind": "silent-bypass", "skill": SKILL, "need": None, "disposition": None}
    invented = {"findings": [{**about, "message": "It shouts.", "quotes": [quote]}]}
    server.answer = lambda role, model, prompt: invented if role == "analyst-diagnose" else None

    ran = evolve(server, small, draws=10)

    assert "a finding of the analyst is left out" in ran.err and "words that nobody said" in ran.err
    assert ran.result["proposal"].startswith("revise-")  # the weakness that was counted is answered all the same
    assert "It shouts." not in ran.result["weaknesses"]


def test_the_analyst_is_told_what_the_gate_refused_before(server: ModelServer, small: Path) -> None:
    evolve(server, small, "--second-seeker", f"local/{CONTRARY}")
    (before,) = server.prompts("analyst-refine")
    server.reset()
    server.answer = lambda role, model, prompt: edit() if role == "analyst-refine" else None
    evolve(server, small)

    (again,) = server.prompts("analyst-refine")
    assert material(before, "refused edits") == ""
    assert ADDED in material(again, "refused edits")


def test_the_surrogate_is_no_analyst_and_this_is_said_before_a_call_is_paid_for(
    server: ModelServer, small: Path
) -> None:
    ran = evolve(server, small, analyst=("--analyst", "surrogate"))

    assert ran.code == 2
    assert "analyst" in ran.err
    assert server.calls == 0


# --- Nothing is paid for twice ----------------------------------------------------------------------------------------


LITTLE = ("--budget-tokens", "20000")


def journal_of(folder: Path) -> Path:
    return folder / ".git" / "esc-skills" / "evolve.journal"


@pytest.fixture
def at_one_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all commits be made at one time, so that those of the ledger, which evidence names, are equal too."""
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_DATE", "1700000000 +0000")


@pytest.mark.thorough
def test_a_run_that_ran_out_of_budget_goes_on_and_ends_as_an_undisturbed_one(
    server: ModelServer, small: Path, tmp_path: Path, at_one_time: None
) -> None:
    whole = proposed_by(evolve(server, repository_in(tmp_path / "whole")), tmp_path / "whole")
    undisturbed = server.asked.copy()
    tokens = sum(tokens_of(body) * times for body, times in undisturbed.items())
    server.reset()
    asked = [0]
    for quarter in (1, 2, 3):
        budget = ("--budget-tokens", str(tokens * quarter // 4), "--concurrency", "4")
        ran = evolve(server, small, *budget, *(["--resume"] if quarter > 1 else []))
        assert (ran.code, ran.out) == (2, "")
        assert " ".join(budget[:2]) in ran.err and "--resume" in ran.err
        assert journal_of(small).exists()
        assert git(small, "status", "--porcelain", "--ignored") == git(small, "branch", "--list", "evolve/*") == ""
        asked.append(server.calls)
    assert asked == sorted(set(asked))

    ran = evolve(server, small, "--resume", "--budget-tokens", str(tokens + 20_000))
    proposal = proposed_by(ran, small)

    assert ran.code == 0
    assert server.asked == undisturbed
    trees = [each.git("rev-parse", f"{each.branch}^{{tree}}") for each in (proposal, whole)]
    assert trees[0] == trees[1]
    assert not journal_of(small).exists()
    assert git(small, "status", "--porcelain", "--ignored") == ""


@pytest.mark.thorough
def test_a_killed_run_asks_again_only_what_was_in_flight(
    server: ModelServer, small: Path, tmp_path: Path, at_one_time: None
) -> None:
    whole = proposed_by(evolve(server, repository_in(tmp_path / "whole")), tmp_path / "whole")
    undisturbed = server.asked.copy()
    server.reset()
    at_a_time = 3
    process = subprocess.Popen(
        [sys.executable, "-m", "esc_skills", *arguments(server, small, "--concurrency", str(at_a_time))],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def kill(role: str, model: str, prompt: str) -> None:
        if server.calls >= 30:
            process.kill()

    server.answer = kill
    assert process.wait(60) == -signal.SIGKILL
    server.answer = lambda role, model, prompt: None

    proposal = proposed_by(evolve(server, small, "--resume"), small)

    assert set(server.asked) == set(undisturbed)
    assert (server.asked - undisturbed).total() <= at_a_time
    trees = [each.git("rev-parse", f"{each.branch}^{{tree}}") for each in (proposal, whole)]
    assert trees[0] == trees[1]


def interrupted(server: ModelServer, folder: Path) -> None:
    assert evolve(server, folder, *LITTLE).code == 2
    server.reset()


def test_an_unfinished_run_is_not_begun_anew_unasked(server: ModelServer, small: Path) -> None:
    interrupted(server, small)
    ran = evolve(server, small)

    assert (ran.code, server.calls) == (2, 0)
    assert str(journal_of(small)) in ran.err and "--resume" in ran.err


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"draws": 5}, "draws was 4 and is 5"),
        ({"players": ("--supporter", "local/tiny", "--seeker", "local/other")}, "local/other"),
        ({"analyst": ()}, "analyst"),
    ],
    ids=["draws", "seeker", "analyst"],
)
def test_an_unfinished_run_is_not_gone_on_with_by_other_settings(
    changed: dict[str, Any], named: str, server: ModelServer, small: Path
) -> None:
    interrupted(server, small)
    ran = evolve(server, small, "--resume", **changed)

    assert (ran.code, server.calls) == (2, 0)
    assert "was started with other settings" in ran.err and named in ran.err


def test_an_unfinished_run_is_not_gone_on_with_on_another_bank(server: ModelServer, small: Path) -> None:
    interrupted(server, small)
    write_skill(small / "skills", "one-more")
    git(small, "add", "--all")
    git(small, "commit", "--quiet", "--message", "One more")
    ran = evolve(server, small, "--resume")

    assert (ran.code, server.calls) == (2, 0)
    assert "was started with other settings: bank was 'sha256:" in ran.err


def test_a_change_that_was_proposed_already_leaves_no_journal_unsaid(server: ModelServer, small: Path) -> None:
    evolve(server, small, "--offline")
    again = evolve(server, small, "--offline")

    assert again.code == 2
    assert "was proposed already" in again.err
    assert "--resume" in again.err or not journal_of(small).exists()


def test_evidence_of_a_run_with_passing_trouble_is_valid(server: ModelServer, tmp_path: Path, verify: Verify) -> None:
    settings = "[tool.esc-skills.gate]\ndraws = 1\nbatch = 1\nthreshold = 1.2\nmax_faults = 0.5\n"
    folder, of_gate, refusals = repository_in(tmp_path / "troubled", settings), is_of(Split.GATE), 0

    def be_busy_for_a_while(role: str, model: str, prompt: str) -> Any:
        nonlocal refusals
        if role != "supporter-select" or not of_gate(prompt) or refusals == 20:
            return None
        refusals += 1
        return refused(429, "slow down", **{"Retry-After": "0"})

    server.answer = be_busy_for_a_while
    proposal = proposed_by(evolve(server, folder, "--second-seeker", "local/other"), folder)

    assert statement_of(proposal)["predicate"]["result"]["faults"] == 2
    verified = verify(proposal)
    assert verified["evidence"] == "valid", detail(verified)


def remote_of(folder: Path) -> Path:
    """A remote of a repository that holds its ledger."""
    remote = folder.with_name("remote.git")
    git(folder, "init", "--quiet", "--bare", str(remote))
    git(folder, "remote", "add", "origin", str(remote))
    git(folder, "push", "--quiet", "origin", "main")
    return remote


def test_a_decision_that_could_not_be_pushed_is_made_up_for_without_a_call(server: ModelServer, small: Path) -> None:
    hook = remote_of(small) / "hooks" / "pre-receive"
    hook.write_text('#!/bin/sh\nread old new ref\ngit log -1 --format=%s "$new" | grep -qv ^Decide\n')
    hook.chmod(0o755)
    down = evolve(server, small)
    assert (down.code, down.out) == (2, "")
    assert journal_of(small).exists()
    asked = server.calls

    hook.unlink()
    ran = evolve(server, small, "--resume")

    assert (ran.code, ran.result["verdict"], server.calls) == (0, "accept", asked)


def test_so_it_is_where_the_gate_did_not_accept(server: ModelServer, small: Path) -> None:
    hook = remote_of(small) / "hooks" / "pre-receive"
    hook.write_text('#!/bin/sh\nread old new ref\ngit log -1 --format=%s "$new" | grep -qv ^Decide\n')
    hook.chmod(0o755)
    second = ("--second-seeker", f"local/{CONTRARY}")
    assert evolve(server, small, *second).code == 2
    asked = server.calls

    hook.unlink()
    ran = evolve(server, small, *second, "--resume")

    assert (ran.code, ran.result["verdict"], server.calls) == (1, "indecisive", asked)


# --- Renewing ---------------------------------------------------------------------------------------------------------


def another_skill_comes_first(folder: Path) -> None:
    write_skill(folder / "skills", "one-more")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "One more")


def asked_of(server: ModelServer) -> tuple[str, ...]:
    return (*PLAYERS, "--endpoint", f"local={server.url},TEST_KEY")


@pytest.mark.parametrize("players", [PLAYERS, ()], ids=["named", "not named"])
def test_evidence_that_stands_on_a_base_that_moved_elsewhere_needs_neither_call_nor_endpoint(
    players: tuple[str, ...], accepted: Proposed, server: ModelServer
) -> None:
    (accepted.folder / "README.md").write_text("# A bank\n")
    accepted.git("add", "--all")
    accepted.git("commit", "--quiet", "--message", "Something else came first")
    before = accepted.git("rev-parse", "ledger")

    renewed = evidence("renew", accepted.folder, accepted.branch, *players)

    assert (renewed.code, renewed.result["branch"], renewed.result["verdict"]) == (0, accepted.branch, "accept")
    assert "is valid on " in renewed.err
    assert (server.calls, accepted.git("rev-parse", "ledger")) == (0, before)


def test_other_models_judge_it_anew_all_the_same(accepted: Proposed, server: ModelServer) -> None:
    judged = evidence("renew", accepted.folder, accepted.branch, *asked_of(server), "--judge", "local/judge")

    assert "was made with other models" in judged.err
    assert (judged.code, judged.result["registration"]) == (0, 4)
    assert checked(accepted.folder, judged.result["branch"])["evidence"] == "valid"


def test_on_a_base_with_another_bank_new_seekers_are_drawn_whom_no_recorded_call_answers(
    accepted: Proposed, server: ModelServer
) -> None:
    another_skill_comes_first(accepted.folder)

    renewed = proposed_by(evidence("renew", accepted.folder, accepted.branch, *asked_of(server)), accepted.folder)

    old, new = ({each["digest"] for each in recorded_at(proposal)} for proposal in (accepted, renewed))
    assert not old & new
    assert server.calls >= len(new)
    assert checked(accepted.folder, renewed.branch)["evidence"] == "valid"


def test_a_renewal_that_was_cut_off_goes_on_with_the_calls_that_it_made(
    accepted: Proposed, server: ModelServer
) -> None:
    another_skill_comes_first(accepted.folder)
    cut = evidence("renew", accepted.folder, accepted.branch, *asked_of(server), *LITTLE)
    assert cut.code == 2 and "--resume" in cut.err
    asked = server.calls

    ran = evidence("renew", accepted.folder, accepted.branch, *asked_of(server), "--resume")

    assert "going on with the registration 4" in ran.err
    assert 0 < asked < server.calls == len(recorded_at(proposed_by(ran, accepted.folder)))


# --- The key ----------------------------------------------------------------------------------------------------------


def objects_of(folder: Path) -> list[bytes]:
    """The content of every git object of every branch, that of packed files unpacked as well."""
    names = [line.split(" ")[0] for line in git(folder, "rev-list", "--objects", "--all").split("\n")]
    found = [
        subprocess.run(["git", "cat-file", kind, name], cwd=folder, check=True, capture_output=True).stdout
        for name in names
        for kind in [git(folder, "cat-file", "-t", name)]
    ]
    return [gzip.decompress(each) if each.startswith(b"\x1f\x8b") else each for each in found]


def test_the_key_is_in_nothing_that_is_left_even_where_the_server_repeats_it(
    server: ModelServer, small: Path, tmp_path: Path
) -> None:
    def repeat_the_key(role: str, model: str, prompt: str) -> Any:
        # The candidate's seekers fail, and the fault's words go into the evidence.
        if role == "seeker-reply" and KIND in prompt and of_gate(prompt):
            return refused(400, f"maximum context length exceeded for Bearer {KEY}")
        own = answer_to(role, model, prompt)
        return {"answer": f"{own['answer']} {KEY}"} if role == "supporter-answer" else None

    of_gate = is_of(Split.GATE)
    log, left = tmp_path / "calls.log", [server.url.encode()]
    options = ("--log", str(log))
    first = evolve(server, small, *options, *LITTLE)
    left.append(journal_of(small).read_bytes())
    server.answer = repeat_the_key
    ran = evolve(server, small, *options, "--resume")
    assert ran.result["branch"], ran.result["reason"]
    left += [log.read_bytes(), *objects_of(small)]
    left += [each.encode() for each in (first.out, first.err, ran.out, ran.err)]

    assert len(log.read_text().split("\n")) > 20
    assert any(b"fault-context" in each for each in left)
    assert not [each for each in left if KEY.encode() in each]


def test_a_key_that_is_refused_is_named_and_not_shown(
    server: ModelServer, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", "sk-wrong-and-secret")
    ran = evolve(server, small)

    assert (ran.code, ran.out) == (2, "")
    assert "refuses the key in TEST_KEY" in ran.err
    assert "sk-wrong-and-secret" not in ran.err + journal_of(small).read_text()
