"""Settings are typed, have defaults, and answer an unknown key with the nearest known one."""

from __future__ import annotations

from pathlib import Path

import pytest

from esc_skills.errors import InputError
from esc_skills.settings import GateSettings, Settings, check_settings, read_settings


def read(text: str | None) -> Settings:
    return read_settings(None if text is None else text.encode(), "pyproject.toml")


@pytest.mark.parametrize("text", [None, "", "[tool.ruff]\nline-length = 100\n", "[tool.esc-skills]\n"])
def test_without_a_table_the_shipped_settings_hold(text: str | None) -> None:
    assert read(text) == Settings("skills", "profiles", GateSettings())


def test_what_is_set_is_taken_and_the_rest_stays() -> None:
    settings = read('[tool.esc-skills]\nskills = "banks/en"\n[tool.esc-skills.gate]\ndraws = 400\nthreshold = 40\n')
    assert settings == Settings("banks/en", "profiles", GateSettings(threshold=40, draws=400))


def test_this_repository_s_own_settings_are_sound() -> None:
    data = (Path(__file__).parent.parent / "pyproject.toml").read_bytes()
    assert check_settings(data, "pyproject.toml") == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[tool.esc-skills]\nskils = 'x'", "unknown key 'skils'; did you mean 'skills'?"),
        ("[tool.esc-skills.gate]\nthresold = 2", "unknown key 'thresold'; did you mean 'threshold'? (/gate)"),
        ("[tool.esc-skills]\nseed = 1", "unknown key 'seed'"),
        ("[tool.esc-skills]\nskills = '../x'", "should be a folder inside the repository"),
        ("[tool.esc-skills]\nskills = '/x'", "should be a folder inside the repository"),
        ("[tool.esc-skills]\nskills = '-x/.git'", "should be a folder inside the repository"),
        ("[tool.esc-skills]\nskills = ''", "should be a folder inside the repository"),
        ("[tool.esc-skills]\nskills = 'x\\n'", ""),
        ('[tool.esc-skills]\nskills = "x\\n"', "should be a folder inside the repository"),
        ("[tool.esc-skills]\nskills = 3", "3 should be of type string (/skills)"),
        ("[tool.esc-skills.gate]\nthreshold = 1", "(/gate/threshold)"),
        ("[tool.esc-skills.gate]\nthreshold = nan", "NaN should be of type number (/gate/threshold)"),
        ("[tool.esc-skills.gate]\nharm_error = inf", "(/gate/harm_error)"),
        ("[tool.esc-skills.gate]\ndraws = 20.0", "20.0 should be of type integer (/gate/draws)"),
        ("[tool.esc-skills.gate]\ndraws = true", "true should be of type integer (/gate/draws)"),
        ("[tool.esc-skills.gate]\nbatch = 2026-01-02", "should be of type integer (/gate/batch)"),
        ("[tool]\nesc-skills = 3", "3 should be of type object"),
        ("tool = 3", "3 should be of type object"),
        ("[tool.esc-skills]\na = 1\na = 2", "toml-syntax"),
        ("a = " + "[" * 5000, "toml-syntax"),
        ("\ufeffa = 1", "toml-syntax"),
    ],
)
def test_what_departs_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        read(text)
    assert str(caught.value).startswith("pyproject.toml")
    assert words in str(caught.value)


def test_bytes_that_are_no_text_are_a_finding() -> None:
    (found,) = check_settings(b"a = 1\nb = '\xe9'\n", "pyproject.toml")
    assert (found.line, found.code) == (2, "encoding")


def test_every_departure_comes_at_once() -> None:
    found = check_settings(b"[tool.esc-skills]\nskills = 1\nprofiles = 2\n[tool.esc-skills.gate]\nx = 1\n", "p")
    assert len(found) == 3
