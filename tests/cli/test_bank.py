"""`bank`: migration loses nothing, and a client's view is printed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from esc_skills import __version__
from esc_skills.bank.edit import render_examples, replace_section
from esc_skills.bank.reader import read_bank, read_files
from esc_skills.bank.skill import Example
from esc_skills.cli.main import run
from esc_skills.documents.shipped import shipped
from tests.samples import skill_of, skill_text, write_skill

Capture = pytest.CaptureFixture[str]
LONG = (
    "Waits. Use when the seeker's words stop, " + ", ".join(f"says 'well' for the {n}th time" for n in range(20)) + "."
)
ROOT = Path(__file__).parents[2]


def old_skill(folder: Path) -> list[Example]:
    """Write a skill of the old form, and return its examples."""
    skill = skill_of(skill_text())
    examples = [*skill.examples, *(Example(f"number {n}", f"I said {n}.", f"You said {n}.") for n in range(4))]
    avoid = [*skill.avoid, Example("a second", "Hm", "Now!", "It rushes.")]
    text = replace_section(skill.text, "Examples", render_examples(examples, avoid))
    write_skill(folder, text=re.sub(r'description: ".*"', f'description: "{LONG}"', text))
    return [*examples, *avoid]


def test_a_bank_of_the_old_form_is_told_to_migrate_and_migrates_without_a_loss(tmp_path: Path, capsys: Capture) -> None:
    examples = old_skill(tmp_path)
    assert run(["validate", str(tmp_path)]) == 1
    assert "run `esc-skills bank migrate`" in capsys.readouterr().out
    assert run(["bank", "migrate", str(tmp_path)]) == 0
    assert run(["validate", str(tmp_path)]) == 0
    (skill,) = read_bank(read_files(tmp_path), "skills").skills.values()
    further = skill.references["en"]
    assert [*skill.examples, *further.examples, *skill.avoid, *further.avoid] == examples
    assert skill.version == "1.1.0"
    assert skill.description.startswith("When the seekers words stop, says well") and len(skill.description) <= 160
    capsys.readouterr()
    assert run(["bank", "migrate", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "nothing to do\n"


def test_a_skill_that_cannot_be_read_is_named_before_anything_is_written(tmp_path: Path, capsys: Capture) -> None:
    old_skill(tmp_path)
    write_skill(tmp_path, "broken", text="no front matter\n")
    before = read_files(tmp_path)
    assert run(["bank", "migrate", str(tmp_path)]) == 2
    assert "broken/SKILL.md:1: front-matter" in capsys.readouterr().err
    assert read_files(tmp_path) == before


def test_validate_prints_what_a_model_sees_in_a_client(capsys: Capture) -> None:
    assert run(["validate", str(shipped("skills")), "--client", "claude-code:200k"]) == 0
    shown = capsys.readouterr().out
    assert "- emotional-support: When someone is in distress" in shown
    assert "claude-code 2.1.197 with 200,000 tokens: 22 whole, 20 by name alone" in shown
    assert run(["validate", str(shipped("skills")), "--client", "codex", "--format", "json"]) == 0
    (view,) = json.loads(capsys.readouterr().out)["views"]
    assert (view["context"], view["budget"], view["unit"], len(view["whole"])) == (128_000, 2_560, "tokens", 42)


def test_a_catalogue_over_a_budget_is_a_warning_that_names_the_client(tmp_path: Path, capsys: Capture) -> None:
    description = f"When the seeker stops: {'wait ' * 20}. Emotional support."
    for at in range(80):
        write_skill(tmp_path, f"wait-a-little-{at}", text=skill_text(f"wait-a-little-{at}", description=description))
    assert run(["validate", str(tmp_path)]) == 0
    assert "warning: catalogue-budget" in (shown := capsys.readouterr().out) or "catalogue-budget" in shown
    assert "claude-code 2.1.197 shows 8,000" in shown


@pytest.mark.skipif(not (ROOT / ".claude-plugin").is_dir(), reason="the links stand in a checkout")
def test_a_checkout_shows_its_skills_to_coding_agents() -> None:
    for place in (".agents/skills", ".claude/skills"):
        assert (ROOT / place).is_symlink() and (ROOT / place / "emotional-support" / "SKILL.md").is_file()
    plugin, market = (
        json.loads((ROOT / ".claude-plugin" / f"{name}.json").read_text()) for name in ("plugin", "marketplace")
    )
    assert plugin["version"] == market["metadata"]["version"] == __version__
    assert [each["name"] for each in market["plugins"]] == [plugin["name"]]


def test_a_team_adds_words_and_keys_of_its_own(tmp_path: Path, capsys: Capture) -> None:
    text = skill_text(esc_needs="silence", esc_language="de", description="Wenn jemand mitten im Satz aufhört: warten.")
    write_skill(tmp_path / "skills", text=text.replace("  esc-provenance", '  acme-owner: "us"\n  esc-provenance'))
    (tmp_path / "pyproject.toml").write_text("[tool.esc-skills]\n")
    assert run(["validate", str(tmp_path)]) == 1
    told = capsys.readouterr().out
    assert all(each in told for each in ("'silence' is none of", "'de' is none of", "unknown key 'acme-owner'"))
    (tmp_path / "pyproject.toml").write_text(
        '[tool.esc-skills.vocabulary]\nneeds = ["silence"]\nlanguages = ["de"]\nkeys = ["acme-owner"]\n'
    )
    assert run(["validate", str(tmp_path)]) == 0


def test_a_team_s_own_words_hold_for_every_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    text = skill_text(esc_needs="be-heard, silence").replace("  esc-provenance", '  acme-owner: "us"\n  esc-provenance')
    write_skill(tmp_path / "skills", text=text)
    words = '[tool.esc-skills.vocabulary]\nneeds = ["silence"]\nkeys = ["acme-owner"]\n'
    (tmp_path / "pyproject.toml").write_text(words)
    monkeypatch.chdir(tmp_path)
    assert run(["simulate", "--draws", "1", "--out", "run.jsonl"]) == 0, capsys.readouterr().err
    assert run(["bank", "entrance"]) == 0


def test_a_skill_with_references_and_too_many_examples_of_its_own_migrates_too(tmp_path: Path) -> None:
    old_skill(tmp_path)
    assert run(["bank", "migrate", str(tmp_path)]) == 0
    path = tmp_path / "wait-a-little" / "SKILL.md"
    extra = "### One more\n\n**Seeker:** Well.\n\n**Supporter:** Well?\n\n### Avoid:"
    path.write_text(path.read_text().replace("### Avoid:", extra, 1))
    assert run(["validate", str(tmp_path)]) == 1
    assert run(["bank", "migrate", str(tmp_path)]) == 0
    assert run(["validate", str(tmp_path)]) == 0
    (skill,) = read_bank(read_files(tmp_path), "skills").skills.values()
    assert "One more" in [each.title for each in skill.references["en"].examples]
