"""`esc-skills surrogate`."""

from __future__ import annotations

from dataclasses import asdict, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

import click

from esc_skills.cli.input_files import require_other
from esc_skills.cli.output import format_option, say, show_json, show_table
from esc_skills.corpora.dialogue_files import read_dialogues
from esc_skills.corpora.esconv import read_esconv
from esc_skills.corpora.streams import read_parts, starts_a_list
from esc_skills.documents.text import write_atomically
from esc_skills.errors import InputError
from esc_skills.language.strategies import SHIPPED as STRATEGIES
from esc_skills.language.strategies import load_strategy_model
from esc_skills.surrogate.annotating import fit_annotator, macro_f1, measure_annotator
from esc_skills.surrogate.appraisal import SHIPPED, load_seeker_model
from esc_skills.surrogate.evaluation import Agreement, evaluate_esconv, evaluate_sage, read_recorded
from esc_skills.surrogate.fitting import fit_seeker

_WORDS = {
    "turn_r": "Pearson r of the change a turn",
    "dialogue_r": "Pearson r of the final emotion, free-running",
    "dialogue_r_length": "… of the number of turns alone",
    "leaderboard_rho": "Spearman ρ of the supporters' mean scores",
    "feedback_rho": "Spearman ρ with human feedback",
    "feedback_rho_low": "… its 95 % lower bound",
    "feedback_rho_length": "… of length alone",
    "auc": "AUC of good against failed dialogues",
    "auc_length": "… of length alone",
}


@click.group("surrogate")
def command() -> None:
    """Fit and measure the surrogate seeker and the annotator of strategies.

    docs/surrogate.md says what it is, how well it agrees with what was recorded, and what it is not for.
    """


@command.command("fit", short_help="Fit the seeker on appraised transcripts.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The file of coefficients.",
)
@click.option("--source", default="", help="Where the files come from, for the record.")
@click.option("--licence", default="", help="Under what licence, for the record.")
def fit(files: tuple[Path, ...], out: Path, source: str, licence: str) -> int:
    """Fit the coefficients on appraised transcripts, such as SAGE's published result files."""
    require_other(out, files)
    recorded = [read_recorded(path) for path in sorted(files, key=lambda path: path.name)]
    model = fit_seeker(
        chain.from_iterable(each.transcripts for each in recorded), fitted_on=[each.source for each in recorded]
    )
    record = replace(model, source=source, licence=licence)
    write_atomically(out, record.as_json())
    click.echo(
        f"{len(record.features)} features from {sum(each.source.episodes for each in recorded)} episodes in {out}"
    )
    click.echo(f"next: esc-skills surrogate evaluate {' '.join(str(path) for path in files)}")
    return 0


@command.command("evaluate", short_help="How the seeker agrees with recorded ones.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--model",
    "model_file",
    type=click.Path(path_type=Path),
    default=SHIPPED,
    help="The coefficients' file. [default: the shipped one]",
)
@format_option
def evaluate(files: tuple[Path, ...], model_file: Path, form: str) -> int:
    """Measure how the surrogate agrees with what was recorded.

    SAGE result files give the agreement of emotion changes; files that the coefficients were fitted on are predicted by
    models fitted anew without the supporter that is predicted. ESConv files give the agreement with human feedback, and
    with FailedESConv beside them how well good and failed dialogues are told apart.
    """
    model = load_seeker_model(model_file)
    esconv = [path for path in files if starts_a_list(next(read_parts(path), b""))]
    recorded = [read_recorded(path) for path in files if path not in esconv]
    results = [evaluate_sage(recorded, model)] if recorded else []
    if esconv:
        results.append(evaluate_esconv(chain.from_iterable(read_esconv(path) for path in esconv), model))
    merged = _merge(results)
    if form == "json":
        show_json(merged)
        return 0
    for key, words in _WORDS.items():
        if merged[key] is not None:
            click.echo(f"{words}: {merged[key]:.3f}")
    click.echo(
        f"on {merged['episodes']} episodes"
        + (", in sample: fit without them to know more" if merged["in_sample"] else "")
    )
    return 0


@command.command("fit-annotator", short_help="Fit the annotator of strategies.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The file of coefficients.",
)
@click.option("--first", type=click.IntRange(1), help="Take the first N dialogues alone, and leave the others unseen.")
@click.option("--source", default="", help="What the dialogues are, for the record.")
def fit_annotator_command(files: tuple[Path, ...], out: Path, first: int | None, source: str) -> int:
    """Fit the annotator of strategies on labelled dialogues that `corpus import` wrote."""
    require_other(out, files)
    dialogues = tuple(islice(chain.from_iterable(map(read_dialogues, files)), first))
    model = fit_annotator(dialogues, source or f"the first {len(dialogues)} dialogues of {files[0].name}")
    write_atomically(out, model.as_json())
    say(f"{len(model.features)} features from {len(dialogues)} dialogues in {out}")
    say(f"next: esc-skills surrogate evaluate-annotator {files[0]} --skip {len(dialogues)} --model {out}")
    return 0


@command.command("evaluate-annotator", short_help="How the annotator agrees with labels.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--skip", type=click.IntRange(0), default=0, help="Leave out the first N dialogues, such as those fitted on."
)
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    default=STRATEGIES,
    help="The coefficients' file. [default: the shipped one]",
)
@format_option
def evaluate_annotator(files: tuple[Path, ...], skip: int, model: Path, form: str) -> int:
    """Measure how the annotator of strategies agrees with the labels of dialogues that `corpus import` wrote.

    A label that means any of several strategies counts as agreed with each of them.
    """
    dialogues = islice(chain.from_iterable(map(read_dialogues, files)), skip, None)
    found = measure_annotator(dialogues, load_strategy_model(model))
    if not found:
        raise InputError(f"{files[0]}: no supporter message is labelled", "give dialogues with the labels of ESConv")
    if form == "json":
        rows = [{**asdict(each), "precision": each.precision, "recall": each.recall, "f1": each.f1} for each in found]
        show_json({"macro_f1": macro_f1(found), "labels": rows})
        return 0
    show_table(
        "agreement with labels",
        ("label", "messages", "precision", "recall", "F1"),
        [
            (
                " or ".join(each.strategies),
                each.labelled,
                f"{each.precision:.2f}",
                f"{each.recall:.2f}",
                f"{each.f1:.2f}",
            )
            for each in found
        ],
    )
    say(
        f"macro-F1 {macro_f1(found):.3f} over {len(found)} labels and {sum(each.labelled for each in found):,} messages"
    )
    return 0


def _merge(results: list[Agreement]) -> dict[str, Any]:
    merged: dict[str, Any] = dict.fromkeys(asdict(results[0]))
    for result in results:
        merged.update({key: value for key, value in asdict(result).items() if value is not None})
    merged["episodes"] = sum(result.episodes for result in results)
    merged["in_sample"] = any(result.in_sample for result in results)
    return merged
