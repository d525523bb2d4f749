"""Comment on a pull request what a run without rights verified. Needs the standard library and `tools/` alone.

What that run left behind may be anybody's: it is read strictly, only words of ours and escaped text come out of it, and
which pull request it belongs to follows from what GitHub says of the run. A pull request that changes `.github/` had a
run by its own rules, so nothing of that is repeated.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools"))

from esc_skills.errors import InputError
from esc_skills.reports.result import Result, json_text, page, read_result, sarif

MARK = "<!-- esc-skills verify -->"
_MOST_PAGES = 20
#: From this many files on, GitHub's comparison is cut.
_MOST_FILES = 300
_MOST_BYTES = 64_000
#: GitHub takes comments of 65,536 characters.
_LONGEST = 60_000


def main(result_file: Path, sarif_file: Path) -> None:
    """Comment, and print what the action's next steps read."""
    run = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))["workflow_run"]
    pull = find_pull(run)
    if pull is None:
        print("no open pull request has that head any more", file=sys.stderr)
        return
    own_rules = changes_workflows(pull)
    result = None if own_rules else _read(result_file)
    other = differs(result, run, pull) if result else ""
    write_comment(pull["number"], _body(result, run, pull, own_rules=own_rules, other=other))
    print(f"number={pull['number']}")
    if result is not None and not other:
        sarif_file.write_text(json_text(sarif(result)), encoding="utf-8")
        print(f"sarif={sarif_file}")


def _read(file: Path) -> Result | None:
    try:
        if file.is_symlink() or not file.is_file() or file.stat().st_size > _MOST_BYTES:
            raise InputError("it is no small file")
        return read_result(file.read_bytes())
    except (InputError, OSError) as error:
        print(f"the result cannot be used: {error}", file=sys.stderr)
        return None


def differs(result: Result, run: dict[str, Any], pull: dict[str, Any]) -> str:
    """Return in what the live pull request is not the one that a result is about; empty where it is."""
    about = result.bound
    if about.head != run["head_sha"]:
        return "head"
    if about.base != pull["base"]["sha"]:
        return "base"
    merge = pull.get("merge_commit_sha")
    if result.verdict is not None and about.tree is None:
        return "merged tree"  # a verdict is always about one
    if merge and about.tree and ask("GET", f"git/commits/{merge}")["tree"]["sha"] != about.tree:
        return "merged tree"
    return ""


def _body(result: Result | None, run: dict[str, Any], pull: dict[str, Any], *, own_rules: bool, other: str) -> str:
    base, head = pull["base"]["sha"], run["head_sha"]
    if own_rules:
        said = (
            "### Emotional support skills: to be verified by hand\n\nThis pull request changes `.github/`, so its checks "
            "ran by its own rules and prove nothing. Somebody who may merge it verifies it in a clone of the base:\n\n"
            f"```\ngit fetch origin {head}\nesc-skills verify --base {base} --head {head}\n```\n"
        )
    elif result is None:
        said = "### Emotional support skills: not verified\n\nThe run left no result that can be read; its log says more.\n"
    elif other:
        said = (
            f"### Emotional support skills: to be verified again\n\nThe run verified another {other} than this pull request "
            "has now. Its result is not shown; run the check again.\n"
        )
    else:
        said = page(result)
    told = f"{MARK}\n{said}\nThe commit {head[:10]}, in [this run]({run['html_url']}).\n"
    return (
        told
        if len(told) <= _LONGEST
        else f"{MARK}\n### Emotional support skills: {result.headline if result else ''}\n"
    )


def find_pull(run: dict[str, Any]) -> dict[str, Any] | None:
    """Return the open pull request whose head a run verified; what the run itself says of that is not asked."""
    head = run["head_repository"]
    if head is None:  # the fork is gone, and so is its pull request
        return None
    branch = urllib.parse.quote(f"{head['owner']['login']}:{run['head_branch']}", safe="")
    pulls = ask("GET", f"pulls?state=open&per_page=100&head={branch}")
    # One head may be asked to be merged into two branches: the run names the one that it is of, where it names any.
    named = {each["number"] for each in run.get("pull_requests") or ()}
    for pull in sorted(pulls, key=lambda pull: pull["number"] not in named):
        repository = pull["head"]["repo"] or {}
        if (pull["head"]["sha"], repository.get("full_name")) == (run["head_sha"], head["full_name"]):
            return dict(pull)
    return None


def changes_workflows(pull: dict[str, Any]) -> bool:
    """Whether a pull request may have changed the workflow that verified it."""
    compared = ask("GET", f"compare/{pull['base']['sha']}...{pull['head']['sha']}?per_page=1")
    files = compared.get("files", [])
    names = [name for file in files for name in (file["filename"], file.get("previous_filename", ""))]
    return len(files) >= _MOST_FILES or any(name.casefold().startswith(".github/") for name in names)


def write_comment(number: int, body: str) -> None:
    """Write the one comment of ours anew, or make it."""
    for at in range(1, _MOST_PAGES + 1):
        comments = ask("GET", f"issues/{number}/comments?per_page=100&page={at}")
        for comment in comments:
            ours = (comment["user"] or {}).get("type") == "Bot" and (comment["body"] or "").startswith(MARK)
            if ours and _rewrite(comment["id"], body):
                return
        if len(comments) < 100:
            break
    ask("POST", f"issues/{number}/comments", {"body": body})


def _rewrite(comment: int, body: str) -> bool:
    """Write a comment anew; another bot's, which only looks like ours, stays as it is."""
    try:
        ask("PATCH", f"issues/comments/{comment}", {"body": body})
    except urllib.error.HTTPError as error:
        if error.code not in (403, 404):
            raise
        return False
    return True


def ask(method: str, path: str, value: Any = None) -> Any:
    """Ask GitHub's API about the repository that the workflow runs in."""
    request = urllib.request.Request(
        f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}/{path}",
        method=method,
        data=None if value is None else json.dumps(value).encode(),
        headers={
            "Authorization": f"Bearer {os.environ['TOKEN']}",
            "Accept": "application/vnd.github+json",
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
