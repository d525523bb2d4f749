"""Evidence for changes that people made by hand, made anew where the base moved, and verified however it was merged."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from esc_skills.bank.edit import set_metadata
from esc_skills.documents.shipped import shipped
from tests.commands import Ran, call, detail, evidence, ledger, verify
from tests.proposals import git
from tests.samples import raised, version_of

#: A gate of very few draws: what it decides does not matter here, only that it is decided alike.
GATE = "[tool.esc-skills.gate]\ndraws = 4\nbatch = 2\nthreshold = 1.2\n"
WEAK, OTHER = "skills/reflect-the-feeling/SKILL.md", "skills/open-with-room/SKILL.md"
ENTRANCE, FURTHER = "skills/emotional-support/SKILL.md", "references/examples.en.md"
STANDS = version_of(shipped(OTHER).read_text())


def commit(folder: Path, message: str, **files: str | None) -> str:
    """Commit files, by the words of their paths, to whatever is checked out."""
    for words, text in files.items():
        path = folder / PLACES.get(words, words)
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)
    return git(folder, "rev-parse", "HEAD")


PLACES = {
    "weak": WEAK,
    "other": OTHER,
    "readme": "README.md",
    "new": "skills/see-the-other-side/SKILL.md",
    "further": f"skills/see-the-other-side/{FURTHER}",
    "other_further": f"skills/open-with-room/{FURTHER}",
    "settings": "pyproject.toml",
    "profile": "profiles/intentions.yaml",
}


def make_entrance(folder: Path) -> None:
    """Commit the entrance that follows from the skills."""
    assert call("bank", "entrance", str(folder / "skills")).code == 0
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "The entrance")


def branch(folder: Path, name: str, **files: str | None) -> str:
    """Leave a branch with a commit."""
    git(folder, "checkout", "--quiet", "-b", name, "main")
    commit(folder, f"By hand: {name}", **files)
    git(folder, "checkout", "--quiet", "main")
    return name


@pytest.fixture(scope="session")
def _bank(weakened: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("by-hand") / "repository"
    shutil.copytree(weakened, folder)
    commit(folder, "A quick gate", settings=GATE)
    branch(folder, "better", weak=raised(shipped(*WEAK.split("/")).read_text()))
    return folder


@pytest.fixture
def bank(_bank: Path, tmp_path: Path) -> Path:
    """A repository with the weakened bank, and a branch `better` on which somebody mended a skill."""
    shutil.copytree(_bank, tmp_path / "bank")
    return tmp_path / "bank"


@pytest.fixture(scope="session")
def _collected(_bank: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("collected") / "repository"
    shutil.copytree(_bank, folder)
    return folder, evidence("collect", folder, "better").result


@pytest.fixture
def collected(_collected: tuple[Path, dict[str, Any]], tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """That repository with the evidence for the branch, and what `evidence collect` printed."""
    shutil.copytree(_collected[0], tmp_path / "collected")
    return tmp_path / "collected", _collected[1]


def no_registration(folder: Path) -> bool:
    return git(folder, "branch", "--list", "ledger", "evolve/*") == ""


# --- Collecting ---------------------------------------------------------------------------------------------------------


def test_evidence_is_a_commit_on_top_of_the_branch_which_stays(collected: tuple[Path, dict[str, Any]]) -> None:
    folder, made = collected
    assert made["proposal"].startswith("edit-reflect-the-feeling-")
    assert made["branch"] == f"evolve/{made['proposal']}"
    assert git(folder, "rev-parse", f"{made['branch']}~1") == git(folder, "rev-parse", "better")
    assert git(folder, "rev-parse", "better~1") == git(folder, "rev-parse", "main")
    added = git(folder, "diff", "--name-only", "better", made["branch"]).split("\n")
    assert {path.rpartition("/")[0] for path in added} == {f"evidence/{made['proposal']}"}
    assert git(folder, "status", "--porcelain") == ""
    assert git(folder, "log", "-1", "--format=%s", made["branch"]) == "Evidence: better"


def test_it_is_verified_and_its_exit_code_is_that_of_the_verdict(collected: tuple[Path, dict[str, Any]]) -> None:
    folder, made = collected
    found = verify(folder, made["branch"])
    assert (found["evidence"], found["verdict"]) == ("valid", made["verdict"])
    assert found["exit"] == (made["verdict"] != "accept")


def test_a_branch_of_several_commits_and_a_merge_is_one_change(bank: Path) -> None:
    commit(bank, "Something else", readme="# A bank\n")
    git(bank, "checkout", "--quiet", "better")
    git(bank, "merge", "--quiet", "--no-edit", "main")
    commit(
        bank,
        "One more",
        new=shipped("skills", "see-the-other-side", "SKILL.md").read_text(),
        further=shipped("skills", "see-the-other-side", FURTHER).read_text(),
    )
    make_entrance(bank)
    git(bank, "checkout", "--quiet", "main")

    made = evidence("collect", bank, "better").result

    assert verify(bank, made["branch"])["evidence"] == "valid"
    changed = json.loads(git(bank, "show", f"{made['branch']}:evidence/{made['proposal']}/statement.json"))
    assert set(changed["predicate"]["files"]) == {WEAK, PLACES["new"], PLACES["further"], ENTRANCE}


def test_a_commit_may_be_named_and_so_may_another_base(bank: Path) -> None:
    git(bank, "branch", "release", "main")
    head = git(bank, "rev-parse", "better")
    commit(bank, "Main goes on", other=raised((bank / OTHER).read_text()))

    made = evidence("collect", bank, head, "--base", "release").result

    assert verify(bank, made["branch"], base="release")["evidence"] == "valid"


def test_another_folder_may_hold_the_bank(bank: Path) -> None:
    git(bank, "mv", "skills", "bank")
    git(bank, "commit", "--quiet", "--message", "Move")
    git(bank, "checkout", "--quiet", "-b", "moved")
    path = bank / "bank" / "open-with-room" / "SKILL.md"
    path.write_text(raised(path.read_text()).replace("## Guidance\n\n1. ", "## Guidance\n\n1. Slowly. ", 1))
    git(bank, "commit", "--quiet", "--all", "--message", "Slowly")

    made = evidence("collect", bank, "moved", "--skills", "bank").result

    assert verify(bank, made["branch"])["evidence"] == "valid"


def test_a_skill_may_be_retired(bank: Path) -> None:
    branch(bank, "fewer", other=None, other_further=None)
    refused = evidence("collect", bank, "fewer")
    assert refused.code == 2 and "run `esc-skills bank entrance` and commit what it writes" in refused.err
    git(bank, "checkout", "--quiet", "fewer")
    make_entrance(bank)
    git(bank, "checkout", "--quiet", "main")
    made = evidence("collect", bank, "fewer").result
    assert made["proposal"].startswith("edit-open-with-room-")
    assert verify(bank, made["branch"])["evidence"] == "valid"


#: What is no proposal, and what is said of it.
CARELESS: dict[str, tuple[Callable[[Path], object], str]] = {
    "something else": (lambda bank: branch(bank, "careless", readme="# x\n"), "careless changes README.md"),
    "a profile": (lambda bank: branch(bank, "careless", profile="x"), "changes profiles/intentions.yaml"),
    "the gate": (lambda bank: branch(bank, "careless", settings=""), "careless changes pyproject.toml"),
    "nothing": (lambda bank: git(bank, "branch", "careless", "main"), "careless changes no skill"),
    "no version": (
        lambda bank: branch(bank, "careless", other=(bank / OTHER).read_text() + "\n"),
        f"{OTHER}:6: version-bump: changed since the base, so its version {STANDS} must rise above {STANDS}",
    ),
    "no skill": (lambda bank: branch(bank, "careless", other="x\n"), OTHER),
    "no branch": (lambda bank: None, "no commit is named 'careless'"),
}


@pytest.mark.parametrize("what", CARELESS)
def test_what_is_no_proposal_is_told_before_anything_is_registered(what: str, bank: Path) -> None:
    make, said = CARELESS[what]
    make(bank)
    ran = evidence("collect", bank, "careless")
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert no_registration(bank)


def executable(bank: Path) -> None:
    git(bank, "checkout", "--quiet", "-b", "careless", "better")
    (bank / WEAK).chmod(0o755)
    git(bank, "commit", "--quiet", "--all", "--amend", "--no-edit")
    git(bank, "checkout", "--quiet", "main")


def hidden(bank: Path) -> None:
    git(bank, "checkout", "--quiet", "-b", "careless", "better")
    (bank / "skills" / ".old").mkdir()
    (bank / "skills" / ".old" / "SKILL.md").write_text("x")
    commit(bank, "Keep the old one")
    git(bank, "checkout", "--quiet", "main")


@pytest.mark.parametrize("make", [executable, hidden])
def test_so_is_what_verify_would_not_let_pass(make: Callable[[Path], None], bank: Path) -> None:
    make(bank)
    ran = evidence("collect", bank, "careless")
    assert (ran.code, ran.out) == (2, "")
    assert no_registration(bank)


def test_a_careless_branch_leaves_the_ledger_readable(bank: Path) -> None:
    evidence("collect", bank, "better")
    hidden(bank)
    evidence("collect", bank, "careless")
    assert ledger(bank, "verify").code == 0


def test_a_skill_may_lie_in_a_folder_of_its_kind(bank: Path) -> None:
    (bank / "skills" / "Exploration").mkdir()
    git(bank, "mv", "skills/open-with-room", "skills/Exploration/open-with-room")
    git(bank, "commit", "--quiet", "--message", "Folders")
    path = "skills/Exploration/open-with-room/SKILL.md"
    branch(bank, "slowly", **{path: raised((bank / path).read_text())})

    made = evidence("collect", bank, "slowly").result

    assert verify(bank, made["branch"])["evidence"] == "valid"


def test_where_the_base_moved_it_asks_for_a_rebase_which_does(bank: Path) -> None:
    commit(bank, "Another skill came first", other=raised((bank / OTHER).read_text()))
    told = evidence("collect", bank, "better")
    assert told.code == 2
    assert "skills of the base changed after better branched off" in told.err and "rebase better" in told.err
    assert no_registration(bank)

    git(bank, "rebase", "--quiet", "main", "better")
    git(bank, "checkout", "--quiet", "main")
    made = evidence("collect", bank, "better").result
    assert verify(bank, made["branch"])["evidence"] == "valid"


def test_the_same_change_is_not_collected_twice(collected: tuple[Path, dict[str, Any]]) -> None:
    folder, made = collected
    again = evidence("collect", folder, "better")
    assert again.code == 2
    assert f"was proposed already, on the branch {made['branch']}" in again.err
    assert git(folder, "rev-list", "--count", "ledger") == "3"


# --- Signing ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def key(tmp_path: Path) -> Path:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")]
    subprocess.run(command, check=True, capture_output=True)
    return tmp_path / "key"


def sign(folder: Path, head: str, key: Path) -> Ran:
    return call("evidence", "sign", "--repo", str(folder), "--head", head, "--key", str(key))


def test_a_signature_says_who_vouches(collected: tuple[Path, dict[str, Any]], key: Path) -> None:
    folder, made = collected
    commit(folder, "Who may sign", allowed_signers=f"keeper@example.invalid {key.with_suffix('.pub').read_text()}")

    assert sign(folder, made["branch"], key).code == 0

    added = git(folder, "diff", "--name-status", f"{made['branch']}~1", made["branch"])
    assert added == f"A\tevidence/{made['proposal']}/statement.json.sig"
    found = call(
        "verify", "--repo", str(folder), "--base", "main", "--head", made["branch"], "--require-signature"
    )  # fmt: skip
    assert "ok  signature: signed by keeper@example.invalid" in found.out
    assert f"evidence valid, verdict {made['verdict']}" in found.out


def test_nobody_signs_twice_or_without_a_key(collected: tuple[Path, dict[str, Any]], key: Path, tmp_path: Path) -> None:
    folder, made = collected
    without = sign(folder, made["branch"], tmp_path / "nothing")
    assert without.code == 2 and "no such file" in without.err
    sign(folder, made["branch"], key)
    again = sign(folder, made["branch"], key)
    assert again.code == 2 and "is there already" in again.err
    assert sign(folder, "better", key).code == 2


# --- Renewing -----------------------------------------------------------------------------------------------------------


def test_a_proposal_is_renewed_where_another_skill_of_the_base_changed(
    collected: tuple[Path, dict[str, Any]],
) -> None:
    folder, made = collected
    commit(folder, "Another skill came first", other=raised((folder / OTHER).read_text()))
    assert verify(folder, made["branch"])["evidence"] == "stale"

    renewed = evidence("renew", folder, made["branch"]).result

    assert renewed["proposal"].startswith("renew-reflect-the-feeling-")
    assert (renewed["registration"], renewed["branch"]) == (4, f"evolve/{renewed['proposal']}")
    assert git(folder, "rev-parse", f"{renewed['branch']}~1") == git(folder, "rev-parse", "main")
    for path in (WEAK, OTHER):
        newest = made["branch"] if path == WEAK else "main"
        assert git(folder, "rev-parse", f"{renewed['branch']}:{path}") == git(folder, "rev-parse", f"{newest}:{path}")
    assert git(folder, "ls-tree", "--name-only", f"{renewed['branch']}:evidence") == renewed["proposal"]
    found = verify(folder, renewed["branch"])
    assert (found["evidence"], found["verdict"]) == ("valid", renewed["verdict"])


def test_a_reviewer_may_have_standing_evidence_made_anew_as_one_more_try(
    collected: tuple[Path, dict[str, Any]],
) -> None:
    folder, made = collected

    again = evidence("renew", folder, made["branch"], "--anew").result

    assert again["branch"] != made["branch"]
    assert (again["registration"], again["threshold"] == made["threshold"]) == (4, False)
    found = verify(folder, again["branch"])
    assert (found["evidence"], found["verdict"]) == ("valid", again["verdict"])


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("settings", GATE.replace("4", "6")),
        ("profile", None),
    ],
)
def test_so_it_is_where_the_gate_or_the_seekers_changed(
    words: str, text: str | None, collected: tuple[Path, dict[str, Any]]
) -> None:
    folder, made = collected
    commit(folder, "Changed", **{words: text or (folder / PLACES[words]).read_text() + "# a remark\n"})

    renewed = evidence("renew", folder, made["branch"]).result

    assert verify(folder, made["branch"])["evidence"] == "stale"
    assert verify(folder, renewed["branch"])["evidence"] == "valid"


def test_a_branch_by_hand_may_be_renewed_as_well_and_a_retired_skill_stays_so(bank: Path) -> None:
    branch(bank, "fewer", other=None, other_further=None)
    commit(bank, "Another skill came first", weak=raised((bank / WEAK).read_text()) + "\n")

    made = evidence("renew", bank, "fewer").result

    assert git(bank, "ls-tree", made["branch"], OTHER) == ""
    assert verify(bank, made["branch"])["evidence"] == "valid"


def test_what_was_made_offline_is_registered_by_renewing_it(bank: Path) -> None:
    made = evidence("collect", bank, "better", "--offline").result
    assert verify(bank, made["branch"])["evidence"] == "missing"
    renewed = evidence("renew", bank, made["branch"]).result
    assert verify(bank, renewed["branch"])["evidence"] == "valid"


def changed_on_both_sides(folder: Path) -> None:
    """Let the base change the skill that the proposal changes, in another place."""
    text = (folder / WEAK).read_text().replace("## Guidance\n\n1. ", "## Guidance\n\n1. Slowly. ", 1)
    commit(folder, "The same skill", weak=set_metadata(text, "version", f"{STANDS[:-1]}1"))


def test_it_is_not_where_the_base_changed_the_same_skill(collected: tuple[Path, dict[str, Any]]) -> None:
    folder, made = collected
    changed_on_both_sides(folder)

    refused = evidence("renew", folder, made["branch"])

    assert (refused.code, refused.out) == (2, "")
    assert f"{WEAK}: the base changed it too" in refused.err
    assert git(folder, "rev-list", "--count", "ledger") == "3"


def rebased(folder: Path, branch: str) -> str:
    """Rebase a branch on the base, with its own lines where both changed the same."""
    git(folder, "rebase", "--quiet", "-X", "theirs", "main", branch)
    git(folder, "checkout", "--quiet", "main")
    return branch


@pytest.mark.parametrize("command", ["collect", "renew"])
def test_what_is_hinted_at_then_helps(command: str, collected: tuple[Path, dict[str, Any]]) -> None:
    folder, made = collected
    changed_on_both_sides(folder)
    hinted = evidence("renew", folder, made["branch"]).err
    assert f"rebase {made['branch']}, then run `esc-skills evidence collect`" in hinted

    again = evidence(command, folder, rebased(folder, made["branch"]))

    assert f"evidence/{made['proposal']} is stale" in again.err
    new = again.result
    assert new["registration"] == 4
    added = git(folder, "ls-tree", "-r", "--name-only", new["branch"], "evidence")
    assert {path.split("/")[1] for path in added.split("\n")} == {new["proposal"]}
    found = verify(folder, new["branch"])
    assert (found["evidence"], found["verdict"]) == ("valid", new["verdict"])


def test_a_signature_goes_with_the_evidence_that_it_signed(collected: tuple[Path, dict[str, Any]], key: Path) -> None:
    folder, made = collected
    sign(folder, made["branch"], key)
    changed_on_both_sides(folder)

    new = evidence("collect", folder, rebased(folder, made["branch"])).result

    assert verify(folder, new["branch"])["evidence"] == "valid"


def test_no_other_file_goes_with_it(collected: tuple[Path, dict[str, Any]]) -> None:
    folder, made = collected
    git(folder, "checkout", "--quiet", made["branch"])
    commit(folder, "Notes", **{f"evidence/{made['proposal']}/notes.md": "mine\n"})
    git(folder, "checkout", "--quiet", "main")
    changed_on_both_sides(folder)

    refused = evidence("collect", folder, rebased(folder, made["branch"]))

    assert refused.code == 2
    assert f"changes evidence/{made['proposal']}/notes.md, and a proposal may touch skills alone" in refused.err


def test_nor_does_evidence_of_the_base(collected: tuple[Path, dict[str, Any]]) -> None:
    folder, made = collected
    merge_commit(folder, made["branch"])
    review = f"evidence/{made['proposal']}/review.md"
    branch(folder, "careless", other=raised((folder / OTHER).read_text()), **{review: "mine\n"})

    refused = evidence("collect", folder, "careless")

    assert refused.code == 2
    assert f"careless changes {review}, and a proposal may touch skills alone" in refused.err


def test_a_branch_with_the_evidence_of_two_proposals_is_to_be_parted(collected: tuple[Path, dict[str, Any]]) -> None:
    folder, made = collected
    git(folder, "checkout", "--quiet", "-b", "second", made["branch"])
    commit(folder, "More", **{"evidence/edit-open-with-room-0000000000/statement.json": "{}\n"})
    git(folder, "checkout", "--quiet", "main")

    refused = evidence("collect", folder, "second")

    assert refused.code == 2
    assert "the branch adds the evidence of 2 proposals" in refused.err
    assert git(folder, "rev-list", "--count", "ledger") == "3"


@pytest.mark.parametrize("command", ["collect", "renew"])
@pytest.mark.parametrize("on_top", [False, True], ids=["as it was", "rebased"])
def test_where_the_base_moved_in_nothing_that_evidence_is_bound_to_it_stands(
    command: str, on_top: bool, collected: tuple[Path, dict[str, Any]]
) -> None:
    folder, made = collected
    commit(folder, "Something else came first", readme="# A bank\n")
    before = git(folder, "for-each-ref", "refs/heads/ledger", "refs/heads/main")
    head = rebased(folder, made["branch"]) if on_top else made["branch"]
    branches = git(folder, "branch", "--list")

    again = evidence(command, folder, head)

    assert f"evidence/{made['proposal']} is valid on " in again.err
    assert again.result == made
    assert again.code == (made["verdict"] != "accept")
    assert git(folder, "for-each-ref", "refs/heads/ledger", "refs/heads/main") == before
    assert git(folder, "branch", "--list") == branches


def test_a_branch_without_a_skill_cannot_be_renewed(bank: Path) -> None:
    branch(bank, "words", readme="# x\n")
    ran = evidence("renew", bank, "words")
    assert ran.code == 2 and "words changes no skill" in ran.err
    assert no_registration(bank)


# --- Merging ------------------------------------------------------------------------------------------------------------


def squash(folder: Path, head: str) -> None:
    git(folder, "merge", "--quiet", "--squash", head)
    git(folder, "commit", "--quiet", "--message", "Squashed")


def rebase(folder: Path, head: str) -> None:
    git(folder, "checkout", "--quiet", "-b", "rebased", head)
    git(folder, "rebase", "--quiet", "main")
    git(folder, "checkout", "--quiet", "main")
    git(folder, "merge", "--quiet", "--ff-only", "rebased")


def merge_commit(folder: Path, head: str) -> None:
    git(folder, "merge", "--quiet", "--no-ff", "--no-edit", head)


@pytest.mark.parametrize("merge", [squash, rebase, merge_commit])
@pytest.mark.parametrize("moved", [False, True], ids=["base stood", "base moved elsewhere"])
def test_what_was_merged_is_verified_between_before_and_after(
    merge: Callable[[Path, str], None], moved: bool, collected: tuple[Path, dict[str, Any]]
) -> None:
    folder, made = collected
    if moved:
        commit(folder, "Something else came first", readme="# A bank\n")
    before = git(folder, "rev-parse", "main")
    merge(folder, made["branch"])

    found = verify(folder, "main", base=before)

    assert (found["evidence"], found["verdict"]) == ("valid", made["verdict"])
    assert ledger(folder, "verify").code == 0


def test_after_a_merge_the_base_before_it_is_asked_for(collected: tuple[Path, dict[str, Any]]) -> None:
    folder, made = collected
    merge_commit(folder, made["branch"])
    found = verify(folder, made["branch"])
    assert (found["evidence"], found["exit"]) == ("none", 0)
    assert "give the commit before the merge as --base" in detail(found)


def test_a_merge_that_a_queue_tries_is_verified_before_it_is_made(collected: tuple[Path, dict[str, Any]]) -> None:
    folder, made = collected
    commit(folder, "Something else came first", readme="# A bank\n")
    git(folder, "checkout", "--quiet", "--detach", "main")
    merge_commit(folder, made["branch"])
    git(folder, "branch", "queue/main/1")

    found = verify(folder, "queue/main/1")

    assert (found["evidence"], found["verdict"]) == ("valid", made["verdict"])


def test_the_second_in_a_queue_is_stale_once_the_first_changed_the_bank(
    collected: tuple[Path, dict[str, Any]],
) -> None:
    folder, made = collected
    branch(folder, "second", other=raised((folder / OTHER).read_text()))
    second = evidence("collect", folder, "second").result
    git(folder, "checkout", "--quiet", "--detach", "main")
    merge_commit(folder, made["branch"])
    git(folder, "branch", "queue/main/1")
    merge_commit(folder, second["branch"])
    git(folder, "branch", "queue/main/2")

    assert verify(folder, "queue/main/1")["evidence"] == "valid"
    assert verify(folder, second["branch"], base="queue/main/1")["evidence"] == "stale"
    assert verify(folder, "queue/main/2", base="queue/main/1")["exit"] == 1
    both = verify(folder, "queue/main/2")
    assert both["evidence"] == "invalid" and "holds 2 proposals" in detail(both)


def test_what_was_merged_does_not_stand_once_its_files_were_changed_in_the_merge(
    collected: tuple[Path, dict[str, Any]],
) -> None:
    folder, made = collected
    before = git(folder, "rev-parse", "main")
    merge_commit(folder, made["branch"])
    (folder / WEAK).write_text((folder / WEAK).read_text() + "\n")
    git(folder, "commit", "--quiet", "--all", "--amend", "--no-edit")

    found = verify(folder, "main", base=before)

    assert (found["evidence"], found["exit"]) == ("invalid", 1)
    assert f"{WEAK}: is not the file that was judged" in detail(found)
