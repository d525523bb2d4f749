"""What a kind of forgery is: how it is made, and why it is refused or what answers it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from .workshop import FORGED, Workshop

#: The reason of all kinds whose draws are not those that follow from the registration.
DRAWS = (r"plan\.json:\d+: differs", "draws that do not follow from the registration")

Shop = Literal["surrogate", "scrutinised", "recorded"]


@dataclass(frozen=True)
class Asked:
    """How a forgery is verified, where not by `verify --base main --head forged`."""

    base: str = "main"
    head: str = FORGED
    options: tuple[str, ...] = ()


#: Forges in a copy of a repository with real proposals.
Forge = Callable[[Workshop], Asked | None]


@dataclass(frozen=True)
class Kind:
    """A kind of forged or careless evidence.

    Attributes:
        name: What is done.
        family: What is forged, which it has in common with its neighbours in the file.
        forge: Does it.
        shop: Whether to proposals of the surrogate, to one of which a stratum got draws of its own, or of recorded models.
        check: The check that refuses it; empty in class B, where none does.
        told: A pattern that the reason has, and the reason of no other kind.
        nature: What it has in common with kinds that are refused for the same reason.
        status: What the evidence is then.
        verdict: What the verdict is then.
        answers: In class B: what answers it.
    """

    name: str
    family: str
    forge: Forge = field(repr=False)
    shop: Shop
    check: str = ""
    told: str = ""
    nature: str = ""
    status: str = "invalid"
    verdict: str | None = None
    answers: str = ""


_FAMILIES: list[str] = []


def family(name: str) -> None:
    """Begin a family: the kinds that follow in the file belong to it."""
    assert name not in _FAMILIES
    _FAMILIES.append(name)


CLASS_A: dict[str, Kind] = {}
CLASS_B: dict[str, Kind] = {}


def refused(
    check: str,
    told: str,
    nature: str = "",
    *,
    status: str = "invalid",
    verdict: str | None = None,
    shop: Shop = "surrogate",
) -> Callable[[Forge], Forge]:
    """Add a kind to class A: what the evidence itself gives away."""

    def add(forge: Forge) -> Forge:
        name = forge.__name__
        assert name not in CLASS_A
        CLASS_A[name] = Kind(name, _FAMILIES[-1], forge, shop, check, told, nature, status, verdict)
        return forge

    return add


def answered_by(answers: str, *, shop: Shop = "surrogate") -> Callable[[Forge], Forge]:
    """Add a kind to class B: what cannot be told from the evidence alone, and what answers it."""

    def add(forge: Forge) -> Forge:
        assert forge.__name__ not in CLASS_B
        CLASS_B[forge.__name__] = Kind(forge.__name__, _FAMILIES[-1], forge, shop, answers=answers)
        return forge

    return add
