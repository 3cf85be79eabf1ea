"""Products that certain tiers see first, and everybody from a day on, by the clock alone."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from api_shop import ApiShop, Caller, Program
from habits import MEMBERS, bought_by, paid_order, products, visits

from loyalty.services.books.door import outcome_of
from loyalty.services.members.members import Enrol, Profile
from loyalty.services.orders.orders import BookOrder
from loyalty_recommender.models.als import Als
from loyalty_recommender.models.novel import Novel
from loyalty_recommender.training import Settings

pytestmark = pytest.mark.anyio

SMALL = Settings(for_you=Novel(als=Als(factors=2)), product_visits_min=1)
LISTED = 'query{products(category:"TEA"){nodes{externalId tiers tiersUntil}}}'
ONE = 'query{product(externalId:"early"){externalId tiers tiersUntil}}'


async def listed(caller: Caller) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await caller.data(LISTED))["products"]["nodes"]
    return found


async def shown(caller: Caller, window: str) -> dict[str, Any]:
    answer = await caller.run("recommendations", window=window, first=50)
    return {item["product"]["externalId"]: item["earlyAccess"] for item in answer["items"]}


async def test_others_see_it_once_its_day_has_come(shop: ApiShop, program: Program) -> None:
    until = shop.clock.now() + timedelta(days=2)
    early = program.product("early", category="TEA", tiers=("gold",), tiers_until=until)
    await program.stock(early, program.product("tea", category="TEA"))
    await program.paid("o-1", None, 100, product="early")
    gold = await program.rich("rich", 900)
    await program.enrol("poor")
    poor = await program.shopper("poor")
    access = {"tiers": ["gold"], "tiersUntil": f"{until:%Y-%m-%dT%H:%M:%SZ}"}

    # Asked twice: what a filter found is cached.
    for _ in range(2):
        assert await listed(poor) == [{"externalId": "tea", "tiers": [], "tiersUntil": None}]
        assert {"externalId": "early"} | access in await listed(gold)
    assert (await poor.data(ONE))["product"] is None
    assert (await gold.data(ONE))["product"] == {"externalId": "early"} | access
    assert "early" not in await shown(poor, "TRENDING")
    assert (await shown(gold, "TRENDING"))["early"] == {
        "tiers": ["gold"],
        "until": access["tiersUntil"],
    }
    assert (await poor.run("rank_products", ids=["early"]))["items"] == []

    shop.clock.advance(timedelta(days=2))
    poor, gold = await program.shopper("poor"), await program.shopper("rich")

    everybodys = {"externalId": "early", "tiers": [], "tiersUntil": None}
    for caller in (poor, gold, program.anonymous):
        assert everybodys in await listed(caller)
        assert (await caller.data(ONE))["product"] == everybodys
        assert (await shown(caller, "TRENDING"))["early"] is None
    assert len((await poor.run("rank_products", ids=["early"]))["items"]) == 1


async def test_a_model_answers_it_to_others_as_soon_as_it_may(shop: ApiShop) -> None:
    program, now = shop.programs[0], shop.clock.now()
    until = now + timedelta(hours=1)
    await program.stock(*products(now))
    agreed = Profile(consents={"profiling": True})
    for number in range(MEMBERS):
        command = Enrol(program.tenant_id, None, bought_by(number)[0], agreed)
        outcome_of(await shop.services.door.submit(command))
    await shop.services.door.execute(
        program.tenant_id,
        [BookOrder(program.tenant_id, paid_order(visit), "test") for visit in visits(now)],
    )
    await program.stock(program.product("milk", tiers=("gold",), tiers_until=until))
    await shop.services.trainer.train(program.tenant_id, settings=SMALL)

    before = await shown(program.anonymous, "TRENDING")
    shop.clock.advance(timedelta(minutes=59, seconds=59))
    still = await shown(program.anonymous, "TRENDING")
    shop.clock.advance(timedelta(seconds=1))
    after = await shown(program.anonymous, "TRENDING")

    assert "milk" not in before
    assert still == before
    assert next(iter(after)) == "milk"


async def test_the_merchant_says_until_when(program: Program) -> None:
    async def upsert(**said: Any) -> dict[str, Any]:
        query = (
            "mutation($i:ProductUpsertInput!){productUpsert(input:$i){"
            "product{tiers tiersUntil} userErrors{code field message}}}"
        )
        given = {"externalId": "p", "name": "P"} | said
        answer: dict[str, Any] = (await program.merchant.data(query, {"i": given}))["productUpsert"]
        return answer

    until = "2026-04-01T00:00:00Z"
    refused = await upsert(tiersUntil=until)
    made = await upsert(tiers=["gold"], tiersUntil=until)
    kept = await upsert(name="Q")
    opened = await upsert(tiers=[])

    assert refused["product"] is None
    assert refused["userErrors"] == [
        {
            "code": "BAD_USER_INPUT",
            "field": ["input", "tiersUntil"],
            "message": "found tiersUntil '2026-04-01T00:00:00+00:00', wanted none, because it "
            "names no tiers",
        }
    ]
    assert made["product"] == kept["product"] == {"tiers": ["gold"], "tiersUntil": until}
    assert opened["product"] == {"tiers": [], "tiersUntil": None}


async def test_a_later_word_moves_the_day(sqlite_shop: ApiShop) -> None:
    program, clock = sqlite_shop.programs[0], sqlite_shop.clock

    async def say(until: datetime | None) -> list[dict[str, Any]]:
        clock.advance(timedelta(seconds=1))
        product = program.product("early", category="TEA", tiers=("gold",), tiers_until=until)
        await program.stock(product)
        return await listed(program.anonymous)

    now = clock.now()

    found = [await say(now + timedelta(days=1)), await say(now), await say(None)]

    assert [len(each) for each in found] == [0, 1, 0]
