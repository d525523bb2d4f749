"""Nothing that a repository or its surroundings say changes what its objects are: they are their bytes, or an error."""

from __future__ import annotations

import os
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esc_skills.errors import GitError
from esc_skills.git import MalformedObjectError, Repository
from esc_skills.git.objects import Entry, parse_tree, tree_content

Git = Callable[..., str]
SKILL = "skills/reflect-the-feeling/SKILL.md"


def written(folder: Path, kind: str, data: bytes) -> str:
    """Write an object as it is, whatever git thinks of it, and return its id."""
    command = ["git", "hash-object", "-t", kind, "-w", "--literally", "--stdin"]
    return subprocess.run(command, cwd=folder, input=data, check=True, capture_output=True).stdout.decode().strip()


def committed(folder: Path, git: Git, tree: str) -> str:
    """Return a new commit of a tree on top of `main`."""
    return git(folder, "commit-tree", "-p", "main", "-m", "A change", tree)


def record(mode: bytes, name: bytes, at: str) -> bytes:
    return mode + b" " + name + b"\0" + bytes.fromhex(at)


def test_a_replace_ref_is_not_honoured(repository: Path, git: Git) -> None:
    real = git(repository, "rev-parse", "HEAD")
    with Repository(repository) as door:
        before = door.read_tree("main", "skills")
    (repository / SKILL).write_text("Another text.\n")
    git(repository, "commit", "-qam", "other")
    other = git(repository, "rev-parse", "HEAD")
    git(repository, "reset", "-q", "--hard", real)
    git(repository, "replace", real, other)
    git(repository, "replace", git(repository, "rev-parse", f"{real}:{SKILL}"), written(repository, "blob", b"x"))
    with Repository(repository) as door:
        assert door.read_tree("main", "skills") == before
        assert door.changed_files(real, other) != ()


def test_a_graft_does_not_change_history(repository: Path, git: Git) -> None:
    first = git(repository, "rev-parse", "HEAD")
    git(repository, "commit", "-q", "--allow-empty", "-m", "second")
    second = git(repository, "rev-parse", "HEAD")
    git(repository, "commit", "-q", "--allow-empty", "-m", "third")
    third = git(repository, "rev-parse", "HEAD")
    (repository / ".git/info").mkdir(exist_ok=True)
    (repository / ".git/info/grafts").write_text(f"{third} {first}\n")
    with Repository(repository) as door:
        assert door.merge_base(second, third) == second
        assert list(door.first_parents(third)) == [third, second, first]


def test_no_program_that_settings_name_is_run(repository: Path, git: Git, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\ncat\n")
    program.chmod(0o755)
    for name in ("core.fsmonitor", "filter.evil.smudge", "filter.evil.clean", "diff.evil.textconv", "core.pager"):
        git(repository, "config", name, str(program))
    (repository / ".gitattributes").write_text("* filter=evil diff=evil\n")
    with Repository(repository) as door:
        before = door.resolve("main")
        door.read_tree("main", "skills")
        door.changed_files(before, before)
        door.has_uncommitted("README.md")
    assert not (tmp_path / "ran").exists()


def test_attributes_change_no_byte(repository: Path, git: Git) -> None:
    with Repository(repository) as door:
        before = door.read_tree("main", "skills")
    (repository / ".git/info").mkdir(exist_ok=True)
    (repository / ".git/info/attributes").write_text(
        "* text eol=crlf export-ignore ident working-tree-encoding=UTF-16\n"
    )
    git(repository, "config", "core.autocrlf", "true")
    with Repository(repository) as door:
        assert door.read_tree("main", "skills") == before


def test_what_is_missing_is_named_and_not_fetched(repository: Path, git: Git, tmp_path: Path) -> None:
    git(repository, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--filter=blob:none", "--no-checkout", repository.as_uri(), "partial")
    objects = sorted((tmp_path / "partial/.git/objects").rglob("*"))
    with Repository(tmp_path / "partial") as door, pytest.raises(MalformedObjectError, match="is missing"):
        door.read_tree("main", "skills")
    assert sorted((tmp_path / "partial/.git/objects").rglob("*")) == objects


def test_opening_a_repository_leaves_the_environment_as_it_is(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GIT_SSH_COMMAND", "GIT_ASKPASS", "GIT_DIR", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE"):
        monkeypatch.setenv(name, "/nowhere/of/this/name")
    before = dict(os.environ)
    with Repository(repository) as door:
        assert door.read_tree("main", "skills")
    assert dict(os.environ) == before


def test_deploy_keys_reach_a_remote(
    repository: Path, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssh = tmp_path / "ssh"
    ssh.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\nfor last; do :; done\nexec sh -c "$last"\n')
    ssh.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", f"{ssh} -i deploy.key")
    git(tmp_path, "clone", "-q", "--bare", str(repository), "bare.git")
    git(repository, "remote", "add", "origin", f"ssh://git@example.invalid{tmp_path}/bare.git")
    with Repository(repository) as door:
        assert door.fetch_branch("origin", "main") == "refs/remotes/origin/main"
    assert "-i deploy.key" in (tmp_path / "asked").read_text()


@pytest.mark.parametrize("other", ["refs/tags/main", "refs/remotes/main"])
def test_a_name_of_several_refs_is_an_error_that_lists_them(other: str, repository: Path, git: Git) -> None:
    git(repository, "commit", "-q", "--allow-empty", "-m", "second")
    git(repository, "update-ref", other, "HEAD~1")
    with Repository(repository) as door:
        with pytest.raises(GitError, match=f"names refs/heads/main and {other}|names {other}") as caught:
            door.resolve("main")
        assert "name one in full" in caught.value.hint
        assert door.resolve("refs/heads/main") == git(repository, "rev-parse", "refs/heads/main")


def test_a_branch_that_looks_like_an_id_is_not_taken_for_it(repository: Path, git: Git) -> None:
    first = git(repository, "rev-parse", "HEAD")
    git(repository, "commit", "-q", "--allow-empty", "-m", "second")
    git(repository, "update-ref", f"refs/heads/{first}", "HEAD")
    with Repository(repository) as door:
        assert door.resolve(first) == first


def test_a_tree_that_is_not_sorted_is_named(repository: Path, git: Git) -> None:
    blob = written(repository, "blob", b"x\n")
    tree = written(repository, "tree", record(b"100644", b"b", blob) + record(b"100644", b"a", blob))
    head = committed(repository, git, tree)
    with Repository(repository) as door, pytest.raises(MalformedObjectError, match=f"tree {tree[:12]} are not sorted"):
        door.changed_files("main", head)


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([(b"100644", b"a"), (b"100644", b"a")], "twice"),
        ([(b"100644", b"a"), (b"40000", b"a")], "twice"),
        ([(b"100644", b"a/b")], "git never writes"),
        ([(b"100644", b"..")], "git never writes"),
        ([(b"40000", b".GIT")], "git never writes"),
        ([(b"100600", b"a")], "is damaged"),
        ([(b"0100644", b"a")], "is damaged"),
    ],
)
def test_a_tree_that_git_would_not_write_is_named(
    entries: list[tuple[bytes, bytes]], reason: str, repository: Path, git: Git
) -> None:
    blob = written(repository, "blob", b"x\n")
    tree = written(repository, "tree", b"".join(record(mode, name, blob) for mode, name in entries))
    with Repository(repository) as door, pytest.raises(MalformedObjectError, match=reason):
        door.read_tree(committed(repository, git, tree), ".")


@pytest.mark.parametrize(
    "data", [b"100644 a", b"100644 a\0", b"\0", b"100644 a\0" + b"x" * 19, b"100644\0" + b"x" * 20]
)
def test_a_tree_that_is_cut_is_named(data: bytes) -> None:
    with pytest.raises(MalformedObjectError, match=r"tree 000000000000 is damaged|git never writes"):
        parse_tree(data, "0" * 40)


def test_an_object_with_another_content_than_its_id_is_named(repository: Path, git: Git) -> None:
    blob = written(repository, "blob", b"what was judged\n")
    tree = written(repository, "tree", record(b"100644", b"a", blob))
    path = repository / ".git/objects" / blob[:2] / blob[2:]
    path.chmod(0o644)
    path.write_bytes(zlib.compress(b"blob 15\0what will land\n"))
    with Repository(repository) as door, pytest.raises(MalformedObjectError, match="has another id"):
        door.read_tree(committed(repository, git, tree), ".")


def test_a_commit_that_is_none_is_named(repository: Path) -> None:
    made = written(repository, "commit", b"author nobody\n\nno tree\n")
    with Repository(repository) as door, pytest.raises(MalformedObjectError, match=f"commit {made[:12]} is damaged"):
        door.tree_of(made)


names = st.binary(min_size=1, max_size=6).filter(
    lambda name: b"/" not in name and b"\0" not in name and name.lower() not in (b".", b"..", b".git")
)


@settings(max_examples=60)
@given(st.dictionaries(names, st.sampled_from([0o040000, 0o100644, 0o100755, 0o120000, 0o160000]), max_size=8))
def test_a_tree_that_is_written_is_read_back(entries: dict[bytes, int]) -> None:
    value = {name.decode("utf-8", "surrogateescape"): Entry(mode, "ab" * 20) for name, mode in entries.items()}
    assert parse_tree(tree_content(value), "0" * 40) == value


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.sampled_from(["a", "a.b", "a/b", "a/c/d", "b", "skills/x"]), st.binary(max_size=5), min_size=1)
)
def test_the_id_of_a_tree_is_git_s_own(repository: Path, git: Git, files: dict[str, bytes]) -> None:
    files = {path: data for path, data in files.items() if not any(path.startswith(f"{other}/") for other in files)}
    with Repository(repository) as door:
        entries = {path: Entry(0o100644, door.blob_id(data)) for path, data in files.items()}
        expected = door.tree_with(door.tree_of("main"), entries)
        git(repository, "update-ref", "-d", "refs/heads/any")
        assert door.tree_of(door.commit_branch("any", door.resolve("main"), files, "any")) == expected
