"""An order in ``shop_model``: as it was judged, what was asked of it since, what it is now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any


@dataclass(eq=False)
class Took:
    """What an order's refunds took of one account: from lots, as a debt, or not at all."""

    own: dict[Any, int] = field(default_factory=dict)
    others: dict[Any, int] = field(default_factory=dict)
    repaid: dict[Any, int] = field(default_factory=dict)
    targets: dict[Any, int] = field(default_factory=dict)
    owed: int = 0
    final: int = 0
    missing: int = 0


@dataclass(eq=False)
class Change:
    """What an order is now: pieces and net by line id. ``kept``: parts of the lines as paid."""

    at: datetime
    name: str
    lines: dict[str, tuple[int, int]]
    kept: dict[str, Fraction]


@dataclass(eq=False)
class Order:
    """An order as it was judged.

    ``lines`` are dicts of ``id``, ``quantity``, ``gross`` (before discounts), ``net``, what
    ``money``, ``points``, ``credit`` and ``gift`` paid of it, and ``parts``: what rewards took off
    it by code. Their ``key`` is the id for a line that the order was paid with, and another for
    one that came with a change. ``tender``: points that paid. ``draws``: lists of holder, lot,
    amount and what was given back. ``earned``: tuples of unit, points, lot and points by key; what
    has a key that no line has is gone. ``asked``: pieces and minor units by line id.
    ``steps``: what came back of it, in sequence. ``told``: the reservation whose checkout the
    shop's report was of, when that came first.
    """

    member: str | None
    reservation: int | None
    rules: dict[str, Any]
    lines: list[dict[str, Any]]
    tender: int | None
    draws: list[list[Any]]
    at: datetime
    state: str = "PAID"
    rewards: list[dict[str, Any]] = field(default_factory=list)
    earned: list[tuple[Any, ...]] = field(default_factory=list)
    asked: dict[str, tuple[int, int]] = field(default_factory=dict)
    is_all: bool = False
    change: Change | None = None
    changes: int = 0
    is_other: bool = False
    told: int | None = None
    tier: str | None = None
    steps: list[Any] = field(default_factory=list)
    money: int = 0
    took: dict[str, Took] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lines = [line | {"key": line["id"]} for line in self.lines]

    @property
    def total(self) -> int:
        return sum(line["net"] for line in self.lines)

    @property
    def points_earned(self) -> int:
        keys = {line["key"] for line in self.lines}
        return sum(
            points for unit, points, _, by in self.earned if unit == "points" and keys & by.keys()
        )

    def basis(self, id: str) -> tuple[int, int]:
        """Pieces and net that refunds of a line are parts of."""
        if self.change is not None:
            return self.change.lines.get(id, (0, 0))
        return next(((x["quantity"], x["net"]) for x in self.lines if x["id"] == id), (0, 0))

    def share(self, id: str, asked: tuple[int, int]) -> Fraction | None:
        """The part of a line that so many pieces and minor units are; None: it has none."""
        part = Fraction(0)
        for have, want in zip(self.basis(id), asked, strict=True):
            if want and not have:
                return None
            part += Fraction(want, have) if want else 0
        return part

    def part_asked(self, id: str) -> Fraction:
        if self.is_all:
            return Fraction(1)
        pieces, minor = self.asked.get(id, (0, 0))
        part = self.share(id, (pieces, 0)) or Fraction(0)
        return min(part + (self.share(id, (0, minor)) or Fraction(0)), Fraction(1))

    @property
    def parts(self) -> dict[str, Fraction]:
        """How much of each line came back, by refunds and by changes of the order."""
        kept = self.change.kept if self.change is not None else {}
        return {
            line["key"]: 1 - kept.get(line["key"], Fraction(1)) * (1 - self.part_asked(line["id"]))
            for line in self.lines
        }

    @property
    def is_too_much(self) -> bool:
        shares = [self.share(id, asked) for id, asked in self.asked.items()]
        return any(part is None or part > 1 for part in shares)

    @property
    def is_flagged(self) -> bool:
        return self.is_other or self.is_too_much

    def back(self, weight: Callable[[dict[str, Any]], int]) -> Fraction:
        """What came back of something that the lines have parts of."""
        parts = self.parts
        return sum((weight(line) * parts[line["key"]] for line in self.lines), Fraction(0))


def spread(amount: int, weights: list[int]) -> list[int]:
    """An amount over weights: each part is the difference of running totals rounded down."""
    running = [amount * sum(weights[: n + 1]) // sum(weights) for n in range(len(weights))]
    return [b - a for a, b in zip([0, *running], running, strict=False)]


def paid_line(id: str, quantity: int, gross: int, net: int) -> dict[str, Any]:
    """A line that was paid for with money alone."""
    return {
        "id": id, "quantity": quantity, "gross": gross, "net": net, "money": net, "parts": {},
    }  # fmt: skip
