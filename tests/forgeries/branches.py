"""Forged branches: what a proposal touches beside its change, and what git is made to hide."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from esc_skills.bank.edit import set_metadata
from esc_skills.evidence.files import CALLS, EPISODES, PLAN, STATEMENT, render_json
from tests.samples import version_of

from .kind import Asked, family, refused
from .workshop import FORGED, Files, Workshop

SKILL = "skills/reflect-the-feeling/SKILL.md"


def with_subject(shop: Workshop, name: str) -> Files:
    """The real evidence of a bank in another folder."""
    statement = json.loads(shop.real.evidence[STATEMENT])
    statement["subject"][0]["name"] = name
    return {**shop.real.evidence, STATEMENT: render_json(statement).encode()}


def beside(shop: Workshop, more: dict[str, bytes | None], *, parent: str = "main") -> None:
    """Propose the real change with something else beside it."""
    evidence = {f"evidence/{shop.real.name}/{path}": data for path, data in shop.real.evidence.items()}
    shop.commit({**shop.real.skills, **evidence, **more}, parent=parent)


family("what is missing")


@refused("evidence", r"the head changes skills/.* and adds no evidence", status="missing")
def a_change_comes_without_evidence(shop: Workshop) -> None:
    shop.commit(shop.real.skills)


@refused("evidence", rf"{PLAN}: is missing")
def the_plan_is_left_out(shop: Workshop) -> None:
    shop.propose({name: data for name, data in shop.real.evidence.items() if name != PLAN})


@refused("evidence", rf"{EPISODES}: is missing")
def the_episodes_are_left_out(shop: Workshop) -> None:
    shop.propose({name: data for name, data in shop.real.evidence.items() if name != EPISODES})


@refused("evidence", r"review\.md: was in the base before")
def evidence_of_an_earlier_merge_is_used_again(shop: Workshop) -> None:
    shop.propose(shop.real.evidence)
    shop.git("checkout", "--quiet", "main")
    shop.git("checkout", "--quiet", FORGED, "--", "evidence")
    shop.git("commit", "--quiet", "--message", "Evidence alone")
    shop.git("branch", "--delete", "--force", "--quiet", FORGED)
    shop.commit({**shop.real.skills, f"evidence/{shop.real.name}/review.md": b"# New\n"})


family("what rides along")


@refused("scope", r"\.github/workflows/ci\.yml: lies outside")
def a_workflow_rides_along(shop: Workshop) -> None:
    beside(shop, {".github/workflows/ci.yml": b"on: push\n"})


@refused("scope", r"pyproject\.toml: lies outside")
def the_gate_is_lowered_beside_the_change(shop: Workshop) -> None:
    beside(shop, {"pyproject.toml": b"[tool.esc-skills.gate]\nthreshold = 1.01\n"})


@refused("scope", r"profiles/intentions\.yaml: lies outside")
def profiles_are_changed_beside_the_change(shop: Workshop) -> None:
    beside(shop, {"profiles/intentions.yaml": b"intentions: []\n"})


@refused("scope", r"Skills/reflect-the-feeling/SKILL\.md: lies outside")
def a_folder_differs_in_case_alone(shop: Workshop) -> None:
    beside(shop, {SKILL.replace("skills", "Skills", 1): b"x"})


@refused("scope", r"skіlls/evil/SKILL\.md: lies outside")
def a_folder_has_look_alike_letters(shop: Workshop) -> None:
    beside(shop, {"sk\u0456lls/evil/SKILL.md": b"x"})


@refused("scope", r"skills/reflect-the-feeling/setup\.sh: is no SKILL\.md")
def a_script_rides_along_in_a_skill(shop: Workshop) -> None:
    beside(shop, {"skills/reflect-the-feeling/setup.sh": b"curl evil\n"})


@refused("scope", r"skills/\.hidden/SKILL\.md: is no SKILL\.md")
def a_skill_is_hidden(shop: Workshop) -> None:
    beside(shop, {"skills/.hidden/SKILL.md": b"x"})


@refused("scope", r"notes\.txt: is no file of the evidence")
def a_file_rides_along_in_the_evidence(shop: Workshop) -> None:
    beside(shop, {f"evidence/{shop.real.name}/notes.txt": b"x"})


@refused("evidence", r"holds 2 proposals \(edit-reflect")
def two_proposals_come_at_once(shop: Workshop) -> None:
    more: dict[str, bytes | None] = {
        f"evidence/{shop.other.name}/{path}": data for path, data in shop.other.evidence.items()
    }
    beside(shop, more)


@refused("evidence", r"holds 2 proposals \(edit-older")
def the_evidence_of_an_earlier_proposal_is_taken_away(shop: Workshop) -> None:
    shop.commit({"evidence/edit-older-0123456789/statement.json": b"{}\n"}, branch="merged")
    shop.git("update-ref", "refs/heads/main", "merged")
    beside(shop, {"evidence/edit-older-0123456789/statement.json": None})


@refused("calls", r"names no model and holds recorded calls")
def calls_are_put_beside_a_run_of_the_surrogate(shop: Workshop) -> None:
    empty = bytes.fromhex("1f8b08000000000002ff03000000000000000000")
    beside(shop, {f"evidence/{shop.real.name}/{CALLS}": empty})


family("files that are none")


def replanted(shop: Workshop, folder: str, line: str) -> None:
    """Propose the real change with a line for `git mktree` in a folder, in place of the file of that name."""
    shop.propose(shop.real.evidence)
    name = line.split("\t")[1]
    kept = [each for each in shop.git("ls-tree", f"{FORGED}:{folder}").split("\n") if each.split("\t")[1] != name]
    shop.move(shop.put(folder, shop.mktree([*kept, line])), "main")


@refused("scope", r"SKILL\.md: has mode 120000")
def a_skill_is_a_link(shop: Workshop) -> None:
    replanted(shop, "skills/reflect-the-feeling", f"120000 blob {shop.blob(b'/etc/passwd')}\tSKILL.md")


@refused("scope", r"SKILL\.md: has mode 100755")
def a_skill_may_be_executed(shop: Workshop) -> None:
    replanted(shop, "skills/reflect-the-feeling", f"100755 blob {shop.blob(shop.real.skills[SKILL])}\tSKILL.md")


@refused("scope", r"review\.md: has mode 120000 where a new regular file")
def a_page_of_the_evidence_is_a_link(shop: Workshop) -> None:
    replanted(shop, f"evidence/{shop.real.name}", f"120000 blob {shop.blob(b'../../README.md')}\treview.md")


@refused("scope", r"lib: lies outside")
def a_submodule_that_is_ignored_is_moved(shop: Workshop) -> None:
    shop.git("checkout", "--quiet", "main")
    (shop.folder / ".gitmodules").write_text('[submodule "lib"]\n\tpath = lib\n\turl = ./lib\n\tignore = all\n')
    shop.git("add", ".gitmodules")
    shop.git("update-index", "--add", "--cacheinfo", f"160000,{'a' * 40},lib")
    shop.git("commit", "--quiet", "--message", "A library")
    shop.propose(shop.real.evidence)
    moved = [each.replace("a" * 40, "b" * 40) for each in shop.git("ls-tree", FORGED).split("\n")]
    shop.move(shop.mktree(moved), "main")


@refused("objects", r"holds the name 'SKILL\.md' twice")
def a_folder_holds_two_files_of_one_name(shop: Workshop) -> None:
    def twice() -> str:
        shop.propose(shop.real.evidence)
        skill = shop.git("rev-parse", f"{FORGED}:{SKILL}")
        entries = (("100644", "SKILL.md", shop.blob(b"curl evil\n")), ("100644", "SKILL.md", skill))
        return shop.put("skills/reflect-the-feeling", shop.raw_tree(*entries))

    tree = twice()
    statement = json.loads(shop.real.evidence[STATEMENT])
    statement["subject"][0]["digest"]["gitTree"] = shop.git("rev-parse", f"{tree}:skills")
    shop.move(shop.put(f"evidence/{shop.real.name}", stated(shop, render_json(statement).encode()), ref=tree), "main")


def stated(shop: Workshop, statement: bytes) -> str:
    """The tree of the real evidence with another statement."""
    files = {**shop.real.evidence, STATEMENT: statement}
    return shop.mktree(f"100644 blob {shop.blob(data)}\t{name}" for name, data in files.items())


@refused("scope", r"b\\xffad: lies outside")
def the_name_of_a_file_is_no_text(shop: Workshop) -> None:
    shop.propose(shop.real.evidence)
    names = [line.split() for line in shop.git("ls-tree", FORGED).split("\n")]
    entries = b"".join(f"{mode.lstrip('0')} {name}".encode() + b"\0" + bytes.fromhex(id) for mode, _, id, name in names)
    odd = b"100644 b\xffad\0" + bytes.fromhex(shop.blob(b"x"))
    tree = shop.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=odd + entries)
    shop.move(tree, "main")


family("paths that leave their folder")


def subject(name: str) -> Callable[[Workshop], None]:
    """Propose the real change for a bank in another folder."""
    return lambda shop: shop.propose(with_subject(shop, name))


@refused("scope", r"'\.\./skills' is no folder inside the repository")
def the_bank_lies_outside_the_repository(shop: Workshop) -> None:
    subject("../skills")(shop)


@refused("scope", r"'skills/\.\./skills' is no folder inside the repository")
def the_bank_is_reached_by_a_detour(shop: Workshop) -> None:
    subject("skills/../skills")(shop)


@refused("scope", r"'skills/' is no folder of a bank")
def the_bank_has_another_spelling(shop: Workshop) -> None:
    subject("skills/")(shop)


@refused("scope", r"'evidence' is no folder of a bank")
def the_bank_is_the_evidence(shop: Workshop) -> None:
    subject("evidence")(shop)


@refused("scope", r"'skills/reflect-the-feeling' is a skill and no bank")
def the_bank_is_a_single_skill(shop: Workshop) -> None:
    subject("skills/reflect-the-feeling")(shop)


@refused("scope", r"'elsewhere' is not in the base")
def the_bank_is_not_in_the_base(shop: Workshop) -> None:
    subject("elsewhere")(shop)


@refused("scope", r"profiles is no bank in the base")
def the_bank_is_a_folder_without_skills(shop: Workshop) -> None:
    evidence = with_subject(shop, "profiles")
    shop.commit({f"evidence/{shop.real.name}/{path}": data for path, data in evidence.items()})


@refused("objects", r"holds the name '\.\.', which git never writes")
def a_path_climbs_out_of_the_evidence(shop: Workshop) -> None:
    shop.propose(shop.real.evidence)
    inner = shop.raw_tree(("100644", "x", shop.blob(b"x")))
    around = [line.split() for line in shop.git("ls-tree", f"{FORGED}:evidence").split("\n")]
    entries = [("40000", "..", inner), *(("40000", name, tree) for _, _, tree, name in around)]
    tree = shop.raw_tree(*entries)
    kept = [line for line in shop.git("ls-tree", FORGED).split("\n") if not line.endswith("\tevidence")]
    shop.move(shop.mktree([*kept, f"040000 tree {tree}\tevidence"]), "main")


family("what a merge would make")


@refused("base", r"skills of the base changed after the proposal branched off", status="stale")
def the_base_took_a_skill_back_in_the_meantime(shop: Workshop) -> None:
    shop.propose(shop.real.evidence)
    shop.commit({"skills/restate-the-story/SKILL.md": None}, branch="moved")
    shop.git("update-ref", "refs/heads/main", "moved")


@refused("base", r"pyproject\.toml of the base changed after the proposal branched off", status="stale")
def the_base_raised_its_gate_in_the_meantime(shop: Workshop) -> None:
    shop.propose(shop.real.evidence)
    shop.commit({"pyproject.toml": b"[tool.esc-skills.gate]\nthreshold = 20\n"}, branch="moved")
    shop.git("update-ref", "refs/heads/main", "moved")


@refused("merge", r"were merged crosswise and went apart at 2 commits", status="stale")
def a_merge_of_the_bases_own_branches_reverts_one_of_them(shop: Workshop) -> None:
    shop.commit({"fix.txt": b"A fix of the tools.\n"}, branch="fix")
    shop.commit({"README.md": b"# More\n"}, branch="more")
    tree = shop.git("merge-tree", "--write-tree", "more", "fix")
    shop.move(tree, "more", "fix", branch="main")
    # The proposal comes from the same two branches and keeps the first one's files.
    beside(shop, {}, parent="more")
    shop.move(shop.git("rev-parse", f"{FORGED}^{{tree}}"), "more", "fix")


@refused("scope", r"fix\.txt: lies outside")
def a_merge_of_the_base_reverts_it(shop: Workshop) -> None:
    shop.propose(shop.real.evidence)
    shop.commit({"fix.txt": b"A fix of the tools.\n"}, branch="fix")
    tree = shop.git("rev-parse", f"{FORGED}^{{tree}}")
    shop.git("update-ref", "refs/heads/main", "fix")
    shop.move(tree, FORGED, "main")


@refused("scope", r"README\.md: lies outside", status="invalid")
def the_proposal_starts_from_commits_that_the_base_has_not(shop: Workshop) -> Asked:
    shop.commit({"README.md": b"# Mine\n"}, branch="mine")
    beside(shop, {}, parent="mine")
    return Asked()


@refused("bank", r"version-bump.*must rise above")
def the_version_of_a_changed_skill_stays(shop: Workshop) -> None:
    stays = version_of(shop.revision.files[SKILL.removeprefix("skills/")].decode())
    text = set_metadata(shop.real.skills[SKILL].decode(), "version", stays)
    late = replace(shop.real, skills={SKILL: text.encode()})
    shop.propose(shop.registered_anew(replace(shop.trial(), candidate=shop.bank(late.skills)), of=late), of=late)
