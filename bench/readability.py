"""Measure how long the sentences of the pages are: `python bench/readability.py [PAGE…]`, all pages by default.

Printed are the mean length of a page's sentences in words, and the ten longest sentences of all. Code, tables, headings and
front matter are no sentences. What is generated from code is left out: its texts are the code's.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: The mean that no page may exceed.
MOST = 20.0
_GENERATED = "docs/reference/"
_FENCE = re.compile(r"^\s*(```|~~~)")
#: Lines that hold no running text: headings, tables, marks of an alert, rules, footnotes of links.
_OTHER = re.compile(r"^\s*(#|\||<|-{3,}$|>\s*\[!\w+\]\s*$|!\[|\[[^]]+\]:)")
_ITEM = re.compile(r"^\s*(?:[-*+]|\d+\.)\s+")
#: A sentence ends at one of these marks before white space and what a sentence starts with.
_END = re.compile(r"(?<=[.!?])[”\"')*_`]*\s+(?=[“\"'(*_\[]*[A-Z0-9–]|[(*_]*`)")
#: Full stops that end no sentence.
_ABBREVIATIONS = re.compile(r"\b(e\.g|i\.e|vs|cf|al|Dr|No|etc)\.")
_WORD = re.compile(r"[A-Za-z0-9À-ɏ一-鿿][\w’'.,/%…-]*")


@dataclass(frozen=True)
class Sentence:
    """One sentence of a page, with the line on which its block starts."""

    page: str
    line: int
    text: str

    @property
    def words(self) -> int:
        """How many words it has; what stands in code marks counts as one word."""
        return len(_WORD.findall(re.sub(r"`[^`]*`", "code", self.text)))


def pages() -> list[Path]:
    """Return the pages that people write, in the order of their names."""
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [path for path in found if not path.relative_to(ROOT).as_posix().startswith(_GENERATED)]


def blocks_of(text: str) -> Iterator[tuple[int, str]]:
    """Yield the paragraphs and list items of a page, each with its first line."""
    gathered: list[str] = []
    start, fenced = 0, False
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        fence = bool(_FENCE.match(line))
        ends = fence or fenced or not line.strip(" >") or bool(_OTHER.match(line)) or bool(_ITEM.match(line))
        if ends and gathered:
            yield start, " ".join(gathered)
            gathered = []
        fenced = fenced != fence
        if not (fence or fenced or not line.strip(" >") or _OTHER.match(line)):
            start = start if gathered else number
            gathered.append(_ITEM.sub("", line.lstrip("> ")).strip())


def sentences_of(page: str, text: str) -> Iterator[Sentence]:
    """Yield the sentences of a page. A list item without a full stop is one sentence."""
    for line, block in blocks_of(text):
        plain = re.sub(r"!?\[([^]]*)\]\([^)]*\)", r"\1", block)
        plain = _ABBREVIATIONS.sub(lambda found: found[1].replace(".", "") + " ", plain)
        for each in _END.split(plain):
            sentence = Sentence(page, line, each.strip())
            if sentence.words > 1:
                yield sentence


def mean_of(sentences: Iterable[Sentence]) -> float:
    """Return the mean number of words of sentences; 0 where there are none."""
    lengths = [each.words for each in sentences]
    return sum(lengths) / len(lengths) if lengths else 0.0


def main(paths: list[Path]) -> int:
    """Print the figures; 1 where a page's mean is above the most."""
    every: list[Sentence] = []
    worst = 0.0
    print(f"{'page':<44}{'sentences':>10}{'mean':>8}{'over 25':>9}")
    for path in paths:
        name = path.resolve().relative_to(ROOT).as_posix()
        found = list(sentences_of(name, path.read_text(encoding="utf-8")))
        mean = mean_of(found)
        worst = max(worst, mean)
        over = sum(each.words > 25 for each in found)
        print(f"{name:<44}{len(found):>10}{mean:>8.1f}{over:>9}{'  too long' if mean > MOST else ''}")
        every += found
    print(f"{'all':<44}{len(every):>10}{mean_of(every):>8.1f}{sum(each.words > 25 for each in every):>9}")
    print("\nThe ten longest sentences:")
    for each in sorted(every, key=lambda sentence: -sentence.words)[:10]:
        print(f"{each.words:>4}  {each.page}:{each.line}: {each.text}")
    return int(worst > MOST)


if __name__ == "__main__":
    sys.exit(main([Path(each) for each in sys.argv[1:]] or pages()))
