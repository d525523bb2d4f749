"""What calls cost: prices by host and model from a data file, and the count of tokens before an endpoint has counted."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from esc_skills.documents.text import read_text
from esc_skills.documents.yaml import parse_yaml
from esc_skills.errors import InputError
from esc_skills.models.endpoint import Endpoint
from esc_skills.models.request import Message

_SHIPPED = Path(__file__).parent / "data" / "prices.yaml"
_KEYS = frozenset(("host", "model", "input", "output", "source", "date"))
_MILLION = 1_000_000
#: OpenAI names a dated version of a model so; it costs what the model costs.
_DATE = re.compile(r"-\d{4}-\d{2}-\d{2}$")


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens of prompt and of answer."""

    input: float
    output: float

    def usd(self, prompt_tokens: int, completion_tokens: int) -> float:
        """Return what a call costs, to a millionth of a cent, as the journal keeps it: a replay comes to the same sums."""
        return round((prompt_tokens * self.input + completion_tokens * self.output) / _MILLION, 8)


FREE = Price(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices by host and model name."""

    entries: Mapping[tuple[str, str], Price]

    def find(self, endpoint: Endpoint, model: str) -> Price | None:
        """Return the price of a model at an endpoint, nothing where the endpoint is this machine; None if unknown."""
        if endpoint.is_loopback:
            return FREE
        return self.entries.get((endpoint.host, model)) or self.entries.get((endpoint.host, _DATE.sub("", model)))

    def require(self, endpoints: Mapping[str, Endpoint], models: Iterable[str]) -> None:
        """Raise where a model, as `endpoint/model`, has no known price, so that no budget in dollars can be kept.

        Raises:
            InputError: Names every such model.
        """
        parts = [(each, *each.split("/", 1)) for each in sorted(set(models))]
        unknown = [each for each, endpoint, name in parts if self.find(endpoints[endpoint], name) is None]
        if unknown:
            hint = f"add it to {_SHIPPED}, or give --budget-tokens"
            raise InputError(f"--budget-usd: the price of {', '.join(unknown)} is not known", hint)


def load_prices(path: Path = _SHIPPED) -> Prices:
    """Return the prices of a file; each entry says where the price was read and when.

    Raises:
        InputError: An entry has another form.
    """
    value = parse_yaml(read_text(path), str(path)).value
    rows = value.get("prices") if isinstance(value, dict) else None
    if not isinstance(rows, list):
        raise InputError(f"{path}: holds no list `prices`", f"see {_SHIPPED}")
    return Prices({(row["host"], row["model"]): _price(row) for row in rows if _is_entry(row, path)})


def _is_entry(row: Any, path: Path) -> bool:
    texts = ("host", "model", "source", "date")
    sound = isinstance(row, dict) and row.keys() == _KEYS and all(isinstance(row[key], str) for key in texts)
    if not sound or not all(_is_amount(row[key]) for key in ("input", "output")):
        raise InputError(f"{path}: {row!r} is no price", f"an entry has the keys {', '.join(sorted(_KEYS))}")
    return True


def _is_amount(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and value >= 0


def _price(row: dict[str, Any]) -> Price:
    return Price(float(row["input"]), float(row["output"]))


def count_tokens(messages: Iterable[Message]) -> int:
    """Return about how many tokens a chat has, rather too many than too few; the tokenizer is the endpoint's secret.

    Three ASCII characters, or one other character, are counted as a token.
    """
    return sum(4 + _tokens(each.content) for each in messages)


def _tokens(text: str) -> int:
    ascii_bytes = len(text.encode("ascii", "ignore"))
    return ascii_bytes // 3 + len(text) - ascii_bytes + 1
