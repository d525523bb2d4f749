"""Honest proposals by code: edits of skills such as people make, which `verify` has to believe."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping

from esc_skills.documents.shipped import shipped

#: What a commit writes, by path relative to the bank; None deletes a file.
Change = dict[str, bytes | None]
Texts = Mapping[str, str]
#: Makes an edit: new texts by path, None for a file that is deleted.
Make = Callable[[Texts, random.Random], dict[str, str | None]]
_HEADING = re.compile(r"^### (?!Avoid)", flags=re.MULTILINE)
_ASIDES = (
    "Take your time.",
    "Say it in your own words, and slowly…",
    "“Quoted”, emphasised *words* and a `code`-like mark.",
    "Für Umlaute, naïve accents, 共情 and a 🌿 as well.",
    "A line that ends in two spaces, | pipes | and <b>what looks like a tag</b>.",
)


def edit(texts: Texts, chance: random.Random) -> tuple[str, Change]:
    """Return an edit of a bank, with its name.

    Args:
        texts: The bank's skills by path.
        chance: Chooses.
    """
    make = chance.choice(EDITS)
    return make.__name__, {path: None if text is None else text.encode() for path, text in make(texts, chance).items()}


def raised(text: str) -> str:
    """A skill with a higher version."""
    return re.sub(r'version: "(\d+)\.(\d+)\.\d+"', lambda m: f'version: "{m[1]}.{int(m[2]) + 1}.0"', text, count=1)


def _one(texts: Texts, chance: random.Random, change: Callable[[str], str]) -> dict[str, str | None]:
    path = chance.choice(sorted(texts))
    return {path: raised(change(texts[path]))}


def add_guidance(texts: Texts, chance: random.Random) -> dict[str, str | None]:
    """Say a bit more in the guidance, in whatever letters."""
    aside = chance.choice(_ASIDES[:4])
    return _one(texts, chance, lambda text: text.replace("\n\n## When to use", f" {aside}\n\n## When to use", 1))


def drop_an_example(texts: Texts, chance: random.Random) -> dict[str, str | None]:
    """Take an example out."""
    return _one(texts, chance, lambda text: _with_examples(text, lambda examples: examples[1:]))


def reorder_examples(texts: Texts, chance: random.Random) -> dict[str, str | None]:
    """Put the examples in another order."""
    return _one(texts, chance, lambda text: _with_examples(text, lambda each: chance.sample(each, len(each))))


def borrow_an_example(texts: Texts, chance: random.Random) -> dict[str, str | None]:
    """Take an example over from another skill."""
    lender = _examples(texts[chance.choice(sorted(texts))])
    return _one(texts, chance, lambda text: _with_examples(text, lambda own: [*own, chance.choice(lender)]))


def exchange_words(texts: Texts, chance: random.Random) -> dict[str, str | None]:
    """Give an example the words of another skill's supporter."""
    words = chance.choice(_said(texts[chance.choice(sorted(texts))]))
    return _one(texts, chance, lambda text: text.replace(_said(text)[0], words, 1))


def mend_words(texts: Texts, chance: random.Random) -> dict[str, str | None]:
    """Give a weak skill the words that the shipped one has in an example."""
    weak = {path: text for path, text in texts.items() if _mended(path, text, chance) != text}
    if not weak:
        return exchange_words(texts, chance)
    return _one(weak, chance, lambda text: _mended(next(path for path in weak if weak[path] == text), text, chance))


def _mended(path: str, text: str, chance: random.Random) -> str:
    better = shipped("skills", *path.split("/"))
    if not better.is_file():
        return text
    pairs = zip(_said(text), _said(better.read_text(encoding="utf-8")), strict=False)
    differing = [pair for pair in pairs if pair[0] != pair[1]]
    return text.replace(*chance.choice(differing)) if differing else text


def _said(text: str) -> list[str]:
    return re.findall(r"^\*\*Supporter:\*\* .*$", text, flags=re.MULTILINE)


def say_something_unsafe(texts: Texts, chance: random.Random) -> dict[str, str | None]:
    """Mean well, and raise a red flag."""
    return _one(texts, chance, lambda text: text.replace(_said(text)[0], f"{_said(text)[0]} I'm all you need.", 1))


def copy_a_skill(texts: Texts, chance: random.Random) -> dict[str, str | None]:
    """Add a skill that is like another one."""
    path = chance.choice(sorted(texts))
    name, copy = path.split("/")[0], f"{path.split('/')[0]}-{chance.randrange(1000)}"
    return {f"{copy}/SKILL.md": texts[path].replace(f"name: {name}\n", f"name: {copy}\n", 1)}


def retire_a_skill(texts: Texts, chance: random.Random) -> dict[str, str | None]:
    """Delete a skill."""
    return {chance.choice(sorted(texts)): None}


def rename_a_skill(texts: Texts, chance: random.Random) -> dict[str, str | None]:
    """Delete a skill and add it under another name."""
    path = chance.choice(sorted(texts))
    name, other = path.split("/")[0], f"{path.split('/')[0]}-again"
    return {path: None, f"{other}/SKILL.md": raised(texts[path].replace(f"name: {name}\n", f"name: {other}\n", 1))}


def raise_a_version(texts: Texts, chance: random.Random) -> dict[str, str | None]:
    """Change nothing but a version."""
    return _one(texts, chance, lambda text: text)


def add_white_space(texts: Texts, chance: random.Random) -> dict[str, str | None]:
    """Change layout alone."""
    return _one(texts, chance, lambda text: text + "\n" * chance.randrange(1, 4))


def change_two_skills(texts: Texts, chance: random.Random) -> dict[str, str | None]:
    """Change two skills at once."""
    return {**drop_an_example(texts, chance), **exchange_words(texts, chance)}


EDITS: tuple[Make, ...] = (
    add_guidance,
    drop_an_example,
    reorder_examples,
    borrow_an_example,
    exchange_words,
    mend_words,
    say_something_unsafe,
    copy_a_skill,
    retire_a_skill,
    rename_a_skill,
    raise_a_version,
    add_white_space,
    change_two_skills,
)


def _examples(text: str) -> list[str]:
    section = text.partition("## Examples\n")[2].partition("### Avoid")[0]
    return [f"### {each}" for each in _HEADING.split(section)[1:]]


def _with_examples(text: str, change: Callable[[list[str]], list[str]]) -> str:
    head, mark, rest = text.partition("## Examples\n")
    section, avoid, end = rest.partition("### Avoid")
    before = _HEADING.split(section)[0]
    kept = change(_examples(text))
    return f"{head}{mark}{before}{''.join(kept)}{avoid}{end}"
