"""The pages hold together: links lead somewhere, commands exist with their options, sentences stay short."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
import pytest

from esc_skills.cli.main import commands
from tests.scripts import load_script

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
NAMES = [path.relative_to(ROOT).as_posix() for path in PAGES]

_FENCE = re.compile(r"^(?P<mark>```+)(?P<kind>\S*).*?\n(?P<body>.*?)^(?P=mark)\s*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[(?:[^][]|\[[^]]*\])*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`+([^`]+)`+")
#: What ends one command of a line.
_OPERATORS = {"|", "||", "&&", ";", ">", ">>", "<", "2>"}


def prose_of(text: str) -> str:
    """Return a page without its code blocks."""
    return _FENCE.sub("", text)


def anchors_of(text: str) -> set[str]:
    """Return the anchors of a page's headings, as git hosts make them."""
    found: dict[str, int] = {}
    for line in prose_of(text).splitlines():
        if heading := re.match(r"#{1,6}\s+(.*?)\s*#*$", line):
            words = re.sub(r"[`*]|\[([^]]*)\]\([^)]*\)", r"\1", heading[1]).lower()
            anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
            found[anchor] = found.get(anchor, -1) + 1
    return {f"{anchor}-{again}" if again else anchor for anchor, most in found.items() for again in range(most + 1)}


def links_of(text: str) -> Iterator[str]:
    """Yield where a page's links lead, those of its prose alone."""
    yield from (target for target in _LINK.findall(re.sub(r"`[^`\n]*`", "", prose_of(text))))


def lines_of(body: str, kind: str) -> Iterator[str]:
    """Yield the command lines of a code block, with those that a backslash carries on joined."""
    for line in body.replace("\\\n", " ").splitlines():
        if kind != "console":
            yield line.strip()
        elif line.startswith("$ "):
            yield line.removeprefix("$ ")


def calls_of(text: str) -> Iterator[list[str]]:
    """Yield the calls of `esc-skills` that a page names, in code blocks and in code marks, as words."""
    given = [line for block in _FENCE.finditer(text) for line in lines_of(block["body"], block["kind"])]
    given += _CODE.findall(prose_of(text))
    for line in given:
        for part in re.split(r"\s+(?=esc-skills )", re.sub(r"^\S*/(?=esc-skills )", "", line)):
            if part.startswith("esc-skills "):
                yield _words(part)[1:]


def _words(line: str) -> list[str]:
    splitter = shlex.shlex(
        line.replace("'", "’") if line.count("'") % 2 else line, posix=True, punctuation_chars="|&;<>"
    )
    splitter.whitespace_split = True
    splitter.commenters = "#"
    found: list[str] = []
    for word in splitter:
        if word in _OPERATORS:
            break
        found.append(word)
    return found


def problem_of(words: list[str]) -> str | None:
    """Return why words are no call of the command line; None where each command and option is there."""
    command: click.Command = commands
    context = click.Context(commands, info_name="esc-skills", **commands.context_settings)
    rest = list(words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        found = command.get_command(context, rest[0])
        if found is None:
            return f"no command {' '.join(words)!r}"
        command, context = found, click.Context(found, info_name=rest.pop(0), parent=context)
    known = {name for each in command.get_params(context) for name in (*each.opts, *each.secondary_opts)}
    asked = [word.partition("=")[0] for word in rest if re.match(r"--?[a-z]", word)]
    unknown = [name for name in asked if name not in known]
    return f"{' '.join(words)!r} has no option {unknown[0]}" if unknown else None


@pytest.fixture(scope="module")
def readability() -> ModuleType:
    return load_script("readability")


@pytest.mark.thorough
def test_the_tutorial_runs_as_it_stands(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    lines = [line for block in _FENCE.finditer(text) for line in lines_of(block["body"], block["kind"])]
    # An indecisive verdict ends with 1, which is no mistake; a wrong command or option ends with 2.
    script = "\n".join(f"{line}; code=$?; [ $code -lt 2 ] || exit $code" for line in lines)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"

    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "evidence valid, verdict indecisive" in done.stdout
    assert "untested, on an owner's word: verdict accept" in done.stdout
    log = subprocess.run(
        ["git", "log", "--format=%s", "main"],
        cwd=tmp_path / "support-bank",
        capture_output=True,
        text=True,
        check=False,
    )
    assert log.stdout.splitlines()[0] == "Say humiliated at once"


@pytest.mark.parametrize("name", NAMES)
def test_every_relative_link_leads_to_a_file_and_an_anchor(name: str) -> None:
    path = ROOT / name
    lost = []
    for target in links_of(path.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        inside = there.exists() and ROOT in (there, *there.parents)
        if not inside or (anchor and anchor not in anchors_of(there.read_text(encoding="utf-8"))):
            lost.append(target)

    assert not lost


@pytest.mark.parametrize("name", NAMES)
def test_every_command_of_a_page_is_there_with_its_options(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")

    assert [problem for words in calls_of(text) if (problem := problem_of(words))] == []


def test_many_commands_are_found_at_all() -> None:
    assert sum(1 for path in PAGES for _ in calls_of(path.read_text(encoding="utf-8"))) > 150


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("`esc-skills simulate --out run.jsonl`", None),
        ("`esc-skills simulate --into run.jsonl`", "has no option --into"),
        ("`esc-skills simulat`", "no command"),
        ("`esc-skills evidence colect --head x`", "no command"),
        ("```console\n$ esc-skills score run.jsonl | head --lines 3\n--no-option\n```", None),
        ("```\nesc-skills verify \\\n    --basis main\n```", "has no option --basis"),
    ],
)
def test_a_call_is_held_to_the_command_line(line: str, problem: str | None) -> None:
    found = [problem_of(words) for words in calls_of(line + "\n")]

    assert len(found) == 1
    assert found[0] is None if problem is None else problem in (found[0] or "")


def test_anchors_are_those_of_a_git_host() -> None:
    page = "# The gate, and `verify`\n\n## What's new?\n\n## What's new?\n\n```\n# no heading\n```\n"

    assert anchors_of(page) == {"the-gate-and-verify", "whats-new", "whats-new-1"}


@pytest.mark.skipif(not (ROOT / "mkdocs.yml").is_file(), reason="the contents stand in the checkout")
def test_every_page_stands_in_the_contents_of_the_site() -> None:
    contents = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = [name.removeprefix("docs/") for name in NAMES if name.startswith("docs/")]

    assert [page for page in pages if not re.search(rf"[:-] {re.escape(page)}$", contents, re.MULTILINE)] == []


@pytest.mark.skipif(not (ROOT / "bench").is_dir(), reason="the measure stands in the checkout's bench/")
@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("docs/reference/")])
def test_the_sentences_of_a_page_are_short_on_average(name: str, readability: ModuleType) -> None:
    found = readability.sentences_of(name, (ROOT / name).read_text(encoding="utf-8"))

    assert readability.mean_of(found) <= readability.MOST


def test_the_examples_for_python_run(capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "docs" / "how-to" / "use-from-python.md").read_text(encoding="utf-8")
    blocks = [block["body"] for block in _FENCE.finditer(text) if block["kind"] == "python"]
    *runnable, verifying = blocks  # the last one asks for a proposal of one's own
    for block in runnable:
        exec(compile(block, "use-from-python.md", "exec"), {})
    assert (len(blocks), "Verifier" in verifying) == (4, True)
    assert "ease-self-blame because of need no-blame" in capsys.readouterr().out
