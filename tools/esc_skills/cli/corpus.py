"""`esc-skills corpus`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import click

from esc_skills.cli.input_files import reading, require_other
from esc_skills.cli.output import format_option, say, show_json, show_table
from esc_skills.corpora.dialogue_files import line_of, read_dialogues
from esc_skills.corpora.formats import NAMES, Format, csv_format, find_format
from esc_skills.corpora.importing import Account, Importer, NothingImportedError
from esc_skills.corpora.scrub import Kind, Scrubbed, Scrubber, read_names
from esc_skills.documents.findings import Finding
from esc_skills.documents.text import write_atomically
from esc_skills.errors import EXIT_FINDINGS, EXIT_FINE, InputError

#: How many findings and unmapped labels are shown one by one; all are counted.
_MAX_FINDINGS, _MAX_LABELS = 10_000, 40


@click.group("corpus")
def command() -> None:
    """Import published conversations, and take personal data out of them.

    docs/corpora.md says what is taken over of each corpus, and what is not.
    """


@command.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--from", "name", type=click.Choice(NAMES), required=True, help="The form of the files.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The JSON Lines file of dialogues."
)
@click.option("--name", "corpus", default="", help="The corpus's name. [default: the published one's, or the file's]")
@click.option(
    "--column", "columns", multiple=True, metavar="FIELD=COLUMN", help="With csv: which column is which field."
)
@click.option("--seeker", default="", metavar="VALUE", help="With csv: what the speaker's column says of the seeker.")
@click.option("--supporter", default="", metavar="VALUE", help="With csv: what it says of the supporter.")
@format_option
def import_files(
    files: tuple[Path, ...],
    name: str,
    out: Path,
    corpus: str,
    columns: tuple[str, ...],
    seeker: str,
    supporter: str,
    form: str,
) -> int:
    """Turn files of one form into dialogues, one a line.

    Whatever is not taken over is told with its file and line, and counted. Ends with 1 where anything was, and with 2,
    nothing written, where a file is of another form.
    """
    source = _format(name, columns, seeker, supporter)
    require_other(out, files)
    findings = _Findings(form)
    with reading(files) as progress:
        importer = Importer(source, corpus, findings.add, progress)
        try:
            write_atomically(out, importer.lines(files))
        except NothingImportedError:
            if form == "json":
                show_json({"out": None, **importer.account.as_json(), **findings.as_json()})
            raise
    if form == "json":
        show_json({"out": str(out), **importer.account.as_json(), **findings.as_json()})
    else:
        _show(importer.account, out)
    return EXIT_FINDINGS if importer.account.skipped else EXIT_FINE


def _format(name: str, columns: tuple[str, ...], seeker: str, supporter: str) -> Format:
    if name != "csv":
        if columns or seeker or supporter:
            raise InputError("--column, --seeker and --supporter are for --from csv", "leave them out")
        return find_format(name)
    named: dict[str, str] = {}
    for each in columns:
        field, equals, column = each.partition("=")
        if not equals or not column or field in named:
            found = "names a field twice" if field in named else "should be FIELD=COLUMN"
            raise InputError(f"--column {each}: {found}", "such as --column text=utterance")
        named[field] = column
    return csv_format(named, seeker, supporter)


class _Findings:
    """Shows findings as they come, or keeps them for JSON."""

    def __init__(self, form: str) -> None:
        self._form = form
        self._kept: list[Finding] = []
        self._count = 0

    def add(self, finding: Finding) -> None:
        self._count += 1
        if self._form != "json":
            say(finding.as_text())
        elif len(self._kept) < _MAX_FINDINGS:
            self._kept.append(finding)

    def as_json(self) -> dict[str, Any]:
        kept = [finding.as_json() for finding in self._kept]
        return {"findings": kept, "findings_not_listed": self._count - len(kept)}


def _show(account: Account, out: Path) -> None:
    show_table("", ("what", "count"), [("dialogues", account.dialogues), ("utterances", account.utterances)])
    if account.skipped:
        rows = [(code, count) for code, count in account.skipped.most_common()]
        show_table("skipped", ("reason", "count"), rows)
    for title, pairs in (("left out", account.left_out), ("labels without a word of ours", account.unmapped)):
        if pairs:
            _show_pairs(title, pairs)
    if account.mapped:
        kinds: Counter[str] = Counter()
        for (kind, _), count in account.mapped.items():
            kinds[kind] += count
        show_table("labels mapped", ("kind", "count"), kinds.most_common())
    skipped = account.skipped.total()
    told = f"; {skipped:,} skipped, whose reasons stand above" if skipped else ""
    say(f"{account.dialogues:,} dialogues in {out}{told}")
    say(f"next: esc-skills corpus scrub {out} --out clean.jsonl, or discover extract {out} --out units.jsonl")


def _show_pairs(title: str, pairs: Counter[tuple[str, str]]) -> None:
    rows: list[tuple[object, ...]] = [
        (f"{kind}: {label}", count) for (kind, label), count in pairs.most_common(_MAX_LABELS)
    ]
    if len(pairs) > _MAX_LABELS:
        rows.append(("… others, all in --format json", pairs.total() - sum(int(str(row[1])) for row in rows)))
    show_table(title, ("what", "count"), rows)


@command.command("scrub", short_help="Take personal data out of dialogues.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The JSON Lines file of dialogues."
)
@click.option(
    "--names", type=click.Path(path_type=Path), help="A file of names, one a line, to replace wherever they stand."
)
@format_option
def scrub(file: Path, out: Path, names: Path | None, form: str) -> int:
    """Replace personal data in dialogues by [NAME], [EMAIL], [PHONE], [ADDRESS], [ID] and [LINK].

    FILE is what `corpus import` wrote. English and Chinese; docs/corpora.md says how much is found and what cannot be.
    """
    require_other(out, [file, *([names] if names else [])])
    scrubber = Scrubber(read_names(names) if names else ())
    report = _Scrubbing()
    with reading([file]) as progress:
        dialogues = read_dialogues(file, progress)
        write_atomically(out, (report.line_of(scrubber.scrub(each)) for each in dialogues))
    if form == "json":
        show_json({"out": str(out), **report.as_json()})
        return EXIT_FINE
    show_table("replaced", ("kind", "count"), [(kind, report.counts[kind]) for kind in Kind])
    touched = f"{len(report.by_dialogue):,} of {report.dialogues:,} dialogues"
    say(f"{report.counts.total():,} replaced in {touched}; {out}")
    say("names that nothing introduces are not found: read a sample before you share it")
    say(f"next: esc-skills discover extract {out} --out units.jsonl")
    return EXIT_FINE


class _Scrubbing:
    """What was replaced so far; never what stood there."""

    def __init__(self) -> None:
        self.dialogues = 0
        self.counts: Counter[Kind] = Counter()
        self.by_dialogue: dict[str, dict[str, int]] = {}

    def line_of(self, scrubbed: Scrubbed) -> bytes:
        self.dialogues += 1
        if scrubbed.counts:
            self.counts += scrubbed.counts
            self.by_dialogue[scrubbed.dialogue.id] = {str(kind): count for kind, count in scrubbed.counts.items()}
        return line_of(scrubbed.dialogue)

    def as_json(self) -> dict[str, Any]:
        replaced = {str(kind): self.counts[kind] for kind in Kind}
        return {"dialogues": self.dialogues, "replaced": replaced, "by_dialogue": self.by_dialogue}
