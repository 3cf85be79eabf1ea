"""Conditions: when a rule or a reward applies.

A condition is a frozen dataclass whose fields are its settings in the ruleset. It answers
two questions: which lines it covers, and what is missing before it holds for a whole cart.
A condition about lines leaves ``unmet`` alone, one about the cart leaves ``covers`` alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol

from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.money import AMOUNT_MINOR_MAX
from loyalty.domain.reasons import Gap, NearestChange, Reason, Unmet


@dataclass(frozen=True, slots=True)
class Facts:
    """What a condition may look at: the cart, the member's tier, and the moment.

    ``tier_ranks`` orders the tiers of the ruleset, lowest first; ``tier`` is None for a
    guest. ``local`` is the moment in the program's time zone.
    """

    cart: Cart
    tier: str | None
    tier_ranks: tuple[str, ...]
    at: datetime
    local: datetime


class Condition(Protocol):
    """The form every kind of condition has.

    A kind may also have ``validate(self) -> Iterable[str]``: one line for each setting that makes
    no sense, as ``minor: found 0, wanted a whole number from 1 to 500``.
    """

    kind: ClassVar[str]

    def covers(self, line: CartLine) -> bool: ...

    def unmet(self, facts: Facts) -> Unmet | None: ...


@dataclass(frozen=True, slots=True)
class _Everything:
    """Covers every line and is always met: the default of both questions."""

    def covers(self, line: CartLine) -> bool:
        return True

    def unmet(self, facts: Facts) -> Unmet | None:
        return None


@dataclass(frozen=True, slots=True)
class CategoryIs(_Everything):
    """Lines of certain categories."""

    kind: ClassVar[str] = "category"

    any_of: tuple[str, ...]

    def covers(self, line: CartLine) -> bool:
        return line.category in self.any_of

    def validate(self) -> Iterator[str]:
        return _empty(self.any_of)


@dataclass(frozen=True, slots=True)
class DepartmentIs(_Everything):
    """Lines of certain departments, the level above categories."""

    kind: ClassVar[str] = "department"

    any_of: tuple[str, ...]

    def covers(self, line: CartLine) -> bool:
        return line.department in self.any_of

    def validate(self) -> Iterator[str]:
        return _empty(self.any_of)


@dataclass(frozen=True, slots=True)
class BrandIs(_Everything):
    """Lines of certain brands."""

    kind: ClassVar[str] = "brand"

    any_of: tuple[str, ...]

    def covers(self, line: CartLine) -> bool:
        return line.brand in self.any_of

    def validate(self) -> Iterator[str]:
        return _empty(self.any_of)


@dataclass(frozen=True, slots=True)
class ProductIs(_Everything):
    """Lines of certain products."""

    kind: ClassVar[str] = "product"

    any_of: tuple[str, ...]

    def covers(self, line: CartLine) -> bool:
        return line.product in self.any_of

    def validate(self) -> Iterator[str]:
        return _empty(self.any_of)


@dataclass(frozen=True, slots=True)
class MinimumPurchase(_Everything):
    """The cart's lines come to at least ``minor`` minor units, before discounts."""

    kind: ClassVar[str] = "minimum_purchase"

    minor: int

    def validate(self) -> Iterator[str]:
        if not 1 <= self.minor <= AMOUNT_MINOR_MAX:
            yield f"minor: found {self.minor}, wanted a whole number from 1 to {AMOUNT_MINOR_MAX}"

    def unmet(self, facts: Facts) -> Unmet | None:
        missing = self.minor - facts.cart.gross_minor
        if missing <= 0:
            return None
        return Unmet(
            Reason.MINIMUM_NOT_MET,
            Gap(money_minor=missing),
            NearestChange("ADD_TO_CART", money_minor=missing),
        )


@dataclass(frozen=True, slots=True)
class TierAtLeast(_Everything):
    """The member's tier is ``tier`` or above it."""

    kind: ClassVar[str] = "tier_at_least"

    tier: str

    def unmet(self, facts: Facts) -> Unmet | None:
        ranks: Sequence[str] = facts.tier_ranks
        if facts.tier is not None and ranks.index(facts.tier) >= ranks.index(self.tier):
            return None
        # No change of the cart makes a tier, so there is no nearest change.
        return Unmet(Reason.TIER_TOO_LOW, Gap(tier=self.tier), None)


def _empty(any_of: tuple[str, ...]) -> Iterator[str]:
    if not any_of:
        yield "any_of: found an empty list, wanted at least one"


BUILT_IN: tuple[type[Condition], ...] = (
    CategoryIs,
    DepartmentIs,
    BrandIs,
    ProductIs,
    MinimumPurchase,
    TierAtLeast,
)
