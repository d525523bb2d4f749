"""A verification, told: as JSON, as GitHub annotations, as SARIF and as a page for people.

Nothing here needs more than the standard library. So the job that comments on a pull request can read what another job
left behind, and which it has no reason to trust, without installing anything (`.github/actions/verify-comment`).
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from esc_skills import __version__
from esc_skills.documents.findings import Finding, Severity
from esc_skills.errors import InputError
from esc_skills.vocabulary import MEASURED

if TYPE_CHECKING:
    from esc_skills.evidence.verification import Verification

#: What the evidence is called of a change that touches nothing, and of one that an owner decided.
NONE, UNTESTED = "none", "untested"
EVIDENCE = ("valid", "invalid", "stale", "missing", "unverifiable", UNTESTED, NONE)
VERDICTS = ("accept", "reject", "indecisive")
#: The longest result that is read, and the longest of its parts; ours are a few lines.
_MAX_BYTES, _MAX_CHECKS, _MAX_DETAIL = 64_000, 100, 4_000
_SHOWN_DETAIL = 600
_NAME = re.compile(r"[a-z][a-z ]{0,39}")
#: Where a detail starts with a file, or says which one changes; nothing but such names becomes a place.
_FILE = r"((?:[A-Za-z0-9_.-]+/)+[A-Za-z0-9_.-]+|pyproject\.toml)(?::(\d{1,6}))?(?=[: ]|$)"
_PLACES = (re.compile(_FILE), re.compile(rf".*? changes {_FILE}"))
_PROPOSAL = re.compile(r"evidence/([a-z0-9][a-z0-9-]{0,120})/")
_ID, _DIGEST = r"[0-9a-f]{40}|[0-9a-f]{64}", r"sha256:[0-9a-f]{64}"
#: What each part of what a result is about looks like, and whether it may be missing.
_BOUND = {
    "base": (_ID, False),
    "head": (_ID, False),
    "tree": (_ID, True),
    "ledger": (_ID, True),
    "players": (_DIGEST, True),
    "tool": (_DIGEST, False),
    "version": (r"[0-9]{1,6}(?:\.[0-9a-z]{1,12}){1,5}", False),
}
#: Where a problem is shown that lies in no file: code scanning asks for one.
_NO_FILE = "pyproject.toml"
SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"

#: Each kind of problem with what it means and what to do.
RULES = {
    "evidence-invalid": (
        "The evidence is not what the tools make of this change",
        "Run `esc-skills evidence collect` for the change, and push the branch that it leaves.",
    ),
    "evidence-stale": (
        "The base changed after the evidence was made",
        "Run `esc-skills evidence renew`; it leaves the change as a branch that starts at the base as it is now.",
    ),
    "evidence-missing": (
        "The change carries no evidence, or the ledger, a decision or a signature is missing",
        "Run `esc-skills evidence collect`, which registers the change and leaves a branch with its evidence. What no "
        "simulation decides, an owner signs: `esc-skills owners sign`.",
    ),
    "evidence-unverifiable": (
        "The evidence was made by another version of the tools",
        "Verify with the version that it names, or make the evidence again.",
    ),
    "verdict-reject": (
        "The evidence is valid and the gate refuses the change",
        "Read review.md beside the evidence: it shows whom the change harms.",
    ),
    "verdict-indecisive": (
        "The evidence is valid and does not decide",
        "Read review.md beside the evidence: it says what would decide.",
    ),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One check, whether it holds, and why."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class About:
    """What a result is about: ids of git objects, and digests; see `evidence.verification.Bound`."""

    base: str
    head: str
    tree: str | None
    ledger: str | None
    players: str | None
    tool: str
    version: str


@dataclass(frozen=True, slots=True)
class Result:
    """A verification in the words of its JSON form.

    Attributes:
        evidence: One of `EVIDENCE`.
        verdict: One of `VERDICTS`; None unless the evidence is valid or untested.
        checks: What was checked, in order.
        bound: What it is about.
    """

    evidence: str
    verdict: str | None
    checks: tuple[Line, ...]
    bound: About

    @property
    def accepted(self) -> bool:
        """Whether the change may be merged: the verdict accept, or nothing to verify."""
        return self.evidence == NONE or self.verdict == "accept"

    @property
    def headline(self) -> str:
        """What it comes to, in one line."""
        if self.evidence == NONE:
            return "nothing to verify"
        if self.evidence == UNTESTED:
            return f"untested, on an owner's word: verdict {self.verdict}"
        if self.verdict is None:
            return f"evidence {self.evidence}"
        told = {each.name: each.detail for each in self.checks if each.ok}
        # Who played comes first, and then on whose word the rest stands.
        word = told.get("spans", "").partition(" (")[0]
        vouched = f"; {word}" if self.verdict == "accept" and " on " in word else ""
        players = told.get("players", "").partition(", and ")[0]
        return (
            f"evidence {self.evidence}, verdict {self.verdict}, {players}{vouched}"
            if players
            else f"evidence {self.evidence}, verdict {self.verdict}"
        )

    @property
    def small_print(self) -> str:
        """What a verdict rests on; empty where there is none that simulation gave."""
        return MEASURED if self.verdict and self.evidence != UNTESTED else ""

    def as_json(self) -> dict[str, Any]:
        """Return it as `verify --format json` shows it."""
        checks = [asdict(each) for each in self.checks]
        return {"evidence": self.evidence, "verdict": self.verdict, "bound": asdict(self.bound), "checks": checks}


def json_text(value: Any) -> str:
    """Return a value as the JSON text that other programs read."""
    text = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)
    # A file name that is no UTF-8 becomes a JSON escape instead of ending the program.
    return text.encode("utf-8", "backslashreplace").decode() + "\n"


def result_of(verification: Verification) -> Result:
    """Return a verification in the words of its JSON form."""
    verdict = str(verification.verdict) if verification.verdict else None
    checks = tuple(Line(each.name, each.ok, each.detail) for each in verification.checks)
    return Result(str(verification.status), verdict, checks, About(**asdict(verification.bound)))


def read_result(data: bytes) -> Result:
    """Read the JSON form, which a stranger may have written, strictly.

    Raises:
        InputError: It is larger than ours, or says anything that ours could not.
    """
    try:
        if len(data) > _MAX_BYTES:
            raise ValueError(f"has {len(data):,} bytes")
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_without_repeats)
        fields = _fields(value, "evidence", "verdict", "bound", "checks")
        evidence, verdict, checks = (fields[key] for key in ("evidence", "verdict", "checks"))
        if (
            evidence not in EVIDENCE
            or verdict not in (None, *VERDICTS)
            or (verdict is not None) != (evidence in ("valid", UNTESTED))
        ):
            raise ValueError("its evidence and verdict do not go together")
        if not isinstance(checks, list) or len(checks) > _MAX_CHECKS:
            raise ValueError("its checks are no list, or too many")
        lines = tuple(map(_read_line, checks))
        if verdict == "accept" and not (lines and all(each.ok for each in lines)):
            raise ValueError("it accepts, and a check failed or there is none")
        return Result(evidence, verdict, lines, _read_bound(fields["bound"]))
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(f"the result of the verification cannot be used: {error}") from error


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key is repeated")
    return dict(pairs)


def _fields(value: Any, *keys: str) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != set(keys):
        raise ValueError(f"it should hold {', '.join(keys)} and nothing else")
    return value


def _read_line(value: Any) -> Line:
    fields = _fields(value, "name", "ok", "detail")
    name, ok, detail = (fields[key] for key in ("name", "ok", "detail"))
    if not isinstance(name, str) or not _NAME.fullmatch(name) or not isinstance(ok, bool):
        raise ValueError("a check has no name, or none that we give")
    if not isinstance(detail, str) or len(detail) > _MAX_DETAIL:
        raise ValueError("a check has no detail, or a long one")
    return Line(name, ok, detail)


def _read_bound(value: Any) -> About:
    fields = _fields(value, *_BOUND)
    for key, (pattern, optional) in _BOUND.items():
        found = fields[key]
        if not (optional and found is None) and not (isinstance(found, str) and re.fullmatch(pattern, found)):
            raise ValueError(f"what it is about has a {key} that none of ours has")
    return About(**fields)


def problems(result: Result) -> tuple[Finding, ...]:
    """Return what keeps the change from being merged, each with the file that shows it best."""
    if result.accepted:
        return ()
    failed = [each for each in result.checks if not each.ok]
    code = f"verdict-{result.verdict}" if result.verdict else f"evidence-{result.evidence}"
    if not failed:  # valid evidence, and a verdict that is no acceptance: its reason is the last thing that was said
        failed = [result.checks[-1]] if result.checks else [Line("verdict", False, result.headline)]
    grave = code in ("evidence-invalid", "evidence-missing", "verdict-reject")
    severity = Severity.ERROR if grave else Severity.WARNING
    return tuple(
        Finding(path, line, "", code, severity, _printable(f"{each.name}: {each.detail}"))
        for each in failed
        for path, line in [_place(each.detail, result)]
    )


def _place(detail: str, result: Result) -> tuple[str, int]:
    for pattern in _PLACES:
        if mark := pattern.match(detail):
            return mark[1], int(mark[2] or 1)
    named = next((mark[1] for each in result.checks if (mark := _PROPOSAL.search(each.detail))), None)
    return (f"evidence/{named}/review.md" if named and result.verdict else _NO_FILE), 1


def annotation_lines(result: Result) -> Iterator[str]:
    """Yield what GitHub Actions shows beside the files of a pull request."""
    yield from (finding.as_annotation() for finding in problems(result))
    if result.accepted:
        yield f"::notice title=esc-skills::{result.headline}"


def sarif(result: Result) -> dict[str, Any]:
    """Return the problems as a SARIF 2.1.0 log, as code scanning reads it."""
    return {
        "$schema": SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "esc-skills",
                        "semanticVersion": __version__,
                        "rules": [_sarif_rule(code, *words) for code, words in RULES.items()],
                    }
                },
                "automationDetails": {"id": "esc-skills/verify"},
                "results": [_sarif_result(finding) for finding in problems(result)],
            }
        ],
    }


def _sarif_rule(code: str, meaning: str, advice: str) -> dict[str, Any]:
    return {
        "id": code,
        "shortDescription": {"text": meaning},
        "help": {"text": advice, "markdown": advice},
        "defaultConfiguration": {"level": "error"},
    }


def _sarif_result(finding: Finding) -> dict[str, Any]:
    # Brackets would make a link in a message.
    text = finding.message.replace("[", "(").replace("]", ")")
    mark = hashlib.sha256("\0".join((finding.code, finding.path, text)).encode()).hexdigest()[:16]
    region = {"startLine": max(finding.line, 1)}
    return {
        "ruleId": finding.code,
        "ruleIndex": list(RULES).index(finding.code),
        "level": str(finding.severity),
        "message": {"text": text},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": finding.path}, "region": region}}],
        "partialFingerprints": {"primaryLocationLineHash": f"{mark}:1"},
    }


def page(result: Result) -> str:
    """Return a Markdown page for a job summary or a comment, in which no text of a stranger is markup."""
    lines = [f"### Emotional support skills: {result.headline}", ""]
    for code in dict.fromkeys(finding.code for finding in problems(result)):
        meaning, advice = RULES[code]
        lines += [f"{meaning}. {advice}", ""]
    # Inside an HTML block, and in `code`, GitHub looks for neither Markdown nor mentions, addresses or issues.
    lines += ["<table>"]
    lines += [
        f"<tr><td>{'holds' if each.ok else '<b>does not hold</b>'}</td><td>{html.escape(_printable(each.name))}</td>"
        f"<td><code>{html.escape(_printable(each.detail))}</code></td></tr>"
        for each in result.checks
    ]
    told = [f"<sub>{html.escape(result.small_print)}</sub>", ""] if result.small_print else []
    return "\n".join([*lines, "</table>", "", *told, *_bound_lines(result.bound)]) + "\n"


def _bound_lines(about: About) -> Iterator[str]:
    """Yield what the result is about, so that a reader sees whether it is what lies before them."""
    told = {
        "base": about.base,
        "head": about.head,
        "merged tree": about.tree or "not known: files that do not matter are merged by content",
        "ledger": about.ledger or "none",
        "players": about.players or "nobody played",
        "tool": f"{about.version}, {about.tool}",
    }
    yield f"<sub>{' · '.join(f'{name} <code>{html.escape(value)}</code>' for name, value in told.items())}</sub>"


def _printable(text: str) -> str:
    flat = "".join(each if each.isprintable() else "\ufffd" for each in " ".join(text.split()))
    return flat if len(flat) <= _SHOWN_DETAIL else flat[: _SHOWN_DETAIL - 1] + "…"
