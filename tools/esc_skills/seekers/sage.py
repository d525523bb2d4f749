"""SAGE's seeker profiles: JSON Lines into whole profiles and back, without loss."""

from __future__ import annotations

import json
from typing import Any

import yaml

from esc_skills.documents.jsonl import parse_json_lines
from esc_skills.documents.schema import require_schema
from esc_skills.errors import DocumentError
from esc_skills.seekers.profile import WholeProfile
from esc_skills.transcript import intention_of_task
from esc_skills.vocabulary import DISPOSITION_LABELS, Disposition, HiddenIntention, Language

_KEYS = ("id", "player", "scene", "main_cha", "cha_group", "task", "first_talk")


def import_sage_profiles(text: str, shown: str) -> tuple[WholeProfile, ...]:
    """Read SAGE's profile file.

    Raises:
        DocumentError: A line lacks a field, holds an unknown disposition or task, or repeats an id.
    """
    profiles: dict[str, WholeProfile] = {}
    for line, value in parse_json_lines(text, shown):
        try:
            profile = _whole_profile(value)
        except (KeyError, TypeError, ValueError) as error:
            found = f"the field or value {error} is missing or unknown" if isinstance(error, KeyError) else str(error)
            raise DocumentError(shown, line, "sage-profile", found, "give a SAGE profile file as published") from error
        if profile.id in profiles:
            raise DocumentError(shown, line, "sage-profile", f"the id {profile.id!r} occurs twice")
        profiles[profile.id] = profile
    return tuple(profiles.values())


def _whole_profile(value: Any) -> WholeProfile:
    for key in _KEYS:
        if not isinstance(value[key], list if key == "cha_group" else str):
            raise ValueError(f"{key!r} should be {'a list' if key == 'cha_group' else 'text'}")
    if not value["id"] or not all(character.isalnum() or character in "-_" for character in value["id"]):
        raise ValueError(f"the id {value['id'][:60]!r} may hold letters, digits, hyphens and underscores alone")
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
        "source": {"format": "sage", "fields": profile.source},
    }
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=1_000_000)


def read_whole_profile(value: Any, shown: str) -> WholeProfile:
    """Return the record of a parsed whole profile.

    Raises:
        InputError: It departs from its schema, or its words differ from the source that it keeps.
    """
    require_schema(value, "whole-profile", shown)
    profile = _whole_profile(value["source"]["fields"])
    stated = (value["id"], Disposition(value["disposition"]), HiddenIntention(value["intention"]))
    if stated != (profile.id, profile.disposition, profile.intention):
        raise DocumentError(shown, 0, "source-differs", "id, disposition or intention differ from the source")
    return profile


def export_sage_profiles(profiles: tuple[WholeProfile, ...]) -> str:
    """Return whole profiles as SAGE's JSON Lines: the bytes that were imported, where SAGE wrote them."""
    return "".join(json.dumps(profile.source, ensure_ascii=False) + "\n" for profile in profiles)
