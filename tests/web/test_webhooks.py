"""Stories of a shop's events: each counts once, whatever the order they come in."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from senders import customer, order, product, refund

pytestmark = pytest.mark.anyio

TAKEN = (200, {"result": "TAKEN"})
DUPLICATE = (200, {"result": "DUPLICATE"})


def answer(response) -> tuple[int, dict]:
    return response.status_code, response.json()


async def test_a_paid_order_earns_and_its_refund_takes_back(shop) -> None:
    now = shop.clock.now()

    joined = await shop.north.send("customer.changed", customer("c-1", now))
    paid = await shop.north.send("order.paid", order("o-1", "c-1", "30.00", now))
    earned = await shop.points(shop.north, "c-1")
    refunded = await shop.north.send("order.refunded", refund("r-1", "o-1", now))

    assert [answer(each) for each in (joined, paid, refunded)] == [TAKEN, TAKEN, TAKEN]
    assert (earned, await shop.points(shop.north, "c-1")) == (30, 0)


async def test_a_repeated_delivery_is_a_duplicate_and_does_nothing(shop) -> None:
    now = shop.clock.now()
    await shop.north.send("customer.changed", customer("c-1", now))
    bought = order("o-1", "c-1", "30.00", now)

    first = await shop.north.send("order.paid", bought, "d-1")
    again = await shop.north.send("order.paid", bought, "d-1")

    assert (answer(first), answer(again)) == (TAKEN, DUPLICATE)
    assert await shop.points(shop.north, "c-1") == 30


async def test_an_order_delivered_again_under_another_id_earns_once(shop) -> None:
    now = shop.clock.now()
    await shop.north.send("customer.changed", customer("c-1", now))
    bought = order("o-1", "c-1", "30.00", now)

    answers = [answer(await shop.north.send("order.paid", bought)) for _ in range(3)]

    assert answers == [TAKEN] * 3
    assert await shop.points(shop.north, "c-1") == 30


async def test_a_delivery_id_with_another_body_is_refused_and_moves_nothing(shop) -> None:
    now = shop.clock.now()
    await shop.north.send("customer.changed", customer("c-1", now))
    await shop.north.send("order.paid", order("o-1", "c-1", "30.00", now), "d-1")

    other = await shop.north.send("order.paid", order("o-2", "c-1", "50.00", now), "d-1")

    assert other.status_code == 409
    assert other.json()["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert await shop.points(shop.north, "c-1") == 30


async def test_a_delivery_id_with_an_event_of_another_type_is_refused_too(shop) -> None:
    now = shop.clock.now()
    await shop.north.send("order.paid", order("o-1", "c-1", "30.00", now), "d-1")

    other = await shop.north.send("order.refunded", refund("r-1", "o-1", now), "d-1")

    assert (other.status_code, other.json()["error"]["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert await shop.points(shop.north, "c-1") == 30


async def test_a_refund_before_its_order_ends_where_the_right_order_does(shop) -> None:
    now = shop.clock.now()
    for sender in (shop.north, shop.south):
        await sender.send("customer.changed", customer("c-1", now))
    events = [
        ("order.paid", order("o-1", "c-1", "30.00", now)),
        ("order.refunded", refund("r-1", "o-1", now + timedelta(minutes=1))),
    ]

    forwards = [answer(await shop.north.send(*event)) for event in events]
    backwards = [answer(await shop.south.send(*event)) for event in reversed(events)]

    assert (forwards, backwards) == ([TAKEN, TAKEN], [TAKEN, TAKEN])
    assert await shop.points(shop.north, "c-1") == await shop.points(shop.south, "c-1") == 0


async def test_a_customer_after_the_order_keeps_what_the_order_earned(shop) -> None:
    now = shop.clock.now()

    paid = await shop.north.send("order.paid", order("o-1", "c-1", "30.00", now))
    joined = await shop.north.send("customer.changed", customer("c-1", now, name="Ann"))

    assert (answer(paid), answer(joined)) == (TAKEN, TAKEN)
    tenant = await shop.services.tenants.named("north")
    member = await shop.services.summaries.exact(tenant.id, "c-1")
    assert (member.state, member.name, member.balance("points").available) == ("ACTIVE", "Ann", 30)


async def test_an_older_word_about_a_customer_does_not_replace_a_newer_one(shop) -> None:
    now = shop.clock.now()

    await shop.north.send("customer.changed", customer("c-1", now, name="Ann Newer"))
    earlier = now - timedelta(hours=1)
    late = await shop.north.send("customer.changed", customer("c-1", earlier, name="Ann Older"))

    tenant = await shop.services.tenants.named("north")
    member = await shop.services.summaries.exact(tenant.id, "c-1")
    assert answer(late) == TAKEN
    assert member.name == "Ann Newer"


async def test_an_older_word_about_a_product_does_not_replace_a_newer_one(shop) -> None:
    now = shop.clock.now()

    await shop.north.send("product.changed", product("p-1", "12.50", now, stock=4))
    earlier = now - timedelta(hours=1)
    late = await shop.north.send("product.changed", product("p-1", "9.99", earlier, stock=9))

    tenant = await shop.services.tenants.named("north")
    found = await shop.services.catalogue.one(tenant.id, "p-1")
    assert answer(late) == TAKEN
    assert found is not None
    assert (found.price_minor, found.stock) == (1250, 4)


async def test_a_product_is_of_the_type_told_or_of_none(shop) -> None:
    now = shop.clock.now()

    for name, told in (("p-1", {"type": "Green"}), ("p-2", {})):
        await shop.north.send("product.changed", product(name, "1.00", now, **told))

    tenant = await shop.services.tenants.named("north")
    found = await shop.services.catalogue.many(tenant.id, ["p-1", "p-2"])
    assert {name: item.type for name, item in found.items()} == {"p-1": "Green", "p-2": None}


async def test_a_product_is_for_its_tiers_until_the_time_told(shop) -> None:
    now = shop.clock.now()
    until = now + timedelta(days=3)
    told = {"tiers": ["gold"], "tiersUntil": until.isoformat()}

    first = await shop.north.send("product.changed", product("p-1", "1.00", now, **told))
    alone = {"tiersUntil": until.isoformat()}
    second = await shop.north.send("product.changed", product("p-2", "1.00", now, **alone))

    tenant = await shop.services.tenants.named("north")
    found = await shop.services.catalogue.many(tenant.id, ["p-1", "p-2"])
    assert answer(first) == TAKEN
    assert second.status_code == 400
    assert {name: item.tiers_until for name, item in found.items()} == {"p-1": until}


async def test_two_tenants_with_equal_ids_do_not_meet(shop) -> None:
    now = shop.clock.now()
    for sender, amount in ((shop.north, "30.00"), (shop.south, "70.00")):
        await sender.send("customer.changed", customer("c-1", now), "d-1")
        await sender.send("order.paid", order("o-1", "c-1", amount, now), "d-2")

    await shop.south.send("order.refunded", refund("r-1", "o-1", now), "d-3")

    assert await shop.points(shop.north, "c-1") == 30
    assert await shop.points(shop.south, "c-1") == 0


async def test_a_source_cannot_speak_for_another(shop) -> None:
    now = shop.clock.now()
    body = json.dumps({"type": "customer.changed", "data": customer("c-1", now)})
    headers = shop.north.headers(body, "d-1")

    as_south = await shop.south.post(body, headers)

    assert as_south.status_code == 401


async def test_an_event_of_the_future_is_refused(shop) -> None:
    ahead = shop.clock.now() + timedelta(hours=1)

    response = await shop.north.send("order.paid", order("o-1", "c-1", "30.00", ahead))

    assert response.status_code == 400
    assert "occurredAt" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "the body is not JSON in UTF-8"),
        ("null", "body: found nothing, wanted an object"),
        ("[1]", "body: found [1], wanted an object"),
        ('{"type": "order.paid"}', "data: found nothing, wanted an object"),
        (
            '{"type": "order.payed", "data": {}}',
            "type: found 'order.payed', wanted one of order.paid, order.refunded, "
            "order.cancelled, order.edited, customer.changed, product.changed",
        ),
        (
            '{"type": "order.paid", "data": {"currency": "EUR", "lines": [{"amount": 12}]}}',
            "data.lines[0].amount: found 12, wanted decimal text such as 12.34",
        ),
    ],
)
async def test_what_is_not_understood_is_told(local_shop, body: str, message: str) -> None:
    response = await local_shop.north.post(body, local_shop.north.headers(body, "d-1"))

    assert answer(response) == (400, {"error": {"code": "BAD_USER_INPUT", "message": message}})


async def test_outcomes_are_counted(shop) -> None:
    now = shop.clock.now()
    await shop.north.send("customer.changed", customer("c-1", now), "d-1")
    await shop.north.send("customer.changed", customer("c-1", now), "d-1")
    await shop.north.post("{}", {})

    text = (await shop.http.get("/metrics")).text

    def line(event: str, outcome: str) -> str:
        labels = f'event="{event}",kind="generic",outcome="{outcome}"'
        return f"loyalty_webhooks_total{{{labels}}} 1.0"

    assert line("customer.changed", "taken") in text
    assert line("customer.changed", "duplicate") in text
    assert line("", "bad_user_input") in text


async def test_lines_come_back_in_any_sequence_and_a_cancelled_order_too(shop) -> None:
    now = shop.clock.now()
    lines = [
        {"id": "a", "productId": "p-1", "quantity": 3, "amount": "30.00"},
        {"id": "b", "productId": "p-2", "quantity": 1, "amount": "20.00"},
    ]
    back = refund("r-1", "o-1", now) | {
        "currency": "EUR",
        "lines": [{"line": "a", "quantity": 1}, {"line": "b", "amount": "5.00"}],
    }
    cancelled = {"orderId": "o-2", "occurredAt": now.isoformat()}

    early = await shop.north.send("order.refunded", back)
    await shop.north.send("order.paid", order("o-1", "c-1", "0.00", now, lines=lines))
    kept = await shop.points(shop.north, "c-1")
    await shop.north.send("order.cancelled", cancelled)
    await shop.north.send("order.paid", order("o-2", "c-2", "30.00", now))
    again = await shop.north.send("order.cancelled", cancelled)

    assert answer(early) == TAKEN
    assert kept == 35
    assert answer(again) == TAKEN
    assert await shop.points(shop.north, "c-2") == 0


async def test_a_changed_order_earns_what_it_is_now(shop) -> None:
    now = shop.clock.now()
    changed = order("o-1", None, "12.00", now) | {"id": "e-1", "orderId": "o-1"}

    early = await shop.north.send("order.edited", changed)
    await shop.north.send("order.paid", order("o-1", "c-1", "30.00", now))
    repeated = await shop.north.send("order.paid", order("o-1", "c-1", "30.00", now))

    assert (answer(early), answer(repeated)) == (TAKEN, TAKEN)
    assert await shop.points(shop.north, "c-1") == 12


@pytest.mark.parametrize(
    "more",
    [
        {"lines": []},
        {"lines": [{"quantity": 1}]},
        {"lines": [{"line": "a", "quantity": 0}]},
        {"lines": [{"line": "a", "amount": "1.00"}]},
        {"currency": "EUR", "lines": [{"line": "a", "amount": "0.00"}]},
        {"currency": "EUR", "shipping": "x"},
    ],
)
async def test_a_refund_that_is_none_is_named(shop, more) -> None:
    refused = await shop.north.send("order.refunded", refund("r-1", "o-1", shop.clock.now()) | more)

    assert refused.status_code == 400
    assert "wanted" in refused.json()["error"]["message"]


async def test_a_refund_in_other_money_than_the_orders_is_refused(shop) -> None:
    """100 yen of an order in euros would be counted as 1.00."""
    now = shop.clock.now()
    await shop.north.send("order.paid", order("o-1", "c-1", "30.00", now))
    some = refund("r-1", "o-1", now) | {
        "currency": "JPY",
        "lines": [{"line": "1", "amount": "100"}],
    }

    refused = await shop.north.send("order.refunded", some)
    pieces = await shop.north.send(
        "order.refunded", some | {"lines": [{"line": "1", "quantity": 1}]}
    )

    assert refused.status_code == 400
    assert refused.json()["error"]["message"] == "found JPY, wanted EUR, the order's"
    assert answer(pieces) == TAKEN


@pytest.mark.parametrize("kind", ["order.refunded", "order.edited"])
async def test_what_waits_in_other_money_than_its_order_came_in_moves_nothing_and_is_flagged(
    kind, shop
) -> None:
    """100 yen of an order in euros would be counted as 1.00."""
    now = shop.clock.now()
    yen = {"productId": "p-1", "quantity": 1, "line": "1", "amount": "100"}
    early = refund("r-1", "o-1", now) | {"currency": "JPY", "lines": [yen]}
    paid = order("o-1", "c-1", "30.00", now)

    answers = [answer(await shop.north.send(kind, early)) for _ in range(2)]
    answers.append(answer(await shop.north.send("order.paid", paid)))
    waiting = await shop.north.send(kind, early)
    in_euros = await shop.north.send(kind, early | {"currency": "EUR"})

    assert answers == [TAKEN] * 3
    assert answer(waiting) == TAKEN
    assert in_euros.json()["error"]["code"] == "CONFLICT"
    assert await shop.points(shop.north, "c-1") == 30
    tenant = await shop.services.tenants.named("north")
    found = await shop.services.views.order(tenant.id, "o-1")
    assert (found.state, found.mismatch) == ("PAID", True)


async def test_a_change_in_its_orders_money_counts_whatever_the_programs_is_by_now(shop) -> None:
    now = shop.clock.now()
    tenant = await shop.services.tenants.named("north")
    await shop.north.send("order.paid", order("o-1", "c-1", "30.00", now))
    rules = Path(__file__).parents[2] / "examples" / "minimal.toml"
    yen = rules.read_text(encoding="utf-8").replace('currency = "EUR"', 'currency = "JPY"')
    await shop.services.rulesets.publish(tenant.id, yen, "test")
    changed = order("o-1", None, "12.00", now) | {"id": "e-1", "orderId": "o-1"}

    edited = await shop.north.send("order.edited", changed)
    other = await shop.north.send(
        "order.edited",
        changed
        | {
            "id": "e-2",
            "currency": "JPY",
            "lines": [{"productId": "p-1", "quantity": 1, "amount": "100"}],
        },
    )

    assert answer(edited) == TAKEN
    assert other.json()["error"]["message"] == "found JPY, wanted EUR, the order's"
    assert await shop.points(shop.north, "c-1") == 12
