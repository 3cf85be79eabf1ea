"""Who gets in: shoppers' tokens and keys of services and merchants."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest

from loyalty.errors import BadInput, NotAllowed, NotFound
from loyalty.secrets import SecretKey
from loyalty.services.access import Scope, ViewerKind
from loyalty.services.credentials import Credentials, Unauthenticated
from loyalty.storage.access import API_KEY

from .conftest import Shop

pytestmark = pytest.mark.anyio
SECRET = SecretKey("0123456789abcdef0123456789abcdef")


@pytest.fixture
def credentials(shop: Shop) -> Credentials:
    return Credentials(shop.database, shop.clock, SECRET, "demo")


def token(shop: Shop, credentials: Credentials, algorithm: str = "HS256", **claims: object) -> str:
    body = {
        "iss": "corner",
        "sub": "ann",
        "exp": shop.clock.now() + timedelta(hours=1),
        **claims,
    }
    key = credentials.shop_secret(shop.tenant_id, "corner")
    return jwt.encode({k: v for k, v in body.items() if v is not None}, key, algorithm)


async def test_a_shopper_is_who_the_shop_says(shop: Shop, credentials: Credentials) -> None:
    minted, expires = await credentials.mint(shop.tenant_id, "ann", 600)
    viewer = await credentials.viewer(minted)

    assert (viewer.kind, viewer.tenant_id) == (ViewerKind.SHOPPER, shop.tenant_id)
    assert viewer.member_external_id == "ann"
    assert expires == shop.clock.now() + timedelta(seconds=600)
    with pytest.raises(NotAllowed):
        viewer.require(Scope.CHECKOUT_WRITE)


@pytest.mark.parametrize(
    ("case", "claims"),
    [
        ("expired", {"exp": datetime(2026, 3, 1, 11, tzinfo=UTC)}),
        ("no expiry", {"exp": None}),
        ("a longer life than a day", {"exp": datetime(2026, 3, 2, 12, 0, 31, tzinfo=UTC)}),
        ("no subject", {"sub": None}),
        ("empty subject", {"sub": ""}),
        ("unprintable subject", {"sub": "a\nb"}),
        ("unknown issuer", {"iss": "nobody"}),
        ("no issuer", {"iss": None}),
        ("expiry beyond all time", {"exp": 10**18}),
        ("not valid yet", {"nbf": datetime(2026, 3, 1, 13, tzinfo=UTC)}),
        ("beginning beyond all time", {"nbf": 10**18}),
        ("beginning that is no moment", {"nbf": "soon"}),
    ],
)
async def test_tokens_that_prove_nothing(
    shop: Shop, credentials: Credentials, case: str, claims: dict[str, object]
) -> None:
    with pytest.raises(Unauthenticated):
        await credentials.viewer(token(shop, credentials, **claims))


async def test_a_token_may_live_for_a_day(shop: Shop, credentials: Credentials) -> None:
    longest = token(shop, credentials, exp=datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC))

    assert (await credentials.viewer(longest)).member_external_id == "ann"


# The wrong algorithm is the point here; that its key is short is not.
@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
async def test_the_algorithm_is_the_issuers_not_the_tokens(
    shop: Shop, credentials: Credentials
) -> None:
    unsigned = jwt.encode(
        {"iss": "corner", "sub": "ann", "exp": shop.clock.now() + timedelta(hours=1)},
        None,
        "none",
    )
    other = token(shop, credentials, "HS512")

    for wrong in (unsigned, other, unsigned.replace(".", "", 1), "", "x" * 5_000, "\ud800"):
        with pytest.raises(Unauthenticated):
            await credentials.viewer(wrong)


async def test_one_tenants_secret_signs_for_no_other(
    shops: tuple[Shop, Shop], credentials: Credentials
) -> None:
    mine, other = shops
    claims = {"iss": "other", "sub": "ann", "exp": mine.clock.now() + timedelta(hours=1)}
    forged = jwt.encode(claims, credentials.shop_secret(mine.tenant_id, "corner"), "HS256")

    with pytest.raises(Unauthenticated):
        await credentials.viewer(forged)
    genuine = jwt.encode(claims, credentials.shop_secret(other.tenant_id, "other"), "HS256")
    assert (await credentials.viewer(genuine)).tenant_id == other.tenant_id


async def test_a_token_is_believed_until_it_expires_by_our_clock(
    shop: Shop, credentials: Credentials
) -> None:
    minted, _ = await credentials.mint(shop.tenant_id, "ann", 600)
    await credentials.viewer(minted)

    shop.clock.advance(timedelta(seconds=631))

    with pytest.raises(Unauthenticated):
        await credentials.viewer(minted)


async def test_a_key_has_its_scopes_until_it_is_revoked(
    shop: Shop, credentials: Credentials
) -> None:
    made = await credentials.create_key(shop.tenant_id, "till", ["checkout:write"])
    viewer = await credentials.viewer(made.text)
    assert (viewer.kind, viewer.client) == (ViewerKind.SERVICE, "key:till")
    viewer.require(Scope.CHECKOUT_WRITE)
    with pytest.raises(NotAllowed):
        viewer.require(Scope.MEMBERS_READ)

    await credentials.revoke_key(shop.tenant_id, made.key_id)

    with pytest.raises(Unauthenticated):
        await credentials.viewer(made.text)
    with pytest.raises(NotFound):
        await credentials.revoke_key(shop.tenant_id, made.key_id)


async def test_the_secret_of_a_key_is_not_stored(shop: Shop, credentials: Credentials) -> None:
    made = await credentials.create_key(shop.tenant_id, "admin", ["admin"])
    secret = made.text.split("_", 3)[3]

    row = (await shop.database.read(API_KEY(made.key_id)))[0]

    assert secret not in str(row)
    assert (await credentials.viewer(made.text)).kind is ViewerKind.MERCHANT
    for wrong in (made.text[:-1], made.text + "x", "lk_test_" + made.key_id + "_", "lk_"):
        with pytest.raises(Unauthenticated):
            await credentials.viewer(wrong)


async def test_another_tenant_cannot_revoke_a_key(
    shops: tuple[Shop, Shop], credentials: Credentials
) -> None:
    mine, other = shops
    made = await credentials.create_key(mine.tenant_id, "till", ["checkout:write"])

    with pytest.raises(NotFound):
        await credentials.revoke_key(other.tenant_id, made.key_id)

    assert (await credentials.viewer(made.text)).tenant_id == mine.tenant_id


@pytest.mark.parametrize("scopes", [[], ["everything"], ["checkout:write", "root"]])
async def test_unknown_scopes_are_refused(
    shop: Shop, credentials: Credentials, scopes: list[str]
) -> None:
    with pytest.raises(BadInput, match="wanted some of"):
        await credentials.create_key(shop.tenant_id, "till", scopes)
    assert await credentials.keys(shop.tenant_id) == []
