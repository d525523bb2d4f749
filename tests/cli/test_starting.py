"""`esc-skills init`, `new` and `doctor`: a way in, from an empty folder to a bank that validates."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from esc_skills.cli.main import run
from esc_skills.integrations.team_repository import FIRST_SKILLS
from tests.commands import call
from tests.proposals import git

FILLED = {
    r"some of exploration.*": "exploration",
    r"the main one first.*": "question",
    r"any, or some of.*": "any",
    r"how strong the feeling.*": "2 to 5",
    r"some of practical-advice.*": "be-heard",
    r"none, or needs.*": "none",
    r"the levels at which.*": "none, passive",
    r"points of 100.*": "1 to 5",
    r"the codes of.*": "over-interpretation, missed-risk",
}


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    assert run(["init", str(tmp_path / "team")]) == 0
    monkeypatch.chdir(tmp_path / "team")
    return tmp_path / "team"


def filled(text: str) -> str:
    """Fill in a template as a person would, with words of the lists where the line names them."""
    for pattern, words in FILLED.items():
        text = re.sub(rf"FILL: {pattern}\"", f'{words}"', text)
    text = text.replace("`another-skill`", "`restate-the-story`")
    text = re.sub(r"When FILL: [^\"]*", "When someone asks for a test: give one. Emotional support.", text)
    numbers = iter(range(1000))
    return re.sub(r"FILL: ([^\n\"`]*)", lambda found: f"Written {next(numbers)}, {found[1].strip(' .:') or 'x'}.", text)


def readings(*arguments: str) -> dict[str, dict[str, Any]]:
    done = call("doctor", *arguments, "--format", "json")
    return {each["name"]: each for each in json.loads(done.out)["checks"]}


class TestInit:
    def test_it_leaves_a_bank_that_validates_and_nothing_committed(self, team: Path) -> None:
        assert run(["validate", "."]) == 0
        assert {path.parent.name for path in team.glob("skills/*/SKILL.md")} == {*FIRST_SKILLS, "emotional-support"}
        assert (team / ".claude/skills/emotional-support/SKILL.md").is_file()
        assert subprocess.run(["git", "rev-parse", "-q", "--verify", "HEAD"], cwd=team, check=False).returncode == 1
        assert git(team, "status", "--porcelain", "--", "skills").startswith("?? skills/")

    def test_no_line_leads_to_a_skill_that_the_bank_lacks(self, team: Path) -> None:
        shown = call("validate", ".").out
        assert "unknown-skill" not in shown
        text = (team / "skills/meet-withdrawal/SKILL.md").read_text()
        assert "`hold-silence`" not in text
        assert ": answer plainly, without a skill." in text

    def test_the_hook_stops_a_broken_skill(self, team: Path) -> None:
        git(team, "add", "--all")
        git(team, "commit", "--quiet", "--message", "Start")
        path = team / "skills/stay-beside/SKILL.md"
        path.write_text(path.read_text().replace("## Guidance", "## Advice"))
        git(team, "add", "--all")
        done = subprocess.run(["git", "commit", "-m", "x"], cwd=team, capture_output=True, text=True, check=False)
        assert (done.returncode != 0, "Advice" in done.stdout + done.stderr) == (True, True)

    def test_an_owner_is_written_with_a_key_and_a_private_key_is_refused(self, tmp_path: Path) -> None:
        key = tmp_path / "ana"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        public = key.with_suffix(".pub")
        for name, file in (("ana", key), ("Ana Lopez", public), ("ana", tmp_path / "none.pub")):
            assert run(["init", str(tmp_path / "team"), "--owner", name, "--key", str(file)]) == 2
        assert run(["init", str(tmp_path / "team"), "--owner", "ana"]) == 2
        assert not (tmp_path / "team").exists()
        assert run(["init", str(tmp_path / "team"), "--owner", "ana", "--key", str(public)]) == 0
        assert (tmp_path / "team/allowed_signers").read_text() == f"ana {public.read_text()}"
        found = readings("--repo", str(tmp_path / "team"))
        assert (found["owners"]["state"], found["owners"]["found"]) == ("ok", "ana")

    def test_a_folder_that_is_not_empty_stays_as_it_is(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("mine")
        done = call("init", str(tmp_path))
        assert (done.code, "is not empty, it holds notes.txt" in done.err) == (2, True)
        assert [each.name for each in tmp_path.iterdir()] == ["notes.txt"]
        assert "is a file" in call("init", str(tmp_path / "notes.txt")).err

    def test_a_folder_inside_another_repository_is_refused(self, team: Path) -> None:
        done = call("init", str(team / "deeper"))
        assert (done.code, "lies in the repository" in done.err) == (2, True)

    def test_a_repository_without_files_will_do(self, tmp_path: Path) -> None:
        git(tmp_path, "init", "--quiet")
        assert run(["init", str(tmp_path)]) == 0
        assert (tmp_path / "skills").is_dir()


class TestNew:
    @pytest.mark.parametrize("part", ["skill", "scenario", "persona"])
    def test_a_template_asks_to_be_filled_in_and_validates_then(self, part: str, team: Path) -> None:
        assert run(["new", part, "ask-for-a-test"]) == 0
        (path,) = [each for each in team.rglob("*ask-for-a-test*") if each.suffix in (".yaml", "")]
        file = path / "SKILL.md" if path.is_dir() else path
        shown = call("validate", str(file if part != "skill" else path))
        lines = {number for number, line in enumerate(file.read_text().splitlines(), 1) if "FILL:" in line}
        named = {int(found) for found in re.findall(r":(\d+): unfilled", shown.out)}
        assert (shown.code, named) == (1, lines)

        text = filled(file.read_text())
        enums = {"problem_type": "job-crisis", "emotion_type": "anger", "disposition": "passive"}
        for key, word in enums.items():
            text = re.sub(rf"^{key}: .*$", f"{key}: {word}", text, flags=re.MULTILINE)
        file.write_text(text.replace("what happened", "what happened and was told to nobody for a long time " * 3))
        assert call("bank", "entrance", "skills").code == 0
        shown = call("validate", ".")
        assert (shown.code, shown.out.count("error")) == (0, 0), shown.out

    def test_bad_names_and_what_is_there_are_refused(self, team: Path) -> None:
        for name in ("Try", "a b", "../x", "a--b", "x" * 65, ""):
            assert run(["new", "skill", name]) == 2
        assert "is there already" in call("new", "skill", "stay-beside").err
        assert call("new", "song", "x").code == 2

    def test_without_a_bank_it_says_how_to_start_one(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        done = call("new", "skill", "try-this")
        assert (done.code, "esc-skills init DIR" in done.err) == (2, True)


class TestDoctor:
    def test_a_fresh_repository_is_ready_and_notes_what_is_left(self, team: Path) -> None:
        done = call("doctor")
        assert done.code == 0
        states = {name: each["state"] for name, each in readings().items()}
        assert {states[name] for name in ("Python", "git", "repository", "identity", "settings", "bank", "hook")} == {
            "ok"
        }
        assert (states["owners"], states["push"]) == ("note", "note")

    def test_what_stops_work_is_named_with_its_remedy(self, team: Path) -> None:
        skill = team / "skills/stay-beside/SKILL.md"
        skill.write_bytes(skill.read_bytes().replace(b"\n", b"\r\n"))
        (team / ".gitattributes").unlink()
        (team / ".claude/skills").unlink()
        (team / ".claude/skills").write_text("../skills")
        git(team, "remote", "add", "origin", str(team / "nowhere.git"))
        git(team, "-c", "core.hooksPath=/dev/null", "commit", "--quiet", "--allow-empty", "--message", "Start")
        (team / "pyproject.toml").write_text('[tool.esc-skills.owners]\n"skills/**" = ["ana"]\n')
        found = readings()
        for name in ("line ends", "links", "push", "owners"):
            assert (found[name]["state"], bool(found[name]["remedy"])) == ("BAD", True), name
        assert call("doctor", "--offline").code == 1
        assert "push" not in readings("--offline")

    def test_no_repository_no_bank_and_bad_settings(self, tmp_path: Path) -> None:
        assert readings("--repo", str(tmp_path))["repository"]["state"] == "BAD"
        git(tmp_path, "init", "--quiet")
        assert "esc-skills init" in readings("--repo", str(tmp_path))["bank"]["remedy"]
        (tmp_path / "pyproject.toml").write_text("[tool.esc-skills]\nskils = 1\n")
        assert readings("--repo", str(tmp_path))["settings"]["state"] == "BAD"


def test_a_repository_without_a_bank_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(tmp_path, "init", "--quiet")
    monkeypatch.chdir(tmp_path)
    out = ("--out", str(tmp_path / "run.jsonl"), "--draws", "1")
    done = call("simulate", *out)
    assert (done.code, "this repository holds no bank" in done.err) == (2, True)
    assert call("simulate", *out, "--bank", "shipped").code == 0
