"""CI: what each workflow may do, and the steps of the actions run for real on repositories and an API of our own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest
import yaml

from esc_skills.reports.result import About, Line, Result, json_text
from tests.gitserver import SKILL, Server, copy_server, make_server
from tests.proposals import git

ROOT = Path(__file__).parent.parent
GITHUB = ROOT / ".github"
WORKFLOWS = sorted(GITHUB.glob("workflows/*.yml"))
ACTIONS = sorted(GITHUB.glob("actions/*/action.yml"))
pytestmark = pytest.mark.skipif(not GITHUB.is_dir(), reason="the workflows stand in the checkout")


def read(path: Path) -> dict[str, Any]:
    # YAML 1.1 reads the key `on` as true.
    return {"on" if key is True else key: value for key, value in yaml.safe_load(path.read_text()).items()}


def steps_of(path: Path) -> list[dict[str, Any]]:
    value = read(path)
    jobs = value["jobs"].values() if "jobs" in value else [value["runs"]]
    return [step for job in jobs for step in job["steps"]]


@pytest.mark.parametrize("path", [*WORKFLOWS, *ACTIONS], ids=lambda path: f"{path.parent.name}/{path.name}")
def test_actions_are_pinned_and_no_expression_reaches_a_shell(path: Path) -> None:
    for step in steps_of(path):
        assert "${{" not in step.get("run", "")
        assert step.get("uses", "./").startswith("./") or re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"])
    for line in path.read_text().splitlines():
        assert "uses: " not in line or "uses: ./" in line or re.search(r"@[0-9a-f]{40}  # v\d+\.\d+\.\d+$", line), line


def test_an_action_is_pinned_to_one_commit_everywhere() -> None:
    used = {step["uses"] for path in [*WORKFLOWS, *ACTIONS] for step in steps_of(path) if "@" in step.get("uses", "")}
    names = [each.partition("@")[0] for each in used]
    assert len(names) == len(set(names)), used


def test_what_runs_on_a_pull_request_has_neither_rights_nor_secrets_and_the_base_checked_out() -> None:
    text = (GITHUB / "workflows" / "verify.yml").read_text()
    verify = read(GITHUB / "workflows" / "verify.yml")
    assert set(verify["on"]) == {"pull_request", "merge_group"}
    assert verify["permissions"] == {"contents": "read"}
    assert "secrets" not in text
    (job,) = verify["jobs"].values()
    assert "permissions" not in job
    checkout, action = job["steps"]
    assert checkout["with"]["ref"] == "${{ github.event.pull_request.base.sha || github.event.merge_group.base_sha }}"
    assert checkout["with"]["persist-credentials"] is False
    assert action["uses"] == "./.github/actions/verify"  # that of the checkout, which is the base's
    assert action["with"]["base"] == checkout["with"]["ref"]


def test_what_has_rights_runs_nothing_of_a_pull_request() -> None:
    comment = read(GITHUB / "workflows" / "verify-comment.yml")
    assert set(comment["on"]) == {"workflow_run"}
    assert comment["on"]["workflow_run"]["workflows"] == [read(GITHUB / "workflows" / "verify.yml")["name"]]
    assert comment["permissions"] == {}
    (job,) = comment["jobs"].values()
    assert job["permissions"] == {
        "actions": "read", "contents": "read", "pull-requests": "write", "security-events": "write",
    }  # fmt: skip
    checkout, _ = job["steps"]
    assert set(checkout["with"]) == {"persist-credentials"}  # no ref: the default branch
    written = (GITHUB / "actions" / "verify-comment" / "action.yml").read_text()
    assert "pip" not in written
    assert "git " not in written


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("zizmor", ["--offline", "--quiet", ".github"]),
        ("check-jsonschema", ["--builtin-schema", "vendor.github-workflows", *map(str, WORKFLOWS)]),
        ("check-jsonschema", ["--builtin-schema", "vendor.github-actions", *map(str, ACTIONS)]),
        ("actionlint", list(map(str, WORKFLOWS))),
    ],
)
def test_the_linters_find_nothing(name: str, arguments: list[str]) -> None:
    found = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if found is None:
        pytest.skip(f"{name} is not installed")
    done = subprocess.run([found, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_hooks_of_pre_commit_name_a_command_of_ours() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert hook["entry"] == "esc-skills validate"
    files = re.compile(hook["files"])
    assert all(map(files.search, [SKILL, "SKILL.md", "profiles/personas/a.yaml", "pyproject.toml"]))
    assert not any(map(files.search, ["README.md", "docs/SKILL.md.txt", "tools/a.yaml"]))


# The action that verifies, its steps run as a runner runs them


@dataclass
class Runner:
    """What a runner gives a composite action.

    Attributes:
        workspace: Where the base is checked out.
        temp: The runner's folder, in which the tool counts as installed.
        outputs: What the steps put out, by step.
    """

    workspace: Path
    temp: Path
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    told: str = ""

    def run(self, action: str, **inputs: str) -> int:
        """Run the steps that have a script, and return the exit code of the last that ran."""
        value = read(GITHUB / "actions" / action / "action.yml")
        given = {key: str(each.get("default", "")) for key, each in value["inputs"].items()} | inputs | {"token": ""}
        for step in value["runs"]["steps"]:
            if "run" not in step or step["name"].startswith("Install") or not self._is_due(step.get("if", "")):
                continue
            code = self._run_step(step, given, GITHUB / "actions" / action)
            if code:
                return code
        return 0

    def _is_due(self, condition: str) -> bool:
        mark = re.fullmatch(r"steps\.(\w+)\.outputs\.(\w+) != '(\w*)'", condition)
        return mark is None or self.outputs.get(mark[1], {}).get(mark[2], "") != mark[3]

    def _run_step(self, step: dict[str, Any], given: dict[str, str], folder: Path) -> int:
        output = self.temp / f"output-{step.get('id', 'x')}"
        output.write_text("")
        environment = {
            **os.environ,
            **{key: self._value(each, given) for key, each in step.get("env", {}).items()},
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "GITHUB_ACTION_PATH": str(folder),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(self.temp / "summary.md"),
            "GITHUB_SERVER_URL": "https://github.example",
            "RUNNER_TEMP": str(self.temp),
        }
        command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]]
        done = subprocess.run(command, cwd=self.workspace, env=environment, capture_output=True, text=True, check=False)
        self.told += done.stdout + done.stderr
        lines = [line.partition("=") for line in output.read_text().splitlines()]
        self.outputs[step.get("id", "")] = {key: value for key, _, value in lines}
        return done.returncode

    @staticmethod
    def _value(text: str, given: dict[str, str]) -> str:
        return re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda mark: given[mark[1]], text)


@pytest.fixture(scope="module")
def _served(tmp_path_factory: pytest.TempPathFactory, own_home: Path) -> Server:
    return make_server(tmp_path_factory.mktemp("served"))


@pytest.fixture
def server(_served: Server, tmp_path: Path) -> Server:
    """A server that holds the proposal's branch too, as a pull request's."""
    server = copy_server(_served, tmp_path / "served")
    assert server.push(server.proposal).passed
    return server


@pytest.fixture
def runner(server: Server, tmp_path: Path) -> Runner:
    workspace, temp = tmp_path / "workspace", tmp_path / "temp"
    git(tmp_path, "clone", "--quiet", "--single-branch", "--branch", "main", server.bare.as_uri(), str(workspace))
    installed = temp / "esc-skills" / "bin" / "esc-skills"
    installed.parent.mkdir(parents=True)
    installed.write_text(f'#!/bin/sh\nexec {sys.executable} -P -m esc_skills "$@"\n')
    installed.chmod(0o755)
    return Runner(workspace, temp)


def test_the_action_fetches_and_verifies_a_proposal_that_is_not_there_yet(server: Server, runner: Runner) -> None:
    base, head = server.head(), server.head(server.proposal)
    assert runner.run("verify", base=base, head=head) == 0, runner.told
    assert runner.outputs["verify"] == {
        "report": str(runner.temp / "esc-skills-verification"), "evidence": "valid", "verdict": "accept",
    }  # fmt: skip
    assert "::notice title=esc-skills::evidence valid, verdict accept" in runner.told
    assert "verdict accept" in (runner.temp / "summary.md").read_text()
    log = json.loads((runner.temp / "esc-skills-verification" / "verification.sarif").read_text())
    assert log["runs"][0]["results"] == []
    assert git(runner.workspace, "status", "--porcelain") == ""
    assert git(runner.workspace, "rev-parse", "HEAD") == base


def test_the_action_refuses_a_change_without_evidence_and_leaves_its_result(server: Server, runner: Runner) -> None:
    server.git("checkout", "--quiet", "-b", "pull")
    head = server.commit(SKILL, (server.work / SKILL).read_text() + "\n")
    assert server.push("pull").passed
    assert runner.run("verify", base=server.head(), head=head) == 1
    assert (runner.outputs["verify"]["evidence"], runner.outputs["verify"]["verdict"]) == ("missing", "")
    assert f"::error file={SKILL}" in runner.told


def test_a_signature_is_asked_for_where_the_input_says_so(server: Server, runner: Runner) -> None:
    inputs = {"base": server.head(), "head": server.head(server.proposal), "require-signature": "true"}
    assert runner.run("verify", **inputs) == 1
    assert "signature" in runner.told


@pytest.mark.parametrize(
    ("path", "evidence"),
    [
        ("README.md", "none"),
        ("other/skills/x.md", "none"),
        ("SKILLS/x.md", "missing"),
        ("evidence/x", "missing"),
        (".gitattributes", "missing"),
    ],
)
def test_the_action_lets_pass_what_touches_nothing_of_the_bank(
    path: str, evidence: str, server: Server, runner: Runner
) -> None:
    server.git("checkout", "--quiet", "-b", "pull")
    head = server.commit(path, "x\n")
    assert server.push("pull").passed
    code = runner.run("verify", base=server.head(), head=head)
    assert (runner.outputs["verify"]["evidence"], code) == (evidence, 0 if evidence == "none" else 1)


@pytest.mark.parametrize("head", ["$(touch pwned)", "--upload-pack=touch pwned", "main", "a" * 40])
def test_a_head_that_is_no_commit_is_an_error_and_no_command(head: str, server: Server, runner: Runner) -> None:
    assert runner.run("verify", base=server.head(), head=head) != 0
    assert not (runner.workspace / "pwned").exists()
    assert "verify" not in runner.outputs


# The comment, written to an API of our own


@dataclass
class Api:
    """As much of GitHub's API as the comment asks for.

    Attributes:
        pulls: The open pull requests.
        files: What the pull request changes.
        comments: The comments of pull request 7.
        merged: The tree that merging it makes.
    """

    pulls: list[dict[str, Any]]
    files: list[dict[str, Any]] = field(default_factory=lambda: [{"filename": SKILL}])
    comments: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    merged: str = "e" * 40

    def answer(self, method: str, path: str, value: Any) -> Any:
        self.asked.append((method, path))
        url = urlparse(path)
        place = url.path.removeprefix("/repos/o/r/")
        if place == "pulls":
            owner, _, branch = parse_qs(url.query)["head"][0].partition(":")
            return [
                each for each in self.pulls if (each["head"]["user"]["login"], each["head"]["ref"]) == (owner, branch)
            ]
        if place.startswith("git/commits/"):
            return {"tree": {"sha": self.merged}}
        if place.startswith("compare/"):
            return {"files": self.files}
        if method == "PATCH":
            target = self.comments[int(place.rpartition("/")[2])]
            if target.get("locked"):
                return None
            target["body"] = value["body"]
        elif method == "POST":
            bot = {"login": "github-actions[bot]", "type": "Bot"}
            self.comments.append({"id": len(self.comments), "user": bot, "body": value["body"]})
        return self.comments


BRANCH = "evolve/a&b#c d"
HEAD = "c" * 40


def pull(number: int = 7, sha: str = HEAD, owner: str = "stranger") -> dict[str, Any]:
    head = {"sha": sha, "ref": BRANCH, "user": {"login": owner}, "repo": {"full_name": f"{owner}/r"}}
    return {"number": number, "head": head, "base": {"sha": "b" * 40}, "merge_commit_sha": "f" * 40}


@pytest.fixture
def api() -> Iterator[tuple[Api, str]]:
    state = Api([pull(), pull(8, "d" * 40), pull(9, owner="somebody")])

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            assert self.headers["Authorization"] == "Bearer a-token"
            answer = json.dumps(state.answer(self.command, self.path, json.loads(sent or "null"))).encode()
            self.send_response(403 if answer == b"null" else 200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PATCH = _do  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as served:
        thread = threading.Thread(target=served.serve_forever, daemon=True)
        thread.start()
        yield state, f"http://127.0.0.1:{served.server_port}"
        served.shutdown()
        thread.join()


EVENT = {
    "workflow_run": {
        "head_sha": HEAD,
        "head_branch": BRANCH,
        "head_repository": {"full_name": "stranger/r", "owner": {"login": "stranger"}},
        "html_url": "https://github.example/o/r/actions/runs/1",
    }
}


def comment(url: str, folder: Path, result: Path) -> dict[str, str]:
    """Run the script as the action does, with nothing but the standard library, and return what it puts out."""
    (folder / "event.json").write_text(json.dumps(EVENT))
    script = GITHUB / "actions" / "verify-comment" / "comment.py"
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(script), str(result), str(folder / "out.sarif")],
        env={
            "GITHUB_API_URL": url,
            "GITHUB_REPOSITORY": "o/r",
            "GITHUB_EVENT_PATH": str(folder / "event.json"),
            "TOKEN": "a-token",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


ABOUT = About("b" * 40, HEAD, "e" * 40, None, None, f"sha256:{'0' * 64}", "0.1.0")
REFUSED = Result("missing", None, (Line("evidence", False, f"the head changes {SKILL} and adds no evidence"),), ABOUT)


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """What the run without rights left behind."""
    path = tmp_path / "verification.json"
    path.write_text(json_text(REFUSED.as_json()))
    return path


def test_it_comments_once_and_then_anew(api: tuple[Api, str], tmp_path: Path, left: Path) -> None:
    state, url = api
    state.comments.append({"id": 0, "user": {"type": "User"}, "body": "<!-- esc-skills verify -->\nmine"})
    put_out = comment(url, tmp_path, left)
    assert put_out == {"number": "7", "sarif": str(tmp_path / "out.sarif")}
    assert "evidence missing" in state.comments[1]["body"]
    assert json.loads((tmp_path / "out.sarif").read_text())["runs"][0]["results"][0]["ruleId"] == "evidence-missing"
    left.write_text(json_text(Result("none", None, (Line("change", True, "x"),), ABOUT).as_json()))
    comment(url, tmp_path, left)
    assert [each["body"].split("\n")[1] for each in state.comments] == [
        "mine",
        "### Emotional support skills: nothing to verify",
    ]


@pytest.mark.parametrize(
    ("field_name", "value", "named"),
    [("base", "9" * 40, "base"), ("head", "9" * 40, "head"), ("tree", "9" * 40, "merged tree")],
)
def test_a_result_about_something_else_than_the_live_pull_request_is_not_shown(
    field_name: str, value: str, named: str, api: tuple[Api, str], tmp_path: Path, left: Path
) -> None:
    state, url = api
    accepted = Result("valid", "accept", (Line("verdict", True, "x"),), replace(ABOUT, **{field_name: value}))
    left.write_text(json_text(accepted.as_json()))
    assert comment(url, tmp_path, left) == {"number": "7"}
    (written,) = state.comments
    assert f"another {named} than this pull request has now" in written["body"]
    assert "accept" not in written["body"]


def test_a_run_of_an_older_head_comments_nowhere(api: tuple[Api, str], tmp_path: Path, left: Path) -> None:
    state, url = api
    state.pulls = state.pulls[1:]
    assert comment(url, tmp_path, left) == {}
    assert {method for method, _ in state.asked} == {"GET"}


@pytest.mark.parametrize(
    "file",
    [
        {"filename": ".github/workflows/verify.yml"},
        {"filename": ".GitHub/actions/verify/action.yml"},
        {"filename": "docs/x.yml", "previous_filename": ".github/workflows/verify.yml"},
    ],
)
def test_a_pull_request_with_workflows_of_its_own_is_not_believed(
    file: dict[str, str], api: tuple[Api, str], tmp_path: Path, left: Path
) -> None:
    state, url = api
    state.files.append(file)
    left.write_text(json_text(Result("valid", "accept", (Line("verdict", True, "x"),), ABOUT).as_json()))
    assert comment(url, tmp_path, left) == {"number": "7"}
    (written,) = state.comments
    assert "to be verified by hand" in written["body"]
    assert "accept" not in written["body"]


def test_a_comparison_that_is_cut_is_not_believed(api: tuple[Api, str], tmp_path: Path, left: Path) -> None:
    state, url = api
    state.files = [{"filename": f"a{at}"} for at in range(300)]
    assert comment(url, tmp_path, left) == {"number": "7"}


@pytest.mark.parametrize("content", ["{}", "x" * 70_000, None, "link"])
def test_a_result_that_ours_could_not_be_is_not_repeated(
    content: str | None, api: tuple[Api, str], tmp_path: Path, left: Path
) -> None:
    state, url = api
    left.unlink()
    if content == "link":
        left.symlink_to("/proc/self/environ")
    elif content is not None:
        left.write_text(content)
    assert comment(url, tmp_path, left) == {"number": "7"}
    assert "not verified" in state.comments[0]["body"]


@pytest.mark.parametrize("checks", [(), (Line("verdict", True, "x"), Line("owners", False, "x"))])
def test_an_acceptance_whose_checks_say_otherwise_is_not_repeated(
    checks: tuple[Line, ...], api: tuple[Api, str], tmp_path: Path, left: Path
) -> None:
    state, url = api
    left.write_text(json_text(Result("valid", "accept", checks, ABOUT).as_json()))
    assert comment(url, tmp_path, left) == {"number": "7"}
    assert "not verified" in state.comments[0]["body"]


def test_an_acceptance_of_no_certain_merge_is_not_shown(api: tuple[Api, str], tmp_path: Path, left: Path) -> None:
    state, url = api
    about = replace(ABOUT, tree=None)
    left.write_text(json_text(Result("valid", "accept", (Line("verdict", True, "x"),), about).as_json()))
    assert comment(url, tmp_path, left) == {"number": "7"}
    assert "another merged tree" in state.comments[0]["body"]


def test_comments_of_nobody_and_of_other_bots_are_left_alone(api: tuple[Api, str], tmp_path: Path, left: Path) -> None:
    state, url = api
    state.comments += [
        {"id": 0, "user": None, "body": None},
        {"id": 1, "user": {"type": "Bot"}, "body": "<!-- esc-skills verify -->\nan echo", "locked": True},
    ]
    comment(url, tmp_path, left)
    assert [each["body"].split("\n")[-1] for each in state.comments if each["body"]][:1] == ["an echo"]
    assert "evidence missing" in state.comments[2]["body"]


def test_a_long_result_still_fits_into_a_comment(api: tuple[Api, str], tmp_path: Path, left: Path) -> None:
    state, url = api
    left.write_text(json_text(Result("invalid", None, (Line("x", False, "'" * 700),) * 40, ABOUT).as_json()))
    comment(url, tmp_path, left)
    assert len(state.comments[0]["body"]) < 65_536
    assert "evidence invalid" in state.comments[0]["body"]
