"""What shoppers did with recommendations: shown, clicked, put into the cart.

An event names an answer by its id, which says everything else. Each (answer, type, product) counts
once, whoever reports it again. The member is kept with it only with consent to profiling; the
counts are kept for everybody. What was bought orders tell (``attribution``); a service that knows
better, such as of a guest, says which product of which order was recommended.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

import orjson

from loyalty.clock import Clock
from loyalty.domain.books.ledger import micros
from loyalty.domain.calendar import day_of
from loyalty.errors import BadInput, LoyaltyError, NotFound
from loyalty.services.recommendations.recommendation_id import Answered, RecommendationIds
from loyalty.services.rulesets import Rulesets
from loyalty.storage import recommendation_events as sql
from loyalty.storage.database import Database
from loyalty.storage.statements import Unit

EVENTS_MAX: Final = 80
"""Events of one report at most: as many as a request of 64 KB holds, with the longest ids of plain
letters."""
ANSWER_AGE_MAX: Final = timedelta(days=30)
"""An answer that was given longer ago is known no more. Events are kept for longer than this, so
that a repeat is always found out."""
SKEW: Final = timedelta(minutes=5)
"""How far a caller's clock may be from ours."""
POSITION_MAX: Final = 10_000

Row = dict[str, Any]


class EventType(StrEnum):
    """What was done with a product of an answer."""

    IMPRESSION = "IMPRESSION"
    CLICK = "CLICK"
    CART = "CART"
    PURCHASE = "PURCHASE"


COUNTED: Final = (EventType.IMPRESSION, EventType.CLICK, EventType.CART)
"""In the order of the columns of ``recommendation_day``."""


@dataclass(frozen=True, slots=True)
class Reported:
    """One event as a caller reports it.

    ``position``: where it was shown, from 1, if not where the answer had it; ``occurred_at``: now
    by default; ``order``: of a purchase, the shop's id of the order.
    """

    recommendation_id: str
    type: EventType
    product: str
    position: int | None = None
    occurred_at: datetime | None = None
    order: str | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of a report: how many events are new, how many were known, which were refused.

    ``refused`` are by the event's place in the report.
    """

    recorded: int
    repeated: int
    refused: Mapping[int, LoyaltyError]


class _Person(NamedTuple):
    """A member at this moment. ``is_kept``: whether events may name it."""

    id: int
    is_erased: bool
    is_kept: bool


@dataclass(frozen=True, slots=True)
class _People:
    """Members by row id and the caller itself, None for a caller who is no member."""

    by_id: Mapping[int, _Person]
    caller: _Person | None
    experiments: frozenset[int] = field(default_factory=frozenset)


class RecommendationEvents:
    """Books events."""

    def __init__(
        self, database: Database, rulesets: Rulesets, clock: Clock, ids: RecommendationIds
    ) -> None:
        self._database = database
        self._rulesets = rulesets
        self._clock = clock
        self._ids = ids

    async def record(
        self,
        tenant_id: int,
        reported: Sequence[Reported],
        *,
        is_shopper: bool = False,
        shopper: str | None = None,
        may_tell_orders: bool = False,
    ) -> Recorded:
        """Book what is new of a report; one bad event does not keep the others out.

        Args:
            is_shopper: whether the caller speaks for itself alone; then an id that was made for
                somebody else is missing.
            shopper: the caller's external id.
            may_tell_orders: whether the caller may say what an order has of a recommendation.

        Raises:
            BadInput: no events, or too many.
        """
        if not 1 <= len(reported) <= EVENTS_MAX:
            raise BadInput(
                f"found {len(reported)} events, wanted 1 to {EVENTS_MAX}", field=("events",)
            )
        now = self._clock.now()
        refused: dict[int, LoyaltyError] = {}
        answers: dict[int, Answered] = {}
        for at, each in enumerate(reported):
            try:
                answers[at] = self._ids.read(tenant_id, each.recommendation_id)
            except NotFound as missing:
                refused[at] = missing
        people = await self._people(tenant_id, answers.values(), shopper)
        zone = await self._rulesets.time_zone(tenant_id)
        rows: dict[tuple[int, str, str], Row] = {}
        days: dict[tuple[int, str, str], str] = {}
        bought: dict[tuple[str, str], Row] = {}
        for at, answered in answers.items():
            event = reported[at]
            try:
                _check_order(event, may_tell_orders=may_tell_orders)
                row = _row(event, answered, people, now, is_shopper=is_shopper)
            except LoyaltyError as refusal:
                refused[at] = refusal
                continue
            row["tenant_id"] = tenant_id
            if event.order is not None:
                bought.setdefault((event.order, event.product), _purchase(row, event, answered))
                continue
            key = (row["recommendation"], row["type"], row["product"])
            if key not in rows:
                rows[key] = row
                days[key] = day_of(row["occurred_at"], zone).isoformat()
        recorded = await self._booked(tenant_id, rows, days) if rows else 0
        recorded += await self._booked_purchases(bought) if bought else 0
        return Recorded(recorded, len(reported) - len(refused) - recorded, refused)

    async def _booked_purchases(self, bought: Mapping[tuple[str, str], Row]) -> int:
        """Book what orders have of recommendations; returns how many were new."""
        ordered = sorted(bought)
        ids = self._database.ids.take(len(ordered))
        rows = [
            {name: _plain((bought[key] | {"id": id})[name]) for name in sql.PURCHASE_COLUMNS}
            for key, id in zip(ordered, ids, strict=True)
        ]

        def unit() -> Unit[int]:
            return len((yield sql.ADD_PURCHASES(_json(rows))))

        return await self._database.write(unit)

    async def _people(
        self, tenant_id: int, answers: Iterable[Answered], shopper: str | None
    ) -> _People:
        found = list(answers)
        members = sorted({each.member_id for each in found if each.member_id is not None})
        trials = sorted({each.experiment_id for each in found if each.experiment_id is not None})
        by_id, named, running = await self._database.read_at_once(
            sql.MEMBERS(tenant_id, members),
            sql.MEMBER_NAMED(tenant_id, shopper or ""),
            sql.EXPERIMENTS(tenant_id, trials),
        )
        return _People(
            {id: _person(*row) for id, *row in by_id},
            _person(*named[0][1:]) if named else None,
            frozenset(id for (id,) in running),
        )

    async def _booked(
        self,
        tenant_id: int,
        rows: Mapping[tuple[int, str, str], Row],
        days: Mapping[tuple[int, str, str], str],
    ) -> int:
        """Book rows by key; returns how many were new."""
        take = self._database.ids.take
        # In order, so that two reports of the same events wait for each other, never in a ring.
        ordered = sorted(rows)
        events = [
            {name: _plain((rows[key] | {"id": id})[name]) for name in sql.EVENT_COLUMNS}
            for key, id in zip(ordered, take(len(ordered)), strict=True)
        ]

        def unit() -> Unit[int]:
            added = yield sql.ADD_EVENTS(_json(events))
            keys = [(number, type_, product) for number, type_, product in added]
            met = _met(tenant_id, [rows[key] for key in sorted(keys)])
            if met:
                for row, id in zip(met, take(len(met)), strict=True):
                    row["id"] = id
                yield sql.ADD_EXPERIMENT_MEMBERS(_json(met))
            # The rows that everybody counts on come last, so that nobody waits for long.
            counts = Counter((*_counter(rows[key], days[key]), rows[key]["type"]) for key in keys)
            for counter in sorted({of[:-1] for of in counts}):
                numbers = [counts[(*counter, type_)] for type_ in COUNTED]
                yield sql.ADD_COUNTS(take(1)[0], tenant_id, *counter, *numbers)
            return len(keys)

        return await self._database.write(unit)


def _row(
    event: Reported, answered: Answered, people: _People, now: datetime, *, is_shopper: bool
) -> Row:
    """The event's row, but for its id and tenant.

    Raises:
        NotFound: the answer is too old, or another's; or the product was not in it.
        BadInput: a time or a place that cannot be.
    """
    person = _for_whom(answered, people, is_shopper=is_shopper)
    if not answered.at - SKEW <= now <= answered.at + ANSWER_AGE_MAX:
        raise NotFound("recommendation", field=("recommendationId",))
    position = answered.position(event.product)
    if position is None:
        raise NotFound("product of that recommendation", event.product, field=("product",))
    if event.position is not None:
        if not 1 <= event.position <= POSITION_MAX:
            raise BadInput(
                f"found position {event.position}, wanted 1 to {POSITION_MAX}", field=("position",)
            )
        position = event.position
    # Of whom an experiment is: a guest who signed in since was nobody's variant.
    is_trial = answered.member_id is not None and answered.experiment_id in people.experiments
    return {
        "recommendation": answered.number,
        "type": event.type.value,
        "product": event.product,
        "position": position,
        "window_code": answered.window,
        "model": answered.model or "",
        "variant": answered.variant or "",
        "experiment_id": answered.experiment_id if is_trial else None,
        "member_id": person.id if person is not None and person.is_kept else None,
        "occurred_at": _moment(event, answered, now),
        "booked_at": now,
    }


def _check_order(event: Reported, *, may_tell_orders: bool) -> None:
    """Raises BadInput: a purchase without its order or by whom is not believed, or the reverse."""
    is_purchase = event.type is EventType.PURCHASE
    if is_purchase and not may_tell_orders:
        raise BadInput("found a PURCHASE, wanted a service to say so", field=("type",))
    if is_purchase != (event.order is not None):
        found = "no order" if is_purchase else "an order"
        wanted = "one with a PURCHASE, and with nothing else"
        raise BadInput(f"found {found}, wanted {wanted}", field=("order",))


def _purchase(row: Row, event: Reported, answered: Answered) -> Row:
    return row | {"order_external_id": event.order, "answered_at": answered.at}


def _for_whom(answered: Answered, people: _People, *, is_shopper: bool) -> _Person | None:
    """The member whose event it is: the answer's, or the shopper who got it as a guest.

    Raises:
        NotFound: it was made for somebody else, or for somebody who was erased.
    """
    missing = NotFound("recommendation", field=("recommendationId",))
    if answered.member_id is None:
        return people.caller
    person = people.by_id.get(answered.member_id)
    if person is None or person.is_erased:
        raise missing
    if is_shopper and (people.caller is None or people.caller.id != person.id):
        raise missing
    return person


def _moment(event: Reported, answered: Answered, now: datetime) -> datetime:
    at = event.occurred_at
    if at is None:
        return now
    if not answered.at - SKEW <= at <= now + SKEW:
        raise BadInput(
            f"found occurredAt {at.isoformat()}, wanted a moment since the recommendation "
            f"({answered.at.isoformat()}) and not after now ({now.isoformat()})",
            field=("occurredAt",),
        )
    return min(max(at, answered.at), now)


def _person(id: int, state: str, consents: object) -> _Person:
    return _Person(id, state == "ERASED", bool(consents) and state not in ("CLOSED", "ERASED"))


def _counter(row: Mapping[str, Any], day: str) -> tuple[str, str, str, str]:
    return day, row["window_code"], row["model"], row["variant"]


def _met(tenant_id: int, rows: Sequence[Row]) -> list[Row]:
    """Who was shown something in which experiment, each once."""
    met: dict[tuple[int, int], Row] = {}
    for row in rows:
        if row["experiment_id"] is not None and row["member_id"] is not None:
            met.setdefault(
                (row["experiment_id"], row["member_id"]),
                {
                    "tenant_id": tenant_id,
                    "experiment_id": row["experiment_id"],
                    "member_id": row["member_id"],
                    "variant": row["variant"],
                    "first_at": micros(row["occurred_at"]),
                },
            )
    return [met[key] for key in sorted(met)]


def _plain(value: Any) -> Any:
    return micros(value) if isinstance(value, datetime) else value


def _json(rows: Sequence[Mapping[str, Any]]) -> str:
    return orjson.dumps(rows).decode()
