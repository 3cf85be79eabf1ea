"""A small shop whose habits are known: tea drinkers, coffee drinkers, and milk for everybody."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.domain.product import ProductFacts

TASTES = {
    "tea": ("tea-green", "tea-black", "tea-white", "honey"),
    "coffee": ("coffee-beans", "coffee-ground", "coffee-decaf", "sugar"),
}
MEMBERS = 16
VISITS = 12


class Visit(NamedTuple):
    """One paid order."""

    order: str
    member: str
    products: tuple[str, ...]
    at: datetime


def product(external_id: str, said_at: datetime, **fields: Any) -> ProductFacts:
    """A product called as its id."""
    given: dict[str, Any] = {
        "name": external_id.title(), "currency": "EUR", "price_minor": 100, "department": "DRINKS",
    }  # fmt: skip
    return ProductFacts(external_id=external_id, said_at=said_at, **given | fields)


def products(said_at: datetime) -> list[ProductFacts]:
    """Everything the shop sells."""
    names = [each for taste in TASTES.values() for each in taste]
    return [product(name, said_at) for name in [*names, "milk"]]


def visits(until: datetime) -> Iterator[Visit]:
    """Each member buys milk and two of three of its taste's four products, on twelve days.

    The fourth, ``missing``, is what a recommender should find.
    """
    for number in range(MEMBERS):
        member, own = bought_by(number)
        for visit in range(VISITS):
            at = until - timedelta(days=7 * (VISITS - visit), hours=number)
            basket = ("milk", own[visit % 3], own[(visit + 1) % 3])
            yield Visit(f"{member}-{visit}", member, basket, at)


def paid_order(visit: Visit) -> PaidOrder:
    """The visit as a shop reports it."""
    lines = tuple(OrderLine(each, 1, 100) for each in visit.products)
    return PaidOrder(visit.order, visit.member, "EUR", lines, visit.at)


def bought_by(number: int) -> tuple[str, list[str]]:
    """The member of that number, and its three products beside milk."""
    taste = "tea" if number % 2 else "coffee"
    own = [each for at, each in enumerate(TASTES[taste]) if at != number // 2 % 4]
    return f"{taste}-{number}", own


def missing(number: int) -> str:
    """The one product of its taste that the member never bought."""
    taste = TASTES["tea" if number % 2 else "coffee"]
    return taste[number // 2 % 4]
