"""`verify` believes nothing that it can recompute."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from esc_skills.cli.main import run
from esc_skills.documents.jsonl import canonical_json, compress, digest
from esc_skills.evidence.comparison import compare_evidence
from esc_skills.evidence.trial import change_digest
from esc_skills.evidence.verification import RefusedError
from esc_skills.git import Repository
from tests.proposals import Proposed
from tests.samples import raised

Verify = Callable[..., dict[str, Any]]
#: The parts of a predicate that `verify` makes itself.
MADE = (("episodes",), ("files",), ("plan",), ("result",), ("review",))
FILES = ("statement.json", "plan.json", "episodes.jsonl.gz", "review.md")


@pytest.fixture
def tampered(proposed: Proposed, verify: Verify) -> Callable[..., dict[str, Any]]:
    """Change files on the proposal's branch and verify the result."""

    def change(edit: Callable[[Path], None]) -> dict[str, Any]:
        proposed.git("checkout", "--quiet", "-b", "forged", proposed.branch)
        edit(proposed.folder)
        proposed.git("add", "--all")
        proposed.git("commit", "--quiet", "--amend", "--no-edit")
        return verify(proposed, "forged")

    return change


def detail(verified: dict[str, Any]) -> str:
    return str(verified["checks"][-1]["detail"])


def test_an_honest_proposal_is_valid_and_exits_by_its_verdict(proposed: Proposed, verify: Verify) -> None:
    verified = verify(proposed)

    assert verified["evidence"] == "valid"
    assert verified["verdict"] == proposed.result["verdict"]
    assert verified["exit"] == (0 if verified["verdict"] == "accept" else 1)
    assert all(check["ok"] for check in verified["checks"])


@pytest.mark.parametrize("name", FILES)
def test_one_changed_byte_in_the_evidence_is_found_and_named(name: str, proposed: Proposed, tampered: Verify) -> None:
    def edit(folder: Path) -> None:
        path = folder / proposed.evidence / name
        data = bytearray(path.read_bytes())
        at = random.Random(name).randrange(len(data))
        data[at] ^= 1
        path.write_bytes(bytes(data))

    verified = tampered(edit)

    assert (verified["evidence"], verified["verdict"], verified["exit"]) == ("invalid", None, 1)
    assert f"{proposed.evidence}/{name}" in detail(verified)


def test_every_value_of_the_statement_is_held_against_what_is_built_again(proposed: Proposed) -> None:
    with Repository(proposed.folder) as repository:
        files = repository.read_tree(proposed.branch, proposed.evidence)
    statement = json.loads(files["statement.json"])
    compare_evidence(proposed.result["proposal"], files, files)
    for leaf in leaves_of(statement, ()):
        forged = {**files, "statement.json": written(changed(statement, leaf))}
        with pytest.raises(RefusedError, match=r"statement\.json"):
            compare_evidence(proposed.result["proposal"], forged, files)


@pytest.mark.thorough
def test_no_part_of_the_statement_is_believed(proposed: Proposed, verify: Verify) -> None:
    statement = json.loads(proposed.git("show", f"{proposed.branch}:{proposed.evidence}/statement.json"))
    path = proposed.folder / proposed.evidence / "statement.json"
    proposed.git("checkout", "--quiet", "-b", "forged", proposed.branch)
    # One value stands for those that stand together; the threshold, which the ledger answers for, stands for the gate.
    tried = {leaf[:2] if leaf[1:2] in MADE else leaf[:3]: leaf for leaf in leaves_of(statement, ())}
    assert {("predicate", *made) for made in MADE} <= {*tried}
    for leaf in tried.values():
        path.write_bytes(written(changed(statement, leaf)))
        proposed.git("commit", "--quiet", "--amend", "--no-edit", "--all")
        verified = verify(proposed, "forged")
        assert verified["evidence"] == "invalid", leaf
        assert "statement.json" in detail(verified) or "SKILL.md" in detail(verified) or "scope" in str(verified), leaf


@pytest.mark.parametrize(
    ("at", "value", "told"),
    [
        (("final_emotion",), 999, r":2: /final_emotion is 999 and should be \d+$"),
        (("final_emotion",), 80.0, r":2: /final_emotion is 80\.0 and should be \d+$"),
        (("arm",), "candid\u0430te", r":2: /arm is 'candid\\u0430te' and should be 'candidate'$"),
        (("turns", 1, "seeker"), "x" * 100_000, r":2: /turns/1/seeker is 'x{100}'… and should be .{1,200}$"),
        (("turns",), [], r":2: /turns/0 is absent and should be an object of \d+$"),
        (("charm",), [[1], [2]], r":2: /charm is a list of 2 and should be absent$"),
    ],
)
def test_what_departs_in_an_episode_is_told_by_line_and_pointer(
    at: tuple[Any, ...], value: Any, told: str, proposed: Proposed
) -> None:
    name = proposed.result["proposal"]
    with Repository(proposed.folder) as repository:
        files = repository.read_tree(proposed.branch, proposed.evidence)
    lines = gzip.decompress(files["episodes.jsonl.gz"]).decode().split("\n")
    lines[1] = canonical_json(with_value(json.loads(lines[1]), at, value))
    packed = compress("\n".join(lines))
    place = ("predicate", "episodes", "file_digest")
    statement = with_value(json.loads(files["statement.json"]), place, digest(packed))
    forged = {**files, "episodes.jsonl.gz": packed, "statement.json": written(statement)}
    with pytest.raises(RefusedError, match=rf"^evidence/{name}/episodes\.jsonl\.gz{told}"):
        compare_evidence(name, forged, files)


def with_value(record: Any, place: tuple[Any, ...], value: Any) -> Any:
    parent = record
    for step in place[:-1]:
        parent = parent[step]
    parent[place[-1]] = value
    return record


def written(statement: Any) -> bytes:
    return (json.dumps(statement, ensure_ascii=False, sort_keys=True, indent=2) + "\n").encode()


def leaves_of(value: Any, path: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [leaf for key, each in value.items() for leaf in leaves_of(each, (*path, key))]
    if isinstance(value, list):
        return [leaf for index, each in enumerate(value) for leaf in leaves_of(each, (*path, index))]
    return [path]


def changed(value: Any, path: tuple[Any, ...]) -> Any:
    copy = json.loads(json.dumps(value))
    parent = copy
    for step in path[:-1]:
        parent = parent[step]
    old = parent[path[-1]]
    if isinstance(old, bool):
        parent[path[-1]] = not old
    elif isinstance(old, int | float):
        parent[path[-1]] = old + 1
    elif old is None:
        parent[path[-1]] = "x"
    else:
        parent[path[-1]] = old[:-1] + ("0" if old[-1:] != "0" else "1")
    return copy


def test_a_changed_skill_is_named(proposed: Proposed, tampered: Verify) -> None:
    path = next(
        path for path in proposed.git("diff", "--name-only", f"main...{proposed.branch}").split("\n") if "SKILL" in path
    )

    def edit(folder: Path) -> None:
        text = (folder / path).read_text()
        (folder / path).write_text(text.replace("## Guidance\n\n1. ", "## Guidance\n\n1. x", 1))

    verified = tampered(edit)

    assert verified["evidence"] == "invalid"
    assert path in detail(verified)


def test_statistics_made_consistent_again_are_still_recomputed(proposed: Proposed, tampered: Verify) -> None:
    def edit(folder: Path) -> None:
        path = folder / proposed.evidence / "statement.json"
        statement = json.loads(path.read_text())
        statement["predicate"]["result"].update(verdict="accept", effect=40.0, e_value=99.0)
        statement["predicate"]["change"] = change_digest(statement["predicate"]["inputs"])
        path.write_text(json.dumps(statement, ensure_ascii=False, sort_keys=True, indent=2) + "\n")

    verified = tampered(edit)

    assert verified["evidence"] == "invalid"
    assert "/predicate/result/" in detail(verified)


def test_an_episode_dropped_with_its_digests_is_missed(proposed: Proposed, tampered: Verify) -> None:
    def edit(folder: Path) -> None:
        path = folder / proposed.evidence / "episodes.jsonl.gz"
        lines = gzip.decompress(path.read_bytes()).split(b"\n")
        path.write_bytes(gzip.compress(b"\n".join(lines[2:]), mtime=0))

    assert tampered(edit)["evidence"] == "invalid"


@pytest.mark.parametrize(
    "path", ["README.md", "profiles/intentions.yaml", "tools/evil.py", "skills2/x.md", "evidence/x"]
)
def test_a_proposal_that_touches_anything_else_is_invalid(path: str, proposed: Proposed, tampered: Verify) -> None:
    def edit(folder: Path) -> None:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        with (folder / path).open("a") as file:
            file.write("\n# more\n")

    verified = tampered(edit)

    assert verified["evidence"] == "invalid"
    assert path in detail(verified)


def test_another_file_beside_the_evidence_is_invalid(proposed: Proposed, tampered: Verify) -> None:
    verified = tampered(lambda folder: (folder / proposed.evidence / "extra.txt").write_text("x") and None)
    assert (verified["evidence"], "extra.txt" in detail(verified)) == ("invalid", True)


def test_a_link_in_place_of_a_file_is_invalid(proposed: Proposed, tampered: Verify) -> None:
    def edit(folder: Path) -> None:
        path = folder / proposed.evidence / "review.md"
        path.unlink()
        path.symlink_to("/etc/hostname")

    assert tampered(edit)["evidence"] == "invalid"


def test_an_executable_skill_is_invalid(proposed: Proposed, tampered: Verify) -> None:
    path = next(
        path for path in proposed.git("diff", "--name-only", f"main...{proposed.branch}").split("\n") if "SKILL" in path
    )

    verified = tampered(lambda folder: (folder / path).chmod(0o755))

    assert verified["evidence"] == "invalid"
    assert "100644" in detail(verified)


def test_a_change_without_evidence_is_missing_its_evidence(proposed: Proposed, tampered: Verify) -> None:
    def edit(folder: Path) -> None:
        for name in FILES:
            (folder / proposed.evidence / name).unlink()

    verified = tampered(edit)

    assert (verified["evidence"], verified["exit"]) == ("missing", 1)


def test_evidence_is_stale_once_the_base_moved(proposed: Proposed, verify: Verify) -> None:
    skill = proposed.folder / "skills" / "open-with-room" / "SKILL.md"
    skill.write_text(raised(skill.read_text()))
    proposed.git("commit", "--quiet", "--all", "--message", "Another change came first")

    verified = verify(proposed)

    assert (verified["evidence"], verified["verdict"]) == ("stale", None)
    assert "evidence renew" in detail(verified)


def test_evidence_of_another_version_is_unverifiable_and_names_it(proposed: Proposed, tampered: Verify) -> None:
    def edit(folder: Path) -> None:
        path = folder / proposed.evidence / "statement.json"
        statement = json.loads(path.read_text())
        predicate = statement["predicate"]
        predicate["tool"] = predicate["inputs"]["parameters"]["tool"] = "9.9.9"
        predicate["change"] = change_digest(predicate["inputs"])
        name = proposed.result["proposal"][:-10] + predicate["change"][7:17]
        predicate["proposal"] = name
        path.write_text(json.dumps(statement, ensure_ascii=False, sort_keys=True, indent=2) + "\n")
        (folder / proposed.evidence).rename(folder / "evidence" / name)

    verified = tampered(edit)

    assert verified["evidence"] == "unverifiable"
    assert "esc-skills==9.9.9" in detail(verified)


@pytest.mark.parametrize("start", ["examples-respond-to-suicide-risk", "celebrate-reflect-the-feeling"])
def test_a_name_follows_from_the_change(start: str, proposed: Proposed, tampered: Verify) -> None:
    def edit(folder: Path) -> None:
        path = folder / proposed.evidence / "statement.json"
        statement = json.loads(path.read_text())
        name = statement["predicate"]["proposal"] = start + proposed.result["proposal"][-11:]
        path.write_bytes(written(statement))
        (folder / proposed.evidence).rename(folder / "evidence" / name)

    assert proposed.result["proposal"].startswith("examples-reflect-the-feeling-")
    verified = tampered(edit)

    assert (verified["evidence"], verified["exit"]) == ("invalid", 1)
    assert f"/predicate/proposal is '{start}-" in detail(verified)
    assert "is called 'edit-reflect-the-feeling-" in detail(verified)


def test_what_was_merged_crosswise_and_is_in_the_base_already_changes_nothing(
    proposed: Proposed, verify: Verify
) -> None:
    proposed.git("checkout", "--quiet", "-b", "notes", "main")
    (proposed.folder / "NOTES").write_text("x\n")
    proposed.git("add", "NOTES")
    proposed.git("commit", "--quiet", "--message", "Notes")
    proposed.git("checkout", "--quiet", "-b", "forged", proposed.branch)
    proposed.git("merge", "--quiet", "--no-edit", "notes")
    proposed.git("checkout", "--quiet", "main")
    proposed.git("merge", "--quiet", "--no-edit", "--no-ff", proposed.branch)
    proposed.git("merge", "--quiet", "--no-edit", "notes")

    verified = verify(proposed, "forged")

    assert (verified["evidence"], verified["verdict"], verified["exit"]) == ("none", None, 0)


def test_the_base_judges_not_the_proposal(proposed: Proposed, tampered: Verify) -> None:
    def edit(folder: Path) -> None:
        (folder / "pyproject.toml").write_text("[tool.esc-skills.gate]\nthreshold = 1.01\n")

    verified = tampered(edit)

    assert (verified["evidence"], "pyproject.toml" in detail(verified)) == ("invalid", True)


def test_an_unknown_revision_is_an_input_error(proposed: Proposed, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "--repo", str(proposed.folder), "--base", "main", "--head", "nowhere"]) == 2
    assert "no commit is named 'nowhere'" in capsys.readouterr().err


def test_what_would_be_merged_is_what_was_judged(proposed: Proposed, verify: Verify) -> None:
    # The base takes a skill back after the proposal branched off, so the proposal's tree holds more than its change.
    skill = proposed.folder / "skills" / "restate-the-story" / "SKILL.md"
    skill.unlink()
    proposed.git("commit", "--quiet", "--all", "--message", "Take a skill out")

    assert verify(proposed)["evidence"] == "stale"


def test_a_profile_that_changed_since_makes_evidence_stale(proposed: Proposed, verify: Verify) -> None:
    path = proposed.folder / "profiles" / "intentions.yaml"
    path.write_text(path.read_text() + "# a remark\n")
    proposed.git("commit", "--quiet", "--all", "--message", "A remark")

    assert verify(proposed)["evidence"] == "stale"


@pytest.mark.parametrize(
    "path",
    [
        "skills/.off/respond-to-suicide-risk/SKILL.md",
        "skills/reflect-the-feeling/skill.md",
        "skills/reflect-the-feeling/scripts/setup.sh",
        "skills/AGENTS.md",
        "skills/.gitattributes",
        "skills/a\n::error::pwned/SKILL.md",
    ],
)
def test_nothing_but_skills_rides_along_in_the_bank(path: str, proposed: Proposed, tampered: Verify) -> None:
    def edit(folder: Path) -> None:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("x\n")

    verified = tampered(edit)

    assert verified["evidence"] == "invalid"
    assert path.replace("\n", "\\n") in detail(verified)


def test_nothing_rides_along_in_the_header_of_the_packed_episodes(proposed: Proposed, tampered: Verify) -> None:
    def edit(folder: Path) -> None:
        path = folder / proposed.evidence / "episodes.jsonl.gz"
        data = path.read_bytes()
        path.write_bytes(data[:3] + b"\x08" + data[4:10] + b"curl evil\0" + data[10:])
        resign(folder)

    def resign(folder: Path) -> None:
        path = folder / proposed.evidence / "statement.json"
        statement = json.loads(path.read_text())
        packed = (folder / proposed.evidence / "episodes.jsonl.gz").read_bytes()
        statement["predicate"]["episodes"]["file_digest"] = digest(packed)
        path.write_text(json.dumps(statement, ensure_ascii=False, sort_keys=True, indent=2) + "\n")

    assert (tampered(edit)["evidence"]) == "invalid"


def test_text_output_stays_on_its_line(proposed: Proposed, capsys: pytest.CaptureFixture[str]) -> None:
    proposed.git("checkout", "--quiet", "-b", "forged", proposed.branch)
    (proposed.folder / "a\n::error::x\nevidence valid").write_text("x")
    proposed.git("add", "--all")
    proposed.git("commit", "--quiet", "--amend", "--no-edit")

    run(["verify", "--repo", str(proposed.folder), "--base", "main", "--head", "forged"])

    lines = capsys.readouterr().out.split("\n")
    assert not any(line.startswith(("::", "evidence valid")) for line in lines)


def test_white_space_chooses_no_seekers(proposed: Proposed) -> None:
    from esc_skills.bank.reader import read_bank, read_files
    from esc_skills.evidence.trial import Trial
    from esc_skills.settings import GateSettings
    from esc_skills.simulation.players import cast_players
    from tests.samples import shipped_population

    files = read_files(proposed.folder / "skills")
    padded = {path: data + b"\n" if path.endswith("SKILL.md") else data for path, data in files.items()}
    one, other = read_bank(files, "skills"), read_bank({**padded, "notes/nonce.txt": b"1"}, "skills")
    trials = [Trial(one, each, shipped_population(), GateSettings(), cast_players()) for each in (one, other)]
    assert (one.digest == other.digest, trials[0].meaning == trials[1].meaning) == (False, True)
