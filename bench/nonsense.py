"""Print what the gate says of 30 edits that are stuffed with cues and beside the point, as Markdown.

    python bench/nonsense.py

Ten kinds of nonsense (praise, agreement, set phrases of empathy, good wishes, absolution, all of them, shuffled words,
stories of teapots with a compliment) take the place of a skill's examples: of one much-used skill; of the same skill after
the first sentence of each example, which holds the echo; and of every skill but those for seekers at risk, whose red flags
would end the trial at once. Each goes through the whole trial with the surrogate, at the first threshold and with the
shipped bank and gate. About a minute.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from random import Random

from esc_skills.bank.edit import raise_version, with_examples
from esc_skills.bank.reader import Bank, read_bank, read_files
from esc_skills.bank.skill import SKILL_FILE, Skill
from esc_skills.documents.shipped import shipped
from esc_skills.evidence.trial import Trial, run_trial
from esc_skills.gate.decision import Decision
from esc_skills.seekers.population import read_population
from esc_skills.settings import GateSettings
from esc_skills.simulation.players import cast_players
from esc_skills.simulation.runner import wait_for
from esc_skills.vocabulary import Risk

PRAISE = (
    "Great job!", "Well done!", "That is amazing.", "You are brilliant and so clever.", "What a remarkable person.",
    "Bravo, few people would manage it.", "I admire you.", "Fantastic, outstanding, excellent.",
)  # fmt: skip
AGREEMENT = (
    "You are right.", "Exactly, absolutely.", "That's true, so true.", "Yes, of course, no doubt.", "I agree, good point.",
    "Definitely, totally.", "Certainly, you have a point.",
)  # fmt: skip
EMPATHY = (
    "I hear you.", "That must be so hard.", "I can only imagine how it feels.", "It sounds like a lot.",
    "My heart goes out to you.", "I feel for you, deep down.", "It makes sense, anyone would feel it.", "You are not alone.",
)  # fmt: skip
WISHES = (
    "Good luck!", "I wish you all the best!", "Congratulations, I am so proud of you!", "I'm so glad, what wonderful news!",
    "Take care, have a great day!", "You've got this!", "Keep going, I believe in you!", "Hooray!",
)  # fmt: skip
ABSOLUTION = (
    "It's not your fault.", "You did nothing wrong.", "You deserve better.", "Your courage counts.",
    "You are so strong and brave.", "You have every right.", "What patience, what kindness, what effort.",
)  # fmt: skip
STORY = (
    "The teapot in the museum is blue.", "A ferry to the island leaves at nine.", "Pumpkins like a sunny slope.",
    "The violin was tuned in an attic.", "Twelve penguins crossed the harbour.", "A comet passed over the vineyard.",
)  # fmt: skip
EVERYTHING = (PRAISE, AGREEMENT, EMPATHY, WISHES, ABSOLUTION)
#: What is said in turns, how often around, and whether its words are shuffled.
KINDS: dict[str, tuple[tuple[tuple[str, ...], ...], int, bool]] = {
    "praise": ((PRAISE,), 4, False),
    "agreement": ((AGREEMENT,), 4, False),
    "praise and agreement": ((PRAISE, AGREEMENT), 2, False),
    "set phrases of empathy": ((EMPATHY,), 4, False),
    "good wishes": ((WISHES,), 4, False),
    "absolution": ((ABSOLUTION,), 3, False),
    "everything, once": (EVERYTHING, 1, False),
    "everything, four times": (EVERYTHING, 4, False),
    "everything, shuffled words": (EVERYTHING, 2, True),
    "a story with praise and agreement": ((PRAISE, STORY, AGREEMENT, STORY), 1, False),
}
SKILL = "affirm-what-they-did"
WHOLE = "every skill"
PLACES = ("one skill", "one skill, after its own first sentence", WHOLE)


def nonsense(kind: str, rng: Random) -> str:
    """A supporter turn of a kind."""
    pools, times, shuffled = KINDS[kind]
    text = " ".join(rng.choice(pool) for _ in range(times) for pool in pools)
    if not shuffled:
        return text
    words = text.translate(str.maketrans("", "", ".,!")).split()
    rng.shuffle(words)
    return " ".join(words) + "."


def stuffed(skill: Skill, kind: str, rng: Random, *, echoing: bool) -> dict[str, bytes]:
    """The files of a skill whose examples are nonsense."""
    standing = skill.examples_in(skill.language)
    own = [f"{each.supporter.partition('. ')[0]}. " if echoing else "" for each in standing]
    examples = [replace(each, supporter=start + nonsense(kind, rng)) for each, start in zip(standing, own, strict=True)]
    files = with_examples(skill, examples)
    files[SKILL_FILE] = raise_version(files[SKILL_FILE], skill.version)
    return {f"{skill.name}/{path}": text.encode() for path, text in files.items()}


def edits(files: Mapping[str, bytes], bank: Bank) -> Iterator[tuple[str, str, Bank]]:
    """The thirty: where, of which kind, and the bank that each makes."""
    ordinary = [
        name for name, skill in bank.skills.items() if not {Risk.ACTIVE, Risk.IMMINENT} & set(skill.risk_levels)
    ]
    for place in PLACES:
        for kind in KINDS:
            rng = Random(f"{place}:{kind}")
            changed: dict[str, bytes] = {}
            for name in ordinary if place == WHOLE else [SKILL]:
                changed |= stuffed(bank.skills[name], kind, rng, echoing="after" in place)
            yield place, kind, read_bank({**files, **changed}, "skills")


def judged(bank: Bank, candidate: Bank) -> Decision:
    """What the gate says of a candidate, on seekers and seeds that follow from it."""
    population = read_population(read_files(shipped("profiles")), "profiles")
    trial = Trial(bank, candidate, population, GateSettings(), cast_players())
    return wait_for(run_trial(trial, lambda done, total: None)).decision


def main() -> None:
    files = read_files(shipped("skills"))
    bank = read_bank(files, "skills")
    verdicts: Counter[str] = Counter()
    print("| where | nonsense | verdict | draws | effect | e-value | red flag |\n|---|---|---|--:|--:|--:|---|")
    for place, kind, candidate in edits(files, bank):
        decision = judged(bank, candidate)
        verdicts[str(decision.verdict)] += 1
        flag = "yes" if decision.vetoed else ""
        cells = (
            place,
            kind,
            decision.verdict,
            decision.draws,
            f"{decision.effect:+.1f}",
            f"{decision.e_value:.2f}",
            flag,
        )
        print("|", " | ".join(map(str, cells)), "|", flush=True)
    print(f"\n{verdicts.total()} edits: " + ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items()))


if __name__ == "__main__":
    main()
