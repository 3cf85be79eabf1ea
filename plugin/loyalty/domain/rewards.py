"""Kinds of reward: what points or status buy.

A reward kind is a frozen dataclass whose fields are its settings in the ruleset. ``offer``
says what it would take off each line, given what is left of the lines; it decides nothing
about whether it may be taken (conditions), what it costs in points, or how it stacks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol

from loyalty.domain.cart import CartLine
from loyalty.domain.money import AMOUNT_MINOR_MAX, allocated


class OpenLine(NamedTuple):
    """A line and what earlier rewards have left of its price, in minor units.

    A tuple, because the search for the best choice makes them by the thousand.
    """

    line: CartLine
    left_minor: int


class RewardKind(Protocol):
    """The form every kind of reward has.

    ``offer`` returns minor units per given line, each 0 <= part <= ``left_minor``. ``value_minor``
    is what it takes off at most, None when that depends on the cart. ``may_cut`` says whether
    a smaller discount than the full one is still the reward (a percentage is, a voucher
    bought with points is not: the member paid for all of it).

    A kind may say more, as class attributes. ``may_move``: a sum that some line cannot take may
    come off the others. ``on_shipping``: it takes off shipping, which then is the only line it
    is given. ``shrinks``: the less is left of the lines, the less it offers in all; without
    it the search trusts ``value_minor`` and ``percent_bp`` alone. ``products``, an attribute
    or a field: only lines of these products.
    """

    kind: ClassVar[str]
    may_cut: ClassVar[bool]

    def offer(self, lines: Sequence[OpenLine]) -> list[int]: ...

    @property
    def value_minor(self) -> int | None: ...

    @property
    def percent_bp(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class MoneyOff:
    """A fixed amount off the covered lines together, never more than they cost."""

    kind: ClassVar[str] = "money_off"
    may_cut: ClassVar[bool] = False
    may_move: ClassVar[bool] = True
    shrinks: ClassVar[bool] = True

    off_minor: int

    def validate(self) -> Iterator[str]:
        return _out_of_range("off_minor", self.off_minor, AMOUNT_MINOR_MAX)

    def offer(self, lines: Sequence[OpenLine]) -> list[int]:
        return self.off([open_line.left_minor for open_line in lines])

    def off(self, left: Sequence[int]) -> list[int]:
        """As ``offer``, of nothing but what is left of the lines."""
        return allocated(min(self.off_minor, sum(left)), left)

    @property
    def value_minor(self) -> int | None:
        return self.off_minor

    @property
    def percent_bp(self) -> int | None:
        return None


@dataclass(frozen=True, slots=True)
class PercentageOff:
    """A percentage off the covered lines, rounded down once for the whole reward.

    ``rate_bp`` in basis points (1 % = 100); ``off_minor_max`` caps the sum, None for no cap.
    """

    kind: ClassVar[str] = "percentage_off"
    may_cut: ClassVar[bool] = True
    shrinks: ClassVar[bool] = True

    rate_bp: int
    off_minor_max: int | None = None

    def validate(self) -> Iterator[str]:
        yield from _out_of_range("rate_bp", self.rate_bp, 10_000)
        if self.off_minor_max is not None:
            yield from _out_of_range("off_minor_max", self.off_minor_max, AMOUNT_MINOR_MAX)

    def offer(self, lines: Sequence[OpenLine]) -> list[int]:
        return self.off([open_line.left_minor for open_line in lines])

    def off(self, left: Sequence[int]) -> list[int]:
        """As ``offer``, of nothing but what is left of the lines."""
        off = sum(left) * self.rate_bp // 10_000
        if self.off_minor_max is not None:
            off = min(off, self.off_minor_max)
        return allocated(off, left)

    @property
    def value_minor(self) -> int | None:
        return None

    @property
    def percent_bp(self) -> int | None:
        return self.rate_bp


@dataclass(frozen=True, slots=True)
class FreeProduct:
    """``quantity`` pieces of certain products, free where they are in the cart.

    The dearest pieces by their price before discounts, of one price those of the earlier
    line; each counts at what is left of it, rounded down for the line.
    """

    kind: ClassVar[str] = "free_product"
    may_cut: ClassVar[bool] = False
    shrinks: ClassVar[bool] = True

    any_of: tuple[str, ...]
    quantity: int = 1

    def validate(self) -> Iterator[str]:
        if not self.any_of:
            yield "any_of: found an empty list, wanted at least one"
        yield from _out_of_range("quantity", self.quantity, 1_000_000)

    def offer(self, lines: Sequence[OpenLine]) -> list[int]:
        parts, open_pieces = [0] * len(lines), self.quantity
        for index in sorted(range(len(lines)), key=lambda i: (-lines[i].line.unit_minor, i)):
            line, left_minor = lines[index]
            pieces = min(open_pieces, line.quantity)
            parts[index] = left_minor * pieces // line.quantity
            open_pieces -= pieces
        return parts

    @property
    def products(self) -> tuple[str, ...]:
        return self.any_of

    @property
    def value_minor(self) -> int | None:
        return None

    @property
    def percent_bp(self) -> int | None:
        return None


@dataclass(frozen=True, slots=True)
class FreeShipping:
    """Shipping for nothing, or ``off_minor_max`` off it at most."""

    kind: ClassVar[str] = "free_shipping"
    may_cut: ClassVar[bool] = True
    on_shipping: ClassVar[bool] = True
    shrinks: ClassVar[bool] = True

    off_minor_max: int | None = None

    def validate(self) -> Iterator[str]:
        if self.off_minor_max is not None:
            yield from _out_of_range("off_minor_max", self.off_minor_max, AMOUNT_MINOR_MAX)

    def offer(self, lines: Sequence[OpenLine]) -> list[int]:
        most = self.off_minor_max
        return [left if most is None else min(left, most) for _, left in lines]

    @property
    def value_minor(self) -> int | None:
        return self.off_minor_max

    @property
    def percent_bp(self) -> int | None:
        return None


def _out_of_range(name: str, value: int, high: int) -> Iterator[str]:
    if not 1 <= value <= high:
        yield f"{name}: found {value}, wanted a whole number from 1 to {high}"


BUILT_IN: tuple[type[RewardKind], ...] = (MoneyOff, PercentageOff, FreeProduct, FreeShipping)
