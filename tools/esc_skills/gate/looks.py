"""The looks of the main test: after which draws the gate looks at the pairs of a run, until it decides."""

from __future__ import annotations

from collections.abc import Sequence

from esc_skills.gate.decision import Decision, decide
from esc_skills.gate.strata import Pair
from esc_skills.settings import GateSettings


def next_look(seen: int, settings: GateSettings) -> int:
    """Return after how many draws the gate looks next once it has seen some: with a full batch, or with the last draw."""
    return min((seen // settings.batch + 1) * settings.batch, settings.draws)


class Looks:
    """Says how many draws come before the next look, and takes their pairs until the gate decides."""

    def __init__(self, settings: GateSettings) -> None:
        self._settings = settings
        self._pairs: list[Pair] = []

    @property
    def wanted(self) -> int:
        """How many pairs the next look takes."""
        return next_look(len(self._pairs), self._settings) - len(self._pairs)

    def take(self, pairs: Sequence[Pair]) -> Decision | None:
        """Look at the next pairs, and return the decision that all pairs so far lead to, or None to go on drawing.

        Raises:
            InputError: Pairs are missing, repeated or out of order.
        """
        self._pairs.extend(pairs)
        return decide(self._pairs, self._settings, exhausted=len(self._pairs) >= self._settings.draws)
