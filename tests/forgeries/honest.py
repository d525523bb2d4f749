"""Honest proposals by code: edits of skills such as people make, which `verify` has to believe."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from esc_skills.bank.edit import with_examples
from esc_skills.bank.entrance import ENTRANCE_FILE, render_entrance
from esc_skills.bank.reader import read_bank, read_files
from esc_skills.bank.skill import SKILL_FILE, Example, Skill
from esc_skills.documents.shipped import shipped

#: What a commit writes, by path relative to the bank; None deletes a file.
Change = dict[str, bytes | None]
Texts = Mapping[str, str]
#: Makes an edit: new texts by path, None for a file that is deleted.
Make = Callable[[Texts, random.Random], dict[str, str | None]]
_ASIDES = (
    "Take your time.",
    "Say it in your own words, and slowly…",
    "“Quoted”, emphasised *words* and a `code`-like mark.",
    "Für Umlaute, naïve accents, 共情 and a 🌿 as well.",
)


def edit(texts: Texts, chance: random.Random) -> tuple[str, Change]:
    """Return an edit of a bank, with its name and with the entrance that follows from it.

    Args:
        texts: The bank's files by path.
        chance: Chooses.
    """
    make = chance.choice(EDITS)
    return make.__name__, edited(make, texts, chance)


def edited(make: Make, texts: Texts, chance: random.Random) -> Change:
    """Return an edit of a bank with the entrance that follows from it."""
    change = make(texts, chance)
    after = {path: text for path, text in {**texts, **change}.items() if text is not None}
    if ENTRANCE_FILE in texts:
        change[ENTRANCE_FILE] = render_entrance(_skills(after))
    return {path: None if text is None else text.encode() for path, text in change.items()}


def raised(text: str) -> str:
    """A skill with a higher version."""
    return re.sub(r'version: "(\d+)\.(\d+)\.\d+"', lambda m: f'version: "{m[1]}.{int(m[2]) + 1}.0"', text, count=1)


def _skills(texts: Texts) -> Mapping[str, Skill]:
    return read_bank({path: text.encode() for path, text in texts.items()}, "skills").skills


def _any(texts: Texts, chance: random.Random) -> Skill:
    skills = _skills(texts)
    return skills[chance.choice(sorted(skills))]


def _one(texts: Texts, chance: random.Random, change: Callable[[str], str]) -> dict[str, str | None]:
    skill = _any(texts, chance)
    return {f"{skill.name}/{SKILL_FILE}": raised(change(skill.text))}


def _other_examples(skill: Skill, examples: list[Example]) -> dict[str, str | None]:
    """Give a skill other examples; those with several turns have no place in `SKILL.md`."""
    files = with_examples(skill, sorted(examples, key=lambda each: len(each.earlier) > 0))
    files[SKILL_FILE] = raised(files[SKILL_FILE])
    return {f"{skill.name}/{path}": text for path, text in files.items()}


def add_guidance(texts: Texts, chance: random.Random) -> dict[str, str | None]:
    """Say a bit more in the guidance, in whatever letters."""
    aside = chance.choice(_ASIDES)
    return _one(texts, chance, lambda text: text.replace("\n\n## When to use", f" {aside}\n\n## When to use", 1))


def drop_an_example(texts: Texts, chance: random.Random) -> dict[str, str | None]:
    """Take an example out."""
    skill = _any(texts, chance)
    return _other_examples(skill, [*skill.examples_in("en")][1:])


def reorder_examples(texts: Texts, chance: random.Random) -> dict[str, str | None]:
    """Put the examples in another order."""
    skill = _any(texts, chance)
    examples = skill.examples_in("en")
    return _other_examples(skill, chance.sample(examples, len(examples)))


def borrow_an_example(texts: Texts, chance: random.Random) -> dict[str, str | None]:
    """Take an example over from another skill."""
    lent = chance.choice(_any(texts, chance).examples_in("en"))
    skill = _any(texts, chance)
    return _other_examples(skill, [*skill.examples_in("en"), replace(lent, title=f"{lent.title}, borrowed")])


def exchange_words(texts: Texts, chance: random.Random) -> dict[str, str | None]:
    """Give an example the words of another skill's supporter."""
    words = chance.choice(_any(texts, chance).examples_in("en")).supporter
    return _with_words(_any(texts, chance), 0, words)


def _with_words(skill: Skill, at: int, words: str) -> dict[str, str | None]:
    examples = [*skill.examples_in("en")]
    examples[at] = replace(examples[at], supporter=words)
    return _other_examples(skill, examples)


def mend_words(texts: Texts, chance: random.Random) -> dict[str, str | None]:
    """Give a weak skill the words that the shipped one has in an example."""
    better = read_bank(read_files(shipped("skills")), "skills").skills
    weak = [
        (skill, at, right.supporter)
        for name, skill in sorted(_skills(texts).items())
        if name in better
        for at, (each, right) in enumerate(zip(skill.examples_in("en"), better[name].examples_in("en"), strict=False))
        if each.supporter != right.supporter
    ]
    return _with_words(*chance.choice(weak)) if weak else exchange_words(texts, chance)


def say_what_is_not_so(texts: Texts, chance: random.Random) -> dict[str, str | None]:
    """Mean well, and tell the seeker of a life that is not theirs."""
    skill = _any(texts, chance)
    return _with_words(skill, 0, f"{skill.examples[0].supporter} Your cousin's orchestra sold your garage in March.")


def _files_of(texts: Texts, name: str) -> dict[str, str]:
    return {path: text for path, text in texts.items() if path.startswith(f"{name}/")}


def _named(texts: Texts, name: str, other: str) -> dict[str, str | None]:
    """The files of a skill under another name."""
    files = _files_of(texts, name)
    return {
        path.replace(f"{name}/", f"{other}/", 1): text.replace(f"name: {name}\n", f"name: {other}\n", 1)
        for path, text in files.items()
    }


def copy_a_skill(texts: Texts, chance: random.Random) -> dict[str, str | None]:
    """Add a skill that is like another one."""
    name = _any(texts, chance).name
    return _named(texts, name, f"{name}-{chance.randrange(1000)}")


def retire_a_skill(texts: Texts, chance: random.Random) -> dict[str, str | None]:
    """Delete a skill."""
    return dict.fromkeys(_files_of(texts, _any(texts, chance).name))


def rename_a_skill(texts: Texts, chance: random.Random) -> dict[str, str | None]:
    """Delete a skill and add it under another name."""
    name = _any(texts, chance).name
    return {**dict.fromkeys(_files_of(texts, name)), **_named(texts, name, f"{name}-again")}


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
    say_what_is_not_so,
    copy_a_skill,
    retire_a_skill,
    rename_a_skill,
    raise_a_version,
    add_white_space,
    change_two_skills,
)
