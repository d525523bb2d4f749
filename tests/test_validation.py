"""Validation of whatever a path names: every problem at once, and no file that can hide those of others."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from esc_skills.cli.main import run
from esc_skills.documents.shipped import shipped
from esc_skills.errors import GitError, InputError
from esc_skills.validation import Report, Rules, check_version_bump, validate_paths
from tests.samples import skill_text, write_skill

Git = Callable[..., str]


def validate(path: Path, rules: Rules = Rules.ESC, base: str | None = None) -> Report:
    return validate_paths([path], rules, base)


def codes(report: Report) -> list[str]:
    return [finding.code for finding in report.findings]


def test_the_shipped_repository_is_sound(repository: Path) -> None:
    report = validate(repository)
    assert report.findings == ()
    skills = len(list(shipped("skills").rglob("SKILL.md")))
    assert report.checked == skills + len(list(shipped("profiles").rglob("*.yaml"))) + 1


@pytest.mark.parametrize("where", [".", "wait-a-little", "wait-a-little/SKILL.md"])
def test_a_bank_a_skill_folder_and_a_file_can_be_named(where: str, tmp_path: Path) -> None:
    write_skill(tmp_path)
    assert validate(tmp_path / where) == Report(1, ())


def test_a_skill_folder_that_one_is_in_has_its_own_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write_skill(tmp_path).parent)
    assert validate(Path()) == Report(1, ())
    assert validate(Path("SKILL.md")) == Report(1, ())
    assert validate(Path("../wait-a-little/SKILL.md")) == Report(1, ())


def test_several_paths_are_checked_together_and_nothing_is_told_twice(tmp_path: Path) -> None:
    write_skill(tmp_path, text=skill_text(version="1"))
    report = validate_paths([tmp_path, tmp_path / "wait-a-little"], Rules.ESC)
    assert codes(report) == ["schema-pattern"]


def test_one_unreadable_file_does_not_hide_the_problems_of_others(tmp_path: Path) -> None:
    write_skill(tmp_path, "a-skill", text=skill_text("a-skill", version="1"))
    write_skill(tmp_path, "b-skill", text=b"---\nname: b\xe9\n---\n")
    write_skill(tmp_path, "c-skill", text="no front matter")
    with (write_skill(tmp_path, "d-skill")).open("wb") as file:
        file.truncate(10_000_000)
    found = validate(tmp_path).findings
    assert [(Path(each.path).parent.name, each.code, each.line) for each in found] == [
        ("a-skill", "schema-pattern", 6),
        ("b-skill", "encoding", 2),
        ("c-skill", "front-matter", 1),
        ("d-skill", "too-large", 0),
    ]


def test_a_link_out_of_a_skill_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("root:x:0")
    path = write_skill(tmp_path / "bank")
    path.unlink()
    path.symlink_to("../../secret")
    report = validate(tmp_path / "bank")
    assert codes(report) == ["link-outside"]
    assert "root:x" not in report.findings[0].as_text()


def test_a_link_to_itself_is_a_finding(tmp_path: Path) -> None:
    path = write_skill(tmp_path)
    path.unlink()
    path.symlink_to("SKILL.md")
    assert codes(validate(tmp_path)) == ["not-a-file"]


def test_a_file_in_lower_case_is_found_and_named(tmp_path: Path) -> None:
    path = write_skill(tmp_path)
    path.rename(path.with_name("skill.md"))
    assert codes(validate(tmp_path)) == ["file-name"]


def test_the_specification_alone_asks_less(tmp_path: Path) -> None:
    write_skill(tmp_path, "plain", text="---\nname: plain\ndescription: Any words.\n---\nAny body.\n")
    assert validate(tmp_path, Rules.AGENT_SKILLS) == Report(1, ())
    assert codes(validate(tmp_path))


def test_front_matter_in_place_of_a_section_is_a_finding_and_no_fault(tmp_path: Path) -> None:
    text = skill_text().replace("license:", "when_not_to_use: 5\nlicense:").replace("## When not to use", "### Else")
    write_skill(tmp_path, text=text)
    assert {"portable-field", "schema-required"} <= set(codes(validate(tmp_path)))


def test_names_are_compared_over_a_bank_and_not_over_a_lone_skill(tmp_path: Path) -> None:
    text = skill_text().replace("asks something outright.", "asks something outright: `answer-plainly`.")
    path = write_skill(tmp_path, text=text)
    assert codes(validate(tmp_path)) == ["unknown-skill"]
    assert codes(validate(path)) == codes(validate(path.parent)) == []


def test_two_parts_with_one_name_are_found(repository: Path) -> None:
    part = next((repository / "profiles/personas").iterdir())
    (repository / "profiles/more/personas").mkdir(parents=True)
    shutil.copy(part, repository / "profiles/more/personas")
    assert codes(validate(repository)) == ["repeated-name"]


def test_settings_with_an_unknown_key_are_found(repository: Path) -> None:
    (repository / "pyproject.toml").write_text("[tool.esc-skills.gate]\ndrawss = 3\n")
    (found,) = validate(repository).findings
    assert "unknown key 'drawss'; did you mean 'draws'?" in found.message
    assert codes(validate(repository / "pyproject.toml")) == ["schema-additionalProperties"]


def test_settings_beyond_reason_do_not_hide_other_problems(repository: Path) -> None:
    with (repository / "pyproject.toml").open("wb") as file:
        file.truncate(10_000_000)
    next((repository / "profiles/personas").iterdir()).write_text("a: &x 1\n")
    assert codes(validate(repository)) == ["yaml-alias", "too-large"]


def test_hidden_and_foreign_folders_are_left_out(tmp_path: Path) -> None:
    write_skill(tmp_path)
    for folder in (".git", "node_modules", "venv"):
        write_skill(tmp_path / folder, text="broken")
    assert validate(tmp_path) == Report(1, ())


def test_an_empty_folder_a_missing_path_and_a_foreign_file_are_input_errors(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("words")
    with pytest.raises(InputError, match=r"holds no SKILL\.md and no profile part"):
        validate(tmp_path)
    with pytest.raises(InputError, match="nothing: no such file or folder"):
        validate(tmp_path / "nothing")
    with pytest.raises(InputError, match=r"a\.txt: is no SKILL\.md"):
        validate(tmp_path / "a.txt")


def skill_of_repository(repository: Path) -> Path:
    return sorted((repository / "skills").glob("*/SKILL.md"))[0]


@pytest.mark.thorough
def test_a_skill_that_changed_since_the_base_needs_a_higher_version(repository: Path) -> None:
    path = skill_of_repository(repository)
    text = path.read_text()
    assert validate(repository, base="main").findings == ()
    path.write_text(text.rstrip("\n") + "\n\n")
    (found,) = validate(repository, base="main").findings
    assert (found.code, found.pointer) == ("version-bump", "/metadata/version")
    assert re.search(r"its version (\S+) must rise above \1$", found.message)
    path.write_text(text.replace('version: "', 'version: "9', 1) + "\n")
    assert validate(repository, base="main").findings == ()


def test_a_new_skill_needs_no_higher_version(repository: Path) -> None:
    write_skill(repository / "skills")
    assert codes(validate(repository, base="main")) == ["entrance"]
    assert run(["bank", "entrance", str(repository / "skills")]) == 0
    assert validate(repository, base="main").findings == ()


def test_a_link_out_of_the_repository_is_a_finding_with_a_base_too(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.md").write_text(skill_text())
    path = skill_of_repository(repository)
    path.unlink()
    path.symlink_to("../../../outside.md")
    assert "link-outside" in codes(validate(repository, base="main"))


def test_a_file_beyond_reason_is_a_finding_with_a_base_too(repository: Path) -> None:
    with skill_of_repository(repository).open("wb") as file:
        file.truncate(10_000_000)
    assert "too-large" in codes(validate(repository, base="main"))


def test_a_base_that_is_unknown_or_outside_git_is_told(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(GitError, match="no commit is named 'v9'"):
        validate(repository, base="v9")
    write_skill(tmp_path / "bank")
    with pytest.raises(GitError, match="is in no git repository"):
        validate(tmp_path / "bank", base="main")


@pytest.mark.parametrize(
    ("old", "new", "rises"),
    [("1.0.0", "1.0.1", True), ("1.9.0", "1.10.0", True), ("1.2.0", "1.1.9", False), ("2.0.0", "10.0.0", True)],
)
def test_versions_are_compared_as_numbers(old: str, new: str, rises: bool) -> None:
    found = check_version_bump(skill_text(version=old).encode(), skill_text(version=new).encode(), "skills/a/SKILL.md")
    assert (list(found) == []) is rises


def test_a_fault_of_one_skill_blames_neither_the_entrance_nor_the_others(repository: Path) -> None:
    path = repository / "skills" / "stay-beside" / "SKILL.md"
    text = path.read_text()
    path.write_text(text.replace('description: "When', f'description: "When {"x" * 160}', 1))
    assert codes(validate(repository)) == ["schema-maxLength"]
    path.write_bytes(b"\xff" + text.encode())
    assert codes(validate(repository)) == ["encoding"]


def test_files_of_examples_that_nobody_reads_are_named(repository: Path) -> None:
    skill = repository / "skills" / "stay-beside"
    (skill / "references" / "examples.zh-CN.md").write_text("# x\n")
    assert codes(validate(repository)) == ["reference-name"]
    (skill / "references" / "examples.zh-CN.md").unlink()
    (skill / "SKILL.md").unlink()
    assert "orphan-examples" in codes(validate(repository))
