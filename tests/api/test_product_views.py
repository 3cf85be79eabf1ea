"""What a guest looked at, told through HTTP, is where its windows start."""

import secrets
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from api_shop import SECRET, ApiShop, Caller, Program, api_shop
from redis.asyncio import Redis
from trained_program import trained_program

from loyalty.cache import keys, open_cache
from loyalty.secrets import SecretKey
from loyalty.services.recommendations import product_views
from loyalty.services.recommendations.product_views import ProductViews
from loyalty.storage.statements import Sql

pytestmark = pytest.mark.anyio

SESSION = "0f6c3c0e-6f5e-4a38-9d0b-0d5a2b1f7c11"
BAD = "BAD_USER_INPUT"


@pytest.fixture
async def trained(shop: ApiShop) -> Program:
    """A program whose members have habits, and a model that learned them."""
    return await trained_program(shop)


@pytest.fixture
async def small(sqlite_shop: ApiShop) -> Program:
    """The same on SQLite alone."""
    return await trained_program(sqlite_shop)


async def look(caller: Caller, *products: str, session: str = SESSION) -> Any:
    """How many are remembered, and the refusals with their fields."""
    told = await caller.run("product_views", input={"session": session, "products": products})
    return told["remembered"], [(error["code"], error["field"]) for error in told["userErrors"]]


async def window(caller: Caller, window: str = "FOR_YOU", **asked: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await caller.run("recommendations", window=window, **asked)
    return answer


def ids(answer: dict[str, Any]) -> list[str]:
    return [item["product"]["externalId"] for item in answer["items"]]


async def test_a_guest_looks_around_and_is_shown_more_of_it(trained: Program) -> None:
    guest = trained.anonymous
    before = await window(guest, session=SESSION, first=50)

    looked = [await look(guest, "tea-white"), await look(guest, "honey")]
    after = await window(guest, session=SESSION, first=50, locale="hu")

    assert before["strategy"] == "popularity"
    assert looked == [(1, []), (1, [])]
    assert after["strategy"] == "viewed"
    assert not {"honey", "tea-white"} & set(ids(after))
    # Everybody takes milk along, whatever else it is.
    milk, first, second, *_, last = after["items"]
    assert ids({"items": [milk]}) == ["milk"]
    assert sorted(ids({"items": [first, second]})) == ["tea-black", "tea-green"]
    assert (first["strategy"], first["reason"]["code"]) == ("viewed", "BECAUSE_YOU_VIEWED")
    about = first["reason"]["product"]
    assert about["externalId"] in ("honey", "tea-white")
    assert first["reason"]["text"] == f"Mert megnézte ezt: {about['name']}."
    # What is popular fills the rest, and says so.
    assert (last["strategy"], last["reason"]["code"]) == ("popularity", "POPULAR")


async def test_a_list_begins_with_what_was_looked_at(small: Program) -> None:
    names = ["sugar", "milk", "tea-black", "honey"]
    await look(small.anonymous, "honey")

    ranked = await small.anonymous.run("rank_products", ids=names, session=SESSION)

    assert ranked["strategy"] == "viewed"
    assert ids(ranked)[0] == "honey"
    assert ids(ranked).index("tea-black") < ids(ranked).index("sugar")
    assert ranked["items"][0]["reason"]["text"] == "You looked at it before."


async def test_a_storefront_that_keeps_the_list_itself_hands_it_in(small: Program) -> None:
    await look(small.anonymous, "sugar")

    own = await window(small.anonymous, viewed=["tea-white"], session=SESSION, first=3)
    told = await window(small.anonymous, session=SESSION, first=3)

    assert (own["strategy"], told["strategy"]) == ("viewed", "viewed")
    assert own["items"][0]["reason"]["product"]["externalId"] == "tea-white"
    assert told["items"][0]["reason"]["product"]["externalId"] == "sugar"


async def test_a_filter_holds_for_what_goes_with_it_too(small: Program) -> None:
    await small.stock(small.product("tea-black", stock=0), small.product("honey", price_minor=1))
    await look(small.anonymous, "tea-white")

    shown = await window(
        small.anonymous,
        session=SESSION,
        first=50,
        filter={"priceMin": {"amount": "0.02", "currencyCode": "EUR"}, "exclude": ["milk"]},
    )

    assert shown["strategy"] == "viewed"
    assert "tea-green" in ids(shown)
    assert not {"tea-black", "honey", "milk", "tea-white"} & set(ids(shown))


async def test_it_is_forgotten_after_an_hour(small: Program, sqlite_shop: ApiShop) -> None:
    await look(small.anonymous, "tea-white")
    sqlite_shop.clock.advance(timedelta(minutes=40))
    await look(small.anonymous, "sugar")
    sqlite_shop.clock.advance(timedelta(minutes=20))

    one = await window(small.anonymous, session=SESSION, first=1)
    sqlite_shop.clock.advance(timedelta(minutes=40))
    none = await window(small.anonymous, session=SESSION, first=1)

    assert one["items"][0]["reason"]["product"]["externalId"] == "sugar"
    assert none["strategy"] == "popularity"


async def test_a_guest_who_signs_in_is_a_member_and_nothing_else(small: Program) -> None:
    """Who is known is answered from what it bought; a newcomer from both; who did not agree to
    profiling like a guest of whom nothing is known. And no cached ranking remembers a session."""
    till, agreed = small.till, {"profiling": True}
    for name, consents in (("new", agreed), ("mute", {})):
        given = {"idempotencyKey": name, "externalId": name, "consents": consents}
        await till.run("member_enrol", input=given)
    callers = {name: await small.shopper(name) for name in ("tea-1", "new", "mute")}
    before = {name: await window(caller) for name, caller in callers.items()}
    await look(small.anonymous, "coffee-beans")

    during = {name: await window(caller, session=SESSION) for name, caller in callers.items()}
    handed = await window(callers["mute"], viewed=["coffee-beans"])
    after = {name: await window(caller) for name, caller in callers.items()}

    assert during["new"]["strategy"] == "viewed"
    assert set(ids(during["new"])[:4]) == {"milk", "coffee-ground", "coffee-decaf", "sugar"}
    for name in ("tea-1", "mute"):
        assert ids(during[name]) == ids(before[name])
        assert during[name]["strategy"] == before[name]["strategy"]
    assert (handed["strategy"], ids(handed)) == ("popularity", ids(before["mute"]))
    assert {name: ids(found) for name, found in after.items()} == {
        name: ids(found) for name, found in before.items()
    }


async def test_nothing_is_remembered_of_a_member_who_did_not_agree(small: Program) -> None:
    enrol = {"idempotencyKey": "e", "externalId": "mute"}
    await small.till.run("member_enrol", input=enrol)

    told = await look(await small.shopper("mute"), "tea-white")

    assert told == (0, [])
    assert (await window(small.anonymous, session=SESSION))["strategy"] == "popularity"


@pytest.mark.parametrize("who", ["anonymous", "shopper", "till"])
async def test_what_does_not_exist_for_the_viewer_is_left_out(small: Program, who: str) -> None:
    """It is neither told apart from what there is not at all, nor named in a reason."""
    await small.stock(small.product("honey", tiers=("gold",)))
    caller = {
        "anonymous": small.anonymous, "till": small.till, "shopper": await small.shopper("tea-1"),
    }[who]  # fmt: skip

    told = await look(caller, "honey", "nix", "tea-white")
    shown = await window(small.anonymous, session=SESSION, first=50)
    handed = await window(small.anonymous, viewed=["honey"], first=50)

    assert told == (2 if who == "till" else 1, [])
    named = [(item["reason"]["product"] or {}).get("externalId") for item in shown["items"]]
    assert set(named) <= {None, "tea-white"}
    assert handed["strategy"] == "popularity"


async def test_two_programs_have_sessions_of_their_own(shop: ApiShop) -> None:
    mine, theirs = [await trained_program(shop, at) for at in (0, 1)]
    await look(mine.anonymous, "tea-white")

    strategies = [
        (await window(each.anonymous, session=SESSION))["strategy"] for each in (mine, theirs)
    ]

    assert strategies == ["viewed", "popularity"]


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"session": "s" * 15, "products": ["tea-white"]}, "session"),
        ({"session": SESSION, "products": []}, "products"),
        ({"session": SESSION, "products": ["tea-white"] * 21}, "products"),
    ],
)
async def test_a_report_has_its_bounds(small: Program, given: dict[str, Any], where: str) -> None:
    told = await small.anonymous.run("product_views", input=given)

    errors = [(error["code"], error["field"]) for error in told["userErrors"]]
    assert (told["remembered"], errors) == (0, [(BAD, ["input", where])])


@pytest.mark.parametrize(
    "asked",
    [
        "recommendations(window:FOR_YOU,",
        "recommendations(window:TRENDING,",
        'rankProducts(ids:["milk"],',
    ],
)
async def test_a_list_handed_in_has_its_bounds(small: Program, asked: str) -> None:
    query = f"query($ids:[ExternalId!]){{{asked}viewed:$ids){{strategy}}}}"

    fits = await small.anonymous.ask(query, {"ids": ["tea-white"] * 20})
    long = await small.anonymous.ask(query, {"ids": ["tea-white"] * 21})

    assert "errors" not in fits
    (error,) = long["errors"]
    assert error["extensions"]["code"] == BAD
    assert "found 21 products, wanted at most 20" in error["message"]


async def test_a_short_name_still_chooses_a_model_and_has_no_views(small: Program) -> None:
    assert (await window(small.anonymous, session="7"))["strategy"] == "popularity"


async def test_only_the_last_twenty_are_remembered(small: Program, sqlite_shop: ApiShop) -> None:
    goods = [small.product(f"p-{number}") for number in range(20)]
    await small.stock(*goods)
    await look(small.anonymous, "tea-white")

    told = await look(small.anonymous, *(each.external_id for each in goods))

    assert told == (20, [])
    latest = await sqlite_shop.services.product_views.latest(small.tenant_id, SESSION)
    assert latest == [each.external_id for each in goods]


async def test_no_row_of_the_database_comes_of_it(small: Program, sqlite_shop: ApiShop) -> None:
    def tables() -> Sql:
        return Sql("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")

    async def rows() -> list[Any]:
        names = [name for (name,) in await sqlite_shop.database.read(tables()())]
        return [
            (name, await sqlite_shop.database.read(Sql(f'SELECT count(*) FROM "{name}"')()))
            for name in names
        ]

    ann, before = await small.shopper("tea-1"), await rows()

    assert await look(ann, "tea-white") == (1, [])

    assert await rows() == before


@pytest.mark.parametrize("store", ["redis", "away", "off"])
async def test_where_it_is_remembered(
    store: str,
    valkey_url: str,
    migrated_file: Path,
    sqlite_path: Path,
    tmp_path: Path,
) -> None:
    """All processes that share a cache know it; without one guests see what is popular."""
    shutil.copy(migrated_file, sqlite_path)
    url = {"redis": valkey_url, "away": "redis://127.0.0.1:9/0", "off": "off"}[store]
    async with api_shop(f"sqlite://{sqlite_path}", tmp_path, cache=open_cache(url)) as shop:
        program = await trained_program(shop)
        session = secrets.token_hex(16)

        told = await look(program.anonymous, "tea-white", session=session)
        shown = await window(program.anonymous, session=session)

        assert told == (1 if store == "redis" else 0, [])
        assert shown["strategy"] == ("viewed" if store == "redis" else "popularity")
        if store == "redis":
            cache = open_cache(url)
            other = ProductViews(cache, shop.services.catalogue, shop.clock, SecretKey(SECRET))
            assert await other.latest(program.tenant_id, session) == ["tea-white"]
            await cache.close()


async def test_what_redis_holds_says_nothing_of_who_it_is(
    valkey_url: str, migrated_file: Path, sqlite_path: Path, tmp_path: Path
) -> None:
    shutil.copy(migrated_file, sqlite_path)
    store = Redis.from_url(valkey_url)
    async with api_shop(f"sqlite://{sqlite_path}", tmp_path, cache=open_cache(valkey_url)) as shop:
        program = await trained_program(shop)
        session = secrets.token_hex(16)
        before = {key async for key in store.scan_iter()}

        told = await look(await program.shopper("tea-1"), "tea-white", session=session)

        new = {key.decode() async for key in store.scan_iter() if key not in before}
        held = [key for key in new if keys.family(key) == "views"]
        assert (told, len(held)) == ((1, []), 1)
        content = str(await store.zrange(held[0], 0, -1))
        assert "tea-white" in content
        for secret in (session, "tea-1"):
            assert secret not in held[0]
            assert secret not in content
    await store.aclose()


async def test_with_too_many_sessions_new_ones_are_answered_without(
    small: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = product_views.Bounds(window_s=3_600, items_max=20, begun_max=1, slice_s=600)
    monkeypatch.setattr(product_views, "BOUNDS", few)
    other = "another session, as long"

    told = [await look(small.anonymous, "honey", session=each) for each in (SESSION, other)]

    assert told == [(1, []), (0, [])]
    shown = [await window(small.anonymous, session=each) for each in (SESSION, other)]
    assert [answer["strategy"] for answer in shown] == ["viewed", "popularity"]


async def test_of_a_known_member_it_is_not_even_read(small: Program, sqlite_shop: ApiShop) -> None:
    ann = await small.shopper("tea-1")
    query = "query($v:[ExternalId!]){recommendations(window:FOR_YOU,viewed:$v){strategy}}"
    for caller in (ann, small.anonymous):
        await caller.data(query)

    plain = await sqlite_shop.reads(ann, query)

    assert await sqlite_shop.reads(ann, query, {"v": ["sugar"]}) == plain
    guest = [
        await sqlite_shop.reads(small.anonymous, query, {"v": viewed})
        for viewed in (None, ["sugar"])
    ]
    assert guest[1] == guest[0] + 1


async def test_three_windows_ask_for_a_session_once(small: Program, sqlite_shop: ApiShop) -> None:
    await look(small.anonymous, "honey")
    query = (
        "query($s:ExternalId){one:recommendations(window:FOR_YOU,session:$s){strategy}"
        "two:recommendations(window:NEXT_VISIT,session:$s){strategy}}"
    )

    shown = await small.anonymous.data(query, {"s": SESSION})

    assert [answer["strategy"] for answer in shown.values()] == ["viewed", "viewed"]
