"""The options about models: a team's file that names them once, and their own place in `--help`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands import call


class TestTeam:
    TEAM = "supporter: local/tiny\nseeker: surrogate\nanalyst: local/tiny\nendpoint: ['local=http://127.0.0.1:9/v1']\nbudget-tokens: 5\n"

    def test_a_file_gives_the_options_and_the_command_line_comes_first(self, tmp_path: Path) -> None:
        file = tmp_path / "team.yaml"
        file.write_text(self.TEAM)
        out = ("--out", str(tmp_path / "run.jsonl"), "--draws", "1")
        asked = call("simulate", *out, "--team", str(file))
        assert (asked.code, "surrogate" in asked.out) != (0, True)
        assert call("simulate", *out, "--team", str(file), "--supporter", "surrogate").code == 0

    @pytest.mark.parametrize(
        "text", ["suporter: surrogate\n", "concurrency: many\n", "- supporter\n", "endpoint: x\n", "a: [\n"]
    )
    def test_a_file_that_is_none_is_told_with_its_line(self, text: str, tmp_path: Path) -> None:
        file = tmp_path / "team.yaml"
        file.write_text(text)
        done = call("simulate", "--out", str(tmp_path / "run.jsonl"), "--team", str(file))
        assert (done.code, str(file) in done.err) == (2, True)

    def test_help_shows_the_options_of_models_apart(self) -> None:
        for command in (["simulate"], ["evidence", "collect"], ["discover", "draft"], ["verify"], ["evaluate", "bank"]):
            own, _, models = call(*command, "--help").out.partition("Models, for whoever")
            assert "--endpoint" in models and "--budget-usd" in models
            assert "--endpoint" not in own
