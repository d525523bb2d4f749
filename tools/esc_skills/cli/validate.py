"""`esc-skills validate`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from esc_skills.bank.clients import Overflow, View, parse_client, view_catalogue
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
@click.option(
    "--client",
    "clients",
    multiple=True,
    metavar="NAME[:CONTEXT]",
    help="Also print what a model sees of the catalogue in a client, such as claude-code:200k, whose context has 200,000 tokens.",
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
def command(paths: tuple[Path, ...], rules: str, clients: tuple[str, ...], base: str | None, form: str) -> int:
    """Check skills, profile parts and settings, and report every problem at once.

    A PATH is a skill folder, a bank folder of any nesting, a profile part or a repository; without one, the folder that
    you are in. Ends with 1 where there are errors.
    """
    asked = [parse_client(each) for each in clients]
    report = validate_paths(paths or (Path(),), Rules(rules), base)
    views = [view_catalogue(*each, catalogue) for catalogue in report.catalogues for each in asked]
    _show(report, form, views)
    return EXIT_FINDINGS if has_errors(report.findings) else EXIT_FINE


def _show(report: Report, form: str, views: Sequence[View]) -> None:
    if form == "json":
        shown = {"views": [_told(view) for view in views]} if views else {}
        findings = [finding.as_json() for finding in report.findings]
        show_json({"checked": report.checked, "findings": findings, **shown})
        return
    for view in views:
        _show_view(view)
    for finding in report.findings:
        say(finding.as_annotation() if form == "github" else finding.as_text())
    files = "1 file" if report.checked == 1 else f"{report.checked:,} files"
    problems = (
        "no problem" if not report.findings else f"{len(report.findings)} problem{'s' * (len(report.findings) > 1)}"
    )
    say(f"{files} checked: {problems}", err=bool(report.findings))


def _show_view(view: View) -> None:
    for line in view.lines:
        for part in line.split("\n"):
            say(part)
    for name in view.missing:
        say(f"(nothing of {name})")
    client, unit = view.client, "tokens" if view.client.in_tokens else "characters"
    bound = "without a bound"
    if view.budget is not None:
        own = ", which the client's own skills share" if client.own or client.own_lines else ""
        bound = f"the catalogue takes {view.size:,} of {view.budget:,} {unit}{own}"
        bound += "; IT COMPLAINS" if view.is_over and client.overflow is Overflow.REFUSE else ""
    say(f"{client.name} {client.version} with {view.context:,} tokens: {_counted(view)}; {bound}", bold=True)
    say(f"measured by {client.source}")


def _counted(view: View) -> str:
    parts = {"whole": view.whole, "cut": view.cut, "by name alone": view.bare, "not at all": view.missing}
    return ", ".join(f"{len(names)} {how}" for how, names in parts.items() if names) or "no skill"


def _told(view: View) -> dict[str, Any]:
    client = view.client
    return {
        "client": client.name,
        "version": client.version,
        "source": client.source,
        "context": view.context,
        "budget": view.budget,
        "unit": "tokens" if client.in_tokens else "characters",
        "size": view.size,
        "over": view.is_over,
        "lines": list(view.lines),
        "whole": list(view.whole),
        "cut": list(view.cut),
        "bare": list(view.bare),
        "missing": list(view.missing),
    }
