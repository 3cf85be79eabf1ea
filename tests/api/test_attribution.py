"""What orders owe to recommendations, told by the merchant's figures."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from api_shop import START, ApiShop, Caller, Program, eur

from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.services.books.door import outcome_of
from loyalty.services.orders.orders import BookOrder
from loyalty.storage import recommendation_events as events_sql
from loyalty.storage.statements import Sql, Unit

pytestmark = pytest.mark.anyio

EVENTS = Sql("SELECT count(*) FROM recommendation_event WHERE tenant_id = $1")
SALES = Sql(
    """SELECT o.external_id, s.product, s.touch, s.window_code, s.quantity, s.sales_minor
         FROM recommendation_sale s
         JOIN shop_order o ON o.tenant_id = s.tenant_id AND o.id = s.order_id
        WHERE s.tenant_id = $1 ORDER BY o.external_id, s.product"""
)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Shown:
    """A shop whose two products are recommended, and what its shoppers do with them."""

    def __init__(self, shop: ApiShop, program: Program) -> None:
        self.shop = shop
        self.program = program

    async def answer(self, member: str | None = "ann", window: str = "TRENDING") -> str:
        """An answer's id, for a member or a guest."""
        asked = {} if member is None else {"member": member}
        shown = await self.program.till.run("recommendations", window=window, **asked)
        assert [item["product"]["externalId"] for item in shown["items"]] == ["mug", "tea"]
        id: str = shown["recommendationId"]
        return id

    async def report(self, id: str, type: str, product: str = "tea", **more: Any) -> None:
        event = {"recommendationId": id, "type": type, "product": product, **more}
        told = await self.program.till.run("recommendation_events", input={"events": [event]})
        assert told["userErrors"] == [], told

    async def buys(
        self, order: str, *bought: tuple[str, int, int], member: str | None = "ann",
        at: datetime | None = None,
    ) -> None:  # fmt: skip
        """A paid order; product, quantity and minor units of each line."""
        lines = tuple(OrderLine(*each) for each in bought or (("tea", 1, 1_000),))
        paid = PaidOrder(order, member, "EUR", lines, at or self.shop.clock.now())
        command = BookOrder(self.program.tenant_id, paid, "test")
        outcome_of(await self.shop.services.door.submit(command))

    async def refund(self, order: str, refund: str, *lines: dict[str, Any]) -> None:
        asked = {"idempotencyKey": refund, "orderExternalId": order, "refundExternalId": refund}
        if lines:
            asked["lines"] = list(lines)  # type: ignore[assignment]
        told = await self.program.till.run("order_refund", input=asked)
        assert told["userErrors"] == [], told

    def later(self, span: timedelta) -> None:
        self.shop.clock.advance(span)

    async def attributed(self) -> list[Any]:
        """Order, product, touch, window, pieces and minor units of each sale, after a run."""
        await self.shop.services.feedback.attribution.due(self.program.tenant_id)
        return await self.shop.database.read(SALES(self.program.tenant_id))

    async def figures(self, caller: Caller | None = None) -> Any:
        found = await (caller or self.program.merchant).data(
            """{recommendationFigures(from: "2026-01-01", until: "2027-01-01") {nodes {
                 window modelId variant impressions clicks carts purchases
                 clickRate cartRate purchaseRate sales {amount currencyCode}}}}"""
        )
        return found["recommendationFigures"]["nodes"]


@pytest.fixture
async def shown(shop: ApiShop, program: Program) -> Shown:
    made = Shown(shop, program)
    await program.stock(program.product("tea"), program.product("mug"))
    await program.enrol("ann")
    for number, product in enumerate(("tea", "mug", "mug")):
        await made.buys(f"seed-{number}", (product, 1, 1_000), member=None)
    made.later(HOUR)
    return made


async def test_from_what_was_shown_to_what_was_bought(shown: Shown) -> None:
    id = await shown.answer()
    for type, product in (("IMPRESSION", "tea"), ("IMPRESSION", "mug"), ("CLICK", "tea")):
        await shown.report(id, type, product)
    shown.later(HOUR)
    await shown.buys("o-1", ("tea", 2, 2_500), ("pot", 1, 9_000))

    assert await shown.attributed() == [("o-1", "tea", "CLICK", "TRENDING", 2, 2_500)]

    assert await shown.figures() == [
        {
            "window": "TRENDING", "modelId": None, "variant": None, "impressions": 2, "clicks": 1,
            "carts": 0, "purchases": 1, "clickRate": "0.500000", "cartRate": "0.000000",
            "purchaseRate": "0.500000", "sales": [{"amount": "25.00", "currencyCode": "EUR"}],
        }
    ]  # fmt: skip


async def test_it_does_not_matter_which_is_known_first(shown: Shown) -> None:
    """The order, its refund, a run, and only then the event that the shop's app kept for a day."""
    id = await shown.answer()
    clicked_at = shown.shop.clock.now() + MINUTE
    shown.later(HOUR)
    await shown.buys("o-1", ("tea", 2, 2_000))
    await shown.refund("o-1", "r-1", {"line": "1", "quantity": 1})
    before = await shown.attributed()
    shown.later(DAY)
    await shown.report(id, "CLICK", occurredAt=clicked_at.isoformat().replace("+00:00", "Z"))

    assert before == []
    assert await shown.attributed() == [("o-1", "tea", "CLICK", "TRENDING", 1, 1_000)]


@pytest.mark.parametrize(
    ("type", "later", "is_owed"),
    [
        ("IMPRESSION", DAY - MINUTE, True),
        ("IMPRESSION", DAY, False),
        ("CLICK", 7 * DAY - MINUTE, True),
        ("CLICK", 7 * DAY, False),
        ("CART", 7 * DAY - MINUTE, True),
    ],
)
async def test_a_purchase_is_owed_for_a_while(
    shown: Shown, type: str, later: timedelta, is_owed: bool
) -> None:
    await shown.report(await shown.answer(), type)
    shown.later(later)
    await shown.buys("o-1")

    found = await shown.attributed()

    assert found == ([("o-1", "tea", type, "TRENDING", 1, 1_000)] if is_owed else [])


async def test_what_was_bought_before_is_owed_to_nothing(shown: Shown) -> None:
    await shown.buys("o-1")
    shown.later(MINUTE)
    await shown.report(await shown.answer(), "CLICK")

    assert await shown.attributed() == []


async def test_the_last_thing_done_gets_it_and_what_was_only_seen_does_not(shown: Shown) -> None:
    ids = [await shown.answer(window=window) for window in ("TRENDING", "FOR_YOU", "BUY_AGAIN")]
    for id, type in zip(ids, ("CLICK", "CART", "IMPRESSION"), strict=True):
        shown.later(MINUTE)
        await shown.report(id, type)
    await shown.buys("o-1")

    assert await shown.attributed() == [("o-1", "tea", "CART", "FOR_YOU", 1, 1_000)]


async def test_refunds_take_sales_away(shown: Shown) -> None:
    await shown.report(await shown.answer(), "CLICK")
    await shown.buys("o-1", ("tea", 4, 4_000))
    steps = [await shown.attributed()]
    for number, line in enumerate(({"quantity": 1}, {"amount": eur("5.00")}, {})):
        shown.later(30 * DAY)
        await shown.refund("o-1", f"r-{number}", {"line": "1", **line})
        steps.append(await shown.attributed())

    assert [each[0][-2:] for each in steps] == [(4, 4_000), (3, 3_000), (3, 2_500), (0, 0)]
    (figures,) = await shown.figures()
    assert (figures["purchases"], figures["sales"]) == (0, [])


async def test_a_refund_that_moves_no_points_takes_sales_away(shown: Shown) -> None:
    await shown.report(await shown.answer(), "CLICK")
    await shown.buys("o-1", ("tea", 2, 40))
    shown.later(HOUR)
    steps = [await shown.attributed()]
    shown.later(HOUR)
    await shown.refund("o-1", "r-1", {"line": "1", "quantity": 1})
    steps.append(await shown.attributed())

    assert [each[0][-2:] for each in steps] == [(2, 40), (1, 20)]


@pytest.mark.parametrize("member", [None, "bob"])
async def test_nobody_without_consent_is_followed(shown: Shown, member: str | None) -> None:
    if member is not None:
        bob = await shown.program.shopper(member)
        await bob.run("member_enrol", input={"idempotencyKey": "e", "externalId": member})
    await shown.report(await shown.answer(member), "CLICK")
    await shown.buys("o-1", member=member)

    assert await shown.attributed() == []
    assert (await shown.figures())[0]["clicks"] == 1


async def test_consent_taken_back_ends_it(shown: Shown) -> None:
    await shown.report(await shown.answer(), "CLICK")
    ann = await shown.program.shopper("ann")
    await ann.run("member_update", input={"consents": {"profiling": False}})
    await ann.run("member_update", input={"consents": {"profiling": True}})
    await shown.buys("o-1")

    assert await shown.attributed() == []


async def test_a_guest_that_becomes_a_member_without_consent_is_followed_no_more(
    shown: Shown,
) -> None:
    await shown.buys("o-0", ("pot", 1, 1_000), member="gus")
    await shown.program.till.run(
        "member_update", input={"externalId": "gus", "consents": {"profiling": True}}
    )
    await shown.report(await shown.answer("gus"), "CLICK")
    enrolled = {"idempotencyKey": "e", "externalId": "gus", "consents": {"profiling": False}}
    await shown.program.till.run("member_enrol", input=enrolled)
    shown.later(HOUR)

    await shown.buys("o-1", member="gus")

    assert await shown.attributed() == []


async def test_what_was_merged_into_one_who_did_not_agree_is_followed_no_more(
    shown: Shown,
) -> None:
    await shown.program.enrol("eve")
    eve = await shown.program.shopper("eve")
    await eve.run("member_update", input={"consents": {"profiling": False}})
    await shown.report(await shown.answer(), "CLICK")
    await shown.program.till.run(
        "member_merge", input={"idempotencyKey": "m", "source": "ann", "target": "eve"}
    )
    shown.later(HOUR)

    await shown.buys("o-1", member="eve")

    assert await shown.attributed() == []
    named = Sql("SELECT count(*) FROM recommendation_event WHERE member_id IS NOT NULL")
    assert await shown.shop.database.read(named()) == [(0,)]


async def test_a_guest_that_was_merged_takes_what_it_did_along(shown: Shown) -> None:
    await shown.program.enrol("gus")
    await shown.report(await shown.answer("gus"), "CLICK")
    await shown.program.till.run(
        "member_merge", input={"idempotencyKey": "m", "source": "gus", "target": "ann"}
    )
    await shown.buys("o-1")

    assert await shown.attributed() == [("o-1", "tea", "CLICK", "TRENDING", 1, 1_000)]


async def test_sales_stay_when_the_member_is_erased(shown: Shown) -> None:
    await shown.report(await shown.answer(), "CLICK")
    await shown.buys("o-1")
    before = await shown.attributed(), await shown.figures()
    erase = "mutation($input:MemberEraseInput!){memberErase(input:$input){userErrors{code}}}"
    await shown.program.merchant.data(
        erase, {"input": {"idempotencyKey": "e", "externalId": "ann"}}
    )
    shown.later(DAY)
    await shown.refund("o-1", "r-1", {"line": "1", "amount": eur("4.00")})

    assert await shown.shop.database.read(EVENTS(shown.program.tenant_id)) == [(0,)]
    assert before[0] == [("o-1", "tea", "CLICK", "TRENDING", 1, 1_000)]
    assert await shown.attributed() == [("o-1", "tea", "CLICK", "TRENDING", 1, 600)]


async def test_counts_and_sales_stay_when_events_are_purged(shown: Shown) -> None:
    await shown.report(await shown.answer(), "CLICK")
    await shown.buys("o-1")
    await shown.attributed()
    before = await shown.figures()
    purging, tenant_id = shown.shop.services.purging, shown.program.tenant_id
    purged = [await purging.events_due(tenant_id)]
    shown.later(91 * DAY)
    purged.append(await purging.events_due(tenant_id))

    assert purged == [0, 1]
    assert await shown.attributed() == [("o-1", "tea", "CLICK", "TRENDING", 1, 1_000)]
    assert await shown.figures() == before
    await shown.refund("o-1", "r-1")
    assert await shown.attributed() == [("o-1", "tea", "CLICK", "TRENDING", 0, 0)]


async def test_a_product_that_a_change_added_is_owed_too(shown: Shown) -> None:
    await shown.report(await shown.answer(), "CART", "mug")
    await shown.buys("o-1", ("pot", 1, 1_000))
    shown.later(HOUR)
    assert await shown.attributed() == []
    shown.later(HOUR)
    told = await shown.program.till.run(
        "order_edit",
        input={
            "idempotencyKey": "e", "orderExternalId": "o-1", "editExternalId": "e-1",
            "lines": [
                {"id": "1", "product": "pot", "quantity": 1, "amount": eur("10.00")},
                {"id": "2", "product": "mug", "quantity": 1, "amount": eur("7.00")},
            ],
        },
    )  # fmt: skip
    assert told["userErrors"] == []

    assert await shown.attributed() == [("o-1", "mug", "CART", "TRENDING", 1, 700)]


async def test_runs_at_once_find_it_once(shown: Shown) -> None:
    await shown.report(await shown.answer(), "CLICK")
    for number in range(5):
        await shown.buys(f"o-{number}")
    due = shown.shop.services.feedback.attribution.due

    await asyncio.gather(*(due(shown.program.tenant_id) for _ in range(4)))

    assert len(await shown.attributed()) == 5
    assert await due(shown.program.tenant_id) == 0


async def test_each_program_has_its_own(shown: Shown, other_program: Program) -> None:
    other = Shown(shown.shop, other_program)
    await other.program.enrol("ann")
    await shown.report(await shown.answer(), "CLICK")
    await shown.buys("o-1")
    await other.buys("o-1")

    assert await other.attributed() == []
    assert await other.figures() == []
    assert len(await shown.attributed()) == 1


@pytest.mark.parametrize("days", [("2026-03-01", "2026-03-01"), ("2026-01-01", "2029-01-01")])
async def test_a_span_has_its_bounds(shown: Shown, days: tuple[str, str]) -> None:
    document: Callable[..., Any] = shown.program.merchant.ask

    answer = await document(
        "query($from:Date!,$until:Date!){recommendationFigures(from:$from,until:$until)"
        "{nodes{window}}}",
        {"from": days[0], "until": days[1]},
    )

    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_days_are_the_programs_and_end_before_the_last(shown: Shown) -> None:
    """Half past eleven at night in UTC is the next day in Budapest."""
    shown.later(datetime(2026, 3, 1, 23, 30, tzinfo=START.tzinfo) - shown.shop.clock.now())
    await shown.report(await shown.answer(), "CLICK")
    await shown.buys("o-1")
    await shown.attributed()

    async def counted(first: str, until: str) -> list[tuple[int, int]]:
        found = await shown.program.merchant.data(
            "query($from:Date!,$until:Date!){recommendationFigures(from:$from,until:$until)"
            "{nodes{clicks purchases}}}",
            {"from": first, "until": until},
        )
        nodes = found["recommendationFigures"]["nodes"]
        return [(node["clicks"], node["purchases"]) for node in nodes]

    assert await counted("2026-03-01", "2026-03-02") == []
    assert await counted("2026-03-02", "2026-03-03") == [(1, 1)]


async def test_an_event_that_was_on_its_way_when_its_member_was_erased_goes(shown: Shown) -> None:
    tenant_id, database = shown.program.tenant_id, shown.shop.database
    ids = await database.read(
        Sql("SELECT id FROM member WHERE tenant_id = $1 AND external_id = 'ann'")(tenant_id)
    )
    erase = "mutation($input:MemberEraseInput!){memberErase(input:$input){userErrors{code}}}"
    await shown.program.merchant.data(
        erase, {"input": {"idempotencyKey": "e", "externalId": "ann"}}
    )
    row = dict.fromkeys(events_sql.EVENT_COLUMNS, 1) | {
        "tenant_id": tenant_id, "member_id": ids[0][0], "type": "CLICK", "experiment_id": None,
        "id": database.ids.next(), "product": "tea", "window_code": "CART", "model": "",
        "variant": "",
    }  # fmt: skip

    def unit() -> Unit[None]:
        yield events_sql.ADD_EVENTS(json.dumps([row]))

    await database.write(unit)

    assert await shown.shop.services.purging.events_due(tenant_id) == 1
    assert await database.read(EVENTS(tenant_id)) == [(0,)]


async def say(
    shown: Shown, id: str, order: str = "o-1", caller: Caller | None = None, **more: Any
) -> tuple[int, list[Any]]:
    """Have the shop say that an order has tea of an answer: how many were new, and refusals."""
    event = {"recommendationId": id, "type": "PURCHASE", "product": "tea", "order": order, **more}
    told = await (caller or shown.program.till).run(
        "recommendation_events", input={"events": [event]}
    )
    return told["recorded"], [(each["code"], each["field"][-1]) for each in told["userErrors"]]


@pytest.mark.parametrize("is_first", [True, False])
async def test_the_shop_says_what_a_guest_bought(shown: Shown, is_first: bool) -> None:
    id = await shown.answer(None, window="FOR_YOU")
    steps = [lambda: say(shown, id), lambda: shown.buys("o-1", ("tea", 2, 900), member=None)]
    for step in steps if is_first else reversed(steps):
        await step()
        await shown.attributed()
        shown.later(DAY)

    assert await shown.attributed() == [("o-1", "tea", "CART", "FOR_YOU", 2, 900)]
    await shown.refund("o-1", "r-1", {"line": "1", "quantity": 1})
    assert await shown.attributed() == [("o-1", "tea", "CART", "FOR_YOU", 1, 450)]
    (figures,) = await shown.figures()
    assert (figures["window"], figures["carts"], figures["purchases"]) == ("FOR_YOU", 0, 1)


async def test_the_shops_first_word_counts_and_goes_before_what_is_found(shown: Shown) -> None:
    ids = [await shown.answer(window=window) for window in ("FOR_YOU", "BUY_AGAIN", "TRENDING")]
    told = [await say(shown, id) for id in ids[:2]]
    shown.later(MINUTE)
    await shown.report(ids[2], "CLICK")
    await shown.buys("o-1")

    assert told == [(1, []), (0, [])]
    assert await shown.attributed() == [("o-1", "tea", "CART", "FOR_YOU", 1, 1_000)]
    assert await shown.attributed() == [("o-1", "tea", "CART", "FOR_YOU", 1, 1_000)]


async def test_who_is_not_believed_about_orders(shown: Shown, other_program: Program) -> None:
    id = await shown.answer(None)
    ann, bad = await shown.program.shopper("ann"), "BAD_USER_INPUT"
    await shown.buys("o-1", member=None)

    for caller in (ann, shown.program.anonymous):
        assert await say(shown, id, caller=caller) == (0, [(bad, "type")])
    assert await say(shown, id, caller=other_program.till) == (
        0,
        [("NOT_FOUND", "recommendationId")],
    )
    assert await say(shown, id, order=None) == (0, [(bad, "order")])  # type: ignore[arg-type]
    assert await say(shown, id, type="CLICK") == (0, [(bad, "order")])
    assert await say(shown, id, order="unheard-of") == (1, [])
    assert await shown.attributed() == []


async def test_of_whom_nothing_is_said(shown: Shown) -> None:
    """A member without consent, and a product that the order has not."""
    bob = await shown.program.shopper("bob")
    await bob.run("member_enrol", input={"idempotencyKey": "e", "externalId": "bob"})
    await shown.buys("o-1", member="bob")
    await shown.buys("o-2", ("mug", 1, 500), member=None)
    for order in ("o-1", "o-2"):
        assert await say(shown, await shown.answer(None), order) == (1, [])

    assert await shown.attributed() == []


async def test_what_the_shop_said_goes_with_the_events(shown: Shown) -> None:
    await say(shown, await shown.answer(None))
    await shown.buys("o-1", member=None)
    before = await shown.attributed()
    shown.later(91 * DAY)

    assert await shown.shop.services.purging.events_due(shown.program.tenant_id) == 1
    assert await shown.attributed() == before != []
