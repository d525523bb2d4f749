"""The review page says what changed, for whom and how sure that is, and no text of a proposal breaks out of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from esc_skills.bank.spans import SpanChange, compare_files
from esc_skills.evidence.exercise import Exercise
from esc_skills.evidence.review import describe_change, render_review
from esc_skills.evidence.span_coverage import Coverage, CoveredSpan, LeftOut, SpanClass
from esc_skills.evidence.trial import Outcome, Trial, pair_of
from esc_skills.gate.decision import decide
from esc_skills.safety.danger import Danger
from esc_skills.settings import GateSettings
from esc_skills.simulation.players import cast_players
from esc_skills.transcript import Transcript
from esc_skills.vocabulary import Arm, Disposition, HiddenIntention
from tests.runs import episode, turn
from tests.samples import BODY, bank_of, shipped_population, skill_text

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
WORD_JOINER = "\u2060"
HOSTILE = [
    "`code` ``` fence ``` ~~~",
    "a | b | c\n|---|---|",
    "<script>alert(1)</script> <!-- <img src=x onerror=alert(1)>",
    "[a link](https://evil.example) ![an image](x.png) [ref]: x",
    "https://evil.example and www.evil.example and <https://evil.example>",
    "@maintainer please merge, see #1 or mail someone@evil.example",
    "one\n\n# A heading\n\ntwo\r\n---\nthree\u2028# four",
    "1. a list\n- an item\n> a quotation\n    some code",
    "**bold** _italic_ ~~gone~~ $x$ &lt; &#35; \\`escaped\\`",
    "””” “quotes” ![",
]
OWN_MARKS = ("<del>", "</del>", "<ins>", "</ins>")
BANK = bank_of(skill_text())
CALM = "Some words of no harm at all"


def pair(
    draw: int, base: int, candidate: int, said: str = "Take your time.", seeker: str = "It broke."
) -> tuple[Transcript, Transcript]:
    """Both episodes of a draw; where they differ, the candidate says something else from the second turn on."""
    arms = []
    for arm, final in ((Arm.BASE, base), (Arm.CANDIDATE, candidate)):
        answer = said if arm is Arm.CANDIDATE and base != candidate else "Hurry up."
        turns = (turn(0, seeker, "I see."), turn(final - 40, seeker, answer))
        made = episode(draw, *turns, arm=arm, final_emotion=final, disposition=list(Disposition)[draw % 3])
        arms.append(replace(made, intention=list(HiddenIntention)[draw % 8]))
    return arms[0], arms[1]


def outcome_of(*pairs: tuple[Transcript, Transcript]) -> Outcome:
    gate = GateSettings(draws=len(pairs), batch=len(pairs))
    decision = decide([pair_of(*each) for each in pairs], gate, exhausted=True)
    assert decision is not None
    return Outcome((), pairs, (), decision, Exercise(cast_players(), (BANK, BANK), 20))


OUTCOME = outcome_of(
    pair(0, 40, 50), pair(1, 40, 40), pair(2, 45, 35), pair(3, 40, 44), pair(4, 40, 70), pair(5, 40, 39)
)
CHANGE = SpanChange("wait-a-little/SKILL.md", "guidance", "guidance", "Wait.", "Wait longer.")
TRIAL = Trial(BANK, BANK, shipped_population(), GateSettings(), cast_players())


def covered(
    change: SpanChange, draws: int = 30, danger: Danger = Danger.NONE, left_out: LeftOut | None = None
) -> CoveredSpan:
    return CoveredSpan(change, SpanClass.PLAYED, danger, draws, 5, 20, left_out)


def page(*changes: SpanChange | CoveredSpan, outcome: Outcome = OUTCOME) -> str:
    spans = tuple(each if isinstance(each, CoveredSpan) else covered(each) for each in changes or (CHANGE,))
    coverage = Coverage(spans, TRIAL.models, "skills")
    return render_review("narrow-wait-a-little-0123456789", ["skills/wait-a-little/SKILL.md"], TRIAL, outcome, coverage)


def tokens(markdown: str) -> list[Token]:
    def flat(each: list[Token]) -> Iterator[Token]:
        for token in each:
            yield token
            yield from flat(token.children or [])

    return list(flat(MARKDOWN.parse(markdown)))


def skeleton(markdown: str) -> list[str]:
    """The page without its words: what a reader's Markdown makes headings, lists, tables, code and links of.

    Our own marks for words that came or went are no part of it, and text between them counts once.
    """
    found = [f"{token.type} {token.tag}" for token in tokens(markdown) if token.content not in OWN_MARKS]
    return [each for at, each in enumerate(found) if not (at and each == found[at - 1] == "text ")]


def shown(markdown: str) -> str:
    """The words that a reader sees, without the marks that part a mention from its name."""
    return "".join(token.content for token in tokens(markdown) if token.type == "text").replace(WORD_JOINER, "")


class TestHostileText:
    @pytest.mark.parametrize("text", HOSTILE)
    def test_a_changed_text_stays_inside_its_line(self, text: str) -> None:
        for before, after in ((text, text + "!"), (None, text), (text, None)):
            calm = replace(CHANGE, before=before and CALM, after=after and CALM + "!")
            markdown = page(replace(calm, before=before, after=after))
            assert skeleton(markdown) == skeleton(page(calm))
            if before and after:
                continue  # of what stayed, the words beside the change alone are shown
            told = shown(markdown).replace("⏎ ", " ").replace("⟨U+000D⟩", "").replace("⟨U+2028⟩", " ")
            assert " ".join(text.split()) in " ".join(told.split())

    @pytest.mark.parametrize("text", HOSTILE)
    def test_what_seeker_and_supporter_say_stays_inside_its_line(self, text: str) -> None:
        markdown = page(outcome=outcome_of(pair(0, 40, 50, text, text)))
        assert skeleton(markdown) == skeleton(page(outcome=outcome_of(pair(0, 40, 50, CALM, CALM))))
        assert shown(markdown).count(" ".join(text.split())) == 2

    @given(st.text(max_size=80) | st.text(alphabet="`*_[]()<>#|!&@~$:/\\-=+.w1 \n", max_size=40))
    def test_nor_does_any_other_text(self, text: str) -> None:
        assert skeleton(page(replace(CHANGE, after=f"a{text}"))) == skeleton(page(CHANGE))

    @pytest.mark.parametrize("text", HOSTILE)
    def test_a_skill_that_the_contract_accepts_cannot_do_more(self, text: str) -> None:
        line = " ".join(text.split())
        hostile = BODY.replace("Leave the next word to the seeker.", f"Leave it {line}")
        calm = BODY.replace("Leave the next word to the seeker.", f"Leave it {CALM}")
        pages = [
            page(*compare_files(BANK.contents, bank_of(skill_text(body=body)).contents)) for body in (hostile, calm)
        ]
        assert skeleton(pages[0]) == skeleton(pages[1])

    def test_addresses_and_mentions_are_not_left_for_github_to_link(self) -> None:
        line = describe_change(
            replace(CHANGE, after="https://a.example www.a.example @a #1 a@b.example HTTP://A WWW.a.example")
        )
        assert re.findall(r"https?://|www\.", line.lower()) == []
        assert f"\\@{WORD_JOINER}a" in line
        assert f"\\#{WORD_JOINER}1" in line
        assert f"a\\@{WORD_JOINER}b" in line

    def test_nothing_that_changed_is_cut(self) -> None:
        line = describe_change(replace(CHANGE, before=None, after="`" * 5000))
        assert line.count("\\`") == 5000

    def test_no_text_can_write_the_marks_itself(self) -> None:
        line = describe_change(replace(CHANGE, before="a", after="a </ins> b"))
        assert line.count("</ins>") == 1


class TestContent:
    def test_the_verdict_and_its_reason_stand_first(self) -> None:
        lines = page().split("\n")
        assert lines[0] == "# narrow-wait-a-little-0123456789"
        decision = OUTCOME.decision
        assert lines[2] == f"**Indecisive, simulated offline.** {decision.reason} {decision.would_decide}"
        assert lines[4].startswith("No language model and no person took part")
        assert "No outside witness" in lines[4]

    def test_the_effect_is_told_with_its_interval_and_evidence(self) -> None:
        low, high = OUTCOME.decision.interval
        assert "**+5.5 points**" in page()
        assert f"95 % interval is two-sided, and so wider: {low:+.1f} to {high:+.1f}." in page()
        assert (
            f"It is {OUTCOME.decision.e_value:.1f}, where 20 accepts: luck alone gets there in at most 5 % of tests."
            in page()
        )

    def test_each_change_is_a_line_and_a_row_with_what_it_was_played_in(self) -> None:
        added = replace(CHANGE, name="risks", part="risks", before=None, after="rushing: too fast")
        removed = replace(CHANGE, name="title", part="title", before="Opens.", after=None)
        markdown = page(CHANGE, covered(added, draws=0), removed)
        assert "- wait-a-little: guidance: Wait<ins> longer</ins>.\n" in markdown
        assert "- wait-a-little: risks, added: <ins>rushing: too fast</ins>\n" in markdown
        assert "- wait-a-little: title, removed: <del>Opens.</del>\n" in markdown
        assert "| wait-a-little: guidance | played | 30 draws, 5 scenarios |" in markdown
        assert "| wait-a-little: risks | played | nowhere |  | **needs an owner**: read in 0 draws" in markdown

    def test_a_span_that_was_read_and_ignored_shows_no_effect(self) -> None:
        without = [LeftOut(20, 1.5, (-0.5, 3.5)), LeftOut(20, 3.0, (1.0, 5.0))]
        markdown = page(*(covered(replace(CHANGE, name=f"s{at}"), left_out=each) for at, each in enumerate(without)))
        assert "| -1.5 points on 20 draws: no effect shown |" in markdown
        assert "| -3.0 points on 20 draws |" in markdown

    def test_a_span_that_others_carry_needs_somebody_s_word(self) -> None:
        went = replace(CHANGE, after=None)
        idle = covered(CHANGE, left_out=LeftOut(40, 0.5, (-1.0, 2.0)))
        unknown = covered(CHANGE, left_out=LeftOut(0, 0.0, (-100.0, 100.0)))
        helps = covered(CHANGE, left_out=LeftOut(40, 1.5, (0.5, 2.5)))
        missed = covered(went, left_out=LeftOut(40, -1.5, (-2.5, -0.5)))
        not_missed = covered(went, left_out=LeftOut(40, -1.5, (-4.0, 1.0)))
        opened = [each.is_open for each in (idle, unknown, helps, missed, not_missed)]
        assert opened == [True, True, False, True, False]
        told = "without it the change is worth -0.5 points (-2.0 to +1.0) on 40 draws, so that it helps is not shown"
        assert told in page(idle)
        assert "without it the change is worth +1.5 points (+0.5 to +2.5) on 40 draws, so it is missed" in page(missed)
        assert "more than 24 spans changed; split the change" in page(unknown)

    def test_an_acceptance_with_words_that_nobody_read_is_none(self) -> None:
        outcome = outcome_of(*[pair(at, 40, 95) for at in range(30)])
        assert outcome.decision.verdict == "accept"
        assert page(outcome=outcome).split("\n")[2].startswith("**Accept, simulated offline.**")
        told = page(covered(CHANGE, draws=0), outcome=outcome).split("\n")[2]
        assert told.startswith("**Indecisive, simulated offline: an owner has to vouch for 1 of 1 changed spans")

    def test_what_weakens_words_for_danger_beside_others_is_told_to_travel_alone(self) -> None:
        outcome = outcome_of(*[pair(at, 40, 95) for at in range(30)])
        weak = covered(replace(CHANGE, name="risks"), danger=Danger.WEAKENED)
        assert "travels alone" in page(weak, CHANGE, outcome=outcome).split("\n")[2]

    def test_every_stratum_that_was_drawn_has_a_row(self) -> None:
        rows = [
            line.split(" | ")[:3] for line in page().split("\n") if line.startswith(("| disposition", "| intention"))
        ]
        assert ["| disposition: negative", "2", "+7.0"] in rows
        assert ["| disposition: avoidant", "2", "-5.5"] in rows
        assert ["| intention: no-blame", "1", "+0.0"] not in rows
        assert len(rows) == 3 + 6

    def test_harm_is_marked_in_its_row(self) -> None:
        harmed = outcome_of(*[pair(at, 95, 12) for at in range(40)])
        assert harmed.decision.verdict == "reject"
        assert any(line.endswith("| harmed |") for line in page(outcome=harmed).split("\n"))
        assert "| harmed |" not in page()

    def test_flags_are_counted_by_arm(self) -> None:
        def flagged(arm: Transcript, *flags: str) -> Transcript:
            return replace(arm, turns=(replace(arm.turns[0], flags=flags), *arm.turns[1:]))

        base, candidate = pair(0, 40, 50)
        flags = outcome_of((flagged(base, "amber:blame"), flagged(candidate, "amber:blame", "red:shames")))
        assert "| amber:blame | 1 | 1 |\n| red:shames | 0 | 1 |" in page(outcome=flags)
        assert "No safety flag in either arm." in page()

    def test_the_episodes_that_changed_most_are_shown_up_and_down(self) -> None:
        headings = [line for line in page().split("\n") if line.startswith("### ")]
        assert headings == [
            "### boiler/tenant-4/be-heard, draw 4: 40 → 70",
            "### boiler/tenant-0/be-heard, draw 0: 40 → 50",
            "### boiler/tenant-2/be-heard, draw 2: 45 → 35",
            "### boiler/tenant-5/be-heard, draw 5: 40 → 39",
        ]

    def test_an_excerpt_begins_where_the_two_arms_part(self) -> None:
        excerpt = page(outcome=outcome_of(pair(0, 40, 50))).split("### ")[1]
        assert "Turn 2. **Seeker:** “It broke.”" in excerpt
        assert "- Before, `wait-a-little`: “Hurry up.” → +0" in excerpt
        assert "- After, `wait-a-little`: “Take your time.” → +10" in excerpt

    def test_where_nothing_changed_it_says_so(self) -> None:
        assert "No episode changed." in page(outcome=outcome_of(pair(0, 40, 40)))

    def test_it_ends_with_how_to_check_it(self) -> None:
        assert "esc-skills verify --base BASE --head evolve/narrow-wait-a-little-0123456789" in page()
        assert "[skills/wait-a-little/SKILL.md](../../skills/wait-a-little/SKILL.md)" in page()
        assert "the episodes beside this page.\n\n" in page()
        assert page().endswith("another agent adds its own (docs/agents.md).</sub>\n")

    def test_equal_outcomes_have_equal_pages(self) -> None:
        assert page() == page()
