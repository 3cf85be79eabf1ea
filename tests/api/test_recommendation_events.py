"""What shoppers did with recommendations, reported through HTTP."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from api_shop import ApiShop, Caller, Program

from loyalty.services.recommendations.recommendation_events import EVENTS_MAX
from loyalty.services.recommendations.recommendation_id import MARKED_MAX
from loyalty.storage.effects import Effects
from loyalty.storage.recommendation_events import EVENT_COLUMNS
from loyalty.storage.statements import Sql, Unit

pytestmark = pytest.mark.anyio

EVENTS = Sql(
    """SELECT e.type, e.product, e.position, e.window_code, e.model, m.external_id
         FROM recommendation_event e
         LEFT JOIN member m ON m.tenant_id = e.tenant_id AND m.id = e.member_id
        WHERE e.tenant_id = $1 ORDER BY e.id"""
)
DAYS = Sql(
    """SELECT day, window_code, impressions, clicks, carts FROM recommendation_day
        WHERE tenant_id = $1 ORDER BY day, window_code"""
)
TYPES = ("IMPRESSION", "CLICK", "CART")
NOT_FOUND, BAD = "NOT_FOUND", "BAD_USER_INPUT"


@pytest.fixture
async def stocked(program: Program) -> Program:
    """Two products that are bought, the second one more often; Ann agreed to profiling."""
    await program.stock(program.product("tea"), program.product("mug"))
    await program.enrol("ann")
    for number, product in enumerate(("tea", "mug", "mug")):
        await program.paid(f"seed-{number}", None, 1_000, product=product)
    return program


async def answer(caller: Caller, window: str = "TRENDING", **asked: Any) -> str:
    """The id of an answer that has mug and tea in it."""
    shown = await caller.run("recommendations", window=window, **asked)
    assert [item["product"]["externalId"] for item in shown["items"]] == ["mug", "tea"]
    id: str = shown["recommendationId"]
    return id


def event(id: str, type: str = "CLICK", product: str = "tea", **more: Any) -> dict[str, Any]:
    return {"recommendationId": id, "type": type, "product": product, **more}


async def report(caller: Caller, *events: dict[str, Any]) -> tuple[int, int, list[Any]]:
    """How many were new, how many known, and the refusals with their fields."""
    told = await caller.run("recommendation_events", input={"events": list(events)})
    refused = [(error["code"], error["field"]) for error in told["userErrors"]]
    return told["recorded"], told["repeated"], refused


async def erase(program: Program, member: str) -> None:
    query = "mutation($input:MemberEraseInput!){memberErase(input:$input){userErrors{code}}}"
    await program.merchant.data(query, {"input": {"idempotencyKey": "e", "externalId": member}})


async def booked(program: Program) -> list[Any]:
    return await program.shop.database.read(EVENTS(program.tenant_id))


async def counted(program: Program) -> list[Any]:
    return await program.shop.database.read(DAYS(program.tenant_id))


async def test_what_a_shopper_did_is_kept_once(stocked: Program) -> None:
    ann = await stocked.shopper("ann")
    id = await answer(ann)
    shown = [event(id, "IMPRESSION", "mug"), event(id, "IMPRESSION", "tea"), event(id)]

    first = await report(ann, *shown)
    again = await report(ann, *shown, event(id, "CART"), event(id, "CART"))

    assert (first, again) == ((3, 0, []), (1, 4, []))
    assert await booked(stocked) == [
        ("CLICK", "tea", 2, "TRENDING", "", "ann"),
        ("IMPRESSION", "mug", 1, "TRENDING", "", "ann"),
        ("IMPRESSION", "tea", 2, "TRENDING", "", "ann"),
        ("CART", "tea", 2, "TRENDING", "", "ann"),
    ]
    assert await counted(stocked) == [("2026-03-01", "TRENDING", 2, 1, 1)]


async def test_a_guest_and_one_who_did_not_agree_are_only_counted(stocked: Program) -> None:
    bob = await stocked.shopper("bob")
    await bob.run("member_enrol", input={"idempotencyKey": "e", "externalId": "bob"})
    ids = [await answer(caller) for caller in (stocked.anonymous, bob)]

    told = [await report(stocked.anonymous, event(ids[0])), await report(bob, event(ids[1]))]

    assert told == [(1, 0, []), (1, 0, [])]
    assert [row[-1] for row in await booked(stocked)] == [None, None]
    assert await counted(stocked) == [("2026-03-01", "TRENDING", 0, 2, 0)]


async def test_consent_counts_when_the_event_comes(stocked: Program) -> None:
    ann = await stocked.shopper("ann")
    id = await answer(ann)
    await ann.run("member_update", input={"consents": {"profiling": False}})

    assert await report(ann, event(id)) == (1, 0, [])

    assert [row[-1] for row in await booked(stocked)] == [None]


async def test_a_guest_who_signs_in_takes_the_answer_along(stocked: Program) -> None:
    id = await answer(stocked.anonymous)

    assert await report(await stocked.shopper("ann"), event(id)) == (1, 0, [])

    assert [row[-1] for row in await booked(stocked)] == ["ann"]


@pytest.mark.parametrize("who", ["anonymous", "till"])
async def test_the_shop_may_report_for_the_member_it_asked_for(stocked: Program, who: str) -> None:
    """The page is put together by a service, and its browser reports without credentials."""
    id = await answer(stocked.till, member="ann")
    caller: Caller = getattr(stocked, who)

    assert await report(caller, event(id)) == (1, 0, [])

    assert [row[-1] for row in await booked(stocked)] == ["ann"]


async def test_anothers_id_is_like_none(
    stocked: Program, other_program: Program, shop: ApiShop
) -> None:
    """Of another member, of another tenant, changed, too old, from after a clock went back."""
    await stocked.enrol("eve")
    ann, eve = await stocked.shopper("ann"), await stocked.shopper("eve")
    anns, old = await answer(ann), await answer(eve)
    shop.clock.advance(timedelta(days=30, seconds=1))
    ann, eve = await stocked.shopper("ann"), await stocked.shopper("eve")
    fresh = await answer(ann)
    forged = fresh[:-1] + ("A" if fresh[-1] != "A" else "B")
    stranger = await stocked.shopper("nobody")

    told = await report(eve, *map(event, (anns, old, fresh, forged, "", "x" * 5_000)))

    where = [["input", "events", f"{place}", "recommendationId"] for place in range(6)]
    assert told == (0, 0, [(NOT_FOUND, field) for field in where])
    assert await report(stranger, event(fresh)) == (0, 0, [(NOT_FOUND, where[0])])
    assert await report(other_program.till, event(fresh)) == (0, 0, [(NOT_FOUND, where[0])])
    assert (await booked(stocked), await counted(stocked)) == ([], [])


async def test_one_bad_event_keeps_no_other_out(stocked: Program) -> None:
    ann = await stocked.shopper("ann")
    id = await answer(ann)

    told = await report(ann, event("x"), event(id, product="pot"), event(id), event(id, position=0))

    assert told == (
        1,
        0,
        [
            (NOT_FOUND, ["input", "events", "0", "recommendationId"]),
            (NOT_FOUND, ["input", "events", "1", "product"]),
            (BAD, ["input", "events", "3", "position"]),
        ],
    )


@pytest.mark.parametrize(
    ("occurred_at", "day"),
    [
        ("2026-03-01T12:00:00Z", "2026-03-01"),
        ("2026-03-01T23:30:00Z", "2026-03-02"),
        ("2026-03-02T12:04:59Z", "2026-03-02"),
        ("2026-03-01T11:54:59Z", None),
        ("2026-03-02T12:05:01Z", None),
    ],
)
async def test_a_moment_is_one_since_the_answer(
    stocked: Program, shop: ApiShop, occurred_at: str, day: str | None
) -> None:
    """In the program's own days: Budapest is an hour ahead."""
    id = await answer(stocked.till)
    shop.clock.advance(timedelta(days=1))

    told = await report(stocked.till, event(id, occurredAt=occurred_at))

    refusal = (BAD, ["input", "events", "0", "occurredAt"])
    assert told == ((1, 0, []) if day else (0, 0, [refusal]))
    assert [row[0] for row in await counted(stocked)] == ([day] if day else [])


async def test_reports_of_the_same_at_once_count_once(stocked: Program) -> None:
    id = await answer(stocked.till)
    events = [event(id, type, product) for product in ("tea", "mug") for type in TYPES]

    told = await asyncio.gather(
        *(report(stocked.till, *events[turn:], *events[:turn]) for turn in range(6))
    )

    assert sum(recorded for recorded, _, _ in told) == 6
    assert sum(repeated for _, repeated, _ in told) == 30
    assert await counted(stocked) == [("2026-03-01", "TRENDING", 2, 2, 2)]


@pytest.mark.parametrize("count", [0, EVENTS_MAX + 1])
async def test_a_report_has_its_bounds(stocked: Program, count: int) -> None:
    told = await report(stocked.till, *[event("x")] * count)

    assert told == (0, 0, [(BAD, ["input", "events"])])


async def test_the_longest_report_is_taken(stocked: Program) -> None:
    """As many events as may be reported, of the longest ids there are, fit into one request."""
    long = [f"{number}-".ljust(128, "x") for number in range(MARKED_MAX)]
    await stocked.stock(*(stocked.product(each) for each in long))
    ranked = await stocked.till.run("rank_products", ids=long)
    id, at = ranked["recommendationId"], "2026-03-01T12:00:00.000000+00:00"
    assert len(id) == 346
    events = [
        event(id, "PURCHASE", long[number], position=10_000, occurredAt=at,
              order=f"{number}-".ljust(128, "o"))
        for number in range(EVENTS_MAX)
    ]  # fmt: skip

    taken = await report(stocked.till, *events)

    assert taken == (EVENTS_MAX, 0, [])


async def test_a_merged_member_is_the_one_it_became(stocked: Program) -> None:
    await stocked.enrol("gus")
    id = await answer(await stocked.shopper("gus"))
    await stocked.till.run(
        "member_merge", input={"idempotencyKey": "m", "source": "gus", "target": "ann"}
    )

    assert await report(await stocked.shopper("ann"), event(id)) == (1, 0, [])

    assert [row[-1] for row in await booked(stocked)] == ["ann"]


async def test_who_is_erased_is_in_no_event(stocked: Program, shop: ApiShop) -> None:
    id = await answer(stocked.till, member="ann")
    await report(stocked.till, event(id))
    await erase(stocked, "ann")

    told = await report(stocked.till, event(id), event(id, "CART"))

    where = ["input", "events", "0", "recommendationId"]
    assert told == (0, 0, [(NOT_FOUND, where), (NOT_FOUND, [*where[:2], "1", where[3]])])
    assert await booked(stocked) == []
    assert await counted(stocked) == [("2026-03-01", "TRENDING", 0, 1, 0)]


async def test_an_event_that_came_after_its_member_was_erased_goes_with_the_next_sweep(
    stocked: Program, shop: ApiShop
) -> None:
    ann = await stocked.shopper("ann")
    await report(ann, event(await answer(ann)))
    columns = Sql(f"SELECT {', '.join(EVENT_COLUMNS)} FROM recommendation_event")
    (on_its_way,) = await shop.database.read(columns())
    await erase(stocked, "ann")
    assert await booked(stocked) == []

    def unit() -> Unit[None]:
        effects = Effects()
        effects.insert("recommendation_event", dict(zip(EVENT_COLUMNS, on_its_way, strict=True)))
        yield effects

    await shop.database.write(unit)
    assert len(await booked(stocked)) == 1

    await shop.services.purging.events_due(stocked.tenant_id)

    assert await booked(stocked) == []
