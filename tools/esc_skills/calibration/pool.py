"""The pool of a calibration: how draws end with a bank, with the bank once more, and with edits of it.

The pool is simulated on `report` or `evolution` profiles, or read from recorded runs, and never holds a gate part: whoever
looked at differences on gate seekers could write edits for them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any, NamedTuple

from esc_skills.bank.reader import Bank
from esc_skills.bank.skill import Example, Skill
from esc_skills.documents.jsonl import digest, digest_json
from esc_skills.documents.text import read_bytes
from esc_skills.errors import InputError
from esc_skills.proposing.operators import load_starters
from esc_skills.seekers.population import Population
from esc_skills.seekers.profile import Profile
from esc_skills.simulation.both_arms import Planned, play_all
from esc_skills.simulation.draws import Draw, plan_draws
from esc_skills.simulation.players import Players
from esc_skills.simulation.runner import Progress
from esc_skills.transcript import Transcript, read_transcripts, run_name
from esc_skills.vocabulary import Disposition, HiddenIntention, Language, Risk, Split

#: The largest file of transcripts that is read.
_MAX_RUN = 500_000_000
#: How many examples of each skill the edit `fewer-examples` keeps.
_FEW = 2


class Difference(NamedTuple):
    """What a draw's two episodes differ by.

    Attributes:
        points: Final emotion with the other bank less that with the base, −100 to 100.
        disposition: The seeker's; intention: the seeker's hidden intention. They name its strata.
    """

    points: int
    disposition: Disposition
    intention: HiddenIntention


@dataclass(frozen=True, slots=True)
class Pool:
    """Final emotions on equal draws, in the order of the draws.

    Attributes:
        strata: Disposition and hidden intention of each draw.
        base: With the base.
        again: With the base once more, by other chance; empty where that was not run.
        edited: With each edit of the bank, by its name.
        faults: How many draws were left out because an episode ended in a fault.
        origin: What the episodes follow from: digests of bank, profiles and runs, models, parameters, split and seed.
    """

    strata: tuple[tuple[Disposition, HiddenIntention], ...]
    base: tuple[int, ...]
    again: tuple[int, ...]
    edited: Mapping[str, tuple[int, ...]]
    faults: int
    origin: Mapping[str, Any]

    def differences(self, name: str) -> list[Difference]:
        """Return what each draw differs by with an edit."""
        return self._against_base(self.edited[name])

    def rerun(self) -> list[Difference]:
        """Return what each draw differs by when the base is run once more; nothing where it was not."""
        return self._against_base(self.again) if self.again else []

    def edits(self) -> list[Difference]:
        """Return the differences of all edits that are not zero."""
        return [each for name in self.edited for each in self.differences(name) if each.points]

    def _against_base(self, others: Sequence[int]) -> list[Difference]:
        rows = zip(self.base, others, self.strata, strict=True)
        return [Difference(other - base, *strata) for base, other, strata in rows]


def describe_differences(differences: Sequence[Difference]) -> dict[str, float]:
    """Return mean and standard deviation in points, and the share that is not zero."""
    points = [each.points for each in differences]
    return {
        "mean": fmean(points),
        "sd": pstdev(points),
        "not_zero": sum(each != 0 for each in points) / len(points),
    }


async def simulate_pool(
    bank: Bank, population: Population, players: Players, split: Split, count: int, seed: int, progress: Progress
) -> Pool:
    """Return a pool of so many draws, simulated with a bank, with it once more on other seeds, and with edits of it.

    Raises:
        InputError: The split is the gate's or has no parts, or nothing that the edits do shows.
    """
    if split is Split.GATE:
        raise InputError("a calibration on gate parts would show them", "use report or evolution parts")
    chance = digest_json({"calibration": seed, "split": split, "profiles": population.digest})
    draws = plan_draws(chance, population, split, 0, count)
    edits = edit_bank(bank)
    planned = [Planned(draw, bank) for draw in draws]
    planned += [Planned(_reseeded(draw), bank) for draw in draws]
    planned += [Planned(draw, edited) for edited in edits.values() for draw in draws]
    played = await play_all(players, planned, concurrency=64, progress=progress)
    finals = [each.scored for each in played]
    base, again, *edited = (finals[at : at + count] for at in range(0, len(finals), count))
    origin = {
        "source": "surrogate",
        "bank": bank.digest,
        "profiles": population.digest,
        "models": dict(players.models),
        "parameters": dict(players.settings),
        "split": str(split),
        "seed": seed,
        "runs": [],
    }
    strata = [(draw.profile.disposition, draw.profile.intention.name) for draw in draws]
    return _pool(strata, base, again, dict(zip(edits, edited, strict=True)), origin)


def _reseeded(draw: Draw) -> Draw:
    return replace(draw, seed=hashlib.sha256(f"{draw.seed}:again".encode()).hexdigest()[:32])


def _pool(
    strata: Sequence[tuple[Disposition, HiddenIntention]],
    base: Sequence[int | None],
    again: Sequence[int | None],
    edited: Mapping[str, Sequence[int | None]],
    origin: Mapping[str, Any],
) -> Pool:
    """Return the pool of the draws that no model's fault ended."""
    runs = [base, *([again] if again else []), *edited.values()]
    whole = [at for at in range(len(base)) if all(run[at] is not None for run in runs)]
    kept = [tuple(value for at in whole if (value := run[at]) is not None) for run in runs]
    others = kept[1 + bool(again) :]
    pool = Pool(
        strata=tuple(strata[at] for at in whole),
        base=kept[0],
        again=kept[1] if again else (),
        edited=dict(zip(edited, others, strict=True)),
        faults=len(base) - len(whole),
        origin=origin,
    )
    if not pool.edits():
        raise InputError("no draw of the pool differs with any edit", "take more draws, or runs of banks that differ")
    return pool


def edit_bank(bank: Bank) -> dict[str, Bank]:
    """Return edits of a bank that change what many seekers hear, by name; those that change nothing are left out.

    What they are worth does not matter: their differences show how far the two arms of a pair come apart. Skills for
    seekers at risk stay as they are.
    """
    ordinary = [skill for skill in bank.skills.values() if not {Risk.ACTIVE, Risk.IMMINENT} & set(skill.risk_levels)]
    kinds: dict[str, dict[str, Skill]] = {
        "fewer-examples": {each.name: _performing(each, each.examples_in(each.language)[:_FEW]) for each in ordinary},
        "other-examples": dict(_with_examples_of_the_next(ordinary)),
        "starters": {each.name: _performing(each, _starter(each)) for each in ordinary},
    }
    taken_out = {skill.name for skill in ordinary[1::2]}
    banks = {name: bank_of({**bank.skills, **skills}) for name, skills in kinds.items()}
    banks["half-the-skills"] = bank_of({name: each for name, each in bank.skills.items() if name not in taken_out})
    same = bank_of(bank.skills).digest
    return {name: each for name, each in banks.items() if each.digest != same and each.skills}


def _with_examples_of_the_next(skills: Sequence[Skill]) -> Iterator[tuple[str, Skill]]:
    for language in Language:
        same = [skill for skill in skills if skill.language == language]
        for skill, following in zip(same, [*same[1:], *same[:1]], strict=True):
            yield skill.name, _performing(skill, following.examples_in(language))


def _performing(skill: Skill, examples: tuple[Example, ...]) -> Skill:
    """Return a skill with these examples in its language and no others."""
    references = {language: each for language, each in skill.references.items() if language != skill.language}
    return replace(skill, examples=examples, references=references)


def _starter(skill: Skill) -> tuple[Example, ...]:
    """Return the examples of the starter for a skill's first need; its own in a language without starters."""
    needs = [each for each in skill.needs if isinstance(each, HiddenIntention)]
    if skill.language != Language.ENGLISH or not needs:
        return skill.examples_in(skill.language)
    return tuple(Example(**each) for each in load_starters(Language.ENGLISH)[needs[0]]["examples"])


def bank_of(skills: Mapping[str, Skill]) -> Bank:
    """Return a bank that exists in memory alone, whose digests follow from what its skills say."""
    said = digest_json([asdict(replace(skill, text="", version="")) for skill in skills.values()])
    return Bank(dict(skills), {}, said, {})


def read_pool(paths: Sequence[Path], population: Population) -> Pool:
    """Return the pool that recorded runs make, the first being the base's.

    A further run of the base's bank, such as one with another seed for its models, shows what chance alone does.

    Args:
        paths: Files that `simulate` wrote, on equal draws.
        population: The profile parts that they were drawn from.

    Raises:
        InputError: There are fewer than two, their draws or models differ, or they hold gate parts.
    """
    if len(paths) < 2:
        raise InputError("one recorded run holds no pairs", "give --pool for the base and for each other bank")
    runs = [read_transcripts(path) for path in paths]
    first = runs[0]
    _require_known(paths[0], first, population)
    for path, run in zip(paths[1:], runs[1:], strict=True):
        _require_same_draws(path, run, paths[0], first)
    same = [at for at in range(1, len(runs)) if runs[at][0].bank == first[0].bank]
    again = [each.scored for each in runs[same[0]]] if same else []
    edited = {
        f"{at}-{run_name(paths[at])}": [each.scored for each in run]
        for at, run in enumerate(runs)
        if at and at not in same
    }
    if not edited:
        raise InputError(f"{paths[1]}: is a run of the bank of {paths[0]}", "give a run of another bank too")
    played = first[0]
    origin = {
        "source": "runs",
        "bank": played.bank,
        "profiles": population.digest,
        "models": {"supporter": played.supporter, "seeker": played.seeker},
        "parameters": played.settings,
        "split": None,
        "seed": None,
        "runs": [digest(read_bytes(path, limit=_MAX_RUN)) for path in paths],
    }
    return _pool(
        [(each.disposition, each.intention) for each in first], [each.scored for each in first], again, edited, origin
    )


def _require_known(path: Path, run: Sequence[Transcript], population: Population) -> None:
    held_out = {part.name for part in population.scenarios if part.split is Split.GATE}
    held_out |= {part.name for part in population.personas if part.split is Split.GATE}
    scenarios = [part for part in population.scenarios if part.split is not Split.GATE]
    personas = [part for part in population.personas if part.split is not Split.GATE]
    known = {Profile(*parts).digest for parts in product(scenarios, personas, population.intentions)}
    for transcript in run:
        if held_out & set(transcript.profile.split("/")):
            raise InputError(f"{path}: {transcript.profile} holds gate parts", "run evolution or report profiles")
        if transcript.profile_digest not in known:
            raise InputError(
                f"{path}: {transcript.profile} is no profile of these parts", "give theirs with --profiles"
            )


def _require_same_draws(path: Path, run: Sequence[Transcript], base: Path, first: Sequence[Transcript]) -> None:
    if [(each.profile_digest, each.seed) for each in run] != [(each.profile_digest, each.seed) for each in first]:
        raise InputError(
            f"{path}: has other draws than {base}", "simulate both banks with the same --draws, --seed and --split"
        )
    one, other = run[0], first[0]
    if (one.supporter, one.seeker) != (other.supporter, other.seeker):
        found = f"{one.supporter} and {one.seeker} where {base} has {other.supporter} and {other.seeker}"
        raise InputError(f"{path}: was played by {found}", "pool runs of the same models")
