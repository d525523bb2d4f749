"""The ledger: what it shows, what it refuses, and what several people at once may do to it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esc_skills.documents.jsonl import digest_json
from esc_skills.errors import GitError
from esc_skills.git import Repository
from esc_skills.ledger.book import LedgerBook
from esc_skills.ledger.entries import (
    Entry,
    Epoch,
    LedgerDecision,
    OwnersDecision,
    Registration,
    Terms,
    history_digests,
)
from esc_skills.ledger.levels import nominal_rate, threshold_at
from esc_skills.vocabulary import Verdict
from tests.commands import Ran, agreed, call, detail, evidence, ledger, verify
from tests.proposals import git
from tests.samples import skill_text, write_skill

FIRST = 20.0
GATE = "[tool.esc-skills.gate]\ndraws = 4\nbatch = 2\nthreshold = 20\n"
SKILL = "skills/wait-a-little/SKILL.md"
#: What a command says when it begins to simulate.
RUNNING = "running both arms"
#: Git's empty tree.
EMPTY = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
NOBODY: dict[str, str | None] = {"supporter": "surrogate", "seeker": "surrogate", "judge": None, "second_seeker": None}


def collect(folder: Path, head: str, *more: str) -> Ran:
    return evidence("collect", folder, head, *more)


def in_words(folder: Path, head: str) -> Ran:
    """The same, told step by step."""
    return call("evidence", "collect", "--repo", str(folder), "--head", head, *agreed(folder))


def collecting(folder: Path, head: str) -> str:
    """The same, as a line of a shell script."""
    return (
        f"{sys.executable} -m esc_skills evidence collect --repo {folder} --head {head} --remote origin >/dev/null 2>&1"
    )


def entries(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(ledger(folder, "show", "--format", "json").out)["entries"]
    return found


def edit(folder: Path, branch: str, words: str) -> str:
    """Leave a branch with a change of guidance, of which the surrogate sees nothing: the gate is indecisive."""
    git(folder, "checkout", "--quiet", "-b", branch, "main")
    text = skill_text(version="1.1.0").replace("1. Say that there is time.", f"1. {words}")
    (folder / SKILL).write_text(text)
    git(folder, "commit", "--quiet", "--all", "--message", words)
    git(folder, "checkout", "--quiet", "main")
    return branch


def epoch(threshold: float = FIRST, **fields: Any) -> dict[str, Any]:
    return {"kind": "epoch", "threshold": threshold, **fields}


@pytest.fixture(scope="session")
def _small(tmp_path_factory: pytest.TempPathFactory, own_home: Path) -> Path:
    folder = tmp_path_factory.mktemp("small") / "repository"
    for name in ("wait-a-little", "name-one-step"):
        write_skill(folder / "skills", name)
    (folder / "pyproject.toml").write_text(GATE)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "A small bank")
    for name, words in (("one", "Say that there is no hurry."), ("two", "Wait."), ("three", "Breathe first.")):
        edit(folder, name, words)
    return folder


@pytest.fixture
def small(_small: Path, tmp_path: Path) -> Path:
    """A repository without a remote, with branches `one`, `two` and `three` that change a skill."""
    shutil.copytree(_small, tmp_path / "small")
    return tmp_path / "small"


@pytest.fixture
def remote(small: Path, tmp_path: Path) -> Path:
    """A bare remote of that repository, which is its `origin`."""
    folder = tmp_path / "remote.git"
    git(tmp_path, "init", "--quiet", "--bare", str(folder))
    git(small, "remote", "add", "origin", str(folder))
    git(small, "push", "--quiet", "origin", "main", "one", "two", "three")
    return folder


@pytest.fixture
def other(remote: Path, tmp_path: Path) -> Path:
    """Another person's clone of the remote."""
    git(tmp_path, "clone", "--quiet", str(remote), "other")
    git(tmp_path / "other", "fetch", "--quiet", "origin", "two:two", "three:three")
    return tmp_path / "other"


def hook(folder: Path, name: str, script: str) -> Path:
    """Write a git hook of a repository."""
    path = (folder / ".git" if (folder / ".git").exists() else folder) / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


#: The terms of a change that nobody made.
WASTE = Terms(f"sha256:{'0' * 64}", f"sha256:{'0' * 64}", 4, NOBODY)


def waste(book: LedgerBook, word: str) -> int:
    """Register something that nobody runs."""
    return book.register(FIRST, f"edit-{word}-0000000000", WASTE)


# --- What it shows ------------------------------------------------------------------------------------------------------


def test_steps_are_told_in_words(small: Path) -> None:
    ran = in_words(small, "one")
    assert ran.err.index("registering the proposal") < ran.err.index(RUNNING)
    assert "registered as entry 2 of the ledger" in ran.out


def test_a_registration_stands_before_its_decision_in_commits_of_their_own(small: Path) -> None:
    made = collect(small, "one").result

    first, registered, decided = entries(small)
    assert first == epoch(number=1, epoch=1, release="start")
    assert (registered["kind"], registered["proposal"]) == ("registration", made["proposal"])
    assert (registered["index"], registered["accepted"], registered["threshold"]) == (1, 0, 20)
    assert (decided["registration"], decided["verdict"]) == (2, made["verdict"])
    files = git(small, "log", "--reverse", "--format=", "--name-status", "ledger").split("\n")
    assert [line for line in files if line] == [f"A\tentries/00000{number}.json" for number in (1, 2, 3)]
    assert git(small, "ls-tree", "--name-only", "main") == "pyproject.toml\nskills"


def test_it_is_shown_with_thresholds_verdicts_and_what_comes_next(small: Path) -> None:
    collect(small, "one")
    with Repository(small) as repository:
        waste(LedgerBook(repository, None), "left")
    shown = ledger(small, "show")

    assert shown.code == 0
    assert "edit-wait-a-little-" in shown.out and "indecisive" in shown.out
    assert "none: counts as refused" in shown.out
    assert "the next proposal has to reach 120.0; at most 10% of an epoch's accepted ones" in shown.out


def test_a_first_threshold_that_controls_nothing_is_said_to(small: Path) -> None:
    (small / "pyproject.toml").write_text(GATE.replace("20", "1.5"))
    git(small, "commit", "--quiet", "--all", "--message", "A gate that stands open")
    ledger(small, "open", "--release", "open")
    shown = ledger(small, "show").out
    assert "has to reach 1.5; with gate.threshold 1.5, which is not above 2, all accepted ones of an epoch" in shown
    assert "%" not in shown


def test_what_holds_together_is_said_to(small: Path) -> None:
    collect(small, "one")
    checked = ledger(small, "verify")
    assert (checked.code, checked.out) == (0, "1 registrations, 1 decisions, 0 undecided, 0 problems\n")


@pytest.mark.parametrize("command", ["show", "verify"])
def test_without_a_ledger_it_says_where_one_comes_from(command: str, small: Path) -> None:
    ran = ledger(small, command)
    assert (ran.code, ran.out) == (2, "")
    assert "holds no ledger" in ran.err and "git fetch origin ledger" in ran.err


def test_another_ref_may_be_named(small: Path) -> None:
    collect(small, "one")
    git(small, "branch", "--move", "ledger", "elsewhere")
    assert ledger(small, "verify", "--ledger", "elsewhere").code == 0


# --- Epochs -------------------------------------------------------------------------------------------------------------


def test_a_release_opens_an_epoch_in_which_proposals_are_counted_anew(small: Path) -> None:
    collect(small, "one")
    opened = ledger(small, "open", "--release", "v1.1")
    assert (opened.code, opened.out) == (0, "epoch 2 is open; the next proposal has to reach 20\n")

    assert collect(small, "two").result["threshold"] == 20
    registered = entries(small)[4]
    assert (registered["epoch"], registered["index"], registered["accepted"]) == (2, 1, 0)


def test_an_epoch_keeps_its_threshold_until_another_is_opened(small: Path) -> None:
    collect(small, "one")
    (small / "pyproject.toml").write_text(GATE.replace("20", "40"))
    git(small, "commit", "--quiet", "--all", "--message", "A higher gate")
    edit(small, "late", "Come late.")

    refused = collect(small, "late")
    assert (refused.code, refused.out) == (2, "")
    assert "was opened with gate.threshold 20, the settings say 40" in refused.err
    assert "esc-skills ledger open --release" in refused.err
    assert len(entries(small)) == 3

    ledger(small, "open", "--release", "v2")
    assert collect(small, "late").result["threshold"] == 40


@pytest.mark.parametrize("release", ["", "v" * 101], ids=["empty", "long"])
def test_a_release_s_name_that_no_entry_may_hold_is_refused_before_it_is_pushed(release: str, small: Path) -> None:
    collect(small, "one")
    assert ledger(small, "open", "--release", release).code == 2
    assert ledger(small, "verify").code == 0


# --- Thresholds over a history ------------------------------------------------------------------------------------------

HISTORIES = st.lists(
    st.sampled_from([*Verdict, None, "a release"]),  # type: ignore[list-item]
    min_size=1,
    max_size=7,
)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=HISTORIES)
@pytest.mark.thorough
def test_each_threshold_is_the_one_that_its_history_gives_it(small: Path, history: list[Any]) -> None:
    with Repository(small) as repository:
        book = LedgerBook(repository, None)
        book.open_epoch(FIRST, "an example")
        index, accepted, levels = 1, 0, 0.0
        for at, event in enumerate(history):
            if event == "a release":
                book.open_epoch(FIRST, "a release")
                index, accepted, levels = 1, 0, 0.0
                continue
            asked = book.ledger.next_threshold(FIRST)
            number = waste(book, f"at-{at}")
            registered = book.ledger.registration(number)
            assert registered and registered.threshold == asked == threshold_at(FIRST, index, accepted)
            # Until something is accepted, the levels of all together stay within the rate.
            levels += 1 / asked
            assert accepted or levels <= nominal_rate(FIRST) + 1e-12
            index += 1
            if event is not None:
                book.decide(number, event, 4, 1.0, f"sha256:{'0' * 64}")
                accepted += event is Verdict.ACCEPT


def test_a_refused_try_raises_the_next_threshold_and_an_acceptance_lowers_it() -> None:
    refused = [threshold_at(FIRST, index, 0) for index in (1, 2, 3)]
    assert refused == [20, 60, 120]
    assert [threshold_at(FIRST, index, index - 1) for index in (1, 2, 3)] == [20, 30, 40]
    assert nominal_rate(FIRST) == 0.1


# --- What the seekers follow from ---------------------------------------------------------------------------------------


def planned(folder: Path, branch: str) -> Any:
    """The draws of a proposal."""
    proposal = branch.removeprefix("evolve/")
    return json.loads(git(folder, "show", f"{branch}:evidence/{proposal}/plan.json"))["draws"]


def copied(folder: Path) -> Path:
    shutil.copytree(folder, folder.with_name("copied"))
    return folder.with_name("copied")


def test_seekers_follow_from_the_history_before_and_the_change(small: Path) -> None:
    same, later = copied(small), small.with_name("later")
    shutil.copytree(small, later)
    with Repository(later) as repository:
        waste(LedgerBook(repository, None), "first")

    one, again = (collect(folder, "one").result["branch"] for folder in (small, same))
    behind, another = collect(later, "one").result["branch"], collect(small, "two").result["branch"]

    assert planned(small, one) == planned(same, again)
    assert planned(small, one) != planned(later, behind)
    # The two change guidance alone, which the surrogate does not read: rewording buys no other seekers.
    assert planned(small, one) == planned(small, another)


def test_neither_the_name_of_a_release_nor_that_of_a_proposal_chooses_seekers(small: Path) -> None:
    other = copied(small)
    for folder, name in ((small, "v1"), (other, "v1-charm-17")):
        ledger(folder, "open", "--release", name)
        with Repository(folder) as repository:
            waste(LedgerBook(repository, None), name)
    one, same = (collect(folder, "one").result["branch"] for folder in (small, other))
    assert planned(small, one) == planned(other, same)


@given(st.lists(st.booleans(), min_size=1, max_size=12))
def test_nor_do_owners_decisions_wherever_they_stand(owners_first: list[bool]) -> None:
    plain: list[Entry] = [Epoch(1, 1, "start", 20.0)]
    mixed: list[Entry] = [Epoch(1, 1, "start", 20.0)]
    for number, owners in enumerate(owners_first):
        if owners:
            mixed.append(OwnersDecision(len(mixed) + 1, "b", "c", "r", "s"))
        for entries in (plain, mixed):
            at = len(entries) + 1
            entries.append(Registration(at, 1, number + 1, 0, 20.0, f"p{number}", "c", f"m{number}", 4, {}))
            entries.append(LedgerDecision(at + 1, at, Verdict.REJECT, 4, 1.0, f"e{number}"))
    of_plain, of_mixed = history_digests(plain), history_digests(mixed)
    kept = [digest for digest, entry in zip(of_mixed, mixed, strict=True) if not isinstance(entry, OwnersDecision)]
    assert kept == list(of_plain)


def test_nor_does_what_git_can_hide_in_a_tree(small: Path) -> None:
    ledger(small, "open", "--release", "v1")
    other = copied(small)
    entry = git(other, "rev-parse", "ledger:entries/000001.json")
    # An empty folder is no file that a commit could be told to add, and this mode is shown as 100644.
    odd = b"100664 000001.json\0" + bytes.fromhex(entry)
    raw = ["git", "hash-object", "-t", "tree", "-w", "--literally", "--stdin"]
    odd_tree = subprocess.run(raw, cwd=other, input=odd, check=True, capture_output=True).stdout.decode().strip()
    lines = f"040000 tree {odd_tree}\tentries\n040000 tree {EMPTY}\tcharm\n".encode()
    made = subprocess.run(["git", "mktree", "--missing"], cwd=other, input=lines, check=True, capture_output=True)
    commit = git(other, "commit-tree", "-m", "A charm", made.stdout.decode().strip())
    git(other, "update-ref", "refs/heads/ledger", commit)
    shutil.rmtree(other / ".git" / "esc-skills")

    one, same = (collect(folder, "one").result["branch"] for folder in (small, other))

    assert planned(small, one) == planned(other, same)


def test_nor_does_white_space_in_a_skill(small: Path) -> None:
    other = copied(small)
    git(other, "checkout", "--quiet", "one")
    (other / SKILL).write_text((other / SKILL).read_text() + "\n")
    git(other, "commit", "--quiet", "--all", "--amend", "--no-edit")
    git(other, "checkout", "--quiet", "main")
    one, same = (collect(folder, "one").result["branch"] for folder in (small, other))
    assert planned(small, one) == planned(other, same)


# --- Undecided registrations --------------------------------------------------------------------------------------------


def test_a_registration_that_nobody_decided_counts_as_refused(small: Path) -> None:
    with Repository(small) as repository:
        waste(LedgerBook(repository, None), "left")
    assert collect(small, "one").result["threshold"] == 60


def test_a_command_that_was_cut_off_goes_on_with_its_registration(small: Path, remote: Path) -> None:
    # The push of the registration goes through, and that of the decision does not.
    refuse = hook(remote, "pre-receive", 'read old new ref; git log -1 --format=%s "$new" | grep -qv ^Decide')
    cut = collect(small, "one")
    assert (cut.code, cut.out) == (2, "")
    assert "1 undecided" in ledger(small, "verify").out

    refuse.unlink()
    again = collect(small, "one")

    assert "going on with the registration 2 of the ledger" in again.err
    assert (again.result["registration"], again.result["threshold"]) == (2, 20)
    assert [each["kind"] for each in entries(small)] == ["epoch", "registration", "decision"]
    assert verify(small, again.result["branch"])["evidence"] == "valid"


def test_somebody_else_may_go_on_with_it(small: Path, other: Path) -> None:
    with Repository(small) as repository:
        registered = collect(small, "two", "--offline").result["proposal"]
        statement = json.loads(git(small, "show", f"evolve/{registered}:evidence/{registered}/statement.json"))
        inputs = statement["predicate"]["inputs"]
        looks = ("draws", "batch", "stratum_draws", "span_draws", "harm_error", "max_faults")
        gate = {key: inputs["gate"][key] for key in looks}
        meaning = digest_json({"readings": inputs["readings"], "profiles": inputs["profiles"], "gate": gate})
        terms = Terms(statement["predicate"]["change"], meaning, 4, NOBODY)
        LedgerBook(repository, "origin").register(FIRST, registered, terms)

    made = collect(other, "two")

    assert "going on with the registration 2" in made.err
    assert verify(other, made.result["branch"])["evidence"] == "valid"


# --- Several people -----------------------------------------------------------------------------------------------------


def test_of_two_who_register_at_once_one_is_told_and_may_try_again(small: Path, other: Path) -> None:
    with Repository(small) as mine, Repository(other) as theirs:
        first, second = LedgerBook(mine, "origin"), LedgerBook(theirs, "origin")
        waste(first, "first")
        with pytest.raises(GitError) as refused:
            waste(second, "second")
        assert "somebody else appended to it in between" in refused.value.message
        assert "give the same command again" in refused.value.hint

        assert waste(LedgerBook(theirs, "origin"), "second") == 3
    thresholds = [each["threshold"] for each in entries(other)]
    assert thresholds == [20, 20, 60]


def test_so_it_is_for_commands_and_the_one_who_was_told_has_run_nothing(small: Path, other: Path) -> None:
    # Somebody else registers and decides just before this push.
    before = hook(small, "pre-push", f'rm "$0"; {collecting(other, "two")}; true')

    told = in_words(small, "one")
    assert (told.code, told.out) == (2, "")
    assert "give the same command again" in told.err
    assert RUNNING not in told.err
    assert not before.exists() and git(small, "branch", "--list", "evolve/*") == ""

    again = collect(small, "one").result
    assert (again["registration"], again["threshold"]) == (4, 60)
    assert verify(small, again["branch"])["evidence"] == "valid"


def test_a_decision_is_appended_behind_what_came_in_between(small: Path, other: Path, tmp_path: Path) -> None:
    # The first push is that of the registration, the second that of the decision.
    hook(small, "pre-push", f'[ -e {tmp_path}/once ] && rm "$0" && {collecting(other, "two")}; touch {tmp_path}/once')

    made = collect(small, "one")

    assert made.code == 1, made.err
    kinds = [(each["kind"], each.get("registration")) for each in entries(small)]
    assert kinds[1:] == [("registration", None), ("registration", None), ("decision", 3), ("decision", 2)]
    assert ledger(small, "verify").code == 0


def test_processes_that_race_leave_a_ledger_that_holds_together(small: Path, other: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "esc_skills",
        "evidence",
        "collect",
        "--remote",
        "origin",
        "--format",
        "json",
        "--repo",
    ]
    racing = [
        subprocess.Popen([*command, str(folder), "--head", head], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for folder, head in ((small, "one"), (other, "two"))
    ]
    ended = [(process.communicate(timeout=60), process.returncode) for process in racing]

    for ((_, err), code), folder, head in zip(ended, (small, other), ("one", "two"), strict=True):
        if code == 2:
            assert b"give the same command again" in err
            assert collect(folder, head).code == 1
    git(small, "fetch", "--quiet")
    assert ledger(small, "verify").out.startswith("2 registrations, 2 decisions, 0 undecided")


def test_a_clone_that_fetches_alone_verifies_what_others_registered(small: Path, other: Path) -> None:
    branch = collect(small, "one").result["branch"]
    git(small, "push", "--quiet", "origin", branch)
    git(other, "fetch", "--quiet", "origin", f"{branch}:{branch}")
    git(other, "update-ref", "-d", "refs/remotes/origin/ledger")

    without = verify(other, branch)
    assert (without["evidence"], without["exit"]) == ("missing", 1)
    assert "git fetch origin ledger:refs/remotes/origin/ledger" in detail(without)

    git(other, "fetch", "--quiet", "origin", "ledger:refs/remotes/origin/ledger")
    assert verify(other, branch)["evidence"] == "valid"


def test_a_clone_whose_ledger_is_behind_is_told_to_fetch_it(small: Path, other: Path) -> None:
    collect(small, "one")
    git(other, "fetch", "--quiet", "origin", "ledger:refs/remotes/origin/ledger")
    branch = collect(small, "three").result["branch"]
    git(small, "push", "--quiet", "origin", branch)
    git(other, "fetch", "--quiet", "--refmap=", "origin", f"{branch}:{branch}")

    behind = verify(other, branch)

    assert behind["evidence"] == "missing"
    assert "git fetch" in detail(behind)


def test_a_shallow_ledger_is_told_to_be_shallow(small: Path, remote: Path, tmp_path: Path) -> None:
    collect(small, "one")
    git(tmp_path, "clone", "--quiet", "--depth", "1", "--no-single-branch", f"file://{remote}", "shallow")
    ran = ledger(tmp_path / "shallow", "verify")
    assert "git fetch --unshallow" in ran.out + ran.err


# --- Remotes ------------------------------------------------------------------------------------------------------------


def test_without_the_remote_nothing_is_run(small: Path, remote: Path) -> None:
    shutil.rmtree(remote)
    ran = in_words(small, "one")
    assert (ran.code, ran.out) == (2, "")
    assert RUNNING not in ran.err
    assert git(small, "branch", "--list", "evolve/*", "ledger") == ""


def test_who_may_not_push_is_told_before_anything_is_run(small: Path, remote: Path) -> None:
    hook(remote, "pre-receive", "echo you may not >&2; exit 1")
    ran = in_words(small, "one")
    assert (ran.code, ran.out) == (2, "")
    assert "you may not" in ran.err and RUNNING not in ran.err


def test_which_of_several_remotes_holds_the_ledger_is_asked_unless_one_is_origin(small: Path, remote: Path) -> None:
    git(small, "remote", "rename", "origin", "bank")
    git(small, "remote", "add", "fork", "/nowhere")
    asked = collect(small, "one")
    assert asked.code == 2 and "which of bank, fork holds the ledger?" in asked.err
    wrong = collect(small, "one", "--remote", "origin")
    assert wrong.code == 2 and "no remote is named 'origin'" in wrong.err

    assert collect(small, "one", "--remote", "bank").code == 1
    assert git(remote, "rev-parse", "ledger") == git(small, "rev-parse", "bank/ledger")


def test_offline_nothing_is_registered_and_verify_says_so(small: Path, remote: Path) -> None:
    made = collect(small, "one", "--offline").result
    assert (made["registration"], made["threshold"]) == (None, 20)
    assert git(remote, "branch", "--list", "ledger") == git(small, "branch", "--list", "ledger") == ""

    found = verify(small, made["branch"])
    assert (found["evidence"], found["exit"]) == ("missing", 1)
    assert "esc-skills evidence renew" in detail(found)
    renewed = evidence("renew", small, made["branch"]).result
    assert verify(small, renewed["branch"])["evidence"] == "valid"


def test_a_history_from_before_the_remote_is_not_left_behind(small: Path, tmp_path: Path) -> None:
    branch = collect(small, "one").result["branch"]
    git(tmp_path, "init", "--quiet", "--bare", "late.git")
    git(small, "remote", "add", "origin", str(tmp_path / "late.git"))

    ran = collect(small, "two")

    assert ran.code == 2 or ran.result["threshold"] == 60
    assert verify(small, branch)["evidence"] == "valid"


@pytest.mark.parametrize("kind", ["--bare", "--mirror"])
def test_a_clone_that_keeps_the_remote_s_branches_as_its_own_finds_the_ledger_among_them(
    kind: str, small: Path, remote: Path, tmp_path: Path
) -> None:
    branch = collect(small, "one").result["branch"]
    git(small, "push", "--quiet", "origin", branch)
    git(tmp_path, "clone", "--quiet", kind, str(remote), "cloned.git")
    git(tmp_path / "cloned.git", "worktree", "add", "--quiet", "--detach", str(tmp_path / "tree"), "main")

    for folder in (tmp_path / "cloned.git", tmp_path / "tree"):
        checked = ledger(folder, "verify")
        assert (checked.code, checked.out) == (0, "1 registrations, 1 decisions, 0 undecided, 0 problems\n")
        assert "Ledger refs/heads/ledger" in ledger(folder, "show").out
        assert verify(folder, branch)["evidence"] == "valid"


def test_any_other_clone_does_not_take_a_branch_of_its_own_for_it(small: Path, other: Path) -> None:
    collect(small, "one")
    git(other, "fetch", "--quiet", "origin", "ledger:ledger", "--refmap=")
    git(other, "update-ref", "-d", "refs/remotes/origin/ledger")
    assert "holds no ledger" in ledger(other, "verify").err


# --- Rewritten ledgers --------------------------------------------------------------------------------------------------


def seen_and_rewritten(small: Path, other: Path) -> None:
    """Let the other clone see the ledger, and then take its last two entries out of it on the remote."""
    collect(small, "one")
    collect(small, "three")
    git(other, "fetch", "--quiet")
    assert ledger(other, "verify").code == 0
    git(small, "push", "--quiet", "--force", "origin", "origin/ledger~2:refs/heads/ledger")


def test_a_second_reader_finds_out_that_a_ledger_was_rewritten(small: Path, other: Path) -> None:
    seen_and_rewritten(small, other)
    git(other, "fetch", "--quiet")

    checked = ledger(other, "verify")

    assert checked.code == 1
    assert "BAD the ledger was rewritten: its commit " in checked.out
    assert "if it was meant, delete" in checked.out


def test_nobody_who_saw_it_registers_in_it_unless_it_was_meant(small: Path, other: Path) -> None:
    seen_and_rewritten(small, other)
    before = git(other, "ls-remote", "origin", "ledger")

    refused = collect(other, "two")
    assert (refused.code, refused.out) == (2, "")
    assert "was rewritten" in refused.err
    assert git(other, "ls-remote", "origin", "ledger") == before

    Path(refused.err.split("delete ")[1].strip()).unlink()
    assert collect(other, "two").result["threshold"] == 60


def test_a_ledger_that_was_deleted_on_the_remote_is_not_begun_anew(small: Path, other: Path) -> None:
    collect(small, "one")
    git(other, "fetch", "--quiet")
    assert ledger(other, "verify").code == 0
    git(small, "push", "--quiet", "--delete", "origin", "ledger")

    refused = collect(other, "two")

    assert refused.code == 2
    assert git(other, "ls-remote", "origin", "ledger") == ""


def test_an_entry_that_was_changed_on_the_remote_is_named(small: Path, other: Path) -> None:
    collect(small, "one")
    git(small, "branch", "forged", "origin/ledger")
    git(small, "checkout", "--quiet", "forged")
    path = small / "entries" / "000002.json"
    path.write_text(path.read_text().replace('"threshold":20', '"threshold":2'))
    git(small, "commit", "--quiet", "--all", "--amend", "--no-edit")
    git(small, "push", "--quiet", "--force", "origin", "forged:ledger")
    git(other, "fetch", "--quiet")

    checked = ledger(other, "verify")

    assert checked.code == 1
    assert "BAD the ledger's entries/000002.json: /threshold is 2" in checked.out
    assert "take it back to the last commit" in checked.out


# --- Merged evidence ----------------------------------------------------------------------------------------------------


def merged(folder: Path, branch: str) -> None:
    git(folder, "merge", "--quiet", "--no-edit", branch)


def test_merged_evidence_has_to_be_registered_in_it(small: Path) -> None:
    merged(small, collect(small, "one").result["branch"])
    assert ledger(small, "verify").code == 0

    git(small, "update-ref", "-d", "refs/heads/ledger")
    shutil.rmtree(small / ".git" / "esc-skills")
    with Repository(small) as repository:
        waste(LedgerBook(repository, None), "another")
    checked = ledger(small, "verify")

    assert checked.code == 1
    assert "/statement.json: is not registered in this ledger" in checked.out
    assert "1 problems" in checked.out


def test_so_does_evidence_that_was_made_offline(small: Path) -> None:
    merged(small, collect(small, "one", "--offline").result["branch"])
    with Repository(small) as repository:
        waste(LedgerBook(repository, None), "another")
    assert "is not registered in this ledger" in ledger(small, "verify").out


@pytest.mark.parametrize("number", ['"x"', "1.5", "[1]"])
def test_merged_evidence_that_is_none_is_named(number: str, small: Path) -> None:
    collect(small, "one")
    write(small, f'{{"predicate":{{"registration":{{"number":{number},"history":"y"}}}}}}')
    checked = ledger(small, "verify")
    assert (checked.code, "BAD evidence/x/statement.json" in checked.out) == (1, True)


@pytest.mark.parametrize("text", ["", "[]", '{"predicate":{}}', '{"predicate":{"registration":[1]}}', "[" * 99_999])
def test_a_merged_statement_that_is_none_is_named(text: str, small: Path) -> None:
    collect(small, "one")
    write(small, text)
    checked = ledger(small, "verify")
    assert (checked.code, "BAD evidence/x/statement.json: is no statement" in checked.out) == (1, True)


@pytest.mark.parametrize(("size", "files"), [(1_000_000, 201), (1, 20_001)], ids=["200 MB", "20,000 files"])
def test_of_merged_evidence_nothing_but_statements_is_read(size: int, files: int, small: Path) -> None:
    merged(small, collect(small, "one").result["branch"])
    blob = stored(small, "hash-object", b"x" * size)
    calls = "".join(f"100644 blob {blob}\t{number}.jsonl.gz\n" for number in range(files)).encode()
    kept = git(small, "ls-tree", "main:evidence").encode()
    evidence_tree = stored(small, "mktree", kept + f"\n040000 tree {stored(small, 'mktree', calls)}\tlarge\n".encode())
    whole = [line for line in git(small, "ls-tree", "main").split("\n") if not line.endswith("\tevidence")]
    tree = stored(small, "mktree", "\n".join([*whole, f"040000 tree {evidence_tree}\tevidence", ""]).encode())
    git(small, "update-ref", "refs/heads/main", git(small, "commit-tree", "-p", "main", "-m", "Much", tree))

    checked = ledger(small, "verify")

    assert (checked.code, checked.out) == (0, "1 registrations, 1 decisions, 0 undecided, 0 problems\n")


def stored(folder: Path, command: str, data: bytes) -> str:
    """Store a blob or a tree, and return its id."""
    arguments = ["git", command, *(["-w", "--stdin"] if command == "hash-object" else [])]
    return subprocess.run(arguments, cwd=folder, input=data, check=True, capture_output=True).stdout.decode().strip()


def write(folder: Path, statement: str) -> None:
    """Commit a statement to `main`."""
    (folder / "evidence" / "x").mkdir(parents=True)
    (folder / "evidence" / "x" / "statement.json").write_text(statement)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "A statement")
