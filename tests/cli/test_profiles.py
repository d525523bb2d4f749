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


def card(number: int, base: str, language: str = "english") -> dict[str, Any]:
    return {"base": base, "res": "家庭生活", "source": "ESconv", "language": language, "id": number}


SEEKERS = ["--disposition", "passive", "--intention", "be-heard"]


def test_role_cards_become_profiles_and_what_they_do_not_mention_is_counted(tmp_path: Path, capsys: Capture) -> None:
    cards = [
        card(7, "Age: 40\nGender: not mentioned\nOccupation: Baker\nProblem: The oven broke,\nand nobody came."),
        card(8, "年龄：未提及\n性别：女\n职业：未提及\n问题：排班又变了。", "chinese"),
    ]
    source, whole = tmp_path / "cards.json", tmp_path / "whole"
    source.write_text(json.dumps(cards), encoding="utf-8")
    assert run(["profiles", "import", "esc-eval", str(source), "--out", str(whole), *SEEKERS]) == 0
    assert "not mentioned: gender 1, age 1, occupation 1, first message 2" in capsys.readouterr().out
    assert sorted(path.name for path in whole.iterdir()) == [
        "1-esc-eval-7-passive-be-heard.yaml",
        "2-esc-eval-8-passive-be-heard.yaml",
    ]
    assert run(["validate", str(whole)]) == 0
    assert run(["profiles", "export", "sage", str(whole), "--out", str(tmp_path / "x.jsonl")]) == 2
    assert "came from esc-eval" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("cards", "found"),
    [
        ({"base": ""}, "holds no list of role cards"),
        ([card(1, "Age: 3")], "card 1: 'base' should have a line of the problem"),
        ([card(1, "Problem: x", "latin")], "the language 'latin'"),
        ([{**card(1, "Problem: x"), "id": "../x"}], "the id '../x' should be a number"),
        ([card(1, "Problem: x"), card(1, "Problem: y")], "card 2: the id"),
    ],
)
def test_what_is_no_role_card_is_refused_by_its_position(
    tmp_path: Path, capsys: Capture, cards: Any, found: str
) -> None:
    source = tmp_path / "cards.json"
    source.write_text(json.dumps(cards), encoding="utf-8")
    assert run(["profiles", "import", "esc-eval", str(source), "--out", str(tmp_path / "whole"), *SEEKERS]) == 2
    assert found in capsys.readouterr().err
    assert not (tmp_path / "whole").exists()


def test_role_cards_asked_for_as_dialogues_name_their_command(tmp_path: Path, capsys: Capture) -> None:
    source = tmp_path / "cards.json"
    source.write_text("[]")
    assert run(["corpus", "import", "--from", "esc-eval", str(source), "--out", str(tmp_path / "out.jsonl")]) == 2
    assert "esc-skills profiles import esc-eval" in capsys.readouterr().err
