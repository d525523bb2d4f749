"""Chat logs, in which nobody says how a turn was received: what each step of discovery tells of that."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from esc_skills.cli.main import run

Call = Callable[..., tuple[int, str]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.chdir(tmp_path)

    def esc_skills(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        code = run(arguments)
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return esc_skills


def write_chats(path: Path, dialogues: int) -> str:
    """Chats in which a seeker asks for advice, gets it and is thankful."""
    lines = []
    for at in range(dialogues):
        messages = [
            ("user", f"I am sad since flat {at} was let to somebody else. What should I do? I need advice."),
            ("assistant", f"You could try to write to the landlord of number {at}, and ask for the reasons."),
            ("user", f"Thank you so much, that helps a lot, I feel better about number {at}."),
        ]
        lines.append(json.dumps({"messages": [{"role": role, "content": text} for role, text in messages]}))
    path.write_text("\n".join(lines))
    return str(path)


def prototypes_of(call: Call, dialogues: int) -> tuple[str, str]:
    """What extraction and clustering of so many chats print."""
    chats = write_chats(Path("chats.jsonl"), dialogues)
    assert call("corpus", "import", "--from", "openai", chats, "--out", "d.jsonl")[0] == 0
    code, extracted = call("discover", "extract", "d.jsonl", "--out", "u.jsonl")
    assert code == 0
    code, clustered = call("discover", "cluster", "u.jsonl", "--out", "p.jsonl")
    assert code == 0
    return extracted, clustered


def test_chats_without_ratings_are_told_to_give_no_draft_and_why(call: Call) -> None:
    extracted, clustered = prototypes_of(call, 20)
    assert "no key unit: nobody said how it went" in extracted
    assert "called helpful: 1" in clustered and "called harmful: 0\n" in clustered
    code, drafted = call("discover", "draft", "p.jsonl", "--skills", "none", "--out", "drafts")
    assert code == 1
    assert "nothing to draft: helpful prototypes hold no key unit, since nobody said how it went" in drafted
    assert "0 drafts\n" in drafted and not Path("drafts").exists()


def test_too_few_dialogues_are_told_to_give_no_prototype(call: Call) -> None:
    _, clustered = prototypes_of(call, 4)
    assert "0 prototypes in p.jsonl" in clustered
    assert "next: more dialogues, since a prototype needs 10 units of 3 dialogues that are alike" in clustered


def test_a_bank_that_rests_on_other_dialogues_is_told_in_few_lines(call: Call) -> None:
    prototypes_of(call, 20)
    code, out = call("discover", "coverage", "p.jsonl")
    assert code == 1
    assert out.count("which is no prototype here") <= 10
    assert "others, all in --format json" in out
    assert "the bank rests on other dialogues than these prototypes, or its esc-provenance is out of date" in out
    _, listed = call("discover", "coverage", "p.jsonl", "--format", "json")
    assert len(json.loads(listed)["provenance"]) > 10


def test_import_and_scrub_name_the_next_step(call: Call) -> None:
    chats = write_chats(Path("chats.jsonl"), 2)
    _, imported = call("corpus", "import", "--from", "openai", chats, "--out", "d.jsonl")
    assert "next: esc-skills corpus scrub d.jsonl --out clean.jsonl" in imported
    _, scrubbed = call("corpus", "scrub", "d.jsonl", "--out", "clean.jsonl")
    assert "next: esc-skills discover extract clean.jsonl --out units.jsonl" in scrubbed


def test_a_message_without_content_is_told_as_what_it_should_be(call: Call) -> None:
    Path("chats.jsonl").write_text('{"messages": [{"role": "user", "content": null}]}')
    code, out = call("corpus", "import", "--from", "openai", "chats.jsonl", "--out", "d.jsonl")
    assert code == 2
    assert "chats.jsonl:1: form: 'content' should be a text or a list of parts and is 'None'" in out


def test_a_forgotten_form_is_told_with_the_forms_in_one_readable_line(call: Call) -> None:
    code, out = call("corpus", "import", "chats.jsonl", "--out", "d.jsonl")
    assert code == 2
    assert "Choose from: esconv, failed-esconv" in out and "\ufffd" not in out


@pytest.mark.parametrize("group", ["discover", "corpus", "surrogate"])
def test_a_group_without_a_command_shows_its_help_as_it_stands(call: Call, group: str) -> None:
    code, out = call(group)
    assert code == 2
    assert out == call(group, "--help")[1]


def test_the_steps_of_discovery_are_listed_in_their_order(call: Call) -> None:
    _, out = call("discover", "--help")
    places = [out.index(f"\n  {step} ") for step in ("extract", "cluster", "evaluate", "coverage", "draft")]
    assert places == sorted(places)
