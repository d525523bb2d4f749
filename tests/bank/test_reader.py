"""A bank read from a folder: whole or not at all, with its rules that look at several skills."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from esc_skills.bank.reader import check_references, parse_documents, read_bank, read_files, restrict_bank
from esc_skills.bank.skill import parse_skill
from esc_skills.documents.shipped import shipped
from esc_skills.errors import DocumentError, InputError
from tests.samples import bank_of, skill_text, write_skill


def test_the_shipped_bank_is_read_whole() -> None:
    files = read_files(shipped("skills"))
    bank = read_bank(files, "skills")
    assert len(bank.skills) >= 12
    assert list(bank.skills) == sorted(bank.skills)
    assert set(bank.files) == set(files)


def test_the_digest_follows_from_the_files_alone(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        write_skill(tmp_path / folder)
        (tmp_path / folder / ".hidden").write_text(folder)
    one, two = (read_bank(read_files(tmp_path / folder), folder) for folder in ("one", "two"))
    assert one.digest == two.digest
    write_skill(tmp_path / "two", text=skill_text() + "\n")
    assert read_bank(read_files(tmp_path / "two"), "two").digest != one.digest


def test_a_part_of_a_bank_is_what_its_folder_would_be_with_those_skills_alone(tmp_path: Path) -> None:
    names = ("wait-a-little", "wait-a-while", "wait-no-more")
    for name in names:
        write_skill(tmp_path / "whole", name)
    whole = read_bank(read_files(tmp_path / "whole"), "whole")
    for name in names[:2]:
        write_skill(tmp_path / "part", name)
    part = read_bank(read_files(tmp_path / "part"), "part")
    assert restrict_bank(whole, exclude=["wait-no-more"]) == restrict_bank(whole, only=names[:2]) == part
    assert list(restrict_bank(whole, only=names[:2], exclude=names[:1]).skills) == ["wait-a-while"]


def test_a_part_names_skills_that_the_bank_holds_and_leaves_some() -> None:
    bank = bank_of(skill_text(), skill_text("meet-withdrawal"))
    with pytest.raises(InputError, match="no skill named 'meet-withdrawl'; did you mean 'meet-withdrawal'") as caught:
        restrict_bank(bank, exclude=["meet-withdrawl"])
    assert caught.value.hint == "it holds meet-withdrawal, wait-a-little"
    with pytest.raises(InputError, match="no skill of the bank is left"):
        restrict_bank(bank, exclude=list(bank.skills))


def test_a_bank_may_be_nested_and_hold_other_files(tmp_path: Path) -> None:
    write_skill(tmp_path / "group" / "deep")
    (tmp_path / "group" / "notes.txt").write_text("words")
    bank = read_bank(read_files(tmp_path), "bank")
    assert list(bank.skills) == ["wait-a-little"]
    assert set(bank.files) == {"group/deep/wait-a-little/SKILL.md", "group/notes.txt"}


def test_one_skill_folder_is_a_bank_of_one(tmp_path: Path) -> None:
    path = write_skill(tmp_path)
    assert list(read_bank(read_files(path.parent), str(path.parent)).skills) == ["wait-a-little"]


@pytest.mark.parametrize("files", [{}, {"README.md": b"words"}, {"a/skill.md": b"---\n---\n"}])
def test_a_folder_without_a_skill_is_no_bank(files: dict[str, bytes]) -> None:
    with pytest.raises(InputError, match=r"bank: holds no SKILL\.md"):
        read_bank(files, "bank")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing: no such folder"):
        read_files(tmp_path / "nothing")


def test_the_first_problem_is_told_and_the_others_are_counted() -> None:
    files = {"a/SKILL.md": skill_text("a", version="x").encode(), "b/SKILL.md": b"no front matter"}
    with pytest.raises(InputError, match=r"bank/b/SKILL\.md:1: front-matter: .* \(and 1 more\)"):
        read_bank(files, "bank")


def test_two_skills_with_one_name_are_found() -> None:
    files = {"a/wait-a-little/SKILL.md": skill_text().encode(), "b/wait-a-little/SKILL.md": skill_text().encode()}
    documents, _ = parse_documents(files, "bank")
    (found,) = check_references(documents)
    assert found.as_text() == (
        "bank/b/wait-a-little/SKILL.md:2: repeated-skill: bank/a/wait-a-little/SKILL.md has the name 'wait-a-little' too;"
        " rename one of them (/name)"
    )


def test_a_skill_that_prose_names_should_be_there() -> None:
    text = skill_text().replace(
        "asks something outright.", "asks something outright: `answer-plainly`, not `be-heard`."
    )
    found = [finding.code for finding in check_references([parse_skill(text, "SKILL.md", "wait-a-little")])]
    assert found == ["unknown-skill"]
    # A bank of a few copied skills can be used all the same.
    assert set(bank_of(text).skills) == {"wait-a-little"}
    assert set(bank_of(text, skill_text("answer-plainly")).skills) == {"answer-plainly", "wait-a-little"}


def test_a_link_out_of_the_bank_is_refused_and_one_inside_is_read(tmp_path: Path) -> None:
    bank = tmp_path / "bank"
    path = write_skill(bank)
    (tmp_path / "secret").write_text("outside")
    (path.parent / "near.md").symlink_to("SKILL.md")
    assert read_files(bank)["wait-a-little/near.md"] == path.read_bytes()
    (path.parent / "far.md").symlink_to("../../secret")
    with pytest.raises(DocumentError, match=r"far\.md: link-outside"):
        read_files(bank)


def test_a_linked_folder_of_a_skill_is_named_and_any_other_is_not_walked_into(tmp_path: Path) -> None:
    bank = tmp_path / "bank"
    write_skill(bank)
    (tmp_path / "elsewhere").mkdir()
    (bank / "notes").symlink_to("../elsewhere")
    assert set(read_files(bank)) == {"wait-a-little/SKILL.md"}
    write_skill(tmp_path / "elsewhere", "other")
    (bank / "other").symlink_to("../elsewhere/other")
    (bank / "circle").symlink_to(".")
    with pytest.raises(DocumentError, match="circle: linked-folder: is a symbolic link"):
        read_files(bank)


def test_a_file_name_that_is_no_utf_8_is_refused(tmp_path: Path) -> None:
    write_skill(tmp_path)
    (tmp_path / os.fsdecode(b"caf\xe9.md")).touch()
    with pytest.raises(InputError, match=r"caf\\xe9\.md: encoding: the file's name is not UTF-8"):
        read_files(tmp_path)


def test_a_file_beyond_reason_is_refused(tmp_path: Path) -> None:
    write_skill(tmp_path)
    with (tmp_path / "video").open("wb") as file:
        file.truncate(10_000_000)
    with pytest.raises(DocumentError, match="video: too-large"):
        read_files(tmp_path)
