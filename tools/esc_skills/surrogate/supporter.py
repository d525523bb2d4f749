"""The surrogate supporter: reads the seeker's state, selects a skill by its contract, and performs one of its examples."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from esc_skills.bank.skill import Example, Skill
from esc_skills.bank.spans import EXAMPLES, SpanChange, substance
from esc_skills.documents.text import one_line, read_text
from esc_skills.documents.yaml import parse_yaml
from esc_skills.language.wording import stem
from esc_skills.roles import Answer
from esc_skills.surrogate.echo import content_words, echo_of, split_sentences
from esc_skills.surrogate.state import SeekerState, read_seeker_state
from esc_skills.transcript import Turn
from esc_skills.vocabulary import EmotionType, Language, Strategy

#: What each part of a contract is worth when skills compete; a matching need outweighs all else but an occasion.
_OCCASION, _NEED, _STAGE, _EMOTION, _JUST_USED, _EACH_USE = 5.0, 3.0, 1.0, 0.5, 1.0, 0.3
#: A sentence echoes an example's seeker where it shares at least this many words of content with them.
_ECHO_WORDS = 2
#: So many words of content of its own a sentence may have, for which an echo is said, where the example counts as read.
_UNSAID_WORDS = 2
#: A shorter phrase is said on many occasions.
_CUE_WORDS = 3
_WORDS = re.compile(r"[\w']+")
#: The keys that skills are selected by, each with what is read of it.
_SELECTS_BY: Mapping[str, Callable[[Skill], Any]] = {
    "name": lambda skill: skill.name,
    "esc-language": lambda skill: skill.language,
    "esc-stage": lambda skill: skill.stages,
    "esc-emotions": lambda skill: skill.emotions,
    "esc-intensity": lambda skill: skill.intensity,
    "esc-needs": lambda skill: skill.needs,
    "esc-not-for": lambda skill: skill.not_for,
    "esc-risk": lambda skill: skill.risk_levels,
}
#: A line that holds a key with its value and nothing else, such as a comment, which the reader of keys does not see.
_PLAIN_KEY = re.compile(r'name: [a-z0-9-]+\n|  [a-z-]+: "[^"\\\n]*"\n')
_QUOTED = re.compile(r"[\"“]([^\"“”]+)[\"”]")


@dataclass(frozen=True, slots=True)
class Selection:
    """The skill that fits a state best, or None where every contract rules itself out; and why, in words."""

    skill: Skill | None
    reason: str


class SurrogateSupporter:
    """Plays the supporter of one episode, deterministically given the seed.

    Args:
        bank: The skills by name; empty for a supporter without a bank.
        seed: The draw's seed.
        language: The language of the conversation.
    """

    def __init__(self, bank: Mapping[str, Skill], seed: str, language: Language) -> None:
        self._bank = [skill for skill in bank.values() if skill.examples_in(language)]
        self._seed = seed
        self._language = language

    async def answer(self, turns: tuple[Turn, ...]) -> Answer:
        """Return the answer to the last turn's seeker message."""
        said = [turn.seeker for turn in turns]
        state = read_seeker_state(said, self._language)
        used = [turn.skill for turn in turns[:-1] if turn.skill]
        selection = select_skill(self._bank, state, used, said[-1])
        earlier = [turn.supporter for turn in turns[:-1] if turn.supporter]
        if selection.skill is None:
            return Answer(_choose(_plain_lines(self._language), earlier, self._seed), None, selection.reason)
        return Answer(self._say(selection.skill, said[-1], earlier), selection.skill.name, selection.reason)

    def _say(self, skill: Skill, seeker_said: str, earlier: Sequence[str]) -> str:
        return perform(skill.examples_in(self._language), seeker_said, earlier, self._seed)


class StrategySupporter(SurrogateSupporter):
    """Selects as the supporter with the bank does, and performs no more of the skill than its first strategy.

    What it says comes from `data/plain-strategies.<language>.yaml`, which knows the eight strategies and no skill.
    """

    def _say(self, skill: Skill, seeker_said: str, earlier: Sequence[str]) -> str:
        line = _choose(_strategy_lines(self._language)[skill.main_strategy], earlier, self._seed)
        return line.replace("{echo}", echo_of(seeker_said, len(earlier))).strip()


def rules_out(skill: Skill, state: SeekerState) -> bool:
    """Whether a skill's contract forbids its use in a state: risk, what it is not for, or the intensity."""
    low, high = skill.intensity
    return (
        state.risk not in skill.risk_levels
        or not low <= state.emotion_intensity <= high
        or (state.need is not None and state.need in skill.not_for)
        or (state.disposition is not None and state.disposition in skill.not_for)
    )


def covers(skill: Skill, state: SeekerState) -> bool:
    """Whether a skill may be used in a state and serves its likeliest need."""
    return not rules_out(skill, state) and state.need in skill.needs


def select_skill(bank: Iterable[Skill], state: SeekerState, used: Sequence[str], said: str = "") -> Selection:
    """Return the skill whose contract fits a state best.

    A skill that serves no need is for an occasion. It competes where the message holds one of the phrases in quotation marks
    under `When to use`, of three words or more, and then comes before those for needs.

    Args:
        bank: The skills to choose from.
        state: The seeker's state.
        used: The skills of the earlier turns, oldest first; what was just used or used often yields to others.
        said: The seeker's message.
    """
    times = Counter(used)
    fits = [
        (_fit(skill, state, used, times), skill.name, skill)
        for skill in bank
        if not rules_out(skill, state) and (skill.needs or _shows_occasion(skill, said))
    ]
    if not fits:
        return Selection(None, "no skill's contract allows this state")
    _, _, skill = max(fits, key=lambda fit: (fit[0], fit[1]))
    return Selection(skill, _reason(skill, state))


def _fit(skill: Skill, state: SeekerState, used: Sequence[str], times: Mapping[str, int]) -> float:
    met = sum(weight for need, weight in state.needs.items() if need in skill.needs)
    fit = _NEED * met if skill.needs else _OCCASION
    fit += _STAGE * (state.stage in skill.stages)
    if state.emotion_type in skill.emotions:
        # A skill for few emotions that names this one fits better than a skill for all of them.
        fit += _EMOTION * (2 - len(skill.emotions) / len(EmotionType))
    return fit - _JUST_USED * (skill.name in used[-1:]) - _EACH_USE * times.get(skill.name, 0)


def _shows_occasion(skill: Skill, said: str) -> bool:
    words = f" {' '.join(_WORDS.findall(said.lower()))} "
    return any(cue in words for cue in _cues(skill.when_to_use))


@lru_cache(maxsize=1024)
def _cues(when_to_use: tuple[str, ...]) -> tuple[str, ...]:
    """Return the phrases in quotation marks as their words, those of fewer than three words left out."""
    phrases = [_WORDS.findall(phrase.lower()) for item in when_to_use for phrase in _QUOTED.findall(item)]
    return tuple(f" {' '.join(words)} " for words in phrases if len(words) >= _CUE_WORDS)


def _reason(skill: Skill, state: SeekerState) -> str:
    if not skill.needs:
        return f"occasion; {state.stage}; risk {state.risk}"
    matched = [str(need) for need in state.needs if need in skill.needs]
    need = f"need {matched[0]}" if matched else f"no need matched (heard {state.need or 'none'})"
    emotion = state.emotion_type or "no emotion named"
    return f"{need}; {state.stage}; {emotion}, intensity {state.emotion_intensity}; risk {state.risk}"


def perform(examples: Sequence[Example], seeker_said: str, earlier: Sequence[str], seed: str) -> str:
    """Return one of a skill's examples, adapted to what the seeker just said.

    The sentence in which the example's supporter echoes the example's seeker is replaced by an echo of this seeker.
    """
    chosen = _split_echo(choose_example(examples, seeker_said, earlier, seed))
    echo = echo_of(seeker_said, len(earlier)) if chosen.echoes else ""
    return " ".join(part for part in (chosen.before, echo, chosen.own) if part)


def choose_example(examples: Sequence[Example], seeker_said: str, earlier: Sequence[str], seed: str) -> Example:
    """Return the example to perform: one that was not performed yet, and among them the one whose seeker said the likest."""
    said = content_words(seeker_said)

    def order(example: Example) -> tuple[int, int, str]:
        parts = _split_echo(example)
        performed = sum(parts.before in answer and parts.own in answer for answer in earlier)
        likeness = len(said & content_words(f"{example.title}. {example.seeker}"))
        return performed, -likeness, hashlib.sha256(f"{seed}:{example.supporter}".encode()).hexdigest()

    return min(examples, key=order)


def reading_of(skills: Mapping[str, Skill], languages: Iterable[Language]) -> list[Any]:
    """Return what the supporter reads of some skills in some languages: the keys of its selection, and the examples."""
    return [
        {
            **{key: str(read(skill)) for key, read in _SELECTS_BY.items()},
            "occasions": [] if skill.needs else sorted(_cues(skill.when_to_use)),
            "examples": {
                each: sorted((own.title, own.seeker, own.supporter) for own in skill.examples_in(each))
                for each in languages
            },
        }
        for _, skill in sorted(skills.items())
    ]


def has_read(
    change: SpanChange, skills: Mapping[str, Skill], turns: Sequence[Turn], seed: str, language: Language
) -> bool:
    """Return whether a changed span was in what the supporter read for the last of some turns.

    It reads the keys of its selection of every skill that speaks the language, and of the skill that it selected the example
    that it performs: its title and its last turns, neither earlier ones nor a word of guidance.

    Args:
        change: The span.
        skills: The bank that holds it: that after the change, or the one before for a span that was removed.
        turns: The conversation up to an answer.
        seed: The draw's.
        language: The conversation's.
    """
    skill, text = skills.get(change.skill), change.before if change.after is None else change.after
    if skill is None or text is None or not (examples := skill.examples_in(language)):
        return False
    if change.part in _SELECTS_BY:
        return _PLAIN_KEY.fullmatch(text) is not None
    if change.part != EXAMPLES or turns[-1].skill != skill.name:
        return False
    earlier = [turn.supporter for turn in turns[:-1] if turn.supporter]
    performed = choose_example(examples, turns[-1].seeker, earlier, seed)
    spoken, body = _spoken_of(performed), _body(text)
    # Earlier turns stay unread: where they changed, the example was not read as it is.
    unread = [
        each.replace(spoken, "") if spoken in each else each[: each.rfind("**Seeker:**")]
        for each in (body, _body(change.before or ""))
    ]
    changed_unread = unread[0] != (unread[1] if change.before and change.after else "")
    titled = text.lstrip("\n").partition("\n")[0].lstrip("#").strip() == performed.title
    return titled and spoken in body and not changed_unread and not _unsaid_words(performed)


def _unsaid_words(example: Example) -> bool:
    """Whether the sentence that an echo of the seeker stands in for says more than the example's own seeker: nobody says that."""
    parts = _split_echo(example)
    if not parts.echoes:
        return False
    said = {*split_sentences(parts.before), *split_sentences(parts.own)}
    unsaid = " ".join(each for each in split_sentences(example.supporter) if each not in said)
    theirs = {stem(each).rstrip("'") for each in content_words(example.seeker)}
    own = {stem(each).rstrip("'") for each in content_words(unsaid)}
    return len([each for each in own - theirs if "'" not in each]) > _UNSAID_WORDS


def _spoken_of(example: Example) -> str:
    """Return the last turns of an example as its file holds them, with single blanks."""
    return f"**Seeker:** {one_line(example.seeker)} **Supporter:** {one_line(example.supporter)}"


def _body(text: str) -> str:
    """Return an example without its title."""
    return substance(text.lstrip("\n").partition("\n")[2])


@dataclass(frozen=True, slots=True)
class _Parts:
    """An example's supporter turn: what is said before the echo and after it, and whether there is one at all."""

    before: str
    own: str
    echoes: bool


@lru_cache(maxsize=4096)
def _split_echo(example: Example) -> _Parts:
    sentences = split_sentences(example.supporter)
    theirs = content_words(example.seeker)
    # A question asks, whatever words it takes up; where there is danger it is what must not be lost.
    shared = [_shared(sentence, theirs) for sentence in sentences]
    best = max(range(len(sentences)), key=lambda at: (shared[at], -at))
    if shared[best] < _ECHO_WORDS or len(sentences) == 1:
        return _Parts("", example.supporter, echoes=False)
    return _Parts(" ".join(sentences[:best]), " ".join(sentences[best + 1 :]), echoes=True)


def _shared(sentence: str, theirs: frozenset[str]) -> int:
    """Return how many words of content a sentence takes from the seeker; none where most of its words are its own."""
    words = content_words(sentence)
    shared = len(words & theirs)
    return 0 if "?" in sentence or 2 * shared < len(words) else shared


def _choose(lines: Sequence[str], earlier: Sequence[str], seed: str) -> str:
    start = int(hashlib.sha256(seed.encode()).hexdigest(), 16) % len(lines)
    return lines[(start + len(earlier)) % len(lines)]


def speaks(language: Language) -> bool:
    """Whether the supporter has words of its own in a language, for turns that no skill fits."""
    return _plain_path(language).is_file()


def _plain_path(language: Language) -> Path:
    return Path(__file__).parent / "data" / f"plain.{language}.yaml"


@cache
def _plain_lines(language: Language) -> tuple[str, ...]:
    path = _plain_path(language)
    return tuple(parse_yaml(read_text(path), str(path)).value["lines"])


@cache
def _strategy_lines(language: Language) -> dict[Strategy, tuple[str, ...]]:
    path = Path(__file__).parent / "data" / f"plain-strategies.{language}.yaml"
    lines = parse_yaml(read_text(path), str(path)).value["lines"]
    return {strategy: tuple(lines[strategy]) for strategy in Strategy}
