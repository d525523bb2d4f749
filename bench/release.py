"""Say whether a tag, the package, CITATION.cff and the changelog name one version: `python bench/release.py v0.1.0`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def versions(tag: str) -> dict[str, str]:
    package = re.search(r'__version__ = "([^"]+)"', (ROOT / "tools/esc_skills/__init__.py").read_text())
    cited = re.search(r"^version: (\S+)", (ROOT / "CITATION.cff").read_text(), flags=re.MULTILINE)
    newest = re.search(r"^## \[?(\d[^\] \n]*)", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    return {
        "tag": tag.removeprefix("v"),
        "package": package[1] if package else "none",
        "CITATION.cff": cited[1] if cited else "none",
        "CHANGELOG.md": newest[1] if newest else "none",
    }


def main() -> None:
    found = versions(sys.argv[1])
    for where, version in found.items():
        print(f"{where}: {version}")
    if len(set(found.values())) > 1:
        sys.exit("they differ; make them one")


if __name__ == "__main__":
    main()
