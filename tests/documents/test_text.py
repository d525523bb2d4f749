"""The one door to text files: bounded, UTF-8, inside the tree, and written whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from esc_skills.documents.text import MAX_DOCUMENT_BYTES, decode, read_bytes, read_text, write_atomically
from esc_skills.errors import DocumentError, InputError


def refusal(path: Path, inside: Path | None = None) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        read_text(path, inside=inside)
    return caught.value


def test_text_is_read_with_its_line_ends_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes("é\r\nb\n".encode())
    assert read_text(tmp_path / "a") == "é\r\nb\n"


def test_a_file_above_the_limit_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "big").open("wb") as file:
        file.truncate(10_000_000)
    assert refusal(tmp_path / "big").code == "too-large"
    assert "10,000,000 bytes; at most 1,000,000" in str(refusal(tmp_path / "big"))
    assert len(read_bytes(tmp_path / "big", limit=10_000_000)) == 10 * MAX_DOCUMENT_BYTES


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to("nowhere")
    for name in ("missing", "pipe", "dangling", "."):
        assert refusal(tmp_path / name).code == "not-a-file"
    assert refusal(Path("/dev/zero")).code == "not-a-file"


def test_a_link_inside_the_tree_is_followed_and_one_that_leaves_it_is_not(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tmp_path / "secret").write_text("outside")
    (tree / "file").write_text("inside")
    (tree / "near").symlink_to("file")
    (tree / "far").symlink_to("../secret")
    assert read_text(tree / "near", inside=tree) == "inside"
    assert refusal(tree / "far", inside=tree).code == "link-outside"


def test_a_link_to_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert refusal(tmp_path / "loop").code in ("not-a-file", "unreadable")
    assert refusal(tmp_path / "loop", inside=tmp_path).code in ("not-a-file", "unreadable", "link-outside")


def test_a_wrong_encoding_is_placed_on_its_line() -> None:
    with pytest.raises(DocumentError, match=r"a\.md:3: encoding: byte 0xe9 is not UTF-8"):
        decode("one\ntwo\ncafé\n".encode("latin-1"), "a.md")
    with pytest.raises(DocumentError, match=r"a\.md:1: encoding: byte 0xff is not UTF-8"):
        decode("words\n".encode("utf-16"), "a.md")


def test_a_nul_is_placed_on_its_line() -> None:
    with pytest.raises(DocumentError, match=r"a\.md:2: encoding: holds a NUL"):
        decode(b"one\ntw\0o\n", "a.md")


def test_a_written_file_is_whole_readable_and_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.txt"
    write_atomically(path, "é\n")
    write_atomically(path, b"second\n")
    assert path.read_bytes() == b"second\n"
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(path.parent.iterdir()) == [path]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=r"a\.txt: could not be written: No space left on device"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interruption_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_to_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="could not be written"):
        write_atomically(tmp_path / "file" / "below", "x")
