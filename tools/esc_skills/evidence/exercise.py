"""Exercise: in which draws a changed span was in what the supporter read, and when that is often enough."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

from esc_skills.bank.reader import Bank
from esc_skills.bank.spans import SpanChange, compare_files
from esc_skills.simulation.draws import Draw
from esc_skills.simulation.players import Players
from esc_skills.transcript import Transcript

#: The draws in which a span was read have to be of so many scenarios; of as many as there are draws, where fewer are asked.
SCENARIOS = 4


def is_enough(draws: int, scenarios: int, asked: int) -> bool:
    """Whether a span that was read in so many draws, of so many scenarios, was played, where so many draws are asked."""
    return draws >= asked and scenarios >= min(SCENARIOS, asked)


class Exercise:
    """Counts in which draws each changed span was read, as draws are played.

    Args:
        players: Who plays.
        banks: The bank before the change, and after it.
        asked: In how many draws a span has to be read; see `gate.span_draws`.
    """

    def __init__(self, players: Players, banks: tuple[Bank, Bank], asked: int) -> None:
        self._players, self._banks, self._asked = players, banks, asked
        self.changes = compare_files(banks[0].contents, banks[1].contents)
        self._played: list[tuple[Draw, tuple[Transcript, Transcript]]] = []
        self._counted = 0
        self._counts: list[list[int]] = [[] for _ in self.changes]

    def add(self, draws: Sequence[Draw], pairs: Sequence[tuple[Transcript, Transcript]]) -> None:
        """Take further draws, each with its two episodes, base before candidate."""
        self._played.extend(zip(draws, pairs, strict=True))

    def with_more(self, draws: Sequence[Draw], pairs: Sequence[tuple[Transcript, Transcript]]) -> Exercise:
        """Return one that has taken further draws too; this one stays as it is."""
        other = copy(self)
        other._played, other._counts = list(self._played), [list(each) for each in self._counts]
        other.add(draws, pairs)
        return other

    @property
    def _read(self) -> list[list[int]]:
        """The places of the draws in which each span was read, counted when somebody asks."""
        for at in range(self._counted, len(self._played)):
            draw, pair = self._played[at]
            for change, read in zip(self.changes, self._counts, strict=True):
                arm = 0 if change.after is None else 1  # what was removed stands in the base alone
                if self._was_read(change, draw, pair[arm], self._banks[arm]):
                    read.append(at)
        self._counted = len(self._played)
        return self._counts

    def _scenarios(self, read: Sequence[int]) -> int:
        return len({self._played[at][0].profile.scenario.name for at in read})

    def places(self, change: SpanChange) -> tuple[int, ...]:
        """Return the places of the draws in which a changed span was read, among all that were counted."""
        return tuple(self._read[self.changes.index(change)])

    def scenarios(self, change: SpanChange) -> int:
        """Return of how many scenarios these draws were."""
        return self._scenarios(self.places(change))

    @property
    def wants_more(self) -> bool:
        """Whether some span was read, and not often enough to say that it was played."""
        return any(read and not is_enough(len(read), self._scenarios(read), self._asked) for read in self._read)

    def _was_read(self, change: SpanChange, draw: Draw, episode: Transcript, bank: Bank) -> bool:
        turns = episode.turns
        return any(
            turn.supporter is not None and self._players.has_read(change, bank.skills, draw, turns[: at + 1])
            for at, turn in enumerate(turns)
        )
