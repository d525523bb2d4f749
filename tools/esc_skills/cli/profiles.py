"""`esc-skills profiles`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from esc_skills.documents.text import read_text, write_atomically
from esc_skills.documents.yaml import parse_yaml
from esc_skills.errors import InputError
from esc_skills.seekers.esc_eval import card_fields, import_role_cards
from esc_skills.seekers.profile import WholeProfile
from esc_skills.seekers.sage_profiles import (
    export_sage_profiles,
    import_sage_profiles,
    read_whole_profile,
    whole_profile_yaml,
)
from esc_skills.vocabulary import Disposition, HiddenIntention

_MAX_FILE = 100_000_000
_CARD = ("age", "gender", "occupation")
_out_option = click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("profiles/whole"),
    show_default=True,
    help="The folder that they go to.",
)


@click.group("profiles")
def command() -> None:
    """Import and export seeker profiles."""


@command.group("import")
def import_group() -> None:
    """Turn profiles of other projects into whole profiles."""


@import_group.command("sage")
@click.argument("file", type=click.Path(path_type=Path))
@_out_option
def import_sage(file: Path, out: Path) -> int:
    """Turn SAGE's profile file (JSON Lines) into whole profiles, one file each, without loss."""
    profiles = import_sage_profiles(read_text(file, limit=_MAX_FILE), str(file))
    if not profiles:
        raise InputError(f"{file}: holds no profile", "give SAGE's simulator_profile file")
    _write(profiles, out)
    return 0


@import_group.command("esc-eval")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--disposition", type=click.Choice([str(each) for each in Disposition]), required=True, help="Of all seekers."
)
@click.option(
    "--intention", type=click.Choice([str(each) for each in HiddenIntention]), required=True, help="Of all seekers."
)
@_out_option
def import_esc_eval(file: Path, disposition: str, intention: str, out: Path) -> int:
    """Turn ESC-Eval's role cards (JSON) into whole profiles, one file each.

    A card tells age, gender, occupation and problem. Disposition and hidden intention are yours to say: a card makes as
    many seekers. What a card does not mention is counted and never made up.
    """
    text = read_text(file, limit=_MAX_FILE)
    profiles = import_role_cards(text, str(file), Disposition(disposition), HiddenIntention(intention))
    if not profiles:
        raise InputError(f"{file}: holds no role card", "give a card file of ESC-Eval")
    _write(profiles, out)
    missing = Counter(name for each in profiles for name in _CARD if name not in card_fields(each.source))
    missing["first message"] = len(profiles)
    click.echo("not mentioned: " + ", ".join(f"{name} {count}" for name, count in missing.items()))
    return 0


def _write(profiles: tuple[WholeProfile, ...], out: Path) -> None:
    if out.suffix:
        raise InputError(f"{out}: should be a folder, and looks like a file", "the profiles go to one file each")
    # The position keeps the order of the source, which the export gives back.
    width = len(str(len(profiles)))
    for position, profile in enumerate(profiles, start=1):
        write_atomically(out / f"{position:0{width}}-{profile.id}.yaml", whole_profile_yaml(profile))
    click.echo(f"{len(profiles)} whole profiles in {out}")
    click.echo(f"next: esc-skills validate {out}")


@command.group("export")
def export_group() -> None:
    """Turn whole profiles back into the form of other projects."""


@export_group.command("sage")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The JSON Lines file.")
def export_sage(folder: Path, out: Path) -> int:
    """Turn a folder of whole profiles back into SAGE's JSON Lines, byte for byte as SAGE wrote them."""
    files = sorted(folder.glob("*.yaml")) if folder.is_dir() else []
    if not files:
        raise InputError(f"{folder}: holds no whole profile", "give the folder that `profiles import sage` wrote")
    profiles = tuple(read_whole_profile(parse_yaml(read_text(path), str(path)).value, str(path)) for path in files)
    write_atomically(out, export_sage_profiles(profiles))
    click.echo(f"{len(profiles)} profiles in {out}")
    return 0
