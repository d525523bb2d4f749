"""What a merge makes, and what of it is a verification's business: on real repositories, merged by git itself beside it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esc_skills.evidence.change import MergedChange, change_of, merged_change
from esc_skills.evidence.kinds import Kind, plain_path
from esc_skills.evidence.verification import EvidenceStatus, RefusedError
from esc_skills.git import Repository
from tests.proposals import git
from tests.samples import skill_text

SKILL = "skills/wait-a-little/SKILL.md"
SETTINGS = '[project]\nname = "x"\n\n[tool.esc-skills]\nskills = "skills"\n'


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    """A small repository with a bank on `main`, and a branch `head` that starts there and is checked out."""
    folder = tmp_path / "bank"
    folder.mkdir()
    git(folder, "init", "--quiet")
    commit(folder, {SKILL: skill_text(), "pyproject.toml": SETTINGS, "docs/a.md": "a\n", "profiles/x.yaml": "x: 1\n"})
    git(folder, "checkout", "--quiet", "-b", "head")
    return folder


def commit(folder: Path, files: dict[str, str | None], message: str = "A change") -> None:
    """Commit files where the repository stands; None deletes one."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            path.unlink()
        else:
            path.write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)


def on_main(folder: Path, files: dict[str, str | None]) -> None:
    git(folder, "checkout", "--quiet", "main")
    commit(folder, files)
    git(folder, "checkout", "--quiet", "head")


def changed(folder: Path, base: str = "main", head: str = "head") -> MergedChange:
    with Repository(folder) as repository:
        return merged_change(repository, repository.resolve(base), repository.resolve(head))


def refused(folder: Path, base: str = "main", head: str = "head") -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        changed(folder, base, head)
    assert caught.value.status is EvidenceStatus.STALE
    return caught.value


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (SKILL, Kind.BANK),
        ("Skills/x/SKILL.md", Kind.BANK),
        ("ſkills/x/SKILL.md", Kind.BANK),
        ("skills\u200b/x/SKILL.md", Kind.BANK),
        ("evidence/x/y", Kind.EVIDENCE),
        ("EVIDENCE/x/y", Kind.EVIDENCE),
        ("profiles/personas/x.yaml", Kind.PROFILES),
        ("prompts/seeker-reply.en.md", Kind.PROMPTS),
        ("schemas/skill.schema.json", Kind.SCHEMAS),
        ("safety/resources.yaml", Kind.SAFETY),
        ("allowed_signers", Kind.SIGNERS),
        (".gitattributes", Kind.ATTRIBUTES),
        ("skills/.gitattributes", Kind.ATTRIBUTES),
        ("skills/wait-a-little/.GitAttributes", Kind.ATTRIBUTES),
        ("docs/.gitattributes", None),
        ("docs/skills/x.md", None),
        ("skillset/x.md", None),
        ("README.md", None),
        ("prompts/notes.txt", None),
        ("schemas/api.json", None),
    ],
)
def test_a_file_is_a_part_of_what_the_least_exact_file_system_would_read_it_as(
    path: str, kind: Kind | None, bank: Path
) -> None:
    commit(bank, {path: "x\n"})
    assert [each.kind for each in changed(bank).touched] == ([kind] if kind else [])


@pytest.mark.parametrize(
    ("text", "touches"),
    [
        (SETTINGS.replace('"x"', '"y"'), False),
        (SETTINGS.replace('skills = "skills"', 'skills = "others"'), True),
        (SETTINGS + "[tool.esc-skills.gate]\nthreshold = 1.01\n", True),
        ("[tool.esc-skills\n", True),
        (None, True),
    ],
)
def test_settings_are_the_table_and_not_the_file(text: str | None, touches: bool, bank: Path) -> None:
    commit(bank, {"pyproject.toml": text})
    assert (Kind.SETTINGS in changed(bank).kinds) == touches


@pytest.mark.parametrize(
    ("path", "target"),
    [
        (".agents/skills", "../evil"),
        ("links/bank", "../skills"),
        (".claude/x", "anywhere"),
        ("packages/a/.claude/skills", "evil"),
    ],
)
def test_a_link_that_leads_agents_to_a_bank_is_named(path: str, target: str, bank: Path) -> None:
    (bank / path).parent.mkdir(parents=True, exist_ok=True)
    (bank / path).symlink_to(target)
    git(bank, "add", "--all")
    git(bank, "commit", "--quiet", "--message", "A link")
    assert changed(bank).kinds == {Kind.LINKS}


def test_a_bank_that_becomes_a_link_or_goes_is_a_change_of_it(bank: Path) -> None:
    git(bank, "rm", "-r", "--quiet", "skills")
    (bank / "skills").symlink_to("docs")
    git(bank, "add", "--all")
    git(bank, "commit", "--quiet", "--message", "A link in place of the bank")
    assert changed(bank).kinds == {Kind.BANK}


def test_a_fix_that_a_crosswise_merge_would_take_back_is_refused(bank: Path) -> None:
    git(bank, "checkout", "--quiet", "main")
    commit(bank, {SKILL: skill_text(version="1.0.1")}, "A fix")
    fix = git(bank, "rev-parse", "HEAD")
    git(bank, "checkout", "--quiet", "head")
    commit(bank, {"docs/a.md": "b\n"})
    git(bank, "checkout", "--quiet", "main")
    git(bank, "merge", "--quiet", "--no-ff", "--no-edit", "head")
    git(bank, "checkout", "--quiet", "head")
    git(bank, "merge", "--quiet", "--strategy", "ours", "--no-edit", fix)
    commit(bank, {"docs/a.md": "c\n"})

    refusal = refused(bank)

    assert refusal.check.detail.startswith(f"{SKILL}: base and head were merged crosswise and went apart at 2 commits")


def test_a_file_that_matters_and_that_both_changed_is_refused(bank: Path) -> None:
    commit(bank, {SKILL: skill_text(version="1.1.0")})
    on_main(bank, {SKILL: skill_text(version="1.2.0")})
    assert refused(bank).check.detail.startswith(f"{SKILL}: base and head both changed it")


def test_a_change_that_git_would_carry_to_where_the_base_moved_a_file_is_refused(bank: Path) -> None:
    text = "".join(f"line {at}\n" for at in range(40))
    git(bank, "checkout", "--quiet", "main")
    commit(bank, {"docs/draft.md": text})
    git(bank, "checkout", "--quiet", "head")
    git(bank, "merge", "--quiet", "main")
    commit(bank, {"docs/draft.md": text.replace("line 3\n", "harm\n")})
    on_main(bank, {"docs/draft.md": None, "skills/moved/SKILL.md": text})

    assert "a merge would bring the change there" in refused(bank).check.detail
    merged = subprocess.run(
        ["git", "merge-tree", "--write-tree", "main", "head"], cwd=bank, capture_output=True, text=True, check=True
    )
    assert "harm" in git(bank, "show", f"{merged.stdout.strip()}:skills/moved/SKILL.md")


def test_settings_that_a_merge_by_content_could_make_are_refused(bank: Path) -> None:
    commit(bank, {"pyproject.toml": SETTINGS.replace('"x"', '"y"')})
    on_main(bank, {"pyproject.toml": "# A remark\n" + SETTINGS})
    assert refused(bank).check.detail.startswith("pyproject.toml: base and head both changed it")


@pytest.mark.parametrize("also_the_bank", [False, True])
def test_files_are_merged_by_content_only_where_nothing_that_matters_changes(also_the_bank: bool, bank: Path) -> None:
    lines = "".join(f"{at}\n" for at in range(20))
    git(bank, "checkout", "--quiet", "main")
    commit(bank, {"docs/b.md": lines})
    git(bank, "checkout", "--quiet", "head")
    git(bank, "merge", "--quiet", "main")
    more = {SKILL: skill_text(version="1.1.0")} if also_the_bank else {}
    commit(bank, {"docs/b.md": lines.replace("3\n", "three\n"), **more})
    on_main(bank, {"docs/b.md": lines.replace("17\n", "seventeen\n")})
    if also_the_bank:
        assert refused(bank).check.detail.startswith("docs/b.md: base and head both changed it")
    else:
        assert (changed(bank).tree, changed(bank).touched) == (None, ())


@pytest.mark.parametrize(
    "path",
    ["docs/a b./x.md", "docs/x ", "docs/con.md", "docs/a:b", "docs/a\\b", "docs/skills~1/x", "docs/" + "x" * 260],
)
def test_a_name_that_not_every_clone_can_check_out_is_refused(path: str, bank: Path) -> None:
    blob = git(bank, "hash-object", "-w", "README.md" if (bank / "README.md").exists() else SKILL)
    git(bank, "update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
    git(bank, "commit", "--quiet", "--message", "A name")
    with pytest.raises(RefusedError) as caught:
        changed(bank)
    assert (caught.value.status, caught.value.check.name) == (EvidenceStatus.INVALID, "names")


def test_a_change_that_one_commit_makes_and_the_next_takes_back_is_refused(bank: Path) -> None:
    commit(bank, {SKILL: skill_text(version="1.1.0")})
    commit(bank, {SKILL: skill_text(), "docs/a.md": "b\n"})
    assert "squash the head to what it means" in refused(bank).check.detail


def test_a_change_that_the_base_moved_away_from_the_bank_is_refused(bank: Path) -> None:
    text = "".join(f"line {at}\n" for at in range(40))
    git(bank, "checkout", "--quiet", "main")
    commit(bank, {"skills/old/notes.md": text})
    git(bank, "checkout", "--quiet", "head")
    git(bank, "merge", "--quiet", "main")
    commit(bank, {"skills/old/notes.md": None, "skills/new/notes.md": text})
    on_main(bank, {"skills/old/notes.md": text.replace("line 3\n", "a fix\n")})
    assert refused(bank).check.name == "merge"


@pytest.mark.parametrize(("text", "differs"), [("batch = true", True), ("batch = 8", False), ("batch = 8.0", True)])
def test_settings_differ_where_a_type_does(text: str, differs: bool, bank: Path) -> None:
    before = "\n[tool.esc-skills.gate]\n"
    git(bank, "checkout", "--quiet", "main")
    commit(bank, {"pyproject.toml": f"{SETTINGS}{before}batch = 8\n"})
    git(bank, "checkout", "--quiet", "head")
    git(bank, "merge", "--quiet", "main")
    commit(bank, {"pyproject.toml": f"# a remark\n{SETTINGS}{before}{text}\n"})
    assert (Kind.SETTINGS in changed(bank).kinds) == differs


def test_what_is_in_the_base_already_changes_nothing(bank: Path) -> None:
    commit(bank, {SKILL: skill_text(version="1.1.0")})
    git(bank, "checkout", "--quiet", "main")
    git(bank, "merge", "--quiet", "--no-ff", "--no-edit", "head")
    assert changed(bank).files == ()


def test_the_digest_follows_from_what_matters_alone(bank: Path) -> None:
    commit(bank, {SKILL: skill_text(version="1.1.0")})
    with Repository(bank) as repository:
        first = change_of(repository, changed(bank))
    commit(bank, {"docs/a.md": "more\n"})
    on_main(bank, {"README.md": "x\n"})
    with Repository(bank) as repository:
        assert change_of(repository, changed(bank)) == first
    commit(bank, {SKILL: skill_text(version="1.1.1")})
    with Repository(bank) as repository:
        assert change_of(repository, changed(bank)) != first


def test_no_two_plain_forms_are_one_for_names_that_differ_everywhere() -> None:
    assert len({plain_path(each) for each in ("skills", "skill", "evidence", "skills/a", "a/skills")}) == 5


PATHS = ["a.md", "b/c.md", "b/d.md", SKILL, "profiles/x.yaml"]
SIDE = st.dictionaries(st.sampled_from(PATHS), st.one_of(st.none(), st.sampled_from(["1\n", "2\n"])), max_size=4)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SIDE, SIDE)
def test_the_merged_tree_is_git_s_own_where_nothing_is_merged_by_content(
    bank: Path, mine: dict[str, str | None], theirs: dict[str, str | None]
) -> None:
    git(bank, "checkout", "--quiet", "-B", "start", git(bank, "rev-list", "--max-parents=0", "main"))
    commit(bank, dict.fromkeys(PATHS, "0\n"))
    for branch, files in (("one", mine), ("two", theirs)):
        git(bank, "checkout", "--quiet", "-B", branch, "start")
        commit(bank, {**files, f"only-{branch}": "x\n"})
    command = ["git", "-c", "merge.renames=false", "merge-tree", "--write-tree", "one", "two"]
    merged = subprocess.run(command, cwd=bank, capture_output=True, text=True, check=False)
    try:
        change = changed(bank, "one", "two")
    except RefusedError:
        both, matter = set(mine) & set(theirs), {SKILL, "profiles/x.yaml"}
        assert both & matter or (both and set(theirs) & matter)
        return
    assert change.tree is None or (merged.returncode, merged.stdout.strip()) == (0, change.tree)
