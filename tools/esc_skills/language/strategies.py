"""The offline annotator: which strategies a supporter message is of, told by its words, its form and its place.

A linear model over a handful of named features, the same in English and Chinese, fitted on ESConv's labels: 150 dialogues
of its development split, as docs/discovery.md says with its agreement on others. Chinese has no labels to be fitted or
measured on; there the coefficients are those of English.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from esc_skills.documents.text import read_text
from esc_skills.errors import DocumentError
from esc_skills.language.cues import Lexicon, load_cues, load_lexicon
from esc_skills.language.reading import read
from esc_skills.vocabulary import Language, Strategy

FORMAT = "esc-skills/annotator/1"
_DATA = Path(__file__).parent / "data"
SHIPPED = _DATA / "strategies.json"
#: What the model tells apart. ESConv's rebuilt split merges suggestions and information, so they are one class here, and
#: which of the two it is follows from the words of advice and of fact in the message.
CLASSES: tuple[tuple[Strategy, ...], ...] = (
    (Strategy.QUESTION,),
    (Strategy.RESTATEMENT_OR_PARAPHRASING,),
    (Strategy.REFLECTION_OF_FEELINGS,),
    (Strategy.SELF_DISCLOSURE,),
    (Strategy.AFFIRMATION_AND_REASSURANCE,),
    (Strategy.PROVIDING_SUGGESTIONS, Strategy.INFORMATION),
    (Strategy.OTHERS,),
)
#: A message of more words is annotated in parts of about this many, since it may hold several strategies.
_PART_WORDS = 40
#: What share of the parts' probability a strategy needs to be named beside the likeliest.
_SHARE = 0.25
_SENTENCE_END = re.compile(r"(?<=[.!?。！？\n])\s*")


@dataclass(frozen=True, slots=True)
class _Forms:
    """How a language shows in form who is spoken of, that something is asked, and that it is past."""

    me: re.Pattern[str]
    you: re.Pattern[str]
    opens_asking: re.Pattern[str]
    opens_with_me: re.Pattern[str]
    opens_with_you: re.Pattern[str]
    past: re.Pattern[str]


_FORMS = {
    Language.ENGLISH: _Forms(
        me=re.compile(r"\b(?:i|i['’]\w+|my|me|mine|myself)\b", re.IGNORECASE),
        you=re.compile(r"\byou(?:r|rs|rself|['’]\w+)?\b", re.IGNORECASE),
        opens_asking=re.compile(
            r"(?:what|how|why|when|who|where|do|does|did|are|is|have|has|can|could|would|will|any)\b", re.IGNORECASE
        ),
        opens_with_me=re.compile(r"(?:(?:yes|yeah|well),? )?i\b", re.IGNORECASE),
        opens_with_you=re.compile(r"(?:(?:so|ah|ok|oh|and),? )?you\b", re.IGNORECASE),
        past=re.compile(r"\b(?:was|were|had|did|been|went|got|used to|ago|when i)\b", re.IGNORECASE),
    ),
    Language.CHINESE: _Forms(
        me=re.compile("我(?!们)"),
        you=re.compile("[你您]"),
        opens_asking=re.compile("(?:什么|怎么|为什么|哪|谁|是不是|有没有|能不能)"),
        opens_with_me=re.compile("我(?!们)"),
        opens_with_you=re.compile("(?:所以|那)?[你您]"),
        past=re.compile("(?:曾经|以前|当时|那时|小时候|过)"),
    ),
}
_QUESTION = re.compile("[?？]")
_ENDING = 3
#: The seeker's greeting and first words come within this many messages.
_EARLY = 6


@dataclass(frozen=True, slots=True)
class Message:
    """A supporter message with what the annotator may know of its place.

    Attributes:
        text: What the supporter says.
        heard: The seeker's message before it; empty where the supporter speaks first.
        position: The number of messages before it, of both speakers.
        language: The language of both.
    """

    text: str
    heard: str
    position: int
    language: Language


@dataclass(frozen=True)
class StrategyModel:
    """A fitted annotator.

    Attributes:
        features: The names of the features.
        intercepts: One for each of `CLASSES`.
        coefficients: Per class, one for each feature.
        fitted_on: What it was fitted on, in words.
    """

    features: tuple[str, ...]
    intercepts: tuple[float, ...]
    coefficients: tuple[tuple[float, ...], ...]
    fitted_on: str = ""

    def probabilities(self, features: Mapping[str, float]) -> tuple[float, ...]:
        """Return the probability of each of `CLASSES`; they sum to 1."""
        values = [features[name] for name in self.features]
        scores = [
            intercept + sum(map(float.__mul__, row, values))
            for intercept, row in zip(self.intercepts, self.coefficients, strict=True)
        ]
        highest = max(scores)
        weights = [math.exp(score - highest) for score in scores]
        total = sum(weights)
        return tuple(weight / total for weight in weights)

    def as_json(self) -> str:
        """Return the model as the text of `data/strategies.json`, one feature a line."""
        head = {
            "format": FORMAT,
            "fitted_on": self.fitted_on,
            "classes": [[str(each) for each in strategies] for strategies in CLASSES],
            "intercepts": list(self.intercepts),
        }
        rows = [
            f"  {json.dumps(name)}: {json.dumps([row[at] for row in self.coefficients])}"
            for at, name in enumerate(self.features)
        ]
        opening = json.dumps(head, indent=1, ensure_ascii=False)[:-2]
        return opening + ',\n "features": {\n' + ",\n".join(rows) + "\n }\n}\n"


@cache
def load_strategy_model(path: Path = SHIPPED) -> StrategyModel:
    """Return the annotator of a file that `StrategyModel.as_json` wrote; by default the one that the package ships.

    Raises:
        DocumentError: It is no such file.
    """
    try:
        value = json.loads(read_text(path))
        if value["format"] != FORMAT or value["classes"] != [[str(each) for each in names] for names in CLASSES]:
            raise ValueError(f"the format should be {FORMAT} with {len(CLASSES)} classes")
        columns = [tuple(map(float, row)) for row in value["features"].values()]
        if any(len(row) != len(CLASSES) for row in (value["intercepts"], *columns)):
            raise ValueError(f"each row should hold {len(CLASSES)} numbers")
        return StrategyModel(
            tuple(value["features"]),
            tuple(map(float, value["intercepts"])),
            tuple(zip(*columns, strict=True)),
            value["fitted_on"],
        )
    except (KeyError, TypeError, ValueError) as error:
        hint = "fit it again with `esc-skills surrogate fit-annotator`"
        raise DocumentError(str(path), 0, "annotator", f"is no fitted annotator: {error}", hint) from error


def annotate_strategies(message: Message, model: StrategyModel | None = None) -> tuple[Strategy, ...]:
    """Return the strategies of a supporter message, the likeliest first; at least one.

    A short message has one; a long one is read in parts and has those that make up a quarter of it.
    """
    parts = tuple(_parts(message))
    shares = _shares(parts, model or load_strategy_model())
    ranked = sorted(range(len(CLASSES)), key=lambda at: (-shares[at], at))
    named = [at for at in ranked[1:] if shares[at] >= _SHARE] if len(parts) > 1 else []
    return tuple(_single(CLASSES[at], message) for at in (ranked[0], *named))


def choose_strategy(message: Message, among: Sequence[Strategy], model: StrategyModel | None = None) -> Strategy:
    """Return which of some strategies a supporter message is likeliest of, as where a label means any of them."""
    if len(among) == 1:
        return among[0]
    shares = _shares(tuple(_parts(message)), model or load_strategy_model())

    def likeliness(strategy: Strategy) -> tuple[float, bool]:
        at = next(at for at, strategies in enumerate(CLASSES) if strategy in strategies)
        return shares[at], strategy is _single(CLASSES[at], message)

    return max(among, key=likeliness)


def _shares(parts: Sequence[Message], model: StrategyModel) -> list[float]:
    shares = [0.0] * len(CLASSES)
    for part in parts:
        for at, probability in enumerate(model.probabilities(strategy_features(part))):
            shares[at] += probability / len(parts)
    return shares


def _single(strategies: Sequence[Strategy], message: Message) -> Strategy:
    if len(strategies) == 1:
        return strategies[0]
    found = _lexicon(message.language).count(message.text)["strategies"]
    return strategies[found.get("fact", 0) > found.get("advice", 0)]


def _parts(message: Message) -> Iterator[Message]:
    """Yield a message in parts of whole sentences, each of at least `_PART_WORDS` words but the last."""
    cues = load_cues(message.language)
    if read(message.text, cues).words <= _PART_WORDS:
        yield message
        return
    gathered: list[str] = []
    words = 0.0
    for sentence in filter(str.strip, _SENTENCE_END.split(message.text)):
        gathered.append(sentence.strip())
        words += read(sentence, cues).words if message.language is Language.CHINESE else len(sentence.split())
        if words >= _PART_WORDS:
            yield Message(" ".join(gathered), message.heard, message.position, message.language)
            gathered, words = [], 0.0
    if gathered:
        yield Message(" ".join(gathered), message.heard, message.position, message.language)


def strategy_features(message: Message) -> dict[str, float]:
    """Return every feature of a message, each from 0 to 1, in an order that does not change."""
    text, language = message.text.strip(), message.language
    found = _lexicon(language).count(text)["strategies"]
    features = {name: found.get(name, 0) / (found.get(name, 0) + 1) for _, name in _lexicon(language).categories}
    reading = read(text, load_cues(language))
    heard = read(message.heard, load_cues(language))
    shared, size = len(reading.terms & heard.terms), len(reading.terms)
    forms = _FORMS[language]
    you, me = len(forms.you.findall(text)), len(forms.me.findall(text))
    words = max(1.0, reading.words)
    features.update(
        {
            "brevity": 20 / (words + 20),
            "length": words / (words + 30),
            "asks": float(_QUESTION.search(text) is not None),
            "ends-asking": float(_QUESTION.search(text[-_ENDING:]) is not None),
            "opens-asking": float(forms.opens_asking.match(text) is not None),
            "you": you / (you + 1),
            "me": me / (me + 1),
            "more-me-than-you": float(me > you),
            "no-you": float(you == 0),
            "opens-with-me": float(forms.opens_with_me.match(text) is not None),
            "opens-with-you": float(forms.opens_with_you.match(text) is not None),
            "my-past": float(me > 0 and forms.past.search(text) is not None),
            "first": float(message.position <= 1),
            "early": max(0.0, 1 - message.position / _EARLY),
            "echo": shared / (shared + 2),
            "echo-share": shared / (size + 2),
            "no-echo": float(shared == 0),
            "exclaims": float("!" in text or "！" in text),
            "was-asked": float(_QUESTION.search(message.heard) is not None),
        }
    )
    return features


@cache
def _lexicon(language: Language) -> Lexicon:
    return load_lexicon(_DATA / f"strategies.{language}.yaml")
