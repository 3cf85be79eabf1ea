"""Reservations of a whole program, as merchants look through them."""

from dataclasses import dataclass
from datetime import datetime

import orjson

from loyalty.clock import Clock
from loyalty.domain.books.ledger import instant
from loyalty.domain.quotes.quote_codec import from_dict
from loyalty.services.checkout.reservations import state_at
from loyalty.storage import reservations as sql
from loyalty.storage.database import Database

LAST = 2**63 - 1
"""After every id."""


@dataclass(frozen=True, slots=True)
class ListedReservation:
    """A hold at the moment of the question, with what it holds; amounts in minor units.

    ``member`` None: a guest's. ``order`` None: it became none.
    """

    id: int
    cart_id: str
    state: str
    member: str | None
    order: str | None
    created_at: datetime
    expires_at: datetime
    points: int
    credit_minor: int
    gift_minor: int
    currency: str


class ReservationList:
    """Reads reservations of one tenant."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def listed(
        self,
        tenant_id: int,
        first: int,
        before_id: int = LAST,
        *,
        state: str | None = None,
        member: str | None = None,
    ) -> list[ListedReservation]:
        """The newest first, before the one of ``before_id``; states are by the clock."""
        now = self._clock.now()
        rows = await self._database.read(
            sql.LISTED(tenant_id, before_id, member, state, now, first)
        )
        return [_listed(dict(zip(sql.LISTED_COLUMNS, row, strict=True)), now) for row in rows]


def _listed(row: dict[str, object], now: datetime) -> ListedReservation:
    quote = from_dict(orjson.loads(str(row["quote"])))
    id, made, ends = row["id"], row["created_at"], row["expires_at"]
    assert isinstance(id, int)
    assert isinstance(made, int)
    assert isinstance(ends, int)
    member, order = row["member"], row["order"]
    return ListedReservation(
        id=id,
        cart_id=str(row["cart_id"]),
        state=state_at(row, now),
        member=None if member is None else str(member),
        order=None if order is None else str(order),
        created_at=instant(made),
        expires_at=instant(ends),
        points=sum(quote.points_needed.values()),
        credit_minor=quote.credit.minor if quote.credit else 0,
        gift_minor=sum(card.minor for card in quote.gift_cards),
        currency=quote.cart.currency,
    )
