"""The transcript: the record of one episode, in our JSON Lines and in SAGE's published result files alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from esc_skills.documents.jsonl import parse_json_lines
from esc_skills.documents.schema import require_schema
from esc_skills.documents.text import decode, read_bytes
from esc_skills.errors import DocumentError, InputError
from esc_skills.vocabulary import (
    DISPOSITION_LABELS,
    INTENTION_LABELS,
    Arm,
    Band,
    Disposition,
    HiddenIntention,
    ProblemType,
    Risk,
    Termination,
    intention_of_task,
)

FORMAT = "esc-skills/transcript/1"
#: SAGE's protocol: the emotion at the start, the bound of one change, the ends, and the seeker messages of an episode.
START, MAX_CHANGE, CEILING, SUCCESS_AT, FAILURE_BELOW, MAX_TURNS = 40, 10, 100, 100, 10, 10

_MAX_FILE = 500_000_000
_SAGE_FILE = re.compile(r".*_simulator__(?P<supporter>.+)_result$")


@dataclass(frozen=True, slots=True)
class Turn:
    """A seeker message and the supporter turn that follows.

    Attributes:
        seeker: What the seeker says.
        emotion: The seeker's emotion while saying it, 0 to 100.
        supporter: What the supporter answers; None where the episode ends with the seeker's message.
        change: The emotion change that the answer caused, −10 to 10; None where it was not appraised.
        skill: The skill that the supporter selected, or None where it used none.
        reason: Why it selected that skill.
        appraisal: The seeker's private reading of the answer, in words.
        flags: The codes of the safety flags that the answer raised.
        calls: The digests of the model calls of this turn.
    """

    seeker: str
    emotion: int
    supporter: str | None = None
    change: int | None = None
    skill: str | None = None
    reason: str = ""
    appraisal: str = ""
    flags: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Transcript:
    """One episode: a seeker profile and a seed, simulated with one bank to a termination reason.

    Attributes:
        profile: The profile's id.
        profile_digest: The digest of the profile's content; empty in SAGE's files.
        background: The profile's background; empty in our own files, where the profile is at hand.
        arm: Which bank it ran with; draw is its position in the plan and seed what its chance follows from.
        supporter: The model that played the supporter; seeker the one that played the seeker.
        bank: The digest of the bank; None where the supporter had none.
        final_emotion: 0 to 100; for a fault the last one known, which is not scored.
        settings: Digests and parameters of the run that are equal for all its episodes.
        usage: Tokens and cost, where a model was called.
    """

    profile: str
    disposition: Disposition
    intention: HiddenIntention
    turns: tuple[Turn, ...]
    termination: Termination
    final_emotion: int
    supporter: str
    seeker: str
    profile_digest: str = ""
    background: str = ""
    problem_type: ProblemType | None = None
    risk: Risk = Risk.NONE
    arm: Arm = Arm.RUN
    draw: int = 0
    seed: str = ""
    bank: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    usage: dict[str, Any] = field(default_factory=dict)

    @property
    def scored(self) -> int | None:
        """The final emotion; None where a fault ended the episode."""
        return None if self.termination.is_fault else self.final_emotion

    @property
    def red_flags(self) -> set[str]:
        """The codes of the red safety flags that its turns raised."""
        return {flag.removeprefix("red:") for turn in self.turns for flag in turn.flags if flag.startswith("red:")}

    def as_json(self) -> dict[str, Any]:
        """Return the episode as a line of our JSON Lines, as `schemas/transcript.schema.json` describes it."""
        return {
            "format": FORMAT,
            "profile": self.profile,
            "profile_digest": self.profile_digest,
            "disposition": str(self.disposition),
            "intention": str(self.intention),
            "problem_type": str(self.problem_type) if self.problem_type else None,
            "risk": str(self.risk),
            "arm": str(self.arm),
            "draw": self.draw,
            "seed": self.seed,
            "supporter": self.supporter,
            "seeker": self.seeker,
            "bank": self.bank,
            "settings": self.settings,
            "turns": [_turn_json(turn) for turn in self.turns],
            "termination": str(self.termination),
            "final_emotion": self.final_emotion,
            "usage": self.usage,
        }


def _turn_json(turn: Turn) -> dict[str, Any]:
    return {
        "seeker": turn.seeker,
        "emotion": turn.emotion,
        "supporter": turn.supporter,
        "change": turn.change,
        "skill": turn.skill,
        "reason": turn.reason,
        "appraisal": turn.appraisal,
        "flags": list(turn.flags),
        "calls": list(turn.calls),
    }


def band_of(emotion: int) -> Band:
    """Return SAGE's band of an emotion: S at 100, A from 70, B from 40, C from 10, F below."""
    for least, band in ((SUCCESS_AT, Band.S), (70, Band.A), (40, Band.B), (FAILURE_BELOW, Band.C)):
        if emotion >= least:
            return band
    return Band.F


def run_name(path: Path) -> str:
    """Return the name of a run: the supporter that SAGE's file name holds, or else the file's stem."""
    mark = _SAGE_FILE.fullmatch(path.stem)
    return mark["supporter"] if mark else path.stem


def read_transcripts(path: Path) -> tuple[Transcript, ...]:
    """Read a file of transcripts, ours or SAGE's.

    Raises:
        DocumentError: A line is no episode of either form; the message says which line and what is wrong.
    """
    text = decode(read_bytes(path, limit=_MAX_FILE), str(path))
    transcripts = tuple(_read_episode(value, str(path), line) for line, value in parse_json_lines(text, str(path)))
    if not transcripts:
        raise DocumentError(str(path), 0, "empty", "holds no episode", "give a file that `simulate` or SAGE wrote")
    return transcripts


def _read_episode(value: Any, shown: str, line: int) -> Transcript:
    if isinstance(value, dict) and value.get("format") == "esc-skills/run/1":
        raise DocumentError(shown, line, "unfinished", "is an unfinished run", "finish it with `simulate` and --resume")
    if isinstance(value, dict) and "first_talk" in value and "history" not in value:
        hint = "read it with `esc-skills profiles import sage`"
        raise DocumentError(shown, line, "profiles", "is a file of SAGE profiles and holds no episode", hint)
    if isinstance(value, dict) and "history" in value:
        return read_sage_episode(value, shown, line)
    return transcript_of(value, f"{shown}:{line}")


def transcript_of(value: Any, shown: str) -> Transcript:
    """Return the record of one line of ours.

    Raises:
        InputError: It departs from `schemas/transcript.schema.json`.
    """
    require_schema(value, "transcript", shown)
    fields = {key: each for key, each in value.items() if key not in ("format", "turns")}
    turns = tuple(
        Turn(**{**turn, "flags": tuple(turn["flags"]), "calls": tuple(turn["calls"])}) for turn in value["turns"]
    )
    return Transcript(
        **{
            **fields,
            "disposition": Disposition(value["disposition"]),
            "intention": HiddenIntention(value["intention"]),
            "problem_type": ProblemType(value["problem_type"]) if value["problem_type"] else None,
            "risk": Risk(value["risk"]),
            "arm": Arm(value["arm"]),
            "termination": Termination(value["termination"]),
            "turns": turns,
        }
    )


def read_sage_episode(value: dict[str, Any], shown: str, line: int) -> Transcript:
    """Return the record of one line of a published SAGE result file.

    SAGE's files name no termination reason; it follows from the last emotion and the number of seeker messages.

    Raises:
        DocumentError: A field is missing or of another form.
    """
    try:
        turns = tuple(_sage_turns(value["history"]))
        final = _emotion(value["emo_point"])
        if not turns:
            raise ValueError("'history' should not be empty")
        return Transcript(
            profile=_text(value["id"]),
            disposition=DISPOSITION_LABELS[value["character"]],
            intention=intention_of_task(_text(value["task"])),
            background=_text(value["scene"]),
            turns=turns,
            termination=_sage_termination(final, turns),
            final_emotion=final,
            supporter=run_name(Path(shown)),
            seeker="sage",
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        found = f"the field {error} is missing or unknown" if isinstance(error, KeyError) else str(error)
        raise DocumentError(shown, line, "sage-episode", found, "give a SAGE result file as published") from error


def _sage_turns(history: list[dict[str, Any]]) -> Iterator[Turn]:
    for at in range(0, len(history), 2):
        said, answer = history[at], history[at + 1] if at + 1 < len(history) else None
        after = history[at + 2] if at + 2 < len(history) else None
        if said["role"] != "user" or (answer is not None and answer["role"] != "assistant"):
            raise ValueError(f"the roles of messages {at + 1} and {at + 2} should be user and assistant")
        yield Turn(
            seeker=_text(said["content"]),
            emotion=_emotion(said["emotion-point"]),
            supporter=_text(answer["content"]) if answer is not None else None,
            change=_integer(after["planning"]["change"]) if after is not None else None,
            appraisal=_text(after["planning"].get("analyse", "")) if after is not None else "",
        )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{str(value)[:60]!r} should be text")
    return value


def _emotion(value: Any) -> int:
    if not 0 <= _integer(value) <= CEILING:
        raise ValueError(f"the emotion {value} should lie within 0 to {CEILING}")
    return int(value)


def _integer(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{value!r} should be an integer")
    return value


def _sage_termination(final: int, turns: tuple[Turn, ...]) -> Termination:
    if final >= SUCCESS_AT:
        return Termination.SUCCESS
    if final < FAILURE_BELOW:
        return Termination.FAILURE
    return Termination.FAREWELL if turns[-1].supporter is None else Termination.TURN_LIMIT


def sage_episode(transcript: Transcript) -> dict[str, Any]:
    """Return an episode in the form of SAGE's result files, for tools that read those.

    Raises:
        InputError: A model's fault ended it; SAGE's form has no word for that, and its readers would score it.
    """
    if transcript.termination.is_fault:
        raise InputError(f"{transcript.profile}: ended with {transcript.termination}, which SAGE's form cannot say")
    history: list[dict[str, Any]] = []
    change: int | None = None
    appraisal = ""
    for turn in transcript.turns:
        said: dict[str, Any] = {"role": "user", "content": turn.seeker, "emotion-point": turn.emotion}
        if change is not None:
            said["planning"] = {"analyse": appraisal, "change": change}
        history.append(said)
        if turn.supporter is not None:
            history.append({"role": "assistant", "content": turn.supporter})
        change, appraisal = turn.change, turn.appraisal
    dispositions = {each: label for label, each in DISPOSITION_LABELS.items()}
    intentions = {each: label for label, each in INTENTION_LABELS.items()}
    return {
        "id": transcript.profile,
        "emo_point": transcript.final_emotion,
        "emo_state": f"Emotion-{band_of(transcript.final_emotion)}",
        "character": dispositions[transcript.disposition],
        "scene": transcript.background,
        "task": intentions[transcript.intention],
        "history": history,
    }
