"""Write docs/reference/ from commands, schemas and vocabularies: `make reference`, or `python bench/reference.py`.

What code and schemas do not say in words stands in `bench/reference.yaml`. `tests/test_reference.py` holds that the pages are
up to date.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import yaml

from esc_skills import vocabulary
from esc_skills.cli.main import commands
from esc_skills.settings import GateSettings, Settings

ROOT = Path(__file__).parents[1]
PLACE = "docs/reference"
_BAR = "\\|"
_MADE = "<!-- Written by `make reference`; change commands, schemas or bench/reference.yaml instead. -->"
#: Where the words of a key stand on the page of the skill format.
_LISTS = {
    "esc-stage": "stages",
    "esc-strategies": "strategies",
    "esc-emotions": "emotion-types",
    "esc-needs": "needs",
    "esc-not-for": "needs",
    "esc-risk": "levels-of-risk",
    "esc-risks": "risk-codes",
}
_EXITS = (
    ("0", "fine"),
    ("1", "findings, or the gate did not accept"),
    ("2", "a wrong command, option or input"),
    ("3", "a fault of the tool; the message names a log file"),
    ("130", "interrupted with Ctrl-C"),
)


@dataclass(frozen=True)
class Command:
    """One command of the command line, with its full name."""

    name: str
    command: click.Command
    context: click.Context

    @property
    def is_group(self) -> bool:
        return isinstance(self.command, click.Group)


def walk(command: click.Command = commands, parent: click.Context | None = None) -> Iterator[Command]:
    """Yield a command and all below it, in the order of `--help`."""
    name = f"{parent.command_path} {command.name}" if parent else "esc-skills"
    settings = {} if parent else command.context_settings  # a command remembers the names of its first help option
    context = click.Context(command, info_name=command.name if parent else name, parent=parent, **settings)
    yield Command(name, command, context)
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            below = command.get_command(context, each)
            assert below is not None
            below.name = each
            yield from walk(below, context)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; bars in cells are escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', _BAR) for cell in row)} |" for row in lines)


def prose(text: str | None) -> str:
    """Return a help text as Markdown: what looks like a tag is put in code marks."""
    paragraphs = re.split(r"\n\s*\n", (text or "").replace("\b", "").strip())
    joined = "\n\n".join(" ".join(each.split()) for each in paragraphs)
    return re.sub(r"\bdocs/([a-z-]+)\.md\b", r"[\1](../\1.md)", joined)


def commands_page() -> str:
    """Return the page of all commands and options."""
    found = [each for each in walk() if each.name != "esc-skills" and not each.command.hidden]
    shared = _shared_rows(found)
    parts = [
        "# Commands",
        _MADE,
        "Every command ends with one of these codes:",
        table(("code", "meaning"), _EXITS),
        "`-h` and `--help` show the help of any command. `esc-skills --version` shows the version.",
    ]
    for each in found:
        level = "#" * len(each.name.split())
        parts += [f"{level} {each.name}", prose(each.command.help)]
        if not each.is_group:
            usage = " ".join([each.name, *each.command.collect_usage_pieces(each.context)])
            parts.append(f"```text\n{usage}\n```")
            rows = [row for row in _rows(each) if row not in shared]
            if rows:
                parts.append(table(("option", "meaning", "default"), rows))
            if len(rows) < len(_rows(each)):
                parts.append("Also the [options of model runs](#options-of-model-runs).")
    parts += [
        "## Options of model runs",
        "All commands that ask language models take these. [Language models](../models.md) says how to use them.",
        table(("option", "meaning", "default"), shared),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _rows(each: Command) -> list[tuple[str, str, str]]:
    rows = []
    for parameter in each.command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden and "--help" not in parameter.opts:
            words = parameter.help or ""
            told = re.search(r"\s*\[default: (.*)\]$", words, flags=re.DOTALL)
            default = told[1] if told else _default(parameter)
            names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
            value = "" if parameter.is_flag else f" {_values(parameter, each.context)}"
            meaning = words[: told.start()] if told else words
            rows.append((names + value, prose(meaning) + (" Required." if parameter.required else ""), default))
    return rows


def _values(option: click.Option, context: click.Context) -> str:
    if isinstance(option.type, click.IntRange | click.FloatRange):
        kind_of = "whole number" if isinstance(option.type, click.IntRange) else "number"
        least = (
            f" {'above' if option.type.min_open else 'from'} {option.type.min}" if option.type.min is not None else ""
        )
        return kind_of + least + (f" to {option.type.max:,}" if option.type.max is not None else "")
    return f"`{option.make_metavar(context)}`"


def _default(option: click.Option) -> str:
    shown = option.show_default and not option.is_flag and isinstance(option.default, str | int | float | Path)
    return f"`{option.default}`" if shown else ""


def _shared_rows(found: Sequence[Command]) -> list[tuple[str, str, str]]:
    """Return the options that all commands which ask models have alike, and no other command has."""
    asking, others = [], []
    for each in found:
        rows = _rows(each)
        (asking if any("`--endpoint`" in row[0] for row in rows) else others).append(rows)
    elsewhere = {row for rows in others for row in rows}
    return [row for row in asking[0] if all(row in rows for rows in asking) and row not in elsewhere]


def schema(name: str) -> dict[str, Any]:
    """Return a schema of the repository."""
    found: dict[str, Any] = json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8"))
    return found


def fields(
    whole: Mapping[str, Any], part: Mapping[str, Any], path: str = ""
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the leaves of a schema as their dotted paths with their schemas; a null beside an object is not told."""
    part = resolved(whole, part)
    below = [resolved(whole, each) for each in part.get("anyOf", ()) if resolved(whole, each).get("type") != "null"]
    if len(below) == 1:
        part = {**part, **below[0]}
    rest = part.get("additionalProperties")
    items = resolved(whole, part.get("items", {}))
    if part.get("properties"):
        for key, each in part["properties"].items():
            yield from fields(whole, each, f"{path}.{key}" if path else key)
    elif isinstance(rest, Mapping):
        yield from fields(whole, rest, f"{path}.*")
    elif items.get("properties"):
        yield from fields(whole, items, f"{path}[]")
    else:
        yield path, part


def resolved(whole: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a schema with its reference followed."""
    if "$ref" in part:
        return {**whole["$defs"][part["$ref"].rpartition("/")[2]], **{k: v for k, v in part.items() if k != "$ref"}}
    return part


def kind(whole: Mapping[str, Any], part: Mapping[str, Any]) -> str:
    """Return in words what values a schema takes."""
    part = resolved(whole, part)
    if "const" in part:
        return f"`{part['const']}`"
    if "enum" in part:
        return ", ".join(f"`{'null' if each is None else each}`" for each in part["enum"])
    if "anyOf" in part:
        return " or ".join(dict.fromkeys(kind(whole, each) for each in part["anyOf"]))
    if part.get("type") == "array":
        return f"list of {kind(whole, part['items'])}" if "items" in part else "list"
    types = part.get("type", "any")
    shown = " or ".join(types) if isinstance(types, list) else types
    least, most = part.get("minimum", part.get("exclusiveMinimum")), part.get("maximum")
    above = "above " if "exclusiveMinimum" in part else "from "
    bounds = [f"{above}{least:,}" if least is not None else "", f"to {most:,}" if most is not None else ""]
    words = {"object": "table", "integer": "whole number", "string": "text"}
    named = " or ".join(words.get(each, each) for each in shown.split(" or "))
    return " ".join([named, *filter(None, bounds)]) + (f", {part['description']}" if "description" in part else "")


def meaning(path: str, known: Mapping[str, str], used: set[str]) -> str:
    """Return the sentence of a field, its own or that of the table which it stands in."""
    for pattern in (path, f"{path.rpartition('.')[0]}.*"):
        if pattern in known:
            used.add(pattern)
            return known[pattern]
    raise SystemExit(f"bench/reference.yaml says nothing of {path}")


def require_used(what: str, known: Mapping[str, str], used: set[str]) -> None:
    """End where a sentence is left that no key has."""
    if left := sorted(known.keys() - used):
        raise SystemExit(f"bench/reference.yaml: {what} {left[0]} is no key any more")


def settings_page(words: Mapping[str, Any]) -> str:
    """Return the page of all settings."""
    whole, known, used = schema("settings"), words["settings"], set[str]()
    defaults = {f"gate.{key}": value for key, value in GateSettings().as_json().items()}
    defaults |= {"skills": Settings().skills, "profiles": Settings().profiles}
    defaults |= {"models.supporter": "surrogate", "models.seeker": "surrogate"}
    rows = []
    for path, part in fields(whole, whole):
        default = defaults.get(path)
        shown = "none" if default in (None, []) else f"`{json.dumps(default)}`"
        value = '`"endpoint/model"` or a table' if path.startswith("models.") else kind(whole, part)
        rows.append((f"`{path}`", value, shown, meaning(path, known, used)))
    require_used("settings", known, used)
    role = next(each for each in whole["$defs"]["model"]["anyOf"] if each["type"] == "object")
    role_rows = [(f"`{key}`", kind(whole, each)) for key, each in role["properties"].items()]
    return (
        "\n\n".join(
            [
                "# Settings",
                _MADE,
                "The table `[tool.esc-skills]` of `pyproject.toml` holds them. An unknown key is an error. A proposal is judged "
                "by the settings of the base, never by its own. [Settings with examples](../settings.md) shows some of them.",
                table(("key", "value", "default", "meaning"), rows),
                "## A role as a table",
                "A model role is a text, or a table with these keys. An option that names another model keeps the others.",
                table(("key", "value"), role_rows),
            ]
        )
        + "\n"
    )


def skill_format_page(words: Mapping[str, Any]) -> str:
    """Return the page of the keys of a skill and the words that they take."""
    whole, known, used = schema("skill"), words["keys"], set[str]()
    metadata = whole["properties"]["metadata"]
    front = [key for key in whole["properties"] if key in known]
    rows = [_key_row(whole, key, whole["properties"][key], key in whole["required"], known, used) for key in front]
    below = [
        _key_row(whole, key, each, key in metadata["required"], known, used)
        for key, each in metadata["properties"].items()
    ]
    require_used("keys", known, used)
    parts = [
        "# Skill format",
        _MADE,
        "The keys and words of a `SKILL.md`. [What a skill holds](../skills.md) explains the form and shows an example.",
        "## Keys of the front matter",
        table(("key", "needed", "form", "meaning"), rows),
        "## Keys of `metadata`",
        "All values are quoted texts on one line. Lists are separated by a comma and a space.",
        table(("key", "needed", "form", "meaning"), below),
        "## Sections",
        "In this order. Lengths are in characters.",
        table(("section", "form"), [(each[0], each[1]) for each in _sections(whole)]),
    ]
    heads = {
        "Stage": "Stages",
        "Strategy": "Strategies",
        "HiddenIntention": "Needs",
        "Disposition": "Dispositions",
        "Risk": "Levels of risk",
        "RiskCode": "Risk codes",
    }
    for name, head in heads.items():
        known, used = words["words"][name], set()
        members = [str(each) for each in getattr(vocabulary, name)]
        parts += [f"## {head}", table(("word", "meaning"), [(f"`{m}`", meaning(m, known, used)) for m in members])]
        require_used(name, known, used)
    emotions = ", ".join(f"`{each}`" for each in vocabulary.EmotionType)
    parts += ["## Emotion types", f"{emotions}, or `any`."]
    return "\n\n".join(parts) + "\n"


def _key_row(
    whole: Mapping[str, Any], key: str, part: Mapping[str, Any], needed: bool, known: Mapping[str, str], used: set[str]
) -> tuple[str, str, str, str]:
    part = resolved(whole, part)
    form = "list" if part.get("type") == "array" else part.get("description", "text")
    if key in _LISTS:
        form = f"list of words of [{_LISTS[key].replace('-', ' ')}](#{_LISTS[key]})"
    most = f", at most {part['maxLength']} characters" if "maxLength" in part and "at most" not in form else ""
    return f"`{key}`", "yes" if needed else "no", form + most, meaning(key, known, used)


def _sections(whole: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    heads = {"guidance": "Guidance", "when_to_use": "When to use", "when_not_to_use": "When not to use"}
    heads |= {
        "expected_outcome": "Expected outcome",
        "risks": "Risks",
        "examples": "Examples",
        "avoid": "Examples, to avoid",
    }
    for key, head in heads.items():
        part = resolved(whole, whole["properties"][key])
        if part["type"] == "array":
            least, most = part.get("minItems", 0), part["maxItems"]
            yield (
                head,
                f"{least} entries"
                if least == most and least > 1
                else "1 entry"
                if most == 1
                else f"{least} to {most} entries",
            )
        else:
            yield head, f"text, at most {part['maxLength']:,}"


def records_page(words: Mapping[str, Any]) -> str:
    """Return the page of the records that the tools write."""
    parts = [
        "# Records",
        _MADE,
        "What the tools write, as schemas describe it. `[]` stands for each entry of a list, `*` for each key of a table.",
    ]
    for name in ("transcript", "statement", "ledger-entry"):
        whole, known, used = schema(name), words["records"][name], set[str]()
        parts += [f"## {whole['title']}", f"{whole['description']} Schema: `schemas/{name}.schema.json`."]
        kinds = whole.get("anyOf", [whole])
        for part in kinds:
            if len(kinds) > 1:
                parts.append(f"### Kind `{part['properties']['kind']['const']}`")
            rows = [(f"`{path}`", kind(whole, each), meaning(path, known, used)) for path, each in fields(whole, part)]
            parts.append(table(("field", "value", "meaning"), rows))
        require_used(name, known, used)
    return "\n\n".join(parts) + "\n"


def pages() -> dict[str, str]:
    """Return each page of the reference by its path from the root."""
    words = yaml.safe_load((ROOT / "bench" / "reference.yaml").read_text(encoding="utf-8"))
    return {
        f"{PLACE}/commands.md": commands_page(),
        f"{PLACE}/settings.md": settings_page(words),
        f"{PLACE}/skill-format.md": skill_format_page(words),
        f"{PLACE}/records.md": records_page(words),
    }


def main() -> None:
    """Write the pages."""
    for path, text in pages().items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text, encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
