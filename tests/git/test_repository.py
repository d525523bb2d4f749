"""The one door to git: it reads revisions and builds branches, and touches nothing of the person's own work."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esc_skills.errors import GitError, InputError
from esc_skills.git import Repository

Git = Callable[..., str]


def snapshot(folder: Path, git: Git) -> tuple[object, ...]:
    """All that `commit_branch` must not touch: work tree, index and what is checked out."""
    files = {
        path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() and ".git" not in path.parts
    }
    return (
        files,
        (folder / ".git/index").read_bytes(),
        git(folder, "symbolic-ref", "HEAD"),
        git(folder, "rev-parse", "HEAD"),
    )


def test_a_revision_is_resolved_to_its_commit(repository: Path, git: Git) -> None:
    head = git(repository, "rev-parse", "HEAD")
    git(repository, "tag", "-a", "v1", "-m", "first")
    with Repository(repository / "skills") as door:
        assert door.root.resolve() == repository.resolve()
        assert {door.resolve(each) for each in ("HEAD", "main", "v1", head[:10], "refs/heads/main")} == {head}


@pytest.mark.parametrize("revision", ["nothing", "", "main:skills", "HEAD~9", "HEAD\n", "a b", "main..main", "0" * 40])
def test_an_unknown_revision_is_named_with_a_hint(revision: str, repository: Path) -> None:
    with Repository(repository) as door, pytest.raises(GitError, match="no commit is named") as caught:
        door.resolve(revision)
    assert caught.value.hint == "check its spelling with `git branch --all`"


@pytest.mark.parametrize("revision", ["-h", "--output=/tmp/x", "--upload-pack=touch x"])
def test_a_revision_cannot_be_an_option(revision: str, repository: Path) -> None:
    with Repository(repository) as door, pytest.raises(GitError, match="is no revision"):
        door.resolve(revision)


def test_a_folder_without_a_repository_is_told(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="is in no git repository") as caught:
        Repository(tmp_path)
    assert "git init" in caught.value.hint
    with pytest.raises(InputError, match="nothing: no such folder"):
        Repository(tmp_path / "nothing")


def test_a_repository_without_a_commit_is_told(tmp_path: Path, git: Git) -> None:
    git(tmp_path, "init", "-q")
    with Repository(tmp_path) as door:
        assert not door.has_commits()
        with pytest.raises(GitError, match="has no commit yet"):
            door.resolve("HEAD")


def test_a_shallow_clone_is_told_how_to_get_the_rest(repository: Path, tmp_path: Path, git: Git) -> None:
    first = git(repository, "rev-parse", "HEAD")
    git(repository, "commit", "-q", "--allow-empty", "-m", "second")
    git(tmp_path, "clone", "-q", "--depth", "1", repository.as_uri(), "shallow")
    with Repository(tmp_path / "shallow") as door:
        assert door.is_shallow()
        with pytest.raises(GitError, match="no commit is named") as caught:
            door.resolve(first)
        assert "git fetch --unshallow" in caught.value.hint
        assert "fetch-depth: 0" in caught.value.hint


def test_histories_without_a_common_commit_are_told(repository: Path, git: Git) -> None:
    main = git(repository, "rev-parse", "HEAD")
    git(repository, "checkout", "-q", "--orphan", "alone")
    git(repository, "commit", "-q", "-m", "alone")
    with Repository(repository) as door:
        assert door.merge_base(main, main) == main
        with pytest.raises(GitError, match="have no commit in common"):
            door.merge_base(main, door.resolve("alone"))


def test_another_repository_in_the_environment_is_not_followed(
    repository: Path, tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "-q", "other")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other/.git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    with Repository(repository) as door:
        assert door.root.resolve() == repository.resolve()
        assert door.has_commits()
    assert os.environ["GIT_DIR"] == str(tmp_path / "other/.git")


def test_a_tree_is_read_as_committed_whatever_the_work_tree_holds(repository: Path) -> None:
    expected = {
        path.relative_to(repository / "skills").as_posix(): path.read_bytes()
        for path in (repository / "skills").rglob("*")
        if path.is_file()
    }
    next((repository / "skills").rglob("SKILL.md")).write_text("changed")
    with Repository(repository) as door:
        assert door.read_tree("main", "skills") == door.read_tree("main", "skills/") == expected
        assert door.read_tree("main", "nothing") == {}
        assert set(door.read_tree("main", ".")) > {f"skills/{path}" for path in expected}
        assert door.read_file("main", "pyproject.toml") == b'[tool.esc-skills]\nskills = "skills"\n'
        assert door.read_file("main", "nothing") is None


def commit(repository: Path, git: Git, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "more")


def test_odd_names_and_binary_content_are_read(repository: Path, git: Git) -> None:
    files = {"odd/a b.md": b"1\r\n", 'odd/\t"q\\.md': b"\0\xff", "odd/中文/é.md": b"", "odd/*": b"star", "odd/:x": b"y"}
    commit(repository, git, files)
    with Repository(repository) as door:
        assert door.read_tree("main", "odd") == {name.removeprefix("odd/"): data for name, data in files.items()}
        for name, data in files.items():
            assert door.read_file("main", name) == data


def test_a_link_in_a_tree_is_refused(repository: Path, git: Git) -> None:
    (repository / "skills/link").symlink_to("/etc/passwd")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "link")
    with Repository(repository) as door, pytest.raises(GitError, match="skills/link: is a link or a submodule"):
        door.read_tree("main", "skills")


def test_a_name_that_is_no_utf_8_is_refused(repository: Path, git: Git) -> None:
    (repository / "skills" / os.fsdecode(b"caf\xe9.md")).touch()
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "latin")
    with Repository(repository) as door, pytest.raises(GitError, match=r"caf\\xe9\.md: the file's name is not UTF-8"):
        door.read_tree("main", "skills")


def test_what_differs_between_two_commits_is_listed_with_renames_taken_apart(repository: Path, git: Git) -> None:
    commit(repository, git, {"a b.md": b"one\n" * 20, "gone": b"", "中": b"1"})
    base = git(repository, "rev-parse", "HEAD")
    git(repository, "mv", "a b.md", "moved.md")
    git(repository, "rm", "-q", "gone")
    (repository / "run.sh").write_text("x")
    (repository / "run.sh").chmod(0o755)
    commit(repository, git, {"中": b"2"})
    with Repository(repository) as door:
        changed = door.changed_files(base, door.resolve("main"))
        assert [(each.path, each.kind, each.mode) for each in changed] == [
            ("a b.md", "D", 0),
            ("gone", "D", 0),
            ("moved.md", "A", 0o100644),
            ("run.sh", "A", 0o100755),
            ("中", "M", 0o100644),
        ]
        assert door.changed_files(base, base) == ()


def test_a_branch_is_built_beside_the_person_s_work(repository: Path, git: Git) -> None:
    (repository / "pyproject.toml").write_text("not saved yet")
    (repository / "new.txt").write_text("staged")
    git(repository, "add", "new.txt")
    before = snapshot(repository, git)
    with Repository(repository) as door:
        head = door.resolve("main")
        files = {'skills/a b/"q".md': b"\0\r\n", "evidence/中/x.json": b"{}", "pyproject.toml": None}
        made = door.commit_branch("evolve/one", head, files, "Propose\n\nwith a body: é")
        assert snapshot(repository, git) == before
        assert door.branch_exists("evolve/one")
        assert not door.branch_exists("evolve/two")
        assert {each.path: each.kind for each in door.changed_files(head, made)} == {
            'skills/a b/"q".md': "A",
            "evidence/中/x.json": "A",
            "pyproject.toml": "D",
        }
        assert door.read_file(made, 'skills/a b/"q".md') == b"\0\r\n"
    assert git(repository, "log", "-1", "--format=%B|%an <%ae>%P", "evolve/one") == (
        f"Propose\n\nwith a body: é|Tests <tests@example.invalid>{head}"
    )
    assert git(repository, "fsck", "--no-dangling") == ""


def test_a_branch_that_exists_is_left_as_it_is(repository: Path, git: Git) -> None:
    head = git(repository, "rev-parse", "HEAD")
    with Repository(repository) as door, pytest.raises(GitError, match="the branch main exists already"):
        door.commit_branch("main", head, {"a": b""}, "x")
    assert git(repository, "rev-parse", "main") == head


def test_without_an_author_nothing_is_left_behind(
    repository: Path, git: Git, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text("[user]\n\tuseConfigOnly = true\n")
    head = git(repository, "rev-parse", "HEAD")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    with Repository(repository) as door:
        with pytest.raises(GitError, match="git does not know who commits") as caught:
            door.commit_branch("evolve/one", head, {"a": b""}, "x")
        assert "git config user.name" in caught.value.hint
        assert not door.branch_exists("evolve/one")


@pytest.mark.parametrize("branch", ["a..b", "a b", "-x", "x.lock", ""])
def test_a_name_that_is_no_branch_is_refused_and_nothing_is_left_behind(
    branch: str, repository: Path, git: Git
) -> None:
    before = git(repository, "for-each-ref")
    with Repository(repository) as door, pytest.raises(GitError):
        door.commit_branch(branch, door.resolve("main"), {"a": b""}, "x")
    assert git(repository, "for-each-ref") == before


def test_the_tree_of_a_change_is_known_before_it_is_made(repository: Path, git: Git) -> None:
    with Repository(repository) as door:
        head = door.resolve("main")
        files: dict[str, bytes | None] = {"skills/new/SKILL.md": b"x", "outside": b"y"}
        expected = door.tree_after(head, files, "skills")
        assert "refs/esc" not in git(repository, "for-each-ref")
        assert door.tree_id(door.commit_branch("evolve/one", head, files, "x"), "skills") == expected
        assert door.tree_after(head, {"outside": b"y"}, "skills") == door.tree_id(head, "skills")
        gone = {f"skills/{path}": None for path in door.read_tree(head, "skills")}
        with pytest.raises(GitError, match="the change leaves nothing in it"):
            door.tree_after(head, gone, "skills")


def test_a_repository_whose_ids_are_sha_256_is_read_and_written(tmp_path: Path, git: Git) -> None:
    git(tmp_path, "init", "-q", "--object-format=sha256")
    commit(tmp_path, git, {"skills/a.md": b"words"})
    with Repository(tmp_path) as door:
        head = door.resolve("HEAD")
        assert len(head) == 64
        assert door.read_tree("HEAD", "skills") == {"a.md": b"words"}
        expected = door.tree_after(head, {"skills/b.md": b"more"}, "skills")
        made = door.commit_branch("other", head, {"skills/b.md": b"more"}, "More")
        assert door.tree_id(made, "skills") == expected
        assert [(each.path, each.kind) for each in door.changed_files(head, made)] == [("skills/b.md", "A")]


def test_a_bare_repository_can_be_read(repository: Path, tmp_path: Path, git: Git) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(repository), "bare.git")
    with Repository(tmp_path / "bare.git") as door:
        assert door.read_tree("main", "skills")


names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0/"), min_size=1, max_size=8).filter(
    lambda name: name.strip(".") and name.lower() not in (".git", "git~1")
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(names, st.binary(max_size=40), min_size=1, max_size=4))
def test_any_files_come_back_from_a_branch(repository: Path, files: dict[str, bytes]) -> None:
    with Repository(repository) as door:
        head = door.resolve("main")
        subprocess.run(["git", "branch", "-q", "-D", "any"], cwd=repository, capture_output=True, check=False)
        made = door.commit_branch("any", head, {f"box/{name}": data for name, data in files.items()}, "any")
        assert door.read_tree(made, "box") == files
