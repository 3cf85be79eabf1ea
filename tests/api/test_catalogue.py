"""Products and recommendations: who sees what."""

from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest
from api_shop import ApiShop, Caller, Program, document, line

pytestmark = pytest.mark.anyio


async def shelf(program: Program) -> dict[str, Caller]:
    """A catalogue with something for everybody and something for some, and its visitors."""
    await program.stock(
        program.product("tea", category="DRINKS", brand="Leaf", stock=3),
        program.product("coffee", category="DRINKS", stock=0),
        program.product("gold-tea", category="DRINKS", tiers=("gold",)),
        program.product("old-tea", is_active=False),
    )
    await program.enrol("new")
    return {
        "guest": program.anonymous,
        "stranger": await program.shopper("stranger"),
        "base": await program.shopper("new"),
        "gold": await program.rich("rich", 600),
        "till": program.till,
    }


async def names(caller: Caller, **variables: Any) -> list[str]:
    data = await caller.data(document("products"), variables)
    return [node["externalId"] for node in data["products"]["nodes"]]


async def test_each_sees_what_is_for_its_tier(shop: ApiShop, program: Program) -> None:
    visitors = await shelf(program)
    everybody, members = ["tea", "coffee"], ["tea", "coffee", "gold-tea"]

    listed = {name: await names(caller) for name, caller in visitors.items()}
    looked_up = {
        name: [
            product
            for product in ("tea", "coffee", "gold-tea", "old-tea", "none")
            if (await caller.data(document("product"), {"externalId": product}))["product"]
        ]
        for name, caller in visitors.items()
    }

    assert listed == {
        "guest": everybody,
        "stranger": everybody,
        "base": everybody,
        "gold": members,
        "till": [*members, "old-tea"],
    }
    assert looked_up == listed


async def test_a_quote_tells_no_more_of_a_hidden_product_than_of_none(
    sqlite_shop: ApiShop,
) -> None:
    visitors = await shelf(sqlite_shop.programs[0])

    async def price(visitor: str, product: str) -> str:
        """What a product costs in a quote that is asked for at 0.07."""
        cart = {"cartId": "c", "lines": [line("1", product, 1, "0.07")]}
        quote = (await visitors[visitor].run("checkout_quote", input=cart))["quote"]
        return str(quote["subtotal"]["amount"])

    asked = ("tea", "gold-tea", "old-tea", "none")
    told = {name: [await price(name, each) for each in asked] for name in ("base", "gold")}

    assert told == {
        "base": ["10.00", "0.07", "0.07", "0.07"],
        "gold": ["10.00", "10.00", "0.07", "0.07"],
    }


async def test_a_product_says_what_it_is(sqlite_shop: ApiShop) -> None:
    program = sqlite_shop.programs[0]
    await program.stock(
        program.product(
            "tea",
            type="GREEN",
            brand="Leaf",
            stock=3,
            cost_minor=400,
            invented=("price_minor", "type"),
        )
    )

    product = await program.anonymous.run("product", externalId="tea")

    assert product | {"id": ""} == {
        "id": "",
        "externalId": "tea",
        "name": "Tea",
        "price": {"amount": "10.00", "currencyCode": "EUR"},
        "category": None,
        "department": None,
        "type": "GREEN",
        "brand": "Leaf",
        "imageUrl": None,
        "inStock": True,
        "active": True,
        "tiers": [],
        "invented": ["price", "type"],
    }


async def test_listing_by_category_by_text_and_page(shop: ApiShop, program: Program) -> None:
    gold = (await shelf(program))["gold"]

    assert await names(gold, category="DRINKS") == ["tea", "coffee", "gold-tea"]
    assert await names(gold, category="drinks") == []
    assert await names(gold, search="leaf") == ["tea"]
    assert await names(gold, search="TEA") == ["tea", "gold-tea"]
    assert await names(gold, search="TEA", first=1) == ["tea"]
    page = (await gold.data(document("products"), {"first": 1}))["products"]["pageInfo"]
    assert page["hasNextPage"] is True
    assert await names(gold, after=page["endCursor"]) == ["coffee", "gold-tea"]


@pytest.mark.parametrize(
    "variables",
    [
        {"search": "x" * 101},
        {"category": "x" * 101},
        {"search": "a\u0007"},
        {"after": "x"},
        {"first": 0},
    ],
)
async def test_a_listing_that_cannot_be_is_refused(
    variables: dict[str, Any], sqlite_shop: ApiShop
) -> None:
    answer = await sqlite_shop.programs[0].anonymous.ask(document("products"), variables)

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"]


async def test_recommendations_without_a_model_say_that_they_are_what_is_popular(
    shop: ApiShop, program: Program
) -> None:
    visitors = await shelf(program)
    for number, product in enumerate(["gold-tea", "gold-tea", "coffee", "coffee", "tea"]):
        await program.paid(f"o-{number}", None, 1_000, product=product)

    answers = {
        name: await caller.run("recommendations", window="FOR_YOU")
        for name, caller in visitors.items()
    }

    found = {
        name: [item["product"]["externalId"] for item in answer["items"]]
        for name, answer in answers.items()
    }
    # Coffee is out of stock, gold tea is for Gold alone, and who is Gold became it by tea.
    assert found == {
        "guest": ["tea"],
        "stranger": ["tea"],
        "base": ["tea"],
        "gold": ["gold-tea"],
        "till": ["tea"],
    }
    for answer in answers.values():
        assert (answer["strategy"], answer["modelId"], answer["trainedAt"]) == (
            "popularity",
            None,
            None,
        )
        assert [item["rank"] for item in answer["items"]] == list(
            range(1, len(answer["items"]) + 1)
        )


async def test_a_service_recommends_for_the_member_it_names(
    shop: ApiShop, program: Program
) -> None:
    await shelf(program)
    await program.paid("o", None, 1_000, product="gold-tea")

    named = await program.till.run("recommendations", window="TRENDING", member="rich")
    reader = await program.service("catalogue:read")
    refused = await reader.ask(
        document("recommendations"), {"window": "TRENDING", "member": "rich"}
    )

    assert "gold-tea" in [item["product"]["externalId"] for item in named["items"]]
    assert [error["extensions"]["code"] for error in refused["errors"]] == ["FORBIDDEN"]


@pytest.mark.parametrize(
    "variables",
    [
        {"window": "SIMILAR"},
        {"window": "BOUGHT_TOGETHER"},
        {"window": "FOR_YOU", "first": 0},
        {"window": "FOR_YOU", "first": 51},
        {"window": "CART", "cart": [str(number) for number in range(201)]},
        {"window": "NOWHERE"},
    ],
)
async def test_recommendations_that_cannot_be_are_refused(
    variables: dict[str, Any], sqlite_shop: ApiShop
) -> None:
    answer = await sqlite_shop.programs[0].anonymous.ask(document("recommendations"), variables)

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"]


async def test_what_is_said_again_of_a_product_is_all_that_was_said(sqlite_shop: ApiShop) -> None:
    program, at = sqlite_shop.programs[0], sqlite_shop.clock.now()
    told = program.product(
        "tea",
        category="DRINKS",
        department="GROCERY",
        type="GREEN TEA",
        brand="Leaf",
        image_url="https://shop.example/tea.png",
        cost_minor=600,
        stock=3,
        tiers=("gold",),
        tiers_until=at + timedelta(days=7),
        invented=("cost_minor",),
        is_active=False,
    )
    unsaid = [each.name for each in fields(told) if getattr(told, each.name) == each.default]
    assert unsaid == []
    await program.stock(told)

    product = await sqlite_shop.services.catalogue.one(program.tenant_id, "tea")

    assert product is not None
    assert product.facts(told.said_at) == told
