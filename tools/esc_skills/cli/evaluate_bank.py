"""`esc-skills evaluate bank`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from esc_skills import __version__
from esc_skills.cli.bank_options import require_bank, with_skills
from esc_skills.cli.model_options import ModelCommand, chosen, with_models
from esc_skills.cli.output import format_option, one_decimal, say, show_json, show_table
from esc_skills.cli.places import find_population, find_settings
from esc_skills.cli.report_options import Evaluation, points, with_report
from esc_skills.errors import InputError
from esc_skills.simulation.ablation import BankWorth, Contrast, RedFlag, weigh_bank
from esc_skills.simulation.draws import chance_of, plan_draws
from esc_skills.simulation.players import cast_players
from esc_skills.simulation.runner import Progress
from esc_skills.simulation.sentient_score import Score
from esc_skills.vocabulary import Split


@click.command("bank", cls=ModelCommand, short_help="Whole episodes, with each skill left out.")
@with_skills()
@click.option(
    "--profiles",
    type=click.Path(path_type=Path),
    help="The folder of profile parts. [default: the repository's, else the shipped ones]",
)
@click.option(
    "--draws", type=click.IntRange(2, 100_000), default=200, show_default=True, help="How many seekers are drawn."
)
@click.option(
    "--split",
    type=click.Choice([str(each) for each in Split]),
    default=str(Split.REPORT),
    show_default=True,
    help="Which profile parts are drawn from; those of the gate are refused.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="What the draws follow from.")
@with_report
@with_models("supporter", "seeker", "judge")
@format_option
def bank(
    skills: Path | None,
    profiles: Path | None,
    draws: int,
    split: str,
    seed: int,
    out: Path | None,
    calls: Path | None,
    form: str,
    **options: Any,
) -> int:
    """Simulate the bank against no bank, and against itself without each skill in turn.

    All arms play the same draws, those that `simulate` makes of the same split and seed. With the surrogate supporter,
    an episode in which the left-out skill was never selected is not played again.
    """
    if split == Split.GATE:
        raise InputError(
            "the gate's profile parts judge proposals, and whoever measures on them learns what no proposer may know",
            f"use --split {Split.REPORT}",
        )
    models = find_settings().models
    asked = chosen(options, models)
    whole, where = require_bank(skills)
    population = find_population(profiles)
    drawn = plan_draws(chance_of(seed, split, population), population, Split(split), 0, draws)
    settings = {
        "tool": __version__,
        "skills": whole.digest,
        "profiles": population.digest,
        "draws": draws,
        "split": split,
        "seed": seed,
    }
    roles = asked.roles
    judge = roles.get("judge")
    with Evaluation(asked, out, calls, settings) as evaluation:
        players = cast_players(roles["supporter"], roles["seeker"], judge=judge, model=evaluation.model, asked=models)

        async def work(progress: Progress) -> BankWorth:
            return await weigh_bank(drawn, whole, players, concurrency=asked.episodes_at_a_time, progress=progress)

        found = evaluation.measure("episodes", work)
        shown = asdict(found)
        evaluation.write({**shown, "players": players.settings})
    if form == "json":
        show_json(shown)
    else:
        say(
            f"{draws:,} draws of the {split} split with {where}; {found.played:,} episodes played, {found.reused:,} known"
        )
        _show(found)
    return 0


def _show(found: BankWorth) -> None:
    for reason, count in found.faults.items():
        say(f"{count:,} episodes ended in a fault of a model ({reason}) and are not scored")
    columns = ["arm", "score", "±", "success", "failure", "bank less this", "p"]
    rows = [
        ["bank", *_score(found.bank), "", ""],
        ["no bank", *_score(found.no_bank), _difference(found.contrast), _p(found.contrast.p)],
    ]
    show_table("The bank against none", columns, rows)
    _show_strata("By disposition", found.by_disposition)
    _show_strata("By hidden intention", found.by_intention)
    columns = ["without", "turns", "episodes", "differ", "score", "bank less this", "p (Holm)", "the skill"]
    rows = [
        [
            each.skill,
            f"{each.share_of_turns:.1%}",
            str(each.episodes),
            str(each.contrast.differing),
            one_decimal(each.score.score),
            _difference(each.contrast),
            "–" if each.p_adjusted is None else _p(each.p_adjusted),
            each.mark,
        ]
        for each in sorted(found.skills, key=_by_worth)
    ]
    show_table("Each skill left out in turn: exploratory, many looks at the same draws", columns, rows)
    _show_flags("the bank", "no bank", found.contrast)
    if both := found.contrast.red_both:
        say(f"red safety flags of the bank that no bank raises as well: {_listed(both)}")
    for skill in found.skills:
        _show_flags("the bank", f"without {skill.skill}", skill.contrast)


def _by_worth(each: Any) -> float:
    difference = each.contrast.difference
    return -difference.estimate if difference else 0.0


def _score(score: Score) -> list[str]:
    return [one_decimal(score.score), one_decimal(score.stderr), str(score.success), str(score.failure)]


def _difference(contrast: Contrast) -> str:
    return points(contrast.difference)


def _p(value: float) -> str:
    return f"{value:.4f}"


def _show_strata(title: str, strata: Mapping[Any, Contrast]) -> None:
    rows = [[key, each.pairs, _difference(each)] for key, each in strata.items()]
    show_table(title, ["", "pairs", "bank less none"], rows)


def _show_flags(one: str, other: str, contrast: Contrast) -> None:
    for arm, flags in ((one, contrast.red_with), (other, contrast.red_without)):
        if flags:
            rival = other if arm is one else one
            say(f"red safety flags of {arm} that {rival} does not raise: {_listed(flags)}")


def _listed(flags: tuple[RedFlag, ...]) -> str:
    draws: dict[str, list[str]] = {}
    for each in flags:
        draws.setdefault(each.code, []).append(str(each.draw))
    return "; ".join(f"{code} in draws {', '.join(found)}" for code, found in draws.items())
