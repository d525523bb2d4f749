"""Owners decide what no simulation can: a signature in the ledger, for one change, with a reason."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.commands import Ran, call, ledger, verify
from tests.proposals import git
from tests.samples import skill_text, write_skill

SKILL = "skills/wait-a-little/SKILL.md"
SETTINGS = """\
[tool.esc-skills.owners]
"pyproject.toml" = ["ana"]
"profiles/**" = ["ana", "ben"]
"skills/**#license" = ["ben"]
"""
Keys = dict[str, Path]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory, own_home: Path) -> Keys:
    """Private keys by the name of their owner; eve's is in no file of signers."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("ana", "ben", "eve"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name)]
        subprocess.run(command, check=True)
    return {name: folder / name for name in ("ana", "ben", "eve")}


@dataclass(frozen=True)
class Owned:
    """A repository with owners; `change` is checked out and starts at `main`."""

    folder: Path
    keys: Keys

    def commit(self, path: str, text: str | None, message: str = "A change") -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            (self.folder / path).unlink()
        else:
            (self.folder / path).write_text(text)
        git(self.folder, "add", "--all")
        git(self.folder, "commit", "--quiet", "--message", message)

    def sign(self, who: str, reason: str = "It was looked at by two of us.") -> Ran:
        where = ("--repo", str(self.folder), "--head", "change")
        return call("owners", "sign", *where, "--reason", reason, "--key", str(self.keys[who]))

    def verified(self, base: str = "main") -> dict[str, Any]:
        return verify(self.folder, "change", base=base)

    def outcome(self) -> tuple[str, str | None, int]:
        found = self.verified()
        return found["evidence"], found["verdict"], found["exit"]


@pytest.fixture
def owned(tmp_path: Path, keys: Keys) -> Owned:
    folder = tmp_path / "owned"
    write_skill(folder / "skills")
    (folder / "pyproject.toml").write_text(SETTINGS)
    (folder / "profiles").mkdir()
    (folder / "profiles/notes.yaml").write_text("x: 1\n")
    signers = [f"{name} {keys[name].with_suffix('.pub').read_text()}" for name in ("ana", "ben")]
    (folder / "allowed_signers").write_text("".join(signers))
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "A bank with owners")
    git(folder, "checkout", "--quiet", "-b", "change")
    return Owned(folder, keys)


def test_an_owner_s_word_is_accepted_and_called_untested(owned: Owned) -> None:
    owned.commit("profiles/notes.yaml", "x: 2\n")
    before = owned.verified()
    assert (before["evidence"], before["exit"]) == ("missing", 1)
    told = before["checks"][-1]["detail"]
    assert "changes seeker profiles (profiles/notes.yaml), which no simulation decides" in told
    assert "ana or ben may decide it: `esc-skills owners sign" in told

    signed = owned.sign("ben", "The seeker's age was wrong.")

    assert signed.code == 0, signed.err
    after = owned.verified()
    assert (after["evidence"], after["verdict"], after["exit"]) == ("untested", "accept", 0)
    assert "untested, on ben's word (entry 1): The seeker's age was wrong." in after["checks"][-1]["detail"]
    assert "an owner's decision, untested (`verify` checks who signed it): The" in ledger(owned.folder, "show").out
    assert ledger(owned.folder, "verify").code == 0


def test_who_owns_nothing_of_a_change_decides_nothing(owned: Owned) -> None:
    owned.commit("pyproject.toml", SETTINGS + "[tool.esc-skills.gate]\ndraws = 300\n")
    for who, reason in (("ben", "ben owns nothing of settings"), ("eve", "no allowed signer's")):
        refused = owned.sign(who)
        assert (refused.code, reason in refused.err) == (2, True), refused.err
    assert owned.outcome() == ("missing", None, 1)
    assert owned.sign("ana").code == 0
    assert owned.outcome() == ("untested", "accept", 0)


def test_each_file_needs_somebody_who_owns_it(owned: Owned) -> None:
    owned.commit("profiles/notes.yaml", "x: 2\n")
    owned.commit("pyproject.toml", SETTINGS + "[tool.esc-skills.gate]\ndraws = 300\n")
    signed = owned.sign("ben")
    assert (signed.code, "still open: pyproject.toml; may decide: ana" in signed.out) == (0, True)
    assert owned.outcome() == ("missing", None, 1)
    assert owned.sign("ana").code == 0
    assert owned.outcome() == ("untested", "accept", 0)


def test_a_part_of_a_skill_may_have_an_owner_of_its_own(owned: Owned) -> None:
    changed = skill_text(version="1.0.1").replace("license: Apache-2.0", "license: MIT")
    owned.commit(SKILL, changed)
    assert owned.sign("ben").code == 0
    assert owned.outcome() == ("untested", "accept", 0)
    owned.commit(SKILL, changed.replace("Say that there is time.", "Say nothing."))
    assert owned.outcome() == ("missing", None, 1)
    assert owned.sign("ben").code == 2


NOTED = skill_text(version="1.0.1").replace("license: Apache-2.0", "license: MIT")


@pytest.mark.parametrize(
    "text",
    [
        NOTED.replace("license: MIT", 'license: MIT\n"description": Say nothing.\n', 1),
        NOTED.replace("license: MIT", "? license\n: MIT\n? description\n: Say nothing.", 1),
        NOTED + "\n## License\n\n- Say nothing.\n",
        NOTED.replace("\n## ", "\n```\n## License\n```\nSay nothing.\n\n## ", 1),
        NOTED.replace("---\n", "---\r\n", 1).replace("license: MIT", "license: MIT\u2028description: x"),
        "no front matter\n",
    ],
)
def test_whoever_owns_a_part_decides_nothing_beside_it(text: str, owned: Owned) -> None:
    owned.commit(SKILL, text)
    assert owned.sign("ben").code == 2
    assert owned.outcome() == ("missing", None, 1)


def test_a_link_in_place_of_a_skill_is_no_part_of_it(owned: Owned) -> None:
    (owned.folder / SKILL).unlink()
    (owned.folder / SKILL).symlink_to("../../profiles/notes.yaml")
    git(owned.folder, "add", "--all")
    git(owned.folder, "commit", "--quiet", "--message", "A link")
    assert owned.sign("ben").code == 2


@pytest.mark.parametrize("reason", ["", "  ", "x" * 2_001, "two\nlines"])
def test_a_reason_is_a_line_of_words(reason: str, owned: Owned) -> None:
    owned.commit("profiles/notes.yaml", "x: 2\n")
    refused = owned.sign("ana", reason)
    assert (refused.code, "--reason" in refused.err) == (2, True)


@pytest.mark.parametrize(
    ("text", "reason"), [("[tool.esc-skills]\nunknown = 1\n", "unknown key"), ("[tool.esc-skills\n", "pyproject.toml")]
)
def test_no_owner_lets_in_what_nobody_could_work_on(text: str, reason: str, owned: Owned) -> None:
    owned.commit("pyproject.toml", text)
    assert owned.sign("ana").code == 0
    found = owned.verified()
    assert (found["evidence"], found["verdict"]) == ("invalid", None)
    assert reason in found["checks"][-1]["detail"]


def test_what_the_base_had_between_the_decision_and_now_counts_in_merged_branches_too(owned: Owned) -> None:
    owned.commit("profiles/notes.yaml", "x: 2\n")
    assert owned.sign("ana").code == 0
    git(owned.folder, "checkout", "--quiet", "-b", "side", "main")
    owned.commit("profiles/notes.yaml", "x: 2\n", "Let in by the server's keeper")
    owned.commit("profiles/notes.yaml", "x: 1\n", "And taken back")
    git(owned.folder, "checkout", "--quiet", "main")
    git(owned.folder, "merge", "--quiet", "--no-ff", "--no-edit", "side")
    git(owned.folder, "checkout", "--quiet", "change")
    assert owned.outcome() == ("missing", None, 1)


@pytest.mark.parametrize("more", ["x: 3\n", "x: 2\n# and more\n"])
def test_a_decision_holds_for_one_change(more: str, owned: Owned) -> None:
    owned.commit("profiles/notes.yaml", "x: 2\n")
    assert owned.sign("ana").code == 0
    owned.commit("profiles/notes.yaml", more)
    assert owned.outcome() == ("missing", None, 1)


def test_a_change_that_was_taken_back_is_not_let_in_by_an_old_signature(owned: Owned) -> None:
    owned.commit("profiles/notes.yaml", "x: 2\n")
    assert owned.sign("ana").code == 0
    git(owned.folder, "checkout", "--quiet", "main")
    git(owned.folder, "merge", "--quiet", "--no-ff", "--no-edit", "change")
    owned.commit("profiles/notes.yaml", "x: 1\n", "Take it back")
    git(owned.folder, "branch", "--quiet", "--force", "change", "main")
    git(owned.folder, "checkout", "--quiet", "change")
    owned.commit("profiles/notes.yaml", "x: 2\n")
    assert owned.outcome() == ("missing", None, 1)


def test_a_base_that_moved_elsewhere_asks_nobody_again(owned: Owned) -> None:
    owned.commit("profiles/notes.yaml", "x: 2\n")
    assert owned.sign("ana").code == 0
    git(owned.folder, "checkout", "--quiet", "main")
    owned.commit("README.md", "More.\n")
    git(owned.folder, "checkout", "--quiet", "change")
    assert owned.outcome() == ("untested", "accept", 0)


def test_the_base_says_who_owns_and_not_the_change(owned: Owned) -> None:
    eve = owned.keys["eve"].with_suffix(".pub").read_text()
    signers = (owned.folder / "allowed_signers").read_text()
    owned.commit("allowed_signers", f"{signers}eve {eve}")
    owned.commit("pyproject.toml", '[tool.esc-skills.owners]\n"**" = ["eve"]\n')
    assert "no allowed signer's" in owned.sign("eve").err
    assert owned.outcome() == ("missing", None, 1)


def test_a_signature_for_something_else_decides_nothing(owned: Owned, tmp_path: Path) -> None:
    owned.commit("profiles/notes.yaml", "x: 2\n")
    assert owned.sign("ana").code == 0
    entry = json.loads(git(owned.folder, "show", "ledger:entries/000001.json"))
    payload = {key: entry[key] for key in ("base", "change", "reason")} | {"format": "esc-skills/owners/1"}
    (tmp_path / "payload").write_text(json.dumps(payload, sort_keys=True, separators=(",", ":")))
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", "esc-skills-evidence", "-f", str(owned.keys["ana"])]
    subprocess.run([*command, str(tmp_path / "payload")], check=True)
    entry["signature"] = (tmp_path / "payload.sig").read_text()
    rewrite(owned.folder, json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n")
    assert owned.outcome() == ("missing", None, 1)


def rewrite(folder: Path, entry: str) -> None:
    """Leave a ledger of one entry, which nobody has seen another one of."""
    blob = subprocess.run(
        ["git", "hash-object", "-w", "--stdin"], cwd=folder, input=entry, text=True, capture_output=True, check=True
    )
    lines = f"100644 blob {blob.stdout.strip()}\t000001.json\n"
    inner = subprocess.run(["git", "mktree"], cwd=folder, input=lines, text=True, capture_output=True, check=True)
    outer = subprocess.run(
        ["git", "mktree"],
        cwd=folder,
        input=f"040000 tree {inner.stdout.strip()}\tentries\n",
        text=True,
        capture_output=True,
        check=True,
    )
    made = git(folder, "commit-tree", "-m", "An entry", outer.stdout.strip())
    git(folder, "update-ref", "refs/heads/ledger", made)
    shutil.rmtree(folder / ".git/esc-skills")


def test_a_repository_without_owners_says_so(owned: Owned) -> None:
    git(owned.folder, "checkout", "--quiet", "main")
    owned.commit("pyproject.toml", "[tool.esc-skills]\n")
    git(owned.folder, "branch", "--quiet", "--force", "change", "main")
    git(owned.folder, "checkout", "--quiet", "change")
    owned.commit("profiles/notes.yaml", "x: 2\n")
    assert "name no owner of profiles/notes.yaml" in owned.verified()["checks"][-1]["detail"]
    assert "name no owners" in owned.sign("ana").err


def test_a_decision_spends_nothing_and_chooses_no_seekers(owned: Owned, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    shutil.copytree(owned.folder, plain)
    owned.commit("profiles/notes.yaml", "x: 2\n")
    assert owned.sign("ana").code == 0
    made = {}
    for folder in (owned.folder, plain):
        git(folder, "checkout", "--quiet", "-b", "better", "main")
        git(folder, "rm", "--quiet", "-r", "profiles")
        (folder / "pyproject.toml").write_text("[tool.esc-skills.gate]\ndraws = 4\nbatch = 2\n")
        git(folder, "commit", "--quiet", "--all", "--message", "Few draws")
        git(folder, "branch", "--quiet", "--force", "main", "better")
        (folder / SKILL).write_text(skill_text(version="1.1.0").replace("There is time. Take it.", "Take your time."))
        git(folder, "commit", "--quiet", "--all", "--message", "Better")
        git(folder, "checkout", "--quiet", "main")
        ran = call("evidence", "collect", "--repo", str(folder), "--head", "better", "--format", "json")
        made[folder] = ran.result
        branch = made[folder]["branch"]
        made[folder]["plan"] = git(folder, "show", f"{branch}:evidence/{branch.removeprefix('evolve/')}/plan.json")
    one, other = made.values()
    assert (one["plan"], one["threshold"]) == (other["plan"], other["threshold"])
    assert one["registration"] == other["registration"] + 1
