"""`esc-skills validate`."""

from __future__ import annotations

from pathlib import Path

import click

from esc_skills.cli.output import say, show_json
from esc_skills.documents.findings import has_errors
from esc_skills.errors import EXIT_FINDINGS, EXIT_FINE
from esc_skills.validation import Report, Rules, validate_paths


@click.command("validate")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--rules",
    type=click.Choice([str(each) for each in Rules]),
    default=str(Rules.ESC),
    show_default=True,
    help="The published Agent Skills specification alone, or our contract with the portable subset too.",
)
@click.option("--base", metavar="REV", help="Ask a higher version of every skill that changed since this git revision.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="How to show it.",
)
def command(paths: tuple[Path, ...], rules: str, base: str | None, form: str) -> int:
    """Check skills, profile parts and settings, and report every problem at once.

    A PATH is a skill folder, a bank folder of any nesting, a profile part or a repository; without one, the folder that
    you are in. Ends with 1 where there are errors.
    """
    report = validate_paths(paths or (Path(),), Rules(rules), base)
    _show(report, form)
    return EXIT_FINDINGS if has_errors(report.findings) else EXIT_FINE


def _show(report: Report, form: str) -> None:
    if form == "json":
        show_json({"checked": report.checked, "findings": [finding.as_json() for finding in report.findings]})
        return
    for finding in report.findings:
        say(finding.as_annotation() if form == "github" else finding.as_text())
    files = "1 file" if report.checked == 1 else f"{report.checked:,} files"
    problems = (
        "no problem" if not report.findings else f"{len(report.findings)} problem{'s' * (len(report.findings) > 1)}"
    )
    say(f"{files} checked: {problems}", err=bool(report.findings))
