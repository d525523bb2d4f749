"""The reference in docs/reference/ says what commands, schemas and vocabularies say."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from tests.scripts import load_script

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(not (ROOT / "bench").is_dir(), reason="the generator stands in the checkout's bench/")


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    return load_script("reference")


def test_the_pages_are_what_the_generator_writes(reference: ModuleType) -> None:
    stale = [path for path, text in reference.pages().items() if (ROOT / path).read_text(encoding="utf-8") != text]

    assert not stale, "run `make reference`"


def test_a_sentence_about_no_key_ends_the_generator(reference: ModuleType) -> None:
    with pytest.raises(SystemExit, match=r"settings gate\.old is no key any more"):
        reference.require_used("settings", {"gate.old": "gone"}, set())


def test_a_key_without_a_sentence_ends_the_generator(reference: ModuleType) -> None:
    with pytest.raises(SystemExit, match=r"says nothing of gate\.new"):
        reference.meaning("gate.new", {}, set())


def test_options_that_all_model_commands_have_stand_once(reference: ModuleType) -> None:
    page = reference.pages()["docs/reference/commands.md"]

    assert page.count("| `--budget-usd` ") == 1
