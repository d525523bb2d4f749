"""`esc-skills hook`: the gate of a server that people push to, by real pushes, and validation before a commit."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from esc_skills.bank.edit import set_metadata
from esc_skills.cli.main import run
from esc_skills.ledger.entries import entry_line
from tests.gitserver import QUICK, SKILL, Server, copy_server, make_server
from tests.proposals import git

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def _served(tmp_path_factory: pytest.TempPathFactory, own_home: Path) -> Server:
    return make_server(tmp_path_factory.mktemp("served"))


@pytest.fixture
def server(_served: Server, tmp_path: Path) -> Server:
    return copy_server(_served, tmp_path / "served")


@pytest.fixture
def daemon(server: Server) -> Iterator[str]:
    """The address of the bare repository, served by git itself on a loopback port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    options = ["--export-all", "--enable=receive-pack", "--reuseaddr", f"--base-path={server.bare.parent}"]
    process = subprocess.Popen(
        ["git", "daemon", "--listen=127.0.0.1", f"--port={port}", *options],
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_for(port)
        yield f"git://127.0.0.1:{port}/{server.bare.name}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=10)


def _wait_for(port: int) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise TimeoutError("git daemon does not answer")


# What is let in


def test_an_accepted_proposal_passes_over_the_network(server: Server, daemon: str) -> None:
    pushed = server.push(f"{server.proposal}:main", to=daemon)
    assert pushed.passed, pushed.told
    assert "remote: esc-skills: refs/heads/main: evidence valid, verdict accept" in pushed.told
    assert server.head() == server.git("rev-parse", server.proposal)


def test_an_edited_proposal_is_refused_over_the_network(server: Server, daemon: str) -> None:
    before = server.head()
    server.git("checkout", "--quiet", "-b", "forged", server.proposal)
    review = next(server.work.glob("evidence/*/review.md"))
    forged = server.commit(str(review.relative_to(server.work)), review.read_text().replace("+", "+9", 1))
    pushed = server.push("forged:main", to=daemon)
    assert not pushed.passed
    assert "remote: esc-skills: refs/heads/main is refused" in pushed.told
    assert "review.md" in pushed.told
    assert (server.head(), server.holds(forged)) == (before, False)


def test_it_works_where_git_runs_it_through_ssh(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # What ssh does on the other machine: a shell that knows nothing of ours runs the command that it was given.
    there = tmp_path / "ssh"
    there.write_text(f'#!/bin/sh\nshift\nexec env -i HOME="$HOME" PATH="{os.environ["PATH"]}" sh -c "$*"\n')
    there.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(there))
    monkeypatch.setenv("GIT_SSH_VARIANT", "simple")
    assert server.push(f"{server.proposal}:main", to=f"server:{server.bare}").passed


def _merged(server: Server) -> None:
    server.git("merge", "--quiet", "--no-ff", "--no-edit", server.proposal)


def _squashed(server: Server) -> None:
    server.git("merge", "--quiet", "--squash", server.proposal)
    server.git("commit", "--quiet", "--message", "A proposal, squashed")


def _rebased(server: Server) -> None:
    server.commit("README.md", "Another reader.\n")
    assert server.push("main").passed
    server.git("rebase", "--quiet", "main", server.proposal)
    server.git("checkout", "--quiet", "-B", "main")


def _after_another_change(server: Server) -> None:
    server.commit("README.md", "Another reader.\n")
    _squashed(server)


@pytest.mark.parametrize(
    "how",
    [_merged, _squashed, _rebased, _after_another_change],
    ids=lambda how: how.__name__,
)
def test_a_proposal_passes_however_it_was_merged(how: Callable[[Server], None], server: Server) -> None:
    how(server)
    pushed = server.push("main")
    assert pushed.passed, pushed.told
    assert "evidence valid, verdict accept" in pushed.told
    assert server.head() == server.git("rev-parse", "HEAD")


def test_changes_of_anything_else_pass_without_a_word(server: Server) -> None:
    server.commit("README.md", "Better words.\n")
    server.commit("pyproject.toml", QUICK + "\n[tool.other]\nkey = 1\n")
    pushed = server.push("main")
    assert (pushed.passed, "esc-skills" in pushed.told) == (True, False)


def test_other_branches_and_tags_are_free(server: Server) -> None:
    server.git("checkout", "--quiet", "-b", "draft")
    server.commit(SKILL, "broken\n")
    server.git("tag", "v1")
    assert server.push("draft", "v1").passed
    server.git("commit", "--quiet", "--amend", "--message", "Again")
    assert server.push("--force", "draft").passed
    assert server.push("--delete", "draft").passed


def test_the_first_push_sets_the_base(server: Server, tmp_path: Path) -> None:
    empty = tmp_path / "empty.git"
    git(tmp_path, "init", "--quiet", "--bare", str(empty))
    assert run(["hook", "install", "--server", "--repo", str(empty)]) == 0
    assert server.push("main", to=empty.as_uri()).passed


# What is refused


def test_a_change_of_a_skill_without_evidence_is_refused(server: Server) -> None:
    before = server.head()
    made = server.commit(SKILL, (server.work / SKILL).read_text().replace("1. ", "1. Never ", 1))
    pushed = server.push("main")
    assert (pushed.passed, server.head(), server.holds(made)) == (False, before, False)
    assert "evidence missing" in pushed.told


def test_one_that_hides_behind_an_accepted_proposal_is_refused_with_its_commit(server: Server) -> None:
    _squashed(server)
    made = server.commit(SKILL, (server.work / SKILL).read_text().replace("1. ", "1. Never ", 1))
    pushed = server.push("main")
    assert not pushed.passed
    assert "as a whole: evidence invalid" in pushed.told
    assert f"the commit {made[:10]} alone: evidence missing" in pushed.told


@pytest.mark.parametrize(
    "path", ["Skills/reflect-the-feeling/SKILL.md", "evidence/anything/statement.json", "skills/AGENTS.md"]
)
def test_whatever_lands_in_the_bank_or_in_the_evidence_is_judged(path: str, server: Server) -> None:
    server.commit(path, "x\n")
    assert not server.push("main").passed


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("pyproject.toml", QUICK.replace("1.1", "1.01")),
        ("pyproject.toml", "[tool.esc-skills\n"),
        ("profiles/intentions.yaml", "x: 1\n"),
        ("allowed_signers", "somebody ssh-ed25519 AAAA\n"),
    ],
)
def test_nobody_lowers_the_gate_first_and_passes_it_then(path: str, text: str, server: Server) -> None:
    server.commit(path, text)
    _squashed(server)
    pushed = server.push("main")
    assert not pushed.passed
    assert path in pushed.told


def test_what_judges_proposals_needs_an_owner(server: Server) -> None:
    path = "profiles/intentions.yaml"
    server.commit(path, (server.work / path).read_text() + "# a remark\n")
    pushed = server.push("main")
    assert not pushed.passed
    assert "changes seeker profiles (profiles/intentions.yaml), which no simulation decides" in pushed.told


def test_settings_that_cannot_be_read_are_the_keepers_to_mend(server: Server) -> None:
    git(server.bare, "config", "receive.denyNonFastForwards", "false")
    server.commit("pyproject.toml", "[tool.esc-skills\n")
    git(server.bare, "fetch", "--quiet", str(server.work), "main:main")  # the server's keeper, whom no hook asks
    server.commit("pyproject.toml", "[tool.esc-skills]\n")
    assert "pyproject.toml" in server.push("main").told


@pytest.mark.parametrize("branch", ["main", "ledger"])
def test_the_guarded_branches_are_neither_deleted_nor_rewritten(branch: str, server: Server) -> None:
    before = server.head(branch)
    git(server.bare, "config", "receive.denyDeleteCurrent", "ignore")
    deleted = server.push("--delete", branch)
    assert (deleted.passed, server.head(branch)) == (False, before)
    assert "may not be deleted" in deleted.told
    server.git("fetch", "--quiet", "origin", "ledger")
    server.git(
        "checkout", "--quiet", *(["-b", "other", f"{before}~1"] if branch == "ledger" else ["--orphan", "other"])
    )
    server.git("commit", "--quiet", "--allow-empty", "--message", "Another history")
    rewritten = server.push("--force", f"other:{branch}")
    assert (rewritten.passed, server.head(branch)) == (False, before)


def test_a_merge_that_shows_the_guarded_branch_as_a_side_branch_is_refused(server: Server) -> None:
    server.git("checkout", "--quiet", "-b", "mine", "main~0")
    server.commit("mine.md", "x\n")
    server.git("checkout", "--quiet", "main")
    server.commit("README.md", "Theirs.\n")
    assert server.push("main").passed
    server.git("checkout", "--quiet", "mine")
    server.git("merge", "--quiet", "--no-edit", "main")
    pushed = server.push("mine:main")
    assert (pushed.passed, "rebase your commits on main" in pushed.told) == (False, True), pushed.told
    server.git("rebase", "--quiet", "main")
    assert server.push("mine:main").passed


def test_a_branch_that_clones_check_out_and_nothing_guards_is_refused(server: Server) -> None:
    git(server.bare, "symbolic-ref", "HEAD", "refs/heads/trunk")
    pushed = server.push("main:trunk")
    assert (pushed.passed, "git symbolic-ref HEAD refs/heads/main" in pushed.told) == (False, True)


def test_an_owner_s_decision_that_no_owner_signed_is_refused(server: Server, tmp_path: Path) -> None:
    server.git("fetch", "--quiet", "origin", "ledger:ledger")
    entries = server.git("ls-tree", "--name-only", "ledger:entries").split()
    number = len(entries) + 1
    value = {
        "format": "esc-skills/ledger/1", "kind": "owners", "number": number, "base": server.head(),
        "change": f"sha256:{'0' * 64}", "reason": "I say so.", "signature": "none",
    }  # fmt: skip
    server.git("checkout", "--quiet", "ledger")
    server.commit(f"entries/{number:06}.json", entry_line(value))
    pushed = server.push("ledger")
    assert (pushed.passed, "owner's decision" in pushed.told) == (False, True), pushed.told


def test_an_entry_of_the_ledger_that_does_not_follow_is_refused(server: Server) -> None:
    before = server.head("ledger")
    server.git("fetch", "--quiet", "origin", "ledger")
    server.git("checkout", "--quiet", "-b", "other", before)
    server.commit("entries/000004.json", '{"kind":"decision"}\n')
    pushed = server.push("other:ledger")
    assert (pushed.passed, server.head("ledger")) == (False, before)
    assert "000004.json" in pushed.told


def test_a_replace_ref_shows_the_hook_no_other_commit(server: Server) -> None:
    before = server.head()
    evil = server.commit(SKILL, (server.work / SKILL).read_text().replace("1. ", "1. Never ", 1))
    assert server.push(f"{evil}:refs/heads/tmp", server.proposal).passed
    replaced = server.push(f"{server.proposal}:refs/replace/{evil}")
    assert not replaced.passed
    assert "a replace ref would show other objects" in replaced.told
    git(server.bare, "update-ref", f"refs/replace/{evil}", server.git("rev-parse", server.proposal))
    pushed = server.push(f"{evil}:main")
    assert (pushed.passed, server.head()) == (False, before)


@pytest.mark.parametrize(
    "ref",
    [
        "refs/tags/main",
        "refs/tags/ledger",
        "refs/heads/HEAD",
        "refs/heads/Main",
        "refs/heads/heads/main",
        "refs/heads/refs/heads/main",
        "refs/tags/heads/ledger",
        "refs/remotes/origin/ledger",
    ],
)
def test_a_ref_that_could_be_taken_for_a_guarded_one_is_refused(ref: str, server: Server) -> None:
    assert not server.push(f"main:{ref}").passed
    assert git(server.bare, "for-each-ref", ref) == ""


def test_a_symbolic_ref_is_no_way_around_the_branch_that_it_stands_for(server: Server) -> None:
    git(server.bare, "symbolic-ref", "refs/heads/alias", "refs/heads/main")
    before = server.head()
    evil = server.commit(SKILL, (server.work / SKILL).read_text().replace("1. ", "1. Never ", 1))
    pushed = server.push(f"{evil}:refs/heads/alias")
    assert (pushed.passed, server.head()) == (False, before)
    assert "it stands for refs/heads/main" in pushed.told


def test_recorded_calls_are_neither_changed_nor_deleted(server: Server) -> None:
    ref = "refs/esc/evidence/one"
    blob = server.git("hash-object", "-w", "README.md")
    server.git("update-ref", ref, blob)
    assert server.push(ref).passed
    assert "may be neither changed nor deleted" in server.push("--delete", ref).told
    server.git("update-ref", ref, server.git("hash-object", "-w", "pyproject.toml"))
    assert not server.push("--force", ref).passed
    assert git(server.bare, "rev-parse", ref) == blob


def test_the_pusher_reads_no_escape_sequences(server: Server) -> None:
    server.commit("skills/a\x1b[2Jb\n::error::x/SKILL.md", "x\n")
    pushed = server.push("main")
    assert not pushed.passed
    assert "\x1b[2J" not in pushed.told
    assert not any(line.removeprefix("remote: ").startswith("::") for line in pushed.told.split("\n"))


# The command


def test_the_hook_of_somebody_else_is_left_alone(server: Server, capsys: Capture) -> None:
    path = server.bare / "hooks" / "pre-receive"
    path.write_text("#!/bin/sh\nexit 0\n")
    assert run(["hook", "install", "--server", "--repo", str(server.bare)]) == 2
    assert "is a hook of somebody else" in capsys.readouterr().err
    assert path.read_text() == "#!/bin/sh\nexit 0\n"
    assert run(["hook", "install", "--server", "--repo", str(server.bare), "--force"]) == 0
    assert run(["hook", "install", "--server", "--repo", str(server.bare), "--branch", "trunk"]) == 0
    assert path.stat().st_mode & 0o111
    assert path.read_text().endswith(" -P -m esc_skills hook receive --branch trunk\n")


def test_a_hooks_folder_that_others_share_is_left_alone(server: Server, tmp_path: Path, capsys: Capture) -> None:
    git(server.work, "config", "core.hooksPath", str(tmp_path / "shared"))
    assert run(["hook", "install", "--repo", str(server.work)]) == 2
    assert "core.hooksPath" in capsys.readouterr().err
    git(server.work, "config", "core.hooksPath", ".githooks")
    assert run(["hook", "install", "--repo", str(server.work)]) == 0
    assert (server.work / ".githooks" / "pre-commit").is_file()


@pytest.mark.parametrize("branch", ["", "-x", "a b", "a\nb"])
def test_a_branch_that_is_none_is_an_input_error(branch: str, server: Server) -> None:
    assert run(["hook", "install", "--server", "--repo", str(server.bare), f"--branch={branch}"]) == 2


def test_only_git_calls_the_hook(server: Server) -> None:
    command = [sys.executable, "-m", "esc_skills", "hook", "receive"]
    done = subprocess.run(command, cwd=server.bare, input="main\n", capture_output=True, text=True, check=False)
    assert (done.returncode, "git calls this command" in done.stderr) == (2, True)
    assert run(["hook", "--help"]) == 0


# Before a commit


@pytest.fixture
def committing(server: Server) -> Server:
    assert run(["hook", "install", "--repo", str(server.work)]) == 0
    return server


def _commit(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["git", "commit", "--quiet", "--message", "x", *arguments]
    return subprocess.run(command, cwd=server.work, capture_output=True, text=True, check=False)


def test_a_commit_of_a_broken_skill_is_stopped_with_its_problems(committing: Server) -> None:
    (committing.work / SKILL).write_text(set_metadata((committing.work / SKILL).read_text(), "version", "1"))
    done = _commit(committing, "--all")
    assert done.returncode != 0
    assert f"{SKILL}:6: schema-pattern" in done.stdout + done.stderr


def test_what_is_staged_is_validated_and_not_what_lies_there(committing: Server) -> None:
    sound = (committing.work / SKILL).read_text()
    (committing.work / SKILL).write_text(sound + "\n")
    committing.git("add", SKILL)
    (committing.work / SKILL).write_text("broken\n")
    assert _commit(committing).returncode == 0
    committing.git("add", SKILL)
    (committing.work / SKILL).write_text(sound)
    assert _commit(committing).returncode != 0


def test_a_commit_of_anything_else_is_not_asked(committing: Server) -> None:
    (committing.work / "README.md").write_text("More.\n")
    assert _commit(committing, "--all").returncode == 0
