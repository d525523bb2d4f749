"""The calibration: nulls that are nulls, one pass that says what the gate says, equal bytes, and what it refuses."""

from __future__ import annotations

import json
import random
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import chain, islice
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any
from xml.etree import ElementTree

import pytest

from esc_skills.bank.reader import Bank, read_bank, read_files
from esc_skills.calibration.measuring import exceeds
from esc_skills.calibration.pool import Difference, Pool, edit_bank, simulate_pool
from esc_skills.calibration.rehearsal import OwnChance, rehearse_rewordings, reword, stand_in
from esc_skills.calibration.resampling import Sampler, apart, flipped, judge, mean_of_planted, planted, skewed
from esc_skills.cli.main import run
from esc_skills.documents.shipped import shipped
from esc_skills.errors import InputError
from esc_skills.gate.calibration import calibration_age, read_calibration
from esc_skills.gate.decision import Decision
from esc_skills.gate.scrutiny import OwnPair, choose, conclude, more_draws
from esc_skills.gate.strata import Pair
from esc_skills.reports.powerplot import draw_power
from esc_skills.settings import GateSettings
from esc_skills.simulation.intervals import share_interval
from esc_skills.simulation.players import cast_players
from esc_skills.simulation.runner import wait_for
from esc_skills.vocabulary import Disposition, HiddenIntention, Risk, Split, Verdict
from tests.gate.test_decision import decide_sequence
from tests.samples import bank_of, shipped_population, skill_text
from tests.scripts import load_script

Capture = pytest.CaptureFixture[str]
DISPOSITIONS, INTENTIONS = tuple(Disposition), tuple(HiddenIntention)
ROOT = Path(__file__).resolve().parents[2]
POPULATION = shipped_population()
#: So little that a calibration takes seconds; what it finds does not matter to these tests.
QUICK = "[tool.esc-skills.gate]\ndraws = 10\nbatch = 5\n"
SMALL = ["--draws", "20", "--proposals", "16", "--trials", "2"]


def differences(count: int = 240, sd: float = 30, seed: int = 5) -> list[Difference]:
    """What a pool may hold: whole points, no zeros, a mean that is not zero, strata of different sizes."""
    rng = random.Random(seed)
    points = (min(100, max(-100, round(rng.gauss(4, sd)))) or 5 for _ in range(count))
    return [
        Difference(each, rng.choice(DISPOSITIONS), INTENTIONS[min(int(rng.expovariate(0.3)), 7)]) for each in points
    ]


NULLS: dict[str, Callable[[list[Difference]], Sampler]] = {
    "sign-flipped": flipped,
    "heterogeneous": apart,
    "few large losses": lambda pool: skewed(pool, often=1),
    "few large gains": lambda pool: skewed(pool, often=-1),
}


@pytest.mark.parametrize("name", NULLS)
@pytest.mark.parametrize("sd", [10, 30, 60])
def test_a_null_has_mean_zero_and_hardly_a_zero(name: str, sd: float) -> None:
    draws = [each.points for each in _many(NULLS[name](differences(sd=sd)), 300, 100)]
    assert abs(fmean(draws)) <= 4 * pstdev(draws) / len(draws) ** 0.5
    assert sum(each != 0 for each in draws) >= 0.9 * len(draws)
    assert max(map(abs, draws)) <= 100


def _many(sampler: Sampler, proposals: int, count: int) -> list[Difference]:
    rng = random.Random(1)
    return [each for _ in range(proposals) for each in islice(sampler(rng), count)]


def test_the_strata_of_a_heterogeneous_null_lie_apart_within_a_proposal() -> None:
    proposal = list(islice(apart(differences(sd=5))(random.Random(2)), 4000))
    means = [fmean(each.points for each in proposal if each.disposition is kind) for kind in DISPOSITIONS]
    assert max(means) - min(means) > 5


def test_a_skewed_null_is_mostly_small_one_way_and_seldom_large_the_other() -> None:
    points = [each.points for each in islice(skewed(differences(), often=1)(random.Random(3)), 4000)]
    gains, losses = [each for each in points if each > 0], [-each for each in points if each < 0]
    assert len(gains) > 5 * len(losses)
    assert fmean(losses) > 5 * fmean(gains)


@pytest.mark.parametrize("effect", [0, 8, 60])
def test_a_planted_effect_is_what_is_left_after_clipping(effect: int) -> None:
    pool = differences()
    drawn = [each.points for each in _many(planted(pool, effect), 200, 100)]
    realised = mean_of_planted(pool, effect)
    assert fmean(drawn) == pytest.approx(realised, abs=4 * pstdev(drawn) / len(drawn) ** 0.5)
    assert realised == pytest.approx(effect, abs=0.1) if effect < 20 else realised < effect


@pytest.mark.parametrize(
    "gate",
    [
        GateSettings(draws=60, batch=7, threshold=3.0, stratum_draws=10),
        GateSettings(draws=45, batch=45, threshold=2.0, harm_error=0.9, stratum_draws=12),
        GateSettings(draws=60, batch=20, threshold=6.0, harm_error=0.9, stratum_draws=12),
        GateSettings(stratum_draws=0),
    ],
)
@pytest.mark.thorough
def test_one_pass_says_what_the_gate_says_at_its_looks(gate: GateSettings) -> None:
    verdicts, looked_into = set(), 0
    for seed in range(60):
        rng = random.Random(seed)
        sampler = rng.choice([apart(differences()), planted(differences(), rng.choice((-20, 5, 20)))])
        stream = sampler(rng)
        planned = list(islice(stream, gate.draws))
        behind = list(islice(stream, 100 * gate.stratum_draws))
        decision = _as_the_gate_decides(planned, behind, gate)
        judged = judge(chain(planned, behind), gate)
        assert (judged.verdict, judged.draws, judged.own_draws) == (
            decision.verdict,
            decision.draws,
            decision.own_draws,
        )
        verdicts.add(judged.verdict)
        looked_into += judged.own_draws > 0
    assert verdicts == set(Verdict)
    assert (looked_into > 0) == (gate.stratum_draws > 0)


def _as_the_gate_decides(planned: list[Difference], behind: list[Difference], gate: GateSettings) -> Decision:
    """What the gate's own functions come to on draws that were made before."""
    pairs = _pairs([*planned, *behind])
    decision = decide_sequence(pairs[: gate.draws], gate)
    assert decision is not None
    own: list[OwnPair] = []
    at = decision.draws
    while room := more_draws(decision, own, gate):
        own += [OwnPair(*picked) for picked in choose(room, pairs[at:], lambda pair: pair.strata, gate.batch)]
        at = own[-1].pair.position + 1
    return conclude(decision, pairs[: decision.draws], own, gate)


def _pairs(drawn: list[Difference]) -> list[Pair]:
    return [
        Pair(at, each.disposition, each.intention, max(0, -each.points), max(0, each.points))
        for at, each in enumerate(drawn)
    ]


@pytest.mark.parametrize("name", NULLS)
def test_nulls_are_accepted_no_more_often_than_promised(name: str) -> None:
    rng, gate, proposals = random.Random(11), GateSettings(draws=100), 500
    sampler = NULLS[name](differences(sd=40))
    accepted = sum(judge(sampler(rng), gate).verdict is Verdict.ACCEPT for _ in range(proposals))
    share = share_interval(accepted, proposals)
    assert share is not None
    assert share.low <= 0.05


@cache
def bank() -> Bank:
    return read_bank(read_files(shipped("skills")), "skills")


def test_a_pool_never_holds_gate_seekers() -> None:
    pool = simulate_pool(bank(), POPULATION, cast_players(), Split.GATE, 20, 0, lambda done, total: None)
    with pytest.raises(InputError, match="gate parts would show them"):
        wait_for(pool)


def test_the_parts_that_stand_in_for_the_gates_are_another_splits() -> None:
    held_out = {each.name for each in (*POPULATION.scenarios, *POPULATION.personas) if each.split is Split.GATE}
    scenarios, personas, _ = stand_in(POPULATION, Split.REPORT).parts(Split.GATE)
    assert held_out
    assert not held_out & {each.name for each in (*scenarios, *personas)}


def test_the_edits_of_a_pool_leave_skills_for_seekers_at_risk_alone() -> None:
    edits = edit_bank(bank())
    assert len(edits) == 4
    at_risk = [each for each in bank().skills.values() if Risk.IMMINENT in each.risk_levels]
    assert at_risk
    for edited in edits.values():
        assert edited.digest != bank().digest
        assert all(edited.skills[each.name] == each for each in at_risk)


def test_a_bank_of_one_skill_has_fewer_edits() -> None:
    assert list(edit_bank(bank_of(skill_text()))) == ["starters"]


def test_wording_alone_moves_episodes_whose_chance_follows_from_it() -> None:
    own = OwnChance(cast_players())
    assert own.settings != cast_players().settings
    assert reword(bank(), 0).digest != reword(bank(), 1).digest != bank().digest
    gate, seekers = GateSettings(draws=10, batch=10), stand_in(POPULATION, Split.REPORT)
    (done,) = wait_for(rehearse_rewordings(bank(), seekers, gate, cast_players(), 1, lambda done, total: None))
    assert len(done.differences) == 10
    assert sum(each.points != 0 for each in done.differences) >= 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with quick settings and, in `first`, a calibration with the surrogate."""
    folder = tmp_path_factory.mktemp("calibration")
    (folder / "pyproject.toml").write_text(QUICK)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run(["gate", "calibrate", *SMALL, "--out", "first"]) == 0
    return folder


@pytest.fixture
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(folder)
    return folder


def result_in(folder: Path) -> dict[str, Any]:
    return read_calibration((folder / "result.json").read_bytes(), "result.json")


def test_a_calibration_says_what_it_was_made_with_and_what_was_found(here: Path) -> None:
    result = result_in(here / "first")
    assert result["inputs"]["bank"] == bank().digest
    assert result["inputs"]["profiles"] == POPULATION.digest
    assert result["inputs"]["models"] == {"supporter": "surrogate", "seeker": "surrogate", "judge": None}
    assert (result["inputs"]["split"], result["inputs"]["gate"]["draws"]) == ("report", 10)
    assert result["pool"]["draws"] == 20
    assert result["nulls"]["all"]["proposals"] == 8 * 16
    assert all(each["not_zero"] >= 0.9 for each in result["nulls"]["kinds"])
    thresholds = {(each["index"], each["accepted_before"]): each["threshold"] for each in result["power"]["curves"]}
    assert thresholds == {(1, 0): 20, (10, 0): 1100, (10, 3): 275}
    assert result["end_to_end"]["wording_only"]["proposals"] == 2
    assert len(result["end_to_end"]["edits"]) == 8


@pytest.mark.thorough
def test_equal_options_give_equal_bytes(here: Path, capsys: Capture) -> None:
    assert run(["gate", "calibrate", *SMALL, "--out", "again"]) == 0
    shown = capsys.readouterr().out
    assert "False accepts within 10 draws; at most 5.00% are promised" in shown
    assert "Whole trials of wording alone" in shown
    for name in ("result.json", "power.svg"):
        assert (here / "again" / name).read_bytes() == (here / "first" / name).read_bytes()


def test_the_plot_is_an_svg_with_a_line_for_each_curve(here: Path) -> None:
    text = (here / "first" / "power.svg").read_text()
    root = ElementTree.fromstring(text)
    lines = root.findall("{http://www.w3.org/2000/svg}polyline")
    assert len(lines) == len(result_in(here / "first")["power"]["curves"])
    assert "prefers-color-scheme: dark" in text


@pytest.fixture(scope="module")
def runs(folder: Path) -> Path:
    """Recorded runs: the shipped bank, the weakened one on equal draws, other draws, and gate seekers."""
    weakened = str(shipped("examples", "weakened-bank"))
    plans: dict[str, list[str]] = {
        "base": [],
        "weakened": ["--skills", weakened],
        "others": ["--seed", "1", "--skills", weakened],
        "held-out": ["--split", "gate"],
    }
    for name, options in plans.items():
        assert run(["simulate", "--draws", "20", "--out", str(folder / f"{name}.jsonl"), *options]) == 0
    shutil.copy(folder / "base.jsonl", folder / "once-more.jsonl")
    return folder


def calibrated(*files: str, out: str = "of-runs") -> int:
    pools = [option for file in files for option in ("--pool", f"{file}.jsonl")]
    return run(["gate", "calibrate", *pools, "--proposals", "16", "--out", out, "--format", "json"])


def test_recorded_runs_are_a_pool_and_need_nobody_to_play(here: Path, runs: Path, capsys: Capture) -> None:
    assert calibrated("base", "weakened") == 0
    result = json.loads(capsys.readouterr().out)
    assert result == result_in(here / "of-runs")
    assert (result["inputs"]["source"], len(result["inputs"]["runs"])) == ("runs", 2)
    assert result["inputs"]["bank"] == bank().digest
    assert result["end_to_end"] is None
    assert {each["noise"] for each in result["nulls"]["kinds"]} == {"edits"}


def test_a_draw_that_ended_in_a_fault_is_left_out_of_all_runs(here: Path, runs: Path, capsys: Capture) -> None:
    lines = [json.loads(line) for line in (runs / "base.jsonl").read_text().splitlines()]
    for at, line in enumerate(lines):
        line["final_emotion"] = (line["final_emotion"] + 5 * at) % 100
    lines[3]["termination"] = "fault-empty"
    (runs / "chance.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert calibrated("base", "chance", "weakened") == 0
    pool = json.loads(capsys.readouterr().out)["pool"]
    assert (pool["draws"], pool["faults"]) == (19, 1)
    assert pool["rerun"]["not_zero"] > 0.8
    assert list(pool["edits"]) == ["2-weakened"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (["base"], "one recorded run holds no pairs"),
        (["base", "others"], "has other draws than base.jsonl"),
        (["held-out", "weakened"], "holds gate parts"),
        (["base", "once-more"], "is a run of the bank of base.jsonl"),
    ],
)
def test_runs_that_make_no_pool_are_refused(
    here: Path, runs: Path, files: list[str], words: str, capsys: Capture
) -> None:
    assert calibrated(*files, out="refused") == 2
    assert words in capsys.readouterr().err
    assert not (here / "refused").exists()


def test_runs_of_other_profiles_are_refused(here: Path, runs: Path, tmp_path: Path, capsys: Capture) -> None:
    profiles = tmp_path / "profiles"
    shutil.copytree(shipped("profiles"), profiles)
    for path in profiles.glob("personas/*.yaml"):
        path.write_text(re.sub(r"\nage: \d+", "\nage: 77", path.read_text()))
    pools = ["--pool", "base.jsonl", "--pool", "weakened.jsonl"]
    assert run(["gate", "calibrate", *pools, "--profiles", str(profiles), "--out", "refused"]) == 2
    assert "is no profile of these parts" in capsys.readouterr().err


def test_a_calibration_is_as_old_as_what_it_was_made_with(here: Path) -> None:
    result = result_in(here / "first")
    gate, models = GateSettings(draws=10, batch=5), {"supporter": "surrogate", "second_seeker": None}
    known: dict[str, Any] = {"gate": gate, "models": models, "bank": bank().digest}
    assert calibration_age(result, POPULATION.digest, **known) is None
    warning = calibration_age(result, "sha256:other", gate=replace(gate, draws=200), models=models)
    assert warning is not None
    assert "with other profiles and gate settings than those in use" in warning
    assert "esc-skills gate calibrate" in warning
    assert "models" in str(calibration_age(result, POPULATION.digest, models={"seeker": "local/qwen3"}))


def test_what_is_no_calibration_is_refused(here: Path) -> None:
    result = result_in(here / "first")
    for broken in ({**result, "format": "other"}, {**result, "more": 1}, {**result, "nulls": {}}):
        with pytest.raises(InputError, match="schema-"):
            read_calibration(json.dumps(broken).encode(), "calibration/result.json")


def test_nulls_beyond_the_promise_are_told(here: Path) -> None:
    result = result_in(here / "first")
    assert exceeds(result) == []
    kind = {**result["nulls"]["kinds"][0], "interval": [0.06, 0.09]}
    assert exceeds({**result, "nulls": {**result["nulls"], "kinds": [kind]}}) == ["wording only (rerun)"]


def test_a_pool_of_seekers_whom_the_bank_cannot_answer_says_so() -> None:
    # No seeker speaks its language, which is told before the first episode.
    silent = bank_of(skill_text(esc_language="zh"))
    pool = simulate_pool(silent, POPULATION, cast_players(), Split.REPORT, 20, 0, lambda done, total: None)
    with pytest.raises(InputError, match="no skill of the bank has examples in the language 'en'"):
        wait_for(pool)


@pytest.mark.skipif(not (ROOT / "bench").is_dir(), reason="the edits stand in the checkout's bench/")
@pytest.mark.thorough
def test_no_nonsense_that_is_stuffed_with_cues_is_accepted() -> None:
    nonsense = load_script("nonsense")
    edits = [edit for edit in nonsense.edits(read_files(shipped("skills")), bank()) if edit[0] == nonsense.WHOLE]
    assert len(edits) == 10
    assert [kind for _, kind, edited in edits if nonsense.judged(bank(), edited).verdict is not Verdict.REJECT] == []


@pytest.mark.skipif(not (ROOT / "calibration").is_dir(), reason="the calibration stands in the checkout")
def test_the_calibration_of_the_repository_is_that_of_its_profiles() -> None:
    result = result_in(ROOT / "calibration")
    assert calibration_age(result, POPULATION.digest, gate=GateSettings()) is None
    assert result["nulls"]["all"]["proposals"] >= 1000
    assert result["end_to_end"]["wording_only"]["proposals"] >= 50
    assert (ROOT / "calibration" / "power.svg").read_text() == draw_power(result["power"]["curves"])


def test_pools_keep_what_was_left_out_of_nulls() -> None:
    strata = ((Disposition.PASSIVE, HiddenIntention.BE_HEARD),) * 3
    pool = Pool(strata, (40, 50, 60), (45, 50, 55), {"edit": (40, 55, 50)}, 0, {})
    assert [each.points for each in pool.differences("edit")] == [0, 5, -10]
    assert [each.points for each in pool.edits()] == [5, -10]
    assert [each.points for each in pool.rerun()] == [5, 0, -5]
