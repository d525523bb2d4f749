"""The public names: what a program or a notebook does with a bank, a run and a repository."""

from __future__ import annotations

import doctest
import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import esc_skills
from esc_skills import Bank, GitError, InputError, Verifier, read_run, simulate
from esc_skills.cli.main import run


def test_each_public_name_is_there_and_is_documented() -> None:
    assert 28 <= len(esc_skills.__all__) <= 34
    for name in set(esc_skills.__all__) - {"__version__"}:
        assert getattr(esc_skills, name).__doc__, name
    assert dir(esc_skills) == sorted(esc_skills.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Bnak'"):
        esc_skills.Bnak  # noqa: B018


@pytest.mark.parametrize("room", ["agent_bank", "runs", "verifier"])
def test_the_examples_of_the_docstrings_run(room: str) -> None:
    module = importlib.import_module(f"esc_skills.integrations.{room}")
    found = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert (found.failed, found.attempted > 0) == (0, True)


def test_importing_the_package_loads_no_room() -> None:
    script = "import esc_skills, sys; print([each for each in sys.modules if each.startswith('esc_skills.')])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


class TestBank:
    def test_the_shipped_bank_is_loaded_and_valid(self) -> None:
        bank = Bank.load()
        assert len(bank) == len(list(bank)) > 30
        assert "reflect-the-feeling" in bank
        assert bank.validate() == []

    def test_an_unknown_skill_and_an_empty_folder_are_told(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="no skill 'reflect-the-feelin'; did you mean 'reflect-the-feeling'"):
            Bank.load()["reflect-the-feelin"]
        with pytest.raises(InputError, match=r"holds no SKILL\.md"):
            Bank.load(tmp_path)
        with pytest.raises(InputError, match="is no folder"):
            Bank.load(tmp_path / "nowhere")

    def test_a_skill_is_selected_with_its_reason(self) -> None:
        chosen = Bank.load().select(["It is all my fault that the firm went under, I feel so guilty."])
        assert chosen.skill is not None
        assert "no-blame" in chosen.skill.needs
        assert chosen.reason.startswith("need no-blame")

    @pytest.mark.parametrize("said", ["I don't want to be here any more.", "I want to kill myself.", "我不想活了"])
    def test_danger_comes_first_whatever_else_fits(self, said: str) -> None:
        chosen = Bank.load().select(["My boss shouts at me every day and I am so angry.", said])
        assert chosen.skill is not None
        assert (chosen.risk != "none", "active" in chosen.skill.risk_levels) == (True, True)

    def test_a_chat_is_read_by_its_roles(self) -> None:
        bank = Bank.load()
        texts = ["I feel so guilty, it is all my fault.", "Nobody helps me with it."]
        parts: Any = [{"type": "text", "text": texts[1]}]
        chat = [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": texts[0]},
            {"role": "assistant", "content": "I want to kill myself, said nobody."},
            {"role": "user", "content": parts},
        ]
        assert bank.select(chat) == bank.select(texts)
        for bad in (
            [],
            [" "],
            [{"role": "assistant", "content": "Hello."}],
            [{"role": "narrator", "content": "x"}],
            "text",
        ):
            with pytest.raises(InputError):
                bank.select(bad)

    def test_what_was_just_used_yields(self) -> None:
        bank, said = Bank.load(), ["I feel so guilty, it is all my fault."]
        first = bank.select(said).skill
        assert first is not None
        assert bank.select(said, [first.name] * 3).skill != first

    def test_a_system_prompt_keeps_to_its_budget(self) -> None:
        bank = Bank.load()
        whole = bank.system_prompt()
        assert all(f"- `{skill.name}`: {skill.description}\n" in whole for skill in bank)
        for budget in (len(whole), 6_000, 3_000):
            prompt = bank.system_prompt(budget)
            assert len(prompt) <= budget
            assert "Danger comes first" in prompt
            assert all(f"- `{name}`" in prompt for name in bank.skills)
        with pytest.raises(InputError, match="a budget of 100 characters does not hold"):
            bank.system_prompt(100)

    def test_the_tools_answer_a_model(self) -> None:
        bank = Bank.load()
        assert [each["function"]["name"] for each in bank.tools()] == ["load_skill", "select_skill"]
        assert "## Guidance" in bank.call_tool("load_skill", {"name": "reflect-the-feeling"})
        assert "## Choose a skill" in bank.call_tool("load_skill", {"name": "emotional-support"})
        assert bank.call_tool("select_skill", {"messages": ["It is all my fault."]}).startswith("ease-self-blame: need")
        for tool, arguments in (
            ("load_skill", {}),
            ("select_skill", {}),
            ("select_skill", {"messages": 3}),
            ("sing", {}),
        ):
            assert bank.call_tool(tool, arguments).startswith("error: ")

    def test_skills_are_found_by_words(self) -> None:
        names = [each.name for each in Bank.load().search("angry at the supporter", limit=3)]
        assert names[0] == "take-anger-at-you"
        assert Bank.load().search("xyzzy") == []


class TestRuns:
    def test_equal_arguments_give_equal_runs_and_the_command_line_the_same(self, tmp_path: Path) -> None:
        bank = Bank.load()
        played = simulate(bank, draws=4, seed=3)
        assert played == simulate(bank, draws=4, seed=3)
        out = tmp_path / "run.jsonl"
        assert run(["simulate", "--draws", "4", "--seed", "3", "--out", str(out)]) == 0
        assert read_run(out) == played

    def test_records_and_score(self) -> None:
        played = simulate(None, draws=2)
        records = played.records()
        assert {each["episode"] for each in records} == {0, 1}
        assert records[0]["emotion"] == 40
        assert all(isinstance(each["supporter"], str) for each in records)
        assert 0 <= (played.score.score or -1) <= 100

    def test_an_agent_of_one_s_own_plays(self) -> None:
        heard: list[list[dict[str, str]]] = []

        def agent(chat: list[dict[str, str]]) -> str:
            heard.append(chat)
            return "I hear you. What hurts most?"

        async def waiting(chat: list[dict[str, str]]) -> str:
            return agent(chat)

        played = simulate(None, draws=2, agent=agent)
        assert {turn.supporter for each in played for turn in each.turns} >= {"I hear you. What hurts most?"}
        assert heard[0][-1]["role"] == "user"
        assert {each["role"] for each in max(heard, key=len)} == {"user", "assistant"}
        assert [each.turns for each in simulate(None, draws=2, agent=waiting)] == [each.turns for each in played]
        assert {each.supporter for each in played} == {"agent"}
        with pytest.raises(InputError, match="the agent answered ''"):
            simulate(None, draws=1, agent=lambda chat: "")

    @pytest.mark.parametrize("bad", [{"draws": 0}, {"split": "mine"}, {"profiles": "nowhere"}])
    def test_bad_arguments_are_told(self, bad: dict[str, Any]) -> None:
        with pytest.raises(InputError):
            simulate(None, **bad)


class TestVerifier:
    def test_no_repository_and_an_unknown_revision_are_told(self, tmp_path: Path) -> None:
        with pytest.raises(GitError):
            Verifier(tmp_path).verify("main", "HEAD")
        subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
        with pytest.raises(GitError):
            Verifier(tmp_path).verify("main", "nothing")
