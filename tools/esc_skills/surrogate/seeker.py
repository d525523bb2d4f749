"""The surrogate seeker: appraises with the fitted model and speaks by revealing what its profile holds."""

from __future__ import annotations

import random
from collections.abc import Sequence

from esc_skills.language.cues import Cues, load_cues
from esc_skills.roles import Appraisal, Reply
from esc_skills.seekers.profile import Profile
from esc_skills.surrogate.appraisal import SeekerModel
from esc_skills.surrogate.assumed import assumed_effects
from esc_skills.surrogate.features import Exchange, extract_features
from esc_skills.transcript import MAX_CHANGE, SUCCESS_AT, Turn, band_of
from esc_skills.vocabulary import Band, Disposition

#: The share of turns on which a seeker of each disposition tells something new though nothing invited it.
_TELLS_UNINVITED = {Disposition.NEGATIVE: 0.8, Disposition.PASSIVE: 0.35, Disposition.AVOIDANT: 0.45}
#: The share of turns on which the hidden intention shows: faintly early on, clearly later or when it was missed.
_HINTS = 0.6
_FAINT_UNTIL = 2
#: A change of at most this many points shows in the reaction only sometimes.
_SLIGHT, _HIDES_SLIGHT = 5, 0.4


class SurrogateSeeker:
    """Plays one profile, deterministically given the seed.

    Args:
        profile: A composed profile.
        model: The fitted appraisal.
        seed: The draw's seed. The chance of each turn follows from it and the turn's number alone, so the two arms of
            a pair share their chance turn by turn.
    """

    def __init__(self, profile: Profile, model: SeekerModel, seed: str) -> None:
        self._profile = profile
        self._model = model
        self._seed = seed
        self._cues: Cues = load_cues(profile.scenario.language)
        self._revealed = 0
        self._mood = model.sample_mood(self._chance("mood", 0))

    async def appraise(self, turns: tuple[Turn, ...]) -> Appraisal:
        """Return the sampled emotion change of the last answer, with what moved it most."""
        exchange = self._exchange(turns)
        features = extract_features(exchange, self._cues)
        intention, disposition = self._profile.intention.name, self._profile.disposition
        fitted = self._model.expected_change(features, intention, disposition)
        assumed = assumed_effects(exchange, fitted, self._cues)
        expected = max(-MAX_CHANGE, fitted + sum(points for _, points in assumed))
        change = self._model.sample_change(expected, self._mood, self._chance("appraisal", len(turns)))
        parts = [*self._model.explain(features, intention, disposition), *assumed]
        moved = sorted(parts, key=lambda part: (-abs(part[1]), part[0]))[:3]
        words = ", ".join(f"{name} {value:+.1f}" for name, value in moved)
        return Appraisal(change, f"expected {expected:+.1f}: {words}")

    def _exchange(self, turns: tuple[Turn, ...]) -> Exchange:
        return Exchange(
            seeker_said=turns[-1].seeker,
            supporter_said=turns[-1].supporter or "",
            earlier_supporter=tuple(turn.supporter for turn in turns[:-1] if turn.supporter),
            earlier_seeker=tuple(turn.seeker for turn in turns[:-1]),
            background=self._profile.scenario.background,
            turn=len(turns),
        )

    async def reply(self, turns: tuple[Turn, ...], emotion: int, ended: bool) -> Reply:
        """Return a reaction, then something new or a withdrawal, then perhaps a hint of the hidden intention."""
        persona, chance = self._profile.persona, self._chance("reply", len(turns))
        said = " ".join(turn.seeker for turn in turns)
        if ended:
            return Reply(chance.choice(persona.better if emotion >= SUCCESS_AT else persona.worse), farewell=True)
        parts = [
            _fresh(self._tone(turns[-1].change or 0, chance), said, chance),
            self._tells(turns, emotion, chance, said),
            self._hints(turns, chance, said),
        ]
        said_now = " ".join(_closed(part) for part in parts if part)
        return Reply(said_now or chance.choice(persona.withholding), farewell=False)

    def _tone(self, change: int, chance: random.Random) -> tuple[str, ...]:
        """Return the reactions to choose from; a slight change often does not show."""
        reactions = self._profile.persona.reactions
        if abs(change) <= _SLIGHT and chance.random() < _HIDES_SLIGHT:
            return reactions.steady
        return reactions.rising if change > 0 else reactions.falling

    def _tells(self, turns: tuple[Turn, ...], emotion: int, chance: random.Random, said: str) -> str:
        """Return the next disclosure, or two when trust is high; or a withdrawal while the seeker has closed up."""
        band, invited = band_of(emotion), "?" in (turns[-1].supporter or "")
        share = 1.0 if band in (Band.S, Band.A) else _TELLS_UNINVITED[self._profile.disposition] + 0.4 * invited
        if band is Band.C:
            share -= 0.25
        disclosures = self._profile.scenario.disclosures[self._revealed :]
        if chance.random() >= share or not disclosures:
            return _fresh(self._profile.persona.withholding, said, chance)
        told = disclosures[: 2 if band is Band.A and chance.random() < 0.3 else 1]
        self._revealed += len(told)
        return " ".join(told)

    def _hints(self, turns: tuple[Turn, ...], chance: random.Random, said: str) -> str:
        intention, missed = self._profile.intention, (turns[-1].change or 0) < 0
        if chance.random() >= (_HINTS + 0.2 * missed):
            return ""
        clear = len(turns) > _FAINT_UNTIL or (missed and chance.random() < 0.5)
        return _fresh(intention.clear if clear else intention.faint, said, chance)

    def _chance(self, purpose: str, turn: int) -> random.Random:
        return random.Random(f"{self._seed}:{purpose}:{turn}")


def _closed(line: str) -> str:
    """Return a line that ends as a sentence does, so that the next one does not run into it."""
    return line if line.rstrip("\"'”’)")[-1:] in ".!?…" else f"{line}."


def _fresh(lines: Sequence[str], said: str, chance: random.Random) -> str:
    """Return a line that was not said yet, or nothing where all were."""
    unsaid = [line for line in lines if line not in said]
    return chance.choice(unsaid) if unsaid else ""
