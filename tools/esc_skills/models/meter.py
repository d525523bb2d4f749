"""A model that counts: which calls were asked through it, and what they took."""

from __future__ import annotations

from esc_skills.models.request import Completion, Model, ModelFault, Request, Usage
from esc_skills.vocabulary import Termination


class Meter:
    """Passes calls on, and counts them.

    Args:
        model: Who is asked.

    Attributes:
        usage: What the calls took. One that was answered before, for the other arm or another run, counts here too, so
            that a replay comes to the same sum; one that an endpoint never answered does not.
        digests: The digests of all requests, those that ended in a fault included.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self.usage = Usage()
        self.digests: set[str] = set()

    async def complete(self, request: Request) -> Completion:
        """Return the answer to a request; see `Model.complete`."""
        self.digests.add(request.digest)
        try:
            completion = await self._model.complete(request)
        except ModelFault as fault:
            if fault.termination is not Termination.FAULT_ENDPOINT:
                self.usage += fault.usage
            raise
        self.usage += completion.usage
        return completion
