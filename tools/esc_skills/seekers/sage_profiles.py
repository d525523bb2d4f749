"""SAGE's seeker profiles: JSON Lines into whole profiles and back, without loss."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from esc_skills.documents.jsonl import parse_json_lines
from esc_skills.documents.schema import require_schema
from esc_skills.errors import DocumentError, InputError
from esc_skills.seekers import esc_eval
from esc_skills.seekers.profile import WholeProfile
from esc_skills.vocabulary import DISPOSITION_LABELS, Disposition, HiddenIntention, Language, intention_of_task

#: The id names a file, so it is as narrow as `schemas/whole-profile.schema.json` asks.
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_KEYS = ("id", "player", "scene", "main_cha", "cha_group", "task", "first_talk")


def import_sage_profiles(text: str, shown: str) -> tuple[WholeProfile, ...]:
    """Read SAGE's profile file.

    Raises:
        DocumentError: A line lacks a field, holds an unknown disposition or task, or repeats an id.
    """
    profiles: dict[str, WholeProfile] = {}
    for line, value in parse_json_lines(text, shown):
        profile = _read_profile(value, shown, line)
        if profile.id in profiles:
            raise DocumentError(shown, line, "sage-profile", f"the id {profile.id!r} occurs twice")
        profiles[profile.id] = profile
    return tuple(profiles.values())


def _read_profile(value: Any, shown: str, line: int) -> WholeProfile:
    try:
        return _whole_profile(value)
    except (KeyError, TypeError, ValueError) as error:
        found = f"the field or value {error} is missing or unknown" if isinstance(error, KeyError) else str(error)
        raise DocumentError(shown, line, "sage-profile", found, "give a SAGE profile file as published") from error


def _whole_profile(value: Any) -> WholeProfile:
    for key in _KEYS:
        if not isinstance(value[key], list if key == "cha_group" else str):
            raise ValueError(f"{key!r} should be {'a list' if key == 'cha_group' else 'text'}")
    if not _ID.fullmatch(value["id"]):
        raise ValueError(
            f"the id {value['id'][:60]!r} may hold letters, digits, hyphens and underscores alone, up to 100"
        )
    return WholeProfile(
        id=value["id"],
        language=Language.CHINESE,
        disposition=DISPOSITION_LABELS[value["main_cha"]],
        intention=intention_of_task(value["task"]),
        persona=value["player"],
        traits=tuple(value["cha_group"]),
        background=value["scene"],
        first_message=value["first_talk"],
        source=value,
    )


def whole_profile_yaml(profile: WholeProfile) -> str:
    """Return a whole profile as the YAML of `profiles/whole/<id>.yaml`."""
    content = {
        "id": profile.id,
        "language": str(profile.language),
        "disposition": str(profile.disposition),
        "intention": str(profile.intention),
        "source": {"format": profile.source_format, "fields": profile.source},
    }
    try:
        return yaml.dump(content, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=1_000_000)
    except RecursionError as error:
        raise InputError(f"profile {profile.id}: is nested too deeply", "give the file as published") from error


class _Dumper(yaml.SafeDumper):
    """Escapes the line ends of Unicode, which a YAML reader would fold or turn into LF."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if any(mark in text for mark in "\x85\u2028\u2029") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def read_whole_profile(value: Any, shown: str) -> WholeProfile:
    """Return the record of a parsed whole profile.

    Raises:
        InputError: It departs from its schema, or its words differ from the source that it keeps.
    """
    require_schema(value, "whole-profile", shown)
    disposition, intention = Disposition(value["disposition"]), HiddenIntention(value["intention"])
    source = value["source"]
    if source["format"] == esc_eval.FORMAT:
        profile = _read_card(source["fields"], shown, disposition, intention)
    else:
        profile = _read_profile(source["fields"], shown, 0)
    stated = (value["id"], disposition, intention)
    if stated != (profile.id, profile.disposition, profile.intention):
        raise DocumentError(shown, 0, "source-differs", "id, disposition or intention differ from the source")
    return profile


def _read_card(card: Any, shown: str, disposition: Disposition, intention: HiddenIntention) -> WholeProfile:
    try:
        return esc_eval.profile_of_card(card, disposition, intention)
    except ValueError as error:
        raise DocumentError(shown, 0, "role-card", str(error), "give a card as published") from error


def export_sage_profiles(profiles: tuple[WholeProfile, ...]) -> str:
    """Return whole profiles as SAGE's JSON Lines: the bytes that were imported, where SAGE wrote them.

    Raises:
        InputError: A profile came from elsewhere and lacks what SAGE's form asks.
    """
    for profile in profiles:
        if profile.source_format != "sage":
            raise InputError(
                f"profile {profile.id}: came from {profile.source_format}, which has no first message or traits",
                "export SAGE's profiles alone",
            )
    return "".join(json.dumps(profile.source, ensure_ascii=False) + "\n" for profile in profiles)
