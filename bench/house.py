"""The house in figures: how long imports chain, which names occur twice, and what is written more than once.

`python bench/house.py [FOLDER]`, where FOLDER holds the package; this checkout's by default.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

#: What an untyped record looks like in a signature.
_UNTYPED = re.compile(r"(?:dict|Mapping|list|Sequence)\[(?:str, )?Any\]|: Any\b|-> Any\b|dict\[str, object\]")
_FREE = "documents"


def modules_of(package: Path) -> dict[str, Path]:
    found = {}
    for path in sorted(package.rglob("*.py")):
        name = ".".join(path.relative_to(package.parent).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = path
    return found


def imports_of(path: Path, modules: Mapping[str, Path]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("esc_skills"):
            for name in node.names:
                whole = f"{node.module}.{name.name}"
                yield whole if whole in modules else node.module


def longest_chain(modules: Mapping[str, Path]) -> list[str]:
    graph = {name: set(imports_of(path, modules)) - {name} for name, path in modules.items()}
    known: dict[str, list[str]] = {}

    def chain(name: str) -> list[str]:
        if name not in known:
            known[name] = []  # a cycle ends here
            known[name] = [name, *max((chain(each) for each in graph.get(name, ())), key=len, default=[])]
        return known[name]

    return max((chain(name) for name in graph), key=len)


def untyped_signatures(path: Path) -> int:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    count = 0
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            hints = [arg.annotation for arg in (*node.args.args, *node.args.kwonlyargs) if arg.annotation]
            hints += [node.returns] if node.returns else []
            count += any(_UNTYPED.search(f": {ast.unparse(hint)}") for hint in hints)
    return count


def main(package: Path) -> None:
    modules = modules_of(package)
    texts = {name: path.read_text(encoding="utf-8") for name, path in modules.items()}
    chain = longest_chain(modules)
    stems = Counter(path.stem for path in modules.values() if path.stem != "__init__")
    places = [name for name, text in texts.items() if ".cli." in name and re.search(r"\.session\(", text)]
    looks = [
        name
        for name, text in texts.items()
        if re.search(r"while decision is None|range\(settings\.batch|next_look\(", text)
    ]
    untyped = Counter({name: untyped_signatures(path) for name, path in modules.items() if f".{_FREE}" not in name})
    print(
        f"longest import chain: {len(chain)} modules\n  {' > '.join(each.removeprefix('esc_skills.') for each in chain)}"
    )
    print(f"file names that occur twice: {sorted(name for name, times in stems.items() if times > 1)}")
    print(f"places that start a model run: {len(places)} {places}")
    print(f"places that loop over looks or ask for the next one: {len(looks)} {looks}")
    print(f"functions with an untyped record in their signature, outside {_FREE}/: {untyped.total()}")
    bench = sum(len(each.read_text(encoding="utf-8").splitlines()) for each in Path(__file__).parent.glob("*.py"))
    print(f"lines of the package: {sum(len(text.splitlines()) for text in texts.values()):,}; of bench: {bench:,}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "tools" / "esc_skills")
