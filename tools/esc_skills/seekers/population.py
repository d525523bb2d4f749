"""Reading of profile parts from files or from a git tree, all their problems at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from esc_skills.documents.findings import Finding, Severity, finding_of, has_errors
from esc_skills.documents.jsonl import digest_json
from esc_skills.documents.schema import check_schema, line_at
from esc_skills.documents.templates import find_unfilled
from esc_skills.documents.text import decode, require_size
from esc_skills.documents.yaml import YamlDocument, parse_yaml
from esc_skills.errors import DocumentError, InputError
from esc_skills.seekers.profile import Intention, Persona, Profile, Reactions, Scenario
from esc_skills.vocabulary import Disposition, EmotionType, HiddenIntention, Language, ProblemType, Risk, Split


@dataclass(frozen=True, slots=True)
class Population:
    """All parts that profiles are composed of.

    Attributes:
        digest: The digest of every part's content.
    """

    scenarios: tuple[Scenario, ...]
    personas: tuple[Persona, ...]
    intentions: tuple[Intention, ...]
    digest: str

    def parts(self, split: Split) -> tuple[tuple[Scenario, ...], tuple[Persona, ...], tuple[Intention, ...]]:
        """Return the scenarios and personas of a split, and the hidden intentions, which belong to all.

        Raises:
            InputError: The split has no scenario or no persona.
        """
        scenarios = tuple(each for each in self.scenarios if each.split is split)
        personas = tuple(each for each in self.personas if each.split is split)
        if not scenarios or not personas:
            raise InputError(
                f"the split {split} has {len(scenarios)} scenarios and {len(personas)} personas; both are needed"
            )
        return scenarios, personas, self.intentions

    def profiles(self, split: Split) -> tuple[Profile, ...]:
        """Return every profile of a split, by scenario, persona and hidden intention."""
        scenarios, personas, intentions = self.parts(split)
        return tuple(Profile(s, p, i) for s in scenarios for p in personas for i in intentions)


def kind_of_part(path: str, value: Any) -> str:
    """Return the schema of a profile part: by its folder, or by its keys where the folder does not tell; or nothing."""
    pure = PurePosixPath(path)
    by_folder = {"scenarios": "scenario", "personas": "persona", "whole": "whole-profile"}.get(pure.parent.name, "")
    if by_folder or pure.stem == "intentions":
        return by_folder or "intentions"
    keys = set(value) if isinstance(value, dict) else set()
    by_key = {"disclosures": "scenario", "reactions": "persona", "intentions": "intentions", "source": "whole-profile"}
    return next((kind for key, kind in by_key.items() if key in keys), "")


def check_part(data: bytes, path: str) -> tuple[list[Finding], str, Any]:
    """Check one profile part.

    Returns:
        Its findings, its kind (`scenario`, `persona`, `intentions` or `whole-profile`) and its value; None where it cannot be used.
    """
    try:
        require_size(data, path)
        document = parse_yaml(decode(data, path), path)
    except DocumentError as error:
        return [finding_of(error)], "", None
    kind = kind_of_part(path, document.value)
    if not kind:
        message = "is no scenario, persona, intentions or whole profile; put it into the folder of its kind"
        return [Finding(path, 0, "", "unknown-kind", Severity.ERROR, message)], "", None
    findings = list(find_unfilled(decode(data, path), path)) or check_schema(document.value, kind, path, document.lines)
    if not findings:
        findings = list(_check_names(kind, document, path))
    return findings, kind, None if has_errors(findings) else document.value


def _check_names(kind: str, document: YamlDocument, path: str) -> Iterable[Finding]:
    if kind in ("scenario", "persona") and document.value["name"] != PurePosixPath(path).stem:
        message = f"the name {document.value['name']!r} differs from the file's; rename one of them"
        yield Finding(path, line_at(document.lines, "/name"), "/name", "file-name", Severity.ERROR, message)
    if kind == "intentions":
        names = [each["name"] for each in document.value["intentions"]]
        if sorted(names) != sorted(HiddenIntention):
            message = f"should list each of the eight once, and lists {', '.join(names)}"
            yield Finding(
                path, line_at(document.lines, "/intentions"), "/intentions", "intentions", Severity.ERROR, message
            )


def read_population(files: Mapping[str, bytes], shown: str) -> Population:
    """Read all parts of a `profiles/` folder, from files or from a git tree.

    Args:
        files: Content by path relative to the folder.
        shown: The folder's name for messages.

    Raises:
        InputError: Any part has an error; the message holds the first and the number of the others.
    """
    parts: dict[str, list[Any]] = {"scenario": [], "persona": [], "intentions": [], "whole-profile": []}
    findings: list[Finding] = []
    for path in sorted(files):
        if path.endswith((".yaml", ".yml")):
            found, kind, value = check_part(files[path], f"{shown}/{path}")
            findings.extend(found)
            if value is not None:
                parts[kind].append(value)
    if has_errors(findings):
        more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
        raise InputError(f"{findings[0].as_text()}{more}", "see `esc-skills validate` for all of them")
    if not (parts["scenario"] and parts["persona"] and len(parts["intentions"]) == 1):
        counts = ", ".join(f"{len(each)} {kind}" for kind, each in parts.items())
        raise InputError(
            f"{shown}: has {counts}; scenarios, personas and one intentions.yaml are needed",
            "whole profiles alone cannot be simulated offline",
        )
    scenarios = tuple(build_scenario(each) for each in parts["scenario"])
    personas = tuple(build_persona(each) for each in parts["persona"])
    intentions = tuple(build_intention(each) for each in parts["intentions"][0]["intentions"])
    content = digest_json([[each.content for each in group] for group in (scenarios, personas, intentions)])
    return Population(scenarios, personas, intentions, content)


def build_scenario(value: dict[str, Any]) -> Scenario:
    """Return the record of a parsed scenario that its schema accepts."""
    return Scenario(
        name=value["name"],
        split=Split(value["split"]),
        language=Language(value["language"]),
        problem_type=ProblemType(value["problem_type"]),
        emotion_type=EmotionType(value["emotion_type"]),
        emotion_intensity=value["emotion_intensity"],
        risk=Risk(value["risk"]),
        goal=value["goal"],
        background=value["background"],
        first_messages={Disposition(key): text for key, text in value["first_messages"].items()},
        disclosures=tuple(value["disclosures"]),
        content=value,
    )


def build_persona(value: dict[str, Any]) -> Persona:
    """Return the record of a parsed persona that its schema accepts."""
    reactions = value["reactions"]
    return Persona(
        name=value["name"],
        split=Split(value["split"]),
        language=Language(value["language"]),
        age=value["age"],
        work=value["work"],
        disposition=Disposition(value["disposition"]),
        traits=tuple(value["traits"]),
        speaking_style=value["speaking_style"],
        reactions=Reactions(tuple(reactions["rising"]), tuple(reactions["steady"]), tuple(reactions["falling"])),
        withholding=tuple(value["withholding"]),
        better=tuple(value["farewells"]["better"]),
        worse=tuple(value["farewells"]["worse"]),
        content=value,
    )


def build_intention(value: dict[str, Any]) -> Intention:
    """Return the record of one parsed hidden intention that its schema accepts."""
    return Intention(
        name=HiddenIntention(value["name"]),
        wants=value["wants"],
        meets=tuple(value["meets"]),
        misses=tuple(value["misses"]),
        faint=tuple(value["in_words"]["faint"]),
        clear=tuple(value["in_words"]["clear"]),
        content=value,
    )
