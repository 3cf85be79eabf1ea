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


BARE = "Bearer"
"""The challenge to who has shown nothing of this scheme yet: RFC 6750, section 3.1."""
INVALID = 'Bearer error="invalid_token"'


@pytest.mark.parametrize(
    ("case", "headers", "challenge"),
    [
        ("nothing", {}, BARE),
        ("no such program", {"x-loyalty-program": "nowhere"}, BARE),
        ("a program of no name", {"x-loyalty-program": ""}, BARE),
        ("a program that is no name", {"x-loyalty-program": "x" * 5_000}, BARE),
        ("another scheme", {"authorization": "Basic YTpi"}, BARE),
        ("a scheme alone", {"authorization": "Bearer "}, BARE),
        ("no token", {"authorization": "Bearer x"}, INVALID),
        ("no token, in other letters", {"authorization": "bEARER  x"}, INVALID),
        ("no key", {"authorization": "Bearer lk_live_x_y"}, INVALID),
        (
            # Credentials that prove nobody are not made up for by a program.
            "a bad token for a program",
            {"authorization": "Bearer x", "x-loyalty-program": "corner"},
            INVALID,
        ),
    ],
)
async def test_who_proves_nobody_is_told_so(
    case: str, headers: dict[str, str], challenge: str, sqlite_shop: ApiShop
) -> None:
    for client in (sqlite_shop.storefront, sqlite_shop.admin):
        response = await Caller(client, headers).post(VIEWER)

        assert response.status_code == 401
        assert response.headers["www-authenticate"] == challenge
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
