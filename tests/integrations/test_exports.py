"""Exports: each client's form holds the whole bank, what was there stays, and nothing is half written."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from esc_skills import Bank
from esc_skills.bank.clients import load_clients
from esc_skills.bank.reader import read_files
from esc_skills.cli.main import commands
from esc_skills.documents.frontmatter import split_front_matter
from esc_skills.documents.shipped import shipped
from esc_skills.errors import InputError
from esc_skills.integrations import exports
from esc_skills.integrations.export_forms import BEGIN, END
from esc_skills.integrations.exports import export, load_targets
from tests.commands import call
from tests.conftest import Git
from tests.samples import write_skill

ROOT = Path(__file__).parents[2]
TARGETS = load_targets()
FOLDERS = [name for name, each in TARGETS.items() if each.form in ("skills", "plugin", "section")]


@pytest.fixture(scope="module")
def bank() -> Bank:
    return Bank.load()


def everything(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones too, none of them through a link."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for root, _, files in os.walk(folder)
        for path in (Path(root, name) for name in files)
    }


@pytest.mark.parametrize("client", FOLDERS)
def test_each_folder_of_skills_is_the_bank_byte_for_byte(client: str, bank: Bank, tmp_path: Path) -> None:
    done = export(bank, client, tmp_path / "deep" / "out")
    assert read_files(tmp_path / "deep" / "out" / TARGETS[client].at) == read_files(shipped("skills"))
    assert Bank.load(tmp_path / "deep" / "out" / TARGETS[client].at).digest == bank.digest
    assert (tmp_path / "deep" / "out").resolve() in done.written[0].resolve().parents


@pytest.mark.parametrize("client", TARGETS)
def test_a_second_time_there_is_nothing_to_write(client: str, bank: Bank, tmp_path: Path) -> None:
    first = export(bank, client, tmp_path)
    before = everything(tmp_path)
    again = export(bank, client, tmp_path)
    assert (again.written, everything(tmp_path)) == ((), before)
    assert {*again.kept} == {path for path in first.written if not path.is_symlink()}


@pytest.mark.parametrize("client", TARGETS)
def test_foreign_files_stay_and_a_file_in_the_way_ends_it_first(client: str, bank: Bank, tmp_path: Path) -> None:
    write_skill(tmp_path / TARGETS[client].at, "of-mine")
    export(bank, client, tmp_path)
    after = everything(tmp_path)
    assert any(path.endswith("of-mine/SKILL.md") for path in after)
    last = max(path for path in after if "of-mine" not in path and path != "AGENTS.md")
    (tmp_path / last).write_text("mine\n")
    for path in set(after) - {last}:
        (tmp_path / path).unlink()
    with pytest.raises(InputError, match=f"{re.escape(last)}: holds something else") as caught:
        export(bank, client, tmp_path)
    assert caught.value.hint == "remove it, or name another folder"
    assert everything(tmp_path) == {last: b"mine\n"}


def test_agents_has_a_link_and_where_there_are_none_a_copy(
    bank: Bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(bank, "agents", tmp_path / "linked")
    link = tmp_path / "linked" / ".claude" / "skills"
    assert link.readlink() == Path("..", ".agents", "skills") and (link / "hold-silence" / "SKILL.md").is_file()

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError("a required privilege is not held by the client")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    export(bank, "agents", tmp_path / "copied")
    copy = tmp_path / "copied" / ".claude" / "skills"
    assert not copy.is_symlink() and read_files(copy) == read_files(shipped("skills"))
    assert export(bank, "agents", tmp_path / "copied").written == ()


def test_a_folder_where_the_link_would_stand_gets_a_copy(bank: Bank, tmp_path: Path) -> None:
    write_skill(tmp_path / ".claude" / "skills", "of-mine")
    export(bank, "agents", tmp_path)
    assert {"of-mine", "hold-silence"} <= {each.name for each in (tmp_path / ".claude" / "skills").iterdir()}


@pytest.mark.parametrize("path", ["out", "out/.claude", "out/.claude/skills", "out/.claude/skills/hold-silence"])
def test_a_file_where_a_folder_belongs_is_named(path: str, bank: Bank, tmp_path: Path) -> None:
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text("a file\n")
    for client in ("agents", "claude"):
        with pytest.raises(InputError, match=f"{re.escape(path)}: is no folder"):
            export(bank, client, tmp_path / "out")
    assert everything(tmp_path) == {path: b"a file\n"}


def test_no_link_leads_an_export_out_of_its_folder(bank: Bank, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "notes").write_text("private\n")
    (tmp_path / "out" / ".claude").mkdir(parents=True)
    (tmp_path / "out" / ".claude" / "skills").symlink_to(tmp_path / "home")
    (tmp_path / "out" / "AGENTS.md").symlink_to(tmp_path / "home" / "notes")
    for client in ("claude", "agents", "agents-md"):
        with pytest.raises(InputError, match="leads out of"):
            export(bank, client, tmp_path / "out")
    assert everything(tmp_path / "home") == {"notes": b"private\n"}


def test_a_plugin_is_what_this_repository_is(bank: Bank, tmp_path: Path) -> None:
    export(bank, "claude-plugin", tmp_path)
    if not (ROOT / ".claude-plugin").is_dir():
        pytest.skip("the manifests stand in a checkout")
    for name in ("plugin.json", "marketplace.json"):
        ours, theirs = ((each / ".claude-plugin" / name).read_text() for each in (ROOT, tmp_path))
        assert json.loads(ours) == json.loads(theirs)


def test_a_prompt_names_its_tools_and_they_can_be_answered(bank: Bank, tmp_path: Path) -> None:
    export(bank, "openai", tmp_path, budget=4_000)
    prompt = (tmp_path / "system_prompt.md").read_text()
    tools = json.loads((tmp_path / "tools.json").read_text())
    bodies = json.loads((tmp_path / "skills.json").read_text())
    assert len(prompt) <= 4_000 and "`load_skill`" in prompt and "…" in prompt
    (load,) = (each["function"] for each in tools if each["function"]["name"] == "load_skill")
    assert load["parameters"]["properties"]["name"]["enum"] == list(bodies) == ["emotional-support", *bank.skills]
    assert all(bodies[name] == bank.body(name) for name in bodies)


def test_one_json_holds_every_field_of_every_skill(bank: Bank, tmp_path: Path) -> None:
    export(bank, "json", tmp_path)
    whole = json.loads((tmp_path / "bank.json").read_text())
    assert (whole["entrance"], whole["digest"]) == (bank.entrance, bank.digest)
    assert list(whole["catalogue"]) == ["emotional-support", *bank.skills]
    for told, skill in zip(whole["skills"], bank, strict=True):
        assert {*told} == {*skill.__dataclass_fields__}
        assert (told["text"], told["needs"], tuple(told["intensity"])) == (skill.text, [*skill.needs], skill.intensity)
        assert [each["seeker"] for each in told["references"]["en"]["examples"]] == [
            each.seeker for each in skill.references["en"].examples
        ]


class TestSection:
    @pytest.mark.parametrize("newline", ["\n", "\r\n"])
    def test_it_is_written_anew_between_its_markers_and_the_rest_stays(
        self, newline: str, bank: Bank, tmp_path: Path
    ) -> None:
        file = tmp_path / "AGENTS.md"
        file.write_bytes(f"# Mine{newline}no line end".encode())
        export(bank, "agents-md", tmp_path)
        once = file.read_bytes()
        assert once.startswith(f"# Mine{newline}no line end{newline}{newline}{BEGIN}{newline}".encode())
        assert once.count(b"\n") == once.count(newline.encode())
        file.write_bytes(once + f"after{newline}".encode())
        export(bank, "agents-md", tmp_path, budget=3_500)
        shorter = file.read_bytes()
        assert shorter.endswith(f"{END}{newline}after{newline}".encode()) and len(shorter) < len(once)
        assert len(shorter[shorter.index(BEGIN.encode()) :].decode().replace("\r", "")) <= 3_500 + len("after\n")
        export(bank, "agents-md", tmp_path)
        assert file.read_bytes() == once + f"after{newline}".encode()

    def test_it_leads_to_files_that_are_there(self, bank: Bank, tmp_path: Path) -> None:
        export(bank, "agents-md", tmp_path)
        text = (tmp_path / "AGENTS.md").read_text()
        assert "Read `.agents/skills/NAME/SKILL.md`." in text and "load_skill" not in text
        assert all(f"`{name}`: {skill.description}" in text for name, skill in bank.skills.items())

    @pytest.mark.parametrize("text", [BEGIN, END, f"{END}\n{BEGIN}\n", f"{BEGIN}\n{END}\n{BEGIN}\n{END}\n"])
    def test_markers_that_are_no_pair_are_left_alone(self, text: str, bank: Bank, tmp_path: Path) -> None:
        (tmp_path / "AGENTS.md").write_text(text)
        with pytest.raises(InputError, match=r"AGENTS\.md: holds \d markers of esc-skills that are no pair"):
            export(bank, "agents-md", tmp_path)
        assert everything(tmp_path) == {"AGENTS.md": text.encode()}

    def test_a_link_within_the_folder_is_followed(self, bank: Bank, tmp_path: Path) -> None:
        (tmp_path / "CLAUDE.md").write_text("# Mine\n")
        (tmp_path / "AGENTS.md").symlink_to("CLAUDE.md")
        export(bank, "agents-md", tmp_path)
        assert (tmp_path / "AGENTS.md").is_symlink() and BEGIN in (tmp_path / "CLAUDE.md").read_text()


def test_a_bank_without_an_entrance_and_with_deep_folders_gets_one_and_is_flat(tmp_path: Path) -> None:
    write_skill(tmp_path / "skills" / "deep", "wait-a-little")
    (tmp_path / "skills" / "README.md").write_text("not a skill's\n")
    export(Bank.load(tmp_path / "skills"), "folder", tmp_path / "out")
    found = everything(tmp_path / "out")
    assert sorted(found) == ["emotional-support/SKILL.md", "wait-a-little/SKILL.md"]
    front = split_front_matter(found["emotional-support/SKILL.md"].decode(), "SKILL.md")
    assert "`wait-a-little`" in front.body


def test_the_folder_of_one_skill_is_a_bank_too(tmp_path: Path) -> None:
    path = write_skill(tmp_path)
    export(Bank.load(path.parent), "folder", tmp_path / "out")
    assert sorted(everything(tmp_path / "out")) == ["emotional-support/SKILL.md", "wait-a-little/SKILL.md"]


def test_every_view_that_the_data_names_is_known() -> None:
    assert {each.view for each in TARGETS.values()} - {None} <= {*load_clients()}


def test_help_names_every_client() -> None:
    command = commands.get_command(None, "export")  # type: ignore[arg-type]
    assert command is not None and command.help is not None
    assert all(re.search(rf"\b{name}\b", command.help) for name in TARGETS)


class TestCommand:
    def test_it_says_what_was_written_and_what_comes_next(self, tmp_path: Path) -> None:
        ran = call("export", "--to", "agents", "--out", str(tmp_path))
        assert (ran.code, ran.err) == (0, "")
        assert "83 files below .agents/skills, .claude/skills as a link" in ran.out
        assert f"next, in {tmp_path}: start your coding agent here" in ran.out
        assert "nothing to write" in call("export", "--to", "agents", "--out", str(tmp_path)).out

    def test_it_warns_where_a_client_does_not_show_all(self, tmp_path: Path) -> None:
        ran = call("export", "--to", "claude", "--out", str(tmp_path))
        assert "warning: claude-code 2.1.197 shows 22 of 42 descriptions whole" in ran.err
        assert call("export", "--to", "claude", "--out", str(tmp_path), "--budget", "20000").err == ""

    def test_a_bank_of_ones_own_is_named(self, tmp_path: Path) -> None:
        write_skill(tmp_path / "skills")
        ran = call("export", "--to", "json", "--out", str(tmp_path / "out"), "--bank", str(tmp_path / "skills"))
        assert ran.code == 0 and f"2 skills of {tmp_path / 'skills'} for json" in ran.out

    def test_without_a_name_it_is_the_bank_where_one_stands_else_ours(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, git: Git
    ) -> None:
        git(tmp_path, "init", "-q")  # the project of an agent, which holds no bank
        monkeypatch.chdir(tmp_path)
        assert "42 skills of " in call("export", "--to", "json", "--out", "ours").out
        write_skill(tmp_path / "skills")
        assert "2 skills of skills for" in call("export", "--to", "json", "--out", "own").out
        assert "42 skills of " in call("export", "--to", "json", "--out", "ours", "--bank", "shipped").out

    @pytest.mark.parametrize(
        ("more", "message"),
        [
            (["--to", "gemni"], "no export to 'gemni' is known; did you mean 'gemini'?"),
            (["--to", "json", "--budget", "9"], "nothing of an export to json has a budget"),
            (["--to", "openai", "--budget", "9"], "a budget of 9 characters does not hold"),
            (["--to", "agents-md", "--budget", "9"], "the section's own lines take"),
            (["--to", "folder", "--bank", "EMPTY"], "holds no SKILL.md"),
            (["--to", "folder", "--bank", "none"], "none: is no folder"),
        ],
    )
    def test_bad_input_is_told_and_writes_nothing(self, more: list[str], message: str, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        more = [str(tmp_path / "empty") if each == "EMPTY" else each for each in more]
        ran = call("export", "--out", str(tmp_path / "out"), *more)
        assert (ran.code, ran.out) == (2, "") and message in ran.err
        assert not (tmp_path / "out").exists()


def test_a_full_disk_is_told(bank: Bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, _: bytes) -> None:
        raise InputError(f"{path}: could not be written: No space left on device")

    monkeypatch.setattr(exports, "write_atomically", refuse)
    assert call("export", "--to", "json", "--out", str(tmp_path)).code == 2
