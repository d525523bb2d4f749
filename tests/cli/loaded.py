"""What takes a run longer than all that it does before it is killed; `warm` lets it be done once for all its children."""

from __future__ import annotations

import importlib

from esc_skills.safety.flags import check_supporter_turn

_LIBRARIES = (
    "aiohttp",
    "esc_skills.cli.simulate",
    "esc_skills.models.client",
    "esc_skills.models.session",
    "jsonschema",
    "jsonschema_rs",
    "openai.resources.chat.completions",
)

for name in _LIBRARIES:
    importlib.import_module(name)
check_supporter_turn("There is time.", ["I want to die."])  # compiles the patterns
