"""`verify` refuses every kind of forgery that the evidence gives away, and believes every honest proposal."""

from __future__ import annotations

import io
import json
import random
import re
import shutil
from collections.abc import Callable, Iterable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from esc_skills.bank.edit import replace_examples
from esc_skills.bank.skill import Example
from esc_skills.cli.main import run
from esc_skills.documents.shipped import shipped
from esc_skills.proposing.operators import load_starters
from esc_skills.vocabulary import HiddenIntention, Language
from tests.model_server import BLUNT, KEY, ModelServer
from tests.model_server import SKILL as CHOSEN
from tests.samples import BODY, raised, skill_of, skill_text, write_skill

from . import honest
from .kinds import CLASS_A, CLASS_B, Asked, Kind
from .workshop import Workshop, forget_ledgers, git, read_real, worded

#: A gate of few draws, so that running again is quick; what it decides does not matter.
QUICK = "[tool.esc-skills.gate]\ndraws = 12\nbatch = 6\nthreshold = 1.2\nspan_draws = 1\nstratum_draws = 0\n"
#: One that looks into strata that seem to lose.
SCRUTINY = "[tool.esc-skills.gate]\ndraws = 24\nbatch = 6\nthreshold = 1.2\nstratum_draws = 200\nspan_draws = 1\n"
MODELS = """\
[tool.esc-skills.gate]
draws = 8
batch = 4
threshold = 1.2
span_draws = 1
stratum_draws = 0

[tool.esc-skills.models]
judge = "local/judge"
second-seeker = "local/other"
"""
SKILL = "skills/reflect-the-feeling/SKILL.md"
#: A red flag of the safety lexicon, which these repositories allow in a text, so that the gate meets it.
RED = "I'm all you need."
ALLOWED = """
[tool.esc-skills.text]
allowed = ["red-act discourages-help: I'm all you need"]
"""
Verified = dict[str, Any]


def call(*arguments: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run(arguments)
    return code, out.getvalue(), err.getvalue()


def verify(folder: Path, asked: Asked) -> Verified:
    names = ("--base", asked.base, "--head", asked.head, *asked.options)
    code, out, err = call("verify", "--repo", str(folder), *names, "--format", "json")
    return {**(json.loads(out) if out else {"evidence": err, "verdict": None, "checks": []}), "exit": code}


def collect(folder: Path, head: str, *options: str) -> dict[str, Any]:
    code, out, err = call("evidence", "collect", "--repo", str(folder), "--head", head, "--format", "json", *options)
    assert code in (0, 1), err
    result: dict[str, Any] = json.loads(out)
    return result


def repository_in(folder: Path, settings: str, bank: Path) -> Path:
    shutil.copytree(bank, folder / "skills")
    shutil.copytree(shipped("profiles"), folder / "profiles")
    (folder / "pyproject.toml").write_text(settings)
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "A bank"]):
        git(folder, *command)
    return folder


def keep_own_examples(folder: Path) -> None:
    """Leave the chosen skill the two examples of its `SKILL.md`, so that an edit of that file decides all that it says."""
    path = folder / SKILL
    path.write_text(without_link(path.read_text()))
    shutil.rmtree(path.parent / "references")
    git(folder, "commit", "--quiet", "--all", "--amend", "--no-edit")


def without_link(text: str) -> str:
    """A `SKILL.md` without the line that leads to further examples."""
    return re.sub(r"^More examples: .*\n\n", "", text, flags=re.MULTILINE)


def with_first_example(text: str, need: HiddenIntention) -> str:
    """A `SKILL.md` whose first example is one for a need: a change of one span, which has no other to be carried by."""
    skill = skill_of(text)
    draft = Example(**load_starters(Language.ENGLISH)[need]["examples"][0])
    return replace_examples(text, [draft, *skill.examples[1:]], skill.avoid)


def edited(folder: Path, branch: str, path: str, text: str) -> str:
    """Leave a branch that changes a skill by hand."""
    git(folder, "checkout", "--quiet", "-b", branch, "main")
    (folder / path).write_text(text)
    git(folder, "commit", "--quiet", "--all", "--message", f"A skill is {branch}")
    git(folder, "checkout", "--quiet", "main")
    return branch


def proposals(
    folder: Path,
    path: str,
    better: Iterable[str],
    worse: str,
    *options: str,
    suits: Callable[[dict[str, Any]], bool] = lambda made: True,
) -> Workshop:
    """Propose edits of a skill until one is accepted and suits, and then one that is not."""
    for number, text in enumerate(better):
        made = collect(folder, edited(folder, f"better-{number}", path, text), *options)
        if made["verdict"] == "accept" and suits(made):
            other = collect(folder, edited(folder, "worse", path, worse), *options)
            assert other["verdict"] != "accept"
            return Workshop(folder, read_real(folder, made["branch"]), read_real(folder, other["branch"]))
        git(folder, "update-ref", "-d", "refs/heads/ledger")  # as if it had never been tried
        forget_ledgers(folder)
    raise AssertionError("the gate accepts no edit")


@pytest.fixture(scope="session")
def surrogate(tmp_path_factory: pytest.TempPathFactory, own_home: Path) -> Workshop:
    """Proposals that the surrogate played."""
    folder = repository_in(
        tmp_path_factory.mktemp("forgeries") / "surrogate", QUICK + ALLOWED, shipped("examples", "weakened-bank")
    )
    keep_own_examples(folder)
    good = raised((folder / SKILL).read_text())
    # An example that the surrogate's seekers like much better than the harmful one, so that some plan soon accepts it.
    good = with_first_example(good, HiddenIntention.DEEP_EMPATHY)
    examples, avoid = good.split("### Avoid", 1)
    flagged = re.sub(r"(\*\*Supporter:\*\* .*)", rf"\1 {RED}", examples)
    return proposals(folder, SKILL, (worded(good, number) for number in range(40)), f"{flagged}### Avoid{avoid}")


@pytest.fixture(scope="session")
def scrutinised(tmp_path_factory: pytest.TempPathFactory, own_home: Path) -> Workshop:
    """Proposals that the surrogate played, where harm to a stratum was ruled out by draws of its own, before the last."""
    folder = repository_in(
        tmp_path_factory.mktemp("forgeries") / "scrutinised", SCRUTINY, shipped("examples", "weakened-bank")
    )
    keep_own_examples(folder)
    mixed = raised((folder / SKILL).read_text())
    # It helps most seekers and harms some.
    mixed = with_first_example(mixed, HiddenIntention.UNDERSTAND_OTHERS)
    return proposals(
        folder,
        SKILL,
        (worded(mixed, number) for number in range(80)),
        raised((folder / SKILL).read_text()),
        suits=lambda made: 12 <= made["own_draws"] < 200,
    )


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory, own_home: Path) -> Workshop:
    """Proposals that models played, with a judge and a second seeker; their server is closed."""
    bank = tmp_path_factory.mktemp("bank")
    for name in (CHOSEN, "name-one-step"):
        write_skill(bank, name)
    folder = repository_in(tmp_path_factory.mktemp("forgeries") / "recorded", MODELS, bank)
    text = skill_text(CHOSEN, version="1.1.0", body=BODY.replace("1. Say that", "1. Say softly that"))
    server = ModelServer()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEST_KEY", KEY)
        endpoint = ("--endpoint", f"local={server.url},TEST_KEY")
        path = f"skills/{CHOSEN}/SKILL.md"
        players = ("--supporter", "local/tiny", "--seeker", "local/tiny")
        real = collect(folder, edited(folder, "better", path, text), *players, *endpoint)
        server.answer = lambda role, model, prompt: {"answer": BLUNT} if role == "supporter-answer" else None
        other = collect(
            folder, edited(folder, "no-better", path, text.replace("softly", "slowly")), *players, *endpoint
        )
    server.close()
    assert (real["verdict"], other["verdict"]) == ("accept", "indecisive")
    return Workshop(folder, read_real(folder, real["branch"]), read_real(folder, other["branch"]))


@pytest.fixture(scope="session")
def shops(surrogate: Workshop, scrutinised: Workshop, recorded: Workshop) -> dict[str, Workshop]:
    return {"surrogate": surrogate, "scrutinised": scrutinised, "recorded": recorded}


@pytest.fixture(scope="session")
def refusal(shops: dict[str, Workshop], tmp_path_factory: pytest.TempPathFactory) -> Callable[[Kind], Verified]:
    """Forge a kind and verify it, once."""
    found: dict[str, Verified] = {}

    def forge(kind: Kind) -> Verified:
        if kind.name not in found:
            folder = tmp_path_factory.mktemp("forged", numbered=True) / "repository"
            shop = shops[kind.shop].copy(folder)
            asked = kind.forge(shop) or Asked()
            found[kind.name] = verify(folder, asked)
            shutil.rmtree(folder)
        return found[kind.name]

    return forge


@pytest.mark.parametrize("make", honest.EDITS, ids=lambda make: make.__name__)
def test_an_honest_proposal_is_believed(make: honest.Make, surrogate: Workshop, tmp_path: Path) -> None:
    shop = surrogate.copy(tmp_path / "honest")
    texts = {path: data.decode() for path, data in shop.revision.files.items() if path.endswith(".md")}
    change = honest.edited(make, texts, random.Random(make.__name__))
    shop.commit({f"skills/{path}": data for path, data in change.items()}, branch="by-hand")

    made = collect(shop.folder, "by-hand")

    verified = verify(shop.folder, Asked(head=made["branch"]))
    assert (verified["evidence"], verified["verdict"]) == ("valid", made["verdict"]), last(verified)
    assert verified["exit"] == (made["verdict"] != "accept")


def last(verified: Verified) -> str:
    check = verified["checks"][-1]
    return f"{check['name']}: {check['detail']}"


def families() -> dict[str, list[Kind]]:
    found: dict[str, list[Kind]] = {}
    for kind in CLASS_A.values():
        found.setdefault(kind.family, []).append(kind)
    return found


def wrong(kind: Kind, verified: Verified) -> str:
    """Say in what a kind was not refused as it has to be; nothing where it was."""
    found = verified["evidence"], verified["verdict"], verified["exit"]
    if found != (kind.status, kind.verdict, 1):
        return f"{kind.name}: is {found}: {verified['checks'] and last(verified)}"
    if not re.match(f"{kind.check}: .*{kind.told}", last(verified), flags=re.DOTALL):
        return f"{kind.name}: another reason: {last(verified)}"
    return ""


@pytest.mark.parametrize("family", families())
def test_a_family_of_forgeries_is_refused_each_kind_for_its_own_reason(
    family: str, refusal: Callable[[Kind], Verified]
) -> None:
    assert [found for kind in families()[family] if (found := wrong(kind, refusal(kind)))] == []


def test_no_two_kinds_are_refused_for_the_same_reason() -> None:
    natures: dict[tuple[str, str], list[str]] = {}
    for kind in CLASS_A.values():
        natures.setdefault((kind.check, kind.told), []).append(kind.nature)
    for reason, of in natures.items():
        assert len(of) == 1 or (len(set(of)) == 1 and of[0]), reason


@pytest.mark.parametrize("path", ["Makefile", "CONTRIBUTING.md", "docs/threat-model.md"])
def test_documents_tell_how_many_kinds_there_are(path: str) -> None:
    text = (Path(__file__).parents[2] / path).read_text()
    assert re.search(rf"\b{len(CLASS_A)} (ways|kinds) .*\band {len(CLASS_B)} (that|of class B)\b", text)


@pytest.mark.parametrize("name", CLASS_B)
def test_what_the_evidence_cannot_give_away_is_believed_and_its_answer_is_named(
    name: str, refusal: Callable[[Kind], Verified]
) -> None:
    kind = CLASS_B[name]
    verified = refusal(kind)
    assert (verified["evidence"], verified["verdict"], verified["exit"]) == ("valid", "accept", 0), verified
    assert kind.answers
