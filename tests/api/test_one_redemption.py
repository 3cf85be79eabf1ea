"""Sixty-four clients and one affordable redemption, through the API, on both databases."""

import asyncio
from typing import Any

import pytest
from api_shop import Program, line

from loyalty.services.proof.verify import verify

pytestmark = pytest.mark.anyio

CLIENTS = 64


async def quoted(program: Program, cart: str) -> str:
    """The token of a quote that takes all the points the member has."""
    found = await program.till.run(
        "checkout_quote",
        input={
            "cartId": cart,
            "member": "ann",
            "lines": [line("1", "tea", 1, "50.00")],
            "points": {"exact": 500},
        },
    )
    assert found["quote"]["tender"]["points"] == 500
    return str(found["quote"]["token"])


async def reserve(program: Program, key: str, token: str) -> Any:
    return await program.till.run(
        "checkout_reserve", input={"idempotencyKey": key, "quoteToken": token}
    )


async def test_exactly_one_of_sixty_four_reserves_it(program: Program) -> None:
    ann = await program.rich("ann", 500)
    tokens = [await quoted(program, f"cart-{n}") for n in range(CLIENTS)]

    answers = await asyncio.gather(
        *(reserve(program, f"key-{n}", token) for n, token in enumerate(tokens))
    )

    won = [answer["reservation"] for answer in answers if answer["reservation"]]
    refused = [answer["userErrors"][0]["code"] for answer in answers if answer["userErrors"]]
    points = (await ann.run("member_card"))["balances"][0]
    assert len(won) == 1
    assert refused == ["INSUFFICIENT_POINTS"] * (CLIENTS - 1)
    assert (points["available"], points["held"]) == (0, 500)


async def test_one_key_from_sixty_four_clients_has_one_effect(program: Program) -> None:
    ann = await program.rich("ann", 500)
    token = await quoted(program, "cart")

    answers = await asyncio.gather(*(reserve(program, "key", token) for _ in range(CLIENTS)))

    assert len({answer["reservation"]["id"] for answer in answers}) == 1
    assert sorted(answer["replayed"] for answer in answers) == [False] + [True] * (CLIENTS - 1)
    points = (await ann.run("member_card"))["balances"][0]
    assert (points["available"], points["held"]) == (0, 500)
    services = program.shop.services
    assert (await verify(services.database, program.tenant_id)).problems == []
