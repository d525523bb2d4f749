"""`esc-skills profiles`: SAGE's file in, whole profiles, and SAGE's file out again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from esc_skills.cli.main import run
from tests.samples import sage_profile

Capture = pytest.CaptureFixture[str]


def write(path: Path, *profiles: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in profiles), encoding="utf-8")
    return path


def test_an_import_and_an_export_give_back_the_same_bytes(tmp_path: Path, capsys: Capture) -> None:
    words = ["plain", "trailing  ", "a\u2028b", "a\x85b", "yes", "😀", "'\"\\"]
    source = write(
        tmp_path / "in.jsonl", *(sage_profile(id=f"s-{12 - at}", player=each) for at, each in enumerate(words))
    )
    assert run(["profiles", "import", "sage", str(source), "--out", str(tmp_path / "whole")]) == 0
    assert f"7 whole profiles in {tmp_path / 'whole'}" in capsys.readouterr().out
    assert run(["validate", str(tmp_path / "whole")]) == 0
    assert run(["profiles", "export", "sage", str(tmp_path / "whole"), "--out", str(tmp_path / "out.jsonl")]) == 0
    assert (tmp_path / "out.jsonl").read_bytes() == source.read_bytes()


def test_a_profile_with_an_unknown_word_leaves_nothing_behind(tmp_path: Path, capsys: Capture) -> None:
    source = write(tmp_path / "in.jsonl", sage_profile(), sage_profile(id="b", main_cha="乐观型"))
    assert run(["profiles", "import", "sage", str(source), "--out", str(tmp_path / "whole")]) == 2
    assert "in.jsonl:2: sage-profile" in capsys.readouterr().err
    assert not (tmp_path / "whole").exists()


def test_an_empty_source_and_an_empty_folder_end_with_2(tmp_path: Path, capsys: Capture) -> None:
    assert run(["profiles", "import", "sage", str(write(tmp_path / "in.jsonl")), "--out", str(tmp_path)]) == 2
    assert "holds no profile" in capsys.readouterr().err
    for folder in (tmp_path, tmp_path / "nothing"):
        assert run(["profiles", "export", "sage", str(folder), "--out", str(tmp_path / "out.jsonl")]) == 2
        assert "holds no whole profile" in capsys.readouterr().err


def test_a_whole_profile_that_was_changed_cannot_be_exported(tmp_path: Path, capsys: Capture) -> None:
    source = write(tmp_path / "in.jsonl", sage_profile())
    assert run(["profiles", "import", "sage", str(source), "--out", str(tmp_path / "whole")]) == 0
    (path,) = (tmp_path / "whole").iterdir()
    sound = path.read_text(encoding="utf-8")
    for old, new, words in (
        ("disposition: avoidant", "disposition: passive", "source-differs"),
        ("main_cha: 回避型", "main_cha: 乐观型", "sage-profile"),
        ("disposition: avoidant", "disposition: avoidnt", "did you mean 'avoidant'?"),
    ):
        path.write_text(sound.replace(old, new), encoding="utf-8")
        assert run(["profiles", "export", "sage", str(tmp_path / "whole"), "--out", str(tmp_path / "out")]) == 2
        assert words in capsys.readouterr().err
