"""What a repository's calibration was made with, and whether that is what proposals are judged with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from esc_skills.documents.jsonl import parse_json
from esc_skills.documents.schema import require_schema
from esc_skills.documents.text import decode
from esc_skills.settings import GateSettings

FORMAT = "esc-skills/calibration/1"
#: Where a repository keeps its calibration, from the root.
FOLDER, RESULT, PLOT = "calibration", "result.json", "power.svg"


def read_calibration(data: bytes, shown: str) -> dict[str, Any]:
    """Return a calibration that was read from a repository.

    Raises:
        InputError: It is no JSON of `schemas/calibration.schema.json`.
    """
    value: dict[str, Any] = parse_json(decode(data, shown), shown)
    require_schema(value, "calibration", shown)
    return value


def calibration_age(
    result: Mapping[str, Any],
    profiles: str,
    *,
    gate: GateSettings | None = None,
    models: Mapping[str, str | None] | None = None,
    bank: str | None = None,
) -> str | None:
    """Return a warning where a calibration was made with something else than what is judged with; None where it was not.

    Args:
        result: What `read_calibration` returns.
        profiles: The digest of the profiles that are in use.
        gate: The gate settings of the repository, if they are to be compared.
        models: The models by role, if they are; roles that the calibration does not name are not looked at.
        bank: The digest of the bank, if it is; each merged proposal changes it.
    """
    inputs = result["inputs"]
    played = {role: name for role, name in (models or {}).items() if role in inputs["models"]}
    moved = {
        "profiles": inputs["profiles"] != profiles,
        "gate settings": gate is not None and inputs["gate"] != gate.tests(),
        "models": any(inputs["models"][role] != name for role, name in played.items()),
        "bank": bank is not None and inputs["bank"] != bank,
    }
    names = [name for name, differs in moved.items() if differs]
    if not names:
        return None
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return (
        f"{FOLDER}/{RESULT}: the gate was calibrated with other {listed} than those in use; "
        "`esc-skills gate calibrate` measures it again"
    )
