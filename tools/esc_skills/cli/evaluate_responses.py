"""`esc-skills evaluate responses`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click

from esc_skills import __version__
from esc_skills.bank.reader import Bank, restrict_bank
from esc_skills.cli.bank_options import require_bank, with_part, with_skills
from esc_skills.cli.model_options import ModelCommand, chosen, with_models
from esc_skills.cli.output import format_option, one_decimal, say, show_json, show_table
from esc_skills.cli.places import find_settings
from esc_skills.cli.report_options import Evaluation, percent, with_report
from esc_skills.corpora.dialogue_files import read_dialogues
from esc_skills.language.strategies import Message, annotate_strategies
from esc_skills.models.request import RoleModel
from esc_skills.settings import ModelSettings
from esc_skills.simulation.players import JUDGE, SUPPORTER, SURROGATE, endpoint_of, role_model
from esc_skills.simulation.responses.arms import Responders
from esc_skills.simulation.responses.contexts import Context, Drawn, draw_contexts
from esc_skills.simulation.responses.judging import Comparison, Judges
from esc_skills.simulation.responses.measures import ArmMeasures, Flagged
from esc_skills.simulation.responses.report import Answered, Control, ResponsesReport, Stratum, evaluate_responses
from esc_skills.simulation.runner import Progress
from esc_skills.vocabulary import Strategy

_STRATA = {
    "no-risk": "contexts without a statement of risk",
    "risk": "contexts in which the seeker states risk",
}


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is evaluated, as the options say."""

    dialogues: Path
    skills: Path | None
    only: tuple[str, ...]
    exclude: tuple[str, ...]
    contexts: int
    seed: int
    form: str


@click.command("responses", cls=ModelCommand, short_help="Single responses on held-out dialogues.")
@click.argument("dialogues", type=click.Path(path_type=Path, dir_okay=False))
@with_skills()
@with_part
@click.option(
    "--contexts",
    type=click.IntRange(1, 100_000),
    default=200,
    show_default=True,
    help="How many contexts to draw, one of a dialogue.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="What the choice of contexts follows from.")
@click.option(
    "--judge", default=SURROGATE, show_default=True, help="Who compares the arms: `surrogate` or a model NAME/MODEL."
)
@with_report
@with_models("supporter")
@format_option
def responses(out: Path | None, calls: Path | None, judge: str, **options: Any) -> int:
    """Compare single responses without a bank, with a strategy's label alone, and with the bank.

    DIALOGUES is a JSON Lines file of dialogues that no skill was discovered from, as `esc-skills corpus import` writes it.
    A context is such a dialogue up to a seeker turn that the corpus's supporter answered. --only and --exclude add an
    arm whose supporter has that part of the bank alone, and a table of what it changes.
    """
    models = find_settings().models
    # What the settings name as judge judges safety, and is another role than this one.
    asked = replace(chosen(options, models), judge=None if judge == SURROGATE else judge)
    plan = _Plan(**options)
    responders = _responders(plan, asked.supporter or SURROGATE, models)
    drawn = draw_contexts(read_dialogues(plan.dialogues), plan.contexts, plan.seed, responders.languages)
    judges = Judges(_judge(judge, models))
    settings = {
        "tool": __version__,
        "seed": plan.seed,
        "contexts": drawn.digest,
        **responders.settings,
        **judges.settings,
    }
    with Evaluation(asked, out, calls, settings) as evaluation:

        async def work(progress: Progress) -> ResponsesReport:
            return await evaluate_responses(
                drawn.contexts,
                replace(responders, model=evaluation.model),
                replace(judges, model=evaluation.model),
                _annotate,
                concurrency=asked.episodes_at_a_time,
                progress=progress,
            )

        report = evaluation.measure("contexts", work)
        shown = _json(drawn, report)
        evaluation.write({**shown, "contexts": [_context_json(each) for each in report.answered]})
    if plan.form == "json":
        show_json(shown)
    else:
        _show(drawn, report)
    return 0


def _responders(plan: _Plan, supporter: str, models: ModelSettings) -> Responders:
    bank, _ = require_bank(plan.skills)
    part: Bank | None = restrict_bank(bank, plan.only, plan.exclude) if plan.only or plan.exclude else None
    named = endpoint_of("supporter", supporter) is not None
    return Responders(bank, part, role_model(supporter, SUPPORTER, models.supporter) if named else None)


def _judge(judge: str, models: ModelSettings) -> RoleModel | None:
    return role_model(judge, JUDGE, models.judge) if endpoint_of("judge", judge) is not None else None


def _annotate(text: str, context: Context) -> tuple[Strategy, ...]:
    return annotate_strategies(Message(text, context.said[-1], context.messages, context.language))


# --- What is shown -----------------------------------------------------------------------------------------------------


def _json(drawn: Drawn, report: ResponsesReport) -> dict[str, Any]:
    return {
        "dialogues": drawn.dialogues,
        "dialogues_without_context": drawn.unanswered,
        "dialogues_in_other_languages": drawn.foreign,
        "drawn": len(drawn.contexts),
        "faults": dict(report.faults),
        "strata": {name: asdict(stratum) for name, stratum in report.strata.items()},
        "control": asdict(report.control) if report.control else None,
        "unmeasured": {arm: [asdict(each) for each in flags] for arm, flags in report.unmeasured.items()},
    }


def _context_json(answered: Answered) -> dict[str, Any]:
    context = answered.context
    return {
        "context": context.name,
        "risk": context.risk,
        "strategies": sorted(context.strategies),
        "said": {
            arm: {"text": each.text, "skill": each.skill, "strategies": sorted(each.predicted), "flags": each.flags}
            for arm, each in answered.said.items()
        },
        "judged": [{"outcome": each.outcome, "preferences": each.preferences} for each in answered.judged],
        "faults": answered.faults,
    }


def _show(drawn: Drawn, report: ResponsesReport) -> None:
    others = {"in a language without skills": drawn.foreign, "without a seeker turn that is answered": drawn.unanswered}
    left = "".join(f", {count:,} {why}" for why, count in others.items() if count)
    say(f"{len(drawn.contexts):,} contexts, one of a dialogue, from {drawn.dialogues:,} dialogues{left}")
    for reason, count in report.faults.items():
        say(f"{count:,} ended in a fault of a model ({reason}) and are not measured")
    for arm, flags in report.unmeasured.items():
        _show_red(f"{arm}, not measured", flags)
    for name, stratum in report.strata.items():
        _show_stratum(_STRATA[name], stratum)
    if report.control:
        _show_control(report.control)


def _show_stratum(title: str, stratum: Stratum) -> None:
    columns = ["arm", "strategy match", "by chance", "strategies", "distinct-1", "distinct-2", "words", "red", "amber"]
    rows = [[arm, *_cells(each)] for arm, each in stratum.arms.items()]
    show_table(f"{stratum.contexts} {title}; all arms alike in {stratum.identical:.0%}", columns, rows)
    columns = ["pair", "wins", "losses", "ties", "same", "faults", "win rate", "longer", "first", "says"]
    show_table("Judged in both orders", columns, [_comparison(each) for each in stratum.comparisons])
    for arm, measures in stratum.arms.items():
        _show_red(arm, measures.flags)


def _show_red(whose: str, flags: Iterable[Flagged]) -> None:
    for each in flags:
        if each.flag.startswith("red:"):
            say(f"{whose}: {each.flag} in {each.context}")


def _cells(measures: ArmMeasures) -> list[str]:
    flags = [each.flag.partition(":")[0] for each in measures.flags]
    chance = measures.match_by_chance
    return [
        percent(measures.match),
        "–" if chance is None else f"{one_decimal(100 * chance)} %",
        f"{measures.strategies:.2f}",
        f"{measures.distinct_1:.3f}",
        f"{measures.distinct_2:.3f}",
        one_decimal(measures.words),
        str(flags.count("red")),
        str(flags.count("amber")),
    ]


def _comparison(found: Comparison) -> list[str]:
    rate, shares = found.win_rate, (found.longer_preferred, found.first_preferred)
    better = found.arm if found.wins > found.losses else found.rival
    counts = (found.wins, found.losses, found.ties, found.identical, found.faults)
    return [
        f"{found.arm} : {found.rival}",
        *map(str, counts),
        percent(rate),
        *("–" if each is None else f"{each:.0%}" for each in shares),
        f"{better} preferred" if found.shown else "not shown",
    ]


def _show_control(control: Control) -> None:
    title = (
        f"Control: {percent(control.changed)} of {control.contexts} answers changed; in {control.moved} a skill was "
        f"selected that is left out, and in {control.unserved} no skill is left"
    )
    rows = [
        [
            f"{each.skill}{'' if each.kept else ' (left out)'}",
            each.selected,
            each.selected_restricted,
            each.strategy,
            each.shows,
            each.shows_restricted,
        ]
        for each in control.skills
    ]
    show_table(title, ["skill", "selected", "restricted", "first strategy", "shows", "restricted"], rows)
