"""`esc-skills corpus`: files of every form into dialogues, with an account of whatever is not taken over."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from esc_skills.cli.main import run
from esc_skills.corpora.dialogue import Dialogue, Quality, TalkType
from esc_skills.corpora.dialogue_files import read_dialogues
from esc_skills.errors import DocumentError
from esc_skills.vocabulary import Disposition, HiddenIntention, Language, ProblemType, Speaker, Strategy
from tests.corpora import samples

Capture = pytest.CaptureFixture[str]


def imported(form: str, *arguments: object, code: int = 0) -> list[Dialogue]:
    """The dialogues that an import writes beside its first file."""
    out = Path(str(arguments[0])).with_name("out.jsonl")
    assert run(["corpus", "import", "--from", form, *map(str, arguments), "--out", str(out)]) == code
    return list(read_dialogues(out))


def account(capsys: Capture, form: str, *arguments: object) -> dict[str, Any]:
    out = Path(str(arguments[0])).with_name("out.jsonl")
    capsys.readouterr()
    run(["corpus", "import", "--from", form, *map(str, arguments), "--out", str(out), "--format", "json"])
    shown: dict[str, Any] = json.loads(capsys.readouterr().out)
    return shown


def test_esconv_keeps_labels_and_outcomes_apart_from_what_is_said(tmp_path: Path) -> None:
    (dialogue,) = imported("esconv", samples.write_list(tmp_path / "ESConv.json", samples.esconv()))
    assert (dialogue.id, dialogue.corpus, dialogue.language) == ("ESConv-1", "ESConv", Language.ENGLISH)
    assert (dialogue.outcomes.quality, dialogue.outcomes.initial_intensity) == (Quality.GOOD, 4)
    assert dialogue.utterances[0].text == "They changed the rota.\n"
    assert dialogue.utterances[2].strategies == (Strategy.PROVIDING_SUGGESTIONS, Strategy.INFORMATION)
    assert dialogue.utterances[3].feedback == 4


def test_failed_esconv_is_another_corpus(tmp_path: Path) -> None:
    file = samples.write_list(tmp_path / "f.json", samples.esconv("speaker", "listener"))
    (dialogue,) = imported("failed-esconv", file)
    assert (dialogue.corpus, dialogue.outcomes.quality) == ("FailedESConv", Quality.FAILED)


def test_annomi_says_what_a_behaviour_may_mean(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "AnnoMI-simple.csv"
    rows = [*samples.annomi("0"), *samples.annomi("1", topic="charging battery", quality="low")]
    rows[4][8] = "How is the week?"
    file.write_text(samples.table(samples.ANNOMI_COLUMNS, rows))
    first, second = imported("annomi", file)
    assert (first.id, first.problem_type, first.outcomes.quality) == ("0", ProblemType.ALCOHOL_ABUSE, Quality.GOOD)
    assert (second.problem_type, second.outcomes.quality) == (None, Quality.FAILED)
    assert first.utterances[0].strategies == (Strategy.QUESTION,)
    assert len(first.utterances[2].strategies) == 2
    assert first.utterances[1].talk_type is TalkType.CHANGE
    found = account(capsys, "annomi", file)
    assert found["unmapped"] == [{"kind": "problem_type", "label": "charging battery", "count": 1}]


def test_annomi_of_many_annotators_is_refused(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "AnnoMI-full.csv"
    rows = samples.annomi()
    file.write_text(samples.table(samples.ANNOMI_COLUMNS, [*rows, *rows[:1]]))
    assert run(["corpus", "import", "--from", "annomi", str(file), "--out", str(tmp_path / "out.jsonl")]) == 2
    assert "AnnoMI-full.csv:2: repeated-row" in capsys.readouterr().out
    assert not (tmp_path / "out.jsonl").exists()


def test_sage_keeps_emotions_and_hidden_intention(tmp_path: Path) -> None:
    (dialogue,) = imported("sage", samples.write_lines(tmp_path / "x_simulator__warm_result.jsonl", samples.sage()))
    assert (dialogue.id, dialogue.language) == ("warm/made-up", Language.CHINESE)
    assert (dialogue.disposition, dialogue.hidden_intention) == (Disposition.PASSIVE, HiddenIntention.BE_HEARD)
    assert (dialogue.problem_type, dialogue.outcomes.final_emotion) == (ProblemType.JOB_CRISIS, 45)
    assert [(each.speaker, each.emotion, each.change) for each in dialogue.utterances] == [
        (Speaker.SEEKER, 40, None),
        (Speaker.SUPPORTER, None, None),
        (Speaker.SEEKER, 45, 5),
    ]


def test_extes_strategies_are_those_of_esconv(tmp_path: Path, capsys: Capture) -> None:
    odd = samples.extes()
    odd["content"][1]["AI Strategy"] = "Gentle Teasing"
    odd["content"][0]["User"] = "She sold the boat."
    file = samples.write_list(tmp_path / "ExTES.json", samples.extes(), odd)
    first, second = imported("extes", file)
    assert first.problem_type is ProblemType.BREAKUP_WITH_PARTNER
    assert first.utterances[1].strategies == (Strategy.RESTATEMENT_OR_PARAPHRASING, Strategy.REFLECTION_OF_FEELINGS)
    assert second.utterances[1].strategies == ()
    assert account(capsys, "extes", file)["unmapped"] == [{"kind": "strategy", "label": "Gentle Teasing", "count": 1}]


def test_a_strategy_of_the_seeker_is_left_out_and_counted(tmp_path: Path, capsys: Capture) -> None:
    said = [{"User": "The rota changed.", "AI Strategy": "Offer Hope"}, {"AI": "Oh no.", "AI Strategy": "Affirmation"}]
    file = tmp_path / "x.json"
    file.write_text(json.dumps([{"scene": "Work", "description": "A rota.", "content": said}]), encoding="utf-8")
    (dialogue,) = imported("extes", file)
    assert [each.strategies for each in dialogue.utterances] == [(), (Strategy.AFFIRMATION_AND_REASSURANCE,)]
    found = account(capsys, "extes", file)["left_out"]
    assert found == [{"kind": "strategy", "label": "of a message of the seeker", "count": 1}]


def test_what_is_no_message_of_the_two_is_left_out_and_counted(tmp_path: Path, capsys: Capture) -> None:
    chat = samples.openai()
    chat["messages"] += [
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]},
        {"role": "tool", "content": "4 boats"},
        {"role": "user", "content": [{"type": "text", "text": "Look."}, {"type": "image_url", "image_url": {}}]},
        {"role": "assistant", "content": "  "},
    ]
    file = samples.write_lines(tmp_path / "chat.jsonl", chat)
    (dialogue,) = imported("openai", file)
    assert (dialogue.id, dialogue.corpus, dialogue.situation) == ("chat-1", "chat", "")
    assert [each.text for each in dialogue.utterances] == ["He sold the boat.", "You had plans for it.", "Look."]
    labels = {each["label"]: each["count"] for each in account(capsys, "openai", file)["left_out"]}
    assert labels == {"system": 1, "tool": 1, "tool call": 1, "image_url": 1, "empty, of the supporter": 1}


def test_sharegpt_is_read_as_a_list_and_as_lines_and_packed(tmp_path: Path) -> None:
    as_list = samples.write_list(tmp_path / "list.json", samples.sharegpt())
    packed = tmp_path / "packed.json"
    packed.write_bytes(gzip.compress(as_list.read_bytes()))
    expected = imported("sharegpt", as_list, "--name", "boats")
    assert expected[0].id == "boat_0"
    lines = samples.write_lines(tmp_path / "lines.jsonl", samples.sharegpt())
    assert imported("sharegpt", lines, "--name", "boats") == expected
    assert imported("sharegpt", packed, "--name", "boats") == expected


TABLE = (
    "conv,who,said,kind,stars,mood\n1,me,He sold the boat.,,,sad\n1,them,Whose was it?,Questions,,\n1,me,Ours.,,4,\n"
)
WHO = ["--seeker", "me", "--supporter", "them"]


def columns(*named: str) -> list[str]:
    return [part for name in ("dialogue=conv", "speaker=who", "text=said", *named) for part in ("--column", name)]


def test_a_table_is_read_by_the_columns_that_are_named(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "t.csv"
    file.write_bytes(b"\xef\xbb\xbf" + TABLE.replace("\n", "\r\n").encode())
    named = columns("strategy=kind", "feedback=stars", "emotion_type=mood")
    (dialogue,) = imported("csv", file, *named, *WHO)
    assert [each.text for each in dialogue.utterances] == ["He sold the boat.", "Whose was it?", "Ours."]
    assert dialogue.utterances[1].strategies == (Strategy.QUESTION,)
    assert (dialogue.utterances[2].feedback, dialogue.emotion_type) == (4, None)
    assert account(capsys, "csv", file, *named, *WHO)["unmapped"] == [
        {"kind": "emotion_type", "label": "sad", "count": 1}
    ]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ([*columns("strategy=label"), *WHO], "'label'; its columns are conv, who, said, kind, stars, mood"),
        ([*columns("startegy=kind"), *WHO], "did you mean 'strategy'"),
        (columns(), "--seeker and --supporter"),
        (["--column", "text=said", *WHO], "no column is named for dialogue, speaker"),
        ([*columns("text=kind"), *WHO], "names a field twice"),
    ],
)
def test_a_mapping_that_does_not_fit_is_told_with_what_would(
    tmp_path: Path, capsys: Capture, options: list[str], found: str
) -> None:
    file = tmp_path / "t.csv"
    file.write_text(TABLE)
    assert run(["corpus", "import", "--from", "csv", str(file), "--out", str(tmp_path / "out.jsonl"), *options]) == 2
    assert found in capsys.readouterr().err
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize(
    ("form", "content", "found"),
    [
        ("openai", samples.sharegpt(), "--from sharegpt"),
        ("sharegpt", samples.openai(), "--from openai"),
        ("openai", samples.esconv(), "--from esconv"),
        ("esconv", samples.esconv("speaker", "listener"), "--from failed-esconv"),
        ("failed-esconv", samples.esconv(), "--from esconv"),
        ("esconv", samples.extes(), "--from extes"),
        ("esconv", samples.sage(), "--from sage"),
        ("sage", {"id": "x", "first_talk": "…"}, "profiles import sage"),
        ("extes", {"base": "Age: 30", "res": "家庭生活"}, "--from esc-eval"),
        ("openai", {"utterances": [], "corpus": "x"}, "imported before"),
        ("openai", {"odd": 1}, "the formats are"),
        ("openai", 7, "is no object"),
        ("annomi", samples.openai(), "looks like JSON"),
    ],
)
def test_a_file_of_another_form_is_refused_with_the_form_that_it_has(
    tmp_path: Path, capsys: Capture, form: str, content: Any, found: str
) -> None:
    file = samples.write_lines(tmp_path / "x.jsonl", content)
    assert run(["corpus", "import", "--from", form, str(file), "--out", str(tmp_path / "out.jsonl")]) == 2
    assert found in capsys.readouterr().err
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize("content", [b"", b"\n \n", b"a,b\n" * 50_000, b"[]", b"\xff\xfe[\0]\0"])
def test_a_file_without_any_value_is_refused(tmp_path: Path, capsys: Capture, content: bytes) -> None:
    file = tmp_path / "x.jsonl"
    file.write_bytes(content)
    assert run(["corpus", "import", "--from", "openai", str(file), "--out", str(tmp_path / "out.jsonl")]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert str(file) in captured.err


def test_the_reasons_are_told_as_json_too_where_nothing_is_taken_over(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text(json.dumps({"messages": [{"role": "user", "content": "Hi."}]}), encoding="utf-8")
    found = account(capsys, "openai", file)
    assert found["out"] is None
    assert found["skipped"] == {"one-speaker": 1}
    assert [each["line"] for each in found["findings"]] == [1]
    assert not (tmp_path / "out.jsonl").exists()


def test_one_bad_dialogue_is_told_with_its_line_and_the_others_go_on(tmp_path: Path, capsys: Capture) -> None:
    lines = [
        json.dumps(samples.openai("One.")),
        '{"messages": [',
        json.dumps(samples.openai("Two.")).replace("Two.", "Tw\\ud800"),
        json.dumps({"messages": []}),
        json.dumps({"messages": samples.openai()["messages"][:2]}),
        json.dumps({"messages": [{"role": "narrator", "content": "x"}]}),
        json.dumps({"messages": {"role": "user"}}),
        json.dumps(samples.openai("One.")),
        json.dumps(samples.openai("Он продал лодку. " * 9)),
        json.dumps(samples.openai("x" * 100_001)),
        json.dumps({**samples.openai("Three."), "id": "chat-1"}),
        json.dumps(samples.openai("Four.")),
    ]
    file = tmp_path / "chat.jsonl"
    file.write_bytes("\r\n".join(lines).encode() + b'\n{"messages": "\xe9"}\n{"messages"')
    dialogues = imported("openai", file, code=1)
    assert [each.id for each in dialogues] == ["chat-1", "chat-12"]
    shown = capsys.readouterr().out
    expected = ["json-syntax", "json-value", "empty", "one-speaker", "speaker", "form", "duplicate", "language"]
    expected += ["schema-maxLength", "repeated-id"]
    for line, code in enumerate(expected, start=2):
        assert f"{file}:{line}: {code}: " in shown
    assert f"{file}:13: encoding: byte 0xe9 is not UTF-8" in shown
    assert f"{file}:14: json-syntax" in shown
    assert "2 dialogues" in shown
    assert "12 skipped" in shown
    counted = account(capsys, "openai", file)
    assert sum(counted["skipped"].values()) == 12 == len(counted["findings"])
    assert (counted["dialogues"], counted["utterances"], counted["findings_not_listed"]) == (2, 4, 0)


def test_a_list_that_is_cut_short_gives_what_it_has(tmp_path: Path, capsys: Capture) -> None:
    file = samples.write_list(tmp_path / "ESConv.json", samples.esconv(), samples.esconv(said="Again."))
    file.write_bytes(file.read_bytes()[:-40])
    assert len(imported("esconv", file, code=1)) == 1
    assert f"{file}:42: cut-short: the dialogue that begins here has no end" in capsys.readouterr().out


def test_labels_of_another_scheme_are_counted_and_the_dialogue_is_kept(tmp_path: Path, capsys: Capture) -> None:
    value = samples.esconv()
    value["problem_type"], value["emotion_type"] = "taxes", 7
    value["dialog"][1]["annotation"]["strategy"] = "reflection_complex"
    value["dialog"][3]["annotation"]["feedback"] = "9"
    file = samples.write_list(tmp_path / "ESConv.json", value)
    (dialogue,) = imported("esconv", file)
    assert (dialogue.problem_type, dialogue.utterances[1].strategies, dialogue.utterances[3].feedback) == (
        None,
        (),
        None,
    )
    found = account(capsys, "esconv", file)["unmapped"]
    expected = [("emotion_type", "7"), ("feedback", "9"), ("problem_type", "taxes"), ("strategy", "reflection_complex")]
    assert [(each["kind"], each["label"]) for each in found] == expected


def test_a_line_of_many_megabytes_is_passed_over(tmp_path: Path, capsys: Capture) -> None:
    file = samples.write_lines(tmp_path / "x.jsonl", samples.openai("One."))
    with file.open("r+b") as handle:
        handle.seek(0, os.SEEK_END)
        handle.seek(64 << 20, os.SEEK_CUR)  # a hole, which takes no room on the disk
        handle.write(b"\n" + json.dumps(samples.openai("Two.")).encode())
    assert len(imported("openai", file, code=1)) == 2
    assert f"{file}:2: too-large: has 67,108,864 bytes; at most 4,000,000 are read" in capsys.readouterr().out


def test_what_strangers_wrote_cannot_steer_the_terminal(tmp_path: Path, capsys: Capture) -> None:
    bad = {"messages": [{"role": "\x1b[2J\nfake.jsonl:1: ok", "content": "x"}]}
    file = samples.write_lines(tmp_path / "x.jsonl", samples.openai(), bad)
    imported("openai", file, code=1)
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\nfake" not in shown


def test_an_import_does_not_write_over_what_it_reads(tmp_path: Path) -> None:
    file = samples.write_lines(tmp_path / "x.jsonl", samples.openai())
    before = file.read_bytes()
    assert run(["corpus", "import", "--from", "openai", str(file), "--out", str(file)]) == 2
    assert file.read_bytes() == before


def test_a_pipe_is_not_replaced_by_a_file(tmp_path: Path, capsys: Capture) -> None:
    file, pipe = samples.write_lines(tmp_path / "x.jsonl", samples.openai()), tmp_path / "pipe"
    os.mkfifo(pipe)
    assert run(["corpus", "import", "--from", "openai", str(file), "--out", str(pipe)]) == 2
    assert "is no regular file" in capsys.readouterr().err
    assert pipe.is_fifo()


def test_scrubbing_does_not_write_over_the_names(tmp_path: Path) -> None:
    file, names = samples.write_lines(tmp_path / "x.jsonl", samples.openai()), tmp_path / "names.txt"
    imported("openai", file)
    names.write_text("Ondrine\n", encoding="utf-8")
    scrub = ["corpus", "scrub", str(tmp_path / "out.jsonl"), "--names", str(names), "--out", str(names)]
    assert run(scrub) == 2
    assert names.read_text(encoding="utf-8") == "Ondrine\n"


def test_two_files_of_one_name_are_refused(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "a").mkdir()
    files = [samples.write_lines(folder / "x.jsonl", samples.openai()) for folder in (tmp_path, tmp_path / "a")]
    assert run(["corpus", "import", "--from", "openai", *map(str, files), "--out", str(tmp_path / "out.jsonl")]) == 2
    assert "two files are named 'x'" in capsys.readouterr().err


def test_equal_files_give_equal_bytes(tmp_path: Path) -> None:
    file = samples.write_list(tmp_path / "ESConv.json", samples.esconv())
    imported("esconv", file)
    first = (tmp_path / "out.jsonl").read_bytes()
    imported("esconv", file)
    assert (tmp_path / "out.jsonl").read_bytes() == first


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('{"id": "x"}', "2: schema-required"),
        ("{", "2: json-syntax"),
        (
            '{"id": "x", "corpus": "c", "language": "fr", "utterances": [{"speaker": "seeker", "text": "x"}]}',
            "schema-enum",
        ),
    ],
)
def test_a_file_of_dialogues_is_read_strictly(tmp_path: Path, line: str, found: str) -> None:
    imported("openai", samples.write_lines(tmp_path / "x.jsonl", samples.openai()))
    out = tmp_path / "out.jsonl"
    out.write_text(out.read_text() + line + "\n")
    with pytest.raises(DocumentError, match=found):
        list(read_dialogues(out))


def test_scrubbing_reports_counts_and_never_what_stood_there(tmp_path: Path, capsys: Capture) -> None:
    file = samples.write_lines(
        tmp_path / "x.jsonl", samples.openai("My name is Ondrine, o@example.org."), samples.openai()
    )
    imported("openai", file)
    clean = tmp_path / "clean.jsonl"
    capsys.readouterr()
    assert run(["corpus", "scrub", str(tmp_path / "out.jsonl"), "--out", str(clean), "--format", "json"]) == 0
    shown = capsys.readouterr().out
    report = json.loads(shown)
    assert (report["dialogues"], report["replaced"]["NAME"], report["replaced"]["EMAIL"]) == (2, 1, 1)
    assert report["by_dialogue"] == {"x-1": {"EMAIL": 1, "NAME": 1}}
    assert "Ondrine" not in shown + clean.read_text()
    assert [len(each.utterances) for each in read_dialogues(clean)] == [2, 2]


def test_scrubbing_leaves_nothing_behind_where_the_file_is_broken(tmp_path: Path, capsys: Capture) -> None:
    file = samples.write_lines(tmp_path / "x.jsonl", {"id": "x"})
    assert run(["corpus", "scrub", str(file), "--out", str(tmp_path / "clean.jsonl")]) == 2
    assert "x.jsonl:1: schema-required" in capsys.readouterr().err
    assert not (tmp_path / "clean.jsonl").exists()
