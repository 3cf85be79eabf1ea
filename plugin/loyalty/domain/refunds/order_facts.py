"""What an order was made of, as refunds look at it: kept with the order, never reckoned anew.

Amounts are minor units of the order's currency. Everything a refund gives back or takes back
is a part of what stands here, so nothing of it can come to more than the original (law 8).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from loyalty.domain.money import allocated

SHIPPING = ""
"""The id of shipping among an order's lines. No line has it."""


class RewardPart(NamedTuple):
    """What one reward took off one line."""

    code: str
    minor: int


class FactsLine(NamedTuple):
    """A line as it was paid: gross - the parts = net >= 0; what no tender paid was money.

    ``points_minor``, ``credit_minor`` and ``gift_minor`` are the shares of the net that
    points, credit and gift cards paid; together at most the net. ``quantity`` 0: it stands for
    no piece, as shipping does. ``tax_minor`` is the tax in (or on) the net.
    """

    id: str
    quantity: int
    gross_minor: int
    net_minor: int
    points_minor: int = 0
    credit_minor: int = 0
    gift_minor: int = 0
    tax_minor: int = 0
    parts: tuple[RewardPart, ...] = ()

    @property
    def money_minor(self) -> int:
        return self.net_minor - self.points_minor - self.credit_minor - self.gift_minor

    def part(self, code: str) -> int:
        """What the reward ``code`` took off this line."""
        return sum(part.minor for part in self.parts if part.code == code)


NO_SHIPPING = FactsLine(SHIPPING, 0, 0, 0)


class PricePaid(NamedTuple):
    """Points of one type that were paid for something."""

    point_type: str
    points: int


class UseTaken(NamedTuple):
    """A use of something several members share: a coupon's, or pieces of a reward's stock."""

    kind: str
    subject: str
    quantity: int


class RewardTaken(NamedTuple):
    """A reward that the order took, with what it cost and what comes back with it.

    ``minimum_minor`` is the purchase it wanted (before discounts), 0 for none.
    """

    code: str
    price: PricePaid | None = None
    minimum_minor: int = 0
    uses: tuple[UseTaken, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """An order's lines and shipping, the points that paid, and the rewards it took."""

    lines: tuple[FactsLine, ...]
    shipping: FactsLine = NO_SHIPPING
    tender: PricePaid | None = None
    rewards: tuple[RewardTaken, ...] = ()

    @property
    def all_lines(self) -> tuple[FactsLine, ...]:
        """The lines, and shipping after them."""
        return (*self.lines, self.shipping)


def with_shares(
    lines: Sequence[FactsLine], points_minor: int, credit_minor: int, gift_minor: int
) -> tuple[FactsLine, ...]:
    """The lines with what tender paid spread over them, in proportion to their nets.

    For orders that were paid otherwise than quoted. What exceeds the nets is left out: more
    than was charged cannot come back. Points first, then gift cards, then credit.
    """
    left = [line.net_minor for line in lines]
    shares: list[list[int]] = []
    for minor in (points_minor, gift_minor, credit_minor):
        part = allocated(min(minor, sum(left)), left)
        left = [whole - taken for whole, taken in zip(left, part, strict=True)]
        shares.append(part)
    return tuple(
        line._replace(points_minor=points, gift_minor=gift, credit_minor=credit)
        for line, points, gift, credit in zip(lines, *shares, strict=True)
    )


def facts_to_json(facts: OrderFacts) -> dict[str, Any]:
    """JSON-able values; ``facts_from_json`` reads them back. Part of the context's format 2."""
    tender = facts.tender
    return {
        "lines": [_line_to_json(line) for line in facts.lines],
        "shipping": _line_to_json(facts.shipping),
        "tender": None if tender is None else list(tender),
        "rewards": [
            [
                reward.code,
                None if reward.price is None else list(reward.price),
                reward.minimum_minor,
                [list(use) for use in reward.uses],
            ]
            for reward in facts.rewards
        ],
    }


def facts_from_json(value: dict[str, Any]) -> OrderFacts:
    tender = value["tender"]
    return OrderFacts(
        tuple(_line(line) for line in value["lines"]),
        _line(value["shipping"]),
        None if tender is None else PricePaid(*tender),
        tuple(
            RewardTaken(
                code,
                None if price is None else PricePaid(*price),
                minimum,
                tuple(UseTaken(*use) for use in uses),
            )
            for code, price, minimum, uses in value["rewards"]
        ),
    )


def _line_to_json(line: FactsLine) -> list[Any]:
    return [*line[:-1], [list(part) for part in line.parts]]


def _line(value: list[Any]) -> FactsLine:
    id, quantity, gross, net, points, credit, gift, tax, parts = value
    taken = tuple(RewardPart(*part) for part in parts)
    return FactsLine(id, quantity, gross, net, points, credit, gift, tax, taken)
