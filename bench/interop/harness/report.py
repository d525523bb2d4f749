"""Write what the clients showed: one JSON file, and the tables of docs/agents.md made from it."""

from __future__ import annotations

import ast
import json
import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from harness.install import ROOT, Client

JSON = ROOT / "docs" / "interop.json"
PAGE = ROOT / "docs" / "agents.md"
MARK = "<!-- {part}: made by `make interop` from interop.json -->"
END = "<!-- end -->"
WIDTH = 130
HEAD = """\
| client | loaded, equal | whole | shortened | name only | characters | stands in | entrance | tool, bodies it returned |
|---|---|--:|--:|--:|--:|---|---|---|"""


def read_results() -> dict[str, dict[str, Any]]:
    """Return the entries of the last run, by client."""
    return json.loads(JSON.read_text(encoding="utf-8"))["clients"] if JSON.is_file() else {}


def write(skills: int, results: Mapping[str, Mapping[str, Any]], clients: Sequence[Client]) -> None:
    """Write both files: the clients in the order of clients.toml, so that equal results give equal bytes."""
    ordered = {client.name: dict(results[client.name]) for client in clients if client.name in results}
    JSON.write_text(json.dumps({"skills": skills, "clients": ordered}, indent=1) + "\n", encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    known = {client.name: client for client in clients}
    table = [HEAD, *(_row(skills, name, entry) for name, entry in ordered.items())]
    page = _put(page, "clients", "\n".join([_summary(skills, ordered), "", *table]))
    page = _put(page, "lines", "\n\n".join(_lines(known[name], entry) for name, entry in ordered.items()))
    PAGE.write_text(page, encoding="utf-8")


def _put(page: str, part: str, text: str) -> str:
    mark = MARK.format(part=part)
    if page.count(mark) != 1:
        raise SystemExit(f"{PAGE.name} must hold this line once: {mark}")
    return re.sub(
        rf"({re.escape(mark)}\n).*?({re.escape(END)})", lambda m: f"{m[1]}\n{text}\n\n{m[2]}", page, flags=re.S
    )


def _summary(skills: int, results: Mapping[str, Mapping[str, Any]]) -> str:
    green = sum(entry["verdict"] == "green" for entry in results.values())
    asked = sum(entry.get("stands_in", "print") != "print" for entry in results.values())
    tools = sum(entry.get("returned") == skills for entry in results.values())
    said = (
        f"{green} of {len(results)} clients load all {skills} skills with name, description and body as the files have them. "
        f"Of {asked}, the requests were captured; in {tools} the model's own tool returned all {skills} bodies. Where the "
        "catalogue stands in a print, the client has no agent. Characters are from the first name to the end of the last "
        "description."
    )
    return textwrap.fill(said, WIDTH)


def _row(skills: int, name: str, entry: Mapping[str, Any]) -> str:
    head = f"{name} {entry['version']}"
    if "loaded" not in entry:
        return f"| {head} | **{entry['verdict']}** | | | | | | | |"
    seen = entry["descriptions"]
    equal = (
        "yes"
        if entry["verdict"] == "green"
        else f"**{entry['loaded']} of {skills}; equal: {', '.join(entry['equal'])}**"
    )
    tool = f"`{entry['tool']}`, {entry['returned']}" if entry["tool"] else "none"
    listed = f", after `{entry['listed_by']}`" if "listed_by" in entry else ""
    cut = _cut(seen["shortened"], entry.get("shortened_to"))
    numbers = f"{seen['whole']} | {cut} | {seen['name only']} | {entry['characters']:,}"
    return f"| {head} | {equal} | {numbers} | {entry['stands_in']}{listed} | {entry['entrance']} | {tool} |"


def _cut(count: int, reach: Sequence[int] | None) -> str:
    if not reach:
        return str(count)
    low, high = reach
    return f"{count}, to {low}" if low == high else f"{count}, to {low}–{high}"


def _lines(client: Client, entry: Mapping[str, Any]) -> str:
    """Return a client's section: what its file says of it, how it is installed, and the lines that were run."""
    source = client.script.read_text(encoding="utf-8")
    said = (ast.get_docstring(ast.parse(source)) or "").partition(": ")[2]
    kind, lines = _copied(source)
    install = "pip install" if client.registry == "pip" else "npm install"
    packages = " ".join(f"'{each}'" if set(each) & set("<>[") else each for each in client.packages)
    state = "" if entry["verdict"] == "green" else f" ({entry['verdict']})"
    return (
        f"<details><summary>{client.name} {client.version}{state}</summary>\n\n"
        f"{said[:1].upper()}{said[1:]}\n`{install} {packages}`\n\n```{kind}\n{lines}\n```\n\n</details>"
    )


def _copied(source: str) -> tuple[str, str]:
    """Return the lines to copy: those between the marks, or those that a shell was given."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "LINES":
            return "sh", str(ast.literal_eval(node.value)).strip()
    marked = re.search(r"^ +# copy\n(.*?)^ +# end\n", source, flags=re.S | re.M)
    if marked is None:
        raise SystemExit("a client's file needs LINES, or lines between `# copy` and `# end`")
    # Two blank lines, as at the top level: the linter formats the page's Python too.
    return "python", re.sub(r"\n\n(?=@|def |async def |class )", "\n\n\n", textwrap.dedent(marked[1]).strip())
