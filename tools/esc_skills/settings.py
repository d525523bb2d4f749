"""The settings: `[tool.esc-skills]` of pyproject.toml, typed, where an unknown key is an error with a suggestion."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from esc_skills.documents.findings import Finding, Severity
from esc_skills.documents.schema import check_schema
from esc_skills.documents.text import decode
from esc_skills.errors import DocumentError, InputError
from esc_skills.vocabulary import Vocabulary

_TESTS = ("threshold", "harm_error", "max_faults", "draws", "batch", "stratum_draws")
#: What `gate.players` can be.
ANY, MODELS = "any", "models"


@dataclass(frozen=True, slots=True)
class GateSettings:
    """How a proposal is judged.

    Attributes:
        threshold: The e-value at which a proposal is accepted; 20 keeps false accepts at 5 % or under.
        harm_error: The error budget of all strata's harm tests together.
        max_faults: The share of faults above which a run decides nothing.
        draws: The most pairs that are drawn.
        batch: After how many pairs the gate looks.
        stratum_draws: The most draws of its own that a stratum gets which seems to lose by an accepted change; 0 for none.
        span_draws: In how many draws, of at least four scenarios, a changed span has to be in what the supporter read.
        players: Whose evidence suffices: `any`, or `models` where the surrogate's does not.
        trusted: Names of `allowed_signers` who draw the number that a plan follows from, and whose runs of models count; empty
            where nobody does, and then evidence says that there was no outside witness.
    """

    threshold: float = 20.0
    harm_error: float = 0.05
    max_faults: float = 0.02
    draws: int = 200
    batch: int = 20
    stratum_draws: int = 100
    span_draws: int = 20
    players: str = ANY
    trusted: tuple[str, ...] = ()

    def tests(self) -> dict[str, Any]:
        """Return what the tests of the gate follow from, whoever plays and whatever else is asked."""
        return {key: getattr(self, key) for key in _TESTS}

    def as_json(self) -> dict[str, Any]:
        """Return them as a statement and a journal hold them."""
        return {**asdict(self), "trusted": list(self.trusted)}


@dataclass(frozen=True, slots=True)
class RoleSettings:
    """Which model plays a role where no option says so, and how it is asked, whatever says which it is.

    Attributes:
        model: `endpoint/model`, or `surrogate` for supporter and seekers.
        temperature: 0 to 2; the role's own where it is None.
        max_tokens: The most tokens that an answer may have; the role's own where it is None.
        seed: The seed that is sent to the endpoint, if any.
    """

    model: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """The roles that models play.

    Where an endpoint is, and which variable holds its key, is never a repository's to say: whoever wrote the settings
    of a repository that somebody cloned could have that key sent to a server of theirs.
    """

    supporter: RoleSettings = RoleSettings()
    seeker: RoleSettings = RoleSettings()
    judge: RoleSettings = RoleSettings()
    second_seeker: RoleSettings = RoleSettings()
    analyst: RoleSettings = RoleSettings()
    annotator: RoleSettings = RoleSettings()


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a repository.

    Attributes:
        skills: The folder of the bank, from the repository's root.
        profiles: The folder of the profile parts.
        gate: How a proposal is judged.
        models: Who plays.
        owners: Whose signature decides what no simulation can: names of `allowed_signers` by pattern of paths, such as
            `profiles/**`, or of one part of a skill, such as `skills/**#license`.
        vocabulary: The words that skills may use: ours and the repository's own.
        allowed_text: What the scanner of texts finds and an owner allows, each as its rule and its words, such as
            `phone 116 123`.
    """

    skills: str = "skills"
    profiles: str = "profiles"
    gate: GateSettings = field(default_factory=GateSettings)
    models: ModelSettings = field(default_factory=ModelSettings)
    owners: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    allowed_text: frozenset[str] = frozenset()


def read_settings(data: bytes | None, shown: str) -> Settings:
    """Return the settings that a pyproject.toml holds; the shipped ones where there is none or it has no such table.

    Raises:
        InputError: It is no TOML, or a key is unknown or has a value out of range.
    """
    findings = check_settings(data, shown) if data is not None else []
    if findings:
        raise InputError(findings[0].as_text(), "docs/reference/settings.md lists the keys and what they mean")
    table = _table(data, shown) if data is not None else {}
    models = {role.replace("-", "_"): _role(each) for role, each in table.get("models", {}).items()}
    owners = {pattern: tuple(names) for pattern, names in table.get("owners", {}).items()}
    asked = table.get("gate", {})
    gate = GateSettings(**{**asked, "trusted": tuple(asked.get("trusted", ()))})
    own = {key: (*getattr(Vocabulary(), key), *words) for key, words in table.get("vocabulary", {}).items()}
    vocabulary = Vocabulary(**own)
    allowed = frozenset(table.get("text", {}).get("allowed", ()))
    folders = {key: table[key] for key in ("skills", "profiles") if key in table}
    return Settings(
        **folders, gate=gate, models=ModelSettings(**models), owners=owners, vocabulary=vocabulary, allowed_text=allowed
    )


def _role(value: Any) -> RoleSettings:
    if isinstance(value, str):
        return RoleSettings(value)
    return RoleSettings(**{key.replace("-", "_"): each for key, each in value.items()})


def check_settings(data: bytes, shown: str) -> list[Finding]:
    """Return where `[tool.esc-skills]` departs from `schemas/settings.schema.json`."""
    try:
        return check_schema(_table(data, shown), "settings", shown)
    except DocumentError as error:
        return [Finding(shown, error.line, "", error.code, Severity.ERROR, error.detail)]


def _table(data: bytes, shown: str) -> dict[str, Any]:
    try:
        tools: Any = tomllib.loads(decode(data, shown)).get("tool", {})
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise DocumentError(shown, 0, "toml-syntax", str(error)) from error
    table: dict[str, Any] = tools.get("esc-skills", {}) if isinstance(tools, dict) else tools
    return table
