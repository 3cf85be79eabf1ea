"""What a shop sells: written once, read by those who may see it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from habits import product

from loyalty.cache import Cache, open_cache
from loyalty.domain.books.ledger import micros
from loyalty.errors import BadInput
from loyalty.services.catalogue import Catalogue, Product
from loyalty.storage import catalogue as sql

from .conftest import START, Shop

pytestmark = pytest.mark.anyio


@pytest.fixture
async def cache() -> AsyncIterator[Cache]:
    opened = open_cache(None)
    yield opened
    await opened.close()


@pytest.fixture
def catalogue(shop: Shop, cache: Cache) -> Catalogue:
    return Catalogue(shop.database, cache, shop.clock)


async def revision(shop: Shop) -> int:
    rows = await shop.database.read(sql.REVISION(shop.tenant_id, micros(shop.clock.now())))
    return int(rows[0][0])


async def names(catalogue: Catalogue, shop: Shop, **asked: Any) -> list[str]:
    found, _ = await catalogue.listed(shop.tenant_id, first=50, **asked)
    return [each.external_id for each in found]


async def test_a_product_is_read_as_it_was_said(catalogue: Catalogue, shop: Shop) -> None:
    facts = product(
        "tea",
        START,
        category="TEA",
        type="GREEN",
        brand="Corner",
        image_url="/tea.svg",
        cost_minor=60,
        stock=3,
        tiers=("gold", "base"),
        invented=("name", "stock"),
        is_active=False,
    )

    written = await catalogue.upsert(shop.tenant_id, [facts])
    found = await catalogue.one(shop.tenant_id, "tea")

    assert written == 1
    assert found is not None
    assert found == Product(
        found.id, "tea", "Tea", "TEA", "DRINKS", "GREEN", "Corner", "/tea.svg", 100, "EUR", 60, 3,
        ("gold", "base"), None, ("name", "stock"), False,
    )  # fmt: skip


@pytest.mark.parametrize(("stock", "is_in_stock"), [(None, True), (1, True), (0, False)], ids=str)
async def test_stock_that_is_not_counted_never_runs_out(
    catalogue: Catalogue, shop: Shop, stock: int | None, is_in_stock: bool
) -> None:
    await catalogue.upsert(shop.tenant_id, [product("tea", START, stock=stock)])

    found = await catalogue.one(shop.tenant_id, "tea")

    assert found is not None
    assert found.is_in_stock is is_in_stock


async def test_any_order_of_arrival_leaves_the_latest_word(
    catalogue: Catalogue, shop: Shop
) -> None:
    words = [
        product("{}", START + timedelta(minutes=minute), price_minor=price)
        for minute, price in enumerate([100, 200, 100])
    ]

    for number, order in enumerate(permutations(words)):
        for word in (*order, order[0]):
            named = replace(word, external_id=f"p{number}")
            await catalogue.upsert(shop.tenant_id, [named])
    found = await catalogue.many(shop.tenant_id, [f"p{number}" for number in range(6)])

    assert [each.price_minor for each in found.values()] == [100] * 6


async def test_the_same_word_in_one_call_counts_once(catalogue: Catalogue, shop: Shop) -> None:
    later = product("tea", START + timedelta(1), name="Later")

    written = await catalogue.upsert(shop.tenant_id, [later, product("tea", START)])

    assert written == 1
    assert await names(catalogue, shop) == ["tea"]
    found = await catalogue.one(shop.tenant_id, "tea")
    assert found is not None
    assert found.name == "Later"


async def test_the_revision_moves_with_everything_but_stock(
    catalogue: Catalogue, shop: Shop
) -> None:
    seen = [await revision(shop)]
    changes: list[dict[str, Any]] = [
        {}, {}, {"stock": 5}, {"price_minor": 7}, {"tiers": ("gold",)}, {"is_active": False},
    ]  # fmt: skip
    for minute, change in enumerate(changes):
        facts = product("tea", START + timedelta(minutes=minute), **change)
        await catalogue.upsert(shop.tenant_id, [facts])
        seen.append(await revision(shop))

    # Stock came and went between the second word and the fourth, and the price once more.
    assert seen == [0, 1, 1, 1, 2, 3, 4]


async def test_writing_at_once_loses_nothing(catalogue: Catalogue, shop: Shop) -> None:
    batches = [[product(f"p{n}", START) for n in range(b, b + 10)] for b in (0, 5, 0, 5)]

    written = await asyncio.gather(*(catalogue.upsert(shop.tenant_id, batch) for batch in batches))

    assert sum(written) == 15
    assert sorted(await names(catalogue, shop)) == sorted(f"p{n}" for n in range(15))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"external_id": ""}, "externalId"),
        ({"external_id": "x" * 129}, "externalId"),
        ({"external_id": "a\0b"}, "externalId"),
        ({"name": ""}, "name"),
        ({"brand": "x" * 201}, "brand"),
        ({"type": "x" * 201}, "type"),
        ({"image_url": "javascript:alert(1)"}, "imageUrl"),
        ({"price_minor": -1}, "price"),
        ({"cost_minor": 2**53}, "cost"),
        ({"stock": -1}, "stock"),
        ({"tiers": ("a,b",)}, "tiers"),
        ({"tiers": ("",)}, "tiers"),
        ({"invented": ("colour",)}, "invented"),
    ],
    ids=str,
)
async def test_what_cannot_be_is_refused_and_nothing_written(
    catalogue: Catalogue, shop: Shop, change: dict[str, Any], field: str
) -> None:
    bad = replace(product("tea", START), **change)

    with pytest.raises(BadInput, match=f"found {field} ") as refused:
        await catalogue.upsert(shop.tenant_id, [product("milk", START), bad])

    assert refused.value.field == ("input", field)
    assert await names(catalogue, shop) == []


async def test_no_currency_is_refused(catalogue: Catalogue, shop: Shop) -> None:
    with pytest.raises(BadInput, match="ISO 4217"):
        await catalogue.upsert(shop.tenant_id, [product("tea", START, currency="XXY")])


@pytest.fixture
async def stocked(catalogue: Catalogue, shop: Shop) -> Catalogue:
    """Five products that differ in who sees them."""
    await catalogue.upsert(
        shop.tenant_id,
        [
            product("green", START, category="TEA", brand="Leaf"),
            product("black", START, category="TEA", stock=0),
            product("vip", START, category="TEA", tiers=("gold", "platinum")),
            product("gone", START, category="TEA", is_active=False),
            product("beans", START, category="COFFEE", name="100% Ärabica_Beans"),
        ],
    )
    return catalogue


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["green", "black", "beans"]),
        ({"tier": "gold"}, ["green", "black", "vip", "beans"]),
        ({"tier": "gol"}, ["green", "black", "beans"]),
        ({"everything": True}, ["green", "black", "vip", "gone", "beans"]),
        ({"category": "TEA"}, ["green", "black"]),
        ({"category": "TEA", "tier": "platinum"}, ["green", "black", "vip"]),
        ({"category": "tea"}, []),
        ({"search": "GRE"}, ["green"]),
        ({"search": "leaf"}, ["green"]),
        ({"search": "%"}, ["beans"]),
        ({"search": "_"}, ["beans"]),
        ({"search": "vip"}, []),
        ({"search": "'; DROP TABLE product"}, []),
        ({"search": "e", "category": "COFFEE"}, ["beans"]),
        ({"search": "gone", "everything": True}, ["gone"]),
    ],
    ids=str,
)
async def test_a_viewer_lists_what_it_may_see(
    stocked: Catalogue, shop: Shop, asked: dict[str, Any], found: list[str]
) -> None:
    cold = await names(stocked, shop, **asked)
    warm = await names(stocked, shop, **asked)

    assert (cold, warm) == (found, found)


async def test_pages_hold_every_product_once(stocked: Catalogue, shop: Shop) -> None:
    seen: list[str] = []
    after, has_more = None, True
    while has_more:
        page, has_more = await stocked.listed(
            shop.tenant_id, first=2, after=after, category="TEA", tier="gold"
        )
        seen += [each.external_id for each in page]
        after = page[-1].id

    assert seen == ["green", "black", "vip"]


@pytest.mark.parametrize("first", [0, -1, 201])
async def test_a_page_has_a_size(stocked: Catalogue, shop: Shop, first: int) -> None:
    with pytest.raises(BadInput, match=f"found first: {first}, wanted 1 to 200"):
        await stocked.listed(shop.tenant_id, first=first)


async def test_a_cached_listing_is_forgotten_with_the_first_change(
    stocked: Catalogue, shop: Shop
) -> None:
    assert await names(stocked, shop, category="TEA") == ["green", "black"]
    await stocked.upsert(
        shop.tenant_id,
        [
            product("green", START, category="TEA", tiers=("gold",)),
            product("white", START, category="TEA"),
        ],
    )

    assert await names(stocked, shop, category="TEA") == ["black", "white"]


async def test_a_cached_listing_shows_the_stock_of_this_moment(
    stocked: Catalogue, shop: Shop
) -> None:
    await names(stocked, shop, category="TEA")
    await stocked.upsert(shop.tenant_id, [product("green", START, category="TEA", stock=2)])

    found, _ = await stocked.listed(shop.tenant_id, first=9, category="TEA")

    assert {each.external_id: each.stock for each in found} == {"green": 2, "black": 0}


async def test_nothing_crosses_tenants(stocked: Catalogue, shops: tuple[Shop, Shop]) -> None:
    shop, other = shops
    await stocked.upsert(other.tenant_id, [product("green", START, name="Theirs")])

    assert await names(stocked, other, search="e") == ["green"]
    mine = await stocked.many(shop.tenant_id, ["green", "beans"])
    theirs = await stocked.many(other.tenant_id, ["green", "beans"])
    assert {name: each.name for name, each in mine.items()} == {
        "green": "Green",
        "beans": "100% Ärabica_Beans",
    }
    assert {name: each.name for name, each in theirs.items()} == {"green": "Theirs"}


@pytest.mark.parametrize("name", ["nothing", "", "a\0b", "\ud800", "x" * 5_000])
async def test_what_is_not_there_is_not_there(stocked: Catalogue, shop: Shop, name: str) -> None:
    try:
        found = await stocked.one(shop.tenant_id, name)
    except BadInput:
        # PostgreSQL says of a text that it can hold no such character; both are an answer.
        found = None

    assert found is None
