"""The records of a seeker: scenario, persona and hidden intention, which compose into a profile, and whole profiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from esc_skills.documents.jsonl import digest_json
from esc_skills.vocabulary import Disposition, EmotionType, HiddenIntention, Language, ProblemType, Risk, Split


@dataclass(frozen=True, slots=True)
class Scenario:
    """What happened to a seeker.

    Attributes:
        goal: What the seeker says they came for.
        background: The story in the third person.
        first_messages: How each disposition opens.
        disclosures: What the seeker reveals turn by turn, from easy to deep.
        content: The file's parsed content, of which the profile's digest is made.
    """

    name: str
    split: Split
    language: Language
    problem_type: ProblemType
    emotion_type: EmotionType
    emotion_intensity: int
    risk: Risk
    goal: str
    background: str
    first_messages: dict[Disposition, str]
    disclosures: tuple[str, ...]
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reactions:
    """What a persona says first after a supporter turn that helped, left things as they were, or missed."""

    rising: tuple[str, ...]
    steady: tuple[str, ...]
    falling: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Persona:
    """Who a seeker is and how they talk.

    Attributes:
        withholding: What they say in place of anything new when they have closed up.
        better: Farewells after help; worse: farewells of one who breaks off.
    """

    name: str
    split: Split
    language: Language
    age: int
    work: str
    disposition: Disposition
    traits: tuple[str, ...]
    speaking_style: str
    reactions: Reactions
    withholding: tuple[str, ...]
    better: tuple[str, ...]
    worse: tuple[str, ...]
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Intention:
    """A hidden intention: what meets it, what misses it, and how it shows in words, faintly or clearly."""

    name: HiddenIntention
    wants: str
    meets: tuple[str, ...]
    misses: tuple[str, ...]
    faint: tuple[str, ...]
    clear: tuple[str, ...]
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Profile:
    """A seeker composed of a scenario, a persona and a hidden intention."""

    scenario: Scenario
    persona: Persona
    intention: Intention

    @property
    def id(self) -> str:
        """The names of the three parts, joined by slashes."""
        return f"{self.scenario.name}/{self.persona.name}/{self.intention.name}"

    @property
    def digest(self) -> str:
        """The digest of the three parts' content: equal exactly where the seekers are."""
        return digest_json([self.scenario.content, self.persona.content, self.intention.content])

    @property
    def disposition(self) -> Disposition:
        """The persona's disposition."""
        return self.persona.disposition

    @property
    def first_message(self) -> str:
        """How this seeker opens the conversation."""
        return self.scenario.first_messages[self.disposition]


@dataclass(frozen=True, slots=True)
class WholeProfile:
    """A seeker written whole, as SAGE's are. For scoring and diagnosis; it belongs to no split.

    Attributes:
        persona: Who the seeker is, as SAGE's `player` says it.
        background: SAGE's `scene`, which states reactions and the hidden intention too.
        first_message: How the seeker opens the conversation; empty where the source has none, as ESC-Eval's.
        source: The line that it was imported from, key by key, so that the export gives back what came in.
        source_format: Whose form that is: `sage` or `esc-eval`.
    """

    id: str
    language: Language
    disposition: Disposition
    intention: HiddenIntention
    persona: str
    traits: tuple[str, ...]
    background: str
    first_message: str
    source: dict[str, Any]
    source_format: str = "sage"
