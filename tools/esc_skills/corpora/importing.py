"""Importing: files of one form into dialogues of ours, with an account of all that was not taken over."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from esc_skills.corpora.dialogue import Dialogue
from esc_skills.corpora.dialogue_files import line_of
from esc_skills.corpora.formats import Format
from esc_skills.corpora.forms import BadDialogueError, Place
from esc_skills.corpora.labels import Tally
from esc_skills.corpora.streams import read_parts
from esc_skills.corpora.values import Value
from esc_skills.documents.findings import Finding, Severity
from esc_skills.errors import DocumentError, InputError

Pairs = Counter[tuple[str, str]]

#: How many labels are told apart; a file whose labels are free text would fill the memory with them.
_MAX_LABELS = 10_000


@dataclass(slots=True)
class Account:
    """What became of files.

    Attributes:
        dialogues: How many were taken over.
        utterances: How many messages they have.
        skipped: How many values were not, by the code of the reason.
        mapped: Labels of the dialogues taken over that a vocabulary has a word for, by kind and label.
        unmapped: Those that it has none for.
        left_out: What is no message of the two speakers.
    """

    dialogues: int = 0
    utterances: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    mapped: Pairs = field(default_factory=Counter)
    unmapped: Pairs = field(default_factory=Counter)
    left_out: Pairs = field(default_factory=Counter)

    def add(self, dialogue: Dialogue, tally: Tally) -> None:
        """Count a dialogue that was taken over."""
        self.dialogues += 1
        self.utterances += len(dialogue.utterances)
        for counts, pairs in (
            (self.mapped, tally.mapped),
            (self.unmapped, tally.unmapped),
            (self.left_out, tally.left_out),
        ):
            if len(counts) < _MAX_LABELS:
                counts.update(pairs)
            else:
                counts.update(pair if pair in counts else (pair[0], "(yet other labels)") for pair in pairs)

    def as_json(self) -> dict[str, Any]:
        """Return the account for other programs."""
        return {
            "dialogues": self.dialogues,
            "utterances": self.utterances,
            "skipped": dict(self.skipped.most_common()),
            **{name: _pairs_json(getattr(self, name)) for name in ("mapped", "unmapped", "left_out")},
        }


def _pairs_json(pairs: Pairs) -> list[dict[str, Any]]:
    ordered = sorted(pairs.items(), key=lambda item: (item[0][0], -item[1], item[0][1]))
    return [{"kind": kind, "label": label, "count": count} for (kind, label), count in ordered]


class NothingImportedError(InputError):
    """Every value of the files was passed over, each with a reason that `skip` was told of."""


class Importer:
    """One import.

    Args:
        form: The form of all files.
        corpus: The corpus's name; empty for the published one's, or else the file's stem.
        skip: Told of each value that is not taken over.
        progress: Told how many bytes were read since the last call.

    Attributes:
        account: What became of the files so far.
    """

    def __init__(
        self,
        form: Format,
        corpus: str,
        skip: Callable[[Finding], None],
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._form, self._corpus, self._skip, self._progress = form, corpus, skip, progress
        self._ids: set[bytes] = set()
        self._texts: dict[bytes, str] = {}
        self.account = Account()

    def lines(self, paths: Sequence[Path]) -> Iterator[bytes]:
        """Yield each dialogue of the files as its line of JSON Lines.

        Raises:
            InputError: A file is not of the form at all, or two have one stem.
            NothingImportedError: No dialogue could be taken over.
        """
        stems = Counter(path.stem for path in paths)
        if repeated := [stem for stem, count in stems.items() if count > 1]:
            raise InputError(
                f"two files are named {repeated[0]!r}, which their dialogues are named after", "rename one"
            )
        for path in paths:
            yield from self._lines_of(path)
        if not self.account.dialogues:
            raise NothingImportedError(
                "no dialogue could be taken over, and nothing was written", "the reasons are told beside this"
            )

    def _lines_of(self, path: Path) -> Iterator[bytes]:
        shown, corpus = str(path), self._corpus or self._form.corpus or path.stem
        values = self._form.values(read_parts(path, self._progress), shown)
        for position, value in enumerate(values, start=1):
            if isinstance(value, Finding):
                self._pass_over(value)
                continue
            place = Place(shown, value.line, f"{path.stem}-{position}", corpus)
            try:
                yield self._line_of(value, place)
            except (BadDialogueError, DocumentError) as error:
                message = error.detail if isinstance(error, DocumentError) else str(error)
                self._pass_over(Finding(shown, value.line, "", error.code, Severity.ERROR, message))

    def _pass_over(self, finding: Finding) -> None:
        self.account.skipped[finding.code] += 1
        self._skip(finding)

    def _line_of(self, value: Value, place: Place) -> bytes:
        dialogue = self._form.read(value.content, place)
        line = line_of(dialogue)
        self._require_new(dialogue)
        self.account.add(dialogue, place.tally)
        return line

    def _require_new(self, dialogue: Dialogue) -> None:
        said = "\0".join(f"{utterance.speaker}\0{utterance.text}" for utterance in dialogue.utterances)
        text, name = _digest(said), _digest(dialogue.id)
        if text in self._texts:
            raise BadDialogueError("duplicate", f"is the same as the dialogue {self._texts[text]!r}, word for word")
        if name in self._ids:
            raise BadDialogueError("repeated-id", f"the id {dialogue.id[:60]!r} occurs before, of another dialogue")
        self._texts[text] = dialogue.id
        self._ids.add(name)


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
