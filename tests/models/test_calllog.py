"""The log of HTTP calls: a line each that JSON can read, without a key, whatever the call held."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from esc_skills.errors import InputError
from esc_skills.models.calllog import CallLog

FULL = Path("/dev/full")


def logged(path: Path, *records: dict[str, Any], secrets: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Write records, and read the lines back."""
    log = CallLog(path, secrets)
    for record in records:
        log(record)
    log.close()
    data = path.read_bytes()
    assert data.endswith(b"\n")
    return [json.loads(line) for line in data[:-1].split(b"\n")]


def test_each_record_has_its_time(tmp_path: Path) -> None:
    began = datetime.now(UTC).isoformat(timespec="milliseconds")
    (record,) = logged(tmp_path / "new" / "calls.log", {"outcome": "answered", "seconds": 0.5})
    assert began <= record.pop("at") <= datetime.now(UTC).isoformat(timespec="milliseconds")
    assert record == {"outcome": "answered", "seconds": 0.5}


def test_a_log_goes_on_where_an_earlier_one_ended(tmp_path: Path) -> None:
    logged(tmp_path / "calls.log", {"number": 1}, {"number": 2})
    assert [each["number"] for each in logged(tmp_path / "calls.log", {"number": 3})] == [1, 2, 3]


KEYS = ["sk-plain-1234", "sk-/+=.~", 'sk-"quoted"-1234', r"sk-back\slash-1234", 'sk-\\"both"\\\\-1234']


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_taken_out_wherever_it_stands(key: str, tmp_path: Path) -> None:
    record = {"detail": f"refused {key}!", "sent": {"messages": [{"content": key + key}], key: "a name"}}
    (line,) = logged(tmp_path / "calls.log", record, secrets=("", key))
    assert key not in (tmp_path / "calls.log").read_text()
    assert line["detail"] == "refused [key]!"
    assert line["sent"] == {"messages": [{"content": "[key][key]"}], "[key]": "a name"}


@pytest.mark.parametrize(
    "key",
    [
        *KEYS[:2],
        *(key for key in KEYS[2:]),
    ],
)
def test_a_key_that_a_model_put_into_json_is_taken_out(key: str, tmp_path: Path) -> None:
    said = json.dumps({"answer": f"You sent {key}"})
    (line,) = logged(tmp_path / "calls.log", {"said": said}, secrets=(key,))
    assert key not in json.loads(line["said"])["answer"]


def test_a_key_that_starts_as_another_is_taken_out_whole(tmp_path: Path) -> None:
    keys = tuple("sk-first" + "-and-more" * count for count in range(8))
    (line,) = logged(tmp_path / "calls.log", {"detail": " ".join(keys)}, secrets=keys)
    assert line["detail"] == " ".join(["[key]"] * 8)


def test_no_key_changes_nothing(tmp_path: Path) -> None:
    assert logged(tmp_path / "calls.log", {"detail": "plain"}, secrets=("",))[0]["detail"] == "plain"


@pytest.mark.parametrize(
    "text",
    [
        "two\nlines\r\n",
        "\u2028 and \u2029 and \x85",
        "\x00\x1b[31m",
        "half \ud83d of one",
        "\udc80\ud800",
        "心里难受 🙂",
    ],
)
def test_any_text_is_one_line_and_read_back_as_it_was(text: str, tmp_path: Path) -> None:
    before, line, after = logged(tmp_path / "calls.log", {"said": "a"}, {"said": text}, {"said": "b"})
    assert (before["said"], line["said"], after["said"]) == ("a", text, "b")


@pytest.mark.parametrize("place", ["file/calls.log", "file/deeper/calls.log", "folder"])
def test_a_place_where_no_log_can_be_is_told_at_once(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError) as caught:
        CallLog(tmp_path / place, ())
    assert f"{tmp_path / place}: the log could not be written: " in caught.value.message
    assert "--log" in caught.value.hint


@pytest.mark.skipif(not FULL.exists(), reason="only Linux has /dev/full")
@pytest.mark.parametrize(
    "size",
    [
        10,
        20_000,
    ],
)
def test_a_full_disk_is_told_with_the_file_and_a_way_on(size: int) -> None:
    log = CallLog(FULL, ())
    with pytest.raises(InputError) as caught:
        log({"said": "x" * size})
    assert caught.value.message == "/dev/full: the log could not be written: No space left on device"
    assert "--resume" in caught.value.hint
    log.close()
