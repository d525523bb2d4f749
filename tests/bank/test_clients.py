"""What models see of a catalogue: bounds hold, and what was captured from real clients is found again."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esc_skills.bank.clients import View, load_clients, parse_client, view_catalogue
from esc_skills.documents.shipped import shipped
from esc_skills.errors import InputError

CATALOGUE = {
    path.parent.name: re.findall(r'^description: "(.*)"$', path.read_text(), flags=re.MULTILINE)[0]
    for path in sorted(shipped("skills").glob("*/SKILL.md"))
}
names = st.from_regex(r"[a-z]{1,12}(-[a-z]{1,12}){0,3}", fullmatch=True)
texts = st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1, max_size=300)
catalogues = st.dictionaries(names, texts, max_size=60)


def seen(client: str, catalogue: dict[str, str] = CATALOGUE) -> View:
    return view_catalogue(*parse_client(client), catalogue)


def test_our_catalogue_is_under_8000_characters() -> None:
    assert len("\n".join(f"- {name}: {each}" for name, each in CATALOGUE.items())) < 8_000


@pytest.mark.parametrize("client", ["codex:128k", "skills-ref", "deepagents", "strands-agents", "claude-code:1m"])
def test_it_is_shown_whole(client: str) -> None:
    assert seen(client).whole == tuple(CATALOGUE)


def test_where_not_all_fits_the_entrance_stays_whole_and_every_name_is_shown() -> None:
    view = seen("claude-code:200k")
    assert len(view.whole) + len(view.bare) == len(CATALOGUE)
    assert "emotional-support" in view.whole and "respond-to-suicide-risk" in (*view.whole, *view.bare)


def test_a_cut_description_still_opens_with_its_trigger() -> None:
    view = seen("hermes-agent")
    assert all(": When " in line for line in view.lines)


@pytest.mark.parametrize(
    ("context", "counts"), [("64k", (0, 42, 0, 0)), ("32k", (0, 20, 17, 5))], ids=["shortened alike", "names too many"]
)
def test_codex_shortens_all_alike_and_then_drops_the_last(context: str, counts: tuple[int, ...]) -> None:
    view = seen(f"codex:{context}")
    if context == "64k":
        lengths = {len(line.split(": ", 1)[1].rpartition(" (file")[0]) for line in view.lines}
        assert max(lengths) - min(lengths) <= 4
    assert sum(map(len, (view.whole, view.cut, view.bare, view.missing))) == len(CATALOGUE)
    assert bool(view.missing) == (counts[3] > 0)


@given(catalogues, st.sampled_from(sorted(load_clients())), st.integers(1_000, 400_000))
def test_every_skill_is_counted_once_and_no_budget_is_passed(
    catalogue: dict[str, str], name: str, context: int
) -> None:
    client = load_clients()[name]
    view = view_catalogue(client, context, catalogue)
    counted = [*view.whole, *view.cut, *view.bare, *view.missing]
    assert sorted(counted) == sorted(catalogue)
    assert len(view.lines) == len(catalogue) - len(view.missing)
    if not view.is_over and not view.bare and not view.cut:
        assert view.whole == tuple(sorted(catalogue)) or view.missing


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("claude", "did you mean 'claude-code'"),
        ("codex:many", "'many' is no context"),
        ("codex:0", "'0' is no context"),
    ],
)
def test_what_is_no_client_or_context_is_named(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_client(text)


def test_every_figure_has_its_version_and_source() -> None:
    assert len(load_clients()) >= 6
    assert all(re.match(r"\d+\.\d+", each.version) and each.source for each in load_clients().values())
