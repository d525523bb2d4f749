"""How the process ends: 0 fine, 1 findings, 2 input, 3 an internal fault, 130 interrupted; and what it leaves behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from esc_skills import __version__
from esc_skills.cli import main
from esc_skills.cli.main import run
from tests.samples import skill_text, write_skill

Capture = pytest.CaptureFixture[str]
FULL = Path("/dev/full")

#: The command line with one of its commands replaced: `argv[1]` is the body of its work.
REPLACED = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
import esc_skills.cli.validate as validate
from esc_skills.cli.main import main
def work(*_):
    exec(sys.argv[1], globals())
validate.validate_paths = work
main(["validate"])
"""


def esc_skills(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "esc_skills", *arguments]
    piped: dict[str, Any] = {"stdout": subprocess.PIPE, **options}
    return subprocess.run(command, stderr=subprocess.PIPE, timeout=60, check=False, text=True, **piped)


def test_help_and_version_end_with_0(capsys: Capture) -> None:
    assert run(["--help"]) == 0
    assert "validate" in capsys.readouterr().out
    assert run(["validate", "-h"]) == 0
    assert run(["--version"]) == 0
    assert __version__ in capsys.readouterr().out


def test_findings_end_with_1_and_a_sound_skill_with_0_in_a_process_too(tmp_path: Path) -> None:
    path = write_skill(tmp_path)
    assert esc_skills("validate", str(path)).returncode == 0
    path.write_text(skill_text(version="1"))
    done = esc_skills("validate", str(path))
    assert (done.returncode, done.stderr) == (1, "1 file checked: 1 problem\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["vaildate"], "no command is named 'vaildate'; did you mean 'validate'?"),
        (["zzz"], "no command is named 'zzz'"),
        (["--nothing"], "No such option"),
        (["validate", "--format", "xml"], "'xml' is not one of"),
        (["validate", "nothing"], "nothing: no such file or folder"),
    ],
)
def test_a_wrong_command_line_ends_with_2(arguments: list[str], words: str, capsys: Capture) -> None:
    assert run(arguments) == 2
    assert words in capsys.readouterr().err


def test_without_a_command_the_help_is_shown(capsys: Capture) -> None:
    assert run([]) == 2
    assert "To watch it: `esc-skills demo`" in capsys.readouterr().err


def test_an_internal_fault_ends_with_3_and_its_traceback_goes_to_a_log(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: Path
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)

    def broken(*_: object) -> None:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr("esc_skills.cli.validate.validate_paths", broken)
    assert run(["validate"]) == 3
    shown = capsys.readouterr()
    mark = re.search(r"its traceback is in (\S+\.log)", shown.err)
    assert mark is not None
    log = Path(mark[1])
    assert log.parent == tmp_path
    assert "Traceback" not in shown.err + shown.out
    text = log.read_text()
    assert text.startswith(f"esc-skills {__version__}, Python {sys.version.split()[0]}")
    assert "ZeroDivisionError: a fault of ours" in text


def test_a_fault_whose_log_cannot_be_written_still_ends_with_3(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a fault of ours")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("esc_skills.cli.validate.validate_paths", broken)
    monkeypatch.setattr(main.tempfile, "mkstemp", full)
    assert run(["validate"]) == 3
    assert "ZeroDivisionError: a fault of ours" in capsys.readouterr().err


def test_ctrl_c_ends_with_130_and_without_a_traceback() -> None:
    work = "print('ready', flush=True); time.sleep(30)"
    process = subprocess.Popen(
        [sys.executable, "-c", REPLACED, work], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert err.strip() == "interrupted"


def test_ctrl_c_ends_a_run_of_episodes_with_130() -> None:
    work = (
        "import asyncio; from esc_skills.simulation.runner import run_in_memory, wait_for\n"
        "async def episode(item):\n    print('ready', flush=True); await asyncio.sleep(30)\n"
        "wait_for(run_in_memory(range(2), episode, concurrency=1, progress=print))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", REPLACED, work], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err.strip()) == (130, "interrupted")


@pytest.mark.skipif(not FULL.exists(), reason="only Linux has /dev/full")
@pytest.mark.parametrize("arguments", [["--help"], ["validate", "{bank}"], ["validate", "{bank}", "--format", "json"]])
def test_a_full_disk_behind_the_output_ends_with_2_and_is_said(arguments: list[str], tmp_path: Path) -> None:
    write_skill(tmp_path)
    with FULL.open("w") as full:
        done = esc_skills(*(each.format(bank=tmp_path) for each in arguments), stdout=full)
    assert done.returncode == 2
    assert done.stderr == (
        "esc-skills: error: output: No space left on device\n  → free some space, or check the rights\n"
    )


@pytest.mark.skipif(not FULL.exists(), reason="only Linux has /dev/full")
def test_a_full_disk_behind_a_file_that_is_written_ends_with_2(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "in.jsonl").write_text("")
    assert run(["profiles", "import", "sage", "/dev/full/x", "--out", str(tmp_path)]) == 2
    assert run(["profiles", "export", "sage", str(tmp_path), "--out", "/dev/full/x"]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    for number in range(60):
        write_skill(tmp_path, f"skill-{number}", text=skill_text("other", version="1", esc_stage="x" * 3000))
    read, write = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "esc_skills", "validate", str(tmp_path)], stdout=write, stderr=subprocess.PIPE, text=True
    )
    os.close(write)
    assert os.read(read, 10)
    os.close(read)
    _, err = process.communicate(timeout=30)
    assert process.returncode in (0, 1)
    assert "Traceback" not in err
    assert "BrokenPipe" not in err


def test_a_name_that_the_terminal_cannot_show_is_no_fault(tmp_path: Path) -> None:
    write_skill(tmp_path, "中文", text=skill_text("中文", version="1"))
    done = esc_skills("validate", str(tmp_path), env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 1
    assert "schema-pattern" in done.stdout
    (tmp_path / os.fsdecode(b"caf\xe9.md")).touch()
    done = esc_skills("validate", str(tmp_path))
    assert done.returncode == 2
    assert "the file's name is not UTF-8" in done.stderr


def test_help_is_quick_to_load() -> None:
    script = "import sys, esc_skills.cli.main as m; m.run(['--help']); print(sorted({'openai', 'numpy', 'jsonschema', 'jsonschema_rs', 'git', 'rich'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"
