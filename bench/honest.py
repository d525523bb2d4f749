"""Count false alarms: honest proposals that `verify` does not believe, as Markdown.

    python bench/honest.py [--proposals 200] [--seed 20260527]

Edits of the weakened bank, made by code from a seed, go through `evidence collect` one after the other, all in one ledger.
Each is verified as a branch. Where the gate accepts and some words were not played, an owner signs for them, and it is
verified again. What is accepted then is merged in one of three ways (merge commit, squash, rebase), after something else came
first, and verified as it stands on `main`, from where the next edits start. A false alarm is evidence that is not valid, or a
verdict other than the one that was stated or signed for; a line for danger that is weakened beside other words stays indecisive.
The gate is a quick and lenient one, so that there is something to merge and it takes minutes.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.forgeries.honest import edit

from esc_skills.cli.main import run
from esc_skills.documents.shipped import shipped

GATE = "[tool.esc-skills.gate]\ndraws = 20\nbatch = 10\nthreshold = 1.02\nspan_draws = 10\n"
OWNERS = '[tool.esc-skills.owners]\n"skills/**" = ["owner"]\n"pyproject.toml" = ["owner"]\n'
#: After how many proposals a release opens an epoch, so that some are accepted now and then.
EPOCH = 2
WAYS = ("merge", "squash", "rebase")
AUTHOR = ("-c", "user.name=Bench", "-c", "user.email=bench@example.invalid")


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *AUTHOR, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def call(*arguments: str) -> tuple[int, Any, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run([*arguments, "--format", "json"])
    return code, json.loads(out.getvalue()) if out.getvalue() else None, err.getvalue()


def start(folder: Path) -> Path:
    shutil.copytree(shipped("examples", "weakened-bank"), folder / "skills")
    shutil.copytree(shipped("profiles"), folder / "profiles")
    (folder / "pyproject.toml").write_text(GATE + OWNERS)
    key = folder.with_name("owner")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "owner", "-f", str(key)], check=True)
    (folder / "allowed_signers").write_text(f"owner {key.with_suffix('.pub').read_text()}")
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "config", "user.name", "Bench")
    git(folder, "config", "user.email", "bench@example.invalid")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "A weakened bank")
    return folder


def commit(folder: Path, branch: str, chance: random.Random) -> str:
    """Leave a branch with an honest edit, and return what kind of edit it is."""
    texts = {
        path.relative_to(folder / "skills").as_posix(): path.read_text() for path in folder.glob("skills/*/**/*.md")
    }
    kind, change = edit(texts, chance)
    git(folder, "checkout", "--quiet", "-b", branch, "main")
    for path, data in change.items():
        target = folder / "skills" / path
        target.parent.mkdir(exist_ok=True, parents=True)
        target.unlink() if data is None else target.write_bytes(data)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", kind)
    git(folder, "checkout", "--quiet", "main")
    return kind


def merge(folder: Path, branch: str, how: str) -> tuple[str, str]:
    """Merge a proposal into `main`, and return the commits before and after."""
    (folder / "NOTES").write_text(f"{branch}\n")
    git(folder, "add", "NOTES")
    git(folder, "commit", "--quiet", "--message", "Something else came first")
    before = git(folder, "rev-parse", "main")
    if how == "merge":
        git(folder, "merge", "--quiet", "--no-ff", "--no-edit", branch)
    elif how == "squash":
        git(folder, "merge", "--quiet", "--squash", branch)
        git(folder, "commit", "--quiet", "--message", "Squashed")
    else:
        git(folder, "checkout", "--quiet", "-b", f"{branch}-rebased", branch)
        git(folder, "rebase", "--quiet", "main")
        git(folder, "checkout", "--quiet", "main")
        git(folder, "merge", "--quiet", "--ff-only", f"{branch}-rebased")
    return before, git(folder, "rev-parse", "main")


def verified(folder: Path, base: str, head: str, verdict: str) -> str:
    """Return what is wrong with how a proposal is verified; empty where nothing is."""
    code, found, error = call("verify", "--repo", str(folder), "--base", base, "--head", head)
    if found is None:
        return error
    said = (found["evidence"], found["verdict"], code)
    return "" if said == ("valid", verdict, int(verdict != "accept")) else f"{said} {found['checks'][-1]['detail']}"


def sign(folder: Path, branch: str) -> tuple[str, str]:
    """Let an owner vouch for what was not played, and return the verdict after that and what is wrong."""
    key = str(folder.with_name("owner"))
    reason = ("--reason", "Read aloud by two of us.")
    error = io.StringIO()
    with redirect_stdout(io.StringIO()), redirect_stderr(error):
        code = run(["owners", "sign", "--repo", str(folder), "--head", branch, *reason, "--key", key])
    if code:
        return "indecisive", error.getvalue()
    _, found, told = call("verify", "--repo", str(folder), "--base", "main", "--head", branch)
    if found is None or found["evidence"] != "valid":
        return "indecisive", told or str(found["checks"][-1])
    told = found["checks"][-1]["detail"]
    return found["verdict"], "" if found["verdict"] == "accept" or "travels alone" in told else told


def main() -> None:
    options = argparse.ArgumentParser(description="Count false alarms.")
    options.add_argument("--proposals", type=int, default=200)
    options.add_argument("--seed", type=int, default=20260527)
    given = options.parse_args()
    chance, verdicts, kinds, alarms = random.Random(given.seed), Counter[str](), Counter[str](), list[str]()
    with tempfile.TemporaryDirectory() as temporary:
        folder, number = start(Path(temporary, "bank")), 0
        while kinds.total() < given.proposals:
            number += 1
            kind = commit(folder, f"edit-{number}", chance)
            _, made, error = call("evidence", "collect", "--repo", str(folder), "--head", f"edit-{number}")
            if made is None:  # an edit that the contract forbids, or that was tried before, is no proposal
                print(f"no proposal, {kind}: {error.splitlines()[0]}", file=sys.stderr)
                continue
            verdict = made["verdict"]
            if made["gate"] == "accept" and verdict == "indecisive":
                verdict, wrong = sign(folder, made["branch"])
                verdicts["signed"] += 1
                if wrong:
                    alarms.append(f"{number}, {kind}, signed: {wrong}")
            verdicts[verdict] += 1
            kinds[kind] += 1
            ways = [("main", made["branch"])]
            if verdict == "accept":
                ways.append(merge(folder, made["branch"], WAYS[verdicts["accept"] % len(WAYS)]))
                ways[0] = (ways[1][0], made["branch"])
            for base, head in ways:
                if wrong := verified(folder, base, head, verdict):
                    alarms.append(f"{number}, {kind}: {wrong}")
            if kinds.total() % EPOCH == 0:
                with redirect_stdout(io.StringIO()):
                    run(["ledger", "open", "--repo", str(folder), "--release", f"v{number}"])
    print(
        "\n| proposals | signed for by an owner | accepted, merged, verified again | rejected | indecisive | false alarms |\n"
        "|--:|--:|--:|--:|--:|--:|"
    )
    counts = [kinds.total(), *(verdicts[each] for each in ("signed", "accept", "reject", "indecisive")), len(alarms)]
    print(f"| {' | '.join(map(str, counts))} |")
    print(", ".join(f"{kind} {times}" for kind, times in sorted(kinds.items())), file=sys.stderr)
    for alarm in alarms:
        print(f"- {alarm}")


if __name__ == "__main__":
    main()
