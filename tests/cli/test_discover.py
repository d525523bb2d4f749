"""`esc-skills discover`: from dialogues to drafts, in text and JSON, and what is told of files that cannot be used."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from esc_skills.bank.reader import read_bank, read_files
from esc_skills.cli.main import run
from esc_skills.corpora.dialogue import Dialogue
from esc_skills.discovery.prototypes import read_prototypes
from esc_skills.discovery.units import Unit, read_units
from esc_skills.vocabulary import HiddenIntention, Language, Strategy
from tests.conftest import Git
from tests.discovery.dialogues import (
    dialogue,
    helpful_and_harmful,
    prototypes_of,
    repeated,
    seeker,
    supporter,
    unit,
    units_of,
    write_dialogues,
    write_lines,
)
from tests.samples import skill_text, write_skill

Capture = pytest.CaptureFixture[str]

#: A gate of few draws, so that the evidence is quick; what it decides does not matter here.
QUICK = "[tool.esc-skills.gate]\ndraws = 10\nbatch = 10\nthreshold = 1.2\n"
INFORM: dict[str, Any] = {"strategy": Strategy.INFORMATION}
HELPED = (
    "There are many people who wait like that, and it often takes the landlord {at} days to answer the first letter."
)
HARMED = "You should have written a letter on the day {at}, so what did you expect of a landlord who never answers?"


@pytest.fixture
def call(capsys: Capture) -> Callable[..., tuple[int, str, str]]:
    """Run `discover …` and return its exit code and what it printed to either side."""

    def discover(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(["discover", *map(str, arguments)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return discover


@pytest.fixture
def shown(call: Callable[..., tuple[int, str, str]]) -> Callable[..., Any]:
    """Run `discover … --format json` to a good end and return what it printed."""

    def discover(*arguments: object, code: int = 0) -> Any:
        ended, out, err = call(*arguments, "--format", "json")
        assert ended == code, err
        return json.loads(out)

    return discover


def boilers(count: int = 15) -> list[Dialogue]:
    """Dialogues in which facts helped and blame did not, by the emotion changes that follow them."""
    return [
        dialogue(
            seeker(f"The boiler broke {at} times, and the landlord never says a word about it."),
            supporter(HELPED.format(at=at), Strategy.INFORMATION),
            seeker("I did not know that, so I will wait for it.", change=8),
            supporter(HARMED.format(at=at), Strategy.INFORMATION),
            seeker("That is not what I came to hear from you.", change=-9),
            name=f"flat-{at}",
            hidden_intention=HiddenIntention.NO_BLAME,
        )
        for at in range(count)
    ]


@pytest.fixture
def prototypes(tmp_path: Path) -> Path:
    return write_lines(tmp_path / "prototypes.jsonl", prototypes_of(*helpful_and_harmful(**INFORM)))


# --- The whole way --------------------------------------------------------------------------------------------------------


def test_from_dialogues_to_a_draft_that_validates(shown: Callable[..., Any], tmp_path: Path) -> None:
    dialogues = write_dialogues(tmp_path / "d.jsonl", *boilers(), dialogue(seeker(), name="alone"))
    units, found, out = tmp_path / "u.jsonl", tmp_path / "p.jsonl", tmp_path / "drafts"

    extracted = shown("extract", dialogues, "--out", units)
    assert (extracted["dialogues"], extracted["dialogues_without_units"], extracted["units"]) == (16, 1, 30)
    assert (extracted["key_units"], extracted["units_left_out"]) == (30, 0)
    assert extracted["transition"] == {"negative": 15, "positive": 15}
    assert extracted["outcome_from"] == {"emotion-change": 30}
    assert extracted["strategies_from"] == {"annotation": 30}

    clustered = shown("cluster", units, "--out", found)
    assert clustered["units"] == 30 and clustered["dialogues"] == 15 and clustered["left_over"] == 0
    assert clustered["calls"] == {"helpful": 1, "harmful": 1, "unclear": 0}

    made = shown("draft", found, "--skills", "none", "--out", out, "--language", "en")
    assert [each["name"] for each in made["drafts"]] == ["draft-inform-no-blame"]
    assert list(read_bank(read_files(out), "drafts").skills) == ["draft-inform-no-blame"]
    assert run(["validate", str(out)]) == 0


def test_two_runs_give_identical_bytes(shown: Callable[..., Any], tmp_path: Path) -> None:
    dialogues = write_dialogues(tmp_path / "d.jsonl", *boilers())
    written = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        shown("extract", dialogues, "--out", folder / "u.jsonl")
        shown("cluster", folder / "u.jsonl", "--out", folder / "p.jsonl")
        shown("draft", folder / "p.jsonl", "--skills", "none", "--out", folder / "drafts", "--language", "en")
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        written.append([(path.relative_to(folder), path.read_bytes()) for path in files])
    assert written[0] == written[1]
    assert len(written[0]) == 4


def test_one_dialogue_more_leaves_the_other_prototypes_line_by_line(shown: Callable[..., Any], tmp_path: Path) -> None:
    asked = dialogue(
        seeker(),
        supporter("What is it?", Strategy.QUESTION),
        seeker(change=1),
        hidden_intention=HiddenIntention.BE_HEARD,
    )
    lines = []
    for name, more in (("one", []), ("two", [asked])):
        dialogues = write_dialogues(tmp_path / f"{name}.jsonl", *more, *boilers())
        shown("extract", dialogues, "--out", tmp_path / f"{name}.u")
        shown("cluster", tmp_path / f"{name}.u", "--out", tmp_path / f"{name}.p")
        lines.append((tmp_path / f"{name}.p").read_bytes())
    assert lines[0] == lines[1]


def test_each_step_names_the_next(call: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    dialogues = write_dialogues(tmp_path / "d.jsonl", *boilers())
    units, found = tmp_path / "u.jsonl", tmp_path / "p.jsonl"

    code, out, _ = call("extract", dialogues, "--out", units)
    assert code == 0 and f"next: esc-skills discover cluster {units}" in out
    assert "30 units of 15 dialogues" in out and "key: negative, in dialogues whose end nobody judged" in out

    code, out, _ = call("cluster", units, "--out", found)
    assert code == 0 and "discover coverage" in out and "discover draft" in out
    assert "called helpful: 1" in out and "called harmful: 1" in out

    code, out, _ = call("draft", found, "--skills", "none", "--out", tmp_path / "drafts", "--language", "en")
    assert code == 0 and f"next: esc-skills validate {tmp_path / 'drafts'}" in out
    assert "1 drafts: read and rewrite each before it is judged" in out


# --- Evaluate and coverage ------------------------------------------------------------------------------------------------


def test_foresight_is_shown_with_its_interval(
    call: Callable[..., tuple[int, str, str]], shown: Callable[..., Any], tmp_path: Path
) -> None:
    units = [*repeated(0.8, "good", 20), *repeated(-0.8, "bad", 20, strategy=Strategy.INFORMATION)]
    file = write_lines(tmp_path / "u.jsonl", units)
    (found,) = shown("evaluate", file)
    assert (found["corpus"], found["source"], found["helpful"], found["harmful"]) == (
        "made-up",
        "emotion-change",
        40,
        40,
    )
    assert found["area"] == 1.0
    code, out, _ = call("evaluate", file)
    assert code == 0 and "1.000 to 1.000" in out


def test_too_little_to_evaluate_is_told(
    call: Callable[..., tuple[int, str, str]], shown: Callable[..., Any], tmp_path: Path
) -> None:
    file = write_lines(tmp_path / "u.jsonl", units_of("one", [0.5]))
    assert shown("evaluate", file) == []
    code, out, _ = call("evaluate", file)
    assert code == 0 and "more dialogues with outcomes are needed" in out


def test_coverage_shows_gaps_of_a_bank(
    call: Callable[..., tuple[int, str, str]], shown: Callable[..., Any], prototypes: Path, tmp_path: Path
) -> None:
    write_skill(tmp_path / "bank")
    cells = shown("coverage", prototypes, "--skills", tmp_path / "bank")["cells"]
    assert len(cells) == 192
    (gap,) = [cell for cell in cells if cell["helpful"] and not cell["skills"]]
    assert (gap["need"], gap["stage"], gap["strategy"]) == ("be-heard", "exploration", "information")
    code, out, _ = call("coverage", prototypes, "--skills", tmp_path / "bank")
    assert code == 0
    assert "no skill for be-heard in exploration with information" in out
    assert "2 of 192 cells have a skill; 1 have evidence that something helps, and none" in out
    assert "0 of 192 cells have a skill" in call("coverage", prototypes, "--skills", "none")[1]


# --- Drafts on branches ---------------------------------------------------------------------------------------------------


@pytest.fixture
def bank(repository: Path, git: Git) -> Path:
    """The shipped bank in a repository with a quick gate."""
    (repository / "pyproject.toml").write_text(QUICK)
    git(repository, "commit", "--quiet", "--all", "--message", "A quick gate")
    return repository


def test_a_draft_is_a_branch_beside_whatever_is_checked_out(
    shown: Callable[..., Any], bank: Path, git: Git, tmp_path: Path
) -> None:
    (bank / "notes.txt").write_text("mine")
    git(bank, "add", "notes.txt")
    (bank / "unfinished.txt").write_text("mine too")
    before = [git(bank, *each.split()) for each in ("status --porcelain", "rev-parse HEAD", "symbolic-ref HEAD")]
    found = write_lines(
        tmp_path / "p.jsonl",
        prototypes_of(
            *helpful_and_harmful(strategy=Strategy.INFORMATION),
            *helpful_and_harmful(strategy=Strategy.REFLECTION_OF_FEELINGS, corpus="other"),
        ),
    )

    drafts = {each["name"]: each for each in shown("draft", found, "--repo", bank)["drafts"]}

    after = [git(bank, *each.split()) for each in ("status --porcelain", "rev-parse HEAD", "symbolic-ref HEAD")]
    assert after == before
    assert sorted(each["revises"] is None for each in drafts.values()) == [False, True]
    for name, each in drafts.items():
        assert each["place"] == f"draft/{name}"
        changed = git(bank, "diff", "--name-status", "main", each["place"])
        kind = "M" if each["revises"] else "A"
        assert changed == f"{kind}\tskills/{name}/SKILL.md\n{kind}\tskills/{name}/references/examples.en.md"
        assert git(bank, "rev-parse", f"{each['place']}~1") == before[1]
        message = git(bank, "log", "-1", "--format=%B", each["place"])
        assert message.startswith(f"Draft {name}") and each["helpful"][0] in message


def test_a_branch_that_is_there_is_kept_and_no_other_is_made(
    call: Callable[..., tuple[int, str, str]], bank: Path, git: Git, tmp_path: Path
) -> None:
    found = write_lines(
        tmp_path / "p.jsonl",
        prototypes_of(
            *helpful_and_harmful(strategy=Strategy.INFORMATION),
            *helpful_and_harmful(strategy=Strategy.SELF_DISCLOSURE, need=HiddenIntention.NO_BLAME, corpus="other"),
        ),
    )
    git(bank, "branch", "draft/draft-disclose-no-blame")
    code, _, err = call("draft", found, "--repo", bank)
    assert code == 2
    assert "draft/draft-disclose-no-blame" in err and "git branch -D draft/draft-disclose-no-blame" in err
    assert git(bank, "branch", "--list", "draft/*").split() == ["draft/draft-disclose-no-blame"]

    code, out, _ = call("draft", found, "--repo", bank, "--only", "draft-inform-be-heard")
    assert code == 0
    assert "evidence collect --base main --head draft/draft-inform-be-heard" in out


def test_a_draft_passes_the_gate_like_any_other(shown: Callable[..., Any], bank: Path, capsys: Capture) -> None:
    found = write_lines(bank.parent / "p.jsonl", prototypes_of(*helpful_and_harmful(strategy=Strategy.SELF_DISCLOSURE)))
    (draft,) = shown("draft", found, "--repo", bank)["drafts"]

    code = run(["evidence", "collect", "--repo", str(bank), "--head", draft["place"], "--format", "json"])
    judged = json.loads(capsys.readouterr().out)
    assert judged["verdict"] in ("accept", "reject", "indecisive")
    assert code == (judged["verdict"] != "accept")

    checked = run(["verify", "--repo", str(bank), "--base", "main", "--head", judged["branch"], "--format", "json"])
    verified = json.loads(capsys.readouterr().out)
    assert (verified["evidence"], verified["verdict"]) == ("valid", judged["verdict"])
    assert checked == code


def test_a_skill_that_lies_in_a_folder_of_its_kind_is_revised_there(
    shown: Callable[..., Any], bank: Path, git: Git
) -> None:
    write_skill(bank / "skills" / "Exploration", text=skill_text(esc_strategies="information", esc_needs="be-heard"))
    git(bank, "add", "--all")
    git(bank, "commit", "--quiet", "--message", "A folder")
    found = write_lines(bank.parent / "p.jsonl", prototypes_of(*helpful_and_harmful(**INFORM)))
    (draft,) = shown("draft", found, "--repo", bank)["drafts"]
    assert draft["revises"] == "1.0.0"
    changed = git(bank, "diff", "--name-status", "main", draft["place"])
    place = "skills/Exploration/wait-a-little"
    assert changed == f"M\t{place}/SKILL.md\nA\t{place}/references/examples.en.md"


def test_a_bank_in_another_language_is_drafted_in_its_own(shown: Callable[..., Any], bank: Path, git: Git) -> None:
    shutil.rmtree(bank / "skills")
    write_skill(bank / "skills", text=skill_text(esc_language="zh"))
    git(bank, "add", "--all")
    git(bank, "commit", "--quiet", "--message", "Chinese")
    texts = ("锅炉又坏了，房东什么也没说，我等了一整天。", "等了一整天，家里还是那么冷，真的很不容易。", "是啊。")
    units = [
        *helpful_and_harmful(**INFORM),
        *repeated(0.9, "zh", 2, **INFORM, language=Language.CHINESE, texts=texts),
        *repeated(0.9, "zh-too", 2, **INFORM, language=Language.CHINESE, texts=texts[::-1]),
        *repeated(0.9, "zh-three", 2, **INFORM, language=Language.CHINESE, texts=(texts[0], texts[0], texts[2])),
        *repeated(-0.9, "zh-bad", 2, **INFORM, move="blame", language=Language.CHINESE, texts=texts),
    ]
    found = write_lines(bank.parent / "p.jsonl", prototypes_of(*units))
    (draft,) = shown("draft", found, "--repo", bank)["drafts"]
    assert (draft["language"], draft["name"]) == ("zh", "draft-information-be-heard-zh")


# --- What cannot be used --------------------------------------------------------------------------------------------------


def test_nothing_to_draft_is_a_finding(
    call: Callable[..., tuple[int, str, str]], shown: Callable[..., Any], tmp_path: Path
) -> None:
    found = write_lines(tmp_path / "p.jsonl", prototypes_of(*repeated(0.8, "good", **INFORM)))
    arguments = ("draft", found, "--skills", "none", "--out", tmp_path / "drafts", "--language", "en")
    code, out, _ = call(*arguments)
    assert code == 1
    assert "no draft for be-heard with information in en: no exemplar in en went badly" in out and "0 drafts" in out
    assert not (tmp_path / "drafts").exists()
    shown_json = shown(*arguments, code=1)
    assert (shown_json["drafts"], len(shown_json["left_out"])) == ([], 1)


def test_too_few_units_for_a_prototype_are_told(call: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    code, out, _ = call("cluster", wrong(tmp_path, units_of("one", [0.5] * 12)), "--out", tmp_path / "p.jsonl")
    assert code == 0
    assert "12 units of 1 dialogues; 12 are like too few others" in out
    assert "a prototype needs 10 units of 3 dialogues" in out and "discover draft" not in out


def test_a_name_or_language_given_twice_counts_once(
    shown: Callable[..., Any], bank: Path, prototypes: Path, tmp_path: Path
) -> None:
    twice = ("--language", "en", "--language", "en")
    made = shown("draft", prototypes, "--skills", "none", "--out", tmp_path / "drafts", *twice)
    assert (len(made["drafts"]), made["left_out"]) == (1, [])
    only = ("--only", "draft-inform-be-heard") * 2
    (draft,) = shown("draft", prototypes, "--repo", bank, *only, *twice)["drafts"]
    assert draft["place"] == "draft/draft-inform-be-heard"


def test_an_unknown_draft_is_told_with_those_that_there_are(
    call: Callable[..., tuple[int, str, str]], prototypes: Path, tmp_path: Path
) -> None:
    code, _, err = call("draft", prototypes, "--skills", "none", "--out", tmp_path / "x", "--only", "draft-infrom")
    assert code == 2
    assert "draft-infrom: no draft has that name" in err and "draft-inform-be-heard" in err


def wrong(tmp_path: Path, content: str | list[Unit]) -> Path:
    path = tmp_path / "wrong.jsonl"
    if isinstance(content, str):
        path.write_text(content)
        return path
    return write_lines(path, content)


GOOD = unit("zero")


@pytest.mark.parametrize("command", ["extract", "cluster", "evaluate", "coverage", "draft"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"id": "one", "corpus"', "wrong.jsonl:1: json-syntax:"),
        ("", "wrong.jsonl: empty: holds no"),
        ("{}", "wrong.jsonl:1: "),
        ("[" * 50_000, "wrong.jsonl:1: json-value:"),
        ('"' + "x" * 4_100_000 + '"', "wrong.jsonl:1: too-large:"),
        ("\ufeff\x00\x01", "wrong.jsonl:1: encoding: is UTF-16, or no text at all"),
    ],
    ids=["cut", "empty", "another form", "deep", "huge", "binary"],
)
def test_a_file_that_cannot_be_read_is_told_with_its_line(
    command: str, content: str, said: str, call: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    more = {"extract": ["--out", out], "cluster": ["--out", out], "draft": ["--skills", "none", "--out", out]}
    code, printed, err = call(command, wrong(tmp_path, content), *more.get(command, []))
    assert (code, printed) == (2, "")
    assert said in err and "Traceback" not in err
    assert len(err) < 2000
    assert not out.exists()


def test_files_in_the_wrong_order_name_the_command_that_makes_the_right_one(
    call: Callable[..., tuple[int, str, str]], prototypes: Path, tmp_path: Path
) -> None:
    dialogues = write_dialogues(tmp_path / "d.jsonl", *boilers(1))
    units, out = write_lines(tmp_path / "u.jsonl", [GOOD]), tmp_path / "out"
    for arguments, file, hint in (
        (("extract", units, "--out", out), "u.jsonl:1", "corpus import"),
        (("extract", prototypes, "--out", out), "prototypes.jsonl:1", "corpus import"),
        (("cluster", dialogues, "--out", out), "d.jsonl:1", "discover extract"),
        (("cluster", prototypes, "--out", out), "prototypes.jsonl:1", "discover extract"),
        (("evaluate", dialogues), "d.jsonl:1", "discover extract"),
        (("coverage", units), "u.jsonl:1", "discover cluster"),
        (("draft", units, "--out", out), "u.jsonl:1", "discover cluster"),
    ):
        code, printed, err = call(*arguments)
        assert (code, printed) == (2, "")
        assert file in err and f"make it with `esc-skills {hint}`" in err
        assert not out.exists()


@pytest.mark.parametrize("command", ["cluster", "evaluate"])
def test_units_of_one_dialogue_in_two_places_are_told_with_their_line(
    command: str, call: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    file = wrong(tmp_path, [*units_of("one", [0.1]), *units_of("two", [0.1]), unit("one", 5)])
    code, _, err = call(command, file, *(["--out", tmp_path / "out"] if command == "cluster" else []))
    assert code == 2
    assert "wrong.jsonl:3: two-places: units of the dialogue one of made-up" in err and "give each dialogue once" in err


def test_the_same_file_twice_is_told(call: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    file = wrong(tmp_path, units_of("one", [0.1, 0.2]))
    code, _, err = call("cluster", file, file, "--out", tmp_path / "out")
    assert code == 2 and "wrong.jsonl:1: two-places" in err


@pytest.mark.parametrize("command", ["extract", "cluster"])
def test_what_is_read_is_not_written_over(
    command: str, call: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    file = write_dialogues(tmp_path / "d.jsonl", *boilers(1)) if command == "extract" else wrong(tmp_path, [GOOD])
    (tmp_path / "link").symlink_to(file)
    before = file.read_bytes()
    for out in (file, tmp_path / "link", tmp_path / "x" / ".." / file.name):
        code, _, err = call(command, file, "--out", out)
        assert code == 2 and "is one of the files that are read" in err
    assert file.read_bytes() == before


@pytest.mark.parametrize("command", ["extract", "cluster"])
def test_what_is_no_regular_file_is_not_replaced_by_one(
    command: str, call: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    file = write_dialogues(tmp_path / "d.jsonl", *boilers(1)) if command == "extract" else wrong(tmp_path, [GOOD])
    os.mkfifo(tmp_path / "pipe")
    code, _, err = call(command, file, "--out", tmp_path / "pipe")
    assert code == 2 and "pipe: is no regular file" in err
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.parametrize("command", ["extract", "cluster"])
def test_a_forgotten_place_or_file_is_told(
    command: str, call: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    code, _, err = call(command, wrong(tmp_path, [GOOD]))
    assert code == 2 and "'--out'" in err
    assert call(command, "--out", tmp_path / "out")[0] == 2
    code, _, err = call(command, tmp_path / "nothing.jsonl", "--out", tmp_path / "out")
    assert code == 2 and "nothing.jsonl: not-a-file" in err
    code, _, err = call(command, tmp_path, "--out", tmp_path / "out")
    assert code == 2 and "not-a-file" in err


def test_drafts_need_a_repository_or_a_folder(
    call: Callable[..., tuple[int, str, str]], prototypes: Path, tmp_path: Path
) -> None:
    code, _, err = call("draft", prototypes, "--repo", tmp_path)
    assert code == 2 and "→" in err
    code, _, err = call("draft", prototypes, "--out", prototypes)
    assert code == 2 and "is a file" in err


def test_a_branch_needs_a_bank_and_a_base(
    call: Callable[..., tuple[int, str, str]], prototypes: Path, bank: Path
) -> None:
    code, _, err = call("draft", prototypes, "--repo", bank, "--skills", "none")
    assert code == 2 and "--skills none: a branch changes a bank" in err and "--out" in err
    code, _, err = call("draft", prototypes, "--repo", bank, "--base", "mian")
    assert code == 2 and "mian" in err


def test_a_turn_that_is_too_long_is_told_and_counted(
    call: Callable[..., tuple[int, str, str]], shown: Callable[..., Any], tmp_path: Path
) -> None:
    long = [supporter("a" * 90_000) for _ in range(3)]
    file = write_dialogues(tmp_path / "d.jsonl", dialogue(seeker(), *long, seeker(), supporter(), seeker()))
    out = tmp_path / "u.jsonl"
    extracted = shown("extract", file, "--out", out)
    assert (extracted["units"], extracted["units_left_out"]) == (1, 1)
    code, printed, err = call("extract", file, "--out", out)
    assert code == 0
    assert "one#1: left out: a turn of 270,002 characters; at most 200,000 are kept" in err
    assert "units left out, since a turn is too long" in printed
    assert len(list(read_units([out]))) == 1


def test_no_name_of_a_stranger_reaches_the_terminal_as_it_is(
    call: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    name = "one\n\x1b[2J\x1b]0;title\x07\u202e"
    told = dialogue(
        seeker(), supporter("a" * 99_000), supporter("b" * 99_000), supporter("c" * 9000), seeker(), name=name
    )
    dialogues = write_dialogues(tmp_path / "d.jsonl", told, dialogue(seeker(), supporter(), seeker(), corpus=name))
    again = wrong(tmp_path, [*units_of(name, [0.1]), *units_of("two", [0.1]), *units_of(name, [0.1])])
    good = repeated(0.8, name, 20, corpus=name, strategy=Strategy.QUESTION)
    bad = repeated(-0.8, f"{name}2", 20, corpus=name, strategy=Strategy.OTHERS)
    units = write_lines(tmp_path / "u.jsonl", [*good, *bad])
    for arguments in (
        ("extract", dialogues, "--out", tmp_path / "out"),
        ("cluster", again, "--out", tmp_path / "out"),
        ("cluster", units, "--out", tmp_path / "p.jsonl"),
        ("evaluate", units),
        ("coverage", tmp_path / "p.jsonl", "--skills", "none"),
        ("draft", tmp_path / "p.jsonl", "--skills", "none", "--out", tmp_path / "drafts"),
    ):
        code, out, err = call(*arguments)
        assert code in (0, 1, 2)
        assert not set("\x1b\x07\u202e") & set(out + err)
        assert "Traceback" not in err


def test_english_and_chinese_may_be_mixed(shown: Callable[..., Any], tmp_path: Path) -> None:
    chinese = dialogue(
        seeker("锅炉又坏了。"),
        supporter("等了很久吧？"),
        seeker("谢谢你，好多了。"),
        name="二",
        language=Language.CHINESE,
    )
    file = write_dialogues(tmp_path / "d.jsonl", *boilers(6), chinese)
    shown("extract", file, "--out", tmp_path / "u.jsonl")
    assert {each.language for each in read_units([tmp_path / "u.jsonl"])} == set(Language)
    told = shown("cluster", tmp_path / "u.jsonl", "--out", tmp_path / "p.jsonl")
    under = sum(each.units for each in read_prototypes(tmp_path / "p.jsonl"))
    assert told["units"] == under + told["left_over"] == 13
