"""Who a request proves, and what happens when it proves nobody."""

from pathlib import Path

import pytest
from api_shop import ApiShop, Caller, api_shop

pytestmark = pytest.mark.anyio

VIEWER = "{viewer{kind memberExternalId scopes}}"


async def test_each_is_who_its_credentials_say(sqlite_shop: ApiShop) -> None:
    program = sqlite_shop.programs[0]
    callers = {
        "anonymous": program.anonymous,
        "shopper": await program.shopper("ann"),
        "service": await program.service("catalogue:read"),
        "merchant": program.caller(program.tokens["merchant"]),
    }

    seen = {name: (await caller.data(VIEWER))["viewer"] for name, caller in callers.items()}

    assert seen == {
        "anonymous": {"kind": "ANONYMOUS", "memberExternalId": None, "scopes": []},
        "shopper": {"kind": "SHOPPER", "memberExternalId": "ann", "scopes": []},
        "service": {"kind": "SERVICE", "memberExternalId": None, "scopes": ["catalogue:read"]},
        "merchant": {"kind": "MERCHANT", "memberExternalId": None, "scopes": ["admin"]},
    }


@pytest.mark.parametrize(
    ("case", "headers"),
    [
        ("nothing", {}),
        ("no such program", {"x-loyalty-program": "nowhere"}),
        ("a program of no name", {"x-loyalty-program": ""}),
        ("a program that is no name", {"x-loyalty-program": "x" * 5_000}),
        ("another scheme", {"authorization": "Basic YTpi"}),
        ("a scheme alone", {"authorization": "Bearer "}),
        ("no token", {"authorization": "Bearer x"}),
        ("no key", {"authorization": "Bearer lk_live_x_y"}),
        (
            # Credentials that prove nobody are not made up for by a program.
            "a bad token for a program",
            {"authorization": "Bearer x", "x-loyalty-program": "corner"},
        ),
    ],
)
async def test_who_proves_nobody_is_told_so(
    case: str, headers: dict[str, str], sqlite_shop: ApiShop
) -> None:
    for client in (sqlite_shop.storefront, sqlite_shop.admin):
        response = await Caller(client, headers).post(VIEWER)

        assert response.status_code == 401
        (error,) = response.json()["errors"]
        assert error["extensions"] == {"code": "UNAUTHENTICATED"}
        assert "x" * 200 not in error["message"]


async def test_credentials_decide_the_program_whatever_else_is_said(shop: ApiShop) -> None:
    one, other = shop.programs
    await one.enrol("ann")
    headers = (await one.shopper("ann")).headers | {"x-loyalty-program": other.code}

    found = await Caller(shop.storefront, headers).data("{member{externalId}}")

    assert found == {"member": {"externalId": "ann"}}


@pytest.mark.parametrize(("environment", "anonymous_may"), [("production", False), ("demo", True)])
async def test_introspection_is_closed_to_strangers_in_production(
    environment: str, anonymous_may: bool, sqlite_path: Path, tmp_path: Path
) -> None:
    async with api_shop(
        f"sqlite://{sqlite_path}", tmp_path / "data", environment=environment
    ) as shop:
        program = shop.programs[0]
        query = "{__schema{queryType{name}}}"

        stranger = await program.anonymous.ask(query)
        shopper = await (await program.shopper("ann")).ask(query)

    assert ("errors" not in stranger) is anonymous_may
    assert "errors" not in shopper
